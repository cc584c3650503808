/* Recoverable/: the undelete window as mailboxes that can be read. A mailbox that something was
 * lost from is shown under its path; of several with one path the newest has it, the others have
 * their number behind it. Who looks gets a view that stands still: of a deleted mailbox its
 * messages, of every mailbox what was expunged from it. Only the newest ROWS_MAX rows are looked
 * at; the admin tool shows all. They are read in the pool: 10,000 rows take a loop too long.
 *
 *      messages of the view = `hot` of a deleted mailbox (its snapshot), and `gone` rows (its
 *                             ghosts, which are told as what they were)
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/boxes.h"
#include "store/mailbox.h"
#include "store/view.h"
#include "store/warm.h"

enum { ROWS_MAX = 10000, FORMERS_MAX = 500, BUILD_MESSAGES_MAX = 50000 };

struct lost_row {
    uint32_t m, uid, time, size;
};

/* A mailbox that something was lost from. */
struct former {
    uint32_t m, first, end; /* its messages among the rows */
    uint32_t deleted;       /* when; 0: it is there */
    struct box box;
    char name[PATH_OCTETS_MAX];
    size_t name_len;
};

struct store_lost_tree {
    struct lost_row *rows;
    uint32_t nrows;
    struct former *list; /* the newest first */
    uint32_t n;
};

void store_lost_free(struct store_lost_tree *f)
{
    if (!f)
        return;
    mem_free(f->rows);
    mem_free(f->list);
    mem_free(f);
}

static struct slice name_of(const struct former *former)
{
    return slice(former->name, former->name_len);
}

