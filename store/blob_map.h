/* Numbers of bodies, each with a number of the caller's: how often it is named, where it went. For
 * passes over many messages on one thread. */
#ifndef TANDEM_STORE_BLOB_MAP_H
#define TANDEM_STORE_BLOB_MAP_H

#include <stddef.h>
#include <stdint.h>

struct blob_slot {
    uint64_t blob;
    uint32_t value;
};

struct blob_map {            /* zero-initialise */
    struct blob_slot *slots; /* open addressing, a power of two; blob 0 = free */
    size_t n, cap;
};

/* The body's number, 0 when it is new. Valid until the next call. */
uint32_t *blob_map_at(struct blob_map *map, uint64_t blob);
uint32_t blob_map_get(const struct blob_map *map, uint64_t blob); /* 0: not there */
void blob_map_finish(struct blob_map *map);

#endif
