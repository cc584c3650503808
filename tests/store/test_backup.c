/* A backup taken while others write is the store at one moment: everything that was answered before
 * is in it, every rule between rows holds, and put in place it gives no UID a second time. What is
 * damaged, cut off or of another kind is refused before anything has changed. */
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "store/admin.h"
#include "store/keys.h"
#include "tests/lib/dirs.h"
#include "tests/lib/life.h"
#include "tests/lib/unit.h"

enum { BODY = 3000, MESSAGES = 40, MOST = 64 << 20 };

static char work[64];
static struct life life;
static struct buf taken; /* a backup */

static int setup(void **state)
{
    (void)state;
    life = (struct life){.conf = {.shards = 2}};
    dir_make(work, sizeof work);
    snprintf(life.dir, sizeof life.dir, "%s/store", work);
    buf_init(&taken, MOST);
    assert_ok(life_open(&life));
    assert_ok(life_domain(&life));
    for (unsigned u = 0; u < 2; u++) {
        assert_ok(life_user(&life, u ? "bob" : "alice"));
        struct store_account *account = life_account(&life, u ? "bob" : "alice", 3600);
        for (unsigned i = 0; i < MESSAGES; i++)
            assert_ok(life_append(account, "INBOX", i, BODY));
        assert_ok(life_expunge(&life, account, "INBOX", 3, 5));
        store_account_close(account);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    life_close(&life);
    buf_finish(&taken);
    dir_remove(work);
    return 0;
}

static enum err keep(void *arg, struct slice octets)
{
    return buf_append(arg, octets);
}

static void take(void)
{
    struct store_backup conf = {
        .sink = {.put = keep, .arg = &taken}
    };
    struct fault why = {0};
    buf_finish(&taken);
    enum err e = store_backup(life.store, &conf, &why);
    if (e)
        print_message("%s\n", why.text);
    assert_ok(e);
}

static ptrdiff_t give(void *arg, char *to, size_t cap)
{
    struct slice *rest = arg;
    size_t n = cap < 777 ? cap : 777; /* in pieces that fit nothing */
    n = n < rest->len ? n : rest->len;
    if (n)
        memcpy(to, rest->ptr, n);
    *rest = slice_from(*rest, n);
    return (ptrdiff_t)n;
}

static struct fault why;

static enum err put(struct slice backup, bool replace, int shard)
{
    struct store_restored done;
    struct store_restore conf = {
        .source = {.get = give, .arg = &backup},
          .replace = replace, .shard = shard, .ret = &done
    };
    struct store_conf store = life.conf;
    store.path = life.dir;
    why = (struct fault){0};
    return store_restore(&store, &conf, &why);
}

static struct box inbox(const char *name)
{
    struct store_account *account = life_account(&life, name, 3600);
    struct engine_txn *snap;
    struct box box;
    assert_ok(reader_snap(life.reader, account->env, &snap));
    assert_ok(box_find(snap, account->env, account->a, SLICE("INBOX"), &box));
    store_reader_idle(life.reader);
    store_account_close(account);
    return box;
}

static void check(void)
{
    assert_int_equal(life_verify(&life), 0);
}

/* --- tests ------------------------------------------------------------------------------------ */

static void comes_back_whole(void **state)
{
    (void)state;
    take();
    struct box before = inbox("bob");
    life_close(&life);
    dir_remove(life.dir);
    assert_ok(put(buf_slice(&taken), false, -1));
    assert_ok(life_open(&life));
    check();
    struct box after = inbox("bob");
    assert_int_equal(after.row.exists, MESSAGES - 3);
    assert_int_equal(after.row.uidvalidity, before.row.uidvalidity);
    assert_true(after.row.uidnext >= before.row.uidnext + (1u << 20));
    assert_true(after.row.highestmodseq > before.row.highestmodseq);
}

/* The generation in OWNER is newer than the backup from the moment when it was taken. */
static void no_uid_is_given_twice_in_the_same_place(void **state)
{
    (void)state;
    take();
    struct store_account *alice = life_account(&life, "alice", 3600);
    assert_ok(life_append(alice, "INBOX", 900, BODY));
    store_account_close(alice);
    struct box newer = inbox("alice");
    life_close(&life);
    assert_int_equal(put(buf_slice(&taken), false, -1), ERR_EXISTS);
    assert_ok(put(buf_slice(&taken), true, -1));
    assert_ok(life_open(&life));
    check();
    assert_int_equal(inbox("alice").row.exists, newer.row.exists - 1);
    assert_true(inbox("alice").row.uidnext > newer.row.uidnext);
}

static void one_shard_alone(void **state)
{
    (void)state;
    take();
    struct store_account *alice = life_account(&life, "alice", 3600);
    struct store_account *bob = life_account(&life, "bob", 3600);
    int shard = (int)bob->env->index;
    assert_ok(life_append(alice, "INBOX", 900, BODY));
    assert_ok(life_append(bob, "INBOX", 901, BODY));
    store_account_close(alice);
    store_account_close(bob);
    life_close(&life);
    assert_ok(put(buf_slice(&taken), true, shard));
    assert_ok(life_open(&life));
    check();
    assert_int_equal(inbox("alice").row.exists, MESSAGES - 3 + 1);
    assert_int_equal(inbox("bob").row.exists, MESSAGES - 3);
}

struct writer {
    pthread_t thread;
    const char *name;
    struct store *store; /* `life` is another one now and then */
    struct store_account *account;
    atomic_uint answered; /* messages */
    atomic_uint allowed;
    atomic_bool stop;
    unsigned users; /* made and deleted */
};

static void *write_mail(void *arg)
{
    struct writer *w = arg;
    while (!w->stop) {
        if (w->answered == w->allowed) {
            usleep(500);
            continue;
        }
        assert_ok(life_append(w->account, "INBOX", 1000 + w->answered, 20000));
        w->answered++;
    }
    return NULL;
}

static void *make_users(void *arg)
{
    struct writer *w = arg;
    char login[32];
    while (!w->stop) {
        snprintf(login, sizeof login, "u%u@test", w->users++);
        struct store_wait *wait = store_wait_new();
        store_user_create(w->store, slice_str(login), SLICE("{PLAIN}x"), SLICE("dovecot"),
                          store_wait_to(wait));
        assert_ok(store_wait(wait, NULL));
        if (w->users % 2)
            continue;
        wait = store_wait_new();
        store_user_delete(w->store, slice_str(login), store_wait_to(wait));
        assert_ok(store_wait(wait, NULL));
    }
    return NULL;
}

static void one_moment_while_others_write(void **state)
{
    (void)state;
    struct writer writer[3] = {{.name = "alice"}, {.name = "bob"}, {0}};
    for (unsigned i = 0; i < 3; i++) {
        writer[i].store = life.store;
        if (writer[i].name)
            writer[i].account = life_account(&life, writer[i].name, 3600);
        assert_int_equal(
            pthread_create(&writer[i].thread, NULL, i < 2 ? write_mail : make_users, &writer[i]),
            0);
    }
    for (unsigned round = 0; round < 4; round++) {
        writer[0].allowed = writer[1].allowed = 20 * round + 100;
        while (writer[0].answered < 20 * round || writer[1].answered < 20 * round)
            usleep(1000);
        unsigned least[2] = {writer[0].answered, writer[1].answered};
        take();
        char dir[sizeof life.dir];
        struct life served = life;
        snprintf(dir, sizeof dir, "%s/copy", work);
        life = (struct life){.conf = {.shards = 2}};
        memcpy(life.dir, dir, sizeof dir);
        assert_ok(put(buf_slice(&taken), true, -1));
        assert_ok(life_open(&life));
        check();
        assert_true(inbox("alice").row.exists >= MESSAGES - 3 + least[0]);
        assert_true(inbox("bob").row.exists >= MESSAGES - 3 + least[1]);
        life_close(&life);
        life = served;
    }
    for (unsigned i = 0; i < 3; i++) {
        writer[i].stop = true;
        pthread_join(writer[i].thread, NULL);
        store_account_close(writer[i].account);
    }
    assert_true(writer[2].users > 0);
    check();
}

static void a_bad_backup_changes_nothing(void **state)
{
    (void)state;
    take();
    struct box before = inbox("alice");
    life_close(&life);
    struct slice good = buf_slice(&taken);
    char *bad = malloc(good.len);
    memcpy(bad, good.ptr, good.len);

    assert_int_equal(put(slice("tandem account 1\n....", 21), true, -1), ERR_CORRUPT);
    assert_string_equal(why.text, "it is no 'backup' file of Tandem");
    assert_int_equal(put(slice("tandem backup 2\n....", 20), true, -1), ERR_CORRUPT);
    assert_string_equal(why.text, "it was written by a newer Tandem; use that version");
    for (size_t cut = 0; cut < good.len; cut += good.len / 23 + 1)
        assert_int_equal(put(slice_first(good, cut), true, -1), ERR_CORRUPT);
    for (size_t at = 16; at < good.len; at += good.len / 37 + 1) {
        bad[at] ^= 1;
        assert_int_equal(put(slice(bad, good.len), true, -1), ERR_CORRUPT);
        bad[at] ^= 1;
    }
    free(bad);

    assert_ok(life_open(&life));
    check();
    assert_int_equal(inbox("alice").row.exists, before.row.exists);
    assert_int_equal(inbox("alice").row.uidnext, before.row.uidnext); /* not lifted */

    assert_int_equal(put(good, true, -1), ERR_BUSY); /* it is open */
    life_close(&life);
    life.conf.shards = 3;
    assert_int_equal(put(good, true, -1), ERR_CANNOT);
    assert_string_equal(why.text,
                        "it has 2 shards: write that number at [store] shards, then restore it");
    life.conf.shards = 2;
}

/* As a daemon of that format would have written it. */
static void a_backup_of_an_older_format_changes_nothing(void **state)
{
    (void)state;
    struct engine_txn *turn;
    struct key key;
    unsigned char octets[64];
    struct row_format format = {.min_reader = FORMAT_VERSION - 1};
    struct box before = inbox("alice");
    assert_ok(engine_turn_begin(life.env->engine, &turn));
    assert_ok(engine_put(turn, DBI_SYS, key_text(&key, SLICE("format")),
                         row_format_encode(&format, octets)));
    assert_ok(engine_turn_commit(turn));
    take();
    format.min_reader = FORMAT_VERSION;
    assert_ok(engine_turn_begin(life.env->engine, &turn));
    assert_ok(engine_put(turn, DBI_SYS, key_text(&key, SLICE("format")),
                         row_format_encode(&format, octets)));
    assert_ok(engine_turn_commit(turn));
    life_close(&life);
    assert_int_equal(put(buf_slice(&taken), true, -1), ERR_CORRUPT);
    assert_non_null(strstr(why.text, "was written by an older Tandem"));
    assert_ok(life_open(&life));
    check();
    assert_int_equal(inbox("alice").row.uidnext, before.row.uidnext); /* not lifted */
}

static void a_restore_that_broke_off_is_not_opened(void **state)
{
    (void)state;
    char marker[512];
    take();
    life_close(&life);
    snprintf(marker, sizeof marker, "%s/RESTORING", life.dir);
    fclose(fopen(marker, "w"));
    assert_int_equal(life_open(&life), ERR_CORRUPT);
    assert_non_null(strstr(life.why.text, "a restore broke off here"));
    assert_ok(put(buf_slice(&taken), true, -1));
    assert_ok(life_open(&life));
    check();
}

static enum err refuse(void *arg, struct slice octets)
{
    size_t *left = arg;
    *left -= octets.len < *left ? octets.len : *left;
    return *left ? ERR_OK : ERR_DOWN;
}

static void a_sink_that_goes_ends_it(void **state)
{
    (void)state;
    size_t left = 100000;
    struct store_backup conf = {
        .sink = {.put = refuse, .arg = &left}
    };
    assert_int_equal(store_backup(life.store, &conf, &why), ERR_DOWN);
    take(); /* the next one is as good as ever */
    check();
}

/* --- descriptors ------------------------------------------------------------------------------ */

/* Which of the first ones are open, as a bit set. */
static uint64_t open_descriptors(void)
{
    uint64_t set = 0;
    for (int fd = 0; fd < 64; fd++)
        set |= (uint64_t)(fcntl(fd, F_GETFD) >= 0) << fd;
    return set;
}

/* Fails at the first pipe, at the second, and so on: nothing else is closed, nothing stays open. */
static void without_a_pipe_it_is_refused_and_closes_nothing(void **state)
{
    (void)state;
    struct rlimit all, few;
    uint64_t before = open_descriptors();
    unsigned refused = 0;
    enum err e = ERR_DOWN;
    assert_true(before & 1);
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &all), 0);
    few = all;
    for (few.rlim_cur = 1; e; few.rlim_cur++) {
        struct store_backup conf = {
            .sink = {.put = keep, .arg = &taken}
        };
        buf_finish(&taken);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &few), 0);
        e = store_backup(life.store, &conf, &why);
        assert_int_equal(setrlimit(RLIMIT_NOFILE, &all), 0);
        assert_true(open_descriptors() == before);
        assert_true(!e || e == ERR_DOWN);
        refused += e == ERR_DOWN;
    }
    assert_true(refused >= 3); /* a pipe for each of three environments */
    check();
}

