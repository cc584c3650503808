/* CREATE, DELETE, RENAME, SUBSCRIBE: one batch each. */
#include "store/mailbox.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/copy.h"

struct mailbox_op {
    struct op op;
    struct store_limits limits;
    struct actor actor;
    enum special_use use;
    bool on;
    struct slice path, to_path; /* in `text` */
    char text[2 * PATH_OCTETS_MAX];
};

static void release(struct op *op)
{
    mem_free(op);
}

static struct slice parent_of(struct slice path)
{
    while (path.len && path.ptr[path.len - 1] != '/')
        path.len--;
    if (path.len)
        path.len--;
    return path;
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static enum err name_get(struct turn *turn, uint32_t a, struct slice path, struct row_name *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(turn->txn, DBI_NAME, key_name(&key, a, path), &value);
    return e ? e : row_name_decode(value, ret);
}

static enum err name_put(struct turn *turn, uint32_t a, struct slice path,
                         const struct row_name *name)
{
    struct key key;
    unsigned char octets[16];
    return turn_put(turn, DBI_NAME, key_name(&key, a, path), row_name_encode(name, octets));
}

static enum err name_del(struct turn *turn, uint32_t a, struct slice path)
{
    struct key key;
    return turn_del(turn, DBI_NAME, key_name(&key, a, path));
}

/* The first child's path below `path`, ERR_NOTFOUND when there is none. `after`: the child to go on
 * behind, or empty. */
static enum err next_child(struct turn *turn, uint32_t a, struct slice path, struct slice after,
                           char *to, struct slice *ret, struct row_name *ret_name)
{
    struct key prefix, from;
    struct slice key, value;
    key_name(&prefix, a, path);
    if (prefix.len >= KEY_MAX - 1)
        return ERR_NOTFOUND;
    prefix.octets[prefix.len++] = 0x01;
    from = prefix;
    if (after.len) {
        key_name(&from, a, after);
        from.octets[from.len++] = 0x00; /* right behind it: 0x00 is in no name */
    }
    enum err e =
        engine_first(turn->txn, DBI_NAME, key_slice(&prefix), key_slice(&from), &key, &value);
    if (e)
        return e;
    *ret = key_path(key, to);
    return row_name_decode(value, ret_name);
}

static enum err subscribe(struct turn *turn, uint32_t a, struct slice path, bool on)
{
    struct key key;
    unsigned char octets[4];
    struct slice k = key_name(&key, a, path), old;
    enum err e = engine_get(turn->txn, DBI_SUBS, k, &old);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (on == (e == ERR_OK))
        return ERR_OK;
    return on ? turn_put(turn, DBI_SUBS, k, row_value_encode(SLICE_NONE, octets))
              : turn_del(turn, DBI_SUBS, k);
}

static enum err journal(struct turn *turn, const struct mailbox_op *op, uint32_t m,
                        enum log_what what)
{
    struct journal_line line = {.actor = &op->actor, .a = op->op.acct, .m = m, .what = what};
    return turn_journal(turn, &line);
}

/* --- make ----------------------------------------------------------------------------------------
 */

enum err mailbox_make(struct turn *turn, struct acct *acct, struct slice path, enum special_use use,
                      struct box *ret)
{
    struct row_name name = {0};
    enum err e = name_get(turn, acct->a, path, &name);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (!e && name.m)
        return ERR_EXISTS;
    name = (struct row_name){.m = acct->row.next_mbox++};
    *ret = (struct box){.a = acct->a, .m = name.m};
    ret->row = (struct row_mbox){.special_use = (uint8_t)use,
                                 .uidvalidity = account_uidvalidity(acct, turn->now),
                                 .uidnext = 1,
                                 .highestmodseq = 1,
                                 .mailboxid = random_u64(),
                                 .restores = turn->env->restores,
                                 .created = turn->now};
    memcpy(ret->path, path.ptr, path.len);
    ret->row.path = slice(ret->path, path.len);
    acct->row.nmbox++;
    e = name_put(turn, acct->a, path, &name);
    if (!e)
        e = turn_box_save(turn, ret);
    if (!e)
        turn_account_event(turn, acct->a, name.m, ACCOUNT_CREATED);
    return e;
}

enum err mailbox_make_defaults(struct turn *turn, struct acct *acct)
{
    static const struct {
        struct slice path;
        enum special_use use;
    } defaults[] = {
        {{"INBOX", 5},   USE_NONE   },
        {{"Sent", 4},    USE_SENT   },
        {{"Drafts", 6},  USE_DRAFTS },
        {{"Trash", 5},   USE_TRASH  },
        {{"Junk", 4},    USE_JUNK   },
        {{"Archive", 7}, USE_ARCHIVE},
    };
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < sizeof defaults / sizeof *defaults; i++) {
        struct box box;
        e = mailbox_make(turn, acct, defaults[i].path, defaults[i].use, &box);
        if (!e)
            e = subscribe(turn, acct->a, defaults[i].path, true);
    }
    return e;
}

