#include "imap/sync.h"

#include "imap/reply.h"
#include "imap/session.h"

static void tell_keywords(struct session *s)
{
    struct store_view_info info;
    bool full = store_view_info(s->view, false, &info) == ERR_OK && info.keywords_full;
    struct reply r;
    reply_begin(&r, s->conn);
    reply_flag_table(&r, s->view, s->read_only, full);
    reply_end(&r);
}

static void tell_number(struct reply *r, uint32_t n, const char *what)
{
    reply_add(r, SLICE("* "));
    reply_u64(r, n);
    reply_str(r, what);
}

static void tell_flags(struct session *s, struct reply *r, const struct store_flagged *f, bool uid)
{
    tell_number(r, f->seqnum, " FETCH (");
    if (uid) {
        reply_add(r, SLICE("UID "));
        reply_u64(r, f->uid);
        reply_add(r, SLICE(" "));
    }
    reply_add(r, SLICE("FLAGS "));
    reply_flags(r, s->view, f->sysflags, f->recent, f->keywords);
    reply_add(r, SLICE(")\r\n"));
}

/* Expunges first: EXISTS counts what is left. False: the output is full. */
static bool tell(struct session *s, bool uid)
{
    struct sync *y = &s->sync;
    const struct store_changes *ch = &y->changes;
    struct reply r;
    reply_begin(&r, s->conn);
    bool full = false;
    while (y->expunged < ch->nexpunged && !full) {
        tell_number(&r, ch->expunged[y->expunged++], " EXPUNGE\r\n");
        full = conn_full(s->conn);
    }
    if (y->expunged == ch->nexpunged && y->exists_due) {
        y->exists_due = false;
        tell_number(&r, ch->exists, " EXISTS\r\n");
        tell_number(&r, ch->recent, " RECENT\r\n");
    }
    while (y->flagged < ch->nflagged && !full) {
        tell_flags(s, &r, &ch->flagged[y->flagged++], uid);
        full = conn_full(s->conn);
    }
    reply_end(&r);
    return y->expunged == ch->nexpunged && y->flagged == ch->nflagged;
}

static enum step fail(struct session *s, enum err e)
{
    if (e == ERR_NOTFOUND) {
        s->view_gone = true;
        return STEP_DONE;
    }
    if (e == ERR_LIMIT)
        session_limit(s, METRIC_LIMIT_OTHER, "ghosts", "Too many expunged messages are held back");
    if (!s->command.why)
        (void)fault(session_why(s), e, "changes of the mailbox could not be read");
    return STEP_DONE;
}

enum step imap_sync(struct session *s, unsigned what, bool uid)
{
    struct sync *y = &s->sync;
    for (;;) {
        if (!y->under_way) {
            struct store_changes changes;
            enum err e = store_view_sync(s->view, what, &changes);
            if (e == ERR_AGAIN) {
                store_warm_view(s->view, 0, session_warmed(s));
                return STEP_WAIT;
            }
            if (e)
                return fail(s, e);
            *y = (struct sync){
                .under_way = true, .exists_due = changes.exists_changed, .changes = changes};
            if (changes.keywords)
                tell_keywords(s);
        }
        if (!tell(s, uid))
            return STEP_FULL;
        bool more = y->changes.more, deleted = y->changes.deleted;
        y->under_way = false;
        if (deleted)
            s->view_gone = true;
        if (!more || deleted)
            return STEP_DONE;
    }
}
