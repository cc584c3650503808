#include "core/net/loop.h"

#include <assert.h>
#include <ev.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"

enum {
    HOOKS_MAX = 8,
    HEAP_ARITY = 4,
    STALL_NS = 10 * 1000 * 1000, /* a turn that takes longer makes others wait */
    REST_NS = 5 * 1000,          /* longer than a look at sockets of which some are ready */
};

/* The heap's key may be earlier than the timer's own due time: a deadline that moves back, which
 * happens with every command, only writes `due_ms`, and the entry sinks when it comes to the top.
 * A key is never later than its timer. */
struct heap_entry {
    uint64_t key_ms;
    struct timer *timer;
};

struct id_slot {
    void *object; /* NULL: free */
    uint32_t generation;
    uint32_t next_free; /* index + 1; 0: none */
};

struct hook {
    void (*run)(struct loop *loop, void *arg);
    void *arg;
};

struct loop {
    struct ev_loop *ev;
    ev_async wake;             /* the inbox was empty and no longer is */
    ev_timer alarm;            /* the earliest key of the heap */
    ev_prepare turn_end;       /* just before the loop would wait */
    ev_check turn_begin;       /* just after */
    uint64_t begin_ns, end_ns; /* of the turn; of the one before */
    unsigned index;

    _Atomic(struct post *) inbox; /* newest first */
    struct post *own, **own_end;  /* posts of this thread to itself, oldest first */
    atomic_bool stopping;
    struct post stop;

    uint64_t now_ms; /* 0: not asked for in this turn */

    struct heap_entry *heap;
    uint32_t heap_len, heap_cap;
    uint64_t alarm_ms; /* what `alarm` is set to; 0: not running */

    struct id_slot *ids;
    uint32_t ids_len, ids_cap, ids_free;

    struct hook callback_end; /* run is NULL: none */
    struct hook hooks[HOOKS_MAX];
    unsigned hooks_len;
};

static _Thread_local struct loop *current;

void loop_callback_ends(struct loop *loop)
{
    if (loop->callback_end.run)
        loop->callback_end.run(loop, loop->callback_end.arg);
}

/* --- inbox ------------------------------------------------------------------------------------ */

/* True: it was empty, and the loop must be woken. */
static bool into_inbox(struct loop *loop, struct post *post)
{
    struct post *old = atomic_load_explicit(&loop->inbox, memory_order_relaxed);
    do
        post->next = old;
    while (!atomic_compare_exchange_weak_explicit(&loop->inbox, &old, post, memory_order_release,
                                                  memory_order_relaxed));
    return !old;
}

bool loop_leave(struct loop *loop, struct post *post)
{
    if (loop != current)
        return into_inbox(loop, post);
    post->next = NULL;
    *loop->own_end = post;
    loop->own_end = &post->next;
    return false;
}

void loop_wake(struct loop *loop)
{
    ev_async_send(loop->ev, &loop->wake);
}

void loop_post(struct loop *loop, struct post *post)
{
    if (loop_leave(loop, post))
        loop_wake(loop);
}

/* In order; `run` owns its post: it may free it or post it again. */
static void run_posts(struct loop *loop, struct post *oldest)
{
    while (oldest) {
        struct post *post = oldest;
        oldest = post->next;
        post->run(loop, post);
        loop_callback_ends(loop);
    }
}

static void drain_inbox(struct loop *loop)
{
    struct post *newest = atomic_exchange_explicit(&loop->inbox, NULL, memory_order_acquire);
    struct post *oldest = NULL;
    while (newest) {
        struct post *next = newest->next;
        newest->next = oldest;
        oldest = newest;
        newest = next;
    }
    run_posts(loop, oldest);
}

/* Once in a turn: who posts himself again comes after the sockets. */
static void drain_own(struct loop *loop)
{
    struct post *oldest = loop->own;
    loop->own = NULL;
    loop->own_end = &loop->own;
    run_posts(loop, oldest);
}

static void on_wake(struct ev_loop *ev, ev_async *watcher, int events)
{
    (void)watcher;
    (void)events;
    drain_inbox(ev_userdata(ev));
}

static void on_stop(struct loop *loop, struct post *post)
{
    (void)post;
    ev_break(loop->ev, EVBREAK_ALL);
}

void loop_stop(struct loop *loop)
{
    if (!atomic_exchange(&loop->stopping, true) && into_inbox(loop, &loop->stop))
        loop_wake(loop); /* a turn of its own: own posts run before */
}

/* --- timers ----------------------------------------------------------------------------------- */

static void heap_put(struct loop *loop, uint32_t at, struct heap_entry entry)
{
    loop->heap[at] = entry;
    entry.timer->slot = at;
}

