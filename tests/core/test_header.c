#include "core/mime/header.h"

#include <stdlib.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/clock.h"
#include "tests/lib/unit.h"

enum { CAP = 1 << 20 };

/* "name=value;" of every field. */
static const char *walk(struct slice header, size_t cap)
{
    static char text[4000];
    struct header_walk w;
    struct header_field f;
    size_t n = 0;
    text[0] = '\0';
    header_walk_init(&w, header, cap);
    while (header_next(&w, &f))
        n += (size_t)snprintf(text + n, sizeof text - n, SLICE_FMT "=" SLICE_FMT ";",
                              SLICE_ARG(f.name), SLICE_ARG(f.value));
    if (w.cut)
        snprintf(text + n, sizeof text - n, "cut");
    return text;
}

static void header_ends_after_the_first_empty_line(void **state)
{
    (void)state;
    static const struct {
        const char *message;
        size_t length;
        bool ended;
    } rows[] = {
        {"",                               0,  false},
        {"\r\n",                           2,  true },
        {"\r\nbody",                       2,  true },
        {"\n",                             1,  true },
        {"A: b\r\n\r\nbody\r\n\r\n",       8,  true },
        {"A: b\r\n\r\n",                   8,  true },
        {"A: b\r\n",                       6,  false},
        {"A: b",                           4,  false},
        {"A: b\r\n \r\nC: d\r\n\r\nx",     17, true }, /* a blank line is not an empty one */
        {"A: b\r\r\nC: d\r\n\r\n",         15, true }, /* a bare CR ends no line */
        {"no header at all\r\nsecond\r\n", 26, false},
        {"A: b\n\nbody",                   6,  true },
        {"A: b\r\n\r",                     7,  false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        bool ended;
        assert_int_equal(header_length(slice_str(rows[i].message), &ended), rows[i].length);
        assert_int_equal(ended, rows[i].ended);
    }
}

static void walk_gives_fields_and_passes_over_the_rest(void **state)
{
    (void)state;
    assert_string_equal(walk(SLICE("A: b\r\nC-D:e\r\n\r\nF: g\r\n"), CAP), "A= b;C-D=e;");
    assert_string_equal(walk(SLICE("A: b\r\n c\r\n\td\r\nE: f"), CAP), "A= b\r\n c\r\n\td;E= f;");
    assert_string_equal(walk(SLICE("A:\r\nB: \r\n"), CAP), "A=;B= ;");
    assert_string_equal(walk(SLICE("Subject \t: x\r\n"), CAP), "Subject= x;");
    assert_string_equal(walk(SLICE("From me@x Mon Jan 1 00:00:00 2024\r\nA: b\r\n"), CAP), "A= b;");
    assert_string_equal(walk(SLICE(">From x: y\r\nA: b\r\n"), CAP), "A= b;");
    assert_string_equal(walk(SLICE("junk\r\n more: junk\r\nA: b\r\n"), CAP), "A= b;");
    assert_string_equal(walk(SLICE(" first: line\r\nA: b\r\n"), CAP), "A= b;");
    assert_string_equal(walk(SLICE(": b\r\nA: c\r\n"), CAP), "A= c;");
    assert_string_equal(walk(SLICE("\xc3\xa4: b\r\nA\x01: b\r\nA: c\r\n"), CAP), "A= c;");
    assert_string_equal(walk(SLICE("A: b\n c\nD: e\n\nF: g"), CAP), "A= b\n c;D= e;");
    assert_string_equal(walk(SLICE(""), CAP), "");
    assert_string_equal(walk(SLICE("A: b:c\r\n"), CAP), "A= b:c;");
}

static void walk_stops_at_its_cap(void **state)
{
    (void)state;
    struct slice h = SLICE("A: b\r\nC: d\r\n e\r\nF: g\r\n\r\nbody of the message");
    assert_string_equal(walk(h, 0), "cut");
    assert_string_equal(walk(h, 5), "cut");
    assert_string_equal(walk(h, 6), "cut"); /* it might go on */
    assert_string_equal(walk(h, 7), "A= b;cut");
    assert_string_equal(walk(h, 12), "A= b;cut");
    assert_string_equal(walk(h, 16), "A= b;cut");
    assert_string_equal(walk(h, 17), "A= b;C= d\r\n e;cut");
    assert_string_equal(walk(h, 23), "A= b;C= d\r\n e;F= g;cut");
    assert_string_equal(walk(h, 24), "A= b;C= d\r\n e;F= g;");
    assert_string_equal(walk(h, 25), "A= b;C= d\r\n e;F= g;");
}

static void lines_are_as_stored(void **state)
{
    (void)state;
    struct slice h = SLICE("From x\r\nA: b\r\n c\r\nD : e");
    struct header_field f;
    assert_true(header_find(h, CAP, SLICE("a"), &f));
    assert_slice(f.lines, "A: b\r\n c\r\n");
    assert_true(header_find(h, CAP, SLICE("D"), &f));
    assert_slice(f.lines, "D : e");
    assert_false(header_find(h, CAP, SLICE("From"), &f));
}

static void unfolding(void **state)
{
    (void)state;
    struct arena a;
    struct slice s;
    arena_init(&a, 200);
    assert_ok(header_unfold(&a, SLICE(" plain "), &s));
    assert_slice(s, "plain");
    assert_int_equal(a.used, 0);
    assert_ok(header_unfold(&a, SLICE(" one\r\n two\r\n\t three\r\n "), &s));
    assert_slice(s, "one two\t three");
    assert_ok(header_unfold(&a, SLICE("\r\n \r\n x"), &s));
    assert_slice(s, "x");
    assert_ok(header_unfold(&a, SLICE("a\rb\n c"), &s)); /* a bare CR stays */
    assert_slice(s, "a\rb c");
    assert_ok(header_unfold(&a, SLICE(""), &s));
    assert_slice(s, "");
    assert_ok(header_unfold(&a, SLICE("\r\n"), &s));
    assert_slice(s, "");
    static char big[500];
    memset(big, '\n', sizeof big);
    assert_err(header_unfold(&a, slice(big, sizeof big), &s), ERR_LIMIT);
    arena_reset(&a);
}

static void digest_keeps_what_listings_need(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 10000);
    assert_ok(buf_append(&b, SLICE("before|")));
    struct slice h =
        SLICE("Received: x\r\nfrom: a\r\n b\r\nSUBJECT : s\r\nX-Spam: y\r\n"
              "List-Unsubscribe: <u>\r\nList: no\r\nCC: c\r\nTo: d\r\n\r\nTo: body\r\n");
    assert_ok(header_digest(h, CAP, &b));
    assert_slice(buf_slice(&b), "before|from: a\r\n b\r\nSUBJECT : s\r\nList-Unsubscribe: <u>\r\n"
                                "CC: c\r\nTo: d\r\n");
    size_t len = b.len;
    assert_err(header_digest(h, 40, &b), ERR_LIMIT); /* fields beyond the cap */
    assert_int_equal(b.len, len);
    char big[HEADER_DIGEST_MAX + 1];
    memset(big, 'x', sizeof big);
    memcpy(big, "To: ", 4);
    memcpy(big + HEADER_DIGEST_MAX - 2, "\r\n", 2);
    assert_ok(header_digest(slice(big, HEADER_DIGEST_MAX), CAP, &b));
    b.len = len;
    memcpy(big + HEADER_DIGEST_MAX - 2, "x\r\n", 3);
    assert_err(header_digest(slice(big, HEADER_DIGEST_MAX + 1), CAP, &b), ERR_LIMIT);
    assert_int_equal(b.len, len);
    assert_true(header_in_digest(SLICE("x-priority")));
    assert_true(header_in_digest(SLICE("LIST-ID")));
    assert_false(header_in_digest(SLICE("Received")));
    assert_false(header_in_digest(SLICE("List")));
    buf_finish(&b);
}

