/* Whose op is next: nobody waits for all of another's, and a large one for nobody for long. */
#include "store/lanes.h"
#include "tests/lib/unit.h"

enum { MOST = 2000 };

static struct lanes lanes;
static struct op ops[MOST];
static unsigned made;
static struct op *batch[TURN_OPS];

static int start(void **state)
{
    (void)state;
    lanes = (struct lanes){0};
    made = 0;
    return 0;
}

static struct op *push(uint32_t acct, uint32_t pages)
{
    struct op *op = &ops[made++];
    *op = (struct op){.acct = acct, .pages = pages};
    lanes_push(&lanes, op);
    return op;
}

static void an_account_has_eight_and_then_the_others(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 20; i++)
        push(1, 1);
    push(2, 1);
    push(3, 1);
    assert_int_equal(lanes_take(&lanes, batch), 22); /* all fit, in rotation */
    for (unsigned i = 0; i < 8; i++)
        assert_ptr_equal(batch[i], &ops[i]);
    assert_int_equal(batch[8]->acct, 2);
    assert_int_equal(batch[9]->acct, 3);
    for (unsigned i = 8; i < 20; i++)
        assert_ptr_equal(batch[i + 2], &ops[i]);
    assert_true(lanes_empty(&lanes) && lanes.queued == 0);
    assert_int_equal(lanes_take(&lanes, batch), 0);
}

static void a_full_turn_goes_on_where_it_stopped(void **state)
{
    (void)state;
    const unsigned first = TURN_PAGES / 1000;
    for (unsigned i = 0; i < first + 2; i++)
        push(1 + i, 1000);
    assert_int_equal(lanes_take(&lanes, batch), first);
    assert_int_equal(lanes_take(&lanes, batch), 2);
    assert_int_equal(batch[0]->acct, 1 + first);
    for (unsigned i = 0; i < TURN_OPS + 5; i++)
        push(i % 100, 0);
    assert_int_equal(lanes_take(&lanes, batch), TURN_OPS);
    assert_int_equal(lanes_take(&lanes, batch), 5);
}

static void a_large_one_goes_alone_and_waits_for_those_before_it(void **state)
{
    (void)state;
    struct op *before = push(1, 1), *large = push(2, TURN_PAGES + 1), *same = push(2, 1);
    struct op *after = push(3, 1);
    assert_true(op_is_large(large) && !op_is_large(same));
    assert_int_equal(lanes_take(&lanes, batch), 2); /* it holds up its own account only */
    assert_ptr_equal(batch[0], before);
    assert_ptr_equal(batch[1], after);
    assert_int_equal(lanes_take(&lanes, batch), 1);
    assert_ptr_equal(batch[0], large);
    assert_int_equal(lanes_take(&lanes, batch), 1);
    assert_ptr_equal(batch[0], same);
}

static void two_large_ones_have_the_small_ones_between_them(void **state)
{
    (void)state;
    struct op *first = push(1, TURN_PAGES + 1), *second = push(2, TURN_PAGES + 1);
    struct op *small = push(3, 1);
    struct op *order[] = {first, small, second};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(lanes_take(&lanes, batch), 1);
        assert_ptr_equal(batch[0], order[i]);
    }
    assert_true(lanes_empty(&lanes));
}

static void what_is_done_again_comes_first(void **state)
{
    (void)state;
    struct op *first = push(1, 1), *second = push(1, 1);
    assert_int_equal(lanes_take(&lanes, batch), 2);
    struct op *third = push(1, 1);
    lanes_push_front(&lanes, second);
    lanes_push_front(&lanes, first);
    assert_int_equal(lanes.queued, 3);
    assert_int_equal(lanes_take(&lanes, batch), 3);
    assert_ptr_equal(batch[0], first);
    assert_ptr_equal(batch[1], second);
    assert_ptr_equal(batch[2], third);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup(name, start)
    const struct CMUnitTest tests[] = {
        CASE(an_account_has_eight_and_then_the_others),
        CASE(a_full_turn_goes_on_where_it_stopped),
        CASE(a_large_one_goes_alone_and_waits_for_those_before_it),
        CASE(two_large_ones_have_the_small_ones_between_them),
        CASE(what_is_done_again_comes_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
