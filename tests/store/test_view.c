#include "tests/lib/unit.h"

#include "store/boxes.h"
#include "store/view.h"
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

static struct uidset set(uint32_t first, uint32_t last)
{
    struct uidset s = {0};
    uidset_add(&s, first, last);
    return s;
}

static void arrive(uint32_t n)
{
    rig_begin(&rig, M, 100);
    rig_arrive(&rig, n, 0);
    rig_commit(&rig);
    rig_publish(&rig);
}

static void flag(uint32_t first, uint32_t last, uint8_t sysflags)
{
    struct uidset uids = set(first, last);
    rig_begin(&rig, M, 100);
    rig_flags(&rig, &uids, sysflags, 0);
    rig_commit(&rig);
    rig_publish(&rig);
    uidset_finish(&uids);
}

static void expunge(uint32_t first, uint32_t last, uint32_t now)
{
    struct uidset uids = set(first, last);
    rig_begin(&rig, M, now);
    rig_expunge(&rig, &uids, now == 0);
    rig_commit(&rig);
    rig_publish(&rig);
    uidset_finish(&uids);
}

static struct store_view *open_view(unsigned reader, unsigned flags)
{
    char path[16];
    struct store_view *view;
    assert_ok(store_view_open(rig.reader[reader], &rig.account, rig_path(M, path), flags, &view));
    store_reader_idle(rig.reader[reader]);
    return view;
}

static struct store_changes sync(struct store_view *view, unsigned what)
{
    struct store_changes changes;
    assert_ok(store_view_sync(view, what, &changes));
    store_reader_idle(view->reader);
    return changes;
}

/* --- telling ------------------------------------------------------------------------------------
 */

static void arrivals_are_told_by_sync_only(void **state)
{
    (void)state;
    arrive(3);
    struct store_view *view = open_view(NO_LOOP, 0);
    assert_int_equal(store_view_exists(view), 3);
    arrive(2);
    assert_int_equal(store_view_exists(view), 3);
    assert_int_equal(store_view_seqnum(view, 4), 0);
    struct store_changes c = sync(view, 0);
    assert_true(c.exists_changed);
    assert_int_equal(c.exists, 5);
    assert_int_equal(c.nflagged, 0); /* a new message is no changed one */
    assert_int_equal(store_view_seqnum(view, 4), 4);
    assert_int_equal(store_view_told(view), 3);
    assert_false(sync(view, 0).exists_changed);
    store_view_close(view);
}

static void ghosts_keep_their_numbers_until_they_are_told(void **state)
{
    (void)state;
    arrive(10);
    struct store_view *view = open_view(NO_LOOP, 0);
    uint64_t told = store_view_told(view);
    expunge(3, 4, 100);
    expunge(9, 9, 100);
    arrive(1);
    struct store_changes c = sync(view, 0);
    assert_int_equal(c.nexpunged, 0);
    assert_int_equal(c.exists, 11);
    for (uint32_t uid = 1; uid <= 11; uid++) {
        assert_int_equal(store_view_seqnum(view, uid), uid);
        assert_int_equal(store_view_uid(view, uid), uid);
    }
    /* RFC 7162 section 3.2: HIGHESTMODSEQ stays below the expunge that the client has not seen. */
    assert_int_equal(store_view_told(view), told);
    assert_true(boxes_claims(&rig.store, RIG_ACCOUNT, M, told + 1));
    c = sync(view, SYNC_EXPUNGE);
    assert_int_equal(c.nexpunged, 3);
    assert_int_equal(c.expunged[0], 3);
    assert_int_equal(c.expunged[1], 3);
    assert_int_equal(c.expunged[2], 7);
    assert_true(uidset_has(c.vanished, 3) && uidset_has(c.vanished, 4) &&
                uidset_has(c.vanished, 9));
    assert_int_equal(uidset_count(c.vanished), 3);
    assert_false(c.exists_changed);
    assert_int_equal(store_view_exists(view), 8);
    assert_int_equal(store_view_told(view), told + 3);
    assert_false(boxes_claims(&rig.store, RIG_ACCOUNT, M, told + 2));
    assert_int_equal(store_view_max_uid(view), 11);
    store_view_close(view);
    assert_int_equal(boxes_oldest_told(&rig.store, RIG_ACCOUNT, M), UINT64_MAX);
}

