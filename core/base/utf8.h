/* UTF-8 as RFC 3629 section 4 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef TANDEM_BASE_UTF8_H
#define TANDEM_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

/* Octets of the character at the start of `s` (1..4) and its code point; 0 when it is not valid or
 * cut off. `s` is not empty. ret_point may be NULL. */
static inline unsigned utf8_first(struct slice s, uint32_t *ret_point)
{
    const unsigned char *p = (const unsigned char *)s.ptr;
    uint32_t c = p[0];
    unsigned n;
    uint32_t least;
    if (c < 0x80) {
        if (ret_point)
            *ret_point = c;
        return 1;
    }
    if (c >= 0xc2 && c <= 0xdf) {
        n = 2, least = 0x80, c &= 0x1f;
    } else if (c >= 0xe0 && c <= 0xef) {
        n = 3, least = 0x800, c &= 0x0f;
    } else if (c >= 0xf0 && c <= 0xf4) {
        n = 4, least = 0x10000, c &= 0x07;
    } else {
        return 0;
    }
    if (s.len < n)
        return 0;
    for (unsigned i = 1; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
        c = c << 6 | (p[i] & 0x3fu);
    }
    if (c < least || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
        return 0;
    if (ret_point)
        *ret_point = c;
    return n;
}

/* Octets in front that are whole, valid characters. */
size_t utf8_span(struct slice s);
bool utf8_valid(struct slice s);
/* Writes the 1..4 octets of a code point up to U+10FFFF that is no surrogate; returns how many. */
static inline unsigned utf8_encode(uint32_t point, char *to)
{
    if (point < 0x80) {
        to[0] = (char)point;
        return 1;
    }
    if (point < 0x800) {
        to[0] = (char)(0xc0 | point >> 6);
        to[1] = (char)(0x80 | (point & 63));
        return 2;
    }
    if (point < 0x10000) {
        to[0] = (char)(0xe0 | point >> 12);
        to[1] = (char)(0x80 | (point >> 6 & 63));
        to[2] = (char)(0x80 | (point & 63));
        return 3;
    }
    to[0] = (char)(0xf0 | point >> 18);
    to[1] = (char)(0x80 | (point >> 12 & 63));
    to[2] = (char)(0x80 | (point >> 6 & 63));
    to[3] = (char)(0x80 | (point & 63));
    return 4;
}

#endif
