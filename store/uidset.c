#include "store/uidset.h"

#include <string.h>

#include "core/base/mem.h"

void uidset_finish(struct uidset *set)
{
    mem_free(set->ranges);
    *set = (struct uidset){0};
}

void uidset_clear(struct uidset *set)
{
    set->n = 0;
}

static void reserve(struct uidset *set, uint32_t n)
{
    if (n <= set->cap)
        return;
    uint32_t cap = set->cap ? set->cap * 2 : 4;
    if (cap < n)
        cap = n;
    set->ranges = mem_resize(set->ranges, cap * sizeof *set->ranges);
    set->cap = cap;
}

void uidset_copy(struct uidset *to, const struct uidset *from)
{
    reserve(to, from->n);
    if (from->n)
        memcpy(to->ranges, from->ranges, from->n * sizeof *from->ranges);
    to->n = from->n;
}

void uidset_move(struct uidset *to, struct uidset *from)
{
    uidset_finish(to);
    *to = *from;
    *from = (struct uidset){0};
}

/* Index of the first range whose last >= uid; n if there is none. */
static uint32_t lower(const struct uidset *set, uint32_t uid)
{
    uint32_t lo = 0, hi = set->n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (set->ranges[mid].last < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

/* Replace ranges [at, at + old) by `with` (0..2 of them). */
static void splice(struct uidset *set, uint32_t at, uint32_t old, const struct uidrange *with,
                   uint32_t nwith)
{
    reserve(set, set->n - old + nwith);
    memmove(set->ranges + at + nwith, set->ranges + at + old,
            (set->n - at - old) * sizeof *set->ranges);
    if (nwith)
        memcpy(set->ranges + at, with, nwith * sizeof *with);
    set->n = set->n - old + nwith;
}

void uidset_add(struct uidset *set, uint32_t first, uint32_t last)
{
    struct uidrange add = {first, last};
    struct uidrange *tail = set->n ? &set->ranges[set->n - 1] : NULL;
    if (!tail || (first > tail->last && first - tail->last > 1)) {
        splice(set, set->n, 0, &add, 1);
        return;
    }
    uint32_t at = lower(set, first ? first - 1 : 0); /* touching counts */
    uint32_t end = at;
    while (end < set->n && (last == UINT32_MAX || set->ranges[end].first <= last + 1))
        end++;
    if (end > at) {
        if (set->ranges[at].first < add.first)
            add.first = set->ranges[at].first;
        if (set->ranges[end - 1].last > add.last)
            add.last = set->ranges[end - 1].last;
    }
    splice(set, at, end - at, &add, 1);
}

void uidset_remove(struct uidset *set, uint32_t first, uint32_t last)
{
    uint32_t at = lower(set, first), end = at;
    while (end < set->n && set->ranges[end].first <= last)
        end++;
    if (end == at)
        return;
    struct uidrange rest[2];
    uint32_t n = 0;
    if (set->ranges[at].first < first)
        rest[n++] = (struct uidrange){set->ranges[at].first, first - 1};
    if (set->ranges[end - 1].last > last)
        rest[n++] = (struct uidrange){last + 1, set->ranges[end - 1].last};
    splice(set, at, end - at, rest, n);
}

bool uidset_has(const struct uidset *set, uint32_t uid)
{
    uint32_t at = lower(set, uid);
    return at < set->n && set->ranges[at].first <= uid;
}

uint64_t uidset_count(const struct uidset *set)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < set->n; i++)
        n += (uint64_t)set->ranges[i].last - set->ranges[i].first + 1;
    return n;
}

uint32_t uidset_run(const struct uidset *set, uint32_t uid, uint32_t *ret_last)
{
    uint32_t at = lower(set, uid);
    if (at == set->n)
        return 0;
    *ret_last = set->ranges[at].last;
    return set->ranges[at].first > uid ? set->ranges[at].first : uid;
}

uint32_t uidset_next(const struct uidset *set, uint32_t uid)
{
    uint32_t last;
    return uidset_run(set, uid, &last);
}

bool uidset_empty(const struct uidset *set)
{
    return set->n == 0;
}
