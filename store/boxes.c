#include "store/boxes.h"

#include <assert.h>
#include <pthread.h>

#include "core/base/mem.h"
#include "core/base/siphash.h"
#include "store/env.h"

enum { STRIPES = 64, SLOTS_MIN = 16, IDLE_MAX = 1024, IDLE_OCTETS = 1 << 20 };

struct stripe {
    pthread_mutex_t lock;
    struct box_object **slot; /* a power of two */
    uint32_t nslots, n;
    struct box_object *oldest, *newest; /* idle ones */
    uint32_t nidle;
    size_t idle_octets; /* of their snapshots */
};

struct boxes {
    struct siphash_key key;
    struct stripe stripe[STRIPES];
};

struct boxes *boxes_new(struct store *store)
{
    struct boxes *boxes = mem_new(sizeof *boxes);
    boxes->key = siphash_key_from(store->sip_key);
    for (unsigned i = 0; i < STRIPES; i++)
        pthread_mutex_init(&boxes->stripe[i].lock, NULL);
    return boxes;
}

static void object_free(struct box_object *object)
{
    assert(!object->pins);
    while (object->watches) { /* their loop ended with the post in its inbox */
        struct watch *watch = object->watches;
        object->watches = watch->next;
        mem_free(watch);
    }
    ring_clear(object);
    snapshot_unref(object->newest);
    mem_free(object);
}

void boxes_free(struct boxes *boxes)
{
    if (!boxes)
        return;
    for (unsigned i = 0; i < STRIPES; i++) {
        struct stripe *stripe = &boxes->stripe[i];
        for (uint32_t s = 0; s < stripe->nslots; s++)
            while (stripe->slot[s]) {
                struct box_object *object = stripe->slot[s];
                stripe->slot[s] = object->next;
                object_free(object);
            }
        mem_free(stripe->slot);
        pthread_mutex_destroy(&stripe->lock);
    }
    mem_free(boxes);
}

/* --- the table ----------------------------------------------------------------------------------
 */

/* Low bits choose the stripe, the others the slot in it. */
static uint64_t hash(const struct boxes *boxes, uint32_t a, uint32_t m)
{
    uint32_t key[2] = {a, m};
    return siphash(boxes->key, slice(key, sizeof key));
}

static struct box_object **slot_of(struct stripe *stripe, uint64_t h)
{
    return &stripe->slot[h / STRIPES & (stripe->nslots - 1)];
}

static struct box_object *find(struct stripe *stripe, uint64_t h, uint32_t a, uint32_t m)
{
    struct box_object *object = stripe->nslots ? *slot_of(stripe, h) : NULL;
    while (object && (object->a != a || object->m != m))
        object = object->next;
    return object;
}

static void grow(struct stripe *stripe)
{
    struct box_object **old = stripe->slot;
    uint32_t nold = stripe->nslots;
    stripe->nslots = nold ? nold * 2 : SLOTS_MIN;
    stripe->slot = mem_new_array(stripe->nslots, sizeof(struct box_object *));
    for (uint32_t s = 0; s < nold; s++)
        while (old[s]) {
            struct box_object *object = old[s];
            old[s] = object->next;
            struct box_object **slot = slot_of(stripe, object->hash);
            object->next = *slot;
            *slot = object;
        }
    mem_free(old);
}

static struct box_object *add(struct stripe *stripe, uint64_t h, uint32_t a, uint32_t m)
{
    if (stripe->n == stripe->nslots)
        grow(stripe);
    struct box_object *object = mem_new(sizeof *object);
    object->stripe = stripe;
    object->hash = h;
    object->a = a;
    object->m = m;
    struct box_object **slot = slot_of(stripe, h);
    object->next = *slot;
    *slot = object;
    stripe->n++;
    return object;
}

static void forget(struct stripe *stripe, struct box_object *object)
{
    struct box_object **at = slot_of(stripe, object->hash);
    while (*at != object)
        at = &(*at)->next;
    *at = object->next;
    stripe->n--;
    object_free(object);
}

void object_lock(struct box_object *object)
{
    pthread_mutex_lock(&object->stripe->lock);
}

void object_unlock(struct box_object *object)
{
    pthread_mutex_unlock(&object->stripe->lock);
}

struct box_object *boxes_lock(struct boxes *boxes, uint32_t a, uint32_t m)
{
    uint64_t h = hash(boxes, a, m);
    struct stripe *stripe = &boxes->stripe[h % STRIPES];
    pthread_mutex_lock(&stripe->lock);
    struct box_object *object = find(stripe, h, a, m);
    if (!object)
        pthread_mutex_unlock(&stripe->lock);
    return object;
}

