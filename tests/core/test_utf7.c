/* core/base/utf7.h: RFC 3501 section 5.1.3, one spelling for each name. */
#include "core/base/utf7.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/utf8.h"
#include "tests/lib/unit.h"

static enum err decode(struct slice wire, char *to, struct slice *ret)
{
    size_t n = 0;
    enum err e = utf7_decode(wire, to, &n);
    *ret = slice(to, n);
    return e;
}

static void examples_go_both_ways(void **state)
{
    static const struct {
        const char *wire, *name;
    } cases[] = {
        {"INBOX",                           "INBOX"                                                                          },
        {"",                                ""                                                                               },
        {"&-",                              "&"                                                                              },
        {"a&-b&-&-",                        "a&b&&"                                                                          },
        {"~peter/mail/&U,BTFw-/&ZeVnLIqe-", "~peter/mail/\xe5\x8f\xb0\xe5\x8c\x97/"
                                            "\xe6\x97\xa5\xe6\x9c\xac\xe8\xaa\x9e"},
        {"Entw&APw-rfe",                    "Entw\xc3\xbcrfe"                                                                },
        {"&2D3cqQ-",                        "\xf0\x9f\x92\xa9"                                                               },
        {"&AAA-",                           NULL                                                                             },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[64], back[320];
        struct slice name = cases[i].name ? slice_str(cases[i].name) : slice("", 1), got;
        assert_ok(decode(slice_str(cases[i].wire), to, &got));
        assert_slice_eq(got, name);
        assert_slice_eq(slice(back, utf7_encode(name, back)), slice_str(cases[i].wire));
    }
}

static void second_spellings_are_refused(void **state)
{
    static const char *const wires[] = {
        "&",       "&AGE-",        "a&",     "&AGE",    "&U,BTFw-&ZeVnLIqe-",
        "&U,BTFw", "&U,BTFw--x&b", "&AP-",   "&APx-",   "&A-",
        "&2D0-",   "&3Kk-",        "&APwA-", "caf\xe9", "tab\t",
        "&AP w-",  "&AP/-",        "&APw=-", "\x7f",    "&2D0AYQ-",
    };
    (void)state;
    for (size_t i = 0; i < sizeof wires / sizeof *wires; i++) {
        char to[64];
        struct slice got;
        if (decode(slice_str(wires[i]), to, &got) == ERR_OK)
            fail_msg("accepted: %s", wires[i]);
    }
}

/* Whatever decodes is valid UTF-8 and encodes to the same octets. */
static void check_round_trip(struct slice wire)
{
    char to[16], back[80];
    struct slice name;
    if (decode(wire, to, &name) != ERR_OK)
        return;
    assert_true(utf8_valid(name));
    assert_slice_eq(slice(back, utf7_encode(name, back)), wire);
}

static void every_short_input_decodes_to_what_encodes_back(void **state)
{
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        char wire[3] = {(char)v, (char)(v >> 8), (char)(v >> 16)};
        check_round_trip(slice(wire, 3));
        if (v < 1u << 16)
            check_round_trip(slice(wire, 2));
        if (v < 1u << 8)
            check_round_trip(slice(wire, 1));
    }
}

static void every_shift_of_four_digits_decodes_to_what_encodes_back(void **state)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+,";
    (void)state;
    for (uint32_t v = 0; v < 1u << 24; v++) {
        char wire[6] = {
            '&', digits[v & 63], digits[v >> 6 & 63], digits[v >> 12 & 63], digits[v >> 18], '-'};
        check_round_trip(slice(wire, 6));
    }
}

static size_t utf8_of(uint32_t c, char *to)
{
    if (c < 0x80)
        return to[0] = (char)c, 1;
    if (c < 0x800)
        return to[0] = (char)(0xc0 | c >> 6), to[1] = (char)(0x80 | (c & 63)), 2;
    if (c < 0x10000)
        return to[0] = (char)(0xe0 | c >> 12), to[1] = (char)(0x80 | (c >> 6 & 63)),
               to[2] = (char)(0x80 | (c & 63)), 3;
    return to[0] = (char)(0xf0 | c >> 18), to[1] = (char)(0x80 | (c >> 12 & 63)),
           to[2] = (char)(0x80 | (c >> 6 & 63)), to[3] = (char)(0x80 | (c & 63)), 4;
}

static void every_character_survives(void **state)
{
    (void)state;
    for (uint32_t c = 0; c < 0x110000; c++) {
        char name[10], wire[60], back[60];
        struct slice got;
        if (c >= 0xd800 && c < 0xe000)
            continue;
        name[0] = 'a';
        size_t n = 1 + utf8_of(c, name + 1);
        name[n++] = 'z';
        size_t len = utf7_encode(slice(name, n), wire);
        assert_true(len <= utf7_encoded_max(n));
        assert_ok(decode(slice(wire, len), back, &got));
        assert_slice_eq(got, slice(name, n));
    }
}

/* Three octets a character, eight digits for three of them: more than it was on the wire. */
static void long_shifts_fit_in_the_room_asked_for(void **state)
{
    char name[3 * 200], wire[5 * sizeof name];
    (void)state;
    for (size_t n = 1; n <= 200; n++) {
        for (size_t i = 0; i < n; i++)
            memcpy(name + 3 * i, "\xe6\x97\xa5", 3);
        size_t len = utf7_encode(slice(name, 3 * n), wire);
        assert_true(3 * n <= utf7_decoded_max(len));
        char *exact = malloc(utf7_decoded_max(len));
        struct slice got;
        assert_ok(decode(slice(wire, len), exact, &got));
        assert_slice_eq(got, slice(name, 3 * n));
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(long_shifts_fit_in_the_room_asked_for),
        cmocka_unit_test(examples_go_both_ways),
        cmocka_unit_test(second_spellings_are_refused),
        cmocka_unit_test(every_short_input_decodes_to_what_encodes_back),
        cmocka_unit_test(every_shift_of_four_digits_decodes_to_what_encodes_back),
        cmocka_unit_test(every_character_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
