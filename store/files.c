#include "store/files.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/magic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/expire.h"
#include "store/gone.h"
#include "store/lazy.h"
#include "store/owner.h"
#include "store/pins.h"
#include "store/reap.h"
#include "store/retire.h"
#include "store/sweep.h"
#include "store/trim.h"
#include "store/window.h"

#define X(id, tree, lead, mark) {tree, lead, mark},
static const struct engine_table store_tables[] = {STORE_TABLES(X){0}};
static const struct engine_table catalog_tables[] = {CATALOG_TABLES(X){0}};
#undef X

#define KEY_FORMAT SLICE("format")
#define KEY_STATE SLICE("state")

enum err files_error(int error)
{
    return error == ENOSPC || error == EDQUOT ? ERR_FULL : ERR_DOWN;
}

enum err files_sync_dir(const char *dir)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    enum err e = fd >= 0 && fsync(fd) == 0 ? ERR_OK : files_error(errno);
    if (fd >= 0)
        close(fd);
    return e;
}

/* --- file systems --------------------------------------------------------------------------------
 */

enum verdict { FS_REFUSED, FS_VOLATILE };
static const struct {
    unsigned long magic;
    const char *name;
    enum verdict verdict;
} file_systems[] = {
    {NFS_SUPER_MAGIC,       "nfs",       FS_REFUSED },
    {0xff534d42,            "cifs",      FS_REFUSED },
    {0xfe534d42,            "smb2",      FS_REFUSED },
    {V9FS_MAGIC,            "9p",        FS_REFUSED },
    {0x65735546,            "fuse",      FS_REFUSED },
    {OVERLAYFS_SUPER_MAGIC, "overlayfs", FS_VOLATILE},
    {TMPFS_MAGIC,           "tmpfs",     FS_VOLATILE},
};

static bool listed(const char *list, const char *name)
{
    struct slice rest = slice_str(list);
    while (rest.len) {
        size_t comma = slice_find(rest, ',');
        if (slice_ieq(slice_trim(slice_first(rest, comma)), slice_str(name)))
            return true;
        rest = slice_from(rest, comma < rest.len ? comma + 1 : rest.len);
    }
    return false;
}

enum err files_root(const struct store_conf *conf, struct fault *why)
{
    struct statfs fs;
    if (!conf->read_only && mkdir(conf->path, 0750) != 0 && errno != EEXIST)
        return fault(why, files_error(errno), "%s: %s: make its parent directory first", conf->path,
                     strerror(errno));
    if (statfs(conf->path, &fs) != 0)
        return fault(why, ERR_DOWN, "%s: %s", conf->path, strerror(errno));
    for (size_t i = 0; i < sizeof file_systems / sizeof *file_systems; i++) {
        if ((unsigned long)fs.f_type != file_systems[i].magic)
            continue;
        const char *name = file_systems[i].name;
        if (file_systems[i].verdict == FS_VOLATILE) {
            struct log_line line;
            log_begin(&line, LOG_WARN, "store-fs-volatile");
            log_str(&line, "path", conf->path);
            log_str(&line, "fs", name);
            log_end(&line);
        } else if (!listed(conf->allow_fs, name)) {
            return fault(why, ERR_CANNOT,
                         "%s: is on %s, which cannot keep what it has acknowledged: move it to a "
                         "local disk, or name %s in [store] allow_fs",
                         conf->path, name, name);
        }
    }
    return ERR_OK;
}

char *files_env_dir(const struct store_conf *conf, unsigned index)
{
    char *dir = NULL;
    int n = index == ENV_CATALOG ? asprintf(&dir, "%s/catalog", conf->path)
                                 : asprintf(&dir, "%s/shard-%02u", conf->path, index);
    if (n < 0)
        abort();
    return dir;
}

const char *files_env_data(unsigned index)
{
    return index == ENV_CATALOG ? "catalog.mdb" : "store.mdb";
}

const struct engine_table *files_env_tables(unsigned index)
{
    return index == ENV_CATALOG ? catalog_tables : store_tables;
}

bool files_shard_exists(const struct store_conf *conf, unsigned shard)
{
    struct stat st;
    char *dir = files_env_dir(conf, shard);
    bool exists = stat(dir, &st) == 0;
    free(dir);
    return exists;
}

/* --- rows of sys
 * ---------------------------------------------------------------------------------- */

/* A file outlives a power cut only if every name on the way to it does. */
static enum err sync_names(const struct env *env)
{
    char parent[4096];
    snprintf(parent, sizeof parent, "%s/..", env->store->conf.path);
    enum err e = files_sync_dir(env->dir);
    if (!e)
        e = files_sync_dir(env->store->conf.path);
    return e ? e : files_sync_dir(parent);
}

