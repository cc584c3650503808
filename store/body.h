/* Message bodies from inside the store. */
#ifndef TANDEM_STORE_BODY_H
#define TANDEM_STORE_BODY_H

#include "store/env.h"

/* Open and pin a body that a row of the reader's live snapshot names. ERR_GONE: it has been reaped
 * (a moved message whose copies are all gone). */
MUST_CHECK enum err body_open_blob(struct store_reader *reader, struct env *env, uint64_t blob,
                                   struct store_body **ret);
/* The message (a, m, uid), whether it is there or expunged with its row still standing. */
MUST_CHECK enum err body_open_message(struct store_reader *reader, struct env *env, uint32_t a,
                                      uint32_t m, uint32_t uid, struct row_msg *ret_row,
                                      struct store_body **ret);

#endif
