/* An mbox taken apart, and its lines: which ones begin a message, what is quoted. */
#include "cmd/mail/mbox.h"

#include <stdlib.h>

#include "cmd/mail/mbox_from.h"
#include "cmd/mail/writer.h"
#include "core/base/buf.h"
#include "store/store.h"
#include "tests/lib/unit.h"

static void from_lines_have_a_date(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        uint32_t date;
        int zone;
    } good[] = {
        {"From a@b Sun Nov 22 06:59:58 2026 +0000",           1795330798, 0  },
        {"From a@b Sun Nov 22 06:59:58 2026 +0130",           1795325398, 6  },
        {"From a@b Sun Nov 22 06:59:58 -0500 2026",           1795348798, -20},
        {"From \"a b\" <c@d>  Sun Nov  1 06:59 2026 +0000",   1793516340, 0  },
        {"From Sun Day Sun Nov 22 06:59:58 GMT 2026 +0000",   1795330798, 0  },
        {"From MAILER-DAEMON Thu Jan  1 00:00:00 1970 +0000", 0,          0  },
    };
    static const char *const bad[] = {"From a@b",
                                      "From here on Sun it rains",
                                      "From a@b Sun Nov 22 2026",
                                      "From a@b Sun Nov 31 06:59:58 2026",
                                      "From a@b Sun Nov 22 25:59:58 2026",
                                      "From a@b Sun Nov 22 06:59:58 2026 or so it seems to me",
                                      "from a@b Sun Nov 22 06:59:58 2026",
                                      ">From a@b Sun Nov 22 06:59:58 2026",
                                      ""};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        uint32_t date;
        int8_t zone;
        assert_true(mbox_from_parse(slice_str(good[i].line), &date, &zone));
        assert_int_equal(date, good[i].date);
        assert_int_equal(zone, good[i].zone);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        uint32_t date;
        int8_t zone;
        assert_false(mbox_from_parse(slice_str(bad[i]), &date, &zone));
    }
}

#define FROM "From a@b Sun Nov 22 06:59:58 2026 +0000\n"

static void add(void *arg, struct slice octets)
{
    assert_ok(buf_append(arg, octets));
}

/* The n-th message (from 0) of this text. */
static void message_is(const char *text, unsigned n, const char *expected)
{
    struct slice rest = slice_str(text);
    struct mbox_message message;
    struct buf octets;
    for (unsigned i = 0; i <= n; i++)
        assert_true(mbox_next(&rest, &message));
    buf_init(&octets, 1 << 16);
    mbox_each(&message, add, &octets);
    assert_slice_eq(buf_slice(&octets), slice_str(expected));
    buf_finish(&octets);
}

static void quotes_are_taken_away_once(void **state)
{
    (void)state;
    message_is(FROM "A: b\n\n>From x\n>>From y\n> From z\n", 0,
               "A: b\n\nFrom x\n>From y\n> From z\n");
    message_is(FROM "A: b\n\nx\n\n" FROM "\ny\n", 0, "A: b\n\nx\n");
    message_is(FROM "A: b\n\nx\n\n" FROM "\ny\n", 1, "\ny\n");
    message_is(FROM "A: b\n\nx\n" FROM "\ny\n", 0, "A: b\n\nx\n"); /* no blank line between */
}

static void a_right_content_length_is_believed(void **state)
{
    (void)state;
    message_is(FROM "Content-Length: 9\n\n>From x\n\n\n" FROM "\ny", 0, "\n>From x\n\n");
    message_is(FROM "Content-Length: 3\n\nabc\n\n" FROM "\ny", 0, "\nabc");
    message_is(FROM "Content-Length: 4\n\n>From x\n\n" FROM "\ny", 0, "\nFrom x\n");
    message_is(FROM "Content-Length: 99999999999999999999\n\n>From x\n", 0, "\nFrom x\n");
    struct slice rest = SLICE(FROM "Content-Length: 100\n\nabc");
    struct mbox_message message;
    assert_true(mbox_next(&rest, &message));
    assert_true(message.cut);
    assert_int_equal(message.announced, 100);
}

static void what_servers_note_is_no_part_of_it(void **state)
{
    (void)state;
    static const char text[] =
        FROM "Status: O\nSubject: x\n y\nX-IMAPbase: 77 0000000009\nX-Status: AFT\n"
             "X-Keywords: one\n two\nX-UID: 8\nStatus: RO\n\ntext\n";
    struct slice rest = slice_str(text);
    struct mbox_message m;
    assert_true(mbox_next(&rest, &m));
    assert_int_equal(m.flags, FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DRAFT);
    assert_false(m.recent);
    assert_int_equal(m.uid, 8);
    assert_int_equal(m.uidvalidity, 77);
    assert_int_equal(m.uidlast, 9);
    assert_int_equal(m.nkeywords, 2);
    assert_slice(m.keywords[1], "two");
    message_is(text, 0, "Subject: x\n y\n\ntext\n");
    assert_false(mbox_next(&rest, &m));
}

static void text_before_a_message_is_passed_over(void **state)
{
    (void)state;
    struct slice rest = SLICE("no mail\nFrom nobody\n" FROM "\nx\n");
    struct mbox_message message;
    assert_true(mbox_next(&rest, &message));
    assert_int_equal(message.header.len, 0);
    assert_true(mbox_next(&rest, &message));
    assert_slice(message.text, "x\n");
}

/* One octet at a time, and all at once. */
static void to_lf(const char *from, const char *expected)
{
    struct slice in = slice_str(from);
    for (unsigned bytewise = 0; bytewise < 2; bytewise++) {
        struct line_ends ends = {0};
        char out[64];
        size_t n = 0, step = bytewise ? 1 : in.len;
        for (size_t i = 0; i < in.len; i += step)
            n += line_ends_to_lf(&ends, slice(in.ptr + i, step), out + n);
        n += line_ends_to_lf(&ends, SLICE_NONE, out + n);
        assert_slice_eq(slice(out, n), slice_str(expected));
    }
}

static void line_ends_can_be_made_crlf_again(void **state)
{
    (void)state;
    to_lf("a\r\nb\r\n", "a\nb\n");
    to_lf("\r\n\r\n", "\n\n");
    to_lf("a\r\r\nb", "a\r\r\nb");
    to_lf("a\rb\r", "a\rb\r");
    to_lf("\r\r\r\n", "\r\r\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(from_lines_have_a_date),
        cmocka_unit_test(quotes_are_taken_away_once),
        cmocka_unit_test(a_right_content_length_is_believed),
        cmocka_unit_test(what_servers_note_is_no_part_of_it),
        cmocka_unit_test(text_before_a_message_is_passed_over),
        cmocka_unit_test(line_ends_can_be_made_crlf_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
