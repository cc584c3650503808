#include "lmtp/halves.h"

#include <pthread.h>
#include <xxhash.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/random.h"

enum { HALVES_MAX = 1024, HALF_MS = 60 * 60 * 1000 };

struct half {
    struct half_key key;
    uint64_t born_ms;
    uint32_t *accounts; /* NULL: free */
    size_t n;
};

struct halves {
    pthread_mutex_t lock;
    uint64_t seed;
    struct half table[HALVES_MAX];
};

struct halves *halves_new(void)
{
    struct halves *halves = mem_new(sizeof *halves);
    pthread_mutex_init(&halves->lock, NULL);
    halves->seed = random_u64();
    return halves;
}

void halves_free(struct halves *halves)
{
    if (!halves)
        return;
    for (size_t i = 0; i < HALVES_MAX; i++)
        mem_free(halves->table[i].accounts);
    pthread_mutex_destroy(&halves->lock);
    mem_free(halves);
}

XXH3_state_t *halves_hash_new(void)
{
    XXH3_state_t *hash = XXH3_createState();
    if (hash)
        XXH3_128bits_reset(hash);
    return hash;
}

struct half_key halves_key(const struct halves *halves, struct slice rcpt, struct slice id,
                           const XXH3_state_t *message)
{
    XXH128_hash_t digest = XXH3_128bits_digest(message);
    XXH3_state_t *hash = XXH3_createState();
    if (!hash)
        return (struct half_key){digest.high64, digest.low64 ^ halves->seed};
    XXH3_128bits_reset_withSeed(hash, halves->seed);
    XXH3_128bits_update(hash, rcpt.ptr, rcpt.len);
    XXH3_128bits_update(hash, "", 1);
    XXH3_128bits_update(hash, id.ptr, id.len);
    XXH3_128bits_update(hash, "", 1);
    XXH3_128bits_update(hash, &digest, sizeof digest);
    digest = XXH3_128bits_digest(hash);
    XXH3_freeState(hash);
    return (struct half_key){digest.high64, digest.low64};
}

static void clear(struct half *half)
{
    mem_free(half->accounts);
    *half = (struct half){0};
}

/* The entry of that key, if it is not too old; locked. */
static struct half *find(struct halves *halves, struct half_key key)
{
    for (size_t i = 0; i < HALVES_MAX; i++) {
        struct half *half = &halves->table[i];
        if (!half->accounts || half->key.hi != key.hi || half->key.lo != key.lo)
            continue;
        if (clock_mono_ms() - half->born_ms < HALF_MS)
            return half;
        clear(half);
    }
    return NULL;
}

/* A free entry, else the oldest; locked. */
static struct half *oldest(struct halves *halves)
{
    struct half *found = &halves->table[0];
    for (size_t i = 0; i < HALVES_MAX && found->accounts; i++)
        if (!halves->table[i].accounts || halves->table[i].born_ms < found->born_ms)
            found = &halves->table[i];
    return found;
}

bool halves_has(struct halves *halves, struct half_key key, uint32_t account)
{
    bool has = false;
    pthread_mutex_lock(&halves->lock);
    const struct half *half = find(halves, key);
    for (size_t i = 0; half && i < half->n && !has; i++)
        has = half->accounts[i] == account;
    pthread_mutex_unlock(&halves->lock);
    return has;
}

void halves_put(struct halves *halves, struct half_key key, const uint32_t *accounts, size_t n)
{
    pthread_mutex_lock(&halves->lock);
    struct half *half = find(halves, key);
    if (!half && n)
        half = oldest(halves);
    if (half)
        clear(half);
    if (n)
        *half = (struct half){.key = key,
                              .born_ms = clock_mono_ms(),
                              .accounts = mem_dup(accounts, n * sizeof *accounts),
                              .n = n};
    pthread_mutex_unlock(&halves->lock);
}
