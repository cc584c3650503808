/* What the daemon may touch and ask for once it serves: files by Landlock, system calls by seccomp.
 * Before the first thread (threads inherit it) and before the store is opened. */
#ifndef TANDEM_CMD_SANDBOX_H
#define TANDEM_CMD_SANDBOX_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/config.h"

/* After privileges_seal. Off by `[daemon] sandbox = no` (one warning line) and in sanitizer builds,
 * whose runtime needs more; an old kernel gets what it knows, with a warning. False: complained; do
 * not go on, for it was wanted. */
MUST_CHECK bool sandbox_enter(const struct config *config);

#endif
