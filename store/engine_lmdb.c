#include "store/engine_lmdb.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
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

enum { READERS_MAX = 512 };

/* Everything that is not the disk's room and not "no such row" is damage or a dying disk. */
enum err engine_mapped(int rc)
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

/* Tables up to `n`, from the first that is not open on. Of those that share a tree each has the
 * same handle: LMDB knows it by its name. */
static int open_tables(struct engine *engine, const struct engine_conf *conf, unsigned n)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(engine->env, NULL, conf->read_only ? MDB_RDONLY : 0, &txn);
    if (rc)
        return rc;
    for (; engine->ntables < n && conf->tables[engine->ntables].tree; engine->ntables++) {
        const struct engine_table *from = &conf->tables[engine->ntables];
        struct table *table = &engine->table[engine->ntables];
        assert(from->lead <= LEAD_MAX);
        *table = (struct table){.lead = from->lead, .mark = from->mark};
        rc = mdb_dbi_open(txn, from->tree, conf->create ? MDB_CREATE : 0, &table->dbi);
        if (rc) {
            mdb_txn_abort(txn);
            return rc;
        }
    }
    return mdb_txn_commit(txn);
}

static enum err ask(struct engine *engine, const struct engine_conf *conf, struct fault *why)
{
    struct engine_txn *snap;
    enum err e = engine_snap_new(engine, &snap);
    if (!e)
        e = engine_snap_renew(snap);
    if (e)
        return fault(why, e, "%s: cannot be read", conf->path);
    e = conf->accept(conf->arg, snap, why);
    engine_snap_free(snap);
    return e;
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
    bool asks = conf->accept && !conf->create;
    if (!rc && asks)
        rc = open_tables(engine, conf, 1);
    if (!rc && asks) {
        enum err e = ask(engine, conf, why);
        if (e) {
            engine_close(engine);
            return e;
        }
    }
    if (!rc)
        rc = open_tables(engine, conf, TABLES_MAX);
    if (rc) {
        enum err e = engine_mapped(rc);
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
    return engine_mapped(mdb_env_copyfd2(engine->env, fd, 0));
}

/* --- snapshots ---------------------------------------------------------------------------------
 */

enum err engine_snap_new(struct engine *engine, struct engine_txn **ret)
{
    MDB_txn *txn;
    int rc = mdb_txn_begin(engine->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return engine_mapped(rc);
    mdb_txn_reset(txn);
    struct engine_txn *snap = mem_new(sizeof *snap);
    *snap = (struct engine_txn){.engine = engine, .txn = txn, .snap = true};
    arena_init(&snap->lent, SIZE_MAX);
    *ret = snap;
    return ERR_OK;
}

enum err engine_snap_renew(struct engine_txn *txn)
{
    int rc = mdb_txn_renew(txn->txn);
    txn->live = rc == 0;
    txn->bound = 0;
    return engine_mapped(rc);
}

void engine_snap_reset(struct engine_txn *txn)
{
    if (txn->live)
        mdb_txn_reset(txn->txn);
    txn->live = false;
    arena_reset(&txn->lent);
}

void engine_snap_free(struct engine_txn *txn)
{
    if (!txn)
        return;
    for (unsigned i = 0; i < TABLES_MAX; i++)
        if (txn->at[i])
            mdb_cursor_close(txn->at[i]);
    mdb_txn_abort(txn->txn);
    arena_reset(&txn->lent);
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
        return engine_mapped(rc);
    }
    struct engine_txn *turn = mem_new(sizeof *turn);
    *turn = (struct engine_txn){.engine = engine, .txn = txn, .live = true};
    arena_init(&turn->lent, SIZE_MAX);
    *ret = turn;
    return ERR_OK;
}

static void turn_over(struct engine_txn *txn)
{
    pthread_mutex_unlock(&txn->engine->turn_lock);
    arena_reset(&txn->lent);
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
    return engine_mapped(rc);
}

void engine_turn_abort(struct engine_txn *txn)
{
    mdb_txn_abort(txn->txn);
    turn_over(txn);
}

/* --- room, pages -------------------------------------------------------------------------------
 */

/* `n` page numbers, from the last to the first. What goes on in another record is not seen. */
static uint64_t pages_in_runs(const char *list, size_t n)
{
    uint64_t sum = 0, run = 0;
    size_t before = 0;
    for (size_t i = 0; i < n; i++) {
        size_t page;
        memcpy(&page, list + i * sizeof page, sizeof page);
        run = i && page + 1 == before ? run + 1 : 1;
        sum += run % ENGINE_RUN == 0 ? ENGINE_RUN : 0;
        before = page;
    }
    return sum;
}

/* A record of LMDB's free list (dbi 0): key = the txn that freed, value = count, then page numbers.
 * Pages that no reader sees can be used again; those of the last commit by the next turn but one,
 * and they count, or a store that nothing else is written to would wait for them for ever. */
static enum err count_free(struct engine *engine, uint64_t oldest, struct engine_space *ret)
{
    MDB_txn *txn;
    MDB_cursor *cursor;
    int rc = mdb_txn_begin(engine->env, NULL, MDB_RDONLY, &txn);
    if (rc)
        return engine_mapped(rc);
    uint64_t pages = 0, in_runs = 0;
    rc = mdb_cursor_open(txn, 0, &cursor);
    if (!rc) {
        MDB_val k, v;
        while ((rc = mdb_cursor_get(cursor, &k, &v, MDB_NEXT)) == 0) {
            size_t freed_by, n;
            memcpy(&freed_by, k.mv_data, sizeof freed_by);
            memcpy(&n, v.mv_data, sizeof n);
            if (freed_by > oldest)
                continue;
            pages += n;
            in_runs += pages_in_runs((const char *)v.mv_data + sizeof n, n);
        }
        mdb_cursor_close(cursor);
    }
    mdb_txn_abort(txn);
    if (rc != MDB_NOTFOUND)
        return engine_mapped(rc);
    ret->free_octets = pages * ENGINE_PAGE;
    ret->run_octets = in_runs * ENGINE_PAGE;
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
        return engine_mapped(rc);
    struct oldest oldest = {info.me_last_txnid};
    mdb_reader_list(engine->env, see_reader, &oldest);
    *ret = (struct engine_space){.file_octets = ((uint64_t)info.me_last_pgno + 1) * ENGINE_PAGE,
                                 .map_octets = info.me_mapsize,
                                 .last_txn = info.me_last_txnid,
                                 .oldest_reader = oldest.txn,
                                 .readers = info.me_numreaders};
    return walk ? count_free(engine, oldest.txn, ret) : ERR_OK;
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
