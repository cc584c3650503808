/* The POP3 view of an account from inside: what was frozen at login, shared by the session and its
 * updates under way.
 *
 *      messages[n - 1] = {uid, size}; its mailbox is that of the last run that starts at or before
 * n
 *
 * The listing holds a claim on each of its mailboxes, like a view that was told nothing since: what
 * is expunged or moved meanwhile stays readable, and can be followed, until the last one lets go.
 */
#ifndef TANDEM_STORE_MAILDROP_H
#define TANDEM_STORE_MAILDROP_H

#include <stdatomic.h>

#include "store/env.h"
#include "store/snapshot.h"

struct listed {
    uint32_t uid, size;
};

struct run {
    uint32_t first; /* index of its first message */
    uint32_t m, uidvalidity;
};

struct listing {
    atomic_uint refs;
    struct listed *messages;
    struct run *runs;
    uint32_t n, nruns;
    uint64_t octets;
    struct told_pin *pins; /* one a mailbox, and the account's (gone.h, MOVED_ANYWHERE) */
    size_t npins;
};

/* What is to be remembered of a listing once its client has been shown it (store/popview.h). */
struct shown {
    struct shown_place {
        uint32_t m, uid;
    } * hide; /* downloaded and now hidden: for good */
    size_t nhide, hide_cap;
    struct shown_mark {
        uint32_t m, uid;
    } * marks; /* that have moved forward */
    size_t nmarks;
    uint32_t max_messages; /* what made them */
    struct uidset view;    /* the own view, if it has changed; else empty */
};

struct store_maildrop {
    struct store_account *account;
    struct store_live *live; /* NULL: no lock was asked for */
    struct listing *list;
    struct shown shown;
    struct store_pophidden *hidden; /* if the rule asked to explain */
    uint32_t nhidden;
    unsigned char *peeked; /* bits by number; NULL: none */
    bool retr_seen;
    bool overrides;   /* the account has `uidl` rows */
    uint8_t format;   /* enum uidl_format */
    uint32_t first_m; /* of several folders: the one whose bare UIDs are UIDLs; 0: there is one */
};

/* Makes drop->list, shown and hidden. ERR_NOTFOUND: none of the folders exists; ERR_AGAIN: cold.
 * What it made before an error is freed with the drop. */
MUST_CHECK enum err maildrop_freeze(struct store_maildrop *drop, struct store_reader *reader,
                                    struct engine_txn *txn, const struct store_poprule *rule);
void listing_unref(struct listing *list); /* any thread; NULL shrugs */
void shown_finish(struct shown *shown);
/* The run that message `i` (from 0) is in. */
const struct run *listing_run(const struct listing *list, uint32_t i);
/* Where a message that is no longer at (m, uid) was moved to. ERR_NOTFOUND: it was not moved. */
MUST_CHECK enum err maildrop_follow(struct engine_txn *txn, uint32_t a, uint32_t *m, uint32_t *uid);

#endif
