/* From the text of an address to a listening socket. */
#ifndef TANDEM_NET_BIND_H
#define TANDEM_NET_BIND_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/err.h"

struct fault;

/* `*:143`, `192.0.2.1:143`, `[::]:143` (IPv6 only), `unix:/path` with `mode`. Non-blocking,
 * close-on-exec, TCP with no delay and keepalive (30 s, then 3 times 10 s), which accepted sockets
 * inherit. The path of a unix socket is taken over only from a socket that nobody answers on.
 * ERR_SYNTAX, ERR_BUSY (in use), ERR_PERM, ERR_DOWN; the fault says why. */
MUST_CHECK enum err bind_listen(const char *address, unsigned mode, int *ret_fd, struct fault *why);
/* Sockets that somebody else has bound (systemd): the same options. */
void bind_adopt(int fd);

#endif
