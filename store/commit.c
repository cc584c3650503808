#include "store/commit.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "store/disk.h"
#include "store/files.h"
#include "store/lanes.h"
#include "store/lazy.h"

enum { UPKEEPS_MAX = 16, UPKEEP_IDLE_MS = 1000, UPKEEP_BUSY_MS = 100 };
enum { GATHER_SHARE = 4, GATHER_MAX_NS = 500000 };

struct committer {
    struct env *env;
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t wake;

    /* Under the lock. */
    struct lanes lanes;
    bool stopping, nudged;
    unsigned expected; /* ops worth waiting for until then; 0: none */
    uint64_t expected_until_ns;
    struct committer_stats stats;

    /* The thread's own. */
    struct op *batch[TURN_OPS];
    const struct upkeep *upkeep[UPKEEPS_MAX];
    unsigned nupkeeps, next_upkeep;
    uint64_t upkeep_at_ms;
    bool upkeep_wrote;
    uint64_t clock_at_ms; /* when sys.clock is next written */
    struct disk disk;
};

/* --- completion ----------------------------------------------------------------------------------
 */

void store_result_finish(struct store_result *r)
{
    uidset_finish(&r->source);
    uidset_finish(&r->dest);
    uidset_finish(&r->changed);
    uidset_finish(&r->same);
    uidset_finish(&r->modified);
    uidset_finish(&r->foreign);
    uidset_finish(&r->missing);
    mem_free(r->arrivals);
    r->arrivals = NULL;
    r->narrivals = 0;
}

static void completed(struct loop *loop, struct post *post)
{
    struct op *op = (struct op *)((char *)post - offsetof(struct op, post));
    struct store_reader *reader = store_reader_of(op->env->store, loop);
    if (reader && reader_is_behind(reader, op->env, op->result.txnid)) {
        loop_post(loop, post); /* the turn's snapshot is older than this commit: next turn */
        return;
    }
    if (reader)
        notify_catch_up(reader);
    void *object = loop_id_find(loop, op->to.id);
    if (object && op->to.done)
        op->to.done(object, &op->result);
    store_result_finish(&op->result);
    op->kind->release(op);
}

/* Returns the loop that must be woken for it, or NULL. The op is gone. */
static struct loop *hand_over(struct op *op)
{
    struct loop *loop = op->to.loop;
    if (loop) {
        op->post.run = completed;
        return loop_leave(loop, &op->post) ? loop : NULL;
    }
    if (op->to.done)
        op->to.done((void *)(uintptr_t)op->to.id, &op->result);
    store_result_finish(&op->result);
    op->kind->release(op);
    return NULL;
}

void op_complete(struct op *op)
{
    struct loop *loop = hand_over(op);
    if (loop)
        loop_wake(loop);
}

static void refuse(struct op *op, enum err e)
{
    store_result_finish(&op->result);
    op->result.err = e;
    if (op->kind->refused)
        op->kind->refused(op);
    op_complete(op);
}

/* --- the turn ------------------------------------------------------------------------------------
 */

/* The engine's files can no longer be trusted to hold what was written: nobody retries an fsync. */
static void fatal(struct env *env, const char *what, enum err e)
{
    struct log_line line;
    log_begin(&line, LOG_ERROR, "store-fatal");
    log_u64(&line, "shard", env->index);
    log_str(&line, "what", what);
    log_str(&line, "why", err_word(e));
    log_end(&line);
    log_stop();
    _Exit(70);
}

static void warn(struct env *env, const char *what, enum err e)
{
    struct log_line line;
    log_begin(&line, LOG_WARN, "store-warn");
    log_u64(&line, "shard", env->index);
    log_str(&line, "what", what);
    log_str(&line, "why", err_word(e));
    log_end(&line);
}

static void turn_finish(struct turn *turn, bool committed)
{
    lazy_turn_over(turn->env, committed);
    while (turn->events) {
        struct event *next = turn->events->next;
        mem_free(turn->events);
        turn->events = next;
    }
    mem_free(turn->orphans);
    turn->orphans = NULL;
}

