#include "imap/capability.h"

#include "core/base/config.h"
#include "core/net/listen.h"
#include "imap/reply.h"
#include "imap/session.h"

static bool can_starttls(const struct session *s)
{
    return s->state == STATE_START && conn_can_starttls(s->conn);
}

static bool login_disabled(const struct session *s)
{
    struct auth_peer peer = session_peer(s);
    return s->state == STATE_START && !auth_plaintext_allowed(imap_app.auth, &peer);
}

static bool literal_plus(const struct session *s)
{
    return conn_config(s->conn)->imap.literal_plus == LITERAL_PLUS;
}

static bool literal_minus(const struct session *s)
{
    return conn_config(s->conn)->imap.literal_plus == LITERAL_MINUS;
}

/* name, when it is offered (NULL: always); in the order of the response */
static const struct capability {
    struct slice name;
    bool (*offered)(const struct session *s);
} capabilities[] = {
    {{"IMAP4rev1", 9},      NULL          }, /* RFC 3501 */
    {{"STARTTLS", 8},       can_starttls  },
    {{"LOGINDISABLED", 13}, login_disabled},
    {{"LITERAL+", 8},       literal_plus  }, /* RFC 7888 */
    {{"LITERAL-", 8},       literal_minus },
    {{"ID", 2},             NULL          }, /* RFC 2971 */
    {{"IDLE", 4},           NULL          }, /* RFC 2177 */
    {{"NAMESPACE", 9},      NULL          }, /* RFC 2342 */
    {{"CHILDREN", 8},       NULL          }, /* RFC 3348 */
    {{"SPECIAL-USE", 11},   NULL          }, /* RFC 6154 */
    {{"STATUS=SIZE", 11},   NULL          }, /* RFC 8438 */
    {{"UIDPLUS", 7},        NULL          }, /* RFC 4315 */
    {{"UNSELECT", 8},       NULL          }, /* RFC 3691 */
    {{"MOVE", 4},           NULL          }, /* RFC 6851 */
};

/* Masks of the listener, and of the account or the file; never the protocol's own name. */
static bool masked(const struct session *s, const struct capability *c)
{
    const struct settings *settings =
        s->auth ? &s->auth->settings : &conn_config(s->conn)->settings;
    return c != capabilities &&
           (config_list_has(listener_capabilities_off(conn_listener(s->conn)), c->name) ||
            config_list_has(&settings->imap.capabilities_off, c->name));
}

void imap_capabilities(const struct session *s, struct reply *r)
{
    reply_str(r, "CAPABILITY");
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++) {
        const struct capability *c = &capabilities[i];
        if ((c->offered && !c->offered(s)) || masked(s, c))
            continue;
        reply_add(r, SLICE(" "));
        reply_add(r, c->name);
    }
}

enum step imap_capability(struct session *s, struct command *c)
{
    struct reply r;
    reply_begin(&r, s->conn);
    reply_str(&r, "* ");
    imap_capabilities(s, &r);
    reply_str(&r, "\r\n");
    reply_end(&r);
    return command_ok(c, "That is all");
}
