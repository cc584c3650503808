#include "store/lanes.h"

#include "core/base/mem.h"

/* The ops of one account, in order. */
struct lane {
    struct lane *hash_next;
    struct lane *prev, *next; /* the ring */
    uint32_t acct;
    struct op *head, **tail;
};

static struct lane *lane_of(struct lanes *q, uint32_t acct)
{
    struct lane **at = &q->hash[acct % LANES];
    while (*at && (*at)->acct != acct)
        at = &(*at)->hash_next;
    if (*at)
        return *at;
    struct lane *lane = mem_new(sizeof *lane);
    lane->acct = acct;
    lane->tail = &lane->head;
    *at = lane;
    if (!q->ring) {
        lane->prev = lane->next = q->ring = lane;
    } else { /* before the one whose turn it is: the end of the ring */
        lane->next = q->ring;
        lane->prev = q->ring->prev;
        lane->prev->next = lane->next->prev = lane;
    }
    return lane;
}

static void lane_gone(struct lanes *q, struct lane *lane)
{
    struct lane **at = &q->hash[lane->acct % LANES];
    while (*at != lane)
        at = &(*at)->hash_next;
    *at = lane->hash_next;
    if (lane->next == lane) {
        q->ring = NULL;
    } else {
        lane->prev->next = lane->next;
        lane->next->prev = lane->prev;
        if (q->ring == lane)
            q->ring = lane->next;
    }
    mem_free(lane);
}

void lanes_push(struct lanes *q, struct op *op)
{
    op->arrival = q->arrivals++;
    struct lane *lane = lane_of(q, op->acct);
    op->next = NULL;
    *lane->tail = op;
    lane->tail = &op->next;
    q->queued++;
    q->octets += op->octets;
}

void lanes_push_front(struct lanes *q, struct op *op)
{
    struct lane *lane = lane_of(q, op->acct);
    op->next = lane->head;
    if (!lane->head)
        lane->tail = &op->next;
    lane->head = op;
    q->queued++;
    q->octets += op->octets;
}

static struct op *pop(struct lanes *q, struct lane *lane)
{
    struct op *op = lane->head;
    lane->head = op->next;
    if (!lane->head)
        lane->tail = &lane->head;
    q->queued--;
    q->octets -= op->octets;
    return op;
}

bool op_is_large(const struct op *op)
{
    return op->pages > TURN_PAGES || op->octets > TURN_OCTETS;
}

/* The small ops of a turn: 8 of each account, round and round, until a bound is reached. A large op
 * at the head of a lane holds up its own account only. */
static unsigned take_small(struct lanes *q, struct op **batch)
{
    unsigned n = 0, pages = 0, octets = 0;
    bool took = true, full = false;
    while (took && !full && q->ring) {
        took = false;
        struct lane *lane = q->ring, *end = q->ring->prev;
        for (bool last = false; !last && !full;) {
            last = lane == end;
            struct lane *next = lane->next;
            for (unsigned i = 0; i < TURN_PER_ACCOUNT && lane->head && !op_is_large(lane->head);
                 i++) {
                struct op *op = lane->head;
                if (n == TURN_OPS ||
                    (n && (pages + op->pages > TURN_PAGES || octets + op->octets > TURN_OCTETS))) {
                    full = true;
                    break;
                }
                batch[n++] = pop(q, lane);
                pages += op->pages;
                octets += op->octets;
                took = true;
            }
            if (full)
                q->ring = lane; /* it goes on here */
            if (!lane->head)
                lane_gone(q, lane);
            lane = next;
        }
    }
    return n;
}

/* The oldest large op, if every small one that came before it has been served. */
static struct lane *find_large(struct lanes *q)
{
    struct lane *found = NULL;
    uint64_t oldest_small = UINT64_MAX;
    struct lane *lane = q->ring;
    if (!lane)
        return NULL;
    do {
        if (!op_is_large(lane->head)) {
            if (lane->head->arrival < oldest_small)
                oldest_small = lane->head->arrival;
        } else if (!found || lane->head->arrival < found->head->arrival) {
            found = lane;
        }
        lane = lane->next;
    } while (lane != q->ring);
    return found && found->head->arrival < oldest_small ? found : NULL;
}

unsigned lanes_take(struct lanes *q, struct op **batch)
{
    if (lanes_empty(q))
        return 0;
    struct lane *lane = q->last_was_large ? NULL : find_large(q);
    unsigned n = lane ? 0 : take_small(q, batch);
    if (!lane && !n) /* only large ones are left */
        lane = find_large(q);
    q->last_was_large = lane;
    if (!lane)
        return n;
    batch[0] = pop(q, lane);
    if (!lane->head)
        lane_gone(q, lane);
    return 1;
}
