/* What the client must now be told, in the order in which it is told: EXPUNGE, then EXISTS and
 * RECENT, then flags; numbers of each are those after what comes before it. */
#include "store/view.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"

/* --- expunges -----------------------------------------------------------------------------------
 */

/* One EXPUNGE after another in UID order: every number is that of its message when those before
 * it are gone, which is one more than how many living ones lie below. */
static void tell_ghosts(struct store_view *view, struct store_changes *ret)
{
    uint32_t n = view->nghosts;
    if (n == 0)
        return;
    view->expunged = mem_new_array(n, sizeof *view->expunged);
    for (uint32_t i = 0; i < n; i++) {
        uint32_t uid = view->ghosts[i].uid;
        view->expunged[i] = snapshot_rank(view->snap, uid) + 1;
        uidset_add(&view->vanished, uid, uid);
        view->nrecent -= view_is_recent(view, uid);
    }
    ret->vanished = &view->vanished;
    ret->expunged = view->expunged;
    ret->nexpunged = n;
    mem_free(view->ghosts);
    view->ghosts = NULL;
    view->nghosts = view->ghosts_cap = 0;
}

static void tell_deleted(struct store_view *view, struct store_changes *ret)
{
    static const struct uidrange all = {1, UINT32_MAX};
    uint32_t n = store_view_exists(view);
    struct uidset wish = {(struct uidrange *)(uintptr_t)&all, 1, 1};
    store_view_select(view, &wish, &view->vanished);
    view->expunged = n ? mem_new_array(n, sizeof *view->expunged) : NULL;
    for (uint32_t i = 0; i < n; i++)
        view->expunged[i] = 1;
    ret->deleted = true;
    ret->vanished = &view->vanished;
    ret->expunged = view->expunged;
    ret->nexpunged = n;
    mem_free(view->ghosts);
    view->ghosts = NULL;
    view->nghosts = view->ghosts_cap = 0;
    view->nrecent = 0;
    view->told_uid = 0;
    view->dead_told = true;
}

/* --- flags ---------------------------------------------------------------------------------------
 */

/* Did the session itself make the message as it is now? */
static bool is_own(const struct store_view *view, uint32_t uid, uint64_t modseq)
{
    for (unsigned i = 0; i < view->nown; i++)
        if (view->own[i].modseq == modseq)
            return uidset_has(&view->own[i].uids, uid);
    return false;
}

static void tell_flagged(struct store_view *view, uint32_t uid, const struct hot_slot *slot,
                         struct store_changes *ret)
{
    if (slot->modseq <= view->flags_told || is_own(view, uid, slot->modseq))
        return;
    uint32_t seqnum = store_view_seqnum(view, uid);
    if (!seqnum)
        return;
    if (ret->nflagged == view->flagged_cap) {
        view->flagged_cap = view->flagged_cap ? view->flagged_cap * 2 : 8;
        view->flagged = mem_resize(view->flagged, view->flagged_cap * sizeof *view->flagged);
    }
    view->flagged[ret->nflagged++] =
        (struct store_flagged){.uid = uid,
                               .seqnum = seqnum,
                               .sysflags = slot->sysflags & SYSFLAG_MASK,
                               .recent = view_is_recent(view, uid),
                               .keywords = slot->keywords,
                               .modseq = slot->modseq};
}

