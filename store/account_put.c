#include "store/account_put.h"

#include <string.h>

#include "core/base/mem.h"
#include "store/hot.h"

/* --- the account, its rows
 * ------------------------------------------------------------------------
 */

static enum err acct_apply(struct op *base, struct turn *turn)
{
    struct acct_op *op = (struct acct_op *)base;
    struct acct acct;
    enum err e = acct_load(turn->txn, base->acct, &acct);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_EXISTS; /* a shard from another time: take the next number */
    acct = (struct acct){.a = base->acct, .row = op->row};
    return turn_acct_save(turn, &acct);
}

static void op_release(struct op *op)
{
    mem_free(op);
}

const struct op_kind account_put_acct = {
    .name = "account-in", .apply = acct_apply, .release = op_release, .grows = true};

/* --- rows
 * -----------------------------------------------------------------------------------------
 */

static enum err put_mbox(struct turn *turn, struct acct *acct, struct slice key, struct slice value)
{
    struct box box = {.a = acct->a};
    enum err e = row_mbox_decode(value, &box.row);
    if (e || key.len != 4 || !key_get32(key, 0, &box.m) || box.m == 0 ||
        box.row.state > MBOX_DELETED || box.m >= acct->row.next_mbox)
        return ERR_CORRUPT;
    struct row_mbox *row = &box.row;
    row->exists = row->unseen = row->deleted = row->first_unseen = row->nbuckets = 0;
    row->bytes = row->deleted_bytes = 0;
    row->restores = turn->env->restores;
    box_lift(row, 1);
    acct->row.nmbox += row->state == MBOX_LIVE;
    return turn_box_save(turn, &box);
}

/* A mailbox of the undelete window: what it holds is counted there. */
static enum err put_gone_mailbox(struct turn *turn, struct acct *acct, struct slice key,
                                 struct slice value)
{
    struct row_gone gone;
    struct box box;
    struct key k;
    uint32_t time, m, u;
    if (row_gone_decode(value, &gone) || gone.kind != GONE_MBOX || key.len != 12 ||
        !key_get32(key, 0, &time) || !key_get32(key, 4, &m) || !key_get32(key, 8, &u) || u ||
        time == GONE_TRANSIENT)
        return ERR_CORRUPT;
    enum err e = box_load(turn->txn, turn->env, acct->a, m, &box);
    if (e || box.row.state != MBOX_DELETED)
        return e && e != ERR_NOTFOUND ? e : ERR_CORRUPT;
    acct->row.gone_bytes += box.row.bytes;
    acct->row.gone_msgs += box.row.exists;
    return turn_put(turn, DBI_GONE, key_gone(&k, acct->a, time, m, 0), value);
}

static enum err rows_apply(struct op *base, struct turn *turn)
{
    struct rows_op *op = (struct rows_op *)base;
    struct slice rest = op->rows, key, value;
    struct acct acct;
    enum err e = acct_load(turn->txn, base->acct, &acct);
    while (!e && rest.len) {
        struct key full;
        if (!field_take(&rest, &key) || !field_take(&rest, &value) || key.len == 0 ||
            key.len > KEY_MAX - 4 || value.len == 0 || value.len > ROW_MAX)
            return ERR_CORRUPT;
        if (op->table->dbi == DBI_MBOX) {
            e = put_mbox(turn, &acct, key, value);
        } else if (op->table->dbi == DBI_GONE) {
            e = put_gone_mailbox(turn, &acct, key, value);
        } else {
            key_a(&full, acct.a);
            memcpy(full.octets + full.len, key.ptr, key.len);
            full.len = (uint16_t)(full.len + key.len);
            e = turn_put(turn, op->table->dbi, key_slice(&full), value);
        }
    }
    return e ? e : turn_acct_save(turn, &acct);
}

const struct op_kind account_put_rows = {
    .name = "account-rows", .apply = rows_apply, .release = op_release, .grows = true};

/* --- messages
 * -------------------------------------------------------------------------------------
 */

struct place { /* what the messages of a batch in one mailbox share */
    struct box box;
    struct hot_edit edit;
    bool open;
};

static enum err leave_box(struct turn *turn, struct place *place)
{
    if (!place->open)
        return ERR_OK;
    place->open = false;
    enum err e = hot_end(&place->edit);
    return e ? e : turn_box_save(turn, &place->box);
}

static enum err enter_box(struct turn *turn, struct place *place, uint32_t a, uint32_t m)
{
    if (place->open && place->box.m == m)
        return ERR_OK;
    enum err e = leave_box(turn, place);
    if (!e)
        e = box_load(turn->txn, turn->env, a, m, &place->box);
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    hot_begin(&place->edit, turn, &place->box);
    place->open = true;
    return ERR_OK;
}

