/* The keyword table of a mailbox: 64 names, and the way out when it is full. */
#include <string.h>
#include <time.h>

#include "core/base/clock.h"
#include "store/keyword.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { AGAIN_S = 601 };

static struct slice word(unsigned i)
{
    static char names[100][16];
    snprintf(names[i], sizeof names[i], "word-%u", i);
    return slice_str(names[i]);
}

/* Words first..last of messages from..to. */
static enum err set(struct home *home, uint32_t from, uint32_t to, enum flag_mode mode,
                    unsigned first, unsigned last)
{
    struct slice names[100];
    struct uidset uids = {0};
    struct store_view *view = home_view(home, "INBOX");
    struct store_flagop op = {.mode = mode, .keywords = names};
    for (unsigned i = first; i <= last; i++)
        names[op.nkeywords++] = word(i);
    uidset_add(&uids, from, to);
    struct store_wait *wait = store_wait_new();
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(wait));
    enum err e = store_wait(wait, NULL);
    store_view_close(view);
    uidset_finish(&uids);
    return e;
}

struct table {
    struct row_kw row; /* its names are not kept */
    char name[KEYWORDS_MAX][32];
};

static struct table table(struct home *home)
{
    struct table t;
    struct engine_txn *txn;
    uint32_t m = home_box(home, "INBOX").m;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    assert_ok(keyword_table(txn, home->account->a, m, &t.row));
    for (unsigned i = 0; i < t.row.n; i++)
        snprintf(t.name[i], sizeof t.name[i], SLICE_FMT, SLICE_ARG(t.row.word[i].name));
    store_reader_idle(home->reader);
    return t;
}

/* The bit of a word; -1 when it is not in the table. */
static int bit_of(struct home *home, unsigned w)
{
    struct table t = table(home);
    for (unsigned i = 0; i < t.row.n; i++)
        if (t.row.word[i].state != KW_FREE && slice_eq(slice_str(t.name[i]), word(w)))
            return (int)i;
    return -1;
}

static unsigned count(struct home *home, enum kw_state state)
{
    struct table t = table(home);
    unsigned n = 0;
    for (unsigned i = 0; i < t.row.n; i++)
        n += t.row.word[i].state == state;
    return n;
}

static void await_free(struct home *home, unsigned n)
{
    unsigned i = 0;
    do
        home_upkeep(home); /* also when it is so already: a look may be about to begin */
    while (i++ < 100 && (count(home, KW_FREE) != n || count(home, KW_RETIRING)));
    assert_int_equal(count(home, KW_FREE), n);
    assert_int_equal(count(home, KW_RETIRING), 0);
}

static void append(struct home *home, unsigned n)
{
    while (n--)
        home_append(home, "INBOX", 100, 0);
}

/* --- giving up -----------------------------------------------------------------------------------
 */

static void what_messages_have_is_never_given_up(void **state)
{
    struct home *home = *state;
    append(home, 2);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 63));
    assert_err(set(home, 1, 1, FLAGS_ADD, 64, 64), ERR_LIMIT);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 5, 5));
    await_free(home, 0);
    assert_int_equal(table(home).row.gen, 1);
    assert_err(set(home, 1, 1, FLAGS_ADD, 64, 64), ERR_LIMIT);
}

static void a_word_that_was_refused_is_taken_later(void **state)
{
    struct home *home = *state;
    append(home, 3);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 63));
    home_upkeep(home); /* a look that gives nothing */
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 10, 19));
    assert_ok(set(home, 3, 3, FLAGS_ADD, 15, 15));
    assert_err(set(home, 2, 2, FLAGS_ADD, 64, 64), ERR_LIMIT);
    home_upkeep(home);
    assert_int_equal(count(home, KW_FREE), 0);
    clock_shift(AGAIN_S);
    assert_err(set(home, 2, 2, FLAGS_ADD, 64, 64), ERR_LIMIT);
    int kept = bit_of(home, 63);
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    await_free(home, 9);
    assert_int_equal(table(home).row.gen, 2);
    assert_int_equal(home_box(home, "INBOX").row.highestmodseq, modseq + 1);
    for (unsigned w = 0; w < 64; w++)
        assert_int_equal(bit_of(home, w) < 0, w >= 10 && w < 20 && w != 15);
    assert_int_equal(bit_of(home, 63), kept);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 64, 64));
    assert_in_range(bit_of(home, 64), 10, 19);
}

