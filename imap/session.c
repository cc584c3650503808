#include "imap/session.h"

#include <assert.h>

#include "auth/auth.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/mem.h"
#include "core/net/listen.h"
#include "imap/capability.h"
#include "imap/imap.h"
#include "imap/reply.h"

enum {
    ARENA_FACTOR = 4,      /* parsed arguments against octets of a command, at most */
    ARENA_EXTRA = 8 << 20, /* rows that a logged-in LIST gathers */
    SLICE_US = 5000,       /* of one connection before others have their turn */
    SLOW_US = 10000,       /* worth a line in the log */
};

struct imap_app imap_app;

void imap_setup(struct store *store, struct auth *auth, struct pool *pool)
{
    static const char *names[METRIC_VERBS_MAX - 1];
    size_t n;
    const struct imap_command *rows = command_table(&n);
    (void)pool; /* front ends are set up alike; what IMAP has done in the pool the store submits */
    imap_app = (struct imap_app){.store = store, .auth = auth};
    assert(n <= METRIC_VERBS_MAX - 1);
    for (size_t i = 0; i < n; i++)
        names[i] = rows[i].name.ptr;
    metrics_verbs(METRIC_IMAP, names, (unsigned)n);
}

/* --- what commands use --------------------------------------------------------------------------
 */

static const char *state_name(enum imap_state state)
{
    return state == STATE_START      ? "start"
           : state == STATE_AUTHED   ? "authenticated"
           : state == STATE_SELECTED ? "selected"
                                     : "logout";
}

void session_log_begin(const struct session *s, struct log_line *l, enum log_level level,
                       const char *event)
{
    log_begin(l, level, event);
    log_str(l, "proto", "imap");
    if (s->auth)
        log_slice(l, "user", s->auth->login);
}

void session_log_end(const struct session *s, struct log_line *l)
{
    log_hex64(l, "session", conn_id(s->conn));
    log_end(l);
}

void session_log_dropped_keyword(const struct session *s, struct slice mailbox)
{
    struct log_line l;
    session_log_begin(s, &l, LOG_INFO, "keyword-dropped");
    log_slice(&l, "mbox", mailbox);
    session_log_end(s, &l);
}

void session_set_state(struct session *s, enum imap_state state)
{
    if (log_wants(LOG_DEBUG)) {
        struct log_line l;
        session_log_begin(s, &l, LOG_DEBUG, "state");
        log_str(&l, "from", state_name(s->state));
        log_str(&l, "to", state_name(state));
        session_log_end(s, &l);
    }
    s->state = state;
}

void session_close_view(struct session *s)
{
    if (!s->view)
        return;
    store_view_close(s->view);
    s->view = NULL;
    mem_free(s->mailbox);
    s->mailbox = NULL;
    s->mailbox_number = 0;
    s->sync = (struct sync){0};
    s->view_gone = s->read_only = s->lost = false;
    timer_cancel(&s->gone_timer);
    session_set_state(s, STATE_AUTHED);
}

struct store_account *session_account(const struct session *s)
{
    return s->auth->account;
}

struct store_reader *session_reader(const struct session *s)
{
    return store_reader_of(imap_app.store, conn_loop(s->conn));
}

const struct config *session_config(const struct session *s)
{
    return server_config(listener_server(conn_listener(s->conn)));
}

uint32_t session_append_limit(const struct session *s)
{
    uint64_t most = store_account_limits(session_account(s))->message_octets;
    return most && most < UINT32_MAX ? (uint32_t)most : UINT32_MAX;
}

bool session_may_delete(const struct session *s)
{
    return !(s->auth->cred_flags & (CRED_NO_DELETE | CRED_READ_ONLY));
}

void *session_progress(struct session *s, size_t size)
{
    if (!s->command.progress)
        s->command.progress = arena_new(&s->arena, size);
    return s->command.progress;
}

struct fault *session_why(struct session *s)
{
    if (!s->command.why)
        s->command.why = arena_new(&s->arena, sizeof *s->command.why);
    return s->command.why;
}

