/* Five kinds of converter: UTF-8, of which only what is broken is replaced; text that says it is
 * ASCII, or nothing, and is looked at; charsets of one octet a character, by a table that iconv(3)
 * has filled; ISO-2022-JP, by such a table as long as nothing is odd; and all others, by iconv(3).
 *
 * Where a name in use means less than what is sent under it, the larger one is taken, as browsers
 * and mail programs do: iso-8859-1 is windows-1252, gb2312 is GB18030. */
#include "core/mime/charset.h"

#include <errno.h>
#include <iconv.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/mime/casemap.h"
#include "core/mime/code.h"

enum kind { UTF8, GUESS, TABLE, JIS, ICONV };
/* What octets mean in ISO-2022-JP. BY_ICONV: something odd came, and iconv(3) has the rest. */
enum shift { ASCII, ROMAN, KANJI, BY_ICONV };
#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */
enum { HELD_MAX = 16, NAME_MAX_OCTETS = 40, RESTING_MAX = 32 };

struct charset {
    enum kind kind;
    bool fold;
    enum shift shift;               /* JIS */
    iconv_t cd;                     /* JIS, ICONV: to code points */
    char name[NAME_MAX_OCTETS + 1]; /* under which it was opened */
    size_t held_n;                  /* octets of a character that may go on */
    char held[HELD_MAX];
    struct code single[][256]; /* TABLE: as it is, and folded */
};

/* --- names ---------------------------------------------------------------------------------- */

/* Sorted by name, which is in lower case. "" as the second: looked at (GUESS). */
static const struct alias {
    const char *name, *iconv;
} aliases[] = {
    {"",                  ""            },
    {"646",               ""            },
    {"8859_1",            "CP1252"      },
    {"ansi_x3.4-1968",    ""            },
    {"ascii",             ""            },
    {"big5",              "BIG5-HKSCS"  },
    {"cp-850",            "CP850"       },
    {"default",           ""            },
    {"dos-862",           "CP862"       },
    {"dos-874",           "CP874"       },
    {"euc-kr",            "CP949"       },
    {"euckr",             "CP949"       },
    {"gb2312",            "GB18030"     },
    {"gb_2312-80",        "GB18030"     },
    {"gbk",               "GB18030"     },
    {"iso-8859-1",        "CP1252"      },
    {"iso-8859-11",       "CP874"       },
    {"iso-8859-6-e",      "ISO-8859-6"  },
    {"iso-8859-6-i",      "ISO-8859-6"  },
    {"iso-8859-8-e",      "ISO-8859-8"  },
    {"iso-8859-8-i",      "ISO-8859-8"  },
    {"iso-8859-9",        "CP1254"      },
    {"iso8859-1",         "CP1252"      },
    {"iso_8859-1",        "CP1252"      },
    {"ks_c_5601-1987",    "CP949"       },
    {"ks_c_5601-1989",    "CP949"       },
    {"ksc5601",           "CP949"       },
    {"ksc_5601",          "CP949"       },
    {"latin1",            "CP1252"      },
    {"macintosh",         "MACINTOSH"   },
    {"none",              ""            },
    {"shift-jis",         "CP932"       },
    {"shift_jis",         "CP932"       },
    {"sjis",              "CP932"       },
    {"tis-620",           "CP874"       },
    {"unicode-1-1-utf-7", "UTF-7"       },
    {"unknown",           ""            },
    {"unknown-8bit",      ""            },
    {"us-ascii",          ""            },
    {"utf-8",             "UTF-8"       },
    {"utf8",              "UTF-8"       },
    {"windows-31j",       "CP932"       },
    {"windows-874",       "CP874"       },
    {"windows-949",       "CP949"       },
    {"x-euc-jp",          "EUC-JP"      },
    {"x-gbk",             "GB18030"     },
    {"x-mac-cyrillic",    "MAC-CYRILLIC"},
    {"x-mac-roman",       "MACINTOSH"   },
    {"x-sjis",            "CP932"       },
    {"x-unknown",         ""            },
    {"x-user-defined",    ""            },
};

