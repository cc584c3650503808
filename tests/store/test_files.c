/* What lies in the store's directory when it is opened: anything but what a daemon left there is
 * refused with one line that says what to do, and nothing of it is changed; an older file is taken,
 * and no number that it does not know of is given twice. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "store/keys.h"
#include "tests/lib/dirs.h"
#include "tests/lib/life.h"
#include "tests/lib/unit.h"

enum { PAGE = ENGINE_PAGE, BODY = 20000, MESSAGES = 12 };

static char work[64];
static struct life life;

static const char *in_store(const char *name)
{
    static char path[4][512];
    static unsigned next;
    char *to = path[next++ % 4];
    snprintf(to, 512, "%s/%s", life.dir, name);
    return to;
}

/* A store with alice's messages, closed. */
static int setup(void **state)
{
    (void)state;
    life = (struct life){0};
    dir_make(work, sizeof work);
    snprintf(life.dir, sizeof life.dir, "%s/store", work);
    assert_ok(life_open(&life));
    assert_ok(life_domain(&life));
    assert_ok(life_user(&life, "alice"));
    struct store_account *alice = life_account(&life, "alice", 0);
    for (unsigned i = 0; i < MESSAGES; i++)
        assert_ok(life_append(alice, "INBOX", i, BODY));
    store_account_close(alice);
    life_close(&life);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    life_close(&life);
    dir_remove(work);
    return 0;
}

/* --- files as octets ---------------------------------------------------------------------------
 */

static struct slice file_read(const char *path)
{
    struct stat st;
    FILE *in = fopen(path, "r");
    if (!in)
        return SLICE_NONE;
    assert_int_equal(fstat(fileno(in), &st), 0);
    char *octets = mem_new((size_t)st.st_size + 1);
    assert_int_equal(fread(octets, 1, (size_t)st.st_size, in), (size_t)st.st_size);
    fclose(in);
    return slice(octets, (size_t)st.st_size);
}

static void file_write(const char *path, struct slice octets)
{
    FILE *out = fopen(path, "w");
    assert_non_null(out);
    assert_int_equal(fwrite(octets.ptr, 1, octets.len, out), octets.len);
    fclose(out);
}

static void file_patch(const char *path, off_t at, const void *octets, size_t n)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_int_equal(pwrite(fd, octets, n, at), n);
    close(fd);
}

static off_t file_size(const char *path)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void slice_free(struct slice s)
{
    mem_free((char *)(uintptr_t)s.ptr);
}

/* --- refusals ----------------------------------------------------------------------------------
 */

/* The open fails so, its line has these words in it, and neither file has changed. */
static void assert_refused(enum err e, const char *data, const char *owner, const char *words)
{
    struct slice before = file_read(data), owner_before = file_read(owner);
    assert_err(life_open(&life), e);
    if (!strstr(life.why.text, words) || strchr(life.why.text, '\n'))
        fail_msg("'%s' does not say '%s'", life.why.text, words);
    struct slice after = file_read(data), owner_after = file_read(owner);
    assert_slice_eq(after, before);
    assert_slice_eq(owner_after, owner_before);
    slice_free(before);
    slice_free(owner_before);
    slice_free(after);
    slice_free(owner_after);
}

static void assert_shard_refused(const char *words)
{
    assert_refused(ERR_CORRUPT, in_store("shard-00/store.mdb"), in_store("shard-00/OWNER"), words);
}

static void assert_opens(void)
{
    assert_ok(life_open(&life));
    assert_true(life_settle(&life));
    assert_int_equal(life_verify(&life), 0);
    life_close(&life);
}

static void garbage_is_refused(void **state)
{
    (void)state;
    char octets[16 * PAGE];
    memset(octets, 0x5a, sizeof octets);
    file_write(in_store("shard-00/store.mdb"), slice(octets, sizeof octets));
    assert_shard_refused("restore a backup");
}

static void a_short_file_is_refused(void **state)
{
    (void)state;
    const off_t sizes[] = {0, 1, 100, 152, PAGE - 1, PAGE, PAGE + 100, 2 * PAGE - 1};
    for (size_t i = sizeof sizes / sizeof *sizes; i-- > 0;) {
        assert_int_equal(truncate(in_store("shard-00/store.mdb"), sizes[i]), 0);
        assert_shard_refused("restore a backup");
    }
}

