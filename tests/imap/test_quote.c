/* imap/quote.h: the shortest form that can carry a text. */
#include "imap/quote.h"

#include "tests/lib/unit.h"

static void astrings_are_atoms_when_they_can_be(void **state)
{
    static const struct {
        const char *text, *wire;
    } cases[] = {
        {"Subject", "Subject"       },
        {"x]",      "x]"            },
        {"",        "\"\""          },
        {"nil",     "\"nil\""       },
        {"a b",     "\"a b\""       },
        {"a\"b\\",  "\"a\\\"b\\\\\""},
        {"a\r\nb",  "{4}\r\na\r\nb" },
        {"caf\xe9", "{4}\r\ncaf\xe9"},
        {"(x)",     "\"(x)\""       },
        {"a{1}",    "\"a{1}\""      },
        {"50%",     "\"50%\""       },
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char to[64];
        struct slice text = slice_str(cases[i].text);
        assert_slice_eq(slice(to, quote_astring(text, to)), slice_str(cases[i].wire));
    }
}

static void atom_chars_are_those_of_the_grammar(void **state)
{
    (void)state;
    for (int c = 0; c < 256; c++) {
        bool special = c <= 0x20 || c >= 0x7f || (c && strchr("(){%*\"\\]", c));
        assert_int_equal(is_atom_char((char)c), !special);
        assert_int_equal(is_astring_char((char)c), !special || c == ']');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(astrings_are_atoms_when_they_can_be),
        cmocka_unit_test(atom_chars_are_those_of_the_grammar),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
