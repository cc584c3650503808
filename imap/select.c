/* SELECT, EXAMINE, CLOSE, UNSELECT. */
#include <string.h>

#include "core/base/mem.h"
#include "imap/alias.h"
#include "imap/recover.h"
#include "imap/reply.h"
#include "imap/session.h"

/* --- SELECT, EXAMINE: RFC 3501 sections 6.3.1, 6.3.2 ------------------------------------------ */

enum { COLD_TRIES = 3 };

struct select {
    struct slice path;
    struct store_view *view; /* until the session takes it over */
    bool lost;               /* of Recoverable/; `path` is the former one */
    bool asked;              /* for that */
    enum err err;            /* the answer */
    unsigned tries;
};

static void cleanup(struct session *s, struct command *c)
{
    struct select *sel = c->progress;
    (void)s;
    store_view_close(sel->view);
}

static void tell_mailbox(struct session *s, const struct store_view_info *info)
{
    struct reply r;
    reply_begin(&r, s->conn);
    reply_flag_table(&r, s->view, s->read_only, info->keywords_full);
    reply_str(&r, "* ");
    reply_u64(&r, info->exists);
    reply_str(&r, " EXISTS\r\n* ");
    reply_u64(&r, info->recent);
    reply_str(&r, " RECENT\r\n");
    if (info->unseen_seqnum) {
        reply_str(&r, "* OK [UNSEEN ");
        reply_u64(&r, info->unseen_seqnum);
        reply_str(&r, "] First unseen message\r\n");
    }
    reply_str(&r, "* OK [UIDVALIDITY ");
    reply_u64(&r, info->uidvalidity);
    reply_str(&r, "] UIDs are valid\r\n* OK [UIDNEXT ");
    reply_u64(&r, info->uidnext);
    reply_str(&r, "] Next UID\r\n");
    reply_end(&r);
}

static void lost_opened(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct select *sel = s->command.progress;
    sel->err = result->err;
    sel->view = result->view;
    session_resume(s);
}

/* Opens, and asks for all that will be told, so that a mailbox is selected only when it can be. */
static enum step open_view(struct session *s, struct command *c, bool read_only)
{
    struct select *sel = c->progress;
    struct store_view_info info;
    if (sel->lost && !sel->asked) {
        sel->asked = true;
        store_warm_lost_view(session_account(s), sel->path, session_to(s, lost_opened));
        return STEP_WAIT;
    }
    enum err e = sel->err;
    if (!sel->lost && !sel->view)
        e = store_view_open(session_reader(s), session_account(s), sel->path,
                            read_only ? VIEW_READ_ONLY : 0, &sel->view);
    bool opened = e == ERR_OK;
    if (opened)
        e = store_view_info(sel->view, true, &info);
    if (e == ERR_AGAIN && (opened || !sel->lost) && sel->tries++ < COLD_TRIES) {
        if (opened)
            store_warm_view(sel->view, 0, session_warmed(s));
        else
            store_warm_mailbox(session_account(s), sel->path, session_warmed(s));
        return STEP_WAIT;
    }
    if (e)
        return command_fail(c, e, NULL);
    s->view = sel->view;
    sel->view = NULL;
    s->mailbox = mem_new(sel->path.len + 1);
    memcpy(s->mailbox, sel->path.ptr, sel->path.len);
    s->mailbox_number = info.mailbox;
    s->read_only = read_only;
    s->lost = info.lost;
    session_set_state(s, STATE_SELECTED);
    tell_mailbox(s, &info);
    c->code = read_only ? SLICE("READ-ONLY") : SLICE("READ-WRITE");
    return command_ok(c, "Selected");
}

static enum step open_mailbox(struct session *s, struct command *c, bool read_only)
{
    if (!c->progress) {
        struct select *sel = session_progress(s, sizeof *sel);
        c->cleanup = cleanup;
        session_close_view(s); /* also when the new one cannot be selected */
        sel->lost = recover_path(s, c->args[0].text, &sel->path);
        enum err e = sel->lost ? ERR_OK : store_path_check(c->args[0].text, &s->arena, &sel->path);
        if (e)
            return command_fail(c, e, NULL);
        if (!sel->lost)
            sel->path = alias_meant(s, sel->path);
    }
    const struct select *sel = c->progress;
    return open_view(s, c, read_only || sel->lost || s->auth->cred_flags & CRED_READ_ONLY);
}

enum step imap_select(struct session *s, struct command *c)
{
    return open_mailbox(s, c, false);
}

enum step imap_examine(struct session *s, struct command *c)
{
    return open_mailbox(s, c, true);
}

/* --- UNSELECT: RFC 3691; CLOSE is in expunge.c --------------------------------------------------
 */

enum step imap_unselect(struct session *s, struct command *c)
{
    session_close_view(s);
    return command_ok(c, NULL);
}
