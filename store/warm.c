#include "store/warm.h"

#include "core/base/mem.h"
#include "store/boxes.h"
#include "store/view.h"

enum { WARM_MESSAGES = 256 }; /* a window of output takes some hundred messages at most */

static struct warm *warm_of_job(struct job *job)
{
    return (struct warm *)((char *)job - offsetof(struct warm, job));
}

/* --- any such job -------------------------------------------------------------------------------
 */

static void warm_run(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct warm *warm = warm_of_job(job);
    struct store_reader *reader;
    warm->err = store_reader_new(warm->store, NULL, &reader);
    if (warm->err)
        return;
    warm->err = warm->kind->run(warm, reader);
    store_reader_free(reader);
}

static void warm_done(struct job *job)
{
    struct warm *warm = warm_of_job(job);
    struct store_to to = warm->to;
    struct store_result result = {.err = warm->err};
    void *object = loop_id_find(to.loop, to.id);
    if (object) {
        warm->kind->tell(warm, &result);
        to.done(object, &result);
    }
    warm->kind->free(warm);
}

static void warm_refused(struct loop *loop, struct post *post)
{
    (void)loop;
    warm_done((struct job *)((char *)post - offsetof(struct job, post)));
}

void warm_submit(struct warm *warm, const struct warm_kind *kind, struct store_account *account,
                 struct store_to to)
{
    warm->kind = kind;
    warm->to = to;
    warm->store = account->store;
    warm->env = account->env;
    warm->a = account->a;
    warm->job.loop = to.loop;
    warm->job.run = warm_run;
    warm->job.done = warm_done;
    if (pool_submit(warm->store->pool, &warm->job) == ERR_OK)
        return;
    warm->err = ERR_AGAIN; /* the pool is full: the session may try again */
    warm->job.post.run = warm_refused;
    loop_post(to.loop, &warm->job.post);
}

/* --- the rows of a mailbox ----------------------------------------------------------------------
 */

struct warm_rows {
    struct warm warm;
    uint32_t m; /* 0: look the path up */
    uint32_t from_uid;
    uint16_t path_len;
    char path[PATH_OCTETS_MAX];
};

/* Every row of the mailbox in one table. */
static enum err warm_table(struct engine_txn *txn, unsigned table, const struct box *box)
{
    struct key key;
    struct slice prefix = key_am(&key, box->a, box->m);
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, table, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    for (; !e; e = engine_next(&cursor))
        engine_populate(cursor.value);
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* What a view or a maildrop opens with; counts the mailbox, and leaves the snapshot where the view
 * that is to be opened finds it. */
static enum err warm_box(const struct warm *warm, struct engine_txn *txn, const struct box *box)
{
    static const unsigned tables[] = {DBI_KW, DBI_HOT, DBI_UIDL, DBI_POP};
    struct told_pin pin;
    struct snapshot *snap;
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < sizeof tables / sizeof *tables; i++)
        e = warm_table(txn, tables[i], box);
    if (e)
        return e;
    boxes_pin_told(warm->store, box->a, box->m, box->row.highestmodseq, &pin);
    e = view_snapshot(pin.object, txn, box, NULL, NULL, &snap);
    if (!e)
        snapshot_unref(snap);
    boxes_unpin_told(&pin);
    return e;
}

/* The rows of the next messages from `from_uid` on. */
static enum err warm_messages(const struct warm_rows *rows, struct engine_txn *txn)
{
    struct key prefix, at;
    struct engine_cursor cursor;
    uint32_t a = rows->warm.a;
    enum err e = engine_cursor_open(txn, DBI_MSG, key_am(&prefix, a, rows->m), &cursor);
    if (e)
        return e;
    e = engine_seek(&cursor, key_amu(&at, a, rows->m, rows->from_uid));
    for (unsigned n = 0; !e && n < WARM_MESSAGES; n++) {
        struct row_msg row;
        struct key key;
        struct slice value;
        uint32_t uid = 0;
        e = row_msg_decode(cursor.value, &row);
        if (!e && !key_get32(cursor.key, 8, &uid))
            e = ERR_CORRUPT;
        if (!e && engine_get(txn, DBI_CACHE, key_b(&key, row.blob), &value) == ERR_OK)
            engine_populate(value);
        if (!e && engine_get(txn, DBI_HOT, key_amu(&key, a, rows->m, uid >> BUCKET_SHIFT),
                             &value) == ERR_OK)
            engine_populate(value);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err rows_run(struct warm *warm, struct store_reader *reader)
{
    const struct warm_rows *rows = (const struct warm_rows *)warm;
    struct engine_txn *txn;
    struct box box;
    enum err e = reader_snap(reader, warm->env, &txn);
    if (!e && rows->m == 0)
        e = box_find(txn, warm->env, warm->a, slice(rows->path, rows->path_len), &box);
    else if (!e)
        e = box_load(txn, warm->env, warm->a, rows->m, &box);
    if (!e)
        e = rows->m == 0 ? warm_box(warm, txn, &box) : warm_messages(rows, txn);
    return e;
}

static void rows_tell(struct warm *warm, struct store_result *ret)
{
    ret->mailbox = ((const struct warm_rows *)warm)->m;
}

static void rows_free(struct warm *warm)
{
    mem_free(warm);
}

static const struct warm_kind rows_kind = {rows_run, rows_tell, rows_free};

void store_warm_mailbox(struct store_account *account, struct slice path, struct store_to to)
{
    struct warm_rows *rows = mem_new(sizeof *rows);
    rows->path_len = (uint16_t)(path.len < sizeof rows->path ? path.len : sizeof rows->path);
    memcpy(rows->path, path.ptr, rows->path_len);
    warm_submit(&rows->warm, &rows_kind, account, to);
}

void store_warm_view(struct store_view *view, uint32_t from_uid, struct store_to to)
{
    struct warm_rows *rows = mem_new(sizeof *rows);
    rows->m = view->m;
    rows->from_uid = from_uid;
    warm_submit(&rows->warm, &rows_kind, view->account, to);
}
