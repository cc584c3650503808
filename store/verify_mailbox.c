/* One mailbox against its messages: counters, buckets, message rows, tombstones, keywords. */
#include "store/verify.h"

#include <inttypes.h>

struct totals {
    const struct box *box;
    uint64_t bytes, deleted_bytes, max_modseq, used_keywords;
    uint32_t exists, unseen, deleted, nbuckets, max_uid, first_unseen;
    struct uidset uids;
};

static void see_slot(struct verify *v, struct totals *t, uint32_t uid, const struct hot_slot *slot)
{
    struct key k;
    struct slice value;
    struct row_msg msg;
    t->exists++;
    t->bytes += slot->size;
    t->used_keywords |= slot->keywords;
    t->max_uid = uid;
    if (slot->modseq > t->max_modseq)
        t->max_modseq = slot->modseq;
    if (!(slot->sysflags & FLAG_SEEN)) {
        t->unseen++;
        if (!t->first_unseen)
            t->first_unseen = uid;
    }
    if (slot->sysflags & FLAG_DELETED) {
        t->deleted++;
        t->deleted_bytes += slot->size;
    }
    uidset_add(&t->uids, uid, uid);
    enum err e = engine_get(v->txn, DBI_MSG, key_amu(&k, t->box->a, t->box->m, uid), &value);
    if (!e)
        e = row_msg_decode(value, &msg);
    if (e)
        verify_finding(v, "message %u/%u has no row that can be read", t->box->m, uid);
    else if (msg.size != slot->size)
        verify_finding(v, "message %u/%u is %u octets in one row, %u in the other", t->box->m, uid,
                       slot->size, msg.size);
    struct row_pop pop = {0};
    e = engine_get(v->txn, DBI_POP, key_amu(&k, t->box->a, t->box->m, uid), &value);
    if (!e)
        e = row_pop_decode(value, &pop);
    if (!e != !!(slot->sysflags & SYSFLAG_POP) ||
        !(pop.bits & POP_HIDDEN) != !(slot->sysflags & SYSFLAG_HIDDEN))
        verify_finding(v, "message %u/%u: its POP3 bits and its `pop` row disagree", t->box->m,
                       uid);
}

static enum err see_bucket(struct verify *v, void *arg, struct slice key, struct slice value)
{
    struct totals *t = arg;
    struct hot_row row;
    uint32_t bucket = 0, unseen_before = t->unseen;
    uint64_t max = 0;
    if (!key_get32(key, 8, &bucket) || hot_open(value, &row)) {
        verify_finding(v, "mailbox %u: flags of bucket %u cannot be read", t->box->m, bucket);
        return ERR_OK;
    }
    t->nbuckets++;
    for (unsigned bit = 0; bit < BUCKET_UIDS; bit++) {
        struct hot_slot slot;
        if (!hot_has(&row, bit))
            continue;
        hot_read(&row, bit, &slot);
        if (slot.modseq > max)
            max = slot.modseq;
        see_slot(v, t, bucket << BUCKET_SHIFT | bit, &slot);
    }
    if (max > row.max_modseq)
        verify_finding(v, "mailbox %u: bucket %u says modseq %" PRIu64 ", holds %" PRIu64,
                       t->box->m, bucket, row.max_modseq, max);
    if (t->unseen - unseen_before != row.unseen)
        verify_finding(v, "mailbox %u: bucket %u says %u unseen, holds %u", t->box->m, bucket,
                       row.unseen, t->unseen - unseen_before);
    return ERR_OK;
}

/* A `msg` row without a place in `hot` must be in the undelete window; its `gone` row is found by
 * the time in the key, which only the tombstones know: so the window is walked once instead. */
static enum err see_window(struct verify *v, void *arg, struct slice key, struct slice value)
{
    struct totals *t = arg;
    struct row_gone row;
    uint32_t m, u;
    if (row_gone_decode(value, &row) || !key_get32(key, 8, &m) || !key_get32(key, 12, &u))
        return ERR_OK; /* told by the account's own pass */
    if (m == t->box->m && row.kind == GONE_MESSAGE) {
        if (uidset_has(&t->uids, u))
            verify_finding(v, "message %u/%u is there and gone", m, u);
        t->used_keywords |= row.keywords;
        uidset_add(&t->uids, u, u);
    }
    return ERR_OK;
}

static enum err see_message(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)value;
    const struct totals *t = arg;
    uint32_t uid = 0;
    v->out->messages++;
    if (!key_get32(key, 8, &uid) || !uidset_has(&t->uids, uid))
        verify_finding(v, "message %u/%u is neither there nor gone", t->box->m, uid);
    if (uid >= t->box->row.uidnext)
        verify_finding(v, "message %u/%u lies above UIDNEXT %u", t->box->m, uid,
                       t->box->row.uidnext);
    return ERR_OK;
}

