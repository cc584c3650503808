/* auth/name.c: the grammar of CONTRACTS section 3, row by row. */
#include "auth/auth.h"

#include "tests/lib/unit.h"

struct row {
    const char *text;
    const char *login; /* NULL: refused */
    const char *detail, *master, *token;
    bool recent;
};

#define A16 "aaaaaaaaaaaaaaaa"
#define A64 A16 A16 A16 A16
#define LABEL63 A16 A16 A16 "aaaaaaaaaaaaaaa"
#define DOMAIN253 LABEL63 "." LABEL63 "." LABEL63 "." A16 A16 A16 "aaaaaaaaaaaaa"

static const struct row rows[] = {
  /* the plain forms */
    {"alice",                                "alice@example.org"                               },
    {"alice@example.com",                    "alice@example.com"                               },
    {"Alice@EXAMPLE.Com",                    "alice@example.com"                               },
    {"a",                                    "a@example.org"                                   },
    {"7",                                    "7@example.org"                                   },
    {"a.b_c=d-e'f&g",                        "a.b_c=d-e'f&g@example.org"                       },
    {"o'neil@example.com",                   "o'neil@example.com"                              },
    {A64,                                    A64 "@example.org"                                },
    {A64 "a",                                NULL                                              },
    {"a@" DOMAIN253,                         "a@" DOMAIN253                                    },
    {"a@" DOMAIN253 "a",                     NULL                                              },
    {"a@" LABEL63 "a",                       NULL                                              },
    {"a@localhost",                          "a@localhost"                                     },
    {"a@xn--bcher-kva.example",              "a@xn--bcher-kva.example"                         },
    {"a@1.2.3.4",                            "a@1.2.3.4"                                       },
 /* dots */
    {".a",                                   NULL                                              },
    {"a.",                                   NULL                                              },
    {"a..b",                                 NULL                                              },
    {"a.b",                                  "a.b@example.org"                                 },
    {".",                                    NULL                                              },
 /* not in the alphabet */
    {"",                                     NULL                                              },
    {"@",                                    NULL                                              },
    {"@example.com",                         NULL                                              },
    {"a b",                                  NULL                                              },
    {"a/b",                                  NULL                                              },
    {"a\\b",                                 NULL                                              },
    {"a\"b",                                 NULL                                              },
    {"a:b",                                  NULL                                              },
    {"a!b",                                  NULL                                              },
    {"a\tb",                                 NULL                                              },
    {"a\nb",                                 NULL                                              },
    {"a\x7f",                                NULL                                              },
    {"../../etc/passwd",                     NULL                                              },
    {"a@b@c",                                NULL                                              },
    {"a@.com",                               NULL                                              },
    {"a@com.",                               NULL                                              },
    {"a@b..c",                               NULL                                              },
    {"a@-b.c",                               NULL                                              },
    {"a@b-.c",                               NULL                                              },
    {"a@b_c",                                NULL                                              },
    {"a@b c",                                NULL                                              },
    {"a@[192.0.2.1]",                        NULL                                              },
    {"a@b\xc3\xbc"
     "cher.example",                    NULL                                              },
 /* letters beyond ASCII, NFC */
    {"j\xc3\xbcrgen",                        "j\xc3\xbcrgen@example.org"                       },
    {"ju\xcc\x88rgen",                       "j\xc3\xbcrgen@example.org"                       }, /* u and a combining diaeresis */
    {"J\xc3\x9crgen",                        "j\xc3\x9crgen@example.org"                       }, /* only ASCII is lower-cased */
    {"nguy\xe1\xbb\x85n",                    "nguy\xe1\xbb\x85n@example.org"                   },
    {"nguye\xcc\x82\xcc\x83n",               "nguy\xe1\xbb\x85n@example.org"                   },
    {"\xe5\xbc\xa0\xe4\xbc\x9f@example.com", "\xe5\xbc\xa0\xe4\xbc\x9f@example.com"            },
    {"\xe0\xa4\xb0\xe0\xa4\xbe\xe0\xa4\xae", "\xe0\xa4\xb0\xe0\xa4\xbe\xe0\xa4\xae@example.org"},
    {"a\xe2\x82\xac",                        NULL                                              }, /* a currency sign */
    {"a\xe2\x80\x8b",                        NULL                                              }, /* a zero-width space */
    {"a\xf0\x9f\x98\x80",                    NULL                                              }, /* an emoji */
    {"a\xff",                                NULL                                              }, /* not UTF-8 */
    {"a\xc3",                                NULL                                              }, /* cut off */
    {"a\xc0\xaf",                            NULL                                              }, /* overlong */
    {"a\xed\xa0\x80",                        NULL                                              }, /* a surrogate */
    {"\xef\xbc\x8e"
     "a",                               NULL                                              }, /* a fullwidth full stop */
  /* detail */
    {"a+b",                                  "a@example.org",                                    "b"},
    {"a+b@example.com",                                      "a@example.com",                                                                        "b"},
    {"a+@example.com",                                   "a@example.com"             },
    {"a+b+c@example.com","a@example.com",                          "b+c"},
    {"a+Lists/Go@example.com",                                   "a@example.com",                                                       "Lists/Go"},
    {"a+x@y@example.com",               "a@example.com",                "x@y"},
    {"a+Entw&APw-rfe",                                      "a@example.org",                                                                      "Entw&APw-rfe"},
    {"a+\xc3\xbc",                                 "a@example.org",                                                                    "\xc3\xbc"},
    {"a+\xc3",NULL},
    {"a+b\x01",                           NULL                             },
    {"+b",                                      NULL                                                                                },
    {"+@example.com",                                      NULL                                                                                                                               },
 /* recent: */
    {"recent:a",                                      "a@example.org",                                                        .recent = true},
    {"RECENT:a@example.com",                                      "a@example.com",.recent = true},
    {"recent:",                                      NULL},
    {"recent:recent:a",                        NULL                  },
 /* masters and tokens */
    {"a*root","a@example.org",                             .master = "root@example.org"},
    {"a+b@example.com*Root@Example.NET",                              "a@example.com",                                       "b", "root@example.net"},
    {"recent:a*root",                      "a@example.org",                                             .master = "root@example.org", .recent = true},
    {"a*",                               NULL                                                                                },
    {"*root",                                      NULL                                                      },
    {"a*b*c",                                   NULL                            },
    {"a*b%c",                        NULL                                     },
    {"a*b+c",                        NULL                                                                         },
    {"a%T0ken",    "a@example.org",.token = "T0ken"},
    {"a@example.com%0123456789abcdef","a@example.com",.token = "0123456789abcdef"},
    {"a%",NULL                     },
    {"a%b c",           NULL                       },
    {"a%b%c",           NULL},
    {"a%b*c",                    NULL                                                                                },
 /* reserved */
    {"a@@2026-01-01",       NULL                                             },
    {"a@example.com@@2026-01-01",                                      NULL                                                                                    },
};

