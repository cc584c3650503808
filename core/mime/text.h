/* Strings and lists of RFC 3501's responses (section 4.3), appended to a buf. Inside core/mime.
 * The first append that fails is remembered, and nothing is added after it. */
#ifndef TANDEM_MIME_TEXT_H
#define TANDEM_MIME_TEXT_H

#include <stdint.h>

#include "core/base/buf.h"

struct text {
    struct buf *to;
    enum err err;
};

void text_add(struct text *t, struct slice s);
void text_number(struct text *t, uint64_t n);
/* Quoted, or a literal when it must be: CR, LF, octets above 0x7f. NUL is sent as 0x80, since no
 * string may hold it (RFC 3501 section 9, CHAR8). */
void text_string(struct text *t, struct slice s);
void text_upper(struct text *t, struct slice s);   /* a string in upper case */
void text_nstring(struct text *t, struct slice s); /* NIL if s.ptr is NULL */

#endif