static void sift_up(struct loop *loop, uint32_t at)
{
    struct heap_entry entry = loop->heap[at];
    while (at > 0) {
        uint32_t parent = (at - 1) / HEAP_ARITY;
        if (loop->heap[parent].key_ms <= entry.key_ms)
            break;
        heap_put(loop, at, loop->heap[parent]);
        at = parent;
    }
    heap_put(loop, at, entry);
}

static void sift_down(struct loop *loop, uint32_t at)
{
    struct heap_entry entry = loop->heap[at];
    for (;;) {
        uint32_t first = at * HEAP_ARITY + 1, least = at;
        uint64_t key = entry.key_ms;
        for (uint32_t child = first; child < first + HEAP_ARITY && child < loop->heap_len; child++)
            if (loop->heap[child].key_ms < key) {
                key = loop->heap[child].key_ms;
                least = child;
            }
        if (least == at)
            break;
        heap_put(loop, at, loop->heap[least]);
        at = least;
    }
    heap_put(loop, at, entry);
}

static void heap_remove(struct loop *loop, uint32_t at)
{
    struct heap_entry last = loop->heap[--loop->heap_len];
    if (at == loop->heap_len)
        return;
    heap_put(loop, at, last);
    sift_down(loop, at);
    sift_up(loop, last.timer->slot);
}

void timer_arm(struct loop *loop, struct timer *timer, uint64_t delay_ms)
{
    /* Not in this very turn, so that a timer that arms itself with 0 does not hold the loop. */
    uint64_t due = loop_now_ms(loop) + (delay_ms ? delay_ms : 1);
    if (timer->due_ms) {
        struct heap_entry *entry = &loop->heap[timer->slot];
        timer->due_ms = due;
        if (due < entry->key_ms) {
            entry->key_ms = due;
            sift_up(loop, timer->slot);
        }
        return;
    }
    if (loop->heap_len == loop->heap_cap) {
        loop->heap_cap = loop->heap_cap ? loop->heap_cap * 2 : 64;
        loop->heap = mem_resize(loop->heap, loop->heap_cap * sizeof *loop->heap);
    }
    timer->loop = loop;
    timer->due_ms = due;
    heap_put(loop, loop->heap_len++, (struct heap_entry){due, timer});
    sift_up(loop, timer->slot);
}

void timer_cancel(struct timer *timer)
{
    if (!timer->due_ms)
        return;
    timer->due_ms = 0;
    heap_remove(timer->loop, timer->slot);
}

static void run_timers(struct loop *loop)
{
    uint64_t now = loop_now_ms(loop);
    while (loop->heap_len && loop->heap[0].key_ms <= now) {
        struct timer *timer = loop->heap[0].timer;
        if (timer->due_ms > loop->heap[0].key_ms) {
            loop->heap[0].key_ms = timer->due_ms;
            sift_down(loop, 0);
            continue;
        }
        timer->due_ms = 0;
        heap_remove(loop, 0);
        timer->run(loop, timer);
        loop_callback_ends(loop);
    }
}

static void on_alarm(struct ev_loop *ev, ev_timer *watcher, int events)
{
    (void)watcher;
    (void)events;
    struct loop *loop = ev_userdata(ev);
    loop->alarm_ms = 0;
    run_timers(loop);
}

static void set_alarm(struct loop *loop)
{
    uint64_t key = loop->heap_len ? loop->heap[0].key_ms : 0;
    if (key == loop->alarm_ms)
        return;
    ev_timer_stop(loop->ev, &loop->alarm);
    loop->alarm_ms = key;
    if (!key)
        return;
    uint64_t now = clock_mono_ms();
    ev_now_update(loop->ev);
    ev_timer_set(&loop->alarm, key > now ? (double)(key - now) / 1000.0 : 0.0, 0.0);
    ev_timer_start(loop->ev, &loop->alarm);
}

/* --- ids -------------------------------------------------------------------------------------- */

static struct id_slot *id_slot(struct loop *loop, uint64_t id)
{
    uint32_t number = (uint32_t)id;
    if (number == 0 || number > loop->ids_len)
        return NULL;
    struct id_slot *slot = &loop->ids[number - 1];
    return slot->object && slot->generation == (uint32_t)(id >> 32) ? slot : NULL;
}

uint64_t loop_id_new(struct loop *loop, void *object)
{
    assert(object);
    uint32_t number = loop->ids_free;
    if (number) {
        loop->ids_free = loop->ids[number - 1].next_free;
    } else {
        if (loop->ids_len == loop->ids_cap) {
            loop->ids_cap = loop->ids_cap ? loop->ids_cap * 2 : 64;
            loop->ids = mem_resize(loop->ids, loop->ids_cap * sizeof *loop->ids);
        }
        number = ++loop->ids_len;
        loop->ids[number - 1] = (struct id_slot){0};
    }
    struct id_slot *slot = &loop->ids[number - 1];
    slot->object = object;
    return (uint64_t)slot->generation << 32 | number;
}

