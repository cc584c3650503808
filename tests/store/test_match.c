/* What a search finds, against a model: messages are made of texts that are known, in many charsets
 * and encodings, and what is looked for is cut out of them or almost. The model folds a character
 * at a time and looks at every place. */
#include <iconv.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/base64.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
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

static int start(void **state)
{
    static struct home home;
    home_start(&home);
    *state = &home;
    return 0;
}

static int stop(void **state)
{
    home_stop(*state);
    return 0;
}

static void add(struct buf *to, const char *s)
{
    assert_ok(buf_append(to, slice_str(s)));
}

/* --- messages --------------------------------------------------------------------------------- */

struct message {
    struct buf octets;
    struct buf subject;     /* decoded */
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

static void write_header(struct message *m, struct buf *subject)
{
    struct buf line;
    buf_init(&line, SIZE_MAX);
    write_field(m, roll(2) ? "From: Ann <ann@example.org>" : "From: Dora <dora@example.net>");
    write_field(m, "X-Odd: a=?b \xc3\xa9 =?utf-8?q?no");
    subject->len = 0;
    write_subject(m, subject);
    assert_ok(buf_printf(&line, "Subject: " SLICE_FMT, SLICE_ARG(buf_slice(subject))));
    fold(buf_slice(&line), new_text(m));
    buf_finish(&line);
}

static void make(struct message *m)
{
    struct buf inner;
    buf_init(&m->octets, SIZE_MAX);
    buf_init(&m->subject, SIZE_MAX);
    buf_init(&inner, SIZE_MAX);
    write_header(m, &m->subject);
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
            write_header(m, &inner);
            write_part(m, true, true, "plain");
        }
        add(&m->octets, "--=_b--\r\n");
    }
    buf_finish(&inner);
}

static void append(struct home *home, struct slice message)
{
    struct store_incoming *in;
    struct store_dest dest = {.account = home->account, .path = SLICE("INBOX")};
    struct store_wait *wait = store_wait_new();
    struct store_result result;
    assert_ok(store_incoming_new(home->account, (uint64_t)1 << 30, &in));
    while (message.len) {
        struct slice piece = slice_first(message, 10007);
        enum err e = store_incoming_write(in, piece);
        if (e == ERR_AGAIN) {
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
            continue;
        }
        assert_ok(e);
        message = slice_from(message, piece.len);
    }
    store_incoming_set(in, 0, NULL, 0, clock_wall(), 0);
    store_append(&in, 1, &dest, 1, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    store_result_finish(&result);
}

/* --- searches --------------------------------------------------------------------------------- */

static bool in_model(const struct message *m, const struct store_test *t)
{
    struct buf subject;
    bool found = false;
    size_t from = t->kind == TEST_BODY ? m->headers : 0;
    if (t->kind == TEST_HEADER) {
        buf_init(&subject, SIZE_MAX);
        fold(buf_slice(&m->subject), &subject);
        found = memmem(subject.ptr, subject.len, t->text.ptr, t->text.len);
        buf_finish(&subject);
        return found;
    }
    for (size_t i = from; i < m->texts && !found; i++)
        found = memmem(m->text[i].ptr, m->text[i].len, t->text.ptr, t->text.len);
    return found;
}

/* Some characters of a text that is somewhere, maybe not quite as they are there. */
static void cut_needle(struct buf *to)
{
    const struct message *m = &messages[roll(MESSAGES)];
    const struct buf *text = roll(4) ? &m->text[roll((uint32_t)m->texts)] : &m->subject;
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

static void search(struct store_view *view, const struct store_test *test)
{
    struct store_search *run;
    enum err e;
    assert_ok(store_search_new(view, test, 1, (struct store_to){0}, &run));
    while ((e = store_search_step(run)) == ERR_AGAIN)
        ;
    assert_ok(e);
    for (uint32_t i = 0; i < MESSAGES; i++)
        if (uidset_has(store_search_found(run), i + 1) != in_model(&messages[i], test)) {
            unit_print_slice("needle", test->text);
            unit_print_slice("message", buf_slice(&messages[i].octets));
            fail_msg("kind %d: message %u %s", (int)test->kind, i + 1,
                     in_model(&messages[i], test) ? "is not found" : "is found");
        }
    store_search_free(run);
}

static void search_for_many(struct home *home, unsigned times)
{
    static const enum store_test_kind what[] = {TEST_BODY, TEST_TEXT, TEST_HEADER};
    struct store_view *view = home_view(home, "INBOX");
    struct buf needle;
    buf_init(&needle, SIZE_MAX);
    for (unsigned i = 0; i < times; i++) {
        needle.len = 0;
        cut_needle(&needle);
        struct store_test test = {
            .kind = what[i % 3], .field = SLICE("subject"), .text = buf_slice(&needle)};
        search(view, &test);
    }
    buf_finish(&needle);
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

static void a_search_finds_what_a_plain_one_finds(void **state)
{
    struct home *home = *state;
    for (size_t i = 0; i < MESSAGES; i++) {
        make(&messages[i]);
        append(home, buf_slice(&messages[i].octets));
    }
    search_for_many(home, 240);
    forget_cache_rows(home); /* then all of it is found in the octets */
    search_for_many(home, 90);
    for (size_t i = 0; i < MESSAGES; i++) {
        buf_finish(&messages[i].octets);
        buf_finish(&messages[i].subject);
        for (size_t k = 0; k < messages[i].texts; k++)
            buf_finish(&messages[i].text[k]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_search_finds_what_a_plain_one_finds, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
