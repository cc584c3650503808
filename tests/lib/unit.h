/* What every unit test includes: cmocka with the headers it wants, and asserts for Tandem's own
 * types. One group per program, because a TAP stream has one plan:
 *
 *      int main(void)
 *      {
 *          const struct CMUnitTest tests[] = {
 *              cmocka_unit_test(list_rejects_depth_9),
 *          };
 *          return cmocka_run_group_tests(tests, NULL, NULL);
 *      }
 *
 * Register it with one word in tests/<room>/meson.build. Never skip(): cmocka 1.1.5 prints that as
 * a failure. */
#ifndef TANDEM_TESTS_UNIT_H
#define TANDEM_TESTS_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "core/base/err.h"
#include "core/base/slice.h"

/* assert_err(buf_append(&b, s), ERR_LIMIT): both words are shown when they differ. */
#define assert_err(actual, expected)                                                               \
    unit_assert_err((actual), (expected), #actual, __FILE__, __LINE__)
#define assert_ok(actual) assert_err((actual), ERR_OK)

/* assert_slice(s, "text"): octet by octet; the text is a literal and may hold NULs. */
#define assert_slice(actual, text)                                                                 \
    unit_assert_slice((actual), slice((text), sizeof(text) - 1), #actual, __FILE__, __LINE__)
#define assert_slice_eq(actual, expected)                                                          \
    unit_assert_slice((actual), (expected), #actual, __FILE__, __LINE__)

static inline void unit_assert_err(enum err actual, enum err expected, const char *what,
                                   const char *file, int line)
{
    if (actual == expected)
        return;
    print_error("%s is %s, not %s\n", what, err_word(actual), err_word(expected));
    _fail(file, line);
}

/* Printable octets as they are, the rest as \xHH; cut after 200 octets. */
static inline void unit_print_slice(const char *label, struct slice s)
{
    char text[4 * 200 + 1];
    size_t n = 0;
    for (size_t i = 0; i < s.len && i < 200; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        n +=
            (size_t)snprintf(text + n, sizeof text - n, c < 0x20 || c > 0x7e ? "\\x%02x" : "%c", c);
    }
    text[n] = '\0';
    print_error("  %s %zu octets: %s%s\n", label, s.len, text, s.len > 200 ? "..." : "");
}

static inline void unit_assert_slice(struct slice actual, struct slice expected, const char *what,
                                     const char *file, int line)
{
    if (slice_eq(actual, expected))
        return;
    print_error("%s differs\n", what);
    unit_print_slice("expected", expected);
    unit_print_slice("got     ", actual);
    _fail(file, line);
}

#endif
