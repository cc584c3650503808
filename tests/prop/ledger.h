/* What a store holds, as text: one page for the catalog and one for each account. A page is what a
 * client could be told, so two stores with the same pages are the same to everybody outside.
 *
 * A line that begins with `~` may go by itself as time passes (the undelete window). */
#ifndef TANDEM_TESTS_LEDGER_H
#define TANDEM_TESTS_LEDGER_H

#include "core/base/buf.h"
#include "tests/lib/life.h"

enum { PAGES_MAX = 16 };

struct page {
    char name[64];
    struct buf text;
};

struct ledger {
    struct page page[PAGES_MAX];
    size_t n;
};

/* `ids`: with what is random or from the clock; else two runs of the same tale agree. */
void ledger_write(struct ledger *ledger, struct life *life, bool ids);
void ledger_finish(struct ledger *ledger);
/* Is every page of `now` that of `before` or that of `after`? Else the difference is printed.
 * `linger`: what was to go by itself may be there still. */
bool ledger_between(const struct ledger *now, const struct ledger *before,
                    const struct ledger *after, bool linger);

#endif
