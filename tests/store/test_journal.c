/* Lines of the journal that wait: written with the next line of their account, by the timer, or at
 * a stop; never lost by an aborted turn, and never written twice. */
#include <pthread.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/lazy.h"
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

/* A clean stop, and a start; or a crash: what waits is lost. */
static void reopen(struct home *home, bool crash)
{
    if (crash)
        committer_stop(home->env->committer);
    home_close(home);
    home_open(home);
    store_account_set_actor(home->account, PROTO_IMAP, 7);
}

static void flags_async(struct home *home, uint32_t first, uint32_t last, enum flag_mode mode,
                        uint8_t sysflags, struct store_to to)
{
    struct uidset uids = {0};
    struct store_view *view = home_view(home, "INBOX");
    const struct store_flagop op = {.mode = mode, .sysflags = sysflags};
    uidset_add(&uids, first, last);
    store_flags(view, &uids, &op, UINT64_MAX, to);
    store_view_close(view);
    uidset_finish(&uids);
}

static void flags(struct home *home, uint32_t first, uint32_t last, enum flag_mode mode,
                  uint8_t sysflags)
{
    home_flags(home, "INBOX", first, last, mode, sysflags);
}

static void append(struct home *home, unsigned n)
{
    while (n--)
        home_append(home, "INBOX", 100, 0);
}

/* --- the journal ---------------------------------------------------------------------------------
 */

struct lines {
    struct row_log line[256];
    unsigned n;
};

/* The lines after the first `skip`. */
static struct lines journal(struct home *home, unsigned skip)
{
    static unsigned char ranges[256][8 * LOG_RANGES_MAX];
    struct lines lines = {.n = 0};
    struct engine_txn *txn;
    struct engine_cursor cursor;
    struct key key;
    struct slice prefix = key_a(&key, home->account->a);
    uint64_t seq = 0, before = 0;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(engine_cursor_open(txn, DBI_LOG, prefix, &cursor));
    enum err e = engine_seek(&cursor, prefix);
    for (; !e; e = engine_next(&cursor)) {
        struct row_log *line = &lines.line[lines.n];
        if ((unsigned char)cursor.key.ptr[4] == LOG_CONN_MARK)
            break;
        assert_true(key_get64(cursor.key, 4, &seq));
        assert_int_equal(seq, before + 1); /* in order, none twice */
        before = seq;
        if (seq <= skip)
            continue;
        assert_ok(row_log_decode(cursor.value, line));
        memcpy(ranges[lines.n], line->ranges, 8 * (size_t)line->nranges);
        line->ranges = ranges[lines.n++];
    }
    engine_cursor_close(&cursor);
    store_reader_idle(home->reader);
    return lines;
}

static void assert_line(const struct row_log *line, enum log_what what, uint32_t count,
                        uint32_t first, uint32_t last)
{
    uint32_t got_first = 0, got_last = 0;
    assert_int_equal(line->what, what);
    assert_int_equal(line->count, count);
    assert_true(line->nranges > 0);
    log_range(line, 0, &got_first, &got_last);
    assert_int_equal(got_first, first);
    assert_int_equal(got_last, last);
}

static void await_lines(struct home *home, unsigned n)
{
    for (unsigned i = 0; i < 200 && journal(home, 0).n < n; i++)
        home_upkeep(home);
    assert_int_equal(journal(home, 0).n, n);
}

static void a_change_of_flags_joins_the_next_line(void **state)
{
    struct home *home = *state;
    append(home, 3);
    unsigned before = journal(home, 0).n;
    flags(home, 1, 2, FLAGS_ADD, FLAG_SEEN);
    assert_int_equal(journal(home, before).n, 0);
    home_copy(home, "INBOX", 3, 3, "Archive");
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 2);
    assert_line(&lines.line[0], LOG_FLAGS, 2, 1, 2);
    assert_int_equal(lines.line[0].detail, FLAG_SEEN);
    assert_int_equal(lines.line[0].proto, PROTO_IMAP);
    assert_int_equal(lines.line[0].conn, 7);
    assert_int_equal(lines.line[0].m, home_box(home, "INBOX").m);
    assert_int_equal(lines.line[1].what, LOG_COPIED);
    home_copy(home, "INBOX", 3, 3, "Archive");
    assert_int_equal(journal(home, before).n, 3);
}

