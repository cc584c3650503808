#include "core/mime/decode.h"

#include <stdlib.h>

#include "core/base/base64.h"
#include "core/base/buf.h"
#include "core/base/random.h"
#include "tests/lib/unit.h"

/* What comes out when it goes in by pieces. */
static bool decode(enum mime_encoding encoding, struct slice in, size_t piece, struct buf *out)
{
    struct decoder d;
    decoder_init(&d, encoding);
    out->len = 0;
    while (in.len) {
        assert_ok(decoder_put(&d, slice_first(in, piece), out));
        in = slice_from(in, piece < in.len ? piece : in.len);
    }
    assert_ok(decoder_end(&d, out));
    return d.broken;
}

static void check(enum mime_encoding encoding, const char *in, const char *expected, bool broken)
{
    struct buf out;
    buf_init(&out, 10000);
    for (size_t piece = 1; piece < 10; piece++) {
        assert_int_equal(decode(encoding, slice_str(in), piece, &out), broken);
        assert_slice_eq(buf_slice(&out), slice_str(expected));
    }
    buf_finish(&out);
}

static void base64_passes_over_what_is_foreign_and_ends_with_its_padding(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        bool broken;
    } rows[] = {
        {"",                  "",             false},
        {"Zm9v",              "foo",          false},
        {"Zm9vYg==",          "foob",         false},
        {"Zm9vYmE=",          "fooba",        false},
        {"Zm9v\r\nYmFy\r\n",  "foobar",       false},
        {" Z m\t9 v\r\n\r\n", "foo",          false},
        {"Zm*9v!",            "foo",          true },
        {"Zm9v\xff",          "foo",          true },
        {"Zm9vYg",            "foob",         true }, /* no padding */
        {"Zm9vYmE",           "fooba",        true },
        {"Zm9vY",             "foo",          true },
        {"Zm9vYg==\r\nZm9v",  "foob",         false}, /* RFC 2045 section 6.8: "=" is the end */
        {"=",                 "",             false},
        {"+/+/",              "\xfb\xff\xbf", false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(MIME_BASE64, rows[i].in, rows[i].out, rows[i].broken);
}

static void base64_undoes_what_encoding_does(void **state)
{
    (void)state;
    char octets[200], text[300];
    struct buf out;
    buf_init(&out, 10000);
    for (size_t n = 0; n < sizeof octets; n++) {
        random_bytes(octets, n);
        size_t len = base64_encode(slice(octets, n), text);
        assert_false(decode(MIME_BASE64, slice(text, len), 1 + n % 7, &out));
        assert_slice_eq(buf_slice(&out), slice(octets, n));
    }
    buf_finish(&out);
}

/* Digits of the piece before are written with this one. */
static void base64_stays_within_the_room_of_its_buf(void **state)
{
    (void)state;
    static const char text[] = "Zm9vYmFyZm9v";
    enum { LEN = sizeof text - 1, ROOM = 64 };
    for (size_t cut = 0; cut <= LEN; cut++)
        for (size_t end = cut; end <= LEN; end++) {
            struct decoder d;
            struct buf out;
            char beyond[ROOM];
            buf_init(&out, 10000);
            decoder_init(&d, MIME_BASE64);
            assert_ok(buf_reserve(&out, ROOM));
            assert_ok(decoder_put(&d, slice(text, cut), &out));
            memset(out.ptr + out.len, '~', ROOM - out.len);
            memset(beyond, '~', ROOM);
            out.cap = out.len + end - cut; /* what follows is not its */
            size_t cap = out.cap;
            assert_ok(decoder_put(&d, slice(text + cut, end - cut), &out));
            if (out.cap == cap)
                assert_memory_equal(out.ptr + cap, beyond, ROOM - cap);
            assert_slice_eq(buf_slice(&out), slice("foobarfoo", end / 4 * 3));
            buf_finish(&out);
        }
}

static void quoted_printable_decodes_and_drops_blanks_at_line_ends(void **state)
{
    (void)state;
    static const struct {
        const char *in, *out;
        bool broken;
    } rows[] = {
        {"",                  "",            false},
        {"a=3Db=c3=A9",       "a=b\xc3\xa9", false},
        {"soft=\r\nbreak",    "softbreak",   false},
        {"soft= \t\r\nbreak", "softbreak",   false}, /* section 6.7 rule 3 */
        {"soft=\nbreak",      "softbreak",   false},
        {"a  \r\nb\t\n c ",   "a\r\nb\n c",  false},
        {"a  b \t c",         "a  b \t c",   false},
        {"a =\r\nb",          "a b",         false},
        {"end=",              "end",         false},
        {"end=\r\n",          "end",         false},
        {"a\r\n\r\nb",        "a\r\n\r\nb",  false},
        {"a\rb \r c",         "a\rb \r c",   false},
        {"a=ZZb",             "a=ZZb",       true },
        {"a=4Zb",             "a=4Zb",       true },
        {"a==41",             "a=A",         true },
        {"a= b",              "a= b",        true },
        {"a=\rb",             "a=\rb",       true },
        {"a= \t=41",          "a= \tA",      true },
        {"a=4",               "a=4",         true },
        {"a= \rb",            "a= \rb",      true },
        {"caf\xe9",           "caf\xe9",     false},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        check(MIME_QP, rows[i].in, rows[i].out, rows[i].broken);
}

static void a_long_run_of_blanks_is_kept_in_order(void **state)
{
    (void)state;
    struct buf in, out;
    buf_init(&in, 10000);
    buf_init(&out, 10000);
    for (unsigned i = 0; i < 1000; i++)
        assert_ok(buf_append_c(&in, i % 3 ? ' ' : '\t'));
    assert_ok(buf_append_c(&in, 'x'));
    assert_false(decode(MIME_QP, buf_slice(&in), 7, &out));
    assert_slice_eq(buf_slice(&out), buf_slice(&in));
    in.ptr[0] = '=';
    assert_true(decode(MIME_QP, buf_slice(&in), 7, &out));
    assert_slice_eq(buf_slice(&out), buf_slice(&in));
    buf_finish(&in);
    buf_finish(&out);
}

static void others_are_as_they_are_or_not_known(void **state)
{
    (void)state;
    check(MIME_7BIT, "a=41 \r\n", "a=41 \r\n", false);
    check(MIME_8BIT, "caf\xe9 ", "caf\xe9 ", false);
    check(MIME_BINARY, "\x01 ", "\x01 ", false);
    struct decoder d;
    struct buf out;
    buf_init(&out, 3);
    decoder_init(&d, MIME_ENCODING_UNKNOWN);
    assert_err(decoder_put(&d, SLICE("x"), &out), ERR_UNKNOWNCTE);
    decoder_init(&d, MIME_7BIT);
    assert_err(decoder_put(&d, SLICE("four"), &out), ERR_LIMIT);
    buf_finish(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_passes_over_what_is_foreign_and_ends_with_its_padding),
        cmocka_unit_test(base64_undoes_what_encoding_does),
        cmocka_unit_test(base64_stays_within_the_room_of_its_buf),
        cmocka_unit_test(quoted_printable_decodes_and_drops_blanks_at_line_ends),
        cmocka_unit_test(a_long_run_of_blanks_is_kept_in_order),
        cmocka_unit_test(others_are_as_they_are_or_not_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
