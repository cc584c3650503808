#include "store/live.h"

#include <assert.h>
#include <stdatomic.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/siphash.h"
#include "core/net/loop.h"

enum { SHARDS = 64, BUCKETS = 64, DEAD_MS = 60000, GRACE_MS = 2000 };

struct store_live {
    struct live_entry *entry;
    struct store_live *prev, *next; /* sessions of the account */
    struct store_live_conf conf;
    uint64_t stalled_ms; /* output unacknowledged since; 0 = none */
    unsigned char address[16];
    char client[64];
    uint32_t since;
    _Atomic uint64_t active_ms; /* by the session, without the lock */
    _Atomic uint32_t mailbox;
};

struct live_entry {
    struct live_entry *next;
    struct live_shard *shard;
    struct live_entry **bucket;
    uint32_t a;
    struct store_live *sessions;
    struct store_live *maildrop; /* who has the lock */
    uint64_t told_ms;            /* its holder was told to go; 0 = not */
};

struct live_table {
    struct siphash_key key;
    struct live_shard {
        pthread_mutex_t lock;
        struct live_entry *bucket[BUCKETS];
    } shard[SHARDS];
};

struct live_table *live_new(struct store *store)
{
    struct live_table *table = mem_new(sizeof *table);
    table->key = siphash_key_from(store->sip_key);
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&table->shard[i].lock, NULL);
    return table;
}

void live_free(struct live_table *table)
{
    if (!table)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned j = 0; j < BUCKETS; j++)
            assert(!table->shard[i].bucket[j]);
        pthread_mutex_destroy(&table->shard[i].lock);
    }
    mem_free(table);
}

/* Where an account belongs. Accounts are numbered over all shards of the store. */
struct where {
    struct live_shard *shard;
    struct live_entry **bucket;
};

static struct where where(struct live_table *table, uint32_t a)
{
    uint64_t hash = siphash(table->key, slice(&a, sizeof a));
    struct live_shard *shard = &table->shard[hash % SHARDS];
    return (struct where){shard, &shard->bucket[hash / SHARDS % BUCKETS]};
}

/* Under the shard's lock. NULL: nobody of that account is in. */
static struct live_entry *find(struct where at, uint32_t a)
{
    struct live_entry *entry = *at.bucket;
    while (entry && entry->a != a)
        entry = entry->next;
    return entry;
}

static bool over_limit(const struct live_entry *entry, const struct store_live_conf *conf)
{
    unsigned all = 0, same_peer = 0;
    for (const struct store_live *l = entry ? entry->sessions : NULL; l; l = l->next) {
        all++;
        same_peer += l->conf.peer_key == conf->peer_key;
    }
    return (conf->per_user && all >= conf->per_user) ||
           (conf->per_user_address && same_peer >= conf->per_user_address);
}

static struct live_entry *entry_new(struct where at, uint32_t a)
{
    struct live_entry *entry = mem_new(sizeof *entry);
    *entry =
        (struct live_entry){.next = *at.bucket, .shard = at.shard, .bucket = at.bucket, .a = a};
    *at.bucket = entry;
    return entry;
}

enum err store_live_enter(struct store_account *account, const struct store_live_conf *conf,
                          struct store_live **ret)
{
    struct where at = where(account->store->live, account->a);
    pthread_mutex_lock(&at.shard->lock);
    struct live_entry *entry = find(at, account->a);
    if (over_limit(entry, conf)) {
        pthread_mutex_unlock(&at.shard->lock);
        return ERR_LIMIT;
    }
    if (!entry)
        entry = entry_new(at, account->a);
    struct store_live *live = mem_new(sizeof *live);
    *live = (struct store_live){.entry = entry,
                                .next = entry->sessions,
                                .conf = *conf,
                                .since = clock_wall(),
                                .active_ms = clock_mono_ms()};
    if (live->next)
        live->next->prev = live;
    entry->sessions = live;
    pthread_mutex_unlock(&at.shard->lock);
    *ret = live;
    return ERR_OK;
}

static void unlock_maildrop(struct store_live *live)
{
    struct live_entry *entry = live->entry;
    if (entry->maildrop != live)
        return;
    entry->maildrop = NULL;
    entry->told_ms = 0;
}

void store_live_leave(struct store_live *live)
{
    if (!live)
        return;
    struct live_entry *entry = live->entry;
    struct live_shard *shard = entry->shard;
    pthread_mutex_lock(&shard->lock);
    unlock_maildrop(live);
    if (live->next)
        live->next->prev = live->prev;
    if (live->prev)
        live->prev->next = live->next;
    else
        entry->sessions = live->next;
    if (!entry->sessions) {
        struct live_entry **at = entry->bucket;
        while (*at != entry)
            at = &(*at)->next;
        *at = entry->next;
        mem_free(entry);
    }
    pthread_mutex_unlock(&shard->lock);
    mem_free(live);
}

/* --- kick ------------------------------------------------------------------------------------ */

struct kick {
    struct post post;
    uint64_t id;
    void (*run)(void *object);
};

static void kicked(struct loop *loop, struct post *post)
{
    struct kick *kick = (struct kick *)post; /* its first member */
    void *object = loop_id_find(loop, kick->id);
    if (object)
        kick->run(object);
    mem_free(kick);
}

/* Under the shard's lock, so that the session and with it the loop is still there. */
static void tell_to_go(const struct store_live *live)
{
    if (!live->conf.loop || !live->conf.kick)
        return;
    struct kick *kick = mem_new(sizeof *kick);
    *kick = (struct kick){.post.run = kicked, .id = live->conf.id, .run = live->conf.kick};
    loop_post(live->conf.loop, &kick->post);
}

