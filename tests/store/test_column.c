/* What searches remember of a field: what is found in it, and what the table keeps. */
#include "store/column.h"

#include <string.h>

#include "core/base/budget.h"
#include "core/base/config.h"
#include "tests/lib/unit.h"

static int start(void **state)
{
    *state = columns_new();
    return 0;
}

static int stop(void **state)
{
    columns_free(*state);
    assert_int_equal(budget_used(BUDGET_CACHES), 0);
    return 0;
}

/* 'y' found, 'n' not, '?' the column does not have it. */
static char answer(struct column *column, struct column_look *look, uint32_t uid,
                   const char *needle)
{
    bool found;
    if (!column_find(column, look, uid, slice_str(needle), &found))
        return '?';
    return found ? 'y' : 'n';
}

static void assert_answers(struct column *column, const char *needle, uint32_t first,
                           const char *expected)
{
    struct column_look look = {0};
    for (size_t i = 0; expected[i]; i++)
        assert_int_equal(answer(column, &look, first + (uint32_t)i, needle), expected[i]);
}

static void a_text_is_found_in_its_own_message_only(void **state)
{
    struct column *column = column_take(*state, 1, 2, SLICE("From"));
    column_add(column, 5, SLICE("ANN <A@X>\n"));
    column_add(column, 6, SLICE(""));
    column_add(column, 3, SLICE("BOB <B@X>\nANN\n")); /* two fields, and out of order */
    column_add(column, 7, SLICE("\n"));
    assert_answers(column, "ANN", 2, "?y?ynn?");
    assert_answers(column, "X>", 2, "?y?ynn?");
    assert_answers(column, "B", 2, "?y?nnn?");
    assert_answers(column, "", 2, "?y?yny?"); /* is there such a field? */
    column_add(column, 5, SLICE("CAROL\n"));  /* it has that one */
    assert_answers(column, "CAROL", 5, "n");
    column_give(*state, column);
}

static void what_comes_while_one_looks_is_found(void **state)
{
    struct column *column = column_take(*state, 1, 2, SLICE("From"));
    struct column_look look = {0};
    column_add(column, 1, SLICE("ANN\n"));
    assert_int_equal(answer(column, &look, 1, "N"), 'y');
    assert_int_equal(answer(column, &look, 2, "N"), '?');
    column_add(column, 2, SLICE("BEN\n"));
    column_add(column, 3, SLICE("BOB\n"));
    assert_int_equal(answer(column, &look, 2, "N"), 'y');
    assert_int_equal(answer(column, &look, 3, "N"), 'n');
    assert_int_equal(answer(column, &look, 1, "N"), 'y');
    column_give(*state, column);
}

static void buckets_may_come_in_any_order(void **state)
{
    static const uint32_t uids[] = {1000, 1, 127, 128, 1 << 30, 700, UINT32_MAX, 255, 256};
    struct column *column = column_take(*state, 1, 2, SLICE("From"));
    for (size_t i = 0; i < sizeof uids / sizeof *uids; i++)
        column_add(column, uids[i], i % 2 ? SLICE("ODD\n") : SLICE("EVEN\n"));
    for (size_t i = sizeof uids / sizeof *uids; i-- > 0;)
        assert_answers(column, "EVEN", uids[i], i % 2 ? "n" : "y");
    assert_answers(column, "EVEN", 2, "?");
    assert_answers(column, "EVEN", 5000, "?");
    column_give(*state, column);
}

