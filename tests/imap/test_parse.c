/* imap/parse.h and imap/fetch_item.h: RFC 3501 section 9. */
#include "imap/parse.h"

#include <stdlib.h>

#include "imap/fetch_item.h"
#include "tests/lib/unit.h"

#define TEXT(literal)                                                                              \
    {                                                                                              \
        literal, sizeof(literal) - 1                                                               \
    }

/* grammar, arguments that it takes: each is also tried with every octet changed, left out or
 * doubled, and cut after every literal's announcement. */
static const struct {
    const char *grammar;
    struct slice text;
} good[] = {
    {"",                                 TEXT("")                                                                },
    {"astring astring",                  TEXT(" joe secret")                                                     },
    {"astring astring",                  TEXT(" \"j\\\"o\\\\e\" {3}\r\na\r\n")                                   },
    {"astring astring",                  TEXT(" {3}\r\njoe {6+}\r\nsecret")                                      },
    {"mailbox",                          TEXT(" inbox")                                                          },
    {"mailbox",                          TEXT(" \"&U,BTFw-\"")                                                   },
    {"mailbox mailbox",                  TEXT(" {1}\r\na {1}\r\nb")                                              },
    {"?select astring patterns ?return",
     TEXT(" (REMOTE SUBSCRIBED RECURSIVEMATCH) x ({1}\r\na %) RETURN (STATUS (SIZE) CHILDREN)")                  },
    {"set fetch",                        TEXT(" 1 (BODY[1.2.HEADER.FIELDS (A)]<1.2> BODY BODY[4.MIME] ENVELOPE)")},
    {"astring pattern",                  TEXT(" \"\" %/*]")                                                      },
    {"set",                              TEXT(" 1,2:4,*:7,4294967295")                                           },
    {"set store",                        TEXT(" 1 +FLAGS.SILENT (\\Seen Key)")                                   },
    {"set store",                        TEXT(" 1 -flags \\Seen $Junk")                                          },
    {"set store",                        TEXT(" 1 FLAGS ()")                                                     },
    {"mailbox status",                   TEXT(" x (MESSAGES uidnext UNSEEN)")                                    },
    {"id",                               TEXT(" NIL")                                                            },
    {"id",                               TEXT(" (\"name\" \"x\" \"y\" NIL)")                                     },
    {"id",                               TEXT(" ({4}\r\nname {1}\r\nx)")                                         },
    {"mailbox ?flags ?date stream",      TEXT(" x {10}\r\n")                                                     },
    {"mailbox ?flags ?date stream",      TEXT(" x (\\Draft) {10+}\r\n")                                          },
    {"mailbox ?flags ?date stream",      TEXT(" {1}\r\nx \"17-Jul-1996 02:44:25 -0700\" {10}\r\n")               },
    {"mailbox ?flags ?date stream",      TEXT(" x () \" 7-jul-2096 23:59:60 +0130\" {1}\r\n")                    },
    {"set fetch",                        TEXT(" 1 FAST")                                                         },
    {"set fetch",                        TEXT(" 1:* (UID FLAGS INTERNALDATE RFC822.SIZE)")                       },
    {"set fetch",                        TEXT(" 1 BODY.PEEK[HEADER.FIELDS (From {2}\r\nTo \"x y\")]<0.9>")       },
    {"set fetch",                        TEXT(" 1 (BODY[] body.peek[text]<1.2> RFC822 rfc822.header)")           },
    {"set fetch",                        TEXT(" 1 BODY[HEADER.FIELDS.NOT (A B)]")                                },
};

static enum parse parse_text(struct arena *arena, const char *grammar, struct slice text,
                             struct parser *p, struct arg *args)
{
    arena_reset(arena);
    *p = (struct parser){.in = text, .arena = arena};
    return parse_args(p, grammar, args);
}

static bool streams(const char *grammar)
{
    return strstr(grammar, "stream") != NULL;
}

static void good_commands_are_good(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct arena arena;
        struct parser p;
        struct arg args[ARGS_MAX];
        char text[100];
        size_t n = good[i].text.len;
        memcpy(text, good[i].text.ptr, n);
        if (!streams(good[i].grammar)) {
            memcpy(text + n, "\r\n", 2);
            n += 2;
        }
        arena_init(&arena, 1 << 20);
        if (parse_text(&arena, good[i].grammar, slice(text, n), &p, args) != PARSE_DONE)
            fail_msg("refused: %s%.*s at %zu", good[i].grammar, (int)n, text, p.pos);
        assert_int_equal(p.refuse, ERR_OK);
        arena_reset(&arena);
    }
}

