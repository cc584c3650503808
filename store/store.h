/* The store: accounts, mailboxes, views, messages and their changes, on disk in format 1
 * (store/README.md has the data model, the layouts and the invariants).
 *
 * Reads are synchronous, bounded, and run where they are asked for: on a loop or a pool thread, by
 * that thread's reader. What a read lends (slices from the map) lives until store_reader_idle,
 * which the loop calls at the end of its turn. ERR_AGAIN from a read means "these pages are cold":
 * hand the same call to the pool (store_warm) and go on when it is back.
 *
 * Writes are asynchronous: the call returns at once, the change is one atomic batch on the
 * committer, and `done` runs on the asking loop after the commit is on disk, or with an error and
 * nothing changed. The store knows no protocol and no socket. */
#ifndef TANDEM_STORE_STORE_H
#define TANDEM_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/base/slice.h"
#include "store/uidset.h"

struct job;
struct loop;
struct pool;
struct store;
struct store_account;
struct store_body;
struct store_incoming;
struct store_live;
struct store_lost_tree;
struct store_maildrop;
struct store_reader;
struct store_view;
struct store_window;

/* --- opening -------------------------------------------------------------------------------- */

struct store_conf {
    const char *path;     /* the store's root directory; made if missing (its parent must exist) */
    unsigned shards;      /* 1..64; 0 = 1 */
    uint64_t map_size;    /* 0 = auto */
    uint64_t reserve;     /* octets kept free on the disk; 0 = 2 %, within 64 MiB..1 GiB */
    const char *allow_fs; /* further file systems to accept, by comma; NULL = none */
    uint32_t log_days, log_rows; /* journal, per account; 0 = 90, 20000 */
    bool read_only;              /* `tandem check` beside nothing: no committer, no sweep */
};

/* Takes the OWNER lock, checks format and generation, sweeps what a crash left. ERR_BUSY: another
 * daemon owns it; ERR_CORRUPT: damaged, foreign or newer files, the fault says what to do. Creates
 * an empty store where there is none. Before loops run. */
MUST_CHECK enum err store_open(const struct store_conf *conf, struct store **ret,
                               struct fault *why);
/* The pool does cold page-in, verify and scans. Timers start (expiry, trims, reaper). */
void store_start(struct store *store, struct pool *pool);
/* What the newest configuration says: the settings of timers that have no login at hand (the
 * undelete window, expiry, the journal), and how much of an arriving message is looked at ([limits]
 * mime_depth and so on); before the first call what an empty file says. Any thread; the config is
 * counted until the next call or the store's end. */
void store_set_config(struct store *store, const struct config *config);
/* All sessions are gone. Does what was submitted and writes lazy rows; later changes get ERR_AGAIN.
 * While the loops still run, so that every completion reaches its loop and gives back what it
 * holds. */
void store_stop(struct store *store);
/* The loops have ended. Stops, if that was not done, marks a clean shutdown, closes. NULL shrugs.
 */
void store_close(struct store *store);

/* One per loop or worker thread: its read transactions and its slot in the grace gate. `loop` NULL:
 * a worker or a tool. A reader of a loop is found by store_reader_of. */
MUST_CHECK enum err store_reader_new(struct store *store, struct loop *loop,
                                     struct store_reader **ret);
void store_reader_free(struct store_reader *reader);
struct store_reader *store_reader_of(struct store *store, struct loop *loop);
/* End of the callback: every slice from the map dies here. Called by the loop's turn-end hook for
 * readers of loops; by workers and tools themselves. */
void store_reader_idle(struct store_reader *reader);

/* --- completions ---------------------------------------------------------------------------- */

/* What became of one recipient or one message of an append. */
struct store_arrival {
    enum err err;
    uint32_t mailbox, uidvalidity, uid;
};

/* Messages that timers took: what their settings name, and what left the undelete window. */
struct store_expired {
    uint64_t pop3, autoexpunge, undelete;
    uint64_t octets; /* of the first two */
};

/* Sets are sorted and lent for the length of `done`. Only what the change asked for is filled. */
struct store_result {
    enum err err;
    uint64_t txnid;
    uint64_t modseq;      /* of this change, in the mailbox that it changed (destination of COPY) */
    uint32_t mailbox;     /* M: created, or destination */
    uint32_t uidvalidity; /* of `mailbox` */
    uint32_t acct;        /* store_user_create */
    struct uidset source; /* COPY, MOVE: in step with `dest`; expunge: what went */
    struct uidset dest;
    struct uidset changed;  /* flags: all at `modseq` */
    struct uidset same;     /* nothing to change */
    struct uidset modified; /* failed UNCHANGEDSINCE */
    struct uidset
        foreign; /* of changed and same: changed by somebody else since the view was told */
    struct uidset missing;          /* expunged meanwhile */
    struct store_arrival *arrivals; /* messages x recipients, recipient by recipient */
    size_t narrivals;
    struct store_expired expired;            /* store_expire */
    const struct store_structure *structure; /* store_warm_structure */
    const struct store_lost_tree *lost;      /* store_warm_lost; lent */
    struct store_view *view;                 /* store_warm_lost_view; the caller's from here on */
    bool keyword_dropped; /* the table was full: a keyword of an append or copy was left out */
    struct fault why;     /* for the log */
};

