/* UIDLs by an account's format: what POP3 clients remember a message by, so it never changes. The
 * format is fixed when the account is made; single messages override it (`uidl` rows). */
#ifndef TANDEM_STORE_UIDL_H
#define TANDEM_STORE_UIDL_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/config.h"
#include "core/base/slice.h"

enum { UIDL_MAX = 70 }; /* RFC 1939 section 7 */

/* enum uidl_format is the configuration's. dovecot: hex UID, hex UIDVALIDITY (8 digits each).
 * cyrus: UIDVALIDITY.UID. courier: UIDn-v. uw: the same two in hex, UIDVALIDITY first. uid: the
 * UID. guid: the message's own random id. */
/* An unknown or empty name is dovecot's, the default. */
enum uidl_format uidl_format(struct slice name);
/* Writes the UIDL and a NUL to `to` (UIDL_MAX + 1 octets); returns its length. */
size_t uidl_make(enum uidl_format format, uint32_t uidvalidity, uint32_t uid,
                 const unsigned char emailid[16], char *to);

#endif
