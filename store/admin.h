/* The store as its administrator has it: checking it, copying it, moving accounts and mail in and
 * out. For cmd; what sessions do is in store.h. Calls that block are for a worker or tool thread.
 */
#ifndef TANDEM_STORE_ADMIN_H
#define TANDEM_STORE_ADMIN_H

#include "store/store.h"

/* --- check (store/verify.c) ------------------------------------------------------------------ */

struct store_verify {
    bool bodies;                                  /* read every chunk and check its checksum */
    void (*finding)(void *arg, const char *line); /* one broken rule, one line */
    void (*progress)(void *arg, uint64_t done, uint64_t total);
    void *arg;
    /* filled */
    uint64_t accounts, mailboxes, messages, blobs, octets, findings;
};
/* Every rule of store/README.md over every account, in short snapshots. Worker or tool thread;
 * never repairs. ERR_CORRUPT: findings were reported. */
MUST_CHECK enum err store_verify(struct store *store, struct store_reader *reader,
                                 struct store_verify *verify);

/* --- an account that its shard has lost (store/repair.c) ---------------------------------------
 */

/* Make the rows of an account anew that are missing in its shard, because that was put back from a
 * backup older than the account: empty, with its default mailboxes, and UIDs far ahead. Login,
 * credentials, settings and aliases are the catalog's, and untouched. ERR_EXISTS: its shard has an
 * account of this number. */
void store_user_repair(struct store *store, const struct store_user *user, struct slice uidl_format,
                       struct store_to to);

/* --- backup (store/backup.c, restore.c) ------------------------------------------------------ */

struct store_sink {
    enum err (*put)(void *arg, struct slice octets); /* an error ends what fills it */
    void *arg;
};
struct store_source {
    ptrdiff_t (*get)(void *arg, char *to, size_t cap); /* 0: the end; -1: it broke off */
    void *arg;
};

struct store_backup {
    struct store_sink sink;
    uint64_t rate;                                /* octets a second; 0 = as fast as it goes */
    void (*progress)(void *arg, uint64_t octets); /* may be NULL */
    void *arg;                                    /* of `progress` */
};
/* The whole store, catalog and shards, as of one moment, as one stream of octets, while it serves.
 * Everything that was answered before the call is in it. Afterwards the store knows what was
 * written as an older state of itself. Blocks: a worker or tool thread; not a read-only store.
 * Errors are the sink's, or of reading the files. */
MUST_CHECK enum err store_backup(struct store *store, const struct store_backup *conf,
                                 struct fault *why);
/* About how many octets that will be. */
uint64_t store_backup_octets(struct store *store);

struct store_restored {
    uint64_t octets;
    uint32_t time; /* when the backup was made */
    unsigned files;
};
struct store_restore {
    struct store_source source;
    bool replace; /* a store that is there already is lost */
    int shard;    /* only this one of the backup, beside a store that is there; -1 = all */
    void (*progress)(void *arg, uint64_t octets); /* may be NULL */
    void *arg;                                    /* of `progress` */
    struct store_restored *ret;
};
/* Put a backup in place, while no process owns the store: all of it, or nothing has changed. The
 * next open gives UIDs, modseqs and ids far ahead of those that the backup knew. ERR_BUSY: it is
 * owned; ERR_EXISTS: there is one and no `replace`; ERR_CORRUPT: damaged, or no backup. */
MUST_CHECK enum err store_restore(const struct store_conf *conf,
                                  const struct store_restore *restore, struct fault *why);

/* --- one account as a stream (store/account_out.c, account_in.c) ------------------------------ */

struct store_account_out {
    struct store_sink sink;
    void (*progress)(void *arg, uint64_t octets); /* may be NULL */
    void *arg;                                    /* of `progress` */
};
/* An account with everything that is its own, credentials and undelete window included, as of now.
 * Holds the reader's snapshots until it is done. Worker or tool thread. ERR_CORRUPT: damaged, the
 * fault says which message. */
MUST_CHECK enum err store_account_out(struct store_reader *reader, const struct store_user *user,
                                      const struct store_account_out *conf, struct fault *why);

struct store_account_taken {
    char login[320];
    uint64_t messages, octets; /* bodies; of the stream */
};
struct store_account_in {
    struct store_source source;
    struct slice login;                           /* in its normal form; empty: the one it had */
    void (*progress)(void *arg, uint64_t octets); /* may be NULL */
    void *arg;                                    /* of `progress` */
    struct store_account_taken *ret;
};
/* A new account from such a stream, all of it or none. UIDs, UIDVALIDITYs and UIDLs are those that
 * it had; UIDNEXT and modseqs lie far ahead, so that none is given twice. Blocks: a worker or tool
 * thread. ERR_EXISTS: the login is taken; ERR_NOTFOUND: its domain is not there; ERR_CORRUPT. */
MUST_CHECK enum err store_account_in(struct store *store, const struct store_account_in *conf,
                                     struct fault *why);

/* --- expiry (store/expire.c) -------------------------------------------------------------------
 */

/* Do now what timers do by themselves ([store] autoexpunge, undelete, log_days, [pop3] expire), for
 * one account of the shard or (0) for all of them, in slices; the wall clock is trusted. result.
 * expired says how much. ERR_NOTFOUND: no such account. */
void store_expire(struct store *store, unsigned shard, uint32_t acct, struct store_to to);

/* --- mail from another server (store/import.c) ----------------------------------------------- */

/* Make the mailbox and its parents if they are missing. One that never held a message takes the
 * source's UIDVALIDITY (0: it has none) if no other mailbox of the account has it; whoever has it
 * selected must be kicked. One that has the source's UIDVALIDITY raises its UIDNEXT to `uidnext`.
 * `done`: mailbox, uidvalidity, as they are now. ERR_LIMIT: too many mailboxes. */
void store_import_mailbox(struct store_account *account, struct slice path, uint32_t uidvalidity,
                          uint32_t uidnext, struct store_to to);

struct store_import {
    struct store_incoming *in; /* taken over */
    uint32_t uid;              /* in the source; 0: it has none */
    uint32_t order;            /* place in the maildrop; 0: by UID */
    bool recent;
    struct slice uidl; /* that the source gives it for certain; empty: by the account's format */
    struct slice guid; /* its UIDL if that format is guid */
    unsigned char emailid[16]; /* made of what names the message in the source: see _known */
};
/* A batch of messages, in the order of their UIDs, into a mailbox that is there. UIDs are kept
 * where the mailbox has the source's UIDVALIDITY (`uidvalidity`) and has not given them; any other
 * message gets the next UID, and its old UIDL as an override, unless a message here has that one.
 * Each is checked alone: result.arrivals, in step (ERR_QUOTA; that of a piece). */
void store_import(struct store_account *account, struct slice path, uint32_t uidvalidity,
                  const struct store_import *messages, size_t n, struct store_to to);
/* The EMAILID of every message that the account has or can undelete, so that an import that is run
 * again leaves those out. Worker or tool thread; idles the reader. */
MUST_CHECK enum err store_import_known(struct store_reader *reader, struct store_account *account,
                                       void (*each)(void *arg, const unsigned char emailid[16]),
                                       void *arg);

struct store_uidl {
    char text[71];
    uint32_t order; /* place in the maildrop; 0: by UID */
};
/* What POP3 calls a message of a mailbox of this UIDVALIDITY. */
MUST_CHECK enum err store_uidl(struct store_reader *reader, struct store_account *account,
                               uint32_t mailbox, uint32_t uidvalidity,
                               const struct store_message *message, struct store_uidl *ret);

#endif
