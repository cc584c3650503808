/* Clearing away deleted mailboxes (state 2) and accounts (states 2 and 6) row by row. The rows that
 * are left are its own progress mark: it keeps nothing on disk, and a start looks for unfinished
 * ones beside normal service. The committer's thread, but for sweep_register and sweep_free. */
#ifndef TANDEM_STORE_SWEEP_H
#define TANDEM_STORE_SWEEP_H

#include "store/commit.h"

/* Before committer_start: makes env->sweep and registers its upkeep. */
void sweep_register(struct env *env);
void sweep_free(struct sweep *sweep); /* after committer_free; NULL shrugs */

/* There is one to clear. Nothing happens unless its row says so once the turn has been committed.
 */
void sweep_mailbox(struct env *env, uint32_t a, uint32_t m);
void sweep_account(struct env *env, uint32_t a);
/* Is this account to be cleared away: deleted, or a scratch account past its time? */
bool sweep_wants(const struct env *env, const struct acct *acct);

#endif
