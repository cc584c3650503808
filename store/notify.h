/* Events: what a commit did to a mailbox, for the views and maildrops of other sessions. A commit
 * reaches a loop's inbox as events first, completions after, so a tagged OK follows the untagged
 * data of its own batch and of everything committed before. */
#ifndef TANDEM_STORE_NOTIFY_H
#define TANDEM_STORE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>

struct env;
struct store_reader;
struct turn;

enum { EVENT_UIDS = 32 };
enum event_op { EVENT_ARRIVED, EVENT_FLAGS, EVENT_EXPUNGED };

struct event_uid {
    uint32_t uid;
    uint8_t op; /* enum event_op */
    uint8_t sysflags;
    uint64_t keywords;
    uint64_t before; /* slot modseq before the change; 0 for arrivals */
};

enum account_event {
    ACCOUNT_NONE, /* the event is about messages of (a, m) */
    ACCOUNT_CREATED,
    ACCOUNT_DELETED,
    ACCOUNT_RENAMED,
    ACCOUNT_SUBSCRIBED
};

struct event {
    struct event *next;
    uint64_t txn;
    uint32_t a, m;
    enum account_event kind;
    uint64_t modseq, expunge_modseq;
    uint32_t uidnext;
    bool keywords; /* the keyword table changed */
    bool many;     /* more than fit: look at the rows */
    uint8_t ops;   /* 1 << enum event_op of all that was added, of what did not fit too */
    uint8_t n;
    struct event_uid uid[EVENT_UIDS];
};

/* One mailbox has at most one event with changes of flags for each modseq: fill it in one go. */
void event_add(struct event *event, enum event_op op, uint32_t uid, uint8_t sysflags,
               uint64_t keywords, uint64_t before);
/* The committer, after the commit and before its completions: takes the turn's events over. */
void notify_publish(struct env *env, struct turn *turn);
/* On the reader's loop, before a completion runs: events that had to wait for a newer snapshot, as
 * this one shows them. */
void notify_catch_up(struct store_reader *reader);

#endif
