/* ENVELOPE, BODY and BODYSTRUCTURE read back, by the formal syntax of RFC 3501 section 9 and
 * nothing of the code that wrote them. */
#ifndef TANDEM_TESTS_STRUCTURE_CHECK_H
#define TANDEM_TESTS_STRUCTURE_CHECK_H

#include <stdbool.h>

#include "core/base/slice.h"

/* All of `s` is an envelope. */
bool check_envelope_syntax(struct slice s);
/* All of `s` is a body, with all extension data (`extended`) or none. *ret_bodies: how many bodies
 * it names, itself and those within. */
bool check_body_syntax(struct slice s, bool extended, size_t *ret_bodies);

#endif
