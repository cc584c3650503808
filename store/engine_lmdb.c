#include "store/engine.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <lmdb.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/mem.h"

enum { TABLES_MAX = 32, READERS_MAX = 512 };

struct engine {
    MDB_env *env;
    MDB_dbi dbi[TABLES_MAX];
    unsigned ndbi;
    pthread_mutex_t
        turn_lock; /* LMDB's own lock is per process; this one states whose turn it is */
};

struct engine_txn {
    struct engine *engine;
    MDB_txn *txn;
    bool live;
    bool snap; /* of a reader, with a cursor for each table that it has read: engine_get */
    MDB_cursor *at[TABLES_MAX];
    uint32_t bound; /* a bit for each cursor that is of the present snapshot */
};

/* Everything that is not the disk's room and not "no such row" is damage or a dying disk. */
static enum err mapped(int rc)
{
    switch (rc) {
    case MDB_SUCCESS:
        return ERR_OK;
    case MDB_NOTFOUND:
        return ERR_NOTFOUND;
    case MDB_MAP_FULL:
    case MDB_TXN_FULL:
    case ENOSPC:
    case EDQUOT:
        return ERR_FULL;
    case MDB_READERS_FULL:
        return ERR_AGAIN;
    case MDB_CORRUPTED:
    case MDB_PAGE_NOTFOUND:
    case MDB_PANIC:
    case MDB_INVALID:
    case MDB_VERSION_MISMATCH:
    case MDB_INCOMPATIBLE:
    case MDB_BAD_TXN:
        return ERR_CORRUPT;
    case MDB_BAD_VALSIZE:
        return ERR_BUG;
    default:
        return ERR_DOWN;
    }
}

static MDB_val val(struct slice s)
{
    return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.ptr};
}

static struct slice lent(const MDB_val *v)
{
    return slice(v->mv_data, v->mv_size);
}

/* --- opening -----------------------------------------------------------------------------------
 */

/* Virtual address space can be short (sanitizers, ulimit -v): halve until it fits. */
static int open_mapped(MDB_env *env, const struct engine_conf *conf, unsigned flags)
{
    struct stat st;
    uint64_t least = (uint64_t)1 << 30, size = conf->map_size;
    if (stat(conf->path, &st) == 0 && (uint64_t)st.st_size * 2 > least)
        least = (uint64_t)st.st_size * 2;
    if (size < least)
        size = least;
    for (;; size = size / 2 > least ? size / 2 : least) {
        mdb_env_set_mapsize(env, size);
        int rc = mdb_env_open(env, conf->path, flags, 0600);
        if ((rc != ENOMEM && rc != EINVAL) || size == least)
            return rc;
    }
}

/* LMDB makes a new environment of an empty file, and reads a page that a file ends before as if it
 * were there: SIGBUS. So what was cut off is looked for before anything else is read. */

static bool has_meta_pages(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 && st.st_size >= 2 * ENGINE_PAGE;
}

static sigjmp_buf past_the_end;

static void step_back(int sig)
{
    (void)sig;
    siglongjmp(past_the_end, 1);
}

/* Are all pages from `first` on free? A turn may free the last pages that it took before they were
 * ever written, so a file may well end early. */
static int check_free(MDB_cursor *cursor, uint64_t first, uint64_t end)
{
    MDB_val k, v;
    uint64_t found = 0;
    int rc;
    while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
        size_t n, page;
        memcpy(&n, v.mv_data, sizeof n);
        for (size_t i = 1; i <= n && (i + 1) * sizeof page <= v.mv_size; i++) {
            memcpy(&page, (const char *)v.mv_data + i * sizeof page, sizeof page);
            found += page >= first;
        }
    }
    return rc != MDB_NOTFOUND ? rc : found < end - first ? MDB_PAGE_NOTFOUND : 0;
}

