/* AUTHORIZATION: CAPA USER PASS STLS. */
#include <stdio.h>

#include "core/base/mem.h"
#include "core/net/listen.h"
#include "pop3/command.h"
#include "pop3/session.h"

/* --- CAPA: RFC 2449 section 5 ------------------------------------------------------------------
 */

static bool can_user(const struct pop3_session *s)
{
    struct auth_peer peer = pop3_peer(s);
    return auth_plaintext_allowed(pop3_app.auth, &peer);
}

static bool can_stls(const struct pop3_session *s)
{
    return conn_can_starttls(s->conn);
}

static const struct settings *settings_of(const struct pop3_session *s)
{
    return s->auth ? &s->auth->settings : &pop3_config(s)->settings;
}

static bool has_login_delay(const struct pop3_session *s)
{
    return settings_of(s)->pop3.login_delay_s > 0;
}

static void login_delay(const struct pop3_session *s, char *to, size_t cap)
{
    snprintf(to, cap, " %u", settings_of(s)->pop3.login_delay_s);
}

static void expire(const struct pop3_session *s, char *to, size_t cap)
{
    int32_t days = settings_of(s)->pop3.expire_days;
    if (days < 0)
        snprintf(to, cap, " NEVER");
    else
        snprintf(to, cap, " %d%s", days, s->auth ? "" : " USER");
}

static void implementation(const struct pop3_session *s, char *to, size_t cap)
{
    (void)s;
    snprintf(to, cap, " Tandem");
}

/* tag, when it holds (NULL: always), its parameters (NULL: none). What is announced before login
 * stays announced after it (RFC 2449 section 5). */
static const struct capability {
    const char *tag;
    bool (*holds)(const struct pop3_session *s);
    void (*value)(const struct pop3_session *s, char *to, size_t cap);
} capabilities[] = {
    {"TOP",            NULL,            NULL          },
    {"UIDL",           NULL,            NULL          },
    {"USER",           can_user,        NULL          },
    {"STLS",           can_stls,        NULL          },
    {"PIPELINING",     NULL,            NULL          },
    {"RESP-CODES",     NULL,            NULL          },
    {"AUTH-RESP-CODE", NULL,            NULL          },
    {"LOGIN-DELAY",    has_login_delay, login_delay   },
    {"EXPIRE",         NULL,            expire        },
    {"IMPLEMENTATION", NULL,            implementation},
};

enum step pop3_capa(struct pop3_session *s)
{
    const struct config_list *user_off = &settings_of(s)->pop3.capabilities_off;
    const struct config_list *listener_off = listener_capabilities_off(conn_listener(s->conn));
    pop3_ok(s, "capability list follows");
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        const struct capability *c = &capabilities[i];
        if (config_list_has(user_off, slice_str(c->tag)) ||
            config_list_has(listener_off, slice_str(c->tag)) || (c->holds && !c->holds(s)))
            continue;
        char value[64] = "";
        if (c->value)
            c->value(s, value, sizeof value);
        conn_printf(s->conn, "%s%s\r\n", c->tag, value);
    }
    conn_send(s->conn, SLICE(".\r\n"));
    return STEP_DONE;
}

/* --- STLS: RFC 2595 section 4 --------------------------------------------------------------------
 */

enum step pop3_stls(struct pop3_session *s)
{
    if (!can_stls(s))
        return pop3_fail_text(s, ERR_STATE, "TLS is not available");
    pop3_ok(s, "begin TLS negotiation");
    conn_starttls(s->conn);
    return STEP_DONE;
}

/* --- USER, PASS: RFC 1939 section 7 --------------------------------------------------------------
 */

/* The same answer for every name: whether it exists is nobody's business. */
enum step pop3_user(struct pop3_session *s)
{
    if (!can_user(s))
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
    struct store_poprule rule;
    size_t warmed; /* of its folders, how many the pool has paged in */
    unsigned retries;
};

static void answered(void *object, enum err e, struct auth_session *auth)
{
    struct pop3_session *s = conn_session(object);
    s->auth = auth;
    if (auth) {
        unsigned char address[16];
        conn_peer_octets(s->conn, address);
        store_account_set_actor(auth->account, PROTO_POP3, conn_id(s->conn));
        store_account_set_origin(auth->account, address, SLICE_NONE);
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
    marks_init(&s->marks, store_maildrop_count(s->drop));
    conn_logged_in(s->conn);
    pop3_state_set(s, POP3_TRANSACTION);
    log_login(s);
    pop3_rules_log_missing(s, &l->rule);
    pop3_ok(s, l->rule.lock ? "maildrop locked and ready" : "maildrop ready");
    return STEP_DONE;
}

enum step pop3_pass(struct pop3_session *s)
{
    struct login *l = pop3_progress(s, sizeof *l);
    enum err e;
    switch (l->phase) {
    case LOGIN_ASK:
        if (!can_user(s))
            return pop3_fail(s, ERR_PRIVACY);
        if (s->name.len == 0)
            return pop3_fail_text(s, ERR_STATE, "send USER first");
        l->phase = LOGIN_ANSWERED;
        struct auth_peer peer = pop3_peer(s);
        auth_password(pop3_app.auth, &peer, buf_slice(&s->name), s->args.text, "user", answered);
        buf_finish(&s->name); /* PASS comes right after a USER (RFC 1939 section 7) */
        return pop3_wait(s);
    case LOGIN_ANSWERED:
        e = s->woken ? s->woken : pop3_rules_find(s, &l->rule);
        if (e)
            return login_failed(s, e);
        l->phase = LOGIN_OPEN;
        return open_maildrop(s, l);
    case LOGIN_OPEN:
        return s->woken ? login_failed(s, s->woken) : open_maildrop(s, l);
    }
    return pop3_fail(s, ERR_BUG);
}
