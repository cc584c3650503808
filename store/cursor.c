/* Walking over the messages of a view. The place is a UID; rows are sought again after each pause,
 * so nothing is held between callbacks. */
#include "store/store.h"

#include <string.h>

#include "core/base/clock.h"
#include "store/view.h"

/* A step that takes this long has waited for the disk: the rows behind it are cold too, and the
 * pool should bring them in. A false alarm costs one trip to the pool. */
enum { COLD_NS = 300000 };

/* As long as no commit lies between, what was lent is still in place. */
static bool in_bucket(const struct store_view *view, const struct engine_txn *txn, uint32_t uid)
{
    return view->at.txn == engine_txn_id(txn) && view->at.bucket == uid >> BUCKET_SHIFT;
}

enum err view_bucket(struct store_view *view, struct engine_txn *txn, uint32_t uid,
                     const struct hot_row **ret)
{
    uint32_t bucket = uid >> BUCKET_SHIFT;
    if (!in_bucket(view, txn, uid)) {
        struct key key;
        struct slice value;
        view->at.txn = 0;
        enum err e =
            engine_get(txn, DBI_HOT, key_amu(&key, view->account->a, view->m, bucket), &value);
        if (!e)
            e = hot_open(value, &view->at.row);
        if (e && e != ERR_NOTFOUND)
            return e;
        view->at.txn = engine_txn_id(txn);
        view->at.bucket = bucket;
        view->at.there = !e;
    }
    *ret = view->at.there ? &view->at.row : NULL;
    return ERR_OK;
}

void store_cursor_init(struct store_cursor *cursor, struct store_view *view,
                       const struct uidset *uids, unsigned want, uint64_t changedsince)
{
    *cursor = (struct store_cursor){
        .view = view, .uids = uids, .want = want, .changedsince = changedsince, .next_uid = 1};
}

/* The first message >= uid that is wanted and in the view, with those behind it whose UIDs and
 * numbers follow, as far as one row of `hot` goes. False: there is none. */
static bool find_run(struct store_cursor *cursor, uint32_t uid)
{
    const struct store_view *view = cursor->view;
    uint32_t wanted, last;
    bool ghost = false;
    do {
        wanted = uid ? uidset_run(cursor->uids, uid, &last) : 0;
        uid = wanted ? view_next(view, wanted, &ghost) : 0;
    } while (uid != wanted);
    if (!uid)
        return false;
    if (last > view->told_uid)
        last = view->told_uid;
    if (last > (uid | (BUCKET_UIDS - 1)))
        last = uid | (BUCKET_UIDS - 1);
    cursor->ahead.txn = 0;
    cursor->run.numbering = view->numbering;
    cursor->run.first = cursor->run.last = uid;
    cursor->run.seqnum = store_view_seqnum(view, uid);
    cursor->run.ghost = ghost;
    return ghost || snapshot_run(view->snap, uid, last, &cursor->run.last);
}

/* The next message: its UID and number are in *ret. Within a run nothing is looked up. */
static bool next_place(struct store_cursor *cursor, struct store_message *ret)
{
    uint32_t uid = cursor->next_uid;
    if (cursor->run.numbering != cursor->view->numbering || uid < cursor->run.first ||
        uid > cursor->run.last) {
        if (!find_run(cursor, uid))
            return false;
        uid = cursor->run.first;
    }
    *ret = (struct store_message){.uid = uid,
                                  .seqnum = cursor->run.seqnum + (uid - cursor->run.first),
                                  .recent = view_is_recent(cursor->view, uid)};
    return true;
}

/* Flags and dates of a ghost: from its `gone` row, under its own time or that of the rows that go
 * as soon as nobody needs them (store/README.md, `gone`). ERR_NOTFOUND: it went. */
static enum err ghost_row(const struct store_view *view, struct engine_txn *txn, uint32_t uid,
                          struct row_gone *ret)
{
    const struct ghost *ghost = view_ghost(view, uid);
    uint32_t time[2] = {GONE_TRANSIENT, ghost ? ghost->time : GONE_TRANSIENT};
    enum err e = ERR_NOTFOUND;
    for (unsigned i = 0; i < 2 && e == ERR_NOTFOUND; i++) {
        struct key key;
        struct slice value;
        e = engine_get(txn, DBI_GONE, key_gone(&key, view->account->a, time[i], view->m, uid),
                       &value);
        if (!e)
            e = row_gone_decode(value, ret);
    }
    return e;
}

static enum err fill_ghost(const struct store_view *view, struct engine_txn *txn,
                           struct store_message *ret)
{
    struct row_gone row = {0};
    enum err e = ghost_row(view, txn, ret->uid, &row);
    if (e && e != ERR_NOTFOUND)
        return e;
    /* What can be brought back is shown as it would come; \Deleted is why it went. */
    ret->ghost = !view->lost || e;
    ret->sysflags = row.sysflags & SYSFLAG_MASK;
    if (view->lost)
        ret->sysflags &= (uint8_t)~FLAG_DELETED;
    else
        ret->sysflags |= FLAG_DELETED;
    ret->keywords = row.keywords;
    ret->zone = row.zone;
    ret->size = row.size;
    ret->internaldate = row.internaldate;
    ret->savedate = row.savedate;
    /* Its last modseq is lost; what the client may remember must stay below the expunge's. */
    ret->modseq = store_view_told(view);
    return ERR_OK;
}

