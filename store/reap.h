/* The reaper: deletes bodies that nothing names and nobody reads any more.
 *
 *      refs reach 0: `reap` row, orphan of turn T  --gate passed T, not pinned-->  body, bown,
 * blob, cache, reap row
 *
 * It works in slices of at most 4 MB, and a big body takes several: the `reap` row goes last, so a
 * crash leaves work that the next start resumes. At a start there are no readers: whatever is in
 * `reap` may go, and so may each body under a `stage` row from before it.
 *
 * The committer's thread, but for reap_register and reap_free. */
#ifndef TANDEM_STORE_REAP_H
#define TANDEM_STORE_REAP_H

#include "store/commit.h"

/* Before committer_start, when the env's state has been read: makes env->reaper and registers its
 * upkeep. */
void reap_register(struct env *env);
void reap_free(struct reaper *reaper); /* after committer_free; NULL shrugs */
/* This upload was given up, and its `stage` row could not be deleted: there was no room. */
void reap_unstage(struct env *env, uint64_t blob);

#endif
