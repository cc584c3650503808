/* What was lost by any door comes back as it was, once, and every rule between rows holds. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/hot.h"
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

enum { LOST_MAX = 256 };

struct lost {
    struct store_lost item[LOST_MAX];
    char path[LOST_MAX][256];
    size_t n;
};

static struct lost lost(struct home *home, const struct store_pick *pick)
{
    struct lost all = {.n = 0};
    struct store_window *window;
    enum err e;
    assert_ok(store_window_open(home->reader, home->account, pick, &window));
    while (!(e = store_window_next(window, &all.item[all.n]))) {
        struct slice path = all.item[all.n].path;
        memcpy(all.path[all.n], path.ptr, path.len);
        all.path[all.n++][path.len] = '\0';
        store_reader_idle(home->reader);
        assert_true(all.n < LOST_MAX);
    }
    assert_err(e, ERR_NOTFOUND);
    store_window_close(window);
    store_reader_idle(home->reader);
    return all;
}

static struct lost everything(struct home *home)
{
    return lost(home, &(struct store_pick){0});
}

static enum err undelete(struct home *home, const struct lost *what, const char *to,
                         struct store_result *ret)
{
    struct store_wait *wait = store_wait_new();
    store_undelete(home->account, what->item, what->n, slice_str(to), store_wait_to(wait));
    return store_wait(wait, ret);
}

static void undelete_all(struct home *home)
{
    struct lost all = everything(home);
    struct store_result result;
    assert_ok(undelete(home, &all, "", &result));
    assert_int_equal(result.narrivals, all.n);
    for (size_t i = 0; i < all.n; i++)
        assert_ok(result.arrivals[i].err);
    store_result_finish(&result);
}

static struct hot_slot slot(struct home *home, const char *path, uint32_t uid)
{
    struct engine_txn *txn;
    struct hot_slot slot;
    uint32_t m = home_box(home, path).m;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(slot_load(txn, home->account->a, m, uid, &slot));
    store_reader_idle(home->reader);
    return slot;
}

static struct row_msg msg(struct home *home, uint32_t m, uint32_t uid)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    struct row_msg row;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(engine_get(txn, DBI_MSG, key_amu(&key, home->account->a, m, uid), &value));
    assert_ok(row_msg_decode(value, &row));
    store_reader_idle(home->reader);
    return row;
}

/* As recent: sees it: a client that has downloaded a message is not shown it again. */
static struct store_maildrop *maildrop(struct home *home)
{
    struct slice inbox = SLICE("INBOX");
    const struct store_poprule rule = {
        .folders = &inbox, .nfolders = 1, .recent = true, .retr_seen = true};
    struct store_maildrop *drop;
    assert_ok(store_maildrop_open(home->reader, home->account, NULL, &rule, &drop));
    store_reader_idle(home->reader);
    return drop;
}

static void pop3(struct home *home, unsigned char retrieved, unsigned char deleted)
{
    struct store_maildrop *drop = maildrop(home);
    struct store_wait *wait = store_wait_new();
    store_maildrop_update(drop, &retrieved, &deleted, POP3_DELETE_EXPUNGE, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_maildrop_close(drop);
}

static void uidl_of(struct home *home, uint32_t n, char to[71])
{
    struct store_maildrop *drop = maildrop(home);
    struct store_popentry entry;
    assert_ok(store_maildrop_entry(drop, home->reader, n, &entry));
    memcpy(to, entry.uidl, sizeof entry.uidl);
    store_reader_idle(home->reader);
    store_maildrop_close(drop);
}

/* --- messages ------------------------------------------------------------------------------------
 */

static void an_expunged_message_comes_back_with_a_new_uid(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 100, 0);
    home_append(home, "INBOX", 200, FLAG_SEEN | FLAG_FLAGGED);
    struct hot_slot before = slot(home, "INBOX", 2);
    struct row_msg was = msg(home, home_box(home, "INBOX").m, 2);
    home_expunge(home, "INBOX", 2, 2);
    struct lost all = everything(home);
    assert_int_equal(all.n, 1);
    assert_int_equal(all.item[0].by, LOST_IMAP);
    assert_int_equal(all.item[0].octets, 200);
    assert_int_equal(all.item[0].sysflags, FLAG_SEEN | FLAG_FLAGGED);
    assert_string_equal(all.path[0], "INBOX");

    struct store_result result;
    assert_ok(undelete(home, &all, "", &result));
    assert_ok(result.arrivals[0].err);
    assert_int_equal(result.arrivals[0].uid, 3);
    store_result_finish(&result);
    struct hot_slot now = slot(home, "INBOX", 3);
    struct row_msg is = msg(home, home_box(home, "INBOX").m, 3);
    assert_int_equal(now.sysflags, FLAG_SEEN | FLAG_FLAGGED); /* not \Deleted */
    assert_int_equal(now.internaldate, before.internaldate);
    assert_int_equal(now.zone, before.zone);
    assert_memory_equal(is.emailid, was.emailid, 16);
    assert_true(is.thread == was.thread && is.blob == was.blob);
    assert_int_equal(everything(home).n, 0);
    assert_int_equal(home_acct(home).row.gone_msgs, 0);
    assert_int_equal(home_acct(home).row.used_bytes, 300);
    home_check(home);
    home_await_rows(home, DBI_GONE, 0); /* the trace goes by itself */
    assert_int_equal(home_rows(home, DBI_MSG), 2);

    assert_ok(undelete(home, &all, "", &result)); /* it can be brought back once */
    assert_err(result.arrivals[0].err, ERR_NOTFOUND);
    store_result_finish(&result);
}

