/* store/copy.h: what a turn holds while it copies many messages. */
#include "store/copy.h"

#include "store/account.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { MESSAGES = 4096, LENT_MAX = 64 << 10 };

struct copy_all_op {
    struct op op;
    uint32_t m;
    size_t lent; /* in the turn, when all are copied */
};

/* COPY of 1..MESSAGES within a mailbox. */
static enum err copy_many(struct op *base, struct turn *turn)
{
    struct copy_all_op *op = (struct copy_all_op *)base;
    struct acct acct;
    struct box box;
    struct uidset uids = {0}, copied = {0};
    struct actor actor = {0};
    enum err e = account_for_change(turn, base->acct, &acct);
    if (!e)
        e = box_load(turn->txn, turn->env, base->acct, op->m, &box);
    if (e)
        return e;
    struct copying c = {
        .turn = turn, .acct = &acct, .source = &box, .target = &box, .actor = &actor};
    uidset_add(&uids, 1, MESSAGES);
    size_t before = engine_lent(turn->txn).used;
    e = copy_set(&c, &uids, LOG_COPIED, &copied);
    op->lent = engine_lent(turn->txn).used - before;
    uidset_finish(&uids);
    uidset_finish(&copied);
    return e ? e : turn_acct_save(turn, &acct);
}

static void stays(struct op *op)
{
    (void)op;
}

static void a_copy_of_many_holds_the_rows_of_one(void **state)
{
    static const struct op_kind kind = {"copy-many", copy_many, stays, true, NULL};
    (void)state;
    struct home home;
    home_start(&home);
    home_append(&home, "INBOX", 100, 0);
    for (uint32_t n = 1; n < MESSAGES; n *= 2)
        home_copy(&home, "INBOX", 1, n, "INBOX");
    struct store_wait *wait = store_wait_new();
    struct copy_all_op op = {
        .op = {.kind = &kind,
               .env = home.env,
               .acct = home.account->a,
               .pages = 1024,
               .to = store_wait_to(wait)},
        .m = home_box(&home, "INBOX").m
    };
    committer_submit(home.env->committer, &op.op);
    assert_ok(store_wait(wait, NULL));
    assert_int_equal(home_box(&home, "INBOX").row.exists, 2 * MESSAGES);
    assert_in_range(op.lent, 0, LENT_MAX);
    home_stop(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_of_many_holds_the_rows_of_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
