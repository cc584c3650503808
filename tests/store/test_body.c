/* Message octets: mapped by chunks, verified, paged in by the pool. */
#include <ev.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/net/loop.h"
#include "core/net/worker.h"
#include "store/body.h"
#include "store/pins.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { OCTETS = 5 * CHUNK_PAYLOAD + 123 };

static int start(void **state)
{
    static struct home home;
    home_start(&home);
    home_append(&home, "INBOX", OCTETS, 0);
    *state = &home;
    return 0;
}

static int stop(void **state)
{
    home_stop(*state);
    return 0;
}

static struct store_body *open_body(struct home *home, uint32_t uid)
{
    struct store_view *view = home_view(home, "INBOX");
    struct store_body *body;
    assert_ok(store_body_open(view, uid, &body));
    store_reader_idle(home->reader);
    store_view_close(view);
    return body;
}

static void it_is_mapped_from_any_octet(void **state)
{
    struct home *home = *state;
    struct store_body *body = open_body(home, 1);
    struct iovec iov[8];
    int n;
    assert_int_equal(store_body_size(body), OCTETS);
    assert_ok(store_body_map(body, home->reader, 3 * CHUNK_PAYLOAD + 7, iov, 8, &n));
    assert_int_equal(n, 3);
    assert_int_equal(iov[0].iov_len, CHUNK_PAYLOAD - 7);
    assert_int_equal(iov[1].iov_len, CHUNK_PAYLOAD);
    assert_int_equal(iov[2].iov_len, 123);
    assert_memory_equal((char *)iov[2].iov_base + 123 - 4, "xxxx", 4);
    assert_ok(store_body_map(body, home->reader, 0, iov, 1, &n));
    assert_int_equal(n, 1);
    assert_memory_equal(iov[0].iov_base, "From: a@example.org\r\n", 21);
    assert_ok(store_body_map(body, home->reader, OCTETS - 1, iov, 8, &n));
    assert_int_equal(n, 1);
    assert_int_equal(iov[0].iov_len, 1);
    assert_ok(store_body_map(body, home->reader, OCTETS, iov, 8, &n));
    assert_int_equal(n, 0);
    store_reader_idle(home->reader);
    store_body_close(body);
    store_body_close(NULL);
}

/* Chunk 3, as it is or as it is to be (empty: not there). */
static struct slice get_chunk(struct home *home, char *to)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(engine_get(txn, DBI_BODY, key_chunk(&key, 1, 3), &value));
    memcpy(to, value.ptr, value.len);
    store_reader_idle(home->reader);
    return slice(to, value.len);
}

static void put_chunk(struct home *home, struct slice chunk)
{
    struct engine_txn *turn;
    struct key key;
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    if (chunk.len)
        assert_ok(engine_put(turn, DBI_BODY, key_chunk(&key, 1, 3), chunk));
    else
        assert_ok(engine_del(turn, DBI_BODY, key_chunk(&key, 1, 3)));
    assert_ok(engine_turn_commit(turn));
}

static void damage_is_seen_where_it_is(void **state)
{
    struct home *home = *state;
    static char good[ROW_MAX], bad[ROW_MAX];
    struct slice was = get_chunk(home, good);
    memcpy(bad, good, was.len);
    bad[5000] ^= 1;
    const struct slice damage[] = {SLICE("x"), slice(bad, was.len), SLICE_NONE};
    for (unsigned i = 0; i < 3; i++) {
        struct store_body *body = open_body(home, 1);
        struct iovec iov[8];
        int n = 0;
        put_chunk(home, damage[i]);
        assert_ok(store_body_map(body, home->reader, 0, iov, 8, &n));
        assert_int_equal(n, 3); /* what lies before it */
        assert_err(store_body_map(body, home->reader, 3 * CHUNK_PAYLOAD, iov, 8, &n), ERR_CORRUPT);
        assert_ok(store_body_map(body, home->reader, 4 * CHUNK_PAYLOAD, iov, 8, &n));
        assert_int_equal(n, 2);
        store_reader_idle(home->reader);
        store_body_close(body);
        put_chunk(home, was);
    }
}

static void a_loop_sees_damage_within_a_second(void **state)
{
    struct home *home = *state;
    static char good[ROW_MAX], bad[ROW_MAX];
    struct slice was = get_chunk(home, good);
    struct store_body *body = open_body(home, 1);
    struct store_reader *reader;
    struct loop *loop;
    struct iovec iov[8];
    int n = 0;
    assert_ok(loop_new(0, &loop));
    assert_ok(store_reader_new(home->store, loop, &reader));
    assert_ok(store_body_map(body, reader, 2 * CHUNK_PAYLOAD, iov, 2, &n));
    assert_int_equal(n, 2);
    ev_run(loop_ev(loop), EVRUN_NOWAIT);
    memcpy(bad, good, was.len);
    bad[5000] ^= 1;
    put_chunk(home, slice(bad, was.len));
    clock_shift(1);
    assert_err(store_body_map(body, reader, 3 * CHUNK_PAYLOAD, iov, 1, &n), ERR_CORRUPT);
    ev_run(loop_ev(loop), EVRUN_NOWAIT);
    put_chunk(home, was);
    assert_ok(store_body_map(body, reader, 3 * CHUNK_PAYLOAD, iov, 1, &n));
    assert_memory_equal(iov[0].iov_base, good, iov[0].iov_len);
    store_body_close(body);
    store_reader_free(reader);
    loop_free(loop);
}

static void what_nobody_names_is_not_opened(void **state)
{
    struct home *home = *state;
    struct store_body *body;
    assert_err(body_open_blob(home->reader, home->env, 77, &body), ERR_GONE);
    struct box box = home_box(home, "INBOX");
    assert_err(body_open_message(home->reader, home->env, box.a, box.m, 2, NULL, &body), ERR_GONE);
    store_reader_idle(home->reader);
}

struct waiting {
    struct loop *loop;
    unsigned calls;
    enum err err;
};

static void warmed(void *object, const struct store_result *result)
{
    struct waiting *w = object;
    w->calls++;
    w->err = result->err;
    loop_stop(w->loop);
}

static void the_pool_pages_it_in_while_the_session_may_close_it(void **state)
{
    struct home *home = *state;
    struct pool *pool;
    struct waiting w = {0};
    const struct pool_conf conf = {.workers = 1, .queue_max = 1};
    assert_ok(pool_new(&conf, &pool));
    store_start(home->store, pool);
    assert_ok(loop_new(0, &w.loop));
    struct store_to to = {.loop = w.loop, .id = loop_id_new(w.loop, &w), .done = warmed};
    struct store_body *body = open_body(home, 1);
    store_warm_body(body, CHUNK_PAYLOAD + 5, (size_t)1 << 30, to);
    store_body_close(body);
    assert_true(pin_has(home->env->pins, 1)); /* until it comes back */
    loop_run(w.loop);
    assert_int_equal(w.calls, 1);
    assert_int_equal(w.err, ERR_OK);
    assert_false(pin_has(home->env->pins, 1));
    pool_free(pool);
    loop_free(w.loop);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(it_is_mapped_from_any_octet),
        CASE(damage_is_seen_where_it_is),
        CASE(a_loop_sees_damage_within_a_second),
        CASE(what_nobody_names_is_not_opened),
        CASE(the_pool_pages_it_in_while_the_session_may_close_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
