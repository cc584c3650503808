#include "store/notify.h"

#include <assert.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/boxes.h"
#include "store/commit.h"
#include "store/view.h"

void event_add(struct event *event, enum event_op op, uint32_t uid, uint8_t sysflags,
               uint64_t keywords, uint64_t before)
{
    event->ops |= (uint8_t)(1u << op);
    if (event->n == EVENT_UIDS) {
        event->many = true;
        return;
    }
    event->uid[event->n++] = (struct event_uid){.uid = uid,
                                                .op = (uint8_t)op,
                                                .sysflags = sysflags,
                                                .keywords = keywords,
                                                .before = before};
}

/* --- the ring: under the object's mutex ---------------------------------------------------------
 */

static void ring_drop(struct box_object *object)
{
    struct ring_event *event = object->ring;
    object->ring = event->next;
    object->ring_n--;
    object->ring_octets -= (uint32_t)(sizeof *event + event->n * sizeof event->uid[0]);
    if (object->ring_floor < event->modseq)
        object->ring_floor = event->modseq;
    mem_free(event);
}

void ring_clear(struct box_object *object)
{
    while (object->ring)
        ring_drop(object);
}

static void ring_add(struct box_object *object, const struct event *event)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < event->n; i++)
        n += event->uid[i].op == EVENT_FLAGS;
    if (event->many)
        n = 0;
    size_t octets = sizeof(struct ring_event) + n * sizeof(uint32_t);
    struct ring_event *to = mem_new(octets);
    *to = (struct ring_event){.modseq = event->modseq, .many = event->many};
    for (uint32_t i = 0; to->n < n; i++)
        if (event->uid[i].op == EVENT_FLAGS)
            to->uid[to->n++] = event->uid[i].uid;
    *(object->ring ? &object->ring_last->next : &object->ring) = to;
    object->ring_last = to;
    object->ring_n++;
    object->ring_octets += (uint32_t)octets;
    while (object->ring_n > RING_EVENTS || object->ring_octets > RING_OCTETS)
        ring_drop(object);
}

static void ring_note(struct box_object *object, const struct event *event)
{
    if (!object->watches) { /* nobody reads it: it knows nothing of what came up to here */
        ring_clear(object);
        object->ring_floor = event->modseq;
    } else if (object->ring_top == 0) {
        object->ring_floor = event->modseq - 1;
    }
    object->ring_top = event->modseq;
    if (object->watches && (event->ops & 1u << EVENT_FLAGS))
        ring_add(object, event);
}

static bool note_uid(uint32_t *uids, unsigned *n, uint32_t uid)
{
    for (unsigned i = 0; i < *n; i++)
        if (uids[i] == uid)
            return true;
    if (*n == EVENT_UIDS)
        return false;
    uids[(*n)++] = uid;
    return true;
}

bool object_flags(struct box_object *object, uint64_t after, uint64_t upto, uint32_t *uids,
                  unsigned *n)
{
    object_lock(object);
    bool known = object->ring_floor <= after && object->ring_top >= upto;
    for (struct ring_event *event = object->ring; known && event; event = event->next) {
        if (event->modseq <= after || event->modseq > upto)
            continue;
        known = !event->many;
        for (uint32_t i = 0; known && i < event->n; i++)
            known = note_uid(uids, n, event->uid[i]);
    }
    object_unlock(object);
    return known;
}

/* Events that every loop has passed are not needed any more. */
static void ring_trim(struct box_object *object)
{
    uint64_t seen = UINT64_MAX;
    for (struct watch *watch = object->watches; watch; watch = watch->next)
        if (watch->seen < seen)
            seen = watch->seen;
    while (object->ring && object->ring->modseq <= seen)
        ring_drop(object);
}

/* --- watches ------------------------------------------------------------------------------------
 */

/* A watch lives as long as a view needs it, a post of it is under way, or it is telling views. */
static void watch_drop(struct watch *watch)
{
    struct box_object *object = watch->object;
    object_lock(object);
    bool needed = watch->views || watch->posted || watch->walking;
    if (!watch->views)
        watch->seen = UINT64_MAX; /* it holds up no event */
    if (!needed) {
        struct watch **at = &object->watches;
        while (*at != watch)
            at = &(*at)->next;
        *at = watch->next;
        ring_trim(object);
        object_unuse(object);
    }
    object_unlock(object);
    if (!needed)
        mem_free(watch);
}

