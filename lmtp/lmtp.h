/* The LMTP front end (RFC 2033 over RFC 5321): mail in, from an MTA that is trusted, with one
 * answer for each recipient after the data. */
#ifndef TANDEM_LMTP_LMTP_H
#define TANDEM_LMTP_LMTP_H

#include "core/net/conn.h"

struct auth;
struct pool;
struct store;

extern const struct protocol lmtp_protocol;

/* What every session works with. Once, before the loops run. */
void lmtp_setup(struct store *store, struct auth *auth, struct pool *pool);

#endif
