#include "pop3/session.h"

#include <inttypes.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "core/net/listen.h"
#include "core/net/outq.h"
#include "pop3/command.h"
#include "pop3/pop3.h"

enum {
    ARENA_MAX = 64 * 1024,
    TIMESTAMP_MAX = 128, /* with the host's name, it must fit the greeting's 512 octets */
    WATCH_MS = 15 * 1000 /* how often a client that owes acknowledgements is looked at */
};

struct pop3_app pop3_app;

void pop3_setup(struct store *store, struct auth *auth, struct pool *pool)
{
    (void)pool; /* front ends are set up alike; what POP3 has done in the pool the store submits */
    pop3_app = (struct pop3_app){.store = store, .auth = auth};
}

/* --- what commands use --------------------------------------------------------------------------
 */

static const char *state_name(enum pop3_state state)
{
    return state == POP3_AUTHORIZATION ? "AUTHORIZATION"
           : state == POP3_TRANSACTION ? "TRANSACTION"
                                       : "UPDATE";
}

void pop3_state_set(struct pop3_session *s, enum pop3_state state)
{
    struct log_line l;
    pop3_log_begin(s, &l, LOG_DEBUG, "state");
    log_str(&l, "from", state_name(s->state));
    log_str(&l, "to", state_name(state));
    pop3_log_end(s, &l);
    s->state = state;
}

void *pop3_progress(struct pop3_session *s, size_t size)
{
    if (!s->progress)
        s->progress = arena_new(&s->arena, size);
    return s->progress;
}

enum step pop3_wait(struct pop3_session *s)
{
    s->waiting = true;
    s->woken = ERR_OK;
    return STEP_WAIT;
}

void pop3_wake(struct pop3_session *s, enum err e)
{
    s->waiting = false;
    s->woken = e;
    conn_again(s->conn);
}

void pop3_done(void *object, const struct store_result *result)
{
    pop3_wake(conn_session(object), result->err);
}

struct store_to pop3_to(struct pop3_session *s, store_done *done)
{
    return (struct store_to){conn_loop(s->conn), conn_loop_id(s->conn), done};
}

struct store_reader *pop3_reader(struct pop3_session *s)
{
    return store_reader_of(pop3_app.store, conn_loop(s->conn));
}

const struct config *pop3_config(const struct pop3_session *s)
{
    return server_config(listener_server(conn_listener(s->conn)));
}

/* At once when nothing is under way, else when the command has ended; but before the login there is
 * none whose end matters, and its answer may be held back for long. RFC 1939 knows no unsolicited
 * reply: a client that is about to speak takes this one for its answer, which is right. */
static void leave_if_idle(struct pop3_session *s)
{
    bool under_way = s->command && s->state != POP3_AUTHORIZATION;
    if (!s->leaving || under_way || conn_closing(s->conn))
        return;
    conn_printf(s->conn, "-ERR [SYS/TEMP] closing the connection\r\n");
    conn_finish(s->conn, s->leave_why);
}

static void kicked(void *object)
{
    struct pop3_session *s = conn_session(object);
    s->leaving = true;
    s->leave_why = CONN_END_KICKED;
    leave_if_idle(s);
}

struct auth_peer pop3_peer(const struct pop3_session *s)
{
    return (struct auth_peer){.proto = PROTO_POP3,
                              .loop = conn_loop(s->conn),
                              .id = conn_loop_id(s->conn),
                              .kick = kicked,
                              .connection_id = conn_id(s->conn),
                              .peer_key = conn_peer_key(s->conn),
                              .secure = conn_is_secure(s->conn),
                              .local = conn_is_local(s->conn),
                              .binding = conn_tls_binding,
                              .conn = s->conn,
                              .rip = conn_peer_text(s->conn),
                              .lip = conn_local_text(s->conn)};
}

uint64_t pop3_queued(const struct pop3_session *s)
{
    return conn_sent(s->conn) + conn_out(s->conn)->len;
}

/* Octets that came after others were written prove that the client was there to be written to. */
void pop3_confirm(struct pop3_session *s)
{
    uint64_t received = conn_received(s->conn);
    if (received == s->received)
        return;
    s->received = received;
    marks_confirm(&s->marks, conn_sent(s->conn));
}

void pop3_log_begin(const struct pop3_session *s, struct log_line *l, enum log_level level,
                    const char *event)
{
    (void)s;
    log_begin(l, level, event);
    log_str(l, "proto", "pop3");
}

void pop3_log_end(const struct pop3_session *s, struct log_line *l)
{
    log_hex64(l, "session", conn_id(s->conn));
    log_end(l);
}

/* --- the watch over a client that takes nothing
 * --------------------------------------------------- */

