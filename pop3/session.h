/* One POP3 session, from greeting to the end of its connection.
 *
 *      AUTHORIZATION --PASS--> TRANSACTION --QUIT--> UPDATE --> closed        (RFC 1939 section 3)
 *            |                      |
 *            +--QUIT--> closed      +--connection lost, idle--> closed, nothing deleted
 *
 * Commands run one at a time, in order. A command that cannot finish says why (enum step), and is
 * called again; its progress lies in the session's arena, which resets when it ends. Steps run only
 * inside the conn's own callbacks, so that what they borrow from the store's map is written or
 * copied before the turn ends. */
#ifndef TANDEM_POP3_SESSION_H
#define TANDEM_POP3_SESSION_H

#include "auth/auth.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/net/conn.h"
#include "core/net/line.h"
#include "core/net/loop.h"
#include "core/net/pace.h"
#include "core/net/step.h"
#include "pop3/marks.h"
#include "pop3/parse.h"
#include "store/store.h"

struct pop3_command;

enum pop3_state { POP3_AUTHORIZATION = 1, POP3_TRANSACTION = 2, POP3_UPDATE = 4 };

struct pop3_session {
    struct conn *conn;
    enum pop3_state state;
    struct line_reader lines;
    struct pace pace;
    struct timer pause; /* armed: too fast; no command is begun until it runs out */
    unsigned bad;       /* commands that were no commands */
    unsigned failures;  /* wrong passwords */
    uint64_t commands;
    uint64_t busy_ns; /* time spent in callbacks */
    bool leaving;     /* asked to end as soon as no command is under way */
    enum conn_end leave_why;

    /* The command under way; NULL: none. */
    const struct pop3_command *command;
    struct pop3_args args; /* in the arena */
    struct arena arena;
    void *progress; /* of the command's own type */
    bool waiting;   /* STEP_WAIT */
    enum err woken; /* how what was waited for ended */

    /* AUTHORIZATION */
    struct buf timestamp;           /* of the greeting, for APOP; empty: there is none */
    bool utf8;                      /* UTF8 was said */
    struct buf name;                /* of USER; empty: none yet */
    struct auth_exchange *exchange; /* of AUTH */
    struct timer retry;             /* armed: the login waits for the maildrop of a dying session */

    /* TRANSACTION, UPDATE */
    struct auth_session *auth;
    struct store_maildrop *drop;
    struct store_body *body; /* being sent */
    struct marks marks;
    uint32_t last;     /* highest message retrieved since login or RSET */
    uint64_t received; /* octets that had come when `marks` was last confirmed */
    struct timer watch;
    uint64_t acked, stalled_ms; /* of the watch: octets the client's kernel has; since when */
};

/* What pop3_setup was given. */
struct pop3_app {
    struct store *store;
    struct auth *auth;
};
extern struct pop3_app pop3_app;

void pop3_state_set(struct pop3_session *s, enum pop3_state state);
/* The command's progress, zeroed when it is asked for the first time. */
void *pop3_progress(struct pop3_session *s, size_t size);
/* STEP_WAIT, until pop3_wake: for completions, which are given the conn. */
enum step pop3_wait(struct pop3_session *s);
void pop3_wake(struct pop3_session *s, enum err e);
struct store_to pop3_to(struct pop3_session *s, store_done *done);
/* A store_done that wakes with the result's error. */
void pop3_done(void *object, const struct store_result *result);
struct store_reader *pop3_reader(struct pop3_session *s);
const struct config *pop3_config(const struct pop3_session *s); /* newest: keys of class LIVE */
struct auth_peer pop3_peer(const struct pop3_session *s);
/* Octets of output given to the conn so far. */
uint64_t pop3_queued(const struct pop3_session *s);
/* Everything that is known to have arrived is retrieved; see pop3/marks.h. */
void pop3_confirm(struct pop3_session *s);
/* Watch whether the client's kernel takes our output, for the maildrop lock (CONTRACTS 6). */
void pop3_watch_start(struct pop3_session *s);

/* --- capa.c
 * ---------------------------------------------------------------------------------------
 */
bool pop3_can_user(const struct pop3_session *s);
bool pop3_can_stls(const struct pop3_session *s);
bool pop3_can_apop(const struct pop3_session *s);

/* A log line of this session: pop3_log_begin, the event's own fields, pop3_log_end. */
void pop3_log_begin(const struct pop3_session *s, struct log_line *l, enum log_level level,
                    const char *event);
void pop3_log_end(const struct pop3_session *s, struct log_line *l);

/* --- reply.c: the only file that knows words and response codes ------------------------------- */
void pop3_ok(struct pop3_session *s, const char *format, ...) PRINTF_LIKE(2, 3);
/* -ERR with the code and the words of `e`. STEP_DONE, so that failing is one line. */
enum step pop3_fail(struct pop3_session *s, enum err e);
/* The same with other words. */
enum step pop3_fail_text(struct pop3_session *s, enum err e, const char *text);
/* A multi-line answer has begun and cannot be completed: the client must not take it for whole. */
enum step pop3_break(struct pop3_session *s, enum err e);

/* --- rules.c: the view of the account that is the maildrop -------------------------------------
 */
/* In the command's arena. ERR_NOTFOUND: the folder that the login named does not exist. */
MUST_CHECK enum err pop3_rules_find(struct pop3_session *s, struct store_poprule *ret);
/* One line for each rule that is configured and has no effect, once as long as that is so. */
void pop3_rules_log_missing(struct pop3_session *s, const struct store_poprule *rule);

/* --- maildrop.c ------------------------------------------------------------------------------- */
/* Release what the session holds of the store; at the end of a connection also note the complete
 * RETRs that no QUIT has noted. */
void pop3_maildrop_leave(struct pop3_session *s);

#endif
