/* A disk that is full, for real: a small file system in memory, mounted for this program alone.
 * What needs growth is refused, everything else goes on, the daemon lives, and when there is room
 * again new mail comes in, without a restart. */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "store/commit.h"
#include "tests/lib/dirs.h"
#include "tests/lib/life.h"
#include "tests/lib/unit.h"

enum { M = 1 << 20, BODY = 200000, DAY_S = 86400, WINDOW_S = 14 * DAY_S };

static char disk[64];
static bool mounted;
static struct life life;
static struct store_account *alice, *bob; /* bob can bring back what he expunged */
static unsigned number;

/* --- the file system ---------------------------------------------------------------------------
 */

/* A name space of our own, as root or as whoever may have one. */
static bool may_mount(void)
{
    static bool asked, may;
    if (!asked)
        may = (unshare(CLONE_NEWNS) == 0 || unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0) &&
              mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0;
    asked = true;
    return may;
}

static bool start(unsigned size_mib, uint64_t reserve)
{
    char options[32];
    snprintf(options, sizeof options, "size=%um", size_mib);
    dir_make(disk, sizeof disk);
    if (!may_mount() || mount("tandem", disk, "tmpfs", 0, options) != 0) {
        print_message("# no file system may be mounted here: nothing was tested\n");
        return false;
    }
    mounted = true;
    life = (struct life){.conf = {.reserve = reserve}};
    snprintf(life.dir, sizeof life.dir, "%s/store", disk);
    assert_ok(life_open(&life));
    assert_ok(life_domain(&life));
    assert_ok(life_user(&life, "alice"));
    assert_ok(life_user(&life, "bob"));
    alice = life_account(&life, "alice", 0);
    bob = life_account(&life, "bob", WINDOW_S);
    return true;
}

static int stop(void **state)
{
    (void)state;
    store_account_close(alice);
    store_account_close(bob);
    alice = bob = NULL;
    life_close(&life);
    if (mounted)
        umount(disk);
    mounted = false;
    dir_remove(disk);
    return 0;
}

static uint64_t room(void)
{
    struct statvfs fs;
    assert_int_equal(statvfs(disk, &fs), 0);
    return (uint64_t)fs.f_bavail * fs.f_frsize;
}

static bool exists(const char *name)
{
    char path[512];
    snprintf(path, sizeof path, "%s/shard-00/%s", life.dir, name);
    return access(path, F_OK) == 0;
}

/* Somebody else's file, with all that is left but so much. */
static void fill(uint64_t leave)
{
    static const char zeros[4096];
    char path[128];
    snprintf(path, sizeof path, "%s/filler", disk);
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    while (room() > leave && write(fd, zeros, sizeof zeros) == (ssize_t)sizeof zeros)
        continue;
    close(fd);
}

static void unfill(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/filler", disk);
    unlink(path);
}

/* The store looks at the disk once a second. */
static void let_it_look(void)
{
    clock_shift(2);
    assert_true(life_settle(&life));
}

/* --- what is done ------------------------------------------------------------------------------
 */

static enum err append(struct store_account *account)
{
    return life_append(account, "INBOX", ++number, BODY);
}

/* Until one is refused; how many were taken. `looking`: at the pace of a second each. */
static unsigned append_until_full(bool looking)
{
    for (unsigned n = 0;; n++) {
        if (looking)
            clock_shift(2);
        enum err e = append(alice);
        if (e) {
            assert_err(e, ERR_FULL);
            return n;
        }
        assert_true(n < 2000);
    }
}

static struct store_status inbox(struct store_account *account)
{
    struct store_status status;
    assert_ok(store_mailbox_status(life.reader, account, SLICE("INBOX"), &status));
    store_reader_idle(life.reader);
    return status;
}

static void assert_serves_the_rest(void)
{
    uint32_t before = inbox(alice).messages;
    assert_ok(life_flags(&life, alice, "INBOX", 1, 3, FLAGS_ADD, FLAG_SEEN, "todo"));
    assert_ok(life_expunge(&life, alice, "INBOX", inbox(alice).uidnext - 2, UINT32_MAX));
    assert_ok(life_pop3(&life, alice, POP3_DELETE_EXPUNGE, 1 | 2, 2));
    assert_int_equal(inbox(alice).messages, before - 3);
    assert_true(life_settle(&life));
    assert_int_equal(life_verify(&life), 0);
}

/* --- cases -------------------------------------------------------------------------------------
 */

static void below_the_reserve_new_mail_is_refused_and_the_rest_goes_on(void **state)
{
    (void)state;
    if (!start(64, 24 * M))
        return;
    assert_true(append_until_full(true) > 20);
    assert_true(room() >= 20 * M); /* refused at the reserve, not at the end */
    assert_true(atomic_load(&life.env->disk_low));
    assert_serves_the_rest();
    assert_err(append(alice), ERR_FULL);
}

/* Nobody looked in time: commits fail in their middle. */
static void at_the_very_end_commits_are_refused_and_nothing_breaks(void **state)
{
    (void)state;
    if (!start(48, 1 * M))
        return;
    unsigned taken = append_until_full(false);
    assert_int_equal(inbox(alice).messages, taken);
    assert_int_equal(life_verify(&life), 0);
    let_it_look();
    assert_serves_the_rest();
}

/* A big upload, refused in its middle, leaves nothing. */
static void a_refused_upload_leaves_nothing(void **state)
{
    (void)state;
    if (!start(48, 1 * M))
        return;
    fill(5 * M);
    assert_err(life_append(alice, "INBOX", ++number, 20 * M), ERR_FULL);
    unfill();
    let_it_look();
    assert_int_equal(life_rows(&life, DBI_STAGE), 0);
    assert_int_equal(life_rows(&life, DBI_BODY), 0);
    assert_int_equal(life_verify(&life), 0);
    assert_ok(append(alice));
}

