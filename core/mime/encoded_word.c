/* Encoded words (RFC 2047) and parameter values (RFC 2231): names of charsets and octets in the
 * middle of a header. Words that follow each other in one charset share a converter, so that a
 * character that was split between them is put together. */
#include "core/base/buf.h"
#include "core/base/hex.h"
#include "core/mime/cfws.h"
#include "core/mime/charset.h"
#include "core/mime/decode.h"

struct word {
    struct slice charset; /* without language (RFC 2231 section 5) */
    struct slice text;
    size_t octets; /* of the whole word */
    bool base64;
};

struct reading {
    struct buf *to;
    struct charset *plain; /* what stands outside of words */
    struct charset *words; /* of the words that went before, or NULL */
    struct slice name;     /* of that one */
    bool no_end;           /* known: no "?=" is left */
};

/* "=?charset?q?text?=" at the start of `s`. */
static bool read_word(struct reading *r, struct slice s, struct word *ret)
{
    enum { CHARSET_MAX = 75 };
    size_t n = 2;
    while (n < s.len && n < CHARSET_MAX && s.ptr[n] != '?' && !is_blank(s.ptr[n]))
        n++;
    if (n == 2 || n + 3 > s.len || s.ptr[n] != '?' || s.ptr[n + 2] != '?')
        return false;
    char encoding = ascii_lower(s.ptr[n + 1]);
    if (encoding != 'b' && encoding != 'q')
        return false;
    struct slice charset = slice(s.ptr + 2, n - 2);
    size_t from = n + 3;
    for (n = from; n < s.len; n++) {
        n += slice_find(slice_from(s, n), '?');
        if (n + 1 < s.len && s.ptr[n + 1] == '=')
            break;
    }
    if (n >= s.len) {
        r->no_end = true;
        return false;
    }
    *ret = (struct word){.charset = slice_first(charset, slice_find(charset, '*')),
                         .text = slice(s.ptr + from, n - from),
                         .octets = n + 2,
                         .base64 = encoding == 'b'};
    return true;
}

/* Octets of `s` onto `to`, "%41" or "=41" as one. In Q "_" is a blank (RFC 2047 section 4.2). */
static enum err decode_hex(struct slice s, char mark, struct buf *to)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < s.len; i++) {
        char c = s.ptr[i];
        int high = c == mark && i + 2 < s.len ? hex_digit(s.ptr[i + 1]) : -1;
        int low = high >= 0 ? hex_digit(s.ptr[i + 2]) : -1;
        if (low >= 0) {
            c = (char)(high << 4 | low);
            i += 2;
        } else if (mark == '=' && c == '_') {
            c = ' ';
        }
        e = buf_append_c(to, c);
    }
    return e;
}

static enum err decode_base64(struct slice s, struct buf *to)
{
    struct decoder d;
    decoder_init(&d, MIME_BASE64);
    enum err e = decoder_put(&d, s, to);
    return e ? e : decoder_end(&d, to);
}

/* The words before end here: nothing of theirs goes on. */
static enum err end_words(struct reading *r)
{
    if (!r->words)
        return ERR_OK;
    enum err e = charset_end(r->words, r->to);
    charset_close(r->words);
    r->words = NULL;
    return e;
}

/* Line ends are those of folding (RFC 5322 section 2.2.3), and go. */
static enum err put_plain(struct reading *r, struct slice s)
{
    enum err e = end_words(r);
    while (!e && s.len) {
        size_t n = slice_find(s, '\n');
        bool cr = n < s.len && n && s.ptr[n - 1] == '\r';
        e = charset_put(r->plain, slice_first(s, n - cr), r->to);
        s = slice_from(s, n < s.len ? n + 1 : n);
    }
    return e ? e : charset_end(r->plain, r->to);
}

/* A word in a charset that is not known stays as it is. */
static enum err put_word(struct reading *r, struct slice whole, const struct word *word)
{
    enum err e = ERR_OK;
    if (!r->words || !slice_ieq(r->name, word->charset)) {
        e = end_words(r);
        if (e)
            return e;
        r->words = charset_open(word->charset);
        r->name = word->charset;
        if (!r->words)
            return put_plain(r, whole);
    }
    struct buf octets;
    buf_init(&octets, word->text.len);
    e = word->base64 ? decode_base64(word->text, &octets) : decode_hex(word->text, '=', &octets);
    if (!e)
        e = charset_put(r->words, buf_slice(&octets), r->to);
    buf_finish(&octets);
    return e;
}

/* Octets up to the next "=?" that is not the first. */
static size_t plain_length(struct slice s)
{
    size_t n = 1;
    while (n < s.len) {
        n += slice_find(slice_from(s, n), '=');
        if (n + 1 >= s.len)
            return s.len;
        if (s.ptr[n + 1] == '?')
            return n;
        n++;
    }
    return s.len;
}

static enum err read_header(struct reading *r, struct slice s)
{
    enum err e = ERR_OK;
    while (!e && s.len) {
        struct word word;
        size_t blanks = 0;
        while (r->words && blanks < s.len && is_blank(s.ptr[blanks]))
            blanks++;
        struct slice at = slice_from(s, blanks);
        bool is_word = at.len > 2 && at.ptr[0] == '=' && at.ptr[1] == '?' && !r->no_end &&
                       read_word(r, at, &word);
        size_t n = is_word ? blanks + word.octets : plain_length(s);
        e = is_word ? put_word(r, slice_first(at, word.octets), &word)
                    : put_plain(r, slice_first(s, n));
        s = slice_from(s, n);
    }
    return e ? e : end_words(r);
}

enum err charset_header(struct slice value, struct buf *to)
{
    struct reading r = {.to = to, .plain = charset_open(SLICE_NONE)};
    enum err e = read_header(&r, value);
    charset_close(r.plain);
    charset_close(r.words);
    return e;
}

enum err charset_parameter(struct slice value, struct buf *to)
{
    size_t first = slice_find(value, '\'');
    size_t second = first < value.len ? slice_find(slice_from(value, first + 1), '\'') : 0;
    bool marked = first < value.len && first + 1 + second < value.len;
    struct charset *c = charset_open(marked ? slice_first(value, first) : SLICE_NONE);
    struct slice text = marked ? slice_from(value, first + 1 + second + 1) : value;
    struct buf octets;
    if (!c)
        c = charset_open(SLICE_NONE);
    buf_init(&octets, text.len);
    enum err e = decode_hex(text, '%', &octets);
    if (!e)
        e = charset_put(c, buf_slice(&octets), to);
    if (!e)
        e = charset_end(c, to);
    buf_finish(&octets);
    charset_close(c);
    return e;
}