/* `object` is what `id` names on the loop; if that has gone, the call is dropped: the change
 * stands. */
typedef void store_done(void *object, const struct store_result *result);

/* Where the completion goes. loop NULL: `done` runs on the committer's thread, with `id` cast to a
 * pointer, and must not call the store (tools and tests: see store_wait). */
struct store_to {
    struct loop *loop;
    uint64_t id;
    store_done *done;
};

/* Waits for one write on a thread that is not a loop's: pass store_wait_to(&w), then
 * store_wait(&w). The result's sets are copied out if `ret` is not NULL; free them with
 * store_result_finish. */
struct store_wait;
MUST_CHECK struct store_wait *store_wait_new(void);
struct store_to store_wait_to(struct store_wait *wait);
enum err store_wait(struct store_wait *wait, struct store_result *ret); /* frees `wait` */
void store_result_finish(struct store_result *result);

/* --- logins and accounts -------------------------------------------------------------------- */

enum { /* struct store_user.flags */
       USER_MASTER = 1,
       USER_NO_IMAP = 2,
       USER_NO_POP3 = 4,
       USER_NO_LMTP = 8
};

enum { CRED_NO_DELETE = 1, CRED_READ_ONLY = 2, CRED_DISABLED = 4 }; /* struct store_cred.flags */
enum { CRED_IMAP = 1, CRED_POP3 = 2, CRED_CONTROL = 4 }; /* struct store_cred.protocols */

struct store_cred {
    uint32_t id;
    uint8_t flags, protocols;
    uint64_t created;
    struct slice name;
    struct slice verifier; /* "{CRYPT}$y$..." */
};

struct store_opt {
    struct slice name, value; /* "pop3.hide_seen", "yes" */
    bool of_domain;
};

struct store_user {
    struct slice login; /* local@domain, lower case */
    uint32_t acct;
    uint16_t shard;
    uint64_t nonce;
    uint32_t flags;
    bool disabled;
    struct store_cred *creds;
    size_t ncreds;
    struct store_opt *opts; /* domain's first, then the account's: the later one wins */
    size_t nopts;
};

/* What settings allow this account, resolved at login or RCPT and carried in every change. 0 =
 * none. */
struct store_limits {
    uint64_t quota_octets, quota_messages;
    uint32_t mailboxes;
    uint64_t message_octets;
    uint32_t undelete_s; /* 0: the window is off */
};

/* `login` in its normal form. Everything in ret lives in the arena. ERR_NOTFOUND. */
MUST_CHECK enum err store_user_find(struct store_reader *reader, struct slice login,
                                    struct arena *arena, struct store_user *ret);
/* Resolve an address for delivery: exact account, else alias (<= 256 targets, users without their
 * credentials). The catch-all of a domain is the alias "@domain", asked for by that name: between
 * an address with a detail and the catch-all the caller tries it without. ERR_NOTFOUND. */
MUST_CHECK enum err store_address_find(struct store_reader *reader, struct slice address,
                                       struct arena *arena, struct store_user **ret, size_t *ret_n);
/* The login of an account, in the arena. ERR_NOTFOUND. */
MUST_CHECK enum err store_user_login(struct store_reader *reader, uint32_t acct,
                                     struct arena *arena, struct slice *ret);
/* Every alias from `from` on, in order; `each` returns false to stop. */
MUST_CHECK enum err store_alias_each(struct store_reader *reader, struct slice from,
                                     bool (*each)(void *arg, struct slice address,
                                                  const uint32_t *targets, size_t n),
                                     void *arg);
MUST_CHECK enum err store_domain_find(struct store_reader *reader, struct slice domain);
/* Every domain in order; `each` returns false to stop. */
MUST_CHECK enum err store_domain_each(struct store_reader *reader,
                                      bool (*each)(void *arg, struct slice domain), void *arg);
/* The settings of a domain, in the arena. ERR_NOTFOUND. */
MUST_CHECK enum err store_domain_opts(struct store_reader *reader, struct slice domain,
                                      struct arena *arena, struct store_opt **ret, size_t *ret_n);
/* 16 random octets that this store has had since it was made, and that never leave the process: a
 * key for what must look the same after a restart. Any thread. */
void store_lasting_key(const struct store *store, unsigned char ret[16]);
/* Every login in order; `each` returns false to stop. */
MUST_CHECK enum err store_user_each(struct store_reader *reader, struct slice from,
                                    bool (*each)(void *arg, struct slice login, uint32_t acct),
                                    void *arg);

/* Every override of this setting, of domains and of accounts, in no order; `each` returns false to
 * stop. Walks over all overrides there are. */
MUST_CHECK enum err
store_override_each(struct store_reader *reader, struct slice name,
                    bool (*each)(void *arg, struct slice name, struct slice value), void *arg);

/* An account as one session has it open: nonce checked, limits fixed. Counted by nobody else. */
MUST_CHECK enum err store_account_open(struct store_reader *reader, const struct store_user *user,
                                       const struct store_limits *limits,
                                       struct store_account **ret);
