#include "store/history.h"

#include "core/base/mem.h"
#include "store/journal.h"
#include "store/message_id.h"

/* --- lines that wait ----------------------------------------------------------------------------
 */

static enum err flush_apply(struct op *op, struct turn *turn)
{
    return journal_flush(turn, op->acct);
}

static void flush_release(struct op *op)
{
    mem_free(op);
}

void history_flush(struct store_account *account, struct store_to to)
{
    static const struct op_kind kind = {
        .name = "journal", .apply = flush_apply, .release = flush_release};
    struct op *op = mem_new(sizeof *op);
    *op = (struct op){.kind = &kind, .env = account->env, .acct = account->a, .pages = 8, .to = to};
    if (account->env->committer)
        committer_submit(account->env->committer, op);
    else /* read-only: whoever closed the store has written them */
        op_complete(op);
}

/* --- lines ---------------------------------------------------------------------------------------
 */

static enum err read_line(struct engine_txn *snap, uint32_t a, struct slice key, struct slice value,
                          struct history_line *ret)
{
    struct key k, conn;
    struct slice found;
    *ret = (struct history_line){0};
    if (!slice_starts(key, key_a(&k, a)) || !key_get64(key, 4, &ret->seq) ||
        (unsigned char)key.ptr[4] == LOG_CONN_MARK)
        return ERR_NOTFOUND;
    enum err e = row_log_decode(value, &ret->row);
    if (e || !ret->row.conn)
        return e;
    e = engine_get(snap, DBI_LOG, key_log_conn(&conn, a, ret->row.conn), &found);
    if (!e)
        e = row_log_conn_decode(found, &ret->conn);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err history_at(struct store_reader *reader, struct store_account *account, uint64_t seq,
                    struct history_line *ret)
{
    struct engine_txn *snap;
    struct key key, prefix;
    struct slice found, value;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = engine_first(snap, DBI_LOG, key_a(&prefix, account->a), key_log(&key, account->a, seq),
                         &found, &value);
    return e ? e : read_line(snap, account->a, found, value, ret);
}

enum err history_before(struct store_reader *reader, struct store_account *account, uint64_t seq,
                        struct history_line *ret)
{
    struct engine_txn *snap;
    struct engine_cursor cursor;
    struct key key, prefix;
    struct slice end =
        seq == UINT64_MAX ? key_log_conn(&key, account->a, 0) : key_log(&key, account->a, seq);
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = engine_cursor_open(snap, DBI_LOG, key_a(&prefix, account->a), &cursor);
    if (e)
        return e;
    e = engine_seek_before(&cursor, end);
    if (!e)
        e = read_line(snap, account->a, cursor.key, cursor.value, ret);
    engine_cursor_close(&cursor);
    return e;
}

/* Position of `uid` among the ranges from `r` on; false: it is not there. */
static bool find(const struct row_log *row, uint32_t r, uint32_t uid, uint32_t *ret_nth)
{
    uint32_t nth = 0;
    for (; r < row->nranges; r++) {
        uint32_t first, last;
        log_range(row, r, &first, &last);
        if (uid >= first && uid <= last) {
            *ret_nth = nth + (uid - first);
            return true;
        }
        nth += last - first + 1;
    }
    return false;
}

static bool nth_of(const struct row_log *row, uint32_t r, uint32_t nth, uint32_t *ret_uid)
{
    for (; r < row->nranges; r++) {
        uint32_t first, last;
        log_range(row, r, &first, &last);
        if (nth <= last - first) {
            *ret_uid = first + nth;
            return true;
        }
        nth -= last - first + 1;
    }
    return false;
}

bool history_names(const struct history_line *line, struct place place, struct place *ret_then)
{
    const struct row_log *row = &line->row;
    struct row_log now = *row;
    uint32_t nth;
    *ret_then = (struct place){0};
    if (row->m != place.m)
        return false;
    if (row->nranges == 0)
        return true;
    if (row->other_m)
        now.nranges = 1;
    if (!find(&now, 0, place.uid, &nth))
        return false;
    if (row->other_m && nth_of(row, 1, nth, &ret_then->uid))
        ret_then->m = row->other_m;
    return true;
}

bool history_takes(const struct history_line *line, struct place place, struct place *ret_now)
{
    const struct row_log *row = &line->row;
    uint32_t nth;
    if (!row->other_m || row->other_m != place.m || !find(row, 1, place.uid, &nth) ||
        !nth_of(row, 0, nth, &ret_now->uid))
        return false;
    ret_now->m = row->m;
    return true;
}

/* --- mailboxes and messages ---------------------------------------------------------------------
 */

/* The row itself lends the path: box_load would copy it into a struct of ours. */
static enum err mailbox_row(struct store_reader *reader, struct store_account *account, uint32_t m,
                            struct row_mbox *ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = engine_get(snap, DBI_MBOX, key_am(&key, account->a, m), &value);
    return e ? e : row_mbox_decode(value, ret);
}

enum err history_path(struct store_reader *reader, struct store_account *account, uint32_t m,
                      struct slice *ret)
{
    struct row_mbox row;
    enum err e = mailbox_row(reader, account, m, &row);
    if (!e)
        *ret = row.path;
    return e;
}

enum err history_mailbox(struct store_reader *reader, struct store_account *account,
                         struct slice path, uint32_t *ret_m)
{
    struct engine_txn *snap;
    struct engine_cursor cursor;
    struct key key;
    struct slice prefix = key_a(&key, account->a);
    bool found = false, live = false;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = engine_cursor_open(snap, DBI_MBOX, prefix, &cursor);
    if (e)
        return e;
    e = engine_seek(&cursor, prefix);
    for (; !e && !live; e = engine_next(&cursor)) {
        struct row_mbox row;
        if ((e = row_mbox_decode(cursor.value, &row)))
            break;
        if (!slice_eq(row.path, path))
            continue;
        found = key_get32(cursor.key, 4, ret_m);
        live = row.state == MBOX_LIVE;
    }
    engine_cursor_close(&cursor);
    return e && e != ERR_NOTFOUND ? e : found ? ERR_OK : ERR_NOTFOUND;
}

enum err history_rcpt(struct store_reader *reader, struct store_account *account,
                      struct place place, struct slice *ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    struct row_msg msg;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = engine_get(snap, DBI_MSG, key_amu(&key, account->a, place.m, place.uid), &value);
    if (!e)
        e = row_msg_decode(value, &msg);
    if (!e)
        *ret = msg.rcpt;
    return e;
}

/* Only a trace of it is left there: it lives somewhere else. */
static bool went(struct engine_txn *snap, uint32_t a, struct place place)
{
    struct key key;
    struct slice value;
    struct row_gone row;
    return !engine_get(snap, DBI_GONE, key_gone(&key, a, GONE_TRANSIENT, place.m, place.uid),
                       &value) &&
           !row_gone_decode(value, &row) && (row.why & GONE_WHY_MASK) == GONE_MOVED;
}

enum err history_find(struct store_reader *reader, struct store_account *account,
                      struct slice message_id, struct place *ret, size_t max, size_t *ret_n)
{
    struct engine_txn *snap;
    struct engine_cursor cursor;
    struct bodies bodies;
    struct key key;
    struct slice prefix = key_a(&key, account->a);
    *ret_n = 0;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = message_id_bodies(snap, account->env, account->a, message_id, &bodies);
    if (e)
        return e;
    if (bodies.n)
        e = engine_cursor_open(snap, DBI_MSG, prefix, &cursor);
    if (!e && bodies.n) {
        e = engine_seek(&cursor, prefix);
        for (; !e && *ret_n < max; e = engine_next(&cursor)) {
            struct row_msg msg;
            struct place *place = &ret[*ret_n];
            if ((e = row_msg_decode(cursor.value, &msg)))
                break;
            if (bodies_have(&bodies, msg.blob) && key_get32(cursor.key, 4, &place->m) &&
                key_get32(cursor.key, 8, &place->uid) && !went(snap, account->a, *place))
                ++*ret_n;
        }
        engine_cursor_close(&cursor);
    }
    mem_free(bodies.list);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}
