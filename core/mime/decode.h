/* Content transfer encodings (RFC 2045 section 6), decoded as the octets come. */
#ifndef TANDEM_MIME_DECODE_H
#define TANDEM_MIME_DECODE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"
#include "core/mime/parts.h"

struct buf;

/* Broken input has a reading: base64 passes over what is not of its alphabet and ends with its
 * padding (RFC 2045 section 6.8), quoted-printable keeps a "=" that encodes nothing and drops
 * blanks at line ends (section 6.7). `broken` says that there was such a thing. */
struct decoder {
    enum mime_encoding encoding;
    bool broken;
    bool ended;      /* base64: padding was seen */
    uint8_t held_n;  /* quoted-printable: octets of `held` */
    unsigned bits_n; /* base64 */
    uint32_t bits;
    uint32_t blanks; /* quoted-printable: blanks that may be at a line's end, not yet given */
    char held[4];
    char blank[256];
};

void decoder_init(struct decoder *d, enum mime_encoding encoding);
/* Appends what is decoded, at most as many octets as came so far. ERR_LIMIT: more than the buf
 * takes; ERR_UNKNOWNCTE. */
MUST_CHECK enum err decoder_put(struct decoder *d, struct slice octets, struct buf *to);
MUST_CHECK enum err decoder_end(struct decoder *d, struct buf *to);

#endif