static void the_ballast_is_given_up_at_zero_and_made_again(void **state)
{
    (void)state;
    if (!start(64, 4 * M))
        return;
    for (unsigned i = 0; i < 20; i++)
        assert_ok(append(alice));
    assert_true(exists("ballast"));
    fill(0);
    assert_int_equal(room(), 0);
    let_it_look();
    assert_false(exists("ballast"));
    assert_serves_the_rest();
    fill(0); /* the ballast's room has gone too: free pages are all there is */
    assert_ok(life_flags(&life, alice, "INBOX", 1, 1, FLAGS_REMOVE, FLAG_SEEN, NULL));
    unfill();
    let_it_look();
    assert_true(exists("ballast"));
    assert_false(atomic_load(&life.env->disk_low));
    assert_ok(append(alice));
}

/* The ballast is room for a full disk, not what fills it. */
static void the_ballast_is_not_made_where_it_would_be_given_up_at_once(void **state)
{
    (void)state;
    if (!start(48, 30 * M))
        return;
    for (unsigned i = 0; i < 5; i++) {
        let_it_look();
        assert_ok(append(alice));
    }
    assert_false(exists("ballast"));
}

static void the_ballast_once_given_up_stays_away_until_there_is_room_for_it(void **state)
{
    (void)state;
    if (!start(64, 4 * M))
        return;
    assert_true(exists("ballast"));
    fill(2 * M);
    for (unsigned i = 0; i < 5; i++) {
        let_it_look();
        assert_false(exists("ballast"));
        if (i)
            assert_ok(append(alice));
    }
    unfill();
    let_it_look();
    assert_true(exists("ballast"));
}

static void it_opens_on_a_full_disk(void **state)
{
    (void)state;
    if (!start(64, 24 * M))
        return;
    for (unsigned i = 0; i < 10; i++)
        assert_ok(append(alice));
    fill(0);
    life_close(&life);
    store_account_close(alice);
    store_account_close(bob);
    fill(0);
    alice = bob = NULL;
    assert_ok(life_open(&life));
    alice = life_account(&life, "alice", 0);
    bob = life_account(&life, "bob", WINDOW_S);
    let_it_look();
    assert_serves_the_rest();
    assert_err(append(alice), ERR_FULL);
    unfill();
    let_it_look();
    assert_ok(append(alice));
}

/* Between reserve and 64 MiB: what expunge gave back is used, and the file does not grow. */
static void free_pages_take_new_mail_below_the_reserve(void **state)
{
    (void)state;
    struct stat before, after;
    char path[512];
    if (!start(256, 4 * M))
        return;
    snprintf(path, sizeof path, "%s/shard-00/store.mdb", life.dir);
    for (unsigned i = 0; i < 40; i++)
        assert_ok(append(alice));
    life.store->conf.reserve = 250u * M;
    let_it_look();
    assert_err(append(alice), ERR_FULL);
    assert_ok(life_expunge(&life, alice, "INBOX", 1, 30));
    assert_int_equal(stat(path, &before), 0);
    assert_true(life_settle(&life));
    unsigned taken = 0;
    for (clock_shift(2); append(alice) == ERR_OK; clock_shift(2))
        taken++;
    assert_in_range(taken, 10, 35);
    assert_int_equal(stat(path, &after), 0);
    assert_true(after.st_size <= before.st_size + BODY); /* of 30 */
    assert_int_equal(life_verify(&life), 0);
}

/* What could be brought back goes before new mail is refused for good. */
static void the_undelete_window_gives_way(void **state)
{
    (void)state;
    if (!start(256, 4 * M))
        return;
    for (unsigned i = 0; i < 30; i++)
        assert_ok(append(bob));
    assert_ok(life_expunge(&life, bob, "INBOX", 1, 15));
    clock_shift(DAY_S);
    assert_ok(life_expunge(&life, bob, "INBOX", 16, 30));
    clock_shift(DAY_S);
    assert_true(life_settle(&life));
    assert_int_equal(life_rows(&life, DBI_GONE), 30);
    life.store->conf.reserve = 250u * M;
    for (unsigned i = 0; i < 200 && life_rows(&life, DBI_GONE) == 30; i++) {
        clock_shift(6);
        assert_true(life_settle(&life));
    }
    assert_int_equal(life_rows(&life, DBI_GONE), 15); /* the oldest first */
    assert_int_equal(life_verify(&life), 0);
    clock_shift(2);
    assert_ok(append(alice));
}

#define CASE(name) cmocka_unit_test_teardown(name, stop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(below_the_reserve_new_mail_is_refused_and_the_rest_goes_on),
        CASE(at_the_very_end_commits_are_refused_and_nothing_breaks),
        CASE(a_refused_upload_leaves_nothing),
        CASE(the_ballast_is_given_up_at_zero_and_made_again),
        CASE(the_ballast_is_not_made_where_it_would_be_given_up_at_once),
        CASE(the_ballast_once_given_up_stays_away_until_there_is_room_for_it),
        CASE(it_opens_on_a_full_disk),
        CASE(free_pages_take_new_mail_below_the_reserve),
        CASE(the_undelete_window_gives_way),
    };
    struct log_conf conf = {.to = LOG_TO_FILE, .level = LOG_ERROR, .path = "/dev/null"};
    struct fault why;
    return log_setup(&conf, &why) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
