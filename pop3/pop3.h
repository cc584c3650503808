/* The POP3 front end (RFC 1939, 2449, 2595): one maildrop a session, as the store froze it at
 * login. */
#ifndef TANDEM_POP3_POP3_H
#define TANDEM_POP3_POP3_H

#include "core/net/conn.h"

struct auth;
struct pool;
struct store;

extern const struct protocol pop3_protocol;

/* What every session works with. Once, before the loops run. */
void pop3_setup(struct store *store, struct auth *auth, struct pool *pool);

#endif