/* Up to each announcement it is fine so far. */
static void cut_at_literals_they_want_more(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct slice t = good[i].text;
        for (size_t n = 5; n < t.len; n++) {
            struct arena arena;
            struct parser p;
            struct arg args[ARGS_MAX];
            if (memcmp(t.ptr + n - 3, "}\r\n", 3) != 0)
                continue;
            arena_init(&arena, 1 << 20);
            assert_int_equal(parse_text(&arena, good[i].grammar, slice(t.ptr, n), &p, args),
                             PARSE_MORE);
            arena_reset(&arena);
        }
    }
}

/* Whatever is done to them, a verdict comes and nothing outside is read (run with ASan). Each
 * changed command lies in memory of its own size. */
static void spoiled_commands_get_a_verdict(void **state)
{
    static const char octets[] = {'\0', '\r', '\n', ' ', '"', '\\', '(', ')', '{', '}', '[',
                                  ']',  '<',  '>',  '*', '%', '&',  ',', ':', '0', 'a', '\x80'};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct arena arena;
        struct parser p;
        struct arg args[ARGS_MAX];
        struct slice t = good[i].text;
        arena_init(&arena, 1 << 20);
        for (size_t at = 0; at <= t.len; at++)
            for (size_t o = 0; o < sizeof octets; o++)
                for (int how = 0; how < 3; how++) { /* change, insert, cut off here */
                    char *text = malloc(t.len + 3);
                    size_t n = at, rest = at + (how == 0);
                    memcpy(text, t.ptr, at);
                    if (how < 2)
                        text[n++] = octets[o];
                    if (how < 2 && rest < t.len) {
                        memcpy(text + n, t.ptr + rest, t.len - rest);
                        n += t.len - rest;
                    }
                    memcpy(text + n, "\r\n", 2);
                    text = realloc(text, n + 2);
                    enum parse r =
                        parse_text(&arena, good[i].grammar, slice(text, n + 2), &p, args);
                    assert_true(p.pos <= n + 2);
                    if (how < 2 && octets[o] == '\0') /* NUL is BAD everywhere */
                        assert_int_not_equal(r, PARSE_DONE);
                    free(text);
                }
        arena_reset(&arena);
    }
}

static const struct {
    const char *grammar, *text;
} bad[] = {
    {"",                            " "                                    },
    {"",                            " x"                                   },
    {"astring astring",             " joe"                                 },
    {"astring astring",             "  joe secret"                         },
    {"astring astring",             " joe  secret"                         },
    {"astring astring",             " joe secret "                         },
    {"astring astring",             " joe \"sec"                           },
    {"astring astring",             " joe \"a\\nb\""                       },
    {"astring astring",             " joe pass{1"                          },
    {"astring astring",             " joe a\"b"                            },
    {"astring astring",             " joe \"a\"b"                          },
    {"astring pattern",             " %  x"                                },
    {"set",                         " 0"                                   },
    {"set",                         " 4294967296"                          },
    {"set",                         " 1,"                                  },
    {"set",                         " ,1"                                  },
    {"set",                         " 1:2:3"                               },
    {"set",                         " 1:"                                  },
    {"set",                         " -1"                                  },
    {"set",                         " 1 "                                  },
    {"set store",                   " 1 FLAGS"                             },
    {"set store",                   " 1 +FLAG (\\Seen)"                    },
    {"set store",                   " 1 *FLAGS (\\Seen)"                   },
    {"set store",                   " 1 FLAGS \\Recent"                    },
    {"set store",                   " 1 FLAGS \\Foo"                       },
    {"set store",                   " 1 FLAGS (\\Seen"                     },
    {"set store",                   " 1 FLAGS (a  b)"                      },
    {"set store",                   " 1 FLAGS a]"                          },
    {"mailbox status",              " x ()"                                },
    {"mailbox status",              " x (FOO)"                             },
    {"mailbox status",              " x MESSAGES"                          },
    {"id",                          " (name \"x\")"                        },
    {"id",                          " (\"name\")"                          },
    {"id",                          " (NIL NIL)"                           },
    {"mailbox ?flags ?date stream", " x abc"                               },
    {"mailbox ?flags ?date stream", " x () ()"                             },
    {"mailbox ?flags ?date stream", " x \"31-Feb-2026 00:00:00 +0000\" {1}"},
    {"mailbox ?flags ?date stream", " x \"1-Jan-2026 00:00:00 +0000\" {1}" },
    {"mailbox ?flags ?date stream", " x \"01-Jan-2026 24:00:00 +0000\" {1}"},
    {"mailbox ?flags ?date stream", " x \"01-Jan-2026 00:00:00 0000\" {1}" },
    {"set fetch",                   " 1 FOO"                               },
    {"set fetch",                   " 1 BODY.PEEK"                         },
    {"set fetch",                   " 1 ENVELOPES"                         },
    {"set fetch",                   " 1 ()"                                },
    {"set fetch",                   " 1 (FAST)"                            },
    {"set fetch",                   " 1 (UID FLAGS"                        },
    {"set fetch",                   " 1 BODY[1.]"                          },
    {"set fetch",                   " 1 BODY[MIME]"                        },
    {"set fetch",                   " 1 BODY[HEADER.FIELDS]"               },
    {"set fetch",                   " 1 BODY[HEADER.FIELDS ()]"            },
    {"set fetch",                   " 1 BODY[TEXT"                         },
    {"set fetch",                   " 1 BODY[]<0.0>"                       },
    {"set fetch",                   " 1 BODY[]<0>"                         },
    {"set fetch",                   " 1 BODY[]<4294967296.1>"              },
    {"set fetch",                   " 1 FLAGS[]"                           },
};

