/* Bodies, the undelete window and what a start sweeps, in a whole store. */
#include <string.h>

#include "core/base/clock.h"
#include "store/pins.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

static void reopen(struct home *home, uint32_t undelete_s)
{
    home_close(home);
    home->undelete_s = undelete_s;
    home_open(home);
}

static void assert_no_bodies(struct home *home)
{
    home_await_rows(home, DBI_REAP, 0);
    assert_int_equal(home_rows(home, DBI_BODY), 0);
    assert_int_equal(home_rows(home, DBI_BLOB), 0);
    assert_int_equal(home_rows(home, DBI_BOWN), 0);
    assert_int_equal(home_rows(home, DBI_CACHE), 0);
}

static void an_expunged_message_stays_for_the_window(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 100000, 0);
    home_append(home, "INBOX", 200, 0);
    uint64_t chunks = home_rows(home, DBI_BODY);
    assert_int_equal(chunks, 8);
    home_expunge(home, "INBOX", 1, 2);
    struct acct acct = home_acct(home);
    assert_int_equal(acct.row.used_msgs, 0);
    assert_int_equal(acct.row.gone_msgs, 2);
    assert_int_equal(acct.row.gone_bytes, 100200);
    clock_shift(13 * 86400);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_BODY), chunks);
    assert_int_equal(home_rows(home, DBI_GONE), 2);
    clock_shift(86400 + 700); /* past the window, and to the next pass */
    home_await_rows(home, DBI_GONE, 0);
    assert_no_bodies(home);
    assert_int_equal(home_rows(home, DBI_MSG), 0);
    acct = home_acct(home);
    assert_int_equal(acct.row.gone_msgs, 0);
    assert_int_equal(acct.row.gone_bytes, 0);
}

static void a_copy_keeps_the_body(void **state)
{
    struct home *home = *state;
    reopen(home, 0);
    home_append(home, "INBOX", 5000, 0);
    home_copy(home, "INBOX", 1, 1, "Archive");
    home_expunge(home, "INBOX", 1, 1);
    home_await_rows(home, DBI_GONE, 0);
    assert_int_equal(home_rows(home, DBI_BODY), 1);
    assert_int_equal(home_rows(home, DBI_MSG), 1);
    home_expunge(home, "Archive", 1, 1);
    home_await_rows(home, DBI_MSG, 0);
    assert_no_bodies(home);
}

static void a_pinned_body_outlives_its_message(void **state)
{
    struct home *home = *state;
    reopen(home, 0);
    home_append(home, "INBOX", 50000, 0);
    struct store_view *view = home_view(home, "INBOX");
    struct store_body *body;
    assert_ok(store_body_open(view, 1, &body));
    store_reader_idle(home->reader);
    store_view_close(view);
    home_expunge(home, "INBOX", 1, 1);
    home_await_rows(home, DBI_MSG, 0);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_REAP), 1);
    uint64_t at = 0;
    while (at < store_body_size(body)) {
        struct iovec iov[4];
        int n;
        assert_ok(store_body_map(body, home->reader, at, iov, 4, &n));
        assert_true(n > 0);
        for (int i = 0; i < n; i++)
            at += iov[i].iov_len;
        store_reader_idle(home->reader);
    }
    assert_int_equal(at, 50000);
    store_body_close(body);
    assert_no_bodies(home);
}

static void a_view_keeps_what_it_was_not_told(void **state)
{
    struct home *home = *state;
    reopen(home, 0);
    home_append(home, "INBOX", 3000, 0);
    home_append(home, "INBOX", 3000, 0);
    struct store_view *view = home_view(home, "INBOX");
    home_expunge(home, "INBOX", 1, 1);
    home_move(home, "INBOX", 2, 2, "Archive");
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_GONE), 2);
    for (uint32_t uid = 1; uid <= 2; uid++) { /* ghosts */
        struct store_body *body;
        assert_ok(store_body_open(view, uid, &body));
        assert_int_equal(store_body_size(body), 3000);
        store_body_close(body);
        store_reader_idle(home->reader);
    }
    store_view_close(view);
    home_await_rows(home, DBI_GONE, 0);
    home_await_rows(home, DBI_REAP, 0);
    assert_int_equal(home_rows(home, DBI_MSG), 1);
    assert_int_equal(home_rows(home, DBI_BLOB), 1);
}

static void a_moved_row_whose_message_is_gone_reads_nothing(void **state)
{
    struct home *home = *state;
    reopen(home, 0);
    home_append(home, "INBOX", 3000, 0);
    struct store_view *view = home_view(home, "INBOX");
    home_move(home, "INBOX", 1, 1, "Archive");
    home_expunge(home, "Archive", 1, 1);
    home_await_rows(home, DBI_GONE, 1);
    home_await_rows(home, DBI_BODY, 0);
    struct store_body *body;
    assert_err(store_body_open(view, 1, &body), ERR_GONE);
    store_reader_idle(home->reader);
    store_view_close(view);
    home_await_rows(home, DBI_GONE, 0);
    assert_no_bodies(home);
}

