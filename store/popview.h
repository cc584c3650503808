/* What of an account POP3 sees: the rules, message by message, and what is remembered between
 * logins so that a message that a client has downloaded leaves the maildrop only for good. Clients
 * forget what is no longer listed, and would download it again.
 *
 *      never downloaded:  shown <--rules--> hidden
 *      downloaded:        shown --a rule, or out of view--> hidden for good (POP_HIDDEN)
 *
 * `opt` rows of the account:
 *      pop3.view      the mailboxes of the account's own view at its last login, "3 7 9"; without
 *                     the row: INBOX
 *      pop3.mark.M    "50 1234": with max_messages = 50, UIDs below 1234 were too old */
#ifndef TANDEM_STORE_POPVIEW_H
#define TANDEM_STORE_POPVIEW_H

#include "store/commit.h"

/* Is the message one that `recent` shows whatever the other rules say? */
bool popview_is_exempt(const struct store_poprule *rule, uint32_t now, const struct hot_slot *slot);
/* What the rules that look at one message alone say of it: all but HIDDEN_OLDER. */
enum store_hidden popview_judge(const struct store_poprule *rule, uint32_t now,
                                const struct hot_slot *slot);

/* The mailboxes of the own view, as a set of M. `txn`: a snapshot or a turn. */
MUST_CHECK enum err popview_load(struct engine_txn *txn, const struct env *env, uint32_t a,
                                 struct uidset *ret);
MUST_CHECK enum err popview_save(struct turn *turn, uint32_t a, const struct uidset *view);
/* 0: there is no mark, or it was made by another number. */
MUST_CHECK enum err popview_mark_load(struct engine_txn *txn, uint32_t a, uint32_t m,
                                      uint32_t max_messages, uint32_t *ret_uid);
MUST_CHECK enum err popview_mark_save(struct turn *turn, uint32_t a, uint32_t m,
                                      uint32_t max_messages, uint32_t uid);
/* The mailbox is swept away. */
MUST_CHECK enum err popview_mark_drop(struct turn *turn, uint32_t a, uint32_t m);

#endif