void store_account_close(struct store_account *account); /* NULL shrugs */
uint32_t store_account_id(const struct store_account *account);
unsigned store_account_shard(const struct store_account *account);
struct slice store_account_login(const struct store_account *account);
const struct store_limits *store_account_limits(const struct store_account *account);
/* The connection on whose behalf changes are made, for the journal. */
enum store_proto { PROTO_NONE, PROTO_IMAP, PROTO_POP3, PROTO_LMTP, PROTO_CONTROL, PROTO_TIMER };
void store_account_set_actor(struct store_account *account, enum store_proto proto,
                             uint64_t connection_id);
/* Where it comes from: 16 octets (IPv4 mapped), and what it calls itself (IMAP ID; cut at 63). */
void store_account_set_origin(struct store_account *account, const unsigned char address[16],
                              struct slice client);
/* Somebody has logged in, with the protocol of the actor: for the account's row, some time later.
 * Any thread. */
void store_account_logged_in(struct store_account *account);

struct store_usage {
    uint64_t octets, messages, gone_octets, gone_messages;
    uint32_t created, last_imap, last_pop3; /* when; logins: 0 = never; some minutes late */
};
MUST_CHECK enum err store_usage(struct store_reader *reader, struct store_account *account,
                                struct store_usage *ret);
/* Would `messages` of together `octets` fit the quota now? For RCPT and the `+` of APPEND. */
MUST_CHECK enum err store_quota_check(struct store_reader *reader, struct store_account *account,
                                      uint64_t octets, uint64_t messages);

/* Count messages anew: are all counters of the account and its mailboxes right? Worker or tool
 * thread. */
MUST_CHECK enum err store_recount_check(struct store_reader *reader, struct store_account *account,
                                        bool *ret_right);
/* Count them anew and mend what is wrong, in one turn: after store_recount_check, which has the
 * rows paged in, and only if it says so. */
void store_recount(struct store_account *account, struct store_to to);

/* Make the account, its default mailboxes (INBOX Sent Drafts Trash Junk Archive, subscribed, with
 * their special use) and its first credential. ERR_EXISTS; ERR_NOTFOUND: no such domain. */
void store_user_create(struct store *store, struct slice login, struct slice verifier,
                       struct slice uidl_format, struct store_to to);
void store_user_delete(struct store *store, struct slice login, struct store_to to);
/* Replace flags, state, credentials or options: what `user` points to, its `acct` and `shard` kept.
 */
void store_user_set(struct store *store, const struct store_user *user, struct store_to to);
void store_domain_create(struct store *store, struct slice domain, struct store_to to);
/* Replace its settings (of_domain is true in each). ERR_NOTFOUND. */
void store_domain_set(struct store *store, struct slice domain, const struct store_opt *opts,
                      size_t n, struct store_to to);
/* ERR_BUSY: it still has accounts or aliases. ERR_NOTFOUND. */
void store_domain_delete(struct store *store, struct slice domain, struct store_to to);
/* `targets` are accounts; n = 0 deletes the alias. ERR_LIMIT over 256. */
void store_alias_set(struct store *store, struct slice address, const uint32_t *targets, size_t n,
                     struct store_to to);

/* --- who is in (store/live.c) --------------------------------------------------------------- */

struct store_live_conf {
    enum store_proto proto;
    uint64_t peer_key;                   /* conn_peer_key */
    unsigned per_user, per_user_address; /* 0 = no limit */
    struct loop *loop;                   /* where `kick` runs, with the object of `id` */
    uint64_t id;
    void (*kick)(void *object);
    uint64_t session; /* connection id, as the log has it */
};
/* ERR_LIMIT: too many sessions of this account, or of this account and address. */
MUST_CHECK enum err store_live_enter(struct store_account *account,
                                     const struct store_live_conf *conf, struct store_live **ret);
void store_live_leave(struct store_live *live); /* NULL shrugs; frees the maildrop lock too */
/* Where it comes from and what it calls itself: as store_account_set_origin. */
void store_live_origin(struct store_live *live, const unsigned char address[16],
                       struct slice client);
/* A command has come or is over, and this mailbox is selected (M; 0: none). Any thread, two stores;
 * NULL shrugs. */
void store_live_active(struct store_live *live, uint32_t mailbox);
/* Tell all sessions of the account to end, or the one with this connection id; how many. */
unsigned store_live_kick(struct store *store, uint32_t acct);
unsigned store_live_kick_session(struct store *store, uint64_t session);

struct store_live_info {
    uint32_t acct;
    enum store_proto proto;
    uint64_t session;
    unsigned char address[16]; /* zero: a local socket */
    uint32_t since;            /* login, wall clock */
    uint64_t idle_ms;
    uint32_t mailbox; /* M; 0: none is selected */
    char client[64];
};
/* Everybody who is in, account by account; freed by the caller with mem_free. Returns how many. */
size_t store_live_list(struct store *store, struct store_live_info **ret);
/* Octets of the maildrop holder's output that the kernel holds have been unacknowledged since when
 * (loop clock, ms; 0 = none): told by its session, asked when a second login comes. */
void store_live_stalled(struct store_live *live, uint64_t since_ms);

/* --- mailboxes ------------------------------------------------------------------------------ */
/* Paths are UTF-8 NFC with '/' between components, INBOX in upper case: what the front end has
 * decoded. store_path_check refuses what CONTRACTS section 4 refuses (ERR_CANNOT), normalises INBOX
 * and returns the path in the arena. */