enum err mailbox_trash(struct turn *turn, struct acct *acct, struct box *ret)
{
    struct key prefix, from;
    struct slice of_acct = key_a(&prefix, acct->a), found, value;
    for (uint32_t m = 0;;) {
        enum err e =
            engine_first(turn->txn, DBI_MBOX, of_acct, key_am(&from, acct->a, m), &found, &value);
        if (e == ERR_NOTFOUND)
            break;
        if (e || !key_get32(found, 4, &m))
            return e ? e : ERR_CORRUPT;
        e = box_load(turn->txn, turn->env, acct->a, m, ret);
        if (e || (ret->row.special_use == USE_TRASH && ret->row.state == MBOX_LIVE))
            return e;
        if (m++ == UINT32_MAX)
            break;
    }
    enum err e = box_find(turn->txn, turn->env, acct->a, SLICE("Trash"), ret);
    if (e == ERR_NOTFOUND)
        e = mailbox_make(turn, acct, SLICE("Trash"), USE_TRASH, ret);
    return e;
}

enum err mailbox_make_path(struct turn *turn, struct acct *acct, struct slice path,
                           enum special_use use, uint32_t most, struct box *ret)
{
    for (size_t at = 0; at < path.len; at++) {
        struct row_name name;
        struct box parent;
        if (path.ptr[at] != '/')
            continue;
        enum err e = name_get(turn, acct->a, slice_first(path, at), &name);
        if (e == ERR_NOTFOUND)
            e = mailbox_make(turn, acct, slice_first(path, at), USE_NONE, &parent);
        if (e)
            return e;
    }
    enum err e = mailbox_make(turn, acct, path, use, ret);
    return !e && most && acct->row.nmbox > most ? ERR_LIMIT : e;
}

static enum err create_apply(struct op *base, struct turn *turn)
{
    struct mailbox_op *op = (struct mailbox_op *)base;
    struct acct acct;
    struct box box;
    struct row_name name;
    enum err e = account_for_change(turn, op->op.acct, &acct);
    if (e)
        return e;
    e = name_get(turn, acct.a, op->path, &name);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (!e && name.m)
        return ERR_EXISTS;
    if (op->limits.mailboxes && acct.row.nmbox >= op->limits.mailboxes)
        return ERR_LIMIT;
    e = mailbox_make_path(turn, &acct, op->path, op->use, op->limits.mailboxes, &box);
    if (!e)
        e = turn_acct_save(turn, &acct);
    if (!e)
        e = journal(turn, op, box.m, LOG_MBOX_CREATED);
    if (!e) {
        base->result.mailbox = box.m;
        base->result.uidvalidity = box.row.uidvalidity;
    }
    return e;
}

/* --- delete --------------------------------------------------------------------------------------
 */

/* A \Noselect name goes with its last child. */
static enum err drop_empty_parents(struct turn *turn, uint32_t a, struct slice path)
{
    for (path = parent_of(path); path.len; path = parent_of(path)) {
        struct row_name name, child_name;
        char room[PATH_OCTETS_MAX];
        struct slice child;
        enum err e = name_get(turn, a, path, &name);
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (name.m)
            return ERR_OK;
        e = next_child(turn, a, path, SLICE_NONE, room, &child, &child_name);
        if (e != ERR_NOTFOUND)
            return e;
        if ((e = name_del(turn, a, path)))
            return e;
    }
    return ERR_OK;
}

static enum err delete_apply(struct op *base, struct turn *turn)
{
    struct mailbox_op *op = (struct mailbox_op *)base;
    struct acct acct;
    struct box box;
    struct row_name name, child_name;
    char room[PATH_OCTETS_MAX];
    struct slice child;
    if (slice_eq(op->path, SLICE("INBOX")))
        return ERR_CANNOT;
    enum err e = account_for_change(turn, op->op.acct, &acct);
    if (!e)
        e = name_get(turn, acct.a, op->path, &name);
    if (e)
        return e;
    enum err childless = next_child(turn, acct.a, op->path, SLICE_NONE, room, &child, &child_name);
    if (childless && childless != ERR_NOTFOUND)
        return childless;
    if (!name.m)
        return childless ? ERR_CORRUPT : ERR_CANNOT;
    if ((e = box_load(turn->txn, turn->env, acct.a, name.m, &box)))
        return e;

