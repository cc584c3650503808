/* Snapshots, and the objects that share them. */
#include "tests/lib/unit.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/boxes.h"
#include "tests/store/rig.h"

enum { M = 3, NO_LOOP = RIG_LOOPS };

static struct rig rig;

static int start(void **state)
{
    (void)state;
    rig_start(&rig);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop(&rig);
    return 0;
}

static void arrive(uint32_t n)
{
    rig_begin(&rig, M, 100);
    rig_arrive(&rig, n, 0);
    rig_commit(&rig);
    rig_publish(&rig);
}

static struct snapshot *built(void)
{
    struct engine_txn *txn;
    struct box box;
    struct snapshot *snap;
    assert_ok(reader_snap(rig.reader[NO_LOOP], &rig.env, &txn));
    assert_ok(box_load(txn, &rig.env, RIG_ACCOUNT, M, &box));
    assert_ok(snapshot_build(txn, &box, &snap));
    store_reader_idle(rig.reader[NO_LOOP]);
    return snap;
}

static void snapshot_numbers_survive_gaps(void **state)
{
    (void)state;
    static const uint32_t uids[] = {1,   2,   64,  65,      127,     128,
                                    129, 255, 256, 1000000, 1000001, 4000000000};
    rig_begin(&rig, M, 1);
    for (size_t i = 0; i < sizeof uids / sizeof uids[0]; i++) {
        rig.box.row.uidnext = uids[i];
        rig_arrive(&rig, 1, 0);
    }
    rig_commit(&rig);
    rig_publish(&rig);
    struct snapshot *snap = built();
    uint32_t n = sizeof uids / sizeof uids[0], last;
    assert_int_equal(snap->exists, n);
    for (uint32_t i = 0; i < n; i++) {
        assert_int_equal(snapshot_select(snap, i + 1), uids[i]);
        assert_int_equal(snapshot_rank(snap, uids[i]), i + 1);
        assert_int_equal(snapshot_rank(snap, uids[i] - 1), i);
        assert_true(snapshot_has(snap, uids[i]));
        assert_int_equal(snapshot_run(snap, uids[i], UINT32_MAX, &last), uids[i]);
    }
    assert_int_equal(snapshot_select(snap, 0), 0);
    assert_int_equal(snapshot_select(snap, n + 1), 0);
    assert_false(snapshot_has(snap, 3));
    assert_int_equal(snapshot_run(snap, 3, UINT32_MAX, &last), 64);
    assert_int_equal(last, 65);
    assert_int_equal(snapshot_run(snap, 66, UINT32_MAX, &last), 127);
    assert_int_equal(last, 129);
    assert_int_equal(snapshot_run(snap, 4000000001, UINT32_MAX, &last), 0);
    assert_int_equal(snapshot_rank(snap, UINT32_MAX), n);
    snapshot_unref(snap);
}

static void snapshot_derived_is_the_same_as_built(void **state)
{
    (void)state;
    srand(7);
    arrive(1000);
    for (int round = 0; round < 200; round++) {
        struct snapshot *base = built();
        struct uidset gone = {0};
        rig_begin(&rig, M, 1);
        if (rand() % 2)
            rig_arrive(&rig, (uint32_t)(rand() % 300), 0);
        if (rand() % 8 == 0)
            rig_skip_uids(&rig, (uint32_t)(rand() % 1000));
        uint32_t uid = (uint32_t)rand() % rig.box.row.uidnext, width = (uint32_t)rand() % 200, last;
        for (uint32_t end = uid + width;
             uid <= end && (uid = snapshot_run(base, uid, UINT32_MAX, &last)); uid++)
            if (uid <= end && rand() % 4)
                uidset_add(&gone, uid, uid);
        if (!uidset_empty(&gone))
            rig_expunge(&rig, &gone, true);
        rig_commit(&rig);
        rig_publish(&rig);
        struct snapshot *fresh = built(), *derived;
        struct engine_txn *txn;
        struct box box;
        assert_ok(reader_snap(rig.reader[NO_LOOP], &rig.env, &txn));
        assert_ok(box_load(txn, &rig.env, RIG_ACCOUNT, M, &box));
        assert_ok(snapshot_derive(base, txn, &box, &gone, &derived));
        store_reader_idle(rig.reader[NO_LOOP]);
        assert_int_equal(derived->n, fresh->n);
        assert_int_equal(derived->exists, box.row.exists);
        assert_memory_equal(derived->bucket, fresh->bucket, fresh->n * sizeof fresh->bucket[0]);
        snapshot_unref(base);
        snapshot_unref(fresh);
        snapshot_unref(derived);
        uidset_finish(&gone);
    }
}

/* --- mailboxes in use ---------------------------------------------------------------------------
 */

static bool in_table(uint32_t m)
{
    struct box_object *object = boxes_lock(rig.store.boxes, RIG_ACCOUNT, m);
    if (object)
        object_unlock(object);
    return object;
}

static void idle_objects_go_oldest_first(void **state)
{
    (void)state;
    enum { MAILBOXES = 100000, KEPT = 64 * 1024 };
    struct told_pin pin, held;
    uint32_t kept = 0;
    boxes_pin_told(&rig.store, RIG_ACCOUNT, 1, 5, &held);
    for (uint32_t m = 1; m <= MAILBOXES; m++) {
        boxes_pin_told(&rig.store, RIG_ACCOUNT, m, 7, &pin);
        boxes_unpin_told(&pin);
    }
    for (uint32_t m = 1; m <= MAILBOXES; m++)
        kept += in_table(m);
    assert_in_range(kept, KEPT / 2, KEPT + 1);
    assert_true(in_table(1)); /* in use */
    assert_int_equal(boxes_oldest_told(&rig.store, RIG_ACCOUNT, 1), 5);
    assert_false(in_table(2));
    assert_true(in_table(MAILBOXES));
    assert_false(boxes_claims(&rig.store, RIG_ACCOUNT, 1, 5));
    assert_true(boxes_claims(&rig.store, RIG_ACCOUNT, 1, 6));
    boxes_unpin_told(&held);
}

static void idle_snapshots_are_bounded(void **state)
{
    (void)state;
    struct told_pin pin;
    size_t octets = 0;
    arrive(1);
    struct snapshot *one = built();
    /* Sparse: 4,000 buckets of one message each, 96 KB. */
    struct snapshot *big = mem_new(sizeof *big + 4000 * sizeof big->bucket[0]);
    memcpy(big, one, sizeof *big);
    big->n = 4000;
    for (uint32_t m = 1; m <= 2000; m++) {
        boxes_pin_told(&rig.store, RIG_ACCOUNT, m, 7, &pin);
        object_offer(pin.object, big);
        boxes_unpin_told(&pin);
    }
    for (uint32_t m = 1; m <= 2000; m++)
        octets += in_table(m) ? snapshot_octets(big) : 0;
    assert_in_range(octets, 32 << 20, 64 << 20);
    snapshot_unref(one);
    snapshot_unref(big);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(snapshot_numbers_survive_gaps),
        CASE(snapshot_derived_is_the_same_as_built),
        CASE(idle_objects_go_oldest_first),
        CASE(idle_snapshots_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
