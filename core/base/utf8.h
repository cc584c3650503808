/* UTF-8 as RFC 3629 section 4 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 */
#ifndef TANDEM_BASE_UTF8_H
#define TANDEM_BASE_UTF8_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

/* Octets of the character at the start of `s` (1..4) and its code point; 0 when it is not valid or
 * cut off. `s` is not empty. ret_point may be NULL. */
unsigned utf8_first(struct slice s, uint32_t *ret_point);
/* Octets in front that are whole, valid characters. */
size_t utf8_span(struct slice s);
bool utf8_valid(struct slice s);
/* Writes the 1..4 octets of a code point up to U+10FFFF that is no surrogate; returns how many. */
unsigned utf8_encode(uint32_t point, char *to);

#endif