MUST_CHECK enum err store_path_check(struct slice wire, struct arena *arena, struct slice *ret);

enum { /* struct store_mailbox.flags */
       MAILBOX_NOSELECT = 1,
       MAILBOX_NOINFERIORS = 2,
       MAILBOX_SUBSCRIBED = 4,
       MAILBOX_CHILDREN = 8,
       MAILBOX_NONEXISTENT = 16 /* subscribed only */
};

enum special_use {
    USE_NONE,
    USE_SENT,
    USE_DRAFTS,
    USE_TRASH,
    USE_JUNK,
    USE_ARCHIVE,
    USE_ALL,
    USE_FLAGGED
};

struct store_status {
    uint32_t mailbox; /* M */
    uint32_t uidvalidity, uidnext, messages, recent, unseen, deleted;
    uint64_t octets, deleted_octets, highestmodseq, mailboxid;
};

struct store_mailbox {
    struct slice path;
    unsigned flags;
    enum special_use use;
    bool has_status; /* if it was asked for and the mailbox can be selected */
    struct store_status status;
};
/* Every mailbox and subscription, parents before children, in one snapshot. `each` returns false to
 * stop; its argument is lent for the call. */
typedef bool store_mailbox_each(void *arg, const struct store_mailbox *mailbox);
MUST_CHECK enum err store_mailbox_list(struct store_reader *reader, struct store_account *account,
                                       bool want_status, store_mailbox_each *each, void *arg);
/* O(1). ERR_NOTFOUND, also for \Noselect. */
MUST_CHECK enum err store_mailbox_status(struct store_reader *reader, struct store_account *account,
                                         struct slice path, struct store_status *ret);
/* The path of M, in the arena. ERR_NOTFOUND: it is deleted. */
MUST_CHECK enum err store_mailbox_path(struct store_reader *reader, struct store_account *account,
                                       uint32_t mailbox, struct arena *arena, struct slice *ret);
/* The mailbox that the detail of user+detail means: exactly that path, else the only one that
 * differs from it in the case of ASCII letters alone; if there is none, the same for what it means
 * as modified UTF-7. ERR_NOTFOUND: none, or several. The path is in the arena. Scans the account's
 * mailboxes unless there is an exact one. */
MUST_CHECK enum err store_mailbox_match(struct store_reader *reader, struct store_account *account,
                                        struct slice detail, struct arena *arena,
                                        struct slice *ret);
void store_mailbox_create(struct store_account *account, struct slice path, enum special_use use,
                          struct store_to to); /* ERR_EXISTS, ERR_LIMIT */
void store_mailbox_delete(struct store_account *account, struct slice path,
                          struct store_to to); /* ERR_NOTFOUND, ERR_CANNOT */
void store_mailbox_rename(struct store_account *account, struct slice from, struct slice to_path,
                          struct store_to to); /* with children; INBOX: moves its messages */
void store_mailbox_subscribe(struct store_account *account, struct slice path, bool on,
                             struct store_to to);

/* --- views: a mailbox as one session sees it ------------------------------------------------- */

enum { FLAG_SEEN = 1, FLAG_ANSWERED = 2, FLAG_FLAGGED = 4, FLAG_DELETED = 8, FLAG_DRAFT = 16 };
enum { VIEW_READ_ONLY = 1 }; /* EXAMINE: claims no \Recent, no \Seen by FETCH */
enum { SYNC_EXPUNGE = 1 };   /* an EXPUNGE response is legal here */

/* Opens on the newest snapshot, told everything. ERR_AGAIN: cold. ERR_NOTFOUND. Loop or worker. */
MUST_CHECK enum err store_view_open(struct store_reader *reader, struct store_account *account,
                                    struct slice path, unsigned flags, struct store_view **ret);
void store_view_close(struct store_view *view); /* NULL shrugs */

struct store_view_info {
    uint32_t mailbox, uidvalidity;
    uint32_t uidnext; /* as told */
    uint32_t exists, recent;
    uint32_t unseen_seqnum; /* first unseen, 0 = none; found when asked for, may scan */
    uint64_t mailboxid;
    bool read_only;
    bool lost;          /* of store_lost_open */
    bool keywords_full; /* PERMANENTFLAGS without \* */
};
MUST_CHECK enum err store_view_info(struct store_view *view, bool want_unseen,
                                    struct store_view_info *ret);
/* Keyword of bit i, empty when the bit is free; lent until the next store_view_sync. */
struct slice store_view_keyword(const struct store_view *view, unsigned bit);
unsigned store_view_nkeywords(const struct store_view *view);

/* HIGHESTMODSEQ of what the client has been told: the only source of it for a selected mailbox. */
uint64_t store_view_told(const struct store_view *view);
uint32_t store_view_exists(const struct store_view *view); /* as told, ghosts included */
uint32_t store_view_uid(const struct store_view *view, uint32_t seqnum); /* 0 = none */
uint32_t store_view_seqnum(const struct store_view *view, uint32_t uid); /* 0 = none */
uint32_t store_view_max_uid(const struct store_view *view);              /* of "*"; 0 when empty */
/* Of `wish`, the UIDs that are in the view, ghosts included. */
void store_view_select(const struct store_view *view, const struct uidset *wish,
                       struct uidset *ret);

