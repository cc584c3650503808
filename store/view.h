/* A view from inside: a mailbox as one session has been told of it.
 *
 *      messages = those of `snap` with UID <= told_uid, and the ghosts
 *
 * The snapshot follows the mailbox at every commit (rebase.c), so that all views of a mailbox share
 * one; what is private is only what the client does not know yet: told_uid, the ghosts, and which
 * flags are behind. view_sync.c tells it. The rows are the truth in all of it: events only wake,
 * and say where to look.
 *
 * A view belongs to the thread of its reader. */
#ifndef TANDEM_STORE_VIEW_H
#define TANDEM_STORE_VIEW_H

#include "store/env.h"
#include "store/notify.h"
#include "store/snapshot.h"

struct watch;

enum {
    GHOSTS_MAX = 100000,
    FLAGGED_MAX = 1024, /* of one store_view_sync */
    /* A larger mailbox is counted by the pool, not by a loop: 100,000 messages take 0.2 ms when
     * their pages are mapped, 7 ms when they are only in the page cache, 10 times that on disk. */
    LOOP_BUILD_MESSAGES = 50000
};

/* Expunged, not told. `time` with the UID names the `gone` row. */
struct ghost {
    uint32_t uid, time;
};

/* Flags that the session itself has set and told. */
struct view_own {
    uint64_t modseq;
    struct uidset uids;
};

struct view_keywords {
    unsigned n;
    bool full;
    struct slice word[]; /* the texts follow */
};

struct store_view {
    struct told_pin pin; /* told */
    struct store_account *account;
    struct store_reader *reader;
    struct watch *watch; /* NULL: no loop, it moves only with store_view_sync */
    struct store_view *next, *prev;

    uint32_t m, uidvalidity;
    uint64_t mailboxid, modseq_floor;
    bool read_only;
    bool dead;              /* the mailbox has been deleted */
    bool dead_told;         /* and the client knows */
    bool lost;              /* it shows what can be brought back (recover.c), and stands still */
    uint32_t lost_time;     /* when its mailbox was deleted; 0: it is there */
    uint32_t *lost_sizes;   /* of the ghosts of a lost one */
    struct uidset restored; /* of a lost one: brought back, and not told */

    struct snapshot *snap;
    uint32_t told_uid;
    uint64_t numbering;  /* rises when message numbers may mean others */
    uint64_t seen;       /* highestmodseq of the rows that the view stands on */
    uint64_t flags_told; /* every change of flags up to here has been told */

    struct ghost *ghosts; /* by UID */
    uint32_t nghosts, ghosts_cap, ghosts_max;
    uint64_t ghost_modseq; /* of the oldest */

    /* Whose flags may have changed in (flags_told, seen]. */
    uint32_t pending[EVENT_UIDS];
    unsigned npending;
    bool scan; /* too many to name: look at the rows */
    uint32_t flagged_max;
    struct {
        bool on;
        uint32_t next_uid, last_uid;
        uint64_t upto; /* flags_told when it is through */
    } walk;            /* a scan under way over several calls */
    struct view_own *own;
    unsigned nown;

    struct uidset recent;
    uint32_t nrecent;
    struct view_keywords *keywords;
    uint64_t keywords_seen; /* they are as of this modseq */
    struct {
        uint64_t txn, bits; /* of this snapshot's keywords, those that have the same names */
    } meant;

    uint64_t watcher;
    void (*changed)(void *object);

    bool cold; /* a cursor's last step had to wait for the disk */

    /* What the last store_view_sync lent. */
    struct uidset vanished;
    uint32_t *expunged;
    struct store_flagged *flagged;
    uint32_t flagged_cap;

    /* The bucket that was read last, as long as the snapshot stays the same. */
    struct {
        uint64_t txn; /* 0: none */
        uint32_t bucket;
        bool there;
        struct hot_row row;
    } at;
};

static inline struct store_account *view_account(const struct store_view *view)
{
    return view->account;
}

static inline uint32_t view_mailbox(const struct store_view *view)
{
    return view->m;
}

/* Changes of flags up to this modseq are known to the client. Above store_view_told while an
 * EXPUNGE is held back. */
static inline uint64_t view_flags_told(const struct store_view *view)
{
    return view->flags_told;
}

/* Look at the rows: move the snapshot on, note ghosts and changed flags, or find the mailbox
 * deleted. ERR_LIMIT: more than `ghosts_max` ghosts; the view has not moved. `box` is filled unless
 * the mailbox is gone. */
MUST_CHECK enum err view_rebase(struct store_view *view, uint32_t ghosts_max,
                                struct engine_txn **ret_txn, struct box *box);
/* Snapshot of box's version, from the object or made and shared. `base`: an older one or NULL.
 * `expunged`: what went since base. */
MUST_CHECK enum err view_snapshot(struct box_object *object, struct engine_txn *txn,
                                  const struct box *box, const struct snapshot *base,
                                  const struct uidset *expunged, struct snapshot **ret);
/* Every UID of the tombstones in (after, upto]. `each` may be NULL; it returns an error to stop. */
typedef enum err view_tomb_each(void *arg, uint64_t modseq, uint32_t time, uint32_t first,
                                uint32_t last);
MUST_CHECK enum err view_tombs(struct engine_txn *txn, const struct box *box, uint64_t after,
                               view_tomb_each *each, void *arg);
/* store_view_sync of a lost view. */
MUST_CHECK enum err recover_sync(struct store_view *view, unsigned what, struct store_changes *ret);
/* Is there anything that store_view_sync would tell? */
bool view_has_news(const struct store_view *view);
/* told = what the client may base HIGHESTMODSEQ on (RFC 7162 section 3.2). */
void view_set_told(struct store_view *view);

/* The first message of the view >= uid; 0 = none. */
uint32_t view_next(const struct store_view *view, uint32_t uid, bool *ret_ghost);
const struct ghost *view_ghost(const struct store_view *view, uint32_t uid);
uint32_t view_ghosts_upto(const struct store_view *view, uint32_t uid); /* with UID <= uid */
/* The bucket of `hot` that holds the UID; NULL in *ret when there is none. */
MUST_CHECK enum err view_bucket(struct store_view *view, struct engine_txn *txn, uint32_t uid,
                                const struct hot_row **ret);
/* True when the keyword table has changed. */
MUST_CHECK enum err view_load_keywords(struct store_view *view, struct engine_txn *txn,
                                       bool *ret_changed);
/* Keywords of a message as the client can name them. A bit that has got another name since the
 * table was told is left out: it comes with the table, by store_view_sync. */
MUST_CHECK enum err view_known_keywords(struct store_view *view, struct engine_txn *txn,
                                        const struct hot_slot *slot, uint64_t *ret);
bool view_is_recent(const struct store_view *view, uint32_t uid);
/* The messages (from, upto] are being told: which of them are recent in this session? */
void view_claim_recent(struct store_view *view, uint32_t stored, uint32_t from, uint32_t upto);

#endif