static void bad_commands_are_bad(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct arena arena;
        struct parser p;
        struct arg args[ARGS_MAX];
        char text[100];
        int n = snprintf(text, sizeof text, "%s\r\n", bad[i].text);
        arena_init(&arena, 1 << 20);
        if (parse_text(&arena, bad[i].grammar, slice(text, (size_t)n), &p, args) != PARSE_BAD)
            fail_msg("accepted: %s", bad[i].text);
        arena_reset(&arena);
    }
}

/* --- values --------------------------------------------------------------------------------- */

struct parsed {
    struct arena arena;
    struct parser p;
    struct arg args[ARGS_MAX];
};

static struct parsed *parse_ok(const char *grammar, const char *text)
{
    struct parsed *r = calloc(1, sizeof *r);
    arena_init(&r->arena, 1 << 20);
    assert_int_equal(parse_text(&r->arena, grammar, slice_str(text), &r->p, r->args), PARSE_DONE);
    return r;
}

static void parsed_free(struct parsed *r)
{
    arena_reset(&r->arena);
    free(r);
}

static void strings_are_unquoted(void **state)
{
    (void)state;
    struct parsed *r = parse_ok("astring astring", " \"a\\\"b\\\\\" {4+}\r\n\r\n\xff \r\n");
    assert_slice(r->args[0].text, "a\"b\\");
    assert_slice(r->args[1].text, "\r\n\xff ");
    parsed_free(r);
}

static void mailboxes_are_decoded_or_cannot_be(void **state)
{
    (void)state;
    struct parsed *r = parse_ok("mailbox", " Entw&APw-rfe\r\n");
    assert_slice(r->args[0].text, "Entw\xc3\xbcrfe");
    assert_err(r->p.refuse, ERR_OK);
    parsed_free(r);
    r = parse_ok("mailbox", " a&b\r\n");
    assert_err(r->p.refuse, ERR_CANNOT);
    parsed_free(r);
}

static void dates_are_seconds_and_zone(void **state)
{
    (void)state;
    struct parsed *r =
        parse_ok("mailbox ?flags ?date stream", " x \"17-Jul-1996 02:44:25 -0730\" {7+}\r\n");
    assert_false(r->args[1].given);
    assert_true(r->args[2].given);
    assert_int_equal(r->args[2].date.time, 837598465);
    assert_int_equal(r->args[2].date.zone, -30);
    assert_int_equal(r->args[3].stream.octets, 7);
    assert_true(r->args[3].stream.nonsync);
    parsed_free(r);
    r = parse_ok("mailbox ?flags ?date stream", " x \" 1-Jan-1970 00:30:00 +0100\" {7}\r\n");
    assert_int_equal(r->args[2].date.time, 0); /* before 1970 */
    parsed_free(r);
}

static void flags_are_told_apart(void **state)
{
    (void)state;
    struct parsed *r = parse_ok("set store", " 1 -FLAGS.silent (\\seen Key \\DELETED $x)\r\n");
    assert_int_equal(r->args[1].store.mode, FLAGS_REMOVE);
    assert_true(r->args[1].store.silent);
    assert_int_equal(r->args[1].store.flags.sysflags, FLAG_SEEN | FLAG_DELETED);
    assert_int_equal(r->args[1].store.flags.n, 2);
    assert_slice(r->args[1].store.flags.keywords[0], "Key");
    assert_slice(r->args[1].store.flags.keywords[1], "$x");
    parsed_free(r);
}