static struct engine_conf engine_conf(const struct env *env, const char *path)
{
    const uint64_t catalog_map = (uint64_t)64 << 30;
    uint64_t most = (uint64_t)16 << 40, shared = ((uint64_t)64 << 40) / env->store->nshards;
    uint64_t map = shared < most ? shared : most;
    if (TANDEM_SANITIZED)
        map = catalog_map; /* shadow memory leaves little address space */
    if (env->store->conf.map_size)
        map = env->store->conf.map_size;
    bool catalog = env->index == ENV_CATALOG;
    return (struct engine_conf){.path = path,
                                .tables = files_env_tables(env->index),
                                .accept = files_accept,
                                .arg = (void *)(uintptr_t)path,
                                .map_size = catalog ? catalog_map : map,
                                .read_only = env->store->conf.read_only};
}

static unsigned sys_dbi(const struct env *env)
{
    return env->index == ENV_CATALOG ? (unsigned)DBI_CSYS : (unsigned)DBI_SYS;
}

/* A stop that is not clean may skip the ids that were taken ahead. */
static struct slice state_row(const struct env *env, uint64_t clock, bool clean, unsigned char *to)
{
    if (env->index == ENV_CATALOG) {
        struct row_catalog_state row = {.next_acct = env->next_acct, .generation = env->generation};
        return row_catalog_state_encode(&row, to);
    }
    struct row_state row = {.clean = clean,
                            .restores = env->restores,
                            .generation = env->generation,
                            .next_blob = clean ? env->next_blob : env->blobs_end,
                            .clock = clock};
    memcpy(row.sip_key, env->sip_key, sizeof row.sip_key);
    return row_state_encode(&row, to);
}

enum err env_state_save(struct turn *turn, bool clean)
{
    struct key key;
    unsigned char octets[64];
    return turn_put(turn, sys_dbi(turn->env), key_text(&key, KEY_STATE),
                    state_row(turn->env, turn->env->clock, clean, octets));
}

/* Outside the committer: at open and close. */
static enum err state_write(struct env *env, bool clean, const struct row_format *format)
{
    struct engine_txn *txn;
    struct key key;
    unsigned char octets[64];
    enum err e = engine_turn_begin(env->engine, &txn);
    if (e)
        return e;
    e = engine_put(txn, sys_dbi(env), key_text(&key, KEY_STATE),
                   state_row(env, env->clock, clean, octets));
    if (!e && format)
        e = engine_put(txn, sys_dbi(env), key_text(&key, KEY_FORMAT),
                       row_format_encode(format, octets));
    if (!e)
        return engine_turn_commit(txn);
    engine_turn_abort(txn);
    return e;
}

/* `sys` is the first table of either env, and the same in every format. */
enum err files_accept(void *arg, struct engine_txn *snap, struct fault *why)
{
    const char *path = arg;
    struct key key;
    struct slice value;
    struct row_format format;
    enum err e = engine_get(snap, DBI_SYS, key_text(&key, KEY_FORMAT), &value);
    if (!e)
        e = row_format_decode(value, &format);
    if (e)
        return fault(why, ERR_CORRUPT,
                     "%s: has no format row, so it is not a store of Tandem or it "
                     "is damaged: restore a backup",
                     path);
    if (format.min_reader > FORMAT_VERSION || format.features != 0)
        return fault(why, ERR_CORRUPT,
                     "%s: was written by a newer Tandem (format %u, features %x): "
                     "use that version, or restore a backup from before it",
                     path, format.min_reader, format.features);
    if (format.min_reader < FORMAT_VERSION)
        return fault(why, ERR_CORRUPT,
                     "%s: was written by an older Tandem (format %u; this one reads and writes "
                     "%d): use that version, or export its accounts there and import them here",
                     path, format.min_reader, FORMAT_VERSION);
    return ERR_OK;
}

static enum err state_read(struct env *env, const char *path, struct fault *why)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    struct row_state row = {0};
    struct row_catalog_state catalog = {0};
    enum err e = engine_snap_new(env->engine, &snap);
    if (e)
        return fault(why, e, "%s: cannot be read", path);
    e = engine_snap_renew(snap);
    if (!e)
        e = engine_get(snap, sys_dbi(env), key_text(&key, KEY_STATE), &value);
    if (!e && env->index == ENV_CATALOG)
        e = row_catalog_state_decode(value, &catalog);
    else if (!e)
        e = row_state_decode(value, &row);
    if (e)
        e = fault(why, ERR_CORRUPT, "%s: its state row is damaged: restore a backup", path);
    env->restores = row.restores;
    env->next_blob = env->blobs_end = row.next_blob;
    env->clock = row.clock;
    memcpy(env->sip_key, row.sip_key, sizeof env->sip_key);
    env->next_acct = catalog.next_acct;
    env->generation = env->index == ENV_CATALOG ? catalog.generation : row.generation;
    engine_snap_free(snap);
    return e;
}

