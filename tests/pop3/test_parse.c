/* pop3/parse.h: keywords, spaces, strict numbers. */
#include "pop3/parse.h"

#include "tests/lib/unit.h"

static void split_takes_one_space(void **state)
{
    (void)state;
    struct slice keyword, rest;
    assert_true(pop3_split(SLICE("PASS a  b "), &keyword, &rest));
    assert_slice(keyword, "PASS");
    assert_slice(rest, "a  b ");
    assert_true(pop3_split(SLICE("QUIT"), &keyword, &rest));
    assert_slice(keyword, "QUIT");
    assert_slice(rest, "");
    assert_true(pop3_split(SLICE("NOOP "), &keyword, &rest));
    assert_slice(rest, "");
}

static void split_refuses_what_no_command_can_be(void **state)
{
    (void)state;
    struct slice keyword, rest;
    assert_false(pop3_split(SLICE(""), &keyword, &rest));
    assert_false(pop3_split(SLICE(" QUIT"), &keyword, &rest));
    assert_false(pop3_split(SLICE("QUIT\0"), &keyword, &rest));
    assert_false(pop3_split(SLICE("PASS a\0b"), &keyword, &rest));
    assert_false(pop3_split(SLICE("QU\rIT"), &keyword, &rest));
}

static void text_is_all_of_the_rest(void **state)
{
    (void)state;
    struct pop3_args args;
    assert_true(pop3_parse(SLICE(" two words "), "text", &args));
    assert_slice(args.text, " two words ");
    assert_false(pop3_parse(SLICE(""), "text", &args));
}

static void numbers_are_digits_below_2_to_the_32(void **state)
{
    (void)state;
    static const char *const bad[] = {"",    "-1",  "+1",         "1x",
                                      "0x1", "1 2", "4294967296", "99999999999999999999",
                                      " 1",  "1.0", "\xd9\xa1",   "1,2"};
    struct pop3_args args;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(pop3_parse(slice_str(bad[i]), "message", &args));
    assert_true(pop3_parse(SLICE("4294967295"), "message", &args));
    assert_int_equal(args.message, UINT32_MAX);
    assert_true(pop3_parse(SLICE("0"), "message", &args)); /* a number, but of no message */
    assert_true(args.has_message);
    assert_true(pop3_parse(SLICE("007"), "message", &args));
    assert_int_equal(args.message, 7);
}

static void optional_message_may_be_absent(void **state)
{
    (void)state;
    struct pop3_args args;
    assert_true(pop3_parse(SLICE(""), "?message", &args));
    assert_false(args.has_message);
    assert_true(pop3_parse(SLICE("3"), "?message", &args));
    assert_true(args.has_message);
    assert_int_equal(args.message, 3);
    assert_false(pop3_parse(SLICE("3 4"), "?message", &args));
    assert_false(pop3_parse(SLICE("x"), "?message", &args));
}

static void top_wants_two_numbers(void **state)
{
    (void)state;
    struct pop3_args args;
    assert_true(pop3_parse(SLICE("2 0"), "message lines", &args));
    assert_int_equal(args.message, 2);
    assert_int_equal(args.lines, 0);
    assert_false(pop3_parse(SLICE("2"), "message lines", &args));
    assert_false(pop3_parse(SLICE("2  0"), "message lines", &args));
    assert_false(pop3_parse(SLICE("2 -1"), "message lines", &args));
    assert_false(pop3_parse(SLICE("2 3 4"), "message lines", &args));
}

static void trailing_blanks_are_ignored_but_nothing_else(void **state)
{
    (void)state;
    struct pop3_args args;
    assert_true(pop3_parse(SLICE("  \t"), "", &args));
    assert_true(pop3_parse(SLICE("1 "), "?message", &args));
    assert_true(pop3_parse(SLICE(" "), "?message", &args));
    assert_false(args.has_message);
    assert_false(pop3_parse(SLICE("x"), "", &args));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_takes_one_space),
        cmocka_unit_test(split_refuses_what_no_command_can_be),
        cmocka_unit_test(text_is_all_of_the_rest),
        cmocka_unit_test(numbers_are_digits_below_2_to_the_32),
        cmocka_unit_test(optional_message_may_be_absent),
        cmocka_unit_test(top_wants_two_numbers),
        cmocka_unit_test(trailing_blanks_are_ignored_but_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
