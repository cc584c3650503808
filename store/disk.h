/* A disk that fills up: refuse growth, not writes. An LMDB file never shrinks, so what counts below
 * the reserve is the free pages inside the file; flags, deletes and expunges go on in those.
 * The committer's own; one per env. */
#ifndef TANDEM_STORE_DISK_H
#define TANDEM_STORE_DISK_H

#include <stdbool.h>
#include <stdint.h>

struct env;

enum disk_state {
    DISK_OK,
    DISK_LOW,     /* below the reserve: only what fits into free pages */
    DISK_CRITICAL /* below 64 MiB: only small ops that add no message */
};

struct disk {
    struct env *env;
    enum disk_state state;
    uint64_t checked_ms;
    uint64_t budget; /* octets of free pages left to give while below the reserve */
    uint64_t runs;   /* of these, what chunks of bodies can have */
    bool ballast;    /* the file is there */
};

enum { BALLAST_OCTETS = 16 << 20 };

void disk_init(struct disk *disk, struct env *env);
/* Before a turn: looks at the file system, once a second. Logs each change of state. */
enum disk_state disk_check(struct disk *disk);
/* While not DISK_OK: may this op run, which dirties so many pages and brings so many octets of
 * bodies? Takes them from the budget. */
bool disk_admits(struct disk *disk, unsigned pages, uint64_t body_octets, bool grows);

#endif
