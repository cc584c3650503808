/* What this connection may be told that the server can do. */
#ifndef TANDEM_IMAP_CAPABILITY_H
#define TANDEM_IMAP_CAPABILITY_H

#include <stdbool.h>

#include "core/base/config.h"
#include "core/base/slice.h"

struct imap_command;
struct reply;
struct session;

/* "CAPABILITY IMAP4rev1 ...", as it stands in the response and in the response code. */
void imap_capabilities(const struct session *s, struct reply *r);

/* --- capabilities_off -------------------------------------------------------------------------
 * A capability that the listener, the file or the account masks is not announced, and what asks for
 * it by a command, a literal without `+`, a mechanism or an initial response is refused as if this
 * server had never heard of it. What only adds to arguments and answers (CHILDREN, LIST-EXTENDED,
 * SPECIAL-USE, ESEARCH, the codes of UIDPLUS, ...) stays: no client uses what is not announced. */
bool imap_masked(const struct session *s, struct slice capability);
bool imap_command_masked(const struct session *s, const struct imap_command *row);
bool imap_mechanism_masked(const struct session *s, struct slice mechanism);
enum literal_plus imap_literal_plus(const struct session *s); /* RFC 7888 */

#endif
