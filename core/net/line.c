#include "core/net/line.h"

/* Octets up to and with the first line end; 0: there is none. */
static size_t line_end(const struct line_reader *r, struct slice in)
{
    for (size_t at = 0; at < in.len;) {
        const char *lf = memchr(in.ptr + at, '\n', in.len - at);
        if (!lf)
            break;
        at = (size_t)(lf - in.ptr) + 1;
        bool cr = at >= 2 ? lf[-1] == '\r' : r->after_cr;
        if (cr || !r->crlf_only)
            return at;
    }
    return 0;
}

static enum line_got skip(struct line_reader *r, struct slice in, size_t *ret_used)
{
    size_t end = line_end(r, in);
    size_t n = end ? end : in.len;
    *ret_used = n;
    r->skipped += n;
    if (r->skipped > LINE_SKIP_MAX)
        return LINE_FLOOD;
    r->skipping = !end;
    r->after_cr = !end && (n ? in.ptr[n - 1] == '\r' : r->after_cr);
    return end ? LINE_SKIPPED : LINE_MORE;
}

enum line_got line_next(struct line_reader *r, struct slice in, size_t max, struct slice *ret_line,
                        size_t *ret_used)
{
    *ret_used = 0;
    if (r->skipping)
        return skip(r, in, ret_used);
    size_t end = line_end(r, slice_first(in, max));
    if (end) {
        size_t len = end - 1;
        if (len && in.ptr[len - 1] == '\r')
            len--;
        *ret_line = slice(in.ptr, len);
        *ret_used = end;
        return LINE_WHOLE;
    }
    if (in.len < max)
        return LINE_MORE;
    r->skipping = true;
    r->after_cr = false;
    r->skipped = 0;
    return LINE_LONG;
}