static void expect(struct slice actual, const char *expected)
{
    assert_slice_eq(actual, slice_str(expected ? expected : ""));
}

static void names_follow_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct row *row = &rows[i];
        struct arena arena;
        struct auth_name name;
        arena_init(&arena, 4096);
        enum err e =
            auth_name_parse(slice_str(row->text), SLICE("Example.ORG"), '*', &arena, &name);
        if (e != (row->login ? ERR_OK : ERR_SYNTAX))
            fail_msg("'%s': %s", row->text, err_word(e));
        if (row->login) {
            expect(name.login, row->login);
            expect(name.detail, row->detail);
            expect(name.master, row->master);
            expect(name.token, row->token);
            assert_int_equal(name.recent, row->recent);
        }
        arena_reset(&arena);
    }
}

static void a_nul_never_ends_a_name(void **state)
{
    (void)state;
    struct arena arena;
    struct auth_name name;
    arena_init(&arena, 4096);
    assert_err(auth_name_parse(SLICE("a\0b"), SLICE("example.org"), '*', &arena, &name),
               ERR_SYNTAX);
    assert_err(auth_name_parse(SLICE("a@b\0.c"), SLICE("example.org"), '*', &arena, &name),
               ERR_SYNTAX);
    assert_err(auth_name_parse(SLICE("a+b\0"), SLICE("example.org"), '*', &arena, &name),
               ERR_SYNTAX);
    arena_reset(&arena);
}

