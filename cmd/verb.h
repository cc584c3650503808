/* What `tandem` can do: one row a verb. A verb runs in the tool itself while the daemon is down,
 * and on a thread of the daemon, asked over the control socket, while it is up: so it speaks and
 * reads only through its call, and waits for the store (store_wait). */
#ifndef TANDEM_CMD_VERB_H
#define TANDEM_CMD_VERB_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/config.h"
#include "store/store.h"

/* Where a verb's words go and its input comes from. */
struct verb_io {
    void (*say)(struct verb_io *io, const char *line);         /* a result */
    void (*complain)(struct verb_io *io, const char *line);    /* what went wrong */
    ssize_t (*read)(struct verb_io *io, char *to, size_t cap); /* 0: the end; -1: it broke off */
};

struct verb_call {
    const struct config *config;
    struct store *store;
    struct store_reader *reader; /* of this thread */
    struct verb_io *io;
    struct arena arena; /* reset by the caller */
    int argc;           /* arguments behind the name of the verb */
    const char **argv;
};

enum verb_input {
    VERB_NOTHING,
    VERB_PASSWORD, /* one line: asked for on the terminal, or from stdin with --password-stdin */
    VERB_FILE,     /* the last argument names it, "-" is stdin */
    VERB_MESSAGES  /* each further argument names one, run once for each; none: stdin */
};

struct verb {
    const char *name;  /* "user add" */
    const char *usage; /* "NAME [--scheme S]" */
    const char *help;
    enum verb_input input;
    enum verb_down {
        DOWN_WRITES, /* while the daemon is down, the tool opens the store and changes it */
        DOWN_READS,  /* opens it read-only */
        DOWN_REFUSES /* is about what only a daemon knows */
    } down;
    int (*run)(struct verb_call *call); /* exit status */
};

extern const struct verb verbs[]; /* sorted by name, ends with a row without one */
const struct verb *verb_find(const char *name);

void verb_say(struct verb_call *call, const char *format, ...) PRINTF_LIKE(2, 3);
int verb_complain(struct verb_call *call, const char *format, ...) PRINTF_LIKE(2, 3); /* 1 */

/* Take "--name VALUE" or "--name=VALUE" out of the arguments; NULL: it is not there. */
const char *verb_option(struct verb_call *call, const char *name);
bool verb_flag(struct verb_call *call, const char *name);
/* After the options: at least min, at most max arguments are left, none of them an option. Else the
 * complaint has been made, and the exit status is EXIT_USAGE. */
MUST_CHECK bool verb_arguments(struct verb_call *call, int min, int max);

/* NAME as an account, in its normal form. False: complained. */
MUST_CHECK bool verb_login(struct verb_call *call, const char *name, struct slice *ret);
MUST_CHECK bool verb_user(struct verb_call *call, const char *name, struct store_user *ret);
/* The first line of the input, without its line end, in the arena. False: complained. */
MUST_CHECK bool verb_password(struct verb_call *call, struct slice *ret);
/* How a failed write of the store is put. Returns EXIT_FAILED. */
int verb_failed(struct verb_call *call, const char *what, const struct store_result *result);

/* The verbs, by file. */
int verb_alias_set(struct verb_call *call);
int verb_check(struct verb_call *call);
int verb_deliver(struct verb_call *call);
int verb_kick(struct verb_call *call);
int verb_stats(struct verb_call *call);
int verb_domain_add(struct verb_call *call);
int verb_user_add(struct verb_call *call);
int verb_user_delete(struct verb_call *call);
int verb_user_disable(struct verb_call *call);
int verb_user_enable(struct verb_call *call);
int verb_user_import(struct verb_call *call);
int verb_user_list(struct verb_call *call);
int verb_user_passwd(struct verb_call *call);
int verb_user_set(struct verb_call *call);
int verb_user_show(struct verb_call *call);
int verb_user_unset(struct verb_call *call);

#endif
