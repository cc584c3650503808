#include "core/base/utf7.h"

#include <stdbool.h>
#include <stdint.h>

#include "core/base/utf8.h"

static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";

static bool stands_for_itself(uint32_t c)
{
    return c >= 0x20 && c <= 0x7e;
}

/* --- to the wire ---------------------------------------------------------------------------- */

/* 16-bit units on their way into base64 digits. */
struct shift {
    char *to;
    size_t n;
    uint32_t bits;
    unsigned nbits;
    bool open;
};

static void put_unit(struct shift *s, uint32_t unit)
{
    if (!s->open)
        s->to[s->n++] = '&';
    s->open = true;
    s->bits = s->bits << 16 | unit;
    s->nbits += 16;
    while (s->nbits >= 6) {
        s->nbits -= 6;
        s->to[s->n++] = digits[s->bits >> s->nbits & 63];
    }
}

static void put_end(struct shift *s)
{
    if (!s->open)
        return;
    if (s->nbits)
        s->to[s->n++] = digits[s->bits << (6 - s->nbits) & 63];
    s->to[s->n++] = '-';
    s->bits = s->nbits = 0;
    s->open = false;
}

size_t utf7_encode(struct slice name, char *to)
{
    struct shift s = {.to = to};
    while (name.len) {
        uint32_t c;
        unsigned len = utf8_first(name, &c);
        if (!len) {
            name = slice_from(name, 1);
            continue;
        }
        name = slice_from(name, len);
        if (stands_for_itself(c)) {
            put_end(&s);
            s.to[s.n++] = (char)c;
            if (c == '&')
                s.to[s.n++] = '-';
        } else if (c < 0x10000) {
            put_unit(&s, c);
        } else {
            put_unit(&s, 0xd800 + ((c - 0x10000) >> 10));
            put_unit(&s, 0xdc00 + ((c - 0x10000) & 0x3ff));
        }
    }
    put_end(&s);
    return s.n;
}

/* --- from the wire -------------------------------------------------------------------------- */

static int digit(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == ',' ? 63 : -1;
}

/* The base64 of one shift, without `&` and `-`, appended at *n. */
static bool unshift(struct slice in, char *to, size_t *n)
{
    uint32_t bits = 0, high = 0;
    unsigned nbits = 0;
    for (size_t i = 0; i < in.len; i++) {
        int d = digit(in.ptr[i]);
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        nbits += 6;
        if (nbits < 16)
            continue;
        nbits -= 16;
        uint32_t unit = bits >> nbits & 0xffff;
        bool is_low = unit >= 0xdc00 && unit < 0xe000;
        if (is_low != (high != 0))
            return false;
        if (unit >= 0xd800 && unit < 0xdc00) {
            high = unit;
            continue;
        }
        uint32_t c = high ? 0x10000 + ((high - 0xd800) << 10) + (unit - 0xdc00) : unit;
        high = 0;
        if (stands_for_itself(c))
            return false;
        *n += utf8_encode(c, to + *n);
    }
    /* A digit that was not needed, or bits that are not zero, would be a second spelling. */
    return !high && nbits < 6 && (bits & ((1u << nbits) - 1)) == 0;
}

enum err utf7_decode(struct slice wire, char *to, size_t *ret_len)
{
    size_t n = 0;
    bool after_shift = false;
    for (size_t i = 0; i < wire.len; i++) {
        unsigned char c = (unsigned char)wire.ptr[i];
        if (!stands_for_itself(c))
            return ERR_CANNOT;
        if (c != '&') {
            to[n++] = (char)c;
            after_shift = false;
            continue;
        }
        struct slice rest = slice_from(wire, i + 1);
        size_t len = slice_find(rest, '-');
        if (len == rest.len)
            return ERR_CANNOT;
        if (len == 0)
            to[n++] = '&';
        else if (after_shift || !unshift(slice_first(rest, len), to, &n))
            return ERR_CANNOT;
        after_shift = len != 0;
        i += len + 1;
    }
    *ret_len = n;
    return ERR_OK;
}
