/* STORE: RFC 3501 section 6.4.6. */
#include "core/base/clock.h"
#include "imap/batch.h"
#include "imap/reply.h"
#include "imap/seqset.h"
#include "imap/session.h"

enum { SLICE_NS = 5 * 1000 * 1000, LOOK_EVERY = 64 };

struct store_run {
    struct uidset uids;  /* what the command names */
    struct uidset batch; /* of them, what is with the committer */
    uint32_t after;      /* the last UID that was submitted */
    struct uidset tell;  /* whose flags the client is to hear */
    bool telling, missing;
    enum err err;
    struct store_cursor cursor;
};

static void cleanup(struct session *s, struct command *c)
{
    struct store_run *run = c->progress;
    (void)s;
    uidset_finish(&run->uids);
    uidset_finish(&run->batch);
    uidset_finish(&run->tell);
}

static void add_all(struct uidset *to, const struct uidset *from)
{
    for (uint32_t i = 0; i < from->n; i++)
        uidset_add(to, from->ranges[i].first, from->ranges[i].last);
}

/* .SILENT does not silence what others have changed meanwhile. */
static void stored(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct store_run *run = s->command.progress;
    run->err = result->err;
    session_note_why(s, &result->why);
    if (!result->err) {
        bool silent = s->command.args[1].store.silent;
        add_all(&run->tell, silent ? &result->foreign : &run->batch);
        run->missing |= !uidset_empty(&result->missing);
        store_view_own(s->view, &result->changed, result->modseq);
    }
    session_resume(s);
}

static void tell_flags(struct session *s, struct reply *r, const struct store_message *m, bool uid)
{
    reply_add(r, SLICE("* "));
    reply_u64(r, m->seqnum);
    reply_add(r, SLICE(" FETCH ("));
    if (uid) {
        reply_add(r, SLICE("UID "));
        reply_u64(r, m->uid);
        reply_add(r, SLICE(" "));
    }
    reply_add(r, SLICE("FLAGS "));
    reply_flags(r, s->view, m->sysflags, m->recent, m->keywords);
    reply_add(r, SLICE(")\r\n"));
}

/* The flags as they are now, which may be later than the change. */
static enum step tell(struct session *s, struct command *c, struct store_run *run)
{
    uint64_t until = clock_mono_ns() + SLICE_NS;
    enum err e;
    struct reply r;
    reply_begin(&r, s->conn);
    for (unsigned i = 1;; i++) {
        struct store_message m;
        e = store_cursor_next(&run->cursor, &m);
        if (e)
            break;
        if (!m.ghost)
            tell_flags(s, &r, &m, c->row->traits & CMD_UID);
        if (reply_full(&r) || (i % LOOK_EVERY == 0 && clock_mono_ns() > until)) {
            reply_end(&r);
            return STEP_FULL;
        }
    }
    reply_end(&r);
    if (e == ERR_AGAIN) {
        store_warm_view(s->view, run->cursor.next_uid, session_warmed(s));
        return STEP_WAIT;
    }
    if (e != ERR_NOTFOUND)
        return command_fail(c, e, NULL);
    return run->missing ? command_fail(c, ERR_GONE, NULL) : command_ok(c, NULL);
}

static enum err begin(struct session *s, struct command *c, struct store_run *run)
{
    bool sets = c->args[1].store.mode != FLAGS_REMOVE;
    c->cleanup = cleanup;
    if (sets && c->args[1].store.flags.sysflags & FLAG_DELETED && !session_may_delete(s))
        return ERR_PERM;
    return seqset_uids(&c->args[0].set, c->row->traits & CMD_UID, s->view, &run->uids);
}

enum step imap_store(struct session *s, struct command *c)
{
    struct store_run *run = c->progress;
    if (!run) {
        run = session_progress(s, sizeof *run);
        run->err = begin(s, c, run);
    }
    if (run->err)
        return command_fail(c, run->err, NULL);
    if (!run->telling && batch_next(&run->uids, &run->after, &run->batch)) {
        const struct flag_list *flags = &c->args[1].store.flags;
        struct store_flagop op = {.mode = c->args[1].store.mode,
                                  .sysflags = flags->sysflags,
                                  .keywords = flags->keywords,
                                  .nkeywords = flags->n};
        store_flags(s->view, &run->batch, &op, UINT64_MAX, session_to(s, stored));
        return STEP_WAIT;
    }
    /* The view first: it learns the keywords that are new. */
    if (!run->telling && !uidset_empty(&run->tell)) {
        bool uid = c->row->traits & CMD_UID;
        enum step step = imap_sync(s, uid ? SYNC_EXPUNGE : 0, uid);
        if (step != STEP_DONE)
            return step;
    }
    if (!run->telling) {
        run->telling = true;
        store_cursor_init(&run->cursor, s->view, &run->tell, WANT_HOT, 0);
    }
    return tell(s, c, run);
}
