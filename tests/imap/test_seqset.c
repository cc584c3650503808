/* imap/seqset.h: sequence sets against a view of four messages, UIDs 10 20 30 31. */
#include "imap/seqset.h"

#include "store/store.h"
#include "tests/lib/unit.h"

static const uint32_t uids[] = {10, 20, 30, 31};
static uint32_t exists = 4;

/* A view that is a list. */
uint32_t store_view_exists(const struct store_view *view)
{
    (void)view;
    return exists;
}

uint32_t store_view_max_uid(const struct store_view *view)
{
    (void)view;
    return exists ? uids[exists - 1] : 0;
}

uint32_t store_view_uid(const struct store_view *view, uint32_t seqnum)
{
    (void)view;
    return seqnum && seqnum <= exists ? uids[seqnum - 1] : 0;
}

void store_view_select(const struct store_view *view, const struct uidset *wish, struct uidset *ret)
{
    (void)view;
    uidset_clear(ret);
    for (uint32_t i = 0; i < exists; i++)
        if (uidset_has(wish, uids[i]))
            uidset_add(ret, uids[i], uids[i]);
}

static enum err ask(const char *text, bool uid, char *ret)
{
    struct arena arena;
    struct arg args[ARGS_MAX];
    char line[80];
    struct uidset set = {0};
    arena_init(&arena, 1 << 20);
    int n = snprintf(line, sizeof line, " %s\r\n", text);
    struct parser p = {.in = slice(line, (size_t)n), .arena = &arena};
    assert_int_equal(parse_args(&p, "set", args), PARSE_DONE);
    enum err e = seqset_uids(&args[0].set, uid, NULL, &set);
    ret[0] = '\0';
    for (uint32_t u = uidset_next(&set, 1); u; u = uidset_next(&set, u + 1))
        sprintf(ret + strlen(ret), "%u ", u);
    uidset_finish(&set);
    arena_reset(&arena);
    return e;
}

static void check(const char *text, bool uid, enum err expected, const char *list)
{
    char got[100];
    assert_err(ask(text, uid, got), expected);
    assert_string_equal(got, list);
}

static void sequence_numbers_count_messages(void **state)
{
    (void)state;
    exists = 4;
    check("1", false, ERR_OK, "10 ");
    check("2:3", false, ERR_OK, "20 30 ");
    check("3:2", false, ERR_OK, "20 30 ");
    check("*", false, ERR_OK, "31 ");
    check("1:*", false, ERR_OK, "10 20 30 31 ");
    check("*:2", false, ERR_OK, "20 30 31 ");
    check("4,1,3:2,2", false, ERR_OK, "10 20 30 31 ");
}

static void numbers_past_the_end_are_bad(void **state)
{
    (void)state;
    exists = 4;
    check("5", false, ERR_SYNTAX, "");
    check("1:5", false, ERR_SYNTAX, "");
    check("4294967295", false, ERR_SYNTAX, "");
    exists = 0;
    check("*", false, ERR_SYNTAX, "");
    check("1:*", false, ERR_SYNTAX, "");
}

static void uids_that_do_not_exist_are_left_out(void **state)
{
    (void)state;
    exists = 4;
    check("10", true, ERR_OK, "10 ");
    check("11:29", true, ERR_OK, "20 ");
    check("99", true, ERR_OK, "");
    check("1:4294967295", true, ERR_OK, "10 20 30 31 ");
}

/* RFC 3501 section 9, seq-range: "*" is the largest in use, whatever stands before it. */
static void star_is_always_one_message(void **state)
{
    (void)state;
    exists = 4;
    check("*", true, ERR_OK, "31 ");
    check("100:*", true, ERR_OK, "31 ");
    check("*:100", true, ERR_OK, "31 ");
    check("30:*", true, ERR_OK, "30 31 ");
    exists = 0;
    check("1:*", true, ERR_OK, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sequence_numbers_count_messages),
        cmocka_unit_test(numbers_past_the_end_are_bad),
        cmocka_unit_test(uids_that_do_not_exist_are_left_out),
        cmocka_unit_test(star_is_always_one_message),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
