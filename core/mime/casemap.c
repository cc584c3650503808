#include "core/mime/casemap.h"

#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/casemap_table.h"

static enum err put(struct buf *to, const uint8_t *octets, unsigned n)
{
    enum err e = to->cap - to->len < n ? buf_reserve(to, n) : ERR_OK;
    for (unsigned i = 0; !e && i < n; i++)
        to->ptr[to->len++] = (char)octets[i];
    return e;
}

/* Unicode section 3.12: a syllable is arithmetic. */
enum {
    SYLLABLES = 0xac00,
    SYLLABLES_END = 0xd7a4,
    LEADS = 0x1100,
    VOWELS = 0x1161,
    TAILS = 0x11a7,
    VOWEL_COUNT = 21,
    TAIL_COUNT = 28
};

static enum err put_syllable(uint32_t c, struct buf *to)
{
    char octets[12];
    uint32_t i = c - SYLLABLES, tail = i % TAIL_COUNT;
    unsigned n = utf8_encode(LEADS + i / (VOWEL_COUNT * TAIL_COUNT), octets);
    n += utf8_encode(VOWELS + i / TAIL_COUNT % VOWEL_COUNT, octets + n);
    if (tail)
        n += utf8_encode(TAILS + tail, octets + n);
    return buf_append(to, slice(octets, n));
}

/* The character `c`, not ASCII, whose `n` octets are at the start of `s`. */
static enum err put_folded(struct slice s, unsigned n, uint32_t c, struct buf *to)
{
    if (c >= SYLLABLES && c < SYLLABLES_END)
        return put_syllable(c, to);
    const uint8_t *text = &casemap_pool[casemap_place[casemap_page[c >> 8] << 8 | (c & 0xff)]];
    if (text == casemap_pool)
        return put(to, (const uint8_t *)s.ptr, n);
    return put(to, text + 1, text[0]);
}

/* ASCII, of which only letters change. Blocks of a fixed length become vector instructions. */
static void put_upper(const char *restrict from, size_t n, char *restrict to)
{
    enum { BLOCK = 32 };
    size_t at = 0;
    for (; n - at >= BLOCK; at += BLOCK)
        for (size_t i = 0; i < BLOCK; i++)
            to[at + i] = ascii_upper(from[at + i]);
    for (; at < n; at++)
        to[at] = ascii_upper(from[at]);
}

enum err casemap_append(struct slice utf8, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && utf8.len) {
        uint32_t c;
        size_t n = slice_ascii(utf8);
        if (n) {
            e = to->cap - to->len < n ? buf_reserve(to, n) : ERR_OK;
            if (e)
                break;
            put_upper(utf8.ptr, n, to->ptr + to->len);
            to->len += n;
        } else if ((n = utf8_first(utf8, &c)) > 0) {
            e = put_folded(utf8, (unsigned)n, c, to);
        } else {
            n = 1;
            e = buf_append(to, slice_first(utf8, n));
        }
        utf8 = slice_from(utf8, n);
    }
    return e;
}
