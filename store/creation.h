/* The steps in which an account comes into being, and goes: catalog_write.c runs them in a chain of
 * completions, account_in.c one after the other, with an account's mail in between. */
#ifndef TANDEM_STORE_CREATION_H
#define TANDEM_STORE_CREATION_H

#include "store/commit.h"

struct creation {
    struct store *store;
    struct op *last; /* catalog_write.c: carries the caller's completion */
    struct slice login, verifier, uidl_format; /* owned */
    const struct store_user *user; /* credentials, flags and options instead of `verifier` */
    uint32_t a;
    uint16_t shard;
    uint64_t nonce;
    unsigned tries;
};

/* Catalog: takes a number A; ERR_EXISTS: the login or an alias of that name is there, ERR_NOTFOUND:
 * its domain is not. */
extern const struct op_kind creation_number;
extern const struct op_kind creation_name; /* catalog: the login leads to A from here on */
extern const struct op_kind creation_live; /* shard */
extern const struct op_kind creation_dead; /* shard: whatever is there is swept */
/* Shard: the rows of an empty account, with its default mailboxes. ERR_EXISTS: it has that number
 * already. */
MUST_CHECK enum err creation_rows(struct turn *turn, const struct creation *c, uint8_t state,
                                  struct acct *ret);
void creation_step(struct creation *c, struct env *env, const struct op_kind *kind,
                   struct store_to to);

#endif
