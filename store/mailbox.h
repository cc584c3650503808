/* Mailboxes as rows: what the ops of several files need of them. */
#ifndef TANDEM_STORE_MAILBOX_H
#define TANDEM_STORE_MAILBOX_H

#include "store/account.h"

/* Make a mailbox of this path in a turn: `name`, `mbox`, its UIDVALIDITY; `acct` is changed and
 * saved by the caller. ERR_EXISTS. */
MUST_CHECK enum err mailbox_make(struct turn *turn, struct acct *acct, struct slice path,
                                 enum special_use use, struct box *ret);
/* The same; missing parents become real mailboxes too (CONTRACTS section 4). ERR_LIMIT: the account
 * has more than `most` now (0: no limit). */
MUST_CHECK enum err mailbox_make_path(struct turn *turn, struct acct *acct, struct slice path,
                                      enum special_use use, uint32_t most, struct box *ret);
/* INBOX and the five that every account has, subscribed. */
MUST_CHECK enum err mailbox_make_defaults(struct turn *turn, struct acct *acct);

#endif