static void a_table_that_becomes_full_is_looked_at_once(void **state)
{
    struct home *home = *state;
    append(home, 1);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 39));
    assert_ok(set(home, 1, 1, FLAGS_REPLACE, 40, 62));
    home_upkeep(home);
    assert_int_equal(bit_of(home, 0), 0); /* not full: nothing is given up */
    assert_ok(set(home, 1, 1, FLAGS_ADD, 63, 63));
    await_free(home, 40);
    assert_int_equal(bit_of(home, 63), 63);
}

static void what_is_free_is_not_given_up_again(void **state)
{
    struct home *home = *state;
    append(home, 2);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 62));
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 10, 19));
    assert_ok(set(home, 1, 1, FLAGS_ADD, 63, 63));
    await_free(home, 10);
    struct table before = table(home);
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    atomic_store(&home->store->keywords, 54); /* `[imap] keywords` has become lower: full again */
    assert_err(set(home, 2, 2, FLAGS_ADD, 64, 64), ERR_LIMIT);
    await_free(home, 10);
    assert_int_equal(table(home).row.gen, before.row.gen);
    assert_int_equal(home_box(home, "INBOX").row.highestmodseq, modseq);
}

static void what_waits_in_the_window_keeps_its_words(void **state)
{
    struct home *home = *state;
    append(home, 2);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 31));
    home_expunge(home, "INBOX", 1, 1);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 32, 63));
    assert_err(set(home, 2, 2, FLAGS_ADD, 64, 64), ERR_LIMIT);
    await_free(home, 0);
    clock_shift(14 * 86400 + 700);
    home_await_rows(home, DBI_GONE, 0);
    assert_err(set(home, 2, 2, FLAGS_ADD, 64, 64), ERR_LIMIT);
    await_free(home, 32);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 64, 64));
}

static void an_append_asks_for_room_too(void **state)
{
    struct home *home = *state;
    append(home, 1);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 63));
    await_free(home, 0);
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 0, 9));
    clock_shift(AGAIN_S);
    struct store_incoming *in;
    struct slice name = word(64);
    struct store_dest dest = {.account = home->account, .path = SLICE("INBOX")};
    bool dropped = true;
    for (unsigned i = 0; i < 20 && dropped; i++) {
        struct store_wait *wait = store_wait_new();
        struct store_result result;
        assert_ok(store_incoming_new(home->account, 1000, &in));
        assert_ok(store_incoming_write(in, SLICE("Subject: x\r\n\r\nx\r\n")));
        store_incoming_set(in, 0, &name, 1, clock_wall(), 0);
        store_append(&in, 1, &dest, 1, store_wait_to(wait));
        assert_ok(store_wait(wait, &result));
        dropped = result.keyword_dropped;
        store_result_finish(&result);
        assert_true(i > 0 || dropped);
        home_upkeep(home);
    }
    assert_false(dropped);
    assert_true(bit_of(home, 64) >= 0);
}

/* --- while it goes on ----------------------------------------------------------------------------
 */

static void put_states(struct home *home, enum kw_state state)
{
    struct engine_txn *turn;
    struct key key;
    struct row_kw row;
    unsigned char octets[ROW_MAX];
    uint32_t a = home->account->a, m = home_box(home, "INBOX").m;
    committer_stop(home->env->committer);
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    assert_ok(keyword_table(turn, a, m, &row));
    for (unsigned i = 0; i < row.n; i++)
        row.word[i].state = (uint8_t)state;
    assert_ok(engine_put(turn, DBI_KW, key_am(&key, a, m), row_kw_encode(&row, octets)));
    assert_ok(engine_turn_commit(turn));
    home_close(home);
    home_open(home);
}

