#include "store/view.h"

#include <string.h>

#include "core/base/mem.h"
#include "store/boxes.h"
#include "store/keyword.h"
#include "store/lazy.h"
#include "store/retire.h"

/* --- opening ------------------------------------------------------------------------------------
 */

static enum err add_expunged(void *arg, uint64_t modseq, uint32_t time, uint32_t first,
                             uint32_t last)
{
    (void)modseq;
    (void)time;
    uidset_add(arg, first, last);
    return ERR_OK;
}

/* The newest snapshot that the object has is a good base while the tombstones above it are there.
 */
static enum err snapshot_to_open(struct store_view *view, struct engine_txn *txn,
                                 const struct box *box, struct snapshot **ret)
{
    struct box_object *object = view->pin.object;
    struct snapshot *base = object_newest(object);
    struct uidset expunged = {0};
    if (base &&
        (base->expunge_modseq > box->row.expunge_modseq || base->uidnext > box->row.uidnext ||
         (base->expunge_modseq < box->row.expunge_modseq &&
          base->expunge_modseq < box->row.tomb_floor))) {
        snapshot_unref(base);
        base = NULL;
    }
    enum err e = ERR_OK;
    if (!base && view->reader->loop && box->row.exists > LOOP_BUILD_MESSAGES)
        e = ERR_AGAIN;
    if (!e && base && base->expunge_modseq < box->row.expunge_modseq)
        e = view_tombs(txn, box, base->expunge_modseq, add_expunged, &expunged);
    if (!e)
        e = view_snapshot(object, txn, box, base, &expunged, ret);
    uidset_finish(&expunged);
    snapshot_unref(base);
    return e;
}

void view_claim_recent(struct store_view *view, uint32_t stored, uint32_t from, uint32_t upto)
{
    if (from >= upto)
        return;
    uint32_t old = object_recent(view->pin.object, stored, upto, !view->read_only);
    if (!view->read_only && old < upto)
        lazy_recent(view->account->env, view->account->a, view->m, upto);
    uint32_t first = old > from ? old + 1 : from + 1;
    if (first > upto)
        return;
    uint32_t n = snapshot_rank(view->snap, upto) - snapshot_rank(view->snap, first - 1);
    if (n)
        uidset_add(&view->recent, first, upto);
    view->nrecent += n;
}

bool view_is_recent(const struct store_view *view, uint32_t uid)
{
    return uidset_has(&view->recent, uid);
}

enum err store_view_open(struct store_reader *reader, struct store_account *account,
                         struct slice path, unsigned flags, struct store_view **ret)
{
    struct engine_txn *txn;
    struct box box;
    enum err e = reader_snap(reader, account->env, &txn);
    if (!e)
        e = box_find(txn, account->env, account->a, path, &box);
    if (!e && box.row.state != MBOX_LIVE)
        e = ERR_NOTFOUND;
    if (!e && box.row.uidnext == 0)
        e = ERR_CORRUPT;
    if (e)
        return e;
    struct store_view *view = mem_new(sizeof *view);
    *view = (struct store_view){.account = account,
                                .reader = reader,
                                .m = box.m,
                                .uidvalidity = box.row.uidvalidity,
                                .mailboxid = box.row.mailboxid,
                                .modseq_floor = box.row.modseq_floor,
                                .read_only = flags & VIEW_READ_ONLY,
                                .told_uid = box.row.uidnext - 1,
                                .seen = box.row.highestmodseq,
                                .flags_told = box.row.highestmodseq,
                                .ghosts_max = GHOSTS_MAX,
                                .flagged_max = FLAGGED_MAX};
    boxes_pin_told(account->store, box.a, box.m, box.row.highestmodseq, &view->pin);
    bool changed;
    e = snapshot_to_open(view, txn, &box, &view->snap);
    if (!e)
        e = view_load_keywords(view, txn, &changed);
    if (e) {
        store_view_close(view);
        return e;
    }
    view_claim_recent(view, box.row.recent_uid, 0, view->told_uid);
    if (reader->loop)
        watch_join(view, view->seen);
    *ret = view;
    return ERR_OK;
}

void store_view_close(struct store_view *view)
{
    if (!view)
        return;
    watch_leave(view);
    boxes_unpin_told(&view->pin);
    snapshot_unref(view->snap);
    for (unsigned i = 0; i < view->nown; i++)
        uidset_finish(&view->own[i].uids);
    mem_free(view->own);
    mem_free(view->ghosts);
    mem_free(view->lost_sizes);
    uidset_finish(&view->recent);
    uidset_finish(&view->vanished);
    uidset_finish(&view->restored);
    mem_free(view->keywords);
    mem_free(view->expunged);
    mem_free(view->flagged);
    mem_free(view);
}

void store_view_watch(struct store_view *view, uint64_t id, void (*changed)(void *object))
{
    view->watcher = id;
    view->changed = changed;
}

/* --- what is known without looking
 * ---------------------------------------------------------------- */

uint64_t store_view_told(const struct store_view *view)
{
    return atomic_load_explicit(&view->pin.told, memory_order_relaxed);
}

