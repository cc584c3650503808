/* Recoverable/ ([imap] undelete_tree): what can be brought back, as mailboxes that can only be
 * read; COPY and MOVE out of one of them bring messages back. */
#ifndef TANDEM_IMAP_RECOVER_H
#define TANDEM_IMAP_RECOVER_H

#include "core/base/slice.h"
#include "imap/session.h"

/* Is `name` one of the tree, and is the tree shown? The former path is in the command's arena. */
bool recover_path(struct session *s, struct slice name, struct slice *ret);
bool recover_shown(const struct session *s);
/* Tell `each` of the tree's mailboxes, under the names that clients know. Its argument is lent for
 * the call. */
void recover_list(const struct store_lost_tree *tree, store_mailbox_each *each, void *arg);

#endif