static void a_retiring_word_is_used_again_by_whoever_names_it(void **state)
{
    struct home *home = *state;
    append(home, 2);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 9));
    put_states(home, KW_RETIRING); /* what a crash may leave */
    uint32_t gen = table(home).row.gen;
    struct store_view *view = home_view(home, "INBOX");
    assert_int_equal(store_view_nkeywords(view), 10);
    assert_slice(store_view_keyword(view, 3), "word-3");
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 3, 3));
    assert_int_equal(table(home).row.word[3].state, KW_RETIRING);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 3, 4));
    struct table t = table(home);
    for (unsigned i = 0; i < 10; i++)
        assert_int_equal(t.row.word[i].state, i == 3 || i == 4 ? KW_USED : KW_RETIRING);
    assert_int_equal(t.row.gen, gen); /* the names are the same */
    struct store_changes changes;
    assert_ok(store_view_sync(view, SYNC_EXPUNGE, &changes));
    assert_false(changes.keywords);
    store_reader_idle(home->reader);
    store_view_close(view);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 10, 63));
    await_free(home, 0); /* the first message has the others */
}

static void grow(struct home *home, uint32_t messages)
{
    append(home, 16);
    for (uint32_t n = 16; n < messages; n *= 2)
        home_copy(home, "INBOX", 1, n, "INBOX");
}

static void a_word_named_during_the_scan_stays(void **state)
{
    struct home *home = *state;
    grow(home, 1 << 16); /* more than one slice */
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 62));
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 0, 31));
    assert_ok(set(home, 60000, 60000, FLAGS_ADD, 63, 63)); /* full */
    for (unsigned i = 0; i < 2000 && !count(home, KW_RETIRING); i++)
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    for (unsigned w = 0; w < 16; w++) {
        assert_ok(set(home, 1 + w, 1 + w, FLAGS_ADD, w, w));
        committer_nudge(home->env->committer);
    }
    await_free(home, 16);
    for (unsigned w = 0; w < 64; w++)
        assert_int_equal(bit_of(home, w) >= 0, w < 16 || w >= 32);
}

/* --- sessions ------------------------------------------------------------------------------------
 */

static uint64_t fetched_keywords(struct home *home, struct store_view *view, uint32_t uid)
{
    struct store_cursor cursor;
    struct store_message message;
    struct uidset uids = {0};
    uidset_add(&uids, uid, uid);
    store_cursor_init(&cursor, view, &uids, WANT_HOT, 0);
    assert_ok(store_cursor_next(&cursor, &message));
    uidset_finish(&uids);
    store_reader_idle(home->reader);
    return message.keywords;
}

static void a_session_never_sees_a_word_under_an_old_name(void **state)
{
    struct home *home = *state;
    struct store_changes changes;
    append(home, 3);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 62));
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 5, 5));
    struct store_view *view = home_view(home, "INBOX");
    assert_ok(set(home, 1, 1, FLAGS_ADD, 63, 63));
    await_free(home, 1);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 70, 70));
    assert_int_equal(bit_of(home, 70), 5);
    assert_ok(set(home, 2, 2, FLAGS_ADD, 6, 6));

    assert_slice(store_view_keyword(view, 5), "word-5");
    assert_int_equal(fetched_keywords(home, view, 2), UINT64_C(1) << 6);
    assert_int_equal(fetched_keywords(home, view, 1) & 0xf0, 0xd0);
    assert_ok(store_view_sync(view, 0, &changes));
    assert_true(changes.keywords);
    assert_int_equal(changes.nflagged, 2);
    assert_int_equal(changes.flagged[1].keywords, UINT64_C(3) << 5);
    assert_slice(store_view_keyword(view, 5), "word-70");
    assert_int_equal(fetched_keywords(home, view, 2), UINT64_C(3) << 5);
    store_reader_idle(home->reader);
    store_view_close(view);
}

