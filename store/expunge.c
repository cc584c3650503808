#include "store/expunge.h"

#include "core/base/mem.h"
#include "store/account.h"
#include "store/view.h"

uint32_t expunge_pages(uint64_t messages)
{
    return (uint32_t)(12 + messages / 24);
}

static enum err tombstones(struct turn *turn, struct box *box, const struct uidset *uids)
{
    unsigned char octets[ROW_MAX];
    enum err e = ERR_OK;
    uint16_t part = 0;
    for (uint32_t at = 0; !e && at < uids->n; at += TOMB_RANGES_MAX, part++) {
        struct key key;
        uint32_t n = uids->n - at < TOMB_RANGES_MAX ? uids->n - at : TOMB_RANGES_MAX;
        e = turn_put(turn, DBI_TOMB, key_tomb(&key, box->a, box->m, box->row.highestmodseq, part),
                     row_tomb_encode(turn->now, uids->ranges + at, n, octets));
    }
    box->row.expunge_modseq = box->row.highestmodseq;
    return e;
}

static enum err gone_row(const struct expunge *ex, uint32_t uid, const struct hot_slot *slot,
                         uint32_t nth)
{
    bool moved = ex->why == GONE_MOVED, transient = moved || ex->undelete_s == 0;
    struct row_gone row = {.kind = GONE_MESSAGE,
                           .why = (uint8_t)ex->why,
                           .sysflags = slot->sysflags,
                           .zone = slot->zone,
                           .size = slot->size,
                           .keywords = slot->keywords,
                           .internaldate = slot->internaldate,
                           .savedate = slot->savedate,
                           .expunge_modseq = ex->box->row.highestmodseq,
                           .conn = ex->actor->conn};
    if (moved) {
        row.why |= GONE_NO_REF;
        row.to_m = ex->to_m;
        row.to_u = ex->to_u + nth;
    } else {
        ex->acct->row.gone_bytes += slot->size;
        ex->acct->row.gone_msgs++;
    }
    if (transient) {
        row.why |= GONE_IS_TRANSIENT;
        ex->turn->transients = true;
    }
    struct key key;
    unsigned char octets[64];
    uint32_t time = transient ? GONE_TRANSIENT : ex->turn->now;
    return turn_put(ex->turn, DBI_GONE, key_gone(&key, ex->box->a, time, ex->box->m, uid),
                    row_gone_encode(&row, octets));
}

enum err expunge_set(const struct expunge *ex, const struct uidset *uids, struct event *event)
{
    struct hot_edit edit;
    uint32_t nth = 0;
    enum err e = ERR_OK;
    hot_begin(&edit, ex->turn, ex->box);
    for (uint32_t uid = uidset_next(uids, 0); !e && uid; uid = uidset_next(uids, uid + 1)) {
        struct hot_slot *slot;
        e = hot_at(&edit, uid, &slot);
        if (!e && !slot)
            e = ERR_BUG;
        if (e)
            break;
        ex->acct->row.used_bytes -= slot->size;
        ex->acct->row.used_msgs--;
        if (event)
            event_add(event, EVENT_EXPUNGED, uid, slot->sysflags, slot->keywords,
                      box_modseq(ex->box, slot->modseq));
        e = gone_row(ex, uid, slot, nth++);
        if (!e)
            e = hot_remove(&edit, uid);
        if (uid == UINT32_MAX)
            break;
    }
    if (!e)
        e = hot_end(&edit);
    return e ? e : tombstones(ex->turn, ex->box, uids);
}

/* --- EXPUNGE, CLOSE, UID EXPUNGE
 * ------------------------------------------------------------------- */

struct expunge_op {
    struct op op;
    uint32_t m;
    struct actor actor;
    uint32_t undelete_s;
    bool all;
    struct uidset uids; /* asked for, unless all */
    uint32_t from;      /* first UID not yet looked at */
    uint32_t from_next; /* the same once this turn has been committed */
    struct uidset told; /* what earlier turns took */
};

