/* Words of `tandem search`, as the tests that the store takes. */
#include "cmd/query.h"

#include <string.h>

#include "core/base/buf.h"
#include "tests/lib/unit.h"

enum { NOW = 1740700800 /* 2025-02-28 00:00 UTC, day 20147 */ };

static void print_test(struct buf *to, const struct store_test *t)
{
    static const char *const names[] = {
        [TEST_ALL] = "all",         [TEST_UIDS] = "uids",       [TEST_FLAGS] = "flags",
        [TEST_KEYWORD] = "keyword", [TEST_RECENT] = "recent",   [TEST_LARGER] = "larger",
        [TEST_SMALLER] = "smaller", [TEST_ARRIVED] = "arrived", [TEST_SENT] = "sent",
        [TEST_HEADER] = "header",   [TEST_BODY] = "body",       [TEST_TEXT] = "text",
        [TEST_NOT] = "NOT",         [TEST_AND] = "AND",         [TEST_OR] = "OR"};
    assert_ok(buf_printf(to, "%s%s", to->len ? " " : "", names[t->kind]));
    if (t->kind == TEST_FLAGS)
        assert_ok(buf_printf(to, "=%u", t->sysflags));
    if (t->kind == TEST_LARGER || t->kind == TEST_SMALLER)
        assert_ok(buf_printf(to, "=%u", t->size));
    if (t->kind == TEST_ARRIVED || t->kind == TEST_SENT)
        assert_ok(buf_printf(to, "=%d..%d", t->from == INT32_MIN ? 0 : t->from,
                             t->to == INT32_MAX ? 0 : t->to));
    if (t->kind == TEST_AND || t->kind == TEST_OR)
        assert_ok(buf_printf(to, "%u", t->n));
    if (t->field.len)
        assert_ok(buf_printf(to, ":" SLICE_FMT, SLICE_ARG(t->field)));
    if (t->text.len)
        assert_ok(buf_printf(to, ":" SLICE_FMT, SLICE_ARG(t->text)));
}

/* Words are separated by one blank each; ~ in a word is a blank. */
static enum err parse(const char *line, struct arena *arena, struct query *query, struct fault *why)
{
    const char *words[64];
    size_t n = 0;
    struct slice copy = arena_dup(arena, slice_str(line));
    for (char *word = strtok((char *)(uintptr_t)copy.ptr, " "); word; word = strtok(NULL, " ")) {
        for (char *at = word; *at; at++)
            *at = *at == '~' ? ' ' : *at;
        words[n++] = word;
    }
    return query_parse(words, n, NOW, arena, query, why);
}

static void assert_query(const char *line, const char *want)
{
    struct arena arena;
    struct query query;
    struct fault why = {0};
    struct buf got;
    arena_init(&arena, 1 << 20);
    buf_init(&got, 4096);
    assert_ok(parse(line, &arena, &query, &why));
    for (size_t i = 0; i < query.n; i++)
        print_test(&got, &query.tests[i]);
    assert_slice_eq(buf_slice(&got), slice_str(want));
    buf_finish(&got);
    arena_reset(&arena);
}

static void assert_refused(const char *line, const char *want)
{
    struct arena arena;
    struct query query;
    struct fault why = {0};
    arena_init(&arena, 1 << 20);
    assert_int_not_equal(parse(line, &arena, &query, &why), ERR_OK);
    assert_string_equal(why.text, want);
    arena_reset(&arena);
}

static void keys_become_tests(void **state)
{
    (void)state;
    assert_query("all", "all");
    assert_query("SEEN", "flags=1");
    assert_query("unseen", "flags=1 NOT");
    assert_query("flagged keyword $Junk", "flags=4 keyword:$Junk AND2");
    assert_query("from Zoë", "header:From:ZOE\xcc\x88"); /* RFC 5051: decomposed, titlecase */
    assert_query("header X-Spam yes", "header:X-Spam:YES");
    assert_query("header X-Spam ~", "header:X-Spam: ");
    assert_query("body a~b", "body:A B");
    assert_query("larger 30k smaller 1M", "larger=30720 smaller=1048576 AND2");
}

