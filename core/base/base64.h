/* Base64, RFC 4648 section 4. Decoding is strict: the alphabet and exact padding, no blanks, no
 * line ends, and the bits that padding leaves over are zero (section 3.5), so that each value has
 * one spelling. Not in constant time: only for what the other side sent or will read. */
#ifndef TANDEM_BASE_BASE64_H
#define TANDEM_BASE_BASE64_H

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct buf;

static inline size_t base64_encoded_len(size_t octets)
{
    return (octets + 2) / 3 * 4;
}

/* Upper bound of what decoding gives. */
static inline size_t base64_decoded_max(size_t encoded)
{
    return encoded / 4 * 3;
}

/* `to` has room for base64_encoded_len; no NUL is added. Returns that length. */
size_t base64_encode(struct slice from, char *to);
MUST_CHECK enum err base64_append(struct buf *b, struct slice from); /* ERR_LIMIT */
/* `to` has room for base64_decoded_max(from.len), and may be from.ptr. ERR_SYNTAX: not base64. */
MUST_CHECK enum err base64_decode(struct slice from, char *to, size_t *ret_len);
/* Into the arena, with a NUL behind it that is not counted. ERR_SYNTAX, ERR_LIMIT. */
MUST_CHECK enum err base64_decode_dup(struct arena *a, struct slice from, struct slice *ret);

#endif
