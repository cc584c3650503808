/* A tandemd under test: a store of its own in a temporary directory, accounts whose password is
 * "secret", and listeners on a loopback address that no other test uses, so that tests run side by
 * side with fixed ports. */
#ifndef TANDEM_TESTS_DAEMON_H
#define TANDEM_TESTS_DAEMON_H

#include <stdbool.h>
#include <stddef.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "tests/lib/script.h"

struct daemon;

struct daemon_conf {
    const char *tandemd, *tandem;          /* programs */
    const char *certificate, *key;         /* PEM files */
    const struct script_setting *settings; /* on top of the defaults; a later one wins */
    size_t nsettings;
    const char *const *accounts;
    size_t naccounts;
};

/* Returns when it serves. NULL: it did not come up; `why` has its log. */
struct daemon *daemon_start(const struct daemon_conf *conf, struct buf *why);
const char *daemon_address(const struct daemon *daemon);
unsigned daemon_port(enum wire_protocol protocol);
/* SIGTERM, wait, remove the directory. False: it crashed, hung or a sanitizer found something;
 * `why` has its log. NULL shrugs. */
MUST_CHECK bool daemon_stop(struct daemon *daemon, struct buf *why);

#endif
