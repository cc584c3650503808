#include "core/mime/mime.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/mime/envelope.h"
#include "tests/lib/cpu.h"
#include "tests/lib/unit.h"

static const struct mime_limits usual = {64, 1000, 1 << 20, 10000};

static struct mime_scan *scan_pieces(const struct mime_limits *limits, struct slice message,
                                     size_t piece)
{
    struct mime_scan *scan = mime_scan_begin(limits);
    for (size_t at = 0; at < message.len; at += piece)
        mime_scan_feed(scan, slice_first(slice_from(message, at), piece));
    return scan;
}

/* The table of a message, the same however it is cut; each part lies in its parent. */
static struct slice table_of(const struct mime_limits *limits, const char *message, struct buf *to)
{
    struct buf other;
    struct slice whole = slice_str(message);
    buf_init(to, SIZE_MAX);
    buf_init(&other, SIZE_MAX);
    struct mime_scan *scan = scan_pieces(limits, whole, whole.len + 1);
    assert_ok(mime_table(mime_scan_end(scan), to));
    mime_scan_free(scan);
    for (size_t piece = 1; piece < 8; piece += 2) {
        scan = scan_pieces(limits, whole, piece);
        other.len = 0;
        assert_ok(mime_table(mime_scan_end(scan), &other));
        mime_scan_free(scan);
        assert_slice_eq(buf_slice(&other), buf_slice(to));
    }
    buf_finish(&other);
    for (size_t i = 1; i < mime_rows(buf_slice(to)); i++) {
        struct mime_part part, parent;
        assert_ok(mime_row(buf_slice(to), i, &part));
        assert_ok(mime_row(buf_slice(to), part.parent, &parent));
        assert_true(part.hdr_off >= parent.body_off);
        assert_true(part.body_off + part.body_len <= parent.body_off + parent.body_len);
    }
    return buf_slice(to);
}

static void check_structure(const struct mime_limits *limits, const char *message,
                            const char *structure, const char *body)
{
    struct buf got, cuts, less;
    struct slice whole = slice_str(message), piece;
    buf_init(&got, SIZE_MAX);
    buf_init(&cuts, SIZE_MAX);
    buf_init(&less, SIZE_MAX);
    struct mime_scan *scan = scan_pieces(limits, whole, whole.len + 1);
    assert_ok(mime_structure(mime_scan_end(scan), &got, &cuts));
    assert_slice_eq(buf_slice(&got), slice_str(structure));
    struct mime_body_walk walk = {buf_slice(&got), buf_slice(&cuts), 0};
    while (mime_body_next(&walk, &piece))
        assert_ok(buf_append(&less, piece));
    if (body)
        assert_slice_eq(buf_slice(&less), slice_str(body));
    mime_scan_free(scan);
    buf_finish(&got);
    buf_finish(&cuts);
    buf_finish(&less);
}

/* --- where parts lie ------------------------------------------------------------------------ */

/* "PARENT:HDR-BODY+LEN/LINES" of every row. */
static const char *places(const struct mime_limits *limits, const char *message)
{
    static char text[4000];
    struct buf b;
    struct slice table = table_of(limits, message, &b);
    size_t n = 0;
    text[0] = '\0';
    for (size_t i = 0; i < mime_rows(table); i++) {
        struct mime_part p;
        assert_ok(mime_row(table, i, &p));
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%d:%u-%u+%u/%u", i ? " " : "",
                              i ? (int)p.parent : -1, p.hdr_off, p.body_off, p.body_len, p.lines);
    }
    buf_finish(&b);
    return text;
}

#define MIXED "Content-Type: multipart/mixed; boundary=b\r\n\r\n" /* 45 octets */