static void fetch_items_keep_their_order_and_labels(void **state)
{
    (void)state;
    struct parsed *r = parse_ok(
        "set fetch",
        " 1 (uid body.peek[header.fields (\"x y\" from {2}\r\nTO)]<5.9> rfc822.text flags)\r\n");
    const struct fetch_items *items = r->args[1].fetch;
    assert_int_equal(items->simple, FETCH_UID | FETCH_FLAGS);
    assert_true(items->sets_seen); /* RFC822.TEXT */
    const struct fetch_section *a = items->sections, *b = a->next;
    assert_slice(a->label, "BODY[HEADER.FIELDS (\"x y\" from TO)]<5>");
    assert_int_equal(a->kind, SECTION_FIELDS);
    assert_true(a->partial && a->first == 5 && a->count == 9);
    assert_true(fetch_section_names(a, SLICE("FROM")));
    assert_true(fetch_section_names(a, SLICE("X y")));
    assert_false(fetch_section_names(a, SLICE("Fro")));
    assert_slice(b->label, "RFC822.TEXT");
    assert_int_equal(b->kind, SECTION_TEXT);
    assert_null(b->next);
    parsed_free(r);
}

static void peek_and_headers_set_no_seen(void **state)
{
    (void)state;
    struct parsed *r =
        parse_ok("set fetch", " 1 (RFC822.HEADER BODY.PEEK[] BODY.PEEK[TEXT] RFC822.SIZE)\r\n");
    assert_false(r->args[1].fetch->sets_seen);
    parsed_free(r);
    r = parse_ok("set fetch", " 1 BODY[HEADER]\r\n");
    assert_true(r->args[1].fetch->sets_seen);
    parsed_free(r);
}

static void an_arena_that_is_full_is_a_limit(void **state)
{
    struct arena arena;
    struct parser p;
    struct arg args[ARGS_MAX];
    char text[3000];
    size_t n = 0;
    (void)state;
    while (n < 2900)
        n += (size_t)snprintf(text + n, 10, "%s", n ? ",1" : " 1");
    memcpy(text + n, "\r\n", 2);
    arena_init(&arena, 4096);
    assert_int_equal(parse_text(&arena, "set", slice(text, n + 2), &p, args), PARSE_BAD);
    assert_err(p.refuse, ERR_LIMIT);
    arena_reset(&arena);
}

/* --- tag and verb ----------------------------------------------------------------------------- */

static void check_start(const char *text, enum parse expected, const char *tag, const char *verb)
{
    struct parser p = {.in = slice_str(text)};
    struct slice got_tag, got_verb = SLICE_NONE;
    assert_int_equal(parse_start(&p, &got_tag, &got_verb), expected);
    assert_slice_eq(got_tag, slice_str(tag));
    assert_slice_eq(got_verb, slice_str(verb));
}

static void tags_and_verbs(void **state)
{
    (void)state;
    check_start("a1 noop\r\n", PARSE_DONE, "a1", "noop");
    check_start("a] UID fetch 1\r\n", PARSE_DONE, "a]", "UID fetch");
    check_start("a uid\r\n", PARSE_BAD, "a", "");
    check_start("a UID  FETCH\r\n", PARSE_BAD, "a", "");
    check_start("a\r\n", PARSE_BAD, "a", "");
    check_start("a \r\n", PARSE_BAD, "a", "");
    check_start("a+ noop\r\n", PARSE_BAD, "", "");
    check_start(" a noop\r\n", PARSE_BAD, "", "");
    check_start("* noop\r\n", PARSE_BAD, "", "");
    check_start("\r\n", PARSE_BAD, "", "");
    check_start("", PARSE_BAD, "", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_commands_are_good),
        cmocka_unit_test(cut_at_literals_they_want_more),
        cmocka_unit_test(spoiled_commands_get_a_verdict),
        cmocka_unit_test(bad_commands_are_bad),
        cmocka_unit_test(strings_are_unquoted),
        cmocka_unit_test(mailboxes_are_decoded_or_cannot_be),
        cmocka_unit_test(dates_are_seconds_and_zone),
        cmocka_unit_test(flags_are_told_apart),
        cmocka_unit_test(fetch_items_keep_their_order_and_labels),
        cmocka_unit_test(peek_and_headers_set_no_seen),
        cmocka_unit_test(an_arena_that_is_full_is_a_limit),
        cmocka_unit_test(tags_and_verbs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
