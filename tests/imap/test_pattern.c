/* imap/pattern.h: RFC 3501 section 6.3.8. */
#include "imap/pattern.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "tests/lib/unit.h"

static bool match(const char *reference, const char *text, const char *name)
{
    struct arena arena;
    struct pattern p;
    arena_init(&arena, 1 << 20);
    assert_ok(pattern_make(slice_str(reference), slice_str(text), &arena, &p));
    bool yes = pattern_match(&p, slice_str(name));
    arena_reset(&arena);
    return yes;
}

static void wildcards_mean_what_the_rfc_says(void **state)
{
    (void)state;
    assert_true(match("", "*", "a/b/c"));
    assert_true(match("", "%", "a"));
    assert_false(match("", "%", "a/b"));
    assert_true(match("", "a/%", "a/b"));
    assert_false(match("", "a/%", "a/b/c"));
    assert_false(match("", "a/%", "a"));
    assert_true(match("", "%/%", "a/b"));
    assert_true(match("", "a*c", "a/b/c"));
    assert_false(match("", "a%c", "a/c"));
    assert_true(match("", "a%c", "abc"));
    assert_true(match("", "", ""));
    assert_false(match("", "a", ""));
    assert_true(match("", "*", ""));
    assert_true(match("", "a", "a"));
    assert_false(match("", "a", "ab"));
    assert_false(match("", "ab", "a"));
    assert_false(match("", "A", "a"));
}

static void reference_is_put_in_front(void **state)
{
    (void)state;
    assert_true(match("a/", "%", "a/b"));
    assert_false(match("a/", "%", "b"));
    assert_true(match("a", "b", "ab"));
    assert_true(match("*", "*", "a/b"));
}

static void inbox_matches_in_either_case(void **state)
{
    (void)state;
    assert_true(match("", "inbox", "INBOX"));
    assert_true(match("", "iNb*", "INBOX"));
    assert_true(match("", "inbox/%", "INBOX/a"));
    assert_false(match("", "inbox/A", "INBOX/a"));
    assert_false(match("", "inboxes", "INBOXES"));
    assert_false(match("", "inbox", "INBOXES"));
}

static void runs_of_wildcards_are_one(void **state)
{
    struct arena arena;
    struct pattern p;
    (void)state;
    arena_init(&arena, 1 << 20);
    assert_ok(pattern_make(SLICE("a*"), SLICE("**%%b%%%*%c%%"), &arena, &p));
    assert_slice(p.text, "a*b*c%");
    arena_reset(&arena);
}

static void too_long_is_refused(void **state)
{
    struct arena arena;
    struct pattern p;
    char text[PATTERN_MAX + 1];
    (void)state;
    memset(text, 'a', sizeof text);
    arena_init(&arena, 1 << 20);
    assert_ok(pattern_make(SLICE(""), slice(text, PATTERN_MAX), &arena, &p));
    assert_err(pattern_make(SLICE("x"), slice(text, PATTERN_MAX), &arena, &p), ERR_LIMIT);
    arena_reset(&arena);
}

static bool plain(const char *p, const char *s)
{
    if (!*p)
        return !*s;
    if (*p == '*' || *p == '%')
        return plain(p + 1, s) || (*s && (*p == '*' || *s != '/') && plain(p, s + 1));
    return *s == *p && plain(p + 1, s + 1);
}

static void agrees_with_plain_backtracking(void **state)
{
    (void)state;
    srand(7);
    for (int i = 0; i < 300000; i++) {
        char p[8], s[9];
        size_t np = (size_t)rand() % 7, ns = (size_t)rand() % 8;
        for (size_t k = 0; k < np; k++)
            p[k] = "ab/%*"[rand() % 5];
        for (size_t k = 0; k < ns; k++)
            s[k] = "ab/"[rand() % 3];
        p[np] = s[ns] = '\0';
        if (match("", p, s) != plain(p, s))
            fail_msg("pattern '%s', name '%s'", p, s);
    }
}

static void nasty_patterns_cost_little(void **state)
{
    char pattern[PATTERN_MAX + 1], name[1301];
    (void)state;
    for (size_t i = 0; i < PATTERN_MAX; i++)
        pattern[i] = "*a"[i % 2];
    pattern[PATTERN_MAX] = '\0';
    memset(name, 'a', 1300);
    name[1300] = '\0';
    name[1299] = 'b';
    uint64_t before = clock_mono_ms();
    for (int i = 0; i < 20; i++)
        match("", pattern, name);
    assert_true(clock_mono_ms() - before < 5000); /* backtracking would not end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wildcards_mean_what_the_rfc_says),
        cmocka_unit_test(reference_is_put_in_front),
        cmocka_unit_test(inbox_matches_in_either_case),
        cmocka_unit_test(runs_of_wildcards_are_one),
        cmocka_unit_test(too_long_is_refused),
        cmocka_unit_test(agrees_with_plain_backtracking),
        cmocka_unit_test(nasty_patterns_cost_little),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