static void parts_lie_between_delimiters(void **state)
{
    (void)state;
    static const struct {
        const char *message, *places;
    } rows[] = {
  /* no multipart */
        {"",                                                                                 "-1:0-0+0/0"                          },
        {"A: b",                                                                             "-1:0-4+0/0"                          },
        {"A: b\r\n\r\nx\r\ny",                                                               "-1:0-8+4/1"                          },
        {"\r\n",                                                                             "-1:0-2+0/0"                          },
 /* the line end before a delimiter is not the part's */
        {MIXED "--b\r\n\r\nx\r\n--b\r\n\r\ny\r\n\r\n--b--\r\n",
         "-1:0-45+29/8 0:50-52+1/0 0:60-62+3/1"                                                                                    },
 /* preamble, epilogue; blanks behind the boundary */
        {MIXED "pre\r\n--b \t\r\n\r\nx\r\n--b--  \r\nepilogue\r\n--b\r\n\r\nnot a part\r\n",
         "-1:0-45+55/9 0:57-59+1/0"                                                                                                },
 /* no closing delimiter */
        {MIXED "--b\r\n\r\nx\r\n",                                                           "-1:0-45+10/3 0:50-52+3/1"            },
        {MIXED "--b\r\n\r\nx\r\n--b--",                                                      "-1:0-45+15/3 0:50-52+1/0"            },
        {MIXED "--b\r\n\r\nx\r\n--b",                                                        "-1:0-45+13/3 0:50-52+1/0 0:58-58+0/0"},
 /* empty parts, parts without the empty line */
        {MIXED "--b\r\n--b\r\n\r\n--b\r\nA: b\r\n--b--\r\n",
         "-1:0-45+30/6 0:50-50+0/0 0:55-57+0/0 0:62-66+0/0"                                                                        },
 /* a delimiter is the whole line: neither more nor less */
        {MIXED "--b\r\n\r\n--bb\r\n --b\r\n--b-\r\n--b--b\r\n-b\r\n--b--\r\n",
         "-1:0-45+44/8 0:50-52+28/4"                                                                                               },
 /* no delimiter at all: one empty part at the end */
        {MIXED "text\r\n",                                                                   "-1:0-45+6/1 0:51-51+0/0"             },
 /* LF alone ends a line too */
        {"Content-Type: multipart/mixed; boundary=b\n\n--b\n\nx\n--b--\n",
         "-1:0-43+13/4 0:47-48+1/0"                                                                                                },
 /* a boundary with blanks at its end (RFC 2046 section 5.1.1) */
        {"Content-Type: multipart/mixed; boundary=\"b  \"\r\n\r\n--b\r\n\r\nx\r\n--b--\r\n",
         "-1:0-49+17/4 0:54-56+1/0"                                                                                                },
 /* no boundary: text */
        {"Content-Type: multipart/mixed\r\n\r\n--b\r\n\r\nx\r\n",                            "-1:0-33+10/3"                        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(places(&usual, rows[i].message), rows[i].places);
}

#define INNER(name) "Content-Type: multipart/mixed; boundary=" name "\r\n\r\n"

static void a_delimiter_of_an_outer_multipart_ends_the_inner_ones(void **state)
{
    (void)state;
    /* `i` is never closed; one boundary is the beginning of the other */
    check_structure(
        &usual,
        INNER("x") "--x\r\n" INNER("xx") "--xx\r\n\r\n1\r\n--x\r\n\r\n2\r\n--xx\r\n3\r\n--x--\r\n",
        "(((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1 0 NIL NIL NIL NIL)"
        " \"MIXED\" (\"BOUNDARY\" \"xx\") NIL NIL NIL)"
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 10 2 NIL NIL NIL NIL)"
        " \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL)",
        "(((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1 0) \"MIXED\")"
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 10 2) \"MIXED\")");
    /* both have the same: the inner one has the first say */
    check_structure(
        &usual,
        INNER("x") "--x\r\n" INNER("x") "--x\r\n\r\n1\r\n--x--\r\n--x\r\n\r\n22\r\n--x--\r\n",
        "(((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 1 0 NIL NIL NIL NIL)"
        " \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL)"
        "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 2 0 NIL NIL NIL NIL)"
        " \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL)",
        NULL);
    /* in the header of an embedded message */
    assert_string_equal(
        places(&usual, MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n--b--\r\n"),
        "-1:0-45+50/5 0:50-82+4/0 1:82-86+0/0");
    assert_string_equal(places(&usual, MIXED "--b\r\nContent-Type: message/rfc822\r\n--b--\r\n"),
                        "-1:0-45+42/3 0:50-78+0/0 1:78-78+0/0");
}

/* --- section numbers ------------------------------------------------------------------------ */

static const char *section(struct slice table, const char *message, const char *number,
                           enum mime_what what)
{
    static char text[400];
    uint32_t numbers[8], at, len;
    size_t n = 0;
    for (const char *p = number; *p; p++)
        if (*p != '.')
            numbers[n++] = (uint32_t)(*p - '0');
    enum err e = mime_section(table, numbers, n, what, &at, &len, NULL);
    if (e)
        return err_word(e);
    snprintf(text, sizeof text, "%.*s", (int)len, message + at);
    return text;
}

static void sections_are_numbered_as_in_rfc_3501_section_6_4_5(void **state)
{
    (void)state;
    static const char message[] =
        MIXED "--b\r\nA: 1\r\n\r\none\r\n"
              "--b\r\nContent-Type: message/rfc822\r\n\r\nB: 2\r\n\r\ntwo\r\n"
              "--b\r\nContent-Type: message/rfc822\r\nC: 3\r\n\r\n" INNER(
                  "i") "--i\r\nD: 4\r\n\r\nfour\r\n"
                       "--i--\r\n"
                       "--b\r\nContent-Type: message/rfc822\r\nE: 5\r\n\r\nContent-Type: "
                       "message/rfc822\r\n\r\n"
                       "F: 6\r\n\r\nsix\r\n"
                       "--b--\r\n";
    static const struct {
        const char *number;
        enum mime_what what;
        const char *text;
    } rows[] = {
        {"",      MIME_WHAT_ALL,    message                               },
        {"",      MIME_WHAT_HEADER, MIXED                                 },
        {"",      MIME_WHAT_TEXT,   message + sizeof MIXED - 1            },
        {"",      MIME_WHAT_MIME,   "notfound"                            },
        {"1",     MIME_WHAT_ALL,    "one"                                 },
        {"1",     MIME_WHAT_MIME,   "A: 1\r\n\r\n"                        },
        {"1",     MIME_WHAT_HEADER, "notfound"                            },
        {"1",     MIME_WHAT_TEXT,   "notfound"                            },
        {"1.1",   MIME_WHAT_ALL,    "notfound"                            },
        {"2",     MIME_WHAT_ALL,    "B: 2\r\n\r\ntwo"                     },
        {"2",     MIME_WHAT_MIME,   "Content-Type: message/rfc822\r\n\r\n"},
        {"2",     MIME_WHAT_HEADER, "B: 2\r\n\r\n"                        },
        {"2",     MIME_WHAT_TEXT,   "two"                                 },
        {"2.1",   MIME_WHAT_ALL,    "two"                                 },
        {"2.1",   MIME_WHAT_MIME,   "B: 2\r\n\r\n"                        },
        {"2.2",   MIME_WHAT_ALL,    "notfound"                            },
        {"2.1.1", MIME_WHAT_ALL,    "notfound"                            },
        {"3",     MIME_WHAT_HEADER, INNER("i")                            },
        {"3",     MIME_WHAT_TEXT,   "--i\r\nD: 4\r\n\r\nfour\r\n--i--"    },
        {"3.1",   MIME_WHAT_ALL,    "four"                                },
        {"3.1",   MIME_WHAT_MIME,   "D: 4\r\n\r\n"                        },
        {"3.2",   MIME_WHAT_ALL,    "notfound"                            },
        {"4.1",   MIME_WHAT_ALL,    "F: 6\r\n\r\nsix"                     },
        {"4.1",   MIME_WHAT_HEADER, "F: 6\r\n\r\n"                        },
        {"4.1.1", MIME_WHAT_ALL,    "six"                                 },
        {"5",     MIME_WHAT_ALL,    "notfound"                            },
        {"0",     MIME_WHAT_ALL,    "notfound"                            },
    };
    struct buf b;
    struct slice table = table_of(&usual, message, &b);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(section(table, message, rows[i].number, rows[i].what), rows[i].text);
    buf_finish(&b);
}

static void a_message_that_is_no_multipart_is_its_own_part_1(void **state)
{
    (void)state;
    static const char text[] = "A: b\r\n\r\nbody";
    static const char message[] = "Content-Type: message/rfc822\r\n\r\nA: b\r\n\r\nbody";
    struct buf b;
    struct slice table = table_of(&usual, text, &b);
    assert_string_equal(section(table, text, "1", MIME_WHAT_ALL), "body");
    assert_string_equal(section(table, text, "1", MIME_WHAT_MIME), "A: b\r\n\r\n");
    assert_string_equal(section(table, text, "2", MIME_WHAT_ALL), "notfound");
    assert_string_equal(section(table, text, "1.1", MIME_WHAT_ALL), "notfound");
    assert_string_equal(section(table, text, "1", MIME_WHAT_TEXT), "notfound");
    buf_finish(&b);
    table = table_of(&usual, message, &b);
    assert_string_equal(section(table, message, "1", MIME_WHAT_ALL), "A: b\r\n\r\nbody");
    assert_string_equal(section(table, message, "1", MIME_WHAT_HEADER), "A: b\r\n\r\n");
    assert_string_equal(section(table, message, "1.1", MIME_WHAT_ALL), "body");
    assert_string_equal(section(table, message, "1.1.1", MIME_WHAT_ALL), "notfound");
    buf_finish(&b);
}

static void a_table_that_breaks_the_rules_is_corrupt(void **state)
{
    (void)state;
    unsigned char rows[2 * MIME_ROW];
    struct mime_part part = {.parent = MIME_NO_PART, .kind = MIME_MULTIPART}, got;
    struct slice table = slice(rows, sizeof rows);
    mime_row_encode(&part, rows);
    part.parent = 0;
    mime_row_encode(&part, rows + MIME_ROW);
    assert_ok(mime_row(table, 1, &got));
    assert_err(mime_row(table, 2, &got), ERR_CORRUPT);
    assert_err(mime_row(slice_first(table, 39), 0, &got), ERR_CORRUPT);
    part.parent = 1;
    mime_row_encode(&part, rows + MIME_ROW);
    assert_err(mime_row(table, 1, &got), ERR_CORRUPT);
    part = (struct mime_part){.parent = 0, .body_off = 2, .body_len = UINT32_MAX - 1};
    mime_row_encode(&part, rows + MIME_ROW);
    assert_err(mime_row(table, 1, &got), ERR_CORRUPT);
    part = (struct mime_part){.parent = 0, .hdr_off = 3, .body_off = 2};
    mime_row_encode(&part, rows + MIME_ROW);
    assert_err(mime_row(table, 1, &got), ERR_CORRUPT);
    part = (struct mime_part){.parent = 0, .encoding = 15};
    mime_row_encode(&part, rows + MIME_ROW);
    assert_err(mime_row(table, 1, &got), ERR_CORRUPT);
}

/* --- what BODYSTRUCTURE says ---------------------------------------------------------------- */

#define PLAIN "\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" "
#define REST " NIL NIL NIL NIL)"
#define OPAQUE "\"APPLICATION\" \"OCTET-STREAM\" NIL NIL NIL "

static void a_part_is_what_its_fields_say(void **state)
{
    (void)state;
    static const struct {
        const char *header, *structure;
    } rows[] = {
        {"",                                                                           "(" PLAIN "2 1" REST                                               },
        {"Content-Type: text/plain\r\n",                                               "(\"TEXT\" \"PLAIN\" NIL NIL NIL \"7BIT\" 2 1" REST                },
        {"Content-Type: TEXT / html (c) ; Charset=\"utf\\-8\" (c) ; x\r\n",
         "(\"TEXT\" \"HTML\" (\"CHARSET\" \"utf-8\") NIL NIL \"7BIT\" 2 1" REST                                                                           },
 /* not valid: RFC 2045 section 5.2 */
        {"Content-Type: text\r\n",                                                     "(" PLAIN "2 1" REST                                               },
        {"Content-Type:\r\n",                                                          "(" PLAIN "2 1" REST                                               },
        {"Content-Type: /plain; a=b\r\n",                                              "(" PLAIN "2 1" REST                                               },
 /* the first one counts */
        {"content-type: image/png\r\nContent-Type: text/html\r\n",
         "(\"IMAGE\" \"PNG\" NIL NIL NIL \"7BIT\" 2" REST                                                                                                 },
        {"Content-Type: a/b\r\nContent-ID: <i>\r\nContent-Description: d\r\n e\r\n"
         "Content-Transfer-Encoding: Base64 (c)\r\nContent-MD5: m\r\n"
         "Content-Disposition: attachment; filename=a b.txt ; size=1\r\n"
         "Content-Language: de, en (x)\r\nContent-Location: http://l/\r\n",   "(\"A\" \"B\" NIL \"<i>\" \"d e\" \"BASE64\" 2 \"m\" (\"ATTACHMENT\" (\"FILENAME\" "
         "\"a b.txt\" \"SIZE\" \"1\")) (\"de\" \"en\") \"http://l/\")"},
        {"Content-Transfer-Encoding: x-uuencode\r\nContent-Disposition: inline\r\n",
         "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"X-UUENCODE\" 2 1 NIL "
         "(\"INLINE\" "
         "NIL) NIL NIL)"                                                                                                                                  },
        {"Content-ID:\r\nContent-Disposition: ;a=b\r\nContent-Language: ,\r\n",
         "(" PLAIN "2 1" REST                                                                                                                             },
 /* a message that cannot be looked into */
        {"Content-Type: message/rfc822; a=b\r\nContent-Transfer-Encoding: base64\r\n",
         "(" OPAQUE "\"BASE64\" 2" REST                                                                                                                   },
        {"Content-Type: message/global\r\n",                                           "(\"MESSAGE\" \"GLOBAL\" NIL NIL NIL \"7BIT\" 2" REST              },
 /* strings that must be literals; NUL (written as '0' here, see below) */
        {"Content-Description: caf\xc3\xa9\r\n",
         "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL {5}\r\ncaf\xc3\xa9 \"7BIT\" 2 1" REST                                                        },
        {"Content-Description: a\rb\"\r\n",
         "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL {4}\r\na\rb\" \"7BIT\" 2 1" REST                                                             },
        {"Content-Description: a\"\\b\r\n",
         "(\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL \"a\\\"\\\\b\" \"7BIT\" 2 1" REST                                                            },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char message[1000];
        snprintf(message, sizeof message, "%s\r\n\r\n", rows[i].header);
        check_structure(&usual, message, rows[i].structure, NULL);
    }
}

static void parameters_are_put_together_as_in_rfc_2231(void **state)
{
    (void)state;
    static const struct {
        const char *parameters, *list;
    } rows[] = {
        {"a=b",                                    "(\"A\" \"b\")"                           },
        {"a=\"b;c\"; d=\"\"",                      "(\"A\" \"b;c\" \"D\" \"\")"              },
        {"a=\"not closed; b=c",                    "(\"A\" \"not closed\" \"B\" \"c\")"      },
        {"a; =b; ;c=d",                            "(\"C\" \"d\")"                           },
        {"a*0=b; a*1=c",                           "(\"A\" \"bc\")"                          },
        {"a*1=c; x=y; a*0=\"b \"",                 "(\"X\" \"y\" \"A\" \"b c\")"             },
        {"a*0=b; a*2=d",                           "(\"A\" \"b\" \"A*2\" \"d\")"             },
        {"a*1=c",                                  "(\"A*1\" \"c\")"                         },
        {"a*=utf-8''%41",                          "(\"A*\" \"utf-8''%41\")"                 },
        {"a*0*=utf-8''%41; a*1=\"b %\"; a*2*=%42", "(\"A*\" \"utf-8''%41b%20%25%42\")"       },
        {"a*0=b; a*1*=%42",                        "(\"A*\" \"''b%42\")"                     },
        {"a*0=x; A*01=y; a*0=z",                   "(\"A\" \"x\" \"A*01\" \"y\" \"A\" \"z\")"},
        {"*0=x; *=y; *1=z",                        "(\"*0\" \"x\" \"*\" \"y\" \"*1\" \"z\")" },
        {"a*99999999999999999999=x",               "(\"A*99999999999999999999\" \"x\")"      },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        char message[1000], structure[1000];
        snprintf(message, sizeof message, "Content-Type: a/b; %s\r\n\r\n", rows[i].parameters);
        snprintf(structure, sizeof structure, "(\"A\" \"B\" %s NIL NIL \"7BIT\" 0" REST,
                 rows[i].list);
        check_structure(&usual, message, structure, NULL);
    }
}

static void in_a_digest_a_part_is_a_message(void **state)
{
    (void)state;
    check_structure(
        &usual,
        "Content-Type: multipart/digest; boundary=b\r\n\r\n"
        "--b\r\n\r\nSubject: s\r\n\r\nx\r\n"
        "--b\r\nContent-Type: text\r\n\r\ny\r\n--b--\r\n",
        "((\"MESSAGE\" \"RFC822\" NIL NIL NIL \"7BIT\" 15 (NIL \"s\" NIL NIL NIL NIL NIL NIL "
        "NIL NIL) (" PLAIN "1 0" REST " 2" REST "(" PLAIN "1 0" REST
        " \"DIGEST\" (\"BOUNDARY\" \"b\") NIL NIL NIL)",
        NULL);
}

/* --- limits --------------------------------------------------------------------------------- */

static void beyond_the_depth_is_an_opaque_leaf(void **state)
{
    (void)state;
    struct mime_limits limits = usual;
    limits.depth = 2;
    check_structure(&limits, INNER("x") "--x\r\n" INNER("y") "--y\r\n\r\n1\r\n--y--\r\n--x--\r\n",
                    "((" OPAQUE "\"7BIT\" 15" REST " \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL)",
                    NULL);
    check_structure(
        &limits, INNER("x") "--x\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n--x--\r\n",
        "((" OPAQUE "\"7BIT\" 6" REST " \"MIXED\" (\"BOUNDARY\" \"x\") NIL NIL NIL)", NULL);
    limits.depth = 1;
    check_structure(&limits, INNER("x") "--x\r\n\r\n1\r\n--x--\r\n", "(" OPAQUE "\"7BIT\" 17" REST,
                    NULL);
}

static void the_last_part_of_too_many_is_opaque_and_has_the_rest(void **state)
{
    (void)state;
    struct mime_limits limits = usual;
    limits.parts = 2;
    check_structure(&limits,
                    MIXED "--b\r\n\r\n1\r\n--b\r\nA: b\r\n\r\n2\r\n--b\r\n\r\n3\r\n--b--\r\n",
                    "((" PLAIN "1 0" REST "(" OPAQUE "\"8BIT\" 20" REST
                    " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)",
                    NULL);
    /* exactly as many as there may be */
    check_structure(&limits, MIXED "--b\r\n\r\n1\r\n--b--\r\nepilogue\r\n",
                    "((" PLAIN "1 0" REST " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)", NULL);
    /* no room for what a message holds, nor for the empty part of a multipart */
    check_structure(
        &limits, MIXED "--b\r\nContent-Type: message/rfc822\r\n\r\nA: b\r\n\r\n--b--\r\n",
        "((" OPAQUE "\"7BIT\" 6" REST " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)", NULL);
    check_structure(&limits, MIXED "--b\r\n" INNER("c") "\r\n--b--\r\n",
                    "((" OPAQUE "\"7BIT\" 0" REST " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)",
                    NULL);
    limits.parts = 1;
    check_structure(&limits, MIXED "\r\n", "(" OPAQUE "\"7BIT\" 2" REST, NULL);
}

static void fields_are_looked_at_up_to_the_limit_of_headers(void **state)
{
    (void)state;
    struct mime_limits limits = usual;
    limits.header = 60;
    /* the second field does not end within 60 octets */
    check_structure(&limits,
                    "X: 345678901234567890123456789012345678\r\nContent-Type: image/png\r\n\r\n",
                    "(" PLAIN "0 0" REST, NULL);
    check_structure(&limits, "X: 34567890123456789012345678\r\nContent-Type: image/png\r\n\r\n",
                    "(\"IMAGE\" \"PNG\" NIL NIL NIL \"7BIT\" 0" REST, NULL);
    /* all parts together: what no longer fits is opaque */
    check_structure(&limits,
                    MIXED "--b\r\nContent-Type: image/png\r\n\r\n1\r\n--b\r\n\r\n2\r\n--b--\r\n",
                    "((" OPAQUE "\"8BIT\" 1" REST "(" PLAIN "1 0" REST
                    " \"MIXED\" (\"BOUNDARY\" \"b\") NIL NIL NIL)",
                    NULL);
}

/* Work grows with the message: four times the octets take nowhere near sixteen times as long. */
static void hostile_shapes_take_linear_time(void **state)
{
    (void)state;
    static const struct {
        const char *head, *unit;
    } shapes[] = {
        {MIXED,                                      "--b\r\n"                             },
        {MIXED,                                      "--b\r\n\r\n--b\r\n" MIXED            },
        {MIXED,                                      "--b--------------------------\r\n"   },
        {"",                                         "From: a\r\n"                         },
        {"To: ",                                     "a@b,"                                },
        {"To: ",                                     "(((("                                },
        {"To: ",                                     "\"<"                                 },
        {"To: ",                                     "<@a,"                                },
        {"To: ",                                     "g:;["                                },
        {"Content-Type: a/b",                        ";a*0=b"                              },
        {"Content-Type: a/b",                        ";a*0=\"\\\""                         },
        {"Content-Type: multipart/mixed; boundary=", "b ("                                 },
        {"",                                         "Content-Type: message/rfc822\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        uint64_t ns[2];
        for (unsigned round = 0; round < 2; round++) {
            size_t octets = round ? 800000 : 200000;
            struct buf b, out, cuts;
            buf_init(&b, SIZE_MAX);
            buf_init(&out, SIZE_MAX);
            buf_init(&cuts, SIZE_MAX);
            assert_ok(buf_append(&b, slice_str(shapes[i].head)));
            while (b.len < octets)
                assert_ok(buf_append(&b, slice_str(shapes[i].unit)));
            uint64_t start = cpu_ns();
            struct mime_scan *scan = scan_pieces(&usual, buf_slice(&b), 65536);
            const struct mime_tree *tree = mime_scan_end(scan);
            assert_ok(mime_envelope(tree, &out));
            assert_ok(mime_structure(tree, &out, &cuts));
            ns[round] = cpu_ns() - start;
            mime_scan_free(scan);
            buf_finish(&b);
            buf_finish(&out);
            buf_finish(&cuts);
        }
        if (ns[1] > 10 * ns[0] + 20000000)
            fail_msg("%s: %llu us, then %llu us", shapes[i].unit, (unsigned long long)ns[0] / 1000,
                     (unsigned long long)ns[1] / 1000);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(parts_lie_between_delimiters),
        cmocka_unit_test(a_delimiter_of_an_outer_multipart_ends_the_inner_ones),
        cmocka_unit_test(sections_are_numbered_as_in_rfc_3501_section_6_4_5),
        cmocka_unit_test(a_message_that_is_no_multipart_is_its_own_part_1),
        cmocka_unit_test(a_table_that_breaks_the_rules_is_corrupt),
        cmocka_unit_test(a_part_is_what_its_fields_say),
        cmocka_unit_test(parameters_are_put_together_as_in_rfc_2231),
        cmocka_unit_test(in_a_digest_a_part_is_a_message),
        cmocka_unit_test(beyond_the_depth_is_an_opaque_leaf),
        cmocka_unit_test(the_last_part_of_too_many_is_opaque_and_has_the_rest),
        cmocka_unit_test(fields_are_looked_at_up_to_the_limit_of_headers),
        cmocka_unit_test(hostile_shapes_take_linear_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
