#include "core/mime/charset.h"

#include <errno.h>
#include <iconv.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

enum { NAME_MAX_OCTETS = 64, CARRY_MAX = 16 };

struct charset {
    iconv_t to_utf8;
    size_t carried; /* octets of a character that is cut off */
    char carry[CARRY_MAX];
};

/* --- names
 * ------------------------------------------------------------------------------------------ */

/* What mail calls them, and what iconv does. Superset charsets stand for what senders call by the
 * smaller name: what is valid in the small one means the same in both. */
static const struct {
    const char *mail, *iconv;
} aliases[] = {
    {"us-ascii",          "windows-1252"},
    {"ascii",             "windows-1252"},
    {"ansi_x3.4-1968",    "windows-1252"},
    {"iso-8859-1",        "windows-1252"},
    {"latin1",            "windows-1252"},
    {"iso8859-1",         "windows-1252"},
    {"utf8",              "utf-8"       },
    {"unicode-1-1-utf-8", "utf-8"       },
    {"unicode-1-1-utf-7", "utf-7"       },
    {"x-unknown",         "windows-1252"},
    {"unknown-8bit",      "windows-1252"},
    {"x-user-defined",    "windows-1252"},
    {"default",           "windows-1252"},
    {"ks_c_5601-1987",    "cp949"       },
    {"ks_c_5601-1989",    "cp949"       },
    {"ksc5601",           "cp949"       },
    {"euc-kr",            "cp949"       },
    {"x-sjis",            "cp932"       },
    {"shift_jis",         "cp932"       },
    {"shift-jis",         "cp932"       },
    {"ms_kanji",          "cp932"       },
    {"x-euc-jp",          "euc-jp"      },
    {"iso-8859-8-i",      "iso-8859-8"  },
    {"iso-8859-8-e",      "iso-8859-8"  },
    {"iso-8859-6-i",      "iso-8859-6"  },
    {"gb2312",            "gb18030"     },
    {"gbk",               "gb18030"     },
    {"x-gbk",             "gb18030"     },
    {"x-big5",            "big5-hkscs"  },
    {"big5",              "big5-hkscs"  },
    {"cp-850",            "cp850"       },
    {"x-mac-roman",       "macintosh"   },
    {"x-cp1250",          "windows-1250"},
    {"x-cp1251",          "windows-1251"},
    {"x-cp1252",          "windows-1252"},
    {"tis-620",           "cp874"       },
    {"iso-8859-11",       "cp874"       },
    {"viet-fpt",          "tcvn"        },
};

/* Only names: iconv would also take options ("//IGNORE"). */
static bool plain_name(struct slice name)
{
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || strchr("-_.:+()", c)) ||
            c == '\0')
            return false;
    }
    return name.len > 0 && name.len < NAME_MAX_OCTETS;
}

struct charset *charset_open(struct slice name)
{
    char text[NAME_MAX_OCTETS];
    const char *known = NULL;
    if (name.len == 0)
        name = SLICE("us-ascii");
    if (!plain_name(name))
        return NULL;
    for (size_t i = 0; !known && i < sizeof aliases / sizeof *aliases; i++)
        if (slice_ieq(name, slice_str(aliases[i].mail)))
            known = aliases[i].iconv;
    if (!known) {
        memcpy(text, name.ptr, name.len);
        text[name.len] = '\0';
        known = text;
    }
    iconv_t to_utf8 = iconv_open("utf-8", known);
    if (to_utf8 == (iconv_t)-1)
        return NULL;
    struct charset *c = mem_new(sizeof *c);
    c->to_utf8 = to_utf8;
    return c;
}

void charset_close(struct charset *c)
{
    if (!c)
        return;
    iconv_close(c->to_utf8);
    mem_free(c);
}

/* --- conversion
 * ------------------------------------------------------------------------------------- */

#define REPLACEMENT SLICE("\xef\xbf\xbd")

