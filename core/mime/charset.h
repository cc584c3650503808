/* Text to UTF-8: charsets by the names that mail uses, encoded words (RFC 2047), parameter values
 * (RFC 2231). What cannot be decoded becomes U+FFFD, an octet at a time. */
#ifndef TANDEM_MIME_CHARSET_H
#define TANDEM_MIME_CHARSET_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct buf;
struct charset;

/* A converter; NULL: the charset is not known (RFC 3501 section 6.4.4: BADCHARSET). An empty name
 * is us-ascii. One thread at a time. */
struct charset *charset_open(struct slice name);
/* Appends UTF-8. A character that is cut off at the end waits for the next piece. Only broken text
 * in a charset with states (ISO-2022, UTF-7, UTF-16) may depend on where it was cut. ERR_LIMIT:
 * more than the buf takes. */
MUST_CHECK enum err charset_put(struct charset *c, struct slice octets, struct buf *to);
/* The text ends: what was cut off is broken. The converter is ready for another text. */
MUST_CHECK enum err charset_end(struct charset *c, struct buf *to);
void charset_close(struct charset *c); /* NULL shrugs */
/* What is appended from now on is folded (core/mime/casemap.h): for less than it costs behind. */
void charset_fold(struct charset *c);

/* The value of a header field, unfolded and with its encoded words decoded: RFC 2047 section 6.2
 * (blanks between two of them are dropped; a character may not be split, but often is, and is put
 * together when charset and encoding are the same). Octets above 0x7f outside encoded words are
 * UTF-8 (RFC 6532), else windows-1252. ERR_LIMIT. */
MUST_CHECK enum err charset_header(struct slice value, struct buf *to);

/* charset'language'percent-encoded (RFC 2231 section 4), as BODYSTRUCTURE gives it for a parameter
 * whose name ends with "*". ERR_LIMIT. */
MUST_CHECK enum err charset_parameter(struct slice value, struct buf *to);

#endif
