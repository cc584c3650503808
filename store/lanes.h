/* What waits for a committer: the ops of each account in a lane of their own, and the lanes in a
 * ring that turns account by account, so that nobody waits for all of another's. The committer's,
 * under its lock; zeroed is empty. */
#ifndef TANDEM_STORE_LANES_H
#define TANDEM_STORE_LANES_H

#include <stdbool.h>
#include <stdint.h>

#include "store/commit.h"

enum { LANES = 1024 };

struct lane;

struct lanes {
    struct lane *hash[LANES];
    struct lane *ring; /* whose turn it is; NULL: nothing waits */
    unsigned queued;
    uint64_t octets, arrivals;
    bool last_was_large;
};

static inline bool lanes_empty(const struct lanes *lanes)
{
    return !lanes->ring;
}

/* More than a turn of many is meant to have. */
bool op_is_large(const struct op *op);
void lanes_push(struct lanes *lanes, struct op *op);
/* One that was taken and is to be done again: before what its account has waiting. */
void lanes_push_front(struct lanes *lanes, struct op *op);
/* What the next turn does, at most TURN_OPS; 0: nothing waits. A large op goes alone, waits for the
 * small ones that were there before it, and never follows another large one while small ones wait.
 */
unsigned lanes_take(struct lanes *lanes, struct op **batch);

#endif