static void what_pop3_deleted_keeps_its_uidl_and_its_state(void **state)
{
    struct home *home = *state;
    char before[71], after[71];
    home_append(home, "INBOX", 100, 0);
    uidl_of(home, 1, before);
    pop3(home, 1, 1);
    struct lost all = everything(home);
    assert_int_equal(all.n, 1);
    assert_int_equal(all.item[0].by, LOST_POP3);
    clock_shift(3600);
    undelete_all(home);
    uidl_of(home, 1, after);
    assert_string_equal(before, after);
    assert_int_equal(slot(home, "INBOX", 2).sysflags, FLAG_SEEN | SYSFLAG_POP | SYSFLAG_HIDDEN);
}

static void a_message_of_another_choice_stays_lost(void **state)
{
    struct home *home = *state;
    home_mailbox(home, "Work");
    home_append(home, "INBOX", 100, 0);
    home_append(home, "INBOX", 200, 0);
    home_append(home, "Work", 300, 0);
    pop3(home, 0, 1);
    home_expunge(home, "Work", 1, 1);
    clock_shift(7200);
    uint32_t now = clock_wall();
    home_expunge(home, "INBOX", 2, 2);
    struct lost some = lost(home, &(struct store_pick){.by = LOST_POP3});
    assert_int_equal(some.n, 1);
    assert_int_equal(some.item[0].octets, 100);
    some = lost(home, &(struct store_pick){.since = now});
    assert_int_equal(some.n, 1);
    assert_int_equal(some.item[0].octets, 200);
    some = lost(home, &(struct store_pick){.mailbox = SLICE("Work")});
    assert_int_equal(some.n, 1);
    assert_int_equal(some.item[0].octets, 300);
    assert_int_equal(lost(home, &(struct store_pick){.by = LOST_EXPIRY}).n, 0);
    assert_int_equal(everything(home).n, 3);

    struct store_result result;
    assert_ok(undelete(home, &some, "Archive", &result)); /* to a place of choice */
    assert_int_equal(result.arrivals[0].mailbox, home_box(home, "Archive").m);
    store_result_finish(&result);
    assert_int_equal(home_box(home, "Work").row.exists, 0);
    assert_err(undelete(home, &some, "Nowhere", &result), ERR_NOTFOUND);
    store_result_finish(&result);
}

static void without_room_nothing_comes_back(void **state)
{
    struct home *home = *state;
    for (uint32_t i = 0; i < 4; i++)
        home_append(home, "INBOX", 1000, 0);
    home_expunge(home, "INBOX", 1, 3);
    home->account->limits.quota_octets = 3999;
    struct lost all = everything(home);
    struct store_result result;
    assert_err(undelete(home, &all, "", &result), ERR_QUOTA);
    for (size_t i = 0; i < result.narrivals; i++)
        assert_err(result.arrivals[i].err, ERR_QUOTA);
    store_result_finish(&result);
    assert_int_equal(home_box(home, "INBOX").row.exists, 1);
    home->account->limits.quota_octets = 4000;
    undelete_all(home);
    assert_int_equal(home_box(home, "INBOX").row.exists, 4);
}

