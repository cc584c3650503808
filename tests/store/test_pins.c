#include "tests/lib/unit.h"

#include "store/pins.h"

static void a_body_is_pinned_until_the_last_pin_is_dropped(void **state)
{
    (void)state;
    struct pins *pins = pins_new();
    assert_false(pin_has(pins, 7));
    pin_add(pins, 7);
    pin_add(pins, 7);
    pin_drop(pins, 7);
    assert_true(pin_has(pins, 7));
    pin_drop(pins, 7);
    assert_false(pin_has(pins, 7));
    pins_free(pins);
}

static void many_pins_share_the_table(void **state)
{
    (void)state;
    struct pins *pins = pins_new();
    for (uint64_t b = 1; b <= 20000; b++)
        pin_add(pins, b * b);
    for (uint64_t b = 1; b <= 20000; b += 2)
        pin_drop(pins, b * b);
    for (uint64_t b = 1; b <= 20000; b++)
        assert_int_equal(pin_has(pins, b * b), b % 2 == 0);
    for (uint64_t b = 2; b <= 20000; b += 2)
        pin_drop(pins, b * b);
    pins_free(pins); /* asserts that none is left */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_is_pinned_until_the_last_pin_is_dropped),
        cmocka_unit_test(many_pins_share_the_table),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
