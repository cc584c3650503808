#include "core/net/worker.h"

#include <assert.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <time.h>

#include "core/base/mem.h"

enum { SOURCE_BUCKETS = 256, SUSPECT_REST = 4 /* times as long as the last one took */ };

struct queue {
    struct job *first, *last;
    unsigned len;
};

/* The waiting HASH jobs of one source. It is in a ring while it has any, and is freed with the last
 * one. */
struct source {
    uint64_t key;
    bool suspect; /* by the latest job: goes to that ring when its turn comes in another */
    struct queue jobs;
    struct source *next_in_bucket;
    struct source *next_in_ring;
};

/* The sources in the order of their turns. Whoever has just come goes before those that have had a
 * turn and want another, so that many guessers do not make one newcomer wait for all of them. */
enum { RING_NEW, RING_AGAIN, RING_SUSPECT, RINGS };
struct ring {
    struct source *first, *last;
};

struct worker {
    struct pool *pool;
    pthread_t thread;
    struct job *running; /* under the pool's lock; only jobs that come back to a loop */
    unsigned index;
};

struct pool {
    struct pool_conf conf;
    unsigned hash_max; /* HASH jobs that may run at once */

    pthread_mutex_t lock;
    pthread_cond_t more;
    struct queue work;
    struct source *buckets[SOURCE_BUCKETS];
    struct ring rings[RINGS];
    unsigned hash_waiting, suspects_waiting, hash_running;
    uint64_t suspect_from_ns; /* monotonic: no suspect's job is taken before */
    bool hash_last;           /* the lane of the job taken last: when both wait they take turns */
    bool stopping;
    unsigned started; /* threads to be joined */

    atomic_uint depth;
    struct worker workers[];
};

static void queue_push(struct queue *q, struct job *job)
{
    job->next = NULL;
    if (q->last)
        q->last->next = job;
    else
        q->first = job;
    q->last = job;
    q->len++;
}

static struct job *queue_pop(struct queue *q)
{
    struct job *job = q->first;
    q->first = job->next;
    if (!q->first)
        q->last = NULL;
    q->len--;
    return job;
}

/* --- the HASH lane ---------------------------------------------------------------------------- */

static struct source **source_place(struct pool *pool, uint64_t key)
{
    struct source **at = &pool->buckets[(key ^ key >> 32) % SOURCE_BUCKETS];
    while (*at && (*at)->key != key)
        at = &(*at)->next_in_bucket;
    return at;
}

static void ring_push(struct ring *ring, struct source *source)
{
    source->next_in_ring = NULL;
    if (ring->last)
        ring->last->next_in_ring = source;
    else
        ring->first = source;
    ring->last = source;
}

static struct source *ring_pop(struct ring *ring)
{
    struct source *source = ring->first;
    ring->first = source->next_in_ring;
    if (!ring->first)
        ring->last = NULL;
    return source;
}

static bool hash_push(struct pool *pool, struct job *job)
{
    struct source **place = source_place(pool, job->source);
    if (*place) /* also when the job is refused: those that wait are the same guesser's */
        (*place)->suspect |= job->suspect;
    if (pool->hash_waiting >= pool->conf.queue_max ||
        (job->suspect && pool->suspects_waiting >= pool->conf.queue_max_suspect))
        return false;
    if (*place) {
        if ((*place)->jobs.len >= ((*place)->suspect ? pool->conf.queue_max_per_suspect
                                                     : pool->conf.queue_max_per_source))
            return false;
    } else {
        *place = mem_new(sizeof **place);
        (*place)->key = job->source;
        (*place)->suspect = job->suspect;
        ring_push(&pool->rings[job->suspect ? RING_SUSPECT : RING_NEW], *place);
    }
    queue_push(&(*place)->jobs, job);
    pool->hash_waiting++;
    pool->suspects_waiting += job->suspect;
    return true;
}

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

/* The source whose turn it is, out of its ring; NULL: none may run now. */
static struct source *hash_turn(struct pool *pool)
{
    if (pool->hash_running >= pool->hash_max)
        return NULL;
    for (unsigned r = RING_NEW; r < RING_SUSPECT; r++)
        while (pool->rings[r].first) {
            struct source *source = ring_pop(&pool->rings[r]);
            if (!source->suspect)
                return source;
            ring_push(&pool->rings[RING_SUSPECT], source);
        }
    if (!pool->rings[RING_SUSPECT].first || (!pool->stopping && now_ns() < pool->suspect_from_ns))
        return NULL;
    pool->suspect_from_ns = UINT64_MAX; /* one at a time: set anew when this one has run */
    return ring_pop(&pool->rings[RING_SUSPECT]);
}

static struct job *hash_pop(struct pool *pool, struct source *source)
{
    struct job *job = queue_pop(&source->jobs);
    pool->hash_waiting--;
    pool->suspects_waiting -= job->suspect;
    pool->hash_running++;
    job->suspect = source->suspect; /* the turn that it had */
    if (source->jobs.len) {
        ring_push(&pool->rings[source->suspect ? RING_SUSPECT : RING_AGAIN], source);
        return job;
    }
    struct source **place = source_place(pool, source->key);
    *place = source->next_in_bucket;
    mem_free(source);
    return job;
}

/* --- workers ---------------------------------------------------------------------------------- */

static struct job *take(struct pool *pool)
{
    bool work = pool->work.len && (!pool->hash_waiting || pool->hash_last);
    struct source *source = work ? NULL : hash_turn(pool);
    if (!source && !pool->work.len)
        return NULL;
    pool->hash_last = source;
    atomic_fetch_sub(&pool->depth, 1);
    return source ? hash_pop(pool, source) : queue_pop(&pool->work);
}

