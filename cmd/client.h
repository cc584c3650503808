/* The admin tool's side of the control socket. */
#ifndef TANDEM_CMD_CLIENT_H
#define TANDEM_CMD_CLIENT_H

#include <stddef.h>

#include "cmd/verb.h"
#include "core/base/config.h"

struct output;

enum client_result { CLIENT_CONNECTED, CLIENT_NO_DAEMON, CLIENT_REFUSED /* complained */ };

enum client_result client_connect(const struct config *config, int *ret_fd);
/* One request for each of the n inputs (0: one without input), the first over fd, which is closed.
 * Exit status. */
int client_run(const struct config *config, int fd, const struct verb *verb, int argc,
               const char **argv, const int *fds, size_t n, struct output *output);

#endif
