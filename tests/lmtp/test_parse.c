/* lmtp/parse.h: verbs, paths, parameters. */
#include "lmtp/parse.h"

#include "core/base/arena.h"
#include "tests/lib/unit.h"

static void split_refuses_what_no_command_can_be(void **state)
{
    (void)state;
    struct slice verb, rest;
    assert_true(lmtp_split(SLICE("MAIL FROM:<>"), &verb, &rest));
    assert_slice(verb, "MAIL");
    assert_slice(rest, "FROM:<>");
    assert_false(lmtp_split(SLICE(""), &verb, &rest));
    assert_false(lmtp_split(SLICE("NOOP\nQUIT"), &verb, &rest));
    assert_false(lmtp_split(SLICE("NOOP\rQUIT"), &verb, &rest));
    assert_false(lmtp_split(SLICE("NOOP\0"), &verb, &rest));
}

static void paths_of_every_shape(void **state)
{
    (void)state;
    static const struct {
        const char *rest, *path; /* NULL: refused */
    } cases[] = {
        {"FROM:<>",                ""            },
        {"from: <a@b>",            "a@b"         },
        {"FROM:<@x,@y:a@b>",       "a@b"         },
        {"FROM:<\"a > b\"@c>",     "\"a > b\"@c" },
        {"FROM:<\"a\\\"b\"@c>",    "\"a\\\"b\"@c"},
        {"FROM:<a@b> ",            "a@b"         },
        {"FROM:a@b",               NULL          },
        {"FROM:<a@b",              NULL          },
        {"FROM:<a b@c>",           NULL          },
        {"FROM:<<a@b>>",           NULL          },
        {"FROM:<\"a@b>",           NULL          },
        {"FROM:<@x>",              NULL          },
        {"FROM:<@x:>",             NULL          },
        {"FROM:<a@b>x",            NULL          },
        {"FROM:<a\x01@b>",         NULL          },
        {"FROM:<\"a\x01\"@b>",     NULL          },
        {"FROM:<\xff@b> SMTPUTF8", NULL          },
        {"FROM",                   NULL          },
        {"TO:<a@b>",               NULL          },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct lmtp_args args;
        enum err e = lmtp_parse(slice_str(cases[i].rest), "from", &args);
        assert_int_equal(e == ERR_OK, cases[i].path != NULL);
        if (!e)
            assert_slice_eq(args.path, slice_str(cases[i].path));
    }
}

static void parameters_of_mail(void **state)
{
    (void)state;
    struct lmtp_args args;
    assert_ok(lmtp_parse(SLICE("FROM:<a@b> SIZE=1000 body=8bitmime SMTPUTF8"), "from", &args));
    assert_int_equal(args.size, 1000);
    assert_true(args.has_size && args.has_body && args.smtputf8);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> SIZE"), "from", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> SIZE="), "from", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> SIZE=-1"), "from", &args), ERR_SYNTAX);
    assert_ok(lmtp_parse(SLICE("FROM:<a@b> SIZE=99999999999999999999"), "from", &args));
    assert_int_equal(args.size, INT64_MAX); /* a number, and too big for everybody */
    assert_err(lmtp_parse(SLICE("FROM:<a@b> SIZE=100000000000000000000"), "from", &args),
               ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> SIZE=1 SIZE=1"), "from", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> BODY=BINARYMIME"), "from", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> SMTPUTF8=1"), "from", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("FROM:<a@b> RET=FULL"), "from", &args), ERR_CANNOT);
    assert_err(lmtp_parse(SLICE("TO:<a@b> NOTIFY=NEVER"), "to", &args), ERR_CANNOT);
}

static void other_letters_need_smtputf8(void **state)
{
    (void)state;
    struct lmtp_args args;
    assert_err(lmtp_parse(SLICE("FROM:<\xc3\xa4@b>"), "from", &args), ERR_BADCHARSET);
    assert_ok(lmtp_parse(SLICE("FROM:<\xc3\xa4@b> SMTPUTF8"), "from", &args));
    assert_ok(lmtp_parse(SLICE("TO:<\xc3\xa4@b>"), "to", &args));
}

static void helo_is_a_word_that_a_header_can_hold(void **state)
{
    (void)state;
    struct lmtp_args args;
    assert_ok(lmtp_parse(SLICE("mx.example.org"), "domain", &args));
    assert_ok(lmtp_parse(SLICE("[IPv6:2001:db8::1]"), "domain", &args));
    assert_err(lmtp_parse(SLICE(""), "domain", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("a b"), "domain", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("a(b"), "domain", &args), ERR_SYNTAX);
    assert_err(lmtp_parse(SLICE("a\tb"), "domain", &args), ERR_SYNTAX);
}

static void quoted_local_parts_lose_their_quoting(void **state)
{
    (void)state;
    struct arena a;
    struct slice s;
    arena_init(&a, 4096);
    assert_ok(lmtp_address(SLICE("a@b"), &a, &s));
    assert_slice(s, "a@b");
    assert_ok(lmtp_address(SLICE("\"a\\\"\\b\"@c"), &a, &s));
    assert_slice(s, "a\"b@c");
    assert_ok(lmtp_address(SLICE("\"a\""), &a, &s));
    assert_slice(s, "a");
    assert_err(lmtp_address(SLICE("\"\"@c"), &a, &s), ERR_SYNTAX);
    assert_err(lmtp_address(SLICE("\"a\"b@c"), &a, &s), ERR_SYNTAX);
    assert_err(lmtp_address(SLICE("\"a"), &a, &s), ERR_SYNTAX);
    assert_err(lmtp_address(SLICE("\""), &a, &s), ERR_SYNTAX);
    assert_err(lmtp_address(SLICE(""), &a, &s), ERR_SYNTAX);
    arena_reset(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(split_refuses_what_no_command_can_be),
        cmocka_unit_test(paths_of_every_shape),
        cmocka_unit_test(parameters_of_mail),
        cmocka_unit_test(other_letters_need_smtputf8),
        cmocka_unit_test(helo_is_a_word_that_a_header_can_hold),
        cmocka_unit_test(quoted_local_parts_lose_their_quoting),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
