/* STORE: flags of many messages, one batch for up to 200,000 of them. */
#include "core/base/mem.h"
#include "store/account.h"
#include "store/hot.h"
#include "store/keyword.h"
#include "store/view.h"

struct flags_op {
    struct op op;
    uint32_t m;
    enum flag_mode mode;
    uint8_t sysflags;
    struct slice *keywords; /* owned, with their texts */
    size_t nkeywords;
    uint64_t unchangedsince, told;
    struct actor actor;
    struct uidset uids;
    uint32_t from, from_next;   /* as in an expunge: turn by turn in UID order */
    struct store_result before; /* what earlier turns have answered */
};

struct edit {
    struct flags_op *op;
    struct box *box;
    struct hot_edit hot;
    struct event *event;
    uint64_t bits, modseq;
    uint8_t added, removed; /* for the journal */
    struct store_result *r;
};

static void wanted(const struct edit *ed, const struct hot_slot *slot, uint8_t *sysflags,
                   uint64_t *keywords)
{
    const struct flags_op *op = ed->op;
    switch (op->mode) {
    case FLAGS_ADD:
        *sysflags = slot->sysflags | op->sysflags;
        *keywords = slot->keywords | ed->bits;
        break;
    case FLAGS_REMOVE:
        *sysflags = slot->sysflags & (uint8_t)~op->sysflags;
        *keywords = slot->keywords & ~ed->bits;
        break;
    default:
        *sysflags = (uint8_t)((slot->sysflags & ~SYSFLAG_MASK) | op->sysflags);
        *keywords = ed->bits;
    }
}

static enum err one(struct edit *ed, uint32_t uid)
{
    struct hot_slot *slot;
    enum err e = hot_at(&ed->hot, uid, &slot);
    if (e)
        return e;
    if (!slot) {
        uidset_add(&ed->r->missing, uid, uid);
        return ERR_OK;
    }
    uint64_t shown = box_modseq(ed->box, slot->modseq);
    if (shown > ed->op->unchangedsince) {
        uidset_add(&ed->r->modified, uid, uid);
        return ERR_OK;
    }
    if (shown > ed->op->told)
        uidset_add(&ed->r->foreign, uid, uid);
    struct hot_slot before = *slot;
    wanted(ed, &before, &slot->sysflags, &slot->keywords);
    if (slot->sysflags == before.sysflags && slot->keywords == before.keywords) {
        uidset_add(&ed->r->same, uid, uid);
        return ERR_OK;
    }
    if (!ed->event) { /* the first change: this batch is the mailbox's next modseq */
        ed->modseq = ++ed->box->row.highestmodseq;
        ed->event = turn_event(ed->hot.turn, ed->box);
    }
    ed->added |= (uint8_t)(slot->sysflags & ~before.sysflags) |
                 (slot->keywords & ~before.keywords ? LOG_KEYWORDS : 0);
    ed->removed |= (uint8_t)(before.sysflags & ~slot->sysflags) |
                   (before.keywords & ~slot->keywords ? LOG_KEYWORDS : 0);
    slot->modseq = ed->modseq;
    hot_changed(&ed->hot, uid, &before);
    event_add(ed->event, EVENT_FLAGS, uid, slot->sysflags, slot->keywords, shown);
    uidset_add(&ed->r->changed, uid, uid);
    return ERR_OK;
}

static void carry(struct store_result *to, const struct store_result *from)
{
    uidset_copy(&to->changed, &from->changed);
    uidset_copy(&to->same, &from->same);
    uidset_copy(&to->modified, &from->modified);
    uidset_copy(&to->foreign, &from->foreign);
    uidset_copy(&to->missing, &from->missing);
}

/* What this turn has changed; earlier turns have lines of their own. */
static enum err journal(const struct edit *ed, struct turn *turn)
{
    const struct uidset *all = &ed->r->changed;
    struct uidset changed = {0};
    for (uint32_t i = 0; i < all->n; i++) {
        struct uidrange range = all->ranges[i];
        if (range.last < ed->op->from)
            continue;
        uidset_add(&changed, range.first < ed->op->from ? ed->op->from : range.first, range.last);
    }
    struct journal_line line = {.actor = &ed->op->actor,
                                .a = ed->box->a,
                                .m = ed->box->m,
                                .detail = ed->added | (uint32_t)ed->removed << 8,
                                .what = LOG_FLAGS,
                                .uids = &changed};
    enum err e = uidset_empty(&changed) ? ERR_OK : turn_journal_later(turn, &line);
    uidset_finish(&changed);
    return e;
}