/* In lower case, without blanks and quotes around it. False: no charset is called like that. */
static bool read_name(struct slice name, char to[NAME_MAX_OCTETS + 1])
{
    name = slice_trim(name);
    if (name.len >= 2 && name.ptr[0] == '"' && name.ptr[name.len - 1] == '"')
        name = slice(name.ptr + 1, name.len - 2);
    if (name.len > NAME_MAX_OCTETS)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = ascii_lower(name.ptr[i]);
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || (c && strchr("-_.:+", c))))
            return false; /* '/' has a meaning to iconv_open */
        to[i] = c;
    }
    to[name.len] = '\0';
    return true;
}

static int compare_names(const void *name, const void *row)
{
    return strcmp(name, ((const struct alias *)row)->name);
}

static const char *alias_of(const char *name)
{
    const struct alias *row =
        bsearch(name, aliases, sizeof aliases / sizeof *aliases, sizeof *aliases, compare_names);
    return row ? row->iconv : name;
}

/* cp-1252, cp_1252, windows1252: what follows the word is a number of a code page. */
static bool code_page(const char *name, char to[NAME_MAX_OCTETS + 1])
{
    static const char *const words[] = {"windows", "cp", "ibm", "x-cp"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        size_t n = strlen(words[i]);
        if (strncmp(name, words[i], n) != 0)
            continue;
        n += name[n] == '-' || name[n] == '_';
        if (name[n] < '0' || name[n] > '9')
            continue;
        memcpy(to, "CP", 2);
        strcpy(to + 2, name + n);
        return true;
    }
    return false;
}

/* Converters at rest, for the next text in their charset: iconv_open(3) loads a library from the
 * disk (a search over 10,000 subjects takes 20 ms with it, and took 108 without). */
static struct {
    pthread_mutex_t lock;
    struct charset *at[RESTING_MAX]; /* the newest last */
    unsigned n;
} resting = {.lock = PTHREAD_MUTEX_INITIALIZER};

static struct charset *wake(const char *name)
{
    struct charset *found = NULL;
    pthread_mutex_lock(&resting.lock);
    for (unsigned i = resting.n; i-- > 0 && !found;)
        if (strcmp(resting.at[i]->name, name) == 0) {
            found = resting.at[i];
            memmove(resting.at + i, resting.at + i + 1, (--resting.n - i) * sizeof *resting.at);
        }
    pthread_mutex_unlock(&resting.lock);
    return found;
}

/* Returns the one that has rested longest, if there is no room for both. */
static struct charset *lay_down(struct charset *c)
{
    struct charset *oldest = NULL;
    pthread_mutex_lock(&resting.lock);
    if (resting.n == RESTING_MAX) {
        oldest = resting.at[0];
        memmove(resting.at, resting.at + 1, --resting.n * sizeof *resting.at);
    }
    resting.at[resting.n++] = c;
    pthread_mutex_unlock(&resting.lock);
    return oldest;
}

/* False: a character of this charset may be more than an octet, or mean another one later; or its
 * ASCII is another one. */
static bool read_singles(iconv_t cd, struct code to[2][256])
{
    static const struct code none = {sizeof REPLACEMENT - 1, REPLACEMENT};
    for (unsigned i = 0; i < 256; i++) {
        char octet = (char)i;
        struct code *plain = &to[0][i];
        if (!code_read(cd, slice(&octet, 1), plain, &to[1][i]) ||
            (i < 0x80 && (plain->len != 1 || plain->octets[0] != octet)))
            return false;
        if (plain->len == 0)
            to[0][i] = to[1][i] = none;
    }
    return true;
}

static struct charset *open_iconv(const char *text, const char *known)
{
    char page[NAME_MAX_OCTETS + 1];
    struct charset *c = wake(text);
    if (c)
        return c;
    iconv_t cd = iconv_open("WCHAR_T", known);
    if (cd == (iconv_t)-1 && code_page(text, page))
        cd = iconv_open("WCHAR_T", page);
    if (cd == (iconv_t)-1)
        return NULL;
    struct code single[2][256];
    bool table = read_singles(cd, single);
    c = mem_new(sizeof *c + (table ? sizeof single : 0));
    c->kind = table ? TABLE : strcmp(text, "iso-2022-jp") == 0 ? JIS : ICONV;
    c->cd = cd;
    strcpy(c->name, text);
    if (table) {
        memcpy(c->single, single, sizeof single);
        iconv_close(cd);
    } else {
        iconv(cd, NULL, NULL, NULL, NULL); /* the first shift state */
    }
    return c;
}