struct store_flagged {
    uint32_t uid, seqnum;
    uint8_t sysflags;
    bool recent;
    uint64_t keywords, modseq;
};

/* In the order in which a client is to be told. Lent until the next call on the view. */
struct store_changes {
    bool deleted;                  /* the mailbox has been deleted: all of it is in `expunged` */
    bool keywords;                 /* the keyword table changed: FLAGS, PERMANENTFLAGS first */
    const struct uidset *vanished; /* UIDs expunged, told now */
    const uint32_t *expunged;      /* their sequence numbers, as EXPUNGE responses count them */
    size_t nexpunged;
    bool exists_changed; /* say EXISTS (and RECENT) */
    uint32_t exists, recent;
    const struct store_flagged *flagged;
    size_t nflagged;
    bool more; /* call again for the rest of `flagged` */
};

/* Move a view on to the newest snapshot and say what the client must now be told. New messages and
 * flags are always taken. Messages expunged meanwhile stay in the view as ghosts, with their
 * numbers, until a call that may tell them. Nothing else moves a view.
 *
 * what        SYNC_EXPUNGE when an EXPUNGE response is legal here, else 0
 * ret         valid until the next call on this view
 * thread      the view's own loop, inside one callback (reads the engine)
 * errors      ERR_AGAIN (cold rows: ask the pool), ERR_NOTFOUND (mailbox deleted and told),
 *             ERR_LIMIT (more than 100,000 ghosts: end the session), ERR_CORRUPT
 * RFC 3501 sections 5.2, 7.4.1; RFC 7162 section 3.2 (told stays below a ghost's modseq) */
MUST_CHECK enum err store_view_sync(struct store_view *view, unsigned what,
                                    struct store_changes *ret);
/* Flags that the session's own STORE has just told (or silenced): not to be told again by sync as
 * long as nobody else changes them. `modseq`: of the result. */
void store_view_own(struct store_view *view, const struct uidset *uids, uint64_t modseq);
/* `changed` runs on the view's loop, with the object of `id`, once per commit that touched the
 * mailbox. NULL: no longer. */
void store_view_watch(struct store_view *view, uint64_t id, void (*changed)(void *object));

/* --- messages ------------------------------------------------------------------------------- */

enum { WANT_HOT = 0, WANT_MSG = 1, WANT_CACHE = 2 };

struct store_message {
    uint32_t uid, seqnum;
    bool ghost, recent;
    uint8_t sysflags;
    int8_t zone; /* of internaldate, in 15 minutes */
    uint64_t keywords, modseq;
    uint32_t size; /* octets */
    uint32_t internaldate, savedate;
    /* WANT_MSG */
    uint64_t blob;
    uint32_t hdr_len; /* octets of the header with its blank line */
    uint32_t lines;
    bool has_nul, eight_bit;
    unsigned char emailid[16];
    uint64_t thread;
    /* WANT_CACHE: by tag (store/keys.h), empty when missing or unfit */
    struct slice cache;
};

/* Resumable walk over the messages of a view that are in `uids` (and, if changedsince is not 0,
 * have a modseq above it): it keeps its place as a UID only, so it may be left at any message and
 * gone on with in a later callback. */
struct store_cursor {
    struct store_view *view;
    const struct uidset *uids; /* borrowed */
    unsigned want;
    uint64_t changedsince;
    uint32_t next_uid;
    struct {
        uint64_t numbering; /* of the view when this was found */
        uint32_t first, last, seqnum;
        bool ghost;
    } run; /* wanted messages with UIDs and numbers one after the other */
    struct {
        uint64_t txn; /* the snapshot that lends it; 0: nothing is there */
        struct store_message message;
    } ahead; /* the message behind the last one: its `msg` and `cache` rows */
};
void store_cursor_init(struct store_cursor *cursor, struct store_view *view,
                       const struct uidset *uids, unsigned want, uint64_t changedsince);
/* ERR_NOTFOUND: the end. ERR_AGAIN: the next rows are cold. Slices live until the reader idles. A
 * ghost whose rows have been dropped comes with size 0 and ghost set, err ERR_OK. */
MUST_CHECK enum err store_cursor_next(struct store_cursor *cursor, struct store_message *ret);

/* What a message consists of (core/mime/envelope.h, core/mime/parts.h). */
struct store_structure {
    struct slice envelope, bodystructure; /* ready to be sent */
    struct slice cuts;                    /* BODYSTRUCTURE without these is BODY */
    struct slice parts;                   /* where each part lies */
};
/* From a message read with WANT_CACHE; slices live as its. ERR_NOTFOUND: not all of it is there (a
 * missing row, an old parser, a tag that did not fit): store_warm_structure. */
MUST_CHECK enum err store_structure(const struct store_message *message,
                                    struct store_structure *ret);
/* Its digest (core/mime/header.h). From a message read with WANT_CACHE; the slice lives as its.
 * ERR_NOTFOUND: there is none. */
MUST_CHECK enum err store_digest(const struct store_message *message, struct slice *ret);
/* Parses the message anew on the pool, and writes its cache row if that was missing or old.
 * `done`: result.structure, lent for the call. ERR_GONE, ERR_CORRUPT, ERR_AGAIN (the pool is full).
 * `to.loop` is not NULL. */
