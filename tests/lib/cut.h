/* Power cuts: from a record of calls (tests/lib/faults.h), the directory as a machine that loses
 * power after any of them may find it again.
 *
 *      contents   what was synced is there; of the writes since, any may be there, and any of those
 *                 may be torn at 512 octets
 *      names      as at the last fsync of their directory; of the changes since, the first few
 *                 (file systems journal them in order)                                           */
#ifndef TANDEM_TESTS_CUT_H
#define TANDEM_TESTS_CUT_H

#include <stdbool.h>
#include <stdint.h>

#include "tests/lib/faults.h"

struct cut;
struct cut *cut_new(const struct record *record); /* before the first call */
void cut_free(struct cut *cut);
/* The next call happens; marks on the way are left in `mark`. False at the end. */
bool cut_next(struct cut *cut, int *mark);
bool cut_is_sync(const struct cut *cut);      /* it made something durable */
unsigned cut_unsynced(const struct cut *cut); /* how many calls a cut here may lose */

enum cut_choice {
    CUT_NOTHING, /* of what was not synced is there */
    CUT_ALL,     /* is there: what kill -9 leaves */
    CUT_LAST,    /* only the last call has come through */
    CUT_TORN,    /* all but parts of the last write */
    CUT_RANDOM   /* by seed: any call, torn or not */
};
/* Writes the directory as the cut leaves it to `dir`, which is emptied first. */
void cut_write(const struct cut *cut, enum cut_choice choice, uint64_t seed, const char *dir);

#endif
