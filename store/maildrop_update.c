/* The UPDATE of a maildrop (RFC 1939 section 6): one batch for what QUIT asks for, or for what a
 * lost connection has read. And what a login leaves behind: that messages are hidden for good. */
#include "store/maildrop.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "store/copy.h"
#include "store/expunge.h"
#include "store/mailbox.h"
#include "store/popview.h"

enum { HOPS_MAX = 16 };

struct mark {
    uint32_t m, uid;
    bool retrieved, hidden;
    bool peeked;   /* retrieved, but nobody is to see that in its flags */
    bool deleted;  /* expunged, or moved to the trash */
    bool followed; /* to where it was moved meanwhile */
};

struct marks {
    struct mark *list;
    size_t n, cap;
};

struct update_op {
    struct op op;
    struct listing *list; /* its claims keep the traces of what was moved until this is done */
    struct marks marks;   /* by mailbox and UID */
    size_t next;          /* the first that no committed turn has done */
    struct shown shown;   /* of a login: marks and view; its `hide` are among the marks above */
    struct actor actor;
    uint32_t undelete_s;
    bool retr_seen;
    bool to_trash;
};

static void mark_add(struct marks *marks, struct mark mark)
{
    if (marks->n == marks->cap) {
        marks->cap = marks->cap ? marks->cap * 2 : 16;
        marks->list = mem_resize(marks->list, marks->cap * sizeof *marks->list);
    }
    marks->list[marks->n++] = mark;
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    if (x->m != y->m)
        return x->m < y->m ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static void marks_sort(struct marks *marks)
{
    if (marks->n)
        qsort(marks->list, marks->n, sizeof *marks->list, compare_marks);
}

/* --- one mailbox
 * ----------------------------------------------------------------------------------- */

struct updating {
    struct update_op *op;
    struct turn *turn;
    struct acct *acct;
    struct box box;
    struct hot_edit edit;
    struct event *event; /* NULL as long as nothing has changed that IMAP can see */
    struct uidset read, hidden, deleted;
    bool dirty;
    struct marks *moved;
};

/* The batch's modseq and event in this mailbox. */
static void changes(struct updating *u)
{
    if (u->event)
        return;
    u->box.row.highestmodseq++;
    u->event = turn_event(u->turn, &u->box);
}

/* The message's `pop` row. The time of the first complete download is what expiry counts from: it
 * is written once. What was moved meanwhile has another UIDL than the client knows, so it must not
 * be listed again. */
static enum err note(struct updating *u, const struct mark *mark, struct hot_slot *slot)
{
    struct key key;
    struct slice k = key_amu(&key, u->box.a, u->box.m, mark->uid), value;
    struct row_pop row = {0};
    unsigned char octets[16];
    enum err e = engine_get(u->turn->txn, DBI_POP, k, &value);
    if (!e)
        e = row_pop_decode(value, &row);
    if (e && e != ERR_NOTFOUND)
        return e;
    uint8_t before = row.bits;
    if (mark->retrieved && !(row.bits & POP_DOWNLOADED)) {
        row.bits |= POP_DOWNLOADED | (mark->followed ? POP_HIDDEN : 0);
        row.time = u->turn->now;
    }
    if (mark->hidden)
        row.bits |= POP_HIDDEN;
    if (row.bits == before)
        return ERR_OK;
    slot->sysflags |= SYSFLAG_POP | (row.bits & POP_HIDDEN ? SYSFLAG_HIDDEN : 0);
    return turn_put(u->turn, DBI_POP, k, row_pop_encode(&row, octets));
}

/* IMAP sees \Seen of it, nothing else. */
static enum err touch(struct updating *u, const struct mark *mark, struct hot_slot *slot)
{
    struct hot_slot before = *slot;
    enum err e = note(u, mark, slot);
    if (e)
        return e;
    if (mark->retrieved)
        uidset_add(&u->read, mark->uid, mark->uid);
    if (mark->retrieved && !mark->peeked && u->op->retr_seen && !(slot->sysflags & FLAG_SEEN)) {
        changes(u);
        slot->sysflags |= FLAG_SEEN;
        slot->modseq = u->box.row.highestmodseq;
        if (!mark->deleted)
            event_add(u->event, EVENT_FLAGS, mark->uid, slot->sysflags & SYSFLAG_MASK,
                      slot->keywords, box_modseq(&u->box, before.modseq));
    }
    if (slot->sysflags != before.sysflags) {
        hot_changed(&u->edit, mark->uid, &before);
        u->dirty = true;
    }
    return ERR_OK;
}

static enum err walk(struct updating *u, const struct mark *marks, size_t n)
{
    enum err e = ERR_OK;
    hot_begin(&u->edit, u->turn, &u->box);
    for (size_t i = 0; !e && i < n; i++) {
        struct hot_slot *slot;
        e = hot_at(&u->edit, marks[i].uid, &slot);
        if (e)
            break;
        if (!slot) { /* expunged meanwhile, or moved: followed for what was read, never to delete */
            if (marks[i].retrieved)
                mark_add(u->moved, marks[i]);
            continue;
        }
        if (marks[i].retrieved || marks[i].hidden)
            e = touch(u, &marks[i], slot);
        if (marks[i].hidden && !marks[i].retrieved)
            uidset_add(&u->hidden, marks[i].uid, marks[i].uid);
        if (marks[i].deleted)
            uidset_add(&u->deleted, marks[i].uid, marks[i].uid);
    }
    return e ? e : hot_end(&u->edit);
}

static enum err expunge_deleted(struct updating *u)
{
    changes(u);
    struct expunge ex = {.turn = u->turn,
                         .acct = u->acct,
                         .box = &u->box,
                         .actor = &u->op->actor,
                         .why = GONE_POP3,
                         .undelete_s = u->op->undelete_s};
    enum err e = expunge_set(&ex, &u->deleted, u->event);
    u->event->expunge_modseq = u->box.row.expunge_modseq;
    u->dirty = true;
    return e;
}

/* With their UIDLs and what else POP3 knows of them, in case they are brought back. */
static enum err move_to_trash(struct updating *u, struct box *trash)
{
    struct uidset now = {0};
    struct copying c = {.turn = u->turn,
                        .acct = u->acct,
                        .source = &u->box,
                        .target = trash,
                        .actor = &u->op->actor,
                        .move = true};
    uint64_t n = uidset_count(&u->deleted);
    enum err e = trash->row.uidnext > UINT32_MAX - n ? ERR_LIMIT
                                                     : copy_set(&c, &u->deleted, LOG_MOVED, &now);
    u->dirty = false; /* saved */
    uidset_finish(&now);
    return e;
}

static enum err journal(struct updating *u, enum log_what what, const struct uidset *uids)
{
    struct journal_line line = {
        .actor = &u->op->actor, .a = u->box.a, .m = u->box.m, .what = what, .uids = uids};
    if (uidset_empty(uids))
        return ERR_OK;
    return what == LOG_DOWNLOADED ? turn_journal_later(u->turn, &line)
                                  : turn_journal(u->turn, &line);
}

/* Not if the listing has the trash: what DELE has removed would be in it again. */
static bool goes_to(const struct updating *u, const struct box *trash)
{
    const struct listing *list = u->op->list;
    for (uint32_t run = 0; run < list->nruns; run++)
        if (list->runs[run].m == trash->m)
            return false;
    return true;
}

static enum err take_deleted(struct updating *u)
{
    struct box trash;
    enum err e = ERR_OK;
    if (uidset_empty(&u->deleted))
        return ERR_OK;
    if (u->op->to_trash)
        e = mailbox_trash(u->turn, u->acct, &trash);
    if (!e && u->op->to_trash && goes_to(u, &trash))
        return move_to_trash(u, &trash);
    if (!e)
        e = expunge_deleted(u);
    return e ? e : journal(u, LOG_EXPUNGED, &u->deleted);
}

/* `marks` are all of mailbox m. Nothing happens when it has been deleted. */
static enum err update_mailbox(struct update_op *op, struct turn *turn, struct acct *acct,
                               const struct mark *marks, size_t n, struct marks *moved)
{
    struct updating u = {.op = op, .turn = turn, .acct = acct, .moved = moved};
    enum err e = box_load(turn->txn, turn->env, acct->a, marks->m, &u.box);
    if (e || u.box.row.state != MBOX_LIVE)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    e = walk(&u, marks, n);
    if (!e)
        e = journal(&u, LOG_DOWNLOADED, &u.read);
    if (!e)
        e = journal(&u, LOG_HIDDEN, &u.hidden);
    if (!e)
        e = take_deleted(&u);
    if (!e && u.dirty)
        e = turn_box_save(turn, &u.box);
    uidset_finish(&u.read);
    uidset_finish(&u.hidden);
    uidset_finish(&u.deleted);
    return e;
}

/* --- all of them
 * ----------------------------------------------------------------------------------- */

static enum err update_marks(struct update_op *op, struct turn *turn, struct acct *acct,
                             const struct mark *marks, size_t n, struct marks *moved)
{
    enum err e = ERR_OK;
    for (size_t at = 0, end; !e && at < n; at = end) {
        for (end = at + 1; end < n && marks[end].m == marks[at].m;)
            end++;
        e = update_mailbox(op, turn, acct, marks + at, end - at, moved);
    }
    return e;
}

/* What was read has moved: mark it where it lives now. */
static enum err follow(struct turn *turn, uint32_t a, struct marks *moved)
{
    size_t kept = 0;
    for (size_t i = 0; i < moved->n; i++) {
        struct mark mark = moved->list[i];
        mark.hidden = mark.deleted = false;
        mark.followed = true;
        enum err e = maildrop_follow(turn->txn, a, &mark.m, &mark.uid);
        if (e && e != ERR_NOTFOUND)
            return e;
        if (!e)
            moved->list[kept++] = mark;
    }
    moved->n = kept;
    marks_sort(moved);
    return ERR_OK;
}

/* What the next login is to know of this one (store/popview.h). */
static enum err remember(const struct shown *shown, struct turn *turn, uint32_t a)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < shown->nmarks; i++)
        e = popview_mark_save(turn, a, shown->marks[i].m, shown->max_messages, shown->marks[i].uid);
    return e || uidset_empty(&shown->view) ? e : popview_save(turn, a, &shown->view);
}