static enum err put_there(struct turn *turn, struct place *place, struct acct *acct, uint32_t m,
                          uint32_t u, struct slice hot, uint32_t size)
{
    struct hot_row row;
    struct hot_slot slot;
    unsigned bit = u & (BUCKET_UIDS - 1);
    if (hot_open(hot, &row) || row.n != 1 || !hot_has(&row, bit))
        return ERR_CORRUPT;
    hot_read(&row, bit, &slot);
    enum err e = enter_box(turn, place, acct->a, m);
    if (e)
        return e;
    const struct row_mbox *box = &place->box.row;
    if (slot.size != size || slot.modseq > box->highestmodseq || u >= box->uidnext)
        return ERR_CORRUPT;
    if (box->state == MBOX_LIVE) {
        acct->row.used_bytes += slot.size;
        acct->row.used_msgs++;
    }
    return hot_insert(&place->edit, u, &slot);
}

static enum err put_gone(struct turn *turn, struct acct *acct, uint32_t m, uint32_t u,
                         const struct coming *c, uint32_t size)
{
    struct row_gone row;
    struct key key;
    uint32_t time, gm, gu;
    struct slice from = c->field[MESSAGE_GONE];
    if (row_gone_decode(c->field[MESSAGE_WHY], &row) || row.kind != GONE_MESSAGE ||
        row.size != size || row.why & GONE_NO_REF || !key_get32(from, 0, &time) ||
        !key_get32(from, 4, &gm) || !key_get32(from, 8, &gu) || from.len != 12 || gm != m ||
        gu != u || time == GONE_TRANSIENT)
        return ERR_CORRUPT;
    acct->row.gone_bytes += size;
    acct->row.gone_msgs++;
    return turn_put(turn, DBI_GONE, key_gone(&key, acct->a, time, m, u), c->field[MESSAGE_WHY]);
}

/* The body of a message: its own, or one that an earlier message has brought. */
static enum err put_reference(struct turn *turn, struct batch *batch, struct coming *c)
{
    if (c->in) {
        enum err e = incoming_store(turn, c->in, 1);
        c->blob = c->in->blob;
        return e;
    }
    c->blob = 0;
    for (size_t i = 0; i < batch->n && !c->blob; i++) /* in this batch? */
        if (&batch->messages[i] != c && batch->messages[i].shared == c->shared)
            c->blob = batch->messages[i].blob;
    if (!c->blob)
        c->blob = batch->shared[c->shared - 1];
    return turn_blob_ref(turn, c->blob, 1);
}

/* Later mail finds its thread through it. */
static enum err put_message_id(struct turn *turn, uint32_t a, const struct coming *c,
                               const struct row_msg *msg)
{
    struct key key;
    unsigned char octets[16];
    struct row_mid row = {.time = msg->arrival, .thread = msg->thread};
    if (!c->in || !c->in->facts.has_message_id)
        return ERR_OK;
    return turn_put(turn, DBI_MID, key_mid(&key, a, c->in->facts.message_id, c->blob),
                    row_mid_encode(&row, octets));
}

static enum err put_message(struct turn *turn, struct batch *batch, struct place *place,
                            struct acct *acct, struct coming *c)
{
    struct key key;
    struct row_msg msg;
    struct row_pop pop;
    struct row_uidl uidl;
    unsigned char octets[ROW_MAX];
    uint32_t m, u;
    struct slice at = c->field[MESSAGE_KEY];
    if (at.len != 8 || !key_get32(at, 0, &m) || !key_get32(at, 4, &u) || u == 0 ||
        row_msg_decode(c->field[MESSAGE_ROW], &msg) || (c->in && c->in->facts.size != msg.size))
        return ERR_CORRUPT;
    enum err e = put_reference(turn, batch, c);
    if (e)
        return e;
    msg.blob = c->blob;
    struct slice k = key_amu(&key, acct->a, m, u), there;
    e = engine_get(turn->txn, DBI_MSG, k, &there);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_CORRUPT; /* twice the same */
    e = turn_put(turn, DBI_MSG, k, row_msg_encode(&msg, octets));
    if (!e)
        e = c->field[MESSAGE_HOT].len
                ? put_there(turn, place, acct, m, u, c->field[MESSAGE_HOT], msg.size)
                : put_gone(turn, acct, m, u, c, msg.size);
    if (!e && c->field[MESSAGE_POP].len)
        e = row_pop_decode(c->field[MESSAGE_POP], &pop)
                ? ERR_CORRUPT
                : turn_put(turn, DBI_POP, k, c->field[MESSAGE_POP]);
    if (!e && c->field[MESSAGE_UIDL].len)
        e = row_uidl_decode(c->field[MESSAGE_UIDL], &uidl)
                ? ERR_CORRUPT
                : turn_put(turn, DBI_UIDL, k, c->field[MESSAGE_UIDL]);
    return e ? e : put_message_id(turn, acct->a, c, &msg);
}

static enum err batch_apply(struct op *base, struct turn *turn)
{
    struct batch *batch = ((struct batch_op *)base)->batch;
    struct place place = {.open = false};
    struct acct acct;
    enum err e = acct_load(turn->txn, base->acct, &acct);
    for (size_t i = 0; !e && i < batch->n; i++)
        e = put_message(turn, batch, &place, &acct, &batch->messages[i]);
    if (!e)
        e = leave_box(turn, &place);
    return e ? e : turn_acct_save(turn, &acct);
}

const struct op_kind account_put_messages = {
    .name = "account-messages", .apply = batch_apply, .release = op_release, .grows = true};
