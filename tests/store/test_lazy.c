/* Rows that wait: written with the next batch that has them anyway, by the timer, or at a stop. */
#include <pthread.h>

#include "core/base/clock.h"
#include "store/lazy.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

static int start(void **state)
{
    static struct home home;
    home_start(&home);
    store_account_set_actor(home.account, PROTO_IMAP, 7);
    *state = &home;
    return 0;
}

static int stop(void **state)
{
    home_stop(*state);
    return 0;
}

static void reopen(struct home *home)
{
    home_close(home);
    home_open(home);
    store_account_set_actor(home->account, PROTO_IMAP, 7);
}

static void flags(struct home *home, uint32_t first, uint32_t last, enum flag_mode mode,
                  uint8_t sysflags)
{
    home_flags(home, "INBOX", first, last, mode, sysflags);
}

static void append(struct home *home, unsigned n)
{
    while (n--)
        home_append(home, "INBOX", 100, 0);
}

/* --- rows ----------------------------------------------------------------------------------------
 */

static void a_login_is_noted_with_the_row_or_after_ten_minutes(void **state)
{
    struct home *home = *state;
    uint32_t at = clock_wall();
    store_account_logged_in(home->account);
    home_upkeep(home);
    assert_int_equal(home_acct(home).row.last_imap, 0);
    append(home, 1); /* rewrites `acct` */
    struct row_acct row = home_acct(home).row;
    assert_in_range(row.last_imap, at, at + 60);
    assert_int_equal(row.last_pop3, 0);

    store_account_set_actor(home->account, PROTO_POP3, 8);
    store_account_logged_in(home->account);
    clock_shift(590);
    home_upkeep(home);
    assert_int_equal(home_acct(home).row.last_pop3, 0);
    clock_shift(15);
    for (unsigned i = 0; i < 20 && !home_acct(home).row.last_pop3; i++)
        home_upkeep(home);
    assert_in_range(home_acct(home).row.last_pop3, at, at + 60);

    store_account_set_actor(home->account, PROTO_LMTP, 9); /* no login */
    store_account_logged_in(home->account);
    store_account_set_actor(home->account, PROTO_IMAP, 10);
    store_account_logged_in(home->account);
    reopen(home);
    assert_in_range(home_acct(home).row.last_imap, at + 605, at + 700);
}

static void what_was_told_as_recent_is_written_in_time(void **state)
{
    struct home *home = *state;
    struct store_view_info info;
    append(home, 3);
    struct store_view *view;
    assert_ok(store_view_open(home->reader, home->account, SLICE("INBOX"), VIEW_READ_ONLY, &view));
    assert_ok(store_view_info(view, false, &info));
    assert_int_equal(info.recent, 3);
    store_view_close(view);
    view = home_view(home, "INBOX");
    assert_ok(store_view_info(view, false, &info));
    assert_int_equal(info.recent, 3);
    store_reader_idle(home->reader);
    store_view_close(view);
    assert_int_equal(home_box(home, "INBOX").row.recent_uid, 0);
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    clock_shift(601);
    for (unsigned i = 0; i < 20 && !home_box(home, "INBOX").row.recent_uid; i++)
        home_upkeep(home);
    assert_int_equal(home_box(home, "INBOX").row.recent_uid, 3);
    assert_int_equal(home_box(home, "INBOX").row.highestmodseq, modseq);

    append(home, 2);
    store_view_close(home_view(home, "INBOX"));
    store_reader_idle(home->reader);
    reopen(home);
    assert_int_equal(home_box(home, "INBOX").row.recent_uid, 5);
    append(home, 1);
    store_view_close(home_view(home, "INBOX"));
    store_reader_idle(home->reader);
    append(home, 1); /* rewrites `mbox` */
    assert_int_equal(home_box(home, "INBOX").row.recent_uid, 6);
}

static uint32_t unseen_uid(struct home *home)
{
    struct store_view_info info;
    struct store_view *view = home_view(home, "INBOX");
    assert_ok(store_view_info(view, true, &info));
    uint32_t uid = store_view_uid(view, info.unseen_seqnum);
    store_reader_idle(home->reader);
    store_view_close(view);
    return uid;
}

