/* Command lines of a protocol whose commands are single lines (POP3, LMTP): where the next one
 * ends, and what becomes of one that is too long: it is told once, then dropped up to its end, so
 * that its rest is never read as a command. Does no I/O; any thread. */
#ifndef TANDEM_NET_LINE_H
#define TANDEM_NET_LINE_H

#include <stdbool.h>

#include "core/base/slice.h"

enum { LINE_SKIP_MAX = 64 * 1024 }; /* octets of one line that are dropped before we give up */

enum line_got {
    LINE_MORE,    /* no whole line yet */
    LINE_WHOLE,   /* *ret_line is one */
    LINE_LONG,    /* the line at the front is longer than max: answer that once, then go on */
    LINE_SKIPPED, /* the rest of such a line is behind: go on */
    LINE_FLOOD    /* it does not end: close */
};

struct line_reader {
    bool crlf_only; /* RFC 5321 section 2.3.8; else a bare LF ends a line too */
    bool skipping;
    bool after_cr;  /* skipping: the last octet dropped was CR */
    size_t skipped; /* octets of this line dropped so far */
};

/* Look at `in`, the octets that have come and are not consumed. *ret_used: how many to consume now.
 * max: octets of the longest line, its end included. *ret_line, without its end, lies in `in`. */
enum line_got line_next(struct line_reader *r, struct slice in, size_t max, struct slice *ret_line,
                        size_t *ret_used);

#endif
