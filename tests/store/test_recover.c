/* The undelete window as mailboxes that can be read. */
#include <ev.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/net/loop.h"
#include "core/net/worker.h"
#include "store/view.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

/* "path messages octets" of each, by '|'; \Noselect names alone. */
struct listing {
    char text[4096];
};

static bool add(void *arg, const struct store_mailbox *mailbox)
{
    struct listing *list = arg;
    size_t n = strlen(list->text), room = sizeof list->text - n;
    if (mailbox->flags & MAILBOX_NOSELECT)
        snprintf(list->text + n, room, SLICE_FMT "|", SLICE_ARG(mailbox->path));
    else
        snprintf(list->text + n, room, SLICE_FMT " %u %llu|", SLICE_ARG(mailbox->path),
                 mailbox->status.messages, (unsigned long long)mailbox->status.octets);
    return true;
}

static struct listing list(struct home *home)
{
    struct listing list = {""};
    struct store_lost_tree *tree;
    assert_ok(store_lost_read(home->reader, home->account, &tree));
    store_reader_idle(home->reader);
    store_lost_list(tree, add, &list);
    store_lost_free(tree);
    return list;
}

#define assert_list(home, expected) assert_string_equal(list(home).text, expected)

static struct store_view *open_lost(struct home *home, const char *path)
{
    struct store_view *view;
    assert_ok(store_lost_open(home->reader, home->account, slice_str(path), &view));
    store_reader_idle(home->reader);
    return view;
}

static struct store_view_info info(struct home *home, struct store_view *view)
{
    struct store_view_info info;
    assert_ok(store_view_info(view, true, &info));
    store_reader_idle(home->reader);
    return info;
}

static enum err restore(struct home *home, struct store_view *view, uint32_t first, uint32_t last,
                        const char *to, struct store_result *ret)
{
    struct uidset uids = {0};
    struct store_wait *wait = store_wait_new();
    uidset_add(&uids, first, last);
    store_lost_restore(view, &uids, slice_str(to), store_wait_to(wait));
    store_reader_idle(home->reader); /* the end of the loop's turn */
    enum err e = store_wait(wait, ret);
    store_lost_restored(view, &uids);
    uidset_finish(&uids);
    return e;
}

/* Sizes of what the view shows, in its order. */
static void assert_sizes(struct home *home, struct store_view *view, const uint32_t *sizes)
{
    struct uidset all = {0};
    struct store_cursor cursor;
    struct store_message message;
    uint32_t n = 0;
    enum err e;
    uidset_add(&all, 1, UINT32_MAX);
    store_cursor_init(&cursor, view, &all, WANT_MSG | WANT_CACHE, 0);
    for (; (e = store_cursor_next(&cursor, &message)) != ERR_NOTFOUND; n += !e) {
        struct store_body *body;
        if (e == ERR_AGAIN)
            continue;
        assert_ok(e);
        assert_false(message.ghost);
        assert_int_equal(message.seqnum, n + 1);
        assert_int_equal(message.size, sizes[n]);
        assert_true(message.cache.len);
        assert_ok(store_body_open(view, message.uid, &body));
        assert_int_equal(store_body_size(body), sizes[n]);
        store_body_close(body);
    }
    assert_int_equal(sizes[n], 0);
    store_reader_idle(home->reader);
    uidset_finish(&all);
}
#define SIZES(...) ((const uint32_t[]){__VA_ARGS__, 0})

static void mailboxes_are_shown_by_their_paths(void **state)
{
    struct home *home = *state;
    char expected[128];
    assert_list(home, "");
    home_mailbox(home, "a/b/c");
    home_append(home, "a/b/c", 100, 0);
    home_append(home, "a/b/c", 200, 0);
    home_expunge(home, "a/b/c", 1, 1);
    assert_list(home, "a|a/b|a/b/c 1 100|");
    uint32_t first = home_box(home, "a/b/c").m;
    home_delete_mailbox(home, "a/b/c");
    assert_list(home, "a|a/b|a/b/c 2 300|");
    home_mailbox(home, "a/b/c"); /* another one of this name, which loses something */
    home_append(home, "a/b/c", 300, 0);
    home_expunge(home, "a/b/c", 1, 1);
    snprintf(expected, sizeof expected, "a|a/b|a/b/c 1 300|a/b/c-%u 2 300|", first);
    assert_list(home, expected);
    home_append(home, "INBOX", 100, 0);
    home_move(home, "INBOX", 1, 1, "Archive"); /* what is moved is not lost */
    assert_list(home, expected);
    clock_shift(15 * 86400);
    home_await_rows(home, DBI_GONE, 0);
    assert_list(home, "");
}

