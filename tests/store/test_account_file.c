/* An account that goes out as a stream and comes in again is the same account: every row, every
 * octet, the undelete window too. What a stream claims is not believed: whatever it is made of, an
 * account comes of it whose rows hold together, or none. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "store/account_file.h"
#include "store/admin.h"
#include "store/archive.h"
#include "tests/lib/dirs.h"
#include "tests/lib/life.h"
#include "tests/lib/unit.h"

enum { MOST = 64 << 20, WINDOW = 3600 };

static char work[64];
static struct life life;
static struct buf taken; /* alice */

/* Of everything that an account can have. */
static void furnish(struct store_account *alice)
{
    assert_ok(life_create(alice, "Projects/2026"));
    assert_ok(life_create(alice, "Old"));
    for (unsigned i = 0; i < 300; i++)
        assert_ok(life_append(alice, "INBOX", i, 200 + i * 37 % 40000));
    assert_ok(life_append(alice, "Projects/2026", 1000, 3 << 20));
    assert_ok(life_append(alice, "Old", 1001, 500));
    assert_ok(life_flags(&life, alice, "INBOX", 1, 50, FLAGS_ADD, FLAG_SEEN, "$Forwarded"));
    assert_ok(life_flags(&life, alice, "INBOX", 40, 60, FLAGS_ADD, FLAG_FLAGGED, "blue"));
    assert_ok(life_copy(&life, alice, "INBOX", 10, 30, "Projects/2026", false));
    assert_ok(life_copy(&life, alice, "INBOX", 20, 25, "Old", false));
    assert_ok(life_copy(&life, alice, "INBOX", 100, 110, "Archive", true));
    assert_ok(life_pop3(&life, alice, POP3_DELETE_EXPUNGE, 0x1e, 0x10));
    assert_ok(life_expunge(&life, alice, "INBOX", 200, 220));
    assert_ok(life_expunge(&life, alice, "Old", 2, 3));
    assert_ok(life_delete(alice, "Old"));
    assert_ok(life_rename(alice, "Projects", "Work"));
    assert_ok(life_append(alice, "INBOX", 2000, 700));
}

static enum err keep(void *arg, struct slice octets)
{
    return buf_append(arg, octets);
}

static void take(const char *login, struct buf *to)
{
    struct arena arena;
    struct store_user user;
    struct fault why = {0};
    struct store_account_out conf = {
        .sink = {.put = keep, .arg = to}
    };
    arena_init(&arena, 1 << 20);
    assert_ok(store_user_find(life.reader, slice_str(login), &arena, &user));
    enum err e = store_account_out(life.reader, &user, &conf, &why);
    if (e)
        print_message("%s\n", why.text);
    assert_ok(e);
    arena_wipe(&arena);
}

