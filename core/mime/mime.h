/* The structure of a message, found in one forward pass over its octets as they come (RFC 2045,
 * RFC 2046). Pieces may be cut anywhere: the result is that of the whole. Time is linear in the
 * octets, memory is bounded by the limits, nothing recurses.
 *
 * Octets are those that are stored (CRLF line ends; a lone LF would end a line too). What is broken
 * has one defined reading:
 *   - Header and fields are those of core/mime/header.h. A header also ends at the delimiter of an
 *     enclosing multipart.
 *   - A delimiter is a line of "--", the boundary, maybe "--", and blanks. The innermost multipart
 *     that is open has the first say; a delimiter of an outer one closes all inner ones. Blanks at
 *     the end of a boundary parameter do not count (RFC 2046 section 5.1.1).
 *   - The line end before a delimiter belongs to it. Without a closing delimiter a multipart ends
 *     with what holds it.
 *   - No Content-Type, or one without a valid type: text/plain; in a digest, when there is none,
 *     message/rfc822 (RFC 2045 section 5.2, RFC 2046 section 5.1.5). A multipart without boundary,
 *     or with one above MIME_BOUNDARY_MAX: text/plain.
 *   - A multipart in which no delimiter comes has one part, empty, at its end: BODYSTRUCTURE must
 *     name one.
 *   - message/rfc822 in base64 or quoted-printable (RFC 2046 section 5.2.1 forbids it) is opaque.
 *     The encoding of a multipart is not looked at.
 *   - Beyond a limit: an opaque leaf, application/octet-stream. The last part that `parts` allows
 *     has all the rest of the message. */
#ifndef TANDEM_MIME_MIME_H
#define TANDEM_MIME_MIME_H

#include "core/mime/parts.h"

enum { MIME_BOUNDARY_MAX = 250 };

struct mime_limits {    /* [limits] */
    uint32_t depth;     /* mime_depth: levels of parts; 1 is the message itself */
    uint32_t parts;     /* mime_parts: rows, at most MIME_PARTS_MAX */
    size_t header;      /* octets looked at of each header, and kept of all together */
    uint32_t addresses; /* of one ENVELOPE; of all in one BODYSTRUCTURE */
};

/* What is known of a part beside its place. */
struct mime_node {
    struct mime_part part;
    bool opaque;    /* beyond a limit, or cannot be looked into */
    bool in_digest; /* of a multipart/digest: without Content-Type it is a message/rfc822 */
    /* Fields that ENVELOPE and BODYSTRUCTURE need, as they are stored; in mime_tree.kept */
    uint32_t fields_at, fields_len;
};

struct mime_tree {
    struct mime_limits limits;
    struct mime_node *nodes;
    size_t n; /* >= 1 after mime_scan_end */
    struct slice kept;
};

struct mime_scan;

/* Copies the limits; each is at least 1. */
struct mime_scan *mime_scan_begin(const struct mime_limits *limits);
void mime_scan_feed(struct mime_scan *scan, struct slice octets);
/* No more octets come. The tree lives as long as the scan. */
const struct mime_tree *mime_scan_end(struct mime_scan *scan);
void mime_scan_free(struct mime_scan *scan); /* NULL shrugs */

static inline struct slice mime_fields(const struct mime_tree *tree, size_t i)
{
    const struct mime_node *node = &tree->nodes[i];
    return node->fields_len ? slice(tree->kept.ptr + node->fields_at, node->fields_len)
                            : SLICE_NONE;
}

/* The table of core/mime/parts.h. ERR_LIMIT: more than the buf takes. */
MUST_CHECK enum err mime_table(const struct mime_tree *tree, struct buf *to);

#endif
