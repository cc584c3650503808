/* core/net/worker.h: lanes, fairness, bounds, completions. */
#include "core/net/worker.h"

#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "tests/lib/unit.h"

enum { JOBS_MAX = 200 };

struct test_job {
    struct job job;
    unsigned number;
    bool saw_cancel;
    void *ctx;
};

static struct test_job jobs[JOBS_MAX];
static sem_t gate;                  /* jobs of `run_gated` wait here */
static atomic_uint running, most;   /* gated jobs */
static atomic_uint order[JOBS_MAX]; /* numbers in the order in which they ran */
static atomic_uint ran;
static unsigned done, expected;

static void run_plain(struct job *job, void *ctx)
{
    struct test_job *t = (struct test_job *)(void *)job;
    t->ctx = ctx;
    t->saw_cancel = atomic_load(&job->cancelled);
    order[atomic_fetch_add(&ran, 1)] = t->number;
}

static void run_gated(struct job *job, void *ctx)
{
    unsigned now = atomic_fetch_add(&running, 1) + 1, old = atomic_load(&most);
    while (now > old && !atomic_compare_exchange_weak(&most, &old, now))
        ;
    sem_wait(&gate);
    atomic_fetch_sub(&running, 1);
    run_plain(job, ctx);
}

static void on_done(struct job *job)
{
    assert_ptr_equal(loop_current(), job->loop);
    if (++done == expected)
        loop_stop(job->loop);
}

static struct test_job *make(unsigned n, struct loop *loop, enum job_lane lane, uint64_t source,
                             void (*run)(struct job *, void *))
{
    struct test_job *t = &jobs[n];
    *t = (struct test_job){
        .job = {.loop = loop, .run = run, .done = on_done, .lane = lane, .source = source},
        .number = n
    };
    return t;
}

static struct pool *new_pool(unsigned workers, unsigned queue_max, unsigned per_source)
{
    struct pool_conf conf = {.workers = workers,
                             .queue_max = queue_max,
                             .queue_max_per_source = per_source,
                             .queue_max_per_suspect = per_source,
                             .queue_max_suspect = queue_max};
    struct pool *pool;
    assert_ok(pool_new(&conf, &pool));
    return pool;
}

static void wait_until_running(unsigned n)
{
    while (atomic_load(&running) != n)
        usleep(500);
}

static int reset(void **state)
{
    (void)state;
    sem_init(&gate, 0, 0);
    running = most = ran = 0;
    for (unsigned i = 0; i < JOBS_MAX; i++)
        order[i] = JOBS_MAX; /* none yet */
    done = expected = 0;
    return 0;
}

static void done_runs_on_the_loop_of_the_job(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(2, JOBS_MAX, JOBS_MAX);
    expected = JOBS_MAX;
    for (unsigned i = 0; i < JOBS_MAX; i++)
        assert_ok(
            pool_submit(pool, &make(i, loop, i % 2 ? JOB_HASH : JOB_WORK, i % 7, run_plain)->job));
    loop_run(loop);
    assert_int_equal(done, JOBS_MAX);
    assert_int_equal(pool_depth(pool), 0);
    pool_free(pool);
    loop_free(loop);
}

static void hash_jobs_leave_one_worker_free(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(3, JOBS_MAX, JOBS_MAX);
    expected = 11;
    for (unsigned i = 0; i < 10; i++)
        assert_ok(pool_submit(pool, &make(i, loop, JOB_HASH, i, run_gated)->job));
    wait_until_running(2);
    assert_ok(pool_submit(pool, &make(10, loop, JOB_WORK, 0, run_plain)->job));
    while (atomic_load(&order[0]) == JOBS_MAX)
        usleep(500);
    assert_int_equal(order[0], 10);
    for (unsigned i = 0; i < 10; i++)
        sem_post(&gate);
    loop_run(loop);
    assert_int_equal(most, 2);
    pool_free(pool);
    loop_free(loop);
}

