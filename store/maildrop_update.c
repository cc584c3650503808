/* The UPDATE of a maildrop (RFC 1939 section 6): one batch for what QUIT asks for, or for what a
 * lost connection has read. */
#include "store/maildrop.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "store/account.h"
#include "store/expunge.h"

enum { HOPS_MAX = 16 };

struct mark {
    uint32_t m, uid;
    bool retrieved, deleted;
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
    struct actor actor;
    uint32_t undelete_s;
    bool retr_seen;
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
    struct uidset read, deleted;
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

/* The time of the first complete download is what expiry counts from: it is written once. */
static enum err note_download(struct updating *u, uint32_t uid)
{
    struct key key;
    struct slice k = key_amu(&key, u->box.a, u->box.m, uid), value;
    struct row_pop row = {0};
    unsigned char octets[16];
    enum err e = engine_get(u->turn->txn, DBI_POP, k, &value);
    if (!e)
        e = row_pop_decode(value, &row);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (row.bits & POP_DOWNLOADED)
        return ERR_OK;
    row.bits |= POP_DOWNLOADED;
    row.time = u->turn->now;
    return turn_put(u->turn, DBI_POP, k, row_pop_encode(&row, octets));
}

static enum err retrieved(struct updating *u, const struct mark *mark, struct hot_slot *slot)
{
    struct hot_slot before = *slot;
    enum err e = note_download(u, mark->uid);
    if (e)
        return e;
    uidset_add(&u->read, mark->uid, mark->uid);
    slot->sysflags |= SYSFLAG_POP;
    if (u->op->retr_seen && !(slot->sysflags & FLAG_SEEN)) {
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
        if (marks[i].retrieved)
            e = retrieved(u, &marks[i], slot);
        if (marks[i].deleted)
            uidset_add(&u->deleted, marks[i].uid, marks[i].uid);
    }
    return e ? e : hot_end(&u->edit);
}

static enum err expunge_deleted(struct updating *u)
{
    if (uidset_empty(&u->deleted))
        return ERR_OK;
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

static enum err journal(struct updating *u, enum log_what what, const struct uidset *uids)
{
    struct journal_line line = {
        .actor = &u->op->actor, .a = u->box.a, .m = u->box.m, .what = what, .uids = uids};
    if (uidset_empty(uids))
        return ERR_OK;
    return what == LOG_DOWNLOADED ? turn_journal_later(u->turn, &line)
                                  : turn_journal(u->turn, &line);
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
        e = expunge_deleted(&u);
    if (!e && u.dirty)
        e = turn_box_save(turn, &u.box);
    if (!e)
        e = journal(&u, LOG_DOWNLOADED, &u.read);
    if (!e)
        e = journal(&u, LOG_EXPUNGED, &u.deleted);
    uidset_finish(&u.read);
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
        struct mark mark = {.m = moved->list[i].m, .uid = moved->list[i].uid, .retrieved = true};
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

void store_maildrop_update(struct store_maildrop *drop, const unsigned char *retrieved_bits,
                           const unsigned char *deleted_bits, struct store_to to)
{
    struct update_op *op = mem_new(sizeof *op);
    struct listing *list = drop->list;
    uint64_t ndeleted = 0;
    for (uint32_t run = 0; run < list->nruns; run++) {
        uint32_t end = run + 1 < list->nruns ? list->runs[run + 1].first : list->n;
        for (uint32_t i = list->runs[run].first; i < end; i++) {
            struct mark mark = {list->runs[run].m, list->messages[i].uid, bit(retrieved_bits, i),
                                bit(deleted_bits, i)};
            if (mark.retrieved || mark.deleted)
                mark_add(&op->marks, mark);
            ndeleted += mark.deleted;
        }
    }
    marks_sort(&op->marks);
    struct store_account *account = drop->account;
    size_t batch = op->marks.n < OP_MESSAGES_MAX ? op->marks.n : OP_MESSAGES_MAX;
    op->op = (struct op){.kind = &update_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = expunge_pages(ndeleted < batch ? ndeleted : batch) +
                                  (uint32_t)batch / 32,
                         .to = to};
    atomic_fetch_add(&list->refs, 1);
    op->list = list;
    op->actor = account->actor;
    op->undelete_s = account->limits.undelete_s;
    op->retr_seen = drop->retr_seen;
    committer_submit(account->env->committer, &op->op);
}
