/* Reading on the pool, so that a loop need not wait for a disk or hold the others up: the job reads
 * the rows that the loop is about to read, and the loop asks again; or it brings what it has made
 * of them. */
#ifndef TANDEM_STORE_WARM_H
#define TANDEM_STORE_WARM_H

#include "core/net/worker.h"
#include "store/env.h"

struct warm;

struct warm_kind {
    /* On a worker, with a reader of its own: what it returns is result.err. */
    enum err (*run)(struct warm *warm, struct store_reader *reader);
    void (*tell)(struct warm *warm,
                 struct store_result *ret); /* on the loop, if it is waited for */
    void (*free)(
        struct warm *warm); /* on the loop, in any case: the job and what is still its own */
};

/* The first member of every such job, zeroed. */
struct warm {
    struct job job;
    const struct warm_kind *kind;
    struct store_to to;
    struct store *store;
    struct env *env;
    uint32_t a;
    enum err err;
};

/* The account is only looked at now: its session may end before the job does. ERR_AGAIN: the pool
 * is full. */
void warm_submit(struct warm *warm, const struct warm_kind *kind, struct store_account *account,
                 struct store_to to);

#endif
