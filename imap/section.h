/* The octets of one BODY[...] item, streamed from the store's map to the connection. */
#ifndef TANDEM_IMAP_SECTION_H
#define TANDEM_IMAP_SECTION_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/base/err.h"
#include "core/base/slice.h"
#include "imap/fetch_item.h"

struct conn;
struct store_body;
struct store_reader;

struct section_message {
    struct store_body *body;
    bool has_nul; /* sent as 0x80: RFC 3501 CHAR8 has no NUL */
};

/* Octets [at, end) of the message: those of the section, before its <...> and its choice of fields.
 */
struct section_place {
    bool missing; /* there is no such part, or it has no such thing: NIL */
    uint64_t at, end;
};

/* One item under way. Zero-initialised: none. */
struct section_run {
    bool open;
    bool missing;     /* NIL; nothing is to be sent */
    bool gathered;    /* `at` and `end` count in `text`, not in the message */
    uint64_t at, end; /* what is still to be sent */
    struct buf text;  /* HEADER.FIELDS: the header lines that were picked */
};

/* Octets [*ret_at, *ret_end) of `len` that a section with <first.count> means. */
void section_range(const struct fetch_section *section, uint64_t len, uint64_t *ret_at,
                   uint64_t *ret_end);
/* Fields of a header that the section names, and its blank line, into `to`; or, when it is
 * HEADER.FIELDS.NOT, all else. */
MUST_CHECK enum err section_pick(const struct fetch_section *section, struct slice header,
                                 struct buf *to);

/* Where the section lies. size, hdr_len: of the whole message. parts: its table
 * (core/mime/parts.h), needed for a section of a part. ERR_CORRUPT: the table is broken. */
MUST_CHECK enum err section_locate(const struct fetch_section *section, uint64_t size,
                                   uint32_t hdr_len, struct slice parts, struct section_place *ret);
/* Find the range, or put the header lines together, and see that the first octets are there.
 * header_max: [limits] header, what is looked at of one. ERR_AGAIN: cold from
 * run->at on; ERR_CORRUPT. On error nothing is open. */
MUST_CHECK enum err section_open(struct section_run *run, const struct fetch_section *section,
                                 const struct section_place *place, const struct section_message *m,
                                 struct store_reader *reader, size_t header_max);
/* The same out of a digest (core/mime/header.h) that has all fields the section names, of a header
 * that ends with its empty line. The digest is not needed any more afterwards. */
MUST_CHECK enum err section_open_digest(struct section_run *run,
                                        const struct fetch_section *section, struct slice digest);
/* Send until the queue is full or all is sent (run->at == run->end). ERR_AGAIN: cold from run->at
 * on; ERR_CORRUPT. */
MUST_CHECK enum err section_send(struct section_run *run, const struct section_message *m,
                                 struct store_reader *reader, struct conn *conn);
void section_close(struct section_run *run);

#endif
