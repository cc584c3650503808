/* Reading: what comes becomes a command, or a refusal after which both sides are still in step.
 *
 *      octets --frame--> line or literal --parse--> command      (run by session.c)
 *                           |                \--> BAD, NO: one tagged answer
 *                           \--> literal refused: no `+`; or, when its octets come all the same,
 *                                they and the rest of the command are dropped
 */
#include "core/base/config.h"
#include "imap/capability.h"
#include "imap/parse.h"
#include "imap/reply.h"
#include "imap/session.h"

enum { SKIP_MAX = 1 << 20 }; /* octets of refused literals that are worth dropping */

static struct frame_limits limits_of(const struct session *s)
{
    const struct config *cfg = conn_config(s->conn);
    bool in = s->state != STATE_START;
    return (struct frame_limits){
        .line = in ? cfg->limits.line : cfg->limits.line_preauth,
        .literal = in ? cfg->limits.literal : cfg->limits.literal_preauth,
        .command = in ? cfg->limits.command : cfg->limits.command_preauth,
        .literals = cfg->limits.literals,
    };
}

/* May the command run now? */
static enum err check_row(struct session *s, const struct imap_command *row, struct command *c)
{
    unsigned cred = s->auth ? s->auth->cred_flags : 0;
    if (!row || imap_command_masked(s, row)) {
        c->text = "Unknown command";
        return ERR_SYNTAX;
    }
    if (!(row->states & s->state))
        return ERR_STATE;
    if (row->traits & CMD_PASSWORD) {
        struct auth_peer peer = session_peer(s);
        if (auth_plaintext_refused(imap_app.auth, &peer, "login"))
            return ERR_PRIVACY;
    }
    if ((row->traits & CMD_CHANGE && cred & CRED_READ_ONLY) ||
        (row->traits & CMD_DELETE && cred & CRED_NO_DELETE))
        return fault(session_why(s), ERR_PERM, "not with this credential");
    if (s->view_gone && row->states == IN_SELECTED && !(row->traits & CMD_DEAD_VIEW)) {
        c->code = SLICE("NONEXISTENT");
        c->text = "Mailbox was deleted";
        return ERR_CANNOT;
    }
    bool brings_back = s->lost && row->run == imap_move;
    if (row->traits & CMD_VIEW && s->read_only && !brings_back) {
        c->text = "Mailbox is read-only";
        return ERR_PERM;
    }
    return ERR_OK;
}

/* Fill s->command from `text`, which is copied. PARSE_BAD: command.err says why. */
static enum parse read_command(struct session *s, struct slice text)
{
    struct command *c = &s->command;
    struct slice verb;
    struct parser p = {.arena = &s->arena};
    *c = (struct command){0};
    p.in = arena_dup(&s->arena, text);
    if (!p.in.ptr) {
        c->err = ERR_LIMIT;
        return PARSE_BAD;
    }
    enum parse r = parse_start(&p, &c->tag, &verb);
    if (r == PARSE_BAD) {
        c->err = ERR_SYNTAX;
        return r;
    }
    c->row = command_find(verb);
    c->err = check_row(s, c->row, c);
    if (c->err)
        return PARSE_BAD;
    r = parse_args(&p, c->row->grammar, c->args);
    if (r == PARSE_BAD)
        c->err = p.refuse == ERR_LIMIT ? ERR_LIMIT : ERR_SYNTAX;
    else if (p.refuse)
        c->err = p.refuse;
    if (c->err == ERR_SYNTAX)
        c->text = "Wrong arguments";
    if (c->err)
        (void)fault(session_why(s), c->err, "at octet %zu", p.pos);
    c->run = c->row->run;
    return c->err ? PARSE_BAD : r;
}

/* Tag and row of a command of which only the beginning is there; neither, if that is wrong. */
static struct slice begun(struct slice head, const struct imap_command **ret_row)
{
    struct slice tag, verb;
    struct parser p = {.in = head};
    bool good = parse_start(&p, &tag, &verb) == PARSE_DONE;
    *ret_row = good ? command_find(verb) : NULL;
    return tag;
}

static void overlong(struct session *s)
{
    const struct imap_command *row;
    struct slice tag = begun(conn_input(s->conn), &row);
    if (!s->skipping)
        reply_error(s->conn, tag, ERR_SYNTAX, "Line is too long");
    session_limit(s, METRIC_LIMIT_LINE, "line", "Line is too long");
    session_say_bye(s);
}

/* Passwords do not stay in the buffer. */
static void consume(struct session *s, size_t n)
{
    if (s->command.row && s->command.row->traits & CMD_SECRET)
        conn_consume_secret(s->conn, n);
    else
        conn_consume(s->conn, n);
}

