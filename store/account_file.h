/* One account as a stream (store/archive.h, kind "account"): written by account_out.c, read by
 * account_in.c. A block is a list of fields, each `u32 length, octets`; rows are as on disk, keys
 * without the account's number.
 *
 *      U   login, `user` row, then name and value of each option
 *      A   `acct` row
 *      R   a letter for the table, then key and value of each row
 *      M   a message: see enum message_field
 *      D   octets of the body of the message before
 *      Z   all is said
 *
 * Mailboxes come before messages, and what needs those (the deleted mailboxes of the undelete
 * window) behind them. A body goes with the first message that names it. */
#ifndef TANDEM_STORE_ACCOUNT_FILE_H
#define TANDEM_STORE_ACCOUNT_FILE_H

#include "core/base/buf.h"
#include "store/keys.h"

enum account_block {
    ACCOUNT_USER = 'U',
    ACCOUNT_ROW = 'A',
    ACCOUNT_ROWS = 'R',
    ACCOUNT_MESSAGE = 'M',
    ACCOUNT_BODY = 'D',
    ACCOUNT_END = 'Z'
};

enum message_field {
    MESSAGE_KEY,  /* M, U */
    MESSAGE_ROW,  /* `msg`, whose B is of no meaning elsewhere */
    MESSAGE_HOT,  /* a `hot` row of this one slot; empty: it is gone */
    MESSAGE_GONE, /* key (time, M, U) of its `gone` row */
    MESSAGE_WHY,  /* that row */
    MESSAGE_POP,  /* `pop`, `uidl`; may be empty */
    MESSAGE_UIDL,
    MESSAGE_SHARED, /* empty: the body is its own. A number: the body of all that say it, in the
                       order of their first messages, from 1 on */
    MESSAGE_FIELDS
};

/* The tables whose rows come as they are, but for `mbox`, which is counted anew, and lifted. */
struct account_table {
    char letter;
    unsigned dbi;
    bool before; /* the messages */
};
extern const struct account_table account_tables[]; /* ends with letter 0 */

MUST_CHECK enum err field_put(struct buf *block, struct slice field);
/* Takes the first field off. False: there is none, or not a whole one. */
bool field_take(struct slice *block, struct slice *ret);

#endif
