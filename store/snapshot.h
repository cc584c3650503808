/* Message numbers of one version of a mailbox, shared by all sessions that have it open, and what
 * the rest of the store asks of the mailboxes in use (the objects themselves: store/boxes.h).
 *
 * A snapshot is immutable and counted: 24 octets for each bucket of 128 UIDs that holds a message,
 * so gaps in UID space cost nothing, and a 100,000 message mailbox costs 19 KB. Its version is
 * (uidnext, expunge_modseq): changes of flags make no new one. */
#ifndef TANDEM_STORE_SNAPSHOT_H
#define TANDEM_STORE_SNAPSHOT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"

struct box;
struct box_object;
struct boxes;
struct engine_txn;
struct store;
struct uidset;

struct snapshot_bucket {
    uint32_t bucket;     /* UID >> 7 */
    uint32_t before;     /* messages in the buckets before it */
    uint64_t present[2]; /* bit UID & 127 */
};

struct snapshot {
    atomic_uint refs;
    uint32_t uidnext;
    uint64_t expunge_modseq;
    uint32_t exists;
    uint32_t n;
    struct snapshot_bucket bucket[]; /* ascending; none is empty */
};

/* From the rows as `txn` sees them; `box` was loaded from the same txn. */
MUST_CHECK enum err snapshot_build(struct engine_txn *txn, const struct box *box,
                                   struct snapshot **ret);
/* The same from an older version of the same mailbox, in the time of what has changed: `expunged`
 * holds all UIDs expunged since (it may name more). */
MUST_CHECK enum err snapshot_derive(const struct snapshot *base, struct engine_txn *txn,
                                    const struct box *box, const struct uidset *expunged,
                                    struct snapshot **ret);
struct snapshot *snapshot_ref(struct snapshot *snap); /* any thread */
void snapshot_unref(struct snapshot *snap);           /* any thread; NULL shrugs */
size_t snapshot_octets(const struct snapshot *snap);
bool snapshot_is(const struct snapshot *snap, const struct box *box); /* is of box's version */

/* All O(log n). */
bool snapshot_has(const struct snapshot *snap, uint32_t uid);
uint32_t snapshot_rank(const struct snapshot *snap, uint32_t uid); /* messages with UID <= uid */
uint32_t snapshot_select(const struct snapshot *snap,
                         uint32_t n); /* the n-th UID, from 1; 0 = none */
uint32_t snapshot_next(const struct snapshot *snap, uint32_t uid); /* first UID >= uid; 0 = none */
/* The same up to `upto`, and the end of the unbroken run that starts there, or `upto` if it is
 * longer: costs what the run is long. */
uint32_t snapshot_run(const struct snapshot *snap, uint32_t uid, uint32_t upto, uint32_t *ret_last);

/* --- mailboxes in use ------------------------------------------------------------------------ */

struct boxes *boxes_new(struct store *store); /* after store.sip_key is set */
void boxes_free(struct boxes *boxes);         /* all views and pins are gone; NULL shrugs */

/* The highest UID that some session has been told as recent; messages above it are recent. 0 =
 * unknown. Any thread. */
uint32_t box_recent_uid(struct store *store, uint32_t a, uint32_t m);

/* Somebody who has been told of all changes up to `told` and may still read what was expunged after
 * it: an open view, an open maildrop. */
struct told_pin {
    _Atomic uint64_t told; /* only rises; its owner's thread */
    struct box_object *object;
    struct told_pin *next, *prev;
};
/* Any thread. The pin is embedded in what it stands for, and is in place before the reader whose
 * snapshot `told` comes from is idle (store/README.md, "grace gate"). */
void boxes_pin_told(struct store *store, uint32_t a, uint32_t m, uint64_t told,
                    struct told_pin *pin);
void boxes_unpin_told(struct told_pin *pin);
/* The lowest told of all pins of the mailbox, UINT64_MAX when there is none: tombstones above it
 * stay. Any thread. */
uint64_t boxes_oldest_told(struct store *store, uint32_t a, uint32_t m);
/* May somebody still read what was expunged at this modseq? Any thread. */
bool boxes_claims(struct store *store, uint32_t a, uint32_t m, uint64_t expunge_modseq);

#endif