static void a_better_bound_of_the_unseen_is_kept_if_nothing_came_between(void **state)
{
    struct home *home = *state;
    append(home, 400);
    flags(home, 1, 300, FLAGS_ADD, FLAG_SEEN);
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 1);
    assert_int_equal(unseen_uid(home), 301);
    append(home, 1);
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 301);

    /* Found, then a message below becomes unseen in the batch that would take the bound along. */
    flags(home, 301, 390, FLAGS_ADD, FLAG_SEEN);
    assert_int_equal(unseen_uid(home), 391);
    flags(home, 310, 310, FLAGS_REMOVE, FLAG_SEEN);
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 310);
    home_check(home);

    /* The same one batch earlier: the bound no longer holds. */
    flags(home, 310, 310, FLAGS_ADD, FLAG_SEEN);
    assert_int_equal(unseen_uid(home), 391);
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    flags(home, 391, 391, FLAGS_ADD, FLAG_SEEN); /* takes it */
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 391);
    flags(home, 320, 320, FLAGS_REMOVE, FLAG_SEEN);
    lazy_first_unseen(home->env, home->account->a, home_box(home, "INBOX").m, 392, modseq);
    append(home, 1);
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 320);

    /* By the timer. */
    flags(home, 320, 320, FLAGS_ADD, FLAG_SEEN);
    assert_int_equal(unseen_uid(home), 392);
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 320);
    clock_shift(601);
    for (unsigned i = 0; i < 20 && home_box(home, "INBOX").row.first_unseen != 392; i++)
        home_upkeep(home);
    assert_int_equal(home_box(home, "INBOX").row.first_unseen, 392);
}

static void more_than_65536_accounts_do_not_wait(void **state)
{
    struct home *home = *state;
    store_account_logged_in(home->account);
    for (uint32_t a = 1000; a < 1000 + 65535; a++)
        lazy_login(home->env, a, PROTO_IMAP, 1);
    home_upkeep(home);
    assert_int_equal(home_acct(home).row.last_imap, 0);
    for (uint32_t a = 100000; a < 400000; a++) /* only so many are taken */
        lazy_login(home->env, a, PROTO_IMAP, 1);
    for (unsigned i = 0; i < 40 && !home_acct(home).row.last_imap; i++)
        home_upkeep(home);
    assert_true(home_acct(home).row.last_imap > 0); /* the oldest goes first */
}

/* --- many at once --------------------------------------------------------------------------------
 */

static void *tell(void *arg)
{
    struct home *home = arg;
    uint32_t a = home->account->a;
    for (uint32_t i = 1; i <= 20000; i++) {
        lazy_login(home->env, i % 50 ? i : a, i % 2 ? PROTO_IMAP : PROTO_POP3, i);
        lazy_recent(home->env, a, 100 + i % 7, i); /* no such mailbox */
        lazy_first_unseen(home->env, a, 100 + i % 9, i, i);
    }
    return NULL;
}

static void loops_tell_while_the_committer_takes(void **state)
{
    struct home *home = *state;
    pthread_t thread[2];
    append(home, 1);
    for (unsigned i = 0; i < 2; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, tell, home), 0);
    for (unsigned i = 0; i < 30; i++) {
        flags(home, 1, 1, i % 2 ? FLAGS_REMOVE : FLAGS_ADD, FLAG_SEEN);
        clock_shift(100);
        committer_nudge(home->env->committer);
    }
    for (unsigned i = 0; i < 2; i++)
        pthread_join(thread[i], NULL);
    reopen(home);
    assert_int_equal(home_acct(home).row.last_pop3, 20000);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(more_than_65536_accounts_do_not_wait),
        CASE(a_login_is_noted_with_the_row_or_after_ten_minutes),
        CASE(what_was_told_as_recent_is_written_in_time),
        CASE(a_better_bound_of_the_unseen_is_kept_if_nothing_came_between),
        CASE(loops_tell_while_the_committer_takes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
