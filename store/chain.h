/* Changes that take several batches, over the catalog and a shard: making and removing an account.
 * Who needs the environments to agree with each other, a backup, holds them back for a moment. */
#ifndef TANDEM_STORE_CHAIN_H
#define TANDEM_STORE_CHAIN_H

#include <pthread.h>
#include <stdbool.h>

struct chains {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned under_way;
    bool held;
};

void chains_init(struct chains *chains);
void chains_finish(struct chains *chains);
/* Waits while they are held. Any thread but a loop's or a committer's. */
void chain_begin(struct chains *chains);
void chain_end(struct chains *chains); /* any thread */
/* Waits until none is under way; none begins until the release. */
void chains_hold(struct chains *chains);
void chains_release(struct chains *chains);

#endif