static void an_empty_catalog_is_refused(void **state)
{
    (void)state;
    assert_int_equal(truncate(in_store("catalog/catalog.mdb"), 0), 0);
    assert_refused(ERR_CORRUPT, in_store("catalog/catalog.mdb"), in_store("catalog/OWNER"),
                   "restore a backup");
}

/* Each page but a free one at the end is missed; none is touched. */
static void a_file_cut_anywhere_is_refused(void **state)
{
    (void)state;
    char whole[128];
    snprintf(whole, sizeof whole, "%s/whole", work);
    file_copy(in_store("shard-00/store.mdb"), whole);
    off_t pages = file_size(whole) / PAGE;
    unsigned opened = 0;
    for (off_t n = pages - 1; n >= 2; n -= n > 24 ? 5 : 1) {
        file_copy(whole, in_store("shard-00/store.mdb"));
        assert_int_equal(truncate(in_store("shard-00/store.mdb"), n * PAGE + n % 3), 0);
        struct fault why = life.why;
        enum err e = life_open(&life);
        if (e) {
            assert_err(e, ERR_CORRUPT);
            assert_non_null(strstr(life.why.text, "restore a backup"));
            continue;
        }
        life.why = why;
        opened++;
        assert_true(life_settle(&life));
        assert_int_equal(life_verify(&life), 0);
        life_close(&life);
    }
    assert_in_range(opened, 0, 4);
    file_copy(whole, in_store("shard-00/store.mdb"));
    assert_opens();
}

static void a_foreign_lmdb_file_is_refused(void **state)
{
    (void)state;
    static const struct engine_table tables[] = {
        {"theirs", 0, 0},
        {0      }
    };
    struct engine_conf conf = {.path = in_store("shard-00/store.mdb"),
                               .tables = tables,
                               .map_size = 1 << 30,
                               .create = true};
    struct engine *engine;
    struct fault why;
    unlink(conf.path);
    assert_ok(engine_open(&conf, &engine, &why));
    engine_close(engine);
    assert_shard_refused("not a store of Tandem");
}

/* Rows of `sys`, changed behind the store's back. */
static void put_sys(struct slice name, struct slice row)
{
    static const struct engine_table tables[] = {
        {"sys", 0, 0},
        {0   }
    };
    struct engine_conf conf = {
        .path = in_store("shard-00/store.mdb"), .tables = tables, .map_size = 1 << 30};
    struct engine *engine;
    struct engine_txn *turn;
    struct fault why;
    struct key key;
    assert_ok(engine_open(&conf, &engine, &why));
    assert_ok(engine_turn_begin(engine, &turn));
    assert_ok(engine_put(turn, 0, key_text(&key, name), row));
    assert_ok(engine_turn_commit(turn));
    engine_close(engine);
}

static void a_newer_format_is_refused(void **state)
{
    (void)state;
    unsigned char octets[64];
    struct row_format format = {.min_reader = FORMAT_VERSION + 1};
    put_sys(SLICE("format"), row_format_encode(&format, octets));
    assert_shard_refused("newer Tandem");
}

/* As format 1 was: a tree for each table. */
static void an_older_format_is_refused(void **state)
{
    (void)state;
    static const struct engine_table of_format_1[] = {
        {"sys",  0, 0},
        {"acct",     0, 0},
        {"mbox", 0, 0},
        {"body",     0, 0},
        {0}
    };
    struct engine_conf conf = {.path = in_store("shard-00/store.mdb"),
                               .tables = of_format_1,
                               .map_size = 1 << 30,
                               .create = true};
    struct engine *engine;
    struct fault why;
    unsigned char octets[64];
    struct row_format format = {.min_reader = 1};
    unlink(conf.path);
    assert_ok(engine_open(&conf, &engine, &why));
    engine_close(engine);
    put_sys(SLICE("format"), row_format_encode(&format, octets));
    assert_shard_refused("was written by an older Tandem (format 1; this one reads and writes 2)");
}

static void an_unknown_feature_is_refused(void **state)
{
    (void)state;
    unsigned char octets[64];
    struct row_format format = {.min_reader = FORMAT_VERSION, .features = 0x80};
    put_sys(SLICE("format"), row_format_encode(&format, octets));
    assert_shard_refused("newer Tandem");
}

static void a_damaged_state_is_refused(void **state)
{
    (void)state;
    put_sys(SLICE("state"), SLICE("\x01"));
    assert_shard_refused("state row is damaged");
}

static void a_damaged_format_is_refused(void **state)
{
    (void)state;
    put_sys(SLICE("format"), SLICE("\x7f"));
    assert_shard_refused("restore a backup");
}