static void what_was_expunged_can_be_read_and_moved_out(void **state)
{
    struct home *home = *state;
    struct store_result result;
    struct store_changes changes;
    for (uint32_t i = 1; i <= 5; i++)
        home_append(home, "INBOX", 100 * i, FLAG_ANSWERED);
    home_expunge(home, "INBOX", 4, 4);
    home_expunge(home, "INBOX", 1, 2);
    struct store_view *view = open_lost(home, "INBOX");
    assert_true(info(home, view).lost && info(home, view).read_only);
    assert_int_equal(info(home, view).exists, 3);
    assert_sizes(home, view, SIZES(100, 200, 400));
    uint32_t validity = info(home, view).uidvalidity;
    home_expunge(home, "INBOX", 3, 3); /* the view stands still */
    assert_sizes(home, view, SIZES(100, 200, 400));
    assert_ok(store_view_sync(view, SYNC_EXPUNGE, &changes));
    assert_int_equal(changes.nexpunged, 0);

    assert_ok(restore(home, view, 1, 2, "Archive", &result));
    assert_int_equal(uidset_count(&result.source), 2);
    assert_int_equal(uidset_count(&result.dest), 2);
    store_result_finish(&result);
    assert_ok(store_view_sync(view, 0, &changes)); /* it may not be told yet */
    assert_int_equal(changes.nexpunged, 0);
    assert_int_equal(changes.exists, 3);
    assert_ok(store_view_sync(view, SYNC_EXPUNGE, &changes));
    assert_int_equal(changes.nexpunged, 2);
    assert_int_equal(changes.expunged[0], 1);
    assert_int_equal(changes.expunged[1], 1);
    assert_int_equal(changes.exists, 1);
    assert_sizes(home, view, SIZES(400));
    store_view_close(view);
    assert_int_equal(home_box(home, "Archive").row.bytes, 300);

    view = open_lost(home, "INBOX"); /* now with what came before others: other UIDs to clients */
    assert_sizes(home, view, SIZES(300, 400));
    assert_true(info(home, view).uidvalidity != validity);
    store_view_close(view);
}

static void a_deleted_mailbox_shows_all_of_its_messages(void **state)
{
    struct home *home = *state;
    struct store_result result;
    struct store_changes changes;
    home_mailbox(home, "Old");
    for (uint32_t i = 1; i <= 4; i++)
        home_append(home, "Old", 100 * i, 0);
    home_expunge(home, "Old", 3, 3);
    home_delete_mailbox(home, "Old");
    struct store_view *view = open_lost(home, "Old");
    assert_sizes(home, view, SIZES(100, 200, 300, 400));
    assert_ok(restore(home, view, 2, 3, "INBOX", &result)); /* one of each kind */
    assert_int_equal(uidset_count(&result.source), 2);
    store_result_finish(&result);
    assert_ok(store_view_sync(view, SYNC_EXPUNGE, &changes));
    assert_int_equal(changes.nexpunged, 2);
    assert_int_equal(changes.expunged[0], 2);
    assert_int_equal(changes.expunged[1], 2);
    assert_sizes(home, view, SIZES(100, 400));
    store_view_close(view);
    assert_int_equal(home_box(home, "INBOX").row.bytes, 500);
    home_check(home);
    assert_list(home, "Old 2 500|");
}

static void what_left_the_window_under_a_view_is_nothing(void **state)
{
    struct home *home = *state;
    struct uidset one = {0};
    struct store_cursor cursor;
    struct store_message message;
    struct store_result result;
    home_append(home, "INBOX", 100, 0);
    home_expunge(home, "INBOX", 1, 1);
    struct store_view *view = open_lost(home, "INBOX");
    clock_shift(15 * 86400);
    home_await_rows(home, DBI_MSG, 0);
    uidset_add(&one, 1, 1);
    store_cursor_init(&cursor, view, &one, WANT_MSG, 0);
    assert_ok(store_cursor_next(&cursor, &message));
    assert_true(message.ghost);
    assert_int_equal(message.size, 0);
    store_reader_idle(home->reader);
    assert_ok(restore(home, view, 1, 1, "INBOX", &result));
    assert_int_equal(uidset_count(&result.dest), 0);
    store_result_finish(&result);
    store_view_close(view);
    uidset_finish(&one);
}

