/* The admin tool while the daemon is down: it becomes the owner of the store and opens it itself.
 */
#ifndef TANDEM_CMD_OFFLINE_H
#define TANDEM_CMD_OFFLINE_H

#include "cmd/verb.h"
#include "core/base/config.h"

struct output;

/* Run the verb once for each of the n descriptors (n = 0: once, without input). They were opened as
 * who called us, before we became somebody else. argv is lent and may be reordered. Exit status. */
int offline_run(const struct config *config, const struct verb *verb, int argc, const char **argv,
                const int *fds, size_t n, struct output *output);

#endif
