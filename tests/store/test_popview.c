/* The maildrop as a view: each rule, what stays hidden for good, and random accounts against a
 * model that knows only the words of the decision: what a client has downloaded leaves for good. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "store/hot.h"
#include "store/popview.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { DAY = 86400 };

static struct slice inbox[] = {
    {"INBOX", 5}
};
static struct slice both[] = {
    {"INBOX",   5},
    {"Archive", 7}
};

static struct store_poprule own_view(void)
{
    return (struct store_poprule){
        .folders = inbox, .nfolders = 1, .own = true, .retr_seen = true, .explain = true};
}

static struct store_maildrop *login(struct home *home, const struct store_poprule *rule)
{
    struct store_maildrop *drop;
    assert_ok(store_maildrop_open(home->reader, home->account, NULL, rule, &drop));
    store_reader_idle(home->reader);
    struct store_wait *wait = store_wait_new();
    store_maildrop_shown(drop);
    store_maildrop_update(drop, NULL, NULL, POP3_DELETE_KEEP, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL)); /* nobody waits for what came before it */
    return drop;
}

/* Messages by number from 1, 0 ends the list; with `mode` for those in `deleted`. */
static void quit(struct store_maildrop *drop, const uint32_t *retrieved, const uint32_t *deleted,
                 enum pop3_delete mode)
{
    unsigned char r[64] = {0}, d[64] = {0};
    for (; retrieved && *retrieved; retrieved++)
        r[(*retrieved - 1) / 8] |= (unsigned char)(1u << (*retrieved - 1) % 8);
    for (; deleted && *deleted; deleted++)
        d[(*deleted - 1) / 8] |= (unsigned char)(1u << (*deleted - 1) % 8);
    struct store_wait *wait = store_wait_new();
    store_maildrop_update(drop, r, d, mode, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_maildrop_close(drop);
}
#define NUMBERS(...) ((const uint32_t[]){__VA_ARGS__, 0})

/* A session that reads these and ends. */
static void fetch(struct home *home, const struct store_poprule *rule, const uint32_t *retrieved)
{
    quit(login(home, rule), retrieved, NULL, POP3_DELETE_KEEP);
}

/* "1 2 | 3:seen 4:good": UIDs shown, then those hidden with the rule. */
static const char *picture(struct home *home, const struct store_poprule *rule)
{
    static const char *const words[] = {"", "good", "downloaded", "seen", "since", "older"};
    static char text[4096];
    struct store_pophidden hidden;
    size_t n = 0;
    struct store_maildrop *drop = login(home, rule);
    text[0] = '\0';
    for (uint32_t i = 1; i <= store_maildrop_count(drop); i++) {
        struct store_popentry entry;
        assert_ok(store_maildrop_entry(drop, home->reader, i, &entry));
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%u", n ? " " : "", entry.uid);
    }
    for (uint32_t i = 0; store_maildrop_hidden(drop, i, &hidden); i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "%s%u:%s",
                              i   ? " "
                              : n ? " | "
                                  : "| ",
                              hidden.uid, words[hidden.why]);
    store_reader_idle(home->reader);
    store_maildrop_close(drop);
    return text;
}
#define assert_view(home, rule, text) assert_string_equal(picture(home, rule), text)

static void fill(struct home *home, const char *path, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        home_append(home, path, 100, 0);
}

static uint32_t last_uid(struct home *home, const char *path)
{
    return home_box(home, path).row.uidnext - 1;
}

static void seen_elsewhere_is_hidden_and_comes_back_unread(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    fill(home, "INBOX", 3);
    home_flags(home, "INBOX", 2, 2, FLAGS_ADD, FLAG_SEEN);
    assert_view(home, &rule, "1 2 3");
    rule.hide_seen = true;
    assert_view(home, &rule, "1 3 | 2:seen");
    home_flags(home, "INBOX", 2, 2, FLAGS_REMOVE, FLAG_SEEN);
    assert_view(home, &rule, "1 2 3");
}

static void seen_by_its_own_download_is_not_hidden(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    rule.hide_seen = true;
    fill(home, "INBOX", 3);
    fetch(home, &rule, NUMBERS(1));
    assert_int_equal(home_box(home, "INBOX").row.unseen, 2);
    assert_view(home, &rule, "1 2 3");
    home_flags(home, "INBOX", 1, 3, FLAGS_ADD, FLAG_SEEN); /* now elsewhere too */
    assert_view(home, &rule, "1 | 2:seen 3:seen");
}

static void seen_is_hidden_after_some_days(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    rule.hide_seen = true;
    rule.hide_seen_days = 3;
    fill(home, "INBOX", 1);
    home_flags(home, "INBOX", 1, 1, FLAGS_ADD, FLAG_SEEN);
    clock_shift(3 * DAY - 100);
    fill(home, "INBOX", 1);
    assert_view(home, &rule, "1 2");
    clock_shift(200);
    assert_view(home, &rule, "2 | 1:seen");
    clock_shift(-3 * DAY - 100);
}

static void downloaded_is_hidden_for_good(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    fill(home, "INBOX", 3);
    fetch(home, &rule, NUMBERS(1, 2));
    assert_view(home, &rule, "1 2 3");
    rule.hide_downloaded = true;
    assert_view(home, &rule, "3 | 1:downloaded 2:downloaded");
    assert_view(home, &rule, "3 | 1:good 2:good");
    rule.hide_downloaded = false; /* a client that comes back would fetch them again */
    home_flags(home, "INBOX", 1, 3, FLAGS_REMOVE, FLAG_SEEN);
    assert_view(home, &rule, "3 | 1:good 2:good");
}

static void before_a_date_is_hidden(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    uint32_t now = clock_wall();
    fill(home, "INBOX", 2);
    fetch(home, &rule, NUMBERS(2));
    clock_shift(2 * DAY);
    fill(home, "INBOX", 1);
    rule.since = now + DAY;
    assert_view(home, &rule, "3 | 1:since 2:since");
    rule.since = now - DAY; /* what no client has may come back */
    assert_view(home, &rule, "1 3 | 2:good");
    clock_shift(-2 * DAY);
}

static void only_the_newest_and_the_mark_moves_forward(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    rule.max_messages = 3;
    fill(home, "INBOX", 5);
    assert_view(home, &rule, "3 4 5 | 1:older 2:older");
    home_expunge(home, "INBOX", 4, 5);
    assert_view(home, &rule, "3 | 1:older 2:older"); /* or deleting would bring up older ones */
    fill(home, "INBOX", 3);
    assert_view(home, &rule, "6 7 8 | 1:older 2:older 3:older");
    fetch(home, &rule, NUMBERS(1));
    fill(home, "INBOX", 1);
    assert_view(home, &rule, "7 8 9 | 1:older 2:older 3:older 6:older");
    rule.max_messages = 10; /* another number is another decision, but not for what is downloaded */
    assert_view(home, &rule, "1 2 3 7 8 9 | 6:good");
    rule.max_messages = 0;
    assert_view(home, &rule, "1 2 3 7 8 9 | 6:good");
}

static void the_newest_of_several_folders(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    rule.folders = both;
    rule.nfolders = 2;
    rule.max_messages = 3;
    for (unsigned i = 0; i < 3; i++) {
        fill(home, "INBOX", 1);
        clock_shift(10);
        fill(home, "Archive", 1);
        clock_shift(10);
    }
    assert_view(home, &rule, "3 2 3 | 1:older 2:older 1:older");
    home_expunge(home, "Archive", 3, 3);
    assert_view(home, &rule, "3 2 | 1:older 2:older 1:older");
    clock_shift(-60);
}

static void recent_shows_a_month_and_leaves_no_trace(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view(), recent;
    fill(home, "INBOX", 3);
    fetch(home, &rule, NUMBERS(1, 2));
    rule.hide_downloaded = rule.hide_seen = true;
    rule.max_messages = 1;
    recent = rule;
    recent.recent = true;
    home_flags(home, "INBOX", 3, 3, FLAGS_ADD, FLAG_SEEN);
    assert_view(home, &recent, "1 2 3");
    assert_view(home, &rule, "| 1:downloaded 2:downloaded 3:seen");
    assert_view(home, &recent, "1 2 3"); /* and from now on they are hidden for good */
    clock_shift(31 * DAY);
    fill(home, "INBOX", 2);
    assert_view(home, &recent, "4 5 | 1:good 2:good 3:seen");
    assert_view(home, &rule, "5 | 1:good 2:good 3:seen 4:older");
    clock_shift(-31 * DAY);
}

static void what_leaves_the_view_does_not_return(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    fill(home, "INBOX", 3);
    fetch(home, &rule, NUMBERS(1));
    home_move(home, "INBOX", 1, 2, "Archive");
    assert_view(home, &rule, "3");
    home_move(home, "Archive", 1, 2, "INBOX");
    assert_view(home, &rule, "3 5 | 4:good"); /* 5 was never downloaded */
}

static void moves_within_the_view_hide_nothing(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    rule.folders = both;
    rule.nfolders = 2;
    fill(home, "INBOX", 2);
    fetch(home, &rule, NUMBERS(1));
    home_move(home, "INBOX", 1, 1, "Archive");
    assert_view(home, &rule, "2 1");
    home_move(home, "Archive", 1, 1, "INBOX");
    assert_view(home, &rule, "2 3");
}

static void a_folder_that_was_out_of_view_shows_what_is_new(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view(), wide = own_view();
    wide.folders = both;
    wide.nfolders = 2;
    fill(home, "Archive", 2);
    fetch(home, &wide, NUMBERS(1));
    assert_view(home, &wide, "1 2");
    assert_view(home, &rule, "");
    assert_view(home, &wide, "2 | 1:good");
    struct store_poprule single = own_view(); /* user+Archive has another memory */
    single.own = false;
    single.folders = both + 1;
    assert_view(home, &single, "2 | 1:good");
}

static void hiding_by_dele_is_for_good_and_nothing_to_imap(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    fill(home, "INBOX", 3);
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    quit(login(home, &rule), NULL, NUMBERS(2), POP3_DELETE_HIDE);
    assert_view(home, &rule, "1 3 | 2:good");
    assert_int_equal(home_box(home, "INBOX").row.highestmodseq, modseq);
    assert_int_equal(home_box(home, "INBOX").row.exists, 3);
    quit(login(home, &rule), NULL, NUMBERS(1), POP3_DELETE_KEEP);
    assert_view(home, &rule, "1 3 | 2:good");
}

static void deleting_moves_to_the_trash_with_all_that_pop3_knows(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    struct slice trash = SLICE("Trash");
    struct store_popentry before, after;
    fill(home, "INBOX", 3);
    struct store_maildrop *drop = login(home, &rule);
    assert_ok(store_maildrop_entry(drop, home->reader, 2, &before));
    store_reader_idle(home->reader);
    quit(drop, NUMBERS(2), NUMBERS(2, 3), POP3_DELETE_TRASH);
    assert_view(home, &rule, "1");
    assert_int_equal(home_box(home, "Trash").row.exists, 2);
    rule.folders = &trash;
    rule.own = false;
    drop = login(home, &rule);
    assert_ok(store_maildrop_entry(drop, home->reader, 1, &after));
    assert_string_equal(after.uidl, before.uidl);
    store_reader_idle(home->reader);
    quit(drop, NULL, NUMBERS(1), POP3_DELETE_TRASH); /* in the trash it is expunged */
    assert_int_equal(home_box(home, "Trash").row.exists, 1);
    assert_int_equal(home_acct(home).row.gone_msgs, 1);
    home_delete_mailbox(home, "Trash");
    rule = own_view();
    quit(login(home, &rule), NULL, NUMBERS(1), POP3_DELETE_TRASH); /* and is made */
    assert_int_equal(home_box(home, "Trash").row.exists, 1);
}

static void put_format(struct home *home, const char *format)
{
    struct engine_txn *turn;
    struct key key;
    unsigned char octets[64];
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    assert_ok(engine_put(turn, DBI_OPT, key_a_text(&key, home->account->a, SLICE("uidl_format")),
                         row_value_encode(slice_str(format), octets)));
    assert_ok(engine_turn_commit(turn));
}

static void copies_have_uidls_of_their_own_in_every_format(void **state)
{
    static const char *const formats[] = {"dovecot", "cyrus", "courier", "uw", "uid", "guid"};
    struct home *home = *state;
    for (size_t f = 0; f < sizeof formats / sizeof *formats; f++) {
        struct store_poprule rule = own_view();
        char seen[64][71];
        uint32_t n;
        put_format(home, formats[f]);
        fill(home, "INBOX", 2);
        uint32_t first = last_uid(home, "INBOX") - 1;
        home_copy(home, "INBOX", first, first + 1, "INBOX");
        home_copy(home, "INBOX", first, first, "Archive");
        home_move(home, "Archive", last_uid(home, "Archive"), last_uid(home, "Archive"), "INBOX");
        struct store_maildrop *drop = login(home, &rule);
        n = store_maildrop_count(drop);
        assert_in_range(n, 5, 64);
        for (uint32_t i = 0; i < n; i++) {
            struct store_popentry entry;
            assert_ok(store_maildrop_entry(drop, home->reader, i + 1, &entry));
            memcpy(seen[i], entry.uidl, sizeof entry.uidl);
            size_t len = strlen(entry.uidl);
            assert_in_range(len, 1, 70);
            for (size_t at = 0; at < len; at++)
                assert_in_range(entry.uidl[at], 0x21, 0x7e);
            for (uint32_t k = 0; k < i; k++)
                assert_string_not_equal(seen[k], seen[i]);
        }
        store_reader_idle(home->reader);
        store_maildrop_close(drop);
        home_expunge(home, "INBOX", 1, last_uid(home, "INBOX"));
    }
}

static void bare_uids_of_several_folders_do_not_clash(void **state)
{
    struct home *home = *state;
    struct store_poprule rule = own_view();
    struct store_popentry one, other;
    rule.folders = both;
    rule.nfolders = 2;
    put_format(home, "uid");
    fill(home, "INBOX", 2);
    fill(home, "Archive", 1);
    struct store_maildrop *drop = login(home, &rule);
    assert_ok(store_maildrop_entry(drop, home->reader, 1, &one));
    assert_ok(store_maildrop_entry(drop, home->reader, 3, &other));
    assert_string_equal(one.uidl, "1");
    assert_int_equal(strlen(other.uidl), 16);
    store_reader_idle(home->reader);
    quit(drop, NUMBERS(2), NULL, POP3_DELETE_KEEP);
    home_move(home, "INBOX", 2, 2, "Archive"); /* its UIDL cannot go along */
    assert_view(home, &rule, "1 1 | 2:good");
}

/* --- random accounts against a model -----------------------------------------------------------
 */

enum { MESSAGES = 200, ROUNDS = 400 };

/* By its size, which no two share. */
struct model_message {
    bool there, archived, seen, downloaded, hidden;
    uint32_t arrived;
};

struct model {
    struct model_message message[MESSAGES];
    uint32_t n;
    bool wide;              /* the own view has Archive too */
    bool known[MESSAGES];   /* what a client with Thunderbird's memory remembers */
    bool fetched[MESSAGES]; /* what it has downloaded, ever */
};

static bool in_view(const struct model *model, const struct model_message *m)
{
    return m->there && (model->wide || !m->archived);
}

static enum store_hidden expected(const struct store_poprule *rule, const struct model_message *m)
{
    uint32_t now = clock_wall();
    if (m->hidden)
        return HIDDEN_FOR_GOOD;
    if (rule->hide_downloaded && m->downloaded)
        return HIDDEN_DOWNLOADED;
    if (rule->hide_seen && m->seen && !m->downloaded &&
        m->arrived + rule->hide_seen_days * DAY <= now)
        return HIDDEN_SEEN;
    return m->arrived < rule->since ? HIDDEN_SINCE : HIDDEN_NOT;
}

static void random_rule(struct store_poprule *rule, const struct model *model)
{
    *rule = own_view();
    rule->folders = both;
    rule->nfolders = model->wide ? 2 : 1;
    rule->hide_seen = rand() % 2;
    rule->hide_seen_days = (uint32_t)rand() % 3;
    rule->hide_downloaded = rand() % 4 == 0;
    rule->since = rand() % 4 ? 0 : clock_wall() - (uint32_t)rand() % 5 * DAY;
}

static uint32_t uid_of(struct home *home, const char *path, uint32_t size)
{
    struct box box = home_box(home, path);
    for (uint32_t uid = 1; uid < box.row.uidnext; uid++) {
        struct engine_txn *txn;
        struct hot_slot s;
        assert_ok(reader_snap(home->reader, home->env, &txn));
        enum err e = slot_load(txn, home->account->a, box.m, uid, &s);
        store_reader_idle(home->reader);
        if (!e && s.size == size)
            return uid;
    }
    return 0;
}

static void by_imap(struct home *home, struct model *model)
{
    uint32_t i = model->n ? (uint32_t)rand() % model->n : 0, uid;
    struct model_message *m = &model->message[i];
    const char *where = m->archived ? "Archive" : "INBOX";
    if (model->n < MESSAGES && rand() % 3 == 0) {
        model->message[model->n] = (struct model_message){.there = true, .arrived = clock_wall()};
        home_append(home, "INBOX", 100 + model->n++, 0);
        return;
    }
    uid = m->there ? uid_of(home, where, 100 + i) : 0;
    if (!uid)
        return;
    switch (rand() % 4) {
    case 0:
        m->seen = !m->seen;
        home_flags(home, where, uid, uid, m->seen ? FLAGS_ADD : FLAGS_REMOVE, FLAG_SEEN);
        break;
    case 1:
        home_move(home, where, uid, uid, m->archived ? "INBOX" : "Archive");
        m->archived = !m->archived;
        if (!model->wide && !m->archived && m->downloaded)
            m->hidden = true;
        break;
    case 2:
        if (rand() % 4 == 0) {
            home_expunge(home, where, uid, uid);
            m->there = false;
        }
        break;
    default:
        clock_shift(rand() % 3 * DAY / 2);
    }
}

/* One session: what it lists is what the model expects, and nothing is downloaded twice. */
static void by_pop3(struct home *home, struct model *model, const struct store_poprule *rule)
{
    bool listed[MESSAGES] = {false};
    uint32_t retrieved[MESSAGES + 1] = {0}, nr = 0;
    struct store_maildrop *drop = login(home, rule);
    struct store_pophidden hidden;
    for (uint32_t i = 1; i <= store_maildrop_count(drop); i++) {
        struct store_popentry entry;
        assert_ok(store_maildrop_entry(drop, home->reader, i, &entry));
        uint32_t at = entry.size - 100;
        listed[at] = true;
        assert_true(in_view(model, &model->message[at]));
        assert_int_equal(expected(rule, &model->message[at]), HIDDEN_NOT);
        if (!model->known[at] && rand() % 2) {
            assert_false(model->fetched[at]);
            model->fetched[at] = true;
            retrieved[nr++] = i;
        }
        model->known[at] = model->known[at] || model->fetched[at];
    }
    for (uint32_t i = 0; store_maildrop_hidden(drop, i, &hidden); i++) {
        struct model_message *m = &model->message[hidden.size - 100];
        listed[hidden.size - 100] = true;
        assert_int_equal(hidden.why, expected(rule, m));
        m->hidden = m->hidden || m->downloaded;
        model->known[hidden.size - 100] = false;
    }
    for (uint32_t at = 0; at < model->n; at++) {
        assert_int_equal(listed[at], in_view(model, &model->message[at]));
        model->known[at] = model->known[at] && listed[at];
        if (model->fetched[at] && in_view(model, &model->message[at]) && !model->message[at].hidden)
            model->message[at].downloaded = model->message[at].seen = true;
    }
    store_reader_idle(home->reader);
    quit(drop, retrieved, NULL, POP3_DELETE_KEEP);
}

static void random_rules_agree_with_the_model(void **state)
{
    struct home *home = *state;
    static struct model model;
    struct store_poprule rule;
    unsigned seed = getenv("TANDEM_SEED") ? (unsigned)atoi(getenv("TANDEM_SEED")) : 11;
    int64_t began = clock_wall();
    srand(seed);
    model = (struct model){.n = 0};
    random_rule(&rule, &model);
    for (unsigned round = 0; round < ROUNDS; round++) {
        for (int i = rand() % 4; i > 0; i--)
            by_imap(home, &model);
        if (rand() % 5 == 0)
            random_rule(&rule, &model);
        by_pop3(home, &model, &rule);
        if (rand() % 40 == 0) { /* the own view grows or shrinks: what was out of it stays out */
            model.wide = !model.wide;
            random_rule(&rule, &model);
            for (uint32_t i = 0; model.wide && i < model.n; i++)
                if (model.message[i].there && model.message[i].archived &&
                    model.message[i].downloaded)
                    model.message[i].hidden = true;
            by_pop3(home, &model, &rule);
        }
    }
    home_check(home);
    clock_shift(began - (int64_t)clock_wall());
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(seen_elsewhere_is_hidden_and_comes_back_unread),
        CASE(seen_by_its_own_download_is_not_hidden),
        CASE(seen_is_hidden_after_some_days),
        CASE(downloaded_is_hidden_for_good),
        CASE(before_a_date_is_hidden),
        CASE(only_the_newest_and_the_mark_moves_forward),
        CASE(the_newest_of_several_folders),
        CASE(recent_shows_a_month_and_leaves_no_trace),
        CASE(what_leaves_the_view_does_not_return),
        CASE(moves_within_the_view_hide_nothing),
        CASE(a_folder_that_was_out_of_view_shows_what_is_new),
        CASE(hiding_by_dele_is_for_good_and_nothing_to_imap),
        CASE(deleting_moves_to_the_trash_with_all_that_pop3_knows),
        CASE(copies_have_uidls_of_their_own_in_every_format),
        CASE(bare_uids_of_several_folders_do_not_clash),
        CASE(random_rules_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
