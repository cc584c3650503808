#include "auth/cache.h"

#include <assert.h>
#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <pthread.h>
#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/random.h"

enum { WAYS = 8, KEY = 32 };

struct entry {
    struct auth_digest digest;
    uint64_t put_ms; /* 0: free */
};

struct auth_cache {
    unsigned char key[KEY];
    pthread_mutex_t lock;
    size_t buckets; /* a power of two */
    struct entry entries[];
};

struct auth_cache *auth_cache_new(unsigned entries)
{
    size_t buckets = 1;
    while (buckets * WAYS < entries)
        buckets *= 2;
    struct auth_cache *cache = mem_new(sizeof *cache + buckets * WAYS * sizeof(struct entry));
    random_key(cache->key, sizeof cache->key);
    pthread_mutex_init(&cache->lock, NULL);
    cache->buckets = buckets;
    return cache;
}

void auth_cache_free(struct auth_cache *cache)
{
    if (!cache)
        return;
    pthread_mutex_destroy(&cache->lock);
    mem_wipe(cache->key, sizeof cache->key);
    mem_free(cache);
}

struct auth_digest auth_cache_digest(const struct auth_cache *cache, const struct slice *parts,
                                     size_t n)
{
    gnutls_hmac_hd_t h;
    unsigned char mac[32];
    if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, cache->key, sizeof cache->key) < 0)
        abort(); /* GnuTLS without SHA-256: nothing here would be safe */
    for (size_t i = 0; i < n; i++) {
        uint64_t len = parts[i].len;
        gnutls_hmac(h, &len, sizeof len);
        gnutls_hmac(h, parts[i].ptr, parts[i].len);
    }
    gnutls_hmac_deinit(h, mac);
    struct auth_digest digest;
    memcpy(digest.octets, mac, sizeof digest.octets);
    return digest;
}

/* The first octets choose the bucket: they are as good as random. */
static struct entry *bucket(struct auth_cache *cache, const struct auth_digest *digest)
{
    size_t n;
    memcpy(&n, digest->octets, sizeof n);
    return &cache->entries[(n & (cache->buckets - 1)) * WAYS];
}

bool auth_cache_has(struct auth_cache *cache, struct auth_digest digest, uint64_t max_age_ms)
{
    uint64_t now = clock_mono_ms();
    bool found = false;
    pthread_mutex_lock(&cache->lock);
    const struct entry *at = bucket(cache, &digest);
    for (size_t i = 0; i < WAYS; i++)
        if (at[i].put_ms && now - at[i].put_ms < max_age_ms &&
            gnutls_memcmp(&at[i].digest, &digest, sizeof digest) == 0)
            found = true;
    pthread_mutex_unlock(&cache->lock);
    return found;
}

void auth_cache_put(struct auth_cache *cache, struct auth_digest digest)
{
    pthread_mutex_lock(&cache->lock);
    struct entry *at = bucket(cache, &digest), *to = at;
    for (size_t i = 0; i < WAYS; i++) {
        if (gnutls_memcmp(&at[i].digest, &digest, sizeof digest) == 0) {
            to = &at[i];
            break;
        }
        if (at[i].put_ms < to->put_ms)
            to = &at[i];
    }
    *to = (struct entry){digest, clock_mono_ms()};
    pthread_mutex_unlock(&cache->lock);
}