static enum err see_tomb(struct verify *v, void *arg, struct slice key, struct slice value)
{
    const struct totals *t = arg;
    struct row_tomb row;
    uint64_t modseq = 0;
    if (row_tomb_decode(value, &row) || !key_get64(key, 8, &modseq)) {
        verify_finding(v, "mailbox %u: a tombstone cannot be read", t->box->m);
        return ERR_OK;
    }
    if (modseq > t->box->row.expunge_modseq)
        verify_finding(v, "mailbox %u: a tombstone of modseq %" PRIu64 " lies above %" PRIu64,
                       t->box->m, modseq, t->box->row.expunge_modseq);
    for (uint32_t i = 0; i < row.n; i++) {
        uint32_t first, last;
        tomb_range(&row, i, &first, &last);
        uint32_t there = uidset_next(&t->uids, first);
        if (first > last || (there && there <= last))
            verify_finding(v, "mailbox %u: a tombstone names %u, which is there", t->box->m, there);
    }
    return ERR_OK;
}

static void see_keywords(struct verify *v, const struct totals *t)
{
    struct key k;
    struct slice value;
    struct row_kw kw = {0};
    enum err e = engine_get(v->txn, DBI_KW, key_am(&k, t->box->a, t->box->m), &value);
    if (!e)
        e = row_kw_decode(value, &kw);
    if (e && e != ERR_NOTFOUND)
        verify_finding(v, "mailbox %u: its keywords cannot be read", t->box->m);
    uint64_t known = 0;
    for (unsigned i = 0; i < kw.n; i++) {
        if (kw.word[i].state == KW_FREE)
            continue;
        known |= (uint64_t)1 << i;
        for (unsigned j = 0; j < i; j++)
            if (kw.word[j].state != KW_FREE && slice_ieq(kw.word[j].name, kw.word[i].name))
                verify_finding(v, "mailbox %u: keyword '" SLICE_FMT "' has two entries", t->box->m,
                               SLICE_ARG(kw.word[i].name));
    }
    if (t->used_keywords & ~known)
        verify_finding(v, "mailbox %u: messages, there or gone, have keywords without a name",
                       t->box->m);
}

static void compare(struct verify *v, const struct box *box, const char *what, uint64_t row,
                    uint64_t counted)
{
    if (row != counted)
        verify_finding(v,
                       "mailbox %u '" SLICE_FMT "': %s is %" PRIu64 " in its row, counted %" PRIu64,
                       box->m, SLICE_ARG(box->row.path), what, row, counted);
}

enum err verify_mailbox(struct verify *v, const struct box *box, struct verify_sums *sums)
{
    struct totals t = {.box = box};
    const struct row_mbox *row = &box->row;
    struct key k;
    if (row->state == MBOX_SWEPT)
        return ERR_OK; /* its rows go in any order */
    enum err e = verify_rows(v, DBI_HOT, key_am(&k, box->a, box->m), see_bucket, &t);
    if (!e)
        e = verify_rows(v, DBI_TOMB, key_am(&k, box->a, box->m), see_tomb, &t);
    if (!e)
        e = verify_rows(v, DBI_GONE, key_a(&k, box->a), see_window, &t);
    if (!e)
        e = verify_rows(v, DBI_MSG, key_am(&k, box->a, box->m), see_message, &t);
    see_keywords(v, &t);
    compare(v, box, "number of messages", row->exists, t.exists);
    compare(v, box, "number unseen", row->unseen, t.unseen);
    compare(v, box, "number deleted", row->deleted, t.deleted);
    compare(v, box, "octets", row->bytes, t.bytes);
    compare(v, box, "octets deleted", row->deleted_bytes, t.deleted_bytes);
    compare(v, box, "number of buckets", row->nbuckets, t.nbuckets);
    if (t.max_modseq > row->highestmodseq)
        verify_finding(v,
                       "mailbox %u: a message has modseq %" PRIu64 " above HIGHESTMODSEQ %" PRIu64,
                       box->m, t.max_modseq, row->highestmodseq);
    if (t.first_unseen && (!row->first_unseen || row->first_unseen > t.first_unseen))
        verify_finding(v, "mailbox %u: the first unseen is %u, its bound says %u", box->m,
                       t.first_unseen, row->first_unseen);
    if (row->recent_uid >= row->uidnext)
        verify_finding(v, "mailbox %u: %u was told as recent, above UIDNEXT %u", box->m,
                       row->recent_uid, row->uidnext);
    if (row->state == MBOX_LIVE) {
        sums->bytes += t.bytes;
        sums->messages += t.exists;
        sums->mailboxes++;
    }
    uidset_finish(&t.uids);
    return e;
}