void store_warm_structure(struct store_view *view, uint32_t uid, struct store_to to);

/* --- bodies --------------------------------------------------------------------------------- */

/* Opens and pins the body: it stays readable until closed, whatever happens to the message. Ghosts
 * too. ERR_GONE: nothing is left of it. */
MUST_CHECK enum err store_body_open(struct store_view *view, uint32_t uid, struct store_body **ret);
uint64_t store_body_size(const struct store_body *body);
/* Up to n pieces from `offset` on, straight from the map: gone when the reader idles. Checksums are
 * verified as each chunk is first mapped. ERR_AGAIN: cold; ERR_CORRUPT. */
MUST_CHECK enum err store_body_map(struct store_body *body, struct store_reader *reader,
                                   uint64_t offset, struct iovec *iov, int n, int *ret_n);
void store_body_close(struct store_body *body); /* NULL shrugs */
/* After ERR_AGAIN: page in what was asked for on the pool, then `done` with the object of `id`. */
void store_warm_body(struct store_body *body, uint64_t offset, size_t len, struct store_to to);
/* For sessions on loops: `to.loop` is not NULL, and store_start has given the pool. */
void store_warm_mailbox(struct store_account *account, struct slice path, struct store_to to);
void store_warm_view(struct store_view *view, uint32_t from_uid, struct store_to to);

/* --- arrival -------------------------------------------------------------------------------- */

/* A message on its way in. Each LF without CR becomes CRLF; bare CR, NUL and 8-bit octets stay. Up
 * to 1 MiB waits in memory; beyond that pieces go to the store under a `stage` row, which a crash
 * or store_incoming_free sweeps. `account`: first owner; it decides the shard. */
MUST_CHECK enum err store_incoming_new(struct store_account *account, uint64_t max_octets,
                                       struct store_incoming **ret);
/* ERR_AGAIN: two pieces are under way; nothing was taken; `ready` of store_incoming_on_ready runs
 * when there is room. ERR_TOOBIG: past max_octets (what follows may be written and is dropped).
 * ERR_FULL, ERR_DOWN: the store refused a piece. */
MUST_CHECK enum err store_incoming_write(struct store_incoming *in, struct slice octets);
/* Before the first write. `ready` runs for every piece that was taken, until the message is freed
 * or its append has been answered: also when nobody waits for room. */
void store_incoming_on_ready(struct store_incoming *in, struct loop *loop, uint64_t id,
                             void (*ready)(void *object));
uint64_t store_incoming_size(const struct store_incoming *in); /* as stored, so far */
/* For this message: flags, keywords (NULL-terminated array copied), date. Default: none; now, in
 * the server's zone. */
void store_incoming_set(struct store_incoming *in, uint8_t sysflags, const struct slice *keywords,
                        size_t nkeywords, uint32_t internaldate, int8_t zone);
/* Not appended: nothing is left of it. NULL shrugs. */
void store_incoming_free(struct store_incoming *in);

struct store_dest {
    struct store_account *account;
    struct slice path;
    struct slice rcpt; /* envelope recipient, kept beside the message when there are several */
};
/* Every message to every destination, all of one shard. One destination: all or nothing, the error
 * in result.err. Several: each is checked and answered alone in result.arrivals. Takes over the
 * incomings (frees them after the commit). */
void store_append(struct store_incoming *const *in, size_t n, const struct store_dest *dest,
                  size_t ndest, struct store_to to);

/* --- changes: one call = one atomic change, up to 200,000 messages ---------------------------- */

enum flag_mode { FLAGS_ADD, FLAGS_REMOVE, FLAGS_REPLACE };
struct store_flagop {
    enum flag_mode mode;
    uint8_t sysflags;
    const struct slice *keywords;
    size_t nkeywords;
};
/* unchangedsince: UINT64_MAX = unconditional. ERR_LIMIT: a new keyword and a full table. */
void store_flags(struct store_view *view, const struct uidset *uids, const struct store_flagop *op,
                 uint64_t unchangedsince, struct store_to to);
/* ERR_NOTFOUND: no such destination; ERR_QUOTA; ERR_LIMIT; ERR_GONE: some of `uids` are ghosts. */
void store_copy(struct store_view *view, const struct uidset *uids,
                struct store_account *dest_account, struct slice dest_path, bool move,
                struct store_to to);
/* All \Deleted, or those of them that are in `uids`. */
void store_expunge(struct store_view *view, const struct uidset *uids, struct store_to to);

/* --- the undelete window (store/lost.c, store/undelete.c) ---------------------------------------
 */

enum {                /* how it was lost: struct store_lost.by, struct store_pick.by */
       LOST_IMAP = 1, /* expunged, or replaced by another message */
       LOST_POP3 = 2,
       LOST_EXPIRY = 4,
       LOST_MAILBOX = 8 /* its mailbox was deleted */
};

/* What of the window is meant; zero-initialised: all of it. */
struct store_pick {
    uint32_t since;          /* lost at this time or later */
    unsigned by;             /* LOST_ bits; 0: any */
    struct slice mailbox;    /* path of the mailbox that it was in; empty: any */
    struct slice message_id; /* with or without < >; of a deleted mailbox: its single messages */
};

