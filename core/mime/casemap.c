#include "core/mime/casemap.h"

#include <stddef.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"

static const struct form {
    uint32_t c;
    const char *form;
} forms[] = {
#include "casemap_table.h"
};

enum { HANGUL = 0xac00, HANGUL_END = 0xd7a4, LEAD = 0x1100, VOWEL = 0x1161, TAIL = 0x11a7 };
enum { VOWELS = 21, TAILS = 28 };

static const char *form_of(uint32_t c)
{
    size_t lo = 0, hi = sizeof forms / sizeof *forms;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (forms[mid].c < c)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < sizeof forms / sizeof *forms && forms[lo].c == c ? forms[lo].form : NULL;
}

static enum err append_jamo(uint32_t c, struct buf *to)
{
    char octets[3] = {(char)(0xe0 | c >> 12), (char)(0x80 | (c >> 6 & 0x3f)),
                      (char)(0x80 | (c & 0x3f))};
    return buf_append(to, slice(octets, 3));
}

/* Unicode section 3.12: syllables are composed by rule, so they are decomposed by rule. */
static enum err append_hangul(uint32_t c, struct buf *to)
{
    uint32_t at = c - HANGUL;
    enum err e = append_jamo(LEAD + at / (VOWELS * TAILS), to);
    if (!e)
        e = append_jamo(VOWEL + at % (VOWELS * TAILS) / TAILS, to);
    if (!e && at % TAILS)
        e = append_jamo(TAIL + at % TAILS, to);
    return e;
}

static enum err append_character(struct slice octets, uint32_t c, struct buf *to)
{
    if (c >= HANGUL && c < HANGUL_END)
        return append_hangul(c, to);
    const char *form = form_of(c);
    return buf_append(to, form ? slice_str(form) : octets);
}

enum err casemap_append(struct slice utf8, struct buf *to)
{
    while (utf8.len) {
        /* Most of all text is ASCII: a run of it at once. */
        size_t n = 0;
        while (n < utf8.len && (unsigned char)utf8.ptr[n] < 0x80)
            n++;
        enum err e = buf_reserve(to, n);
        if (e)
            return e;
        for (size_t i = 0; i < n; i++)
            to->ptr[to->len++] = ascii_upper(utf8.ptr[i]);
        utf8 = slice_from(utf8, n);
        if (!utf8.len)
            break;
        uint32_t c;
        unsigned len = utf8_first(utf8, &c);
        if (len)
            e = append_character(slice_first(utf8, len), c, to);
        else
            e = buf_append(to, slice_first(utf8, len = 1));
        if (e)
            return e;
        utf8 = slice_from(utf8, len);
    }
    return ERR_OK;
}