static enum err turn_begin(struct committer *c, struct turn *turn)
{
    *turn = (struct turn){.env = c->env};
    enum err e = engine_turn_begin(c->env->engine, &turn->txn);
    if (e)
        return e;
    turn->id = engine_txn_id(turn->txn);
    uint32_t wall = clock_wall();
    turn->now = wall > c->env->clock ? wall : (uint32_t)c->env->clock;
    return ERR_OK;
}

/* Blob ids are taken ahead in the txn that hands the first of them out; the clock rides along once
 * a minute. */
static enum err write_state(struct committer *c, struct turn *turn)
{
    uint64_t now = clock_mono_ms();
    if (turn->now > c->env->clock) {
        c->env->clock = turn->now;
        if (now >= c->clock_at_ms)
            turn->state_dirty = true;
    }
    if (!turn->state_dirty)
        return ERR_OK;
    c->clock_at_ms = now + 60000;
    return env_state_save(turn, false);
}

enum outcome { COMMITTED, ABORTED };

/* Applies the ops; on ABORTED none of them has happened and op->result.err of at least one says
 * why. */
static enum outcome try_turn(struct committer *c, struct op **ops, unsigned n,
                             const struct upkeep *upkeep, unsigned upkeep_pages)
{
    struct turn turn;
    uint64_t next_blob = c->env->next_blob, blobs_end = c->env->blobs_end;
    uint32_t next_acct = c->env->next_acct;
    enum err e = turn_begin(c, &turn);
    if (e)
        fatal(c->env, "begin", e);
    unsigned broken = n;
    bool slice_done = false;
    for (unsigned i = 0; i < n && broken == n; i++) {
        struct op *op = ops[i];
        turn.wrote = false;
        op->again = false;
        store_result_finish(&op->result);
        op->result = (struct store_result){.txnid = turn.id};
        op->result.err = op->kind->apply(op, &turn);
        if (op->result.err && (turn.wrote || op->result.err == ERR_FULL))
            broken = i;
    }
    if (broken == n && upkeep) {
        turn.wrote = false;
        e = upkeep->slice(&turn, upkeep_pages);
        slice_done = !e;
        if (e && e != ERR_FULL)
            warn(c->env, upkeep->name, e);
        if (e && turn.wrote)
            broken = n + 1;
        c->upkeep_wrote = turn.wrote && !e;
    }
    if (broken == n)
        e = write_state(c, &turn);
    if (broken != n || e) {
        engine_turn_abort(turn.txn);
        c->env->next_blob = next_blob;
        c->env->blobs_end = blobs_end;
        c->env->next_acct = next_acct;
        turn_finish(&turn, false);
        return ABORTED;
    }
    e = engine_turn_commit(turn.txn);
    if (e == ERR_FULL) {
        c->env->next_blob = next_blob;
        c->env->blobs_end = blobs_end;
        c->env->next_acct = next_acct;
        for (unsigned i = 0; i < n; i++)
            ops[i]->result.err = ERR_FULL;
        turn_finish(&turn, false);
        return ABORTED;
    }
    if (e)
        fatal(c->env, "commit", e);
    reap_committed(c->env, &turn);
    if (slice_done && upkeep->committed)
        upkeep->committed(c->env);
    notify_publish(c->env, &turn);
    turn_finish(&turn, true);
    return COMMITTED;
}

static void count_one(struct committer *c, uint64_t *what)
{
    pthread_mutex_lock(&c->lock);
    ++*what;
    pthread_mutex_unlock(&c->lock);
}

/* Returns how many are done: the others go on in the next turn. A loop that is woken by its first
 * completion would find it alone, and be woken again for each of the others. */
static unsigned answer(struct committer *c, struct op **ops, unsigned n)
{
    struct loop *asleep[TURN_OPS], *loop;
    unsigned nasleep = 0, done = n;
    for (unsigned i = 0; i < n; i++) {
        if (ops[i]->again && !ops[i]->result.err) {
            done--;
            if (ops[i]->kind->committed)
                ops[i]->kind->committed(ops[i]);
            pthread_mutex_lock(&c->lock);
            lanes_push_front(&c->lanes, ops[i]);
            pthread_mutex_unlock(&c->lock);
        } else if ((loop = hand_over(ops[i]))) {
            asleep[nasleep++] = loop;
        }
    }
    for (unsigned i = 0; i < nasleep; i++)
        loop_wake(asleep[i]);
    return done;
}

