/* imap/frame.h: where commands end, the same for every way of cutting the input. */
#include "imap/frame.h"

#include <stdlib.h>

#include "core/base/buf.h"
#include "tests/lib/unit.h"

static const struct frame_limits limits = {.line = 40, .literal = 20, .command = 80, .literals = 3};

/* What a stream of octets is taken for, when it arrives in pieces that end at `cut` and then every
 * `step` octets: "D12 " a command of 12 octets, "L5 " and "l5 " a literal, sync or not, "R" refused
 * (then the command is taken to be over), "O" overlong, "M" the rest. */
static void read_all(struct slice stream, size_t cut, size_t step, struct buf *to)
{
    struct frame f = {0};
    size_t from = 0, have = 0;
    for (;;) {
        switch (frame_feed(&f, &limits, slice(stream.ptr + from, have - from))) {
        case FRAME_MORE:
            if (have == stream.len) {
                assert_ok(buf_printf(to, "M"));
                return;
            }
            have += have < cut ? cut : step;
            have = have < stream.len ? have : stream.len;
            break;
        case FRAME_DONE:
            assert_ok(buf_printf(to, "D%zu ", f.pos));
            from += f.pos;
            f = (struct frame){0};
            break;
        case FRAME_LITERAL:
            assert_ok(
                buf_printf(to, "%c%llu ", f.nonsync ? 'l' : 'L', (unsigned long long)f.literal));
            if (frame_admit(&f, &limits)) {
                assert_ok(buf_printf(to, "R "));
                from += f.pos;
                f = (struct frame){0};
            }
            break;
        case FRAME_OVERLONG:
            assert_ok(buf_printf(to, "O"));
            return;
        }
    }
}

static void check(const char *text, size_t len, const char *expected)
{
    struct slice stream = slice(text, len);
    for (size_t cut = 0; cut <= len; cut++) {
        struct buf got;
        buf_init(&got, 1000);
        read_all(stream, cut, len + 1, &got);
        assert_slice_eq(buf_slice(&got), slice_str(expected));
        buf_consume(&got, got.len);
        read_all(stream, cut, 1, &got);
        assert_slice_eq(buf_slice(&got), slice_str(expected));
        buf_finish(&got);
    }
}
#define CHECK(text, expected) check(text, sizeof(text) - 1, expected)

static void lines_end_in_crlf_only(void **state)
{
    (void)state;
    CHECK("", "M");
    CHECK("a NOOP\r\n", "D8 M");
    CHECK("a NOOP\r\nb NOOP\r\nc", "D8 D8 M");
    CHECK("a\nb\rc\r\r\n", "D8 M");
    CHECK("\n\r\n\r\n", "D3 D2 M");
    CHECK("\r\n\n\r\n", "D2 D3 M");
    CHECK("a \0 b\r\n", "D7 M");
}

static void literals_belong_to_their_command(void **state)
{
    (void)state;
    CHECK("a {3}\r\nabc\r\n", "L3 D12 M");
    CHECK("a {3+}\r\nabc\r\n", "l3 D13 M");
    CHECK("a {0}\r\n\r\n", "L0 D9 M");
    CHECK("a {2+}\r\n\r\n {2}\r\n\r\n\r\nx", "l2 L2 D20 M");
    CHECK("a {3+}\r\n{1}\r\nx", "l3 D13 M"); /* octets of a literal announce nothing */
    CHECK("a {3+}\r\n{1}{1}\r\nx\r\n", "l3 L1 D19 M");
    CHECK("a {003}\r\nabc\r\n", "L3 D14 M");
}

static void what_only_looks_like_one_is_a_line(void **state)
{
    (void)state;
    CHECK("a {}\r\n", "D6 M");
    CHECK("a {+}\r\n", "D7 M");
    CHECK("a {3 }\r\n", "D8 M");
    CHECK("a {-3}\r\n", "D8 M");
    CHECK("a {3++}\r\n", "D9 M");
    CHECK("a 3}\r\n", "D6 M");
    CHECK("3}\r\n", "D4 M");
    CHECK("a {3} \r\n", "D8 M");
    CHECK("a {3}\n\r\n", "D8 M");
}

static void limits_hold(void **state)
{
    (void)state;
    CHECK("a {20}\r\n01234567890123456789\r\n", "L20 D30 M");
    CHECK("a {21}\r\n", "L21 R M");
    CHECK("a {4294967295}\r\n", "L4294967295 R M");
    CHECK("a {4294967296}\r\n", "L18446744073709551615 R M");
    CHECK("a {99999999999999999999999}\r\n", "L18446744073709551615 R M");
    CHECK("a {0+}\r\n{0+}\r\n{0+}\r\n{0+}\r\n", "l0 l0 l0 l0 R M");
    CHECK("a 3456789012345678901234567890123456789\r\n", "O");
    CHECK("a 345678901234567890123456789012345678\r\n", "D40 M");
    CHECK("a 34567890123456789012345678901234567890123456789", "O");
    CHECK("a {20+}\r\n01234567890123456789 {20+}\r\n01234567890123456789 {20+}\r\n",
          "l20 l20 l20 R M");
    CHECK("a {20+}\r\n01234567890123456789 {20+}\r\n01234567890123456789 12345678901234567\r\n",
          "l20 l20 D77 M");
    CHECK("a {20+}\r\n01234567890123456789 {20+}\r\n01234567890123456789 123456789012345678901\r\n",
          "l20 l20 O");
}

static void random_streams_do_not_depend_on_cuts(void **state)
{
    static const char *const pieces[] = {"a",    " ",  "{",  "}",        "+",       "1", "3",
                                         "\r\n", "\r", "\n", "{2+}\r\n", "{3}\r\n", "\0"};
    (void)state;
    srand(3);
    for (int i = 0; i < 20000; i++) {
        char text[64];
        size_t n = 0;
        while (n < 40) {
            size_t k = (size_t)rand() % (sizeof pieces / sizeof *pieces);
            size_t len = pieces[k][0] ? strlen(pieces[k]) : 1;
            memcpy(text + n, pieces[k], len);
            n += len;
        }
        struct buf whole, split;
        buf_init(&whole, 1000);
        buf_init(&split, 1000);
        read_all(slice(text, n), n, 1, &whole);
        read_all(slice(text, n), 0, 1 + (size_t)rand() % 3, &split);
        assert_slice_eq(buf_slice(&split), buf_slice(&whole));
        buf_finish(&whole);
        buf_finish(&split);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_in_crlf_only),
        cmocka_unit_test(literals_belong_to_their_command),
        cmocka_unit_test(what_only_looks_like_one_is_a_line),
        cmocka_unit_test(limits_hold),
        cmocka_unit_test(random_streams_do_not_depend_on_cuts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
