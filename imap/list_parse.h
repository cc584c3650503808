/* Options of LIST (RFC 5258 section 6, RFC 5819, RFC 6154), words of the grammar of imap/parse.h.
 */
#ifndef TANDEM_IMAP_LIST_PARSE_H
#define TANDEM_IMAP_LIST_PARSE_H

#include "imap/parse.h"

enum {
    LIST_SUBSCRIBED = 1,
    LIST_REMOTE = 2, /* there are none */
    LIST_RECURSIVEMATCH = 4,
    LIST_SPECIAL_USE = 8,
    LIST_CHILDREN = 16
};

enum { LIST_PATTERNS_MAX = 16 };

/* "(" selection options ")", into ret->options. */
MUST_CHECK enum parse list_select_parse(struct parser *p, struct arg *ret);
/* A pattern or "(" patterns ")", into ret->patterns; more than LIST_PATTERNS_MAX: p->refuse. */
MUST_CHECK enum parse list_patterns_parse(struct parser *p, struct arg *ret);
/* "RETURN (" return options ")", into ret->returns. */
MUST_CHECK enum parse list_return_parse(struct parser *p, struct arg *ret);

#endif
