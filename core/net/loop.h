/* One event loop: a thread, its sockets, timers and inbox. Several identical loops serve all
 * connections; a connection stays on its loop for life. Threads meet a loop only in its inbox.
 *
 *      another thread                      the loop's thread
 *      loop_post() --> inbox (FIFO) -----> drained first in every turn, before sockets and timers
 *
 * A turn = inbox, timers, sockets, what the loop has posted to itself meanwhile, then the turn-end
 * hooks (connections marked closed are freed, read transactions are given back). Nothing borrowed
 * from the store's map survives a turn. */
#ifndef TANDEM_NET_LOOP_H
#define TANDEM_NET_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"

struct loop;
struct ev_loop;

/* A message to a loop. Embed it in what it is about; the poster owns it again inside `run`. */
struct post {
    struct post *next;
    void (*run)(struct loop *loop, struct post *post);
};

MUST_CHECK enum err loop_new(unsigned index, struct loop **ret);
void loop_free(struct loop *loop); /* after loop_run has returned */
void loop_run(struct loop *loop);  /* the calling thread becomes the loop's */
void loop_stop(struct loop *loop); /* any thread; what was posted before still runs */
unsigned loop_index(const struct loop *loop);
struct loop *loop_current(void);             /* NULL on a thread that is not a loop's */
struct ev_loop *loop_ev(struct loop *loop);  /* own thread only */
bool loop_has_time(const struct loop *loop); /* it has waited for this turn; own thread only */
uint64_t loop_now_ms(struct loop *loop);     /* monotonic, as of this turn's start (clock.h) */

/* Any thread. Posts of one thread arrive in their order; the first post into an empty inbox costs
 * one wake-up, the rest none. A loop's posts to itself cost nothing: they run once its sockets have
 * had their turn, and what those post comes after the next sockets. */
void loop_post(struct loop *loop, struct post *post);
/* Its two halves, for a thread that has many: all posts first, and then one loop_wake for each loop
 * of which a loop_leave has returned true. */
MUST_CHECK bool loop_leave(struct loop *loop, struct post *post);
void loop_wake(struct loop *loop);

/* Called at the end of every turn that ran a callback, in the order they were added. At most 8. */
void loop_at_turn_end(struct loop *loop, void (*hook)(struct loop *loop, void *arg), void *arg);

/* Called after every post, every timer and at the start of a turn's end: what a callback borrowed
 * (octets of the store's map in an output queue) is settled before the next one runs. One hook a
 * loop; whoever adds callbacks of another kind calls loop_callback_ends itself. */
void loop_at_callback_end(struct loop *loop, void (*hook)(struct loop *loop, void *arg), void *arg);
void loop_callback_ends(struct loop *loop);

/* Names for objects that late completions may outlive: a completion carries (loop, id), and an id
 * that was dropped finds nothing. Ids are never reused. Own thread only. */
uint64_t loop_id_new(struct loop *loop, void *object);
void loop_id_drop(struct loop *loop, uint64_t id);  /* 0 shrugs */
void *loop_id_find(struct loop *loop, uint64_t id); /* NULL: gone */

/* One-shot timer on the loop's clock. Zero-initialise, embed, set `run` once. */
struct timer {
    void (*run)(struct loop *loop, struct timer *timer);
    struct loop *loop;
    uint64_t due_ms; /* 0: not armed */
    uint32_t slot;   /* private: position in the loop's heap */
};
void timer_arm(struct loop *loop, struct timer *timer, uint64_t delay_ms); /* re-arming moves it */
void timer_cancel(struct timer *timer);                                    /* unarmed: shrugs */

#endif