void session_note_why(struct session *s, const struct fault *why)
{
    if (why->text[0])
        *session_why(s) = *why;
}

struct session *session_of(void *object)
{
    return conn_session(object);
}

struct store_to session_to(struct session *s, store_done *done)
{
    return (struct store_to){conn_loop(s->conn), conn_loop_id(s->conn), done};
}

static void warmed(void *object, const struct store_result *result)
{
    (void)result;
    session_resume(session_of(object));
}

struct store_to session_warmed(struct session *s)
{
    return session_to(s, warmed);
}

void session_bye(struct session *s, const char *text, enum conn_end why)
{
    if (s->bye)
        return;
    s->bye = text;
    s->bye_why = why;
}

void session_limit(struct session *s, enum metric_limit limit, const char *word, const char *text)
{
    struct log_line l;
    metrics_limit(limit);
    session_log_begin(s, &l, LOG_INFO, "limit-hit");
    log_slice(&l, "rip", conn_peer_text(s->conn));
    log_str(&l, "limit", word);
    session_log_end(s, &l);
    session_bye(s, text, CONN_END_LIMIT);
}

/* --- the command under way ----------------------------------------------------------------------
 */

static size_t arena_max(const struct session *s)
{
    const struct config *cfg = conn_config(s->conn);
    return s->auth ? ARENA_FACTOR * cfg->limits.command + ARENA_EXTRA
                   : ARENA_FACTOR * cfg->limits.command_preauth;
}

void session_end_command(struct session *s)
{
    struct command *c = &s->command;
    if (c->cleanup)
        c->cleanup(s, c);
    if (c->row && c->row->traits & CMD_SECRET)
        arena_wipe(&s->arena);
    else
        arena_reset(&s->arena);
    s->arena.max = arena_max(s);
    *c = (struct command){0};
    s->ran = false;
    session_note_active(s);
}

static void log_failed(struct session *s)
{
    const struct command *c = &s->command;
    struct log_line l;
    session_log_begin(s, &l, LOG_INFO, "command-failed");
    log_slice(&l, "tag", c->tag);
    log_slice(&l, "verb", c->row ? c->row->name : SLICE("?"));
    log_str(&l, "code", err_word(c->err));
    log_str(&l, "why", c->why ? c->why->text : c->text ? c->text : err_text(c->err));
    session_log_end(s, &l);
}

void session_say_bye(struct session *s)
{
    reply_bye(s->conn, s->bye);
    session_set_state(s, STATE_LOGOUT);
    conn_finish(s->conn, s->bye_why);
}

static void measure(const struct session *s)
{
    size_t n;
    const struct imap_command *rows = command_table(&n);
    const struct command *c = &s->command;
    bool bad = c->err == ERR_SYNTAX || c->err == ERR_STATE;
    enum metric_result result = c->err == ERR_OK ? METRIC_OK : bad ? METRIC_BAD : METRIC_NO;
    metrics_command(METRIC_IMAP, c->row ? (unsigned)(c->row - rows) : METRIC_VERBS_MAX, result,
                    clock_mono_ns() - s->began_ns);
}

void session_answer(struct session *s)
{
    struct command *c = &s->command;
    measure(s);
    if (c->err && c->err != ERR_AUTH)
        log_failed(s);
    if (!c->answered)
        reply_tagged(s->conn, c);
    if (c->err == ERR_SYNTAX || c->err == ERR_STATE) {
        if (++s->bad_commands >= conn_config(s->conn)->limits.bad_commands)
            session_limit(s, METRIC_LIMIT_BAD_COMMANDS, "bad_commands", "Too many bad commands");
    }
    session_end_command(s);
    if (s->bye) {
        session_say_bye(s);
    } else if (s->state == STATE_LOGOUT) {
        conn_finish(s->conn, CONN_END_LOGOUT);
    } else if (s->securing) {
        conn_starttls(s->conn);
    } else if (s->auth) {
        conn_set_deadline(s->conn, conn_config(s->conn)->imap.idle_ms);
    }
}

