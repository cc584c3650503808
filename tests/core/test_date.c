#include "core/base/date.h"

#include <time.h>

#include "tests/lib/unit.h"

static void agrees_with_gmtime(void **state)
{
    (void)state;
    for (int64_t t = -62135596800; t < 253402300800; t += 86400 * 13 + 12345) { /* years 1..9999 */
        struct date d;
        date_from_time(t, &d);
        struct tm tm;
        time_t when = (time_t)t;
        gmtime_r(&when, &tm);
        assert_int_equal(d.year, tm.tm_year + 1900);
        assert_int_equal(d.month, tm.tm_mon + 1);
        assert_int_equal(d.day, tm.tm_mday);
        assert_int_equal(d.hour, tm.tm_hour);
        assert_int_equal(d.minute, tm.tm_min);
        assert_int_equal(d.second, tm.tm_sec);
        assert_int_equal(d.weekday, tm.tm_wday);
        assert_true(date_valid(d.year, d.month, d.day));
        assert_true(date_to_time(&d) == t);
    }
}

static void knows_which_days_exist(void **state)
{
    (void)state;
    assert_true(date_valid(2000, 2, 29));
    assert_false(date_valid(1900, 2, 29));
    assert_true(date_valid(2024, 2, 29));
    assert_false(date_valid(2023, 2, 29));
    assert_false(date_valid(2023, 4, 31));
    assert_false(date_valid(2023, 0, 1));
    assert_false(date_valid(2023, 13, 1));
    assert_false(date_valid(2023, 1, 0));
    assert_string_equal(date_month_name(1), "Jan");
    assert_string_equal(date_weekday_name(6), "Sat");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(agrees_with_gmtime),
        cmocka_unit_test(knows_which_days_exist),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
