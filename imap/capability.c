#include "imap/capability.h"

#include <stdio.h>

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
    return imap_literal_plus(s) == LITERAL_PLUS;
}

static bool literal_minus(const struct session *s)
{
    return imap_literal_plus(s) == LITERAL_MINUS;
}

static bool sasl(const struct session *s)
{
    struct auth_peer peer = session_peer(s);
    return s->state == STATE_START && auth_mechanism_at(imap_app.auth, &peer, 0);
}

/* name, when it is offered (NULL: always); in the order of the response */
static const struct capability {
    struct slice name;
    bool (*offered)(const struct session *s);
} capabilities[] = {
    {{"STARTTLS", 8},       can_starttls  },
    {{"LOGINDISABLED", 13}, login_disabled},
    {{"LITERAL+", 8},       literal_plus  }, /* RFC 7888 */
    {{"LITERAL-", 8},       literal_minus },
    {{"SASL-IR", 7},        sasl          }, /* RFC 4959 */
    {{"ID", 2},             NULL          }, /* RFC 2971 */
    {{"ENABLE", 6},         NULL          }, /* RFC 5161 */
    {{"IDLE", 4},           NULL          }, /* RFC 2177 */
    {{"NAMESPACE", 9},      NULL          }, /* RFC 2342 */
    {{"CHILDREN", 8},       NULL          }, /* RFC 3348 */
    {{"LIST-EXTENDED", 13}, NULL          }, /* RFC 5258 */
    {{"LIST-STATUS", 11},   NULL          }, /* RFC 5819 */
    {{"SPECIAL-USE", 11},   NULL          }, /* RFC 6154 */
    {{"STATUS=SIZE", 11},   NULL          }, /* RFC 8438 */
    {{"ESEARCH", 7},        NULL          }, /* RFC 4731 */
    {{"UIDPLUS", 7},        NULL          }, /* RFC 4315 */
    {{"UNSELECT", 8},       NULL          }, /* RFC 3691 */
    {{"MOVE", 4},           NULL          }, /* RFC 6851 */
};

static bool in_list(const struct config_list *list, struct slice name)
{
    for (unsigned i = 0; i < list->n; i++)
        if (slice_ieq(slice_str(list->items[i]), name))
            return true;
    return false;
}

/* Masks of the listener, and of the account or the file. */
bool imap_masked(const struct session *s, struct slice capability)
{
    const struct settings *settings =
        s->auth ? &s->auth->settings : &conn_config(s->conn)->settings;
    return in_list(listener_capabilities_off(conn_listener(s->conn)), capability) ||
           in_list(&settings->imap.capabilities_off, capability);
}

/* Commands that there are only with a capability; sorted by command. */
static const struct {
    struct slice command, capability;
} of_commands[] = {
    {{"ENABLE", 6},       {"ENABLE", 6}   },
    {{"ID", 2},           {"ID", 2}       },
    {{"IDLE", 4},         {"IDLE", 4}     },
    {{"MOVE", 4},         {"MOVE", 4}     },
    {{"NAMESPACE", 9},    {"NAMESPACE", 9}},
    {{"STARTTLS", 8},     {"STARTTLS", 8} },
    {{"UID EXPUNGE", 11}, {"UIDPLUS", 7}  },
    {{"UID MOVE", 8},     {"MOVE", 4}     },
    {{"UNSELECT", 8},     {"UNSELECT", 8} },
};

bool imap_command_masked(const struct session *s, const struct imap_command *row)
{
    for (size_t i = 0; i < sizeof of_commands / sizeof *of_commands; i++)
        if (slice_eq(row->name, of_commands[i].command))
            return imap_masked(s, of_commands[i].capability);
    return false;
}

enum { MECHANISM_MAX = 40 };

bool imap_mechanism_masked(const struct session *s, struct slice mechanism)
{
    char text[MECHANISM_MAX];
    int n = snprintf(text, sizeof text, "AUTH=" SLICE_FMT, SLICE_ARG(mechanism));
    return n < MECHANISM_MAX && imap_masked(s, slice_str(text));
}

enum literal_plus imap_literal_plus(const struct session *s)
{
    enum literal_plus plus = conn_config(s->conn)->imap.literal_plus;
    struct slice name = plus == LITERAL_PLUS ? SLICE("LITERAL+") : SLICE("LITERAL-");
    return plus != LITERAL_SYNC && imap_masked(s, name) ? LITERAL_SYNC : plus;
}

static void add(const struct session *s, struct reply *r, struct slice name)
{
    if (imap_masked(s, name))
        return;
    reply_add(r, SLICE(" "));
    reply_add(r, name);
}

static void add_mechanisms(const struct session *s, struct reply *r)
{
    struct auth_peer peer = session_peer(s);
    const char *name;
    for (size_t i = 0; (name = auth_mechanism_at(imap_app.auth, &peer, i)); i++) {
        char text[MECHANISM_MAX];
        snprintf(text, sizeof text, "AUTH=%s", name);
        add(s, r, slice_str(text));
    }
}

/* RFC 7889 section 2: with its number where that is the same for all mailboxes, which is known once
 * the account is. */
static void add_appendlimit(const struct session *s, struct reply *r)
{
    if (imap_masked(s, SLICE("APPENDLIMIT")))
        return;
    reply_str(r, " APPENDLIMIT");
    if (s->state == STATE_START)
        return;
    reply_str(r, "=");
    reply_u64(r, session_append_limit(s));
}

void imap_capabilities(const struct session *s, struct reply *r)
{
    reply_str(r, "CAPABILITY IMAP4rev1"); /* RFC 3501; cannot be masked */
    for (size_t i = 0; i < sizeof capabilities / sizeof *capabilities; i++)
        if (!capabilities[i].offered || capabilities[i].offered(s))
            add(s, r, capabilities[i].name);
    add_appendlimit(s, r);
    if (s->state == STATE_START)
        add_mechanisms(s, r);
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

/* RFC 5161 section 3.1: what is not known is passed over, and nothing that is known needs it. */
enum step imap_enable(struct session *s, struct command *c)
{
    conn_send(s->conn, SLICE("* ENABLED\r\n"));
    return command_ok(c, NULL);
}
