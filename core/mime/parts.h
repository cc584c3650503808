/* The parts of a message: where each lies, how it is encoded, and what a section number means. A
 * table of parts is stored beside the message (store/keys.h, CACHE_PARTS) and answers every
 * BODY[...] and BINARY[...] without another look at the octets.
 *
 * Rows are in the order in which the parts begin; a parent comes before its children, and the
 * range of a part lies within its parent's body. Row 0 is the message itself. What a message/rfc822
 * part holds is one row below it, with its own header and body, as row 0 has them:
 *
 *     row parent kind       header, body                        section
 *      0    -    multipart  the message                         HEADER, TEXT
 *      1    0    text       first body part                     1.MIME, 1
 *      2    0    message    second body part                    2.MIME, 2
 *      3    2    multipart  the message that is in it           2.HEADER, 2.TEXT
 *      4    3    text       its first body part                 2.1.MIME, 2.1
 *
 * A message that is not a multipart has itself as its part 1 (RFC 3501 section 6.4.5). */
#ifndef TANDEM_MIME_PARTS_H
#define TANDEM_MIME_PARTS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct buf;

enum { MIME_NO_PART = 0xffff, MIME_PARTS_MAX = 65000, MIME_ROW = 20 };

enum mime_kind { MIME_OTHER, MIME_TEXT, MIME_MULTIPART, MIME_MESSAGE };

enum mime_encoding {
    MIME_7BIT,
    MIME_8BIT,
    MIME_BINARY,
    MIME_BASE64,
    MIME_QP,
    MIME_ENCODING_UNKNOWN /* RFC 3516 section 4.3: BINARY answers UNKNOWN-CTE */
};

/* The charset parameter of a text part, as far as a search can do without the name. */
enum mime_charset {
    MIME_CHARSET_ASCII, /* none given, or us-ascii */
    MIME_CHARSET_UTF8,
    MIME_CHARSET_NAMED /* look at the Content-Type field */
};

struct mime_part {
    uint16_t parent; /* MIME_NO_PART: row 0 */
    uint8_t kind, encoding, charset;
    uint32_t hdr_off;  /* from the start of the message, in octets */
    uint32_t body_off; /* the header with its empty line is all up to here */
    uint32_t body_len;
    uint32_t lines; /* line ends in the body */
};

/* One stored row: u16 parent, u8 encoding | kind << 4, u8 charset, u32 hdr_off, body_off, body_len,
 * lines; little-endian. */
void mime_row_encode(const struct mime_part *from, unsigned char to[MIME_ROW]);
static inline size_t mime_rows(struct slice table)
{
    return table.len / MIME_ROW;
}
/* Row i of a stored table; ERR_CORRUPT: there is none, or it breaks the rules above. */
MUST_CHECK enum err mime_row(struct slice table, size_t i, struct mime_part *ret);

/* The row that a section number means, "2.1" as {2, 1}; n = 0: row 0. ERR_NOTFOUND: no such part.
 * Linear in the rows. */
MUST_CHECK enum err mime_find(struct slice table, const uint32_t *number, size_t n, size_t *ret);

enum mime_what {
    MIME_WHAT_ALL,    /* BODY[], BODY[2]: of a message/rfc822 part its message, whole */
    MIME_WHAT_MIME,   /* BODY[2.MIME] */
    MIME_WHAT_HEADER, /* BODY[HEADER], BODY[2.HEADER]: of message/rfc822 parts only */
    MIME_WHAT_TEXT    /* BODY[TEXT], BODY[2.TEXT]: the same */
};
/* The octets [*ret_at, *ret_at + *ret_len) of the message that a section means; *ret_part, which
 * may be NULL: the row whose body or header that is. ERR_NOTFOUND: no such part, or it has no such
 * thing (HEADER and TEXT of what is no message). */
MUST_CHECK enum err mime_section(struct slice table, const uint32_t *number, size_t n,
                                 enum mime_what what, uint32_t *ret_at, uint32_t *ret_len,
                                 size_t *ret_part);

#endif
