/* Comments and folding white space (RFC 5322 section 3.2.2), for readers of structured fields. */
#ifndef TANDEM_MIME_CFWS_H
#define TANDEM_MIME_CFWS_H

#include <stdbool.h>

#include "core/base/slice.h"

static inline bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Octets of the comment at the start of `s`, nested ones included; 0 when it is not closed. */
size_t comment_length(struct slice s);
/* Octets of the quoted-string at the start of `s`, both quotes included; 0: not closed. */
size_t quoted_length(struct slice s);
/* `s` without the blanks and comments it begins with. A comment that is not closed takes all. */
struct slice cfws_skip(struct slice s);

#endif
