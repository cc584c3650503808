/* Dot-stuffing: how a message of any content travels between two lines of a protocol. POP3 sends
 * messages this way (RFC 1939 section 3, multi-line responses), LMTP receives them this way
 * (RFC 5321 section 4.5.2). One codec, so that what one writes the other reads.
 *
 * A line begins at the start and after CRLF, nowhere else. Bare CR and bare LF are ordinary octets:
 * they neither begin a line nor end the data. Only CRLF.CRLF ends it (the CRLF in front belongs to
 * the content; at the very start `.CRLF` alone is the end of empty content).
 *
 * Both directions are resumable at any octet, copy nothing and allocate nothing: what they return
 * is a piece of the input, or of a constant. Any thread. */
#ifndef TANDEM_NET_DOT_H
#define TANDEM_NET_DOT_H

#include <stdbool.h>

#include "core/base/slice.h"

/* Where the last octet leaves us, as seen by the line that is being built. */
enum dot_at {
    DOT_AT_LINE,   /* a line begins here: the state of zero-initialised codecs */
    DOT_AT_TEXT,   /* inside a line */
    DOT_AT_CR,     /* after CR */
    DOT_AT_DOT,    /* decoder: after a dot at the start of a line, which is not content */
    DOT_AT_DOT_CR, /* decoder: after that dot and CR, which is not content yet */
    DOT_AT_END     /* decoder: CRLF.CRLF has been seen */
};

struct dot_encoder {
    enum dot_at at;
};

/* Take octets from the front of `in` and return what stands for them on the wire; call until `in`
 * is empty. The result lives as long as what `in` points to. */
struct slice dot_encode(struct dot_encoder *e, struct slice *in);
/* What ends the data: `.CRLF`, after a CRLF that completes the last line if it has none. */
struct slice dot_encode_end(const struct dot_encoder *e);

struct dot_decoder {
    enum dot_at at;
};

/* Take octets from the front of `in` and return the content that is now known (perhaps nothing,
 * although octets were taken); call until `in` is empty or dot_decode_ended. What follows the end
 * stays in `in`. */
struct slice dot_decode(struct dot_decoder *d, struct slice *in);

static inline bool dot_decode_ended(const struct dot_decoder *d)
{
    return d->at == DOT_AT_END;
}

#endif
