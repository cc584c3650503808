#include "store/copy.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/account.h"
#include "store/expunge.h"
#include "store/keyword.h"
#include "store/popview.h"
#include "store/view.h"

/* Reads slots of the source bucket by bucket, as they are in the turn. */
struct source {
    uint32_t bucket;
    bool loaded;
    struct hot_bucket now;
};

static enum err source_at(struct copying *c, struct source *s, uint32_t uid, struct hot_slot *ret)
{
    unsigned bit = uid & (BUCKET_UIDS - 1);
    if (!s->loaded || s->bucket != uid >> BUCKET_SHIFT) {
        struct key key;
        struct slice value;
        s->loaded = false;
        s->bucket = uid >> BUCKET_SHIFT;
        enum err e = engine_get(c->turn->txn, DBI_HOT,
                                key_amu(&key, c->source->a, c->source->m, s->bucket), &value);
        if (!e)
            e = hot_decode(value, &s->now);
        if (e)
            return e;
        s->loaded = true;
    }
    if (!hot_bucket_has(&s->now, bit))
        return ERR_NOTFOUND;
    *ret = s->now.slot[bit];
    return ERR_OK;
}

static enum err keywords(struct copying *c, uint64_t bits, uint64_t *ret)
{
    if (c->source->m == c->target->m || bits == 0) {
        *ret = bits;
        return ERR_OK;
    }
    enum err e = ERR_OK;
    if (bits != c->last_bits) {
        e = keyword_translate(c->turn, c->source, c->target, bits, &c->last_translated, &c->dropped,
                              &c->grew);
        c->last_bits = bits;
    }
    *ret = c->last_translated;
    return e;
}

/* What is the same for all messages of this copy. */
static enum err know_pop(struct copying *c)
{
    struct key key;
    struct slice value, name = SLICE_NONE;
    struct uidset view = {0};
    if (c->knows_pop)
        return ERR_OK;
    enum err e = engine_get(c->turn->txn, DBI_OPT,
                            key_a_text(&key, c->source->a, SLICE("uidl_format")), &value);
    if (!e)
        e = row_value_decode(value, &name);
    if (e && e != ERR_NOTFOUND)
        return e;
    c->format = uidl_format(name);
    e = popview_load(c->turn->txn, c->turn->env, c->source->a, &view);
    c->returns =
        uidset_has(&view, c->target->m) && (c->restores || !uidset_has(&view, c->source->m));
    c->knows_pop = !e;
    uidset_finish(&view);
    return e;
}

/* A bare UID says nothing in another mailbox, so it cannot go along. */
static bool uidl_is_lost(const struct copying *c)
{
    return c->format == UIDL_UID && c->source->m != c->target->m;
}

/* The UIDL that clients know the message by: its override, else what the account's format gives.
 * ERR_NOTFOUND: that would say nothing in another mailbox. */
static enum err old_uidl(struct copying *c, uint32_t uid, const struct row_msg *msg,
                         char *text /* UIDL_MAX + 1 */, struct row_uidl *ret)
{
    struct key key;
    struct slice value;
    enum err e =
        engine_get(c->turn->txn, DBI_UIDL, key_amu(&key, c->source->a, c->source->m, uid), &value);
    if (!e) {
        if ((e = row_uidl_decode(value, ret)))
            return e;
        memcpy(text, ret->text.ptr, ret->text.len);
        ret->text.ptr = text;
        return ERR_OK;
    }
    if (e != ERR_NOTFOUND || uidl_is_lost(c))
        return e;
    size_t n = uidl_make(c->format, c->source->row.uidvalidity, uid, msg->emailid, text);
    *ret = (struct row_uidl){.text = slice(text, n)};
    return ERR_OK;
}

static enum err put_uidl(struct copying *c, uint32_t new_uid, const struct row_uidl *row)
{
    struct key key;
    unsigned char octets[96];
    c->acct->row.flags |= ACCT_HAS_UIDL;
    return turn_put(c->turn, DBI_UIDL, key_amu(&key, c->target->a, c->target->m, new_uid),
                    row_uidl_encode(row, octets));
}

