/* What mailboxes and accounts say they hold, counted anew from the messages. Every change keeps the
 * counters true (store/README.md, "Invariants"); this is for the day when one of them is not. */
#include "store/account.h"

#include <string.h>

#include "core/base/mem.h"
#include "store/hot.h"

struct recount {
    struct engine_txn *txn;
    const struct env *env;
    struct turn *turn; /* NULL: only look */
    uint32_t a;
    struct row_acct sums; /* of what has been counted */
    bool wrong;
};

static enum err count_bucket(struct slice value, struct row_mbox *to)
{
    struct hot_row row;
    enum err e = hot_open(value, &row);
    if (e)
        return e;
    to->nbuckets++;
    for (unsigned bit = 0; bit < BUCKET_UIDS; bit++) {
        struct hot_slot slot;
        if (!hot_has(&row, bit))
            continue;
        hot_read(&row, bit, &slot);
        to->exists++;
        to->bytes += slot.size;
        to->unseen += !(slot.sysflags & FLAG_SEEN);
        to->deleted += (slot.sysflags & FLAG_DELETED) != 0;
        to->deleted_bytes += slot.sysflags & FLAG_DELETED ? slot.size : 0;
    }
    return ERR_OK;
}

static bool same_counters(const struct row_mbox *a, const struct row_mbox *b)
{
    return a->exists == b->exists && a->unseen == b->unseen && a->deleted == b->deleted &&
           a->bytes == b->bytes && a->deleted_bytes == b->deleted_bytes &&
           a->nbuckets == b->nbuckets;
}

static enum err recount_box(struct recount *rc, uint32_t m)
{
    struct box box;
    struct key key;
    struct engine_cursor cursor;
    enum err e = box_load(rc->txn, rc->env, rc->a, m, &box);
    if (e || box.row.state == MBOX_SWEPT) /* its rows go in any order */
        return e;
    struct row_mbox counted = box.row;
    counted.exists = counted.unseen = counted.deleted = counted.nbuckets = 0;
    counted.bytes = counted.deleted_bytes = 0;
    struct slice prefix = key_am(&key, rc->a, m);
    e = engine_cursor_open(rc->txn, DBI_HOT, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    for (; !e; e = e ? e : engine_next(&cursor))
        e = count_bucket(cursor.value, &counted);
    engine_cursor_close(&cursor);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (box.row.state == MBOX_LIVE) {
        rc->sums.used_bytes += counted.bytes;
        rc->sums.used_msgs += counted.exists;
        rc->sums.nmbox++;
    } else {
        rc->sums.gone_bytes += counted.bytes;
        rc->sums.gone_msgs += counted.exists;
    }
    if (same_counters(&counted, &box.row))
        return ERR_OK;
    rc->wrong = true;
    box.row = counted;
    return rc->turn ? turn_box_save(rc->turn, &box) : ERR_OK;
}

/* Row by row, sought again: a mailbox may have been written. */
static enum err recount_boxes(struct recount *rc)
{
    struct key prefix, from;
    struct slice key, value, account = key_a(&prefix, rc->a);
    uint32_t m = 0;
    enum err e;
    while ((e = engine_first(rc->txn, DBI_MBOX, account, key_am(&from, rc->a, m), &key, &value)) ==
           ERR_OK) {
        if (!key_get32(key, 4, &m))
            return ERR_CORRUPT;
        e = recount_box(rc, m);
        if (e || m++ == UINT32_MAX)
            return e;
    }
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* Single messages of the undelete window; those of deleted mailboxes were counted with them. */
static enum err recount_window(struct recount *rc)
{
    struct key key;
    struct engine_cursor cursor;
    struct slice prefix = key_a(&key, rc->a);
    enum err e = engine_cursor_open(rc->txn, DBI_GONE, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    for (; !e; e = e ? e : engine_next(&cursor)) {
        struct row_gone row;
        e = row_gone_decode(cursor.value, &row);
        if (e || row.kind == GONE_MBOX || row.why & GONE_NO_REF)
            continue;
        rc->sums.gone_bytes += row.size;
        rc->sums.gone_msgs++;
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err recount(struct recount *rc, const struct acct *acct)
{
    enum err e = recount_boxes(rc);
    if (!e)
        e = recount_window(rc);
    const struct row_acct *row = &acct->row, *sums = &rc->sums;
    if (row->used_bytes == sums->used_bytes && row->used_msgs == sums->used_msgs &&
        row->gone_bytes == sums->gone_bytes && row->gone_msgs == sums->gone_msgs &&
        row->nmbox == sums->nmbox)
        return e;
    rc->wrong = true;
    if (e || !rc->turn)
        return e;
    struct acct mended = *acct;
    mended.row.used_bytes = sums->used_bytes;
    mended.row.used_msgs = sums->used_msgs;
    mended.row.gone_bytes = sums->gone_bytes;
    mended.row.gone_msgs = sums->gone_msgs;
    mended.row.nmbox = sums->nmbox;
    return turn_acct_save(rc->turn, &mended);
}

enum err store_recount_check(struct store_reader *reader, struct store_account *account,
                             bool *ret_right)
{
    struct acct acct;
    struct recount rc = {.env = account->env, .a = account->a};
    enum err e = reader_snap(reader, account->env, &rc.txn);
    if (!e)
        e = acct_load(rc.txn, account->a, &acct);
    if (!e)
        e = recount(&rc, &acct);
    *ret_right = !rc.wrong;
    return e;
}

static enum err recount_apply(struct op *op, struct turn *turn)
{
    struct acct acct;
    struct recount rc = {.txn = turn->txn, .env = turn->env, .turn = turn, .a = op->acct};
    enum err e = account_for_change(turn, op->acct, &acct);
    return e ? e : recount(&rc, &acct);
}

static void recount_release(struct op *op)
{
    mem_free(op);
}

static const struct op_kind recount_kind = {"recount", recount_apply, recount_release, false};

void store_recount(struct store_account *account, struct store_to to)
{
    enum { PAGES = 4096 }; /* many mailboxes: alone */
    struct op *op = mem_new(sizeof *op);
    *op = (struct op){
        .kind = &recount_kind, .env = account->env, .acct = account->a, .pages = PAGES, .to = to};
    committer_submit(account->env->committer, op);
}
