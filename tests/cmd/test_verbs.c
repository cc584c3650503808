/* The table of verbs, which help, manual and completion are made of. */
#include "cmd/verb.h"

#include <string.h>

#include "tests/lib/unit.h"

enum { COLUMNS = 84 };

static void names_are_sorted_and_of_one_word_or_two(void **state)
{
    (void)state;
    for (const struct verb *verb = verbs; verb->name; verb++) {
        const char *blank = strchr(verb->name, ' ');
        assert_false(blank && strchr(blank + 1, ' '));
        assert_non_null(verb->run);
        if (verb > verbs && strcmp(verb[-1].name, verb->name) >= 0)
            fail_msg("'%s' stands behind '%s'", verb->name, verb[-1].name);
        assert_ptr_equal(verb_find(verb->name), verb);
    }
    assert_null(verb_find("no such verb"));
}

static void help_is_short(void **state)
{
    (void)state;
    for (const struct verb *verb = verbs; verb->name; verb++) {
        assert_non_null(verb->help);
        if (strlen(verb->help) > 76 || verb->help[strlen(verb->help) - 1] == '.')
            fail_msg("%s: '%s' is no short line", verb->name, verb->help);
        struct slice rest = slice_str(verb->about);
        while (rest.len) {
            size_t n = slice_find(rest, '\n');
            if (n > COLUMNS)
                fail_msg("%s: '" SLICE_FMT "' is too long", verb->name,
                         SLICE_ARG(slice_first(rest, n)));
            rest = n < rest.len ? slice_from(rest, n + 1) : SLICE_NONE;
        }
    }
}

static void options_are_told(void **state)
{
    (void)state;
    for (const struct verb *verb = verbs; verb->name; verb++) {
        for (const struct verb_opt *opt = verb->options; opt->name; opt++) {
            assert_true(strncmp(opt->name, "--", 2) == 0);
            assert_non_null(opt->help);
            assert_ptr_equal(verb_find_option(verb, opt->name), opt);
        }
        if (verb->needs)
            assert_non_null(verb_find_option(verb, verb->needs));
        assert_null(verb_find_option(verb, "--json")); /* the tool's own */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_sorted_and_of_one_word_or_two),
        cmocka_unit_test(help_is_short),
        cmocka_unit_test(options_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
