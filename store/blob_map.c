#include "store/blob_map.h"

#include "core/base/mem.h"

static struct blob_slot *slot_of(struct blob_slot *slots, size_t cap, uint64_t blob)
{
    size_t at = (size_t)(blob * 0x9e3779b97f4a7c15u >> 20) & (cap - 1);
    while (slots[at].blob && slots[at].blob != blob)
        at = (at + 1) & (cap - 1);
    return &slots[at];
}

static void grow(struct blob_map *map)
{
    size_t cap = map->cap ? map->cap * 2 : 1024;
    struct blob_slot *bigger = mem_new_array(cap, sizeof *bigger);
    for (size_t i = 0; i < map->cap; i++)
        if (map->slots[i].blob)
            *slot_of(bigger, cap, map->slots[i].blob) = map->slots[i];
    mem_free(map->slots);
    map->slots = bigger;
    map->cap = cap;
}

uint32_t *blob_map_at(struct blob_map *map, uint64_t blob)
{
    if (map->n * 2 >= map->cap)
        grow(map);
    struct blob_slot *slot = slot_of(map->slots, map->cap, blob);
    if (!slot->blob) {
        slot->blob = blob;
        map->n++;
    }
    return &slot->value;
}

uint32_t blob_map_get(const struct blob_map *map, uint64_t blob)
{
    return map->cap ? slot_of(map->slots, map->cap, blob)->value : 0;
}

void blob_map_finish(struct blob_map *map)
{
    mem_free(map->slots);
    *map = (struct blob_map){0};
}
