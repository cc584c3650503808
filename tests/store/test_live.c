#include "tests/lib/unit.h"

#include <ev.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/net/loop.h"
#include "store/live.h"

struct rig {
    struct store store;
    struct store_account account[2];
    struct loop *loop;
    unsigned kicks;
    uint64_t id;
};

static void kick(void *object)
{
    ((struct rig *)object)->kicks++;
}

static int start(void **state)
{
    static struct rig rig;
    rig = (struct rig){0};
    rig.store.live = live_new(&rig.store);
    for (unsigned i = 0; i < 2; i++)
        rig.account[i] = (struct store_account){.store = &rig.store, .a = i + 1};
    assert_ok(loop_new(0, &rig.loop));
    rig.id = loop_id_new(rig.loop, &rig);
    *state = &rig;
    return 0;
}

static void turn(struct rig *rig)
{
    ev_run(loop_ev(rig->loop), EVRUN_NOWAIT);
}

static int stop(void **state)
{
    struct rig *rig = *state;
    turn(rig); /* kicks that are still under way */
    live_free(rig->store.live);
    loop_free(rig->loop);
    return 0;
}

static struct store_live *enter(struct rig *rig, unsigned account, uint64_t peer)
{
    struct store_live *live;
    const struct store_live_conf conf = {.proto = PROTO_POP3,
                                         .peer_key = peer,
                                         .per_user = 3,
                                         .per_user_address = 2,
                                         .loop = rig->loop,
                                         .id = rig->id,
                                         .kick = kick};
    return store_live_enter(&rig->account[account], &conf, &live) == ERR_OK ? live : NULL;
}

static void sessions_are_counted_per_account_and_per_address(void **state)
{
    struct rig *rig = *state;
    struct store_live *a = enter(rig, 0, 10), *b = enter(rig, 0, 10), *c;
    assert_non_null(a);
    assert_non_null(b);
    assert_null(enter(rig, 0, 10)); /* the address */
    c = enter(rig, 0, 11);
    assert_non_null(c);
    assert_null(enter(rig, 0, 12)); /* the account */
    struct store_live *other = enter(rig, 1, 10);
    assert_non_null(other);
    store_live_leave(a);
    a = enter(rig, 0, 10);
    assert_non_null(a);
    store_live_leave(b);
    store_live_leave(a);
    store_live_leave(c);
    store_live_leave(other);
    store_live_leave(NULL);
}

static void a_kick_reaches_every_session_of_the_account(void **state)
{
    struct rig *rig = *state;
    struct store_live *a = enter(rig, 0, 10), *b = enter(rig, 0, 11), *other = enter(rig, 1, 10);
    store_live_kick(&rig->store, 1);
    assert_int_equal(rig->kicks, 0); /* on its loop, not here */
    turn(rig);
    assert_int_equal(rig->kicks, 2);
    store_live_kick(&rig->store, 99);
    store_live_kick(&rig->store, 1);
    loop_id_drop(rig->loop, rig->id); /* the session ended meanwhile */
    turn(rig);
    assert_int_equal(rig->kicks, 2);
    store_live_leave(a);
    store_live_leave(b);
    store_live_leave(other);
}

static void a_list_tells_who_is_in_and_what_they_do(void **state)
{
    struct rig *rig = *state;
    struct store_live_info *infos;
    const unsigned char address[16] = {[15] = 1};
    const struct store_live_conf conf = {
        .proto = PROTO_IMAP, .session = 0xabc, .loop = rig->loop, .id = rig->id, .kick = kick};
    struct store_live *a, *b = enter(rig, 1, 10);
    assert_ok(store_live_enter(&rig->account[0], &conf, &a));
    store_live_origin(a, address,
                      SLICE("Mail 3.1, which is a name of more than sixty-three "
                            "octets, so that it is cut"));
    store_live_active(a, 7);
    clock_shift(5);
    assert_int_equal(store_live_list(&rig->store, &infos), 2);
    const struct store_live_info *info = &infos[infos[0].acct == 1 ? 0 : 1];
    assert_int_equal(info->acct, 1);
    assert_int_equal(info->proto, PROTO_IMAP);
    assert_int_equal(info->session, 0xabc);
    assert_int_equal(info->mailbox, 7);
    assert_true(info->idle_ms >= 5000 && info->idle_ms < 60000);
    assert_true(info->since + 5 <= clock_wall());
    assert_memory_equal(info->address, address, 16);
    assert_string_equal(info->client,
                        "Mail 3.1, which is a name of more than sixty-three octets, so t");
    mem_free(infos);
    assert_int_equal(store_live_kick_session(&rig->store, 0xabd), 0);
    assert_int_equal(store_live_kick_session(&rig->store, 0xabc), 1);
    turn(rig);
    assert_int_equal(rig->kicks, 1);
    store_live_active(NULL, 1);
    store_live_leave(a);
    store_live_leave(b);
    assert_int_equal(store_live_list(&rig->store, &infos), 0);
    mem_free(infos);
}