static void what_came_and_went_untold_is_no_ghost(void **state)
{
    (void)state;
    arrive(1);
    struct store_view *view = open_view(NO_LOOP, 0);
    arrive(2);
    expunge(2, 3, 100);
    struct store_changes c = sync(view, SYNC_EXPUNGE);
    assert_int_equal(c.nexpunged, 0);
    assert_false(c.exists_changed);
    assert_int_equal(store_view_told(view), 4);
    store_view_close(view);
}

static void more_than_a_slice_of_flags_comes_in_slices(void **state)
{
    (void)state;
    arrive(3000);
    struct store_view *view = open_view(NO_LOOP, 0);
    uint64_t told = store_view_told(view);
    flag(1, 3000, FLAG_SEEN);
    uint32_t next = 1;
    for (;;) {
        struct store_changes c = sync(view, 0);
        for (size_t i = 0; i < c.nflagged; i++, next++) {
            assert_int_equal(c.flagged[i].uid, next);
            assert_int_equal(c.flagged[i].seqnum, next);
            assert_int_equal(c.flagged[i].sysflags, FLAG_SEEN);
        }
        assert_true(c.nflagged <= FLAGGED_MAX);
        assert_int_equal(store_view_told(view), c.more ? told : told + 1);
        if (!c.more)
            break;
    }
    assert_int_equal(next, 3001);
    assert_int_equal(sync(view, 0).nflagged, 0);
    store_view_close(view);
}

static void own_flags_are_not_told_again(void **state)
{
    (void)state;
    arrive(4);
    struct store_view *view = open_view(0, 0);
    flag(1, 2, FLAG_SEEN);
    struct uidset own = set(1, 2);
    store_view_own(view, &own, 3);
    assert_int_equal(sync(view, 0).nflagged, 0);
    flag(3, 4, FLAG_SEEN);    /* ours */
    flag(4, 4, FLAG_FLAGGED); /* somebody else's, later */
    uidset_clear(&own);
    uidset_add(&own, 3, 4);
    store_view_own(view, &own, 4);
    struct store_changes c = sync(view, 0);
    assert_int_equal(c.nflagged, 1);
    assert_int_equal(c.flagged[0].uid, 4);
    assert_int_equal(c.flagged[0].sysflags, FLAG_FLAGGED);
    uidset_finish(&own);
    store_view_close(view);
}

static void a_full_ring_sends_views_to_the_rows(void **state)
{
    (void)state;
    arrive(200);
    struct store_view *view = open_view(0, 0);
    rig_turn_loop(&rig, 0);
    for (uint32_t uid = 1; uid <= 200; uid++) /* one commit each, the loop asleep */
        flag(uid, uid, FLAG_SEEN);
    assert_true(view->pin.object->ring_n <= RING_EVENTS);
    rig_turn_loop(&rig, 0);
    assert_true(view->scan);
    assert_int_equal(view->pin.object->ring_n, 0);
    assert_int_equal(sync(view, 0).nflagged, 200);
    flag(7, 7, 0);
    rig_turn_loop(&rig, 0);
    assert_false(view->scan);
    assert_int_equal(view->npending, 1);
    assert_int_equal(sync(view, 0).nflagged, 1);
    store_view_close(view);
}

static void too_many_ghosts_end_the_session(void **state)
{
    (void)state;
    arrive(20);
    struct store_view *view = open_view(NO_LOOP, 0);
    struct store_changes c;
    view->ghosts_max = 5;
    expunge(1, 5, 100);
    assert_int_equal(sync(view, 0).nexpunged, 0);
    expunge(6, 6, 100);
    assert_err(store_view_sync(view, 0, &c), ERR_LIMIT);
    assert_int_equal(store_view_exists(view), 20);
    /* Told at once they need no room. */
    assert_int_equal(sync(view, SYNC_EXPUNGE).nexpunged, 6);
    assert_int_equal(sync(view, 0).exists, 14);
    store_view_close(view);
}