/* Converts what it can of `octets`; returns what is left: a character that is cut off. */
static enum err convert(struct charset *c, struct slice octets, struct buf *to,
                        struct slice *ret_left)
{
    char *from = (char *)(uintptr_t)octets.ptr;
    size_t left = octets.len;
    while (left) {
        enum err e = buf_reserve(to, 64);
        if (e)
            return e;
        char *at = to->ptr + to->len;
        size_t room = to->cap - to->len;
        size_t rc = iconv(c->to_utf8, &from, &left, &at, &room);
        int why = errno;
        to->len = (size_t)(at - to->ptr);
        if (rc != (size_t)-1)
            break;
        if (why == EINVAL)
            break;
        if (why == EILSEQ) {
            if ((e = buf_append(to, REPLACEMENT)))
                return e;
            from++;
            left--;
        } else if (why == E2BIG && (e = buf_reserve(to, to->cap - to->len + 1))) {
            return e;
        }
    }
    *ret_left = slice(from, left);
    return ERR_OK;
}

enum err charset_put(struct charset *c, struct slice octets, struct buf *to)
{
    struct slice left;
    /* A character that began in the piece before: add octets until it is whole or broken. */
    while (c->carried && octets.len) {
        c->carry[c->carried++] = octets.ptr[0];
        octets = slice_from(octets, 1);
        enum err e = convert(c, slice(c->carry, c->carried), to, &left);
        if (e)
            return e;
        memmove(c->carry, left.ptr, left.len);
        c->carried = left.len;
        if (c->carried == CARRY_MAX) { /* no character is that long */
            c->carried = 0;
            if ((e = buf_append(to, REPLACEMENT)))
                return e;
        }
    }
    if (!octets.len)
        return ERR_OK;
    enum err e = convert(c, octets, to, &left);
    if (e)
        return e;
    if (left.len >= CARRY_MAX)
        return buf_append(to, REPLACEMENT);
    memcpy(c->carry, left.ptr, left.len);
    c->carried = left.len;
    return ERR_OK;
}

enum err charset_end(struct charset *c, struct buf *to)
{
    enum err e = c->carried ? buf_append(to, REPLACEMENT) : ERR_OK;
    c->carried = 0;
    iconv(c->to_utf8, NULL, NULL, NULL, NULL);
    return e;
}

static enum err convert_all(struct slice name, struct slice octets, struct buf *to)
{
    struct charset *c = charset_open(name);
    if (!c)
        c = charset_open(SLICE("us-ascii"));
    enum err e = c ? charset_put(c, octets, to) : ERR_BUG;
    if (!e)
        e = charset_end(c, to);
    charset_close(c);
    return e;
}

/* --- RFC 2047
 * --------------------------------------------------------------------------------------- */

struct word {
    struct slice charset;
    char encoding; /* 'B', 'Q' */
    struct slice text;
    size_t len; /* of all of it, "=?" to "?=" */
};

