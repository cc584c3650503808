#include "core/base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "core/base/mem.h"

void buf_init(struct buf *b, size_t max)
{
    *b = (struct buf){.max = max};
}

void buf_finish(struct buf *b)
{
    mem_free(b->ptr);
    buf_init(b, b->max);
}

void buf_wipe(struct buf *b)
{
    mem_wipe(b->ptr, b->cap);
    buf_finish(b);
}

enum err buf_reserve(struct buf *b, size_t n)
{
    if (n > b->max || b->len > b->max - n)
        return ERR_LIMIT;
    size_t need = b->len + n;
    if (need <= b->cap)
        return ERR_OK;
    size_t cap = b->cap < 32 ? 64 : b->cap * 2;
    if (cap < need)
        cap = need;
    if (cap > b->max)
        cap = b->max;
    b->ptr = mem_resize(b->ptr, cap);
    b->cap = cap;
    return ERR_OK;
}

enum err buf_append(struct buf *b, struct slice s)
{
    enum err e = buf_reserve(b, s.len);
    if (e)
        return e;
    if (s.len)
        memcpy(b->ptr + b->len, s.ptr, s.len);
    b->len += s.len;
    return ERR_OK;
}

enum err buf_append_c(struct buf *b, char c)
{
    return buf_append(b, slice(&c, 1));
}

enum err buf_printf(struct buf *b, const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    char text[512];
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    if (n < 0)
        return ERR_BUG;
    if ((size_t)n < sizeof text)
        return buf_append(b, slice(text, (size_t)n));
    enum err e = buf_reserve(b, (size_t)n + 1); /* vsnprintf wants room for its NUL */
    if (e)
        return e;
    va_start(ap, format);
    vsnprintf(b->ptr + b->len, (size_t)n + 1, format, ap);
    va_end(ap);
    b->len += (size_t)n;
    return ERR_OK;
}

void buf_consume(struct buf *b, size_t n)
{
    b->len -= n;
    if (b->len)
        memmove(b->ptr, b->ptr + n, b->len);
}
