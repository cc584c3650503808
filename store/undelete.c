/* Undelete: what left by any door comes back as an arrival of its own.
 *
 *      `gone` row, msg row --> new UID in the mailbox; the old row becomes the trace of a MOVE, so
 *                              that a maildrop or a ghost can still read the message where it was
 *      deleted mailbox     --> live again (mailbox_change.c), or single messages moved out of it
 */
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/account.h"
#include "store/copy.h"
#include "store/mailbox.h"

enum { BATCH = 10000 }; /* messages of one turn: each is its own row, and upkeep follows them all */

struct undelete_op {
    struct op op;
    struct actor actor;
    struct store_limits limits;
    struct slice to_path;      /* owned; empty: where each came from */
    struct store_lost *items;  /* by mailbox and UID: a mailbox before its messages */
    uint32_t *place;           /* of each in what was asked for */
    size_t n, next, next_turn; /* items of earlier turns; of this one too */
    struct store_arrival *arrivals;
};

/* One turn's share. */
struct restoring {
    struct undelete_op *op;
    struct turn *turn;
    struct acct acct;
    struct box source, target;
};

static struct store_arrival *arrival_of(struct undelete_op *op, size_t item)
{
    return &op->arrivals[op->place[item]];
}

/* --- a mailbox -----------------------------------------------------------------------------------
 */

static enum err restore_mailbox(struct restoring *r, size_t item)
{
    const struct store_lost *lost = &r->op->items[item];
    struct store_arrival *arrival = arrival_of(r->op, item);
    struct box *box = &r->target;
    struct key key;
    struct slice k = key_gone(&key, r->acct.a, lost->time, lost->mailbox, 0), value;
    enum err e = engine_get(r->turn->txn, DBI_GONE, k, &value);
    if (!e)
        e = box_load(r->turn->txn, r->turn->env, r->acct.a, lost->mailbox, box);
    if (!e && box->row.state != MBOX_DELETED)
        e = ERR_NOTFOUND;
    if (!e && r->op->limits.mailboxes && r->acct.row.nmbox >= r->op->limits.mailboxes)
        e = ERR_LIMIT;
    arrival->err = e;
    if (e)
        return e == ERR_NOTFOUND || e == ERR_LIMIT ? ERR_OK : e;
    r->acct.row.gone_bytes -= box->row.bytes;
    r->acct.row.gone_msgs -= box->row.exists;
    r->acct.row.used_bytes += box->row.bytes;
    r->acct.row.used_msgs += box->row.exists;
    e = turn_del(r->turn, DBI_GONE, k);
    if (!e)
        e = mailbox_restore(r->turn, &r->acct, &r->op->limits, box);
    struct journal_line line = {
        .actor = &r->op->actor, .a = box->a, .m = box->m, .what = LOG_RESTORED};
    if (!e)
        e = turn_journal(r->turn, &line);
    arrival->mailbox = box->m;
    arrival->uidvalidity = box->row.uidvalidity;
    return e;
}

/* --- messages of one mailbox --------------------------------------------------------------------
 */

/* Its mailbox may be live, deleted, or cleared away: then it has no keywords any more. */
static enum err load_boxes(struct restoring *r, uint32_t m, struct box **ret_target)
{
    struct engine_txn *txn = r->turn->txn;
    const struct env *env = r->turn->env;
    bool to_other = r->op->to_path.len > 0;
    enum err e = box_load(txn, env, r->acct.a, m, &r->source);
    if (e == ERR_NOTFOUND)
        r->source = (struct box){
            .a = r->acct.a, .m = m, .row = {.state = MBOX_SWEPT, .expunge_modseq = UINT64_MAX}
        };
    else if (e)
        return e;
    if (to_other || r->source.row.state != MBOX_LIVE)
        e = box_find(txn, env, r->acct.a, to_other ? r->op->to_path : SLICE("INBOX"), &r->target);
    bool same = (!to_other && r->source.row.state == MBOX_LIVE) || (!e && r->target.m == m);
    *ret_target = same ? &r->source : &r->target;
    return same ? ERR_OK : e;
}

/* The `gone` row of an item that owns its message. */
static enum err gone_of(struct restoring *r, const struct store_lost *lost, struct row_gone *ret)
{
    struct key key;
    struct slice value;
    if (lost->time == GONE_TRANSIENT)
        return ERR_NOTFOUND;
    enum err e =
        engine_get(r->turn->txn, DBI_GONE,
                   key_gone(&key, r->acct.a, lost->time, lost->mailbox, lost->uid), &value);
    return e ? e : row_gone_decode(value, ret);
}

static enum err leave_trace(struct restoring *r, const struct store_lost *lost,
                            struct row_gone *row, uint32_t to_m, uint32_t to_u)
{
    struct key key;
    unsigned char octets[64];
    enum err e = turn_del(r->turn, DBI_GONE,
                          key_gone(&key, r->acct.a, lost->time, lost->mailbox, lost->uid));
    r->acct.row.gone_bytes -= row->size;
    r->acct.row.gone_msgs--;
    row->why = GONE_MOVED | GONE_NO_REF | GONE_IS_TRANSIENT;
    row->to_m = to_m;
    row->to_u = to_u;
    r->turn->transients = true;
    return e ? e
             : turn_put(r->turn, DBI_GONE,
                        key_gone(&key, r->acct.a, GONE_TRANSIENT, lost->mailbox, lost->uid),
                        row_gone_encode(row, octets));
}

