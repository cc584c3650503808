/* The table, and the commands that need no file of their own. */
#include "lmtp/command.h"

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
