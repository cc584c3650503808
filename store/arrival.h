/* The rows of an arriving message, and what its header gives to them. */
#ifndef TANDEM_STORE_ARRIVAL_H
#define TANDEM_STORE_ARRIVAL_H

#include "store/hot.h"
#include "store/incoming.h"

/* One message on its way into one mailbox. */
struct arriving {
    const struct store_incoming *in; /* its body is in the store */
    uint32_t a, uid;
    uint64_t keywords, conn;
    struct slice rcpt; /* empty: not kept */
    bool has_uidl;     /* the caller writes its `uidl` row */
};
/* Its `msg`, `mid` and `hot`, at the mailbox's newest modseq. The caller counts it in the account.
 */
MUST_CHECK enum err arrival_rows(struct turn *turn, const struct arriving *arriving,
                                 const struct box *box, struct hot_edit *edit);

/* The thread of a message arriving in account `a`: of the first of its references that the account
 * knows, else new; and its own `mid` row. It never changes later. */
MUST_CHECK enum err arrival_thread(struct turn *turn, uint32_t a, const struct facts *facts,
                                   uint64_t blob, uint64_t *ret_thread);

#endif
