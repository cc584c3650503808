#include "core/mime/casemap.h"

#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/casemap_table.h"

static enum err put(struct buf *to, uint32_t c)
{
    char octets[4];
    return buf_append(to, slice(octets, utf8_encode(c, octets)));
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
    uint32_t i = c - SYLLABLES, tail = i % TAIL_COUNT;
    enum err e = put(to, LEADS + i / (VOWEL_COUNT * TAIL_COUNT));
    if (!e)
        e = put(to, VOWELS + i / TAIL_COUNT % VOWEL_COUNT);
    return e || tail == 0 ? e : put(to, TAILS + tail);
}

/* The character at the start of `s`, not ASCII, which is `n` octets long. */
static enum err put_folded(struct slice s, unsigned n, uint32_t c, struct buf *to)
{
    if (c >= SYLLABLES && c < SYLLABLES_END)
        return put_syllable(c, to);
    const uint32_t *text = &casemap_pool[casemap_place[casemap_page[c >> 8] << 8 | (c & 0xff)]];
    if (text == casemap_pool)
        return buf_append(to, slice_first(s, n));
    enum err e = ERR_OK;
    for (uint32_t i = 1; !e && i <= text[0]; i++)
        e = put(to, text[i]);
    return e;
}

/* The ASCII characters in front, of which only letters change. */
static enum err put_ascii(struct slice s, struct buf *to)
{
    enum err e = buf_reserve(to, s.len);
    for (size_t i = 0; !e && i < s.len; i++)
        to->ptr[to->len++] = ascii_upper(s.ptr[i]);
    return e;
}

enum err casemap_append(struct slice utf8, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && utf8.len) {
        size_t n = 0;
        uint32_t c;
        while (n < utf8.len && (unsigned char)utf8.ptr[n] < 0x80)
            n++;
        if (n) {
            e = put_ascii(slice_first(utf8, n), to);
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