static void a_view_of_a_full_table_asks_for_room(void **state)
{
    struct home *home = *state;
    struct store_view_info info;
    append(home, 1);
    assert_ok(set(home, 1, 1, FLAGS_ADD, 0, 63));
    await_free(home, 0);
    assert_ok(set(home, 1, 1, FLAGS_REMOVE, 0, 0));
    clock_shift(AGAIN_S);
    home_upkeep(home);
    struct store_view *view = home_view(home, "INBOX");
    assert_ok(store_view_info(view, false, &info));
    assert_true(info.keywords_full); /* PERMANENTFLAGS without \*: the client will not try */
    await_free(home, 1);
    struct store_changes changes;
    assert_ok(store_view_sync(view, 0, &changes));
    assert_true(changes.keywords);
    assert_ok(store_view_info(view, false, &info));
    assert_false(info.keywords_full);
    assert_slice(store_view_keyword(view, 0), "");
    store_reader_idle(home->reader);
    store_view_close(view);
}

/* --- a model -------------------------------------------------------------------------------------
 */

enum { MESSAGES = 40, WORDS = 90, STEPS = 1500 };

/* Random words come and go on random messages while entries are given up: every message has the
 * words that it was given, under whatever bits. */
static void random_words_stay_with_their_messages(void **state)
{
    struct home *home = *state;
    static bool has[MESSAGES + 1][WORDS];
    uint32_t seed = 12345;
    unsigned refused = 0;
    memset(has, 0, sizeof has);
    append(home, MESSAGES);
    for (unsigned n = 0; n < STEPS; n++) {
        seed = seed * 1664525 + 1013904223;
        uint32_t uid = 1 + (seed >> 8) % MESSAGES;
        unsigned w = (seed >> 16) % WORDS;
        bool add = (seed >> 28) < 9;
        enum err e = set(home, uid, uid, add ? FLAGS_ADD : FLAGS_REMOVE, w, w);
        if (e == ERR_LIMIT && add)
            refused++;
        else
            assert_ok(e);
        has[uid][w] = e ? has[uid][w] : add;
        if (n % 8 == 0) { /* whole words go, so that there is something to give up */
            unsigned gone = (seed >> 5) % WORDS;
            assert_ok(set(home, 1, MESSAGES, FLAGS_REMOVE, gone, gone));
            for (unsigned i = 1; i <= MESSAGES; i++)
                has[i][gone] = false;
        }
        if (n % 16 == 0)
            clock_shift(AGAIN_S);
        committer_nudge(home->env->committer);
    }
    assert_true(refused > 0);
    struct table t = table(home);
    for (uint32_t uid = 1; uid <= MESSAGES; uid++) {
        struct engine_txn *txn;
        struct hot_slot slot;
        bool found[WORDS] = {false};
        uint32_t m = home_box(home, "INBOX").m;
        assert_ok(reader_snap(home->reader, home->env, &txn));
        assert_ok(slot_load(txn, home->account->a, m, uid, &slot));
        store_reader_idle(home->reader);
        for (unsigned i = 0; i < t.row.n; i++)
            for (unsigned w = 0; slot.keywords >> i & 1 && w < WORDS; w++)
                found[w] |= slice_eq(slice_str(t.name[i]), word(w));
        assert_memory_equal(found, has[uid], sizeof found);
    }
    print_message("# generation %u, %u refused\n", t.row.gen, refused);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(what_messages_have_is_never_given_up),
        CASE(a_word_that_was_refused_is_taken_later),
        CASE(a_table_that_becomes_full_is_looked_at_once),
        CASE(what_is_free_is_not_given_up_again),
        CASE(what_waits_in_the_window_keeps_its_words),
        CASE(an_append_asks_for_room_too),
        CASE(a_retiring_word_is_used_again_by_whoever_names_it),
        CASE(a_word_named_during_the_scan_stays),
        CASE(a_session_never_sees_a_word_under_an_old_name),
        CASE(a_view_of_a_full_table_asks_for_room),
        CASE(random_words_stay_with_their_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
