/* Times as an administrator writes them. */
#ifndef TANDEM_CMD_WHEN_H
#define TANDEM_CMD_WHEN_H

#include "cmd/verb.h"

/* How the two forms are named in a verb's help. */
#define WHEN_HELP "2h, 3d (ago), or 2026-11-22, 2026-11-22T07:00:00Z (UTC)"

/* Seconds since 1970 of `text`: so long ago (30s, 10m, 2h, 3d, 1w), or a day or second in UTC (RFC
 * 3339 section 5.6; the seconds, or all of the time, may be left out). NULL: 0. False: complained.
 */
MUST_CHECK bool when_since(struct verb_call *call, const char *text, uint32_t *ret);

#endif
