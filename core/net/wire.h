/* The layers between a socket and a protocol, as one stream: socket -> TLS. What another layer
 * (DEFLATE) needs is two functions of the same shape on top of lower_read and lower_write.
 *
 * A layer may hold octets that no readiness of the socket will announce; `pending` says so, and the
 * conn then reads again without waiting. Private to the conn; its loop. */
#ifndef TANDEM_NET_WIRE_H
#define TANDEM_NET_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/net/proxy.h"

struct buf;
struct fault;
struct outq;
struct tls;

enum wire_state {
    WIRE_OK,     /* there may be more at once */
    WIRE_WAIT,   /* nothing more until the socket is ready */
    WIRE_CLOSED, /* the peer has said that no more comes */
    WIRE_RESET,  /* the socket failed */
    WIRE_BROKEN  /* TLS failed, or ended without close_notify: what is unfinished must not be run */
};

struct wire {
    int fd;
    struct tls *tls;         /* NULL: plain */
    uint64_t received, sent; /* octets of the protocol */
    bool pending;            /* a read stopped before the layers were empty */
    bool read_wants_write;   /* TLS must send something before it can read on */
};

/* *ret_n octets have come, with any state. */
enum wire_state wire_read(struct wire *wire, char *to, size_t cap, size_t *ret_n,
                          struct fault *why);
/* Send from the front of the queue. WIRE_OK: it is empty. `last`: the socket is shut down or closed
 * as soon as it is, so without TLS the end of it may wait for the FIN and share its segment. */
enum wire_state wire_write(struct wire *wire, struct outq *out, bool last, struct fault *why);
/* Octets that the socket has taken, whole records or not: a client that takes any has not stalled.
 */
uint64_t wire_taken(const struct wire *wire);
/* Has the socket something to read, the end included, without taking it? WIRE_OK: octets. */
enum wire_state wire_peek(const struct wire *wire);
/* Read a PROXY header and nothing behind it; `head` collects it. WIRE_OK: it is whole, in `ret`;
 * WIRE_BROKEN: not a header. */
enum wire_state wire_read_proxy(struct wire *wire, struct buf *head, struct proxy_header *ret);
void wire_quickack(const struct wire *wire); /* no delayed ACK for what is read next */

#endif
