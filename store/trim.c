#include "store/trim.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/gone.h"
#include "store/policy.h"
#include "store/snapshot.h"

enum {
    DAY_S = 86400,
    DAY_MS = DAY_S * 1000,
    FIRST_PASS_MS = 60 * 1000, /* after the start */
    TOMB_ROWS = 10000,
    TOMB_DAYS = 90,
    LOG_BATCH = 256,
    LOG_SLICE = 1024,
    MID_DAYS = 400,
    MID_SLICE = 4096,
    LOOK_ROWS = 20000 /* read in one slice */
};

struct trim {
    /* Journal and tombstones: account by account, mailbox by mailbox. */
    bool passing;
    uint64_t pass_ms; /* when the next pass starts */
    uint32_t a, m;    /* the next; m = 0: the journal of a */
    /* Message-IDs: no order by time, so the table is walked. A pass starts where chance has it:
     * what lies behind is reached also if no daemon lives for a day. */
    uint64_t mid_ms;     /* when the next slice may run */
    struct key mid;      /* the next row */
    struct key mid_from; /* where each pass starts, and ends when it has gone round */
    bool mid_round;      /* past the table's end */
};

/* --- journal -------------------------------------------------------------------------------------
 */

static enum err log_bounds(struct engine_txn *txn, uint32_t a, uint64_t *ret_first,
                           uint64_t *ret_last)
{
    struct key prefix, end;
    struct slice of_acct = key_a(&prefix, a), found, value;
    struct engine_cursor cursor;
    enum err e = engine_first(txn, DBI_LOG, of_acct, of_acct, &found, &value);
    if (!e && (!key_get64(found, 4, ret_first) || (unsigned char)found.ptr[4] == LOG_CONN_MARK))
        e = ERR_NOTFOUND;
    if (e)
        return e;
    e = engine_cursor_open(txn, DBI_LOG, of_acct, &cursor);
    if (!e)
        e = engine_seek_before(&cursor, key_log_conn(&end, a, 0));
    if (!e && !key_get64(cursor.key, 4, ret_last))
        e = ERR_CORRUPT;
    engine_cursor_close(&cursor);
    return e;
}

static enum err log_get(struct engine_txn *txn, uint32_t a, uint64_t seq, struct row_log *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(txn, DBI_LOG, key_log(&key, a, seq), &value);
    return e ? e : row_log_decode(value, ret);
}

/* How many of the oldest lines go: all that are too many, and all that are too old, if that makes a
 * batch. */
static enum err log_excess(struct turn *turn, uint32_t a, uint64_t first, uint64_t last,
                           uint64_t *ret)
{
    uint32_t days, rows;
    policy_log(turn->env->store, &days, &rows);
    uint64_t n = last - first + 1, excess = n > rows ? n - rows : 0;
    uint64_t keep_s = (uint64_t)days * DAY_S;
    while (excess + LOG_BATCH <= n && excess < LOG_SLICE) {
        struct row_log row;
        enum err e = log_get(turn->txn, a, first + excess + LOG_BATCH - 1, &row);
        if (e)
            return e;
        if (row.time + keep_s > turn->now)
            break;
        excess += LOG_BATCH;
    }
    *ret = excess < LOG_BATCH ? 0 : excess < LOG_SLICE ? excess : LOG_SLICE;
    return ERR_OK;
}