static void the_separator_of_masters_is_configured(void **state)
{
    (void)state;
    struct arena arena;
    struct auth_name name;
    arena_init(&arena, 4096);
    assert_ok(auth_name_parse(SLICE("a|root"), SLICE("example.org"), '|', &arena, &name));
    assert_slice(name.login, "a@example.org");
    assert_slice(name.master, "root@example.org");
    assert_err(auth_name_parse(SLICE("a*root"), SLICE("example.org"), '|', &arena, &name),
               ERR_SYNTAX);
    assert_err(auth_name_parse(SLICE("a*root"), SLICE("example.org"), '\0', &arena, &name),
               ERR_SYNTAX);
    arena_reset(&arena);
}

static void addresses_have_neither_prefix_nor_suffix(void **state)
{
    (void)state;
    struct arena arena;
    struct auth_name name;
    arena_init(&arena, 4096);
    assert_ok(auth_address_parse(SLICE("A+b@Example.com"), SLICE("example.org"), AUTH_DETAIL,
                                 &arena, &name));
    assert_slice(name.login, "a@example.com");
    assert_slice(name.detail, "b");
    assert_err(
        auth_address_parse(SLICE("recent:a"), SLICE("example.org"), AUTH_DETAIL, &arena, &name),
        ERR_SYNTAX);
    assert_err(auth_address_parse(SLICE("a*b"), SLICE("example.org"), AUTH_DETAIL, &arena, &name),
               ERR_SYNTAX);
    assert_err(auth_address_parse(SLICE("a%b"), SLICE("example.org"), AUTH_DETAIL, &arena, &name),
               ERR_SYNTAX);
    arena_reset(&arena);
}

/* [lmtp] detail may be a character that an account's name ends with. */
static void a_separator_at_the_end_may_be_of_the_name(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        char separator;
        const char *login, *detail;
    } ends[] = {
        {"mary-@example.com",   '-', "mary-@example.com", NULL},
        {"mary-x@example.com",  '-', "mary@example.com",  "x" },
        {"mary-x-@example.com", '-', "mary@example.com",  "x-"},
        {"mary.@example.com",   '.', "mary@example.com",  NULL}, /* no name ends with it */
        {"mary+@example.com",   '+', "mary@example.com",  NULL},
    };
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        struct arena arena;
        struct auth_name name;
        arena_init(&arena, 4096);
        assert_ok(auth_address_parse(slice_str(ends[i].address), SLICE("example.org"),
                                     ends[i].separator, &arena, &name));
        expect(name.login, ends[i].login);
        expect(name.detail, ends[i].detail);
        arena_reset(&arena);
    }
}

/* An account or alias may have the name that an address is with its detail. */
static void the_whole_of_an_address_is_in_normal_form(void **state)
{
    (void)state;
    struct arena arena;
    struct auth_name name;
    struct slice whole;
    arena_init(&arena, 4096);
    assert_ok(auth_address_parse(SLICE("A-Gru\xcc\x88n@Example.com"), SLICE("example.org"), '-',
                                 &arena, &name));
    assert_ok(auth_address_whole(&name, '-', &arena, &whole));
    assert_slice(whole, "a-gr\xc3\xbcn@example.com");
    assert_ok(auth_address_parse(SLICE("a@Example.com"), SLICE("example.org"), '-', &arena, &name));
    assert_ok(auth_address_whole(&name, '-', &arena, &whole));
    assert_slice(whole, "a@example.com");
    arena_reset(&arena);
}

static void a_huge_name_is_refused_before_it_is_copied(void **state)
{
    (void)state;
    static char text[1 << 20];
    memset(text, 'a', sizeof text);
    struct arena arena;
    struct auth_name name;
    arena_init(&arena, 4096);
    assert_err(auth_name_parse(slice(text, sizeof text), SLICE("example.org"), '*', &arena, &name),
               ERR_SYNTAX);
    memset(text, 0xcc, sizeof text);
    assert_err(auth_name_parse(slice(text, 2000), SLICE("example.org"), '*', &arena, &name),
               ERR_SYNTAX);
    assert_int_equal(arena.used, 0);
    arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_follow_the_grammar),
        cmocka_unit_test(a_nul_never_ends_a_name),
        cmocka_unit_test(the_separator_of_masters_is_configured),
        cmocka_unit_test(a_separator_at_the_end_may_be_of_the_name),
        cmocka_unit_test(the_whole_of_an_address_is_in_normal_form),
        cmocka_unit_test(addresses_have_neither_prefix_nor_suffix),
        cmocka_unit_test(a_huge_name_is_refused_before_it_is_copied),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
