/* Sets of 64: counting without the instruction that not every machine has; the compiler would call
 * a function for each. */
#ifndef TANDEM_STORE_BITS_H
#define TANDEM_STORE_BITS_H

#include <stdint.h>

static inline unsigned bits_count(uint64_t v)
{
    v -= v >> 1 & UINT64_C(0x5555555555555555);
    v = (v & UINT64_C(0x3333333333333333)) + (v >> 2 & UINT64_C(0x3333333333333333));
    v = (v + (v >> 4)) & UINT64_C(0x0f0f0f0f0f0f0f0f);
    return (unsigned)(v * UINT64_C(0x0101010101010101) >> 56);
}

#endif
