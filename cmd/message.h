/* What the verbs about messages share: a mailbox, and messages of it by UID. */
#ifndef TANDEM_CMD_MESSAGE_H
#define TANDEM_CMD_MESSAGE_H

#include "cmd/verb.h"

struct mail {
    struct store_account *account;
    struct store_view *view; /* claims nothing: no \Recent, no \Seen */
    struct slice path;
};

/* False: complained; nothing is to be closed. */
MUST_CHECK bool mail_open(struct verb_call *call, const char *name, const char *mailbox,
                          struct mail *ret);
void mail_close(struct mail *mail);
/* Of a set of UIDs as IMAP writes it ("1:5,9,12:*"), or "all", those that are there. False:
 * complained. `ret` is finished by the caller in any case. */
MUST_CHECK bool mail_uids(struct verb_call *call, const struct mail *mail, const char *text,
                          struct uidset *ret);
/* A set as mail_uids reads it, in the arena; none: too many ranges to be shown. */
struct cell mail_set_cell(struct verb_call *call, const struct uidset *set);

/* The first `end` octets of a body, a piece at a time, never while a snapshot is held. Ends with
 * the first error, of the store or of `take`. */
MUST_CHECK enum err mail_octets(struct verb_call *call, struct store_body *body, uint64_t end,
                                enum err (*take)(void *arg, struct slice octets), void *arg);

/* A system flag by its name, with or without its backslash, in any case; 0: it is none. */
uint8_t mail_flag(struct slice name);
/* Can this be a keyword? RFC 3501 section 9: flag-keyword = atom; at most 200 octets. */
bool mail_keyword_valid(struct slice name);
/* Names of what a message has, in the arena. */
struct cell mail_flags_cell(struct arena *arena, const struct store_view *view,
                            const struct store_message *message);

#endif
