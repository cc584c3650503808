/* Strings as the wire wants them (RFC 3501 section 4.3): which octets an atom may hold, and the
 * shortest of atom, quoted string and literal that can carry a text. */
#ifndef TANDEM_IMAP_QUOTE_H
#define TANDEM_IMAP_QUOTE_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/slice.h"

bool is_atom_char(char c);    /* RFC 3501 ATOM-CHAR */
bool is_astring_char(char c); /* ATOM-CHAR or "]" */

enum { QUOTE_EXTRA = 16 }; /* octets that quoting adds at most, beside one for each octet */

/* Each writes at most 2 * s.len + QUOTE_EXTRA octets and returns how many. No NUL is in `s`. */
size_t quote_string(struct slice s, char *to);  /* quoted, or a literal for CR, LF, 8-bit */
size_t quote_astring(struct slice s, char *to); /* an atom when it can be one */

#endif
