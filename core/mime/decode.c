#include "core/mime/decode.h"

#include "core/base/buf.h"

void decoder_init(struct decoder *d, enum mime_encoding encoding)
{
    *d = (struct decoder){.encoding = encoding};
}

/* --- base64: RFC 2045 section 6.8
 * ----------------------------------------------------------------- */

static int base64_value(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

static enum err base64_put(struct decoder *d, struct slice octets, struct buf *to)
{
    enum err e = buf_reserve(to, octets.len);
    for (size_t i = 0; !e && i < octets.len; i++) {
        char c = octets.ptr[i];
        int value = base64_value(c);
        if (c == '=')
            d->ended = true;
        if (c == '\r' || c == '\n' || c == ' ' || c == '\t' || c == '=')
            continue;
        if (value < 0 || d->ended) {
            d->broken = true;
            continue;
        }
        d->bits = d->bits << 6 | (uint32_t)value;
        d->bits_n += 6;
        if (d->bits_n >= 8) {
            d->bits_n -= 8;
            to->ptr[to->len++] = (char)(d->bits >> d->bits_n);
        }
    }
    return e;
}

/* --- quoted-printable: RFC 2045 section 6.7
 * -------------------------------------------------------- */

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_upper(c);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static enum err give_blanks(struct decoder *d, struct buf *to)
{
    enum err e = buf_append(to, slice(d->blank, d->blanks));
    d->blanks = 0;
    return e;
}

static enum err give(struct decoder *d, struct slice s, struct buf *to)
{
    enum err e = give_blanks(d, to);
    return e ? e : buf_append(to, s);
}

/* `held` begins with "=": what does it say, one octet at a time? */
static enum err held_octet(struct decoder *d, char c, struct buf *to)
{
    d->held[d->held_n++] = c;
    if (d->held_n == 2) {
        if (c == '\n') { /* a soft line end */
            d->held_n = 0;
            return give_blanks(d, to);
        }
        if (hex_value(c) >= 0 || c == '\r' || c == ' ' || c == '\t')
            return ERR_OK;
    } else if (d->held[1] == '\r' || d->held[1] == ' ' || d->held[1] == '\t') {
        if (c == '\n') {
            d->held_n = 0;
            return give_blanks(d, to);
        }
        if (d->held_n < sizeof d->held && (c == ' ' || c == '\t' || c == '\r'))
            return ERR_OK;
    } else if (hex_value(c) >= 0) {
        char octet = (char)(hex_value(d->held[1]) << 4 | hex_value(c));
        d->held_n = 0;
        return give(d, slice(&octet, 1), to);
    }
    d->broken = true; /* an "=" that encodes nothing stays */
    size_t n = d->held_n;
    d->held_n = 0;
    return give(d, slice(d->held, n), to);
}

static enum err qp_octet(struct decoder *d, char c, struct buf *to)
{
    if (d->held_n)
        return held_octet(d, c, to);
    switch (c) {
    case '=':
        d->held[d->held_n++] = c;
        return ERR_OK;
    case ' ':
    case '\t':
        if (d->blanks == sizeof d->blank) {
            enum err e = give_blanks(d, to);
            if (e)
                return e;
        }
        d->blank[d->blanks++] = c;
        return ERR_OK;
    case '\r':
        return buf_append_c(to, c); /* blanks in front of a line end are kept back until LF */
    case '\n':
        d->blanks = 0;
        return buf_append_c(to, c);
    default:
        return give(d, slice(&c, 1), to);
    }
}

static bool is_special(char c)
{
    return c == '=' || c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Runs without anything special go at once. */
static enum err qp_put(struct decoder *d, struct slice octets, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && octets.len) {
        size_t n = 0;
        while (!d->held_n && n < octets.len && !is_special(octets.ptr[n]))
            n++;
        if (n) {
            e = give(d, slice_first(octets, n), to);
        } else {
            n = 1;
            e = qp_octet(d, octets.ptr[0], to);
        }
        octets = slice_from(octets, n);
    }
    return e;
}

/* --- all
 * ------------------------------------------------------------------------------------------- */

enum err decoder_put(struct decoder *d, struct slice octets, struct buf *to)
{
    switch (d->encoding) {
    case MIME_BASE64:
        return base64_put(d, octets, to);
    case MIME_QP:
        return qp_put(d, octets, to);
    case MIME_ENCODING_UNKNOWN:
        return ERR_UNKNOWNCTE;
    case MIME_7BIT:
    case MIME_8BIT:
    case MIME_BINARY:
        break;
    }
    return buf_append(to, octets);
}

enum err decoder_end(struct decoder *d, struct buf *to)
{
    if (d->encoding != MIME_QP) {
        d->broken |= d->bits_n == 6; /* one character more than whole octets */
        return ERR_OK;
    }
    d->broken |= d->held_n > 0;
    enum err e = d->held_n ? give(d, slice(d->held, d->held_n), to) : ERR_OK;
    d->held_n = 0;
    d->blanks = 0;
    return e;
}
