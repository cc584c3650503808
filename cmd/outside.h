/* A process beside the tool that stays who called it, while the tool becomes the owner of the store
 * or the daemon works for it: it reads or writes the files that a verb is about. */
#ifndef TANDEM_CMD_OUTSIDE_H
#define TANDEM_CMD_OUTSIDE_H

#include <stdio.h>
#include <sys/types.h>

#include "cmd/verb.h"
#include "core/base/attr.h"

struct outside {
    pid_t pid;  /* 0: there is none */
    int input;  /* VERB_READER: the verb's input, which it writes; the caller's */
    FILE *data; /* VERB_WRITER: where the verb's data go; else NULL */
};

/* Before anything else is opened. False: complained. */
MUST_CHECK bool outside_start(struct outside *outside, const struct verb *verb, const char *path);
/* Closes `data` and waits for the process. False: it failed; complained. */
MUST_CHECK bool outside_end(struct outside *outside);

#endif
