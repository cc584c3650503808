/* Opening bodies inside the store: by message, by number. */
#ifndef TANDEM_STORE_BODY_H
#define TANDEM_STORE_BODY_H

#include "store/env.h"

/* The body of message (a, m, uid), whether it is in its mailbox or has been expunged from it, as
 * the reader's snapshot shows it. `ret_msg`: its row, or NULL if the caller knows it; its texts
 * live like the snapshot. ERR_GONE: nothing is left of it. */
MUST_CHECK enum err body_open_message(struct store_reader *reader, struct env *env, uint32_t a,
                                      uint32_t m, uint32_t uid, struct row_msg *ret_msg,
                                      struct store_body **ret);
/* Pins it before the snapshot ends. ERR_GONE: nothing names it any more. */
MUST_CHECK enum err body_open_blob(struct store_reader *reader, struct env *env, uint64_t blob,
                                   struct store_body **ret);

#endif
