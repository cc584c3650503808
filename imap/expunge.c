/* EXPUNGE, UID EXPUNGE (RFC 4315 section 2.1), CLOSE. */
#include "imap/batch.h"
#include "imap/seqset.h"
#include "imap/session.h"

struct expunge {
    bool some; /* only those of `uids`, batch by batch; else all at once */
    bool over;
    struct uidset uids, batch;
    uint32_t after;
    uint64_t n; /* messages that went */
    enum err err;
};

static void cleanup(struct session *s, struct command *c)
{
    struct expunge *x = c->progress;
    (void)s;
    uidset_finish(&x->uids);
    uidset_finish(&x->batch);
}

static void expunged(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct expunge *x = s->command.progress;
    x->err = result->err;
    x->over = !x->some;
    x->n += uidset_count(&result->source);
    session_note_why(s, &result->why);
    session_resume(s);
}

/* STEP_DONE: all of it is done, or x->err. */
static enum step expunge(struct session *s, struct expunge *x)
{
    if (x->err || x->over)
        return STEP_DONE;
    if (x->some && !batch_next(&x->uids, &x->after, &x->batch))
        return STEP_DONE;
    store_expunge(s->view, x->some ? &x->batch : NULL, session_to(s, expunged));
    return STEP_WAIT;
}

static void log_expunged(const struct session *s, const struct expunge *x)
{
    struct log_line l;
    if (!x->n)
        return;
    session_log_begin(s, &l, LOG_INFO, "expunged");
    log_str(&l, "mbox", s->mailbox);
    log_u64(&l, "n", x->n);
    log_slice(&l, "why", s->command.row->name);
    session_log_end(s, &l);
}

/* All that are \Deleted, or those of `set`. When they are more than a batch takes, all messages are
 * named, so that they can be told apart. */
static enum err begin(struct session *s, struct expunge *x, struct seqset *set)
{
    s->command.cleanup = cleanup;
    x->some = set || store_view_exists(s->view) > BATCH_MAX;
    struct seqrange every = {1, 0};
    struct seqset all = {&every, 1};
    return x->some ? seqset_uids(set ? set : &all, true, s->view, &x->uids) : ERR_OK;
}

enum step imap_expunge(struct session *s, struct command *c)
{
    struct expunge *x = c->progress;
    if (!x) {
        x = session_progress(s, sizeof *x);
        x->err = begin(s, x, c->row->traits & CMD_UID ? &c->args[0].set : NULL);
    }
    if (expunge(s, x) == STEP_WAIT)
        return STEP_WAIT;
    log_expunged(s, x);
    return x->err ? command_fail(c, x->err, NULL) : command_ok(c, NULL);
}

/* RFC 3501 section 6.4.2: expunges without telling, unless the mailbox is read-only. */
enum step imap_close(struct session *s, struct command *c)
{
    bool quiet = s->read_only || s->view_gone || !session_may_delete(s);
    struct expunge *x = c->progress;
    if (!x) {
        x = session_progress(s, sizeof *x);
        if (!quiet)
            x->err = begin(s, x, NULL);
    }
    if (!quiet && expunge(s, x) == STEP_WAIT)
        return STEP_WAIT;
    log_expunged(s, x);
    if (x->err && x->err != ERR_NOTFOUND) /* that one: the mailbox was deleted */
        return command_fail(c, x->err, NULL);
    session_close_view(s);
    return command_ok(c, NULL);
}