static int check_tail(MDB_env *env, uint64_t first, uint64_t end)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    struct sigaction catch = {.sa_handler = step_back}, before;
    volatile int rc = mdb_txn_begin(env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return rc;
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (!rc) {
        sigaction(SIGBUS, &catch, &before);
        if (sigsetjmp(past_the_end, 1) == 0)
            rc = check_free(cursor, first, end);
        else
            rc = MDB_PAGE_NOTFOUND; /* of the free list itself */
        sigaction(SIGBUS, &before, NULL);
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    return rc;
}

static int check_length(MDB_env *env, const char *path)
{
    MDB_envinfo info;
    struct stat st;
    int rc = mdb_env_info(env, &info);
    if (rc || stat(path, &st) != 0)
        return rc ? rc : errno;
    uint64_t first = (uint64_t)st.st_size / ENGINE_PAGE, end = (uint64_t)info.me_last_pgno + 1;
    return first < end ? check_tail(env, first, end) : 0;
}

static int open_tables(struct engine *engine, const struct engine_conf *conf)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(engine->env, NULL, conf->read_only ? MDB_RDONLY : 0, &txn);
    if (rc)
        return rc;
    for (; conf->tables[engine->ndbi]; engine->ndbi++) {
        rc = mdb_dbi_open(txn, conf->tables[engine->ndbi], conf->create ? MDB_CREATE : 0,
                          &engine->dbi[engine->ndbi]);
        if (rc) {
            mdb_txn_abort(txn);
            return rc;
        }
    }
    return mdb_txn_commit(txn);
}

enum err engine_open(const struct engine_conf *conf, struct engine **ret, struct fault *why)
{
    if (!conf->create && access(conf->path, F_OK) != 0)
        return fault(why, ERR_NOTFOUND, "%s: %s", conf->path, strerror(errno));
    if (!conf->create && !has_meta_pages(conf->path))
        return fault(why, ERR_CORRUPT, "%s: ends in its first pages: restore a backup", conf->path);
    struct engine *engine = mem_new(sizeof *engine);
    pthread_mutex_init(&engine->turn_lock, NULL);
    int rc = mdb_env_create(&engine->env);
    if (!rc)
        rc = mdb_env_set_maxdbs(engine->env, TABLES_MAX);
    if (!rc)
        rc = mdb_env_set_maxreaders(engine->env, READERS_MAX);
    if (!rc)
        rc = open_mapped(engine->env, conf,
                         MDB_NOSUBDIR | MDB_NOTLS | MDB_NORDAHEAD |
                             (conf->read_only ? MDB_RDONLY : 0));
    MDB_stat st;
    if (!rc && !(rc = mdb_env_stat(engine->env, &st)) && st.ms_psize != ENGINE_PAGE) {
        fault(why, ERR_CORRUPT,
              "%s: page size %u, this build needs %d: restore it on its own kind "
              "of machine and move the accounts",
              conf->path, st.ms_psize, ENGINE_PAGE);
        engine_close(engine);
        return ERR_CORRUPT;
    }
    if (!rc)
        rc = check_length(engine->env, conf->path);
    if (!rc)
        rc = open_tables(engine, conf);
    if (rc) {
        enum err e = mapped(rc);
        if (e == ERR_NOTFOUND) /* an LMDB file without our tables */
            e = ERR_CORRUPT;
        fault(why, e, "%s: %s: %s", conf->path, mdb_strerror(rc),
              e == ERR_CORRUPT ? "not a store of Tandem, or damaged: restore a backup"
                               : "check the directory's owner, mode and room");
        engine_close(engine);
        return e;
    }
    int dead;
    mdb_reader_check(engine->env, &dead); /* slots of a process that was killed */
    *ret = engine;
    return ERR_OK;
}

void engine_close(struct engine *engine)
{
    if (!engine)
        return;
    if (engine->env)
        mdb_env_close(engine->env);
    pthread_mutex_destroy(&engine->turn_lock);
    mem_free(engine);
}

enum err engine_copy(struct engine *engine, int fd)
{
    return mapped(mdb_env_copyfd2(engine->env, fd, 0));
}

/* --- snapshots ---------------------------------------------------------------------------------
 */

enum err engine_snap_new(struct engine *engine, struct engine_txn **ret)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(engine->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return mapped(rc);
    mdb_txn_reset(txn);
    struct engine_txn *snap = mem_new(sizeof *snap);
    *snap = (struct engine_txn){.engine = engine, .txn = txn, .snap = true};
    *ret = snap;
    return ERR_OK;
}

enum err engine_snap_renew(struct engine_txn *txn)
{
    int rc = mdb_txn_renew(txn->txn);
    txn->live = rc == 0;
    txn->bound = 0;
    return mapped(rc);
}

void engine_snap_reset(struct engine_txn *txn)
{
    if (txn->live)
        mdb_txn_reset(txn->txn);
    txn->live = false;
}

