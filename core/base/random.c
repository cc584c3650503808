#include "core/base/random.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <stdio.h>
#include <stdlib.h>

static void fill(gnutls_rnd_level_t level, void *to, size_t n)
{
    if (n && gnutls_rnd(level, to, n) < 0) {
        fputs("tandem: no random numbers\n", stderr);
        abort();
    }
}

void random_bytes(void *to, size_t n)
{
    fill(GNUTLS_RND_RANDOM, to, n);
}

void random_key(void *to, size_t n)
{
    fill(GNUTLS_RND_KEY, to, n);
}

uint64_t random_u64(void)
{
    uint64_t v;
    fill(GNUTLS_RND_RANDOM, &v, sizeof v);
    return v;
}