void view_set_told(struct store_view *view)
{
    uint64_t told = view->flags_told;
    if (view->nghosts && view->ghost_modseq - 1 < told)
        told = view->ghost_modseq - 1;
    atomic_store_explicit(&view->pin.told, told, memory_order_relaxed);
}

/* Index of the first ghost with UID >= uid. */
static uint32_t ghost_at(const struct store_view *view, uint32_t uid)
{
    uint32_t lo = 0, hi = view->nghosts;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (view->ghosts[mid].uid < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

const struct ghost *view_ghost(const struct store_view *view, uint32_t uid)
{
    uint32_t at = ghost_at(view, uid);
    return at < view->nghosts && view->ghosts[at].uid == uid ? &view->ghosts[at] : NULL;
}

uint32_t view_ghosts_upto(const struct store_view *view, uint32_t uid)
{
    return uid == UINT32_MAX ? view->nghosts : ghost_at(view, uid + 1);
}

uint32_t store_view_exists(const struct store_view *view)
{
    return snapshot_rank(view->snap, view->told_uid) + view->nghosts;
}

uint32_t store_view_uid(const struct store_view *view, uint32_t seqnum)
{
    uint32_t told = snapshot_rank(view->snap, view->told_uid);
    if (seqnum == 0 || seqnum > told + view->nghosts)
        return 0;
    /* The ghosts' own numbers ascend: how many of them come before this one? */
    uint32_t lo = 0, hi = view->nghosts;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        uint32_t number = snapshot_rank(view->snap, view->ghosts[mid].uid) + mid + 1;
        if (number == seqnum)
            return view->ghosts[mid].uid;
        if (number < seqnum)
            lo = mid + 1;
        else
            hi = mid;
    }
    return snapshot_select(view->snap, seqnum - lo);
}

uint32_t store_view_seqnum(const struct store_view *view, uint32_t uid)
{
    if (uid == 0 || uid > view->told_uid)
        return 0;
    if (!snapshot_has(view->snap, uid) && !view_ghost(view, uid))
        return 0;
    return snapshot_rank(view->snap, uid) + view_ghosts_upto(view, uid);
}

uint32_t store_view_max_uid(const struct store_view *view)
{
    return store_view_uid(view, store_view_exists(view));
}

uint32_t view_next(const struct store_view *view, uint32_t uid, bool *ret_ghost)
{
    uint32_t next = uid <= view->told_uid ? snapshot_next(view->snap, uid) : 0;
    if (next > view->told_uid)
        next = 0;
    uint32_t at = ghost_at(view, uid);
    *ret_ghost = at < view->nghosts && (!next || view->ghosts[at].uid < next);
    return *ret_ghost ? view->ghosts[at].uid : next;
}

/* What of the view lies in first..last. */
static void select_range(const struct store_view *view, uint32_t first, uint32_t last,
                         struct uidset *ret)
{
    if (last > view->told_uid)
        last = view->told_uid;
    uint32_t run_last = 0, run = snapshot_run(view->snap, first, last, &run_last);
    uint32_t at = ghost_at(view, first);
    for (;;) {
        uint32_t ghost = at < view->nghosts ? view->ghosts[at].uid : UINT32_MAX;
        if (ghost <= last && (!run || ghost < run)) {
            uidset_add(ret, ghost, ghost);
            at++;
        } else if (run) {
            uidset_add(ret, run, run_last);
            run = run_last < last ? snapshot_run(view->snap, run_last + 1, last, &run_last) : 0;
        } else {
            return;
        }
    }
}

void store_view_select(const struct store_view *view, const struct uidset *wish, struct uidset *ret)
{
    uidset_clear(ret);
    for (uint32_t i = 0; i < wish->n; i++)
        select_range(view, wish->ranges[i].first, wish->ranges[i].last, ret);
}

/* --- keywords
 * ------------------------------------------------------------------------------------- */

static bool same_keywords(const struct view_keywords *have, const struct row_kw *row)
{
    if (!have || have->n != row->n)
        return false;
    for (unsigned i = 0; i < row->n; i++) {
        struct slice name = row->word[i].state == KW_FREE ? SLICE_NONE : row->word[i].name;
        if (!slice_eq(have->word[i], name))
            return false;
    }
    return true;
}

static struct view_keywords *keep_keywords(const struct row_kw *row, bool full)
{
    size_t octets = 0;
    for (unsigned i = 0; i < row->n; i++)
        octets += row->word[i].name.len;
    struct view_keywords *keep = mem_new(sizeof *keep + row->n * sizeof keep->word[0] + octets);
    char *text = (char *)&keep->word[row->n];
    keep->n = row->n;
    keep->full = full;
    for (unsigned i = 0; i < row->n; i++) {
        struct slice name = row->word[i].name;
        if (row->word[i].state == KW_FREE)
            continue;
        memcpy(text, name.ptr, name.len);
        keep->word[i] = slice(text, name.len);
        text += name.len;
    }
    return keep;
}

enum err view_load_keywords(struct store_view *view, struct engine_txn *txn, bool *ret_changed)
{
    struct row_kw row;
    enum err e = keyword_table(txn, view->account->a, view->m, &row);
    if (e)
        return e;
    bool full = keyword_table_full(view->account->store, &row);
    *ret_changed = !same_keywords(view->keywords, &row) || view->keywords->full != full;
    if (*ret_changed) {
        mem_free(view->keywords);
        view->keywords = keep_keywords(&row, full);
    }
    view->keywords_seen = view->seen;
    view->meant.txn = 0;
    if (view->keywords->full) /* the client will ask for no new one: see if one can be had */
        retire_keywords(view->account->env, view->account->a, view->m);
    return ERR_OK;
}

/* Which bits mean in this snapshot what they mean to the client. */
static enum err compare_keywords(struct store_view *view, struct engine_txn *txn, uint64_t id)
{
    struct row_kw row;
    enum err e = keyword_table(txn, view->account->a, view->m, &row);
    if (e)
        return e;
    view->meant.txn = id;
    view->meant.bits = 0;
    for (unsigned i = 0; i < row.n && i < view->keywords->n; i++)
        if (row.word[i].state != KW_FREE && slice_eq(view->keywords->word[i], row.word[i].name))
            view->meant.bits |= (uint64_t)1 << i;
    return ERR_OK;
}

enum err view_known_keywords(struct store_view *view, struct engine_txn *txn,
                             const struct hot_slot *slot, uint64_t *ret)
{
    *ret = slot->keywords;
    if (slot->modseq <= view->keywords_seen || !slot->keywords)
        return ERR_OK;
    uint64_t id = engine_txn_id(txn);
    enum err e = view->meant.txn == id ? ERR_OK : compare_keywords(view, txn, id);
    *ret &= view->meant.bits;
    return e;
}

struct slice store_view_keyword(const struct store_view *view, unsigned bit)
{
    return bit < view->keywords->n ? view->keywords->word[bit] : SLICE_NONE;
}

unsigned store_view_nkeywords(const struct store_view *view)
{
    return view->keywords->n;
}

/* --- info
 * ----------------------------------------------------------------------------------------- */

/* The first unseen message that the client knows, from the row's lower bound on: most buckets are
 * passed by their count. A bound that saves the next one passing them is told. */
static enum err first_unseen(const struct store_view *view, struct engine_txn *txn,
                             const struct box *box, uint32_t *ret_uid)
{
    struct key prefix, at;
    struct engine_cursor cursor;
    uint32_t bound = 0; /* the first in the rows, whether the client knows it or not */
    *ret_uid = 0;
    if (box->row.unseen == 0)
        return ERR_OK;
    struct slice mailbox = key_am(&prefix, box->a, box->m);
    enum err e = engine_cursor_open(txn, DBI_HOT, mailbox, &cursor);
    if (e)
        return e;
    e = engine_seek(&cursor, key_amu(&at, box->a, box->m, box->row.first_unseen >> BUCKET_SHIFT));
    while (!e && *ret_uid == 0) {
        struct hot_row row;
        uint32_t bucket = 0;
        e = hot_open(cursor.value, &row);
        if (!e && !key_get32(cursor.key, 8, &bucket))
            e = ERR_CORRUPT;
        for (unsigned bit = 0; !e && row.unseen && !*ret_uid && bit < BUCKET_UIDS; bit++) {
            struct hot_slot slot;
            uint32_t uid = (bucket << BUCKET_SHIFT) + bit;
            if (!hot_has(&row, bit))
                continue;
            hot_read(&row, bit, &slot);
            if (slot.sysflags & FLAG_SEEN)
                continue;
            if (!bound)
                bound = uid;
            if (uid <= view->told_uid && snapshot_has(view->snap, uid))
                *ret_uid = uid;
        }
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    if (bound >> BUCKET_SHIFT > box->row.first_unseen >> BUCKET_SHIFT)
        lazy_first_unseen(view->account->env, box->a, box->m, bound, box->row.highestmodseq);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err store_view_info(struct store_view *view, bool want_unseen, struct store_view_info *ret)
{
    uint32_t unseen = 0;
    if (want_unseen && !view->dead && !view->lost) {
        struct engine_txn *txn;
        struct box box;
        enum err e = reader_snap(view->reader, view->account->env, &txn);
        if (!e)
            e = box_load(txn, view->account->env, view->account->a, view->m, &box);
        if (!e)
            e = first_unseen(view, txn, &box, &unseen);
        if (e)
            return e;
    }
    *ret = (struct store_view_info){.mailbox = view->m,
                                    .uidvalidity = view->uidvalidity,
                                    .uidnext = view->told_uid + 1,
                                    .exists = store_view_exists(view),
                                    .recent = view->nrecent,
                                    .unseen_seqnum = store_view_seqnum(view, unseen),
                                    .mailboxid = view->mailboxid,
                                    .read_only = view->read_only,
                                    .lost = view->lost,
                                    .keywords_full = view->keywords->full};
    return ERR_OK;
}
