#include "core/mime/charset.h"

#include <errno.h>
#include <iconv.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/casemap.h"
#include "tests/lib/cpu.h"
#include "tests/lib/unit.h"

static const char *to_utf8(const char *name, struct slice octets, size_t piece)
{
    static char text[1000];
    struct buf out;
    struct charset *c = charset_open(slice_str(name));
    if (!c)
        return "unknown";
    buf_init(&out, 999);
    while (octets.len) {
        assert_ok(charset_put(c, slice_first(octets, piece), &out));
        octets = slice_from(octets, piece < octets.len ? piece : octets.len);
    }
    assert_ok(charset_end(c, &out));
    charset_close(c);
    snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(buf_slice(&out)));
    buf_finish(&out);
    return text;
}

#define FFFD "\xef\xbf\xbd"

static void names_of_mail_are_known(void **state)
{
    (void)state;
    static const struct {
        const char *name, *in, *out;
    } rows[] = {
        {"utf-8",            "\xc3\xa9",                 "\u00e9"                    },
        {"UTF8",             "\xc3\xa9",                 "\u00e9"                    },
        {"\"utf-8\"",        "\xc3\xa9",                 "\u00e9"                    },
        {"iso-8859-1",       "\xe9\x80",                 "\u00e9\u20ac"              },
        {"ISO-8859-15",      "\xa4",                     "\u20ac"                    },
        {"windows-1252",     "\x93",                     "\u201c"                    },
        {"cp-1251",          "\xcf",                     "\u041f"                    },
        {"windows1251",      "\xcf",                     "\u041f"                    },
        {"x-cp1251",         "\xcf",                     "\u041f"                    },
        {"koi8-r",           "\xf0",                     "\u041f"                    },
        {"iso-8859-8-i",     "\xf9",                     "\u05e9"                    },
        {"ks_c_5601-1987",   "\xb0\xa1",                 "\uac00"                    },
        {"euc-kr",           "\xb0\xa1",                 "\uac00"                    },
        {"gb2312",           "\xc4\xe3",                 "\u4f60"                    },
        {"big5",             "\xa7\x41",                 "\u4f60"                    },
        {"x-sjis",           "\x93\xfa\x87\x40",         "\u65e5\u2460"              },
        {"shift_jis",        "\x93\xfa",                 "\u65e5"                    },
        {"euc-jp",           "\xc6\xfc",                 "\u65e5"                    },
        {"iso-2022-jp",      "\x1b$BF|\x1b(Bx",          "\u65e5x"                   },
        {"utf-7",            "Hi+AOk-",                  "Hi\u00e9"                  },
        {"tis-620",          "\xa1",                     "\u0e01"                    },
        {"windows-1258",     "Vi\xea\xf2t",              "Vi\u1ec7t"                 },
        {"us-ascii",         "abc",                      "abc"                       },
        {"",                 "caf\xc3\xa9 caf\xe9 \x93", "caf\u00e9 caf\u00e9 \u201c"},
        {"unknown-8bit",     "caf\xe9",                  "caf\u00e9"                 },
        {"no-such-charset",  "x",                        "unknown"                   },
        {"utf-8//TRANSLIT",  "x",                        "unknown"                   },
        {"../../etc/passwd", "x",                        "unknown"                   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 4; piece++)
            assert_string_equal(to_utf8(rows[i].name, slice_str(rows[i].in), piece), rows[i].out);
}

static void what_cannot_be_decoded_is_replaced_octet_by_octet(void **state)
{
    (void)state;
    static const struct {
        const char *name, *in, *out;
    } rows[] = {
        {"utf-8",
         "a\xff"
         "b\xc3",                           "a" FFFD "b" FFFD      },
        {"utf-8",      "\xc3(\xed\xa0\x80", FFFD "(" FFFD FFFD FFFD},
        {"utf-8",      "\xe2\x82",          FFFD FFFD              },
        {"utf-8",      "\xf0\x9f\x98\x80",  "\U0001f600"           },
        {"gb2312",     "\xc4\xe3\xff",      "\u4f60" FFFD          },
        {"gb2312",     "\xc4",              FFFD                   },
        {"euc-jp",     "\xc6\xfc\xc6",      "\u65e5" FFFD          },
        {"iso-8859-1", "\x81",              FFFD                   },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t piece = 1; piece < 5; piece++)
            assert_string_equal(to_utf8(rows[i].name, slice_str(rows[i].in), piece), rows[i].out);
}

/* --- tables ----------------------------------------------------------------------------------- */

static uint32_t seed = 1;

static uint32_t roll(uint32_t below)
{
    seed = seed * 1664525 + 1013904223;
    return (uint32_t)((uint64_t)(seed >> 8) * below >> 24);
}

/* Mostly what ISO-2022-JP says, which is any octets to others. */
static void write_octets(struct buf *to)
{
    static const char *const words[] = {
        "\x1b$B",           "\x1b$@",          "\x1b(B", "\x1b(J", "\x1b(B", "F|K\\",
        "$3$l$O%F%9%H$G$9", "plain, text\r\n", "\\ ~",   "!!",     "\x1b"};
    to->len = 0;
    for (uint32_t n = 1 + roll(12); n > 0; n--) {
        uint32_t what = roll(roll(3) ? 10 : 14);
        if (what < 11)
            assert_ok(buf_append(to, slice_str(words[what])));
        else
            assert_ok(buf_append_c(to, (char)roll(what == 11 ? 128 : 256)));
    }
}

static void by_iconv(const char *name, struct slice octets, struct buf *to)
{
    iconv_t cd = iconv_open("UTF-8", name);
    assert_true(cd != (iconv_t)-1);
    to->len = 0;
    assert_ok(buf_reserve(to, 16 * octets.len + 16));
    while (octets.len) {
        char *in = (char *)(uintptr_t)octets.ptr, *out = to->ptr + to->len;
        size_t left = octets.len, room = to->cap - to->len;
        size_t done = iconv(cd, &in, &left, &out, &room);
        bool cut = done == (size_t)-1 && errno == EINVAL;
        to->len = to->cap - room;
        octets = slice_from(octets, octets.len - left);
        if (done == (size_t)-1) {
            assert_ok(buf_append(to, SLICE(FFFD)));
            octets = slice_from(octets, cut ? octets.len : 1);
        }
    }
    iconv_close(cd);
}

static void tables_say_what_iconv_says(void **state)
{
    static const char *const names[][2] = {
        {"iso-2022-jp",  "ISO-2022-JP"},
        {"iso-8859-1",   "CP1252"     },
        {"iso-8859-6",   "ISO-8859-6" },
        {"windows-1253", "CP1253"     },
        {"koi8-r",       "KOI8-R"     },
        {"cp437",        "CP437"      },
    };
    struct buf in, expected, folded, out;
    (void)state;
    buf_init(&in, SIZE_MAX);
    buf_init(&expected, SIZE_MAX);
    buf_init(&folded, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    for (unsigned i = 0; i < 20000; i++) {
        const char *const *name = names[i % 2 ? roll(6) : 0];
        struct charset *c = charset_open(slice_str(name[0]));
        write_octets(&in);
        by_iconv(name[1], buf_slice(&in), &expected);
        folded.len = out.len = 0;
        assert_ok(casemap_append(buf_slice(&expected), &folded));
        assert_ok(charset_put(c, buf_slice(&in), &out));
        assert_ok(charset_end(c, &out));
        assert_slice_eq(buf_slice(&out), buf_slice(&expected));
        out.len = 0;
        charset_fold(c);
        assert_ok(charset_put(c, buf_slice(&in), &out));
        assert_ok(charset_end(c, &out));
        assert_slice_eq(buf_slice(&out), buf_slice(&folded));
        charset_close(c);
    }
    buf_finish(&in);
    buf_finish(&expected);
    buf_finish(&folded);
    buf_finish(&out);
}

static void a_limit_is_kept(void **state)
{
    (void)state;
    static const char *const names[] = {"utf-8", "iso-8859-2", "", "gb2312", "iso-2022-jp"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        struct charset *c = charset_open(slice_str(names[i]));
        struct buf out;
        buf_init(&out, 8);
        assert_ok(charset_put(c, SLICE("12345678"), &out));
        assert_err(charset_put(c, SLICE("9"), &out), ERR_LIMIT);
        buf_finish(&out);
        charset_close(c);
    }
    charset_close(NULL);
}

static const char *header(struct slice value)
{
    static char text[1000];
    struct buf out;
    buf_init(&out, 999);
    assert_ok(charset_header(value, &out));
    snprintf(text, sizeof text, SLICE_FMT, SLICE_ARG(buf_slice(&out)));
    buf_finish(&out);
    return text;
}

static void encoded_words_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
  /* RFC 2047 section 8 */
        {"=?US-ASCII?Q?Keith_Moore?= <moore@cs.utk.edu>",                  "Keith Moore <moore@cs.utk.edu>"                  },
        {"=?ISO-8859-1?Q?Patrik_F=E4ltstr=F6m?=",                          "Patrik F\u00e4ltstr\u00f6m"                      },
        {"=?ISO-8859-1?B?SWYgeW91IGNhbiByZWFkIHRoaXMgeW8=?=\r\n "
         "=?ISO-8859-2?B?dSB1bmRlcnN0YW5kIHRoZSBleGFtcGxlLg==?=", "If you can read this you understand the example."},
        {"(=?ISO-8859-1?Q?a?=)",                                           "(a)"                                             },
        {"(=?ISO-8859-1?Q?a?= b)",                                         "(a b)"                                           },
        {"(=?ISO-8859-1?Q?a?= =?ISO-8859-1?Q?b?=)",                        "(ab)"                                            },
        {"(=?ISO-8859-1?Q?a?=  \t=?ISO-8859-1?Q?b?=)",                     "(ab)"                                            },
        {"(=?ISO-8859-1?Q?a_b?=)",                                         "(a b)"                                           },
        {"(=?ISO-8859-1?Q?a?= =?ISO-8859-2?Q?_b?=)",                       "(a b)"                                           },
 /* a character that is split between words */
        {"=?utf-8?q?=C3?= =?UTF-8?q?=A9?=",                                "\u00e9"                                          },
        {"=?utf-8?b?ww==?= =?UTF-8?b?qQ==?=",                              "\u00e9"                                          },
        {"=?utf-8?q?=C3?= x",                                              FFFD " x"                                         },
        {"=?utf-8?q?=C3?= =?iso-8859-1?q?=A9?=",                           FFFD "\u00a9"                                     },
 /* language (RFC 2231 section 5) */
        {"=?utf-8*de?q?=C3=A9?=",                                          "\u00e9"                                          },
 /* what is in use and not allowed */
        {"a=?utf-8?q?b?=c",                                                "abc"                                             },
        {"\"=?utf-8?q?=C3=A9?=\"",                                         "\"\u00e9\""                                      },
        {"=?utf-8?q?Are you ok?\?=",                                       "Are you ok?"                                     },
        {"=?utf-8?Q?=C3=A9?==?utf-8?Q?x?=",                                "\u00e9x"                                         },
        {"=?utf-8?b?w6k?=",                                                "\u00e9"                                          },
 /* no words */
        {"",                                                               ""                                                },
        {"=?",                                                             "=?"                                              },
        {"=?=?=?",                                                         "=?=?=?"                                          },
        {"=?utf-8?x?a?=",                                                  "=?utf-8?x?a?="                                   },
        {"=?utf-8?q?a",                                                    "=?utf-8?q?a"                                     },
        {"=?\?q?a?=",                                                      "=?\?q?a?="                                       },
        {"=?no such?q?a?=",                                                "=?no such?q?a?="                                 },
        {"=?no-such?q?a=41?= =?no-such?q?b?=",                             "=?no-such?q?a=41?= =?no-such?q?b?="              },
        {"=?utf-8?q?\?=x",                                                 "x"                                               },
        {"=?utf-8?q?=?=",                                                  "="                                               },
        {"=?utf-8?q?=4?=",                                                 "=4"                                              },
        {"a =?utf-8?q?b?= c =?utf-8?q?d?= e",                              "a b c d e"                                       },
 /* 8-bit octets outside */
        {"caf\xc3\xa9 caf\xe9",                                            "caf\u00e9 caf\u00e9"                             },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(header(slice_str(rows[i].in)), rows[i].out);
}

static void values_of_rfc_2231_are_decoded(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"us-ascii'en-us'This%20is%20%2A%2A%2Afun%2A%2A%2A", "This is ***fun***"},
        {"utf-8''%e2%82%ac",                                 "\u20ac"           },
        {"iso-8859-1'en'%A3%20rates",                        "\u00a3 rates"     },
        {"''plain",                                          "plain"            },
        {"no marks %41",                                     "no marks A"       },
        {"one'mark %41",                                     "one'mark A"       },
        {"no-such''%c3%a9",                                  "\u00e9"           },
        {"utf-8''100%",                                      "100%"             },
        {"utf-8''%4",                                        "%4"               },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 999);
        assert_ok(charset_parameter(slice_str(rows[i].in), &out));
        assert_slice_eq(buf_slice(&out), slice_str(rows[i].out));
        buf_finish(&out);
    }
}