struct charset *charset_open(struct slice name)
{
    char text[NAME_MAX_OCTETS + 1];
    if (!read_name(name, text))
        return NULL;
    const char *known = alias_of(text);
    if (*known && strcmp(known, "UTF-8") != 0)
        return open_iconv(text, known);
    struct charset *c = mem_new(sizeof *c);
    c->kind = *known ? UTF8 : GUESS;
    return c;
}

void charset_close(struct charset *c)
{
    if (c && c->kind >= TABLE) {
        c->held_n = 0;
        c->fold = false;
        c->shift = ASCII;
        if (c->kind != TABLE)
            iconv(c->cd, NULL, NULL, NULL, NULL); /* back to the first shift state */
        c = lay_down(c);
        if (c && c->kind != TABLE)
            iconv_close(c->cd);
    }
    mem_free(c);
}

void charset_fold(struct charset *c)
{
    c->fold = true;
}

/* --- UTF-8, and what may be ----------------------------------------------------------------- */

static enum err put_text(const struct charset *c, struct slice utf8, struct buf *to)
{
    return c->fold ? casemap_append(utf8, to) : buf_append(to, utf8);
}

static enum err put_replacement(struct buf *to)
{
    return buf_append(to, SLICE(REPLACEMENT)); /* folded it is the same */
}

/* windows-1252 from 0x80 on; the five octets that it leaves free are U+FFFD. */
static enum err put_1252(const struct charset *charset, unsigned char c, struct buf *to)
{
    static const uint16_t points[32] = {
        0x20ac, 0xfffd, 0x201a, 0x0192, 0x201e, 0x2026, 0x2020, 0x2021, 0x02c6, 0x2030, 0x0160,
        0x2039, 0x0152, 0xfffd, 0x017d, 0xfffd, 0xfffd, 0x2018, 0x2019, 0x201c, 0x201d, 0x2022,
        0x2013, 0x2014, 0x02dc, 0x2122, 0x0161, 0x203a, 0x0153, 0xfffd, 0x017e, 0x0178};
    char octets[4];
    unsigned n = utf8_encode(c < 0xa0 ? points[c - 0x80] : c, octets);
    return put_text(charset, slice(octets, n), to);
}

/* Could these octets, which are no character, be the beginning of one? */
static bool may_go_on(struct slice s)
{
    unsigned char c = (unsigned char)s.ptr[0];
    size_t n = c >= 0xf0 && c <= 0xf4 ? 4 : c >= 0xe0 ? 3 : c >= 0xc2 ? 2 : 0;
    if (c > 0xf4 || s.len >= n)
        return false;
    for (size_t i = 1; i < s.len; i++)
        if (((unsigned char)s.ptr[i] & 0xc0) != 0x80)
            return false;
    return true;
}

/* The characters in front; *ret_n: their octets. */
static enum err put_valid(const struct charset *c, struct slice s, struct buf *to, size_t *ret_n)
{
    if (c->fold)
        return casemap_valid(s, to, ret_n);
    *ret_n = utf8_span(s);
    return buf_append(to, slice_first(s, *ret_n));
}

/* All of `s`; what may go on is left, unless this is the end. */
static enum err put_utf8(const struct charset *c, struct slice *s, bool at_end, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && s->len) {
        size_t n;
        e = put_valid(c, *s, to, &n);
        *s = slice_from(*s, n);
        if (e || s->len == 0)
            break;
        if (!at_end && may_go_on(*s))
            break;
        e = c->kind == GUESS ? put_1252(c, (unsigned char)s->ptr[0], to) : put_replacement(to);
        *s = slice_from(*s, 1);
    }
    return e;
}

/* --- iconv ---------------------------------------------------------------------------------- */

/* iconv(3) passes on what some charsets can say, and is no character. */
static bool is_foreign(uint32_t point)
{
    return (point > 0x10ffff) | ((point & 0xfffff800) == 0xd800);
}