/* --- in use and idle ---------------------------------------------------------------------------
 */

static size_t cached_octets(const struct box_object *object)
{
    return object->newest ? snapshot_octets(object->newest) : 0;
}

static void leave_idle(struct stripe *stripe, struct box_object *object)
{
    *(object->older ? &object->older->newer : &stripe->oldest) = object->newer;
    *(object->newer ? &object->newer->older : &stripe->newest) = object->older;
    object->older = object->newer = NULL;
    stripe->nidle--;
    stripe->idle_octets -= cached_octets(object);
}

static void enter_idle(struct stripe *stripe, struct box_object *object)
{
    object->older = stripe->newest;
    *(stripe->newest ? &stripe->newest->newer : &stripe->oldest) = object;
    stripe->newest = object;
    stripe->nidle++;
    stripe->idle_octets += cached_octets(object);
    while (stripe->nidle > IDLE_MAX || stripe->idle_octets > IDLE_OCTETS) {
        struct box_object *old = stripe->oldest;
        leave_idle(stripe, old);
        forget(stripe, old);
    }
}

void object_use(struct box_object *object)
{
    if (object->users++ == 0)
        leave_idle(object->stripe, object);
}

void object_unuse(struct box_object *object)
{
    if (--object->users == 0)
        enter_idle(object->stripe, object);
}

void boxes_pin_told(struct store *store, uint32_t a, uint32_t m, uint64_t told,
                    struct told_pin *pin)
{
    struct boxes *boxes = store->boxes;
    uint64_t h = hash(boxes, a, m);
    struct stripe *stripe = &boxes->stripe[h % STRIPES];
    pthread_mutex_lock(&stripe->lock);
    struct box_object *object = find(stripe, h, a, m);
    if (object) {
        object_use(object);
    } else {
        object = add(stripe, h, a, m);
        object->users = 1;
    }
    atomic_store_explicit(&pin->told, told, memory_order_relaxed);
    pin->object = object;
    pin->prev = NULL;
    pin->next = object->pins;
    if (object->pins)
        object->pins->prev = pin;
    object->pins = pin;
    pthread_mutex_unlock(&stripe->lock);
}

void boxes_unpin_told(struct told_pin *pin)
{
    struct box_object *object = pin->object;
    struct stripe *stripe = object->stripe;
    pthread_mutex_lock(&stripe->lock);
    *(pin->prev ? &pin->prev->next : &object->pins) = pin->next;
    if (pin->next)
        pin->next->prev = pin->prev;
    pin->object = NULL;
    object_unuse(object);
    pthread_mutex_unlock(&stripe->lock);
}

uint64_t boxes_oldest_told(struct store *store, uint32_t a, uint32_t m)
{
    uint64_t oldest = UINT64_MAX;
    struct box_object *object = boxes_lock(store->boxes, a, m);
    if (!object)
        return oldest;
    for (struct told_pin *pin = object->pins; pin; pin = pin->next) {
        uint64_t told = atomic_load_explicit(&pin->told, memory_order_relaxed);
        if (told < oldest)
            oldest = told;
    }
    object_unlock(object);
    return oldest;
}

bool boxes_claims(struct store *store, uint32_t a, uint32_t m, uint64_t expunge_modseq)
{
    return boxes_oldest_told(store, a, m) < expunge_modseq;
}

/* --- newest snapshot, \Recent -------------------------------------------------------------------
 */

struct snapshot *object_newest(struct box_object *object)
{
    object_lock(object);
    struct snapshot *snap = object->newest ? snapshot_ref(object->newest) : NULL;
    object_unlock(object);
    return snap;
}

void object_offer(struct box_object *object, struct snapshot *snap)
{
    object_lock(object);
    struct snapshot *old = object->newest;
    assert(object->users > 0); /* or the count of idle octets were wrong */
    if (old && (old->uidnext > snap->uidnext || old->expunge_modseq > snap->expunge_modseq))
        old = NULL;
    else
        object->newest = snapshot_ref(snap);
    object_unlock(object);
    snapshot_unref(old);
}

uint32_t object_recent(struct box_object *object, uint32_t stored, uint32_t upto, bool claim)
{
    object_lock(object);
    if (object->recent_uid < stored)
        object->recent_uid = stored;
    uint32_t recent = object->recent_uid;
    if (claim && recent < upto)
        object->recent_uid = upto;
    object_unlock(object);
    return recent;
}

uint32_t box_recent_uid(struct store *store, uint32_t a, uint32_t m)
{
    struct box_object *object = boxes_lock(store->boxes, a, m);
    if (!object)
        return 0;
    uint32_t recent = object->recent_uid;
    object_unlock(object);
    return recent;
}
