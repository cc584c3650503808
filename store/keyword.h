/* The keyword table of a mailbox: names of the bits in `hot`. At most [imap] keywords, which is 64
 * at the most. */
#ifndef TANDEM_STORE_KEYWORD_H
#define TANDEM_STORE_KEYWORD_H

#include "store/commit.h"

/* As the rows have it; empty when there is none. Names are lent. */
MUST_CHECK enum err keyword_table(struct engine_txn *txn, uint32_t a, uint32_t m,
                                  struct row_kw *ret);
MUST_CHECK enum err keyword_table_save(struct turn *turn, uint32_t a, uint32_t m,
                                       const struct row_kw *row);
/* Has it as many as it may have now? It keeps what it has when the limit is lowered. */
bool keyword_table_full(const struct store *store, const struct row_kw *row);

/* Bits of these keywords in a turn. With `add` names that are not in the table take a free entry,
 * and a retiring one is used again (store/retire.h). What the full table has no room for is left
 * out, and *ret_dropped set. Names compare without case (RFC 3501 section 2.3.2: flags are atoms).
 * *ret_grew: the table has other names, so events must say so. */
MUST_CHECK enum err keyword_bits(struct turn *turn, const struct box *box,
                                 const struct slice *names, size_t n, bool add, uint64_t *ret_bits,
                                 bool *ret_dropped, bool *ret_grew);
/* Bits of one mailbox's keywords as bits of another's (COPY). */
MUST_CHECK enum err keyword_translate(struct turn *turn, const struct box *from,
                                      const struct box *to, uint64_t bits, uint64_t *ret_bits,
                                      bool *ret_dropped, bool *ret_grew);

#endif