static void arrived(struct restoring *r, size_t item, const struct box *target, uint32_t uid)
{
    *arrival_of(r->op, item) = (struct store_arrival){
        .mailbox = target->m, .uidvalidity = target->row.uidvalidity, .uid = uid};
}

/* Those that have a `gone` row; the others, which may be inside a deleted mailbox, are left in
 * `inside`. */
static enum err restore_gone(struct restoring *r, struct copying *c, size_t first, size_t end,
                             struct uidset *from, struct uidset *inside)
{
    enum err e = ERR_OK;
    for (size_t i = first; !e && i < end; i++) {
        const struct store_lost *lost = &r->op->items[i];
        struct row_gone row;
        e = gone_of(r, lost, &row);
        if (e == ERR_NOTFOUND) {
            uidset_add(inside, lost->uid, lost->uid);
            e = ERR_OK;
            continue;
        }
        if (!e && uidset_empty(from))
            copy_begin(c);
        bool nameless = r->source.row.state == MBOX_SWEPT;
        struct hot_slot slot = {.keywords = nameless ? 0 : row.keywords,
                                .size = row.size,
                                .internaldate = row.internaldate,
                                .sysflags = row.sysflags & (uint8_t)~FLAG_DELETED,
                                .zone = row.zone};
        uint32_t uid = c->target->row.uidnext;
        if (!e)
            e = copy_place(c, lost->uid, slot);
        if (!e)
            e = leave_trace(r, lost, &row, c->target->m, uid);
        arrived(r, i, c->target, uid);
        uidset_add(from, lost->uid, lost->uid);
    }
    return e;
}

static enum err finish_gone(struct restoring *r, struct copying *c, const struct uidset *from)
{
    struct uidset now = {0};
    if (uidset_empty(from))
        return ERR_OK;
    enum err e = copy_end(c, &now);
    if (!e)
        e = turn_box_save(r->turn, c->target);
    if (!e && c->source != c->target) /* the traces are in the source */
        (void)turn_event(r->turn, c->source);
    struct journal_line line = {.actor = &r->op->actor,
                                .a = r->acct.a,
                                .m = c->target->m,
                                .other_m = c->source->m,
                                .what = LOG_RESTORED,
                                .uids = &now,
                                .from = from};
    if (!e)
        e = turn_journal(r->turn, &line);
    uidset_finish(&now);
    return e;
}

/* Single messages of a deleted mailbox: it still has them, so they are moved out of it. */
static enum err restore_inside(struct restoring *r, struct copying *c, size_t first, size_t end,
                               const struct uidset *inside)
{
    struct uidset there = {0}, now = {0};
    enum err e = ERR_OK;
    uint32_t new_uid = c->target->row.uidnext;
    for (size_t i = first; !e && i < end; i++) {
        struct hot_slot slot;
        uint32_t uid = r->op->items[i].uid;
        if (!uidset_has(inside, uid))
            continue;
        e = r->source.row.state == MBOX_DELETED
                ? slot_load(r->turn->txn, r->acct.a, r->source.m, uid, &slot)
                : ERR_NOTFOUND;
        if (e == ERR_NOTFOUND) {
            arrival_of(r->op, i)->err = e;
            e = ERR_OK;
            continue;
        }
        r->acct.row.gone_bytes -= slot.size; /* counted as there until the move takes it */
        r->acct.row.gone_msgs--;
        r->acct.row.used_bytes += slot.size;
        r->acct.row.used_msgs++;
        arrived(r, i, c->target, new_uid++);
        uidset_add(&there, uid, uid);
    }
    if (!e && !uidset_empty(&there))
        e = copy_set(c, &there, LOG_RESTORED, &now);
    uidset_finish(&there);
    uidset_finish(&now);
    return e;
}

static enum err restore_messages(struct restoring *r, size_t first, size_t end)
{
    struct uidset from = {0}, inside = {0};
    struct copying c = {.turn = r->turn,
                        .acct = &r->acct,
                        .source = &r->source,
                        .actor = &r->op->actor,
                        .move = true,
                        .restores = true};
    enum err e = load_boxes(r, r->op->items[first].mailbox, &c.target);
    if (!e && c.target->row.uidnext > UINT32_MAX - (end - first))
        e = ERR_LIMIT;
    if (!e)
        e = restore_gone(r, &c, first, end, &from, &inside);
    if (!e)
        e = finish_gone(r, &c, &from);
    if (!e && !uidset_empty(&inside))
        e = restore_inside(r, &c, first, end, &inside);
    uidset_finish(&from);
    uidset_finish(&inside);
    return e;
}

/* --- the op --------------------------------------------------------------------------------------
 */

