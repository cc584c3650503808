/* The table, and the commands that need no file of their own. */
#include "lmtp/command.h"

#include <stdio.h>

#include "core/net/listen.h"
#include "lmtp/session.h"

#define IN_ANY (LMTP_GREETED | LMTP_READY | LMTP_MAIL | LMTP_RCPT)

/* name, legal states, argument grammar, first step; sorted by name. DATA without an accepted
 * recipient is 503 (RFC 2033 section 4.2). */
static const struct lmtp_command commands[] = {
    {"DATA", LMTP_RCPT,             "",       lmtp_data},
    {"LHLO", IN_ANY,                "domain", lmtp_lhlo},
    {"MAIL", LMTP_READY,            "from",   lmtp_mail},
    {"NOOP", IN_ANY,                "?text",  lmtp_noop},
    {"QUIT", IN_ANY,                "",       lmtp_quit},
    {"RCPT", LMTP_MAIL | LMTP_RCPT, "to",     lmtp_rcpt},
    {"RSET", IN_ANY,                "",       lmtp_rset},
    {"VRFY", IN_ANY,                "?text",  lmtp_vrfy},
};

const struct lmtp_command *lmtp_command_at(size_t i)
{
    return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

const struct lmtp_command *lmtp_command_find(struct slice verb)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_ieq(verb, slice_str(commands[i].name)))
            return &commands[i];
    return NULL;
}

/* --- LHLO: RFC 2033 section 4.1 ------------------------------------------------------------------
 */

static void size(const struct lmtp_session *s, char *to, size_t cap)
{
    snprintf(to, cap, " %zu", lmtp_config(s)->settings.store.message_size);
}

/* keyword, its parameters (NULL: none) */
static const struct extension {
    const char *keyword;
    void (*value)(const struct lmtp_session *s, char *to, size_t cap);
} extensions[] = {
    {"PIPELINING",          NULL}, /* RFC 2920, required by RFC 2033 section 5 */
    {"SIZE",                size}, /* RFC 1870 */
    {"8BITMIME",            NULL}, /* RFC 6152 */
    {"SMTPUTF8",            NULL}, /* RFC 6531 */
    {"ENHANCEDSTATUSCODES", NULL}, /* RFC 2034, required by RFC 2033 section 5 */
};

static bool masked(const struct config_list *off, const char *keyword)
{
    for (unsigned i = 0; off && i < off->n; i++)
        if (slice_ieq(slice_str(off->items[i]), slice_str(keyword)))
            return true;
    return false;
}

enum step lmtp_lhlo(struct lmtp_session *s)
{
    const struct config_list *off = listener_capabilities_off(conn_listener(s->conn));
    s->helo.len = 0;
    if (buf_append(&s->helo, s->args.text))
        return lmtp_fail(s, ERR_SYNTAX);
    lmtp_transaction_end(s);
    lmtp_state_set(s, LMTP_READY);

    char lines[sizeof extensions / sizeof *extensions][64];
    size_t n = 0;
    for (size_t i = 0; i < sizeof extensions / sizeof *extensions; i++) {
        const struct extension *x = &extensions[i];
        char value[32] = "";
        if (masked(off, x->keyword))
            continue;
        if (x->value)
            x->value(s, value, sizeof value);
        snprintf(lines[n++], sizeof lines[0], "%s%s", x->keyword, value);
    }
    conn_printf(s->conn, "250%c%s\r\n", n ? '-' : ' ', lmtp_config(s)->tandem.hostname);
    for (size_t i = 0; i < n; i++)
        conn_printf(s->conn, "250%c%s\r\n", i + 1 < n ? '-' : ' ', lines[i]);
    return STEP_DONE;
}

/* --- the others ----------------------------------------------------------------------------------
 */

enum step lmtp_noop(struct lmtp_session *s)
{
    lmtp_say(s, "250 2.0.0 nothing done");
    return STEP_DONE;
}

enum step lmtp_rset(struct lmtp_session *s)
{
    lmtp_transaction_end(s);
    lmtp_say(s, "250 2.0.0 reset");
    return STEP_DONE;
}

/* RFC 5321 section 3.5.3: RCPT is the way to ask. */
enum step lmtp_vrfy(struct lmtp_session *s)
{
    lmtp_say(s, "252 2.5.0 ask with RCPT");
    return STEP_DONE;
}

enum step lmtp_quit(struct lmtp_session *s)
{
    lmtp_say(s, "221 2.0.0 bye");
    conn_finish(s->conn, CONN_END_LOGOUT);
    return STEP_DONE;
}
