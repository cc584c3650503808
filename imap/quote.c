#include "imap/quote.h"

#include <stdio.h>
#include <string.h>

bool is_atom_char(char c)
{
    return c > 0x20 && c < 0x7f && !strchr("(){%*\"\\]", c);
}

bool is_astring_char(char c)
{
    return is_atom_char(c) || c == ']';
}

static bool quotable(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if ((unsigned char)s.ptr[i] > 0x7f || s.ptr[i] == '\r' || s.ptr[i] == '\n')
            return false;
    return true;
}

size_t quote_string(struct slice s, char *to)
{
    if (!quotable(s)) {
        size_t n = (size_t)snprintf(to, QUOTE_EXTRA, "{%zu}\r\n", s.len);
        memcpy(to + n, s.ptr, s.len);
        return n + s.len;
    }
    size_t n = 0;
    to[n++] = '"';
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '"' || s.ptr[i] == '\\')
            to[n++] = '\\';
        to[n++] = s.ptr[i];
    }
    to[n++] = '"';
    return n;
}

size_t quote_astring(struct slice s, char *to)
{
    for (size_t i = 0; i < s.len; i++)
        if (!is_astring_char(s.ptr[i]))
            return quote_string(s, to);
    if (s.len == 0 || slice_ieq(s, SLICE("NIL")))
        return quote_string(s, to);
    memcpy(to, s.ptr, s.len);
    return s.len;
}
