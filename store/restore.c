/* A backup put in place of what is there, while no daemon runs.
 *
 *      OWNER of every env locked -> each file written beside its name, checked against its hash,
 *      flushed, opened -> all of the stream was good -> RESTORING made -> OWNERs forget their
 *      generation, files renamed -> RESTORING removed
 *
 * Until RESTORING is there nothing has changed; while it is there no store opens (the envs may be
 * of two times), and the same restore, run again, completes. A store without a generation in OWNER
 * counts as older than what was there (raise_generation in files.c): its ids jump ahead, so that
 * no UID and no modseq is given a second time. */
#include "store/restore.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/admin.h"
#include "store/archive.h"
#include "store/backup.h"
#include "store/env.h"
#include "store/files.h"
#include "store/owner.h"

struct place { /* of one env */
    char *dir;
    int owner, fd; /* fd: the new file, while it is written */
    bool whole;    /* it is written and good */
};

struct restore {
    const struct store_restore *conf;
    const struct store_conf *store;
    struct place place[ENV_CATALOG + 1];
    unsigned shards; /* of the backup */
    XXH3_state_t *hash;
    uint64_t octets; /* of the file under way */
    int at;          /* index of the env under way; -1: none */
};

static void path_of(const struct place *place, unsigned index, const char *suffix, char to[4096])
{
    snprintf(to, 4096, "%s/%s%s", place->dir, files_env_data(index), suffix);
}

static void marker_path(const struct store_conf *conf, char to[4096])
{
    snprintf(to, 4096, "%s/RESTORING", conf->path);
}

bool restore_broke_off(const struct store_conf *conf)
{
    char path[4096];
    struct stat st;
    marker_path(conf, path);
    return stat(path, &st) == 0;
}

static enum err failed(struct fault *why, const char *path)
{
    return fault(why, files_error(errno), "%s: %s", path, strerror(errno));
}

/* --- the stream
 * -----------------------------------------------------------------------------------
 */

static bool wanted(const struct restore *r, unsigned index)
{
    return r->conf->shard < 0 || (unsigned)r->conf->shard == index;
}

static enum err take_head(struct restore *r, struct slice text, struct fault *why)
{
    char line[256];
    snprintf(line, sizeof line, SLICE_FMT, SLICE_ARG(text));
    if (sscanf(line, "time %u\nshards %u\n", &r->conf->ret->time, &r->shards) != 2)
        return fault(why, ERR_CORRUPT, "its first block is none that this version writes");
    if (r->shards != (r->store->shards ? r->store->shards : 1))
        return fault(why, ERR_CANNOT,
                     "it has %u shard%s: write that number at [store] shards, then restore it",
                     r->shards, r->shards == 1 ? "" : "s");
    return ERR_OK;
}

static enum err place_open(struct restore *r, unsigned index, struct fault *why)
{
    struct place *place = &r->place[index];
    struct owner owner;
    struct stat st;
    char path[4096];
    place->dir = files_env_dir(r->store, index);
    if (mkdir(place->dir, 0700) != 0 && errno != EEXIST)
        return failed(why, place->dir);
    enum err e = owner_lock(place->dir, &place->owner, &owner, why);
    if (e)
        return e;
    path_of(place, index, "", path);
    if (stat(path, &st) == 0 && !r->conf->replace)
        return fault(why, ERR_EXISTS,
                     "%s is there already: say --replace to lose it, or restore into another "
                     "[store] path",
                     path);
    path_of(place, index, ".restore", path);
    place->fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    return place->fd < 0 ? failed(why, path) : ERR_OK;
}

static enum err take_file(struct restore *r, struct slice name, struct fault *why)
{
    unsigned shard = 0;
    if (slice_eq(name, SLICE("catalog")))
        r->at = ENV_CATALOG;
    else if (name.len == 8 && memcmp(name.ptr, "shard-", 6) == 0 && name.ptr[6] >= '0' &&
             name.ptr[6] <= '9' && name.ptr[7] >= '0' && name.ptr[7] <= '9' &&
             (shard = (unsigned)((name.ptr[6] - '0') * 10 + name.ptr[7] - '0')) < r->shards)
        r->at = (int)shard;
    else
        return fault(why, ERR_CORRUPT, "it names a file that no store has");
    r->octets = 0;
    XXH3_128bits_reset(r->hash);
    if (r->place[r->at].dir)
        return fault(why, ERR_CORRUPT, "it has one file twice");
    return wanted(r, (unsigned)r->at) ? place_open(r, (unsigned)r->at, why) : ERR_OK;
}

