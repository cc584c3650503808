/* SipHash-2-4 (Aumasson, Bernstein 2012), 64-bit result: for tables whose keys come from outside.
 */
#ifndef TANDEM_BASE_SIPHASH_H
#define TANDEM_BASE_SIPHASH_H

#include <stdint.h>

#include "core/base/slice.h"

struct siphash_key {
    uint64_t k0, k1;
};

struct siphash_key siphash_key_random(void);
struct siphash_key siphash_key_from(const uint8_t octets[16]); /* little-endian, as published */
uint64_t siphash(struct siphash_key key, struct slice s);

#endif
