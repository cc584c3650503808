#include "core/mime/address.h"

#include <stdlib.h>

#include "core/mime/envelope.h"
#include "tests/lib/unit.h"

/* "name|route|mailbox|host" of each, "{name" and "}" for a group. */
static const char *walk(const char *value)
{
    static char text[2000];
    struct address_walk w;
    struct address a;
    size_t n = 0;
    text[0] = '\0';
    address_walk_init(&w, slice_str(value));
    while (address_next(&w, &a)) {
        const char *gap = n ? " " : "";
        size_t room = sizeof text - n;
        if (a.kind == ADDRESS_GROUP)
            n += (size_t)snprintf(text + n, room, "%s{" SLICE_FMT, gap, SLICE_ARG(a.name));
        else if (a.kind == ADDRESS_GROUP_END)
            n += (size_t)snprintf(text + n, room, "%s}", gap);
        else
            n += (size_t)snprintf(
                text + n, room, "%s" SLICE_FMT "|" SLICE_FMT "|" SLICE_FMT "|" SLICE_FMT, gap,
                SLICE_ARG(a.name), SLICE_ARG(a.route), SLICE_ARG(a.mailbox), SLICE_ARG(a.host));
    }
    address_walk_finish(&w);
    return text;
}

static void every_list_has_a_reading(void **state)
{
    (void)state;
    static const struct {
        const char *value, *read;
    } rows[] = {
  /* RFC 5322 section 3.4 and appendix A */
        {"jdoe@one.test",                                                                                "||jdoe|one.test"                                                               },
        {"John Doe <jdoe@machine.example>",                                                              "John Doe||jdoe|machine.example"                                                },
        {"\"Joe Q. Public\" <john.q.public@example.com>",
         "Joe Q. Public||john.q.public|example.com"                                                                                                                                      },
        {"Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>",
         "Mary Smith||mary|x.test ||jdoe|example.org Who?||one|y.test"                                                                                                                   },
        {"<boss@nil.test>, \"Giant; \\\"Big\\\" Box\" <sysservices@example.net>",
         "||boss|nil.test Giant; \"Big\" Box||sysservices|example.net"                                                                                                                   },
        {"A Group:Ed Jones <c@a.test>,joe@where.test,John <jdoe@one.test>;",
         "{A Group Ed Jones||c|a.test ||joe|where.test John||jdoe|one.test }"                                                                                                            },
        {"Undisclosed recipients:;",                                                                     "{Undisclosed recipients }"                                                     },
        {"Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>",                               "Pete||pete|silly.test"                                                         },
        {"A Group(Some people)\r\n :Chris Jones <c@(Chris's host.)public.example>,\r\n"
         " joe@example.org,\r\n John <jdoe@one.test> (my dear friend); (the end of the group)", "{A Group Chris Jones||c|public.example ||joe|example.org John||jdoe|one.test }"},
        {"(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;",                              "{Hidden recipients }"                                                          },
 /* obsolete forms, section 4.4, appendix A.6 */
        {"Joe Q. Public <john.q.public@example.com>",                                                    "Joe Q. Public||john.q.public|example.com"                                      },
        {"Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example",
         "Mary Smith|@node.test|mary|example.net ||jdoe|test.example"                                                                                                                    },
        {"John Doe <jdoe@machine(comment).  example>",                                                   "John Doe||jdoe|machine.example"                                                },
        {"<@a,,@b : c@d>",                                                                               "|@a,,@b|c|d"                                                                   },
        {"joe . doe @ example . org",                                                                    "||joe.doe|example.org"                                                         },
        {",, a@b,,",                                                                                     "||a|b"                                                                         },
 /* names in comments */
        {"joe@example.com (Joe \"J\" Doe)",                                                              "Joe \"J\" Doe||joe|example.com"                                                },
        {"(first) joe@example.com (second)",                                                             "first||joe|example.com"                                                        },
        {"Joe <joe@example.com> (not this)",                                                             "Joe||joe|example.com"                                                          },
        {"<joe@example.com> (this)",                                                                     "this||joe|example.com"                                                         },
 /* quotes and literals */
        {"\"a b\"@c",                                                                                    "||a b|c"                                                                       },
        {"\"a@b\" <c@d>",                                                                                "a@b||c|d"                                                                      },
        {"\"a\\\"\\\\b\" <c@[1.2.3.4]>",                                                                 "a\"\\b||c|[1.2.3.4]"                                                           },
        {"\"fol\r\n ded\" <a@b>",                                                                        "fol ded||a|b"                                                                  },
        {"\"a\" \"b\"c <d@e>",                                                                           "a bc||d|e"                                                                     },
        {"\"\" <a@b>",                                                                                   "||a|b"                                                                         },
 /* no host, no mailbox */
        {"root",                                                                                         "||root|"                                                                       },
        {"John Doe",                                                                                     "||John Doe|"                                                                   },
        {"<>",                                                                                           "|||"                                                                           },
        {"Foo <>",                                                                                       "Foo|||"                                                                        },
        {"Foo <bar>",                                                                                    "Foo||bar|"                                                                     },
        {"@host",                                                                                        "|||host"                                                                       },
        {"a@",                                                                                           "||a|"                                                                          },
        {"a@b@c",                                                                                        "||a|b@c"                                                                       },
        {"<@host>",                                                                                      "|||host"                                                                       },
        {"",                                                                                             ""                                                                              },
        {" \t\r\n ",                                                                                     ""                                                                              },
        {"(only a comment)",                                                                             ""                                                                              },
 /* a name that looks like an address */
        {"joe@example.com <joe@example.org>",                                                            "joe@example.com||joe|example.org"                                              },
        {"a@b: c@d",                                                                                     "||a|b:c@d"                                                                     },
 /* not closed */
        {"\"Joe <a@b>, c@d",                                                                             "Joe||a|b ||c|d"                                                                },
        {"(Joe <a@b>, c@d",                                                                              "Joe||a|b ||c|d"                                                                },
        {"Joe <a@b, c@d",                                                                                "Joe||a|b ||c|d"                                                                },
        {"a@[1.2.3, c@d",                                                                                "||a|1.2.3 ||c|d"                                                               },
        {"g: a@b, c@d",                                                                                  "{g ||a|b ||c|d }"                                                              },
        {"g: a@b; c@d",                                                                                  "{g ||a|b } ||c|d"                                                              },
        {"g: h: a@b;",                                                                                   "{g ||h:a|b }"                                                                  },
        {":;",                                                                                           "{ }"                                                                           },
        {"a@b>, <c@d>>, e",                                                                              "||a|b ||c|d ||e|"                                                              },
        {"\"",                                                                                           ""                                                                              },
        {"\\",                                                                                           "||\\|"                                                                         },
        {"(\\",                                                                                          "||\\|"                                                                         },
        {"a <b> c <d@e>, f",                                                                             "a||b| ||f|"                                                                    },
        {"a;b@c;d",                                                                                      "||a| ||b|c ||d|"                                                               },
        {"caf\xc3\xa9 <\xff@b>",                                                                         "caf\xc3\xa9||\xff|b"                                                           },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(walk(rows[i].value), rows[i].read);
}

static void check_envelope(const char *header, uint32_t addresses, const char *envelope)
{
    struct mime_limits limits = {64, 1000, 1 << 20, addresses};
    struct mime_scan *scan = mime_scan_begin(&limits);
    struct buf got;
    buf_init(&got, SIZE_MAX);
    mime_scan_feed(scan, slice_str(header));
    assert_ok(mime_envelope(mime_scan_end(scan), &got));
    assert_slice_eq(buf_slice(&got), slice_str(envelope));
    buf_finish(&got);
    mime_scan_free(scan);
}

/* RFC 3501 section 7.4.2 */
static void an_envelope_is_what_the_header_says(void **state)
{
    (void)state;
    check_envelope("", 10, "(NIL NIL NIL NIL NIL NIL NIL NIL NIL NIL)");
    check_envelope("Date:\r\nSubject: \r\nFrom:\r\nTo: ,\r\nIn-Reply-To:\r\nMessage-ID:\r\n", 10,
                   "(\"\" \"\" NIL NIL NIL NIL NIL NIL \"\" \"\")");
    check_envelope("subject: a\r\n b\r\nSubject: second\r\nDATE : d\r\nin-reply-to: <r>\r\n"
                   "message-id: <m> (c)\r\n",
                   10, "(\"d\" \"a b\" NIL NIL NIL NIL NIL NIL \"<r>\" \"<m> (c)\")");
    /* Sender and Reply-To default to From, also when they are empty */
    check_envelope("From: A <a@b>\r\nSender: \r\nBcc: c\r\n", 10,
                   "(NIL NIL ((\"A\" NIL \"a\" \"b\")) ((\"A\" NIL \"a\" \"b\")) "
                   "((\"A\" NIL \"a\" \"b\")) NIL NIL ((NIL NIL \"c\" \"\")) NIL NIL)");
    check_envelope("Sender: s@t\r\nReply-To: <@r:u@v>\r\nCc: g:;\r\n", 10,
                   "(NIL NIL NIL ((NIL NIL \"s\" \"t\")) ((NIL \"@r\" \"u\" \"v\")) NIL "
                   "((NIL NIL \"g\" NIL)(NIL NIL NIL NIL)) NIL NIL NIL)");
    /* fields that are there twice are one list */
    check_envelope(
        "To: a@b\r\nTo: c@d\r\n", 10,
        "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"b\")(NIL NIL \"c\" \"d\")) NIL NIL NIL NIL)");
    /* encoded words stay as they are; 8-bit texts are literals */
    check_envelope(
        "Subject: =?utf-8?q?x?=\r\nFrom: \xc3\xa9 <a@b>\r\nReply-To: c\r\nSender: c\r\n", 10,
        "(NIL \"=?utf-8?q?x?=\" (({2}\r\n\xc3\xa9 NIL \"a\" \"b\")) ((NIL NIL \"c\" \"\")) "
        "((NIL NIL \"c\" \"\")) NIL NIL NIL NIL NIL)");
}

static void addresses_beyond_the_limit_are_left_out(void **state)
{
    (void)state;
    check_envelope(
        "To: a, b, c\r\nCc: d\r\n", 2,
        "(NIL NIL NIL NIL NIL ((NIL NIL \"a\" \"\")(NIL NIL \"b\" \"\")) NIL NIL NIL NIL)");
    check_envelope(
        "To: g: a, b, c;\r\nCc: d\r\n", 2,
        "(NIL NIL NIL NIL NIL ((NIL NIL \"g\" NIL)(NIL NIL \"a\" \"\")(NIL NIL NIL NIL)) NIL "
        "NIL NIL NIL)");
}

static void nul_becomes_0x80(void **state)
{
    (void)state;
    static const char header[] = "Subject: a\0b\r\n";
    static const struct mime_limits limits = {64, 1000, 1 << 20, 10};
    struct mime_scan *scan = mime_scan_begin(&limits);
    struct buf got;
    buf_init(&got, SIZE_MAX);
    mime_scan_feed(scan, slice(header, sizeof header - 1));
    assert_ok(mime_envelope(mime_scan_end(scan), &got));
    assert_slice(buf_slice(&got), "(NIL {3}\r\na\x80"
                                  "b NIL NIL NIL NIL NIL NIL NIL NIL)");
    buf_finish(&got);
    mime_scan_free(scan);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_list_has_a_reading),
        cmocka_unit_test(an_envelope_is_what_the_header_says),
        cmocka_unit_test(addresses_beyond_the_limit_are_left_out),
        cmocka_unit_test(nul_becomes_0x80),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
