/* Trimming what only grows: tombstones (the newest 10,000 rows of a mailbox, 90 days; tomb_floor
 * rises over what goes, and never above what an open view was told), the journal ([store] log_days,
 * log_rows; at least 256 lines at a time, each connection's row with its last line) and Message-IDs
 * (400 days). Once a day, beside normal service, and only while the clock can be believed. */
#ifndef TANDEM_STORE_TRIM_H
#define TANDEM_STORE_TRIM_H

#include "store/commit.h"

/* Before committer_start, after gone_register: makes env->trim and registers its upkeep. */
void trim_register(struct env *env);
void trim_free(struct trim *trim); /* after committer_free; NULL shrugs */

/* A slice of it for the journal of one account. ERR_AGAIN: there may be more. */
MUST_CHECK enum err trim_journal(struct turn *turn, uint32_t a);

#endif
