/* Accounts as rows: what the ops of several files need of them. */
#ifndef TANDEM_STORE_ACCOUNT_H
#define TANDEM_STORE_ACCOUNT_H

#include "store/commit.h"

/* After a crash: accounts that were being made become live if the catalog names them, else they are
 * swept. Before the committers start. */
MUST_CHECK enum err account_recover(struct store *store, struct fault *why);
/* The account's row in a turn, if it may be changed. ERR_NOTFOUND, ERR_FROZEN. */
MUST_CHECK enum err account_for_change(struct turn *turn, uint32_t a, struct acct *ret);
/* Room for `octets` in `messages` more? ERR_QUOTA. */
MUST_CHECK enum err account_fits(const struct acct *acct, const struct store_limits *limits,
                                 uint64_t octets, uint64_t messages);
/* A UIDVALIDITY never used in this account before. */
uint32_t account_uidvalidity(struct acct *acct, uint32_t now);

#endif
