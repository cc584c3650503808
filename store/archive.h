/* Backups and account files as a stream of octets: a first line, then blocks. Every block carries a
 * checksum that also covers its place, so that a stream that was cut, damaged or put together from
 * two is refused at the block where it happens.
 *
 *      "tandem KIND 1\n"
 *      block:   u32 length, u8 type, u64 XXH3-64 of the payload seeded with the block's number,
 *               payload                                                   (network order)
 *      the last block is ARCHIVE_END
 *
 * One thread at a time. */
#ifndef TANDEM_STORE_ARCHIVE_H
#define TANDEM_STORE_ARCHIVE_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/base/slice.h"
#include "store/admin.h"

enum { ARCHIVE_BLOCK_MAX = 1 << 20 };

struct archive_out {
    const struct store_sink *sink;
    uint64_t blocks;
};
/* `kind`: "backup", "account". ERR_DOWN: the sink takes no more. */
MUST_CHECK enum err archive_begin(struct archive_out *out, const struct store_sink *sink,
                                  const char *kind);
MUST_CHECK enum err archive_put(struct archive_out *out, char type, struct slice payload);

struct archive_in {
    const struct store_source *source;
    uint64_t blocks;
    char *block; /* ARCHIVE_BLOCK_MAX, owned */
};
/* ERR_CORRUPT: it is no such stream, or of a newer Tandem; ERR_DOWN: it could not be read. */
MUST_CHECK enum err archive_open(struct archive_in *in, const struct store_source *source,
                                 const char *kind, struct fault *why);
/* The payload is lent until the next call. ERR_CORRUPT: damaged, or it ends before its end. */
MUST_CHECK enum err archive_next(struct archive_in *in, char *ret_type, struct slice *ret_payload,
                                 struct fault *why);
void archive_close(struct archive_in *in); /* not the source */

#endif