/* The encoded word at the start of s. */
static bool word_at(struct slice s, struct word *ret)
{
    if (!slice_starts(s, SLICE("=?")))
        return false;
    struct slice rest = slice_from(s, 2);
    size_t n = slice_find(rest, '?');
    if (n == 0 || n + 3 >= rest.len || rest.ptr[n + 2] != '?')
        return false;
    struct slice charset = slice_first(rest, n);
    ret->charset =
        slice_first(charset, slice_find(charset, '*')); /* RFC 2231 section 5: language */
    ret->encoding = ascii_upper(rest.ptr[n + 1]);
    struct slice text = slice_from(rest, n + 3);
    size_t end = slice_find(text, '?');
    if (end + 1 >= text.len || text.ptr[end + 1] != '=' ||
        (ret->encoding != 'B' && ret->encoding != 'Q'))
        return false;
    ret->text = slice_first(text, end);
    if (slice_find(ret->text, ' ') < ret->text.len)
        return false;
    ret->len = (size_t)(ret->text.ptr + end + 2 - s.ptr);
    return true;
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = ascii_upper(c);
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* %XX or =XX at s[i]. */
static bool hex_pair(struct slice s, size_t i, char mark, char *ret)
{
    if (s.ptr[i] != mark || i + 2 >= s.len || hex(s.ptr[i + 1]) < 0 || hex(s.ptr[i + 2]) < 0)
        return false;
    *ret = (char)(hex(s.ptr[i + 1]) << 4 | hex(s.ptr[i + 2]));
    return true;
}

static enum err word_octets(const struct word *w, struct buf *to)
{
    if (w->encoding == 'B') {
        struct decoder_bits {
            uint32_t bits;
            unsigned n;
        } d = {0};
        static const char alphabet[] =
            "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        for (size_t i = 0; i < w->text.len; i++) {
            const char *at = w->text.ptr[i] ? strchr(alphabet, w->text.ptr[i]) : NULL;
            if (!at)
                continue;
            d.bits = d.bits << 6 | (uint32_t)(at - alphabet);
            d.n += 6;
            if (d.n >= 8) {
                enum err e = buf_append_c(to, (char)(d.bits >> (d.n -= 8)));
                if (e)
                    return e;
            }
        }
        return ERR_OK;
    }
    for (size_t i = 0; i < w->text.len; i++) {
        char c = w->text.ptr[i];
        if (c == '_')
            c = ' ';
        else if (hex_pair(w->text, i, '=', &c))
            i += 2;
        enum err e = buf_append_c(to, c);
        if (e)
            return e;
    }
    return ERR_OK;
}

/* Text outside encoded words: UTF-8 if it is that (RFC 6532), else what old senders meant. */
static enum err raw(struct slice text, struct buf *to)
{
    return utf8_valid(text) ? buf_append(to, text) : convert_all(SLICE_NONE, text, to);
}

enum err charset_header(struct slice value, struct buf *to)
{
    enum err e = ERR_OK;
    size_t from = 0; /* of the text that is no word */
    struct word first;
    for (size_t i = 0; !e && i < value.len;) {
        if (value.ptr[i] != '=' || !word_at(slice_from(value, i), &first)) {
            i++;
            continue;
        }
        e = raw(slice(value.ptr + from, i - from), to);
        /* Words in a row with the same charset are one text: characters are often split. */
        struct buf octets;
        struct word word = first;
        buf_init(&octets, to->max);
        for (;;) {
            if (!e)
                e = word_octets(&word, &octets);
            i += word.len;
            size_t next = i;
            while (next < value.len && strchr(" \t\r\n", value.ptr[next]) && value.ptr[next])
                next++;
            struct word more;
            bool again = next < value.len && word_at(slice_from(value, next), &more);
            if (again)
                i = next; /* blanks between two words do not count */
            if (!again || !slice_ieq(more.charset, first.charset))
                break;
            word = more;
        }
        if (!e)
            e = convert_all(first.charset, buf_slice(&octets), to);
        buf_finish(&octets);
        from = i;
    }
    return e ? e : raw(slice(value.ptr + from, value.len - from), to);
}

/* --- RFC 2231
 * --------------------------------------------------------------------------------------- */

enum err charset_parameter(struct slice value, struct buf *to)
{
    struct slice name = slice_first(value, slice_find(value, '\''));
    if (name.len == value.len)
        return raw(value, to);
    struct slice rest = slice_from(value, name.len + 1);
    size_t language = slice_find(rest, '\'');
    if (language == rest.len)
        return raw(value, to);
    rest = slice_from(rest, language + 1);
    struct buf octets;
    buf_init(&octets, to->max);
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < rest.len; i++) {
        char c = rest.ptr[i];
        if (hex_pair(rest, i, '%', &c))
            i += 2;
        e = buf_append_c(&octets, c);
    }
    if (!e)
        e = convert_all(name, buf_slice(&octets), to);
    buf_finish(&octets);
    return e;
}