static enum err flags_apply(struct op *base, struct turn *turn)
{
    struct flags_op *op = (struct flags_op *)base;
    struct acct acct;
    struct box box;
    bool dropped = false, grew = false;
    struct edit ed = {.op = op, .box = &box, .r = &base->result};
    enum err e = account_for_change(turn, base->acct, &acct);
    if (!e)
        e = box_load(turn->txn, turn->env, base->acct, op->m, &box);
    if (!e && box.row.state != MBOX_LIVE)
        e = ERR_NOTFOUND;
    if (!e)
        e = keyword_bits(turn, &box, op->keywords, op->nkeywords, op->mode != FLAGS_REMOVE,
                         &ed.bits, &dropped, &grew);
    if (!e && dropped)
        e = ERR_LIMIT;
    if (e)
        return e;
    carry(&base->result, &op->before);
    hot_begin(&ed.hot, turn, &box);
    op->from_next = 0;
    uint64_t n = 0;
    for (uint32_t uid = uidset_next(&op->uids, op->from); !e && uid;
         uid = uidset_next(&op->uids, uid + 1)) {
        if (n++ == OP_MESSAGES_MAX) {
            op->from_next = uid;
            break;
        }
        e = one(&ed, uid);
        if (uid == UINT32_MAX)
            break;
    }
    if (!e)
        e = hot_end(&ed.hot);
    if (!e && grew && !ed.event) {
        box.row.highestmodseq++; /* nothing but the table changed: sessions must still hear of it */
        ed.event = turn_event(turn, &box);
    }
    if (!e && ed.event) {
        ed.event->keywords = grew;
        e = turn_box_save(turn, &box);
    }
    if (!e)
        e = journal(&ed, turn);
    base->again = !e && op->from_next != 0;
    base->result.mailbox = op->m;
    base->result.modseq = ed.modseq;
    return e;
}

static void flags_committed(struct op *base)
{
    struct flags_op *op = (struct flags_op *)base;
    op->from = op->from_next;
    carry(&op->before, &base->result);
}

static void flags_release(struct op *base)
{
    struct flags_op *op = (struct flags_op *)base;
    for (size_t i = 0; i < op->nkeywords; i++)
        mem_free((char *)(uintptr_t)op->keywords[i].ptr);
    mem_free(op->keywords);
    uidset_finish(&op->uids);
    store_result_finish(&op->before);
    mem_free(op);
}

static const struct op_kind flags_kind = {"flags", flags_apply, flags_release, false,
                                          flags_committed};

static uint32_t estimate(const struct uidset *uids, uint32_t exists)
{
    uint64_t n = uidset_count(uids), buckets = 0;
    if (n > exists)
        n = exists;
    for (uint32_t i = 0; i < uids->n && buckets < n; i++)
        buckets +=
            (uids->ranges[i].last >> BUCKET_SHIFT) - (uids->ranges[i].first >> BUCKET_SHIFT) + 1;
    return (uint32_t)(6 + 2 * (buckets < n ? buckets : n));
}

void store_flags(struct store_view *view, const struct uidset *uids,
                 const struct store_flagop *flags, uint64_t unchangedsince, struct store_to to)
{
    struct store_account *account = view_account(view);
    struct flags_op *op = mem_new(sizeof *op);
    op->op = (struct op){.kind = &flags_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = estimate(uids, store_view_exists(view)),
                         .to = to};
    op->m = view_mailbox(view);
    op->mode = flags->mode;
    op->sysflags = flags->sysflags & SYSFLAG_MASK;
    op->keywords = mem_new_array(flags->nkeywords, sizeof *op->keywords);
    op->nkeywords = flags->nkeywords;
    for (size_t i = 0; i < flags->nkeywords; i++)
        op->keywords[i] =
            slice(mem_dup(flags->keywords[i].ptr, flags->keywords[i].len), flags->keywords[i].len);
    op->unchangedsince = unchangedsince;
    op->told = view_flags_told(view);
    op->actor = account->actor;
    op->from = 1;
    uidset_copy(&op->uids, uids);
    committer_submit(account->env->committer, &op->op);
}