static enum err put_points(const struct charset *c, uint32_t *points, size_t n, struct buf *to)
{
    enum err e = ERR_OK;
    bool foreign = false;
    for (size_t i = 0; i < n; i++)
        foreign |= is_foreign(points[i]);
    for (size_t i = 0; foreign && i < n; i++)
        if (is_foreign(points[i]))
            points[i] = 0xfffd;
    if (c->fold)
        return casemap_points(points, n, to);
    for (size_t i = 0; !e && i < n; i++) {
        char octets[4];
        e = buf_append(to, slice(octets, utf8_encode(points[i], octets)));
    }
    return e;
}

static enum err put_iconv(const struct charset *c, struct slice *s, struct buf *to)
{
    enum { POINTS = 512 };
    uint32_t points[POINTS];
    while (s->len) {
        char *in = (char *)(uintptr_t)s->ptr, *out = (char *)points;
        size_t left = s->len, room = sizeof points;
        size_t done = iconv(c->cd, &in, &left, &out, &room);
        int why = errno;
        *s = slice_from(*s, s->len - left);
        enum err e = put_points(c, points, POINTS - room / sizeof *points, to);
        if (e || done != (size_t)-1 || why == EINVAL) /* the last character is cut off */
            return e;
        if (why == E2BIG)
            continue;
        e = put_replacement(to);
        if (e)
            return e;
        *s = slice_from(*s, 1);
    }
    return ERR_OK;
}

/* Back to the first shift state. Where marks follow their letter, as in windows-1258, the last
 * letter still waits for one. */
static enum err end_iconv(const struct charset *c, struct buf *to)
{
    uint32_t last[HELD_MAX];
    char *out = (char *)last;
    size_t room = sizeof last;
    iconv(c->cd, NULL, NULL, &out, &room);
    return put_points(c, last, HELD_MAX - room / sizeof *last, to);
}

/* --- tables --------------------------------------------------------------------------------- */

static enum err put_singles(const struct charset *c, struct slice *s, struct buf *to)
{
    const struct code *table = c->single[c->fold];
    enum err e = ERR_OK;
    while (!e && s->len) {
        struct slice piece = slice_first(*s, 512);
        bool roomy = buf_reserve(to, piece.len * CODE_MAX) == ERR_OK;
        char *out = roomy ? to->ptr + to->len : NULL;
        for (size_t i = 0; !e && i < piece.len; i++) {
            const struct code *one = &table[(unsigned char)piece.ptr[i]];
            if (!roomy) {
                e = buf_append(to, slice(one->octets, one->len));
                continue;
            }
            memcpy(out, one->octets, CODE_MAX); /* the next one lies over what was too much */
            out += one->len;
        }
        if (roomy)
            to->len = (size_t)(out - to->ptr);
        *s = slice_from(*s, piece.len);
    }
    return e;
}

/* --- ISO-2022-JP ---------------------------------------------------------------------------- */

enum { ESC = 0x1b };

/* ASCII, but for the two characters that are others in JIS X 0201. */
static bool is_single(enum shift shift, char octet)
{
    return (unsigned char)octet < 0x80 && octet != ESC &&
           (shift == ASCII || (octet != '\\' && octet != '~'));
}

/* iconv(3) goes on from here, in the same state. */
static void leave_to_iconv(struct charset *c)
{
    static const char *const shifts[] = {
        [ASCII] = "\x1b(B", [ROMAN] = "\x1b(J", [KANJI] = "\x1b$B"};
    uint32_t nothing;
    char *in = (char *)(uintptr_t)shifts[c->shift], *out = (char *)&nothing;
    size_t left = 3, room = sizeof nothing;
    iconv(c->cd, &in, &left, &out, &room);
    c->shift = BY_ICONV;
}

/* "ESC ( B" and its like (RFC 1468) at `p`. False: it is no other. */
static bool shifts(struct charset *c, const char *p)
{
    if (p[0] != ESC)
        return false;
    if (p[1] == '$' && (p[2] == 'B' || p[2] == '@'))
        c->shift = KANJI;
    else if (p[1] == '(' && (p[2] == 'B' || p[2] == 'J'))
        c->shift = p[2] == 'B' ? ASCII : ROMAN;
    else
        return false;
    return true;
}

