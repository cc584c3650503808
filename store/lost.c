/* What can be brought back: the `gone` rows of an account, and single messages of the mailboxes
 * among them, read. */
#include "store/account.h"

#include <string.h>

#include "core/base/mem.h"
#include "store/message_id.h"

struct store_window {
    struct store_reader *reader;
    struct store_account *account;
    struct store_pick pick;
    struct bodies bodies; /* of pick.message_id */
    uint32_t time, m, u;  /* the next `gone` row */
    bool inside;          /* (time, m) is a deleted mailbox, and `u` the next of its messages */
    struct box box;       /* of the item told last: lends its path */
};

enum err store_window_open(struct store_reader *reader, struct store_account *account,
                           const struct store_pick *pick, struct store_window **ret)
{
    struct engine_txn *snap;
    struct store_window *w = mem_new(sizeof *w);
    *w = (struct store_window){
        .reader = reader, .account = account, .pick = *pick, .time = pick->since};
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e && pick->message_id.len)
        e = message_id_bodies(snap, account->env, account->a, pick->message_id, &w->bodies);
    if (e)
        store_window_close(w);
    else
        *ret = w;
    return e;
}

void store_window_close(struct store_window *window)
{
    if (!window)
        return;
    mem_free(window->bodies.list);
    mem_free(window);
}

static unsigned by_of(const struct row_gone *row)
{
    if (row->kind == GONE_MBOX)
        return LOST_MAILBOX;
    switch (row->why & GONE_WHY_MASK) {
    case GONE_POP3:
        return LOST_POP3;
    case GONE_EXPIRED:
        return LOST_EXPIRY;
    default:
        return LOST_IMAP;
    }
}

/* The mailbox of an item, loaded once for a run of them. One that is cleared away has no path. */
static enum err load_box(struct store_window *w, struct engine_txn *snap, uint32_t m)
{
    enum err e = box_load(snap, w->account->env, w->account->a, m, &w->box);
    if (e == ERR_NOTFOUND)
        w->box = (struct box){.a = w->account->a, .m = m};
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err load_msg(struct store_window *w, struct engine_txn *snap, uint32_t m, uint32_t u,
                         struct row_msg *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(snap, DBI_MSG, key_amu(&key, w->account->a, m, u), &value);
    if (!e)
        e = row_msg_decode(value, ret);
    return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
}

/* A message whose facts are in `ret` but for the header. */
static enum err lend_header(struct engine_txn *snap, uint64_t blob, struct store_lost *ret)
{
    struct key key;
    struct slice row;
    enum err e = engine_get(snap, DBI_CACHE, key_b(&key, blob), &row);
    if (!e)
        e = cache_find(row, CACHE_HEADER, &ret->header);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* ERR_NOTFOUND: no further message of the deleted mailbox is meant. */
static enum err next_inside(struct store_window *w, struct engine_txn *snap, struct store_lost *ret)
{
    struct key key, prefix;
    struct engine_cursor cursor;
    struct row_msg msg;
    struct hot_slot slot;
    enum err e = engine_cursor_open(snap, DBI_MSG, key_am(&prefix, w->account->a, w->m), &cursor);
    if (!e)
        e = engine_seek(&cursor, key_amu(&key, w->account->a, w->m, w->u));
    for (; !e; e = engine_next(&cursor)) {
        uint32_t uid = 0;
        if (!key_get32(cursor.key, 8, &uid) || row_msg_decode(cursor.value, &msg)) {
            e = ERR_CORRUPT;
        } else if (bodies_have(&w->bodies, msg.blob)) {
            e = slot_load(snap, w->account->a, w->m, uid, &slot);
            if (e == ERR_NOTFOUND) { /* expunged before: it has a row of its own */
                e = ERR_OK;
                continue;
            }
            *ret = (struct store_lost){.time = w->time,
                                       .mailbox = w->m,
                                       .uid = uid,
                                       .by = LOST_MAILBOX,
                                       .messages = 1,
                                       .octets = slot.size,
                                       .internaldate = slot.internaldate,
                                       .sysflags = slot.sysflags & SYSFLAG_MASK};
            w->u = uid + 1;
            if (!e)
                e = lend_header(snap, msg.blob, ret);
            break;
        }
        if (e)
            break;
    }
    engine_cursor_close(&cursor);
    return e;
}

/* One `gone` row; *ret_meant: it is told. */
static enum err look_at(struct store_window *w, struct engine_txn *snap, const struct row_gone *row,
                        struct store_lost *ret, bool *ret_meant)
{
    const struct store_pick *pick = &w->pick;
    struct row_msg msg = {0};
    *ret = (struct store_lost){.time = w->time,
                               .mailbox = w->m,
                               .uid = w->u,
                               .by = by_of(row),
                               .messages = 1,
                               .octets = row->size,
                               .internaldate = row->internaldate,
                               .sysflags = row->sysflags & SYSFLAG_MASK & ~FLAG_DELETED};
    *ret_meant = false;
    if (pick->by && !(pick->by & ret->by))
        return ERR_OK;
    enum err e = w->box.m == w->m && w->box.a ? ERR_OK : load_box(w, snap, w->m);
    if (e || (pick->mailbox.len && !slice_eq(w->box.row.path, pick->mailbox)))
        return e;
    if (row->kind == GONE_MBOX) {
        ret->messages = w->box.row.exists;
        ret->octets = w->box.row.bytes;
        w->inside = pick->message_id.len > 0;
        *ret_meant = !w->inside && w->box.row.state == MBOX_DELETED;
        return ERR_OK;
    }
    e = load_msg(w, snap, w->m, w->u, &msg);
    if (e || (pick->message_id.len && !bodies_have(&w->bodies, msg.blob)))
        return e;
    *ret_meant = true;
    return lend_header(snap, msg.blob, ret);
}

static void step(struct store_window *w)
{
    w->inside = false;
    if (w->u++ == UINT32_MAX && w->m++ == UINT32_MAX)
        w->time++;
}

enum err store_window_next(struct store_window *w, struct store_lost *ret)
{
    struct engine_txn *snap;
    struct key prefix, from;
    struct slice of_acct = key_a(&prefix, w->account->a), key, value;
    struct row_gone row;
    enum err e = reader_snap(w->reader, w->account->env, &snap);
    w->box.a = 0; /* what is lent of it may have changed since */
    while (!e) {
        if (w->inside) {
            e = next_inside(w, snap, ret);
            if (!e)
                e = load_box(w, snap, w->m);
            if (e != ERR_NOTFOUND)
                break;
            w->u = 0;
            step(w);
        }
        struct arena_mark mark = engine_lent(snap);
        e = engine_first(snap, DBI_GONE, of_acct,
                         key_gone(&from, w->account->a, w->time, w->m, w->u), &key, &value);
        if (e)
            break;
        if (!key_get32(key, 4, &w->time) || !key_get32(key, 8, &w->m) ||
            !key_get32(key, 12, &w->u) || row_gone_decode(value, &row))
            return ERR_CORRUPT;
        engine_lent_back(snap, mark); /* the key; a snapshot's values lie in the map */
        if (w->time == GONE_TRANSIENT)
            return ERR_NOTFOUND;
        bool meant;
        e = look_at(w, snap, &row, ret, &meant);
        if (w->inside)
            continue;
        step(w);
        if (meant)
            break;
    }
    if (!e)
        ret->path = w->box.row.path;
    return e;
}
