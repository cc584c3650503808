/* Tombstones, journal and Message-IDs are trimmed, and only when the clock can be believed. */
#include "core/base/clock.h"
#include "store/age.h"
#include "store/snapshot.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { DAY = 86400 };

/* --- journal -------------------------------------------------------------------------------------
 */

/* Lines 1..n in place of what the journal has; line i belongs to connection (i - 1) / 100 + 1. */
static void put_journal(struct home *home, uint64_t n, uint32_t time)
{
    struct engine_txn *turn;
    struct key key, prefix;
    struct slice found, value;
    unsigned char octets[64];
    uint32_t a = home->account->a;
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    while (engine_first(turn, DBI_LOG, key_a(&prefix, a), key_a(&prefix, a), &found, &value) ==
           ERR_OK) {
        key_text(&key, found);
        assert_ok(engine_del(turn, DBI_LOG, key_slice(&key)));
    }
    for (uint64_t seq = 1; seq <= n; seq++) {
        struct row_log line = {
            .what = LOG_ARRIVED, .time = time, .conn = (seq - 1) / 100 + 1, .count = 1};
        struct row_log_conn conn = {.time = time};
        assert_ok(engine_put(turn, DBI_LOG, key_log(&key, a, seq),
                             row_log_encode(&line, NULL, 0, octets)));
        assert_ok(engine_put(turn, DBI_LOG, key_log_conn(&key, a, line.conn),
                             row_log_conn_encode(&conn, octets)));
    }
    assert_ok(engine_turn_commit(turn));
}

static void the_journal_keeps_its_newest_lines(void **state)
{
    struct home *home = *state;
    struct key key;
    struct slice value;
    struct engine_txn *txn;
    home_close(home);
    home->log_rows = 350;
    home_open(home);
    put_journal(home, 1000, clock_wall());
    clock_shift(61);
    home_await_rows(home, DBI_LOG, 350 + 4); /* connections 7 to 10 have lines left */
    assert_ok(reader_snap(home->reader, home->env, &txn));
    uint32_t a = home->account->a;
    assert_err(engine_get(txn, DBI_LOG, key_log(&key, a, 650), &value), ERR_NOTFOUND);
    assert_ok(engine_get(txn, DBI_LOG, key_log(&key, a, 651), &value));
    assert_err(engine_get(txn, DBI_LOG, key_log_conn(&key, a, 6), &value), ERR_NOTFOUND);
    assert_ok(engine_get(txn, DBI_LOG, key_log_conn(&key, a, 7), &value));
    store_reader_idle(home->reader);
}

static void fewer_than_256_lines_are_not_worth_a_trim(void **state)
{
    struct home *home = *state;
    home_close(home);
    home->log_rows = 350;
    home_open(home);
    put_journal(home, 350 + 255, clock_wall());
    clock_shift(61);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_LOG), 605 + 7);
    put_journal(home, 350 + 256, clock_wall());
    clock_shift(DAY + 61);
    home_await_rows(home, DBI_LOG, 350 + 5);
}

static void lines_of_90_days_go_in_batches(void **state)
{
    struct home *home = *state;
    put_journal(home, 800, clock_wall() - 91 * DAY);
    clock_shift(61);
    home_await_rows(home, DBI_LOG, 800 - 768 + 1);
}

/* --- tombstones ----------------------------------------------------------------------------------
 */

/* INBOX had UIDs 1..n, and lost UID i at modseq i + 1. */
static void put_tombs(struct home *home, uint32_t n, uint32_t time)
{
    struct engine_txn *turn;
    struct key key;
    unsigned char octets[ROW_MAX];
    struct box box = home_box(home, "INBOX");
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    assert_ok(box_load(turn, home->env, box.a, box.m, &box));
    for (uint32_t uid = 1; uid <= n; uid++) {
        struct uidrange range = {uid, uid};
        assert_ok(engine_put(turn, DBI_TOMB, key_tomb(&key, box.a, box.m, uid + 1, 0),
                             row_tomb_encode(time, &range, 1, octets)));
    }
    box.row.uidnext = n + 1;
    box.row.highestmodseq = box.row.expunge_modseq = n + 1;
    assert_ok(
        engine_put(turn, DBI_MBOX, key_am(&key, box.a, box.m), row_mbox_encode(&box.row, octets)));
    assert_ok(engine_turn_commit(turn));
}