void engine_snap_free(struct engine_txn *txn)
{
    if (!txn)
        return;
    for (unsigned i = 0; i < TABLES_MAX; i++)
        if (txn->at[i])
            mdb_cursor_close(txn->at[i]);
    mdb_txn_abort(txn->txn);
    mem_free(txn);
}

uint64_t engine_txn_id(const struct engine_txn *txn)
{
    return mdb_txn_id(txn->txn);
}

/* --- turns -------------------------------------------------------------------------------------
 */

enum err engine_turn_begin(struct engine *engine, struct engine_txn **ret)
{
    pthread_mutex_lock(&engine->turn_lock);
    MDB_txn *txn;
    int rc = mdb_txn_begin(engine->env, NULL, 0, &txn);
    if (rc) {
        pthread_mutex_unlock(&engine->turn_lock);
        return mapped(rc);
    }
    struct engine_txn *turn = mem_new(sizeof *turn);
    *turn = (struct engine_txn){.engine = engine, .txn = txn, .live = true};
    *ret = turn;
    return ERR_OK;
}

static void turn_over(struct engine_txn *txn)
{
    pthread_mutex_unlock(&txn->engine->turn_lock);
    mem_free(txn);
}

/* A write that found room for its first part only is EIO to LMDB. It is the disk's room all the
 * same, and as harmless: the pages belong to no committed turn. */
static bool no_room(struct engine *engine)
{
    const uint64_t largest_write = 1 << 20;
    struct statvfs fs;
    int fd;
    return mdb_env_get_fd(engine->env, &fd) == 0 && fstatvfs(fd, &fs) == 0 &&
           (uint64_t)fs.f_bavail * fs.f_frsize < largest_write;
}

enum err engine_turn_commit(struct engine_txn *txn)
{
    int rc = mdb_txn_commit(txn->txn);
    if (rc == EIO && no_room(txn->engine))
        rc = ENOSPC;
    turn_over(txn);
    return mapped(rc);
}

