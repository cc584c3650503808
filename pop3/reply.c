/* Words and response codes of POP3 (RFC 1939, RFC 2449 section 8, RFC 3206). No text of ours begins
 * with "[" unless it is a response code (RFC 2449 section 6.4). */
#include <stdarg.h>
#include <stdio.h>

#include "pop3/command.h"
#include "pop3/session.h"

static const struct reply {
    const char *code, *text;
} replies[] = {
    [ERR_SYNTAX] = {"",               "unknown command or wrong arguments"        },
    [ERR_STATE] = {"",               "not now"                                   },
    [ERR_NOTFOUND] = {"",               "no such message"                           },
    [ERR_AUTH] = {"[AUTH] ",        "invalid name or password"                  },
    [ERR_AUTHZ] = {"[AUTH] ",        "may not act as that user"                  },
    [ERR_PRIVACY] = {"",               "not without TLS: use STLS first"           },
    [ERR_OFF] = {"[SYS/PERM] ",    "this account may not use POP3"             },
    [ERR_PERM] = {"",               "not permitted"                             },
    [ERR_LIMIT] = {"[SYS/TEMP] ",    "too many sessions"                         },
    [ERR_BUSY] = {"[IN-USE] ",      "unable to lock maildrop"                   },
    [ERR_DELAY] = {"[LOGIN-DELAY] ", "minimum time between logins has not passed"},
    [ERR_GONE] = {"",               "the message has gone"                      },
    [ERR_CANNOT] = {"",               "cannot be done"                            },
    [ERR_FULL] = {"[SYS/TEMP] ",    "no room on the server"                     },
    [ERR_AGAIN] = {"[SYS/TEMP] ",    "busy, try again"                           },
    [ERR_DOWN] = {"[SYS/TEMP] ",    "not available now, try again"              },
    [ERR_FROZEN] = {"[SYS/TEMP] ",    "the account is being moved, try again"     },
    [ERR_CORRUPT] = {"[SYS/PERM] ",    "stored data is damaged"                    },
    [ERR_BUG] = {"[SYS/TEMP] ",    "internal error"                            },
};

/* Errors without a row are none of POP3's: whoever let one through made a mistake. */
static struct reply reply_of(enum err e)
{
    if ((size_t)e < sizeof replies / sizeof *replies && replies[e].text)
        return replies[e];
    return replies[ERR_BUG];
}

void pop3_ok(struct pop3_session *s, const char *format, ...)
{
    char text[512 - sizeof "+OK \r\n"]; /* RFC 2449 section 4 */
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    conn_printf(s->conn, "+OK %s\r\n", text);
}

/* The client's own mistakes are of interest to nobody else. */
static enum log_level level_of(enum err e)
{
    switch (e) {
    case ERR_FULL:
    case ERR_AGAIN:
    case ERR_DOWN:
    case ERR_FROZEN:
    case ERR_GONE:
    case ERR_CORRUPT:
    case ERR_BUG:
        return LOG_WARN;
    default:
        return LOG_DEBUG;
    }
}

static void log_failed(struct pop3_session *s, enum err e)
{
    struct log_line l;
    pop3_log_begin(s, &l, level_of(e), "command-failed");
    log_slice(&l, "user", s->auth ? s->auth->login : SLICE_NONE);
    log_str(&l, "verb", s->command ? s->command->name : "");
    log_str(&l, "code", err_word(e));
    log_str(&l, "why", err_text(e));
    pop3_log_end(s, &l);
}

enum step pop3_fail_text(struct pop3_session *s, enum err e, const char *text)
{
    log_failed(s, e);
    conn_printf(s->conn, "-ERR %s%s\r\n", reply_of(e).code, text);
    if (e == ERR_SYNTAX || e == ERR_STATE)
        s->bad++;
    return STEP_DONE;
}

enum step pop3_fail(struct pop3_session *s, enum err e)
{
    return pop3_fail_text(s, e, reply_of(e).text);
}

enum step pop3_break(struct pop3_session *s, enum err e)
{
    log_failed(s, e);
    conn_close(s->conn, CONN_END_FAULT);
    return STEP_DONE;
}
