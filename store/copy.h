/* Messages from one mailbox of an account into another (COPY, MOVE, RENAME INBOX). */
#ifndef TANDEM_STORE_COPY_H
#define TANDEM_STORE_COPY_H

#include "store/commit.h"

/* MOVE of every message of `source` into `target`, both loaded in this turn; both are saved here,
 * `acct` by the caller. At most OP_MESSAGES_MAX. */
MUST_CHECK enum err copy_all(struct turn *turn, struct acct *acct, struct box *source,
                             struct box *target, const struct actor *actor);

#endif
