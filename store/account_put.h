/* Batches of an account that comes from a stream: rows, and messages with their bodies. What they
 * are made of is not trusted. Each leaves an account that can be swept. */
#ifndef TANDEM_STORE_ACCOUNT_PUT_H
#define TANDEM_STORE_ACCOUNT_PUT_H

#include "store/account_file.h"
#include "store/commit.h"
#include "store/incoming.h"

/* The account's row, in state IMPORTING. ERR_EXISTS: a shard from another time has one. */
struct acct_op {
    struct op op;
    struct row_acct row; /* `login` lent until it is done */
};
extern const struct op_kind account_put_acct;

struct rows_op {
    struct op op;
    const struct account_table *table;
    struct slice rows; /* lent until it is done */
};
extern const struct op_kind account_put_rows;

enum { BATCH_MESSAGES = 200 };

struct coming {
    char *memory; /* of the fields */
    struct slice field[MESSAGE_FIELDS];
    struct store_incoming *in; /* NULL: the body is one that is there */
    uint32_t shared;           /* its number; 0: it is the message's own */
    uint64_t blob;             /* after the commit */
};

struct batch {
    const uint64_t *shared; /* bodies of earlier batches, by number - 1 */
    size_t n;
    struct coming messages[BATCH_MESSAGES];
};

struct batch_op {
    struct op op;
    struct batch *batch; /* lent until it is done */
};
extern const struct op_kind account_put_messages;

#endif