static void a_deleted_mailbox_goes_at_a_legal_moment(void **state)
{
    (void)state;
    arrive(3);
    struct store_view *view = open_view(0, 0);
    struct store_changes c;
    rig_begin(&rig, M, 1);
    rig_delete_mailbox(&rig);
    rig_commit(&rig);
    rig_publish(&rig);
    rig_turn_loop(&rig, 0);
    c = sync(view, 0);
    assert_false(c.deleted);
    assert_int_equal(store_view_exists(view), 3);
    /* Undeleted meanwhile: this session has lost it all the same. */
    rig_begin(&rig, M, 1);
    rig.box.row.state = MBOX_LIVE;
    rig.box.row.modseq_floor = ++rig.box.row.highestmodseq;
    rig_commit(&rig);
    rig_publish(&rig);
    c = sync(view, SYNC_EXPUNGE);
    assert_true(c.deleted);
    assert_int_equal(c.nexpunged, 3);
    assert_int_equal(c.expunged[0], 1);
    assert_int_equal(c.expunged[2], 1);
    assert_int_equal(uidset_count(c.vanished), 3);
    assert_int_equal(store_view_exists(view), 0);
    assert_err(store_view_sync(view, SYNC_EXPUNGE, &c), ERR_NOTFOUND);
    store_view_close(view);
}

static void a_changed_keyword_table_is_told(void **state)
{
    (void)state;
    static const char *const one[] = {"$Junk"}, *const two[] = {NULL, "$Done"};
    arrive(1);
    struct store_view *view = open_view(NO_LOOP, 0);
    assert_int_equal(store_view_nkeywords(view), 0);
    rig_begin(&rig, M, 1);
    rig_keywords(&rig, one, 1);
    rig_commit(&rig);
    rig_publish(&rig);
    assert_true(sync(view, 0).keywords);
    assert_slice(store_view_keyword(view, 0), "$Junk");
    assert_false(sync(view, 0).keywords);
    rig_begin(&rig, M, 1);
    rig_keywords(&rig, two, 2);
    rig_commit(&rig);
    rig_publish(&rig);
    assert_true(sync(view, 0).keywords);
    assert_slice(store_view_keyword(view, 0), "");
    assert_slice(store_view_keyword(view, 1), "$Done");
    assert_slice(store_view_keyword(view, 9), "");
    store_view_close(view);
}

/* --- \Recent ------------------------------------------------------------------------------------
 */

static void recent_goes_to_one_session(void **state)
{
    (void)state;
    arrive(3);
    struct store_view *look = open_view(NO_LOOP, VIEW_READ_ONLY);
    assert_int_equal(look->nrecent, 3); /* EXAMINE claims nothing */
    struct store_view *a = open_view(NO_LOOP, 0), *b = open_view(0, 0);
    assert_int_equal(a->nrecent, 3);
    assert_int_equal(b->nrecent, 0);
    assert_int_equal(box_recent_uid(&rig.store, RIG_ACCOUNT, M), 3);
    arrive(2);
    assert_int_equal(sync(b, 0).recent, 2);
    assert_int_equal(sync(a, 0).recent, 3);
    arrive(1);
    assert_int_equal(sync(a, 0).recent, 4);
    assert_true(view_is_recent(a, 6));
    assert_false(view_is_recent(a, 4));
    expunge(6, 6, 100);
    assert_int_equal(sync(a, SYNC_EXPUNGE).recent, 3);
    store_view_close(a);
    store_view_close(b);
    store_view_close(look);
    /* Nobody has it open: the claim waits for the next write of the row. */
    rig_begin(&rig, M, 1);
    rig_arrive(&rig, 1, 0);
    rig_commit(&rig);
    rig_publish(&rig);
    a = open_view(NO_LOOP, 0);
    assert_int_equal(a->nrecent, 1);
    store_view_close(a);
}

/* --- fetching -----------------------------------------------------------------------------------
 */

