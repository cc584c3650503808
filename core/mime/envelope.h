/* ENVELOPE and BODYSTRUCTURE as they go over the wire (RFC 3501 section 7.4.2 and formal syntax),
 * made from a tree of parts (core/mime/mime.h).
 *
 * Texts are those of the header: unfolded, not decoded. A string is quoted, or a literal when it
 * holds CR or octets above 0x7f; NUL, which no string may hold, becomes 0x80. Types, parameter
 * names, encodings and dispositions are in upper case, values as they are. */
#ifndef TANDEM_MIME_ENVELOPE_H
#define TANDEM_MIME_ENVELOPE_H

#include "core/mime/mime.h"

/* All of these append, and add nothing when they fail: ERR_LIMIT, more than the buf takes. */

/* "(date subject from sender reply-to to cc bcc in-reply-to message-id)" of the message.
 * Fields that stand there twice: addresses are those of all of them, else the first counts. */
MUST_CHECK enum err mime_envelope(const struct mime_tree *tree, struct buf *to);

/* BODYSTRUCTURE with all extension data, and the ranges of it without which it is BODY: rows of
 * MIME_CUT octets (u32 from, u32 to, little-endian), ascending, counted from its first octet.
 * RFC 2231: continuations are joined (section 6); a value with charset stays as it is, under its
 * name with "*". Parameters beyond MIME_PARAMETERS_MAX of a field are left out. */
enum { MIME_CUT = 8, MIME_PARAMETERS_MAX = 100 };
MUST_CHECK enum err mime_structure(const struct mime_tree *tree, struct buf *to, struct buf *cuts);

/* BODY, piece by piece: what is left of `structure` between its cuts. Begin with at = 0. Cuts that
 * break the rules cut nothing. */
struct mime_body_walk {
    struct slice structure, cuts;
    size_t at;
};
bool mime_body_next(struct mime_body_walk *w, struct slice *ret);

#endif