/* POP3's knowledge of a message goes with it. What a client has downloaded, and what comes back
 * into the maildrop, would be downloaded again: it is hidden for good. Expiry counts anew from an
 * undelete: else it would strike at once. */
static enum err move_pop(struct copying *c, uint32_t uid, uint32_t new_uid, struct hot_slot *slot)
{
    struct key key;
    struct slice value;
    struct row_pop row;
    unsigned char octets[16];
    enum err e =
        engine_get(c->turn->txn, DBI_POP, key_amu(&key, c->source->a, c->source->m, uid), &value);
    if (!e)
        e = row_pop_decode(value, &row);
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    if (c->restores && row.bits & POP_DOWNLOADED)
        row.time = c->turn->now;
    if (c->returns || uidl_is_lost(c))
        row.bits |= POP_HIDDEN;
    if (row.bits & POP_HIDDEN)
        slot->sysflags |= SYSFLAG_HIDDEN;
    return turn_put(c->turn, DBI_POP, key_amu(&key, c->target->a, c->target->m, new_uid),
                    row_pop_encode(&row, octets));
}

/* So does its UIDL: as an override, because the new UID would give another one. */
static enum err move_uidl(struct copying *c, uint32_t uid, uint32_t new_uid, struct row_msg *msg)
{
    char text[UIDL_MAX + 1];
    struct row_uidl row;
    enum err e = old_uidl(c, uid, msg, text, &row);
    msg->flags &= (uint8_t)~MSG_HAS_UIDL;
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    msg->flags |= MSG_HAS_UIDL;
    return put_uidl(c, new_uid, &row);
}

/* A copy is another message to POP3, and its UIDL another; only that of format guid would be the
 * same, for EMAILID is (RFC 8474 section 5.1; RFC 1939 section 7). */
static enum err copy_uidl(struct copying *c, uint32_t new_uid, struct row_msg *msg)
{
    unsigned char octets[16];
    char text[UIDL_MAX + 1];
    msg->flags &= (uint8_t)~MSG_HAS_UIDL;
    if (c->format != UIDL_GUID)
        return ERR_OK;
    random_bytes(octets, sizeof octets);
    size_t n = uidl_make(UIDL_GUID, 0, 0, octets, text);
    msg->flags |= MSG_HAS_UIDL;
    return put_uidl(c, new_uid, &(struct row_uidl){.text = slice(text, n)});
}

/* --- a copy under way ----------------------------------------------------------------------------
 */

void copy_begin(struct copying *c)
{
    hot_begin(&c->to, c->turn, c->target);
    c->target->row.highestmodseq++;
    c->event = turn_event(c->turn, c->target);
    c->first_new = c->target->row.uidnext;
}

enum err copy_place(struct copying *c, uint32_t uid, struct hot_slot slot)
{
    struct key key;
    struct slice value;
    struct row_msg msg;
    char rcpt[UINT8_MAX];
    unsigned char octets[ROW_MAX];
    enum err e = keywords(c, slot.keywords, &slot.keywords);
    if (!e)
        e = engine_get(c->turn->txn, DBI_MSG, key_amu(&key, c->source->a, c->source->m, uid),
                       &value);
    if (!e)
        e = row_msg_decode(value, &msg);
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    if ((e = know_pop(c)))
        return e;
    if (msg.rcpt.len) /* lies in the map, which the next change may move */
        memcpy(rcpt, msg.rcpt.ptr, msg.rcpt.len);
    msg.rcpt.ptr = rcpt;
    uint32_t new_uid = c->target->row.uidnext++;
    uint64_t blob = msg.blob;
    bool popped = c->move && slot.sysflags & SYSFLAG_POP;
    msg.create_modseq = slot.modseq = c->target->row.highestmodseq;
    slot.savedate = c->turn->now;
    slot.sysflags &= SYSFLAG_MASK;
    if (popped) {
        slot.sysflags |= SYSFLAG_POP;
        e = move_pop(c, uid, new_uid, &slot);
    }
    if (!e && (popped || (c->move && msg.flags & MSG_HAS_UIDL)))
        e = move_uidl(c, uid, new_uid, &msg);
    else if (!e && !c->move)
        e = copy_uidl(c, new_uid, &msg);
    if (!e)
        e = turn_put(c->turn, DBI_MSG, key_amu(&key, c->target->a, c->target->m, new_uid),
                     row_msg_encode(&msg, octets));
    if (!e)
        e = hot_insert(&c->to, new_uid, &slot);
    if (!e && !c->move)
        e = turn_blob_ref(c->turn, blob, 1);
    event_add(c->event, EVENT_ARRIVED, new_uid, slot.sysflags, slot.keywords, 0);
    c->acct->row.used_bytes += slot.size;
    c->acct->row.used_msgs++;
    return e;
}

