/* Inside the store: one LMDB environment with everything that belongs to it. A shard is one, the
 * catalog is one. Not seen outside store/. */
#ifndef TANDEM_STORE_ENV_H
#define TANDEM_STORE_ENV_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/mime/mime.h"
#include "store/chain.h"
#include "store/engine.h"
#include "store/keys.h"
#include "store/store.h"

struct boxes;
struct columns;
struct committer;
struct expire;
struct gone;
struct journal;
struct lately;
struct lazy;
struct live_table;
struct pins;
struct watch;
struct reaper;
struct retire;
struct sweep;
struct trim;
struct window;

enum { SHARDS_MAX = 64, READER_SLOTS = 512, ENV_CATALOG = SHARDS_MAX };

struct env {
    struct store *store;
    unsigned index; /* shard number, or ENV_CATALOG */
    char *dir;
    int owner_fd; /* holds the flock of OWNER */
    struct engine *engine;
    struct committer *committer; /* NULL in a read-only store */
    struct pins *pins;
    struct reaper *reaper; /* these six: upkeep, the committer's thread */
    struct expire *expire;
    struct gone *gone;
    struct sweep *sweep;
    struct trim *trim;
    struct window *window;
    struct retire *retire;
    struct lazy *lazy;       /* rows that wait; NULL in the catalog */
    struct journal *journal; /* lines that wait: the committer's thread */

    /* Fixed after open. */
    uint32_t restores; /* sys.restores: mailbox rows behind it are lifted as they are read */
    unsigned char sip_key[16]; /* of keys made from what mail says (Message-ID) */

    /* The committer's thread only. */
    uint64_t next_blob; /* the next B; those below blobs_end are taken ahead in `sys` */
    uint64_t blobs_end;
    uint32_t next_acct; /* catalog */
    uint64_t generation;
    uint64_t clock; /* highest wall time written or seen */

    _Atomic bool
        disk_low; /* below the reserve: gone.c gives up the oldest of the undelete window */

    /* The grace gate: what each reader may still see. 0 idle, GATE_BUSY about to renew, else the id
     * of its snapshot. Sequentially consistent (store/README.md, "grace gate"). */
    _Atomic uint64_t gate[READER_SLOTS];
    _Atomic uint64_t turnstile; /* orders gate_enter and gate_passed */
};

enum { GATE_BUSY = 1 };

/* A reader is about to renew its snapshot: its slot is BUSY. The renew comes after this call, then
 * the reader publishes the snapshot's id, and 0 once the snapshot has been reset and all it found
 * is claimed. The reader's thread. */
void gate_enter(struct env *env, unsigned slot);
/* True when no reader can see what a commit with id `txn` has orphaned, and none ever will: what is
 * not claimed now may be destroyed. Call it after the commit. Any thread. */
bool gate_passed(struct env *env, uint64_t txn);

struct store {
    struct store_conf conf;
    char *path;
    struct env *catalog;
    struct env *shard[SHARDS_MAX];
    unsigned nshards;
    struct pool *pool; /* after store_start */
    struct live_table *live;
    struct boxes *boxes;              /* mailbox objects in use */
    struct columns *columns;          /* what searches have read before */
    struct chains chains;             /* accounts being made and removed */
    _Atomic uint64_t undelete_octets; /* of all shards, for the metric */
    pthread_mutex_t settings_lock;
    struct config *config;          /* the newest; counted */
    struct mime_limits mime_limits; /* of the same */
    uint32_t log_days, log_rows;    /* of the same */
    _Atomic uint32_t keywords;      /* of a mailbox; of the same, but read without the lock */
    pthread_mutex_t readers_lock;
    struct store_reader *readers; /* all that exist */
    uint64_t slots_used[READER_SLOTS / 64];
    unsigned char sip_key[16]; /* random per process: tables keyed from outside */
};

struct store_reader {
    struct store *store;
    struct store_reader *next;
    struct loop *loop;
    unsigned slot;
    struct engine_txn *snap[SHARDS_MAX + 1];
    bool live[SHARDS_MAX + 1];
    bool any_live;
    struct lately *lately; /* NULL: not of a loop */
    struct watch *behind;  /* have events that this turn's snapshot does not show (notify.c) */
};

/* The reader's snapshot of this env, renewed at its first use since the reader was idle. */
MUST_CHECK enum err reader_snap(struct store_reader *reader, struct env *env,
                                struct engine_txn **ret);
/* A completion or event of commit `txn` reached the loop in a turn whose snapshot is older: it must
 * wait for the next turn, and so must all that came behind it. */
bool reader_is_behind(const struct store_reader *reader, const struct env *env, uint64_t txn);

/* Who makes a change, for the journal; copied into every op. */
struct actor {
    enum store_proto proto;
    uint64_t conn;
    unsigned char address[16]; /* IPv6, or IPv4 mapped; zero: local */
    uint8_t client_len;
    char client[63]; /* IMAP ID or POP3 fingerprint */
};

/* An account as one session has it open. */
struct store_account {
    struct store *store;
    struct env *env;
    uint32_t a;
    uint64_t nonce;
    struct store_limits limits;
    struct actor actor;
    struct slice login; /* owned */
};

/* --- rows with their texts ----------------------------------------------------------------------
 */
/* Decoded rows whose texts are copied, so that they outlive the next change in a turn. */

struct acct {
    uint32_t a;
    struct row_acct row;
    char login[320];
};

struct box {
    uint32_t a, m;
    struct row_mbox row;
    char path[PATH_OCTETS_MAX];
};

/* ERR_NOTFOUND. `txn`: a snapshot or a turn. */
MUST_CHECK enum err acct_load(struct engine_txn *txn, uint32_t a, struct acct *ret);
/* Applies the lift when the row is from before a restore (store/README.md, "the lift"). */
MUST_CHECK enum err box_load(struct engine_txn *txn, const struct env *env, uint32_t a, uint32_t m,
                             struct box *ret);
/* As if so many older files had been put in place since the row was written. */
void box_lift(struct row_mbox *row, uint32_t by_restores);
/* By path, through `name`. ERR_NOTFOUND, also for \Noselect. */
MUST_CHECK enum err box_find(struct engine_txn *txn, const struct env *env, uint32_t a,
                             struct slice path, struct box *ret);
/* Modseq of a message as it is shown: never below the mailbox's floor. */
static inline uint64_t box_modseq(const struct box *box, uint64_t slot_modseq)
{
    return slot_modseq > box->row.modseq_floor ? slot_modseq : box->row.modseq_floor;
}
/* The slot of one message; ERR_NOTFOUND. */
MUST_CHECK enum err slot_load(struct engine_txn *txn, uint32_t a, uint32_t m, uint32_t uid,
                              struct hot_slot *ret);

#endif