static void fetch_serves_ghosts(void **state)
{
    (void)state;
    arrive(6);
    struct store_view *view = open_view(NO_LOOP, 0);
    uint64_t told = store_view_told(view);
    flag(2, 3, FLAG_FLAGGED);
    expunge(2, 2, 0);   /* a transient row */
    expunge(3, 3, 777); /* one of the window */
    expunge(4, 4, 778);
    assert_int_equal(sync(view, 0).nflagged, 0);
    rig_begin(&rig, M, 1); /* the window's cap takes the last one */
    struct key key;
    assert_ok(turn_del(&rig.turn, DBI_GONE, key_gone(&key, RIG_ACCOUNT, 778, M, 4)));
    assert_ok(turn_del(&rig.turn, DBI_MSG, key_amu(&key, RIG_ACCOUNT, M, 4)));
    rig_commit(&rig);
    rig_publish(&rig);
    struct uidset all = set(1, UINT32_MAX);
    struct store_cursor cursor;
    struct store_message m;
    store_cursor_init(&cursor, view, &all, WANT_MSG | WANT_CACHE, 0);
    for (uint32_t uid = 1; uid <= 6; uid++) {
        assert_ok(store_cursor_next(&cursor, &m));
        assert_int_equal(m.uid, uid);
        assert_int_equal(m.seqnum, uid);
        assert_int_equal(m.ghost, uid >= 2 && uid <= 4);
        assert_int_equal(m.size, uid == 4 ? 0 : uid * 10);
        if (m.ghost)
            assert_int_equal(m.modseq, told + 1); /* below the first expunge */
        if (uid == 2 || uid == 3) {
            assert_int_equal(m.sysflags, FLAG_FLAGGED | FLAG_DELETED);
            assert_int_equal(m.hdr_len, uid);
        }
        if (uid == 3) /* left in the middle: the rows may move under it */
            store_reader_idle(view->reader);
    }
    assert_err(store_cursor_next(&cursor, &m), ERR_NOTFOUND);
    store_reader_idle(view->reader);
    uidset_finish(&all);
    store_view_close(view);
}

static void fetch_finds_what_was_expunged_under_it(void **state)
{
    (void)state;
    arrive(3);
    struct store_view *view = open_view(NO_LOOP, 0);
    struct uidset all = set(1, 3);
    struct store_cursor cursor;
    struct store_message m;
    store_cursor_init(&cursor, view, &all, WANT_MSG, 0);
    assert_ok(store_cursor_next(&cursor, &m));
    store_reader_idle(view->reader);
    expunge(2, 2, 500);
    assert_ok(store_cursor_next(&cursor, &m));
    assert_int_equal(m.uid, 2);
    assert_true(m.ghost);
    assert_int_equal(m.size, 20);
    assert_ok(store_cursor_next(&cursor, &m));
    assert_int_equal(m.uid, 3);
    assert_int_equal(m.seqnum, 3);
    assert_err(store_cursor_next(&cursor, &m), ERR_NOTFOUND);
    uidset_finish(&all);
    store_view_close(view);
}

static void changedsince_passes_over_the_rest(void **state)
{
    (void)state;
    arrive(1000);
    struct store_view *view = open_view(NO_LOOP, 0);
    flag(5, 5, FLAG_SEEN);
    flag(900, 901, FLAG_SEEN);
    struct uidset all = set(1, 1000);
    struct store_cursor cursor;
    struct store_message m;
    store_cursor_init(&cursor, view, &all, WANT_HOT, 2);
    assert_ok(store_cursor_next(&cursor, &m));
    assert_int_equal(m.uid, 5);
    assert_ok(store_cursor_next(&cursor, &m));
    assert_int_equal(m.uid, 900);
    assert_int_equal(m.modseq, 4);
    assert_ok(store_cursor_next(&cursor, &m));
    assert_err(store_cursor_next(&cursor, &m), ERR_NOTFOUND);
    uidset_finish(&all);
    store_view_close(view);
}

static void select_takes_ghosts_and_leaves_gaps(void **state)
{
    (void)state;
    arrive(300);
    expunge(100, 150, 1);
    struct store_view *view = open_view(NO_LOOP, 0);
    expunge(200, 202, 1);
    sync(view, 0);
    struct uidset wish = {0}, got = {0};
    uidset_add(&wish, 90, 110);
    uidset_add(&wish, 149, 201);
    uidset_add(&wish, 299, UINT32_MAX);
    store_view_select(view, &wish, &got);
    assert_int_equal(got.n, 3);
    assert_int_equal(got.ranges[0].first, 90);
    assert_int_equal(got.ranges[0].last, 99);
    assert_int_equal(got.ranges[1].first, 151);
    assert_int_equal(got.ranges[1].last, 201);
    assert_int_equal(got.ranges[2].first, 299);
    assert_int_equal(got.ranges[2].last, 300);
    uidset_finish(&wish);
    uidset_finish(&got);
    store_view_close(view);
}