static void a_start_drops_what_is_transient(void **state)
{
    struct home *home = *state;
    reopen(home, 0);
    for (unsigned i = 0; i < 20; i++)
        home_append(home, "INBOX", 3000, 0);
    struct store_view *view = home_view(home, "INBOX");
    home_expunge(home, "INBOX", 1, 10);
    home_move(home, "INBOX", 11, 20, "Archive");
    assert_int_equal(home_rows(home, DBI_GONE), 20); /* the view claims them */
    committer_stop(home->env->committer);
    store_view_close(view);
    reopen(home, 0);
    home_await_rows(home, DBI_GONE, 0);
    home_await_rows(home, DBI_REAP, 0);
    assert_int_equal(home_rows(home, DBI_MSG), 10);
    assert_int_equal(home_rows(home, DBI_BLOB), 10);
    assert_int_equal(home_acct(home).row.gone_msgs, 0);
}

/* What a crash leaves: a body half deleted, and one half written. */
static void a_start_goes_on_with_the_reaper_and_sweeps_the_stage(void **state)
{
    struct home *home = *state;
    struct engine_txn *turn;
    struct key key;
    unsigned char octets[64];
    reopen(home, 0);
    home_append(home, "INBOX", 40000, 0);
    home_append(home, "INBOX", 300000, 0);
    pin_add(home->env->pins, 1);
    pin_add(home->env->pins, 2);
    home_expunge(home, "INBOX", 1, 2);
    home_await_rows(home, DBI_MSG, 0);
    committer_stop(home->env->committer);
    pin_drop(home->env->pins, 1);
    pin_drop(home->env->pins, 2);
    struct row_stage stage = {.time = 1, .a = home->account->a};
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    assert_ok(engine_del(turn, DBI_BODY, key_chunk(&key, 1, 0)));
    assert_ok(engine_del(turn, DBI_REAP, key_b(&key, 2)));
    assert_ok(engine_del(turn, DBI_BLOB, key_b(&key, 2)));
    assert_ok(engine_put(turn, DBI_STAGE, key_b(&key, 2), row_stage_encode(&stage, octets)));
    assert_ok(engine_turn_commit(turn));
    reopen(home, 0);
    home_await_rows(home, DBI_STAGE, 0);
    assert_no_bodies(home);
}

static void a_deleted_mailbox_is_swept_after_the_window(void **state)
{
    struct home *home = *state;
    home_mailbox(home, "Old");
    for (unsigned i = 0; i < 300; i++)
        home_append(home, "Old", 200, 0);
    home_expunge(home, "Old", 5, 14);
    uint64_t mailboxes = home_rows(home, DBI_MBOX);
    home_delete_mailbox(home, "Old");
    assert_int_equal(home_acct(home).row.gone_msgs, 300);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_MSG), 300);
    clock_shift(14 * 86400 + 700);
    home_await_rows(home, DBI_MBOX, mailboxes - 1);
    home_await_rows(home, DBI_GONE, 0);
    assert_no_bodies(home);
    assert_int_equal(home_rows(home, DBI_MSG), 0);
    assert_int_equal(home_rows(home, DBI_HOT), 0);
    assert_int_equal(home_rows(home, DBI_TOMB), 0);
    assert_int_equal(home_acct(home).row.gone_msgs, 0);
    assert_int_equal(home_acct(home).row.gone_bytes, 0);
}

static void a_mailbox_half_swept_is_finished_at_the_next_start(void **state)
{
    struct home *home = *state;
    struct engine_txn *turn;
    struct key key;
    unsigned char octets[ROW_MAX];
    home_mailbox(home, "Old");
    for (unsigned i = 0; i < 3; i++)
        home_append(home, "Old", 200, 0);
    struct box box = home_box(home, "Old");
    home_delete_mailbox(home, "Old");
    committer_stop(home->env->committer);
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    struct box now;
    struct acct acct;
    struct slice gone_key, gone;
    assert_ok(box_load(turn, home->env, box.a, box.m, &now));
    assert_ok(acct_load(turn, box.a, &acct));
    now.row.state = MBOX_SWEPT;
    acct.row.gone_msgs = acct.row.gone_bytes = 0;
    assert_ok(engine_first(turn, DBI_GONE, SLICE_NONE, key_a(&key, box.a), &gone_key, &gone));
    key_text(&key, gone_key);
    assert_ok(engine_del(turn, DBI_GONE, key_slice(&key)));
    assert_ok(engine_put(turn, DBI_ACCT, key_a(&key, box.a), row_acct_encode(&acct.row, octets)));
    assert_ok(
        engine_put(turn, DBI_MBOX, key_am(&key, box.a, box.m), row_mbox_encode(&now.row, octets)));
    assert_ok(engine_turn_commit(turn));
    reopen(home, 0);
    home_await_rows(home, DBI_MSG, 0);
    assert_no_bodies(home);
}

