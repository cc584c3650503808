/* What changed in the selected mailbox, told to the client: untagged EXPUNGE, EXISTS, RECENT and
 * FETCH (CONTRACTS section 5). The only caller of store_view_sync. */
#ifndef TANDEM_IMAP_SYNC_H
#define TANDEM_IMAP_SYNC_H

#include <stdbool.h>
#include <stddef.h>

#include "core/net/step.h"
#include "store/store.h"

struct session;

/* How far the telling of one set of changes has come. Zero-initialised: not under way. */
struct sync {
    bool under_way, exists_due;
    struct store_changes changes;
    size_t expunged, flagged; /* told so far */
};

/* Move the view on and tell. Repeatable: it goes on where the output was full.
 *
 * what  SYNC_EXPUNGE where RFC 3501 section 7.4.1 allows it
 * uid   FETCH responses carry the UID, as those of a UID command must (section 6.4.8) */
enum step imap_sync(struct session *s, unsigned what, bool uid);

#endif