static void sources_take_turns(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(1, JOBS_MAX, JOBS_MAX);
    expected = 1 + 20 + 2;
    assert_ok(pool_submit(pool, &make(0, loop, JOB_HASH, 1, run_gated)->job));
    wait_until_running(1);
    for (unsigned i = 1; i <= 20; i++) /* the guesser, first */
        assert_ok(pool_submit(pool, &make(i, loop, JOB_HASH, 1, run_plain)->job));
    assert_ok(pool_submit(pool, &make(21, loop, JOB_HASH, 2, run_plain)->job));
    assert_ok(pool_submit(pool, &make(22, loop, JOB_HASH, 2, run_plain)->job));
    sem_post(&gate);
    loop_run(loop);
    const unsigned want[] = {0, 1, 21, 2, 22, 3};
    for (unsigned i = 0; i < sizeof want / sizeof *want; i++)
        assert_int_equal(order[i], want[i]);
    pool_free(pool);
    loop_free(loop);
}

static void suspects_wait_for_all_others_and_rest(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(2, JOBS_MAX, JOBS_MAX);
    expected = 1 + 5 + 5;
    assert_ok(pool_submit(pool, &make(0, loop, JOB_HASH, 0, run_gated)->job));
    wait_until_running(1);
    for (unsigned i = 1; i <= 10; i++) { /* the suspects first */
        struct test_job *t = make(i, loop, JOB_HASH, i <= 5 ? i % 3 : 10 + i, run_plain);
        t->job.suspect = i <= 5 && i != 2; /* its source becomes one while it waits */
        assert_ok(pool_submit(pool, &t->job));
    }
    sem_post(&gate);
    loop_run(loop);
    for (unsigned i = 1; i <= 5; i++)
        assert_int_equal(order[i], 5 + i);
    pool_free(pool);
    loop_free(loop);
    assert_ok(loop_new(0, &loop));

    /* one at a time, and not again before four times as long as the last one took */
    pool = new_pool(3, JOBS_MAX, JOBS_MAX);
    done = 0;
    most = ran = 0;
    expected = 3;
    for (unsigned i = 0; i < 2; i++) {
        make(i, loop, JOB_HASH, i, run_gated)->job.suspect = true;
        assert_ok(pool_submit(pool, &jobs[i].job));
    }
    wait_until_running(1);
    usleep(20000);
    assert_int_equal(running, 1);
    assert_ok(pool_submit(pool, &make(2, loop, JOB_HASH, 9, run_plain)->job));
    while (atomic_load(&ran) < 1) /* beside it */
        usleep(500);
    uint64_t start = clock_mono_ms();
    sem_post(&gate);
    wait_until_running(0);
    wait_until_running(1);
    assert_true(clock_mono_ms() - start >= 75);
    sem_post(&gate);
    while (atomic_load(&ran) < 3)
        usleep(500);
    pool_free(pool);
    loop_free(loop);
}

static void newcomers_go_before_those_who_come_again(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(1, JOBS_MAX, JOBS_MAX);
    expected = 1 + 6 + 1;
    assert_ok(pool_submit(pool, &make(0, loop, JOB_HASH, 0, run_plain)->job));
    for (unsigned i = 1; i <= 6; i++) /* three sources, two jobs each; the first is held */
        assert_ok(pool_submit(
            pool, &make(i, loop, JOB_HASH, 1 + i % 3, i == 3 ? run_gated : run_plain)->job));
    wait_until_running(1);
    assert_ok(pool_submit(pool, &make(7, loop, JOB_HASH, 9, run_plain)->job));
    sem_post(&gate);
    loop_run(loop);
    unsigned at = 0;
    while (order[at] != 3)
        at++;
    assert_int_equal(order[at + 1], 7);
    pool_free(pool);
    loop_free(loop);
}

static void lanes_take_turns_on_a_single_worker(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(1, JOBS_MAX, JOBS_MAX);
    expected = 7;
    assert_ok(pool_submit(pool, &make(0, loop, JOB_WORK, 0, run_gated)->job));
    wait_until_running(1);
    for (unsigned i = 1; i <= 3; i++)
        assert_ok(pool_submit(pool, &make(i, loop, JOB_WORK, 0, run_plain)->job));
    for (unsigned i = 4; i <= 6; i++)
        assert_ok(pool_submit(pool, &make(i, loop, JOB_HASH, i, run_plain)->job));
    sem_post(&gate);
    loop_run(loop);
    const unsigned want[] = {0, 4, 1, 5, 2, 6, 3};
    for (unsigned i = 0; i < 7; i++)
        assert_int_equal(order[i], want[i]);
    pool_free(pool);
    loop_free(loop);
}