/* The ids, each followed by a blank. */
static const char *msgids(struct slice value)
{
    static char text[4000];
    static struct header_msgids m;
    struct slice id;
    size_t n = 0;
    text[0] = '\0';
    header_msgids_init(&m, value);
    while (header_msgids_next(&m, &id))
        n += (size_t)snprintf(text + n, sizeof text - n, SLICE_FMT " ", SLICE_ARG(id));
    return text;
}

static void message_ids_in_all_their_forms(void **state)
{
    (void)state;
    assert_string_equal(msgids(SLICE(" <a@b>")), "a@b ");
    assert_string_equal(msgids(SLICE("<a@b><c@d>\r\n\t<e@f>")), "a@b c@d e@f ");
    assert_string_equal(msgids(SLICE("<a@b> (<c@d> (\\)) x) <e@f>")), "a@b e@f ");
    assert_string_equal(msgids(SLICE("\"<no@no>\" Jane's mail of today <e@f>")), "e@f ");
    /* RFC 5256 section 3: quoting makes no difference */
    assert_string_equal(msgids(SLICE("<\"01KF8JCEOCBS0045PS\"@xxx.yyy.com>")),
                        "01KF8JCEOCBS0045PS@xxx.yyy.com ");
    assert_string_equal(msgids(SLICE("<\"a\\\"b>c\"@d>")), "a\"b>c@d ");
    assert_string_equal(msgids(SLICE("< a . b (why) @ \r\n c >")), "a.b@c ");
    assert_string_equal(msgids(SLICE("<a@[127.0.0.1]>")), "a@[127.0.0.1] ");
    assert_string_equal(msgids(SLICE("<no-at>")), "no-at ");
    assert_string_equal(msgids(SLICE("<> <()> < > <a@b>")), "a@b ");
    assert_string_equal(msgids(SLICE("<cut <a@b>")), "a@b ");
    assert_string_equal(msgids(SLICE("<a@b> <open")), "a@b ");
    assert_string_equal(msgids(SLICE("a@b")), "");
    assert_string_equal(msgids(SLICE("")), "");
    /* what is not closed does not swallow what follows */
    assert_string_equal(msgids(SLICE("6\" nails <a@b> (oh <c@d>")), "a@b c@d ");
    assert_string_equal(msgids(SLICE("<a\"@b> <c@d>")), "a\"@b c@d ");
    assert_string_equal(msgids(SLICE("\\\"<a@b>\\\" <c@d>")), "a@b c@d ");
}

