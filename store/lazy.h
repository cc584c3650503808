/* What need not be on the disk at once. It is kept in memory, joins the next batch that rewrites
 * its row anyway, and else is written by a timer; a crash loses it without harm:
 *
 *      last login of an account (`acct`), highest UID told as recent and a better bound for the
 *      first unseen message of a mailbox (`mbox`): after 10 minutes
 *      lines of the journal about flags and downloads (store/journal.h): after one
 *
 * One sweep a second writes what is due, all accounts together; a stop writes everything. What is
 * told here stays until the sweep finds it in its row, so an aborted turn has nothing to give back.
 * An env without a committer has none of it: telling it does nothing.
 *
 * One table per env behind a mutex, which is a leaf. More than 65,536 accounts and mailboxes in it
 * are due at once, oldest first; beyond twice as many it takes no new ones. */
#ifndef TANDEM_STORE_LAZY_H
#define TANDEM_STORE_LAZY_H

#include "store/commit.h"

struct lazy;

/* Before committer_start: makes env->lazy and env->journal, and registers the sweep. */
void lazy_register(struct env *env);
void lazy_free(struct lazy *lazy); /* after committer_free; NULL shrugs */
/* From now on everything is due: the committer writes it before it ends. Any thread. */
void lazy_stop(struct env *env);

/* Any thread. */
void lazy_login(struct env *env, uint32_t a, enum store_proto proto, uint32_t time);
void lazy_recent(struct env *env, uint32_t a, uint32_t m, uint32_t uid);
/* No message below `uid` was unseen when the mailbox's highestmodseq was `modseq`. */
void lazy_first_unseen(struct env *env, uint32_t a, uint32_t m, uint32_t uid, uint64_t modseq);

/* The committer: put what is known into a row; true when that changed it. */
bool lazy_join_acct(struct env *env, uint32_t a, struct row_acct *row);
/* The bound of the first unseen message holds only as long as highestmodseq is what it was then. So
 * it must come before a batch raises that: hot_begin sees to it. */
bool lazy_join_mbox(struct env *env, uint32_t a, uint32_t m, struct row_mbox *row);
/* The turn under way has ended. */
void lazy_turn_over(struct env *env, bool committed);

#endif