static void many_come_back_in_batches(void **state)
{
    struct home *home = *state;
    uint32_t n = 1;
    home_append(home, "INBOX", 100, 0);
    for (; n < 25000; n *= 2)
        home_copy(home, "INBOX", 1, n, "INBOX");
    home_expunge(home, "INBOX", 1, n);
    struct store_lost *all = mem_new_array(n, sizeof *all);
    struct store_window *window;
    size_t found = 0;
    assert_ok(store_window_open(home->reader, home->account, &(struct store_pick){0}, &window));
    while (found < n && !store_window_next(window, &all[found]))
        found++;
    store_window_close(window);
    store_reader_idle(home->reader);
    assert_int_equal(found, n);
    struct store_wait *wait = store_wait_new();
    store_undelete(home->account, all, n, SLICE_NONE, store_wait_to(wait));
    struct store_result result;
    assert_ok(store_wait(wait, &result));
    for (uint32_t i = 0; i < n; i++) {
        assert_ok(result.arrivals[i].err);
        assert_int_equal(result.arrivals[i].uid, n + 1 + i);
    }
    store_result_finish(&result);
    mem_free(all);
    assert_int_equal(home_box(home, "INBOX").row.exists, n);
}

/* --- who has it open -----------------------------------------------------------------------------
 */

static void those_who_watch_are_told_and_still_read_what_went(void **state)
{
    struct home *home = *state;
    struct store_changes changes;
    struct store_message message;
    struct store_cursor cursor;
    struct uidset one = {0};
    home_append(home, "INBOX", 100, 0);
    home_append(home, "INBOX", 200, 0);
    struct store_view *view = home_view(home, "INBOX");
    struct store_maildrop *drop = maildrop(home);
    home_expunge(home, "INBOX", 2, 2);
    undelete_all(home);
    home_upkeep(home);
    assert_ok(store_view_sync(view, 0, &changes));
    assert_true(changes.exists_changed);
    assert_int_equal(changes.exists, 3); /* the ghost, and the message come back */
    uidset_add(&one, 2, 2);
    store_cursor_init(&cursor, view, &one, WANT_MSG, 0);
    assert_ok(store_cursor_next(&cursor, &message));
    assert_true(message.ghost);
    assert_int_equal(message.size, 200);
    struct store_body *body;
    assert_ok(store_body_open(view, 2, &body));
    store_body_close(body);
    uint32_t header;
    assert_ok(store_maildrop_body(drop, home->reader, 2, &body, &header));
    store_body_close(body);
    store_reader_idle(home->reader);
    assert_ok(store_view_sync(view, SYNC_EXPUNGE, &changes));
    assert_int_equal(changes.nexpunged, 1);
    store_reader_idle(home->reader);
    store_view_close(view);
    store_maildrop_close(drop);
    uidset_finish(&one);
    home_await_rows(home, DBI_GONE, 0);
}

/* --- mailboxes -----------------------------------------------------------------------------------
 */

static void a_deleted_mailbox_comes_back_whole(void **state)
{
    struct home *home = *state;
    home_mailbox(home, "Work/2026");
    home_append(home, "Work/2026", 100, FLAG_SEEN);
    home_append(home, "Work/2026", 200, 0);
    home_expunge(home, "Work/2026", 1, 1);
    struct box before = home_box(home, "Work/2026");
    struct store_view *view = home_view(home, "Work/2026");
    home_delete_mailbox(home, "Work/2026");
    home_delete_mailbox(home, "Work");
    struct lost all = everything(home);
    assert_int_equal(all.n, 3);
    undelete_all(home);
    struct box after = home_box(home, "Work/2026");
    assert_int_equal(after.m, before.m);
    assert_int_equal(after.row.uidvalidity, before.row.uidvalidity);
    assert_true(after.row.mailboxid == before.row.mailboxid);
    assert_int_equal(after.row.exists, 2); /* with what was expunged before */
    assert_true(after.row.modseq_floor > before.row.highestmodseq);
    assert_int_equal(home_acct(home).row.gone_bytes, 0);
    home_box(home, "Work");

    struct store_changes changes; /* a session that had it open does not see it again */
    assert_ok(store_view_sync(view, SYNC_EXPUNGE, &changes));
    assert_true(changes.deleted);
    store_reader_idle(home->reader);
    store_view_close(view);
}

static void a_taken_name_gets_a_suffix(void **state)
{
    struct home *home = *state;
    char name[256], longer[300];
    home_mailbox(home, "Old");
    for (unsigned i = 0; i < 2; i++) {
        home_append(home, "Old", 100 + i, 0);
        home_delete_mailbox(home, "Old");
        home_mailbox(home, "Old");
    }
    undelete_all(home);
    assert_int_equal(home_box(home, "Old").row.exists, 0);
    assert_int_equal(home_box(home, "Old-restored").row.bytes, 100);
    assert_int_equal(home_box(home, "Old-restored-2").row.bytes, 101);

    memset(name, 'n', 247);
    memcpy(name + 245, "\xc3\xb6\xc3\xb6", 5);
    home_mailbox(home, name);
    home_delete_mailbox(home, name);
    home_mailbox(home, name);
    undelete_all(home);
    snprintf(longer, sizeof longer, "%.245s-restored", name); /* the character is not cut */
    home_box(home, longer);
}

