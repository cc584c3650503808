/* LOGIN, AUTHENTICATE, LOGOUT, STARTTLS, ID, NOOP. */
#include <string.h>

#include "core/base/config.h"
#include "core/net/line.h"
#include "imap/capability.h"
#include "imap/reply.h"
#include "imap/session.h"

/* --- LOGIN, RFC 3501 section 6.2.3 ---------------------------------------------------------- */

static void log_login(const struct session *s)
{
    struct log_line l;
    session_log_begin(s, &l, LOG_INFO, "login");
    log_slice(&l, "rip", conn_peer_text(s->conn));
    log_slice(&l, "lip", conn_local_text(s->conn));
    log_str(&l, "mech", s->auth->mech);
    log_slice(&l, "tls", conn_tls_text(s->conn));
    log_str(&l, "client", s->client);
    session_log_end(s, &l);
}

static void set_origin(const struct session *s)
{
    unsigned char address[16];
    conn_peer_octets(s->conn, address);
    store_account_set_origin(s->auth->account, address, slice_str(s->client));
    store_live_origin(s->auth->live, address, slice_str(s->client));
}

struct login {
    struct auth_exchange *exchange; /* of AUTHENTICATE */
    struct line_reader lines;
    bool asked; /* the client is to answer a challenge */
    bool over;
    enum err err;
};

static void logged_in(void *object, enum err e, struct auth_session *auth)
{
    struct session *s = session_of(object);
    struct login *login = s->command.progress;
    if (conn_closing(s->conn)) { /* BYE has been said meanwhile */
        auth_session_free(auth);
        return;
    }
    login->over = true;
    login->err = e;
    if (!e) {
        s->auth = auth;
        store_account_set_actor(auth->account, PROTO_IMAP, conn_id(s->conn));
        set_origin(s);
        conn_logged_in(s->conn);
        conn_set_input_max(s->conn, conn_config(s->conn)->limits.command);
        session_set_state(s, STATE_AUTHED);
        log_login(s);
    }
    session_resume(s);
}

/* "OK [CAPABILITY ...]": spares the client the question; proxies want it too. */
static enum step welcome(struct session *s, struct command *c)
{
    struct reply r;
    reply_begin(&r, s->conn);
    reply_add(&r, c->tag);
    reply_str(&r, " OK [");
    imap_capabilities(s, &r);
    reply_str(&r, "] Logged in\r\n");
    reply_end(&r);
    c->answered = true;
    return command_ok(c, NULL);
}

static enum step refused(struct session *s, struct command *c, enum err e)
{
    if ((e == ERR_AUTH || e == ERR_AUTHZ) && ++s->auth_failures >= session_config(s)->auth.failures)
        session_limit(s, METRIC_LIMIT_FAILURES, "failures", "Too many failed logins");
    return command_fail(c, e, NULL);
}

enum step imap_login(struct session *s, struct command *c)
{
    struct login *login = session_progress(s, sizeof *login);
    if (!login->over) {
        struct auth_peer peer = session_peer(s);
        auth_password(imap_app.auth, &peer, c->args[0].text, c->args[1].text, "login", logged_in);
        return STEP_WAIT;
    }
    if (login->err) /* a name that cannot be one is just a wrong one */
        return refused(s, c, login->err == ERR_SYNTAX ? ERR_AUTH : login->err);
    return welcome(s, c);
}

/* --- AUTHENTICATE: RFC 3501 section 6.2.2, RFC 4959 ---------------------------------------------
 */

static void cleanup(struct session *s, struct command *c)
{
    struct login *login = c->progress;
    (void)s;
    auth_exchange_free(login->exchange);
}

static enum step exchange(struct session *s, struct command *c, enum auth_said said,
                          struct slice line)
{
    struct login *login = c->progress;
    struct slice challenge;
    enum err e;
    switch (auth_exchange_step(login->exchange, said, line, &challenge, &e)) {
    case AUTH_ASK:
        login->asked = true;
        conn_send(s->conn, SLICE("+ "));
        conn_send(s->conn, challenge);
        conn_send(s->conn, SLICE("\r\n"));
        return STEP_MORE;
    case AUTH_WAIT:
        auth_exchange_free(login->exchange);
        login->exchange = NULL;
        return STEP_WAIT;
    case AUTH_REFUSE:
        break;
    }
    return e == ERR_SYNTAX ? command_fail(c, e, "Authentication exchange ended") : refused(s, c, e);
}