/* A message, or a whole mailbox, that can be brought back. */
struct store_lost {
    uint32_t time;         /* when it went: with the next two, its name in the window */
    uint32_t mailbox, uid; /* uid 0: the mailbox whole */
    unsigned by;
    uint64_t messages, octets;
    uint32_t internaldate;
    uint8_t sysflags;
    struct slice path;   /* of its mailbox. Lent until the reader idles or the next one is asked */
    struct slice header; /* its lines as stored, those that header_in_digest names; lent too */
};

/* A walk over the window, oldest first, that may be left at any item and gone on with after the
 * reader was idle. The texts of `pick` are borrowed. Worker
 * or tool thread. */
MUST_CHECK enum err store_window_open(struct store_reader *reader, struct store_account *account,
                                      const struct store_pick *pick, struct store_window **ret);
MUST_CHECK enum err store_window_next(struct store_window *window,
                                      struct store_lost *ret); /* ERR_NOTFOUND: the end */
void store_window_close(struct store_window *window);          /* NULL shrugs */

/* Bring these back, in batches: a message as a new UID of the mailbox that it was in (`to_path`: of
 * that one), or of INBOX when its mailbox has gone, with its flags but \Deleted, its dates,
 * EMAILID, UIDL and POP3 state (a client that has downloaded it is not shown it again: it would
 * fetch and perhaps delete it once more); a mailbox as it was, under another name if its own is
 * taken. What has left the window meanwhile is ERR_NOTFOUND in its place of result.arrivals, a
 * mailbox above the limit ERR_LIMIT. result.err: ERR_QUOTA (there is no room for all of them, and
 * nothing was done), ERR_NOTFOUND (no `to_path`), ERR_FULL and the like (result.arrivals says what
 * was done before).
 */
void store_undelete(struct store_account *account, const struct store_lost *lost, size_t n,
                    struct slice to_path, struct store_to to);

/* --- the undelete window as mailboxes (store/recover.c) ----------------------------------------
 */
/* For users: what the newest 10,000 rows of the window hold, by the paths of the mailboxes that it
 * was in. A loop has the pool read it, for `done`: ERR_AGAIN if that is full. */
void store_warm_lost(struct store_account *account, struct store_to to);
void store_warm_lost_view(struct store_account *account, struct slice path, struct store_to to);

/* The same on a worker or tool thread. */
MUST_CHECK enum err store_lost_read(struct store_reader *reader, struct store_account *account,
                                    struct store_lost_tree **ret);
void store_lost_free(struct store_lost_tree *tree); /* NULL shrugs */
/* A read-only view, with the UIDs of old (its UIDVALIDITY is another one each time that something
 * more was lost). It stands still but for what it is told of by store_lost_restored. ERR_NOTFOUND;
 * ERR_LIMIT: a deleted mailbox of more than 50,000 messages. */
MUST_CHECK enum err store_lost_open(struct store_reader *reader, struct store_account *account,
                                    struct slice path, struct store_view **ret);

/* Each former mailbox, with its status, and \Noselect names above them. Any thread. */
void store_lost_list(const struct store_lost_tree *tree, store_mailbox_each *each, void *arg);
/* ERR_NOTFOUND. */
MUST_CHECK enum err store_lost_status(const struct store_lost_tree *tree, struct slice path,
                                      struct store_status *ret);
/* store_undelete of these messages of such a view; also result.source, and result.dest if it is in
 * step with that. */
void store_lost_restore(struct store_view *view, const struct uidset *uids, struct slice to_path,
                        struct store_to to);
/* They are no longer in the view: the next store_view_sync says so. */
void store_lost_restored(struct store_view *view, const struct uidset *uids);

/* --- search (store/match.c) ---------------------------------------------------------------------
 */

/* One test of a query. Queries are in postfix order: a test pushes its verdict, NOT takes one, AND
 * and OR take `n`; what is left at the end is the answer. */
enum store_test_kind {
    TEST_ALL,
    TEST_UIDS,    /* in `uids` */
    TEST_FLAGS,   /* has all of `sysflags` */
    TEST_KEYWORD, /* has the keyword `text` */
    TEST_RECENT,
    TEST_LARGER, /* than `size` octets */
    TEST_SMALLER,
    TEST_ARRIVED, /* INTERNALDATE, as a day in its own zone, is in [from, to) */
    TEST_SENT,    /* so is the Date field, as a day in the sender's zone */
    TEST_HEADER,  /* a field `field` holds `text` (empty: there is such a field) */
    TEST_BODY,    /* a text part holds `text` */
    TEST_TEXT,    /* that, or the header does */
    TEST_NOT,
    TEST_AND,
    TEST_OR
};

struct store_test {
    enum store_test_kind kind;
    unsigned n; /* AND, OR */
    const struct uidset *uids;
    uint8_t sysflags;
    uint32_t size;
    int32_t from, to; /* days since 1970 */
    struct slice field;
    struct slice text; /* HEADER, BODY, TEXT: folded (core/mime/casemap.h) */
};

enum { STORE_TESTS_MAX = 1024 };

/* A search under way over the messages of a view, ghosts left out. Rows are looked at on the view's
 * loop, a slice at a time; what needs the octets of messages is looked at by the pool, or at once
 * where there is no loop (`to.loop` NULL: workers and tools). The tests and what they point to are
 * borrowed until store_search_free. */
