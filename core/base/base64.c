#include "core/base/base64.h"

#include "core/base/buf.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

size_t base64_encode(struct slice from, char *to)
{
    const unsigned char *p = (const unsigned char *)from.ptr;
    size_t n = from.len;
    char *out = to;
    for (; n >= 3; n -= 3, p += 3) {
        *out++ = alphabet[p[0] >> 2];
        *out++ = alphabet[(p[0] & 3) << 4 | p[1] >> 4];
        *out++ = alphabet[(p[1] & 15) << 2 | p[2] >> 6];
        *out++ = alphabet[p[2] & 63];
    }
    if (n) {
        unsigned second = n == 2 ? p[1] : 0;
        *out++ = alphabet[p[0] >> 2];
        *out++ = alphabet[(p[0] & 3u) << 4 | second >> 4];
        *out++ = n == 2 ? alphabet[(second & 15) << 2] : '=';
        *out++ = '=';
    }
    return (size_t)(out - to);
}

enum err base64_append(struct buf *b, struct slice from)
{
    enum err e = buf_reserve(b, base64_encoded_len(from.len));
    if (e)
        return e;
    if (from.len)
        b->len += base64_encode(from, b->ptr + b->len);
    return ERR_OK;
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

enum err base64_decode(struct slice from, char *to, size_t *ret_len)
{
    if (from.len % 4)
        return ERR_SYNTAX;
    const char *p = from.ptr;
    char *out = to;
    for (size_t left = from.len; left; left -= 4, p += 4) {
        int pad = left > 4 || p[3] != '=' ? 0 : p[2] == '=' ? 2 : 1;
        int a = value_of(p[0]);
        int b = value_of(p[1]);
        int c = pad == 2 ? 0 : value_of(p[2]);
        int d = pad ? 0 : value_of(p[3]);
        if (a < 0 || b < 0 || c < 0 || d < 0)
            return ERR_SYNTAX;
        if ((pad == 2 && (b & 15)) || (pad == 1 && (c & 3)))
            return ERR_SYNTAX;
        unsigned bits = (unsigned)a << 18 | (unsigned)b << 12 | (unsigned)c << 6 | (unsigned)d;
        *out++ = (char)(bits >> 16);
        if (pad < 2)
            *out++ = (char)(bits >> 8 & 255);
        if (pad < 1)
            *out++ = (char)(bits & 255);
    }
    *ret_len = (size_t)(out - to);
    return ERR_OK;
}

enum err base64_decode_dup(struct arena *a, struct slice from, struct slice *ret)
{
    char *to = arena_try(a, base64_decoded_max(from.len) + 1);
    if (!to)
        return ERR_LIMIT;
    size_t n;
    enum err e = base64_decode(from, to, &n);
    if (e)
        return e;
    to[n] = '\0';
    *ret = slice(to, n);
    return ERR_OK;
}
