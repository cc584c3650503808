/* A message goes through every loop and through a worker, back to loops[0]; only when it has
 * arrived is the service manager told, and the next one sent half a watchdog's time later. A loop
 * that hangs, or a pool whose workers all do, ends the round and so the daemon. */
#include "cmd/watchdog.h"

#include "cmd/notify.h"
#include "core/net/loop.h"
#include "core/net/worker.h"

static struct {
    struct post post;
    struct job job;
    struct timer timer;
    struct loop *const *loops;
    unsigned n, at; /* the loop whose turn it is */
    struct pool *pool;
    uint64_t every_ms;
} round_trip;

static void on_loop(struct loop *loop, struct post *post)
{
    (void)loop;
    if (round_trip.at < round_trip.n) {
        loop_post(round_trip.loops[round_trip.at++], post);
        return;
    }
    /* A full queue moves too; one that is stopping is nobody's fault. */
    if (pool_submit(round_trip.pool, &round_trip.job))
        loop_post(round_trip.loops[0], &round_trip.job.post);
}

static void on_worker(struct job *job, void *thread_ctx)
{
    (void)job;
    (void)thread_ctx;
}

static void arrived(void)
{
    notify("WATCHDOG=1");
    timer_arm(round_trip.loops[0], &round_trip.timer, round_trip.every_ms);
}

static void on_worked(struct job *job)
{
    (void)job;
    arrived();
}

static void on_refused(struct loop *loop, struct post *post)
{
    (void)loop;
    (void)post;
    arrived();
}

static void on_timer(struct loop *loop, struct timer *timer)
{
    (void)timer;
    round_trip.at = 1;
    round_trip.job = (struct job){
        .loop = loop, .run = on_worker, .done = on_worked, .post = {.run = on_refused}};
    on_loop(loop, &round_trip.post);
}

void watchdog_start(struct loop *const *loops, unsigned n, struct pool *pool)
{
    uint64_t interval_us = notify_watchdog_us();
    if (interval_us == 0)
        return;
    round_trip.loops = loops;
    round_trip.n = n;
    round_trip.pool = pool;
    round_trip.every_ms = interval_us / 2000;
    round_trip.post.run = on_loop;
    round_trip.timer.run = on_timer;
    timer_arm(loops[0], &round_trip.timer, 1);
}
