#include "core/net/peer.h"

#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/siphash.h"

enum {
    SHARDS = 64,
    BUCKETS = 256,       /* per shard */
    ENTRIES_MAX = 2048,  /* per shard: beyond, those that were idle longest make room */
    SWEEP_EVERY = 256,   /* new entries between two looks for aged ones */
    AGE_MS = 15 * 60000, /* failures are forgotten, idle entries go */
};

struct entry {
    uint64_t key;
    struct entry *next;
    uint64_t touched_ms;
    uint64_t failed_ms; /* the latest failure */
    uint64_t log_ms;    /* when log_milli was right */
    uint64_t log_milli; /* thousandths of a line that may still be logged */
    uint32_t connections;
    uint32_t failures;
};

struct shard {
    pthread_mutex_t lock;
    struct entry *buckets[BUCKETS];
    unsigned entries, made;
};

struct peers {
    struct siphash_key secret;
    struct shard shards[SHARDS];
};

struct peers *peers_new(void)
{
    struct peers *peers = mem_new(sizeof *peers);
    peers->secret = siphash_key_random();
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&peers->shards[i].lock, NULL);
    return peers;
}

void peers_free(struct peers *peers)
{
    if (!peers)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        struct shard *shard = &peers->shards[i];
        for (unsigned b = 0; b < BUCKETS; b++)
            while (shard->buckets[b]) {
                struct entry *entry = shard->buckets[b];
                shard->buckets[b] = entry->next;
                mem_free(entry);
            }
        pthread_mutex_destroy(&shard->lock);
    }
    mem_free(peers);
}

uint64_t peer_key(const struct peers *peers, const struct sockaddr_storage *address)
{
    char text[9] = {0};
    size_t len = 1; /* unix: all are one */
    if (address->ss_family == AF_INET) {
        const struct sockaddr_in *in = (const struct sockaddr_in *)address;
        text[0] = 4;
        memcpy(text + 1, &in->sin_addr, 4);
        len = 5;
    } else if (address->ss_family == AF_INET6) {
        const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
        bool mapped = IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
        text[0] = mapped ? 4 : 6;
        len = mapped ? 5 : 9;
        memcpy(text + 1, in6->sin6_addr.s6_addr + (mapped ? 12 : 0), len - 1);
    }
    return siphash(peers->secret, slice(text, len));
}

/* --- entries, under the shard's lock ---------------------------------------------------------- */

static struct shard *shard_of(struct peers *peers, uint64_t key)
{
    return &peers->shards[key % SHARDS];
}

static struct entry **bucket_of(struct shard *shard, uint64_t key)
{
    return &shard->buckets[key / SHARDS % BUCKETS];
}

static struct entry *find(struct shard *shard, uint64_t key)
{
    struct entry *entry = *bucket_of(shard, key);
    while (entry && entry->key != key)
        entry = entry->next;
    return entry;
}

/* Drop the entries without connections that were idle for `age`. */
static void sweep(struct shard *shard, uint64_t now, uint64_t age)
{
    for (unsigned b = 0; b < BUCKETS; b++)
        for (struct entry **at = &shard->buckets[b]; *at;) {
            struct entry *entry = *at;
            if (entry->connections || now - entry->touched_ms < age) {
                at = &entry->next;
                continue;
            }
            *at = entry->next;
            mem_free(entry);
            shard->entries--;
        }
}

/* Many at a time, so that a flood of new addresses does not pay a sweep for each. */
static void make_room(struct shard *shard, uint64_t now)
{
    for (uint64_t age = AGE_MS; shard->entries >= ENTRIES_MAX; age /= 2) {
        sweep(shard, now, age);
        if (!age)
            return;
    }
}

/* NULL: the table is full of addresses with connections. */
static struct entry *find_or_make(struct shard *shard, uint64_t key)
{
    uint64_t now = clock_mono_ms();
    struct entry *entry = find(shard, key);
    if (!entry) {
        if (++shard->made % SWEEP_EVERY == 0)
            sweep(shard, now, AGE_MS);
        make_room(shard, now);
        if (shard->entries >= ENTRIES_MAX)
            return NULL;
        entry = mem_new(sizeof *entry);
        entry->key = key;
        entry->next = *bucket_of(shard, key);
        *bucket_of(shard, key) = entry;
        shard->entries++;
    }
    entry->touched_ms = now;
    return entry;
}

/* --- what is counted -------------------------------------------------------------------------- */

bool peer_connect(struct peers *peers, uint64_t key, unsigned max)
{
    struct shard *shard = shard_of(peers, key);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find_or_make(shard, key);
    bool ok = entry && entry->connections < max;
    if (ok)
        entry->connections++;
    pthread_mutex_unlock(&shard->lock);
    return ok;
}

void peer_disconnect(struct peers *peers, uint64_t key)
{
    struct shard *shard = shard_of(peers, key);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find(shard, key);
    if (entry && entry->connections)
        entry->connections--;
    pthread_mutex_unlock(&shard->lock);
}

uint64_t peer_failed(struct peers *peers, uint64_t key, uint64_t min_ms, uint64_t max_ms)
{
    struct shard *shard = shard_of(peers, key);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find_or_make(shard, key);
    uint64_t delay = entry ? min_ms : max_ms;
    if (entry) {
        if (entry->touched_ms - entry->failed_ms > AGE_MS)
            entry->failures = 0;
        entry->failed_ms = entry->touched_ms;
        for (unsigned i = 0; i < entry->failures && delay && delay < max_ms; i++)
            delay *= 2;
        entry->failures++;
    }
    pthread_mutex_unlock(&shard->lock);
    return delay < max_ms ? delay : max_ms;
}

unsigned peer_failures(struct peers *peers, uint64_t key)
{
    struct shard *shard = shard_of(peers, key);
    pthread_mutex_lock(&shard->lock);
    const struct entry *entry = find(shard, key);
    bool fresh = entry && clock_mono_ms() - entry->failed_ms <= AGE_MS;
    unsigned n = fresh ? entry->failures : 0;
    pthread_mutex_unlock(&shard->lock);
    return n;
}

bool peer_may_log(struct peers *peers, uint64_t key, unsigned rate)
{
    struct shard *shard = shard_of(peers, key);
    pthread_mutex_lock(&shard->lock);
    struct entry *entry = find_or_make(shard, key);
    bool ok = false;
    if (entry) {
        uint64_t full = (uint64_t)rate * 1000, now = entry->touched_ms;
        uint64_t idle = entry->log_ms ? now - entry->log_ms : 1000;
        entry->log_milli += (idle < 1000 ? idle : 1000) * rate;
        if (entry->log_milli > full)
            entry->log_milli = full;
        entry->log_ms = now;
        ok = entry->log_milli >= 1000;
        if (ok)
            entry->log_milli -= 1000;
    }
    pthread_mutex_unlock(&shard->lock);
    return ok;
}
