/* Mailbox names on the wire: modified UTF-7 (RFC 3501 section 5.1.3). Strict both ways: a name has
 * exactly one spelling, so what is decoded encodes to the same octets again. */
#ifndef TANDEM_BASE_UTF7_H
#define TANDEM_BASE_UTF7_H

#include <stddef.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

/* Room that `len` octets need at most, in each direction. */
static inline size_t utf7_encoded_max(size_t len)
{
    return 5 * len;
}
static inline size_t utf7_decoded_max(size_t len)
{
    return len + len / 8 + 1; /* 8 digits are 3 units of 16 bits, 3 octets each */
}

/* UTF-8 to the wire; `to` has room for utf7_encoded_max. Returns the length. `name` is valid UTF-8
 * (what the store holds); an octet that is not is left out. */
size_t utf7_encode(struct slice name, char *to);
/* From the wire to UTF-8; `to` has room for utf7_decoded_max. ERR_CANNOT: 8-bit or control octets,
 * an open or empty shift, base64 of what stands for itself, stray bits, a lone surrogate. */
MUST_CHECK enum err utf7_decode(struct slice wire, char *to, size_t *ret_len);

#endif
