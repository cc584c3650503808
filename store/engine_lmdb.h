/* Between the files of the engine: what LMDB's handles are for. engine_lmdb.c opens and commits,
 * engine_rows.c reads and writes rows. */
#ifndef TANDEM_STORE_ENGINE_LMDB_H
#define TANDEM_STORE_ENGINE_LMDB_H

#include <lmdb.h>
#include <pthread.h>

#include "core/base/arena.h"
#include "store/engine.h"

enum { TABLES_MAX = 32, LEAD_MAX = 8 };

struct table {
    MDB_dbi dbi; /* of its tree */
    uint8_t lead, mark;
};

struct engine {
    MDB_env *env;
    struct table table[TABLES_MAX];
    unsigned ntables;
    pthread_mutex_t
        turn_lock; /* LMDB's own lock is per process; this one states whose turn it is */
};

struct engine_txn {
    struct engine *engine;
    MDB_txn *txn;
    struct arena lent; /* what it has lent that does not lie in the map */
    unsigned cursors;  /* open ones */
    bool live;
    bool snap; /* of a reader, with a cursor for each table that it has read: engine_get */
    MDB_cursor *at[TABLES_MAX];
    uint32_t bound; /* a bit for each cursor that is of the present snapshot */
};

/* LMDB's codes as ours. */
enum err engine_mapped(int rc);

#endif