static int by_number(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static enum err tell_pending(struct store_view *view, struct engine_txn *txn, uint32_t last_uid,
                             struct store_changes *ret)
{
    qsort(view->pending, view->npending, sizeof view->pending[0], by_number);
    for (unsigned i = 0; i < view->npending; i++) {
        uint32_t uid = view->pending[i];
        const struct hot_row *row;
        enum err e = view_bucket(view, txn, uid, &row);
        if (e)
            return e;
        if (uid > last_uid || !row || !hot_has(row, uid & (BUCKET_UIDS - 1)))
            continue;
        struct hot_slot slot;
        hot_read(row, uid & (BUCKET_UIDS - 1), &slot);
        tell_flagged(view, uid, &slot, ret);
    }
    view->npending = 0;
    view->flags_told = view->seen;
    return ERR_OK;
}

/* Changed flags of one bucket. False: flagged_max is reached, the walk goes on there. */
static bool walk_bucket(struct store_view *view, const struct hot_row *row, uint32_t bucket,
                        struct store_changes *ret)
{
    if (row->max_modseq <= view->flags_told)
        return true;
    for (unsigned bit = 0; bit < BUCKET_UIDS; bit++) {
        uint32_t uid = (bucket << BUCKET_SHIFT) + bit;
        if (!hot_has(row, bit) || uid < view->walk.next_uid || uid > view->walk.last_uid)
            continue;
        if (ret->nflagged == view->flagged_max) {
            view->walk.next_uid = uid;
            return false;
        }
        struct hot_slot slot;
        hot_read(row, bit, &slot);
        tell_flagged(view, uid, &slot, ret);
    }
    return true;
}

static enum err tell_walk(struct store_view *view, struct engine_txn *txn,
                          struct store_changes *ret)
{
    struct key prefix, at;
    struct engine_cursor cursor;
    uint32_t a = view->account->a;
    enum err e = engine_cursor_open(txn, DBI_HOT, key_am(&prefix, a, view->m), &cursor);
    if (e)
        return e;
    bool through = true;
    e = engine_seek(&cursor, key_amu(&at, a, view->m, view->walk.next_uid >> BUCKET_SHIFT));
    while (!e) {
        struct hot_row row;
        uint32_t bucket = 0;
        e = hot_open(cursor.value, &row);
        if (!e && !key_get32(cursor.key, 8, &bucket))
            e = ERR_CORRUPT;
        if (e || bucket > view->walk.last_uid >> BUCKET_SHIFT)
            break;
        through = walk_bucket(view, &row, bucket, ret);
        if (!through)
            break;
        e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (through) {
        view->walk.on = false;
        /* Unless flags have changed since the walk began, it has brought the view up to date. */
        view->flags_told = view->scan || view->npending ? view->walk.upto : view->seen;
    }
    return ERR_OK;
}

/* New messages need no word about their flags: the client is only now told that they are there. So
 * only those up to `last_uid`, known before this call, are looked at. */
static enum err tell_flags(struct store_view *view, struct engine_txn *txn, uint32_t last_uid,
                           struct store_changes *ret)
{
    if (!view->walk.on && view->scan) {
        view->walk.on = true;
        view->walk.next_uid = 1;
        view->walk.last_uid = last_uid;
        view->walk.upto = view->seen;
        view->scan = false;
        view->npending = 0;
    }
    enum err e = view->walk.on ? tell_walk(view, txn, ret) : tell_pending(view, txn, last_uid, ret);
    ret->flagged = view->flagged;
    ret->more = view->walk.on || view->scan || view->npending;
    return e;
}

static void forget_own(struct store_view *view)
{
    unsigned kept = 0;
    for (unsigned i = 0; i < view->nown; i++) {
        if (view->own[i].modseq > view->flags_told)
            view->own[kept++] = view->own[i];
        else
            uidset_finish(&view->own[i].uids);
    }
    view->nown = kept;
    if (kept == 0) {
        mem_free(view->own);
        view->own = NULL;
    }
}

void store_view_own(struct store_view *view, const struct uidset *uids, uint64_t modseq)
{
    if (modseq <= view->flags_told || uidset_empty(uids))
        return;
    view->own = mem_resize(view->own, (view->nown + 1) * sizeof *view->own);
    struct view_own *own = &view->own[view->nown++];
    *own = (struct view_own){.modseq = modseq};
    uidset_copy(&own->uids, uids);
}

/* --- all of it -----------------------------------------------------------------------------------
 */

enum err store_view_sync(struct store_view *view, unsigned what, struct store_changes *ret)
{
    *ret = (struct store_changes){0};
    uidset_finish(&view->vanished);
    mem_free(view->expunged);
    mem_free(view->flagged);
    view->expunged = NULL;
    view->flagged = NULL;
    view->flagged_cap = 0;
    view->numbering++;
    if (view->lost)
        return recover_sync(view, what, ret);
    if (view->dead_told)
        return ERR_NOTFOUND;

    bool expunge = what & SYNC_EXPUNGE;
    struct engine_txn *txn;
    struct box box;
    /* Ghosts that are told at once need no bound. */
    enum err e = view_rebase(view, expunge ? UINT32_MAX : view->ghosts_max, &txn, &box);
    if (e)
        return e;
    if (view->dead) {
        if (expunge)
            tell_deleted(view, ret);
        return ERR_OK;
    }
    if (view->keywords_seen != view->seen)
        e = view_load_keywords(view, txn, &ret->keywords);
    if (e)
        return e;
    if (expunge)
        tell_ghosts(view, ret);

    uint32_t known = view->told_uid, newest = view->snap->uidnext - 1;
    ret->exists_changed = view->snap->exists != snapshot_rank(view->snap, known);
    view->told_uid = newest;
    view_claim_recent(view, box.row.recent_uid, known, newest);
    ret->exists = store_view_exists(view);
    ret->recent = view->nrecent;

    e = tell_flags(view, txn, known, ret);
    forget_own(view);
    view_set_told(view);
    return e;
}
