/* ENVELOPE, BODYSTRUCTURE and parts: in the `cache` row at arrival, else parsed anew on the pool.
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/mime/parts.h"
#include "core/net/worker.h"
#include "store/incoming.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

/* The one message of INBOX as FETCH reads it. */
static void read_message(struct home *home, struct store_view *view, uint32_t uid,
                         struct store_message *ret)
{
    struct uidset uids = {0};
    struct store_cursor cursor;
    (void)home;
    uidset_add(&uids, uid, uid);
    store_cursor_init(&cursor, view, &uids, WANT_MSG | WANT_CACHE, 0);
    assert_ok(store_cursor_next(&cursor, ret));
    uidset_finish(&uids);
}

static struct slice copy_row(struct home *home, uint64_t blob, unsigned char *to)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(engine_get(txn, DBI_CACHE, key_b(&key, blob), &value));
    memcpy(to, value.ptr, value.len);
    store_reader_idle(home->reader);
    return slice(to, value.len);
}

static void put_row(struct home *home, uint64_t blob, struct slice row)
{
    struct engine_txn *turn;
    struct key key;
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    if (row.len)
        assert_ok(engine_put(turn, DBI_CACHE, key_b(&key, blob), row));
    else
        assert_ok(engine_del(turn, DBI_CACHE, key_b(&key, blob)));
    assert_ok(engine_turn_commit(turn));
}

static const char two_parts[] =
    "Subject: hello\nFrom: Ann <ann@example.org>\nMessage-ID: <1@example.org>\n"
    "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b\nContent-Type: "
    "image/png\n\n2\n--b--\n";

#define TWO_PARTS_ENVELOPE                                                                         \
    "(NIL \"hello\" ((\"Ann\" NIL \"ann\" \"example.org\")) ((\"Ann\" NIL \"ann\" "                \
    "\"example.org\")) ((\"Ann\" NIL \"ann\" \"example.org\")) NIL NIL NIL NIL "                   \
    "\"<1@example.org>\")"
#define TWO_PARTS_STRUCTURE                                                                        \
    "((\"TEXT\" \"PLAIN\" (\"CHARSET\" \"US-ASCII\") NIL NIL \"7BIT\" 3 0 NIL NIL NIL NIL)"        \
    "(\"IMAGE\" \"PNG\" NIL NIL NIL \"7BIT\" 1 NIL NIL NIL NIL) \"MIXED\" (\"BOUNDARY\" \"b\") "   \
    "NIL NIL NIL)"

static void it_is_in_the_row_that_arrival_writes(void **state)
{
    struct home *home = *state;
    struct store_view *view;
    struct store_message m;
    struct store_structure got;
    struct mime_part part;
    uint32_t uid = home_append_octets(home, slice(two_parts, sizeof two_parts - 1));
    view = home_view(home, "INBOX");
    read_message(home, view, uid, &m);
    assert_ok(store_structure(&m, &got));
    assert_slice(got.envelope, TWO_PARTS_ENVELOPE);
    assert_slice(got.bodystructure, TWO_PARTS_STRUCTURE);
    assert_int_equal(got.cuts.len, 3 * 8);
    assert_int_equal(mime_rows(got.parts), 3);
    assert_ok(mime_row(got.parts, 0, &part));
    assert_int_equal(part.body_off, m.hdr_len);
    assert_int_equal(part.body_off + part.body_len, m.size);
    store_reader_idle(home->reader);
    store_view_close(view);
}

/* --- parsed anew ------------------------------------------------------------------------------ */

struct waiting {
    struct loop *loop;
    enum err err;
    struct buf envelope, bodystructure, cuts, parts;
};

static void parsed(void *object, const struct store_result *result)
{
    struct waiting *w = object;
    w->err = result->err;
    assert_true((result->structure == NULL) == (result->err != ERR_OK));
    if (result->structure) {
        assert_ok(buf_append(&w->envelope, result->structure->envelope));
        assert_ok(buf_append(&w->bodystructure, result->structure->bodystructure));
        assert_ok(buf_append(&w->cuts, result->structure->cuts));
        assert_ok(buf_append(&w->parts, result->structure->parts));
    }
    loop_stop(w->loop);
}

