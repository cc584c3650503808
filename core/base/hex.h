/* Lower-case hexadecimal digits. */
#ifndef TANDEM_BASE_HEX_H
#define TANDEM_BASE_HEX_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

void hex_encode(struct slice from, char *to); /* 2 * from.len digits, no NUL */
void hex_u64(uint64_t v, char to[16]);        /* 16 digits, no NUL */
/* Either case, an even number of digits and nothing else; `to` has room for from.len / 2. */
bool hex_decode(struct slice from, void *to);
/* 0..15, or -1. By a table: digits and letters come in no order that a branch could learn. */
extern const signed char hex_digits[256];
static inline int hex_digit(char c)
{
    return hex_digits[(unsigned char)c];
}

#endif