/* As a machine with pages of 8192 octets writes it: both meta pages, and a page size in them. */
static void another_page_size_is_refused(void **state)
{
    (void)state;
    const uint32_t size = 2 * PAGE;
    const off_t size_at = 40; /* behind the page's header, magic, version, address and map size */
    const char *path = in_store("shard-00/store.mdb");
    struct slice whole = file_read(path);
    file_patch(path, size_at, &size, sizeof size);
    file_patch(path, size, whole.ptr + PAGE, PAGE);
    file_patch(path, size + size_at, &size, sizeof size);
    slice_free(whole);
    assert_shard_refused("page size 8192");
}

static void a_missing_file_is_not_made_anew(void **state)
{
    (void)state;
    unlink(in_store("shard-00/store.mdb"));
    assert_refused(ERR_CORRUPT, in_store("shard-00/store.mdb"), in_store("shard-00/OWNER"),
                   "OWNER to begin empty");
    assert_int_equal(access(in_store("shard-00/store.mdb"), F_OK), -1);
    unlink(in_store("shard-00/OWNER"));
    assert_ok(life_open(&life));
}

static void a_second_opener_is_refused(void **state)
{
    (void)state;
    struct store *second;
    struct fault why;
    assert_ok(life_open(&life));
    assert_err(store_open(&life.conf, &second, &why), ERR_BUSY);
    assert_non_null(strstr(why.text, "stop it first"));
    life_close(&life);
    assert_opens();
}

static void a_shard_too_many_is_refused(void **state)
{
    (void)state;
    life.conf.shards = 2;
    assert_opens();
    life.conf.shards = 1;
    assert_err(life_open(&life), ERR_CORRUPT);
    assert_non_null(strstr(life.why.text, "shards = 1: raise it"));
    life.conf.shards = 2;
    assert_opens();
}

static void a_missing_parent_is_refused(void **state)
{
    (void)state;
    snprintf(life.dir, sizeof life.dir, "%s/no/store", work);
    assert_err(life_open(&life), ERR_DOWN);
    assert_non_null(strstr(life.why.text, "make its parent directory first"));
}

/* --- an older file -----------------------------------------------------------------------------
 */

struct seen {
    struct store_status inbox;
    uint64_t next_blob;
    uint32_t acct; /* of the newest account */
};

static void look(struct seen *seen)
{
    struct store_account *alice = life_account(&life, "alice", 0);
    assert_ok(store_mailbox_status(life.reader, alice, SLICE("INBOX"), &seen->inbox));
    store_reader_idle(life.reader);
    store_account_close(alice);
    seen->next_blob = life.env->next_blob;
    seen->acct = life.store->catalog->next_acct - 1;
}

static void go_on(void)
{
    struct store_account *alice = life_account(&life, "alice", 0);
    for (unsigned i = 0; i < 5; i++)
        assert_ok(life_append(alice, "INBOX", 100 + i, 100));
    assert_ok(life_flags(&life, alice, "INBOX", 1, 3, FLAGS_ADD, FLAG_SEEN, NULL));
    store_account_close(alice);
}

/* Ids are taken ahead in strides: a stop gives back what is left, a crash skips it. */
static void bodies_are_never_named_twice(void **state)
{
    (void)state;
    char crashed[128];
    snprintf(crashed, sizeof crashed, "%s/crashed", work);
    assert_ok(life_open(&life));
    go_on();
    uint64_t next = life.env->next_blob;
    dir_copy(life.dir, crashed); /* as a crash leaves it */
    life_close(&life);
    assert_ok(life_open(&life));
    assert_true(life.env->next_blob == next);
    life_close(&life);
    dir_copy(crashed, life.dir);
    assert_ok(life_open(&life));
    assert_int_equal(life.env->restores, 0);
    assert_true(life.env->next_blob > next);
    go_on();
    assert_int_equal(life_verify(&life), 0);
}

/* All numbers that come after the lift are above all that were seen. */
static void assert_lifted(const struct seen *before, uint32_t restores)
{
    struct seen now;
    assert_int_equal(life.env->restores, restores);
    look(&now);
    assert_int_equal(now.inbox.uidvalidity, before->inbox.uidvalidity);
    assert_true(now.inbox.mailboxid == before->inbox.mailboxid);
    assert_true(now.inbox.uidnext >= before->inbox.uidnext);
    assert_true(now.inbox.highestmodseq > before->inbox.highestmodseq);
    assert_true(now.next_blob >= before->next_blob);
    go_on();
    look(&now);
    assert_true(now.inbox.uidnext >= before->inbox.uidnext + 5);
    assert_int_equal(life_verify(&life), 0);
}

