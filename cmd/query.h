/* What `tandem search` looks for, as words of a command line:
 *
 *      query  = clause *("or" clause)
 *      clause = 1*term                         ; all of them
 *      term   = "not" term / "(" query ")" / key
 *      key    = "seen" / "from" TEXT / "before" DATE / ...
 *
 * The keys are those of IMAP's SEARCH (RFC 3501 section 6.4.4) that mean something without a
 * session, in any case; beside them `older` and `younger` than an age, sizes with k, M, G, and
 * dates as 2025-02-28 too. */
#ifndef TANDEM_CMD_QUERY_H
#define TANDEM_CMD_QUERY_H

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/fault.h"
#include "store/store.h"

struct query {
    struct store_test *tests; /* in the arena, with all they point to but the words */
    size_t n;
    /* UID sets depend on the view: the caller fills tests[test].uids for each of them. */
    struct query_uids {
        struct query_uids *next;
        size_t test;
        const char *text;
    } * uids;
};

/* `now`: of ages, seconds since 1970. ERR_SYNTAX, ERR_LIMIT: the fault says it to the one who wrote
 * the words. */
MUST_CHECK enum err query_parse(const char *const *words, size_t n, uint32_t now,
                                struct arena *arena, struct query *ret, struct fault *why);

#endif
