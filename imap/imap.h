/* The IMAP front end: RFC 3501 and what capability.c announces. */
#ifndef TANDEM_IMAP_IMAP_H
#define TANDEM_IMAP_IMAP_H

#include "core/net/conn.h"

struct auth;
struct pool;
struct store;

extern const struct protocol imap_protocol;

/* What every session works with. Once, before the loops run. */
void imap_setup(struct store *store, struct auth *auth, struct pool *pool);

#endif
