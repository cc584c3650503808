/* One line of POP3 -> keyword and typed arguments (RFC 1939 section 3, RFC 2449 section 3). No I/O,
 * no state; results lie in the line. */
#ifndef TANDEM_POP3_PARSE_H
#define TANDEM_POP3_PARSE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

struct pop3_args {
    struct slice text;
    uint32_t message;
    bool has_message;
    uint32_t lines;
};

/* Split a line (without its end) into its keyword and the rest behind exactly one space. False for
 * a line that no command can have: empty, NUL or CR in it. */
bool pop3_split(struct slice line, struct slice *ret_keyword, struct slice *ret_rest);

/* Read `rest` by a grammar, words with one space between them:
 *
 *      text      all of the rest, spaces included; not empty (a password may hold spaces)
 *      ?text     the same, or nothing
 *      message   a message number        ?message   the same, or nothing
 *      lines     a number, 0 included
 *
 * Numbers are digits only and below 2^32. Trailing blanks, which old clients send, are ignored
 * where numbers or nothing are expected. False: not of that shape. */
bool pop3_parse(struct slice rest, const char *grammar, struct pop3_args *ret);

#endif
