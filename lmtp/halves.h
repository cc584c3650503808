/* Aliases that a part of their targets have and the others could not take: so that the client's
 * next attempt does not give the first ones a second copy (CONTRACTS section 3).
 *
 * In memory, bounded, for an hour: after that, or after a restart, a copy too many is better than
 * mail that was swallowed. Any thread; the lock is a leaf. */
#ifndef TANDEM_LMTP_HALVES_H
#define TANDEM_LMTP_HALVES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

struct XXH3_state_s;
struct halves;

struct halves *halves_new(void);
void halves_free(struct halves *halves); /* NULL shrugs */

/* One message for one alias. */
struct half_key {
    uint64_t hi, lo;
    uint64_t rcpt; /* the same for every message to that alias */
};

/* XXH3 of the message as it comes, without what we put in front. Freed by XXH3_freeState. */
struct XXH3_state_s *halves_hash_new(void);
/* `id`: the client's queue id, else the Message-ID. That alone could swallow mail, so the octets of
 * the message count too; the seed is secret, so that nobody can make two that meet. */
struct half_key halves_key(const struct halves *halves, struct slice rcpt, struct slice id,
                           const struct XXH3_state_s *message);

/* Has this account got it within the last hour? */
bool halves_has(struct halves *halves, struct half_key key, uint32_t account);
/* The same before the message is there, at RCPT: has the account got any message of that alias
 * which others of its targets have not? */
bool halves_may_have(struct halves *halves, struct slice rcpt, uint32_t account);
/* These accounts have it, and others do not. Replaces what was known; n = 0 forgets. */
void halves_put(struct halves *halves, struct half_key key, const uint32_t *accounts, size_t n);

#endif