/* NULL: these two octets are no character. */
static const struct code *kanji(const struct code *table, const char *p)
{
    unsigned row = (unsigned char)p[0] - 0x21u, cell = (unsigned char)p[1] - 0x21u;
    if (row >= CODE_SET || cell >= CODE_SET)
        return NULL;
    const struct code *code = &table[row * CODE_SET + cell];
    return code->len ? code : NULL;
}

/* What is not odd in front of `s`; how many octets. `to` has room. */
static size_t put_clean(struct charset *c, struct slice s, char **to)
{
    const struct code *table = code_jis(c->fold), *code;
    const char *p = s.ptr, *end = p + s.len;
    char *out = *to;
    do {
        for (; c->shift == KANJI && end - p >= 2 && (code = kanji(table, p)); p += 2) {
            memcpy(out, code->octets, CODE_MAX); /* the next one lies over what was too much */
            out += code->len;
        }
        for (; c->shift != KANJI && p < end && is_single(c->shift, *p); p++)
            *out++ = c->fold ? ascii_upper(*p) : *p;
    } while (end - p >= 3 && shifts(c, p) && (p += 3));
    *to = out;
    return (size_t)(p - s.ptr);
}

/* A pair or a shift of which the end has not come yet. */
static bool is_cut(const struct charset *c, struct slice s)
{
    bool may_begin = (unsigned char)s.ptr[0] - 0x21u < CODE_SET;
    return s.ptr[0] == ESC ? s.len < 3 : c->shift == KANJI && s.len < 2 && may_begin;
}

static enum err put_jis(struct charset *c, struct slice *s, struct buf *to)
{
    enum { PIECE = 512 };
    while (s->len && c->shift != BY_ICONV) {
        size_t n = 0;
        if (buf_reserve(to, (PIECE + 1) * CODE_MAX) == ERR_OK) {
            char *out = to->ptr + to->len;
            n = put_clean(c, slice_first(*s, PIECE), &out);
            to->len = (size_t)(out - to->ptr);
        }
        if (n == 0 && is_cut(c, *s))
            return ERR_OK;
        if (n == 0)
            leave_to_iconv(c);
        *s = slice_from(*s, n);
    }
    return put_iconv(c, s, to);
}

/* --- pieces --------------------------------------------------------------------------------- */

static enum err put_piece(struct charset *c, struct slice *s, bool at_end, struct buf *to)
{
    switch (c->kind) {
    case UTF8:
    case GUESS:
        return put_utf8(c, s, at_end, to);
    case TABLE:
        return put_singles(c, s, to);
    case JIS:
        return put_jis(c, s, to);
    case ICONV:
        break;
    }
    return put_iconv(c, s, to);
}

enum err charset_put(struct charset *c, struct slice octets, struct buf *to)
{
    enum err e = ERR_OK;
    while (!e && c->held_n && octets.len) { /* an octet at a time until the character is whole */
        c->held[c->held_n++] = octets.ptr[0];
        octets = slice_from(octets, 1);
        struct slice s = slice(c->held, c->held_n);
        e = put_piece(c, &s, false, to);
        if (!e && s.len == HELD_MAX) { /* no character is that long */
            e = put_replacement(to);
            s = slice_from(s, 1);
        }
        memmove(c->held, s.ptr, s.len);
        c->held_n = s.len;
    }
    if (e || !octets.len)
        return e;
    e = put_piece(c, &octets, false, to);
    while (!e && octets.len >= HELD_MAX) {
        e = put_replacement(to);
        octets = slice_from(octets, 1);
        if (!e)
            e = put_piece(c, &octets, false, to);
    }
    if (!e && octets.len) {
        memcpy(c->held, octets.ptr, octets.len);
        c->held_n = octets.len;
    }
    return e;
}

enum err charset_end(struct charset *c, struct buf *to)
{
    struct slice s = slice(c->held, c->held_n);
    enum err e = ERR_OK;
    c->held_n = 0;
    c->shift = ASCII;
    if (c->kind < JIS)
        return put_piece(c, &s, true, to);
    if (s.len)
        e = put_replacement(to);
    return e ? e : end_iconv(c, to);
}
