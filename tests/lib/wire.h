/* One blocking client connection of a test: connect, send, receive, TLS. Everything that is
 * received waits in `in` until the caller consumes it. */
#ifndef TANDEM_TESTS_WIRE_H
#define TANDEM_TESTS_WIRE_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/base/slice.h"

struct wire;

/* NULL: refused, with errno. Answers are waited for `timeout_ms`. */
struct wire *wire_connect(const char *address, unsigned port, unsigned timeout_ms);
void wire_close(struct wire *wire); /* NULL shrugs */

/* Client side of a handshake; the certificate is not verified. False: it failed, see wire_why. */
MUST_CHECK bool wire_tls(struct wire *wire);

/* All of it, as one write or octet by octet. False: the connection is gone. */
MUST_CHECK bool wire_send(struct wire *wire, struct slice s, bool bytewise);

/* Receive once more. False: timeout, end or error; wire_why tells. */
MUST_CHECK bool wire_receive(struct wire *wire);
/* What has arrived by now, without waiting. */
void wire_receive_ready(struct wire *wire);
/* The peer has closed, and all it sent was read. Waits. */
bool wire_at_end(struct wire *wire);
struct buf *wire_in(struct wire *wire);
const char *wire_why(const struct wire *wire);

#endif