/* Returns how many ops were answered. */
static unsigned run_turn(struct committer *c, unsigned n, const struct upkeep *upkeep,
                         unsigned upkeep_pages)
{
    if (try_turn(c, c->batch, n, upkeep, upkeep_pages) == COMMITTED)
        return answer(c, c->batch, n);
    unsigned done = 0;
    for (unsigned i = 0; i < n; i++) {
        count_one(c, &c->stats.replays);
        struct op *op = c->batch[i];
        if (try_turn(c, &op, 1, NULL, 0) == COMMITTED) {
            done += answer(c, &op, 1);
        } else {
            refuse(op, op->result.err ? op->result.err : ERR_FULL);
            done++;
        }
    }
    return done;
}

/* The kind whose turn it is and that has something to do. */
static const struct upkeep *due_upkeep(struct committer *c)
{
    uint32_t now = clock_wall();
    for (unsigned i = 0; i < c->nupkeeps; i++) {
        const struct upkeep *u = c->upkeep[c->next_upkeep++ % c->nupkeeps];
        if (u->due(c->env, now))
            return u;
    }
    return NULL;
}

/* Ops that the disk has no room for are answered now; returns how many are left. */
static unsigned admit(struct committer *c, unsigned n)
{
    unsigned kept = 0;
    if (disk_check(&c->disk) == DISK_OK)
        return n;
    for (unsigned i = 0; i < n; i++) {
        struct op *op = c->batch[i];
        if (disk_admits(&c->disk, op->pages, op->octets, op->kind->grows)) {
            c->batch[kept++] = op;
        } else {
            count_one(c, &c->stats.refused_full);
            refuse(op, ERR_FULL);
        }
    }
    return kept;
}

static void sleep_for(struct committer *c, uint64_t ns)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    ns += (uint64_t)t.tv_nsec;
    t.tv_sec += (time_t)(ns / 1000000000);
    t.tv_nsec = (long)(ns % 1000000000);
    pthread_cond_timedwait(&c->wake, &c->lock, &t);
}

static void sleep_until(struct committer *c, uint64_t mono_ms)
{
    uint64_t now = clock_mono_ms();
    sleep_for(c, mono_ms > now ? (mono_ms - now) * 1000000 : 0);
}

/* Whoever has just been answered is likely to come back at once: for a quarter of what the turn
 * took the next one waits for as many as the last one left behind and answered. Otherwise those who
 * came during the turn are served without the others, and two groups of clients pay for a flush in
 * turns (of eight that append, 3.6 shared one). A client that is alone never waits for anybody. */
static void expect(struct committer *c, unsigned answered, uint64_t took_ns)
{
    uint64_t most = took_ns / GATHER_SHARE;
    c->expected = c->lanes.queued + answered > 1 ? c->lanes.queued + answered : 0;
    c->expected_until_ns = clock_mono_ns() + (most < GATHER_MAX_NS ? most : GATHER_MAX_NS);
}

/* Nobody but the last of them wakes the thread. */
static void gather(struct committer *c)
{
    uint64_t now;
    while (c->lanes.queued < c->expected && !c->stopping &&
           (now = clock_mono_ns()) < c->expected_until_ns)
        sleep_for(c, c->expected_until_ns - now);
    c->expected = 0;
}

/* What would wait for its time otherwise. One failure may be that of a damaged row, which is left
 * out then; a second one has no room. */
static void upkeep_at_stop(struct committer *c)
{
    for (unsigned i = 0, failed = 0; i < c->nupkeeps; i++) {
        const struct upkeep *u = c->upkeep[i];
        while (u->at_stop && failed < 2 && u->due(c->env, clock_wall()))
            failed = try_turn(c, NULL, 0, u, UPKEEP_PAGES) == COMMITTED ? 0 : failed + 1;
    }
}

