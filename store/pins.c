#include "store/pins.h"

#include <assert.h>
#include <pthread.h>
#include <stddef.h>

#include "core/base/mem.h"

enum { SHARDS = 64, BUCKETS = 64 };

struct pin {
    struct pin *next;
    uint64_t blob;
    uint32_t count;
};

struct pins {
    struct pin_shard {
        pthread_mutex_t lock;
        struct pin *bucket[BUCKETS];
    } shard[SHARDS];
};

/* Ids are given one after the other: neighbours should not share a lock. */
static struct pin_shard *shard_of(struct pins *pins, uint64_t blob)
{
    return &pins->shard[blob % SHARDS];
}

/* Under the shard's lock: the place of `blob` in its chain; *place is NULL when it is not there. */
static struct pin **place(struct pin_shard *shard, uint64_t blob)
{
    struct pin **at = &shard->bucket[blob / SHARDS % BUCKETS];
    while (*at && (*at)->blob != blob)
        at = &(*at)->next;
    return at;
}

struct pins *pins_new(void)
{
    struct pins *pins = mem_new(sizeof *pins);
    for (unsigned i = 0; i < SHARDS; i++)
        pthread_mutex_init(&pins->shard[i].lock, NULL);
    return pins;
}

void pins_free(struct pins *pins)
{
    if (!pins)
        return;
    for (unsigned i = 0; i < SHARDS; i++) {
        for (unsigned j = 0; j < BUCKETS; j++)
            assert(!pins->shard[i].bucket[j]);
        pthread_mutex_destroy(&pins->shard[i].lock);
    }
    mem_free(pins);
}

void pin_add(struct pins *pins, uint64_t blob)
{
    struct pin_shard *shard = shard_of(pins, blob);
    pthread_mutex_lock(&shard->lock);
    struct pin **at = place(shard, blob);
    if (!*at) {
        *at = mem_new(sizeof **at);
        (*at)->blob = blob;
    }
    (*at)->count++;
    pthread_mutex_unlock(&shard->lock);
}

void pin_drop(struct pins *pins, uint64_t blob)
{
    struct pin_shard *shard = shard_of(pins, blob);
    pthread_mutex_lock(&shard->lock);
    struct pin **at = place(shard, blob), *pin = *at;
    assert(pin);
    if (--pin->count == 0) {
        *at = pin->next;
        mem_free(pin);
    }
    pthread_mutex_unlock(&shard->lock);
}

bool pin_has(struct pins *pins, uint64_t blob)
{
    struct pin_shard *shard = shard_of(pins, blob);
    pthread_mutex_lock(&shard->lock);
    bool has = *place(shard, blob) != NULL;
    pthread_mutex_unlock(&shard->lock);
    return has;
}
