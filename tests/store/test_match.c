/* What a search finds, against a model: messages are made of texts that are known, in many charsets
 * and encodings, and what is looked for is cut out of them or almost. The model folds a character
 * at a time and looks at every place. */
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/base64.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"
#include "core/mime/casemap.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { MESSAGES = 64, TEXTS = 16, LONG_OCTETS = 60000 };

static uint32_t seed = 1;

static uint32_t roll(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

static void add(struct buf *to, const char *s)
{
    assert_ok(buf_append(to, slice_str(s)));
}

/* --- messages --------------------------------------------------------------------------------- */

struct message {
    bool stored;
    struct buf octets;
    struct buf text[TEXTS]; /* what can be found, folded: of the header first */
    size_t texts, headers;
};

static struct message messages[MESSAGES];

static struct buf *new_text(struct message *m)
{
    assert_true(m->texts < TEXTS);
    buf_init(&m->text[m->texts], SIZE_MAX);
    return &m->text[m->texts++];
}

/* A character at a time: the plain way. */
static void fold(struct slice utf8, struct buf *to)
{
    while (utf8.len) {
        unsigned n = utf8_first(utf8, NULL);
        assert_true(n > 0);
        assert_ok(casemap_append(slice_first(utf8, n), to));
        utf8 = slice_from(utf8, n);
    }
}

static const struct kind {
    const char *charset, *iconv; /* as the message names it; as iconv does */
    const char *words[12];
} kinds[] = {
    {"us-ascii",
     "ASCII",                       {"the", "Lighthouse", "keeper", "of", "GARDEN", "ferry=", "a", "=?x", "..", "key"}},
    {"UTF-8",
     "UTF-8",                       {"ti\u1ebfng", "Vi\u1ec7t", "\u20ac", "\u212a", "plain", "\U0001f600", "\ufb01sh", "\uac01",
      "\u2026", "\u00df", "STRASSE", "e\u0301"}                                                          },
    {"",             "UTF-8",       {"caf\u00e9", "seen", "\u65e5\u672c", "Cafe\u0301"}                               },
    {"iso-8859-1",   "CP1252",      {"k\u00f6nnen", "Gr\u00fc\u00dfe", "\u201eso\u201c", "Tag"}                       },
    {"koi8-r",       "KOI8-R",      {"\u043f\u0440\u0438\u0432\u0435\u0442", "\u041c\u0418\u0420"}                    },
    {"iso-2022-jp",  "ISO-2022-JP", {"\u304a\u4e16\u8a71", "\u6c34\u66dc\u65e5", "abc", "OK"}                         },
    {"gb2312",       "GB18030",     {"\u4f60\u597d", "\u4e16\u754c", "Beijing"}                                       },
    {"windows-1258", "CP1258",      {"\u0103n", "c\u01a1m", "\u0111\u00e2u"}                                          },
};

/* Words and lines, in UTF-8. */
static void write_text(const struct kind *kind, size_t octets, bool lines, struct buf *to)
{
    size_t words = 0, before = to->len;
    while (words < 12 && kind->words[words])
        words++;
    while (to->len - before < octets) {
        add(to, kind->words[roll((uint32_t)words)]);
        uint32_t end = roll(lines ? 12 : 11);
        add(to, end == 11 ? "\r\n" : end == 10 ? ", " : " ");
    }
    add(to, "end");
}

static void convert(const struct kind *kind, struct slice utf8, struct buf *to)
{
    iconv_t cd = iconv_open(kind->iconv, "UTF-8");
    assert_true(cd != (iconv_t)-1);
    assert_ok(buf_reserve(to, 8 * utf8.len + 64));
    char *in = (char *)(uintptr_t)utf8.ptr, *out = to->ptr + to->len;
    size_t left = utf8.len, room = to->cap - to->len;
    assert_true(iconv(cd, &in, &left, &out, &room) != (size_t)-1);
    assert_true(iconv(cd, NULL, NULL, &out, &room) != (size_t)-1);
    to->len = (size_t)(out - to->ptr);
    iconv_close(cd);
}

static void write_base64(struct slice octets, bool lines, struct buf *to)
{
    while (octets.len) {
        struct slice line = slice_first(octets, lines ? 57 : octets.len);
        assert_ok(base64_append(to, line));
        add(to, lines ? "\r\n" : "");
        octets = slice_from(octets, line.len);
    }
}

static void write_quoted(struct slice octets, struct buf *to)
{
    size_t column = 0;
    for (size_t i = 0; i < octets.len; i++) {
        unsigned char c = (unsigned char)octets.ptr[i];
        bool line_end = c == '\r' && i + 1 < octets.len && octets.ptr[i + 1] == '\n';
        if (line_end) {
            add(to, "\r\n");
            i++;
            column = 0;
            continue;
        }
        bool blank_at_end = c == ' ' && (i + 1 == octets.len || octets.ptr[i + 1] == '\r');
        if (c == '=' || c < ' ' || c > '~' || blank_at_end || roll(40) == 0)
            assert_ok(buf_printf(to, roll(2) ? "=%02X" : "=%02x", c));
        else
            assert_ok(buf_append_c(to, (char)c));
        if (++column > 20 && roll(4) == 0) {
            add(to, roll(3) ? "=\r\n" : "= \t\r\n");
            column = 0;
        }
    }
}

/* Content-Type, encoding, the empty line and the text; fields are found only in a header. */
static void write_part(struct message *m, bool is_header, bool in_other, const char *subtype)
{
    const struct kind *kind = &kinds[roll(sizeof kinds / sizeof *kinds)];
    struct buf *to = &m->octets, utf8, octets;
    char type[80], encoding[80];
    bool raw = kind == &kinds[0] || roll(3) == 0;
    bool base64 = !raw && roll(2);
    buf_init(&utf8, SIZE_MAX);
    buf_init(&octets, SIZE_MAX);
    snprintf(type, sizeof type,
             *kind->charset ? "Content-Type: text/%s; charset=\"%s\"" : "Content-Type: text/%s",
             subtype, kind->charset);
    snprintf(encoding, sizeof encoding, "Content-Transfer-Encoding: %s",
             raw      ? "8bit"
             : base64 ? "base64"
                      : "quoted-printable");
    assert_ok(buf_printf(to, "%s\r\n%s\r\n\r\n", type, encoding));
    if (is_header) {
        fold(slice_str(type), new_text(m));
        fold(slice_str(encoding), new_text(m));
    }
    write_text(kind, roll(8) ? 20 + roll(400) : LONG_OCTETS - roll(30000), true, &utf8);
    convert(kind, buf_slice(&utf8), &octets);
    if (raw)
        assert_ok(buf_append(to, buf_slice(&octets)));
    else if (base64)
        write_base64(buf_slice(&octets), true, to);
    else
        write_quoted(buf_slice(&octets), to);
    add(to, "\r\n");
    if (is_header && !base64 && !in_other)
        add(&utf8, "\r\n"); /* before a delimiter it is no part of the text */
    fold(buf_slice(&utf8), new_text(m));
    buf_finish(&utf8);
    buf_finish(&octets);
}

static void write_subject(struct message *m, struct buf *decoded)
{
    const struct kind *kind = &kinds[roll(4)];
    struct buf *to = &m->octets, octets;
    buf_init(&octets, SIZE_MAX);
    add(to, "Subject: ");
    for (uint32_t i = 1 + roll(3); i > 0; i--) {
        size_t at = decoded->len;
        write_text(kind, 3 + roll(20), false, decoded);
        struct slice utf8 = slice_from(buf_slice(decoded), at);
        if (kind == &kinds[0]) {
            assert_ok(buf_append(to, utf8));
            if (i > 1) { /* folded: the line end goes, the blank stays */
                add(to, "\r\n ");
                add(decoded, " ");
            }
            continue;
        }
        octets.len = 0;
        convert(kind, utf8, &octets);
        assert_ok(buf_printf(to, "=?%s?B?", *kind->charset ? kind->charset : "utf-8"));
        write_base64(buf_slice(&octets), false, to);
        add(to, i > 1 ? "?=\r\n\t" : "?=");
    }
    add(to, "\r\n");
    buf_finish(&octets);
}

static void write_field(struct message *m, const char *field)
{
    assert_ok(buf_printf(&m->octets, "%s\r\n", field));
    fold(slice_str(field), new_text(m));
}

static void write_header(struct message *m)
{
    struct buf line, subject;
    buf_init(&line, SIZE_MAX);
    buf_init(&subject, SIZE_MAX);
    write_field(m, roll(2) ? "From: Ann <ann@example.org>" : "From: Dora <dora@example.net>");
    write_field(m, "X-Odd: a=?b \xc3\xa9 =?utf-8?q?no");
    write_subject(m, &subject);
    assert_ok(buf_printf(&line, "Subject: " SLICE_FMT, SLICE_ARG(buf_slice(&subject))));
    fold(buf_slice(&line), new_text(m));
    buf_finish(&line);
    buf_finish(&subject);
}

static void make(struct message *m)
{
    buf_init(&m->octets, SIZE_MAX);
    write_header(m);
    if (roll(2)) {
        size_t before = m->texts;
        write_part(m, true, false, "plain");
        m->headers = before + 2;
    } else {
        write_field(m, "Content-Type: multipart/mixed; boundary=\"=_b\"");
        m->headers = m->texts;
        add(&m->octets, "\r\nno part, lighthouse preamble\r\n");
        for (uint32_t i = 1 + roll(3); i > 0; i--) {
            add(&m->octets, "--=_b\r\n");
            write_part(m, false, true, roll(2) ? "html" : "plain");
        }
        if (roll(2))
            add(&m->octets,
                "--=_b\r\nContent-Type: application/pdf\r\n\r\nattached lighthouse\r\n");
        if (roll(2)) {
            add(&m->octets, "--=_b\r\nContent-Type: message/rfc822\r\n\r\n");
            write_header(m);
            write_part(m, true, true, "plain");
        }
        add(&m->octets, "--=_b--\r\n");
    }
}

/* --- searches --------------------------------------------------------------------------------- */

static bool holds(struct slice text, struct slice needle)
{
    return needle.len == 0 || memmem(text.ptr, text.len, needle.ptr, needle.len);
}

/* What write_header has written first is what the tests ask for. */
static bool field_in_model(const struct message *m, const struct store_test *t)
{
    for (size_t i = 0; i < 3; i++) {
        struct slice text = buf_slice(&m->text[i]);
        size_t colon = slice_find(text, ':');
        if (slice_ieq(slice_first(text, colon), t->field))
            return holds(slice_from(text, colon + 2), t->text);
    }
    return false;
}

static bool in_model(const struct message *m, const struct store_test *t, size_t n)
{
    const struct store_test *last = &t[n - 1];
    bool found = false;
    if (last->kind == TEST_NOT)
        return !in_model(m, t, n - 1);
    if (last->kind == TEST_AND)
        return in_model(m, t, 1) && in_model(m, t + 1, n - 2);
    if (last->kind == TEST_OR)
        return in_model(m, t, 1) || in_model(m, t + 1, n - 2);
    if (last->kind == TEST_HEADER)
        return field_in_model(m, last);
    for (size_t i = last->kind == TEST_BODY ? m->headers : 0; i < m->texts && !found; i++)
        found = holds(buf_slice(&m->text[i]), last->text);
    return found;
}

/* Some characters of a text that is somewhere, maybe not quite as they are there. */
static void cut_needle(struct buf *to)
{
    const struct message *m = &messages[roll(MESSAGES)];
    const struct buf *text = &m->text[roll(2) ? roll((uint32_t)m->texts) : roll(3)];
    size_t at = roll((uint32_t)text->len), end = at + 1 + roll(roll(4) ? 12 : 60);
    while (at && ((unsigned char)text->ptr[at] & 0xc0) == 0x80)
        at--;
    if (end > text->len)
        end = text->len;
    while (end < text->len && ((unsigned char)text->ptr[end] & 0xc0) == 0x80)
        end++;
    struct buf utf8;
    buf_init(&utf8, SIZE_MAX);
    assert_ok(buf_append(&utf8, slice(text->ptr + at, end - at)));
    for (size_t i = 0; i < utf8.len; i++)
        if (roll(3) == 0)
            utf8.ptr[i] = ascii_lower(utf8.ptr[i]);
    if (roll(4) == 0)
        add(&utf8, "q");
    assert_ok(casemap_append(buf_slice(&utf8), to));
    buf_finish(&utf8);
}

static void run(struct store_search *search)
{
    enum err e;
    while ((e = store_search_step(search)) == ERR_AGAIN)
        ;
    assert_ok(e);
}

static void check(const struct store_search *search, const struct store_test *tests, size_t n)
{
    for (uint32_t i = 0; i < MESSAGES; i++) {
        bool there = messages[i].stored && in_model(&messages[i], tests, n);
        if (uidset_has(store_search_found(search), i + 1) == there)
            continue;
        for (size_t k = 0; k < n; k++)
            unit_print_slice("needle", tests[k].text);
        unit_print_slice("message", buf_slice(&messages[i].octets));
        fail_msg("kind %d: message %u is%s found", (int)tests[n - 1].kind, i + 1,
                 there ? " not" : "");
    }
}

/* One key, or two and what combines them. */
static size_t write_query(struct store_test *tests, struct buf *needle)
{
    static const enum store_test_kind kinds_of_text[] = {TEST_BODY, TEST_TEXT, TEST_HEADER,
                                                         TEST_HEADER};
    static const enum store_test_kind joins[] = {TEST_AND, TEST_OR};
    static const char *const fields[] = {"subject", "From", "SUBJECT", "x-odd", "Cc"};
    size_t n = 0;
    for (uint32_t keys = 1 + roll(2); keys > 0; keys--) {
        cut_needle(&needle[n]);
        tests[n] = (struct store_test){.kind = kinds_of_text[roll(4)],
                                       .field = slice_str(fields[roll(5)]),
                                       .text = buf_slice(&needle[n])};
        n++;
    }
    if (n == 2)
        tests[n++] = (struct store_test){.kind = joins[roll(2)], .n = 2};
    if (roll(4) == 0)
        tests[n++] = (struct store_test){.kind = TEST_NOT};
    return n;
}

/* Two at a time, which begin together and end one after the other. */
static void search_for_many(struct home *home, unsigned times)
{
    struct store_view *view = home_view(home, "INBOX");
    for (unsigned i = 0; i < times; i++) {
        enum { AT_ONCE = 2, KEYS = 2 };
        struct store_test tests[AT_ONCE][KEYS + 2];
        struct store_search *search[AT_ONCE];
        struct buf needle[AT_ONCE][KEYS];
        size_t n[AT_ONCE];
        for (unsigned k = 0; k < AT_ONCE; k++) {
            buf_init(&needle[k][0], SIZE_MAX);
            buf_init(&needle[k][1], SIZE_MAX);
            n[k] = write_query(tests[k], needle[k]);
            assert_ok(store_search_new(view, tests[k], n[k], (struct store_to){0}, &search[k]));
        }
        for (unsigned k = 0; k < AT_ONCE; k++) {
            run(search[k]);
            check(search[k], tests[k], n[k]);
        }
        for (unsigned k = 0; k < AT_ONCE; k++) {
            store_search_free(search[k]);
            buf_finish(&needle[k][0]);
            buf_finish(&needle[k][1]);
        }
    }
    store_reader_idle(home->reader);
    store_view_close(view);
}

static void forget_cache_rows(struct home *home)
{
    struct engine_txn *turn;
    struct slice key, value;
    unsigned char copy[64];
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    while (engine_first(turn, DBI_CACHE, SLICE_NONE, SLICE_NONE, &key, &value) == ERR_OK) {
        memcpy(copy, key.ptr, key.len);
        assert_ok(engine_del(turn, DBI_CACHE, slice(copy, key.len)));
    }
    assert_ok(engine_turn_commit(turn));
}

static void store_messages(struct home *home, size_t from, size_t to)
{
    for (size_t i = from; i < to; i++) {
        home_append_octets(home, buf_slice(&messages[i].octets));
        messages[i].stored = true;
    }
}

static void a_search_finds_what_a_plain_one_finds(void **state)
{
    struct home *home = *state;
    for (size_t i = 0; i < MESSAGES; i++)
        make(&messages[i]);
    store_messages(home, 0, MESSAGES / 2);
    search_for_many(home, 40);
    store_messages(home, MESSAGES / 2, MESSAGES); /* columns have the others */
    home_expunge(home, "INBOX", 3, 5);
    for (size_t i = 2; i < 5; i++)
        messages[i].stored = false;
    search_for_many(home, 80);
    home_close(home); /* which forgets the columns */
    home_open(home);
    forget_cache_rows(home); /* then all of it is found in the octets */
    search_for_many(home, 40);
    for (size_t i = 0; i < MESSAGES; i++) {
        buf_finish(&messages[i].octets);
        for (size_t k = 0; k < messages[i].texts; k++)
            buf_finish(&messages[i].text[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_search_finds_what_a_plain_one_finds, home_setup,
                                        home_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
