/* pop3/marks.h: what a session did, and when a RETR is complete. */
#include "pop3/marks.h"

#include "tests/lib/unit.h"

static void deleted_is_counted_and_reset(void **state)
{
    (void)state;
    struct marks m;
    marks_init(&m, 20);
    assert_false(marks_deleted(&m, 20));
    marks_delete(&m, 1, 100);
    marks_delete(&m, 20, 5);
    assert_true(marks_deleted(&m, 1));
    assert_false(marks_deleted(&m, 2));
    assert_true(marks_deleted(&m, 20));
    assert_int_equal(m.ndeleted, 2);
    assert_int_equal(m.deleted_octets, 105);
    assert_int_equal(m.deleted[0], 1);
    assert_int_equal(m.deleted[2], 8);
    marks_reset(&m);
    assert_false(marks_deleted(&m, 1));
    assert_int_equal(m.ndeleted + m.deleted_octets, 0);
    marks_finish(&m);
}

static void a_retrieval_is_complete_when_its_last_octet_was_written(void **state)
{
    (void)state;
    struct marks m;
    marks_init(&m, 9);
    marks_sent(&m, 9, 1000);
    marks_sent(&m, 2, 2000);
    marks_confirm(&m, 999);
    assert_int_equal(m.nretrieved, 0);
    assert_null(m.retrieved);
    marks_confirm(&m, 1000);
    assert_int_equal(m.nretrieved, 1);
    assert_int_equal(m.retrieved[0], 0);
    assert_int_equal(m.retrieved[1], 1);
    marks_confirm(&m, 5000);
    assert_int_equal(m.nretrieved, 2);
    assert_int_equal(m.retrieved[0], 2);
    assert_int_equal(m.nsent, 0);
    marks_finish(&m);
}

static void a_message_retrieved_twice_counts_once(void **state)
{
    (void)state;
    struct marks m;
    marks_init(&m, 1);
    for (uint64_t i = 1; i <= 100; i++)
        marks_sent(&m, 1, i);
    marks_confirm(&m, 50);
    assert_int_equal(m.nsent, 50);
    marks_confirm(&m, 100);
    assert_int_equal(m.nretrieved, 1);
    marks_finish(&m);
}

static void reset_forgets_no_retrieval(void **state)
{
    (void)state;
    struct marks m;
    marks_init(&m, 3);
    marks_sent(&m, 3, 10);
    marks_confirm(&m, 10);
    marks_reset(&m);
    assert_int_equal(m.nretrieved, 1);
    marks_finish(&m);
    marks_finish(&m);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(deleted_is_counted_and_reset),
        cmocka_unit_test(a_retrieval_is_complete_when_its_last_octet_was_written),
        cmocka_unit_test(a_message_retrieved_twice_counts_once),
        cmocka_unit_test(reset_forgets_no_retrieval),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