static void a_mailbox_keeps_its_newest_10000_tombstones(void **state)
{
    struct home *home = *state;
    put_tombs(home, 10050, clock_wall());
    clock_shift(61);
    home_await_rows(home, DBI_TOMB, 10000);
    assert_int_equal(home_box(home, "INBOX").row.tomb_floor, 51);
}

static void tombstones_of_90_days_go_but_not_what_a_view_was_not_told(void **state)
{
    struct home *home = *state;
    struct told_pin pin;
    struct box box = home_box(home, "INBOX");
    put_tombs(home, 100, clock_wall() - 91 * DAY);
    boxes_pin_told(home->store, box.a, box.m, 31, &pin);
    clock_shift(61);
    home_await_rows(home, DBI_TOMB, 70);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_TOMB), 70);
    assert_int_equal(home_box(home, "INBOX").row.tomb_floor, 31);
    boxes_unpin_told(&pin);
    clock_shift(DAY + 61);
    home_await_rows(home, DBI_TOMB, 0);
    assert_int_equal(home_box(home, "INBOX").row.tomb_floor, 101);
}

/* --- Message-IDs ---------------------------------------------------------------------------------
 */

/* A slice may end early; the next one comes after `gap_s`. */
static void await_message_ids(struct home *home, uint64_t rows, int gap_s)
{
    for (unsigned i = 0; i < 30 && home_rows(home, DBI_MID) != rows; i++) {
        clock_shift(gap_s);
        home_upkeep(home);
    }
    assert_int_equal(home_rows(home, DBI_MID), rows);
}

static void message_ids_go_after_400_days(void **state)
{
    struct home *home = *state;
    struct engine_txn *turn;
    struct key key;
    unsigned char octets[32];
    home_user(home, "bob@example.org"); /* has none */
    home_user(home, "carol@example.org");
    struct store_account *carol = home_account(home, "carol@example.org");
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    for (uint32_t i = 0; i < 6000; i++) {
        struct row_mid row = {.time = clock_wall() - (i % 2 ? 401 : 399) * DAY};
        uint32_t a = i % 4 < 2 ? home->account->a : carol->a;
        assert_ok(engine_put(turn, DBI_MID, key_mid(&key, a, i * 7919u, i),
                             row_mid_encode(&row, octets)));
    }
    assert_ok(engine_turn_commit(turn));
    await_message_ids(home, 3000, 61);
    await_message_ids(home, 0, DAY); /* the next pass */
    store_account_close(carol);
}

/* --- the clock
 * ------------------------------------------------------------------------------------- */

static void nothing_is_old_when_the_clock_was_set_ahead(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 100, 0);
    home_expunge(home, "INBOX", 1, 1);
    home_close(home);
    clock_shift(15 * DAY); /* or somebody has set it so */
    home_open(home);
    home_upkeep(home);
    clock_shift(700);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_GONE), 1);
    clock_shift(3600);
    home_await_rows(home, DBI_GONE, 0);
    home_await_rows(home, DBI_REAP, 0);
}

static void a_step_of_the_clock_stops_the_ageing_for_an_hour(void **state)
{
    struct age age;
    (void)state;
    age_init(&age, 0, false);
    uint64_t seen = clock_wall();
    assert_true(age_trusted(&age, seen));
    age.wall -= 500; /* it went ahead by less than 10 minutes */
    assert_true(age_trusted(&age, seen));
    age.wall -= 700;
    assert_false(age_trusted(&age, seen));
    clock_shift(3500);
    assert_false(age_trusted(&age, seen));
    clock_shift(200);
    assert_true(age_trusted(&age, seen));
    age.wall += 700; /* back */
    assert_false(age_trusted(&age, seen));
    clock_shift(3700);
    assert_false(age_trusted(&age, seen + 4000 + 3700 + 1000)); /* behind what was seen */
    assert_true(age_trusted(&age, seen));
    age_init(&age, clock_wall() - 2 * DAY, false);
    assert_true(age_trusted(&age, seen));
    age_init(&age, clock_wall() - 4 * DAY, false);
    assert_false(age_trusted(&age, seen));
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_journal_keeps_its_newest_lines),
        CASE(fewer_than_256_lines_are_not_worth_a_trim),
        CASE(lines_of_90_days_go_in_batches),
        CASE(a_mailbox_keeps_its_newest_10000_tombstones),
        CASE(tombstones_of_90_days_go_but_not_what_a_view_was_not_told),
        CASE(message_ids_go_after_400_days),
        CASE(nothing_is_old_when_the_clock_was_set_ahead),
        cmocka_unit_test(a_step_of_the_clock_stops_the_ageing_for_an_hour),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
