#include "store/hot.h"

#include "store/lazy.h"

static unsigned bit_of(uint32_t uid)
{
    return uid & (BUCKET_UIDS - 1);
}

void hot_begin(struct hot_edit *edit, struct turn *turn, struct box *box)
{
    edit->turn = turn;
    edit->box = box;
    edit->loaded = edit->dirty = edit->existed = false;
    lazy_join_mbox(turn->env, box->a, box->m, &box->row);
}

static enum err write_back(struct hot_edit *edit)
{
    if (!edit->loaded || !edit->dirty)
        return ERR_OK;
    struct key key;
    struct slice k = key_amu(&key, edit->box->a, edit->box->m, edit->bucket);
    edit->dirty = false;
    if (edit->now.n == 0) {
        edit->loaded = false;
        if (!edit->existed)
            return ERR_OK;
        edit->box->row.nbuckets--;
        return turn_del(edit->turn, DBI_HOT, k);
    }
    if (!edit->existed)
        edit->box->row.nbuckets++;
    edit->existed = true;
    unsigned char row[ROW_MAX];
    return turn_put(edit->turn, DBI_HOT, k, hot_encode(&edit->now, row));
}

static enum err enter(struct hot_edit *edit, uint32_t bucket)
{
    if (edit->loaded && edit->bucket == bucket)
        return ERR_OK;
    enum err e = write_back(edit);
    if (e)
        return e;
    struct key key;
    struct slice value;
    e = engine_get(edit->turn->txn, DBI_HOT, key_amu(&key, edit->box->a, edit->box->m, bucket),
                   &value);
    edit->existed = e == ERR_OK;
    if (e == ERR_NOTFOUND) {
        edit->now.n = edit->now.unseen = 0;
        edit->now.max_modseq = edit->now.present[0] = edit->now.present[1] = 0;
    } else if (e || (e = hot_decode(value, &edit->now))) {
        edit->loaded = false;
        return e;
    }
    edit->bucket = bucket;
    edit->loaded = true;
    return ERR_OK;
}

enum err hot_at(struct hot_edit *edit, uint32_t uid, struct hot_slot **ret)
{
    enum err e = enter(edit, uid >> BUCKET_SHIFT);
    if (e)
        return e;
    *ret = hot_bucket_has(&edit->now, bit_of(uid)) ? &edit->now.slot[bit_of(uid)] : NULL;
    return ERR_OK;
}

/* Counters of bucket and mailbox: take one slot's part out (by -1) or put it in (by 1). */
static void count(struct hot_edit *edit, uint32_t uid, const struct hot_slot *slot, int by)
{
    struct row_mbox *row = &edit->box->row;
    if (!(slot->sysflags & FLAG_SEEN)) {
        edit->now.unseen = (uint8_t)(edit->now.unseen + by);
        row->unseen += (uint32_t)by;
        if (by > 0 && (row->first_unseen == 0 || uid < row->first_unseen))
            row->first_unseen = uid; /* a lower bound: it may point before the first one */
    }
    if (slot->sysflags & FLAG_DELETED) {
        row->deleted += (uint32_t)by;
        row->deleted_bytes += (uint64_t)((int64_t)slot->size * by);
    }
}

static void dirty(struct hot_edit *edit, uint64_t modseq)
{
    edit->dirty = true;
    if (modseq > edit->now.max_modseq)
        edit->now.max_modseq = modseq;
}

void hot_changed(struct hot_edit *edit, uint32_t uid, const struct hot_slot *before)
{
    struct hot_slot *slot = &edit->now.slot[bit_of(uid)];
    count(edit, uid, before, -1);
    count(edit, uid, slot, 1);
    dirty(edit, slot->modseq);
}

enum err hot_insert(struct hot_edit *edit, uint32_t uid, const struct hot_slot *slot)
{
    enum err e = enter(edit, uid >> BUCKET_SHIFT);
    if (e)
        return e;
    unsigned bit = bit_of(uid);
    if (hot_bucket_has(&edit->now, bit))
        return ERR_CORRUPT; /* a UID is given once */
    edit->now.present[bit >> 6] |= (uint64_t)1 << (bit & 63);
    edit->now.n++;
    edit->now.slot[bit] = *slot;
    edit->box->row.exists++;
    edit->box->row.bytes += slot->size;
    count(edit, uid, slot, 1);
    dirty(edit, slot->modseq);
    return ERR_OK;
}

enum err hot_remove(struct hot_edit *edit, uint32_t uid)
{
    enum err e = enter(edit, uid >> BUCKET_SHIFT);
    if (e)
        return e;
    unsigned bit = bit_of(uid);
    if (!hot_bucket_has(&edit->now, bit))
        return ERR_NOTFOUND;
    count(edit, uid, &edit->now.slot[bit], -1);
    edit->box->row.exists--;
    edit->box->row.bytes -= edit->now.slot[bit].size;
    edit->now.present[bit >> 6] &= ~((uint64_t)1 << (bit & 63));
    edit->now.n--;
    edit->dirty = true;
    return ERR_OK;
}

enum err hot_end(struct hot_edit *edit)
{
    enum err e = write_back(edit);
    edit->loaded = false;
    return e;
}

enum err hot_next(struct hot_edit *edit, uint32_t uid, uint32_t *ret)
{
    /* What is loaded may differ from the table, so look there first. */
    uint32_t bucket = uid >> BUCKET_SHIFT;
    for (;;) {
        enum err e = enter(edit, bucket);
        if (e)
            return e;
        unsigned from = bucket == uid >> BUCKET_SHIFT ? bit_of(uid) : 0;
        for (unsigned half = from >> 6; half < 2; half++) {
            uint64_t left = edit->now.present[half];
            if (half == from >> 6)
                left &= ~(uint64_t)0 << (from & 63);
            if (left) {
                *ret = bucket << BUCKET_SHIFT | half << 6 | (uint32_t)__builtin_ctzll(left);
                return ERR_OK;
            }
        }
        if (bucket == UINT32_MAX >> BUCKET_SHIFT)
            return ERR_NOTFOUND;
        struct key prefix, from_key;
        struct slice key, value;
        e = engine_first(edit->turn->txn, DBI_HOT, key_am(&prefix, edit->box->a, edit->box->m),
                         key_amu(&from_key, edit->box->a, edit->box->m, bucket + 1), &key, &value);
        if (e)
            return e;
        if (!key_get32(key, 8, &bucket))
            return ERR_CORRUPT;
    }
}