static void a_mailbox_without_its_parents_gets_them(void **state)
{
    struct home *home = *state;
    home_mailbox(home, "a/b/c");
    home_delete_mailbox(home, "a/b/c");
    home_delete_mailbox(home, "a/b");
    home_delete_mailbox(home, "a");
    undelete_all(home);
    home_box(home, "a/b/c");
    home_box(home, "a");
}

static void the_limit_of_mailboxes_holds(void **state)
{
    struct home *home = *state;
    home_mailbox(home, "Old");
    home_delete_mailbox(home, "Old");
    struct lost all = everything(home);
    struct store_result result;
    home->account->limits.mailboxes = home_acct(home).row.nmbox;
    assert_ok(undelete(home, &all, "", &result));
    assert_err(result.arrivals[0].err, ERR_LIMIT);
    store_result_finish(&result);
    assert_int_equal(everything(home).n, 1);
}

static void messages_of_a_deleted_mailbox_go_to_inbox(void **state)
{
    struct home *home = *state;
    home_mailbox(home, "Old");
    home_append(home, "Old", 100, 0);
    home_append(home, "Old", 200, FLAG_ANSWERED);
    home_expunge(home, "Old", 1, 1);
    uint32_t old = home_box(home, "Old").m;
    home_delete_mailbox(home, "Old");
    struct lost all = everything(home), one = {.n = 1};
    one.item[0] = all.item[all.item[0].uid ? 0 : 1];
    struct store_result result;
    assert_int_equal(all.n, 2);
    assert_ok(undelete(home, &one, "", &result));
    store_result_finish(&result);
    assert_int_equal(home_box(home, "INBOX").row.bytes, 100);

    /* One that is still in the mailbox is named by the mailbox's time and its own UID. */
    one.item[0] = (struct store_lost){
        .time = all.item[0].time, .mailbox = old, .uid = 2, .messages = 1, .octets = 200};
    assert_ok(undelete(home, &one, "", &result));
    assert_ok(result.arrivals[0].err);
    store_result_finish(&result);
    assert_int_equal(home_box(home, "INBOX").row.bytes, 300);
    assert_int_equal(slot(home, "INBOX", 2).sysflags, FLAG_ANSWERED);
    home_check(home);
    assert_ok(undelete(home, &one, "", &result));
    assert_err(result.arrivals[0].err, ERR_NOTFOUND);
    store_result_finish(&result);
    undelete_all(home); /* the mailbox, empty now */
    assert_int_equal(home_box(home, "Old").row.exists, 0);
}

static void what_is_past_the_window_is_not_there(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 100, 0);
    home_expunge(home, "INBOX", 1, 1);
    struct lost all = everything(home);
    clock_shift(15 * 86400);
    home_await_rows(home, DBI_GONE, 0);
    struct store_result result;
    assert_ok(undelete(home, &all, "", &result));
    assert_err(result.arrivals[0].err, ERR_NOTFOUND);
    store_result_finish(&result);
}

/* --- the model -----------------------------------------------------------------------------------
 */

/* A message is known by its size. */
enum { MESSAGES = 400, BOXES = 4, NOWHERE = -1, LOST = -2 };

static const char *const names[BOXES] = {"INBOX", "A", "B", "C"};

struct model {
    int where[MESSAGES];     /* a mailbox; NOWHERE: not yet; LOST: in the window */
    int was[MESSAGES];       /* where it is to come back to; its mailbox may be deleted */
    bool with_box[MESSAGES]; /* lost with its mailbox */
    bool deleted[BOXES];
    unsigned n;
};

static uint32_t size_of(unsigned id)
{
    return 100 + id;
}

/* Sizes to UIDs of one mailbox. */
static void uids_of(struct home *home, const char *path, uint32_t uids[MESSAGES])
{
    struct store_view *view = home_view(home, path);
    struct uidset all = {0};
    struct store_cursor cursor;
    struct store_message message;
    memset(uids, 0, MESSAGES * sizeof *uids);
    uidset_add(&all, 1, UINT32_MAX);
    store_cursor_init(&cursor, view, &all, WANT_HOT, 0);
    while (!store_cursor_next(&cursor, &message)) {
        assert_true(message.size >= 100 && message.size < 100 + MESSAGES);
        assert_int_equal(uids[message.size - 100], 0);
        uids[message.size - 100] = message.uid;
    }
    store_reader_idle(home->reader);
    store_view_close(view);
    uidset_finish(&all);
}

