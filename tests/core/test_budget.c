#include "core/base/budget.h"

#include "core/base/config.h"
#include "tests/lib/unit.h"

static void levels_follow_what_is_taken(void **state)
{
    (void)state;
    assert_true(budget_limit() == SIZE_MAX);
    assert_int_equal(budget_level(), BUDGET_EASY);
    budget_setup(&(struct config_share){.octets = 100000});
    assert_int_equal(budget_limit(), 100000);
    budget_take(BUDGET_INPUT, 79000);
    assert_int_equal(budget_level(), BUDGET_EASY);
    budget_take(BUDGET_TLS, 1000);
    assert_int_equal(budget_level(), BUDGET_TIGHT);
    budget_take(BUDGET_CACHES, 15000);
    assert_int_equal(budget_level(), BUDGET_FULL);
    assert_int_equal(budget_used(BUDGET_INPUT), 79000);
    assert_int_equal(budget_total(), 95000);
    budget_give(BUDGET_INPUT, 79000);
    budget_give(BUDGET_CACHES, 15000);
    budget_give(BUDGET_TLS, 1000);
    assert_int_equal(budget_total(), 0);
    assert_int_equal(budget_level(), BUDGET_EASY);
    assert_string_equal(budget_word(BUDGET_COMPRESS), "compress");
}

static void percentage_is_of_the_machine(void **state)
{
    (void)state;
    size_t all = budget_machine();
    assert_true(all > 64u << 20 && all < SIZE_MAX / 2);
    budget_setup(&(struct config_share){.percent = 25});
    assert_true(budget_limit() <= all / 4 && budget_limit() > all / 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(levels_follow_what_is_taken),
        cmocka_unit_test(percentage_is_of_the_machine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