static void on_done(struct loop *loop, struct post *post)
{
    (void)loop;
    struct job *job = (struct job *)((char *)post - offsetof(struct job, post));
    job->done(job);
}

static void run_one(struct worker *worker, struct job *job, void *thread_ctx)
{
    struct pool *pool = worker->pool;
    /* Without a loop the job may be gone when `run` returns. */
    struct loop *loop = job->loop;
    bool hash = job->lane == JOB_HASH, suspect = hash && job->suspect;
    uint64_t start_ns = suspect ? now_ns() : 0;
    if (loop)
        worker->running = job;
    pthread_mutex_unlock(&pool->lock);

    job->run(job, thread_ctx);

    pthread_mutex_lock(&pool->lock);
    worker->running = NULL;
    if (hash) {
        pool->hash_running--;
        if (pool->hash_waiting)
            pthread_cond_signal(&pool->more);
    }
    if (suspect) {
        uint64_t end_ns = now_ns();
        pool->suspect_from_ns = end_ns + SUSPECT_REST * (end_ns - start_ns);
    }
    if (pool->stopping)
        pthread_cond_broadcast(&pool->more);
    if (loop) {
        job->post.run = on_done;
        loop_post(loop, &job->post);
    }
}

/* Until there is more to do, or a suspect's turn has come. */
static void wait_for_more(struct pool *pool)
{
    uint64_t until = pool->suspect_from_ns;
    if (!pool->rings[RING_SUSPECT].first || until == UINT64_MAX ||
        pool->hash_running >= pool->hash_max) {
        pthread_cond_wait(&pool->more, &pool->lock);
        return;
    }
    struct timespec t = {.tv_sec = (time_t)(until / 1000000000),
                         .tv_nsec = (long)(until % 1000000000)};
    pthread_cond_timedwait(&pool->more, &pool->lock, &t);
}

static void *work(void *arg)
{
    struct worker *worker = arg;
    struct pool *pool = worker->pool;
    char name[16];
    snprintf(name, sizeof name, "tandem-pool/%u", worker->index);
    pthread_setname_np(pthread_self(), name);
    void *ctx = pool->conf.thread_start ? pool->conf.thread_start(pool->conf.arg) : NULL;

    pthread_mutex_lock(&pool->lock);
    for (;;) {
        struct job *job = take(pool);
        if (job)
            run_one(worker, job, ctx);
        else if (pool->stopping && !pool->work.len && !pool->hash_waiting)
            break;
        else
            wait_for_more(pool);
    }
    pthread_mutex_unlock(&pool->lock);

    if (pool->conf.thread_stop)
        pool->conf.thread_stop(ctx);
    return NULL;
}

/* --- the pool --------------------------------------------------------------------------------- */

void pool_stop(struct pool *pool)
{
    pthread_mutex_lock(&pool->lock);
    pool->stopping = true;
    for (struct job *job = pool->work.first; job; job = job->next)
        atomic_store(&job->cancelled, true);
    for (unsigned r = 0; r < RINGS; r++)
        for (struct source *source = pool->rings[r].first; source; source = source->next_in_ring)
            for (struct job *job = source->jobs.first; job; job = job->next)
                atomic_store(&job->cancelled, true);
    for (unsigned i = 0; i < pool->started; i++)
        if (pool->workers[i].running)
            atomic_store(&pool->workers[i].running->cancelled, true);
    pthread_cond_broadcast(&pool->more);
    pthread_mutex_unlock(&pool->lock);
    for (unsigned i = 0; i < pool->started; i++)
        pthread_join(pool->workers[i].thread, NULL);
    pool->started = 0;
}

enum err pool_new(const struct pool_conf *conf, struct pool **ret)
{
    assert(conf->workers >= 1 && conf->workers <= 256);
    struct pool *pool = mem_new(sizeof *pool + conf->workers * sizeof pool->workers[0]);
    pool->conf = *conf;
    pool->hash_max = conf->workers > 1 ? conf->workers - 1 : 1;
    pthread_mutex_init(&pool->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&pool->more, &attr);
    pthread_condattr_destroy(&attr);

    sigset_t all, old; /* signals are the main thread's */
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    for (; pool->started < conf->workers; pool->started++) {
        struct worker *worker = &pool->workers[pool->started];
        worker->pool = pool;
        worker->index = pool->started;
        if (pthread_create(&worker->thread, NULL, work, worker))
            break;
    }
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (pool->started < conf->workers) {
        pool_free(pool);
        return ERR_DOWN;
    }
    *ret = pool;
    return ERR_OK;
}

enum err pool_submit(struct pool *pool, struct job *job)
{
    assert(job->run && (!job->loop || job->done));
    bool taken = false;
    pthread_mutex_lock(&pool->lock);
    if (pool->stopping) {
        taken = false;
    } else if (job->lane == JOB_HASH) {
        taken = hash_push(pool, job);
    } else if (pool->work.len < pool->conf.queue_max) {
        queue_push(&pool->work, job);
        taken = true;
    }
    if (taken)
        atomic_fetch_add(&pool->depth, 1);
    pthread_mutex_unlock(&pool->lock);
    if (taken) /* without the lock, which the worker takes first of all */
        pthread_cond_signal(&pool->more);
    return taken ? ERR_OK : ERR_AGAIN;
}

void pool_free(struct pool *pool)
{
    if (!pool)
        return;
    pool_stop(pool);
    pthread_cond_destroy(&pool->more);
    pthread_mutex_destroy(&pool->lock);
    mem_free(pool);
}

unsigned pool_depth(const struct pool *pool)
{
    return atomic_load(&pool->depth);
}
