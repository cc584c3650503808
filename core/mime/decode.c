#include "core/mime/decode.h"

#include <endian.h>
#include <stddef.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/hex.h"

void decoder_init(struct decoder *d, enum mime_encoding encoding)
{
    *d = (struct decoder){.encoding = encoding};
}

/* --- base64 --------------------------------------------------------------------------------- */

/* A blank, the padding, what is foreign. */
enum { B = 64, P, X };

/* clang-format off */
static const uint8_t values[128] = {
     X,  X,  X,  X,  X,  X,  X,  X,  X,  B,  B,  X,  X,  B,  X,  X,
     X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X,
     B,  X,  X,  X,  X,  X,  X,  X,  X,  X,  X, 62,  X,  X,  X, 63,
    52, 53, 54, 55, 56, 57, 58, 59, 60, 61,  X,  X,  X,  P,  X,  X,
     X,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9, 10, 11, 12, 13, 14,
    15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25,  X,  X,  X,  X,  X,
     X, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40,
    41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51,  X,  X,  X,  X,  X,
};
/* clang-format on */

static unsigned value_of(char c)
{
    return (unsigned char)c < sizeof values ? values[(unsigned char)c] : X;
}

/* Groups of four digits, up to the first other octet. How many octets were used up. */
static size_t put_groups(struct slice octets, char **to)
{
    char *out = *to;
    size_t i = 0;
    for (; octets.len - i >= 4; i += 4) {
        unsigned a = value_of(octets.ptr[i]), b = value_of(octets.ptr[i + 1]);
        unsigned c = value_of(octets.ptr[i + 2]), d = value_of(octets.ptr[i + 3]);
        if ((a | b | c | d) >= B)
            break;
        uint32_t bits = a << 18 | b << 12 | c << 6 | d;
        *out++ = (char)(bits >> 16);
        *out++ = (char)(bits >> 8);
        *out++ = (char)bits;
    }
    *to = out;
    return i;
}

static enum err put_base64(struct decoder *d, struct slice octets, struct buf *to)
{
    /* With the digits that are left of the pieces before. */
    enum err e = octets.len ? buf_reserve(to, octets.len + d->bits_n) : ERR_OK;
    if (e || !octets.len) /* `to` may not have any memory yet */
        return e;
    char *out = to->ptr + to->len;
    for (size_t i = 0; i < octets.len && !d->ended; i++) {
        if (d->bits_n == 0)
            i += put_groups(slice_from(octets, i), &out);
        if (i == octets.len)
            break;
        unsigned v = value_of(octets.ptr[i]);
        if (v < B) {
            d->bits = d->bits << 6 | v;
            if (++d->bits_n < 4)
                continue;
            *out++ = (char)(d->bits >> 16);
            *out++ = (char)(d->bits >> 8);
            *out++ = (char)d->bits;
            d->bits_n = 0;
        } else if (v == P) {
            d->ended = true;
        } else {
            d->broken |= v == X;
        }
    }
    to->len = (size_t)(out - to->ptr);
    return ERR_OK;
}

/* Two or three digits that were left give one or two octets. */
static enum err end_base64(struct decoder *d, struct buf *to)
{
    d->broken |= d->bits_n == 1 || (d->bits_n && !d->ended);
    uint32_t bits = d->bits << 6 * (4 - d->bits_n);
    char last[2] = {(char)(bits >> 16), (char)(bits >> 8)};
    enum err e = d->bits_n > 1 ? buf_append(to, slice(last, d->bits_n - 1)) : ERR_OK;
    d->bits_n = 0;
    return e;
}

/* --- quoted-printable ----------------------------------------------------------------------- */
/* What cannot be judged yet is held: blanks that may end a line, and behind them one of
 *     CR          of a line end, or alone
 *     =  =X       of an encoded octet
 *     =  =CR      of a soft line break; blanks behind the "=" are dropped with it */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

/* Within a line: neither its end nor "=". */
static bool is_text(char c)
{
    return (unsigned char)c > '=' || (c != '=' && c != '\r' && c != '\n');
}

static bool is_plain(char c)
{
    return is_text(c) && !is_blank(c);
}

static enum err put_blanks(struct decoder *d, struct buf *to)
{
    enum err e = buf_append(to, slice(d->blank, d->blanks));
    d->blanks = 0;
    return e;
}

/* It was not what it began as: give what is held, blanks where they stood. */
static enum err give_up(struct decoder *d, struct buf *to)
{
    bool first = d->held[0] == '='; /* blanks stand behind it */
    unsigned n = d->held_n;
    d->held_n = 0;
    d->broken |= first;
    enum err e = first ? buf_append_c(to, '=') : put_blanks(d, to);
    if (!e && first)
        e = put_blanks(d, to);
    return e ? e : buf_append(to, slice(d->held + first, n - first));
}