void loop_id_drop(struct loop *loop, uint64_t id)
{
    struct id_slot *slot = id_slot(loop, id);
    if (!slot)
        return;
    slot->object = NULL;
    if (++slot->generation == 0)
        return; /* all its ids were given out: the slot retires */
    slot->next_free = loop->ids_free;
    loop->ids_free = (uint32_t)id;
}

void *loop_id_find(struct loop *loop, uint64_t id)
{
    struct id_slot *slot = id_slot(loop, id);
    return slot ? slot->object : NULL;
}

/* --- the loop --------------------------------------------------------------------------------- */

static void end_turn(struct loop *loop)
{
    loop_callback_ends(loop);
    for (unsigned i = 0; i < loop->hooks_len; i++)
        loop->hooks[i].run(loop, loop->hooks[i].arg);
    set_alarm(loop);
    loop->now_ms = 0;
}

static void on_turn_begin(struct ev_loop *ev, ev_check *watcher, int events)
{
    struct loop *loop = ev_userdata(ev);
    (void)watcher;
    (void)events;
    loop->begin_ns = clock_mono_ns();
}

static void on_turn_end(struct ev_loop *ev, ev_prepare *watcher, int events)
{
    (void)watcher;
    (void)events;
    struct loop *loop = ev_userdata(ev);
    drain_own(loop);
    end_turn(loop);
    if (loop->own)
        ev_async_send(ev, &loop->wake); /* do not wait for anything else */
    loop->end_ns = clock_mono_ns();
    uint64_t took = loop->begin_ns ? loop->end_ns - loop->begin_ns : 0;
    if (took > STALL_NS)
        metrics_observe(METRIC_LOOP_STALL, loop->index, 0, took);
}

void loop_at_turn_end(struct loop *loop, void (*hook)(struct loop *loop, void *arg), void *arg)
{
    assert(loop->hooks_len < HOOKS_MAX);
    loop->hooks[loop->hooks_len++] = (struct hook){hook, arg};
}

void loop_at_callback_end(struct loop *loop, void (*hook)(struct loop *loop, void *arg), void *arg)
{
    loop->callback_end = (struct hook){hook, arg};
}

enum err loop_new(unsigned index, struct loop **ret)
{
    signal(SIGPIPE, SIG_IGN); /* a lost peer is an error code, never a signal */
    struct ev_loop *ev = ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV | EVFLAG_NOINOTIFY);
    if (!ev)
        return ERR_DOWN;
    struct loop *loop = mem_new(sizeof *loop);
    loop->ev = ev;
    loop->index = index;
    loop->stop.run = on_stop;
    loop->own_end = &loop->own;
    ev_set_userdata(ev, loop);

    ev_async_init(&loop->wake, on_wake);
    ev_set_priority(&loop->wake, EV_MAXPRI);
    ev_async_start(ev, &loop->wake);
    ev_timer_init(&loop->alarm, on_alarm, 0.0, 0.0);
    ev_set_priority(&loop->alarm, EV_MAXPRI - 1);
    ev_prepare_init(&loop->turn_end, on_turn_end);
    ev_prepare_start(ev, &loop->turn_end);
    ev_check_init(&loop->turn_begin, on_turn_begin);
    ev_set_priority(&loop->turn_begin, EV_MAXPRI); /* queued last of these, so it runs first */
    ev_check_start(ev, &loop->turn_begin);
    *ret = loop;
    return ERR_OK;
}

void loop_free(struct loop *loop)
{
    if (!loop)
        return;
    ev_timer_stop(loop->ev, &loop->alarm);
    ev_prepare_stop(loop->ev, &loop->turn_end);
    ev_check_stop(loop->ev, &loop->turn_begin);
    ev_async_stop(loop->ev, &loop->wake);
    ev_loop_destroy(loop->ev);
    mem_free(loop->heap);
    mem_free(loop->ids);
    mem_free(loop);
}

void loop_run(struct loop *loop)
{
    current = loop;
    ev_run(loop->ev, 0);
    end_turn(loop); /* ev_break leaves the last turn without its end */
    current = NULL;
}

bool loop_has_time(const struct loop *loop)
{
    return loop->begin_ns - loop->end_ns > REST_NS;
}

unsigned loop_index(const struct loop *loop)
{
    return loop->index;
}

struct loop *loop_current(void)
{
    return current;
}

struct ev_loop *loop_ev(struct loop *loop)
{
    return loop->ev;
}

uint64_t loop_now_ms(struct loop *loop)
{
    if (!loop->now_ms)
        loop->now_ms = clock_mono_ms();
    return loop->now_ms;
}
