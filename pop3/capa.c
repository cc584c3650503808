/* What this session may do, and CAPA (RFC 2449 section 5). */
#include <stdio.h>

#include "core/net/listen.h"
#include "pop3/command.h"
#include "pop3/session.h"

bool pop3_can_user(const struct pop3_session *s)
{
    struct auth_peer peer = pop3_peer(s);
    return auth_plaintext_allowed(pop3_app.auth, &peer);
}

bool pop3_can_stls(const struct pop3_session *s)
{
    return conn_can_starttls(s->conn);
}

static const struct settings *settings_of(const struct pop3_session *s)
{
    return s->auth ? &s->auth->settings : &pop3_config(s)->settings;
}

bool pop3_can_apop(const struct pop3_session *s)
{
    return settings_of(s)->pop3.apop;
}

/* --- before the login what holds for everybody, after it what holds for this account
 * ------------------------------------------------------------------------------------------------
 */

static struct auth_bounds bounds_of(const struct pop3_session *s)
{
    struct auth_bounds b;
    if (s->auth)
        return (struct auth_bounds){.expire_days = s->auth->settings.pop3.expire_days,
                                    .login_delay_s = s->auth->settings.pop3.login_delay_s};
    auth_bounds(pop3_app.auth, conn_loop(s->conn), &b);
    return b;
}

/* RFC 2449 section 5: what was announced stays announced, be it 0. */
static bool has_login_delay(const struct pop3_session *s)
{
    struct auth_bounds b;
    auth_bounds(pop3_app.auth, conn_loop(s->conn), &b);
    return b.login_delay_s > 0;
}

/* RFC 2449 section 6.5. */
static void login_delay(const struct pop3_session *s, char *to, size_t cap)
{
    struct auth_bounds b = bounds_of(s);
    snprintf(to, cap, " %u%s", b.login_delay_s, b.delay_differs ? " USER" : "");
}

/* RFC 2449 section 6.7. */
static void expire(const struct pop3_session *s, char *to, size_t cap)
{
    struct auth_bounds b = bounds_of(s);
    if (b.expire_days < 0)
        snprintf(to, cap, " NEVER");
    else
        snprintf(to, cap, " %d%s", b.expire_days, b.expire_differs ? " USER" : "");
}

static bool has_mechanism(const struct pop3_session *s)
{
    struct auth_peer peer = pop3_peer(s);
    return auth_mechanism_at(pop3_app.auth, &peer, 0) != NULL;
}

/* RFC 5034 section 6. */
static void mechanisms(const struct pop3_session *s, char *to, size_t cap)
{
    struct auth_peer peer = pop3_peer(s);
    const char *name;
    size_t at = 0;
    for (size_t i = 0; (name = auth_mechanism_at(pop3_app.auth, &peer, i)) && at < cap; i++)
        at += (size_t)snprintf(to + at, cap - at, " %s", name);
}

static void implementation(const struct pop3_session *s, char *to, size_t cap)
{
    (void)s;
    snprintf(to, cap, " Tandem");
}

/* tag, when it holds (NULL: always), its parameters (NULL: none). What is announced before login
 * stays announced after it (RFC 2449 section 5). UTF8 comes without USER: names and passwords are
 * not prepared with SASLprep (RFC 6856 section 2.2). */
static const struct capability {
    const char *tag;
    bool (*holds)(const struct pop3_session *s);
    void (*value)(const struct pop3_session *s, char *to, size_t cap);
} capabilities[] = {
    {"TOP",            NULL,            NULL          },
    {"UIDL",           NULL,            NULL          },
    {"USER",           pop3_can_user,   NULL          },
    {"SASL",           has_mechanism,   mechanisms    },
    {"STLS",           pop3_can_stls,   NULL          },
    {"PIPELINING",     NULL,            NULL          },
    {"RESP-CODES",     NULL,            NULL          },
    {"AUTH-RESP-CODE", NULL,            NULL          },
    {"UTF8",           NULL,            NULL          },
    {"LANG",           NULL,            NULL          },
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
        char value[256] = "";
        if (c->value)
            c->value(s, value, sizeof value);
        conn_printf(s->conn, "%s%s\r\n", c->tag, value);
    }
    conn_send(s->conn, SLICE(".\r\n"));
    return STEP_DONE;
}