static enum err take_octets(struct restore *r, struct slice octets, struct fault *why)
{
    if (r->at < 0)
        return fault(why, ERR_CORRUPT, "it has octets of no file");
    struct place *place = &r->place[r->at];
    XXH3_128bits_update(r->hash, octets.ptr, octets.len);
    r->octets += octets.len;
    r->conf->ret->octets += octets.len;
    while (place->dir && octets.len) {
        ssize_t n = write(place->fd, octets.ptr, octets.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return failed(why, place->dir);
        octets = slice_from(octets, (size_t)n);
    }
    if (r->conf->progress)
        r->conf->progress(r->conf->arg, r->conf->ret->octets);
    return ERR_OK;
}

/* The octets are those that were written; are they a store that this build can open? */
static enum err check_opens(const struct place *place, unsigned index, struct fault *why)
{
    char path[4096], lock[4104];
    struct engine *engine;
    path_of(place, index, ".restore", path);
    struct engine_conf conf = {.path = path,
                               .tables = files_env_tables(index),
                               .accept = files_accept,
                               .arg = path,
                               .map_size = (uint64_t)1 << 30,
                               .read_only = true};
    enum err e = engine_open(&conf, &engine, why);
    if (!e)
        engine_close(engine);
    snprintf(lock, sizeof lock, "%s-lock", path);
    unlink(lock);
    return e;
}

static enum err end_file(struct restore *r, struct slice end, struct fault *why)
{
    unsigned char expected[BACKUP_FILE_END_LEN];
    backup_end_encode(r->octets, XXH3_128bits_digest(r->hash), expected);
    if (r->at < 0 || !slice_eq(end, slice(expected, sizeof expected)))
        return fault(why, ERR_CORRUPT, "a file in it is not as it was written; use another copy");
    struct place *place = &r->place[r->at];
    unsigned index = (unsigned)r->at;
    r->at = -1;
    if (!place->dir)
        return ERR_OK;
    if (fsync(place->fd) != 0)
        return failed(why, place->dir);
    place->whole = true;
    r->conf->ret->files++;
    return check_opens(place, index, why);
}

static enum err take_all(struct restore *r, struct archive_in *in, struct fault *why)
{
    char type;
    struct slice payload;
    enum err e;
    while (!(e = archive_next(in, &type, &payload, why)) && type != BACKUP_END) {
        if (type != BACKUP_HEAD && r->shards == 0)
            return fault(why, ERR_CORRUPT, "it does not begin with what it is");
        switch (type) {
        case BACKUP_HEAD:
            e = take_head(r, payload, why);
            break;
        case BACKUP_FILE:
            e = take_file(r, payload, why);
            break;
        case BACKUP_DATA:
            e = take_octets(r, payload, why);
            break;
        case BACKUP_FILE_END:
            e = end_file(r, payload, why);
            break;
        default:
            e = fault(why, ERR_CORRUPT, "it has a block that this version does not know");
        }
        if (e)
            return e;
    }
    for (unsigned i = 0; !e && i < r->shards; i++)
        if (wanted(r, i) && !r->place[i].whole)
            e = fault(why, ERR_CORRUPT, "it lacks shard %u", i);
    if (!e && wanted(r, ENV_CATALOG) && !r->place[ENV_CATALOG].whole)
        e = fault(why, ERR_CORRUPT, "it lacks the catalog");
    return e;
}

/* --- in its place
 * ---------------------------------------------------------------------------------
 */

static enum err put_place(struct place *place, unsigned index, struct fault *why)
{
    char from[4096], to[4096], lock[4104];
    if (!place->whole)
        return ERR_OK;
    path_of(place, index, ".restore", from);
    path_of(place, index, "", to);
    enum err e = owner_forget(place->owner, place->dir, why);
    if (e)
        return e;
    if (rename(from, to) != 0)
        return failed(why, to);
    snprintf(lock, sizeof lock, "%s-lock", to);
    unlink(lock);
    place->whole = false; /* no `.restore` is left to clear away */
    e = files_sync_dir(place->dir);
    return e ? fault(why, e, "%s: could not be flushed", place->dir) : ERR_OK;
}

static enum err put_all(struct restore *r, struct fault *why)
{
    char marker[4096];
    marker_path(r->store, marker);
    int fd = open(marker, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return failed(why, marker);
    close(fd);
    enum err e = files_sync_dir(r->store->path);
    for (unsigned i = 0; !e && i <= ENV_CATALOG; i++)
        e = put_place(&r->place[i], i, why);
    if (!e && unlink(marker) != 0)
        e = failed(why, marker);
    return e ? e : files_sync_dir(r->store->path);
}

static void clear_away(struct restore *r)
{
    for (unsigned i = 0; i <= ENV_CATALOG; i++) {
        struct place *place = &r->place[i];
        char path[4096];
        if (!place->dir)
            continue;
        if (place->fd >= 0) {
            close(place->fd);
            path_of(place, i, ".restore", path);
            unlink(path);
        }
        if (place->owner >= 0)
            close(place->owner);
        free(place->dir);
    }
}

enum err store_restore(const struct store_conf *conf, const struct store_restore *restore,
                       struct fault *why)
{
    struct restore r = {.conf = restore, .store = conf, .at = -1, .hash = XXH3_createState()};
    struct archive_in in;
    for (unsigned i = 0; i <= ENV_CATALOG; i++)
        r.place[i].owner = r.place[i].fd = -1;
    *restore->ret = (struct store_restored){0};
    enum err e = files_root(conf, why);
    if (!e) {
        e = archive_open(&in, &restore->source, "backup", why);
        if (!e)
            e = take_all(&r, &in, why);
        archive_close(&in);
    }
    if (!e)
        e = put_all(&r, why);
    clear_away(&r);
    XXH3_freeState(r.hash);
    return e;
}