static void parse(struct home *home, uint32_t uid, struct waiting *w)
{
    struct pool *pool;
    const struct pool_conf conf = {.workers = 1, .queue_max = 1};
    *w = (struct waiting){0};
    buf_init(&w->envelope, SIZE_MAX);
    buf_init(&w->bodystructure, SIZE_MAX);
    buf_init(&w->cuts, SIZE_MAX);
    buf_init(&w->parts, SIZE_MAX);
    assert_ok(pool_new(&conf, &pool));
    store_start(home->store, pool);
    assert_ok(loop_new(0, &w->loop));
    struct store_to to = {.loop = w->loop, .id = loop_id_new(w->loop, w), .done = parsed};
    struct store_view *view = home_view(home, "INBOX");
    store_warm_structure(view, uid, to);
    store_reader_idle(home->reader);
    store_view_close(view);
    loop_run(w->loop);
    pool_free(pool);
    loop_free(w->loop);
}

static void waiting_finish(struct waiting *w)
{
    buf_finish(&w->envelope);
    buf_finish(&w->bodystructure);
    buf_finish(&w->cuts);
    buf_finish(&w->parts);
}

static bool row_is(struct home *home, uint64_t blob, struct slice row)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    bool same =
        engine_get(txn, DBI_CACHE, key_b(&key, blob), &value) == ERR_OK && slice_eq(value, row);
    store_reader_idle(home->reader);
    return same;
}

static void a_row_that_is_missing_old_or_damaged_is_written_anew(void **state)
{
    struct home *home = *state;
    static unsigned char good[ROW_MAX], old[ROW_MAX];
    uint32_t uid = home_append_octets(home, slice(two_parts, sizeof two_parts - 1));
    struct slice row = copy_row(home, 1, good);
    memcpy(old, good, row.len);
    old[2] = PARSER_VERSION - 1;
    const struct slice broken[] = {SLICE_NONE, slice(old, row.len), slice(good, row.len - 1)};
    for (size_t i = 0; i < 3; i++) {
        struct waiting w;
        struct store_message m;
        struct store_structure got;
        put_row(home, 1, broken[i]);
        struct store_view *view = home_view(home, "INBOX");
        if (broken[i].len) {
            read_message(home, view, uid, &m);
            assert_err(store_structure(&m, &got), ERR_NOTFOUND);
        }
        store_reader_idle(home->reader);
        store_view_close(view);
        parse(home, uid, &w);
        assert_ok(w.err);
        assert_slice(buf_slice(&w.envelope), TWO_PARTS_ENVELOPE);
        assert_slice(buf_slice(&w.bodystructure), TWO_PARTS_STRUCTURE);
        assert_int_equal(w.parts.len, 3 * MIME_ROW);
        waiting_finish(&w);
        for (unsigned wait = 0; !row_is(home, 1, row); wait++) {
            assert_true(wait < 2000);
            nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
        }
    }
}

static void what_does_not_fit_a_row_is_parsed_when_it_is_asked_for(void **state)
{
    struct home *home = *state;
    static unsigned char was[ROW_MAX];
    struct store_message m;
    struct store_structure got;
    struct waiting w;
    struct buf message;
    buf_init(&message, SIZE_MAX);
    assert_ok(buf_append(&message, SLICE("Content-Type: multipart/mixed; boundary=b\n\n")));
    for (unsigned i = 0; i < 900; i++)
        assert_ok(buf_append(&message, SLICE("--b\n\nx\n")));
    uint32_t uid = home_append_octets(home, buf_slice(&message));
    struct slice row = copy_row(home, 1, was);
    struct store_view *view = home_view(home, "INBOX");
    read_message(home, view, uid, &m);
    assert_err(store_structure(&m, &got), ERR_NOTFOUND);
    store_reader_idle(home->reader);
    store_view_close(view);
    parse(home, uid, &w);
    assert_ok(w.err);
    assert_int_equal(w.parts.len, 901 * MIME_ROW);
    assert_int_equal(w.cuts.len, 901 * 8);
    assert_true(w.bodystructure.len > ROW_MAX);
    assert_true(row_is(home, 1, row));
    waiting_finish(&w);
    buf_finish(&message);
}

