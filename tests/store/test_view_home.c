/* Views of a whole store: what waits for the committer, the pool or the next start. */
#include "tests/lib/unit.h"

#include <ev.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/net/worker.h"
#include "store/view.h"
#include "tests/store/home.h"

static struct home home;

static int start(void **state)
{
    (void)state;
    memset(&home, 0, sizeof home);
    home_start(&home);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    home_stop(&home);
    return 0;
}

static uint32_t recent_now(void)
{
    struct store_view_info info;
    struct store_view *view = home_view(&home, "INBOX");
    assert_ok(store_view_info(view, false, &info));
    store_view_close(view);
    return info.recent;
}

static void recent_is_claimed_for_good(void **state)
{
    (void)state;
    home_append(&home, "INBOX", 200, 0);
    home_append(&home, "INBOX", 200, 0);
    assert_int_equal(recent_now(), 2);
    assert_int_equal(recent_now(), 0);
    assert_int_equal(home_box(&home, "INBOX").row.recent_uid, 0); /* SELECT has written nothing */
    home_close(&home);
    home_open(&home);
    assert_int_equal(home_box(&home, "INBOX").row.recent_uid, 2);
    assert_int_equal(recent_now(), 0);
    home_append(&home, "INBOX", 200, 0);
    assert_int_equal(recent_now(), 1);
    home_append(&home, "INBOX", 200, 0); /* writes the row anyway */
    assert_int_equal(home_box(&home, "INBOX").row.recent_uid, 3);
}

static void recent_is_written_after_ten_minutes(void **state)
{
    (void)state;
    home_append(&home, "INBOX", 200, 0);
    assert_int_equal(recent_now(), 1);
    home_upkeep(&home);
    assert_int_equal(home_box(&home, "INBOX").row.recent_uid, 0);
    clock_shift(601);
    home_upkeep(&home);
    assert_int_equal(home_box(&home, "INBOX").row.recent_uid, 1);
    clock_shift(-601);
}

/* --- STORE --------------------------------------------------------------------------------------
 */

static void store_one(struct store_view *view, uint8_t sysflags, struct store_result *ret)
{
    const struct store_flagop op = {.mode = FLAGS_REPLACE, .sysflags = sysflags};
    struct uidset uids = {0};
    struct store_wait *wait = store_wait_new();
    uidset_add(&uids, 2, 2);
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(wait));
    assert_ok(store_wait(wait, ret));
    store_reader_idle(home.reader);
    uidset_finish(&uids);
}

/* An EXPUNGE that is held back holds HIGHESTMODSEQ back, but not what is known of flags. */
static void own_changes_beside_a_ghost_are_not_foreign(void **state)
{
    (void)state;
    struct store_changes changes;
    struct store_result result;
    for (unsigned i = 0; i < 3; i++)
        home_append(&home, "INBOX", 200, 0);
    struct store_view *view = home_view(&home, "INBOX");
    home_expunge(&home, "INBOX", 1, 1);
    for (uint8_t flags = FLAG_SEEN; flags <= FLAG_FLAGGED; flags *= 2) {
        store_one(view, flags, &result);
        assert_int_equal(uidset_count(&result.changed), 1);
        assert_true(uidset_empty(&result.foreign));
        store_view_own(view, &result.changed, result.modseq);
        store_result_finish(&result);
        assert_ok(store_view_sync(view, 0, &changes));
        assert_int_equal(changes.nflagged, 0);
        store_reader_idle(home.reader);
    }
    assert_int_equal(view->nghosts, 1);
    struct store_view *other = home_view(&home, "INBOX");
    store_one(other, FLAG_SEEN, &result);
    store_result_finish(&result);
    store_one(view, FLAG_DRAFT, &result);
    assert_int_equal(uidset_count(&result.foreign), 1);
    store_result_finish(&result);
    store_view_close(other);
    store_view_close(view);
}

/* --- the pool -----------------------------------------------------------------------------------
 */

struct answer {
    unsigned n;
    enum err err;
};

static void answered(void *object, const struct store_result *result)
{
    struct answer *answer = object;
    answer->n++;
    answer->err = result->err;
}

static void await(struct loop *loop, struct answer *answer, unsigned n)
{
    while (answer->n < n)
        ev_run(loop_ev(loop), EVRUN_ONCE);
    assert_int_equal(answer->n, n);
}

static void a_large_mailbox_is_counted_by_the_pool(void **state)
{
    (void)state;
    struct loop *loop;
    struct store_reader *reader;
    struct store_view *view;
    struct store_view_info info;
    struct pool *pool;
    const struct pool_conf conf = {.workers = 2, .queue_max = 4, .queue_max_per_source = 1};
    struct answer answer = {0};
    for (unsigned i = 0; i < 64; i++)
        home_append(&home, "INBOX", 200, 0);
    for (uint32_t n = 64; n <= LOOP_BUILD_MESSAGES; n *= 2)
        home_copy(&home, "INBOX", 1, n, "INBOX");
    uint32_t exists = home_box(&home, "INBOX").row.exists;
    home_close(&home); /* no session has left a snapshot behind */
    home_open(&home);
    assert_ok(loop_new(0, &loop));
    assert_ok(store_reader_new(home.store, loop, &reader));
    assert_ok(pool_new(&conf, &pool));
    store_start(home.store, pool);
    struct store_to to = {loop, loop_id_new(loop, &answer), answered};

    assert_err(store_view_open(reader, home.account, SLICE("INBOX"), 0, &view), ERR_AGAIN);
    store_warm_mailbox(home.account, SLICE("Nowhere"), to);
    await(loop, &answer, 1);
    assert_err(answer.err, ERR_NOTFOUND);
    store_warm_mailbox(home.account, SLICE("INBOX"), to);
    await(loop, &answer, 2);
    assert_ok(answer.err);
    assert_ok(store_view_open(reader, home.account, SLICE("INBOX"), 0, &view));
    assert_ok(store_view_info(view, true, &info));
    assert_int_equal(info.exists, exists);
    assert_int_equal(info.unseen_seqnum, 1);
    store_warm_view(view, exists / 2, to);
    await(loop, &answer, 3);
    assert_ok(answer.err);
    store_view_close(view);

    /* Pages may come and go, and the session too: the answer is dropped. */
    store_warm_mailbox(home.account, SLICE("INBOX"), to);
    loop_id_drop(loop, to.id);
    pool_free(pool);
    ev_run(loop_ev(loop), EVRUN_NOWAIT);
    assert_int_equal(answer.n, 3);
    store_start(home.store, NULL);
    store_reader_free(reader);
    loop_free(loop);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(recent_is_claimed_for_good),
        CASE(recent_is_written_after_ten_minutes),
        CASE(own_changes_beside_a_ghost_are_not_foreign),
        CASE(a_large_mailbox_is_counted_by_the_pool),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
