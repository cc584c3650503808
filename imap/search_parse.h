/* SEARCH's keys (RFC 3501 section 6.4.4, RFC 4731) -> tests of the store, in postfix order. */
#ifndef TANDEM_IMAP_SEARCH_PARSE_H
#define TANDEM_IMAP_SEARCH_PARSE_H

#include "imap/parse.h"

enum { /* RETURN (...) */
       RETURN_MIN = 1,
       RETURN_MAX = 2,
       RETURN_ALL = 4,
       RETURN_COUNT = 8
};

/* Sets wait for the view: which test, and what stood there. */
struct search_set {
    struct search_set *next;
    size_t test;
    struct seqset set;
    bool uid;
};

struct search_args {
    bool esearch;             /* RETURN was given: the answer is an ESEARCH */
    unsigned wants;           /* RETURN_... */
    struct slice charset;     /* ptr NULL: none was named */
    struct store_test *tests; /* texts as they came */
    size_t n;
    unsigned keys;  /* that were given, operators and lists included */
    unsigned depth; /* of the deepest key in lists and operators */
    struct search_set *sets;
};

/* [SP RETURN] [SP CHARSET] keys. Depth and keys are held to the highest values of [limits] depth
 * and [imap] search_keys; the values themselves are for the command to look at. */
enum { SEARCH_DEPTH = 256, SEARCH_KEYS_MAX = 256 };
MUST_CHECK enum parse search_parse(struct parser *p, struct search_args **ret);

#endif