static void an_account_that_was_deleted_leaves_nothing(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 3000, 0);
    for (unsigned i = 0; i < 300; i++)
        home_append(home, "Archive", 100, 0);
    home_expunge(home, "Archive", 1, 20);
    home_move(home, "Archive", 30, 40, "Junk");
    struct store_wait *wait = store_wait_new();
    store_user_delete(home->store, SLICE("alice@example.org"), store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    home_await_rows(home, DBI_ACCT, 0);
    assert_no_bodies(home);
    static const unsigned tables[] = {DBI_MBOX, DBI_NAME, DBI_SUBS, DBI_KW,   DBI_HOT,
                                      DBI_MSG,  DBI_MID,  DBI_TOMB, DBI_GONE, DBI_POP,
                                      DBI_UIDL, DBI_LOG,  DBI_OPT};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        assert_int_equal(home_rows(home, tables[i]), 0);
    store_account_close(home->account);
    home->account = NULL;
}

static void set_option(struct home *home, struct slice name, struct slice value)
{
    struct arena arena;
    struct store_user user;
    struct store_opt opt = {.name = name, .value = value};
    arena_init(&arena, 1 << 20);
    assert_ok(store_user_find(home->reader, SLICE("alice@example.org"), &arena, &user));
    user.opts = &opt;
    user.nopts = 1;
    struct store_wait *wait = store_wait_new();
    store_user_set(home->store, &user, store_wait_to(wait));
    store_reader_idle(home->reader);
    assert_ok(store_wait(wait, NULL));
    arena_reset(&arena);
}

static void the_oldest_go_first_when_the_cap_is_passed(void **state)
{
    struct home *home = *state;
    for (unsigned i = 0; i < 6; i++)
        home_append(home, "INBOX", 340000, 0);
    for (uint32_t uid = 1; uid <= 6; uid++) {
        home_expunge(home, "INBOX", uid, uid);
        clock_shift(10);
    }
    set_option(home, SLICE("store.undelete_cap"), SLICE("1M"));
    clock_shift(700);
    home_await_rows(home, DBI_GONE, 3);
    home_await_rows(home, DBI_REAP, 0);
    assert_int_equal(home_acct(home).row.gone_bytes, 3 * 340000);
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    uint32_t m = home_box(home, "INBOX").m;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    for (uint32_t uid = 1; uid <= 6; uid++)
        assert_err(engine_get(txn, DBI_MSG, key_amu(&key, home->account->a, m, uid), &value),
                   uid <= 3 ? ERR_NOTFOUND : ERR_OK);
    store_reader_idle(home->reader);
}

static void an_account_may_have_its_own_window(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 1000, 0);
    home_expunge(home, "INBOX", 1, 1);
    set_option(home, SLICE("store.undelete"), SLICE("1h"));
    clock_shift(1800);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_GONE), 1);
    clock_shift(3600);
    home_await_rows(home, DBI_GONE, 0);
}

static void a_full_disk_gives_up_the_window_oldest_first(void **state)
{
    struct home *home = *state;
    for (unsigned i = 0; i < 4; i++)
        home_append(home, "INBOX", 1000, 0);
    for (uint32_t uid = 1; uid <= 4; uid++) {
        home_expunge(home, "INBOX", uid, uid);
        clock_shift(86400);
    }
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_GONE), 4);
    atomic_store(&home->env->disk_low, true);
    clock_shift(6);
    home_upkeep(home); /* looks how old they are */
    clock_shift(6);
    home_await_rows(home, DBI_GONE, 3);
    atomic_store(&home->env->disk_low, false);
    clock_shift(700);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_GONE), 3);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(an_expunged_message_stays_for_the_window),
        CASE(a_copy_keeps_the_body),
        CASE(a_pinned_body_outlives_its_message),
        CASE(a_view_keeps_what_it_was_not_told),
        CASE(a_moved_row_whose_message_is_gone_reads_nothing),
        CASE(a_start_drops_what_is_transient),
        CASE(a_start_goes_on_with_the_reaper_and_sweeps_the_stage),
        CASE(a_deleted_mailbox_is_swept_after_the_window),
        CASE(a_mailbox_half_swept_is_finished_at_the_next_start),
        CASE(an_account_that_was_deleted_leaves_nothing),
        CASE(the_oldest_go_first_when_the_cap_is_passed),
        CASE(an_account_may_have_its_own_window),
        CASE(a_full_disk_gives_up_the_window_oldest_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