static void agrees(struct home *home, const struct model *model)
{
    for (int b = 0; b < BOXES; b++) {
        uint32_t uids[MESSAGES];
        if (model->deleted[b])
            continue;
        uids_of(home, names[b], uids);
        for (unsigned id = 0; id < model->n; id++)
            if ((model->where[id] == b) != (uids[id] != 0))
                fail_msg("message %u is %sin %s", id, uids[id] ? "" : "not ", names[b]);
    }
    home_check(home);
}

static void expunge_some(struct home *home, struct model *model, int b)
{
    uint32_t uids[MESSAGES];
    uids_of(home, names[b], uids);
    for (unsigned id = 0; id < model->n; id++)
        if (uids[id] && rand() % 3 == 0) {
            home_expunge(home, names[b], uids[id], uids[id]);
            model->where[id] = LOST;
            model->was[id] = b;
            model->with_box[id] = false;
        }
}

static void delete_box(struct home *home, struct model *model, int b)
{
    home_delete_mailbox(home, names[b]);
    model->deleted[b] = true;
    for (unsigned id = 0; id < model->n; id++)
        if (model->where[id] == b) {
            model->where[id] = LOST;
            model->was[id] = b;
            model->with_box[id] = true;
        }
}

static bool has(const struct lost *what, uint32_t octets, bool whole)
{
    for (size_t i = 0; i < what->n; i++)
        if ((what->item[i].uid == 0) == whole && what->item[i].octets == octets)
            return true;
    return false;
}

/* A random part of what is lost comes back. */
static void bring_back(struct home *home, struct model *model)
{
    struct lost all = everything(home), some = {.n = 0};
    bool back[BOXES] = {false};
    for (size_t i = 0; i < all.n; i++)
        if (rand() % 2) {
            memcpy(some.path[some.n], all.path[i], sizeof all.path[i]);
            some.item[some.n++] = all.item[i];
        }
    struct store_result result;
    assert_ok(undelete(home, &some, "", &result));
    for (size_t i = 0; i < some.n; i++)
        assert_ok(result.arrivals[i].err);
    store_result_finish(&result);
    for (size_t i = 0; i < some.n; i++)
        for (int b = 0; b < BOXES; b++)
            if (some.item[i].uid == 0 && strcmp(some.path[i], names[b]) == 0) {
                back[b] = true;
                model->deleted[b] = false;
            }
    for (unsigned id = 0; id < model->n; id++) {
        if (model->where[id] != LOST)
            continue;
        if (model->with_box[id] ? back[model->was[id]] : has(&some, size_of(id), false))
            model->where[id] = model->deleted[model->was[id]] ? 0 : model->was[id];
    }
}

static void random_losses_agree_with_the_model(void **state)
{
    struct home *home = *state;
    static struct model model;
    unsigned seed = (unsigned)clock_wall_us();
    print_message("# seed %u\n", seed);
    srand(seed);
    model = (struct model){.n = 0};
    for (int b = 1; b < BOXES; b++)
        home_mailbox(home, names[b]);
    for (unsigned step = 0; step < 150; step++) {
        int b = rand() % BOXES, what = rand() % 10;
        if (what < 6 && !model.deleted[b] && model.n < MESSAGES) {
            home_append(home, names[b], size_of(model.n), 0);
            model.where[model.n++] = b;
        } else if (what < 8 && !model.deleted[b] && everything(home).n < 40) {
            expunge_some(home, &model, b);
        } else if (what == 8 && b && !model.deleted[b]) {
            delete_box(home, &model, b);
        } else {
            bring_back(home, &model);
        }
        agrees(home, &model);
    }
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(an_expunged_message_comes_back_with_a_new_uid),
        CASE(what_pop3_deleted_keeps_its_uidl_and_its_state),
        CASE(a_message_of_another_choice_stays_lost),
        CASE(without_room_nothing_comes_back),
        CASE(many_come_back_in_batches),
        CASE(those_who_watch_are_told_and_still_read_what_went),
        CASE(a_deleted_mailbox_comes_back_whole),
        CASE(a_taken_name_gets_a_suffix),
        CASE(a_mailbox_without_its_parents_gets_them),
        CASE(the_limit_of_mailboxes_holds),
        CASE(messages_of_a_deleted_mailbox_go_to_inbox),
        CASE(what_is_past_the_window_is_not_there),
        CASE(random_losses_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
