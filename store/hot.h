/* Changing messages of one mailbox within a turn: loads each bucket of `hot` once, keeps the
 * counters of bucket and mailbox true, writes a bucket back when the next one is entered.
 *
 *     hot_begin -> hot_at / hot_changed / hot_insert / hot_remove ... in UID order -> hot_end
 *
 * The box is saved by the caller, after hot_end. */
#ifndef TANDEM_STORE_HOT_H
#define TANDEM_STORE_HOT_H

#include "store/commit.h"

struct hot_edit {
    struct turn *turn;
    struct box *box;
    uint32_t bucket; /* loaded, if `loaded` */
    bool loaded, dirty, existed;
    struct hot_bucket now;
};

/* Before highestmodseq is raised (store/lazy.h). */
void hot_begin(struct hot_edit *edit, struct turn *turn, struct box *box);
/* The slot in memory, NULL when there is none. To change it: note the old value, change,
 * hot_changed. */
MUST_CHECK enum err hot_at(struct hot_edit *edit, uint32_t uid, struct hot_slot **ret);
void hot_changed(struct hot_edit *edit, uint32_t uid, const struct hot_slot *before);
MUST_CHECK enum err hot_insert(struct hot_edit *edit, uint32_t uid, const struct hot_slot *slot);
MUST_CHECK enum err hot_remove(struct hot_edit *edit, uint32_t uid);
MUST_CHECK enum err hot_end(struct hot_edit *edit);
/* First message >= uid of the mailbox, as the turn has it; ERR_NOTFOUND at the end. */
MUST_CHECK enum err hot_next(struct hot_edit *edit, uint32_t uid, uint32_t *ret);

#endif
