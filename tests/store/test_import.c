/* Mail from another server: UIDs, UIDVALIDITY and UIDLs that clients remember, taken over or, where
 * they are taken, kept as overrides; and what an import can ask to go on where it broke off. */
#include <string.h>

#include "core/base/mem.h"
#include "store/admin.h"
#include "store/hot.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { V = 1234567890 };

static uint32_t box_of(struct home *home, const char *path, uint32_t uidvalidity, uint32_t uidnext)
{
    struct store_result result;
    struct store_wait *wait = store_wait_new();
    store_import_mailbox(home->account, slice_str(path), uidvalidity, uidnext, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    uint32_t now = result.uidvalidity;
    store_result_finish(&result);
    return now;
}

/* A message of its own for each emailid. */
static struct store_import message(struct home *home, uint32_t uid, unsigned char id)
{
    struct store_import import = {.uid = uid, .emailid = {id}};
    assert_ok(store_incoming_new(home->account, 1 << 20, &import.in));
    assert_ok(store_incoming_write(import.in, SLICE("Subject: moved\n\nfrom afar\n")));
    store_incoming_set(import.in, FLAG_SEEN, NULL, 0, 1600000000, 4);
    return import;
}

static void import(struct home *home, const char *path, uint32_t uidvalidity,
                   const struct store_import *messages, size_t n, uint32_t *ret_uids)
{
    struct store_result result;
    struct store_wait *wait = store_wait_new();
    store_import(home->account, slice_str(path), uidvalidity, messages, n, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    assert_int_equal(result.narrivals, n);
    for (size_t i = 0; i < n; i++) {
        assert_ok(result.arrivals[i].err);
        ret_uids[i] = result.arrivals[i].uid;
    }
    store_result_finish(&result);
}

static uint32_t import_one(struct home *home, const char *path, uint32_t uidvalidity, uint32_t uid,
                           unsigned char id)
{
    struct store_import one = message(home, uid, id);
    uint32_t got;
    import(home, path, uidvalidity, &one, 1, &got);
    return got;
}

/* What POP3 says of every message of the mailbox, in its order, one blank between. */
static void uidls(struct home *home, const char *path, char *to, size_t cap)
{
    struct slice folder = slice_str(path);
    const struct store_poprule rule = {.folders = &folder, .nfolders = 1};
    struct store_maildrop *drop;
    assert_ok(store_maildrop_open(home->reader, home->account, NULL, &rule, &drop));
    to[0] = '\0';
    for (uint32_t n = 1; n <= store_maildrop_count(drop); n++) {
        struct store_popentry entry;
        assert_ok(store_maildrop_entry(drop, home->reader, n, &entry));
        snprintf(to + strlen(to), cap - strlen(to), "%s%s", n > 1 ? " " : "", entry.uidl);
    }
    store_reader_idle(home->reader);
    store_maildrop_close(drop);
}

#define assert_uidls(home, path, expected)                                                         \
    do {                                                                                           \
        char got_uidls[1024];                                                                      \
        uidls((home), (path), got_uidls, sizeof got_uidls);                                        \
        assert_string_equal(got_uidls, (expected));                                                \
    } while (0)

/* --- who gets which UID ------------------------------------------------------------------------
 */

static void an_unused_mailbox_takes_uidvalidity_and_uids(void **state)
{
    struct home *home = *state;
    uint32_t uids[3];
    assert_int_equal(box_of(home, "INBOX", V, 0), V);
    struct store_import messages[] = {message(home, 7, 1), message(home, 300, 2),
                                      message(home, 301, 3)};
    import(home, "INBOX", V, messages, 3, uids);
    assert_int_equal(uids[0], 7);
    assert_int_equal(uids[1], 300);
    assert_int_equal(uids[2], 301);
    assert_int_equal(box_of(home, "INBOX", V, 500), V);
    struct box box = home_box(home, "INBOX");
    assert_int_equal(box.row.uidnext, 500);
    assert_int_equal(box.row.exists, 3);
    assert_int_equal(box.row.unseen, 0);
    assert_int_equal(box.row.recent_uid, 301);
    assert_uidls(home, "INBOX", "00000007499602d2 0000012c499602d2 0000012d499602d2");
    assert_int_equal(home_rows(home, DBI_UIDL), 0); /* the format gives them */
    struct store_view *view = home_view(home, "INBOX");
    assert_int_equal(store_view_uid(view, 2), 300);
    store_view_close(view);
}

static void parents_are_made_and_a_name_is_found_again(void **state)
{
    struct home *home = *state;
    assert_int_equal(box_of(home, "Work/2025", V, 0), V);
    assert_int_not_equal(home_box(home, "Work").row.uidvalidity, V);
    assert_int_equal(box_of(home, "Work/2025", V, 0), V);
}

static void a_used_mailbox_keeps_its_own_and_writes_overrides(void **state)
{
    struct home *home = *state;
    home_append(home, "INBOX", 100, 0);
    uint32_t own = home_box(home, "INBOX").row.uidvalidity;
    assert_int_equal(box_of(home, "INBOX", V, 900), own);
    assert_int_equal(home_box(home, "INBOX").row.uidnext, 2);
    assert_int_equal(import_one(home, "INBOX", V, 7, 1), 2);
    char expected[64];
    snprintf(expected, sizeof expected, "00000001%08x 00000007499602d2", own);
    assert_uidls(home, "INBOX", expected);
}

static void a_taken_uidvalidity_is_given_up(void **state)
{
    struct home *home = *state;
    assert_int_equal(box_of(home, "A", V, 0), V);
    assert_int_equal(import_one(home, "A", V, 5, 1), 5);
    uint32_t other = box_of(home, "B", V, 0);
    assert_int_not_equal(other, V);
    assert_int_equal(import_one(home, "B", V, 6, 2), 1);
    assert_uidls(home, "B", "00000006499602d2");
    /* in A this is the UIDL of another message */
    assert_int_equal(import_one(home, "B", V, 5, 3), 2);
    char expected[64];
    snprintf(expected, sizeof expected, "00000006499602d2 00000002%08x", other);
    assert_uidls(home, "B", expected);
}

static void an_unused_mailbox_leaves_its_uidvalidity_to_another(void **state)
{
    struct home *home = *state;
    uint32_t own = home_box(home, "Trash").row.uidvalidity;
    assert_int_equal(box_of(home, "INBOX", own, 0), own);
    assert_true(home_box(home, "Trash").row.uidvalidity > own);
}

static void later_mailboxes_do_not_get_it_again(void **state)
{
    struct home *home = *state;
    uint32_t far = 4000000000;
    assert_int_equal(box_of(home, "A", far, 0), far);
    home_mailbox(home, "B");
    assert_true(home_box(home, "B").row.uidvalidity > far);
}

static void what_came_late_gets_a_new_uid_and_its_old_uidl(void **state)
{
    struct home *home = *state;
    assert_int_equal(box_of(home, "INBOX", V, 0), V);
    assert_int_equal(import_one(home, "INBOX", V, 5, 1), 5);
    assert_int_equal(import_one(home, "INBOX", V, 9, 2), 9);
    assert_int_equal(import_one(home, "INBOX", V, 7, 3), 10); /* was skipped at first */
    assert_int_equal(import_one(home, "INBOX", V, 9, 4), 11); /* 9 is somebody else by now */
    assert_uidls(home, "INBOX",
                 "00000005499602d2 00000009499602d2 00000007499602d2 0000000b499602d2");
}

static void uids_at_the_end_of_their_range_are_not_taken(void **state)
{
    struct home *home = *state;
    assert_int_equal(box_of(home, "INBOX", V, UINT32_MAX), V);
    assert_int_equal(home_box(home, "INBOX").row.uidnext, 1);
    assert_int_equal(import_one(home, "INBOX", V, UINT32_MAX, 1), 1);
}

/* --- UIDLs, order ------------------------------------------------------------------------------
 */

static void given_uidls_and_places_are_kept(void **state)
{
    struct home *home = *state;
    uint32_t uids[4];
    assert_int_equal(box_of(home, "INBOX", V, 0), V);
    struct store_import messages[] = {message(home, 1, 1), message(home, 2, 2), message(home, 3, 3),
                                      message(home, 4, 4)};
    messages[0].uidl = SLICE("UID1-77");
    messages[1].order = 2;
    messages[2].order = 1;
    messages[3].uidl = SLICE("not a uidl");
    import(home, "INBOX", V, messages, 4, uids);
    assert_uidls(home, "INBOX", "00000003499602d2 00000002499602d2 UID1-77 00000004499602d2");
    struct store_uidl uidl;
    uint32_t m = home_box(home, "INBOX").m;
    assert_ok(
        store_uidl(home->reader, home->account, m, V, &(struct store_message){.uid = 2}, &uidl));
    assert_int_equal(uidl.order, 2);
    assert_ok(
        store_uidl(home->reader, home->account, m, V, &(struct store_message){.uid = 1}, &uidl));
    assert_string_equal(uidl.text, "UID1-77");
    assert_ok(
        store_uidl(home->reader, home->account, m, V, &(struct store_message){.uid = 4}, &uidl));
    assert_string_equal(uidl.text, "00000004499602d2");
    store_reader_idle(home->reader);
}

static void only_what_was_new_is_recent(void **state)
{
    struct home *home = *state;
    uint32_t uids[2];
    box_of(home, "INBOX", V, 0);
    struct store_import messages[] = {message(home, 1, 1), message(home, 2, 2)};
    messages[1].recent = true;
    import(home, "INBOX", V, messages, 2, uids);
    assert_int_equal(home_box(home, "INBOX").row.recent_uid, 1);
}

/* --- what does not fit, what is known ----------------------------------------------------------
 */

static void each_message_is_held_to_the_quota(void **state)
{
    struct home *home = *state;
    struct store_result result;
    box_of(home, "INBOX", V, 0);
    home->account->limits.quota_messages = 1;
    struct store_import messages[] = {message(home, 1, 1), message(home, 2, 2)};
    struct store_wait *wait = store_wait_new();
    store_import(home->account, SLICE("INBOX"), V, messages, 2, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    assert_ok(result.arrivals[0].err);
    assert_err(result.arrivals[1].err, ERR_QUOTA);
    store_result_finish(&result);
    struct acct acct = home_acct(home);
    assert_int_equal(acct.row.used_msgs, 1);
}

static void a_mailbox_that_is_not_there_refuses_the_batch(void **state)
{
    struct home *home = *state;
    struct store_import one = message(home, 1, 1);
    struct store_wait *wait = store_wait_new();
    store_import(home->account, SLICE("Nowhere"), V, &one, 1, store_wait_to(wait));
    assert_err(store_wait(wait, NULL), ERR_NOTFOUND);
}

static void note(void *arg, const unsigned char emailid[16])
{
    ((unsigned *)arg)[emailid[0]]++;
}

static void what_is_there_or_can_be_undeleted_is_known(void **state)
{
    struct home *home = *state;
    unsigned known[256] = {0};
    home_close(home);
    home->undelete_s = 86400;
    home_open(home);
    box_of(home, "INBOX", V, 0);
    import_one(home, "INBOX", V, 1, 11);
    import_one(home, "INBOX", V, 2, 12);
    import_one(home, "INBOX", V, 3, 13);
    home_expunge(home, "INBOX", 2, 2);
    home_move(home, "INBOX", 3, 3, "Trash");
    assert_ok(store_import_known(home->reader, home->account, note, known));
    assert_true(known[11] && known[12] && known[13] && !known[14]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_unused_mailbox_takes_uidvalidity_and_uids, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(parents_are_made_and_a_name_is_found_again, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_used_mailbox_keeps_its_own_and_writes_overrides,
                                        home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(a_taken_uidvalidity_is_given_up, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(an_unused_mailbox_leaves_its_uidvalidity_to_another,
                                        home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(later_mailboxes_do_not_get_it_again, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(what_came_late_gets_a_new_uid_and_its_old_uidl, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(uids_at_the_end_of_their_range_are_not_taken, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(given_uidls_and_places_are_kept, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(only_what_was_new_is_recent, home_setup, home_teardown),
        cmocka_unit_test_setup_teardown(each_message_is_held_to_the_quota, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(a_mailbox_that_is_not_there_refuses_the_batch, home_setup,
                                        home_teardown),
        cmocka_unit_test_setup_teardown(what_is_there_or_can_be_undeleted_is_known, home_setup,
                                        home_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