/* By mailbox, the newest first, then by UID. */
static int compare_rows(const void *a, const void *b)
{
    const struct lost_row *x = a, *y = b;
    if (x->m != y->m)
        return x->m > y->m ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static enum err read_rows(struct engine_txn *txn, uint32_t a, struct store_lost_tree *f)
{
    struct engine_cursor cursor;
    struct key key, prefix;
    f->rows = mem_new_array(ROWS_MAX, sizeof *f->rows);
    enum err e = engine_cursor_open(txn, DBI_GONE, key_a(&prefix, a), &cursor);
    if (!e)
        e = engine_seek_before(&cursor, key_gone(&key, a, GONE_TRANSIENT, 0, 0));
    while (!e && f->nrows < ROWS_MAX) {
        struct lost_row *to = &f->rows[f->nrows++];
        struct row_gone row;
        if (!key_get32(cursor.key, 4, &to->time) || !key_get32(cursor.key, 8, &to->m) ||
            !key_get32(cursor.key, 12, &to->uid) || row_gone_decode(cursor.value, &row))
            e = ERR_CORRUPT;
        else
            to->size = row.size;
        if (!e)
            e = engine_prev(&cursor);
    }
    engine_cursor_close(&cursor);
    qsort(f->rows, f->nrows, sizeof *f->rows, compare_rows);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* Its path, with the number behind it if a newer one has that. */
static void give_name(struct store_lost_tree *f, struct former *former)
{
    struct slice path = former->box.row.path;
    bool taken = false;
    for (uint32_t i = 0; i < f->n && !taken; i++)
        taken = slice_eq(f->list[i].box.row.path, path);
    int n = taken ? snprintf(former->name, sizeof former->name, SLICE_FMT "-%u", SLICE_ARG(path),
                             former->m)
                  : snprintf(former->name, sizeof former->name, SLICE_FMT, SLICE_ARG(path));
    former->name_len = n > 0 && (size_t)n < sizeof former->name ? (size_t)n : 0;
}

/* Rows of a mailbox that is cleared away have no place to be shown in. */
static enum err add_former(struct engine_txn *txn, const struct env *env, uint32_t a,
                           struct store_lost_tree *f, uint32_t first, uint32_t end)
{
    struct former *former = &f->list[f->n];
    *former = (struct former){.m = f->rows[first].m, .first = first, .end = end};
    if (f->rows[first].uid == 0) {
        former->deleted = f->rows[first].time;
        former->first++;
    }
    enum err e = box_load(txn, env, a, former->m, &former->box);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    give_name(f, former);
    bool shown = former->box.row.state == (former->deleted ? MBOX_DELETED : MBOX_LIVE);
    f->n += shown && former->name_len;
    return ERR_OK;
}

static enum err tree_read(struct engine_txn *txn, const struct env *env, uint32_t a,
                          struct store_lost_tree **ret)
{
    struct store_lost_tree *f = mem_new(sizeof *f);
    f->list = mem_new_array(FORMERS_MAX, sizeof *f->list);
    enum err e = read_rows(txn, a, f);
    for (uint32_t at = 0, end; !e && at < f->nrows && f->n < FORMERS_MAX; at = end) {
        for (end = at + 1; end < f->nrows && f->rows[end].m == f->rows[at].m;)
            end++;
        e = add_former(txn, env, a, f, at, end);
    }
    if (e)
        store_lost_free(f);
    else
        *ret = f;
    return e;
}

enum err store_lost_read(struct store_reader *reader, struct store_account *account,
                         struct store_lost_tree **ret)
{
    struct engine_txn *txn;
    enum err e = reader_snap(reader, account->env, &txn);
    return e ? e : tree_read(txn, account->env, account->a, ret);
}

static const struct former *former_find(const struct store_lost_tree *f, struct slice name)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (slice_eq(name_of(&f->list[i]), name))
            return &f->list[i];
    return NULL;
}

/* --- LIST and STATUS ----------------------------------------------------------------------------
 */

/* What is lost later may have a lower UID than what is shown: then the UIDs are others. */
static uint32_t uidvalidity_of(const struct former *former)
{
    const struct row_mbox *row = &former->box.row;
    uint32_t n = (uint32_t)(former->deleted ? row->highestmodseq : row->expunge_modseq);
    return n ? n : 1;
}

static struct store_status status_of(const struct store_lost_tree *f, const struct former *former)
{
    const struct row_mbox *row = &former->box.row;
    uint32_t expunged = former->end - former->first;
    struct store_status status = {.mailbox = former->m,
                                  .uidvalidity = uidvalidity_of(former),
                                  .uidnext = row->uidnext,
                                  .messages = expunged,
                                  .highestmodseq = row->highestmodseq};
    for (uint32_t i = former->first; i < former->end; i++)
        status.octets += f->rows[i].size;
    if (former->deleted) {
        status.messages += row->exists;
        status.octets += row->bytes;
    }
    return status;
}

static bool is_below(struct slice name, struct slice parent)
{
    return name.len > parent.len && slice_starts(name, parent) && name.ptr[parent.len] == '/';
}

static bool has_children(const struct store_lost_tree *f, struct slice name)
{
    for (uint32_t i = 0; i < f->n; i++)
        if (is_below(name_of(&f->list[i]), name))
            return true;
    return false;
}

/* Has an earlier one of the list this parent too? */
static bool parent_told(const struct store_lost_tree *f, uint32_t i, struct slice parent)
{
    for (uint32_t j = 0; j < i; j++)
        if (is_below(name_of(&f->list[j]), parent))
            return true;
    return former_find(f, parent) != NULL;
}

/* Names above others that are no mailboxes of the tree themselves. False: `each` has had enough. */
static bool tell_parents(const struct store_lost_tree *f, uint32_t i, store_mailbox_each *each,
                         void *arg)
{
    struct slice name = name_of(&f->list[i]);
    for (size_t n = slice_find(name, '/'); n < name.len;
         n += 1 + slice_find(slice_from(name, n + 1), '/')) {
        struct store_mailbox parent = {.path = slice_first(name, n),
                                       .flags = MAILBOX_NOSELECT | MAILBOX_CHILDREN};
        if (!parent_told(f, i, parent.path) && !each(arg, &parent))
            return false;
    }
    return true;
}

void store_lost_list(const struct store_lost_tree *f, store_mailbox_each *each, void *arg)
{
    for (uint32_t i = 0; i < f->n; i++) {
        struct store_mailbox mailbox = {
            .path = name_of(&f->list[i]), .has_status = true, .status = status_of(f, &f->list[i])};
        if (has_children(f, mailbox.path))
            mailbox.flags |= MAILBOX_CHILDREN;
        if (!tell_parents(f, i, each, arg) || !each(arg, &mailbox))
            break;
    }
}

enum err store_lost_status(const struct store_lost_tree *f, struct slice path,
                           struct store_status *ret)
{
    const struct former *former = former_find(f, path);
    if (!former)
        return ERR_NOTFOUND;
    *ret = status_of(f, former);
    return ERR_OK;
}

/* --- the view ------------------------------------------------------------------------------------
 */

/* A mailbox that is there shows nothing of what it holds: 0 is no mailbox, and empty. */
static enum err snapshot_of(struct engine_txn *txn, const struct former *former,
                            struct snapshot **ret)
{
    struct box box = former->box;
    if (!former->deleted)
        box.m = 0;
    return box.row.exists > BUILD_MESSAGES_MAX && former->deleted ? ERR_LIMIT
                                                                  : snapshot_build(txn, &box, ret);
}

static void take_ghosts(struct store_view *view, const struct store_lost_tree *f,
                        const struct former *former)
{
    uint32_t n = former->end - former->first;
    view->ghosts = n ? mem_new_array(n, sizeof *view->ghosts) : NULL;
    view->lost_sizes = n ? mem_new_array(n, sizeof *view->lost_sizes) : NULL;
    view->nghosts = view->ghosts_cap = n;
    for (uint32_t i = 0; i < n; i++) {
        const struct lost_row *row = &f->rows[former->first + i];
        view->lost_sizes[i] = row->size;
        view->ghosts[i] = (struct ghost){.uid = row->uid, .time = row->time};
    }
}

static enum err open_view(struct store_reader *reader, struct store_account *account,
                          struct engine_txn *txn, const struct store_lost_tree *f,
                          const struct former *former, struct store_view **ret)
{
    const struct row_mbox *row = &former->box.row;
    struct store_view *view = mem_new(sizeof *view);
    bool changed;
    *view = (struct store_view){.account = account,
                                .reader = reader,
                                .m = former->m,
                                .uidvalidity = uidvalidity_of(former),
                                .modseq_floor = row->modseq_floor,
                                .read_only = true,
                                .lost = true,
                                .lost_time = former->deleted,
                                .told_uid = row->uidnext - 1,
                                .seen = row->highestmodseq,
                                .flags_told = row->highestmodseq};
    boxes_pin_told(account->store, account->a, former->m, row->highestmodseq, &view->pin);
    take_ghosts(view, f, former);
    enum err e = snapshot_of(txn, former, &view->snap);
    if (!e)
        e = view_load_keywords(view, txn, &changed);
    if (e)
        store_view_close(view);
    else
        *ret = view;
    return e;
}

enum err store_lost_open(struct store_reader *reader, struct store_account *account,
                         struct slice path, struct store_view **ret)
{
    struct engine_txn *txn;
    struct store_lost_tree *f = NULL;
    enum err e = reader_snap(reader, account->env, &txn);
    if (!e)
        e = tree_read(txn, account->env, account->a, &f);
    const struct former *former = e ? NULL : former_find(f, path);
    if (!e)
        e = former ? open_view(reader, account, txn, f, former, ret) : ERR_NOTFOUND;
    store_lost_free(f);
    return e;
}

/* --- in the pool ---------------------------------------------------------------------------------
 */

struct warm_tree {
    struct warm warm;
    struct store_lost_tree *tree;
};

static enum err tree_run(struct warm *warm, struct store_reader *reader)
{
    struct warm_tree *w = (struct warm_tree *)warm;
    struct engine_txn *txn;
    enum err e = reader_snap(reader, warm->env, &txn);
    return e ? e : tree_read(txn, warm->env, warm->a, &w->tree);
}

static void tree_tell(struct warm *warm, struct store_result *ret)
{
    ret->lost = ((struct warm_tree *)warm)->tree;
}

static void tree_free(struct warm *warm)
{
    struct warm_tree *w = (struct warm_tree *)warm;
    store_lost_free(w->tree);
    mem_free(w);
}

void store_warm_lost(struct store_account *account, struct store_to to)
{
    static const struct warm_kind kind = {tree_run, tree_tell, tree_free};
    struct warm_tree *w = mem_new(sizeof *w);
    warm_submit(&w->warm, &kind, account, to);
}

/* The session's account is not the worker's to look at: it has one that will do, and the view is
 * given its own when it is handed over. */
struct warm_view {
    struct warm warm;
    struct store_account stand_in, *account;
    struct store_view *view;
    size_t path_len;
    char path[PATH_OCTETS_MAX];
};

static enum err view_run(struct warm *warm, struct store_reader *reader)
{
    struct warm_view *w = (struct warm_view *)warm;
    w->stand_in = (struct store_account){.store = warm->store, .env = warm->env, .a = warm->a};
    return store_lost_open(reader, &w->stand_in, slice(w->path, w->path_len), &w->view);
}

static void view_tell(struct warm *warm, struct store_result *ret)
{
    struct warm_view *w = (struct warm_view *)warm;
    if (!w->view)
        return;
    w->view->account = w->account;
    w->view->reader = store_reader_of(warm->store, warm->to.loop);
    ret->view = w->view;
    w->view = NULL;
}

static void view_free(struct warm *warm)
{
    struct warm_view *w = (struct warm_view *)warm;
    store_view_close(w->view);
    mem_free(w);
}

void store_warm_lost_view(struct store_account *account, struct slice path, struct store_to to)
{
    static const struct warm_kind kind = {view_run, view_tell, view_free};
    struct warm_view *w = mem_new(sizeof *w);
    w->account = account;
    w->path_len = path.len < sizeof w->path ? path.len : sizeof w->path;
    memcpy(w->path, path.ptr, w->path_len);
    warm_submit(&w->warm, &kind, account, to);
}

/* --- bringing back -------------------------------------------------------------------------------
 */

/* Its name in the window, and its size. ERR_NOTFOUND: it is not there any more. */
static enum err lost_of(struct store_view *view, struct engine_txn *txn, uint32_t uid,
                        struct store_lost *ret)
{
    const struct ghost *ghost = view_ghost(view, uid);
    const struct hot_row *row;
    struct hot_slot slot;
    *ret = (struct store_lost){.mailbox = view->m, .uid = uid, .messages = 1};
    if (ghost) {
        ret->time = ghost->time;
        ret->octets = view->lost_sizes[ghost - view->ghosts];
        return ERR_OK;
    }
    enum err e = view_bucket(view, txn, uid, &row);
    if (e || !row || !hot_has(row, uid & (BUCKET_UIDS - 1)))
        return e ? e : ERR_NOTFOUND;
    hot_read(row, uid & (BUCKET_UIDS - 1), &slot);
    ret->time = view->lost_time;
    ret->octets = slot.size;
    return ERR_OK;
}

static void failed_release(struct op *op)
{
    mem_free(op);
}

static void fail(const struct store_view *view, enum err e, struct store_to to)
{
    static const struct op_kind kind = {.name = "undelete", .release = failed_release};
    struct op *op = mem_new(sizeof *op);
    *op = (struct op){.kind = &kind, .env = view->account->env, .to = to, .result.err = e};
    op_complete(op);
}

void store_lost_restore(struct store_view *view, const struct uidset *uids, struct slice to_path,
                        struct store_to to)
{
    struct engine_txn *txn;
    struct store_lost *lost = mem_new_array(uidset_count(uids) + 1, sizeof *lost);
    size_t n = 0;
    enum err e = reader_snap(view->reader, view->account->env, &txn);
    for (uint32_t uid = uidset_next(uids, 1); !e && uid; uid = uidset_next(uids, uid + 1)) {
        e = lost_of(view, txn, uid, &lost[n]);
        n += !e;
        if (e == ERR_NOTFOUND) /* brought back otherwise, or dropped */
            e = ERR_OK;
    }
    if (e)
        fail(view, e, to);
    else
        store_undelete(view->account, lost, n, to_path, to);
    mem_free(lost);
}

void store_lost_restored(struct store_view *view, const struct uidset *uids)
{
    uidset_finish(&view->restored);
    uidset_copy(&view->restored, uids);
}

/* Of the view, those that went: numbers as EXPUNGE responses count them, one after the other. */
static void tell_restored(struct store_view *view, struct store_changes *ret)
{
    uint32_t kept = 0, told = 0;
    store_view_select(view, &view->restored, &view->vanished);
    view->expunged = mem_new_array(uidset_count(&view->vanished) + 1, sizeof *view->expunged);
    for (uint32_t uid = uidset_next(&view->vanished, 1); uid;
         uid = uidset_next(&view->vanished, uid + 1), told++)
        view->expunged[told] = store_view_seqnum(view, uid) - told;
    for (uint32_t i = 0; i < view->nghosts; i++)
        if (!uidset_has(&view->vanished, view->ghosts[i].uid)) {
            view->lost_sizes[kept] = view->lost_sizes[i];
            view->ghosts[kept++] = view->ghosts[i];
        }
    view->nghosts = kept;
    uidset_finish(&view->restored);
    ret->vanished = &view->vanished;
    ret->expunged = view->expunged;
    ret->nexpunged = told;
}

/* Messages of the deleted mailbox itself. */
static enum err leave_snapshot(struct store_view *view)
{
    struct engine_txn *txn;
    struct box box;
    struct snapshot *snap;
    enum err e = reader_snap(view->reader, view->account->env, &txn);
    if (!e)
        e = box_load(txn, view->account->env, view->account->a, view->m, &box);
    if (!e)
        e = snapshot_derive(view->snap, txn, &box, &view->vanished, &snap);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e; /* it left the window meanwhile */
    snapshot_unref(view->snap);
    view->snap = snap;
    return ERR_OK;
}

enum err recover_sync(struct store_view *view, unsigned what, struct store_changes *ret)
{
    enum err e = ERR_OK;
    if (what & SYNC_EXPUNGE && !uidset_empty(&view->restored)) {
        tell_restored(view, ret);
        if (view->lost_time)
            e = leave_snapshot(view);
    }
    ret->exists = store_view_exists(view);
    return e;
}