static void what_changes_nothing_has_no_line(void **state)
{
    struct home *home = *state;
    append(home, 1);
    flags(home, 1, 1, FLAGS_REMOVE, FLAG_SEEN);
    flags(home, 5, 9, FLAGS_ADD, FLAG_SEEN);
    unsigned before = journal(home, 0).n;
    reopen(home, false);
    assert_int_equal(journal(home, before).n, 0);
}

static void changes_of_one_kind_become_one_line(void **state)
{
    struct home *home = *state;
    append(home, 10);
    unsigned before = journal(home, 0).n;
    flags(home, 1, 1, FLAGS_ADD, FLAG_SEEN);
    flags(home, 2, 3, FLAGS_ADD, FLAG_SEEN);
    flags(home, 7, 7, FLAGS_ADD, FLAG_SEEN);
    flags(home, 2, 2, FLAGS_REPLACE, FLAG_FLAGGED);
    store_account_set_actor(home->account, PROTO_IMAP, 8);
    flags(home, 4, 4, FLAGS_REPLACE, FLAG_SEEN | FLAG_FLAGGED);
    flags(home, 5, 5, FLAGS_REPLACE, FLAG_SEEN | FLAG_FLAGGED);
    reopen(home, false);
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 3);
    assert_line(&lines.line[0], LOG_FLAGS, 4, 1, 3);
    assert_int_equal(lines.line[0].nranges, 2);
    assert_line(&lines.line[1], LOG_FLAGS, 1, 2, 2);
    assert_int_equal(lines.line[1].detail, FLAG_FLAGGED | FLAG_SEEN << 8);
    assert_line(&lines.line[2], LOG_FLAGS, 2, 4, 5);
    assert_int_equal(lines.line[2].conn, 8);
}

static void a_line_names_at_most_64_ranges(void **state)
{
    struct home *home = *state;
    struct uidset uids = {0};
    const struct store_flagop op = {.mode = FLAGS_ADD, .sysflags = FLAG_SEEN};
    append(home, 140);
    unsigned before = journal(home, 0).n;
    struct store_view *view = home_view(home, "INBOX");
    for (uint32_t uid = 1; uid <= 140; uid += 2)
        uidset_add(&uids, uid, uid);
    struct store_wait *wait = store_wait_new();
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_view_close(view);
    uidset_finish(&uids);
    reopen(home, false);
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 2);
    assert_line(&lines.line[0], LOG_FLAGS, 64, 1, 1);
    assert_int_equal(lines.line[0].nranges, LOG_RANGES_MAX);
    assert_line(&lines.line[1], LOG_FLAGS, 6, 129, 129);
}

/* Where they are now, and where they were: in step, also over several rows. */
static void a_move_names_both_ends(void **state)
{
    struct home *home = *state;
    struct uidset uids = {0};
    append(home, 140);
    struct store_view *view = home_view(home, "INBOX");
    for (uint32_t uid = 1; uid <= 140; uid += 2)
        uidset_add(&uids, uid, uid);
    unsigned before = journal(home, 0).n;
    struct store_wait *wait = store_wait_new();
    store_copy(view, &uids, home->account, SLICE("Archive"), true, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_view_close(view);
    uidset_finish(&uids);
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 2);
    for (unsigned i = 0, now = 1, then = 1; i < 2; i++) {
        const struct row_log *line = &lines.line[i];
        assert_line(line, LOG_MOVED, i ? 7 : 63, now, now + line->count - 1);
        assert_int_equal(line->m, home_box(home, "Archive").m);
        assert_int_equal(line->other_m, home_box(home, "INBOX").m);
        assert_int_equal(line->nranges, line->count + 1);
        for (unsigned r = 1; r < line->nranges; r++, then += 2) {
            uint32_t first = 0, last = 0;
            log_range(line, r, &first, &last);
            assert_int_equal(first, then);
            assert_int_equal(last, then);
        }
        now += line->count;
    }
}

