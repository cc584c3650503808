/* A store of one account without its daemon: the rows are written by the test itself in turns of
 * its own, and loops turn only when the test says so. What a view makes of it is the same. */
#ifndef TANDEM_TESTS_STORE_RIG_H
#define TANDEM_TESTS_STORE_RIG_H

#include "core/net/loop.h"
#include "store/commit.h"

enum { RIG_LOOPS = 2, RIG_ACCOUNT = 7 };

struct rig {
    char dir[64];
    struct store store;
    struct env env;
    struct store_account account;
    struct loop *loop[RIG_LOOPS];
    struct store_reader *reader[RIG_LOOPS + 1]; /* the last one belongs to no loop */
    struct turn turn;
    struct box box; /* of the turn under way */
};

void rig_start(struct rig *rig);
void rig_stop(struct rig *rig);
/* One turn of the loop: inbox, then its end. Never waits. */
void rig_turn_loop(struct rig *rig, unsigned loop);

/* A change: begin, any of the rig_ calls below, commit, publish. They work on the mailbox `m`,
 * which is made when it is not there. `now` is the time of tombstones. */
void rig_begin(struct rig *rig, uint32_t m, uint32_t now);
void rig_commit(struct rig *rig);  /* all that follows is read by new snapshots */
void rig_publish(struct rig *rig); /* and the loops hear of it; before the next rig_begin */
/* n messages from UIDNEXT on, all at one new modseq. */
void rig_arrive(struct rig *rig, uint32_t n, uint8_t sysflags);
void rig_skip_uids(struct rig *rig, uint32_t n);
/* Sets flags at one new modseq. Members that are not there are passed over. */
void rig_flags(struct rig *rig, const struct uidset *uids, uint8_t sysflags, uint64_t keywords);
void rig_expunge(struct rig *rig, const struct uidset *uids, bool transient);
void rig_keywords(struct rig *rig, const char *const *names, unsigned n);
void rig_delete_mailbox(struct rig *rig);
/* What is left of an expunged message, window or not. */
void rig_drop_gone(struct rig *rig, uint32_t uid);
void rig_trim_tombs(struct rig *rig, uint64_t upto); /* tombstones at or below it */
/* "m7" for M = 7. */
struct slice rig_path(uint32_t m, char to[16]);

#endif