static size_t batch_end(const struct update_op *op)
{
    size_t left = op->marks.n - op->next;
    return op->next + (left < OP_MESSAGES_MAX ? left : OP_MESSAGES_MAX);
}

static enum err update_apply(struct op *base, struct turn *turn)
{
    struct update_op *op = (struct update_op *)base;
    struct acct acct;
    struct marks moved = {0}, again = {0};
    size_t end = batch_end(op);
    enum err e = account_for_change(turn, base->acct, &acct);
    if (!e && op->next == 0)
        e = remember(&op->shown, turn, acct.a);
    if (!e && end > op->next) /* no marks, no list: nothing may be added to NULL */
        e = update_marks(op, turn, &acct, op->marks.list + op->next, end - op->next, &moved);
    for (unsigned hop = 0; !e && moved.n && hop < HOPS_MAX; hop++) {
        e = follow(turn, acct.a, &moved);
        if (!e)
            e = update_marks(op, turn, &acct, moved.list, moved.n, &again);
        struct marks swap = moved;
        moved = again;
        again = swap;
        again.n = 0;
    }
    if (!e && turn->wrote)
        e = turn_acct_save(turn, &acct);
    mem_free(moved.list);
    mem_free(again.list);
    base->again = !e && end < op->marks.n;
    return e;
}