/* --- the generation --------------------------------------------------------------------------- */

static uint64_t generation_in_owner(const struct env *env)
{
    char path[512];
    unsigned long long generation = 0;
    snprintf(path, sizeof path, "%s/OWNER", env->dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%llu", &generation), 1);
    fclose(f);
    return generation;
}

static enum err drop(void *arg, struct slice octets)
{
    (void)arg;
    (void)octets;
    return ERR_OK;
}

static void *back_up(void *arg)
{
    pthread_barrier_t *together = arg;
    struct store_backup conf = {.sink = {.put = drop}};
    struct fault fault = {0};
    pthread_barrier_wait(together);
    assert_ok(store_backup(life.store, &conf, &fault));
    return NULL;
}

/* A lower generation in OWNER than in the file would let the older of two backups pass for the
 * newer. */
static void backups_at_once_leave_the_newest_generation(void **state)
{
    enum { ROUNDS = 100, AT_ONCE = 6 };
    (void)state;
    pthread_barrier_t together;
    pthread_barrier_init(&together, NULL, AT_ONCE);
    for (unsigned round = 0; round < ROUNDS; round++) {
        pthread_t thread[AT_ONCE];
        for (unsigned i = 0; i < AT_ONCE; i++)
            assert_int_equal(pthread_create(&thread[i], NULL, back_up, &together), 0);
        for (unsigned i = 0; i < AT_ONCE; i++)
            pthread_join(thread[i], NULL);
        const struct env *envs[] = {life.store->catalog, life.store->shard[0],
                                    life.store->shard[1]};
        for (size_t i = 0; i < sizeof envs / sizeof *envs; i++)
            assert_int_equal(generation_in_owner(envs[i]), envs[i]->generation);
    }
    pthread_barrier_destroy(&together);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_back_whole, setup, teardown),
        cmocka_unit_test_setup_teardown(no_uid_is_given_twice_in_the_same_place, setup, teardown),
        cmocka_unit_test_setup_teardown(one_shard_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(one_moment_while_others_write, setup, teardown),
        cmocka_unit_test_setup_teardown(a_bad_backup_changes_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(a_backup_of_an_older_format_changes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_restore_that_broke_off_is_not_opened, setup, teardown),
        cmocka_unit_test_setup_teardown(a_sink_that_goes_ends_it, setup, teardown),
        cmocka_unit_test_setup_teardown(without_a_pipe_it_is_refused_and_closes_nothing, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(backups_at_once_leave_the_newest_generation, setup,
                                        teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
