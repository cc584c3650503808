#include "lmtp/session.h"

#include "core/base/mem.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "lmtp/command.h"
#include "lmtp/halves.h"
#include "lmtp/lmtp.h"

enum { ARENA_MAX = 256 * 1024, HELO_MAX = 255 };

struct lmtp_app lmtp_app;

void lmtp_setup(struct store *store, struct auth *auth, struct pool *pool)
{
    (void)pool; /* front ends are set up alike; what LMTP has done in the pool the store submits */
    halves_free(lmtp_app.halves);
    lmtp_app = (struct lmtp_app){.store = store, .auth = auth, .halves = halves_new()};
}

/* --- what commands use
 * ----------------------------------------------------------------------------- */

static const char *state_name(enum lmtp_state state)
{
    return state == LMTP_GREETED ? "GREETED"
           : state == LMTP_READY ? "READY"
           : state == LMTP_MAIL  ? "MAIL"
           : state == LMTP_RCPT  ? "RCPT"
                                 : "CHUNKS";
}

void lmtp_state_set(struct lmtp_session *s, enum lmtp_state state)
{
    if (s->state == state)
        return;
    struct log_line l;
    lmtp_log_begin(s, &l, LOG_DEBUG, "state");
    log_str(&l, "from", state_name(s->state));
    log_str(&l, "to", state_name(state));
    lmtp_log_end(s, &l);
    s->state = state;
}

void *lmtp_progress(struct lmtp_session *s, size_t size)
{
    if (!s->progress)
        s->progress = arena_new(&s->arena, size);
    return s->progress;
}

enum step lmtp_wait(struct lmtp_session *s)
{
    s->waiting = true;
    return STEP_WAIT;
}

void lmtp_wake(struct lmtp_session *s)
{
    s->waiting = false;
    conn_again(s->conn);
}

struct store_to lmtp_to(struct lmtp_session *s, store_done *done)
{
    return (struct store_to){conn_loop(s->conn), conn_loop_id(s->conn), done};
}

struct store_reader *lmtp_reader(struct lmtp_session *s)
{
    return store_reader_of(lmtp_app.store, conn_loop(s->conn));
}

const struct config *lmtp_config(const struct lmtp_session *s)
{
    return server_config(listener_server(conn_listener(s->conn)));
}

void lmtp_log_begin(const struct lmtp_session *s, struct log_line *l, enum log_level level,
                    const char *event)
{
    (void)s;
    log_begin(l, level, event);
    log_str(l, "proto", "lmtp");
}

void lmtp_log_end(const struct lmtp_session *s, struct log_line *l)
{
    log_hex64(l, "session", conn_id(s->conn));
    log_end(l);
}

/* --- commands, one at a time
 * ------------------------------------------------------------------------ */

static void end_command(struct lmtp_session *s)
{
    arena_reset(&s->arena);
    s->command = NULL;
    s->progress = NULL;
}

static enum step step(struct lmtp_session *s)
{
    enum step step = s->command->step(s);
    if (step == STEP_DONE)
        end_command(s);
    return step;
}

/* Find the row, check state and arguments; on success s->command is set. False: nobody knows where
 * the next command begins. */
static bool begin_command(struct lmtp_session *s, struct slice line)
{
    struct slice verb, rest;
    struct slice copy = arena_dup(&s->arena, line);
    const struct lmtp_command *command = NULL;
    if (copy.ptr && lmtp_split(copy, &verb, &rest))
        command = lmtp_command_find(verb);
    if (!command) {
        lmtp_unknown(s);
        return true;
    }
    if (!(command->states & s->state)) {
        lmtp_fail(s, ERR_STATE);
        return true;
    }
    enum err e = lmtp_parse(rest, command->args, &s->args);
    if (e == ERR_CANNOT)
        lmtp_unsupported(s);
    else if (e)
        lmtp_fail(s, e);
    else
        s->command = command;
    return !e || !(command->traits & LMTP_OCTETS);
}

/* False: no further command can begin now. There is no pace: who may connect is trusted. */
static bool next_command(struct lmtp_session *s)
{
    struct slice line;
    size_t used;
    bool in_step = true;
    if (conn_full(s->conn))
        return false;
    enum line_got got = line_next(&s->lines, conn_input(s->conn),
                                  conn_config(s->conn)->limits.lmtp_line, &line, &used);
    if (got == LINE_WHOLE) {
        in_step = begin_command(s, line);
        if (!s->command)
            end_command(s);
    } else if (got == LINE_LONG) {
        lmtp_unknown(s);
    } else if (got == LINE_FLOOD) {
        conn_finish(s->conn, CONN_END_LIMIT);
        return false;
    }
    conn_consume(s->conn, used);
    if (!in_step)
        conn_finish(s->conn, CONN_END_LIMIT);
    if (s->bad >= conn_config(s->conn)->limits.bad_commands) {
        lmtp_say(s, "421 4.7.0 too many bad commands");
        conn_finish(s->conn, CONN_END_LIMIT);
    }
    return got != LINE_MORE;
}