struct store_search;
/* ERR_LIMIT: more than STORE_TESTS_MAX. ERR_BUG: not a query. `to.done` is called each time the
 * pool is back. */
MUST_CHECK enum err store_search_new(struct store_view *view, const struct store_test *tests,
                                     size_t n, struct store_to to, struct store_search **ret);
/* ERR_OK: all has been looked at. ERR_AGAIN: call again in a later turn. ERR_BUSY: call again when
 * `done` was. Others: it is over. */
MUST_CHECK enum err store_search_step(struct store_search *search);
const struct uidset *store_search_found(const struct store_search *search);
void store_search_free(struct store_search *search); /* cancels; NULL shrugs */

/* --- POP3 (store/maildrop.c) ------------------------------------------------------------------ */

/* The maildrop is a view of the account: these folders, less what the rules hide, as it is at the
 * moment of the login. Dates are INTERNALDATEs. What has been downloaded is left alone by
 * hide_seen, and once a rule has hidden it, it stays hidden for good; what never was may come back.
 */
struct store_poprule {
    const struct slice *folders; /* paths; the first is the only one in most maildrops */
    size_t nfolders;
    bool own;    /* the account's own view, no single folder that a login named */
    bool recent; /* rules hold only for what is older than 30 days; leaves no trace in the store */
    bool hide_downloaded;
    bool hide_seen;          /* what was seen elsewhere, */
    uint32_t hide_seen_days; /* so many days after it arrived */
    int64_t since;           /* hide what arrived before; seconds since 1970 */
    uint32_t max_messages;   /* hide all but so many of the newest; 0: none. What has once been too
                              * old stays so as long as the number is the same */
    bool retr_seen;
    bool lock;    /* [pop3] lock = session */
    bool explain; /* remember what is hidden, for store_maildrop_hidden */
};

/* The rule that hides a message: the first of these that holds. */
enum store_hidden {
    HIDDEN_NOT,
    HIDDEN_FOR_GOOD, /* downloaded, and then hidden by a rule or out of view; or delete = hide */
    HIDDEN_DOWNLOADED,
    HIDDEN_SEEN,
    HIDDEN_SINCE,
    HIDDEN_OLDER /* than the newest max_messages */
};

struct store_popentry {
    uint32_t size;
    uint32_t uid, mailbox;
    char uidl[71]; /* NUL-terminated, 1..70 octets 0x21..0x7e */
};

struct store_pophidden {
    uint32_t size;
    uint32_t uid, mailbox;
    enum store_hidden why;
};

/* Freeze the listing, 8 octets a message, and take the maildrop lock in `live`. ERR_BUSY: another
 * session has it. ERR_AGAIN: cold, or a dead holder from the same address has been told to go: ask
 * again after store_warm_mailbox, which gives it the time to; 2 s later the lock is taken from it.
 * ERR_NOTFOUND: none of the folders exists (never an empty drop). */
MUST_CHECK enum err store_maildrop_open(struct store_reader *reader, struct store_account *account,
                                        struct store_live *live, const struct store_poprule *rule,
                                        struct store_maildrop **ret);
void store_maildrop_close(struct store_maildrop *drop); /* gives the lock back; NULL shrugs */
/* The client will be shown this: what must stay hidden from now on is written down, if there is
 * anything new of that. Nobody waits for it. */
void store_maildrop_shown(struct store_maildrop *drop);
uint32_t store_maildrop_count(const struct store_maildrop *drop);
uint64_t store_maildrop_octets(const struct store_maildrop *drop);
/* n from 1. Size needs no read; the UIDL does (only if the account has overrides). */
MUST_CHECK enum err store_maildrop_size(const struct store_maildrop *drop, uint32_t n,
                                        uint32_t *ret);
MUST_CHECK enum err store_maildrop_entry(struct store_maildrop *drop, struct store_reader *reader,
                                         uint32_t n, struct store_popentry *ret);
MUST_CHECK enum err store_maildrop_body(struct store_maildrop *drop, struct store_reader *reader,
                                        uint32_t n, struct store_body **ret, uint32_t *ret_hdr_len);
/* The i-th hidden message, from 0, folder by folder. False past the last, and always if the rule
 * did not ask to explain. */
bool store_maildrop_hidden(const struct store_maildrop *drop, uint32_t i,
                           struct store_pophidden *ret);
/* When it is given as retrieved, is this message not to get \Seen? */
void store_maildrop_peeked(struct store_maildrop *drop, uint32_t n, bool peeked);
/* One batch: \Seen and "downloaded" for `retrieved`, and for `deleted` what `mode` says (both by
 * number; bitmaps of count bits, LSB first; NULL = none). QUIT gives both; a lost connection only
 * `retrieved`. Only the copy in the viewed folder is touched. POP3_DELETE_TRASH moves to the
 * mailbox with that use (made when there is none), and expunges if the listing shows that one.
 * result.missing is not filled; messages that went meanwhile are not an error. */
void store_maildrop_update(struct store_maildrop *drop, const unsigned char *retrieved,
                           const unsigned char *deleted, enum pop3_delete mode, struct store_to to);

#endif
