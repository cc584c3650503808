/* Rows and cursors of tables that share trees. The drawing of a tree with lead 4 (an account) and
 * the tables a, b, c:
 *
 *      ... 7a. 7a. 7b. 7c. | 8a. 8c. 8c. | 9a. 9b. ...
 *
 * A cursor of b that passes the last 7b stands on 7c: if its prefix goes on, it seeks 8b and is
 * given 8c, which is behind all b of 8, so it seeks 9b. Backwards the same. */
#include "store/engine_lmdb.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

enum { PLACE_MAX = ENGINE_KEY_MAX + 1 };

static MDB_val val(struct slice s)
{
    return (MDB_val){.mv_size = s.len, .mv_data = (void *)(uintptr_t)s.ptr};
}

static struct slice octets(const MDB_val *v)
{
    return slice(v->mv_data, v->mv_size);
}

/* Where a key lies in its tree. One shorter than the lead, from which a scan begins, is filled up
 * with zeros: no row has a key between the two. Too long: a place that LMDB refuses. */
static MDB_val place(const struct table *table, struct slice key, unsigned char *to)
{
    if (!table->mark)
        return val(key);
    if (key.len > ENGINE_KEY_MAX)
        return (MDB_val){.mv_size = 0, .mv_data = to};
    size_t lead = key.len < table->lead ? key.len : table->lead;
    if (lead)
        memcpy(to, key.ptr, lead);
    memset(to + lead, 0, table->lead - lead);
    to[table->lead] = table->mark;
    if (key.len > lead)
        memcpy(to + table->lead + 1, key.ptr + lead, key.len - lead);
    return (MDB_val){.mv_size = table->lead + 1 + (key.len - lead), .mv_data = to};
}

/* What a caller may keep. Rows of several tables share a leaf, so a change of any row may move any
 * other, but for those in pages of their own. */
static struct slice lend(struct engine_txn *txn, struct slice s)
{
    return txn->snap || s.len > ENGINE_LEAF_ROW ? s : arena_dup(&txn->lent, s);
}

struct arena_mark engine_lent(const struct engine_txn *txn)
{
    return arena_mark(&txn->lent);
}

void engine_lent_back(struct engine_txn *txn, struct arena_mark mark)
{
    arena_back(&txn->lent, mark);
}

/* --- rows --------------------------------------------------------------------------------------
 */

/* Is it the next number? That is, the same octets but for the last four, which are one more. */
static bool follows(const MDB_val *last, const MDB_val *key)
{
    uint32_t a, b;
    size_t same = key->mv_size - sizeof a;
    if (key->mv_size < sizeof a || last->mv_size != key->mv_size ||
        memcmp(last->mv_data, key->mv_data, same) != 0)
        return false;
    memcpy(&a, (const char *)last->mv_data + same, sizeof a);
    memcpy(&b, (const char *)key->mv_data + same, sizeof b);
    return ntohl(b) == ntohl(a) + 1;
}

static bool same_key(const MDB_val *a, const MDB_val *b)
{
    return a->mv_size == b->mv_size && memcmp(a->mv_data, b->mv_data, a->mv_size) == 0;
}

/* Rows that are read one after the other are mostly neighbours: the next number is the next row, or
 * stands on the same leaf; mdb_get would come down from the root each time. */
static int get_near(struct engine_txn *txn, unsigned dbi, MDB_val *k, MDB_val *v)
{
    MDB_cursor **at = &txn->at[dbi];
    MDB_val now;
    int rc = 0;
    if (txn->bound >> dbi & 1) {
        if (mdb_cursor_get(*at, &now, NULL, MDB_GET_CURRENT) == 0 && follows(&now, k) &&
            mdb_cursor_get(*at, &now, v, MDB_NEXT) == 0 && same_key(&now, k))
            return 0;
    } else if (*at) {
        rc = mdb_cursor_renew(txn->txn, *at);
    } else {
        rc = mdb_cursor_open(txn->txn, txn->engine->table[dbi].dbi, at);
    }
    if (rc)
        return rc;
    txn->bound |= UINT32_C(1) << dbi;
    return mdb_cursor_get(*at, k, v, MDB_SET);
}

enum err engine_get(struct engine_txn *txn, unsigned dbi, struct slice key, struct slice *ret)
{
    unsigned char room[PLACE_MAX];
    const struct table *table = &txn->engine->table[dbi];
    MDB_val k = place(table, key, room), v;
    int rc = txn->snap ? get_near(txn, dbi, &k, &v) : mdb_get(txn->txn, table->dbi, &k, &v);
    if (rc == 0)
        *ret = lend(txn, octets(&v));
    return engine_mapped(rc);
}

