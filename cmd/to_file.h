/* The file that a verb's data goes to, instead of standard output: under its name once it is whole
 * and on disk, and as long as that is not so beside it, with ".part" behind the name. What is there
 * and no file, a pipe or a tape, is written to as it is. */
#ifndef TANDEM_CMD_TO_FILE_H
#define TANDEM_CMD_TO_FILE_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/attr.h"

struct to_file {
    char *path, *part; /* owned; NULL: standard output */
    FILE *to;
};

/* Opened by whoever runs the tool, before it becomes anybody else; for its eyes only, for there is
 * mail in it. "-" is standard output, unless that is a terminal. False: complained. */
MUST_CHECK bool to_file_open(struct to_file *file, const char *path);
/* `good`: the verb did all it should. False: complained, and there is no such file. */
MUST_CHECK bool to_file_close(struct to_file *file, bool good);

#endif
