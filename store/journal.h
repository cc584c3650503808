/* Lines of the journal that wait in memory. What moves messages writes its line in its own batch
 * (turn_journal); what happens all the time, flags and downloads, must not cost a row each
 * (turn_journal_later): such a line joins the next batch that writes a line of its account anyway,
 * in order before that one, or is written after a minute.
 *
 *      turn_journal_later --> fresh --commit--> old --a line of its account, 60 s--> written
 *                               | abort          ^                                      |
 *                               v                +---------------- abort ---------------+
 *                             gone                                              commit: gone
 *
 * So a turn that is aborted and replayed neither loses a line nor writes it twice; a crash loses
 * what waits. An old line takes up the next one of the same connection, mailbox and kind. An
 * account has at most 64 lines waiting, an env 8 MiB: what comes beyond writes them at once.
 *
 * The committer's thread, but for journal_new and journal_free. */
#ifndef TANDEM_STORE_JOURNAL_H
#define TANDEM_STORE_JOURNAL_H

#include "store/commit.h"

struct journal;

struct journal *journal_new(void);
void journal_free(struct journal *journal); /* what waits is lost; NULL shrugs */

/* Has a line waited long enough? `all`: is there any? */
bool journal_due(const struct journal *journal, bool all);
/* Writes those, the oldest first, until *spent reaches `pages`. Errors as with upkeep. */
MUST_CHECK enum err journal_write_due(struct turn *turn, bool all, unsigned pages, unsigned *spent);
/* Writes what waits of one account, as the last step of an op. */
MUST_CHECK enum err journal_flush(struct turn *turn, uint32_t a);
/* The turn under way has ended. NULL shrugs. */
void journal_turn_over(struct journal *journal, bool committed);

#endif
