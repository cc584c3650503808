#include "cmd/mail/idset.h"

#include <stdint.h>
#include <string.h>

#include "core/base/mem.h"

static const unsigned char none[16];

void idset_init(struct idset *set)
{
    *set = (struct idset){0};
}

void idset_finish(struct idset *set)
{
    mem_free(set->slots);
    *set = (struct idset){0};
}

static size_t home(const struct idset *set, const unsigned char id[16])
{
    uint64_t hash;
    memcpy(&hash, id, sizeof hash);
    return (size_t)hash & (set->cap - 1);
}

/* Where it is, or the free slot where it would be. */
static size_t find(const struct idset *set, const unsigned char id[16])
{
    size_t at = home(set, id);
    while (memcmp(set->slots[at], none, 16) != 0 && memcmp(set->slots[at], id, 16) != 0)
        at = (at + 1) & (set->cap - 1);
    return at;
}

static void grow(struct idset *set)
{
    struct idset old = *set;
    set->cap = old.cap ? old.cap * 2 : 1024;
    set->slots = mem_new_array(set->cap, sizeof *set->slots);
    for (size_t i = 0; i < old.cap; i++)
        if (memcmp(old.slots[i], none, 16) != 0)
            memcpy(set->slots[find(set, old.slots[i])], old.slots[i], 16);
    mem_free(old.slots);
}

bool idset_has(const struct idset *set, const unsigned char id[16])
{
    return set->cap && memcmp(set->slots[find(set, id)], id, 16) == 0;
}

void idset_add(struct idset *set, const unsigned char id[16])
{
    if (idset_has(set, id))
        return;
    if (2 * (set->n + 1) > set->cap)
        grow(set);
    memcpy(set->slots[find(set, id)], id, 16);
    set->n++;
}

void idset_remove(struct idset *set, const unsigned char id[16])
{
    if (!idset_has(set, id))
        return;
    size_t hole = find(set, id), at = hole;
    memset(set->slots[hole], 0, 16);
    set->n--;
    /* What stood behind the hole because it was full moves up. */
    for (;;) {
        at = (at + 1) & (set->cap - 1);
        if (memcmp(set->slots[at], none, 16) == 0)
            return;
        size_t want = home(set, set->slots[at]);
        if (((at - want) & (set->cap - 1)) < ((at - hole) & (set->cap - 1)))
            continue;
        memcpy(set->slots[hole], set->slots[at], 16);
        memset(set->slots[at], 0, 16);
        hole = at;
    }
}
