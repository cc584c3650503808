/* Octets of rows: how integers lie in keys (big-endian) and values (little-endian), and the checks
 * that every row shares. For keys.c and rows.c alone. */
#ifndef TANDEM_STORE_OCTETS_H
#define TANDEM_STORE_OCTETS_H

#include <string.h>

#include "store/keys.h"

static inline void be32(unsigned char *to, uint32_t v)
{
    for (int i = 3; i >= 0; i--, v >>= 8)
        to[i] = (unsigned char)v;
}

static inline void be64(unsigned char *to, uint64_t v)
{
    for (int i = 7; i >= 0; i--, v >>= 8)
        to[i] = (unsigned char)v;
}

static inline void le(unsigned char *to, uint64_t v, unsigned n)
{
    for (unsigned i = 0; i < n; i++, v >>= 8)
        to[i] = (unsigned char)v;
}

static inline uint16_t le16(const unsigned char *p)
{
    return (uint16_t)(p[0] | p[1] << 8);
}

static inline uint32_t le32(const unsigned char *p)
{
    uint32_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

static inline uint64_t le64(const unsigned char *p)
{
    uint64_t v;
    memcpy(&v, p, sizeof v);
    return v;
}

_Static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__, "le32 and le64 read as the machine does");

static inline const unsigned char *octets(struct slice s)
{
    return (const unsigned char *)s.ptr;
}

/* A value of at least `fixed` octets whose version this code knows. */
static inline bool readable(struct slice value, size_t fixed)
{
    return value.len >= fixed && value.len >= 1 && octets(value)[0] <= ROW_VERSION &&
           octets(value)[0] > 0;
}

/* `len` octets behind the fixed part must end the value exactly. */
static inline bool tail(struct slice value, size_t fixed, size_t len, struct slice *ret)
{
    if (value.len != fixed + len)
        return false;
    *ret = slice(value.ptr + fixed, len);
    return true;
}

static inline struct slice start(unsigned char *to, size_t len)
{
    memset(to, 0, len);
    to[0] = ROW_VERSION;
    return slice(to, len);
}

static inline struct slice with_tail(unsigned char *to, size_t fixed, struct slice more)
{
    if (more.len)
        memcpy(to + fixed, more.ptr, more.len);
    return slice(to, fixed + more.len);
}

#endif