static void what_a_client_calls_itself_later_is_kept(void **state)
{
    struct home *home = *state;
    const unsigned char address[16] = {[10] = 0xff, 0xff, 192, 0, 2, 1};
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    struct row_log_conn conn;
    store_account_set_origin(home->account, address, SLICE_NONE);
    append(home, 1);
    store_account_set_origin(home->account, address, SLICE("Mail 3.1"));
    append(home, 1);
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(engine_get(txn, DBI_LOG, key_log_conn(&key, home->account->a, 7), &value));
    assert_ok(row_log_conn_decode(value, &conn));
    assert_true(slice_eq(conn.client, SLICE("Mail 3.1")));
    assert_memory_equal(conn.address, address, 16);
    store_reader_idle(home->reader);
}

static void keywords_are_said_with_the_flags(void **state)
{
    struct home *home = *state;
    struct uidset uids = {0};
    struct slice word = SLICE("$Work");
    const struct store_flagop op = {.mode = FLAGS_ADD, .keywords = &word, .nkeywords = 1};
    append(home, 1);
    unsigned before = journal(home, 0).n;
    struct store_view *view = home_view(home, "INBOX");
    uidset_add(&uids, 1, 1);
    struct store_wait *wait = store_wait_new();
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_view_close(view);
    uidset_finish(&uids);
    reopen(home, false);
    assert_int_equal(journal(home, before).line[0].detail, LOG_KEYWORDS);
}

static void after_a_minute_the_timer_writes_the_lines_of_all_accounts(void **state)
{
    struct home *home = *state;
    append(home, 2);
    unsigned before = journal(home, 0).n;
    flags(home, 1, 2, FLAGS_ADD, FLAG_SEEN);
    clock_shift(58);
    home_upkeep(home);
    assert_int_equal(journal(home, before).n, 0);
    clock_shift(3);
    await_lines(home, before + 1);
    clock_shift(120);
    home_upkeep(home);
    assert_int_equal(journal(home, before).n, 1);
}

static void a_crash_loses_what_waits_and_nothing_else(void **state)
{
    struct home *home = *state;
    append(home, 2);
    unsigned before = journal(home, 0).n;
    flags(home, 1, 2, FLAGS_ADD, FLAG_SEEN);
    reopen(home, true);
    assert_int_equal(journal(home, before).n, 0);
    assert_int_equal(home_box(home, "INBOX").row.unseen, 0);
}

static void a_download_waits_like_a_change_of_flags(void **state)
{
    struct home *home = *state;
    struct slice inbox = SLICE("INBOX");
    const struct store_poprule rule = {.folders = &inbox, .nfolders = 1, .retr_seen = true};
    struct store_maildrop *drop;
    append(home, 3);
    unsigned before = journal(home, 0).n;
    store_account_set_actor(home->account, PROTO_POP3, 9);
    assert_ok(store_maildrop_open(home->reader, home->account, NULL, &rule, &drop));
    store_reader_idle(home->reader);
    struct store_wait *wait = store_wait_new();
    store_maildrop_update(drop, (const unsigned char[]){3}, NULL, POP3_DELETE_EXPUNGE,
                          store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    assert_int_equal(journal(home, before).n, 0);
    wait = store_wait_new();
    store_maildrop_update(drop, (const unsigned char[]){4}, (const unsigned char[]){1},
                          POP3_DELETE_EXPUNGE, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_maildrop_close(drop);
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 3);
    assert_line(&lines.line[0], LOG_DOWNLOADED, 2, 1, 2);
    assert_line(&lines.line[1], LOG_DOWNLOADED, 1, 3, 3);
    assert_line(&lines.line[2], LOG_EXPUNGED, 1, 1, 1);
    assert_int_equal(lines.line[0].conn, 9);
}

static void more_than_64_lines_do_not_wait(void **state)
{
    struct home *home = *state;
    append(home, 1);
    unsigned before = journal(home, 0).n;
    for (unsigned i = 0; i < 64; i++)
        flags(home, 1, 1, i % 2 ? FLAGS_REMOVE : FLAGS_ADD, FLAG_SEEN);
    assert_int_equal(journal(home, before).n, 0);
    flags(home, 1, 1, FLAGS_ADD, FLAG_SEEN);
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 65);
    for (unsigned i = 0; i < lines.n; i++)
        assert_int_equal(lines.line[i].detail, i % 2 ? FLAG_SEEN << 8 : FLAG_SEEN);
}

