/* Message ids. The walk is linear: when a quote or comment turns out not to be closed, that is
 * remembered, and what opens the next one is an ordinary character. */
#include "core/mime/cfws.h"
#include "core/mime/header.h"

void header_msgids_init(struct header_msgids *m, struct slice value)
{
    m->rest = value;
    m->no_quote = m->no_comment = false;
}

/* Octets of the quoted string or comment at the start of the rest, or 0. */
static size_t enclosed(struct header_msgids *m)
{
    char c = m->rest.ptr[0];
    size_t n = 0;
    if (c == '"' && !m->no_quote) {
        n = quoted_length(m->rest);
        m->no_quote = n == 0;
    } else if (c == '(' && !m->no_comment) {
        n = comment_length(m->rest);
        m->no_comment = n == 0;
    }
    return n;
}

/* What is inside the quotes of `quoted`, onto the id: escapes and folding resolved. */
static size_t put_quoted(struct header_msgids *m, size_t len, struct slice quoted)
{
    for (size_t i = 1; i + 1 < quoted.len; i++) {
        char c = quoted.ptr[i];
        if (c == '\r' || c == '\n')
            continue;
        if (c == '\\' && i + 2 < quoted.len)
            c = quoted.ptr[++i];
        if (len < HEADER_MSGID_MAX)
            m->id[len] = c;
        len++;
    }
    return len;
}

/* Behind a '<': up to '>'. Returns the octets of the id, 0 when it is not one. A '<' begins anew:
 * what stood before it was not closed. */
static size_t read_id(struct header_msgids *m)
{
    size_t len = 0;
    while (m->rest.len) {
        char c = m->rest.ptr[0];
        size_t n = enclosed(m);
        if (n) {
            if (c == '"')
                len = put_quoted(m, len, slice_first(m->rest, n));
            m->rest = slice_from(m->rest, n);
            continue;
        }
        if (c == '<')
            return 0;
        m->rest = slice_from(m->rest, 1);
        if (c == '>')
            return len <= HEADER_MSGID_MAX ? len : 0;
        if (is_blank(c))
            continue;
        if (len < HEADER_MSGID_MAX)
            m->id[len] = c;
        len++;
    }
    return 0;
}

bool header_msgids_next(struct header_msgids *m, struct slice *ret)
{
    while (m->rest.len) {
        size_t n = enclosed(m);
        char c = m->rest.ptr[0];
        m->rest = slice_from(m->rest, n ? n : 1);
        if (n || c != '<')
            continue;
        size_t len = read_id(m);
        if (len == 0)
            continue;
        *ret = slice(m->id, len);
        return true;
    }
    return false;
}
