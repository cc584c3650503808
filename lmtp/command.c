/* The table, and the commands that need no file of their own. */
#include "lmtp/command.h"

#include "lmtp/session.h"

#define IN_ANY (LMTP_GREETED | LMTP_READY | LMTP_MAIL | LMTP_RCPT | LMTP_CHUNKS)

/* name, legal states, argument grammar, traits, first step; sorted by name. DATA without an
 * accepted recipient is 503 (RFC 2033 section 4.2), and so is BDAT once its chunk has been read. */
static const struct lmtp_command commands[] = {
    {"BDAT",     IN_ANY,                    "chunk",  LMTP_OCTETS, lmtp_bdat    },
    {"DATA",     LMTP_RCPT,                 "",       0,           lmtp_data    },
    {"LHLO",     IN_ANY,                    "domain", 0,           lmtp_lhlo    },
    {"MAIL",     LMTP_READY,                "from",   0,           lmtp_mail    },
    {"NOOP",     IN_ANY,                    "?text",  0,           lmtp_noop    },
    {"QUIT",     IN_ANY,                    "",       0,           lmtp_quit    },
    {"RCPT",     LMTP_MAIL | LMTP_RCPT,     "to",     0,           lmtp_rcpt    },
    {"RSET",     IN_ANY,                    "",       0,           lmtp_rset    },
    {"STARTTLS", LMTP_GREETED | LMTP_READY, "",       0,           lmtp_starttls},
    {"VRFY",     IN_ANY,                    "?text",  0,           lmtp_vrfy    },
    {"XFORWARD", LMTP_READY,                "?text",  0,           lmtp_xforward},
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

/* RFC 3207 section 4. */
enum step lmtp_starttls(struct lmtp_session *s)
{
    if (!conn_can_starttls(s->conn)) {
        lmtp_say(s, "454 4.7.0 TLS is not available");
        return STEP_DONE;
    }
    lmtp_say(s, "220 2.0.0 begin TLS negotiation");
    conn_starttls(s->conn);
    return STEP_DONE;
}

enum step lmtp_quit(struct lmtp_session *s)
{
    lmtp_say(s, "221 2.0.0 bye");
    conn_finish(s->conn, CONN_END_LOGOUT);
    return STEP_DONE;
}
