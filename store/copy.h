/* Messages from one mailbox of an account into another (COPY, MOVE, RENAME INBOX, undelete).
 *
 *      copy_begin -> copy_place, message by message, in UID order of the source -> copy_end
 */
#ifndef TANDEM_STORE_COPY_H
#define TANDEM_STORE_COPY_H

#include "store/hot.h"
#include "store/uidl.h"

/* A copy under way. The caller fills the first part; source and target may be one and the same. */
struct copying {
    struct turn *turn;
    struct acct *acct;
    struct box *source, *target;
    const struct actor *actor;
    bool move;     /* the reference goes along, and so does what POP3 knows of the message */
    bool restores; /* from the undelete window */
    /* Private. */
    struct hot_edit to;
    struct event *event;
    uint32_t first_new;
    uint64_t last_bits, last_translated; /* most messages in a row have the same keywords */
    bool dropped, grew;
    bool knows_pop;          /* the next two are filled */
    bool returns;            /* into the maildrop, from where POP3 does not look */
    enum uidl_format format; /* of the account */
};

/* The target's modseq is raised; the caller saves both boxes and acct, and writes the journal. */
void copy_begin(struct copying *c);
/* Message `uid` of the source, which has this slot (there, or in its `gone` row), gets the next UID
 * of the target. `msg` stays where it was. */
MUST_CHECK enum err copy_place(struct copying *c, uint32_t uid, struct hot_slot slot);
/* The new UIDs are added to `ret_new`: one range. */
MUST_CHECK enum err copy_end(struct copying *c, struct uidset *ret_new);

/* All of it, journal line included: those messages of `source`, which are there, into `target`,
 * both loaded in this turn; both are saved here, `acct` by the caller. At most OP_MESSAGES_MAX. */
MUST_CHECK enum err copy_set(struct copying *c, const struct uidset *uids, enum log_what what,
                             struct uidset *ret_new);
/* MOVE of every message of `source` into `target`. */
MUST_CHECK enum err copy_all(struct turn *turn, struct acct *acct, struct box *source,
                             struct box *target, const struct actor *actor);

#endif