static void an_older_file_is_lifted(void **state)
{
    (void)state;
    char old[128];
    struct seen seen;
    snprintf(old, sizeof old, "%s/old", work);
    for (uint32_t restores = 1; restores <= 3; restores++) {
        file_copy(in_store("shard-00/store.mdb"), old);
        assert_ok(life_open(&life));
        assert_int_equal(life.env->restores, restores - 1);
        go_on();
        look(&seen);
        life_close(&life);
        file_copy(old, in_store("shard-00/store.mdb"));
        assert_ok(life_open(&life));
        assert_lifted(&seen, restores);
        life_close(&life);
        assert_ok(life_open(&life)); /* once is enough */
        assert_int_equal(life.env->restores, restores);
        life_close(&life);
    }
}

static void a_file_without_owner_is_lifted(void **state)
{
    (void)state;
    struct seen seen;
    assert_ok(life_open(&life));
    look(&seen);
    life_close(&life);
    unlink(in_store("shard-00/OWNER"));
    assert_ok(life_open(&life));
    assert_lifted(&seen, 1);
}

/* An open that is refused makes OWNER, but does not hide that there was none. */
static void a_refused_open_does_not_hide_an_older_file(void **state)
{
    (void)state;
    char good[128];
    struct seen seen;
    snprintf(good, sizeof good, "%s/good", work);
    assert_ok(life_open(&life));
    look(&seen);
    life_close(&life);
    file_copy(in_store("shard-00/store.mdb"), good);
    unlink(in_store("shard-00/OWNER"));
    assert_int_equal(truncate(in_store("shard-00/store.mdb"), PAGE), 0);
    assert_err(life_open(&life), ERR_CORRUPT);
    file_copy(good, in_store("shard-00/store.mdb"));
    assert_ok(life_open(&life));
    assert_lifted(&seen, 1);
}

static void an_older_catalog_skips_account_numbers(void **state)
{
    (void)state;
    char old[128];
    struct seen seen, now;
    snprintf(old, sizeof old, "%s/old", work);
    file_copy(in_store("catalog/catalog.mdb"), old);
    assert_ok(life_open(&life));
    assert_ok(life_user(&life, "bob"));
    look(&seen);
    life_close(&life);
    file_copy(old, in_store("catalog/catalog.mdb"));
    assert_ok(life_open(&life));
    assert_ok(life_user(&life, "carol"));
    look(&now);
    assert_true(now.acct > seen.acct);
}

/* The generation is raised in both, or a crash between the two would look like a restore. */
static void a_sys_ahead_of_owner_is_no_restore(void **state)
{
    (void)state;
    struct slice owner = file_read(in_store("shard-00/OWNER"));
    assert_ok(life_open(&life));
    life_close(&life);
    file_write(in_store("shard-00/OWNER"), owner);
    slice_free(owner);
    assert_ok(life_open(&life));
    assert_int_equal(life.env->restores, 0);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(garbage_is_refused),
        CASE(a_short_file_is_refused),
        CASE(an_empty_catalog_is_refused),
        CASE(a_file_cut_anywhere_is_refused),
        CASE(a_foreign_lmdb_file_is_refused),
        CASE(a_newer_format_is_refused),
        CASE(an_older_format_is_refused),
        CASE(an_unknown_feature_is_refused),
        CASE(a_damaged_state_is_refused),
        CASE(a_damaged_format_is_refused),
        CASE(another_page_size_is_refused),
        CASE(a_missing_file_is_not_made_anew),
        CASE(a_second_opener_is_refused),
        CASE(a_shard_too_many_is_refused),
        CASE(a_missing_parent_is_refused),
        CASE(bodies_are_never_named_twice),
        CASE(an_older_file_is_lifted),
        CASE(a_file_without_owner_is_lifted),
        CASE(a_refused_open_does_not_hide_an_older_file),
        CASE(an_older_catalog_skips_account_numbers),
        CASE(a_sys_ahead_of_owner_is_no_restore),
    };
    struct log_conf conf = {.to = LOG_TO_FILE, .level = LOG_ERROR, .path = "/dev/null"};
    struct fault why;
    return log_setup(&conf, &why) ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
