/* imap/command.h: the table is what its lookup needs, and each grammar is one that parse.c knows.
 */
#include "imap/command.h"

#include <string.h>

#include "tests/lib/unit.h"

/* Handlers are named by the table, not run here. */
#define STUB(name)                                                                                 \
    enum step name(struct session *s, struct command *c);                                          \
    enum step name(struct session *s, struct command *c)                                           \
    {                                                                                              \
        (void)s;                                                                                   \
        (void)c;                                                                                   \
        return STEP_DONE;                                                                          \
    }
STUB(imap_append)
STUB(imap_authenticate)
STUB(imap_capability)
STUB(imap_close)
STUB(imap_copy)
STUB(imap_create)
STUB(imap_delete)
STUB(imap_enable)
STUB(imap_examine)
STUB(imap_expunge)
STUB(imap_fetch)
STUB(imap_id)
STUB(imap_idle)
STUB(imap_list)
STUB(imap_login)
STUB(imap_logout)
STUB(imap_lsub)
STUB(imap_move)
STUB(imap_namespace)
STUB(imap_noop)
STUB(imap_rename)
STUB(imap_search)
STUB(imap_select)
STUB(imap_starttls)
STUB(imap_status)
STUB(imap_store)
STUB(imap_subscribe)
STUB(imap_unselect)
STUB(imap_unsubscribe)

static void rows_are_sorted_and_found_in_any_case(void **state)
{
    size_t n;
    const struct imap_command *rows = command_table(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        char lower[32];
        assert_true(i == 0 || slice_cmp(rows[i - 1].name, rows[i].name) < 0);
        for (size_t k = 0; k < rows[i].name.len; k++)
            lower[k] = ascii_lower(rows[i].name.ptr[k]);
        assert_ptr_equal(command_find(slice(lower, rows[i].name.len)), &rows[i]);
    }
}

static void other_names_are_not_found(void **state)
{
    (void)state;
    assert_null(command_find(SLICE("")));
    assert_null(command_find(SLICE("FETC")));
    assert_null(command_find(SLICE("FETCHH")));
    assert_null(command_find(SLICE("UID")));
    assert_null(command_find(SLICE("UID  FETCH")));
    assert_null(command_find(SLICE("ZZZ")));
}

/* An unknown word would be a NULL call. */
static void grammars_are_known(void **state)
{
    size_t n;
    const struct imap_command *rows = command_table(&n);
    (void)state;
    for (size_t i = 0; i < n; i++) {
        struct arena arena;
        struct arg args[ARGS_MAX];
        arena_init(&arena, 1 << 20);
        struct parser p = {.in = SLICE("\r\n"), .arena = &arena};
        enum parse r = parse_args(&p, rows[i].grammar, args);
        assert_int_equal(r, rows[i].grammar[0] ? PARSE_BAD : PARSE_DONE);
        bool streams = strstr(rows[i].grammar, "stream") != NULL;
        assert_int_equal(streams, (rows[i].traits & CMD_STREAM) != 0);
        arena_reset(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_are_sorted_and_found_in_any_case),
        cmocka_unit_test(other_names_are_not_found),
        cmocka_unit_test(grammars_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
