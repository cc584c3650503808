/* A backup: the file of every environment as of one moment, in one stream (store/archive.h).
 *
 *      each env:   a thread of its own --- engine_copy ---> pipe
 *      caller:     hold the chains; start all threads (a pipe with octets has its snapshot);
 *                  raise all generations; release the chains;
 *                  then read one pipe after the other into the stream
 *
 * The copies whose turn has not come wait in their full pipes, each with its snapshot: what is
 * freed meanwhile is not reused, so the files grow by what is written during a backup.
 *
 * Blocks of the stream: H what it is, F a file begins (its env's directory), D octets of it, E it
 * ends (u64 length, XXH3-128), Z all is said. */
#include "store/backup.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/admin.h"
#include "store/archive.h"
#include "store/commit.h"
#include "store/files.h"
#include "store/owner.h"

enum { AHEAD = 8 << 20 };

struct copy {
    struct env *env;
    pthread_t thread;
    bool started;
    int from, to;    /* the pipe's ends */
    int data;        /* the env's file, for reading ahead; -1: without */
    enum err result; /* of the thread, once it has been joined */
};

static void *copy_thread(void *arg)
{
    struct copy *copy = arg;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE); /* an error will do, when nobody reads any more */
    pthread_sigmask(SIG_BLOCK, &pipe, NULL);
    pthread_setname_np(pthread_self(), "tandem-backup");
    copy->result = engine_copy(copy->env->engine, copy->to);
    close(copy->to);
    return NULL;
}

/* Returns when the copy has its snapshot. */
static enum err copy_start(struct copy *copy, struct env *env)
{
    int ends[2];
    char path[4096];
    *copy = (struct copy){.from = -1, .data = -1};
    if (pipe2(ends, O_CLOEXEC) != 0)
        return ERR_DOWN;
    snprintf(path, sizeof path, "%s/%s", env->dir, files_env_data(env->index));
    *copy = (struct copy){
        .env = env, .from = ends[0], .to = ends[1], .data = open(path, O_RDONLY | O_CLOEXEC)};
    if (pthread_create(&copy->thread, NULL, copy_thread, copy) != 0) {
        close(copy->to);
        return ERR_DOWN;
    }
    copy->started = true;
    struct pollfd p = {.fd = copy->from, .events = POLLIN};
    while (poll(&p, 1, -1) < 0 && errno == EINTR)
        ;
    return ERR_OK; /* if the copy has failed, its pipe ends at once */
}

static enum err copy_join(struct copy *copy)
{
    if (copy->from >= 0)
        close(copy->from); /* a thread that still writes stops */
    if (copy->data >= 0)
        close(copy->data);
    if (copy->started)
        pthread_join(copy->thread, NULL);
    *copy = (struct copy){.from = -1, .data = -1, .result = copy->result};
    return copy->result;
}

/* --- the generation
 * -------------------------------------------------------------------------------
 */

/* From here on the copies are older than what lies there: put in its place they are known as such
 * (raise_generation in files.c). sys first, then OWNER. */

struct raise_op {
    struct op op;
    uint64_t *ret;
};

static enum err raise_apply(struct op *base, struct turn *turn)
{
    *((struct raise_op *)base)->ret = ++turn->env->generation;
    return env_state_save(turn, false);
}

static void raise_release(struct op *op)
{
    mem_free(op);
}

static const struct op_kind raise_kind = {"generation", raise_apply, raise_release, false, NULL};

static enum err generation_raise(struct env *env, struct fault *why)
{
    uint64_t generation = 0;
    struct store_wait *wait = store_wait_new();
    struct raise_op *op = mem_new(sizeof *op);
    op->op = (struct op){
        .kind = &raise_kind, .env = env, .pages = 4, .internal = true, .to = store_wait_to(wait)};
    op->ret = &generation;
    committer_submit(env->committer, &op->op);
    enum err e = store_wait(wait, NULL);
    if (e)
        return fault(why, e, "%s: the backup could not be noted", env->dir);
    return owner_write(env->owner_fd, generation, env->dir, why);
}

/* --- the stream
 * -----------------------------------------------------------------------------------
 */

void backup_end_encode(uint64_t octets, XXH128_hash_t hash, unsigned char *to)
{
    XXH128_canonical_t canonical;
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(octets >> (56 - 8 * i));
    XXH128_canonicalFromHash(&canonical, hash);
    memcpy(to + 8, &canonical, sizeof canonical);
}

struct pace { /* [backup] rate */
    uint64_t rate, octets, began_ms;
};