static void first_unseen_is_counted_among_what_was_told(void **state)
{
    (void)state;
    arrive(500);
    flag(1, 400, FLAG_SEEN);
    expunge(1, 1, 1);
    struct store_view *view = open_view(NO_LOOP, 0);
    struct store_view_info info;
    assert_ok(store_view_info(view, true, &info));
    assert_int_equal(info.unseen_seqnum, 400);
    assert_int_equal(info.exists, 499);
    assert_int_equal(info.uidnext, 501);
    flag(401, 500, FLAG_SEEN);
    arrive(1);
    store_reader_idle(view->reader);
    assert_ok(store_view_info(view, true, &info));
    assert_int_equal(info.unseen_seqnum, 0);
    store_view_close(view);
}

/* --- events -------------------------------------------------------------------------------------
 */

static unsigned calls;
static struct store_view *to_close;

static void on_changed(void *object)
{
    assert_ptr_equal(object, &calls);
    calls++;
    store_view_close(to_close);
    to_close = NULL;
}

static void a_commit_wakes_every_view_once(void **state)
{
    (void)state;
    struct store_view *view[4];
    uint64_t id[RIG_LOOPS];
    calls = 0;
    arrive(5);
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        id[i] = loop_id_new(rig.loop[i], &calls);
    for (unsigned i = 0; i < 4; i++) {
        view[i] = open_view(i % RIG_LOOPS, 0);
        store_view_watch(view[i], id[i % RIG_LOOPS], on_changed);
    }
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        rig_turn_loop(&rig, i);
    assert_int_equal(calls, 0); /* nothing has happened since */
    arrive(1);
    arrive(1);
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        rig_turn_loop(&rig, i);
    assert_int_equal(calls, 4);
    for (unsigned i = 1; i < 4; i++)
        assert_ptr_equal(view[i]->snap, view[0]->snap); /* one snapshot for all */
    /* A session that ends while views are being told takes its neighbour's view along. */
    arrive(1);
    to_close = view[0];
    rig_turn_loop(&rig, 0);
    /* view[2], the newer, hears first and closes view[0] before it hears. */
    assert_int_equal(calls, 5);
    for (unsigned i = 1; i < 4; i++)
        store_view_close(view[i]);
    rig_turn_loop(&rig, 1);
    for (unsigned i = 0; i < RIG_LOOPS; i++)
        loop_id_drop(rig.loop[i], id[i]);
}

static void a_commit_between_snapshot_and_watch_is_not_lost(void **state)
{
    (void)state;
    char path[16];
    struct store_view *view;
    calls = 0;
    arrive(1);
    uint64_t id = loop_id_new(rig.loop[0], &calls);
    struct engine_txn *txn;
    assert_ok(reader_snap(rig.reader[0], &rig.env, &txn));
    arrive(1); /* nobody watches yet, and the reader does not see it */
    assert_ok(store_view_open(rig.reader[0], &rig.account, rig_path(M, path), 0, &view));
    store_view_watch(view, id, on_changed);
    assert_int_equal(store_view_exists(view), 1);
    store_reader_idle(rig.reader[0]);
    rig_turn_loop(&rig, 0);
    assert_int_equal(calls, 1);
    assert_int_equal(sync(view, 0).exists, 2);
    store_view_close(view);
    loop_id_drop(rig.loop[0], id);
}

static void flags_changed_before_the_first_watch_are_told(void **state)
{
    (void)state;
    char path[16];
    struct store_view *view;
    struct engine_txn *txn;
    arrive(2);
    assert_ok(reader_snap(rig.reader[0], &rig.env, &txn));
    flag(1, 1, FLAG_SEEN);
    assert_ok(store_view_open(rig.reader[0], &rig.account, rig_path(M, path), 0, &view));
    flag(2, 2, FLAG_SEEN); /* the ring begins here */
    store_reader_idle(rig.reader[0]);
    rig_turn_loop(&rig, 0);
    assert_int_equal(sync(view, 0).nflagged, 2);
    store_view_close(view);
}

static void a_reader_that_is_behind_is_told_in_the_next_turn(void **state)
{
    (void)state;
    arrive(1);
    struct store_view *view = open_view(0, 0);
    rig_turn_loop(&rig, 0);
    struct engine_txn *txn;
    struct watch *watch = view->watch;
    assert_ok(reader_snap(rig.reader[0], &rig.env, &txn)); /* this turn has begun to read */
    watch->posted = true;                                  /* a commit that it does not see */
    watch->txn = engine_txn_id(txn) + 1;
    watch->post.run(rig.loop[0], &watch->post);
    assert_true(watch->posted); /* posted again */
    store_reader_idle(rig.reader[0]);
    arrive(1);
    rig_turn_loop(&rig, 0);
    assert_false(watch->posted);
    assert_int_equal(view->snap->exists, 2);
    store_view_close(view);
}