void engine_turn_abort(struct engine_txn *txn)
{
    mdb_txn_abort(txn->txn);
    turn_over(txn);
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Is it the next number? That is, the same octets but for the last four, which are one more. */
static bool follows(const MDB_val *before, const MDB_val *key)
{
    uint32_t a, b;
    size_t same = key->mv_size - sizeof a;
    if (key->mv_size < sizeof a || before->mv_size != key->mv_size ||
        memcmp(before->mv_data, key->mv_data, same) != 0)
        return false;
    memcpy(&a, (const char *)before->mv_data + same, sizeof a);
    memcpy(&b, (const char *)key->mv_data + same, sizeof b);
    return ntohl(b) == ntohl(a) + 1;
}

static bool same_key(const MDB_val *a, const MDB_val *b)
{
    return a->mv_size == b->mv_size && memcmp(a->mv_data, b->mv_data, a->mv_size) == 0;
}

/* Rows that are read one after the other are mostly neighbours: the next number is the next row, or
 * stands on the same leaf; mdb_get would come down from the root each time. */
static int get_near(struct engine_txn *txn, unsigned dbi, MDB_val *k, MDB_val *v)
{
    MDB_cursor **at = &txn->at[dbi];
    MDB_val now;
    int rc = 0;
    if (txn->bound >> dbi & 1) {
        if (mdb_cursor_get(*at, &now, NULL, MDB_GET_CURRENT) == 0 && follows(&now, k) &&
            mdb_cursor_get(*at, &now, v, MDB_NEXT) == 0 && same_key(&now, k))
            return 0;
    } else if (*at) {
        rc = mdb_cursor_renew(txn->txn, *at);
    } else {
        rc = mdb_cursor_open(txn->txn, txn->engine->dbi[dbi], at);
    }
    if (rc)
        return rc;
    txn->bound |= UINT32_C(1) << dbi;
    return mdb_cursor_get(*at, k, v, MDB_SET);
}

enum err engine_get(struct engine_txn *txn, unsigned dbi, struct slice key, struct slice *ret)
{
    MDB_val k = val(key), v;
    int rc =
        txn->snap ? get_near(txn, dbi, &k, &v) : mdb_get(txn->txn, txn->engine->dbi[dbi], &k, &v);
    if (rc == 0)
        *ret = lent(&v);
    return mapped(rc);
}

enum err engine_put(struct engine_txn *txn, unsigned dbi, struct slice key, struct slice value)
{
    MDB_val k = val(key), v = val(value);
    return mapped(mdb_put(txn->txn, txn->engine->dbi[dbi], &k, &v, 0));
}

enum err engine_append(struct engine_txn *txn, unsigned dbi, struct slice key, struct slice value)
{
    void *room;
    enum err e = engine_append_room(txn, dbi, key, value.len, &room);
    if (!e && value.len)
        memcpy(room, value.ptr, value.len);
    return e;
}

enum err engine_append_room(struct engine_txn *txn, unsigned dbi, struct slice key, size_t len,
                            void **ret)
{
    MDB_val k = val(key), v = {.mv_size = len};
    int rc = mdb_put(txn->txn, txn->engine->dbi[dbi], &k, &v, MDB_APPEND | MDB_RESERVE);
    if (rc == MDB_KEYEXIST) {
        v = (MDB_val){.mv_size = len};
        rc = mdb_put(txn->txn, txn->engine->dbi[dbi], &k, &v, MDB_RESERVE);
    }
    if (rc == 0)
        *ret = v.mv_data;
    return mapped(rc);
}

enum err engine_del(struct engine_txn *txn, unsigned dbi, struct slice key)
{
    MDB_val k = val(key);
    return mapped(mdb_del(txn->txn, txn->engine->dbi[dbi], &k, NULL));
}

/* --- cursors -----------------------------------------------------------------------------------
 */

enum err engine_cursor_open(struct engine_txn *txn, unsigned dbi, struct engine_cursor *ret)
{
    MDB_cursor *handle;
    int rc = mdb_cursor_open(txn->txn, txn->engine->dbi[dbi], &handle);
    *ret = (struct engine_cursor){.handle = rc ? NULL : handle};
    return mapped(rc);
}

void engine_cursor_close(struct engine_cursor *cursor)
{
    if (cursor->handle)
        mdb_cursor_close(cursor->handle);
    cursor->handle = NULL;
}

static enum err move(struct engine_cursor *cursor, struct slice key, MDB_cursor_op op)
{
    MDB_val k = val(key), v;
    int rc = mdb_cursor_get(cursor->handle, &k, &v, op);
    if (rc == 0) {
        cursor->key = lent(&k);
        cursor->value = lent(&v);
    }
    return mapped(rc);
}

enum err engine_seek(struct engine_cursor *cursor, struct slice key)
{
    return move(cursor, key, MDB_SET_RANGE);
}

enum err engine_next(struct engine_cursor *cursor)
{
    return move(cursor, SLICE_NONE, MDB_NEXT);
}

enum err engine_prev(struct engine_cursor *cursor)
{
    return move(cursor, SLICE_NONE, MDB_PREV);
}

enum err engine_seek_before(struct engine_cursor *cursor, struct slice key)
{
    enum err e = move(cursor, key, MDB_SET_RANGE);
    if (e == ERR_NOTFOUND)
        return move(cursor, SLICE_NONE, MDB_LAST);
    return e ? e : move(cursor, SLICE_NONE, MDB_PREV);
}

enum err engine_first(struct engine_txn *txn, unsigned dbi, struct slice prefix, struct slice from,
                      struct slice *ret_key, struct slice *ret_value)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, dbi, &cursor);
    if (!e)
        e = engine_seek(&cursor, from);
    if (!e && !slice_starts(cursor.key, prefix))
        e = ERR_NOTFOUND;
    if (!e) {
        *ret_key = cursor.key;
        *ret_value = cursor.value;
    }
    engine_cursor_close(&cursor);
    return e;
}

enum err engine_last(struct engine_txn *txn, unsigned dbi, struct slice prefix,
                     struct slice *ret_key, struct slice *ret_value)
{
    /* The first key behind all that start with the prefix: the prefix plus one, as a number. */
    unsigned char after[512];
    size_t len = prefix.len < sizeof after ? prefix.len : sizeof after;
    if (len)
        memcpy(after, prefix.ptr, len);
    while (len && ++after[len - 1] == 0)
        len--;
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, dbi, &cursor);
    if (!e)
        e = len ? engine_seek_before(&cursor, slice(after, len))
                : move(&cursor, SLICE_NONE, MDB_LAST);
    if (!e && !slice_starts(cursor.key, prefix))
        e = ERR_NOTFOUND;
    if (!e) {
        *ret_key = cursor.key;
        *ret_value = cursor.value;
    }
    engine_cursor_close(&cursor);
    return e;
}

