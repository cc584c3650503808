/* The daemon from the moment it is nobody special until it has ended: store, threads, signals. */
#ifndef TANDEM_CMD_DAEMON_H
#define TANDEM_CMD_DAEMON_H

#include "core/base/attr.h"
#include "core/base/config.h"
#include "core/base/slice.h"

struct helper;
struct server;

struct daemon_conf {
    const struct config *config;
    struct server *server; /* bound, not started; freed by daemon_run, and so is the helper */
    struct helper *helper;
    struct slice banner; /* to stdout once it serves; empty: none */
};
/* Runs until SIGTERM or SIGINT has been obeyed; the exit status. */
int daemon_run(const struct daemon_conf *conf);

#endif