static void leave_if_idle(struct lmtp_session *s)
{
    if (!s->leaving || s->command || conn_closing(s->conn))
        return;
    lmtp_say(s, "421 4.3.2 shutting down");
    conn_finish(s->conn, s->leave_why);
}

static void run(struct lmtp_session *s)
{
    enum step at = STEP_DONE;
    conn_set_deadline(s->conn, 0);
    while (!conn_closing(s->conn)) {
        at = !s->command ? STEP_DONE : s->waiting ? STEP_WAIT : step(s);
        if (at != STEP_DONE || (!s->command && !next_command(s)))
            break;
        leave_if_idle(s);
    }
    if (conn_closing(s->conn) || at == STEP_WAIT || conn_full(s->conn))
        return;
    if (conn_eof(s->conn)) /* what is left of input is no command, or not a whole message */
        conn_finish(s->conn, CONN_END_CLIENT);
    else if (!s->command)
        conn_set_deadline(s->conn, conn_config(s->conn)->lmtp.idle_ms);
}

/* --- the conn's callbacks
 * ---------------------------------------------------------------------------- */

static void refuse(struct lmtp_session *s)
{
    struct log_line l;
    lmtp_log_begin(s, &l, LOG_WARN, "accept-refused");
    log_slice(&l, "rip", conn_peer_text(s->conn));
    log_slice(&l, "lip", conn_local_text(s->conn));
    log_str(&l, "reason", "untrusted");
    lmtp_log_end(s, &l);
    lmtp_say(s, "554 5.7.1 no mail is taken from here");
    conn_finish(s->conn, CONN_END_LIMIT);
}

static void on_open(struct conn *conn)
{
    struct lmtp_session *s = mem_new(sizeof *s);
    const struct config *config = conn_config(conn);
    struct sockaddr_storage peer = conn_peer(conn);
    s->conn = conn;
    s->state = LMTP_GREETED;
    s->lines.crlf_only = true; /* RFC 5321 section 2.3.8 */
    arena_init(&s->arena, ARENA_MAX);
    buf_init(&s->helo, HELO_MAX);
    conn_set_session(conn, s);
    conn_set_input_max(conn, config->limits.command_preauth);
    if (!config_networks_match(&lmtp_config(s)->lmtp.trusted, &peer)) {
        refuse(s);
        return;
    }
    conn_logged_in(conn); /* nobody logs in here: the address was the password */
    conn_printf(conn, "220 %s LMTP ready\r\n", lmtp_config(s)->tandem.hostname);
    conn_set_deadline(conn, config->lmtp.idle_ms);
}

static void on_input(struct conn *conn)
{
    run(conn_session(conn));
}

/* What was learned in plaintext is forgotten (RFC 3207 section 4.2). */
static void on_secured(struct conn *conn)
{
    struct lmtp_session *s = conn_session(conn);
    s->helo.len = 0;
    s->lines = (struct line_reader){.crlf_only = true};
    lmtp_transaction_end(s);
    lmtp_state_set(s, LMTP_GREETED);
    run(s);
}

static void on_deadline(struct conn *conn)
{
    lmtp_say(conn_session(conn), "421 4.4.2 idle for too long");
    conn_finish(conn, CONN_END_IDLE);
}

static void on_leave(struct conn *conn, enum conn_end why)
{
    struct lmtp_session *s = conn_session(conn);
    s->leaving = true;
    s->leave_why = why;
    leave_if_idle(s);
}

static void on_closed(struct conn *conn, enum conn_end why)
{
    struct lmtp_session *s = conn_session(conn);
    (void)why;
    lmtp_transaction_end(s);
    arena_reset(&s->arena);
    buf_finish(&s->helo);
    mem_free(s);
}

const struct protocol lmtp_protocol = {
    .name = "lmtp",
    .alpn = NULL,
    .refusal = "421 4.3.2 too many connections\r\n",
    .open = on_open,
    .input = on_input,
    .drained = on_input,
    .secured = on_secured,
    .deadline = on_deadline,
    .leave = on_leave,
    .closed = on_closed,
};