static void watch(struct loop *loop, struct timer *timer)
{
    struct pop3_session *s =
        (struct pop3_session *)((char *)timer - offsetof(struct pop3_session, watch));
    /* Over TLS what is in flight is not yet of what was sent, and is longer by its records. */
    uint64_t sent = conn_sent(s->conn), unacked = conn_unacked(s->conn);
    uint64_t acked = sent > unacked ? sent - unacked : 0;
    bool owes = acked < pop3_queued(s);
    if (!owes)
        s->stalled_ms = 0;
    else if (acked != s->acked || s->stalled_ms == 0)
        s->stalled_ms = loop_now_ms(loop);
    s->acked = acked;
    store_live_stalled(s->auth->live, s->stalled_ms);
    if (owes)
        timer_arm(loop, timer, WATCH_MS);
}

void pop3_watch_start(struct pop3_session *s)
{
    if (s->drop && s->watch.due_ms == 0)
        timer_arm(conn_loop(s->conn), &s->watch, WATCH_MS);
}

/* --- commands, one at a time
 * ------------------------------------------------------------------------ */

/* Any line may have held a password, in any state and mistyped: the arena is always wiped. */
static void end_command(struct pop3_session *s)
{
    arena_wipe(&s->arena);
    s->command = NULL;
    s->progress = NULL;
    s->woken = ERR_OK;
}

static enum step step(struct pop3_session *s)
{
    enum step step = s->command->step(s);
    if (step == STEP_DONE)
        end_command(s);
    return step;
}

/* Is the message that the command names one of the maildrop? Not: "no such message". */
static bool listed(const struct pop3_session *s)
{
    uint32_t n = s->args.message;
    return !s->args.has_message || (n >= 1 && n <= s->marks.count && !marks_deleted(&s->marks, n));
}

/* Find the row, check state and arguments; on success s->command is set. */
static void begin_command(struct pop3_session *s, struct slice line)
{
    struct slice keyword, rest;
    struct slice copy = arena_dup(&s->arena, line);
    s->commands++;
    if (s->auth)
        store_live_active(s->auth->live, 0);
    if (!copy.ptr || !pop3_split(copy, &keyword, &rest)) {
        pop3_fail(s, ERR_SYNTAX);
        return;
    }
    const struct pop3_command *command = pop3_command_find(keyword);
    if (!command)
        pop3_fail(s, ERR_SYNTAX);
    else if (!(command->states & s->state))
        pop3_fail(s, ERR_STATE);
    else if (!pop3_parse(rest, command->args, &s->args))
        pop3_fail(s, ERR_SYNTAX);
    else if ((command->traits & POP3_LISTED) && !listed(s))
        pop3_fail(s, ERR_NOTFOUND);
    else
        s->command = command;
}

/* There may be commands, but none is begun: too fast, or the client does not take its answers. */
static bool held_back(const struct pop3_session *s)
{
    return s->pause.due_ms != 0 || conn_full(s->conn);
}

/* False: no further command can begin now. */
static bool next_command(struct pop3_session *s)
{
    struct slice line;
    size_t used;
    if (held_back(s))
        return false;
    enum line_got got = line_next(&s->lines, conn_input(s->conn),
                                  conn_config(s->conn)->limits.pop3_line, &line, &used);
    if (got == LINE_WHOLE) {
        begin_command(s, line);
        if (!s->command)
            end_command(s);
    } else if (got == LINE_LONG) {
        pop3_fail_text(s, ERR_SYNTAX, "line too long");
    } else if (got == LINE_FLOOD) {
        conn_finish(s->conn, CONN_END_LIMIT);
    }
    conn_consume_secret(s->conn, used); /* any line may hold a password */
    if (got == LINE_WHOLE) {
        uint64_t pause_ms = pace_take(&s->pace, pop3_config(s)->limits.commands_per_second,
                                      loop_now_ms(conn_loop(s->conn)));
        if (pause_ms)
            timer_arm(conn_loop(s->conn), &s->pause, pause_ms);
    }
    if (s->bad >= conn_config(s->conn)->limits.bad_commands)
        conn_finish(s->conn, CONN_END_LIMIT);
    return got != LINE_MORE;
}

static void run(struct pop3_session *s)
{
    uint64_t begin_ns = clock_mono_ns();
    conn_set_deadline(s->conn, 0);
    while (!conn_closing(s->conn)) {
        if (s->command ? s->waiting || step(s) != STEP_DONE : !next_command(s))
            break;
        leave_if_idle(s);
    }
    if (!s->command && !conn_closing(s->conn) && !held_back(s)) {
        if (conn_eof(s->conn)) /* what is left of input is no command */
            conn_finish(s->conn, CONN_END_CLIENT);
        else if (s->state == POP3_TRANSACTION)
            conn_set_deadline(s->conn, conn_config(s->conn)->pop3.idle_ms);
    }
    pop3_watch_start(s);
    s->busy_ns += clock_mono_ns() - begin_ns;
}

