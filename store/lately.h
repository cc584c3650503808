/* Chunks of bodies that a loop has lately read: they were in memory, and right. A client that takes
 * a message in pieces, and a message that many have, want the same chunk again and again, and each
 * time it would cost a system call and a sum over 16 KB.
 *
 * What is known holds for a second: the kernel takes back last what was just used, so that a read
 * of it does not wait for the disk, and what the disk has damaged meanwhile is seen a second later.
 * The loop's own thread. */
#ifndef TANDEM_STORE_LATELY_H
#define TANDEM_STORE_LATELY_H

#include <stdbool.h>
#include <stdint.h>

enum { LATELY_CHUNKS = 4096 /* 64 MB of mail */ };

struct chunk_place {
    uint64_t blob;
    uint32_t env, chunk;
};

struct lately {
    struct lately_entry {
        struct chunk_place at;
        uint64_t until_ms;
    } entry[LATELY_CHUNKS];
};

bool lately_has(const struct lately *lately, const struct chunk_place *at, uint64_t now_ms);
void lately_note(struct lately *lately, const struct chunk_place *at, uint64_t now_ms);

#endif
