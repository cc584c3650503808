/* One line of LMTP -> verb and typed arguments (RFC 2033, RFC 5321 section 4.1). No I/O, no state;
 * results lie in the line. */
#ifndef TANDEM_LMTP_PARSE_H
#define TANDEM_LMTP_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct arena;

struct lmtp_args {
    struct slice text; /* LHLO: a domain or address literal; NOOP, VRFY: anything */
    struct slice path; /* as written between the brackets, without a source route; empty: <> */
    uint64_t size;     /* SIZE= (RFC 1870) */
    bool has_size;
    bool has_body; /* BODY= (RFC 6152): 7BIT and 8BITMIME are the same to us */
    bool smtputf8; /* RFC 6531 */
    bool last;     /* BDAT ... LAST (RFC 3030); its octets are in `size` */
};

/* Split a line (without its end) into its verb and the rest behind the first space. False for a
 * line that no command can have: empty; NUL, CR or LF in it. */
bool lmtp_split(struct slice line, struct slice *ret_verb, struct slice *ret_rest);

/* Read `rest` by a grammar, one word:
 *
 *      ""        nothing               ?text   anything, or nothing
 *      domain    for LHLO              from    FROM:<path> and the parameters of MAIL
 *      chunk     octets [LAST]         to      TO:<path>; RCPT has no parameters here
 *
 * ERR_SYNTAX: not of that shape. ERR_CANNOT: a parameter that we do not know. ERR_BADCHARSET: a
 * path that is not ASCII, without SMTPUTF8 in the same command (`to`: the caller knows). */
MUST_CHECK enum err lmtp_parse(struct slice rest, const char *grammar, struct lmtp_args *ret);

/* The address that a path means: a quoted local part without its quoting, in the arena. ERR_SYNTAX:
 * no address; ERR_LIMIT: the arena. */
MUST_CHECK enum err lmtp_address(struct slice path, struct arena *arena, struct slice *ret);

#endif
