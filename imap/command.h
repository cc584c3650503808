/* The command table: one row per command, and one command as it runs. */
#ifndef TANDEM_IMAP_COMMAND_H
#define TANDEM_IMAP_COMMAND_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/base/slice.h"
#include "core/net/step.h"
#include "imap/parse.h"

struct command;
struct session;

/* RFC 3501 section 3. */
enum imap_state { STATE_START = 1, STATE_AUTHED = 2, STATE_SELECTED = 4, STATE_LOGOUT = 8 };
enum {
    IN_START = STATE_START,
    IN_AUTHED = STATE_AUTHED | STATE_SELECTED,
    IN_SELECTED = STATE_SELECTED,
    IN_ANY = STATE_START | STATE_AUTHED | STATE_SELECTED
};

/* STEP_DONE: the answer is in the command. STEP_FULL while the queue is not full: in a later turn.
 */
typedef enum step imap_step(struct session *s, struct command *c);

enum {
    CMD_SECRET = 1,      /* arguments are wiped and never shown */
    CMD_STREAM = 2,      /* reads its last literal itself */
    CMD_NO_EXPUNGE = 4,  /* no EXPUNGE response while it runs (RFC 3501 section 7.4.1) */
    CMD_NO_SYNC = 8,     /* no untagged data of others after it */
    CMD_UID = 16,        /* sets are UIDs, FETCH responses carry UID */
    CMD_TARGET = 32,     /* a mailbox that is missing is a target: [TRYCREATE] */
    CMD_CHANGE = 64,     /* changes the account: not with a read-only credential */
    CMD_DELETE = 128,    /* removes messages or mailboxes: not with a no-delete credential */
    CMD_VIEW = 256,      /* changes the selected mailbox: not after EXAMINE */
    CMD_DEAD_VIEW = 512, /* fine in a selected mailbox that has been deleted */
    CMD_PASSWORD = 1024  /* has one in the clear: not where that is not allowed */
};

struct imap_command {
    struct slice name;
    unsigned states;
    const char *grammar; /* imap/parse.h */
    unsigned traits;
    imap_step *run;
};

/* The one lookup, without regard to case; NULL: no such command. */
const struct imap_command *command_find(struct slice name);
/* All rows, sorted by name. */
const struct imap_command *command_table(size_t *ret_n);

/* The command under way. Everything it points to lives in the session's arena. */
struct command {
    const struct imap_command *row; /* NULL: none is under way */
    struct slice tag;
    struct arg args[ARGS_MAX];
    imap_step *run;                                        /* the next step */
    void *progress;                                        /* the handler's own; NULL at first */
    void (*cleanup)(struct session *s, struct command *c); /* frees what the arena cannot */

    /* the tagged answer */
    bool answered; /* it has been written by the handler */
    enum err err;
    struct slice code; /* response code without brackets; empty: as the error has it */
    const char *text;  /* NULL: as the error has it */
    struct fault *why; /* for the log; NULL: nothing was noted. session_why makes it */
};

/* Set the answer and be done. `text` is a literal. */
enum step command_ok(struct command *c, const char *text);
enum step command_fail(struct command *c, enum err e, const char *text);

/* One handler per row. */
imap_step imap_append, imap_authenticate, imap_capability, imap_close, imap_copy, imap_create,
    imap_delete, imap_enable, imap_examine, imap_expunge, imap_fetch, imap_id, imap_idle, imap_list,
    imap_login, imap_logout, imap_lsub, imap_move, imap_namespace, imap_noop, imap_rename,
    imap_search, imap_select, imap_starttls, imap_status, imap_store, imap_subscribe, imap_unselect,
    imap_unsubscribe;

#endif
