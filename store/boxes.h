/* Mailboxes in use: one object for each (A, M) that a session has open, shared by all loops, in a
 * table behind 64 mutexes. The rows are the truth: what is kept here saves work (newest snapshot,
 * whose flags have changed) and wakes who must look.
 *
 *      committer: notify_publish -> ring, posted = true --post--> loop: each view rebases,
 * `changed`
 *
 * The locks are leaves: nothing is read from the engine and nobody is called back under them. An
 * object without users stays for a while with its snapshot and its claim of \Recent; the oldest go
 * when those of one mutex are more than 1,024 or their snapshots more than 1 MiB. */
#ifndef TANDEM_STORE_BOXES_H
#define TANDEM_STORE_BOXES_H

#include "core/net/loop.h"
#include "store/notify.h"
#include "store/snapshot.h"

struct env;
struct store_reader;
struct store_view;
struct stripe;

enum { RING_EVENTS = 64, RING_OCTETS = 8192 };

/* The messages whose flags one commit has changed. */
struct ring_event {
    struct ring_event *next;
    uint64_t modseq;
    uint8_t n;
    bool many; /* look at the rows */
    uint32_t uid[];
};

/* A loop that has views of this mailbox. */
struct watch {
    struct post post; /* first: a post of ours is the watch */
    struct watch *next;
    struct box_object *object;
    struct store_reader *reader;
    struct env *env;
    /* The loop's own. */
    struct store_view *views;
    struct store_view *walk; /* the next to hear, while views are being told */
    bool walking;
    bool behind; /* is in the reader's list; then it is posted too */
    struct watch *behind_next;
    uint64_t behind_txn; /* what it waits to see */
    /* Under the mutex. */
    bool posted;
    uint64_t txn;  /* of the newest event */
    uint64_t seen; /* modseq that all its views have reached */
};

struct box_object {
    struct box_object *next;          /* of the hash chain */
    struct box_object *older, *newer; /* while idle */
    struct stripe *stripe;
    uint64_t hash;
    uint32_t a, m;
    uint32_t users;      /* pins and watches */
    uint32_t recent_uid; /* messages above it are recent; 0 = not known better than the row */
    struct snapshot *newest;
    struct told_pin *pins;
    struct watch *watches;
    /* All changes of flags in (ring_floor, ring_top] are in the ring; 0, 0: it knows nothing. */
    struct ring_event *ring, *ring_last;
    uint64_t ring_floor, ring_top;
    uint32_t ring_n, ring_octets;
};

void object_lock(struct box_object *object);
void object_unlock(struct box_object *object);
void object_use(struct box_object *object);   /* locked */
void object_unuse(struct box_object *object); /* locked; it may be gone after the unlock */
/* Found and locked; NULL: nobody has it open, nothing is locked. */
struct box_object *boxes_lock(struct boxes *boxes, uint32_t a, uint32_t m);

/* A counted reference to the newest snapshot; NULL when there is none. */
struct snapshot *object_newest(struct box_object *object);
/* Makes it the newest unless that one is newer. */
void object_offer(struct box_object *object, struct snapshot *snap);
/* UIDs up to `upto` are about to be told; those above the result are recent. `stored`: recent_uid
 * of the row. With `claim` they are recent for nobody after this call (RFC 3501 section 2.3.2). */
uint32_t object_recent(struct box_object *object, uint32_t stored, uint32_t upto, bool claim);

/* Adds to `uids` (room for EVENT_UIDS) the messages whose flags have changed in (after, upto].
 * False: too many, or the ring does not reach back so far; look at the rows. */
bool object_flags(struct box_object *object, uint64_t after, uint64_t upto, uint32_t *uids,
                  unsigned *n);
void ring_clear(struct box_object *object); /* locked, or in nobody's hands */

/* The view's loop hears of every commit from now on. `seen`: modseq of what the view stands on. */
void watch_join(struct store_view *view, uint64_t seen);
void watch_leave(struct store_view *view);
/* view.c: a commit has touched the mailbox. Rebases the view and tells its watcher. */
void view_on_event(struct store_view *view);

#endif