static int setup(void **state)
{
    (void)state;
    life = (struct life){0};
    dir_make(work, sizeof work);
    snprintf(life.dir, sizeof life.dir, "%s/store", work);
    buf_init(&taken, MOST);
    assert_ok(life_open(&life));
    assert_ok(life_domain(&life));
    assert_ok(life_user(&life, "alice"));
    struct store_account *alice = life_account(&life, "alice", WINDOW);
    furnish(alice);
    store_account_close(alice);
    assert_true(
        life_settle(&life)); /* nothing transient is left, and no line of the journal waits */
    life_close(&life);
    assert_ok(life_open(&life));
    take("alice@test", &taken);
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

static ptrdiff_t give(void *arg, char *to, size_t cap)
{
    struct slice *rest = arg;
    size_t n = cap < rest->len ? cap : rest->len;
    if (n)
        memcpy(to, rest->ptr, n);
    *rest = slice_from(*rest, n);
    return (ptrdiff_t)n;
}

static struct fault why;

static enum err put(struct slice stream, const char *login)
{
    struct store_account_taken done;
    struct store_account_in conf = {
        .source = {.get = give, .arg = &stream},
          .login = slice_str(login), .ret = &done
    };
    return store_account_in(life.store, &conf, &why);
}

/* --- the same ------------------------------------------------------------------------------------
 */

struct rows {
    struct engine_cursor cursor;
    struct key prefix;
    enum err err;
};

static void rows_first(struct rows *rows, struct engine_txn *snap, unsigned dbi, uint32_t a)
{
    key_a(&rows->prefix, a);
    assert_ok(engine_cursor_open(snap, dbi, key_slice(&rows->prefix), &rows->cursor));
    rows->err = engine_seek(&rows->cursor, key_slice(&rows->prefix));
}

static bool rows_there(const struct rows *rows)
{
    return !rows->err;
}

static void same_body(struct engine_txn *snap, struct slice one, struct slice other)
{
    struct row_msg m[2];
    assert_ok(row_msg_decode(one, &m[0]));
    assert_ok(row_msg_decode(other, &m[1]));
    assert_int_equal(m[0].size, m[1].size);
    assert_memory_equal(m[0].emailid, m[1].emailid, 16);
    assert_int_equal(m[0].thread, m[1].thread);
    assert_int_equal(m[0].date, m[1].date);
    assert_int_equal(m[0].nparts, m[1].nparts);
    for (uint32_t at = 0, chunk = 0; at < m[0].size; at += CHUNK_PAYLOAD, chunk++) {
        struct slice value[2];
        for (int i = 0; i < 2; i++) {
            struct key key;
            assert_ok(engine_get(snap, DBI_BODY, key_chunk(&key, m[i].blob, chunk), &value[i]));
        }
        assert_true(slice_eq(slice_first(value[0], value[0].len - 8),
                             slice_first(value[1], value[1].len - 8)));
    }
}

/* In all tables but those that are made anew. */
static void same_accounts(uint32_t a, uint32_t b)
{
    static const unsigned tables[] = {DBI_NAME, DBI_SUBS, DBI_KW,  DBI_HOT,  DBI_MSG,
                                      DBI_GONE, DBI_POP,  DBI_LOG, DBI_UIDL, DBI_OPT};
    struct engine_txn *snap;
    assert_ok(reader_snap(life.reader, life.env, &snap));
    for (size_t t = 0; t < sizeof tables / sizeof *tables; t++) {
        struct rows one, other;
        unsigned n = 0;
        rows_first(&one, snap, tables[t], a);
        rows_first(&other, snap, tables[t], b);
        for (; rows_there(&one) && rows_there(&other); n++) {
            assert_true(slice_eq(slice_from(one.cursor.key, 4), slice_from(other.cursor.key, 4)));
            if (tables[t] == DBI_MSG)
                same_body(snap, one.cursor.value, other.cursor.value);
            else if (tables[t] == DBI_HOT) /* its highest modseq may be one that has gone since */
                assert_true(
                    slice_eq(slice_from(one.cursor.value, 16), slice_from(other.cursor.value, 16)));
            else
                assert_true(slice_eq(one.cursor.value, other.cursor.value));
            one.err = engine_next(&one.cursor);
            other.err = engine_next(&other.cursor);
        }
        assert_false(rows_there(&one) || rows_there(&other));
        assert_true(n > 0 || tables[t] == DBI_UIDL);
        engine_cursor_close(&one.cursor);
        engine_cursor_close(&other.cursor);
    }
    struct acct acct[2];
    assert_ok(acct_load(snap, a, &acct[0]));
    assert_ok(acct_load(snap, b, &acct[1]));
    assert_int_equal(acct[0].row.used_bytes, acct[1].row.used_bytes);
    assert_int_equal(acct[0].row.gone_bytes, acct[1].row.gone_bytes);
    assert_int_equal(acct[0].row.nmbox, acct[1].row.nmbox);
    store_reader_idle(life.reader);
}

static uint32_t number(const char *name)
{
    struct store_account *account = life_account(&life, name, WINDOW);
    uint32_t a = account->a;
    store_account_close(account);
    return a;
}

static struct box inbox(const char *name)
{
    struct engine_txn *snap;
    struct box box;
    uint32_t a = number(name);
    assert_ok(reader_snap(life.reader, life.env, &snap));
    assert_ok(box_find(snap, life.env, a, SLICE("INBOX"), &box));
    store_reader_idle(life.reader);
    return box;
}

static void comes_in_as_it_went_out(void **state)
{
    (void)state;
    assert_ok(put(buf_slice(&taken), "copy@test"));
    same_accounts(number("alice"), number("copy"));
    assert_int_equal(life_verify(&life), 0);
    struct box one = inbox("alice"), other = inbox("copy");
    assert_int_equal(one.row.uidvalidity, other.row.uidvalidity);
    assert_int_equal(one.row.uidnext + (1u << 20), other.row.uidnext);
    assert_int_equal(one.row.exists, other.row.exists);

    /* and is an account like any other */
    struct store_account *copy = life_account(&life, "copy", WINDOW);
    assert_ok(life_append(copy, "INBOX", 5000, 900));
    assert_ok(life_expunge(&life, copy, "Work/2026", 1, 100));
    store_account_close(copy);
    assert_int_equal(life_verify(&life), 0);
}

/* Out of the copy comes the same stream: nothing is lost on the way twice. */
static void twice_is_as_good_as_once(void **state)
{
    (void)state;
    assert_ok(put(buf_slice(&taken), "copy@test"));
    struct buf again;
    buf_init(&again, MOST);
    take("copy@test", &again);
    assert_ok(put(buf_slice(&again), "third@test"));
    same_accounts(number("alice"), number("third"));
    assert_int_equal(life_verify(&life), 0);
    buf_finish(&again);
}

static void a_deleted_account_comes_back(void **state)
{
    (void)state;
    struct box before = inbox("alice");
    struct store_wait *wait = store_wait_new();
    assert_int_equal(put(buf_slice(&taken), ""), ERR_EXISTS);
    assert_string_equal(why.text, "there is an account or alias alice@test already");
    store_user_delete(life.store, SLICE("alice@test"), store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    assert_ok(put(buf_slice(&taken), ""));
    assert_true(life_settle(&life));
    assert_int_equal(life_verify(&life), 0);
    assert_true(inbox("alice").row.uidnext > before.row.uidnext);
    assert_int_equal(inbox("alice").row.uidvalidity, before.row.uidvalidity);
    assert_int_equal(put(buf_slice(&taken), "x@elsewhere"), ERR_NOTFOUND);
    assert_string_equal(why.text, "x@elsewhere: there is no such domain here; add it first");
}

/* --- what is not so ------------------------------------------------------------------------------
 */

static uint64_t seed = 20261122;

static uint32_t random_below(uint32_t n)
{
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)((seed >> 33) % n);
}

/* The stream with one block changed, dropped, doubled or cut, framed as if it had been so. */
static void spoil(struct slice stream, struct buf *to)
{
    struct archive_in in;
    struct archive_out out;
    struct store_source source = {.get = give, .arg = &stream};
    struct store_sink sink = {.put = keep, .arg = to};
    unsigned at = random_below(700), how = random_below(6), n = 0;
    char type;
    struct slice payload;
    assert_ok(archive_open(&in, &source, "account", NULL));
    assert_ok(archive_begin(&out, &sink, "account"));
    while (!archive_next(&in, &type, &payload, NULL)) {
        bool rows = type != ACCOUNT_BODY;
        if (rows && n++ == at % 330) {
            if (how == 0)
                continue;
            if (how == 1)
                assert_ok(archive_put(&out, type, payload));
            if (how == 2 && payload.len)
                payload.len = random_below((uint32_t)payload.len);
            for (unsigned i = 0; how > 2 && payload.len && i < how - 2; i++)
                ((char *)(uintptr_t)payload.ptr)[random_below((uint32_t)payload.len)] =
                    (char)random_below(256);
        }
        assert_ok(archive_put(&out, type, payload));
        if (type == ACCOUNT_END)
            break;
    }
    archive_close(&in);
}

static void no_stream_makes_a_broken_account(void **state)
{
    (void)state;
    unsigned refused = 0, rounds = TANDEM_SANITIZED ? 40 : 150;
    struct buf bad;
    buf_init(&bad, MOST);
    for (unsigned i = 0; i < rounds; i++) {
        char login[32];
        snprintf(login, sizeof login, "try%u@test", i);
        spoil(buf_slice(&taken), &bad);
        enum err e = put(buf_slice(&bad), login);
        if (e)
            assert_true(why.text[0]);
        refused += e != ERR_OK;
        buf_consume(&bad, bad.len);
        if (e)
            continue;
        struct store_wait *wait = store_wait_new(); /* it may have been an octet of no matter */
        assert_int_equal(life_verify(&life), 0);
        store_user_delete(life.store, slice_str(login), store_wait_to(wait));
        assert_ok(store_wait(wait, NULL));
    }
    assert_true(refused > rounds / 3);
    assert_true(life_settle(&life));
    assert_int_equal(life_verify(&life), 0);
    assert_int_equal(life_rows(&life, DBI_ACCT), 1);
    buf_finish(&bad);
}

static void what_breaks_off_is_swept(void **state)
{
    (void)state;
    for (size_t cut = 100; cut < taken.len; cut += taken.len / 9) {
        assert_int_equal(put(slice_first(buf_slice(&taken), cut), "copy@test"), ERR_CORRUPT);
        assert_non_null(strstr(why.text, "damaged or cut off at block"));
    }
    assert_true(life_settle(&life));
    assert_int_equal(life_verify(&life), 0);
    assert_int_equal(life_rows(&life, DBI_ACCT), 1);
    assert_ok(put(buf_slice(&taken), "copy@test"));
    same_accounts(number("alice"), number("copy"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(comes_in_as_it_went_out, setup, teardown),
        cmocka_unit_test_setup_teardown(twice_is_as_good_as_once, setup, teardown),
        cmocka_unit_test_setup_teardown(a_deleted_account_comes_back, setup, teardown),
        cmocka_unit_test_setup_teardown(no_stream_makes_a_broken_account, setup, teardown),
        cmocka_unit_test_setup_teardown(what_breaks_off_is_swept, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