static void views_of_two_loops_may_stand_at_two_versions(void **state)
{
    (void)state;
    arrive(5);
    struct store_view *a = open_view(0, 0), *b = open_view(1, 0);
    struct engine_txn *txn;
    assert_ok(reader_snap(rig.reader[0], &rig.env, &txn));
    expunge(2, 2, 50);
    arrive(2);
    assert_int_equal(sync(b, SYNC_EXPUNGE).exists, 6);
    struct store_changes c;
    assert_ok(store_view_sync(a, SYNC_EXPUNGE, &c)); /* its snapshot is from before */
    assert_int_equal(c.nexpunged, 0);
    assert_int_equal(store_view_exists(a), 5);
    store_reader_idle(rig.reader[0]);
    c = sync(a, SYNC_EXPUNGE);
    assert_int_equal(c.nexpunged, 1);
    assert_int_equal(c.exists, 6);
    assert_ptr_equal(a->snap, b->snap);
    store_view_close(a);
    store_view_close(b);
}

static void trimmed_tombstones_cost_a_new_count_only(void **state)
{
    (void)state;
    arrive(300);
    store_view_close(open_view(NO_LOOP, 0)); /* its snapshot stays with the idle object */
    expunge(10, 20, 5);
    rig_begin(&rig, M, 5);
    rig_trim_tombs(&rig, rig.box.row.highestmodseq);
    rig_commit(&rig);
    rig_publish(&rig);
    struct store_view *view = open_view(NO_LOOP, 0);
    assert_int_equal(store_view_exists(view), 289);
    assert_int_equal(store_view_seqnum(view, 21), 10);
    store_view_close(view);
}

static void a_restored_row_is_lifted_over_all_that_was_told(void **state)
{
    (void)state;
    arrive(3);
    store_view_close(open_view(NO_LOOP, 0));
    rig.env.restores = 2;
    struct store_view *view = open_view(NO_LOOP, 0);
    assert_int_equal(store_view_exists(view), 3);
    assert_int_equal(store_view_told(view), 2 + (UINT64_C(2) << 32));
    struct uidset all = set(1, 3);
    struct store_cursor cursor;
    struct store_message m;
    store_cursor_init(&cursor, view, &all, WANT_HOT, 100);
    assert_ok(store_cursor_next(&cursor, &m));
    assert_int_equal(m.modseq, store_view_told(view)); /* every message shows the floor */
    store_reader_idle(view->reader);
    arrive(1);
    assert_int_equal(sync(view, 0).exists, 4);
    assert_int_equal(store_view_uid(view, 4), 4 + (2 << 20));
    uidset_finish(&all);
    store_view_close(view);
}

int main(void)
{
#define CASE(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(arrivals_are_told_by_sync_only),
        CASE(ghosts_keep_their_numbers_until_they_are_told),
        CASE(what_came_and_went_untold_is_no_ghost),
        CASE(more_than_a_slice_of_flags_comes_in_slices),
        CASE(own_flags_are_not_told_again),
        CASE(a_full_ring_sends_views_to_the_rows),
        CASE(too_many_ghosts_end_the_session),
        CASE(a_deleted_mailbox_goes_at_a_legal_moment),
        CASE(a_changed_keyword_table_is_told),
        CASE(recent_goes_to_one_session),
        CASE(fetch_serves_ghosts),
        CASE(fetch_finds_what_was_expunged_under_it),
        CASE(changedsince_passes_over_the_rest),
        CASE(select_takes_ghosts_and_leaves_gaps),
        CASE(first_unseen_is_counted_among_what_was_told),
        CASE(a_commit_wakes_every_view_once),
        CASE(a_commit_between_snapshot_and_watch_is_not_lost),
        CASE(flags_changed_before_the_first_watch_are_told),
        CASE(a_reader_that_is_behind_is_told_in_the_next_turn),
        CASE(views_of_two_loops_may_stand_at_two_versions),
        CASE(trimmed_tombstones_cost_a_new_count_only),
        CASE(a_restored_row_is_lifted_over_all_that_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
