/* The engine as we use it: ordered tables of octets with snapshot reads and one atomic, durable
 * write turn at a time. LMDB is the only engine built (engine_lmdb.h is the only file that includes
 * lmdb.h); the seam promises no more than another engine could give: atomic, isolated batches
 * within one account, snapshot reads within one account, immutable rows by blob written ahead. That
 * LMDB folds many batches into one turn is a freedom that commit.c takes and nothing else relies
 * on.
 *
 * A txn is a read snapshot or the write turn; both answer get and cursors. Slices that it lends
 * live until the snapshot is reset, or the turn ends; in a turn those of a row longer than a leaf
 * takes (ENGINE_LEAF_ROW) only until that row is changed; engine_lent_back ends it sooner. A cursor
 * lends for less: see there.
 *
 * Tables are what the store thinks in; they lie in fewer trees, so that what is written together is
 * in the same pages. A tree that several tables share has keys of three parts:
 *
 *      lead: the first octets of the key, what the tree is sorted by (an account, a body)
 *      mark: one octet, the table
 *      rest: the rest of the key
 *
 * so the rows of one account lie side by side, table by table. Nothing of it is seen outside: the
 * keys that a table is given and lends have no mark. */
#ifndef TANDEM_STORE_ENGINE_H
#define TANDEM_STORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct engine;
struct engine_txn;
struct fault;

enum { ENGINE_KEY_MAX = 510 };   /* LMDB's, less the mark */
enum { ENGINE_LEAF_ROW = 2030 }; /* any longer one has pages of its own */

struct engine_table {
    const char *tree; /* tables that name the same one share it */
    uint8_t lead;     /* octets of the key; the same for all tables of a tree, none has less */
    uint8_t mark;     /* 0: the tree is this table's alone, and has its keys as they are */
};

struct engine_conf {
    const char *path;                  /* of the data file */
    const struct engine_table *tables; /* ends with a tree of NULL; enum dbi is the index */
    uint64_t map_size;
    bool read_only;
    bool create; /* make it if it is not there */
    /* May the file be read? Asked while only the first table is open, as a file of another format
     * may not have the others; not asked of a new file. NULL: yes. */
    enum err (*accept)(void *arg, struct engine_txn *snap, struct fault *why);
    void *arg;
};

/* ERR_NOTFOUND: no file and not `create`. ERR_CORRUPT: damaged or foreign file. Or what `accept`
 * said. */
MUST_CHECK enum err engine_open(const struct engine_conf *conf, struct engine **ret,
                                struct fault *why);
void engine_close(struct engine *engine); /* NULL shrugs */

/* The newest commit, written to `fd` as a data file of its own, while others read and write. The
 * snapshot is taken before the first octet is written, and lives until the last one is. ERR_DOWN:
 * `fd` takes no more. Any thread but the committer's. */
MUST_CHECK enum err engine_copy(struct engine *engine, int fd);

/* --- read snapshots: reusable, any thread, one thread at a time --------------------------------
 */

MUST_CHECK enum err engine_snap_new(struct engine *engine,
                                    struct engine_txn **ret); /* not yet renewed */
MUST_CHECK enum err engine_snap_renew(struct engine_txn *txn);
void engine_snap_reset(struct engine_txn *txn);
void engine_snap_free(struct engine_txn *txn); /* NULL shrugs */
/* Of the last commit that a snapshot sees; of a turn: the id its commit will have. */
uint64_t engine_txn_id(const struct engine_txn *txn);

/* --- the write turn: the committer's thread -----------------------------------------------------
 */

MUST_CHECK enum err engine_turn_begin(struct engine *engine, struct engine_txn **ret);
/* Flushed when it returns ERR_OK. ERR_FULL: nothing has changed. Anything else is final: the
 * process must end, nobody retries an fsync. */
MUST_CHECK enum err engine_turn_commit(struct engine_txn *txn);
void engine_turn_abort(struct engine_txn *txn);

