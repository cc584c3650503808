/* Codes and words of LMTP (RFC 5321 section 4.2, RFC 3463). */
#include "lmtp/command.h"
#include "lmtp/session.h"

static const struct reply {
    const char *code, *text;
} replies[] = {
    [ERR_SYNTAX] = {"501 5.5.4", "wrong arguments"            },
    [ERR_STATE] = {"503 5.5.1", "not now"                    },
    [ERR_NOTFOUND] = {"550 5.1.1", "no such recipient"          },
    [ERR_OFF] = {"550 5.2.1", "the mailbox is switched off"},
    [ERR_PERM] = {"550 5.7.1", "not permitted"              },
    [ERR_QUOTA] = {"452 4.2.2", "the mailbox is full"        },
    [ERR_TOOBIG] = {"552 5.3.4", "the message is too big"     },
    [ERR_LIMIT] = {"452 4.5.3", "too many recipients"        },
    [ERR_BUSY] = {"451 4.3.0", "busy, try again"            },
    [ERR_CANNOT] = {"550 5.6.0", "cannot be delivered"        },
    [ERR_BADCHARSET] = {"553 5.6.7", "the address needs SMTPUTF8" },
    [ERR_FULL] = {"452 4.3.1", "no room on the server"      },
    [ERR_AGAIN] = {"451 4.3.0", "busy, try again"            },
    [ERR_DOWN] = {"451 4.3.2", "not available now"          },
    [ERR_FROZEN] = {"450 4.2.1", "the mailbox is being moved" },
    [ERR_CORRUPT] = {"451 4.3.5", "stored data is damaged"     },
    [ERR_BUG] = {"451 4.3.0", "internal error"             },
};

/* Errors without a row are none of LMTP's: whoever let one through made a mistake. */
static struct reply reply_of(enum err e)
{
    if ((size_t)e < sizeof replies / sizeof *replies && replies[e].code)
        return replies[e];
    return replies[ERR_BUG];
}

bool lmtp_is_temporary(enum err e)
{
    return reply_of(e).code[0] == '4';
}

void lmtp_say(struct lmtp_session *s, const char *line)
{
    conn_printf(s->conn, "%s\r\n", line);
}

enum step lmtp_fail(struct lmtp_session *s, enum err e)
{
    struct reply r = reply_of(e);
    struct log_line l;
    lmtp_log_begin(s, &l, LOG_DEBUG, "command-failed");
    log_str(&l, "verb", s->command ? s->command->name : "");
    log_str(&l, "code", err_word(e));
    log_str(&l, "why", err_text(e));
    lmtp_log_end(s, &l);
    conn_printf(s->conn, "%s %s\r\n", r.code, r.text);
    if (e == ERR_SYNTAX || e == ERR_STATE)
        s->bad++;
    return STEP_DONE;
}

enum step lmtp_unknown(struct lmtp_session *s)
{
    lmtp_say(s, "500 5.5.2 unknown command");
    s->bad++;
    return STEP_DONE;
}

enum step lmtp_unsupported(struct lmtp_session *s)
{
    lmtp_say(s, "555 5.5.4 unsupported parameter");
    s->bad++;
    return STEP_DONE;
}

void lmtp_answer_rcpt(struct lmtp_session *s, const struct lmtp_rcpt *rcpt, enum err e)
{
    struct reply r = reply_of(e);
    struct slice shown = slice_first(rcpt->path, 256);
    if (e)
        conn_printf(s->conn, "%s <" SLICE_FMT "> %s\r\n", r.code, SLICE_ARG(shown), r.text);
    else
        conn_printf(s->conn, "250 2.0.0 <" SLICE_FMT "> delivered\r\n", SLICE_ARG(shown));
}

void lmtp_log_refused(struct lmtp_session *s, struct slice rcpt, enum err e)
{
    struct log_line l;
    lmtp_log_begin(s, &l, LOG_INFO, lmtp_is_temporary(e) ? "deferred" : "refused");
    log_slice(&l, "rcpt", rcpt);
    log_str(&l, "code", reply_of(e).code);
    log_str(&l, "why", err_word(e));
    log_str(&l, "qid", s->forward.ident);
    lmtp_log_end(s, &l);
}
