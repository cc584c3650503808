#include "core/mime/text.h"

#include <inttypes.h>
#include <stdio.h>

void text_add(struct text *t, struct slice s)
{
    if (!t->err)
        t->err = buf_append(t->to, s);
}

void text_number(struct text *t, uint64_t n)
{
    char digits[24];
    text_add(t, slice(digits, (size_t)snprintf(digits, sizeof digits, "%" PRIu64, n)));
}

static bool quotable(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c == 0 || c == '\r' || c == '\n' || c >= 0x80)
            return false;
    }
    return true;
}

static void put_literal(struct text *t, struct slice s)
{
    text_add(t, SLICE("{"));
    text_number(t, s.len);
    text_add(t, SLICE("}\r\n"));
    size_t at = t->to->len;
    text_add(t, s);
    for (size_t i = at; i < t->to->len; i++)
        if (t->to->ptr[i] == '\0')
            t->to->ptr[i] = '\x80';
}

static void put_quoted(struct text *t, struct slice s)
{
    text_add(t, SLICE("\""));
    while (s.len) {
        size_t n = 0;
        while (n < s.len && s.ptr[n] != '"' && s.ptr[n] != '\\')
            n++;
        text_add(t, slice_first(s, n));
        s = slice_from(s, n);
        if (!s.len)
            break;
        text_add(t, SLICE("\\"));
        text_add(t, slice_first(s, 1));
        s = slice_from(s, 1);
    }
    text_add(t, SLICE("\""));
}

void text_string(struct text *t, struct slice s)
{
    if (quotable(s))
        put_quoted(t, s);
    else
        put_literal(t, s);
}

void text_upper(struct text *t, struct slice s)
{
    size_t at = t->to->len;
    text_string(t, s);
    for (size_t i = at; i < t->to->len; i++)
        t->to->ptr[i] = ascii_upper(t->to->ptr[i]);
}

void text_nstring(struct text *t, struct slice s)
{
    if (s.ptr)
        text_string(t, s);
    else
        text_add(t, SLICE("NIL"));
}