/* Parts that lie in several pieces of a staged body, a delimiter across each border. */
static void a_message_in_pieces_gives_the_same(void **state)
{
    struct home *home = *state;
    struct store_message m;
    struct store_structure got;
    struct mime_part part;
    struct waiting w;
    struct buf message;
    buf_init(&message, SIZE_MAX);
    assert_ok(buf_append(&message, SLICE("Content-Type: multipart/mixed; boundary=b\r\n\r\n")));
    for (unsigned i = 0; i < 3; i++) {
        assert_ok(buf_append(&message, SLICE("--b\r\n\r\n")));
        while (message.len < (i + 1) * PIECE_OCTETS - 4)
            assert_ok(buf_append_c(&message, 'x'));
        assert_ok(buf_append(&message, SLICE("\r\n")));
    }
    assert_ok(buf_append(&message, SLICE("--b--\r\n")));
    uint32_t uid = home_append_octets(home, buf_slice(&message));
    parse(home, uid, &w);
    assert_ok(w.err);
    struct store_view *view = home_view(home, "INBOX");
    read_message(home, view, uid, &m);
    assert_ok(store_structure(&m, &got));
    assert_int_equal(mime_rows(got.parts), 4);
    assert_ok(mime_row(got.parts, 2, &part));
    assert_int_equal(part.hdr_off, PIECE_OCTETS - 2 + 5);
    assert_int_equal(part.body_off + part.body_len, 2 * PIECE_OCTETS - 4);
    assert_slice_eq(buf_slice(&w.envelope), got.envelope);
    assert_slice_eq(buf_slice(&w.bodystructure), got.bodystructure);
    assert_slice_eq(buf_slice(&w.parts), got.parts);
    assert_slice_eq(buf_slice(&w.cuts), got.cuts);
    waiting_finish(&w);
    store_reader_idle(home->reader);
    store_view_close(view);
    buf_finish(&message);
}

/* What is behind [limits] header counts as header and is not looked at. */
static void a_header_of_more_than_a_piece_ends_where_it_ends(void **state)
{
    struct home *home = *state;
    struct store_message m;
    struct store_structure got;
    struct mime_part part;
    struct buf message;
    buf_init(&message, SIZE_MAX);
    assert_ok(buf_append(&message, SLICE("Subject: long\r\n")));
    while (message.len < PIECE_OCTETS + 5000)
        assert_ok(buf_append(&message, SLICE("X-Filler: and so on and on and on\r\n")));
    assert_ok(buf_append(&message, SLICE("Content-Type: image/png\r\n\r\n")));
    size_t header = message.len;
    assert_ok(buf_append(&message, SLICE("body\r\n")));
    uint32_t uid = home_append_octets(home, buf_slice(&message));
    struct store_view *view = home_view(home, "INBOX");
    read_message(home, view, uid, &m);
    assert_int_equal(m.hdr_len, header);
    assert_ok(store_structure(&m, &got));
    assert_ok(mime_row(got.parts, 0, &part));
    assert_int_equal(part.body_off, header);
    assert_int_equal(part.body_len, 6);
    assert_int_equal(part.kind, header > 1 << 20 ? MIME_TEXT : MIME_OTHER);
    store_reader_idle(home->reader);
    store_view_close(view);
    buf_finish(&message);
}

static void what_is_gone_is_an_error(void **state)
{
    struct home *home = *state;
    struct waiting w;
    home_append_octets(home, slice(two_parts, sizeof two_parts - 1));
    parse(home, 7, &w);
    assert_err(w.err, ERR_GONE);
    waiting_finish(&w);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(it_is_in_the_row_that_arrival_writes),
        CASE(a_row_that_is_missing_old_or_damaged_is_written_anew),
        CASE(what_does_not_fit_a_row_is_parsed_when_it_is_asked_for),
        CASE(a_message_in_pieces_gives_the_same),
        CASE(a_header_of_more_than_a_piece_ends_where_it_ends),
        CASE(what_is_gone_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
