/* The header of a message: fields, message ids, dates (RFC 5322). All of it looks at octets as they
 * are stored (CRLF line ends), in one pass, without recursion; nothing is allocated unless the
 * caller gives the memory. What is returned points into the message.
 *
 * Definitions, so that every caller and every command agrees:
 *   - The header ends after the first empty line, and at the end of the message when there is none.
 *   - A field is a name of printable ASCII without blank or colon, maybe blanks (RFC 5322 section
 *     4.5), a colon, and all lines up to the next one that does not begin with a blank.
 *   - Any other line (mbox's "From ", lines without colon, names with blanks or 8-bit octets) is no
 *     field: it is passed over together with its continuation lines, and stays in the header.
 *   - A line ends with LF; a CR before it belongs to the line end, any other CR to the line. */
#ifndef TANDEM_MIME_HEADER_H
#define TANDEM_MIME_HEADER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct arena;
struct buf;

/* Octets of the header with the empty line that ends it. *ret_ended: there was such a line (may be
 * NULL). Looks at the whole header, however long. */
size_t header_length(struct slice message, bool *ret_ended);

struct header_field {
    struct slice name;  /* "Subject" */
    struct slice value; /* behind the colon, folding and blanks included, without the last CRLF */
    struct slice lines; /* the whole field as it is stored, with the last CRLF */
};

struct header_walk {
    struct slice rest;
    bool cut; /* the walk stopped at `cap` with fields left */
};

/* `header`: the message or its first header_length octets. Fields that do not end within the first
 * `cap` octets ([limits] header) are left out, and `cut` is set. */
void header_walk_init(struct header_walk *w, struct slice header, size_t cap);
bool header_next(struct header_walk *w, struct header_field *ret);
/* The first field of that name (any case). */
bool header_find(struct slice header, size_t cap, struct slice name, struct header_field *ret);

/* The value on one line: line ends out (RFC 5322 section 2.2.3), blanks at both ends out. Lies in
 * `value` itself when nothing was folded, else in the arena; ERR_LIMIT: it is full. */
MUST_CHECK enum err header_unfold(struct arena *a, struct slice value, struct slice *ret);

/* --- digest --------------------------------------------------------------------------------- */
enum { HEADER_DIGEST_MAX = 4096 };

/* Is this field (any case) kept in a digest? Then a digest has all fields of that name. */
bool header_in_digest(struct slice name);
/* Append the lines of From To Cc Bcc Reply-To Subject Date Message-ID In-Reply-To References
 * Content-Type X-Priority List-*, as they are stored and in their order. ERR_LIMIT: more than
 * HEADER_DIGEST_MAX octets, more than the buf takes, or fields beyond `cap`; the buf is as before.
 */
MUST_CHECK enum err header_digest(struct slice header, size_t cap, struct buf *b);

/* --- message ids ---------------------------------------------------------------------------- */
enum { HEADER_MSGID_MAX = 1000 };

/* The ids in a value of Message-ID, In-Reply-To or References (RFC 5322 section 3.6.4), also of
 * their obsolete forms: comments and phrases are passed over, quoted parts lose their quotes (RFC
 * 5256 section 3 wants <"a"@b> and <a@b> to be one), blanks and comments inside < > are dropped.
 * Ids that are empty, not closed or longer than HEADER_MSGID_MAX are passed over. */
struct header_msgids {
    struct slice rest;
    bool no_quote, no_comment; /* known: no end of one is left; keeps the walk linear */
    char id[HEADER_MSGID_MAX];
};

void header_msgids_init(struct header_msgids *m, struct slice value);
/* *ret, without < >, lies in `m` and is valid until the next call. */
bool header_msgids_next(struct header_msgids *m, struct slice *ret);

/* --- dates ---------------------------------------------------------------------------------- */
/* date-time of RFC 5322 section 3.3 with the obsolete forms of 4.3: years of two and three digits,
 * named zones, comments anywhere, no seconds. RFC 5256 section 2.2: a zone that is missing or not
 * valid is UTC, a time of day that is not valid is 00:00:00; the day of the week is not looked at.
 *
 * *ret_time           seconds since 1970, UTC (years 0..9999)
 * *ret_zone_minutes   of the sender, east positive: the date as the sender saw it (SENTON) is that
 *                     of *ret_time + 60 * zone; may be NULL
 * false               there is no valid date */
bool header_date(struct slice value, int64_t *ret_time, int32_t *ret_zone_minutes);

#endif