static void a_column_is_kept_for_its_mailbox_and_field(void **state)
{
    struct column *column = column_take(*state, 1, 2, SLICE("From"));
    column_add(column, 1, SLICE("ANN\n"));
    column_give(*state, column);
    static const struct {
        uint32_t a, m;
        const char *field, *expected;
    } rows[] = {
        {2, 2, "from",    "?"},
        {1, 3, "from",    "?"},
        {1, 2, "subject", "?"},
        {1, 2, "FROM",    "y"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        column = column_take(*state, rows[i].a, rows[i].m, slice_str(rows[i].field));
        assert_answers(column, "ANN", 1, rows[i].expected);
        column_give(*state, column);
    }
    assert_null(column_take(*state, 1, 2, SLICE("list-a-name-that-is-much-too-long-for-it")));
    column_give(*state, NULL);
}

static void of_two_at_a_time_the_one_that_knows_more_stays(void **state)
{
    struct column *first = column_take(*state, 1, 2, SLICE("From"));
    struct column *second = column_take(*state, 1, 2, SLICE("From"));
    assert_ptr_not_equal(first, second);
    column_add(second, 1, SLICE("ANN\n"));
    column_give(*state, second);
    column_give(*state, first);
    first = column_take(*state, 1, 2, SLICE("From"));
    assert_answers(first, "ANN", 1, "y");
    column_give(*state, first);
}

static void fill(struct column *column)
{
    char text[COLUMN_TEXT_MAX];
    memset(text, 'X', sizeof text);
    text[sizeof text - 1] = '\n';
    for (uint32_t uid = 1; uid < 40000; uid++)
        column_add(column, uid, slice(text, sizeof text));
}

static void memory_has_a_limit(void **state)
{
    struct column_look look = {0};
    struct column *column = column_take(*state, 1, 1, SLICE("To"));
    char text[COLUMN_TEXT_MAX + 1] = {0};
    column_add(column, 50000, slice(text, sizeof text));
    assert_int_equal(answer(column, &look, 50000, "X"), '?');
    fill(column);
    assert_int_equal(answer(column, &look, 1, "X"), 'y');
    assert_int_equal(answer(column, &look, 39999, "X"), '?');
    column_give(*state, column);
    for (uint32_t m = 2; m < 8; m++) {
        column = column_take(*state, 1, m, SLICE("To"));
        fill(column);
        column_give(*state, column);
        assert_in_range(budget_used(BUDGET_CACHES), COLUMNS_OCTETS / 4, COLUMNS_OCTETS);
    }
    for (uint32_t m = 10; m < 10 + 2 * COLUMNS_MAX; m++)
        column_give(*state, column_take(*state, 1, m, SLICE("To")));
    assert_in_range(budget_used(BUDGET_CACHES), 1, COLUMNS_OCTETS / 4);
}

static void what_a_search_holds_is_counted(void **state)
{
    struct column *column = column_take(*state, 1, 1, SLICE("To"));
    fill(column);
    assert_in_range(budget_used(BUDGET_CACHES), COLUMNS_OCTETS / 4, COLUMNS_OCTETS / 3);
    column_give(*state, column);
    column = column_take(*state, 1, 1, SLICE("To"));
    assert_in_range(budget_used(BUDGET_CACHES), COLUMNS_OCTETS / 4, COLUMNS_OCTETS / 3);
    column_give(*state, column);
}

static void nothing_is_added_under_a_tight_budget(void **state)
{
    struct config_share memory = {.octets = 1 << 20};
    struct column *column = column_take(*state, 1, 1, SLICE("To"));
    column_add(column, 1, SLICE("ANN\n"));
    budget_setup(&memory);
    budget_take(BUDGET_INPUT, 900 << 10);
    column_add(column, 2, SLICE("ANN\n"));
    assert_answers(column, "ANN", 1, "y?");
    budget_give(BUDGET_INPUT, 900 << 10);
    column_add(column, 2, SLICE("ANN\n"));
    assert_answers(column, "ANN", 1, "yy");
    memory.octets = SIZE_MAX;
    budget_setup(&memory);
    column_give(*state, column);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_text_is_found_in_its_own_message_only, start, stop),
        cmocka_unit_test_setup_teardown(what_comes_while_one_looks_is_found, start, stop),
        cmocka_unit_test_setup_teardown(buckets_may_come_in_any_order, start, stop),
        cmocka_unit_test_setup_teardown(a_column_is_kept_for_its_mailbox_and_field, start, stop),
        cmocka_unit_test_setup_teardown(of_two_at_a_time_the_one_that_knows_more_stays, start,
                                        stop),
        cmocka_unit_test_setup_teardown(memory_has_a_limit, start, stop),
        cmocka_unit_test_setup_teardown(what_a_search_holds_is_counted, start, stop),
        cmocka_unit_test_setup_teardown(nothing_is_added_under_a_tight_budget, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
