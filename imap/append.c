/* APPEND: RFC 3501 section 6.3.11, the literal streamed into the store as it comes.
 *
 *      CHECK --refused, `+` not given--> answer
 *        |  \--refused, octets on their way--> LITERAL (dropped) --> LINE --> answer
 *        v
 *      LITERAL --octets--> LINE --CRLF--> COMMIT --> answer */
#include <stdio.h>
#include <string.h>

#include "core/base/budget.h"
#include "core/base/clock.h"
#include "imap/alias.h"
#include "imap/reply.h"
#include "imap/session.h"

enum {
    PIECE = 64 * 1024,  /* handed to the store at once */
    DROP_MAX = 1 << 20, /* of a literal that is too big: more is not worth reading */
};

enum phase { CHECK, LITERAL, LINE, COMMIT };

struct append {
    enum phase phase;
    enum err err; /* the literal is dropped, then this is the answer */
    struct slice path;
    struct store_incoming *in;
    uint32_t left; /* octets of the literal */
    uint32_t uidvalidity, uid;
};

static void cleanup(struct session *s, struct command *c)
{
    struct append *a = c->progress;
    (void)s;
    store_incoming_free(a->in);
}

/* There is room for octets again. It is told for every piece that the store has taken, also when
 * nobody waits for room: the commit, for one, must not be taken to be over by it. */
static void ready(void *object)
{
    struct session *s = session_of(object);
    struct append *a = s->command.progress;
    if (s->command.run != imap_append || !a || a->phase != LITERAL || !s->waiting)
        return;
    conn_upload(s->conn, true);
    session_resume(s);
}

/* What can be known before the octets come. */
static enum err check(struct session *s, struct command *c, struct append *a)
{
    struct store_status status;
    uint32_t octets = c->args[3].stream.octets;
    uint32_t most = session_append_limit(s);
    enum err e = store_path_check(c->args[0].text, &s->arena, &a->path);
    if (!e)
        a->path = alias_meant(s, a->path);
    if (!e && budget_level() == BUDGET_FULL) {
        c->text = "The server is short of memory";
        e = ERR_DOWN;
    }
    if (!e)
        e = store_mailbox_status(session_reader(s), session_account(s), a->path, &status);
    if (e)
        return e;
    if (octets > most)
        return ERR_TOOBIG;
    if (!octets) {
        c->text = "The message is empty";
        return ERR_CANNOT;
    }
    e = store_quota_check(session_reader(s), session_account(s), octets, 1);
    if (!e)
        e = store_incoming_new(session_account(s), most, &a->in);
    if (!e)
        store_incoming_on_ready(a->in, conn_loop(s->conn), conn_loop_id(s->conn), ready);
    return e;
}

static enum step begin(struct session *s, struct command *c, struct append *a)
{
    bool nonsync = c->args[3].stream.nonsync;
    a->err = check(s, c, a);
    if (a->err == ERR_AGAIN) {
        store_warm_mailbox(session_account(s), a->path, session_warmed(s));
        return STEP_WAIT;
    }
    a->left = c->args[3].stream.octets;
    if (a->err && !nonsync)
        return command_fail(c, a->err, c->text);
    if (a->err == ERR_TOOBIG && a->left > DROP_MAX) {
        session_limit(s, METRIC_LIMIT_MESSAGE_SIZE, "message_size", "Too much to skip");
        return command_fail(c, a->err, c->text);
    }
    if (!nonsync)
        conn_send(s->conn, SLICE("+ OK\r\n"));
    conn_upload_begin(s->conn);
    a->phase = LITERAL;
    return STEP_DONE;
}

static void drop(struct append *a, enum err e)
{
    if (!a->err)
        a->err = e;
    store_incoming_free(a->in);
    a->in = NULL;
}

static enum step literal(struct session *s, struct append *a)
{
    while (a->left) {
        struct slice piece = slice_first(conn_input(s->conn), a->left < PIECE ? a->left : PIECE);
        if (!piece.len)
            return STEP_MORE;
        if (a->in && memchr(piece.ptr, '\0', piece.len)) /* CHAR8 has no NUL */
            drop(a, ERR_SYNTAX);
        enum err e = a->in ? store_incoming_write(a->in, piece) : ERR_OK;
        if (e == ERR_AGAIN) {
            conn_upload(s->conn, false);
            return STEP_WAIT;
        }
        if (e)
            drop(a, e);
        conn_consume(s->conn, piece.len);
        a->left -= (uint32_t)piece.len;
    }
    a->phase = LINE;
    return STEP_DONE;
}

static void appended(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct append *a = s->command.progress;
    a->err = result->err;
    a->uidvalidity = result->uidvalidity;
    a->uid = uidset_next(&result->dest, 0);
    if (result->narrivals) {
        a->uidvalidity = result->arrivals[0].uidvalidity;
        a->uid = result->arrivals[0].uid;
    }
    session_note_why(s, &result->why);
    if (result->keyword_dropped)
        session_log_dropped_keyword(s, a->path);
    session_resume(s);
}

static enum step submit(struct session *s, struct command *c, struct append *a)
{
    const struct flag_list *flags = &c->args[1].flags;
    bool dated = c->args[2].given;
    uint32_t now = clock_wall();
    store_incoming_set(a->in, flags->sysflags, flags->keywords, flags->n,
                       dated ? c->args[2].date.time : now,
                       dated ? c->args[2].date.zone : clock_zone(now));
    struct store_dest dest = {.account = session_account(s), .path = a->path};
    struct store_incoming *in = a->in;
    a->in = NULL;
    a->phase = COMMIT;
    store_append(&in, 1, &dest, 1, session_to(s, appended));
    return STEP_WAIT;
}

static enum step line(struct session *s, struct command *c, struct append *a)
{
    bool clean;
    enum step step = session_line_end(s, &clean);
    if (step != STEP_DONE)
        return step;
    conn_upload(s->conn, false);
    if (!clean)
        drop(a, ERR_SYNTAX);
    return a->err ? command_fail(c, a->err, c->text) : submit(s, c, a);
}

/* RFC 4315 section 3 */
static enum step outcome(struct session *s, struct command *c, const struct append *a)
{
    enum { CODE_MAX = 40 };
    if (a->err)
        return command_fail(c, a->err, NULL);
    char *code = arena_new(&s->arena, CODE_MAX);
    int n = snprintf(code, CODE_MAX, "APPENDUID %u %u", a->uidvalidity, a->uid);
    c->code = slice(code, (size_t)n);
    return command_ok(c, NULL);
}

enum step imap_append(struct session *s, struct command *c)
{
    struct append *a = session_progress(s, sizeof *a);
    enum step step = STEP_DONE;
    c->cleanup = cleanup;
    if (a->phase == CHECK) {
        step = begin(s, c, a);
        if (a->phase == CHECK)
            return step;
    }
    if (a->phase == LITERAL)
        step = literal(s, a);
    if (step != STEP_DONE)
        return step;
    return a->phase == LINE ? line(s, c, a) : outcome(s, c, a);
}
