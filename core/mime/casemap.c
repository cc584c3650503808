#include "core/mime/casemap.h"

#include <endian.h>
#include <stdint.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/casemap_table.h"

/* Folding comes after decoding in a search over the text of messages, so it must cost about as
 * little as reading: room is made for whatever a piece may become, then octets are written without
 * another look, eight at a time, of which those that were too many are written over. */
enum { PIECE = 512, WORD = 8, BLOCK = 32 };

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

static char *put_syllable(uint32_t c, char *to)
{
    uint32_t i = c - SYLLABLES, tail = i % TAIL_COUNT;
    to += utf8_encode(LEADS + i / (VOWEL_COUNT * TAIL_COUNT), to);
    to += utf8_encode(VOWELS + i / TAIL_COUNT % VOWEL_COUNT, to);
    return tail ? to + utf8_encode(TAILS + tail, to) : to;
}

/* A character that is not ASCII. */
static inline char *put_folded(uint32_t c, char *to)
{
    unsigned page = casemap_page[c >> 8];
    if (!page)
        return c >= SYLLABLES && c < SYLLABLES_END ? put_syllable(c, to) : to + utf8_encode(c, to);
    const uint8_t *text = &casemap_pool[casemap_place[page << 8 | (c & 0xff)]];
    if (text == casemap_pool)
        return to + utf8_encode(c, to);
    unsigned n = *text++;
    memcpy(to, text, WORD); /* CASEMAP_SLACK */
    if (n > WORD)
        memcpy(to + WORD, text + WORD, n - WORD);
    return to + n;
}

static uint64_t high_bits(uint64_t word)
{
    return word & 0x8080808080808080;
}

/* Letters among eight ASCII characters; other octets come out as anything. */
static uint64_t upper(uint64_t word)
{
    uint64_t low = word & 0x7f7f7f7f7f7f7f7f;
    uint64_t from_a = low + 0x1f1f1f1f1f1f1f1f, behind_z = low + 0x0505050505050505;
    return word - (high_bits(from_a & ~behind_z) >> 2);
}

/* Octets below 0x80 in front of the first other one. */
static unsigned ascii_in(uint64_t word)
{
    uint64_t others = high_bits(le64toh(word));
    return others ? (unsigned)__builtin_ctzll(others) / 8 : WORD;
}

/* A copy is nobody's alias, so compilers make vectors of both loops. False: it is not all ASCII. */
static bool put_block(const char *from, char *to)
{
    char block[BLOCK], all = 0;
    memcpy(block, from, BLOCK);
    for (unsigned i = 0; i < BLOCK; i++)
        all |= block[i];
    for (unsigned i = 0; i < BLOCK; i++)
        block[i] = ascii_upper(block[i]);
    memcpy(to, block, BLOCK);
    return (unsigned char)all < 0x80;
}

/* ASCII at *from, up to another octet or the end. */
static char *put_ascii(const char **from, const char *end, char *to)
{
    const char *p = *from;
    unsigned n = WORD;
    for (; end - p >= BLOCK && put_block(p, to); p += BLOCK, to += BLOCK)
        ;
    for (; n == WORD && end - p >= WORD; p += n, to += n) {
        uint64_t word;
        memcpy(&word, p, WORD);
        n = ascii_in(word);
        word = upper(word);
        memcpy(to, &word, WORD);
    }
    for (; n == WORD && p < end && (unsigned char)*p < 0x80; p++)
        *to++ = ascii_upper(*p);
    *from = p;
    return to;
}

/* Characters that begin in front of `stop`, as long as they are valid. Returns where it ended. */
static const char *put_piece(const char *from, const char *stop, const char *end, char **to)
{
    char *out = *to;
    while (from < stop) {
        uint32_t c;
        if ((unsigned char)*from < 0x80) {
            out = put_ascii(&from, stop, out);
            continue;
        }
        unsigned n = utf8_first(slice(from, (size_t)(end - from)), &c);
        if (n == 0)
            break;
        out = put_folded(c, out);
        from += n;
    }
    *to = out;
    return from;
}

/* Near the limit of a buf: a character at a time, each of which must fit. */
static enum err put_tightly(struct slice s, struct buf *to, size_t *ret_n)
{
    size_t n = 0;
    for (;;) {
        char octets[2 * CASEMAP_TEXT_MAX + BLOCK];
        char *out = octets;
        const char *at = s.ptr + n;
        size_t used = n < s.len ? (size_t)(put_piece(at, at + 1, s.ptr + s.len, &out) - at) : 0;
        enum err e = buf_append(to, slice(octets, (size_t)(out - octets)));
        *ret_n = n;
        if (e || used == 0)
            return e;
        n += used;
    }
}

enum err casemap_valid(struct slice utf8, struct buf *to, size_t *ret_n)
{
    const char *at = utf8.ptr, *end = at + utf8.len;
    *ret_n = 0;
    for (bool valid = true; valid && at < end;) {
        const char *stop = end - at > PIECE ? at + PIECE : end;
        /* A character that grows has two octets at least; the last one may reach over `stop`. */
        size_t room = (size_t)(stop - at + 2) / 2 * CASEMAP_TEXT_MAX + BLOCK;
        if (to->cap - to->len < room && buf_reserve(to, room)) {
            size_t n;
            enum err e = put_tightly(slice_from(utf8, *ret_n), to, &n);
            *ret_n += n;
            return e;
        }
        char *out = to->ptr + to->len;
        at = put_piece(at, stop, end, &out);
        to->len = (size_t)(out - to->ptr);
        *ret_n = (size_t)(at - utf8.ptr);
        valid = at >= stop;
    }
    return ERR_OK;
}

static char *put_points(const uint32_t *points, size_t n, char *to)
{
    for (size_t i = 0; i < n; i++) {
        if (points[i] >= 0x80)
            to = put_folded(points[i], to);
        else
            *to++ = ascii_upper((char)points[i]);
    }
    return to;
}

enum err casemap_points(const uint32_t *points, size_t n, struct buf *to)
{
    enum err e = ERR_OK;
    if (n <= PIECE && buf_reserve(to, n * CASEMAP_TEXT_MAX + WORD) == ERR_OK) {
        to->len = (size_t)(put_points(points, n, to->ptr + to->len) - to->ptr);
        return ERR_OK;
    }
    for (size_t i = 0; !e && i < n; i++) {
        char octets[CASEMAP_TEXT_MAX + WORD];
        char *end = put_points(points + i, 1, octets);
        e = buf_append(to, slice(octets, (size_t)(end - octets)));
    }
    return e;
}

enum err casemap_append(struct slice utf8, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && utf8.len) {
        size_t n;
        e = casemap_valid(utf8, to, &n);
        if (!e && n < utf8.len)
            e = buf_append_c(to, utf8.ptr[n++]);
        utf8 = slice_from(utf8, n);
    }
    return e;
}