/* --- rows
 * ----------------------------------------------------------------------------------------- */
/* ERR_NOTFOUND, ERR_CORRUPT; in a turn also ERR_FULL: abort it. */
MUST_CHECK enum err engine_get(struct engine_txn *txn, unsigned dbi, struct slice key,
                               struct slice *ret);
MUST_CHECK enum err engine_put(struct engine_txn *txn, unsigned dbi, struct slice key,
                               struct slice value);
/* A key above the table's last one, which keeps pages full; falls back to put when it is not. */
MUST_CHECK enum err engine_append(struct engine_txn *txn, unsigned dbi, struct slice key,
                                  struct slice value);
/* Room for a value of `len`, to be filled at once; as engine_append. */
MUST_CHECK enum err engine_append_room(struct engine_txn *txn, unsigned dbi, struct slice key,
                                       size_t len, void **ret);
MUST_CHECK enum err engine_del(struct engine_txn *txn, unsigned dbi, struct slice key);

/* A place among the rows of a table whose keys start with a prefix: all others might not be there.
 * Its slices live until it moves or is closed. In a turn it is closed before a row is changed. It
 * holds its key: it is not to be copied. */
struct engine_cursor {
    struct engine_txn *txn;
    const void *table;
    void *handle;
    struct slice prefix;     /* borrowed */
    struct slice key, value; /* where it stands */
    unsigned char room[ENGINE_KEY_MAX];
};
/* `prefix`, empty for the whole table, lives as long as the cursor is open. */
MUST_CHECK enum err engine_cursor_open(struct engine_txn *txn, unsigned dbi, struct slice prefix,
                                       struct engine_cursor *ret);
void engine_cursor_close(struct engine_cursor *cursor); /* unopened: shrugs */
/* To the first key >= `key`, which starts with the prefix; ERR_NOTFOUND past the last. */
MUST_CHECK enum err engine_seek(struct engine_cursor *cursor, struct slice key);
MUST_CHECK enum err engine_next(struct engine_cursor *cursor);
MUST_CHECK enum err engine_prev(struct engine_cursor *cursor);
/* To the last key < `key`, which starts with the prefix; ERR_NOTFOUND before the first. */
MUST_CHECK enum err engine_seek_before(struct engine_cursor *cursor, struct slice key);

/* First row whose key starts with `prefix` and is >= `from` (which starts with it too). */
MUST_CHECK enum err engine_first(struct engine_txn *txn, unsigned dbi, struct slice prefix,
                                 struct slice from, struct slice *ret_key, struct slice *ret_value);
/* Last row whose key starts with `prefix`. */
MUST_CHECK enum err engine_last(struct engine_txn *txn, unsigned dbi, struct slice prefix,
                                struct slice *ret_key, struct slice *ret_value);

/* For long loops: what is lent after the mark lives until it is given back. */
struct arena_mark engine_lent(const struct engine_txn *txn);
void engine_lent_back(struct engine_txn *txn, struct arena_mark mark);

/* --- room, pages
 * ---------------------------------------------------------------------------------- */

enum { ENGINE_PAGE = 4096, ENGINE_RUN = 4 };
struct engine_space {
    uint64_t file_octets; /* used part of the file */
    uint64_t free_octets; /* of these, reusable now: freed and seen by no reader */
    uint64_t run_octets;  /* of these, in runs of ENGINE_RUN pages: a longer row needs one */
    uint64_t map_octets;
    uint64_t last_txn, oldest_reader; /* ids; oldest_reader = last_txn when there is none */
    unsigned readers;
};
/* `count_free` walks the free list: only below the reserve, and for metrics. */
MUST_CHECK enum err engine_space(struct engine *engine, bool count_free, struct engine_space *ret);
/* Are these octets of the map in memory? Asks for them (WILLNEED) when they are not. */
bool engine_resident(struct slice mapped);
void engine_prefetch(struct slice mapped);
/* Touch every page: a worker's part in serving cold data. */
void engine_populate(struct slice mapped);

#endif
