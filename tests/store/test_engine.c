/* Tables that share a tree are tables all the same: each shows its own rows, in the order of its
 * own keys, whatever lies between them. Random changes and looks, against a plain sorted list. */
#include <stdlib.h>
#include <string.h>

#include "core/base/fault.h"
#include "core/base/mem.h"
#include "store/engine.h"
#include "tests/lib/dirs.h"
#include "tests/lib/unit.h"

enum { NONE_BEFORE, FIRST, MIDDLE, LAST, ALONE, LONG_FIRST, LONG_LAST, TABLES };

/* Of each shared tree the table with the lowest mark and that with the highest. NONE_BEFORE has
 * rows of few leads, so that a look past them goes far. */
static const struct engine_table tables[] = {
    [NONE_BEFORE] = {"short", 4, 2},
      [FIRST] = {"short",      4, 1},
    [MIDDLE] = {"short", 4, 7},
      [LAST] = {"short",      4, 0xfe},
    [ALONE] = {"alone", 0, 0},
      [LONG_FIRST] = {"long",      8, 1},
    [LONG_LAST] = {"long", 8, 2},
      [TABLES] = {0  }
};

enum { ROWS_MAX = 600, KEY_MOST = 16, VALUE_MOST = 3000 };

struct row {
    unsigned char key[KEY_MOST];
    size_t key_len, value_len;
    unsigned char fill; /* every octet of the value */
};

struct model {
    struct row row[ROWS_MAX];
    size_t n;
};

struct world {
    char dir[64];
    struct engine *engine;
    struct model now[TABLES], committed[TABLES];
    unsigned long looks;
};

/* --- the model ---------------------------------------------------------------------------------
 */

static struct slice key_of(const struct row *row)
{
    return slice(row->key, row->key_len);
}

/* Of the first row >= `key`, or n. */
static size_t model_at(const struct model *model, struct slice key)
{
    size_t at = 0;
    while (at < model->n && slice_cmp(key_of(&model->row[at]), key) < 0)
        at++;
    return at;
}

static bool model_has(const struct model *model, size_t at, struct slice key)
{
    return at < model->n && slice_eq(key_of(&model->row[at]), key);
}

static void model_put(struct model *model, const struct row *row)
{
    size_t at = model_at(model, key_of(row));
    if (!model_has(model, at, key_of(row))) {
        memmove(&model->row[at + 1], &model->row[at], (model->n - at) * sizeof model->row[0]);
        model->n++;
    }
    model->row[at] = *row;
}

static void model_del(struct model *model, size_t at)
{
    model->n--;
    memmove(&model->row[at], &model->row[at + 1], (model->n - at) * sizeof model->row[0]);
}

/* --- chance -------------------------------------------------------------------------------------
 */

static unsigned up_to(unsigned n)
{
    return (unsigned)rand() % (n + 1);
}

/* Few leads, the outermost and neighbours that carry among them. */
static void random_lead(unsigned table, unsigned char *to)
{
    static const unsigned char leads[][8] = {
        {0,    0,    0,    0,    0,    0,    0,    0   },
        {0,    0,    0,    1,    0,    0,    0,    1   },
        {0,    0,    0,    2,    0,    0,    0,    2   },
        {0,    0,    0,    0xff, 0,    0xff, 0xff, 0xff},
        {0,    0,    1,    0,    1,    0,    0,    0   },
        {0,    0xff, 0xff, 0xff, 1,    0,    0,    1   },
        {1,    0,    0,    0,    0xff, 0xff, 0xff, 0xff},
        {0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff},
    };
    const unsigned last = sizeof leads / sizeof *leads - 1;
    memcpy(to, leads[table == NONE_BEFORE ? last - up_to(1) : up_to(last)], 8);
}

static size_t random_key(unsigned table, unsigned char *to)
{
    size_t lead = tables[table].lead ? tables[table].lead : 4, rest = up_to(3);
    random_lead(table, to);
    for (size_t i = 0; i < rest; i++)
        to[lead + i] = (unsigned char)(up_to(1) ? 0xff : up_to(2));
    return lead + rest;
}

static struct row random_row(unsigned table)
{
    struct row row = {.fill = (unsigned char)up_to(255),
                      .value_len = up_to(up_to(9) ? 80 : VALUE_MOST)};
    row.key_len = random_key(table, row.key);
    return row;
}

/* --- looks ---------------------------------------------------------------------------------------
 */

static void assert_row(struct slice key, struct slice value, const struct row *row)
{
    assert_slice_eq(key, key_of(row));
    assert_int_equal(value.len, row->value_len);
    for (size_t i = 0; i < value.len; i++)
        assert_int_equal((unsigned char)value.ptr[i], row->fill);
}

