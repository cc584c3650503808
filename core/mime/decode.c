#include "core/mime/decode.h"

#include "core/base/buf.h"
#include "core/base/hex.h"

void decoder_init(struct decoder *d, enum mime_encoding encoding)
{
    *d = (struct decoder){.encoding = encoding};
}

/* --- base64 --------------------------------------------------------------------------------- */

enum { BLANK = 64, PAD, FOREIGN };

static unsigned char value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (unsigned char)(c - 'A');
    if (c >= 'a' && c <= 'z')
        return (unsigned char)(c - 'a' + 26);
    if (c >= '0' && c <= '9')
        return (unsigned char)(c - '0' + 52);
    if (c == '+')
        return 62;
    if (c == '/')
        return 63;
    if (c == '=')
        return PAD;
    return c == ' ' || c == '\t' || c == '\r' || c == '\n' ? BLANK : FOREIGN;
}

static enum err put_base64(struct decoder *d, struct slice octets, struct buf *to)
{
    enum err e = octets.len ? buf_reserve(to, octets.len) : ERR_OK;
    if (e || !octets.len) /* `to` may not have any memory yet */
        return e;
    char *out = to->ptr + to->len;
    for (size_t i = 0; i < octets.len && !d->ended; i++) {
        unsigned char v = value_of(octets.ptr[i]);
        if (v < 64) {
            d->bits = d->bits << 6 | v;
            if (++d->bits_n < 4)
                continue;
            *out++ = (char)(d->bits >> 16);
            *out++ = (char)(d->bits >> 8);
            *out++ = (char)d->bits;
            d->bits_n = 0;
        } else if (v == PAD) {
            d->ended = true;
        } else {
            d->broken |= v == FOREIGN;
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

static bool is_plain(char c)
{
    return c != '=' && c != '\r' && c != '\n' && c != ' ' && c != '\t';
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
    if (soft && d->held_n == 1 && (c == ' ' || c == '\t') && d->blanks < sizeof d->blank) {
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
    if (c == ' ' || c == '\t') {
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

static enum err put_quoted_printable(struct decoder *d, struct slice octets, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && octets.len) {
        size_t n = 0;
        while (n < octets.len && is_plain(octets.ptr[n]))
            n++;
        if (n == 0 || d->held_n) {
            e = put_octet(d, octets.ptr[0], to);
            octets = slice_from(octets, 1);
            continue;
        }
        e = put_blanks(d, to);
        if (!e)
            e = buf_append(to, slice_first(octets, n));
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
