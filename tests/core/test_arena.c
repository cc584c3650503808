/* core/base/arena.h: what is given back, and what stays. */
#include "core/base/arena.h"

#include <string.h>

#include "tests/lib/unit.h"

static void a_mark_gives_back_what_came_after_it(void **state)
{
    (void)state;
    static const size_t sizes[] = {1, 100, 300, 2000, 5000};
    struct arena a;
    arena_init(&a, 100000);
    struct slice before = arena_dup(&a, SLICE("before"));
    struct arena_mark mark = arena_mark(&a);
    char *first = arena_new(&a, 16);
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        arena_back(&a, mark);
        assert_int_equal(a.used, mark.used);
        assert_ptr_equal(arena_new(&a, 16), first);
        memset(arena_new(&a, sizes[i]), 'x', sizes[i]);
        assert_slice(before, "before");
    }
    arena_back(&a, mark);
    const char *again = arena_new(&a, 200);
    for (size_t i = 0; i < 200; i++)
        assert_int_equal(again[i], 0);
    arena_reset(&a);
}

static void a_loop_that_goes_back_stays_below_max(void **state)
{
    (void)state;
    struct arena a;
    arena_init(&a, 10000);
    struct arena_mark empty = arena_mark(&a);
    for (unsigned i = 0; i < 100; i++) {
        assert_non_null(arena_try(&a, 6000));
        struct arena_mark inner = arena_mark(&a);
        assert_null(arena_try(&a, 6000));
        assert_non_null(arena_try(&a, 3000));
        arena_back(&a, inner);
        assert_non_null(arena_try(&a, 3000));
        arena_back(&a, empty);
        assert_null(a.head);
        assert_int_equal(a.used, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mark_gives_back_what_came_after_it),
        cmocka_unit_test(a_loop_that_goes_back_stays_below_max),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