/* What the command has to wait for; false: it is not over. */
static bool hold(struct session *s, enum step step)
{
    switch (step) {
    case STEP_DONE:
        return true;
    case STEP_FULL:
        if (!conn_full(s->conn))
            conn_again(s->conn);
        break;
    case STEP_WAIT:
        s->waiting = true;
        conn_want_input(s->conn, false);
        break;
    case STEP_MORE:
        if (conn_eof(s->conn))
            conn_finish(s->conn, CONN_END_CLIENT);
        break;
    }
    return false;
}

/* True: the command is over. */
static bool go_on(struct session *s)
{
    struct command *c = &s->command;
    if (!s->ran) {
        if (!hold(s, c->run(s, c)))
            return false;
        s->ran = true;
    }
    if (s->view && !s->view_gone && !(c->row->traits & CMD_NO_SYNC)) {
        unsigned what = c->row->traits & CMD_NO_EXPUNGE ? 0 : SYNC_EXPUNGE;
        if (!hold(s, imap_sync(s, what, c->row->traits & CMD_UID)))
            return false;
    }
    session_answer(s);
    return true;
}

/* --- the run of a session
 * ------------------------------------------------------------------------- */

static void pause_over(struct loop *loop, struct timer *timer)
{
    struct session *s = (struct session *)((char *)timer - offsetof(struct session, pause));
    (void)loop;
    s->paused = false;
    conn_want_input(s->conn, true);
    conn_again(s->conn);
}

/* Over the rate they are not refused, but read later. */
void session_note_active(const struct session *s)
{
    if (s->auth)
        store_live_active(s->auth->live, s->mailbox_number);
}

void session_count_command(struct session *s)
{
    struct loop *loop = conn_loop(s->conn);
    s->commands++;
    session_note_active(s);
    s->began_ns = clock_mono_ns();
    uint64_t ms =
        pace_take(&s->pace, session_config(s)->limits.commands_per_second, loop_now_ms(loop));
    if (!ms)
        return;
    s->paused = true;
    conn_want_input(s->conn, false);
    timer_arm(loop, &s->pause, ms);
}

static bool stopped(const struct session *s)
{
    return conn_closing(s->conn) || s->waiting || s->securing || s->paused;
}

static void run(struct session *s, uint64_t began_ns)
{
    while (!stopped(s)) {
        if (s->command.run) {
            if (!go_on(s))
                return;
            continue;
        }
        if (s->bye) {
            session_say_bye(s);
            return;
        }
        if (conn_full(s->conn))
            return;
        if (clock_mono_ns() - began_ns > SLICE_US * 1000) {
            conn_again(s->conn);
            return;
        }
        if (!session_next_command(s)) {
            if (conn_eof(s->conn))
                conn_finish(s->conn, CONN_END_CLIENT);
            return;
        }
    }
}

static void session_run(struct session *s)
{
    uint64_t began_ns = clock_mono_ns();
    const struct imap_command *row = s->command.row;
    run(s, began_ns);
    uint64_t us = (clock_mono_ns() - began_ns) / 1000;
    s->busy_us += us;
    if (us > SLOW_US && log_wants(LOG_INFO)) {
        struct log_line l;
        session_log_begin(s, &l, LOG_INFO, "slow");
        log_slice(&l, "verb", s->command.row ? s->command.row->name : row ? row->name : SLICE("?"));
        log_u64(&l, "loop_ms", us / 1000);
        session_log_end(s, &l);
    }
}

void session_resume(struct session *s)
{
    if (!s->waiting)
        return;
    s->waiting = false;
    conn_want_input(s->conn, true);
    session_run(s);
}

void session_poke(struct session *s)
{
    if (!stopped(s))
        session_run(s);
}

static bool idling(const struct session *s)
{
    return s->command.row && s->command.row->run == imap_idle && !s->ran;
}

/* A command ends first; but before the login there is none whose end matters, and its answer may be
 * held back for long. */
static void leave(struct session *s, enum conn_end why)
{
    session_bye(s, why == CONN_END_KICKED ? "Ended by the administrator" : "Server is going down",
                why);
    if (!s->command.run || !s->auth || idling(s))
        session_say_bye(s);
}