unsigned store_live_kick(struct store *store, uint32_t acct)
{
    struct where at = where(store->live, acct);
    unsigned n = 0;
    pthread_mutex_lock(&at.shard->lock);
    struct live_entry *entry = find(at, acct);
    for (const struct store_live *l = entry ? entry->sessions : NULL; l; l = l->next, n++)
        tell_to_go(l);
    pthread_mutex_unlock(&at.shard->lock);
    return n;
}

/* --- who --------------------------------------------------------------------------------------
 */

void store_live_origin(struct store_live *live, const unsigned char address[16],
                       struct slice client)
{
    if (!live)
        return;
    client = slice_first(client, sizeof live->client - 1);
    pthread_mutex_lock(&live->entry->shard->lock);
    memcpy(live->address, address, sizeof live->address);
    if (client.len)
        memcpy(live->client, client.ptr, client.len);
    live->client[client.len] = '\0';
    pthread_mutex_unlock(&live->entry->shard->lock);
}

void store_live_active(struct store_live *live, uint32_t mailbox)
{
    if (!live)
        return;
    atomic_store_explicit(&live->active_ms, clock_mono_ms(), memory_order_relaxed);
    atomic_store_explicit(&live->mailbox, mailbox, memory_order_relaxed);
}

/* Shard by shard, each under its lock: `each` only copies, or posts. */
static void walk(struct live_table *table, void (*each)(void *arg, const struct store_live *live),
                 void *arg)
{
    for (unsigned i = 0; i < SHARDS; i++) {
        struct live_shard *shard = &table->shard[i];
        pthread_mutex_lock(&shard->lock);
        for (unsigned j = 0; j < BUCKETS; j++)
            for (const struct live_entry *entry = shard->bucket[j]; entry; entry = entry->next)
                for (const struct store_live *l = entry->sessions; l; l = l->next)
                    each(arg, l);
        pthread_mutex_unlock(&shard->lock);
    }
}

struct list {
    struct store_live_info *info;
    size_t n, cap;
    uint64_t now_ms;
};

static void list_one(void *arg, const struct store_live *live)
{
    struct list *list = arg;
    uint64_t active_ms = atomic_load_explicit(&live->active_ms, memory_order_relaxed);
    if (list->n == list->cap) {
        list->cap = list->cap ? 2 * list->cap : 64;
        list->info = mem_resize(list->info, list->cap * sizeof *list->info);
    }
    struct store_live_info *info = &list->info[list->n++];
    *info = (struct store_live_info){
        .acct = live->entry->a,
        .proto = live->conf.proto,
        .session = live->conf.session,
        .since = live->since,
        .idle_ms = list->now_ms > active_ms ? list->now_ms - active_ms : 0,
        .mailbox = atomic_load_explicit(&live->mailbox, memory_order_relaxed)};
    memcpy(info->address, live->address, sizeof info->address);
    memcpy(info->client, live->client, sizeof info->client);
}

size_t store_live_list(struct store *store, struct store_live_info **ret)
{
    struct list list = {.now_ms = clock_mono_ms()};
    walk(store->live, list_one, &list);
    *ret = list.info;
    return list.n;
}

struct sought {
    uint64_t session;
    unsigned n;
};

static void kick_one(void *arg, const struct store_live *live)
{
    struct sought *sought = arg;
    if (live->conf.session != sought->session)
        return;
    tell_to_go(live);
    sought->n++;
}

unsigned store_live_kick_session(struct store *store, uint64_t session)
{
    struct sought sought = {.session = session};
    walk(store->live, kick_one, &sought);
    return sought.n;
}

/* --- the maildrop lock -------------------------------------------------------------------------
 */

void store_live_stalled(struct store_live *live, uint64_t since_ms)
{
    pthread_mutex_lock(&live->entry->shard->lock);
    live->stalled_ms = since_ms;
    pthread_mutex_unlock(&live->entry->shard->lock);
}

static bool looks_dead(const struct store_live *holder, uint64_t now_ms)
{
    return holder->stalled_ms && now_ms >= holder->stalled_ms + DEAD_MS;
}

/* free --take--> held --a second login--> refused while the holder lives;
 *                  |                      told to go when it looks dead, and then
 *                  +--release, leave--> free, or taken over 2 s later */
enum err live_maildrop_take(struct store_live *live)
{
    struct live_entry *entry = live->entry;
    uint64_t now = clock_mono_ms();
    enum err e = ERR_OK;
    pthread_mutex_lock(&entry->shard->lock);
    const struct store_live *holder = entry->maildrop;
    if (!holder)
        e = ERR_OK;
    else if (holder == live || holder->conf.peer_key != live->conf.peer_key ||
             !(entry->told_ms || looks_dead(holder, now)))
        e = ERR_BUSY;
    else if (!entry->told_ms || now < entry->told_ms + GRACE_MS)
        e = ERR_AGAIN;
    if (e == ERR_AGAIN && !entry->told_ms) {
        tell_to_go(holder);
        entry->told_ms = now;
    }
    if (!e) {
        entry->maildrop = live;
        entry->told_ms = 0;
    }
    pthread_mutex_unlock(&entry->shard->lock);
    return e;
}

void live_maildrop_release(struct store_live *live)
{
    pthread_mutex_lock(&live->entry->shard->lock);
    unlock_maildrop(live);
    pthread_mutex_unlock(&live->entry->shard->lock);
}
