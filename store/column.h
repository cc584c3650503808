/* What one field says in the messages of a mailbox, folded and kept in memory from one search to
 * the next. The rows of 10,000 messages lie in as many places, and waiting for their memory is
 * nearly all that a search over them costs; a column is one text for each 128 messages. A message
 * never changes and its UID is never given again, so a column is never wrong, only incomplete: what
 * it does not hold is read from the rows, and added.
 *
 * A search has its columns to itself: it takes them out of the store's table and gives them back.
 * Another one over the same mailbox at that time begins with an empty one. The table keeps those
 * used last; under a tight budget, none. */
#ifndef TANDEM_STORE_COLUMN_H
#define TANDEM_STORE_COLUMN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/slice.h"

enum {
    COLUMNS_OCTETS = 32 << 20,
    COLUMNS_MAX = 256,
    COLUMN_FIELD_MAX = 31, /* octets of a name */
    COLUMN_TEXT_MAX = 512  /* of one message; longer texts are left to the rows */
};

struct column;
struct columns;

struct columns *columns_new(void);
void columns_free(struct columns *columns); /* NULL shrugs */

/* Any thread. NULL: the name is too long. */
struct column *column_take(struct columns *columns, uint32_t a, uint32_t m, struct slice field);
void column_give(struct columns *columns, struct column *column); /* NULL shrugs */

/* `text`: the values of all fields of that name in a message, folded, each with '\n' behind it;
 * empty when there is none. Not added: a message that it has, a text too long, more than a quarter
 * of what the table may hold, anything under a tight budget. */
void column_add(struct column *column, uint32_t uid, struct slice text);

/* Where a needle was found in the part of a column that was asked for last; zeroed at first. It
 * belongs to one needle and one column. */
struct column_look {
    uint32_t bucket;
    unsigned n;       /* texts of it that have been looked at */
    uint64_t hits[2]; /* bit UID & 127 */
};

/* Does the column have this message? *ret_found: its text holds `needle`, which has no '\n'; an
 * empty needle is in every field that is there. Looks through the 128 messages around it once. */
bool column_find(struct column *column, struct column_look *look, uint32_t uid, struct slice needle,
                 bool *ret_found);

#endif