enum err copy_end(struct copying *c, struct uidset *ret_new)
{
    enum err e = hot_end(&c->to);
    if (e)
        return e;
    if (c->target->row.uidnext > c->first_new)
        uidset_add(ret_new, c->first_new, c->target->row.uidnext - 1);
    c->event->uidnext = c->target->row.uidnext;
    c->event->keywords = c->grew;
    return ERR_OK;
}

static enum err take_from_source(struct copying *c, const struct uidset *uids)
{
    if (c->source != c->target)
        c->source->row.highestmodseq++;
    struct expunge ex = {.turn = c->turn,
                         .acct = c->acct,
                         .box = c->source,
                         .actor = c->actor,
                         .why = GONE_MOVED,
                         .to_m = c->target->m,
                         .to_u = c->first_new};
    struct event *event = turn_event(c->turn, c->source);
    enum err e = expunge_set(&ex, uids, event);
    event->expunge_modseq = c->source->row.expunge_modseq;
    return e;
}

enum err copy_set(struct copying *c, const struct uidset *uids, enum log_what what,
                  struct uidset *ret_new)
{
    struct source s = {.loaded = false};
    enum err e = ERR_OK;
    copy_begin(c);
    struct arena_mark mark = engine_lent(c->turn->txn);
    for (uint32_t uid = uidset_next(uids, 0); !e && uid; uid = uidset_next(uids, uid + 1)) {
        struct hot_slot slot;
        e = source_at(c, &s, uid, &slot);
        e = e ? e == ERR_NOTFOUND ? ERR_CORRUPT : e : copy_place(c, uid, slot);
        engine_lent_back(c->turn->txn, mark); /* nothing of a message's rows is kept */
        if (uid == UINT32_MAX)
            break;
    }
    if (!e)
        e = copy_end(c, ret_new);
    if (!e && c->move)
        e = take_from_source(c, uids);
    if (!e)
        e = turn_box_save(c->turn, c->target);
    if (!e && c->move && c->source != c->target)
        e = turn_box_save(c->turn, c->source);
    struct journal_line line = {.actor = c->actor,
                                .a = c->acct->a,
                                .m = c->target->m,
                                .other_m = c->source->m,
                                .what = what,
                                .uids = ret_new,
                                .from = uids};
    return e ? e : turn_journal(c->turn, &line);
}

enum err copy_all(struct turn *turn, struct acct *acct, struct box *source, struct box *target,
                  const struct actor *actor)
{
    struct copying c = {.turn = turn,
                        .acct = acct,
                        .source = source,
                        .target = target,
                        .actor = actor,
                        .move = true};
    struct uidset all = {0}, moved = {0};
    struct hot_edit edit;
    uint32_t uid = 0;
    enum err e;
    hot_begin(&edit, turn, source);
    while (!(e = hot_next(&edit, uid + 1, &uid)) && uid != UINT32_MAX)
        uidset_add(&all, uid, uid);
    if (e == ERR_NOTFOUND)
        e = ERR_OK;
    if (!e && !uidset_empty(&all))
        e = copy_set(&c, &all, LOG_MOVED, &moved);
    uidset_finish(&all);
    uidset_finish(&moved);
    return e;
}

/* --- the op --------------------------------------------------------------------------------------
 */