static void an_account_that_is_deleted_has_no_more_lines(void **state)
{
    struct home *home = *state;
    append(home, 1);
    flags(home, 1, 1, FLAGS_ADD, FLAG_SEEN);
    lazy_login(home->env, home->account->a, PROTO_IMAP, clock_wall());
    struct store_wait *wait = store_wait_new();
    store_user_delete(home->store, SLICE("alice@example.org"), store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    clock_shift(700);
    home_await_rows(home, DBI_ACCT, 0);
    home_upkeep(home);
    assert_int_equal(home_rows(home, DBI_LOG), 0);
    store_account_close(home->account);
    home->account = NULL;
}

/* --- bounds --------------------------------------------------------------------------------------
 */

/* Notes 64 ranges for each of many accounts, and then for alice: does her line wait? */
struct flood {
    struct op op;
    uint32_t accounts;
};

static enum err flood_apply(struct op *op, struct turn *turn)
{
    struct flood *flood = (struct flood *)op;
    struct uidset uids = {0};
    for (uint32_t uid = 1; uid < 2 * LOG_RANGES_MAX; uid += 2)
        uidset_add(&uids, uid, uid);
    const struct actor actor = {.proto = PROTO_IMAP};
    struct journal_line line = {.actor = &actor, .what = LOG_FLAGS, .uids = &uids};
    enum err e = ERR_OK;
    for (uint32_t i = 0; !e && i <= flood->accounts; i++) {
        line.a = i < flood->accounts ? 1000 + i : op->acct;
        turn->wrote = false;
        e = turn_journal_later(turn, &line);
    }
    op->result.modseq = turn->wrote;
    turn->wrote = true;
    uidset_finish(&uids);
    return e;
}

static void flood_release(struct op *op)
{
    mem_free(op);
}

static bool writes_after_flood(struct home *home, uint32_t accounts)
{
    static const struct op_kind kind = {"flood", flood_apply, flood_release, false, NULL};
    struct store_wait *wait = store_wait_new();
    struct store_result result;
    struct flood *flood = mem_new(sizeof *flood);
    flood->accounts = accounts;
    flood->op = (struct op){.kind = &kind,
                            .env = home->env,
                            .acct = home->account->a,
                            .pages = 4,
                            .to = store_wait_to(wait)};
    committer_submit(home->env->committer, &flood->op);
    assert_ok(store_wait(wait, &result));
    bool wrote = result.modseq;
    store_result_finish(&result);
    return wrote;
}

static void lines_take_at_most_8_mib(void **state)
{
    struct home *home = *state;
    assert_false(writes_after_flood(home, 100));
    clock_shift(61);
    await_lines(home, 1);
    assert_true(writes_after_flood(home, 16384)); /* 8 MiB of ranges alone */
    assert_int_equal(journal(home, 0).n, 2);
    for (unsigned i = 0; i < 20; i++)
        home_upkeep(home); /* half of the room is made again at once */
    assert_false(writes_after_flood(home, 100));
}

/* --- turns that are aborted ----------------------------------------------------------------------
 */

/* Holds the committer up in one turn, so that what is submitted meanwhile shares the next; or
 * writes and then fails, which aborts its turn. */
struct spoiler {
    struct op op;
    bool fails;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    bool running, go;
};

static enum err spoil(struct op *op, struct turn *turn)
{
    struct spoiler *s = (struct spoiler *)op;
    struct key key;
    if (s->fails) {
        turn->wrote = true;
        return turn_put(turn, DBI_OPT, key_a_text(&key, 1, SLICE("spoilt")), SLICE("\1"))
                   ? ERR_BUG
                   : ERR_FULL;
    }
    pthread_mutex_lock(&s->lock);
    s->running = true;
    pthread_cond_signal(&s->wake);
    while (!s->go)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return ERR_OK;
}

static void spoiler_release(struct op *op)
{
    struct spoiler *s = (struct spoiler *)op;
    pthread_mutex_destroy(&s->lock);
    pthread_cond_destroy(&s->wake);
    mem_free(s);
}

static const struct op_kind spoiler_kind = {"spoiler", spoil, spoiler_release, false, NULL};

static struct spoiler *spoiler_new(struct home *home, uint32_t acct, bool fails)
{
    struct spoiler *s = mem_new(sizeof *s);
    s->op = (struct op){.kind = &spoiler_kind, .env = home->env, .acct = acct, .pages = 4};
    s->fails = fails;
    pthread_mutex_init(&s->lock, NULL);
    pthread_cond_init(&s->wake, NULL);
    return s;
}

/* The committer is in the blocker's turn. */
static struct spoiler *block(struct home *home)
{
    struct spoiler *s = spoiler_new(home, 1000, false);
    committer_submit(home->env->committer, &s->op);
    pthread_mutex_lock(&s->lock);
    while (!s->running)
        pthread_cond_wait(&s->wake, &s->lock);
    pthread_mutex_unlock(&s->lock);
    return s;
}

static void let_go(struct spoiler *s)
{
    pthread_mutex_lock(&s->lock);
    s->go = true;
    pthread_cond_signal(&s->wake);
    pthread_mutex_unlock(&s->lock);
}

static void copy_async(struct home *home, struct store_to to)
{
    struct uidset uids = {0};
    struct store_view *view = home_view(home, "INBOX");
    uidset_add(&uids, 4, 4);
    store_copy(view, &uids, home->account, SLICE("Archive"), false, to);
    store_view_close(view);
    uidset_finish(&uids);
}

/* A line that waits, then in one turn: flags, a copy that takes both lines along, flags again, and
 * an op that spoils it all. Everything is replayed, and the journal says each thing once. */
static void an_aborted_turn_neither_loses_lines_nor_doubles_them(void **state)
{
    struct home *home = *state;
    append(home, 5);
    unsigned before = journal(home, 0).n;
    flags(home, 1, 1, FLAGS_ADD, FLAG_ANSWERED);
    struct committer_stats stats;
    committer_stats(home->env->committer, &stats);
    uint64_t replays = stats.replays;

    struct spoiler *blocker = block(home);
    struct store_wait *wait[3] = {store_wait_new(), store_wait_new(), store_wait_new()};
    flags_async(home, 2, 2, FLAGS_ADD, FLAG_SEEN, store_wait_to(wait[0]));
    copy_async(home, store_wait_to(wait[1]));
    flags_async(home, 3, 3, FLAGS_ADD, FLAG_FLAGGED, store_wait_to(wait[2]));
    struct spoiler *bad = spoiler_new(home, home->account->a, true);
    struct store_wait *failed = store_wait_new();
    bad->op.to = store_wait_to(failed);
    committer_submit(home->env->committer, &bad->op);
    let_go(blocker);
    for (unsigned i = 0; i < 3; i++)
        assert_ok(store_wait(wait[i], NULL));
    assert_err(store_wait(failed, NULL), ERR_FULL);
    committer_stats(home->env->committer, &stats);
    assert_int_equal(stats.replays, replays + 4);

    reopen(home, false);
    struct lines lines = journal(home, before);
    assert_int_equal(lines.n, 4);
    assert_line(&lines.line[0], LOG_FLAGS, 1, 1, 1);
    assert_line(&lines.line[1], LOG_FLAGS, 1, 2, 2);
    assert_int_equal(lines.line[2].what, LOG_COPIED);
    assert_line(&lines.line[3], LOG_FLAGS, 1, 3, 3);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)
    const struct CMUnitTest tests[] = {
        CASE(a_change_of_flags_joins_the_next_line),
        CASE(what_changes_nothing_has_no_line),
        CASE(changes_of_one_kind_become_one_line),
        CASE(a_line_names_at_most_64_ranges),
        CASE(a_move_names_both_ends),
        CASE(what_a_client_calls_itself_later_is_kept),
        CASE(keywords_are_said_with_the_flags),
        CASE(after_a_minute_the_timer_writes_the_lines_of_all_accounts),
        CASE(a_crash_loses_what_waits_and_nothing_else),
        CASE(a_download_waits_like_a_change_of_flags),
        CASE(more_than_64_lines_do_not_wait),
        CASE(an_account_that_is_deleted_has_no_more_lines),
        CASE(lines_take_at_most_8_mib),
        CASE(an_aborted_turn_neither_loses_lines_nor_doubles_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