    box.row.state = MBOX_DELETED;
    box.row.highestmodseq++;
    struct row_gone gone = {.kind = GONE_MBOX,
                            .why = GONE_MAILBOX,
                            .expunge_modseq = box.row.highestmodseq,
                            .conn = op->actor.conn,
                            .path = op->path};
    if (!op->limits.undelete_s)
        gone.why |= GONE_IS_TRANSIENT;
    struct key key;
    unsigned char octets[ROW_MAX];
    uint32_t time = gone.why & GONE_IS_TRANSIENT ? GONE_TRANSIENT : turn->now;
    acct.row.nmbox--;
    acct.row.used_bytes -= box.row.bytes;
    acct.row.used_msgs -= box.row.exists;
    acct.row.gone_bytes += box.row.bytes;
    acct.row.gone_msgs += box.row.exists;
    turn->transients |= time == GONE_TRANSIENT;
    e = turn_put(turn, DBI_GONE, key_gone(&key, acct.a, time, box.m, 0),
                 row_gone_encode(&gone, octets));
    if (!e && !childless)
        e = name_put(turn, acct.a, op->path, &(struct row_name){.flags = NAME_NOSELECT});
    else if (!e)
        e = name_del(turn, acct.a, op->path);
    if (!e && childless)
        e = drop_empty_parents(turn, acct.a, op->path);
    if (!e)
        e = turn_box_save(turn, &box);
    if (!e)
        e = turn_acct_save(turn, &acct);
    if (!e)
        e = journal(turn, op, box.m, LOG_MBOX_DELETED);
    if (!e)
        turn_account_event(turn, acct.a, box.m, ACCOUNT_DELETED);
    return e;
}

/* --- rename --------------------------------------------------------------------------------------
 */

static enum err rename_one(struct turn *turn, struct acct *acct, struct slice from, struct slice to,
                           const struct row_name *name)
{
    struct box box;
    struct row_name there;
    if (to.len > PATH_OCTETS_MAX)
        return ERR_CANNOT;
    enum err e = name_get(turn, acct->a, to, &there);
    if (!e && there.m)
        return ERR_EXISTS;
    if (e && e != ERR_NOTFOUND)
        return e;
    e = name_del(turn, acct->a, from);
    if (!e)
        e = name_put(turn, acct->a, to, name);
    if (e || !name->m)
        return e;
    e = box_load(turn->txn, turn->env, acct->a, name->m, &box);
    if (e)
        return e;
    memcpy(box.path, to.ptr, to.len);
    box.row.path = slice(box.path, to.len);
    turn_account_event(turn, acct->a, box.m, ACCOUNT_RENAMED);
    return turn_box_save(turn, &box);
}

/* Would every child's new path fit, and is each free? Checked before anything is written. */
static enum err rename_check(struct turn *turn, uint32_t a, struct slice from, struct slice to)
{
    char room[PATH_OCTETS_MAX];
    struct slice child = SLICE_NONE;
    struct row_name name;
    enum err e;
    while (!(e = next_child(turn, a, from, child, room, &child, &name)))
        if (child.len - from.len + to.len > PATH_OCTETS_MAX)
            return ERR_CANNOT;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err rename_tree(struct turn *turn, struct acct *acct, struct slice from,
                            struct slice to, const struct row_name *name)
{
    enum err e = rename_one(turn, acct, from, to, name);
    for (;;) {
        char room[PATH_OCTETS_MAX], new_room[PATH_OCTETS_MAX];
        struct slice child;
        struct row_name child_name;
        if (e || (e = next_child(turn, acct->a, from, SLICE_NONE, room, &child, &child_name)))
            return e == ERR_NOTFOUND ? ERR_OK : e;
        struct slice rest = slice_from(child, from.len);
        memcpy(new_room, to.ptr, to.len);
        memcpy(new_room + to.len, rest.ptr, rest.len);
        e = rename_one(turn, acct, child, slice(new_room, to.len + rest.len), &child_name);
    }
}

static enum err rename_apply(struct op *base, struct turn *turn)
{
    struct mailbox_op *op = (struct mailbox_op *)base;
    struct acct acct;
    struct box target, source;
    struct row_name name, there;
    enum err e = account_for_change(turn, op->op.acct, &acct);
    if (!e)
        e = name_get(turn, acct.a, op->path, &name);
    if (e)
        return e;
    e = name_get(turn, acct.a, op->to_path, &there);
    if (!e && there.m)
        return ERR_EXISTS;
    if (e && e != ERR_NOTFOUND)
        return e;
    bool below = op->to_path.len > op->path.len && slice_starts(op->to_path, op->path) &&
                 op->to_path.ptr[op->path.len] == '/';
    bool inbox = slice_eq(op->path, SLICE("INBOX"));
    if (below && !inbox)
        return ERR_CANNOT; /* into itself */
    if (!inbox && (e = rename_check(turn, acct.a, op->path, op->to_path)))
        return e;
    if (inbox) {
        e = box_find(turn->txn, turn->env, acct.a, op->path, &source);
        if (!e && source.row.exists > OP_MESSAGES_MAX)
            e = ERR_LIMIT;
        if (e)
            return e;
    }

