/* What the daemon and the admin tool do alike before there is a store: read the configuration, find
 * the user to run as, tell the administrator in one line what is wrong and how to mend it. */
#ifndef TANDEM_CMD_SETUP_H
#define TANDEM_CMD_SETUP_H

#include <stdbool.h>
#include <sys/types.h>

#include "core/base/attr.h"
#include "core/base/config.h"
#include "core/base/err.h"
#include "store/store.h"

enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTLY = 3 };

extern const char setup_default_config[]; /* /etc/tandem/tandem.ini */

/* One line on stderr, "PROGRAM: text"; returns EXIT_FAILED. */
int setup_complain(const char *format, ...) PRINTF_LIKE(1, 2);

/* Read and check; every error is a line on stderr. NULL: there were some. `also`: NULL or one of
 * the functions below. */
typedef void setup_also(const struct config *config, struct config_errors *errs);
MUST_CHECK struct config *setup_config(const char *path, setup_also *also);
/* The line of a key outside named sections; 0: the file does not have it. */
unsigned setup_line(const struct config *config, const char *section, const char *key);
/* The same about a key: "PROGRAM: FILE:LINE: SECTION.KEY: text". */
int setup_mistake(const struct config *config, const char *section, const char *key,
                  const char *format, ...) PRINTF_LIKE(4, 5);
/* Certificates, keys and what else a config names, as a start would read them: the errors are
 * added. Any thread but a loop's. */
setup_also setup_check;
/* The same if something is wrong already; if not, the daemon will look, as itself. */
setup_also setup_check_if_wrong;

/* Strings belong to the config; *ret_allow_fs is what ret->allow_fs points to, freed by the caller
 * after store_open. */
void setup_store_conf(const struct config *config, struct store_conf *ret, char **ret_allow_fs);
/* Opens it and makes sure that the default domain exists. False: complained. */
MUST_CHECK bool setup_store_open(const struct config *config, bool read_only, struct store **ret);

#endif