static void *committer_run(void *arg)
{
    struct committer *c = arg;
    pthread_setname_np(pthread_self(), c->env->index == ENV_CATALOG ? "commit-catalog" : "commit");
    pthread_mutex_lock(&c->lock);
    for (;;) {
        gather(c);
        while (lanes_empty(&c->lanes) && !c->stopping && !c->nudged &&
               clock_mono_ms() < c->upkeep_at_ms)
            sleep_until(c, c->upkeep_at_ms);
        if (lanes_empty(&c->lanes) && c->stopping)
            break;
        bool idle = lanes_empty(&c->lanes);
        c->nudged = false;
        unsigned n = lanes_take(&c->lanes, c->batch);
        if (n && op_is_large(c->batch[0]))
            c->stats.pages_large += c->batch[0]->pages;
        pthread_mutex_unlock(&c->lock);

        n = admit(c, n);
        unsigned pages = 0;
        for (unsigned i = 0; i < n; i++)
            pages += c->batch[i]->pages;
        /* Upkeep has the turns that nobody else wants; while it is behind, one of ten in a second.
         */
        const struct upkeep *upkeep = NULL;
        bool is_time = clock_mono_ms() >= c->upkeep_at_ms;
        if (idle || (is_time && pages < TURN_PAGES))
            upkeep = due_upkeep(c);
        if (is_time)
            c->upkeep_at_ms = clock_mono_ms() + (upkeep ? UPKEEP_BUSY_MS : UPKEEP_IDLE_MS);
        uint64_t began = clock_mono_ns();
        unsigned answered = n || upkeep ? run_turn(c, n, upkeep, UPKEEP_PAGES) : 0;

        pthread_mutex_lock(&c->lock);
        expect(c, answered, clock_mono_ns() - began);
        c->stats.looks++;
        c->stats.turns += n || upkeep;
        c->stats.ops += n;
        c->stats.upkeep_slices += upkeep != NULL;
        if (c->upkeep_wrote)
            c->nudged = true; /* there may be more */
        c->upkeep_wrote = false;
    }
    pthread_mutex_unlock(&c->lock);
    upkeep_at_stop(c);
    return NULL;
}

/* --- from outside --------------------------------------------------------------------------------
 */

enum err committer_new(struct env *env, struct committer **ret)
{
    struct committer *c = mem_new(sizeof *c);
    c->env = env;
    pthread_mutex_init(&c->lock, NULL);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&c->wake, &attr);
    pthread_condattr_destroy(&attr);
    disk_init(&c->disk, env);
    *ret = c;
    return ERR_OK;
}

void committer_add_upkeep(struct committer *c, const struct upkeep *upkeep)
{
    if (c->nupkeeps == UPKEEPS_MAX)
        abort();
    c->upkeep[c->nupkeeps++] = upkeep;
}

void committer_start(struct committer *c)
{
    if (pthread_create(&c->thread, NULL, committer_run, c) != 0)
        abort();
    c->started = true;
}

void committer_submit(struct committer *c, struct op *op)
{
    pthread_mutex_lock(&c->lock);
    bool full = !op->internal &&
                (c->lanes.queued >= QUEUE_OPS || c->lanes.octets + op->octets > QUEUE_OCTETS);
    bool refused = full || c->stopping, wake = false;
    if (!refused) {
        bool was_empty = lanes_empty(&c->lanes);
        lanes_push(&c->lanes, op);
        wake = c->expected ? c->lanes.queued == c->expected : was_empty;
    }
    pthread_mutex_unlock(&c->lock);
    if (wake) /* without the lock, which the thread takes first of all */
        pthread_cond_signal(&c->wake);
    if (refused)
        refuse(op, ERR_AGAIN);
}

void committer_nudge(struct committer *c)
{
    pthread_mutex_lock(&c->lock);
    c->nudged = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

void committer_stop(struct committer *c)
{
    if (!c->started)
        return;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
    pthread_join(c->thread, NULL);
    c->started = false;
}

void committer_free(struct committer *c)
{
    if (!c)
        return;
    committer_stop(c);
    pthread_cond_destroy(&c->wake);
    pthread_mutex_destroy(&c->lock);
    mem_free(c);
}

void committer_stats(struct committer *c, struct committer_stats *ret)
{
    pthread_mutex_lock(&c->lock);
    *ret = c->stats;
    ret->queued = c->lanes.queued;
    pthread_mutex_unlock(&c->lock);
}
