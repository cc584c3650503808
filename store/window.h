/* The undelete window: how long what was expunged can be brought back. A timer passes over all
 * accounts, never a command: rows older than [store] undelete go, the oldest go while an account
 * holds more than undelete_cap, and the oldest of all accounts go while the disk is below its
 * reserve. Deleted mailboxes leave by the same door, and accounts that are to be cleared away are
 * found (store/sweep.h).
 *
 * The committer's thread, but for window_register and window_free. */
#ifndef TANDEM_STORE_WINDOW_H
#define TANDEM_STORE_WINDOW_H

#include "core/base/config.h"
#include "store/gone.h"

/* Before committer_start, after gone_register and when the catalog is open: makes env->window and
 * registers its upkeep. */
void window_register(struct env *env);
void window_free(struct window *window); /* after committer_free; NULL shrugs */

/* A slice of a pass over one account, as its settings say, by a clock that is trusted. `acct` is
 * changed and saved. ERR_AGAIN: there may be more. */
MUST_CHECK enum err window_account(struct turn *turn, struct acct *acct,
                                   const struct settings *settings, unsigned pages,
                                   struct spent *spent);

#endif