static void tell_views(struct watch *watch)
{
    watch->walking = true;
    for (struct store_view *view = watch->views; view; view = watch->walk) {
        watch->walk = view->next;
        view_on_event(view);
    }
    watch->walking = false;
}

static void leave_behind(struct watch *watch)
{
    struct watch **at = &watch->reader->behind;
    if (!watch->behind)
        return;
    while (*at != watch)
        at = &(*at)->behind_next;
    *at = watch->behind_next;
    watch->behind = false;
}

static void watch_run(struct loop *loop, struct post *post)
{
    struct watch *watch = (struct watch *)post;
    struct box_object *object = watch->object;
    struct store_reader *reader = watch->reader;
    leave_behind(watch);
    object_lock(object);
    uint64_t txn = watch->txn, top = object->ring_top;
    bool behind = watch->views && reader_is_behind(reader, watch->env, txn);
    watch->posted = behind; /* what comes from here on is posted again */
    object_unlock(object);
    tell_views(watch);
    if (behind) {
        /* This turn's snapshot is older than the newest event: come back in the next one. The
         * completion of that commit may be before us in the inbox by now; it fetches us. */
        watch->behind = true;
        watch->behind_txn = txn;
        watch->behind_next = reader->behind;
        reader->behind = watch;
        loop_post(loop, post);
        return;
    }
    object_lock(object);
    if (watch->seen < top)
        watch->seen = top; /* a view that could not rebase will look at the rows */
    ring_trim(object);
    object_unlock(object);
    watch_drop(watch);
}

void notify_catch_up(struct store_reader *reader)
{
    struct watch **at = &reader->behind;
    while (*at) {
        struct watch *watch = *at;
        if (reader_is_behind(reader, watch->env, watch->behind_txn)) {
            at = &watch->behind_next;
            continue;
        }
        *at = watch->behind_next;
        watch->behind = false;
        tell_views(watch);
    }
}

static struct watch *watch_of(struct store_view *view, uint64_t seen)
{
    struct box_object *object = view->pin.object;
    struct store_reader *reader = view->reader;
    object_lock(object);
    struct watch *watch = object->watches;
    while (watch && watch->reader != reader)
        watch = watch->next;
    if (!watch) {
        watch = mem_new(sizeof *watch);
        *watch = (struct watch){.post.run = watch_run,
                                .next = object->watches,
                                .object = object,
                                .reader = reader,
                                .env = view->account->env,
                                .seen = seen};
        object->watches = watch;
        object_use(object);
    }
    if (watch->seen > seen)
        watch->seen = seen;
    /* What was committed between the view's snapshot and now has woken nobody: look once more. */
    if (!watch->posted) {
        watch->posted = true;
        loop_post(reader->loop, &watch->post);
    }
    object_unlock(object);
    return watch;
}

void watch_join(struct store_view *view, uint64_t seen)
{
    struct watch *watch = watch_of(view, seen);
    view->watch = watch;
    view->prev = NULL;
    view->next = watch->views;
    if (view->next)
        view->next->prev = view;
    watch->views = view;
}

void watch_leave(struct store_view *view)
{
    struct watch *watch = view->watch;
    if (!watch)
        return;
    if (watch->walk == view)
        watch->walk = view->next;
    *(view->prev ? &view->prev->next : &watch->views) = view->next;
    if (view->next)
        view->next->prev = view->prev;
    view->watch = NULL;
    watch_drop(watch);
}

/* --- publishing ---------------------------------------------------------------------------------
 */

static void publish(struct boxes *boxes, const struct event *event)
{
    if (event->kind != ACCOUNT_NONE && event->kind != ACCOUNT_DELETED)
        return; /* views hold M: a new name is nothing to them */
    struct box_object *object = boxes_lock(boxes, event->a, event->m);
    if (!object)
        return;
    if (event->kind == ACCOUNT_NONE)
        ring_note(object, event);
    for (struct watch *watch = object->watches; watch; watch = watch->next) {
        watch->txn = event->txn;
        if (watch->posted)
            continue;
        watch->posted = true;
        loop_post(watch->reader->loop, &watch->post);
    }
    object_unlock(object);
}

void notify_publish(struct env *env, struct turn *turn)
{
    struct event *oldest = NULL;
    while (turn->events) {
        struct event *event = turn->events;
        turn->events = event->next;
        event->next = oldest;
        oldest = event;
    }
    while (oldest) {
        struct event *event = oldest;
        oldest = event->next;
        publish(env->store->boxes, event);
        mem_free(event);
    }
}
