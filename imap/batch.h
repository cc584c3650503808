/* Changes of more messages than one batch of the store takes: several, in the order of the UIDs
 * (CONTRACTS section 5). */
#ifndef TANDEM_IMAP_BATCH_H
#define TANDEM_IMAP_BATCH_H

#include <stdbool.h>

#include "store/store.h"

enum { BATCH_MAX = 200000 };

/* The next at most BATCH_MAX UIDs above *after, into ret; *after moves on. False: none are left. */
bool batch_next(const struct uidset *uids, uint32_t *after, struct uidset *ret);

#endif
