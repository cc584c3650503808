/* What the client reads: responses piece by piece, and the one place where an error becomes words
 * (CONTRACTS section 13, RFC 5530). */
#ifndef TANDEM_IMAP_REPLY_H
#define TANDEM_IMAP_REPLY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/base/err.h"
#include "core/base/slice.h"

struct conn;
struct command;
struct store_view;

/* A response being put together: small pieces are gathered and handed to the connection at once.
 * Lives on the stack, never longer than the callback. */
struct reply {
    struct conn *conn;
    size_t n;
    bool handed; /* the connection has been given something: it may be full now */
    char text[1024];
};

static inline void reply_begin(struct reply *r, struct conn *conn)
{
    r->conn = conn;
    r->n = 0;
    r->handed = false;
}
void reply_end(struct reply *r); /* hands over what is gathered; adds nothing */
void reply_add_handing(struct reply *r,
                       struct slice s); /* for reply_add: more than there is room */
static inline void reply_add(struct reply *r, struct slice s)
{
    if (s.len > sizeof r->text - r->n) {
        reply_add_handing(r, s);
        return;
    }
    if (s.len)
        memcpy(r->text + r->n, s.ptr, s.len);
    r->n += s.len;
}
/* Is the connection full, as far as this response can have filled it since it was last asked? */
bool reply_full(struct reply *r);
void reply_borrow(struct reply *r, struct slice s); /* of the store's map: not copied */
void reply_str(struct reply *r, const char *s);
void reply_u64(struct reply *r, uint64_t v);
void reply_string(struct reply *r, struct slice s);  /* quoted or literal; <= 64 KiB */
void reply_mailbox(struct reply *r, struct slice s); /* UTF-8 name, in modified UTF-7, quoted */
/* "(\Seen \Recent key)", keywords by the view's table. */
void reply_flags(struct reply *r, const struct store_view *view, uint8_t sysflags, bool recent,
                 uint64_t keywords);
/* "FLAGS (...)" and "OK [PERMANENTFLAGS (...)]", both with their line ends. */
void reply_flag_table(struct reply *r, const struct store_view *view, bool read_only, bool full);

/* The tagged answer of a finished command. */
void reply_tagged(struct conn *conn, const struct command *c);
/* One line: `tag` BAD/NO [code] text; an empty tag is `*`. text NULL: as the error has it. */
void reply_error(struct conn *conn, struct slice tag, enum err e, const char *text);
/* * BYE text */
void reply_bye(struct conn *conn, const char *text);

#endif