/* The octet behind what is held. *ret_again: it is not used up. */
static enum err put_held(struct decoder *d, char c, struct buf *to, bool *ret_again)
{
    int digit = hex_digit(c);
    bool soft = d->held[0] == '=';
    char last = d->held[d->held_n - 1];
    if (c == '\n' && (last == '\r' || last == '=')) {
        d->held_n = d->blanks = 0;
        return soft ? ERR_OK : buf_append(to, SLICE("\r\n"));
    }
    if (soft && d->held_n == 1 && (c == '\r' || (digit >= 0 && !d->blanks))) {
        d->held[d->held_n++] = c;
        return ERR_OK;
    }
    if (soft && d->held_n == 1 && is_blank(c) && d->blanks < sizeof d->blank) {
        d->blank[d->blanks++] = c;
        return ERR_OK;
    }
    if (soft && d->held_n == 2 && last != '\r' && digit >= 0) {
        d->held_n = 0;
        return buf_append_c(to, (char)(hex_digit(last) << 4 | digit));
    }
    *ret_again = true;
    return give_up(d, to);
}

static enum err put_octet(struct decoder *d, char c, struct buf *to)
{
    enum err e = ERR_OK;
    if (d->held_n) {
        bool again = false;
        e = put_held(d, c, to, &again);
        if (e || !again)
            return e;
    }
    if (c == '\n') { /* alone */
        d->blanks = 0;
        return buf_append_c(to, c);
    }
    if (is_blank(c)) {
        if (d->blanks == sizeof d->blank)
            e = put_blanks(d, to);
        d->blank[d->blanks++] = c;
        return e;
    }
    if (c != '\r')
        e = put_blanks(d, to);
    if (e || is_plain(c))
        return e ? e : buf_append_c(to, c);
    d->held[d->held_n++] = c;
    return ERR_OK;
}

static uint64_t high_bits_of(uint64_t word, uint64_t octet)
{
    uint64_t ones = 0x0101010101010101, zero = word ^ octet * ones;
    return (zero - ones) & ~zero & 0x80 * ones;
}

/* Octets of text in front of eight. (Beyond the first one that is not, bits may be wrong.) */
static unsigned text_in(uint64_t word)
{
    word = le64toh(word);
    uint64_t others = high_bits_of(word, '=') | high_bits_of(word, '\r') | high_bits_of(word, '\n');
    return others ? (unsigned)__builtin_ctzll(others) / 8 : sizeof word;
}

/* Octets in front for which nothing need be held: within a line, and as long as "=41" is whole. The
 * blanks that may end a line are left. How many octets were used up. */
static size_t put_line(struct slice octets, char **to)
{
    const char *p = octets.ptr, *end = p + octets.len;
    char *out = *to;
    for (;;) {
        uint64_t word;
        for (unsigned n = sizeof word; n == sizeof word && end - p >= (ptrdiff_t)sizeof word;) {
            memcpy(&word, p, sizeof word);
            memcpy(out, &word, sizeof word); /* what is too much is written over */
            n = text_in(word);
            out += n;
            p += n;
        }
        while (p < end && is_text(*p))
            *out++ = *p++;
        if (end - p < 3 || *p != '=')
            break;
        int high = hex_digit(p[1]), low = hex_digit(p[2]);
        if (high < 0 || low < 0)
            break;
        *out++ = (char)(high << 4 | low);
        p += 3;
    }
    for (; p > octets.ptr && is_blank(p[-1]); p--)
        out--;
    *to = out;
    return (size_t)(p - octets.ptr);
}

static enum err put_quoted_printable(struct decoder *d, struct slice octets, struct buf *to)
{
    enum err e = buf_reserve(to, octets.len + d->blanks + d->held_n + sizeof(uint64_t));
    while (!e && octets.len) {
        size_t n = 0;
        if (!d->held_n && !is_blank(octets.ptr[0])) {
            size_t blanks = d->blanks;
            char *from = to->ptr + to->len, *out = from + blanks;
            n = put_line(octets, &out);
            if (n) {
                memcpy(from, d->blank, blanks);
                to->len = (size_t)(out - to->ptr);
                d->blanks = 0;
            }
        }
        if (n == 0) {
            n = 1;
            e = put_octet(d, octets.ptr[0], to);
        }
        octets = slice_from(octets, n);
    }
    return e;
}

static enum err end_quoted_printable(struct decoder *d, struct buf *to)
{
    bool soft = d->held_n == 1 && d->held[0] == '=';
    if (soft || !d->held_n || d->held[0] == '\r')
        d->blanks = 0; /* the text ends, and the line with it */
    if (soft)
        d->held_n = 0;
    return d->held_n ? give_up(d, to) : ERR_OK;
}

/* --- all ------------------------------------------------------------------------------------ */

enum err decoder_put(struct decoder *d, struct slice octets, struct buf *to)
{
    switch (d->encoding) {
    case MIME_7BIT:
    case MIME_8BIT:
    case MIME_BINARY:
        return buf_append(to, octets);
    case MIME_BASE64:
        return put_base64(d, octets, to);
    case MIME_QP:
        return put_quoted_printable(d, octets, to);
    case MIME_ENCODING_UNKNOWN:
        break;
    }
    return ERR_UNKNOWNCTE;
}

enum err decoder_end(struct decoder *d, struct buf *to)
{
    if (d->encoding == MIME_BASE64)
        return end_base64(d, to);
    return d->encoding == MIME_QP ? end_quoted_printable(d, to) : ERR_OK;
}