static void dates_and_ages_become_days(void **state)
{
    (void)state;
    assert_query("before 2025-02-28", "arrived=0..20147");
    assert_query("on 28-Feb-2025", "arrived=20147..20148");
    assert_query("sentsince 1-jan-1970", "sent=0..0");
    assert_query("older 30d", "arrived=0..20117");
    assert_query("younger 2w", "arrived=20133..0");
    assert_query("younger 1h", "arrived=20146..0");
}

static void or_binds_weaker_than_and(void **state)
{
    (void)state;
    assert_query("seen draft or flagged", "flags=1 flags=16 AND2 flags=4 OR2");
    assert_query("seen ( draft or flagged or deleted )",
                 "flags=1 flags=16 flags=4 flags=8 OR3 AND2");
    assert_query("not seen draft", "flags=1 NOT flags=16 AND2");
    assert_query("not ( seen draft )", "flags=1 flags=16 AND2 NOT");
    assert_query("not not seen", "flags=1 NOT NOT");
}

static void uid_sets_are_left_to_the_view(void **state)
{
    (void)state;
    struct arena arena;
    struct query query;
    struct fault why = {0};
    arena_init(&arena, 1 << 20);
    assert_ok(parse("seen uid 1:5 or not uid *", &arena, &query, &why));
    assert_int_equal(query.n, 6);
    assert_non_null(query.uids);
    assert_int_equal(query.uids->test, 3);
    assert_string_equal(query.uids->text, "*");
    assert_int_equal(query.uids->next->test, 1);
    assert_string_equal(query.uids->next->text, "1:5");
    assert_null(query.uids->next->next);
    arena_reset(&arena);
}

static void nonsense_is_called_so(void **state)
{
    (void)state;
    assert_refused("", "something to look for is missing at the end");
    assert_refused("seen or", "something to look for is missing at the end");
    assert_refused("or seen", "something to look for is missing before 'or'");
    assert_refused("( )", "something to look for is missing before ')'");
    assert_refused("( seen", "a ')' is missing");
    assert_refused("seen )", "a '(' is missing before ')'");
    assert_refused("green", "what is 'green'? Try 'tandem search --help'");
    assert_refused("from", "'from' wants a word behind it");
    assert_refused("header Subject", "'header' wants a word behind it");
    assert_refused("larger 5T", "'5T' is not a size; write one such as 500k");
    assert_refused("larger 4G", "'4G' is not a size; write one such as 500k");
    assert_refused("larger k", "'k' is not a size; write one such as 500k");
    assert_refused("on 2025-02-29", "'2025-02-29' is not a date; write one such as 2025-02-28");
    assert_refused("on 2025-2-28", "'2025-2-28' is not a date; write one such as 2025-02-28");
    assert_refused("on 1-Feb-25", "'1-Feb-25' is not a date; write one such as 2025-02-28");
    assert_refused("older 3", "'3' is not an age; write one such as 30d or 2w");
    assert_refused("older 99999d", "'99999d' is not an age; write one such as 30d or 2w");
}

static void depth_and_number_are_bounded(void **state)
{
    (void)state;
    const char *words[2 * STORE_TESTS_MAX];
    struct arena arena;
    struct query query;
    struct fault why = {0};
    arena_init(&arena, 1 << 20);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        words[i] = "not";
    assert_err(query_parse(words, 100, NOW, &arena, &query, &why), ERR_LIMIT);
    assert_string_equal(why.text, "this is nested too deep");
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        words[i] = "seen";
    assert_err(query_parse(words, STORE_TESTS_MAX, NOW, &arena, &query, &why), ERR_LIMIT);
    assert_ok(query_parse(words, STORE_TESTS_MAX - 1, NOW, &arena, &query, &why));
    arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(keys_become_tests),        cmocka_unit_test(dates_and_ages_become_days),
        cmocka_unit_test(or_binds_weaker_than_and), cmocka_unit_test(uid_sets_are_left_to_the_view),
        cmocka_unit_test(nonsense_is_called_so),    cmocka_unit_test(depth_and_number_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