static void message_ids_have_a_limit(void **state)
{
    (void)state;
    char text[HEADER_MSGID_MAX + 16];
    memset(text, 'x', sizeof text);
    text[0] = '<';
    text[HEADER_MSGID_MAX + 1] = '>';
    memcpy(text + HEADER_MSGID_MAX + 2, "<a@b>", 5);
    struct header_msgids m;
    struct slice id;
    header_msgids_init(&m, slice(text, HEADER_MSGID_MAX + 7));
    assert_true(header_msgids_next(&m, &id));
    assert_int_equal(id.len, HEADER_MSGID_MAX);
    assert_true(header_msgids_next(&m, &id));
    assert_slice(id, "a@b");
    assert_false(header_msgids_next(&m, &id));
    memmove(text + HEADER_MSGID_MAX + 2, text + HEADER_MSGID_MAX + 1, 6);
    text[HEADER_MSGID_MAX + 1] = 'x';
    header_msgids_init(&m, slice(text, HEADER_MSGID_MAX + 8));
    assert_true(header_msgids_next(&m, &id));
    assert_slice(id, "a@b");
}

static void date_is(const char *text, int64_t time, int32_t zone)
{
    int64_t t = -1;
    int32_t z = -1;
    if (!header_date(slice_str(text), &t, &z))
        fail_msg("'%s' is refused", text);
    if (t != time || z != zone)
        fail_msg("'%s' is %lld %d", text, (long long)t, (int)z);
}

static void dates_of_rfc_5322(void **state)
{
    (void)state;
    date_is("Fri, 21 Nov 1997 09:55:06 -0600", 880127706, -360);
    date_is(" Tue, 1 Jul 2003 10:52:37 +0200", 1057049557, 120);
    date_is("Thu, 13 Feb 1969 23:32:54 -0330", -27723426, -210);
    /* A.5: blanks and comments everywhere */
    date_is(
        "Thu,\r\n      13\r\n        Feb\r\n          1969\r\n      23:32\r\n               -0330 "
        "(Newfoundland Time)",
        -27723480, -210);
    date_is("(c (n)) Fri (d) , (e) 21 (f) Nov (g) 1997 (h) 09 (i) : (j) 55 : 06 (k) -0600",
            880127706, -360);
    /* A.6.2: obsolete */
    date_is("21 Nov 97 09:55:06 GMT", 880106106, 0);
    date_is("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", 880127706, -360);
    date_is("21 Nov 1997 09:55 -0600", 880127700, -360);
    date_is("1 Jan 49 00:00:00 +0000", 2493072000, 0);
    date_is("1 Jan 50 00:00:00 +0000", -631152000, 0);
    date_is("1 Jan 103 00:00:00 +0000", 1041379200, 0);
    date_is("1 Jan 2024 00:00:00 EDT", 1704081600, -240);
    date_is("1 Jan 2024 00:00:00 pst", 1704096000, -480);
    date_is("1 Jan 2024 00:00:00 UT", 1704067200, 0);
    date_is("1 Jan 2024 00:00:00 K", 1704067200, 0);
    date_is("1 Jan 2024 00:00:00 CEST", 1704067200, 0);
    date_is("31 Dec 2016 23:59:60 +0000", 1483228800, 0);
    date_is("29 Feb 2024 12:00:00 +1400", 1709157600, 840);
}

