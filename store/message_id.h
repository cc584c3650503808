/* Messages by their Message-ID. */
#ifndef TANDEM_STORE_MESSAGE_ID_H
#define TANDEM_STORE_MESSAGE_ID_H

#include "store/env.h"

/* Bodies; owned. */
struct bodies {
    uint64_t *list;
    size_t n;
};

/* The bodies of account `a` that came with this Message-ID (with or without < >), as `mid` knows
 * them: also of messages that are no longer there. None is no error. ERR_SYNTAX: it is no id. */
MUST_CHECK enum err message_id_bodies(struct engine_txn *txn, const struct env *env, uint32_t a,
                                      struct slice id, struct bodies *ret);
bool bodies_have(const struct bodies *bodies, uint64_t blob);

#endif
