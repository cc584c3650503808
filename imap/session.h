/* One IMAP connection: its state, the mailbox it has selected, the command under way.
 *
 *      START --login--> AUTHED <--select/close--> SELECTED          any --LOGOUT, BYE--> LOGOUT
 *
 * One command at a time: what is pipelined behind it stays in the connection's buffer, so a tagged
 * answer follows all untagged data of its own change. All on the connection's loop. */
#ifndef TANDEM_IMAP_SESSION_H
#define TANDEM_IMAP_SESSION_H

#include <stdbool.h>
#include <stdint.h>

#include "auth/auth.h"
#include "core/base/arena.h"
#include "core/base/log.h"
#include "core/base/metrics.h"
#include "core/base/slice.h"
#include "core/net/conn.h"
#include "core/net/loop.h"
#include "core/net/pace.h"
#include "imap/command.h"
#include "imap/frame.h"
#include "imap/sync.h"
#include "store/store.h"

struct config;

struct session {
    struct conn *conn;
    enum imap_state state; /* session_set_state */
    struct auth_session *auth;

    struct store_view *view; /* in STATE_SELECTED */
    char *mailbox;           /* its path when it was selected, for the log */
    uint32_t mailbox_number; /* M, for `tandem who`; 0: none */
    bool read_only;          /* it was opened by EXAMINE, or for a read-only credential */
    bool lost;               /* it is one of Recoverable/: COPY and MOVE bring back */
    bool view_gone;          /* its mailbox was deleted, and the client has been told */
    struct sync sync;

    struct frame frame; /* of the command that is coming */
    bool skipping;      /* what comes is the rest of a refused command */
    uint64_t skip;      /* octets of its literal still to be dropped */
    uint64_t skipped;   /* octets of its literals in all */

    struct arena arena; /* of the command under way */
    struct command command;
    bool ran;      /* its handler is done; what is left is sync and the tagged answer */
    bool waiting;  /* STEP_WAIT: until session_resume */
    bool securing; /* STARTTLS was answered: until imap_secured */
    bool paused;   /* commands come too fast: until `pause` has run */
    struct pace pace;
    struct timer pause;
    struct timer gone_timer;  /* IDLE in a deleted mailbox */
    struct timer still_timer; /* IDLE with nothing to tell */

    const char *bye; /* set: say so after the tagged answer, and close because of bye_why */
    enum conn_end bye_why;
    unsigned bad_commands, auth_failures;

    char client[64]; /* name and version out of ID, as much as the journal keeps of them */
    uint64_t commands, busy_us;
    uint64_t began_ns; /* the command under way */
};

struct imap_app {
    struct store *store;
    struct auth *auth;
};
extern struct imap_app imap_app;

/* The one place where the state changes. */
void session_set_state(struct session *s, enum imap_state state);
/* Leaves STATE_SELECTED; nothing selected: shrugs. */
void session_close_view(struct session *s);
struct store_account *session_account(const struct session *s);
struct store_reader *session_reader(const struct session *s);
const struct config *session_config(const struct session *s); /* the newest: keys of class L */
struct auth_peer session_peer(const struct session *s);
uint32_t session_append_limit(const struct session *s); /* octets of the largest message */
bool session_may_delete(const struct session *s);       /* no no-delete credential */

/* The command's progress, zeroed at its first call, in the arena. */
void *session_progress(struct session *s, size_t size);

/* Detail of what fails, for the log. In the arena, since hardly a command has any. */
struct fault *session_why(struct session *s);
void session_note_why(struct session *s, const struct fault *why); /* unless it is empty */

/* While a client idles it hears something this often: a silent connection is forgotten by address
 * translators, and a client that has gone is not seen. */
enum { IDLE_STILL_MS = 2 * 60 * 1000 };

/* --- waiting -------------------------------------------------------------------------------- */
/* A completion finds the connection, or nothing when that has gone: `done` gets it as object. */
struct store_to session_to(struct session *s, store_done *done);
struct session *session_of(void *object);
/* The command that returned STEP_WAIT goes on, at once. */
void session_resume(struct session *s);
/* For what was cold: resumes and leaves an error, if there was one, to the next attempt. */
struct store_to session_warmed(struct session *s);
/* Something happened that a command in STEP_MORE wants to look at. */
void session_poke(struct session *s);

/* --- between reading and running ----------------------------------------------------------------
 */
/* True: look again, a command has begun or input has moved on. False: more input is needed. */
bool session_next_command(struct session *s);
/* Something was done: `tandem who` tells since when nothing was, and what is selected. */
void session_note_active(const struct session *s);
/* A command has come, good or bad. */
void session_count_command(struct session *s);
/* The tagged answer of the command, its end, and what follows from it. */
void session_answer(struct session *s);
/* Without an answer. */
void session_end_command(struct session *s);
void session_say_bye(struct session *s); /* because of s->bye; closes */

/* --- input of a streaming command ------------------------------------------------------------- */
/* The rest of the line after a literal. STEP_DONE with *ret_clean when it was nothing but CRLF;
 * else all that belongs to the command is dropped. */
enum step session_line_end(struct session *s, bool *ret_clean);

/* Say goodbye after the answer of this command, and close. `text` is a literal. */
void session_bye(struct session *s, const char *text, enum conn_end why);
/* The same because of a limit, which is counted and logged. `word`: its key in [limits]. */
void session_limit(struct session *s, enum metric_limit limit, const char *word, const char *text);

void session_log_begin(const struct session *s, struct log_line *l, enum log_level level,
                       const char *event);
void session_log_end(const struct session *s, struct log_line *l);
/* The keyword table of `mailbox` was full: something was left out (CONTRACTS section 4). */
void session_log_dropped_keyword(const struct session *s, struct slice mailbox);

#endif
