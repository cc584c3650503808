/* core/net/line.h, core/net/pace.h: lines come out the same whole and octet by octet. */
#include "core/net/line.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/net/pace.h"
#include "tests/lib/unit.h"

/* What a reader tells of `text`, given in pieces of `piece` octets: "<line>" for a line, "!" for a
 * long one, "X" for a flood. */
static void tell(struct slice text, size_t piece, size_t max, bool crlf_only, struct buf *to)
{
    struct line_reader r = {.crlf_only = crlf_only};
    size_t have = 0, used = 0;
    while (have < text.len) {
        have = text.len - have > piece ? have + piece : text.len;
        for (;;) {
            struct slice line = SLICE_NONE;
            size_t n;
            enum line_got got = line_next(&r, slice(text.ptr + used, have - used), max, &line, &n);
            used += n;
            if (got == LINE_MORE)
                break;
            if (got == LINE_WHOLE)
                assert_ok(buf_printf(to, "<" SLICE_FMT ">", SLICE_ARG(line)));
            if (got == LINE_LONG)
                assert_ok(buf_append_c(to, '!'));
            if (got == LINE_FLOOD) {
                assert_ok(buf_append_c(to, 'X'));
                return;
            }
        }
    }
}

static void check(struct slice text, size_t max, bool crlf_only, const char *want)
{
    for (size_t piece = 1; piece <= text.len && piece < 40; piece++) {
        struct buf got;
        buf_init(&got, 4096);
        tell(text, piece, max, crlf_only, &got);
        assert_slice_eq(buf_slice(&got), slice_str(want));
        buf_finish(&got);
    }
}

static void lines_end_at_crlf_and_if_allowed_at_lf(void **state)
{
    (void)state;
    check(SLICE("a\r\nbc\n\r\nd"), 100, false, "<a><bc><>");
    check(SLICE("a\r\nb\nc\r\n"), 100, true, "<a><b\nc>");
    check(SLICE("a\rb\r\n"), 100, false, "<a\rb>");
    check(SLICE("a\n\r\nb\r\n"), 100, true, "<a\n><b>");
}

static void a_line_of_max_octets_passes_and_one_more_does_not(void **state)
{
    (void)state;
    check(SLICE("12345678\r\nx\r\n"), 10, false, "<12345678><x>");
    check(SLICE("123456789\r\nx\r\n"), 10, false, "!<x>");
    check(SLICE("123456789\r\nx\r\n"), 10, true, "!<x>");
}

static void the_rest_of_a_long_line_is_never_a_command(void **state)
{
    (void)state;
    check(SLICE("0123456789012345678QUIT\r\nNOOP\r\n"), 10, false, "!<NOOP>");
    check(SLICE("0123456789\nQUIT\nQUIT\r\nNOOP\r\n"), 10, true, "!<NOOP>");
    check(SLICE("012345678\r\r\nNOOP\r\n"), 10, true, "!<NOOP>");
}

static void a_line_without_end_is_given_up(void **state)
{
    (void)state;
    enum { LEN = LINE_SKIP_MAX + 10 };
    char *text = mem_new(LEN);
    memset(text, 'x', LEN);
    check(slice(text, LEN), 10, false, "!X");
    memcpy(text + LINE_SKIP_MAX - 2, "\r\n", 2);
    check(slice(text, LINE_SKIP_MAX), 10, true, "!");
    memcpy(text + LINE_SKIP_MAX - 2, "xx\r\n", 4);
    check(slice(text, LINE_SKIP_MAX + 2), 10, true, "!X");
    mem_free(text);
}

static void pace_lets_a_burst_pass_and_then_holds_the_rate(void **state)
{
    (void)state;
    struct pace p = {0};
    for (int i = 0; i < 40; i++)
        assert_int_equal(pace_take(&p, 10, 5000), 0);
    assert_int_equal(pace_take(&p, 10, 5000), 100);
    assert_int_equal(pace_take(&p, 10, 5100), 100);
    assert_int_equal(pace_take(&p, 10, 9000), 0);
    assert_int_equal(pace_take(&p, 0, 9000), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(lines_end_at_crlf_and_if_allowed_at_lf),
        cmocka_unit_test(a_line_of_max_octets_passes_and_one_more_does_not),
        cmocka_unit_test(the_rest_of_a_long_line_is_never_a_command),
        cmocka_unit_test(a_line_without_end_is_given_up),
        cmocka_unit_test(pace_lets_a_burst_pass_and_then_holds_the_rate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
