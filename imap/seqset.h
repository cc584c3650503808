/* Sequence sets (RFC 3501 section 9, sequence-set) -> the UIDs they mean in a view. The only place
 * where message sequence numbers become UIDs. */
#ifndef TANDEM_IMAP_SEQSET_H
#define TANDEM_IMAP_SEQSET_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "imap/parse.h"

struct store_view;
struct uidset;

/* The messages of the view that `set` names, ghosts included, into ret (initialised, emptied
 * first). The ranges of `set` are put in order on the way. UIDs that do not exist are left out.
 * ERR_SYNTAX: a sequence number past the last message, `*` in an empty mailbox (section 9,
 * seq-number). O(n log n) in the ranges. */
MUST_CHECK enum err seqset_uids(struct seqset *set, bool uid, const struct store_view *view,
                                struct uidset *ret);

#endif
