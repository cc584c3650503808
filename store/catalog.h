/* Options of one scope, a domain or an account (keys.h, key_catalog_opt without a name): what the
 * catalog's files share. */
#ifndef TANDEM_STORE_CATALOG_H
#define TANDEM_STORE_CATALOG_H

#include "store/env.h"

struct turn;

/* Behind those that are in the list. ERR_LIMIT: the arena is full. */
struct opt_list {
    struct store_opt *opts;
    size_t n, cap;
};
MUST_CHECK enum err catalog_opts_read(struct engine_txn *snap, struct slice scope, bool of_domain,
                                      struct arena *arena, struct opt_list *list);
/* In place of those that there are: of `opts` the domain's or the account's. */
MUST_CHECK enum err catalog_opts_write(struct turn *turn, struct slice scope, bool of_domain,
                                       const struct store_opt *opts, size_t n);
/* Copies, in the arena. */
struct store_opt *catalog_opts_copy(struct arena *arena, const struct store_opt *opts, size_t n);

#endif