/* The \Deleted ones, at most OP_MESSAGES_MAX. */
static enum err collect(struct turn *turn, struct expunge_op *op, struct box *box,
                        struct uidset *ret)
{
    struct hot_edit edit;
    uint64_t n = 0;
    uint32_t uid = op->from;
    hot_begin(&edit, turn, box);
    op->from_next = 0;
    for (;;) {
        struct hot_slot *slot;
        enum err e = hot_next(&edit, uid, &uid);
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (!op->all && !uidset_has(&op->uids, uid)) {
            uint32_t next = uidset_next(&op->uids, uid);
            if (!next)
                return ERR_OK;
            uid = next;
            continue;
        }
        if ((e = hot_at(&edit, uid, &slot)))
            return e;
        if (slot->sysflags & FLAG_DELETED) {
            if (n++ == OP_MESSAGES_MAX) {
                op->from_next = uid;
                return ERR_OK;
            }
            uidset_add(ret, uid, uid);
        }
        if (uid++ == UINT32_MAX)
            return ERR_OK;
    }
}

static enum err expunge_apply(struct op *base, struct turn *turn)
{
    struct expunge_op *op = (struct expunge_op *)base;
    struct acct acct;
    struct box box;
    struct uidset uids = {0};
    enum err e = account_for_change(turn, base->acct, &acct);
    if (!e)
        e = box_load(turn->txn, turn->env, base->acct, op->m, &box);
    if (!e && box.row.state != MBOX_LIVE)
        e = ERR_NOTFOUND;
    if (!e && box.row.deleted)
        e = collect(turn, op, &box, &uids);
    if (e || uidset_empty(&uids))
        goto out;
    box.row.highestmodseq++;
    struct expunge ex = {.turn = turn,
                         .acct = &acct,
                         .box = &box,
                         .actor = &op->actor,
                         .why = op->actor.proto == PROTO_TIMER ? GONE_EXPIRED : GONE_EXPUNGED,
                         .undelete_s = op->undelete_s};
    struct journal_line line = {
        .actor = &op->actor, .a = box.a, .m = box.m, .what = LOG_EXPUNGED, .uids = &uids};
    struct event *event = turn_event(turn, &box);
    e = expunge_set(&ex, &uids, event);
    event->expunge_modseq = box.row.expunge_modseq;
    if (!e)
        e = turn_box_save(turn, &box);
    if (!e)
        e = turn_acct_save(turn, &acct);
    if (!e)
        e = turn_journal(turn, &line);
out:
    base->again = !e && op->from_next != 0;
    base->result.mailbox = op->m;
    base->result.modseq = e ? 0 : box.row.highestmodseq;
    uidset_copy(&base->result.source, &op->told);
    for (uint32_t i = 0; !e && i < uids.n; i++)
        uidset_add(&base->result.source, uids.ranges[i].first, uids.ranges[i].last);
    uidset_finish(&uids);
    return e;
}

static void expunge_committed(struct op *base)
{
    struct expunge_op *op = (struct expunge_op *)base;
    op->from = op->from_next;
    uidset_move(&op->told, &base->result.source);
}

static void expunge_release(struct op *base)
{
    struct expunge_op *op = (struct expunge_op *)base;
    uidset_finish(&op->uids);
    uidset_finish(&op->told);
    mem_free(op);
}

static const struct op_kind expunge_kind = {"expunge", expunge_apply, expunge_release, false,
                                            expunge_committed};

void store_expunge(struct store_view *view, const struct uidset *uids, struct store_to to)
{
    struct store_account *account = view_account(view);
    struct expunge_op *op = mem_new(sizeof *op);
    uint64_t most = uids ? uidset_count(uids) : store_view_exists(view);
    if (most > store_view_exists(view))
        most = store_view_exists(view);
    if (most > OP_MESSAGES_MAX)
        most = OP_MESSAGES_MAX;
    op->op = (struct op){.kind = &expunge_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = expunge_pages(most),
                         .to = to};
    op->m = view_mailbox(view);
    op->actor = account->actor;
    op->undelete_s = account->limits.undelete_s;
    op->all = !uids;
    op->from = 1;
    if (uids)
        uidset_copy(&op->uids, uids);
    committer_submit(account->env->committer, &op->op);
}
