/* The keyword table of a mailbox: names of the bits in `hot`. At most 64. */
#ifndef TANDEM_STORE_KEYWORD_H
#define TANDEM_STORE_KEYWORD_H

#include "store/commit.h"

/* Bits of these keywords in a turn. Names that are not in the table are added when `add`; they take
 * a free entry, or revive a retiring one. What the full table has no room for is left out, and
 * *ret_dropped set. Names compare without case (RFC 3501 section 2.3.2: flags are atoms).
 * *ret_grew: the table changed, so events must say so. */
MUST_CHECK enum err keyword_bits(struct turn *turn, const struct box *box,
                                 const struct slice *names, size_t n, bool add, uint64_t *ret_bits,
                                 bool *ret_dropped, bool *ret_grew);
/* Bits of one mailbox's keywords as bits of another's (COPY). */
MUST_CHECK enum err keyword_translate(struct turn *turn, const struct box *from,
                                      const struct box *to, uint64_t bits, uint64_t *ret_bits,
                                      bool *ret_dropped, bool *ret_grew);

#endif