enum err engine_put(struct engine_txn *txn, unsigned dbi, struct slice key, struct slice value)
{
    unsigned char room[PLACE_MAX];
    const struct table *table = &txn->engine->table[dbi];
    MDB_val k = place(table, key, room), v = val(value);
    assert(txn->cursors == 0);
    return engine_mapped(mdb_put(txn->txn, table->dbi, &k, &v, 0));
}

enum err engine_append(struct engine_txn *txn, unsigned dbi, struct slice key, struct slice value)
{
    void *room;
    enum err e = engine_append_room(txn, dbi, key, value.len, &room);
    if (!e && value.len)
        memcpy(room, value.ptr, value.len);
    return e;
}

enum err engine_append_room(struct engine_txn *txn, unsigned dbi, struct slice key, size_t len,
                            void **ret)
{
    unsigned char room[PLACE_MAX];
    const struct table *table = &txn->engine->table[dbi];
    MDB_val k = place(table, key, room), v = {.mv_size = len};
    assert(txn->cursors == 0);
    int rc = mdb_put(txn->txn, table->dbi, &k, &v, MDB_APPEND | MDB_RESERVE);
    if (rc == MDB_KEYEXIST) {
        v = (MDB_val){.mv_size = len};
        rc = mdb_put(txn->txn, table->dbi, &k, &v, MDB_RESERVE);
    }
    if (rc == 0)
        *ret = v.mv_data;
    return engine_mapped(rc);
}

enum err engine_del(struct engine_txn *txn, unsigned dbi, struct slice key)
{
    unsigned char room[PLACE_MAX];
    const struct table *table = &txn->engine->table[dbi];
    MDB_val k = place(table, key, room);
    assert(txn->cursors == 0);
    return engine_mapped(mdb_del(txn->txn, table->dbi, &k, NULL));
}

/* --- cursors -----------------------------------------------------------------------------------
 */

enum err engine_cursor_open(struct engine_txn *txn, unsigned dbi, struct slice prefix,
                            struct engine_cursor *ret)
{
    const struct table *table = &txn->engine->table[dbi];
    MDB_cursor *handle = NULL;
    int rc = mdb_cursor_open(txn->txn, table->dbi, &handle);
    ret->txn = txn;
    ret->table = table;
    ret->handle = rc ? NULL : handle;
    ret->prefix = prefix;
    ret->key = ret->value = SLICE_NONE;
    txn->cursors += !rc;
    return engine_mapped(rc);
}

void engine_cursor_close(struct engine_cursor *cursor)
{
    if (!cursor->handle)
        return;
    mdb_cursor_close(cursor->handle);
    cursor->handle = NULL;
    cursor->txn->cursors--;
}

/* It stands on a row of its table: the key without the mark, if the prefix is its. */
static enum err stand(struct engine_cursor *cursor, const MDB_val *k, const MDB_val *v)
{
    const struct table *table = cursor->table;
    struct slice key = octets(k);
    if (table->mark) {
        memcpy(cursor->room, key.ptr, table->lead);
        memcpy(cursor->room + table->lead, key.ptr + table->lead + 1, key.len - table->lead - 1);
        key = slice(cursor->room, key.len - 1);
    }
    if (!slice_starts(key, cursor->prefix))
        return ERR_NOTFOUND;
    cursor->key = key;
    cursor->value = octets(v);
    return ERR_OK;
}

/* The lead of its neighbour, as a number; false when there is none. */
static bool lead_next(unsigned char *lead, size_t n)
{
    while (n && ++lead[n - 1] == 0)
        n--;
    return n > 0;
}

static bool lead_before(unsigned char *lead, size_t n)
{
    while (n && lead[n - 1]-- == 0)
        n--;
    return n > 0;
}

/* From row `k` of the tree on, it included, to a row of the cursor's table. */
static enum err forwards(struct engine_cursor *cursor, MDB_val *k, MDB_val *v)
{
    const struct table *table = cursor->table;
    unsigned char to[LEAD_MAX + 1];
    int rc = 0;
    while (rc == 0 && table->mark) {
        unsigned char mark = ((unsigned char *)k->mv_data)[table->lead];
        if (mark == table->mark)
            break;
        memcpy(to, k->mv_data, table->lead);
        if (mark > table->mark &&
            (cursor->prefix.len >= table->lead || !lead_next(to, table->lead)))
            return ERR_NOTFOUND;
        to[table->lead] = table->mark;
        *k = (MDB_val){.mv_size = table->lead + 1u, .mv_data = to};
        rc = mdb_cursor_get(cursor->handle, k, v, MDB_SET_RANGE);
    }
    return rc ? engine_mapped(rc) : stand(cursor, k, v);
}