enum err engine_count(struct engine_txn *txn, unsigned dbi, uint64_t *ret)
{
    MDB_stat st;
    int rc = mdb_stat(txn->txn, txn->engine->dbi[dbi], &st);
    if (rc == 0)
        *ret = st.ms_entries;
    return mapped(rc);
}

/* --- room, pages -------------------------------------------------------------------------------
 */

/* A record of LMDB's free list (dbi 0): key = the txn that freed, value = count, then page numbers.
 * Pages that no reader sees can be used again; those of the last commit by the next turn but one,
 * and they count, or a store that nothing else is written to would wait for them for ever. */
static enum err count_free(struct engine *engine, uint64_t oldest, uint64_t *ret)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int rc = mdb_txn_begin(engine->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return mapped(rc);
    uint64_t pages = 0;
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (!rc) {
        MDB_val k, v;
        while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
            size_t freed_by, n;
            memcpy(&freed_by, k.mv_data, sizeof freed_by);
            memcpy(&n, v.mv_data, sizeof n);
            if (freed_by <= oldest)
                pages += n;
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    if (rc != MDB_NOTFOUND)
        return mapped(rc);
    *ret = pages * ENGINE_PAGE;
    return ERR_OK;
}

struct oldest {
    uint64_t txn;
};

/* mdb_reader_list prints "pid thread txnid" lines; a slot without a txn has "-". */
static int see_reader(const char *line, void *arg)
{
    struct oldest *oldest = arg;
    unsigned long pid, thread, txn;
    if (sscanf(line, "%lu %lx %lu", &pid, &thread, &txn) == 3 && txn < oldest->txn)
        oldest->txn = txn;
    return 0;
}

enum err engine_space(struct engine *engine, bool walk, struct engine_space *ret)
{
    MDB_envinfo info;
    int rc = mdb_env_info(engine->env, &info);
    if (rc)
        return mapped(rc);
    struct oldest oldest = {info.me_last_txnid};
    mdb_reader_list(engine->env, see_reader, &oldest);
    *ret = (struct engine_space){.file_octets = ((uint64_t)info.me_last_pgno + 1) * ENGINE_PAGE,
                                 .map_octets = info.me_mapsize,
                                 .last_txn = info.me_last_txnid,
                                 .oldest_reader = oldest.txn,
                                 .readers = info.me_numreaders};
    return walk ? count_free(engine, oldest.txn, &ret->free_octets) : ERR_OK;
}

static struct slice whole_pages(struct slice mapped_octets)
{
    uintptr_t first = (uintptr_t)mapped_octets.ptr & ~(uintptr_t)(ENGINE_PAGE - 1);
    uintptr_t end = (uintptr_t)mapped_octets.ptr + mapped_octets.len;
    return slice((const void *)first, end - first);
}

bool engine_resident(struct slice octets)
{
    struct slice pages = whole_pages(octets);
    unsigned char in_core[64];
    for (size_t at = 0; at < pages.len; at += sizeof in_core * ENGINE_PAGE) {
        struct slice window = slice_first(slice_from(pages, at), sizeof in_core * ENGINE_PAGE);
        if (mincore((void *)(uintptr_t)window.ptr, window.len, in_core) != 0)
            return true; /* cannot tell: a fault at worst */
        for (size_t i = 0; i * ENGINE_PAGE < window.len; i++)
            if (!(in_core[i] & 1)) {
                engine_prefetch(octets);
                return false;
            }
    }
    return true;
}

void engine_prefetch(struct slice octets)
{
    struct slice pages = whole_pages(octets);
    madvise((void *)(uintptr_t)pages.ptr, pages.len, MADV_WILLNEED);
}

void engine_populate(struct slice octets)
{
    struct slice pages = whole_pages(octets);
#ifdef MADV_POPULATE_READ
    if (madvise((void *)(uintptr_t)pages.ptr, pages.len, MADV_POPULATE_READ) == 0)
        return;
#endif
    volatile char sink;
    for (size_t at = 0; at < pages.len; at += ENGINE_PAGE)
        sink = pages.ptr[at];
    (void)sink;
}