    /* Parents of the new name first, as CREATE makes them. */
    struct slice parent = parent_of(op->to_path);
    if (parent.len && (e = name_get(turn, acct.a, parent, &there)) == ERR_NOTFOUND)
        e = mailbox_make_path(turn, &acct, parent, USE_NONE, op->limits.mailboxes, &target);
    else
        e = parent.len ? e : ERR_OK;
    if (e)
        return e;
    if (inbox) {
        e = mailbox_make(turn, &acct, op->to_path, USE_NONE, &target);
        if (!e)
            e = copy_all(turn, &acct, &source, &target, &op->actor);
    } else {
        e = rename_tree(turn, &acct, op->path, op->to_path, &name);
        if (!e)
            e = drop_empty_parents(turn, acct.a, op->path);
    }
    if (!e)
        e = turn_acct_save(turn, &acct);
    if (!e)
        e = journal(turn, op, inbox ? target.m : name.m, LOG_MBOX_RENAMED);
    return e;
}

static enum err subscribe_apply(struct op *base, struct turn *turn)
{
    struct mailbox_op *op = (struct mailbox_op *)base;
    struct acct acct;
    struct row_name name = {0};
    enum err e = account_for_change(turn, op->op.acct, &acct);
    if (!e && op->on) {
        e = name_get(turn, acct.a, op->path, &name);
        if (e)
            return e;
    }
    if (!e)
        e = subscribe(turn, acct.a, op->path, op->on);
    if (!e && turn->wrote)
        turn_account_event(turn, acct.a, name.m, ACCOUNT_SUBSCRIBED);
    return e;
}

/* --- undelete ------------------------------------------------------------------------------------
 */

/* The n-th name to try: the path itself, then "path-restored", "path-restored-2"... */
static struct slice nth_name(struct slice path, unsigned n, char *to)
{
    char suffix[32] = "";
    if (n > 1)
        snprintf(suffix, sizeof suffix, "-restored-%u", n);
    else if (n == 1)
        snprintf(suffix, sizeof suffix, "-restored");
    size_t add = strlen(suffix), parent = parent_of(path).len, start = parent ? parent + 1 : 0;
    size_t most = start + COMPONENT_OCTETS_MAX < PATH_OCTETS_MAX ? start + COMPONENT_OCTETS_MAX
                                                                 : PATH_OCTETS_MAX;
    if (path.len > most - add)
        for (path.len = most - add; ((unsigned char)path.ptr[path.len] & 0xc0) == 0x80;)
            path.len--; /* no character is cut in two */
    memcpy(to, path.ptr, path.len);
    memcpy(to + path.len, suffix, add);
    return slice(to, path.len + add);
}

static enum err free_name(struct turn *turn, uint32_t a, struct slice path, char *to,
                          struct slice *ret)
{
    for (unsigned n = 0; n < UINT_MAX; n++) {
        struct row_name name;
        *ret = nth_name(path, n, to);
        enum err e = name_get(turn, a, *ret, &name);
        if (e == ERR_NOTFOUND || (!e && name.m == 0))
            return ERR_OK;
        if (e)
            return e;
    }
    return ERR_EXISTS;
}

/* Has another mailbox been given this use meanwhile? One of a kind is what clients expect. */
static enum err use_is_taken(struct turn *turn, uint32_t a, uint8_t use, bool *ret)
{
    struct engine_cursor cursor;
    struct key key;
    struct slice prefix = key_a(&key, a);
    *ret = false;
    if (use == USE_NONE)
        return ERR_OK;
    enum err e = engine_cursor_open(turn->txn, DBI_MBOX, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    while (!e && !*ret) {
        struct row_mbox row;
        e = row_mbox_decode(cursor.value, &row);
        *ret = !e && row.state == MBOX_LIVE && row.special_use == use;
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err mailbox_restore(struct turn *turn, struct acct *acct, const struct store_limits *limits,
                         struct box *box)
{
    char room[PATH_OCTETS_MAX];
    struct slice path, was = box->row.path;
    struct box parent_box;
    struct row_name name;
    bool taken = false;
    enum err e = free_name(turn, acct->a, was, room, &path);
    if (!e)
        e = use_is_taken(turn, acct->a, box->row.special_use, &taken);
    struct slice parent = parent_of(path);
    if (!e && parent.len && (e = name_get(turn, acct->a, parent, &name)) == ERR_NOTFOUND)
        e = mailbox_make_path(turn, acct, parent, USE_NONE, limits->mailboxes, &parent_box);
    if (!e)
        e = name_put(turn, acct->a, path, &(struct row_name){.m = box->m});
    struct key key;
    struct slice subscribed;
    bool moved = !slice_eq(path, was);
    if (!e && moved && /* a subscription outlives its mailbox, but it is for the old name */
        engine_get(turn->txn, DBI_SUBS, key_name(&key, acct->a, was), &subscribed) == ERR_OK)
        e = subscribe(turn, acct->a, path, true);
    if (e)
        return e;
    memcpy(box->path, path.ptr, path.len);
    box->row.path = slice(box->path, path.len);
    box->row.state = MBOX_LIVE;
    box->row.modseq_floor = ++box->row.highestmodseq;
    if (taken)
        box->row.special_use = USE_NONE;
    acct->row.nmbox++;
    turn_account_event(turn, acct->a, box->m, ACCOUNT_CREATED);
    return turn_box_save(turn, box);
}

/* --- submit --------------------------------------------------------------------------------------
 */

static const struct op_kind create_kind = {"create", create_apply, release, false};
static const struct op_kind delete_kind = {"delete", delete_apply, release, false};
static const struct op_kind rename_kind = {"rename", rename_apply, release, false};
static const struct op_kind subscribe_kind = {"subscribe", subscribe_apply, release, false};

static struct mailbox_op *op_new(struct store_account *account, const struct op_kind *kind,
                                 struct slice path, struct slice to_path, struct store_to to)
{
    struct mailbox_op *op = mem_new(sizeof *op);
    op->op =
        (struct op){.kind = kind, .env = account->env, .acct = account->a, .pages = 24, .to = to};
    op->limits = account->limits;
    op->actor = account->actor;
    memcpy(op->text, path.ptr, path.len);
    op->path = slice(op->text, path.len);
    if (to_path.len)
        memcpy(op->text + path.len, to_path.ptr, to_path.len);
    op->to_path = slice(op->text + path.len, to_path.len);
    return op;
}

void store_mailbox_create(struct store_account *account, struct slice path, enum special_use use,
                          struct store_to to)
{
    struct mailbox_op *op = op_new(account, &create_kind, path, SLICE_NONE, to);
    op->use = use;
    committer_submit(account->env->committer, &op->op);
}

void store_mailbox_delete(struct store_account *account, struct slice path, struct store_to to)
{
    struct mailbox_op *op = op_new(account, &delete_kind, path, SLICE_NONE, to);
    committer_submit(account->env->committer, &op->op);
}

void store_mailbox_rename(struct store_account *account, struct slice from, struct slice to_path,
                          struct store_to to)
{
    struct mailbox_op *op = op_new(account, &rename_kind, from, to_path, to);
    if (slice_eq(from, SLICE("INBOX")))
        op->op.pages = TURN_PAGES + 1; /* as many as it has messages: a turn of its own */
    committer_submit(account->env->committer, &op->op);
}

void store_mailbox_subscribe(struct store_account *account, struct slice path, bool on,
                             struct store_to to)
{
    struct mailbox_op *op = op_new(account, &subscribe_kind, path, SLICE_NONE, to);
    op->on = on;
    committer_submit(account->env->committer, &op->op);
}
