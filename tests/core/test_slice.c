/* core/base/slice.h: comparison, trimming, numbers. */
#include "tests/lib/unit.h"

static void eq_ignores_case_only_in_ascii(void **state)
{
    (void)state;
    assert_true(slice_ieq(SLICE("FeTch"), SLICE("fEtCH")));
    assert_false(slice_ieq(SLICE("\xc4"), SLICE("\xe4")));
    assert_false(slice_ieq(SLICE("ab"), SLICE("abc")));
}

static void starts_takes_the_empty_prefix(void **state)
{
    (void)state;
    assert_true(slice_starts(SLICE("abc"), SLICE_NONE));
    assert_true(slice_starts(SLICE("abc"), SLICE("abc")));
    assert_false(slice_starts(SLICE("ab"), SLICE("abc")));
    assert_true(slice_istarts(SLICE("UID fetch"), SLICE("uid ")));
}

static void cmp_sorts_a_prefix_first_and_octets_unsigned(void **state)
{
    (void)state;
    assert_true(slice_cmp(SLICE("ab"), SLICE("abc")) < 0);
    assert_true(slice_cmp(SLICE("\x7f"), SLICE("\x80")) < 0);
    assert_int_equal(slice_cmp(SLICE("ab"), SLICE("ab")), 0);
}

static void trim_takes_blanks_at_both_ends(void **state)
{
    (void)state;
    assert_slice(slice_trim(SLICE(" \t a b\t ")), "a b");
    assert_slice(slice_trim(SLICE(" \t")), "");
}

static void ascii_is_below_0x80(void **state)
{
    (void)state;
    assert_true(slice_is_ascii(SLICE_NONE));
    assert_true(slice_is_ascii(SLICE("\0\x7f")));
    assert_false(slice_is_ascii(SLICE("a\x80")));
}

static void find_gives_the_length_when_absent(void **state)
{
    (void)state;
    assert_int_equal(slice_find(SLICE("a b"), ' '), 1);
    assert_int_equal(slice_find(SLICE("ab"), ' '), 2);
}

static void u64_takes_digits_up_to_max(void **state)
{
    uint64_t n = 7;
    (void)state;
    assert_true(slice_u64(SLICE("4294967295"), UINT32_MAX, &n));
    assert_int_equal(n, 4294967295);
    assert_false(slice_u64(SLICE("4294967296"), UINT32_MAX, &n));
    assert_false(slice_u64(SLICE("18446744073709551616"), UINT64_MAX, &n));
    assert_true(slice_u64(SLICE("18446744073709551615"), UINT64_MAX, &n));
    assert_false(slice_u64(SLICE(""), UINT64_MAX, &n));
    assert_false(slice_u64(SLICE("+1"), UINT64_MAX, &n));
    assert_false(slice_u64(SLICE("1 "), UINT64_MAX, &n));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(eq_ignores_case_only_in_ascii),
        cmocka_unit_test(starts_takes_the_empty_prefix),
        cmocka_unit_test(cmp_sorts_a_prefix_first_and_octets_unsigned),
        cmocka_unit_test(trim_takes_blanks_at_both_ends),
        cmocka_unit_test(ascii_is_below_0x80),
        cmocka_unit_test(find_gives_the_length_when_absent),
        cmocka_unit_test(u64_takes_digits_up_to_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
