/* Opening and closing the whole store. */
#include "store/commit.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/account.h"
#include "store/column.h"
#include "store/expire.h"
#include "store/files.h"
#include "store/gone.h"
#include "store/lazy.h"
#include "store/live.h"
#include "store/policy.h"
#include "store/reap.h"
#include "store/restore.h"
#include "store/retire.h"
#include "store/snapshot.h"
#include "store/sweep.h"
#include "store/trim.h"
#include "store/window.h"

static enum err open_envs(struct store *store, struct fault *why)
{
    enum err e = env_open(store, ENV_CATALOG, &store->catalog, why);
    for (unsigned i = 0; !e && i < store->nshards; i++)
        e = env_open(store, i, &store->shard[i], why);
    if (!e && files_shard_exists(&store->conf, store->nshards))
        e = fault(why, ERR_CORRUPT, "%s: there is a shard-%02u, but [store] shards = %u: raise it",
                  store->path, store->nshards, store->nshards);
    return e;
}

static enum err start_committer(struct env *env)
{
    enum err e = committer_new(env, &env->committer);
    if (!e && env->index != ENV_CATALOG) {
        reap_register(env);
        gone_register(env);
        sweep_register(env);
        trim_register(env);
        window_register(env);
        expire_register(env);
        lazy_register(env);
        retire_register(env);
    }
    if (!e)
        committer_start(env->committer);
    return e;
}

enum err store_open(const struct store_conf *conf, struct store **ret, struct fault *why)
{
    struct store *store = mem_new(sizeof *store);
    store->conf = *conf;
    store->conf.path = store->path = strdup(conf->path);
    store->conf.allow_fs = conf->allow_fs ? strdup(conf->allow_fs) : NULL;
    store->nshards = conf->shards ? conf->shards : 1;
    if (!store->conf.log_days)
        store->conf.log_days = 90;
    if (!store->conf.log_rows)
        store->conf.log_rows = 20000;
    pthread_mutex_init(&store->readers_lock, NULL);
    chains_init(&store->chains);
    random_bytes(store->sip_key, sizeof store->sip_key);
    policy_start(store);
    store->live = live_new(store);
    store->boxes = boxes_new(store);
    store->columns = columns_new();
    enum err e = files_root(&store->conf, why);
    if (!e && restore_broke_off(conf))
        e = fault(why, ERR_CORRUPT,
                  "%s: a restore broke off here: run 'tandem restore' again, with --replace",
                  conf->path);
    if (!e)
        e = open_envs(store, why);
    if (!e && !conf->read_only)
        e = account_recover(store, why);
    if (!e && !conf->read_only) {
        e = start_committer(store->catalog);
        for (unsigned i = 0; !e && i < store->nshards; i++)
            e = start_committer(store->shard[i]);
    }
    if (e) {
        store_close(store);
        return e;
    }
    *ret = store;
    return ERR_OK;
}

void store_start(struct store *store, struct pool *pool)
{
    store->pool = pool;
}

void store_stop(struct store *store)
{
    /* Shards first: what they still do may need the catalog, never the other way round. */
    for (unsigned i = 0; i < store->nshards; i++)
        if (store->shard[i] && store->shard[i]->committer) {
            lazy_stop(store->shard[i]);
            committer_stop(store->shard[i]->committer);
        }
    if (store->catalog && store->catalog->committer)
        committer_stop(store->catalog->committer);
}

void store_close(struct store *store)
{
    if (!store)
        return;
    bool served = store->catalog && store->catalog->committer;
    store_stop(store);
    for (unsigned i = 0; i < store->nshards; i++)
        if (store->shard[i])
            committer_free(store->shard[i]->committer);
    if (store->catalog)
        committer_free(store->catalog->committer);
    while (store->readers)
        store_reader_free(store->readers);
    for (unsigned i = 0; i < store->nshards; i++)
        env_close(store->shard[i], served);
    env_close(store->catalog, served);
    boxes_free(store->boxes);
    columns_free(store->columns);
    live_free(store->live);
    policy_stop(store);
    pthread_mutex_destroy(&store->readers_lock);
    chains_finish(&store->chains);
    free(store->path);
    free((char *)(uintptr_t)store->conf.allow_fs);
    mem_free(store);
}
