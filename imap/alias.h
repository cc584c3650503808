/* [imap] special_aliases: what other servers and programs call Sent, Drafts, Trash, Junk and
 * Archive. */
#ifndef TANDEM_IMAP_ALIAS_H
#define TANDEM_IMAP_ALIAS_H

#include "core/base/slice.h"
#include "imap/session.h"

/* The mailbox that a client reads from or writes to by this path, which store_path_check has
 * passed: the one of that name; the default mailbox if there is none, and the name is one of its
 * aliases. A mailbox is made, renamed, deleted and subscribed to by its own name alone. */
struct slice alias_meant(const struct session *s, struct slice path);

#endif
