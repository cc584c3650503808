/* The collation i;unicode-casemap (RFC 5051): two texts are the same to a search when their folded
 * forms are; one is in the other when its folded form is. */
#ifndef TANDEM_MIME_CASEMAP_H
#define TANDEM_MIME_CASEMAP_H

#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct buf;

/* Appends the folded form of a UTF-8 text: of each character its titlecase form, decomposed (RFC
 * 5051 section 2.3). Octets that are no UTF-8 stay as they are. Text may be folded in pieces that
 * are cut between characters. ERR_LIMIT: more than the buf takes. */
MUST_CHECK enum err casemap_append(struct slice utf8, struct buf *to);
/* Code points that are characters, the same. */
MUST_CHECK enum err casemap_points(const uint32_t *points, size_t n, struct buf *to);
/* The same up to the first octet that begins no character: *ret_n are in front of it. */
MUST_CHECK enum err casemap_valid(struct slice utf8, struct buf *to, size_t *ret_n);

#endif
