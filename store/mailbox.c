/* Mailboxes read: LIST and STATUS. (Changed in mailbox_change.c.) */
#include "store/mailbox.h"

#include "store/snapshot.h"

static struct store_status status_of(struct store *store, const struct box *box)
{
    const struct row_mbox *row = &box->row;
    uint32_t told = box_recent_uid(store, box->a, box->m);
    if (told < row->recent_uid)
        told = row->recent_uid;
    uint32_t recent = row->uidnext - 1 > told ? row->uidnext - 1 - told : 0;
    return (struct store_status){.mailbox = box->m,
                                 .uidvalidity = row->uidvalidity,
                                 .uidnext = row->uidnext,
                                 .messages = row->exists,
                                 .recent = recent < row->exists ? recent : row->exists,
                                 .unseen = row->unseen,
                                 .deleted = row->deleted,
                                 .octets = row->bytes,
                                 .deleted_octets = row->deleted_bytes,
                                 .highestmodseq = row->highestmodseq,
                                 .mailboxid = row->mailboxid};
}

enum err store_mailbox_status(struct store_reader *reader, struct store_account *account,
                              struct slice path, struct store_status *ret)
{
    struct engine_txn *snap;
    struct box box;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = box_find(snap, account->env, account->a, path, &box);
    if (!e)
        *ret = status_of(account->store, &box);
    return e;
}

enum err store_mailbox_path(struct store_reader *reader, struct store_account *account,
                            uint32_t mailbox, struct arena *arena, struct slice *ret)
{
    struct engine_txn *snap;
    struct box box;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = box_load(snap, account->env, account->a, mailbox, &box);
    if (!e && box.row.state != MBOX_LIVE)
        e = ERR_NOTFOUND;
    if (!e)
        *ret = arena_dup(arena, box.row.path);
    return e;
}

/* --- list ----------------------------------------------------------------------------------------
 */
/* `name` and `subs` are walked side by side in key order, which is parents before children. */

struct side {
    struct engine_cursor cursor;
    bool done;
};

static enum err side_open(struct side *side, struct engine_txn *snap, unsigned dbi,
                          struct slice prefix)
{
    *side = (struct side){0};
    enum err e = engine_cursor_open(snap, dbi, prefix, &side->cursor);
    if (!e)
        e = engine_seek(&side->cursor, prefix);
    side->done = e != ERR_OK;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err side_next(struct side *side)
{
    enum err e = engine_next(&side->cursor);
    side->done = e != ERR_OK;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

struct listing {
    struct store *store;
    struct env *env;
    struct engine_txn *snap;
    uint32_t a;
    bool want_status;
};

static enum err fill(const struct listing *list, const struct side *names, bool named,
                     struct store_mailbox *ret)
{
    struct row_name name;
    struct box box;
    if (!named) {
        ret->flags |= MAILBOX_NONEXISTENT | MAILBOX_NOSELECT;
        return ERR_OK;
    }
    enum err e = row_name_decode(names->cursor.value, &name);
    if (e)
        return e;
    if (name.m == 0 || (name.flags & NAME_NOSELECT)) {
        ret->flags |= MAILBOX_NOSELECT;
        return ERR_OK;
    }
    if (name.flags & NAME_NOINFERIORS)
        ret->flags |= MAILBOX_NOINFERIORS;
    e = box_load(list->snap, list->env, list->a, name.m, &box);
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    ret->use = box.row.special_use;
    if (list->want_status) {
        ret->has_status = true;
        ret->status = status_of(list->store, &box);
    }
    return ERR_OK;
}

/* Whether the mailbox at this key has a child: its key goes on with the separator, and so does the
 * next one in `name`. */
static enum err has_children(const struct listing *list, struct slice key, bool *ret)
{
    struct key prefix;
    struct slice k, value;
    key_text(&prefix, key);
    if (prefix.len == KEY_MAX) {
        *ret = false;
        return ERR_OK;
    }
    prefix.octets[prefix.len++] = 0x01;
    enum err e =
        engine_first(list->snap, DBI_NAME, key_slice(&prefix), key_slice(&prefix), &k, &value);
    *ret = e == ERR_OK;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err store_mailbox_list(struct store_reader *reader, struct store_account *account,
                            bool want_status, store_mailbox_each *each, void *arg)
{
    struct listing list = {account->store, account->env, NULL, account->a, want_status};
    struct side names = {.done = true}, subs = {.done = true};
    struct key prefix;
    key_a(&prefix, account->a);
    enum err e = reader_snap(reader, account->env, &list.snap);
    if (!e)
        e = side_open(&names, list.snap, DBI_NAME, key_slice(&prefix));
    if (!e)
        e = side_open(&subs, list.snap, DBI_SUBS, key_slice(&prefix));
    while (!e && (!names.done || !subs.done)) {
        int order = names.done ? 1 : subs.done ? -1 : slice_cmp(names.cursor.key, subs.cursor.key);
        struct slice key = order <= 0 ? names.cursor.key : subs.cursor.key;
        char path[PATH_OCTETS_MAX];
        bool children = false;
        struct store_mailbox mailbox = {.path = key_path(key, path),
                                        .flags = order >= 0 ? MAILBOX_SUBSCRIBED : 0};
        e = fill(&list, &names, order <= 0, &mailbox);
        if (!e)
            e = has_children(&list, key, &children);
        if (children)
            mailbox.flags |= MAILBOX_CHILDREN;
        if (e || !each(arg, &mailbox))
            break;
        if (order <= 0)
            e = side_next(&names);
        if (!e && order >= 0)
            e = side_next(&subs);
    }
    engine_cursor_close(&names.cursor);
    engine_cursor_close(&subs.cursor);
    return e;
}