static int compare_conn(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* Of the sorted `conns`, forget the one. */
static void still_there(uint64_t *conns, size_t *n, uint64_t conn)
{
    uint64_t *at = *n ? bsearch(&conn, conns, *n, sizeof conn, compare_conn) : NULL;
    if (!at)
        return;
    for ((*n)--; at < conns + *n; at++)
        *at = at[1];
}

/* Rows of connections whose last line has gone. `conns` are those of the lines that went. */
static enum err drop_conns(struct turn *turn, uint32_t a, uint64_t from, uint64_t *conns, size_t n)
{
    struct engine_cursor cursor;
    struct key key, prefix;
    struct slice of_acct = key_a(&prefix, a);
    size_t distinct = 0;
    qsort(conns, n, sizeof *conns, compare_conn);
    for (size_t i = 0; i < n; i++)
        if (conns[i] && (distinct == 0 || conns[distinct - 1] != conns[i]))
            conns[distinct++] = conns[i];
    enum err e = engine_cursor_open(turn->txn, DBI_LOG, of_acct, &cursor);
    if (!e)
        e = engine_seek(&cursor, key_log(&key, a, from));
    while (!e && distinct && (unsigned char)cursor.key.ptr[4] != LOG_CONN_MARK) {
        struct row_log row;
        e = row_log_decode(cursor.value, &row);
        if (!e)
            still_there(conns, &distinct, row.conn);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    if (e == ERR_NOTFOUND)
        e = ERR_OK;
    for (size_t i = 0; !e && i < distinct; i++) {
        e = turn_del(turn, DBI_LOG, key_log_conn(&key, a, conns[i]));
        if (e == ERR_NOTFOUND)
            e = ERR_OK;
    }
    return e;
}

enum err trim_journal(struct turn *turn, uint32_t a)
{
    uint64_t first, last, excess, *conns;
    enum err e = log_bounds(turn->txn, a, &first, &last);
    if (!e)
        e = log_excess(turn, a, first, last, &excess);
    if (e || excess == 0)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    conns = mem_new_array(excess, sizeof *conns);
    for (uint64_t i = 0; !e && i < excess; i++) {
        struct row_log row;
        struct key key;
        e = log_get(turn->txn, a, first + i, &row);
        if (!e) {
            conns[i] = row.conn;
            e = turn_del(turn, DBI_LOG, key_log(&key, a, first + i));
        }
    }
    if (!e)
        e = drop_conns(turn, a, first + excess, conns, excess);
    mem_free(conns);
    return e ? e : ERR_AGAIN;
}

/* --- tombstones ----------------------------------------------------------------------------------
 */

static enum err count_tombs(struct engine_txn *txn, struct slice of_box, unsigned *ret)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, DBI_TOMB, of_box, &cursor);
    if (!e)
        e = engine_seek(&cursor, of_box);
    for (*ret = 0; !e; e = engine_next(&cursor))
        ++*ret;
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* ERR_AGAIN: there may be more. `looked` counts rows read. */
static enum err trim_tombs(struct turn *turn, uint32_t a, uint32_t m, unsigned *looked)
{
    enum { SLICE = 2048 };
    struct key prefix, key;
    struct slice of_box = key_am(&prefix, a, m), found, value;
    struct box box;
    uint64_t floor = 0, told = boxes_oldest_told(turn->env->store, a, m);
    unsigned n, gone = 0;
    enum err e = count_tombs(turn->txn, of_box, &n);
    if (e || n == 0)
        return e;
    *looked += n;
    while (gone < SLICE) {
        struct row_tomb row;
        uint64_t modseq;
        uint32_t part;
        e = engine_first(turn->txn, DBI_TOMB, of_box, of_box, &found, &value);
        if (!e && (!key_get64(found, 8, &modseq) || !key_get32(found, 14, &part)))
            e = ERR_CORRUPT;
        if (!e)
            e = row_tomb_decode(value, &row);
        if (e)
            break;
        bool old = row.time + (uint64_t)TOMB_DAYS * DAY_S <= turn->now;
        if (modseq > told || !(old || n - gone > TOMB_ROWS))
            break;
        e = turn_del(turn, DBI_TOMB, key_tomb(&key, a, m, modseq, (uint16_t)part));
        if (e)
            break;
        floor = modseq;
        gone++;
    }
    if (e == ERR_NOTFOUND)
        e = ERR_OK;
    if (e || gone == 0)
        return e;
    e = box_load(turn->txn, turn->env, a, m, &box);
    if (!e && box.row.tomb_floor < floor)
        box.row.tomb_floor = floor;
    if (!e)
        e = turn_box_save(turn, &box);
    return !e && gone == SLICE ? ERR_AGAIN : e;
}

/* --- the pass
 * -------------------------------------------------------------------------------------- */

static bool pass_due(struct env *env, uint32_t now)
{
    struct trim *t = env->trim;
    (void)now;
    if (!gone_age_trusted(env))
        return false;
    if (!t->passing && clock_mono_ms() >= t->pass_ms) {
        t->passing = true;
        t->a = t->m = 0;
    }
    return t->passing;
}

/* The next mailbox of t->a after t->m - 1, else the next account. ERR_NOTFOUND: that was all. */
static enum err advance(struct trim *t, struct engine_txn *txn)
{
    struct key from, prefix;
    struct slice found, value;
    enum err e = engine_first(txn, DBI_MBOX, key_a(&prefix, t->a), key_am(&from, t->a, t->m + 1),
                              &found, &value);
    if (!e)
        return key_get32(found, 4, &t->m) ? ERR_OK : ERR_CORRUPT;
    if (e == ERR_NOTFOUND)
        e = engine_first(txn, DBI_ACCT, SLICE_NONE, key_a(&from, t->a + 1), &found, &value);
    if (e)
        return e;
    t->m = 0;
    return key_get32(found, 0, &t->a) ? ERR_OK : ERR_CORRUPT;
}

static enum err pass_slice(struct turn *turn, unsigned pages)
{
    struct trim *t = turn->env->trim;
    unsigned looked = 0;
    (void)pages; /* rows go in the order of their keys: far fewer pages than rows */
    while (looked < LOOK_ROWS) {
        enum err e = t->m ? trim_tombs(turn, t->a, t->m, &looked) : trim_journal(turn, t->a);
        if (e == ERR_AGAIN)
            return ERR_OK;
        enum err end = advance(t, turn->txn);
        looked++;
        if (end == ERR_NOTFOUND) {
            t->passing = false;
            t->pass_ms = clock_mono_ms() + DAY_MS;
        }
        if (e || end)
            return e ? e : end == ERR_NOTFOUND ? ERR_OK : end;
    }
    return ERR_OK;
}

/* --- Message-IDs
 * ------------------------------------------------------------------------------------ */

static bool mid_due(struct env *env, uint32_t now)
{
    (void)now;
    return clock_mono_ms() >= env->trim->mid_ms && gone_age_trusted(env);
}

/* What a slice looks at, and the keys of those rows that are too old. */
struct mid_look {
    unsigned looked, n, max;
    uint64_t until_ns;
    struct key *old;
};

static bool mid_goes_on(const struct mid_look *look)
{
    return look->looked < MID_SLICE && look->n < look->max &&
           (look->looked % 16 || clock_mono_ns() < look->until_ns);
}

static bool mid_been_round(const struct trim *t)
{
    return t->mid_round && slice_cmp(key_slice(&t->mid), key_slice(&t->mid_from)) >= 0;
}

/* The next rows of the account that t->mid is in. ERR_NOTFOUND: there are no more. */
static enum err mid_look_account(struct trim *t, struct turn *turn, uint32_t a,
                                 struct mid_look *look)
{
    struct engine_cursor cursor;
    struct key prefix;
    enum err e = engine_cursor_open(turn->txn, DBI_MID, key_a(&prefix, a), &cursor);
    if (!e)
        e = engine_seek(&cursor, key_slice(&t->mid));
    while (!e) {
        struct row_mid row;
        key_text(&t->mid, cursor.key);
        if (mid_been_round(t) || !mid_goes_on(look) || (e = row_mid_decode(cursor.value, &row)))
            break;
        if (row.time + (uint64_t)MID_DAYS * DAY_S <= turn->now)
            look->old[look->n++] = t->mid;
        look->looked++;
        e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e;
}

/* ERR_NOTFOUND: the last account's end, or where the pass started. An account without such rows is
 * a look of its own: a scan that passed over them all would not stop in time. */
static enum err mid_look(struct trim *t, struct turn *turn, struct mid_look *look)
{
    enum err e = ERR_OK;
    while (!e && mid_goes_on(look)) {
        struct key from;
        struct slice found, value;
        uint32_t a;
        if (mid_been_round(t))
            return ERR_NOTFOUND;
        if (!key_get32(key_slice(&t->mid), 0, &a))
            return ERR_CORRUPT;
        e = mid_look_account(t, turn, a, look);
        if (e != ERR_NOTFOUND)
            continue;
        e = engine_first(turn->txn, DBI_ACCT, SLICE_NONE, key_a(&from, a + 1), &found, &value);
        if (!e)
            key_text(&t->mid, found);
        look->looked++;
    }
    return e;
}

static enum err mid_slice(struct turn *turn, unsigned pages)
{
    enum { SLICE_GAP_MS = 60 * 1000 };
    struct trim *t = turn->env->trim;
    bool over = false;
    struct mid_look look = {.max = pages,
                            .until_ns = clock_mono_ns() + UPKEEP_NS,
                            .old = mem_new_array(pages, sizeof *look.old)};
    enum err e = mid_look(t, turn, &look);
    if (e == ERR_NOTFOUND) {
        over = t->mid_round;
        t->mid_round = !over;
        if (over)
            t->mid = t->mid_from;
        else
            key_b(&t->mid, 0);
        e = ERR_OK;
    }
    for (unsigned i = 0; !e && i < look.n; i++)
        e = turn_del(turn, DBI_MID, key_slice(&look.old[i]));
    mem_free(look.old);
    if (look.n < look.max)
        t->mid_ms = clock_mono_ms() + (over ? (uint64_t)DAY_MS : (uint64_t)SLICE_GAP_MS);
    return e;
}

void trim_register(struct env *env)
{
    static const struct upkeep pass = {"trim", pass_due, pass_slice};
    static const struct upkeep mid = {"message-ids", mid_due, mid_slice};
    struct trim *t = env->trim = mem_new(sizeof *t);
    t->pass_ms = t->mid_ms = clock_mono_ms() + FIRST_PASS_MS;
    key_b(&t->mid, random_u64() % ((uint64_t)env->store->catalog->next_acct + 1) << 32);
    t->mid_from = t->mid;
    committer_add_upkeep(env->committer, &pass);
    committer_add_upkeep(env->committer, &mid);
}

void trim_free(struct trim *trim)
{
    mem_free(trim);
}
