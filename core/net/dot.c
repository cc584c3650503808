/* Both directions look for the same thing: the next CRLF that a dot follows. Everything up to it is
 * one run, found with memchr, that is passed on as it is. */
#include "core/net/dot.h"

/* Octets of the run at the front of `s` (not empty) that ends right behind the first CRLF which is
 * followed by a dot or by the end of `s`; all of `s` if there is none. `at` says what came before
 * `s` and, afterwards, what came before its rest. */
static size_t run(struct slice s, enum dot_at *at)
{
    const char *end = s.ptr + s.len;
    for (const char *from = s.ptr; from < end;) {
        const char *lf = memchr(from, '\n', (size_t)(end - from));
        if (!lf)
            break;
        from = lf + 1;
        if (lf == s.ptr ? *at != DOT_AT_CR : lf[-1] != '\r')
            continue;
        if (from == end || *from == '.') {
            *at = DOT_AT_LINE;
            return (size_t)(from - s.ptr);
        }
    }
    *at = end[-1] == '\r' ? DOT_AT_CR : DOT_AT_TEXT;
    return s.len;
}

static struct slice take(struct slice *in, size_t n)
{
    struct slice head = slice(in->ptr, n);
    *in = slice_from(*in, n);
    return head;
}

struct slice dot_encode(struct dot_encoder *e, struct slice *in)
{
    if (in->len == 0)
        return SLICE_NONE;
    if (e->at == DOT_AT_LINE && in->ptr[0] == '.') {
        e->at = DOT_AT_TEXT; /* the dot itself is still in `in`, and is ordinary now */
        return SLICE(".");
    }
    return take(in, run(*in, &e->at));
}

struct slice dot_encode_end(const struct dot_encoder *e)
{
    return e->at == DOT_AT_LINE ? SLICE(".\r\n") : SLICE("\r\n.\r\n");
}

struct slice dot_decode(struct dot_decoder *d, struct slice *in)
{
    if (in->len == 0 || d->at == DOT_AT_END)
        return SLICE_NONE;
    if (d->at == DOT_AT_LINE && in->ptr[0] == '.') {
        take(in, 1);
        d->at = DOT_AT_DOT;
        return SLICE_NONE;
    }
    if (d->at == DOT_AT_DOT) {
        d->at = DOT_AT_TEXT; /* the dot was stuffing, unless CRLF follows */
        if (in->ptr[0] == '\r') {
            take(in, 1);
            d->at = DOT_AT_DOT_CR;
            return SLICE_NONE;
        }
    }
    if (d->at == DOT_AT_DOT_CR) {
        if (in->ptr[0] == '\n') {
            take(in, 1);
            d->at = DOT_AT_END;
            return SLICE_NONE;
        }
        d->at = DOT_AT_CR; /* a bare CR after all: content, and the next octet is looked at anew */
        return SLICE("\r");
    }
    return take(in, run(*in, &d->at));
}
