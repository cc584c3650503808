/* AUTHORIZATION: USER PASS APOP AUTH STLS. */
#include "core/base/mem.h"
#include "pop3/command.h"
#include "pop3/session.h"

/* --- STLS: RFC 2595 section 4 --------------------------------------------------------------------
 */

enum step pop3_stls(struct pop3_session *s)
{
    if (!pop3_can_stls(s))
        return pop3_fail_text(s, ERR_STATE, "TLS is not available");
    if (s->utf8) /* RFC 6856 section 2.1 */
        return pop3_fail_text(s, ERR_STATE, "not after UTF8");
    pop3_ok(s, "begin TLS negotiation");
    conn_starttls(s->conn);
    return STEP_DONE;
}

/* --- USER, PASS: RFC 1939 section 7 --------------------------------------------------------------
 */

/* The same answer for every name: whether it exists is nobody's business. */
enum step pop3_user(struct pop3_session *s)
{
    struct auth_peer peer = pop3_peer(s);
    if (auth_plaintext_refused(pop3_app.auth, &peer, "user"))
        return pop3_fail(s, ERR_PRIVACY);
    s->name.len = 0;
    if (buf_append(&s->name, s->args.text))
        return pop3_fail(s, ERR_SYNTAX);
    pop3_ok(s, "send PASS");
    return STEP_DONE;
}

/* A maildrop whose dead holder has been told to go is free after two seconds at the latest. */
enum { RETRY_MS = 250, RETRIES = 12 };

enum login_phase { LOGIN_ASK, LOGIN_ANSWERED, LOGIN_OPEN };

struct login {
    enum login_phase phase;
    bool asked; /* AUTH: a challenge has gone out */
    struct store_poprule rule;
    size_t warmed; /* of its folders, how many the pool has paged in */
    unsigned retries;
};

static void answered(void *object, enum err e, struct auth_session *auth)
{
    struct pop3_session *s = conn_session(object);
    if (conn_closing(s->conn)) { /* it has been told to leave meanwhile */
        auth_session_free(auth);
        return;
    }
    s->auth = auth;
    if (auth) {
        unsigned char address[16];
        conn_peer_octets(s->conn, address);
        store_account_set_actor(auth->account, PROTO_POP3, conn_id(s->conn));
        store_account_set_origin(auth->account, address, SLICE_NONE);
        store_live_origin(auth->live, address, SLICE_NONE);
    }
    pop3_wake(s, e);
}

static enum step login_failed(struct pop3_session *s, enum err e)
{
    auth_session_free(s->auth);
    s->auth = NULL;
    /* A maildrop that cannot be found is trouble of ours, never an empty one. */
    enum step step = pop3_fail(s, e == ERR_NOTFOUND ? ERR_DOWN : e);
    if ((e == ERR_AUTH || e == ERR_AUTHZ) && ++s->failures >= pop3_config(s)->auth.failures)
        conn_finish(s->conn, CONN_END_LIMIT);
    return step;
}

static void log_login(struct pop3_session *s)
{
    struct log_line l;
    pop3_log_begin(s, &l, LOG_INFO, "login");
    log_slice(&l, "user", s->auth->login);
    log_slice(&l, "rip", conn_peer_text(s->conn));
    log_slice(&l, "lip", conn_local_text(s->conn));
    log_str(&l, "mech", s->auth->mech);
    log_slice(&l, "tls", conn_tls_text(s->conn));
    pop3_log_end(s, &l);
}

/* The maildrop could not be opened yet: its pages are cold, or its holder is dying. */
static enum step open_later(struct pop3_session *s, struct login *l)
{
    if (l->warmed < l->rule.nfolders)
        store_warm_mailbox(s->auth->account, l->rule.folders[l->warmed++], pop3_to(s, pop3_done));
    else if (l->retries++ < RETRIES)
        timer_arm(conn_loop(s->conn), &s->retry, RETRY_MS);
    else
        return login_failed(s, ERR_AGAIN);
    return pop3_wait(s);
}

static enum step open_maildrop(struct pop3_session *s, struct login *l)
{
    enum err e =
        store_maildrop_open(pop3_reader(s), s->auth->account, s->auth->live, &l->rule, &s->drop);
    if (e == ERR_AGAIN)
        return open_later(s, l);
    if (e)
        return login_failed(s, e);
    store_maildrop_shown(s->drop);
    auth_pop3_entered(pop3_app.auth, s->auth);
    marks_init(&s->marks, store_maildrop_count(s->drop));
    conn_logged_in(s->conn);
    pop3_state_set(s, POP3_TRANSACTION);
    log_login(s);
    pop3_rules_log_missing(s, &l->rule);
    pop3_ok(s, l->rule.lock ? "maildrop locked and ready" : "maildrop ready");
    return STEP_DONE;
}

/* From the outcome of the password on, PASS, APOP and AUTH are one. */
static enum step go_on(struct pop3_session *s, struct login *l)
{
    if (s->woken)
        return login_failed(s, s->woken);
    if (l->phase == LOGIN_ANSWERED) {
        enum err e = pop3_rules_find(s, &l->rule);
        if (e)
            return login_failed(s, e);
        l->phase = LOGIN_OPEN;
    }
    return open_maildrop(s, l);
}

