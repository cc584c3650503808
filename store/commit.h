/* The committer: one thread per env that folds what waits into one write turn, flushes once and
 * answers all. Group commit needs no delay: what comes while one turn is flushed is the next turn.
 *
 *   loops, pool --- committer_submit ---> lanes (one per account, FIFO)
 *                                           | 8 ops of each account in turn, within the budget
 *                                           v
 *                       turn: apply, apply, ... | upkeep slice | commit (two flushes)
 *                                           v
 *                       events to the mailbox objects, then completions to the loops
 *
 * An op checks first and writes after: one that returns an error without having written is refused
 * alone. One that fails after it wrote, or finds no room, aborts the turn; the others are replayed
 * one by one, so `apply` must be repeatable: it keeps nothing of an earlier try. */
#ifndef TANDEM_STORE_COMMIT_H
#define TANDEM_STORE_COMMIT_H

#include "core/net/loop.h"
#include "store/env.h"
#include "store/notify.h"

struct op;
struct turn;
struct upkeep;

enum {
    TURN_PAGES = 4096, /* dirty pages of a turn of small ops: 16 MiB */
    TURN_OPS = 512,
    TURN_OCTETS = 2 << 20, /* of bodies */
    TURN_PER_ACCOUNT = 8,
    OP_PAGES_MAX = 50000,     /* LMDB's own limit is 131,071 and its spilling leaks below that */
    OP_MESSAGES_MAX = 200000, /* of one batch */
    QUEUE_OPS = 4096,
    QUEUE_OCTETS = 256 << 20,
    UPKEEP_PAGES = 1024,
    UPKEEP_NS = 5 * 1000 * 1000 /* of a slice that looks for its work, account by account */
};

struct op_kind {
    const char *name;
    /* Committer's thread. Fills op->result. ERR_OK with op->again set: more of it in a later turn.
     */
    enum err (*apply)(struct op *op, struct turn *turn);
    /* Frees the op (embedded in what the kind allocates) after its completion, on any thread. */
    void (*release)(struct op *op);
    bool grows; /* adds messages: refused while the disk is below its reserve */
    /* After a commit that leaves more to do (op->again), before it is queued anew. May be NULL. */
    void (*committed)(struct op *op);
    /* It was refused, result.err says why: may put in what earlier turns have done. May be NULL. */
    void (*refused)(struct op *op);
};

/* One atomic change on its way. Embed it; zero-initialise; committer_submit takes it over. */
struct op {
    struct op *next;
    const struct op_kind *kind;
    struct env *env;
    uint32_t acct;    /* whose lane */
    uint32_t pages;   /* estimate of what it dirties */
    uint32_t octets;  /* of bodies */
    uint64_t arrival; /* private */
    bool again;       /* set by apply: put it back at the head of its lane */
    bool internal; /* not counted against the queue's bounds (maintenance, pieces of one command) */
    struct store_to to;
    struct store_result result;
    struct post post; /* private */
};

/* The write turn as an op sees it. Every change goes through turn_put and its kin. */
struct turn {
    struct env *env;
    struct engine_txn *txn;
    uint64_t id;          /* what the commit will be called */
    uint32_t now;         /* wall clock, never behind sys.clock */
    bool wrote;           /* the current op has changed something */
    bool state_dirty;     /* next_blob, clock, ... must be written */
    struct event *events; /* to publish, newest first until then */
    uint64_t *orphans;    /* bodies that lost their last reference: reap.c takes them over */
    size_t norphans, orphans_cap;
    bool transients;      /* transient `gone` rows were made */
    const void *slice_of; /* whose slice of upkeep ran in it, noted by that one for its commit */
};

MUST_CHECK enum err turn_put(struct turn *turn, unsigned dbi, struct slice key, struct slice value);
MUST_CHECK enum err turn_append(struct turn *turn, unsigned dbi, struct slice key,
                                struct slice value);
MUST_CHECK enum err turn_append_room(struct turn *turn, unsigned dbi, struct slice key, size_t len,
                                     void **ret);
MUST_CHECK enum err turn_del(struct turn *turn, unsigned dbi, struct slice key);
MUST_CHECK enum err turn_acct_save(struct turn *turn, const struct acct *acct);
MUST_CHECK enum err turn_box_save(struct turn *turn, const struct box *box);
/* A blob id, never given before or again. */
uint64_t turn_new_blob(struct turn *turn);
/* refs += by; at 0 a `reap` row and an orphan. */
MUST_CHECK enum err turn_blob_ref(struct turn *turn, uint64_t blob, int by);
/* A line of the journal: seq = last + 1; one with many ranges of UIDs takes several rows. `actor`
 * names protocol and connection. What waits of the account's lines comes before it. */
struct journal_line {
    const struct actor *actor;
    uint32_t a, m, other_m, detail;
    enum log_what what;
    const struct uidset *uids; /* NULL: it is about the mailbox */
    const struct uidset *from; /* their UIDs in other_m, in step; `uids` is one range then */
};
MUST_CHECK enum err turn_journal(struct turn *turn, const struct journal_line *line);
/* The same for what happens all the time: it waits for a line of the account that is written
 * anyway, or a minute (store/journal.h). The op's last step: an op that has called it succeeds.
 * `uids` is there. */
MUST_CHECK enum err turn_journal_later(struct turn *turn, const struct journal_line *line);
/* An event for whoever watches this mailbox; fill it with event_add. Says box's modseq, uidnext and
 * expunge_modseq as they are when the turn ends: take it after the box has its final values. */
struct event *turn_event(struct turn *turn, const struct box *box);
void turn_account_event(struct turn *turn, uint32_t a, uint32_t m, enum account_event kind);

MUST_CHECK enum err committer_new(struct env *env, struct committer **ret);
/* Starts the thread; before that nothing runs. */
void committer_start(struct committer *committer);
/* Any thread. Always takes the op: when the queue is full or the store closes, its completion says
 * ERR_AGAIN. */
void committer_submit(struct committer *committer, struct op *op);
/* The completion of an op that was never submitted, or whose outcome came from elsewhere. */
void op_complete(struct op *op);
/* Runs out what waits, then the thread ends. */
void committer_stop(struct committer *committer);
void committer_free(struct committer *committer);

/* --- upkeep: work that nobody waits for ----------------------------------------------------------
 */
/* Runs in what is left of a turn's budget, one kind a turn in rotation, at least one slice a
 * second. */
struct upkeep {
    const char *name;
    /* Is there something to do now? Cheap; the committer's thread, between turns. */
    bool (*due)(struct env *env, uint32_t now);
    /* Do at most `pages` worth of it. Errors as with an op. */
    enum err (*slice)(struct turn *turn, unsigned pages);
    /* The turn of a slice that returned ERR_OK has been committed. May be NULL. */
    void (*committed)(struct env *env);
    bool at_stop; /* the committer does not end before it is no longer due */
};
/* Before committer_start; at most 16; lives as long as the committer. */
void committer_add_upkeep(struct committer *committer, const struct upkeep *upkeep);
/* Something has become due: do not sleep over it. */
void committer_nudge(struct committer *committer);
/* After a commit, before its events go out: reap.c notes orphans and transients with the turn's id.
 */
void reap_committed(struct env *env, const struct turn *turn);

struct committer_stats {
    uint64_t turns, ops, refused_full, replays, upkeep_slices, pages_large;
    uint64_t looks; /* how often the thread has looked for something to do */
    unsigned queued;
};
void committer_stats(struct committer *committer, struct committer_stats *ret);

#endif
