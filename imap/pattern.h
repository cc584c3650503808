/* LIST patterns: `*` is any octets, `%` any octets but the delimiter (RFC 3501 section 6.3.8).
 * Matched against names as they are on the wire, in O(name x pattern) whatever the pattern says. */
#ifndef TANDEM_IMAP_PATTERN_H
#define TANDEM_IMAP_PATTERN_H

#include <stdbool.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

enum { PATTERN_MAX = 1400 }; /* the longest name in modified UTF-7 fits */

struct pattern {
    struct slice text; /* in the arena; runs of wildcards are one */
    bool wild;
};

/* Reference and pattern put together. ERR_LIMIT: longer than PATTERN_MAX. */
MUST_CHECK enum err pattern_make(struct slice reference, struct slice text, struct arena *arena,
                                 struct pattern *ret);
/* The first component INBOX matches in either case (section 5.1). */
bool pattern_match(const struct pattern *p, struct slice name);

#endif
