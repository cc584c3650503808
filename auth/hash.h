/* Private to auth: what a verifier of SCRAM holds. */
#ifndef TANDEM_AUTH_HASH_H
#define TANDEM_AUTH_HASH_H

#include "core/base/arena.h"
#include "core/base/slice.h"

enum { SCRAM_ROUNDS = 100000 }; /* of those that are made here; imported ones keep theirs */

/* As the verifier has them: a number, and base64. */
struct scram_keys {
    const char *rounds, *salt, *stored_key, *server_key;
};
/* Of "{SCRAM-SHA-256}rounds,salt,StoredKey,ServerKey" if its scheme is this one ("SCRAM-SHA-256")
 * and all of it can be used; in the arena. ret NULL: only tells that. */
bool scram_keys_read(struct slice verifier, struct slice scheme, struct arena *arena,
                     struct scram_keys *ret);

#endif
