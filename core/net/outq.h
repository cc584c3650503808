/* What a connection has still to send: a queue of segments, some owned, some borrowed from the
 * store's map for the rest of the callback. A message is not copied in order to be sent unless the
 * client is too slow to take it at once. */
#ifndef TANDEM_NET_OUTQ_H
#define TANDEM_NET_OUTQ_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/uio.h>

#include "core/base/slice.h"

struct outq_segment;

struct outq {
    struct outq_segment *head, *tail;
    size_t len;      /* octets waiting */
    size_t borrowed; /* of these, octets that are only borrowed */
};

void outq_init(struct outq *q);
void outq_finish(struct outq *q);
void outq_add(struct outq *q, struct slice s); /* copies */
/* No copy: the octets must stay where they are until outq_settle or until they are sent. Slices
 * too short to be worth a segment are copied all the same. */
void outq_borrow(struct outq *q, struct slice s);
int outq_iov(const struct outq *q, struct iovec *iov, int max, size_t bytes_max); /* the front */
void outq_sent(struct outq *q, size_t n); /* drop n octets from the front */
void outq_settle(struct outq *q);         /* copy what is still borrowed */

#endif
