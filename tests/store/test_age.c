/* When the wall clock can be believed. */
#include "store/age.h"

#include "core/base/clock.h"
#include "tests/lib/unit.h"

enum { HOUR = 3600, DAY = 86400 };

static void a_clock_that_runs_on_is_trusted(void **state)
{
    struct age age;
    (void)state;
    age_init(&age, clock_wall() - DAY, false);
    assert_true(age_trusted(&age, clock_wall()));
    clock_shift(30 * DAY); /* time goes by on both clocks */
    assert_true(age_trusted(&age, clock_wall()));
}

static void a_new_store_knows_of_no_other_time(void **state)
{
    struct age age;
    (void)state;
    age_init(&age, 0, false);
    assert_true(age_trusted(&age, 0));
}

static void a_clock_behind_what_was_seen_is_not(void **state)
{
    struct age age;
    (void)state;
    uint32_t seen = clock_wall() + 2 * HOUR;
    age_init(&age, seen, false);
    assert_false(age_trusted(&age, seen));
    clock_shift(HOUR);
    assert_false(age_trusted(&age, seen));
    clock_shift(HOUR);
    assert_true(age_trusted(&age, seen));
}

static void a_clock_far_ahead_at_the_start_waits_for_an_hour(void **state)
{
    struct age age;
    (void)state;
    age_init(&age, clock_wall() - 3 * DAY - 1, false);
    assert_false(age_trusted(&age, 0));
    clock_shift(HOUR - 5);
    assert_false(age_trusted(&age, 0));
    clock_shift(10);
    assert_true(age_trusted(&age, 0));
}

/* The wall clock has been set: as if it had shown another time at the last look. */
static void step(struct age *age, int32_t seconds)
{
    age->wall -= (uint32_t)seconds;
}

static void a_step_pauses_for_an_hour(void **state)
{
    static const int32_t steps[] = {601 + 5, -601 - 5, 400 * DAY, -400 * DAY};
    (void)state;
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        struct age age;
        age_init(&age, 0, false);
        assert_true(age_trusted(&age, 0));
        step(&age, steps[i]);
        assert_false(age_trusted(&age, 0));
        clock_shift(HOUR - 5);
        assert_false(age_trusted(&age, 0));
        clock_shift(10);
        assert_true(age_trusted(&age, 0));
    }
}

static void small_corrections_are_none(void **state)
{
    struct age age;
    (void)state;
    age_init(&age, 0, false);
    for (unsigned i = 0; i < 10; i++) {
        step(&age, i % 2 ? 590 : -590);
        assert_true(age_trusted(&age, 0));
    }
}

static void another_step_begins_another_hour(void **state)
{
    struct age age;
    (void)state;
    age_init(&age, 0, false);
    step(&age, DAY);
    assert_false(age_trusted(&age, 0));
    clock_shift(HOUR / 2);
    step(&age, -DAY);
    assert_false(age_trusted(&age, 0));
    clock_shift(HOUR / 2 + 5);
    assert_false(age_trusted(&age, 0));
    clock_shift(HOUR / 2 + 5);
    assert_true(age_trusted(&age, 0));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_clock_that_runs_on_is_trusted),
        cmocka_unit_test(a_new_store_knows_of_no_other_time),
        cmocka_unit_test(a_clock_behind_what_was_seen_is_not),
        cmocka_unit_test(a_clock_far_ahead_at_the_start_waits_for_an_hour),
        cmocka_unit_test(a_step_pauses_for_an_hour),
        cmocka_unit_test(small_corrections_are_none),
        cmocka_unit_test(another_step_begins_another_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
