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

static uint64_t rcpt_key(const struct halves *halves, struct slice rcpt)
{
    return XXH3_64bits_withSeed(rcpt.ptr, rcpt.len, halves->seed);
}

struct half_key halves_key(const struct halves *halves, struct slice rcpt, struct slice id,
                           const XXH3_state_t *message)
{
    XXH128_hash_t digest = XXH3_128bits_digest(message);
    XXH3_state_t *hash = XXH3_createState();
    if (!hash)
        return (struct half_key){digest.high64, digest.low64 ^ halves->seed,
                                 rcpt_key(halves, rcpt)};
    XXH3_128bits_reset_withSeed(hash, halves->seed);
    XXH3_128bits_update(hash, rcpt.ptr, rcpt.len);
    XXH3_128bits_update(hash, "", 1);
    XXH3_128bits_update(hash, id.ptr, id.len);
    XXH3_128bits_update(hash, "", 1);
    XXH3_128bits_update(hash, &digest, sizeof digest);
    digest = XXH3_128bits_digest(hash);
    XXH3_freeState(hash);
    return (struct half_key){digest.high64, digest.low64, rcpt_key(halves, rcpt)};
}

static void clear(struct half *half)
{
    mem_free(half->accounts);
    *half = (struct half){0};
}

/* One that is in use and not too old; locked. */
static bool alive(struct half *half)
{
    if (half->accounts && clock_mono_ms() - half->born_ms >= HALF_MS)
        clear(half);
    return half->accounts != NULL;
}

/* The entry of that key; locked. */
static struct half *find(struct halves *halves, struct half_key key)
{
    for (size_t i = 0; i < HALVES_MAX; i++) {
        struct half *half = &halves->table[i];
        if (half->key.hi == key.hi && half->key.lo == key.lo && alive(half))
            return half;
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

static bool names(const struct half *half, uint32_t account)
{
    for (size_t i = 0; i < half->n; i++)
        if (half->accounts[i] == account)
            return true;
    return false;
}

bool halves_has(struct halves *halves, struct half_key key, uint32_t account)
{
    pthread_mutex_lock(&halves->lock);
    const struct half *half = find(halves, key);
    bool has = half && names(half, account);
    pthread_mutex_unlock(&halves->lock);
    return has;
}

bool halves_may_have(struct halves *halves, struct slice rcpt, uint32_t account)
{
    uint64_t key = rcpt_key(halves, rcpt);
    bool has = false;
    pthread_mutex_lock(&halves->lock);
    for (size_t i = 0; i < HALVES_MAX && !has; i++) {
        struct half *half = &halves->table[i];
        has = half->key.rcpt == key && alive(half) && names(half, account);
    }
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
