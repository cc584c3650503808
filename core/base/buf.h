/* Owned bytes that grow up to a maximum fixed at birth: a limit cannot be forgotten later. */
#ifndef TANDEM_BASE_BUF_H
#define TANDEM_BASE_BUF_H

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct buf {
    char *ptr;
    size_t len, cap, max;
};

void buf_init(struct buf *b, size_t max);
void buf_finish(struct buf *b); /* frees; the buf is as after buf_init */
void buf_wipe(struct buf *b);   /* overwrites, then frees */
MUST_CHECK enum err buf_append(struct buf *b, struct slice s); /* ERR_LIMIT: nothing was added */
MUST_CHECK enum err buf_append_c(struct buf *b, char c);
MUST_CHECK enum err buf_printf(struct buf *b, const char *format, ...) PRINTF_LIKE(2, 3);
/* Room for `n` more at the end, to be written by the caller, who then adds to len. */
MUST_CHECK enum err buf_reserve(struct buf *b, size_t n);
void buf_consume(struct buf *b, size_t n); /* drop n octets from the front */

static inline struct slice buf_slice(const struct buf *b)
{
    return slice(b->ptr, b->len);
}

#endif