static void quota_holds_for_what_is_moved_out(void **state)
{
    struct home *home = *state;
    struct store_result result;
    home_append(home, "INBOX", 1000, 0);
    home_expunge(home, "INBOX", 1, 1);
    home->account->limits.quota_octets = 999;
    struct store_view *view = open_lost(home, "INBOX");
    assert_err(restore(home, view, 1, 1, "INBOX", &result), ERR_QUOTA);
    store_result_finish(&result);
    store_view_close(view);
    assert_list(home, "INBOX 1 1000|");
}

static void nobody_finds_what_lost_nothing(void **state)
{
    struct home *home = *state;
    struct store_view *view;
    struct store_status status;
    struct store_lost_tree *tree;
    home_append(home, "INBOX", 100, 0);
    assert_err(store_lost_open(home->reader, home->account, SLICE("INBOX"), &view), ERR_NOTFOUND);
    assert_ok(store_lost_read(home->reader, home->account, &tree));
    assert_err(store_lost_status(tree, SLICE("INBOX"), &status), ERR_NOTFOUND);
    store_lost_free(tree);
    store_reader_idle(home->reader);
}

/* --- for loops ---------------------------------------------------------------------------------
 */

struct session {
    bool answered;
    enum err err;
    struct listing list;
    struct store_status status;
    struct store_view *view;
};

static void answered(void *object, const struct store_result *result)
{
    struct session *s = object;
    s->answered = true;
    s->err = result->err;
    s->view = result->view;
    s->list = (struct listing){""};
    if (result->lost) {
        store_lost_list(result->lost, add, &s->list);
        assert_ok(store_lost_status(result->lost, SLICE("INBOX"), &s->status));
    }
}

static void await_answer(struct loop *loop, struct session *s)
{
    s->answered = false;
    while (!s->answered)
        ev_run(loop_ev(loop), EVRUN_ONCE);
}

static void a_loop_has_the_pool_read_it(void **state)
{
    enum { LOST = 200 };
    struct home *home = *state;
    struct session s = {0};
    struct loop *loop;
    struct store_reader *reader;
    struct pool *pool;
    const struct pool_conf conf = {.workers = 1, .queue_max = 2};
    for (unsigned i = 0; i < LOST; i++)
        home_append(home, "INBOX", 100, 0);
    home_expunge(home, "INBOX", 1, LOST);
    uint32_t inbox = home_box(home, "INBOX").m;
    assert_ok(loop_new(0, &loop));
    assert_ok(store_reader_new(home->store, loop, &reader));
    struct store_to to = {loop, loop_id_new(loop, &s), answered};
    assert_ok(pool_new(&conf, &pool));
    store_start(home->store, pool);

    store_warm_lost(home->account, to);
    await_answer(loop, &s);
    assert_ok(s.err);
    assert_string_equal(s.list.text, "INBOX 200 20000|");
    assert_int_equal(s.status.messages, LOST);

    store_warm_lost_view(home->account, SLICE("Nowhere"), to);
    await_answer(loop, &s);
    assert_err(s.err, ERR_NOTFOUND);
    assert_null(s.view);
    store_warm_lost_view(home->account, SLICE("INBOX"), to);
    await_answer(loop, &s);
    assert_ok(s.err);
    assert_true(s.view->reader == reader && s.view->account == home->account);
    assert_int_equal(store_view_exists(s.view), LOST);
    assert_true(boxes_oldest_told(home->store, home->account->a, inbox) < UINT64_MAX);
    store_view_close(s.view);

    /* Nobody waits for the answer any more: nothing holds on to what has been expunged. */
    store_warm_lost_view(home->account, SLICE("INBOX"), to);
    store_warm_lost(home->account, to);
    loop_id_drop(loop, to.id);
    pool_free(pool);
    ev_run(loop_ev(loop), EVRUN_NOWAIT);
    assert_true(boxes_oldest_told(home->store, home->account->a, inbox) == UINT64_MAX);
    store_start(home->store, NULL);
    store_reader_free(reader);
    loop_free(loop);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(mailboxes_are_shown_by_their_paths),
        CASE(what_was_expunged_can_be_read_and_moved_out),
        CASE(a_deleted_mailbox_shows_all_of_its_messages),
        CASE(what_left_the_window_under_a_view_is_nothing),
        CASE(quota_holds_for_what_is_moved_out),
        CASE(nobody_finds_what_lost_nothing),
        CASE(a_loop_has_the_pool_read_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
