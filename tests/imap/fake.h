/* A store and an auth core that do what a test says: enough of both for imap/ to run on. One
 * mailbox, INBOX, with `count` messages of `text` each, UIDs from 1 on, all told to every view. */
#ifndef TANDEM_TESTS_IMAP_FAKE_H
#define TANDEM_TESTS_IMAP_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/slice.h"
#include "store/store.h"

struct fake {
    uint32_t count;
    struct slice text;
    uint32_t header;     /* octets of the header */
    struct slice digest; /* of it; ptr NULL: there is none */
    size_t chunk;        /* octets of one piece of a map */
    uint8_t sysflags;
    bool has_nul;
    uint32_t ghost;          /* UID of one, 0 = none */
    uint32_t gone;           /* UID whose body has gone, 0 = none */
    unsigned mailboxes;      /* besides INBOX: m0, m1, ... */
    uint64_t message_octets; /* of the account's limits; 0 = none */

    /* what goes wrong */
    enum err auth, open, change, body, incoming, sync;
    enum err map; /* from the octet map_from on */
    uint64_t map_from;
    unsigned cold_open, cold_info, cold_rows, cold_body, cold_map, cold_list, cold_sync,
        cold_structure, full_pool; /* so many calls are ERR_AGAIN before one succeeds */
    unsigned busy;                 /* so many writes of an upload are ERR_AGAIN */
    unsigned cred_flags;
    bool hold; /* changes are not answered until fake_release */

    /* what sync tells next */
    struct store_changes changes;

    /* what was done */
    unsigned sessions, views, bodies, incomings, warmed, flag_changes, copies, expunges, appends;
    uint64_t flagged, appended; /* messages of the last flag change; octets of the last upload */
    bool watched;
};
extern struct fake fake;

void fake_release(void); /* answers the changes that were held */
void fake_event(void);   /* wakes whoever watches the view */

#endif