static void hostile_headers_take_linear_time(void **state)
{
    (void)state;
    static const char *const units[] = {"=?", "=?a?q?",
                                        "=?utf-8?q?x?= ", "=?a?b?\xff?=", "=?utf-8?q?"};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
        uint64_t ns[2];
        for (unsigned round = 0; round < 2; round++) {
            struct buf in, out;
            buf_init(&in, SIZE_MAX);
            buf_init(&out, SIZE_MAX);
            while (in.len < (round ? 800000 : 200000))
                assert_ok(buf_append(&in, slice_str(units[i])));
            uint64_t from = cpu_ns();
            assert_ok(charset_header(buf_slice(&in), &out));
            ns[round] = cpu_ns() - from;
            buf_finish(&in);
            buf_finish(&out);
        }
        if (ns[1] > 10 * ns[0] + 20000000)
            fail_msg("%s: %llu us, then %llu us", units[i], (unsigned long long)ns[0] / 1000,
                     (unsigned long long)ns[1] / 1000);
    }
}

/* --- folding -------------------------------------------------------------------------------- */

static void folding_is_that_of_rfc_5051(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
    } rows[] = {
        {"abc XYZ 09 {", "ABC XYZ 09 {"      },
        {"\u00e9\u00c9", "E\u0301E\u0301"    },
        {"\u00df",       "\u00df"            }, /* titlecase of one character is itself */
        {"\u01c6",       "Dz\u030c"          }, /* titlecase U+01C5, decomposed */
        {"\ufb01",       "fi"                }, /* decomposed after titlecase */
        {"\u00bd",       "1\u20442"          },
        {"\uac01",       "\u1100\u1161\u11a8"},
        {"\uac00",       "\u1100\u1161"      },
        {"\u4f60",       "\u4f60"            },
        {"\u03b1\u03ac", "\u0391\u0391\u0301"},
        {"\u0430",       "\u0410"            },
        {"\uff41",       "A"                 }, /* U+FF21 is A, wide */
        {"a\xff\xc3z",   "A\xff\xc3Z"        },
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf out;
        buf_init(&out, 999);
        assert_ok(casemap_append(slice_str(rows[i].in), &out));
        assert_slice_eq(buf_slice(&out), slice_str(rows[i].out));
        buf_finish(&out);
    }
}

/* What is folded has nothing left to decompose, and letters that differ in case only are one. */
static void every_character_folds_to_valid_text(void **state)
{
    (void)state;
    struct buf out;
    buf_init(&out, 999);
    for (uint32_t c = 1; c < 0x110000; c++) {
        char octets[4];
        if (c >= 0xd800 && c < 0xe000)
            continue;
        out.len = 0;
        assert_ok(casemap_append(slice(octets, utf8_encode(c, octets)), &out));
        assert_true(out.len > 0 && utf8_valid(buf_slice(&out)));
    }
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_of_mail_are_known),
        cmocka_unit_test(what_cannot_be_decoded_is_replaced_octet_by_octet),
        cmocka_unit_test(tables_say_what_iconv_says),
        cmocka_unit_test(a_limit_is_kept),
        cmocka_unit_test(encoded_words_are_decoded),
        cmocka_unit_test(values_of_rfc_2231_are_decoded),
        cmocka_unit_test(hostile_headers_take_linear_time),
        cmocka_unit_test(folding_is_that_of_rfc_5051),
        cmocka_unit_test(every_character_folds_to_valid_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
