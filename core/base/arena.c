#include "core/base/arena.h"

#include <stdalign.h>

#include "core/base/mem.h"

/* The first block is small: what an idle session keeps (the tag of an IDLE, a login's settings)
 * fits, and 10,000 of them are 10,000 blocks. */
enum { FIRST_BLOCK = 256, BLOCK = 2048 };

struct arena_block {
    struct arena_block *next;
    size_t cap, len;
    alignas(max_align_t) char data[];
};

void arena_init(struct arena *a, size_t max)
{
    *a = (struct arena){.max = max};
}

/* The blocks before `last`. */
static void release(struct arena *a, const struct arena_block *last, bool wipe)
{
    while (a->head != last) {
        struct arena_block *next = a->head->next;
        if (wipe)
            mem_wipe(a->head->data, a->head->len);
        mem_free(a->head);
        a->head = next;
    }
}

void arena_reset(struct arena *a)
{
    release(a, NULL, false);
    a->used = 0;
}

void arena_wipe(struct arena *a)
{
    release(a, NULL, true);
    a->used = 0;
}

static size_t rounded(size_t size)
{
    return (size + alignof(max_align_t) - 1) & ~(alignof(max_align_t) - 1);
}

static void *take(struct arena *a, size_t size)
{
    size = rounded(size);
    struct arena_block *b = a->head;
    if (!b || b->cap - b->len < size) {
        size_t block = b ? BLOCK : FIRST_BLOCK;
        size_t cap = size > block / 2 ? size : block;
        b = mem_resize(NULL, sizeof *b + cap);
        b->cap = cap;
        b->len = 0;
        b->next = a->head;
        a->head = b;
    }
    void *p = b->data + b->len;
    b->len += size;
    a->used += size;
    memset(p, 0, size);
    return p;
}

void *arena_new(struct arena *a, size_t size)
{
    return take(a, size);
}

void *arena_try(struct arena *a, size_t size)
{
    if (size > a->max || a->used > a->max - size)
        return NULL;
    return take(a, size);
}

struct slice arena_dup(struct arena *a, struct slice s)
{
    char *p = arena_try(a, s.len + 1);
    if (!p)
        return SLICE_NONE;
    if (s.len)
        memcpy(p, s.ptr, s.len);
    return slice(p, s.len);
}

struct arena_mark arena_mark(const struct arena *a)
{
    return (struct arena_mark){a->head, a->head ? a->head->len : 0, a->used};
}

void arena_back(struct arena *a, struct arena_mark mark)
{
    release(a, mark.head, false);
    if (a->head)
        a->head->len = mark.len;
    a->used = mark.used;
}
