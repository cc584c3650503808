#include "store/lately.h"

enum { LATELY_MS = 1000 };

/* Chunks of one body have places of their own. */
static unsigned slot_of(const struct chunk_place *at)
{
    uint64_t spread = (at->blob + ((uint64_t)at->env << 48)) * 0x9e3779b97f4a7c15u >> 32;
    return (unsigned)(spread + at->chunk) % LATELY_CHUNKS;
}

bool lately_has(const struct lately *lately, const struct chunk_place *at, uint64_t now_ms)
{
    const struct lately_entry *entry = &lately->entry[slot_of(at)];
    return entry->until_ms > now_ms && entry->at.blob == at->blob && entry->at.env == at->env &&
           entry->at.chunk == at->chunk;
}

void lately_note(struct lately *lately, const struct chunk_place *at, uint64_t now_ms)
{
    lately->entry[slot_of(at)] = (struct lately_entry){*at, now_ms + LATELY_MS};
}