/* Each is a line of its own, of up to [limits] sasl octets. One that was sent without waiting for
 * its challenge has come already. */
static enum step answers_of_client(struct session *s, struct command *c)
{
    struct login *login = c->progress;
    enum line_got got = LINE_SKIPPED;
    enum step step = STEP_MORE;
    login->lines.crlf_only = true;
    while (step == STEP_MORE && got != LINE_MORE) {
        struct slice line;
        size_t used;
        got = line_next(&login->lines, conn_input(s->conn), conn_config(s->conn)->limits.sasl,
                        &line, &used);
        if (got == LINE_WHOLE) {
            step = exchange(s, c, AUTH_LINE, line);
        } else if (got == LINE_LONG || got == LINE_FLOOD) {
            session_limit(s, METRIC_LIMIT_LINE, "sasl", "Line is too long");
            step = command_fail(c, ERR_SYNTAX, "Line is too long");
        }
        conn_consume_secret(s->conn, used);
    }
    return step;
}

enum step imap_authenticate(struct session *s, struct command *c)
{
    struct login *login = session_progress(s, sizeof *login);
    if (login->over)
        return login->err ? refused(s, c, login->err) : welcome(s, c);
    if (login->asked)
        return answers_of_client(s, c);
    struct auth_peer peer = session_peer(s);
    c->cleanup = cleanup;
    if (c->args[1].given && imap_masked(s, SLICE("SASL-IR")))
        return command_fail(c, ERR_SYNTAX, "Wait for the challenge");
    if (imap_mechanism_masked(s, c->args[0].text))
        return command_fail(c, ERR_CANNOT, "No such mechanism");
    enum err e =
        auth_exchange_new(imap_app.auth, &peer, c->args[0].text, logged_in, &login->exchange);
    if (e)
        return command_fail(c, e, e == ERR_CANNOT ? "No such mechanism" : NULL);
    enum step step = c->args[1].given ? exchange(s, c, AUTH_INITIAL, c->args[1].text)
                                      : exchange(s, c, AUTH_NOTHING, SLICE_NONE);
    return step == STEP_MORE ? answers_of_client(s, c) : step;
}

/* --- STARTTLS, LOGOUT, NOOP ----------------------------------------------------------------- */

/* RFC 3501 section 6.2.1: what is behind its line is dropped by the connection. */
enum step imap_starttls(struct session *s, struct command *c)
{
    if (conn_is_secure(s->conn))
        return command_fail(c, ERR_STATE, "TLS is active already");
    if (!conn_can_starttls(s->conn))
        return command_fail(c, ERR_STATE, "TLS is not offered here");
    s->securing = true;
    return command_ok(c, "Begin TLS negotiation now");
}

enum step imap_logout(struct session *s, struct command *c)
{
    reply_bye(s->conn, "Logging out");
    session_close_view(s);
    session_set_state(s, STATE_LOGOUT);
    return command_ok(c, "Bye");
}

/* NOOP and CHECK: what is due is told by the sync that follows every command. */
enum step imap_noop(struct session *s, struct command *c)
{
    (void)s;
    return command_ok(c, NULL);
}

/* --- ID, RFC 2971 --------------------------------------------------------------------------- */

static void note_client(struct session *s, struct slice text)
{
    size_t have = strlen(s->client), room = sizeof s->client - 1 - have;
    if (have && room) {
        s->client[have++] = ' ';
        room--;
    }
    text = slice_first(text, room);
    if (text.len)
        memcpy(s->client + have, text.ptr, text.len);
    s->client[have + text.len] = '\0';
}

enum step imap_id(struct session *s, struct command *c)
{
    const struct arg *id = &c->args[0];
    s->client[0] = '\0';
    for (size_t i = 0; i < id->id.n; i += 2)
        if (slice_ieq(id->id.items[i], SLICE("name")))
            note_client(s, id->id.items[i + 1]);
    for (size_t i = 0; i < id->id.n; i += 2)
        if (slice_ieq(id->id.items[i], SLICE("version")))
            note_client(s, id->id.items[i + 1]);
    if (s->auth)
        set_origin(s);
    conn_send(s->conn, SLICE("* ID (\"name\" \"Tandem\")\r\n"));
    return command_ok(c, NULL);
}