static void dates_as_mailers_write_them(void **state)
{
    (void)state;
    date_is("Mon, 01 Jan 2024 10:00:00 +0100 (CET)", 1704099600, 60);
    date_is("1 January 2024 10:00:00 +0100", 1704099600, 60);
    date_is("Mon., 1-Jan-2024 10:00:00 +0100", 1704099600, 60);
    date_is("Sun, 01 Jan 2024 10:00:00 +0100", 1704099600, 60); /* it was a Monday */
    date_is("MON, 01 JAN 2024 10:00:00 +0100", 1704099600, 60);
    /* RFC 5256 section 2.2: no zone, no time */
    date_is("1 Jan 2024 10:00:00", 1704103200, 0);
    date_is("1 Jan 2024 10:00:00 +01:00", 1704103200, 0);
    date_is("1 Jan 2024 10:00:00 +0199", 1704103200, 0);
    date_is("1 Jan 2024 25:00:00 +0100", 1704067200, 0);
    date_is("1 Jan 2024 10:61 +0100", 1704067200, 0);
    date_is("1 Jan 2024", 1704067200, 0);
    date_is("1 Jan 2024 (open comment 10:00:00 +0100", 1704067200, 0);
}

static void what_is_no_date(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "Mon",
                                      "Mon, ",
                                      "yesterday",
                                      "32 Jan 2024 10:00:00 +0000",
                                      "0 Jan 2024 10:00:00 +0000",
                                      "30 Feb 2024 10:00:00 +0000",
                                      "29 Feb 2023 10:00:00 +0000",
                                      "1 Foo 2024 10:00:00 +0000",
                                      "1 2024 10:00:00 +0000",
                                      "001 Jan 2024 10:00:00 +0000",
                                      "1 Jan 20244 10:00:00 +0000",
                                      "1 Jan 4 10:00:00 +0000",
                                      "1 Ja 2024",
                                      "2024-01-01T10:00:00Z",
                                      "(1 Jan 2024 10:00:00 +0000"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        int64_t t = 77;
        if (header_date(slice_str(bad[i]), &t, NULL))
            fail_msg("'%s' is accepted", bad[i]);
        assert_int_equal(t, 77);
    }
}

/* Each of these made some parser slow: the work must be linear (HARDENING class 5). */
static void hostile_values_take_linear_time(void **state)
{
    (void)state;
    static const char *const pieces[] = {"(",   "\"",   "\"\\",   "\\\"",  "<",
                                         "<\"", "(\\",  "<(",     "\r\n ", "a:\r\n",
                                         "()",  "\"\"", "<a\"b(", "x\r\n"};
    enum { BIG = 1 << 20 };
    char *text = malloc(BIG);
    assert_non_null(text);
    uint64_t before = clock_mono_ms();
    for (size_t i = 0; i < sizeof pieces / sizeof *pieces; i++) {
        size_t n = strlen(pieces[i]);
        for (size_t at = 0; at < BIG; at++)
            text[at] = pieces[i][at % n];
        struct slice s = slice(text, BIG);
        struct header_walk w;
        struct header_field f;
        header_walk_init(&w, s, BIG);
        while (header_next(&w, &f))
            ;
        static struct header_msgids m;
        struct slice id;
        header_msgids_init(&m, s);
        while (header_msgids_next(&m, &id))
            ;
        int64_t t;
        header_date(s, &t, NULL);
        header_length(s, NULL);
    }
    free(text);
    assert_true(clock_mono_ms() - before < 5000); /* 0.2 s; quadratic would be hours */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_ends_after_the_first_empty_line),
        cmocka_unit_test(walk_gives_fields_and_passes_over_the_rest),
        cmocka_unit_test(walk_stops_at_its_cap),
        cmocka_unit_test(lines_are_as_stored),
        cmocka_unit_test(unfolding),
        cmocka_unit_test(digest_keeps_what_listings_need),
        cmocka_unit_test(message_ids_in_all_their_forms),
        cmocka_unit_test(message_ids_have_a_limit),
        cmocka_unit_test(dates_of_rfc_5322),
        cmocka_unit_test(dates_as_mailers_write_them),
        cmocka_unit_test(what_is_no_date),
        cmocka_unit_test(hostile_values_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