enum step pop3_pass(struct pop3_session *s)
{
    struct login *l = pop3_progress(s, sizeof *l);
    if (l->phase != LOGIN_ASK)
        return go_on(s, l);
    struct auth_peer peer = pop3_peer(s);
    if (auth_plaintext_refused(pop3_app.auth, &peer, "user"))
        return pop3_fail(s, ERR_PRIVACY);
    if (s->name.len == 0)
        return pop3_fail_text(s, ERR_STATE, "send USER first");
    l->phase = LOGIN_ANSWERED;
    auth_password(pop3_app.auth, &peer, buf_slice(&s->name), s->args.text, "user", answered);
    buf_finish(&s->name); /* PASS comes right after a USER (RFC 1939 section 7) */
    return pop3_wait(s);
}

/* --- APOP: RFC 1939 section 7 -------------------------------------------------------------------
 */

enum step pop3_apop(struct pop3_session *s)
{
    struct login *l = pop3_progress(s, sizeof *l);
    if (l->phase != LOGIN_ASK)
        return go_on(s, l);
    if (s->timestamp.len == 0)
        return pop3_fail_text(s, ERR_STATE, "APOP is not available");
    struct slice name = s->args.text, digest = SLICE_NONE;
    while (name.len && name.ptr[name.len - 1] != ' ')
        name.len--;
    if (name.len < 2)
        return pop3_fail(s, ERR_SYNTAX);
    digest = slice_from(s->args.text, name.len);
    name.len--;
    l->phase = LOGIN_ANSWERED;
    struct auth_peer peer = pop3_peer(s);
    auth_apop(pop3_app.auth, &peer, name, buf_slice(&s->timestamp), digest, answered);
    return pop3_wait(s);
}

/* --- AUTH: RFC 5034 -----------------------------------------------------------------------------
 */

/* Without a mechanism: those that there are, as old clients ask before they know CAPA. */
static enum step list_mechanisms(struct pop3_session *s)
{
    struct auth_peer peer = pop3_peer(s);
    const char *name;
    pop3_ok(s, "mechanisms follow");
    for (size_t i = 0; (name = auth_mechanism_at(pop3_app.auth, &peer, i)); i++)
        conn_printf(s->conn, "%s\r\n", name);
    conn_send(s->conn, SLICE(".\r\n"));
    return STEP_DONE;
}

static enum step exchange_ends(struct pop3_session *s)
{
    auth_exchange_free(s->exchange);
    s->exchange = NULL;
    return STEP_DONE;
}

static enum step exchange(struct pop3_session *s, struct login *l, enum auth_said said,
                          struct slice line)
{
    struct slice challenge;
    enum err e;
    switch (auth_exchange_step(s->exchange, said, line, &challenge, &e)) {
    case AUTH_ASK:
        conn_send(s->conn, SLICE("+ "));
        conn_send(s->conn, challenge);
        conn_send(s->conn, SLICE("\r\n"));
        l->asked = true;
        return STEP_MORE;
    case AUTH_WAIT:
        l->phase = LOGIN_ANSWERED;
        exchange_ends(s);
        return pop3_wait(s);
    case AUTH_REFUSE:
        break;
    }
    exchange_ends(s);
    return e == ERR_SYNTAX ? pop3_fail_text(s, e, "authentication exchange ended")
                           : login_failed(s, e);
}

/* The client's answers to challenges, each a line of its own, of up to [limits] sasl octets. One
 * that was sent without waiting for its challenge has come already. */
static enum step answers_of_client(struct pop3_session *s, struct login *l)
{
    enum line_got got = LINE_SKIPPED;
    enum step step = STEP_MORE;
    while (step == STEP_MORE && got != LINE_MORE) {
        struct slice line;
        size_t used;
        got = line_next(&s->lines, conn_input(s->conn), conn_config(s->conn)->limits.sasl, &line,
                        &used);
        if (got == LINE_WHOLE) {
            step = exchange(s, l, AUTH_LINE, line);
        } else if (got == LINE_LONG || got == LINE_FLOOD) {
            exchange_ends(s);
            step = pop3_fail_text(s, ERR_SYNTAX, "line too long");
        } else if (got == LINE_MORE && conn_eof(s->conn)) {
            step = exchange_ends(s);
        }
        conn_consume_secret(s->conn, used);
    }
    return step;
}

enum step pop3_auth(struct pop3_session *s)
{
    struct login *l = pop3_progress(s, sizeof *l);
    if (l->phase != LOGIN_ASK)
        return go_on(s, l);
    if (l->asked)
        return answers_of_client(s, l);
    if (s->args.text.len == 0)
        return list_mechanisms(s);
    struct slice name = slice_first(s->args.text, slice_find(s->args.text, ' '));
    struct slice rest = slice_from(s->args.text, name.len);
    struct auth_peer peer = pop3_peer(s);
    enum err e = auth_exchange_new(pop3_app.auth, &peer, name, answered, &s->exchange);
    if (e)
        return e == ERR_CANNOT ? pop3_fail_text(s, ERR_SYNTAX, "no such mechanism")
                               : pop3_fail(s, e);
    enum step step = rest.len ? exchange(s, l, AUTH_INITIAL, slice_from(rest, 1))
                              : exchange(s, l, AUTH_NOTHING, SLICE_NONE);
    return step == STEP_MORE ? answers_of_client(s, l) : step;
}