static void a_full_queue_takes_nothing(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(1, 4, 2);
    assert_ok(pool_submit(pool, &make(0, loop, JOB_WORK, 0, run_gated)->job));
    wait_until_running(1);
    for (unsigned i = 1; i <= 4; i++)
        assert_ok(pool_submit(pool, &make(i, loop, JOB_WORK, 0, run_plain)->job));
    assert_err(pool_submit(pool, &make(5, loop, JOB_WORK, 0, run_plain)->job), ERR_AGAIN);
    assert_ok(pool_submit(pool, &make(6, loop, JOB_HASH, 9, run_plain)->job));
    assert_ok(pool_submit(pool, &make(7, loop, JOB_HASH, 9, run_plain)->job));
    assert_err(pool_submit(pool, &make(8, loop, JOB_HASH, 9, run_plain)->job), ERR_AGAIN);
    assert_ok(pool_submit(pool, &make(9, loop, JOB_HASH, 8, run_plain)->job));
    assert_ok(pool_submit(pool, &make(10, loop, JOB_HASH, 7, run_plain)->job));
    assert_err(pool_submit(pool, &make(11, loop, JOB_HASH, 6, run_plain)->job), ERR_AGAIN);
    assert_int_equal(pool_depth(pool), 8);
    expected = 9;
    sem_post(&gate);
    loop_run(loop);
    assert_int_equal(done, 9);
    pool_free(pool);
    loop_free(loop);
}

/* Its only worker is at work; six of a source may wait, two of a suspect. */
static struct pool *new_busy_pool(struct loop **ret_loop)
{
    const struct pool_conf conf = {.workers = 1,
                                   .queue_max = JOBS_MAX,
                                   .queue_max_per_source = 6,
                                   .queue_max_per_suspect = 2,
                                   .queue_max_suspect = JOBS_MAX};
    struct pool *pool;
    assert_ok(loop_new(0, ret_loop));
    assert_ok(pool_new(&conf, &pool));
    assert_ok(pool_submit(pool, &make(0, *ret_loop, JOB_HASH, 1, run_gated)->job));
    wait_until_running(1);
    return pool;
}

/* Many who come back at once from one address all get their turn; one who guesses does not get
 * many. */
static void a_suspect_waits_with_fewer(void **state)
{
    (void)state;
    struct loop *loop;
    struct pool *pool = new_busy_pool(&loop);
    for (unsigned i = 1; i <= 6; i++)
        assert_ok(pool_submit(pool, &make(i, loop, JOB_HASH, 9, run_plain)->job));
    assert_err(pool_submit(pool, &make(7, loop, JOB_HASH, 9, run_plain)->job), ERR_AGAIN);
    for (unsigned i = 7; i <= 9; i++) {
        struct test_job *t = make(i, loop, JOB_HASH, 8, run_plain);
        t->job.suspect = true;
        assert_int_equal(pool_submit(pool, &t->job), i < 9 ? ERR_OK : ERR_AGAIN);
    }
    expected = 9;
    sem_post(&gate);
    loop_run(loop);
    assert_int_equal(done, 9);
    pool_free(pool);
    loop_free(loop);
}

/* Also when it already has so many waiting that its next one is refused. */
static void a_suspect_that_is_refused_waits_for_all_others(void **state)
{
    (void)state;
    struct loop *loop;
    struct pool *pool = new_busy_pool(&loop);
    for (unsigned i = 1; i <= 3; i++)
        assert_ok(pool_submit(pool, &make(i, loop, JOB_HASH, 9, run_plain)->job));
    struct test_job *t = make(4, loop, JOB_HASH, 9, run_plain);
    t->job.suspect = true;
    assert_err(pool_submit(pool, &t->job), ERR_AGAIN);
    assert_ok(pool_submit(pool, &make(4, loop, JOB_HASH, 8, run_plain)->job));
    expected = 5;
    sem_post(&gate);
    loop_run(loop);
    assert_int_equal(order[1], 4);
    pool_free(pool);
    loop_free(loop);
}

