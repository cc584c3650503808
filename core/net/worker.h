/* The CPU pool: what would hold a loop longer than 10 ms (password hashes, scans, page-in, verify)
 * runs here and comes back through the loop's inbox. */
#ifndef TANDEM_NET_WORKER_H
#define TANDEM_NET_WORKER_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/net/loop.h"

struct pool;

/* HASH jobs: at most max(1, workers - 1) at once, so that guesses never starve the rest, and taken
 * round robin over `source`, newcomers first, so that no guesser can fill the queue. Those of a
 * suspect source wait for all others, and while there are such they get a fifth of the time of one
 * worker: who comes in meanwhile seldom finds one running. */
enum job_lane { JOB_WORK, JOB_HASH };

/* Embed it. The submitter owns it again inside `done`, which runs on `loop` after `run`; a job
 * without a loop owns itself (run may free it). `run` of a long job looks at `cancelled` between
 * slices. What the job is for is carried as a loop id, never as a pointer to a session. */
struct job {
    struct job *next;
    struct post post;
    struct loop *loop;
    void (*run)(struct job *job, void *thread_ctx);
    void (*done)(struct job *job);
    atomic_bool cancelled;
    enum job_lane lane;
    uint64_t source; /* HASH: what fairness counts by, for example a hash of the address */
    bool suspect;    /* HASH: the source has guessed wrong lately */
};

struct pool_conf {
    unsigned workers;                 /* 1..256 */
    unsigned queue_max;               /* jobs waiting, per lane */
    unsigned queue_max_per_source;    /* HASH jobs waiting, per source */
    unsigned queue_max_per_suspect;   /* the same, of a source that has guessed wrong lately */
    unsigned queue_max_suspect;       /* HASH jobs of suspects waiting, all together */
    void *(*thread_start)(void *arg); /* makes what `run` gets as thread_ctx; may be NULL */
    void (*thread_stop)(void *thread_ctx);
    void *arg;
};

MUST_CHECK enum err pool_new(const struct pool_conf *conf, struct pool **ret);
/* Any thread. ERR_AGAIN: the queue is full; nothing was taken. */
MUST_CHECK enum err pool_submit(struct pool *pool, struct job *job);
/* Marks all waiting jobs cancelled, runs them out, joins; later ones get ERR_AGAIN. While the loops
 * still run, so that every `done` does. Not on a thread of the pool. */
void pool_stop(struct pool *pool);
void pool_free(struct pool *pool);            /* pool_stop, if that was not done; NULL shrugs */
unsigned pool_depth(const struct pool *pool); /* jobs waiting, for metrics */

#endif
