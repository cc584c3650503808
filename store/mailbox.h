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
/* The mailbox with the use \Trash, or the one of the name Trash; made when there is neither. */
MUST_CHECK enum err mailbox_trash(struct turn *turn, struct acct *acct, struct box *ret);

/* Undelete a mailbox of state 1, whose `gone` row has been taken: its name again, or that name with
 * a suffix if it is taken, parents, state 0. Clients that were told of its end see all of it anew.
 * `acct` is changed and saved by the caller. ERR_LIMIT. */
MUST_CHECK enum err mailbox_restore(struct turn *turn, struct acct *acct,
                                    const struct store_limits *limits, struct box *box);

#endif
