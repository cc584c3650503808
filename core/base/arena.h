/* Memory for one command or one job: handed out in a row, given back all at once. */
#ifndef TANDEM_BASE_ARENA_H
#define TANDEM_BASE_ARENA_H

#include "core/base/attr.h"
#include "core/base/slice.h"

struct arena_block;

struct arena {
    struct arena_block *head;
    size_t used; /* octets handed out and spent on blocks */
    size_t max;
};

/* A place in the row: what was handed out when it was taken. */
struct arena_mark {
    struct arena_block *head;
    size_t len, used;
};

void arena_init(struct arena *a, size_t max); /* max: for arena_try; no memory is taken yet */
void arena_reset(struct arena *a);            /* frees everything; ready for the next command */
void arena_wipe(struct arena *a);             /* the same for an arena that held secrets */
/* Small and fixed in size: aborts when the machine is out of memory; not held to max. Zeroed. */
void *arena_new(struct arena *a, size_t size);
/* Anything sized by a client: NULL when max would be passed. Zeroed. */
MUST_CHECK void *arena_try(struct arena *a, size_t size);
/* A copy in the arena, with a NUL behind it that is not counted; ptr NULL when max is passed. */
MUST_CHECK struct slice arena_dup(struct arena *a, struct slice s);
/* For a loop: what was handed out since the mark is given back. Marks are gone back to in the
 * reverse order, if at all; a reset or a wipe forgets them. */
struct arena_mark arena_mark(const struct arena *a);
void arena_back(struct arena *a, struct arena_mark mark);

#endif
