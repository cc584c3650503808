#include "core/base/siphash.h"

#include <endian.h>

#include "core/base/random.h"

static uint64_t load(const void *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return le64toh(v);
}

struct siphash_key siphash_key_random(void)
{
    return (struct siphash_key){random_u64(), random_u64()};
}

struct siphash_key siphash_key_from(const uint8_t octets[16])
{
    return (struct siphash_key){load(octets), load(octets + 8)};
}

struct state {
    uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotated(uint64_t v, unsigned by)
{
    return v << by | v >> (64 - by);
}

static inline void round_once(struct state *s)
{
    s->v0 += s->v1;
    s->v1 = rotated(s->v1, 13) ^ s->v0;
    s->v0 = rotated(s->v0, 32);
    s->v2 += s->v3;
    s->v3 = rotated(s->v3, 16) ^ s->v2;
    s->v0 += s->v3;
    s->v3 = rotated(s->v3, 21) ^ s->v0;
    s->v2 += s->v1;
    s->v1 = rotated(s->v1, 17) ^ s->v2;
    s->v2 = rotated(s->v2, 32);
}

static inline void absorb(struct state *s, uint64_t word)
{
    s->v3 ^= word;
    round_once(s);
    round_once(s);
    s->v0 ^= word;
}

uint64_t siphash(struct siphash_key key, struct slice from)
{
    struct state s = {key.k0 ^ 0x736f6d6570736575u, key.k1 ^ 0x646f72616e646f6du,
                      key.k0 ^ 0x6c7967656e657261u, key.k1 ^ 0x7465646279746573u};
    const char *p = from.ptr;
    size_t n = from.len;
    for (; n >= 8; n -= 8, p += 8)
        absorb(&s, load(p));
    unsigned char tail[8] = {0};
    if (n)
        memcpy(tail, p, n);
    tail[7] = (unsigned char)from.len;
    absorb(&s, load(tail));
    s.v2 ^= 0xff;
    for (int i = 0; i < 4; i++)
        round_once(&s);
    return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}
