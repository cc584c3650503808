/* Taking messages out of a mailbox, whoever asks: IMAP, POP3, expiry, MOVE. */
#ifndef TANDEM_STORE_EXPUNGE_H
#define TANDEM_STORE_EXPUNGE_H

#include "store/hot.h"

struct expunge {
    struct turn *turn;
    struct acct *acct;
    struct box *box;
    const struct actor *actor;
    enum gone_why why;
    uint32_t undelete_s; /* 0: the window is off, rows are transient */
    uint32_t to_m, to_u; /* GONE_MOVED: mailbox and first UID of where they went, in step */
};

/* Expunge the members of `uids` (all of them must be there) at box->row.highestmodseq, which the
 * caller has raised for this batch: `hot`, `gone`, `tomb`, counters of box and acct (saved by the
 * caller). `event`: made with the box's final values; may be NULL. Journal lines are the caller's.
 * Counts in acct.gone_*: rows that own a reference. */
MUST_CHECK enum err expunge_set(const struct expunge *ex, const struct uidset *uids,
                                struct event *event);
/* Pages that this dirties, for op->pages. */
uint32_t expunge_pages(uint64_t messages);

#endif