static enum err fill_slot(struct store_view *view, struct engine_txn *txn,
                          const struct hot_row *row, struct store_message *ret)
{
    struct hot_slot slot;
    hot_read(row, ret->uid & (BUCKET_UIDS - 1), &slot);
    ret->sysflags = slot.sysflags & SYSFLAG_MASK;
    ret->zone = slot.zone;
    ret->size = slot.size;
    ret->internaldate = slot.internaldate;
    ret->savedate = slot.savedate;
    ret->modseq = slot.modseq > view->modseq_floor ? slot.modseq : view->modseq_floor;
    return view_known_keywords(view, txn, &slot, &ret->keywords);
}

/* Rows from `msg` on. A ghost may have lost them. */
static enum err fill_msg(const struct store_view *view, struct engine_txn *txn, unsigned want,
                         struct store_message *ret)
{
    struct key key;
    struct slice value;
    struct row_msg row;
    enum err e =
        engine_get(txn, DBI_MSG, key_amu(&key, view->account->a, view->m, ret->uid), &value);
    if (!e)
        e = row_msg_decode(value, &row);
    if (e == ERR_NOTFOUND && ret->ghost) {
        ret->size = 0;
        return ERR_OK;
    }
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    ret->blob = row.blob;
    ret->hdr_len = row.hdr_len;
    ret->lines = row.lines;
    ret->has_nul = row.flags & MSG_HAS_NUL;
    ret->eight_bit = row.flags & MSG_8BIT;
    memcpy(ret->emailid, row.emailid, sizeof ret->emailid);
    ret->thread = row.thread;
    if (!(want & WANT_CACHE))
        return ERR_OK;
    e = engine_get(txn, DBI_CACHE, key_b(&key, row.blob), &ret->cache);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* Memory that nobody has asked for yet is most of what a `cache` row costs: the caller puts one
 * message into words while the octets of the next one are on their way. */
static void look_ahead(struct store_cursor *cursor, struct engine_txn *txn)
{
    enum { LINE = 64, LINES_MAX = 32 };
    struct store_message *next = &cursor->ahead.message;
    cursor->ahead.txn = 0;
    if (!(cursor->want & WANT_CACHE) || !next_place(cursor, next) || cursor->run.ghost ||
        fill_msg(cursor->view, txn, cursor->want, next))
        return;
    cursor->ahead.txn = engine_txn_id(txn);
    struct slice row = slice_first(next->cache, LINE * LINES_MAX);
    for (size_t at = 0; at < row.len; at += LINE)
        __builtin_prefetch(row.ptr + at);
}

/* The bucket is older than changedsince: go on behind it. */
static bool skip_bucket(struct store_cursor *cursor, const struct hot_row *row, uint32_t uid)
{
    if (!cursor->changedsince || row->max_modseq > cursor->changedsince ||
        cursor->view->modseq_floor > cursor->changedsince)
        return false;
    cursor->next_uid = ((uid >> BUCKET_SHIFT) + 1) << BUCKET_SHIFT;
    return true;
}

/* The bucket of a message that the view holds for living; NULL when the rows know better. */
static enum err living(struct store_view *view, struct engine_txn *txn, uint32_t uid,
                       const struct hot_row **ret)
{
    enum err e = view_bucket(view, txn, uid, ret);
    if (e || (*ret && hot_has(*ret, uid & (BUCKET_UIDS - 1))))
        return e;
    if (view->lost) { /* brought back, or dropped */
        *ret = NULL;
        return ERR_OK;
    }
    /* Expunged after the view was last moved on: now it becomes a ghost. */
    struct box box;
    *ret = NULL;
    return view_rebase(view, view->ghosts_max, &txn, &box);
}

/* The message whose place is in *ret, and perhaps its rows from `msg` on. *ret_skip: it is not
 * wanted after all. */
static enum err read_message(struct store_cursor *cursor, struct engine_txn *txn, bool has_rows,
                             struct store_message *ret, bool *ret_skip)
{
    struct store_view *view = cursor->view;
    const struct hot_row *row = NULL;
    *ret_skip = false;
    enum err e = cursor->run.ghost ? ERR_OK : living(view, txn, ret->uid, &row);
    if (e)
        return e;
    cursor->next_uid = ret->uid + 1;
    if (row)
        *ret_skip = skip_bucket(cursor, row, ret->uid);
    if (*ret_skip)
        return ERR_OK;
    e = row ? fill_slot(view, txn, row, ret) : fill_ghost(view, txn, ret);
    /* What happened to a ghost is told as its EXPUNGE, not as a change of flags. */
    *ret_skip = cursor->changedsince && (ret->ghost || ret->modseq <= cursor->changedsince);
    if (!e && !*ret_skip && cursor->want && !has_rows)
        e = fill_msg(view, txn, cursor->want, ret);
    if (!e)
        look_ahead(cursor, txn);
    return e;
}

enum err store_cursor_next(struct store_cursor *cursor, struct store_message *ret)
{
    struct store_view *view = cursor->view;
    struct engine_txn *txn;
    if (view->cold) {
        view->cold = false;
        return ERR_AGAIN;
    }
    enum err e = reader_snap(view->reader, view->account->env, &txn);
    bool skip = true;
    while (!e && skip) {
        if (!next_place(cursor, ret))
            return ERR_NOTFOUND;
        bool has_rows =
            cursor->ahead.message.uid == ret->uid && cursor->ahead.txn == engine_txn_id(txn);
        if (has_rows)
            *ret = cursor->ahead.message;
        /* Only what reads rows can be cold; two looks at the clock cost as much as a slot. */
        bool timed = view->reader->loop && (cursor->want || !in_bucket(view, txn, ret->uid));
        uint64_t before = timed ? clock_mono_ns() : 0;
        e = read_message(cursor, txn, has_rows, ret, &skip);
        if (timed && clock_mono_ns() - before > COLD_NS)
            view->cold = true;
    }
    return e;
}