static void assert_stands(enum err e, const struct engine_cursor *cursor, const struct row *row)
{
    assert_err(e, row ? ERR_OK : ERR_NOTFOUND);
    if (row)
        assert_row(cursor->key, cursor->value, row);
}

static const struct row *within(const struct model *model, size_t at, struct slice prefix)
{
    return at < model->n && slice_starts(key_of(&model->row[at]), prefix) ? &model->row[at] : NULL;
}

/* One of each kind, from a random place within a random prefix. */
static void look(struct engine_txn *txn, unsigned table, const struct model *model)
{
    unsigned char octets[KEY_MOST];
    size_t len = random_key(table, octets);
    struct slice from = slice(octets, len), prefix = slice(octets, up_to((unsigned)len));
    struct slice key, value;
    struct engine_cursor cursor;
    size_t at = model_at(model, from);

    enum err e = engine_get(txn, table, from, &value);
    assert_err(e, model_has(model, at, from) ? ERR_OK : ERR_NOTFOUND);
    if (!e)
        assert_row(from, value, &model->row[at]);

    e = engine_first(txn, table, prefix, from, &key, &value);
    assert_err(e, within(model, at, prefix) ? ERR_OK : ERR_NOTFOUND);
    if (!e)
        assert_row(key, value, &model->row[at]);

    size_t last = model->n;
    while (last > 0 && !slice_starts(key_of(&model->row[last - 1]), prefix))
        last--;
    e = engine_last(txn, table, prefix, &key, &value);
    assert_err(e, last ? ERR_OK : ERR_NOTFOUND);
    if (!e)
        assert_row(key, value, &model->row[last - 1]);

    if (up_to(3) == 0 && prefix.len < from.len) /* shorter than a key, as scans begin */
        from.len = prefix.len + up_to((unsigned)(from.len - prefix.len));
    if (tables[table].lead == 0 && from.len == 0) /* LMDB's own keys have an octet at least */
        return;
    at = model_at(model, from);
    assert_ok(engine_cursor_open(txn, table, prefix, &cursor));
    e = engine_seek(&cursor, from);
    for (size_t i = at; i < model->n + 1; i++) {
        assert_stands(e, &cursor, within(model, i, prefix));
        if (e)
            break;
        e = engine_next(&cursor);
    }
    e = engine_seek_before(&cursor, from);
    for (size_t i = at; i-- > 0;) {
        assert_stands(e, &cursor, within(model, i, prefix));
        if (e)
            break;
        e = engine_prev(&cursor);
    }
    if (at == 0)
        assert_err(e, ERR_NOTFOUND);
    engine_cursor_close(&cursor);
}

static void look_around(struct world *w, struct engine_txn *txn, const struct model *models)
{
    for (unsigned i = 0; i < 20; i++) {
        unsigned table = up_to(TABLES - 1);
        look(txn, table, &models[table]);
        w->looks++;
    }
}

/* --- changes -------------------------------------------------------------------------------------
 */

static void change(struct world *w, struct engine_txn *turn)
{
    static unsigned char octets[VALUE_MOST];
    unsigned table = up_to(TABLES - 1);
    struct model *model = &w->now[table];
    struct row row = random_row(table);
    size_t at = model_at(model, key_of(&row));
    if (up_to(9) < 4 || model->n == ROWS_MAX) {
        if (model->n && up_to(3))
            row = model->row[at = up_to((unsigned)model->n - 1)];
        bool there = model_has(model, at, key_of(&row));
        assert_err(engine_del(turn, table, key_of(&row)), there ? ERR_OK : ERR_NOTFOUND);
        if (there)
            model_del(model, at);
        return;
    }
    memset(octets, row.fill, row.value_len);
    assert_ok((up_to(1) ? engine_append : engine_put)(turn, table, key_of(&row),
                                                      slice(octets, row.value_len)));
    model_put(model, &row);
}

/* What a turn has lent stays as it was, whatever row of whatever table is changed. */
static void change_beside_a_loan(struct world *w, struct engine_txn *turn)
{
    unsigned table = up_to(TABLES - 1);
    const struct model *model = &w->now[table];
    struct slice prefix = SLICE_NONE, key, value, got;
    if (model->n == 0)
        return;
    const struct row row = model->row[model->n - 1];
    assert_ok(engine_last(turn, table, prefix, &key, &value));
    assert_ok(engine_get(turn, table, key_of(&row), &got));
    size_t n = 0;
    for (unsigned i = 0; i < 10; i++) {
        change(w, turn);
        n = model_at(model, key_of(&row));
        if (!model_has(model, n, key_of(&row)) || memcmp(&model->row[n], &row, sizeof row) != 0)
            return; /* it was that row itself */
    }
    assert_row(key, value, &row);
    assert_row(key, got, &row);
}