/* There must be room for all that is left to do, or nothing more is done. */
static enum err check(struct restoring *r)
{
    const struct undelete_op *op = r->op;
    uint64_t octets = 0, messages = 0;
    struct box box;
    enum err e = ERR_OK;
    if (op->to_path.len)
        e = box_find(r->turn->txn, r->turn->env, r->acct.a, op->to_path, &box);
    for (size_t i = op->next; i < op->n; i++) {
        octets += op->items[i].octets;
        messages += op->items[i].messages;
    }
    return e ? e : account_fits(&r->acct, &op->limits, octets, messages);
}

/* What was taken from where (of one mailbox), and what it became if both go up in step. */
static void tell_sets(const struct undelete_op *op, struct store_result *result)
{
    uint32_t last = 0;
    bool in_step = true;
    for (size_t i = 0; i < op->n; i++) {
        const struct store_arrival *arrival = &op->arrivals[op->place[i]];
        if (arrival->err)
            continue;
        uidset_add(&result->source, op->items[i].uid, op->items[i].uid);
        uidset_add(&result->dest, arrival->uid, arrival->uid);
        in_step = in_step && arrival->uid > last;
        last = arrival->uid;
        result->mailbox = arrival->mailbox;
        result->uidvalidity = arrival->uidvalidity;
    }
    if (!in_step)
        uidset_clear(&result->dest);
}

/* `e`: why what no committed turn has done is not done. */
static void tell(struct undelete_op *op, enum err e)
{
    struct store_result *result = &op->op.result;
    for (size_t i = op->next; e && i < op->n; i++)
        *arrival_of(op, i) = (struct store_arrival){.err = e};
    if (op->to_path.len)
        tell_sets(op, result);
    result->arrivals = mem_dup(op->arrivals, op->n * sizeof *op->arrivals);
    result->narrivals = op->n;
}

static enum err undelete_apply(struct op *base, struct turn *turn)
{
    struct undelete_op *op = (struct undelete_op *)base;
    struct restoring r = {.op = op, .turn = turn};
    size_t last = op->n - op->next < BATCH ? op->n : op->next + BATCH;
    enum err e = account_for_change(turn, base->acct, &r.acct);
    if (!e)
        e = check(&r);
    for (size_t i = op->next; i < last; i++) /* of an earlier try */
        *arrival_of(op, i) = (struct store_arrival){0};
    for (size_t at = op->next, end; !e && at < last; at = end) {
        end = at + 1;
        if (op->items[at].uid == 0) {
            e = restore_mailbox(&r, at);
            continue;
        }
        while (end < last && op->items[end].mailbox == op->items[at].mailbox)
            end++;
        e = restore_messages(&r, at, end);
    }
    if (!e && turn->wrote)
        e = turn_acct_save(turn, &r.acct);
    op->next_turn = last;
    base->again = !e && last < op->n;
    if (!base->again)
        tell(op, e);
    return e;
}

static void undelete_committed(struct op *base)
{
    struct undelete_op *op = (struct undelete_op *)base;
    op->next = op->next_turn;
}

static void undelete_refused(struct op *base)
{
    tell((struct undelete_op *)base, base->result.err);
}

static void undelete_release(struct op *base)
{
    struct undelete_op *op = (struct undelete_op *)base;
    mem_free((char *)(uintptr_t)op->to_path.ptr);
    mem_free(op->items);
    mem_free(op->place);
    mem_free(op->arrivals);
    mem_free(op);
}

static const struct op_kind undelete_kind = {.name = "undelete",
                                             .apply = undelete_apply,
                                             .release = undelete_release,
                                             .grows = true,
                                             .committed = undelete_committed,
                                             .refused = undelete_refused};

static int by_place(const void *a, const void *b, void *arg)
{
    const struct store_lost *items = arg;
    const struct store_lost *x = &items[*(const uint32_t *)a], *y = &items[*(const uint32_t *)b];
    if (x->mailbox != y->mailbox)
        return x->mailbox < y->mailbox ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

void store_undelete(struct store_account *account, const struct store_lost *lost, size_t n,
                    struct slice to_path, struct store_to to)
{
    struct undelete_op *op = mem_new(sizeof *op);
    size_t batch = n < BATCH ? n : BATCH;
    op->op = (struct op){.kind = &undelete_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = (uint32_t)(24 + batch / 8),
                         .to = to};
    op->actor = account->actor;
    op->limits = account->limits;
    if (to_path.len)
        op->to_path = slice(mem_dup(to_path.ptr, to_path.len), to_path.len);
    op->n = n;
    op->items = mem_new_array(n + 1, sizeof *op->items);
    op->place = mem_new_array(n + 1, sizeof *op->place);
    op->arrivals = mem_new_array(n + 1, sizeof *op->arrivals);
    for (size_t i = 0; i < n; i++)
        op->place[i] = (uint32_t)i;
    qsort_r(op->place, n, sizeof *op->place, by_place, (void *)(uintptr_t)lost);
    for (size_t i = 0; i < n; i++)
        op->items[i] = lost[op->place[i]];
    committer_submit(account->env->committer, &op->op);
}
