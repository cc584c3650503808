/* The check: every rule between rows (store/README.md, "invariants"), looked at over one snapshot
 * of each env, so that it may run beside sessions. It reports and never repairs. */
#ifndef TANDEM_STORE_VERIFY_H
#define TANDEM_STORE_VERIFY_H

#include "store/admin.h"
#include "store/blob_map.h"
#include "store/env.h"

struct verify {
    struct store_verify *out;
    struct env *env;
    struct engine_txn *txn;
    struct blob_map refs; /* to bodies, as the `msg` rows have them, to be held against `blob` */
    uint32_t a;           /* the account being looked at */
};

/* One broken rule, one line, said with the account and what it is about. */
void verify_finding(struct verify *v, const char *format, ...) PRINTF_LIKE(2, 3);
/* Every row of `dbi` whose key starts with `prefix`; `row` returns an error to stop. */
typedef enum err verify_row(struct verify *v, void *arg, struct slice key, struct slice value);
MUST_CHECK enum err verify_rows(struct verify *v, unsigned dbi, struct slice prefix,
                                verify_row *row, void *arg);

/* Everything between the rows of one account; not its bodies. */
MUST_CHECK enum err verify_account(struct verify *v, uint32_t a);

/* What the mailboxes of an account add up to. */
struct verify_sums {
    uint64_t bytes, messages, gone_bytes, gone_messages;
    uint32_t mailboxes;
    struct uidset uidvalidities;
};
/* verify_mailbox.c: one mailbox with its messages. */
MUST_CHECK enum err verify_mailbox(struct verify *v, const struct box *box,
                                   struct verify_sums *sums);
/* verify_blob.c: `blob`, `bown`, `stage`, `reap`, `cache`, and with out->bodies every chunk. */
MUST_CHECK enum err verify_blobs(struct verify *v);

#endif
