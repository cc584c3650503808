/* The helper process: forked by main before threads, store and sandbox; the only process that runs
 * foreign code (PAM, commands, pipe hooks). The daemon never forks later. Requests go over one
 * SOCK_SEQPACKET pair, <= 64 KiB: {id u64, kind u8, deadline_ms u32, arguments}, answers
 * {id u64, outcome u8, data <= 16 KiB}. */
#ifndef TANDEM_NET_HELPER_H
#define TANDEM_NET_HELPER_H

#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"
#include "core/net/loop.h"

struct helper;

enum helper_outcome { HELPER_OK, HELPER_REFUSED, HELPER_UNAVAILABLE };

/* The helper's side answers one request; it runs in a child of its own per request, which writes
 * its data to `data_fd` and returns the outcome. */
typedef enum helper_outcome helper_serve(uint8_t kind, struct slice arguments, int data_fd);

/* Fork. The parent gets the helper; the child never returns. Before any thread exists. */
MUST_CHECK enum err helper_start(helper_serve *serve, struct helper **ret);
/* From now on answers arrive on this loop (loop 0). */
void helper_attach(struct helper *helper, struct loop *loop);
typedef void helper_done(void *arg, enum helper_outcome outcome, struct slice data);
/* On `loop`, any of them. `done` runs there in a later turn with the object of `id` if it is still
 * there. HELPER_UNAVAILABLE: no answer in time, a crash, too much data, arguments over 64 KiB, too
 * many requests, or no helper any more. */
void helper_ask(struct helper *helper, uint8_t kind, struct slice arguments, uint32_t deadline_ms,
                struct loop *loop, uint64_t id, helper_done *done);
/* Closes the pair: the helper exits by itself, and is waited for. After the loops have ended. */
void helper_free(struct helper *helper);

#endif
