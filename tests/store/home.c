#include "tests/store/home.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "store/admin.h"
#include "tests/lib/rows.h"
#include "tests/lib/unit.h"

static enum err wait_for(struct store_wait *wait)
{
    return store_wait(wait, NULL);
}

void home_start(struct home *home)
{
    const struct log_conf quiet = {.to = LOG_TO_STDERR, .level = LOG_ERROR};
    assert_ok(log_setup(&quiet, NULL));
    snprintf(home->dir, sizeof home->dir, "%s/tandem-home-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(home->dir));
    home->store = NULL;
    home->undelete_s = 14 * 86400;
    home->log_rows = 0;
    struct store_conf conf = {.path = home->dir, .map_size = (uint64_t)1 << 30};
    struct fault why = {0};
    enum err e = store_open(&conf, &home->store, &why);
    if (e)
        fail_msg("%s", why.text);
    struct store_wait *wait = store_wait_new();
    store_domain_create(home->store, SLICE("example.org"), store_wait_to(wait));
    assert_ok(wait_for(wait));
    store_close(home->store);
    home_open(home);
    home_user(home, "alice@example.org");
    home->account = home_account(home, "alice@example.org");
}

void home_open(struct home *home)
{
    struct store_conf conf = {
        .path = home->dir, .map_size = (uint64_t)1 << 30, .log_rows = home->log_rows};
    struct fault why = {0};
    enum err e = store_open(&conf, &home->store, &why);
    if (e)
        fail_msg("%s", why.text);
    home->env = home->store->shard[0];
    assert_ok(store_reader_new(home->store, NULL, &home->reader));
    struct arena arena;
    struct store_user user;
    arena_init(&arena, 1 << 20);
    bool there = store_user_find(home->reader, SLICE("alice@example.org"), &arena, &user) == ERR_OK;
    arena_reset(&arena);
    store_reader_idle(home->reader);
    home->account = there ? home_account(home, "alice@example.org") : NULL;
}

void home_close(struct home *home)
{
    store_account_close(home->account);
    store_reader_free(home->reader);
    store_close(home->store);
    home->store = NULL;
    assert_int_equal(budget_used(BUDGET_UPLOAD),
                     0); /* every message on its way has gone somewhere */
}

static void finding(void *arg, const char *line)
{
    (void)arg;
    print_error("%s\n", line);
}

void home_check(struct home *home)
{
    struct store_verify verify = {.bodies = true, .finding = finding};
    assert_ok(store_verify(home->store, home->reader, &verify));
    store_reader_idle(home->reader);
}

void home_stop(struct home *home)
{
    char command[96];
    home_check(home);
    home_close(home);
    snprintf(command, sizeof command, "rm -r '%s'", home->dir);
    assert_int_equal(system(command), 0);
}

int home_setup(void **state)
{
    static struct home home;
    home_start(&home);
    *state = &home;
    return 0;
}

int home_teardown(void **state)
{
    home_stop(*state);
    return 0;
}

void home_user(struct home *home, const char *login)
{
    struct store_wait *wait = store_wait_new();
    store_user_create(home->store, slice_str(login), SLICE("{PLAIN}x"), SLICE("dovecot"),
                      store_wait_to(wait));
    assert_ok(wait_for(wait));
}

struct store_account *home_account(struct home *home, const char *login)
{
    struct arena arena;
    struct store_user user;
    struct store_account *account;
    struct store_limits limits = {.undelete_s = home->undelete_s};
    arena_init(&arena, 1 << 20);
    assert_ok(store_user_find(home->reader, slice_str(login), &arena, &user));
    assert_ok(store_account_open(home->reader, &user, &limits, &account));
    store_reader_idle(home->reader);
    arena_reset(&arena);
    return account;
}

uint32_t home_append(struct home *home, const char *path, uint32_t octets, uint8_t sysflags)
{
    static const char header[] =
        "From: a@example.org\r\nTo: b@example.org\r\nSubject: test\r\n\r\n";
    struct store_incoming *in;
    struct store_dest dest = {.account = home->account, .path = slice_str(path)};
    struct store_wait *wait = store_wait_new();
    struct store_result result;
    char line[64];
    memset(line, 'x', sizeof line);
    memcpy(line + 62, "\r\n", 2);
    assert_true(octets >= sizeof header - 1);
    assert_ok(store_incoming_new(home->account, (uint64_t)1 << 30, &in));
    assert_ok(store_incoming_write(in, slice(header, sizeof header - 1)));
    uint32_t left = octets - (uint32_t)(sizeof header - 1);
    while (left) {
        uint32_t n = left < 66 && left > 64 ? 32 : left < 64 ? left : 64;
        struct slice piece = n == 64 ? slice(line, 64) : slice(line, n);
        enum err e = store_incoming_write(in, piece);
        if (e == ERR_AGAIN) {
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
            continue;
        }
        assert_ok(e);
        left -= n;
    }
    store_incoming_set(in, sysflags, NULL, 0, clock_wall(), 0);
    store_append(&in, 1, &dest, 1, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    uint32_t uid = uidset_next(&result.dest, 1);
    store_result_finish(&result);
    return uid;
}

uint32_t home_append_octets(struct home *home, struct slice message)
{
    struct store_incoming *in;
    struct store_dest dest = {.account = home->account, .path = SLICE("INBOX")};
    struct store_wait *wait = store_wait_new();
    struct store_result result;
    assert_ok(store_incoming_new(home->account, (uint64_t)1 << 30, &in));
    while (message.len) {
        struct slice piece = slice_first(message, 10007);
        enum err e = store_incoming_write(in, piece);
        if (e == ERR_AGAIN) {
            nanosleep(&(struct timespec){.tv_nsec = 100000}, NULL);
            continue;
        }
        assert_ok(e);
        message = slice_from(message, piece.len);
    }
    store_incoming_set(in, 0, NULL, 0, clock_wall(), 0);
    store_append(&in, 1, &dest, 1, store_wait_to(wait));
    assert_ok(store_wait(wait, &result));
    uint32_t uid = uidset_next(&result.dest, 1);
    store_result_finish(&result);
    return uid;
}

void home_mailbox(struct home *home, const char *path)
{
    struct store_wait *wait = store_wait_new();
    store_mailbox_create(home->account, slice_str(path), USE_NONE, store_wait_to(wait));
    assert_ok(wait_for(wait));
}

void home_delete_mailbox(struct home *home, const char *path)
{
    struct store_wait *wait = store_wait_new();
    store_mailbox_delete(home->account, slice_str(path), store_wait_to(wait));
    assert_ok(wait_for(wait));
}

struct store_view *home_view(struct home *home, const char *path)
{
    struct store_view *view;
    assert_ok(store_view_open(home->reader, home->account, slice_str(path), 0, &view));
    store_reader_idle(home->reader);
    return view;
}

void home_flags(struct home *home, const char *path, uint32_t first, uint32_t last,
                enum flag_mode mode, uint8_t sysflags)
{
    struct uidset uids = {0};
    struct store_view *view = home_view(home, path);
    const struct store_flagop op = {.mode = mode, .sysflags = sysflags};
    uidset_add(&uids, first, last);
    struct store_wait *wait = store_wait_new();
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(wait));
    assert_ok(wait_for(wait));
    store_view_close(view);
    uidset_finish(&uids);
}

void home_expunge(struct home *home, const char *path, uint32_t first, uint32_t last)
{
    struct uidset uids = {0};
    home_flags(home, path, first, last, FLAGS_ADD, FLAG_DELETED);
    struct store_view *view = home_view(home, path);
    uidset_add(&uids, first, last);
    struct store_wait *wait = store_wait_new();
    store_expunge(view, &uids, store_wait_to(wait));
    assert_ok(wait_for(wait));
    store_view_close(view);
    uidset_finish(&uids);
}

static void copy(struct home *home, const char *from, uint32_t first, uint32_t last, const char *to,
                 bool move)
{
    struct uidset uids = {0};
    struct store_view *view = home_view(home, from);
    uidset_add(&uids, first, last);
    struct store_wait *wait = store_wait_new();
    store_copy(view, &uids, home->account, slice_str(to), move, store_wait_to(wait));
    assert_ok(wait_for(wait));
    store_view_close(view);
    uidset_finish(&uids);
}

void home_move(struct home *home, const char *from, uint32_t first, uint32_t last, const char *to)
{
    copy(home, from, first, last, to, true);
}

void home_copy(struct home *home, const char *from, uint32_t first, uint32_t last, const char *to)
{
    copy(home, from, first, last, to, false);
}

struct box home_box(struct home *home, const char *path)
{
    struct engine_txn *txn;
    struct box box;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(box_find(txn, home->env, home->account->a, slice_str(path), &box));
    store_reader_idle(home->reader);
    return box;
}

struct acct home_acct(struct home *home)
{
    struct engine_txn *txn;
    struct acct acct;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(acct_load(txn, home->account->a, &acct));
    store_reader_idle(home->reader);
    return acct;
}

uint64_t home_rows(struct home *home, unsigned dbi)
{
    struct engine_txn *txn;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    uint64_t n = rows_count(txn, dbi);
    store_reader_idle(home->reader);
    return n;
}

static void nap(struct home *home)
{
    committer_nudge(home->env->committer);
    nanosleep(&(struct timespec){.tv_nsec = 5000000}, NULL);
}

void home_await_rows(struct home *home, unsigned dbi, uint64_t rows)
{
    for (unsigned i = 0; i < 4000; i++) {
        if (home_rows(home, dbi) == rows)
            return;
        nap(home);
    }
    fail_msg("table %u has %llu rows, not %llu", dbi, (unsigned long long)home_rows(home, dbi),
             (unsigned long long)rows);
}

void home_upkeep(struct home *home)
{
    struct committer_stats before, now;
    committer_stats(home->env->committer, &before);
    for (unsigned i = 0; i < 60; i++)
        nap(home);
    committer_stats(home->env->committer, &now);
}
