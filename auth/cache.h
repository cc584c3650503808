/* What was seen lately, known only by a keyed digest: verified passwords, wrong passwords, logins.
 * Bounded: a full bucket gives up its oldest entry. The key is drawn at the start and never leaves
 * the process. Any thread; the lock is a leaf. */
#ifndef TANDEM_AUTH_CACHE_H
#define TANDEM_AUTH_CACHE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

struct auth_cache;

struct auth_digest {
    unsigned char octets[16];
};

struct auth_cache *auth_cache_new(unsigned entries); /* rounded up to a power of two */
void auth_cache_free(struct auth_cache *cache);      /* NULL shrugs */

/* HMAC-SHA-256 over the parts, each with its length, so that no two lists of parts meet. The whole
 * identity goes in: a login, what was typed, and the verifier that it matched, so that an entry
 * dies with a changed credential. */
struct auth_digest auth_cache_digest(const struct auth_cache *cache, const struct slice *parts,
                                     size_t n);
/* Put within the last max_age_ms? */
bool auth_cache_has(struct auth_cache *cache, struct auth_digest digest, uint64_t max_age_ms);
void auth_cache_put(struct auth_cache *cache, struct auth_digest digest);

#endif
