/* The digest of APOP (RFC 1939 section 7). */
#ifndef TANDEM_AUTH_APOP_H
#define TANDEM_AUTH_APOP_H

#include <stdbool.h>

#include "core/base/slice.h"

/* Is `digest` (hexadecimal) the MD5 of the timestamp, with its brackets, and the secret behind it?
 * `verifier` is {PLAIN}; any other is false. Constant time in the secret. A worker's. */
bool auth_apop_check(struct slice verifier, struct slice timestamp, struct slice digest);

#endif