/* A literal that may not come. Its announcement is the end of `head`; the answer has been given. */
static void refuse_literal(struct session *s, struct slice head)
{
    uint64_t octets = s->frame.literal;
    bool nonsync = s->frame.nonsync;
    conn_consume_secret(s->conn, head.len);
    s->frame = (struct frame){0};
    if (!nonsync) {
        s->skipping = false; /* the client sends nothing more of this command */
        return;
    }
    s->skipped += octets == FRAME_LITERAL_WILD ? SKIP_MAX + 1 : octets;
    if (s->skipped > SKIP_MAX)
        session_limit(s, METRIC_LIMIT_LITERAL, "literal", "Too much to skip");
    else
        s->skip = octets;
    s->skipping = true;
}

/* RFC 7888 section 5: LITERAL- is for small ones. */
static bool nonsync_allowed(const struct session *s, struct command *c)
{
    enum { LITERAL_MINUS_MAX = 4096 };
    enum literal_plus plus = imap_literal_plus(s);
    if (!s->frame.nonsync || plus == LITERAL_PLUS)
        return true;
    if (plus == LITERAL_MINUS && s->frame.literal <= LITERAL_MINUS_MAX)
        return true;
    if (plus == LITERAL_MINUS)
        c->code = SLICE("TOOBIG");
    return false;
}

/* Instead of `+`: the answer. */
static bool refuse_command(struct session *s, struct slice head)
{
    session_count_command(s);
    session_answer(s);
    if (!conn_closing(s->conn))
        refuse_literal(s, head);
    return true;
}

/* Always true: a command has begun, or input has moved on. */
static bool literal_announced(struct session *s, const struct frame_limits *limits,
                              struct slice head)
{
    const struct imap_command *row;
    struct command *c = &s->command;
    struct slice tag = begun(head, &row);
    if (s->skipping) {
        refuse_literal(s, head);
        return true;
    }
    if (!nonsync_allowed(s, c)) {
        c->err = ERR_SYNTAX;
    } else {
        bool stream = row && row->traits & CMD_STREAM;
        if (!s->frame.nonsync || stream) {
            enum parse r = read_command(s, head);
            if (r == PARSE_BAD)
                return refuse_command(s, head);
            if (r == PARSE_DONE) {
                conn_consume(s->conn, head.len);
                s->frame = (struct frame){0};
                session_count_command(s);
                return true;
            }
            session_end_command(s);
        }
        c->err = frame_admit(&s->frame, limits);
    }
    if (c->err) {
        c->tag = tag;
        c->row = row;
        return refuse_command(s, head);
    }
    if (!s->frame.nonsync)
        conn_send(s->conn, SLICE("+ OK\r\n"));
    return true;
}

static bool drop_skipped(struct session *s)
{
    size_t n = slice_first(conn_input(s->conn), s->skip).len;
    conn_consume(s->conn, n);
    s->skip -= n;
    return s->skip == 0;
}

bool session_next_command(struct session *s)
{
    struct frame_limits limits = limits_of(s);
    if (s->skip && !drop_skipped(s))
        return false;
    struct slice in = conn_input(s->conn);
    switch (frame_feed(&s->frame, &limits, in)) {
    case FRAME_MORE:
        return false;
    case FRAME_OVERLONG:
        overlong(s);
        return false;
    case FRAME_LITERAL:
        return literal_announced(s, &limits, slice_first(in, s->frame.pos));
    case FRAME_DONE:
        break;
    }
    struct slice text = slice_first(in, s->frame.pos);
    bool skipped = s->skipping;
    if (!skipped && read_command(s, text) != PARSE_DONE && s->command.err == ERR_OK)
        s->command.err = ERR_SYNTAX;
    consume(s, text.len);
    s->frame = (struct frame){0};
    s->skipping = false;
    s->skipped = 0;
    if (skipped)
        return true;
    session_count_command(s);
    if (s->command.err)
        session_answer(s);
    return true;
}

enum step session_line_end(struct session *s, bool *ret_clean)
{
    struct frame_limits limits = limits_of(s);
    struct slice in = conn_input(s->conn);
    enum frame_verdict v = frame_feed(&s->frame, &limits, in);
    if (v == FRAME_MORE)
        return STEP_MORE;
    *ret_clean = v == FRAME_DONE && s->frame.pos == 2;
    if (v == FRAME_OVERLONG) {
        session_limit(s, METRIC_LIMIT_LINE, "line", "Line is too long");
    } else if (v == FRAME_LITERAL) {
        refuse_literal(s, slice_first(in, s->frame.pos));
    } else {
        conn_consume(s->conn, s->frame.pos);
        s->frame = (struct frame){0};
    }
    return STEP_DONE;
}
