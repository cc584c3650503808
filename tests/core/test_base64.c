#include "core/base/base64.h"

#include "core/base/buf.h"
#include "core/base/hex.h"
#include "core/base/random.h"
#include "tests/lib/unit.h"

/* RFC 4648 section 10 */
static const char *const vectors[][2] = {
    {"",       ""        },
    {"f",      "Zg=="    },
    {"fo",     "Zm8="    },
    {"foo",    "Zm9v"    },
    {"foob",   "Zm9vYg=="},
    {"fooba",  "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"}
};

static void published_vectors(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
        char text[16];
        size_t n = base64_encode(slice_str(vectors[i][0]), text);
        assert_slice_eq(slice(text, n), slice_str(vectors[i][1]));
        assert_int_equal(n, base64_encoded_len(strlen(vectors[i][0])));
        assert_ok(base64_decode(slice_str(vectors[i][1]), text, &n));
        assert_slice_eq(slice(text, n), slice_str(vectors[i][0]));
    }
}

static void refuses_what_is_not_canonical(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "Z",     "Zg",     "Zg=",      "Z===",  "====",     "Zg==Zg==",   "Zh==",
        "Zm9=",  "Zm 9v=", "Zm9v\r\n", "Zm9v ", " Zm9v",    "Zm-v",       "Zm_v",
        "Zm9v=", "=Zm9",   "Z=9v",     "Zm=v",  "Zm9v====", "\xc3\xa4==", "Zg==\n"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char text[32];
        size_t n;
        if (base64_decode(slice_str(bad[i]), text, &n) != ERR_SYNTAX)
            fail_msg("accepted '%s'", bad[i]);
    }
    char text[8];
    size_t n;
    assert_err(base64_decode(slice("Zm\0v", 4), text, &n), ERR_SYNTAX);
}

/* Each string of three octets has one spelling, and each spelling of four characters that decodes
 * encodes to itself. */
static void round_trip_of_all_short_inputs(void **state)
{
    (void)state;
    for (unsigned v = 0; v < 1u << 16; v++) {
        for (size_t len = 1; len <= 3; len++) {
            char from[3] = {(char)(v >> 8), (char)v, (char)(v >> 4)};
            char text[4];
            char back[3];
            size_t n;
            size_t m = base64_encode(slice(from, len), text);
            assert_ok(base64_decode(slice(text, m), back, &n));
            assert_true(n == len && memcmp(back, from, n) == 0);
        }
    }
    for (unsigned v = 0; v < 1u << 24; v += 7) {
        char from[4] = {'A', (char)(v >> 16), (char)(v >> 8), (char)v};
        char text[3];
        char again[4];
        size_t n;
        if (base64_decode(slice(from, 4), text, &n) == ERR_OK)
            assert_true(base64_encode(slice(text, n), again) == 4 && memcmp(again, from, 4) == 0);
    }
}

static void into_buf_and_arena(void **state)
{
    (void)state;
    struct buf b;
    buf_init(&b, 8);
    assert_ok(base64_append(&b, SLICE("foobar")));
    assert_slice(buf_slice(&b), "Zm9vYmFy");
    assert_ok(base64_append(&b, SLICE("")));
    assert_err(base64_append(&b, SLICE("x")), ERR_LIMIT);
    struct arena a;
    arena_init(&a, 64);
    struct slice s;
    assert_ok(base64_decode_dup(&a, buf_slice(&b), &s));
    assert_slice(s, "foobar");
    assert_int_equal(s.ptr[s.len], 0);
    assert_err(base64_decode_dup(&a, SLICE("Zm9vYmF"), &s), ERR_SYNTAX);
    static char big[400];
    memset(big, 'A', sizeof big);
    assert_err(base64_decode_dup(&a, slice(big, sizeof big), &s), ERR_LIMIT);
    arena_reset(&a);
    buf_finish(&b);
}

static void hexadecimal(void **state)
{
    (void)state;
    char text[16];
    hex_u64(0x0123456789abcdefu, text);
    assert_slice(slice(text, 16), "0123456789abcdef");
    char octets[8];
    assert_true(hex_decode(SLICE("00ffAb10"), octets));
    assert_slice(slice(octets, 4), "\x00\xff\xab\x10");
    hex_encode(slice(octets, 4), text);
    assert_slice(slice(text, 8), "00ffab10");
    assert_false(hex_decode(SLICE("0"), octets));
    assert_false(hex_decode(SLICE("0g"), octets));
    assert_true(hex_decode(SLICE(""), octets));
}

static void random_numbers_differ(void **state)
{
    (void)state;
    assert_true(random_u64() != random_u64());
    char a[32] = {0};
    char b[32] = {0};
    random_bytes(a, sizeof a);
    random_key(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(published_vectors),
        cmocka_unit_test(refuses_what_is_not_canonical),
        cmocka_unit_test(round_trip_of_all_short_inputs),
        cmocka_unit_test(into_buf_and_arena),
        cmocka_unit_test(hexadecimal),
        cmocka_unit_test(random_numbers_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
