/* A store and an auth core that do what a test says: enough of both for pop3/ to run on. */
#ifndef TANDEM_TESTS_POP3_FAKE_H
#define TANDEM_TESTS_POP3_FAKE_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct fake {
    /* what the maildrop holds: `count` messages of `text` each */
    uint32_t count;
    struct slice text;
    uint32_t header; /* octets of the header */
    size_t chunk;    /* octets of one piece of a map */
    /* what goes wrong */
    enum err open, update, map; /* map: from the octet map_from on */
    uint64_t map_from;
    unsigned cold_open, cold_map; /* so many calls are ERR_AGAIN before one succeeds */
    enum err auth;
    unsigned cred_flags;
    /* what was done */
    unsigned opens, shown, closes, updates, warmed, bodies, sessions;
    uint32_t deleted, retrieved; /* of the last update */
    bool has_deleted;
    enum pop3_delete mode;
    uint64_t stalled_ms;
};
extern struct fake fake;

#endif
