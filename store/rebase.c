/* Moving a view on to what the rows say now. Nothing is told here: the client's numbers stay.
 *
 *      rows at seen  --- arrivals ------> in the snapshot, above told_uid
 *                    --- expunges ------> out of the snapshot; ghosts where the client knew them
 *                    --- flags ---------> pending, or "scan" when the ring cannot name them
 *      rows at the new seen */
#include "store/view.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/boxes.h"

enum err view_tombs(struct engine_txn *txn, const struct box *box, uint64_t after,
                    view_tomb_each *each, void *arg)
{
    struct key prefix, at;
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, DBI_TOMB, key_am(&prefix, box->a, box->m), &cursor);
    if (e)
        return e;
    e = engine_seek(&cursor, key_tomb(&at, box->a, box->m, after + 1, 0));
    while (!e) {
        struct row_tomb row;
        uint64_t modseq = 0;
        e = row_tomb_decode(cursor.value, &row);
        if (!e && !key_get64(cursor.key, 8, &modseq))
            e = ERR_CORRUPT;
        for (uint32_t i = 0; !e && i < row.n; i++) {
            uint32_t first, last;
            tomb_range(&row, i, &first, &last);
            e = each(arg, modseq, row.time, first, last);
        }
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err view_snapshot(struct box_object *object, struct engine_txn *txn, const struct box *box,
                       const struct snapshot *base, const struct uidset *expunged,
                       struct snapshot **ret)
{
    struct snapshot *snap = object_newest(object);
    if (snap && snapshot_is(snap, box)) {
        *ret = snap;
        return ERR_OK;
    }
    snapshot_unref(snap);
    enum err e =
        base ? snapshot_derive(base, txn, box, expunged, &snap) : snapshot_build(txn, box, &snap);
    if (e)
        return e;
    object_offer(object, snap);
    *ret = snap;
    return ERR_OK;
}

/* --- ghosts -------------------------------------------------------------------------------------
 */

/* What has been expunged since the view's snapshot. */
struct departed {
    const struct store_view *view;
    struct uidset uids;
    struct ghost *ghosts; /* those that the client knows */
    uint32_t n, cap, max;
    uint64_t oldest;
};

static enum err depart(void *arg, uint64_t modseq, uint32_t time, uint32_t first, uint32_t last)
{
    struct departed *departed = arg;
    const struct store_view *view = departed->view;
    uidset_add(&departed->uids, first, last);
    if (last > view->told_uid)
        last = view->told_uid;
    uint32_t uid = first;
    while (uid <= last && (uid = snapshot_next(view->snap, uid)) && uid <= last) {
        if (departed->n == departed->max)
            return ERR_LIMIT;
        if (departed->n == departed->cap) {
            departed->cap = departed->cap ? departed->cap * 2 : 8;
            departed->ghosts =
                mem_resize(departed->ghosts, departed->cap * sizeof *departed->ghosts);
        }
        if (departed->n == 0)
            departed->oldest = modseq;
        departed->ghosts[departed->n++] = (struct ghost){uid, time};
        uid++;
    }
    return ERR_OK;
}

static int by_uid(const void *a, const void *b)
{
    uint32_t x = ((const struct ghost *)a)->uid, y = ((const struct ghost *)b)->uid;
    return (x > y) - (x < y);
}

static void add_ghosts(struct store_view *view, struct departed *departed)
{
    if (departed->n == 0)
        return;
    qsort(departed->ghosts, departed->n, sizeof *departed->ghosts, by_uid);
    if (view->nghosts == 0)
        view->ghost_modseq = departed->oldest;
    uint32_t n = view->nghosts + departed->n;
    if (n > view->ghosts_cap) {
        view->ghosts_cap = n + n / 2;
        view->ghosts = mem_resize(view->ghosts, view->ghosts_cap * sizeof *view->ghosts);
    }
    /* Merge from the end: the old ones are in their place already. */
    uint32_t a = view->nghosts, b = departed->n;
    view->nghosts = n;
    while (b) {
        if (a && view->ghosts[a - 1].uid > departed->ghosts[b - 1].uid)
            view->ghosts[--n] = view->ghosts[--a];
        else
            view->ghosts[--n] = departed->ghosts[--b];
    }
}

/* The rows have another message set than the view's snapshot. */
static enum err advance(struct store_view *view, uint32_t ghosts_max, struct engine_txn *txn,
                        const struct box *box)
{
    struct departed departed = {.view = view,
                                .max = ghosts_max > view->nghosts ? ghosts_max - view->nghosts : 0};
    struct snapshot *snap = NULL;
    enum err e = ERR_OK;
    if (box->row.expunge_modseq != view->snap->expunge_modseq) {
        /* Tombstones above the told of an open view stay; see boxes_oldest_told. */
        e = box->row.tomb_floor > view->seen
                ? ERR_CORRUPT
                : view_tombs(txn, box, view->snap->expunge_modseq, depart, &departed);
    }
    if (!e)
        e = view_snapshot(view->pin.object, txn, box, view->snap, &departed.uids, &snap);
    if (!e) {
        add_ghosts(view, &departed);
        snapshot_unref(view->snap);
        view->snap = snap;
    }
    mem_free(departed.ghosts);
    uidset_finish(&departed.uids);
    return e;
}

/* --- rebase
 * --------------------------------------------------------------------------------------- */

enum err view_rebase(struct store_view *view, uint32_t ghosts_max, struct engine_txn **ret_txn,
                     struct box *box)
{
    struct env *env = view->account->env;
    enum err e = reader_snap(view->reader, env, ret_txn);
    if (!e)
        e = box_load(*ret_txn, env, view->account->a, view->m, box);
    /* A mailbox that was deleted and undeleted has a new floor: this view does not come back. */
    if (view->dead || e == ERR_NOTFOUND ||
        (!e && (box->row.state != MBOX_LIVE || box->row.modseq_floor != view->modseq_floor))) {
        view->dead = true;
        return ERR_OK;
    }
    if (e)
        return e;
    if (!snapshot_is(view->snap, box))
        e = advance(view, ghosts_max, *ret_txn, box);
    if (e || box->row.highestmodseq == view->seen)
        return e;
    if (!view->scan && !object_flags(view->pin.object, view->seen, box->row.highestmodseq,
                                     view->pending, &view->npending))
        view->scan = true;
    view->seen = box->row.highestmodseq;
    return ERR_OK;
}

bool view_has_news(const struct store_view *view)
{
    if (view->dead)
        return !view->dead_told;
    return view->nghosts || view->npending || view->scan || view->walk.on ||
           view->snap->uidnext - 1 > view->told_uid || view->seen > view->flags_told;
}

void view_on_event(struct store_view *view)
{
    struct engine_txn *txn;
    struct box box;
    /* An error stays for store_view_sync, which meets it again and can say so. */
    enum err e = view_rebase(view, view->ghosts_max, &txn, &box);
    if (!view->changed || (!e && !view_has_news(view)))
        return;
    void *object = loop_id_find(view->reader->loop, view->watcher);
    if (object)
        view->changed(object);
}
