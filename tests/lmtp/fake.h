/* A store and an auth core that do what a test says: enough of both for lmtp/ to run on. The
 * account of `u<n>@...` has id n and lies in shard n % 2; `list@...` is an alias of u1, u2 and u3.
 */
#ifndef TANDEM_TESTS_LMTP_FAKE_H
#define TANDEM_TESTS_LMTP_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/err.h"

enum { FAKE_ACCOUNTS = 10 };

struct fake {
    /* what goes wrong */
    enum err find[FAKE_ACCOUNTS];   /* at RCPT */
    enum err quota[FAKE_ACCOUNTS];  /* store_quota_check */
    enum err append[FAKE_ACCOUNTS]; /* after the data */
    enum err write;                 /* every store_incoming_write from write_from octets on */
    uint64_t write_from;
    unsigned again_every; /* every so many writes ERR_AGAIN, once */
    uint64_t message_octets;
    /* what was done */
    unsigned opened, incomings, appends, dests, bounds;
    struct buf stored;              /* of the last append of shard 0, else of shard 1 */
    unsigned copies[FAKE_ACCOUNTS]; /* stored */
    struct buf paths;               /* of all destinations, "account:path;" */
};
extern struct fake fake;
void fake_reset(void);

#endif
