/* The OWNER file of an env's directory: one line, the generation in decimal; the flock on it is
 * what makes a process the owner. */
#ifndef TANDEM_STORE_OWNER_H
#define TANDEM_STORE_OWNER_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"

struct fault;

/* `known`: there is such a line. An empty file is one that a crash, a restore, or an open that was
 * refused, has left: whatever store lies beside it counts as an older one. */
struct owner {
    uint64_t generation;
    bool known;
};

/* Makes the file if need be and locks it for as long as the descriptor is open. ERR_BUSY: another
 * process has it. */
MUST_CHECK enum err owner_lock(const char *dir, int *ret_fd, struct owner *ret, struct fault *why);
/* On disk when it returns. */
MUST_CHECK enum err owner_write(int fd, uint64_t generation, const char *dir, struct fault *why);
/* Forget the generation: on disk when it returns. */
MUST_CHECK enum err owner_forget(int fd, const char *dir, struct fault *why);

#endif
