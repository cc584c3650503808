/* IDLE: RFC 2177. Changes are told as they happen, until DONE. */
#include "imap/session.h"

struct idle {
    bool started;
    bool changed; /* something may have to be told */
};

static void changed(void *object)
{
    struct session *s = session_of(object);
    struct idle *idle = s->command.progress;
    idle->changed = true;
    session_poke(s);
}

static void cleanup(struct session *s, struct command *c)
{
    (void)c;
    timer_cancel(&s->still_timer);
    if (s->view)
        store_view_watch(s->view, 0, NULL);
}

static enum step tell(struct session *s, struct idle *idle)
{
    enum { GRACE_MS = 30 * 1000 }; /* for a client whose mailbox was deleted */
    while (s->view && !s->view_gone && (idle->changed || s->sync.under_way)) {
        idle->changed = false;
        enum step step = imap_sync(s, SYNC_EXPUNGE, false);
        idle->changed |= step == STEP_WAIT; /* nothing has been looked at yet */
        if (step != STEP_DONE)
            return step;
    }
    if (s->view_gone && !s->gone_timer.due_ms)
        timer_arm(conn_loop(s->conn), &s->gone_timer, GRACE_MS);
    return STEP_DONE;
}

static enum step read_done(struct session *s, struct command *c)
{
    struct slice in = conn_input(s->conn), done = SLICE("DONE\r\n");
    bool clean;
    if (slice_istarts(in, done)) {
        conn_consume(s->conn, done.len);
        return command_ok(c, NULL);
    }
    if (slice_istarts(done, in)) /* so far it may become that */
        return STEP_MORE;
    if (session_line_end(s, &clean) != STEP_DONE)
        return STEP_MORE;
    return command_fail(c, ERR_SYNTAX, "DONE was expected");
}

enum step imap_idle(struct session *s, struct command *c)
{
    struct idle *idle = session_progress(s, sizeof *idle);
    if (!idle->started) {
        idle->started = idle->changed = true;
        c->cleanup = cleanup;
        conn_send(s->conn, SLICE("+ idling\r\n"));
        timer_arm(conn_loop(s->conn), &s->still_timer, IDLE_STILL_MS);
        if (s->view && !s->view_gone)
            store_view_watch(s->view, conn_loop_id(s->conn), changed);
    }
    enum step step = tell(s, idle);
    if (step != STEP_DONE)
        return step;
    return s->bye ? command_ok(c, NULL) : read_done(s, c);
}
