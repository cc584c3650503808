/* What was expunged, until it is dropped for good.
 *
 *      expunge --> `gone` row, msg row and body stay --store/window.h--> dropped
 *              --> transient `gone` row (moved, or no window) --gate, no claim--> dropped
 *
 * A transient row serves the views and maildrops that were open when its message went: it is
 * dropped when no reader can open one that old (the gate) and none that is open was told less than
 * its modseq. At a start there is nobody: all of them go.
 *
 * The committer's thread, but for gone_register and gone_free. */
#ifndef TANDEM_STORE_GONE_H
#define TANDEM_STORE_GONE_H

#include "store/age.h"
#include "store/commit.h"

/* In place of a mailbox: a pin (store/snapshot.h) on it holds the traces of every MOVE in the
 * account, because a maildrop follows a message that is moved again from a mailbox that it does not
 * show. */
enum { MOVED_ANYWHERE = 0 };

/* Before committer_start: makes env->gone and registers its upkeep. */
void gone_register(struct env *env);
void gone_free(struct gone *gone); /* after committer_free; NULL shrugs */

/* After a commit, by reap_committed: remembers which mailboxes got transient rows. */
void gone_committed(struct env *env, const struct turn *turn);
/* Transient rows of this account are from before the start: drop them as claims allow. */
void gone_leftovers(struct env *env, uint32_t a);
/* May things be destroyed because of their age? (store/age.h) */
bool gone_age_trusted(struct env *env);

/* What a slice of upkeep has dirtied so far, guessed from which rows share a page. */
struct spent {
    unsigned pages, rows;
    uint32_t last_u;
    uint64_t last_b;
};

/* Deletes the `gone` row (a, time, m, u) and what it stands for: the message with its `pop` and
 * `uidl`, and its reference to the body if it owns one; or the deleted mailbox, which is left to
 * the sweep. `acct` is changed, not saved. */
MUST_CHECK enum err gone_drop(struct turn *turn, struct acct *acct, uint32_t time, uint32_t m,
                              uint32_t u, struct spent *spent);
/* Deletes a message's rows by number. `owns`: it has a reference to its body. ERR_OK when there is
 * no such message. */
MUST_CHECK enum err message_drop(struct turn *turn, uint32_t a, uint32_t m, uint32_t u, bool owns,
                                 struct spent *spent);

#endif
