/* Who is in: the sessions of each account, counted against its limits, the maildrop lock, and the
 * way to end them. An entry lives as long as the account has a session.
 *
 * Any thread. 64 locks, leaves: nothing is called under them but loop_post, which takes none; a
 * session that is in the table keeps its loop alive. */
#ifndef TANDEM_STORE_LIVE_H
#define TANDEM_STORE_LIVE_H

#include "store/env.h"

struct live_table;

struct live_table *live_new(struct store *store);
void live_free(struct live_table *table); /* NULL shrugs; every session has left */

/* The maildrop lock of the account that `live` is a session of (RFC 1939 section 4: exclusive).
 *
 * ERR_BUSY   another session has it ([IN-USE], RFC 2449 section 8.1.2)
 * ERR_AGAIN  its holder looks dead (its output unacknowledged for 60 s) and has the same address:
 *            it has been told to go; ask again in a moment. Granted when the holder has left, or
 *            2 s after it was told: then the lock is taken from it, and what it still does, it does
 *            without the lock.
 *
 * The lock goes with live_maildrop_release or store_live_leave. */
MUST_CHECK enum err live_maildrop_take(struct store_live *live);
void live_maildrop_release(struct store_live *live); /* shrugs when it is somebody else's */

#endif