static void run_until_cancelled(struct job *job, void *ctx)
{
    atomic_fetch_add(&running, 1);
    while (!atomic_load(&job->cancelled))
        usleep(500);
    run_plain(job, ctx);
}

static void free_cancels_runs_out_and_joins(void **state)
{
    (void)state;
    struct loop *loop;
    assert_ok(loop_new(0, &loop));
    struct pool *pool = new_pool(2, JOBS_MAX, JOBS_MAX);
    expected = 40;
    assert_ok(pool_submit(pool, &make(0, loop, JOB_WORK, 0, run_until_cancelled)->job));
    assert_ok(pool_submit(pool, &make(1, loop, JOB_HASH, 0, run_until_cancelled)->job));
    wait_until_running(2);
    for (unsigned i = 2; i < 40; i++)
        assert_ok(
            pool_submit(pool, &make(i, loop, i % 2 ? JOB_HASH : JOB_WORK, i % 3, run_plain)->job));
    pool_free(pool);
    assert_int_equal(ran, 40);
    for (unsigned i = 0; i < 40; i++)
        assert_true(jobs[i].saw_cancel);
    loop_run(loop); /* every job has come back */
    assert_int_equal(done, 40);
    loop_free(loop);
}

static void run_and_free(struct job *job, void *ctx)
{
    run_plain(job, ctx);
    memset(job, 0xaa, sizeof *job); /* the pool must not look again */
}

static void a_job_without_a_loop_owns_itself(void **state)
{
    (void)state;
    struct pool *pool = new_pool(2, JOBS_MAX, JOBS_MAX);
    for (unsigned i = 0; i < 50; i++)
        assert_ok(pool_submit(
            pool, &make(i, NULL, i % 2 ? JOB_HASH : JOB_WORK, i % 3, run_and_free)->job));
    pool_free(pool);
    assert_int_equal(ran, 50);
}

static atomic_uint started, stopped;

static void *thread_start(void *arg)
{
    atomic_fetch_add(&started, 1);
    return arg;
}

static void thread_stop(void *ctx)
{
    assert_non_null(ctx);
    atomic_fetch_add(&stopped, 1);
}

static void each_thread_has_a_context(void **state)
{
    (void)state;
    int thing;
    struct pool_conf conf = {.workers = 3,
                             .queue_max = 10,
                             .queue_max_per_source = 10,
                             .thread_start = thread_start,
                             .thread_stop = thread_stop,
                             .arg = &thing};
    struct pool *pool;
    assert_ok(pool_new(&conf, &pool));
    assert_ok(pool_submit(pool, &make(0, NULL, JOB_WORK, 0, run_plain)->job));
    pool_free(pool);
    assert_int_equal(started, 3);
    assert_int_equal(stopped, 3);
    assert_ptr_equal(jobs[0].ctx, &thing);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(done_runs_on_the_loop_of_the_job, reset),
        cmocka_unit_test_setup(hash_jobs_leave_one_worker_free, reset),
        cmocka_unit_test_setup(sources_take_turns, reset),
        cmocka_unit_test_setup(newcomers_go_before_those_who_come_again, reset),
        cmocka_unit_test_setup(suspects_wait_for_all_others_and_rest, reset),
        cmocka_unit_test_setup(lanes_take_turns_on_a_single_worker, reset),
        cmocka_unit_test_setup(a_full_queue_takes_nothing, reset),
        cmocka_unit_test_setup(a_suspect_waits_with_fewer, reset),
        cmocka_unit_test_setup(a_suspect_that_is_refused_waits_for_all_others, reset),
        cmocka_unit_test_setup(free_cancels_runs_out_and_joins, reset),
        cmocka_unit_test_setup(a_job_without_a_loop_owns_itself, reset),
        cmocka_unit_test_setup(each_thread_has_a_context, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
