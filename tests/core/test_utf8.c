#include "core/base/utf8.h"

#include "tests/lib/unit.h"

static void accepts_what_rfc_3629_allows(void **state)
{
    (void)state;
    assert_true(utf8_valid(SLICE("")));
    assert_true(utf8_valid(SLICE("a\0\x7f")));
    assert_true(utf8_valid(SLICE("\xc2\x80\xdf\xbf\xe0\xa0\x80\xef\xbf\xbf")));
    assert_true(utf8_valid(SLICE("\xf0\x90\x80\x80\xf4\x8f\xbf\xbf\xed\x9f\xbf\xee\x80\x80")));
    uint32_t point;
    assert_int_equal(utf8_first(SLICE("\xe2\x82\xac!"), &point), 3);
    assert_int_equal(point, 0x20ac);
}

static void refuses_the_rest(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "\x80",         "\xbf",         "\xc0\x80",         "\xc1\xbf",         "\xe0\x9f\xbf",
        "\xed\xa0\x80", "\xed\xbf\xbf", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80",
        "\xff",         "\xc2",         "\xe2\x82",         "\xf0\x90\x80",     "\xc2z",
        "\xe2\x82z"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(utf8_valid(slice_str(bad[i])));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(accepts_what_rfc_3629_allows),
        cmocka_unit_test(refuses_the_rest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