static void a_second_maildrop_is_in_use(void **state)
{
    struct rig *rig = *state;
    struct store_live *a = enter(rig, 0, 10), *b = enter(rig, 0, 10), *other = enter(rig, 1, 10);
    assert_ok(live_maildrop_take(a));
    assert_err(live_maildrop_take(a), ERR_BUSY);
    assert_err(live_maildrop_take(b), ERR_BUSY);
    assert_ok(live_maildrop_take(other));
    live_maildrop_release(b); /* not its own */
    assert_err(live_maildrop_take(b), ERR_BUSY);
    live_maildrop_release(a);
    assert_ok(live_maildrop_take(b));
    store_live_leave(b); /* the lock goes with the session */
    assert_ok(live_maildrop_take(a));
    store_live_leave(a);
    store_live_leave(other);
}

static void a_dead_holder_is_told_and_then_taken_over(void **state)
{
    struct rig *rig = *state;
    struct store_live *dead = enter(rig, 0, 10), *near = enter(rig, 0, 10),
                      *far = enter(rig, 0, 11);
    assert_ok(live_maildrop_take(dead));
    store_live_stalled(dead, clock_mono_ms());
    clock_shift(59);
    assert_err(live_maildrop_take(near), ERR_BUSY);
    clock_shift(2);
    assert_err(live_maildrop_take(far), ERR_BUSY); /* another address */
    assert_err(live_maildrop_take(near), ERR_AGAIN);
    assert_err(live_maildrop_take(near), ERR_AGAIN);
    assert_err(live_maildrop_take(far), ERR_BUSY);
    turn(rig);
    assert_int_equal(rig->kicks, 1); /* told once */
    clock_shift(3);
    assert_err(live_maildrop_take(far), ERR_BUSY);
    assert_ok(live_maildrop_take(near));
    live_maildrop_release(dead); /* what it lost it cannot give back */
    assert_err(live_maildrop_take(dead), ERR_BUSY);
    store_live_leave(dead);
    store_live_leave(near);
    assert_ok(live_maildrop_take(far));
    store_live_leave(far);
}

static void a_dead_holder_that_leaves_frees_the_lock_at_once(void **state)
{
    struct rig *rig = *state;
    struct store_live *dead = enter(rig, 0, 10), *next = enter(rig, 0, 10);
    assert_ok(live_maildrop_take(dead));
    store_live_stalled(dead, clock_mono_ms());
    clock_shift(61);
    assert_err(live_maildrop_take(next), ERR_AGAIN);
    store_live_leave(dead);
    assert_ok(live_maildrop_take(next));
    store_live_leave(next);
}

static void a_holder_that_moves_again_keeps_the_lock(void **state)
{
    struct rig *rig = *state;
    struct store_live *holder = enter(rig, 0, 10), *next = enter(rig, 0, 10);
    assert_ok(live_maildrop_take(holder));
    store_live_stalled(holder, clock_mono_ms());
    clock_shift(61);
    store_live_stalled(holder, 0);
    assert_err(live_maildrop_take(next), ERR_BUSY);
    store_live_leave(holder);
    store_live_leave(next);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sessions_are_counted_per_account_and_per_address, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_kick_reaches_every_session_of_the_account, start, stop),
        cmocka_unit_test_setup_teardown(a_list_tells_who_is_in_and_what_they_do, start, stop),
        cmocka_unit_test_setup_teardown(a_second_maildrop_is_in_use, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_holder_is_told_and_then_taken_over, start, stop),
        cmocka_unit_test_setup_teardown(a_dead_holder_that_leaves_frees_the_lock_at_once, start,
                                        stop),
        cmocka_unit_test_setup_teardown(a_holder_that_moves_again_keeps_the_lock, start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
