/* Readers: one per loop or worker, one reusable snapshot per env, and a slot in every env's gate.
 *
 *      idle (0) --reader_snap--> BUSY --renew--> id of the snapshot --store_reader_idle--> 0
 *
 * BUSY is published before the renew: whoever is about to destroy what an old snapshot may see must
 * not slip in between the choice of the snapshot and its announcement (store/README.md, "grace
 * gate"). All of it is sequentially consistent. */
#include "store/env.h"

#include <assert.h>

#include "core/base/mem.h"
#include "core/net/loop.h"
#include "store/lately.h"
#include "store/sched.h"

static struct env *env_at(struct store *store, unsigned i)
{
    return i == ENV_CATALOG ? store->catalog : store->shard[i];
}

static void idle_at_turn_end(struct loop *loop, void *arg)
{
    (void)loop;
    store_reader_idle(arg);
}

enum err store_reader_new(struct store *store, struct loop *loop, struct store_reader **ret)
{
    struct store_reader *reader = mem_new(sizeof *reader);
    reader->store = store;
    reader->loop = loop;
    pthread_mutex_lock(&store->readers_lock);
    unsigned slot = 0;
    while (slot < READER_SLOTS && store->slots_used[slot / 64] >> (slot % 64) & 1)
        slot++;
    if (slot < READER_SLOTS) {
        store->slots_used[slot / 64] |= (uint64_t)1 << (slot % 64);
        reader->next = store->readers;
        store->readers = reader;
    }
    pthread_mutex_unlock(&store->readers_lock);
    if (slot == READER_SLOTS) {
        mem_free(reader);
        return ERR_LIMIT;
    }
    reader->slot = slot;
    if (loop) {
        reader->lately = mem_new(sizeof *reader->lately);
        loop_at_turn_end(loop, idle_at_turn_end, reader);
    }
    *ret = reader;
    return ERR_OK;
}

void store_reader_free(struct store_reader *reader)
{
    if (!reader)
        return;
    store_reader_idle(reader);
    for (unsigned i = 0; i <= SHARDS_MAX; i++)
        engine_snap_free(reader->snap[i]);
    struct store *store = reader->store;
    pthread_mutex_lock(&store->readers_lock);
    struct store_reader **at = &store->readers;
    while (*at != reader)
        at = &(*at)->next;
    *at = reader->next;
    store->slots_used[reader->slot / 64] &= ~((uint64_t)1 << (reader->slot % 64));
    pthread_mutex_unlock(&store->readers_lock);
    mem_free(reader->lately);
    mem_free(reader);
}

struct store_reader *store_reader_of(struct store *store, struct loop *loop)
{
    pthread_mutex_lock(&store->readers_lock);
    struct store_reader *reader = store->readers;
    while (reader && reader->loop != loop)
        reader = reader->next;
    pthread_mutex_unlock(&store->readers_lock);
    return reader;
}

enum err reader_snap(struct store_reader *reader, struct env *env, struct engine_txn **ret)
{
    unsigned i = env->index;
    if (reader->live[i]) {
        *ret = reader->snap[i];
        return ERR_OK;
    }
    enum err e = ERR_OK;
    if (!reader->snap[i])
        e = engine_snap_new(env->engine, &reader->snap[i]);
    if (e)
        return e;
    gate_enter(env, reader->slot);
    SCHED_POINT("reader: busy, not yet renewed");
    e = engine_snap_renew(reader->snap[i]);
    if (e) {
        atomic_store(&env->gate[reader->slot], 0);
        return e;
    }
    SCHED_POINT("reader: renewed, not yet announced");
    atomic_store(&env->gate[reader->slot], engine_txn_id(reader->snap[i]));
    reader->live[i] = reader->any_live = true;
    *ret = reader->snap[i];
    return ERR_OK;
}

void store_reader_idle(struct store_reader *reader)
{
    if (!reader->any_live)
        return;
    for (unsigned i = 0; i <= SHARDS_MAX; i++)
        if (reader->live[i]) {
            engine_snap_reset(reader->snap[i]);
            reader->live[i] = false;
            SCHED_POINT("reader: reset, slot not yet cleared");
            atomic_store(&env_at(reader->store, i)->gate[reader->slot], 0);
        }
    reader->any_live = false;
}

bool reader_is_behind(const struct store_reader *reader, const struct env *env, uint64_t txn)
{
    return reader->live[env->index] && engine_txn_id(reader->snap[env->index]) < txn;
}