/* --- the conn's callbacks
 * ---------------------------------------------------------------------------- */

static void unpause(struct loop *loop, struct timer *timer)
{
    struct pop3_session *s =
        (struct pop3_session *)((char *)timer - offsetof(struct pop3_session, pause));
    (void)loop;
    conn_again(s->conn);
}

static void retry(struct loop *loop, struct timer *timer)
{
    (void)loop;
    pop3_wake((struct pop3_session *)((char *)timer - offsetof(struct pop3_session, retry)),
              ERR_OK);
}

/* With a timestamp only if APOP is there: clients try it as soon as they see one (RFC 1939 section
 * 7). */
static void greet(struct pop3_session *s)
{
    const char *hostname = pop3_config(s)->tandem.hostname;
    buf_init(&s->timestamp, TIMESTAMP_MAX);
    if (pop3_can_apop(s) && buf_printf(&s->timestamp, "<%016" PRIx64 ".%016" PRIx64 "@%s>",
                                       random_u64(), conn_id(s->conn), hostname))
        s->timestamp.len = 0;
    pop3_ok(s, "%s POP3 ready%s" SLICE_FMT, hostname, s->timestamp.len ? " " : "",
            SLICE_ARG(buf_slice(&s->timestamp)));
}

static void on_open(struct conn *conn)
{
    struct pop3_session *s = mem_new(sizeof *s);
    const struct config *config = conn_config(conn);
    s->conn = conn;
    s->state = POP3_AUTHORIZATION;
    s->pause.run = unpause;
    s->retry.run = retry;
    s->watch.run = watch;
    arena_init(&s->arena, ARENA_MAX);
    buf_init(&s->name, config->limits.pop3_line);
    conn_set_session(conn, s);
    conn_set_input_max(conn, config->limits.command_preauth);
    greet(s);
}

static void on_input(struct conn *conn)
{
    struct pop3_session *s = conn_session(conn);
    pop3_confirm(s);
    run(s);
}

static void on_drained(struct conn *conn)
{
    run(conn_session(conn));
}

/* What was learned in plaintext is forgotten (RFC 2595 section 4). */
static void on_secured(struct conn *conn)
{
    struct pop3_session *s = conn_session(conn);
    buf_finish(&s->name);
    s->lines = (struct line_reader){0};
    run(s);
}

/* Idle: without a word, and without UPDATE (RFC 1939 section 3). */
static void on_deadline(struct conn *conn)
{
    conn_close(conn, CONN_END_IDLE);
}

static void on_leave(struct conn *conn, enum conn_end why)
{
    struct pop3_session *s = conn_session(conn);
    s->leaving = true;
    s->leave_why = why;
    leave_if_idle(s);
}

static void log_logout(const struct pop3_session *s, enum conn_end why)
{
    struct log_line l;
    pop3_log_begin(s, &l, LOG_INFO, "logout");
    log_slice(&l, "user", s->auth->login);
    log_u64(&l, "in", conn_received(s->conn));
    log_u64(&l, "out", conn_sent(s->conn));
    log_u64(&l, "cmds", s->commands);
    log_u64(&l, "cpu_us", s->busy_ns / 1000);
    log_str(&l, "reason", conn_end_word(why));
    pop3_log_end(s, &l);
}

static void on_closed(struct conn *conn, enum conn_end why)
{
    struct pop3_session *s = conn_session(conn);
    if (!s)
        return;
    timer_cancel(&s->pause);
    timer_cancel(&s->retry);
    timer_cancel(&s->watch);
    if (s->drop && conn_unacked(conn) == 0)
        marks_confirm(&s->marks, conn_sent(conn));
    if (s->state != POP3_AUTHORIZATION)
        log_logout(s, why);
    pop3_maildrop_leave(s);
    auth_exchange_free(s->exchange);
    auth_session_free(s->auth);
    buf_wipe(&s->name);
    buf_finish(&s->timestamp);
    arena_wipe(&s->arena);
    mem_free(s);
}

const struct protocol pop3_protocol = {
    .name = "pop3",
    .alpn = "pop3",
    .refusal = "-ERR [SYS/TEMP] too many connections\r\n",
    .open = on_open,
    .input = on_input,
    .drained = on_drained,
    .secured = on_secured,
    .deadline = on_deadline,
    .leave = on_leave,
    .closed = on_closed,
};