static void kicked(void *object)
{
    if (!conn_closing(object))
        leave(session_of(object), CONN_END_KICKED);
}

struct auth_peer session_peer(const struct session *s)
{
    return (struct auth_peer){.proto = PROTO_IMAP,
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

/* --- the protocol's entry
 * ------------------------------------------------------------------------- */

static void gone_too_long(struct loop *loop, struct timer *timer)
{
    struct session *s = (struct session *)((char *)timer - offsetof(struct session, gone_timer));
    (void)loop;
    if (!idling(s))
        return;
    session_bye(s, "Mailbox was deleted", CONN_END_IDLE);
    session_say_bye(s);
}

static void still_here(struct loop *loop, struct timer *timer)
{
    struct session *s = (struct session *)((char *)timer - offsetof(struct session, still_timer));
    if (!idling(s) || conn_closing(s->conn))
        return;
    if (!conn_full(s->conn))
        conn_send(s->conn, SLICE("* OK Still here\r\n"));
    timer_arm(loop, timer, IDLE_STILL_MS);
}

static void greet(struct session *s)
{
    struct reply r;
    reply_begin(&r, s->conn);
    reply_str(&r, "* OK [");
    imap_capabilities(s, &r);
    reply_str(&r, "] ");
    reply_str(&r, session_config(s)->tandem.hostname);
    reply_str(&r, " ready\r\n");
    reply_end(&r);
}

static void imap_open(struct conn *conn)
{
    struct session *s = mem_new(sizeof *s);
    const struct config *cfg = conn_config(conn);
    s->conn = conn;
    s->state = STATE_START;
    s->pause.run = pause_over;
    s->gone_timer.run = gone_too_long;
    s->still_timer.run = still_here;
    arena_init(&s->arena, arena_max(s));
    conn_set_session(conn, s);
    conn_set_input_max(conn, cfg->limits.command_preauth);
    greet(s);
}

static void imap_input(struct conn *conn)
{
    session_run(conn_session(conn));
}

static void imap_secured(struct conn *conn)
{
    struct session *s = conn_session(conn);
    s->securing = false;
    s->frame = (struct frame){0};
    s->client[0] = '\0';
    session_run(s);
}

/* A command that is being answered has its own limits (write_stall, upload_stall); nothing excuses
 * from that of logging in. */
static void imap_deadline(struct conn *conn)
{
    struct session *s = conn_session(conn);
    if (s->auth && s->command.run && !idling(s)) {
        conn_set_deadline(conn, conn_config(s->conn)->imap.idle_ms);
        return;
    }
    session_bye(s, "Nothing was heard for too long", CONN_END_IDLE);
    session_say_bye(s);
}

static void imap_leave(struct conn *conn, enum conn_end why)
{
    leave(conn_session(conn), why);
}

static void imap_closed(struct conn *conn, enum conn_end why)
{
    struct session *s = conn_session(conn);
    if (!s)
        return;
    if (s->auth) {
        struct log_line l;
        session_log_begin(s, &l, LOG_INFO, "logout");
        log_u64(&l, "in", conn_received(conn));
        log_u64(&l, "out", conn_sent(conn));
        log_u64(&l, "cmds", s->commands);
        log_u64(&l, "cpu_us", s->busy_us);
        log_str(&l, "reason", conn_end_word(why));
        session_log_end(s, &l);
    }
    session_end_command(s);
    session_close_view(s);
    auth_session_free(s->auth);
    timer_cancel(&s->pause);
    timer_cancel(&s->gone_timer);
    timer_cancel(&s->still_timer);
    conn_set_session(conn, NULL);
    mem_free(s);
}

const struct protocol imap_protocol = {
    .name = "imap",
    .alpn = "imap",
    .refusal = "* BYE [UNAVAILABLE] Too many connections, try again later\r\n",
    .open = imap_open,
    .input = imap_input,
    .drained = imap_input,
    .secured = imap_secured,
    .deadline = imap_deadline,
    .leave = imap_leave,
    .closed = imap_closed,
};