static void pace_keep(struct pace *pace, size_t octets)
{
    pace->octets += octets;
    if (!pace->rate)
        return;
    uint64_t due = pace->octets * 1000 / pace->rate, gone = clock_mono_ms() - pace->began_ms;
    if (due > gone)
        poll(NULL, 0, (int)(due - gone < 1000 ? due - gone : 1000));
}

/* As much as a block takes; 0 at the end. */
static ssize_t read_block(int fd, char *block)
{
    size_t len = 0;
    ssize_t n = 1;
    while (len < ARCHIVE_BLOCK_MAX && n > 0) {
        n = read(fd, block + len, ARCHIVE_BLOCK_MAX - len);
        if (n < 0 && errno == EINTR)
            n = 1;
        else if (n > 0)
            len += (size_t)n;
    }
    return n < 0 ? -1 : (ssize_t)len;
}

static enum err put_env(struct archive_out *out, struct copy *copy, struct pace *pace, char *block,
                        const struct store_backup *conf)
{
    char name[16];
    int len =
        snprintf(name, sizeof name, copy->env->index == ENV_CATALOG ? "catalog" : "shard-%02u",
                 copy->env->index);
    XXH3_state_t *hash = XXH3_createState();
    uint64_t octets = 0;
    ssize_t n = 0;
    XXH3_128bits_reset(hash);
    enum err e = archive_put(out, BACKUP_FILE, slice(name, (size_t)len));
    while (!e && (n = read_block(copy->from, block)) > 0) {
        XXH3_128bits_update(hash, block, (size_t)n);
        octets += (uint64_t)n;
        if (copy->data >= 0) /* the map is read page by page: have the next ones fetched together */
            (void)posix_fadvise(copy->data, (off_t)octets + (64 << 10), AHEAD, POSIX_FADV_WILLNEED);
        e = archive_put(out, BACKUP_DATA, slice(block, (size_t)n));
        pace_keep(pace, (size_t)n);
        if (conf->progress)
            conf->progress(conf->arg, pace->octets);
    }
    unsigned char end[BACKUP_FILE_END_LEN];
    backup_end_encode(octets, XXH3_128bits_digest(hash), end);
    XXH3_freeState(hash);
    if (!e && n < 0)
        e = ERR_DOWN;
    enum err copied = copy_join(copy);
    if (!e)
        e = copied;
    return e ? e : archive_put(out, BACKUP_FILE_END, slice(end, sizeof end));
}

static enum err put_all(struct copy *copies, size_t n, const struct store_backup *conf)
{
    struct archive_out out;
    struct pace pace = {.rate = conf->rate, .began_ms = clock_mono_ms()};
    char head[128];
    char *block = mem_new(ARCHIVE_BLOCK_MAX);
    int len = snprintf(head, sizeof head, "time %u\nshards %u\n", clock_wall(),
                       copies[0].env->store->nshards);
    enum err e = archive_begin(&out, &conf->sink, "backup");
    if (!e)
        e = archive_put(&out, BACKUP_HEAD, slice(head, (size_t)len));
    for (size_t i = 0; !e && i < n; i++)
        e = put_env(&out, &copies[i], &pace, block, conf);
    mem_free(block);
    return e ? e : archive_put(&out, BACKUP_END, SLICE_NONE);
}

uint64_t store_backup_octets(struct store *store)
{
    uint64_t sum = 0;
    struct engine_space space;
    for (unsigned i = 0; i < store->nshards; i++)
        if (!engine_space(store->shard[i]->engine, false, &space))
            sum += space.file_octets;
    return engine_space(store->catalog->engine, false, &space) ? sum : sum + space.file_octets;
}

enum err store_backup(struct store *store, const struct store_backup *conf, struct fault *why)
{
    struct copy copies[SHARDS_MAX + 1];
    size_t n = 0;
    enum err e = ERR_OK;
    chains_hold(&store->chains);
    e = copy_start(&copies[n++], store->catalog);
    for (unsigned i = 0; !e && i < store->nshards; i++)
        e = copy_start(&copies[n++], store->shard[i]);
    if (e)
        fault(why, e, "no copy could be begun: %s", strerror(errno));
    for (size_t i = 0; !e && i < n; i++) /* held still: OWNER is not for two backups at once */
        e = generation_raise(copies[i].env, why);
    chains_release(&store->chains);
    if (!e && (e = put_all(copies, n, conf)))
        fault(why, e, "the copy broke off: %s", err_text(e));
    for (size_t i = 0; i < n; i++)
        (void)copy_join(&copies[i]);
    return e;
}