struct copy_op {
    struct op op;
    uint32_t m;
    struct slice path; /* owned */
    struct actor actor;
    struct store_limits limits;
    bool move;
    struct uidset uids;
};

/* Every message must still be there: a COPY is all or nothing (RFC 3501 section 6.4.7). */
static enum err check(struct turn *turn, const struct copy_op *op, struct box *source,
                      uint64_t *ret_octets)
{
    struct copying c = {.turn = turn, .source = source};
    struct source s = {.loaded = false};
    *ret_octets = 0;
    for (uint32_t uid = uidset_next(&op->uids, 0); uid; uid = uidset_next(&op->uids, uid + 1)) {
        struct hot_slot slot;
        enum err e = source_at(&c, &s, uid, &slot);
        if (e)
            return e == ERR_NOTFOUND ? ERR_GONE : e;
        *ret_octets += slot.size;
        if (uid == UINT32_MAX)
            break;
    }
    return ERR_OK;
}

static enum err copy_apply(struct op *base, struct turn *turn)
{
    struct copy_op *op = (struct copy_op *)base;
    struct acct acct;
    struct box source, target_row, *target = &target_row;
    uint64_t octets, n = uidset_count(&op->uids);
    enum err e = account_for_change(turn, base->acct, &acct);
    if (!e)
        e = box_find(turn->txn, turn->env, base->acct, op->path, target);
    if (!e)
        e = box_load(turn->txn, turn->env, base->acct, op->m, &source);
    if (!e && source.row.state != MBOX_LIVE)
        e = ERR_GONE;
    if (!e)
        e = check(turn, op, &source, &octets);
    if (!e && !op->move)
        e = account_fits(&acct, &op->limits, octets, n);
    if (!e && target->row.uidnext > UINT32_MAX - n)
        e = ERR_LIMIT;
    if (e)
        return e;
    if (source.m == target->m)
        target = &source;
    struct copying c = {.turn = turn,
                        .acct = &acct,
                        .source = &source,
                        .target = target,
                        .actor = &op->actor,
                        .move = op->move};
    struct store_result *r = &base->result;
    if (!uidset_empty(&op->uids))
        e = copy_set(&c, &op->uids, op->move ? LOG_MOVED : LOG_COPIED, &r->dest);
    if (!e)
        e = turn_acct_save(turn, &acct);
    uidset_copy(&r->source, &op->uids);
    r->mailbox = target->m;
    r->uidvalidity = target->row.uidvalidity;
    r->modseq = target->row.highestmodseq;
    r->keyword_dropped = c.dropped;
    return e;
}

static void copy_release(struct op *base)
{
    struct copy_op *op = (struct copy_op *)base;
    uidset_finish(&op->uids);
    mem_free((char *)(uintptr_t)op->path.ptr);
    mem_free(op);
}

static const struct op_kind copy_kind = {"copy", copy_apply, copy_release, true, NULL};
static const struct op_kind move_kind = {"move", copy_apply, copy_release, true, NULL};

void store_copy(struct store_view *view, const struct uidset *uids,
                struct store_account *dest_account, struct slice dest_path, bool move,
                struct store_to to)
{
    struct store_account *account = view_account(view);
    struct copy_op *op = mem_new(sizeof *op);
    uint64_t n = uidset_count(uids);
    op->op = (struct op){.kind = move ? &move_kind : &copy_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = (uint32_t)(16 + n / 16),
                         .to = to};
    op->m = view_mailbox(view);
    op->path = slice(mem_dup(dest_path.ptr, dest_path.len), dest_path.len);
    op->actor = account->actor;
    op->limits = account->limits;
    op->move = move;
    uidset_copy(&op->uids, uids);
    enum err e = n > OP_MESSAGES_MAX ? ERR_LIMIT : ERR_OK;
    if (dest_account->env != account->env || dest_account->a != account->a)
        e = ERR_CANNOT; /* over accounts: with shared mailboxes */
    if (!e) {
        committer_submit(account->env->committer, &op->op);
        return;
    }
    op->op.result.err = e;
    op_complete(&op->op);
}