/* --- open, close
 * ---------------------------------------------------------------------------------- */

/* Built beside its name and renamed when it is whole, so that a crash leaves no half-made file. The
 * line of OWNER is there first: a store without one is taken for an older file put in place. */
static enum err create(struct env *env, const char *path, struct fault *why)
{
    char fresh[4104];
    snprintf(fresh, sizeof fresh, "%s.new", path);
    unlink(fresh);
    struct engine_conf conf = engine_conf(env, fresh);
    conf.create = true;
    conf.read_only = false;
    enum err e = engine_open(&conf, &env->engine, why);
    if (e)
        return e;
    struct row_format format = {.min_reader = FORMAT_VERSION, .created = clock_wall()};
    random_bytes(format.uuid, sizeof format.uuid);
    random_bytes(env->sip_key, sizeof env->sip_key);
    env->next_blob = env->blobs_end = env->next_acct = 1;
    e = state_write(env, true, &format);
    engine_close(env->engine);
    env->engine = NULL;
    if (e)
        return fault(why, e, "%s: cannot be written: %s", fresh, err_text(e));
    char lock[4112];
    snprintf(lock, sizeof lock, "%s-lock", fresh);
    unlink(lock);
    e = owner_write(env->owner_fd, env->generation, env->dir, why);
    if (e)
        return e;
    e = rename(fresh, path) == 0 ? sync_names(env) : files_error(errno);
    return e ? fault(why, e, "%s: %s", path, strerror(errno)) : ERR_OK;
}

/* sys behind OWNER, or no OWNER with a store: an older file was put in place. sys ahead of OWNER: a
 * crash came between the two writes. */
static enum err raise_generation(struct env *env, const struct owner *owner, struct fault *why)
{
    if (!owner->known || env->generation < owner->generation) {
        env->restores++;
        env->next_blob = env->blobs_end += (uint64_t)1 << 32;
        env->next_acct += 1u << 16;
        log_note(LOG_WARN, "store-warn", "%s: an older file was put in place; ids jump ahead",
                 env->dir);
    }
    if (owner->generation > env->generation)
        env->generation = owner->generation;
    env->generation++;
    enum err e = state_write(env, false, NULL);
    if (e)
        return fault(why, e, "%s: cannot be written: %s", env->dir, err_text(e));
    return owner_write(env->owner_fd, env->generation, env->dir, why);
}

enum err env_open(struct store *store, unsigned index, struct env **ret, struct fault *why)
{
    struct env *env = mem_new(sizeof *env);
    struct stat st;
    char path[4096];
    env->store = store;
    env->index = index;
    env->dir = files_env_dir(&store->conf, index);
    env->owner_fd = -1;
    snprintf(path, sizeof path, "%s/%s", env->dir, files_env_data(index));

    struct owner owner = {0};
    bool exists = stat(path, &st) == 0;
    enum err e = ERR_OK;
    if (!store->conf.read_only && mkdir(env->dir, 0700) != 0 && errno != EEXIST)
        e = fault(why, files_error(errno), "%s: %s", env->dir, strerror(errno));
    if (!e)
        e = owner_lock(env->dir, &env->owner_fd, &owner, why);
    if (!e && !exists && owner.generation > 0)
        e = fault(why, ERR_CORRUPT,
                  "%s: is missing, though OWNER says that it was here: restore a "
                  "backup, or remove %s/OWNER to begin empty",
                  path, env->dir);
    if (!e && !exists) {
        e = create(env, path, why);
        owner.known = true;
    }
    if (!e) {
        struct engine_conf conf = engine_conf(env, path);
        e = engine_open(&conf, &env->engine, why);
    }
    if (!e)
        e = state_read(env, path, why);
    if (!e && !store->conf.read_only)
        e = raise_generation(env, &owner, why);
    if (e) {
        env_close(env, false);
        return e;
    }
    env->pins = pins_new();
    *ret = env;
    return ERR_OK;
}

void env_close(struct env *env, bool clean)
{
    if (!env)
        return;
    if (clean && !env->store->conf.read_only) {
        env->generation++;
        if (state_write(env, true, NULL) ||
            owner_write(env->owner_fd, env->generation, env->dir, NULL))
            log_note(LOG_WARN, "store-warn", "%s: the clean stop could not be noted", env->dir);
    }
    engine_close(env->engine);
    gone_free(env->gone);
    reap_free(env->reaper);
    sweep_free(env->sweep);
    trim_free(env->trim);
    window_free(env->window);
    expire_free(env->expire);
    lazy_free(env->lazy);
    retire_free(env->retire);
    pins_free(env->pins);
    if (env->owner_fd >= 0)
        close(env->owner_fd);
    free(env->dir);
    mem_free(env);
}
