/* Where an IMAP command ends: lines, literals and their limits, without knowing what they say.
 *
 *      line CRLF                         FRAME_DONE
 *      line {n} CRLF                     FRAME_LITERAL, the client waits for `+`
 *      line {n+} CRLF                    FRAME_LITERAL, the octets are on their way (RFC 7888)
 *
 * After FRAME_LITERAL the caller says frame_admit() and goes on feeding, or takes the command to be
 * over: the literal was refused, or is streamed by its command. A line that ends in a literal's
 * announcement announces one wherever it stands, also in a command that is wrong: that keeps both
 * sides in step. Only CRLF ends a line.
 *
 * The input is always the same command from its first octet on, longer from call to call; each
 * octet is looked at once, and the verdict does not depend on how it was cut. */
#ifndef TANDEM_IMAP_FRAME_H
#define TANDEM_IMAP_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct frame_limits {
    size_t line;       /* octets of a line, with CRLF */
    size_t literal;    /* of one literal */
    size_t command;    /* of the whole command, literals and line ends included */
    uint32_t literals; /* how many */
};

enum frame_verdict {
    FRAME_MORE,
    FRAME_DONE,     /* the command is the first `pos` octets */
    FRAME_LITERAL,  /* the first `pos` octets end in the announcement of `literal` octets */
    FRAME_OVERLONG, /* a line or the command is over its limit: no way to stay in step */
};

#define FRAME_LITERAL_WILD UINT64_MAX /* the number is above 32 bits (RFC 3501 number) */

/* Zero-initialised: the start of a command. */
struct frame {
    size_t pos;        /* octets that are settled */
    size_t seen;       /* octets of the present line that hold no line end */
    size_t line;       /* where the present line began */
    uint32_t literals; /* admitted so far */
    uint64_t literal;  /* of FRAME_LITERAL: octets, or FRAME_LITERAL_WILD */
    bool nonsync;      /* of FRAME_LITERAL: no `+` is waited for */
};

MUST_CHECK enum frame_verdict frame_feed(struct frame *f, const struct frame_limits *limits,
                                         struct slice input);
/* May the literal just announced come? ERR_TOOBIG: over a limit; ERR_SYNTAX: wild. On error nothing
 * has changed. */
MUST_CHECK enum err frame_admit(struct frame *f, const struct frame_limits *limits);
/* Is `line`, CRLF included, the announcement of a literal at its end? */
bool frame_announces(struct slice line, uint64_t *ret_octets, bool *ret_nonsync);

#endif