static void play(struct world *w, unsigned turns)
{
    struct engine_txn *turn, *snap;
    assert_ok(engine_snap_new(w->engine, &snap));
    for (unsigned t = 0; t < turns; t++) {
        assert_ok(engine_turn_begin(w->engine, &turn));
        for (unsigned i = up_to(30); i > 0; i--)
            change(w, turn);
        change_beside_a_loan(w, turn);
        look_around(w, turn, w->now);
        if (up_to(4) == 0) {
            engine_turn_abort(turn);
            memcpy(w->now, w->committed, sizeof w->now);
        } else {
            assert_ok(engine_turn_commit(turn));
            memcpy(w->committed, w->now, sizeof w->now);
        }
        assert_ok(engine_snap_renew(snap));
        look_around(w, snap, w->committed);
        engine_snap_reset(snap);
    }
    engine_snap_free(snap);
}

static int start(void **state)
{
    struct world *w = mem_new(sizeof *w);
    char path[128];
    struct fault why;
    dir_make(w->dir, sizeof w->dir);
    snprintf(path, sizeof path, "%s/data", w->dir);
    struct engine_conf conf = {
        .path = path, .tables = tables, .map_size = (uint64_t)1 << 28, .create = true};
    assert_ok(engine_open(&conf, &w->engine, &why));
    *state = w;
    return 0;
}

static int stop(void **state)
{
    struct world *w = *state;
    engine_close(w->engine);
    dir_remove(w->dir);
    mem_free(w);
    return 0;
}

/* --- tests ---------------------------------------------------------------------------------------
 */

static void empty_tables_have_no_rows(void **state)
{
    struct world *w = *state;
    struct engine_txn *snap;
    assert_ok(engine_snap_new(w->engine, &snap));
    assert_ok(engine_snap_renew(snap));
    look_around(w, snap, w->committed);
    engine_snap_free(snap);
}

static void tables_are_as_a_sorted_list(void **state)
{
    struct world *w = *state;
    for (unsigned seed = 1; seed <= 8; seed++) {
        srand(seed);
        play(w, 60);
    }
    assert_true(w->looks > 10000);
}

static void a_table_with_few_rows_among_many(void **state)
{
    struct world *w = *state;
    struct engine_txn *turn;
    struct slice key, value;
    assert_ok(engine_turn_begin(w->engine, &turn));
    for (unsigned a = 1; a <= 3000; a++) {
        const unsigned char octets[] = {0, 0, (unsigned char)(a >> 8), (unsigned char)a};
        assert_ok(engine_put(turn, MIDDLE, slice(octets, 4), SLICE("middle")));
        if (a % 1000 == 0)
            assert_ok(engine_put(turn, NONE_BEFORE, slice(octets, 4), SLICE("few")));
    }
    struct engine_cursor cursor;
    unsigned n = 0;
    assert_ok(engine_cursor_open(turn, NONE_BEFORE, SLICE_NONE, &cursor));
    for (enum err e = engine_seek(&cursor, SLICE("\0")); !e; e = engine_next(&cursor))
        assert_slice(cursor.value, "few"), n++;
    assert_int_equal(n, 3);
    engine_cursor_close(&cursor);
    assert_ok(engine_last(turn, NONE_BEFORE, SLICE_NONE, &key, &value));
    assert_slice(key, "\0\0\x0b\xb8");
    assert_err(engine_first(turn, FIRST, SLICE_NONE, SLICE("\0"), &key, &value), ERR_NOTFOUND);
    assert_err(engine_last(turn, LAST, SLICE_NONE, &key, &value), ERR_NOTFOUND);
    engine_turn_abort(turn);
}

static void a_key_has_its_limit(void **state)
{
    struct world *w = *state;
    struct engine_txn *turn;
    struct slice value;
    static char longest[ENGINE_KEY_MAX + 1];
    assert_ok(engine_turn_begin(w->engine, &turn));
    assert_ok(engine_put(turn, MIDDLE, slice(longest, ENGINE_KEY_MAX), SLICE("it fits")));
    assert_ok(engine_get(turn, MIDDLE, slice(longest, ENGINE_KEY_MAX), &value));
    assert_slice(value, "it fits");
    assert_err(engine_put(turn, MIDDLE, slice(longest, ENGINE_KEY_MAX + 1), value), ERR_BUG);
    engine_turn_abort(turn);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(empty_tables_have_no_rows, start, stop),
        cmocka_unit_test_setup_teardown(tables_are_as_a_sorted_list, start, stop),
        cmocka_unit_test_setup_teardown(a_table_with_few_rows_among_many, start, stop),
        cmocka_unit_test_setup_teardown(a_key_has_its_limit, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