static void update_committed(struct op *base)
{
    struct update_op *op = (struct update_op *)base;
    op->next = batch_end(op);
}

static void update_release(struct op *base)
{
    struct update_op *op = (struct update_op *)base;
    mem_free(op->marks.list);
    shown_finish(&op->shown);
    listing_unref(op->list);
    mem_free(op);
}

static const struct op_kind update_kind = {.name = "maildrop",
                                           .apply = update_apply,
                                           .release = update_release,
                                           .committed = update_committed};

static bool bit(const unsigned char *bits, uint32_t i)
{
    return bits && bits[i / 8] >> (i % 8) & 1;
}

static struct update_op *update_new(struct store_maildrop *drop)
{
    struct update_op *op = mem_new(sizeof *op);
    atomic_fetch_add(&drop->list->refs, 1);
    op->list = drop->list;
    op->actor = drop->account->actor;
    op->undelete_s = drop->account->limits.undelete_s;
    op->retr_seen = drop->retr_seen;
    return op;
}

static void submit(struct update_op *op, struct store_account *account, uint64_t ndeleted,
                   struct store_to to)
{
    marks_sort(&op->marks);
    size_t batch = op->marks.n < OP_MESSAGES_MAX ? op->marks.n : OP_MESSAGES_MAX;
    uint64_t deleted = ndeleted < batch ? ndeleted : batch;
    op->op = (struct op){.kind = &update_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = expunge_pages(deleted) + (uint32_t)batch / 32 +
                                  (op->to_trash ? (uint32_t)(deleted / 16) : 0),
                         .to = to};
    committer_submit(account->env->committer, &op->op);
}

void store_maildrop_update(struct store_maildrop *drop, const unsigned char *retrieved_bits,
                           const unsigned char *deleted_bits, enum pop3_delete mode,
                           struct store_to to)
{
    struct update_op *op = update_new(drop);
    struct listing *list = drop->list;
    uint64_t ndeleted = 0;
    bool takes = mode == POP3_DELETE_EXPUNGE || mode == POP3_DELETE_TRASH;
    op->to_trash = mode == POP3_DELETE_TRASH;
    for (uint32_t run = 0; run < list->nruns; run++) {
        uint32_t end = run + 1 < list->nruns ? list->runs[run + 1].first : list->n;
        for (uint32_t i = list->runs[run].first; i < end; i++) {
            bool deleted = bit(deleted_bits, i);
            struct mark mark = {.m = list->runs[run].m,
                                .uid = list->messages[i].uid,
                                .retrieved = bit(retrieved_bits, i),
                                .peeked = bit(drop->peeked, i),
                                .hidden = deleted && mode == POP3_DELETE_HIDE,
                                .deleted = deleted && takes};
            if (mark.retrieved || mark.hidden || mark.deleted)
                mark_add(&op->marks, mark);
            ndeleted += mark.deleted;
        }
    }
    submit(op, drop->account, ndeleted, to);
}

void store_maildrop_shown(struct store_maildrop *drop)
{
    struct shown *shown = &drop->shown;
    if (shown->nhide == 0 && shown->nmarks == 0 && uidset_empty(&shown->view))
        return;
    struct update_op *op = update_new(drop);
    for (size_t i = 0; i < shown->nhide; i++)
        mark_add(&op->marks,
                 (struct mark){.m = shown->hide[i].m, .uid = shown->hide[i].uid, .hidden = true});
    op->shown = *shown;
    *shown = (struct shown){0};
    submit(op, drop->account, 0, (struct store_to){0});
}
