/* How many rows a table has, for tests: they are counted one by one. */
#ifndef TANDEM_TESTS_ROWS_H
#define TANDEM_TESTS_ROWS_H

#include <stdlib.h>

#include "store/engine.h"

static inline uint64_t rows_count(struct engine_txn *txn, unsigned dbi)
{
    struct engine_cursor cursor;
    uint64_t n = 0;
    enum err e = engine_cursor_open(txn, dbi, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, SLICE("\0"));
    for (; !e; e = engine_next(&cursor))
        n++;
    engine_cursor_close(&cursor);
    if (e != ERR_NOTFOUND)
        abort();
    return n;
}

#endif
