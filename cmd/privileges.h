/* Who the process is: root for as long as it takes to bind and to read keys, and never again. */
#ifndef TANDEM_CMD_PRIVILEGES_H
#define TANDEM_CMD_PRIVILEGES_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/attr.h"
#include "core/base/config.h"

struct identity {
    uid_t uid;
    gid_t gid;
    char name[64];
};

/* Whom to run as: [tandem] user when started as root, else whoever we are. False: complained. */
MUST_CHECK bool identity_find(const struct config *config, struct identity *ret);
/* The owner of the store's directory: whom the admin tool becomes. False: complained. */
MUST_CHECK bool identity_of_store(const struct config *config, struct identity *ret);

/* Make the store's directory if it is missing (0750), or see that it belongs to `who` and that
 * `who` gets there. As root, or as `who`. False: complained. */
MUST_CHECK bool store_directory_ready(const struct config *config, const struct identity *who);
/* Unix sockets were bound as root: give them to `who`, whose group their mode serves. */
void unix_sockets_chown(const struct config *config, const struct identity *who);

/* Become `who` for good: groups, gid, uid, and see that there is no way back. False: complained. */
MUST_CHECK bool privileges_drop(const struct identity *who);
/* No program started from here gets more than we have; no core dump, no ptrace by our own user. */
MUST_CHECK bool privileges_seal(void);

/* Room for all connections and the store's files; only ever raised. Complains when the hard limit
 * is too low for [limits] connections, and goes on. */
void descriptors_raise(const struct config *config);

#endif
