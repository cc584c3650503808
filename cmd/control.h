/* The daemon's side of the control socket: a request runs its verb on a thread of its own, which
 * waits for the store as the admin tool does while the daemon is down. */
#ifndef TANDEM_CMD_CONTROL_H
#define TANDEM_CMD_CONTROL_H

#include <stdbool.h>

#include "core/net/conn.h"

struct server;
struct store;

extern const struct protocol control_protocol;

void control_setup(struct server *server, struct store *store); /* before the loops run */
/* The loops have ended: wait for the verbs that still run, told to stop by the end of their
 * connections. False: one did not stop within the time; the store cannot be closed. */
bool control_finish(unsigned timeout_s);

#endif