/* To the last row of the tree before `at`. */
static int before(MDB_cursor *handle, MDB_val at, MDB_val *k, MDB_val *v)
{
    *k = at;
    int rc = mdb_cursor_get(handle, k, v, MDB_SET_RANGE);
    return rc == MDB_NOTFOUND ? mdb_cursor_get(handle, k, v, MDB_LAST)
           : rc == 0          ? mdb_cursor_get(handle, k, v, MDB_PREV)
                              : rc;
}

/* From row `k` of the tree back, it included, to a row of the cursor's table. */
static enum err backwards(struct engine_cursor *cursor, MDB_val *k, MDB_val *v)
{
    const struct table *table = cursor->table;
    unsigned char to[LEAD_MAX + 1];
    int rc = 0;
    while (rc == 0 && table->mark) {
        unsigned char mark = ((unsigned char *)k->mv_data)[table->lead];
        if (mark == table->mark)
            break;
        memcpy(to, k->mv_data, table->lead);
        if (mark < table->mark &&
            (cursor->prefix.len >= table->lead || !lead_before(to, table->lead)))
            return ERR_NOTFOUND;
        to[table->lead] = (unsigned char)(table->mark + 1);
        rc = before(cursor->handle, (MDB_val){.mv_size = table->lead + 1u, .mv_data = to}, k, v);
    }
    return rc ? engine_mapped(rc) : stand(cursor, k, v);
}

enum err engine_seek(struct engine_cursor *cursor, struct slice key)
{
    unsigned char room[PLACE_MAX];
    MDB_val k = place(cursor->table, key, room), v;
    int rc = mdb_cursor_get(cursor->handle, &k, &v, MDB_SET_RANGE);
    return rc ? engine_mapped(rc) : forwards(cursor, &k, &v);
}

enum err engine_next(struct engine_cursor *cursor)
{
    MDB_val k, v;
    int rc = mdb_cursor_get(cursor->handle, &k, &v, MDB_NEXT);
    return rc ? engine_mapped(rc) : forwards(cursor, &k, &v);
}

enum err engine_prev(struct engine_cursor *cursor)
{
    MDB_val k, v;
    int rc = mdb_cursor_get(cursor->handle, &k, &v, MDB_PREV);
    return rc ? engine_mapped(rc) : backwards(cursor, &k, &v);
}

enum err engine_seek_before(struct engine_cursor *cursor, struct slice key)
{
    unsigned char room[PLACE_MAX];
    MDB_val k, v;
    int rc = before(cursor->handle, place(cursor->table, key, room), &k, &v);
    return rc ? engine_mapped(rc) : backwards(cursor, &k, &v);
}

/* Out of a cursor that will be closed. */
static void lend_row(struct engine_cursor *cursor, struct slice *ret_key, struct slice *ret_value)
{
    bool own = (const unsigned char *)cursor->key.ptr == cursor->room;
    *ret_key = own ? arena_dup(&cursor->txn->lent, cursor->key) : lend(cursor->txn, cursor->key);
    *ret_value = lend(cursor->txn, cursor->value);
}

enum err engine_first(struct engine_txn *txn, unsigned dbi, struct slice prefix, struct slice from,
                      struct slice *ret_key, struct slice *ret_value)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(txn, dbi, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, from);
    if (!e)
        lend_row(&cursor, ret_key, ret_value);
    engine_cursor_close(&cursor);
    return e;
}

enum err engine_last(struct engine_txn *txn, unsigned dbi, struct slice prefix,
                     struct slice *ret_key, struct slice *ret_value)
{
    struct engine_cursor cursor;
    unsigned char room[PLACE_MAX];
    MDB_val k, v;
    enum err e = engine_cursor_open(txn, dbi, prefix, &cursor);
    if (e)
        return e;
    const struct table *table = cursor.table;
    MDB_val at = prefix.len < table->lead ? val(prefix) : place(table, prefix, room);
    if (at.mv_size > sizeof room) {
        e = ERR_BUG;
    } else {
        /* The first place behind all that start with the prefix: it plus one, as a number. */
        if (at.mv_data != room && at.mv_size)
            memcpy(room, at.mv_data, at.mv_size);
        at.mv_data = room;
        while (at.mv_size && ++room[at.mv_size - 1] == 0)
            at.mv_size--;
        int rc = at.mv_size ? before(cursor.handle, at, &k, &v)
                            : mdb_cursor_get(cursor.handle, &k, &v, MDB_LAST);
        e = rc ? engine_mapped(rc) : backwards(&cursor, &k, &v);
    }
    if (!e)
        lend_row(&cursor, ret_key, ret_value);
    engine_cursor_close(&cursor);
    return e;
}
