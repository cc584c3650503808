/* LHLO: who the client says it is, and what we can (RFC 2033 section 4.1). */
#include <inttypes.h>
#include <stdio.h>

#include "core/net/listen.h"
#include "lmtp/command.h"
#include "lmtp/session.h"

static bool has_starttls(const struct lmtp_session *s)
{
    return conn_can_starttls(s->conn);
}

static void attributes(const struct lmtp_session *s, char *to, size_t cap)
{
    (void)s;
    snprintf(to, cap, " NAME ADDR PORT PROTO HELO IDENT SOURCE");
}

static void size(const struct lmtp_session *s, char *to, size_t cap)
{
    snprintf(to, cap, " %" PRIu64, lmtp_size_max(s));
}

/* keyword, when it holds (NULL: always), its parameters (NULL: none) */
static const struct extension {
    const char *keyword;
    bool (*holds)(const struct lmtp_session *s);
    void (*value)(const struct lmtp_session *s, char *to, size_t cap);
} extensions[] = {
    {"PIPELINING",          NULL,         NULL      }, /* RFC 2920, required by RFC 2033 section 5 */
    {"SIZE",                NULL,         size      }, /* RFC 1870 */
    {"8BITMIME",            NULL,         NULL      }, /* RFC 6152 */
    {"SMTPUTF8",            NULL,         NULL      }, /* RFC 6531 */
    {"CHUNKING",            NULL,         NULL      }, /* RFC 3030 */
    {"STARTTLS",            has_starttls, NULL      }, /* RFC 3207 */
    {"XFORWARD",            NULL,         attributes},
    {"ENHANCEDSTATUSCODES", NULL,         NULL      }, /* RFC 2034, required by RFC 2033 section 5 */
};

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
        char value[48] = "";
        if (config_list_has(off, slice_str(x->keyword)) || (x->holds && !x->holds(s)))
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
