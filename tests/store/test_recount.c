/* Counters that are wrong are found, and mended so that every rule holds again. */
#include "core/base/mem.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

static int start(void **state)
{
    static struct home home;
    home = (struct home){.undelete_s = 86400};
    home_start(&home);
    home_append(&home, "INBOX", 1000, 0);
    home_append(&home, "INBOX", 2000, FLAG_SEEN);
    home_append(&home, "INBOX", 3000, FLAG_DELETED);
    home_append(&home, "Sent", 4000, FLAG_SEEN);
    home_append(&home, "Sent", 5000, FLAG_SEEN);
    home_mailbox(&home, "Old");
    home_append(&home, "Old", 6000, 0);
    home_expunge(&home, "Sent", 2, 2);
    home_delete_mailbox(&home, "Old");
    *state = &home;
    return 0;
}

static int stop(void **state)
{
    home_stop(*state); /* proves every rule */
    return 0;
}

static bool is_right(struct home *home)
{
    bool right;
    assert_ok(store_recount_check(home->reader, home->account, &right));
    store_reader_idle(home->reader);
    return right;
}

static void mend(struct home *home)
{
    struct store_wait *wait = store_wait_new();
    store_recount(home->account, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
}

/* --- doing harm ------------------------------------------------------------------------------- */

struct harm {
    struct op op;
    bool mailbox;
};

static enum err harm_apply(struct op *op, struct turn *turn)
{
    struct acct acct;
    struct box box;
    assert_ok(acct_load(turn->txn, op->acct, &acct));
    assert_ok(box_find(turn->txn, turn->env, op->acct, SLICE("INBOX"), &box));
    if (((struct harm *)op)->mailbox) {
        box.row.exists += 5;
        box.row.unseen = 0;
        box.row.bytes -= 1;
        box.row.deleted_bytes = 0;
        return turn_box_save(turn, &box);
    }
    acct.row.used_bytes += 1000000;
    acct.row.gone_msgs = 0;
    acct.row.nmbox++;
    return turn_acct_save(turn, &acct);
}

static void harm_release(struct op *op)
{
    mem_free(op);
}

static void harm(struct home *home, bool mailbox)
{
    static const struct op_kind kind = {"harm", harm_apply, harm_release, false};
    struct store_wait *wait = store_wait_new();
    struct harm *harm = mem_new(sizeof *harm);
    harm->mailbox = mailbox;
    harm->op = (struct op){.kind = &kind,
                           .env = home->env,
                           .acct = home->account->a,
                           .pages = 4,
                           .to = store_wait_to(wait)};
    committer_submit(home->env->committer, &harm->op);
    assert_ok(store_wait(wait, NULL));
}

/* --- cases ------------------------------------------------------------------------------------ */

static void right_counters_stay_as_they_are(void **state)
{
    struct home *home = *state;
    struct acct before = home_acct(home);
    assert_true(is_right(home));
    mend(home);
    struct acct after = home_acct(home);
    assert_int_equal(after.row.used_bytes, before.row.used_bytes);
    assert_int_equal(after.row.used_bytes, 10000);
    assert_int_equal(after.row.gone_bytes, 11000);
    assert_true(is_right(home));
}

static void wrong_counters_of_an_account_are_mended(void **state)
{
    struct home *home = *state;
    harm(home, false);
    assert_false(is_right(home));
    mend(home);
    assert_true(is_right(home));
    assert_int_equal(home_acct(home).row.used_bytes, 10000);
    assert_int_equal(home_acct(home).row.gone_msgs, 2);
}

static void wrong_counters_of_a_mailbox_are_mended(void **state)
{
    struct home *home = *state;
    harm(home, true);
    assert_false(is_right(home));
    mend(home);
    assert_true(is_right(home));
    struct box box = home_box(home, "INBOX");
    assert_int_equal(box.row.exists, 3);
    assert_int_equal(box.row.unseen, 2);
    assert_int_equal(box.row.bytes, 6000);
    assert_int_equal(box.row.deleted_bytes, 3000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(right_counters_stay_as_they_are, start, stop),
        cmocka_unit_test_setup_teardown(wrong_counters_of_an_account_are_mended, start, stop),
        cmocka_unit_test_setup_teardown(wrong_counters_of_a_mailbox_are_mended, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
