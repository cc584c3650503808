/* POP3's view of an account: the frozen listing, its UIDLs, and the one batch at its end. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "store/hot.h"
#include "store/live.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

static struct store_maildrop *open_folders(struct home *home, const char *const *names, size_t n)
{
    struct slice folders[4];
    struct store_maildrop *drop;
    for (size_t i = 0; i < n; i++)
        folders[i] = slice_str(names[i]);
    const struct store_poprule rule = {.folders = folders, .nfolders = n, .retr_seen = true};
    enum err e = store_maildrop_open(home->reader, home->account, NULL, &rule, &drop);
    store_reader_idle(home->reader);
    return e ? NULL : drop;
}

static struct store_maildrop *open_inbox(struct home *home)
{
    const char *inbox = "INBOX";
    return open_folders(home, &inbox, 1);
}

static struct store_popentry entry(struct home *home, struct store_maildrop *drop, uint32_t n)
{
    struct store_popentry e;
    assert_ok(store_maildrop_entry(drop, home->reader, n, &e));
    store_reader_idle(home->reader);
    return e;
}

/* Numbers from 1; 0 ends the list. */
static void update(struct store_maildrop *drop, const uint32_t *retrieved, const uint32_t *deleted)
{
    unsigned char r[256] = {0}, d[256] = {0};
    for (; retrieved && *retrieved; retrieved++)
        r[(*retrieved - 1) / 8] |= (unsigned char)(1u << (*retrieved - 1) % 8);
    for (; deleted && *deleted; deleted++)
        d[(*deleted - 1) / 8] |= (unsigned char)(1u << (*deleted - 1) % 8);
    struct store_wait *wait = store_wait_new();
    store_maildrop_update(drop, r, deleted ? d : NULL, POP3_DELETE_EXPUNGE, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
}
#define NUMBERS(...) ((const uint32_t[]){__VA_ARGS__, 0})

static enum err slot(struct home *home, const char *path, uint32_t uid, struct hot_slot *ret)
{
    struct engine_txn *txn;
    uint32_t m = home_box(home, path).m;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    enum err e = slot_load(txn, home->account->a, m, uid, ret);
    store_reader_idle(home->reader);
    return e;
}

static enum err pop(struct home *home, const char *path, uint32_t uid, struct row_pop *ret)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    uint32_t m = home_box(home, path).m;
    assert_ok(reader_snap(home->reader, home->env, &txn));
    enum err e = engine_get(txn, DBI_POP, key_amu(&key, home->account->a, m, uid), &value);
    if (!e)
        e = row_pop_decode(value, ret);
    store_reader_idle(home->reader);
    return e;
}

static void put_uidl(struct home *home, const char *path, uint32_t uid, uint32_t order,
                     const char *text)
{
    struct engine_txn *turn;
    struct key key;
    struct acct acct;
    unsigned char octets[ROW_MAX];
    uint32_t a = home->account->a, m = home_box(home, path).m;
    struct row_uidl row = {.order = order, .text = slice_str(text)};
    assert_ok(engine_turn_begin(home->env->engine, &turn));
    assert_ok(engine_put(turn, DBI_UIDL, key_amu(&key, a, m, uid), row_uidl_encode(&row, octets)));
    assert_ok(acct_load(turn, a, &acct));
    acct.row.flags |= ACCT_HAS_UIDL;
    assert_ok(engine_put(turn, DBI_ACCT, key_a(&key, a), row_acct_encode(&acct.row, octets)));
    assert_ok(engine_turn_commit(turn));
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

static void the_listing_is_frozen_at_login(void **state)
{
    struct home *home = *state;
    uint32_t octets;
    for (unsigned i = 0; i < 5; i++)
        home_append(home, "INBOX", 100 + i, 0);
    struct store_maildrop *drop = open_inbox(home);
    home_append(home, "INBOX", 999, 0);
    home_expunge(home, "INBOX", 2, 2);
    assert_int_equal(store_maildrop_count(drop), 5);
    assert_int_equal(store_maildrop_octets(drop), 510);
    for (uint32_t n = 1; n <= 5; n++) {
        assert_ok(store_maildrop_size(drop, n, &octets));
        assert_int_equal(octets, 99 + n);
        assert_int_equal(entry(home, drop, n).uid, n);
    }
    assert_err(store_maildrop_size(drop, 0, &octets), ERR_NOTFOUND);
    assert_err(store_maildrop_size(drop, 6, &octets), ERR_NOTFOUND);
    store_maildrop_close(drop);
    drop = open_inbox(home);
    assert_int_equal(store_maildrop_count(drop), 5);
    assert_int_equal(entry(home, drop, 2).uid, 3);
    store_maildrop_close(drop);
}

static void what_went_meanwhile_can_still_be_read(void **state)
{
    struct home *home = *state;
    home_close(home);
    home->undelete_s = 0;
    home_open(home);
    for (unsigned i = 0; i < 3; i++)
        home_append(home, "INBOX", 20000, 0);
    struct store_maildrop *drop = open_inbox(home);
    home_expunge(home, "INBOX", 1, 1);
    home_move(home, "INBOX", 2, 2, "Archive");
    home_upkeep(home);
    for (uint32_t n = 1; n <= 3; n++) {
        struct store_body *body;
        uint32_t hdr_len;
        assert_ok(store_maildrop_body(drop, home->reader, n, &body, &hdr_len));
        assert_int_equal(store_body_size(body), 20000);
        assert_int_equal(hdr_len, 57);
        store_body_close(body);
        store_reader_idle(home->reader);
    }
    store_maildrop_close(drop);
    home_await_rows(home, DBI_MSG, 2);
    home_await_rows(home, DBI_GONE, 0);
}

static void no_folder_is_an_error_and_never_an_empty_drop(void **state)
{
    struct home *home = *state;
    const char *none[] = {"Nowhere"}, *some[] = {"Nowhere", "INBOX", "Archive", "INBOX"};
    home_append(home, "INBOX", 100, 0);
    home_append(home, "Archive", 200, 0);
    assert_null(open_folders(home, none, 1));
    struct store_maildrop *drop = open_folders(home, some, 4);
    assert_int_equal(store_maildrop_count(drop), 2); /* each folder once */
    assert_int_equal(entry(home, drop, 1).size, 100);
    assert_int_equal(entry(home, drop, 2).size, 200);
    assert_int_not_equal(entry(home, drop, 1).mailbox, entry(home, drop, 2).mailbox);
    store_maildrop_close(drop);
}

static void uidls_have_the_accounts_format(void **state)
{
    struct home *home = *state;
    char expected[6][80];
    static const char *const formats[] = {"dovecot", "cyrus", "courier", "uw", "uid", "guid"};
    home_append(home, "INBOX", 100, 0);
    for (unsigned i = 0; i < 10; i++)
        home_append(home, "INBOX", 100, 0);
    unsigned v = home_box(home, "INBOX").row.uidvalidity;
    snprintf(expected[0], 80, "0000000b%08x", v);
    snprintf(expected[1], 80, "%u.11", v);
    snprintf(expected[2], 80, "UID11-%u", v);
    snprintf(expected[3], 80, "%08x0000000b", v);
    snprintf(expected[4], 80, "11");
    for (unsigned i = 0; i < 6; i++) {
        put_format(home, formats[i]);
        struct store_maildrop *drop = open_inbox(home);
        struct store_popentry e = entry(home, drop, 11);
        if (i < 5)
            assert_string_equal(e.uidl, expected[i]);
        else
            assert_int_equal(strspn(e.uidl, "0123456789abcdef"), 32);
        assert_string_not_equal(e.uidl, entry(home, drop, 10).uidl);
        store_maildrop_close(drop);
    }
}

static void imported_uidls_and_their_order_come_first(void **state)
{
    struct home *home = *state;
    const char *folders[] = {"INBOX", "Archive"};
    for (unsigned i = 0; i < 4; i++)
        home_append(home, "INBOX", 100 + i, 0);
    for (unsigned i = 0; i < 3; i++)
        home_append(home, "Archive", 200 + i, 0);
    put_uidl(home, "INBOX", 3, 1, "first");
    put_uidl(home, "Archive", 2, 2, "second");
    put_uidl(home, "INBOX", 1, 3, "third");
    put_uidl(home, "INBOX", 2, 0, "no-order");
    put_uidl(home, "Archive", 3, 4, "not-there");
    home_expunge(home, "Archive", 3, 3);
    struct store_maildrop *drop = open_folders(home, folders, 2);
    static const uint32_t sizes[] = {102, 201, 100, 101, 103, 200};
    static const char *const uidls[] = {"first", "second", "third", "no-order", NULL, NULL};
    assert_int_equal(store_maildrop_count(drop), 6);
    assert_int_equal(store_maildrop_octets(drop), 807);
    for (uint32_t n = 1; n <= 6; n++) {
        struct store_popentry e = entry(home, drop, n);
        assert_int_equal(e.size, sizes[n - 1]);
        if (uidls[n - 1])
            assert_string_equal(e.uidl, uidls[n - 1]);
        else
            assert_int_equal(strlen(e.uidl), 16);
    }
    store_maildrop_close(drop);
}

static void quit_marks_what_was_read_and_expunges_what_was_deleted(void **state)
{
    struct home *home = *state;
    struct hot_slot s;
    struct row_pop p;
    for (unsigned i = 0; i < 4; i++)
        home_append(home, "INBOX", 100, FLAG_FLAGGED);
    struct store_maildrop *drop = open_inbox(home);
    uint64_t before = home_box(home, "INBOX").row.highestmodseq;
    uint32_t now = clock_wall();
    update(drop, NUMBERS(1, 2), NUMBERS(2, 3));
    store_maildrop_close(drop);
    struct box box = home_box(home, "INBOX");
    assert_int_equal(box.row.highestmodseq, before + 1); /* one batch, one modseq */
    assert_int_equal(box.row.exists, 2);
    assert_int_equal(box.row.unseen, 1);
    assert_ok(slot(home, "INBOX", 1, &s));
    assert_int_equal(s.sysflags, FLAG_SEEN | FLAG_FLAGGED | SYSFLAG_POP);
    assert_ok(slot(home, "INBOX", 4, &s));
    assert_int_equal(s.sysflags, FLAG_FLAGGED);
    assert_err(slot(home, "INBOX", 2, &s), ERR_NOTFOUND);
    assert_err(slot(home, "INBOX", 3, &s), ERR_NOTFOUND);
    assert_ok(pop(home, "INBOX", 1, &p));
    assert_true(p.bits == POP_DOWNLOADED && p.time >= now && p.time <= now + 5);
    assert_ok(pop(home, "INBOX", 2, &p)); /* undelete brings it back as downloaded */
    assert_err(pop(home, "INBOX", 3, &p), ERR_NOTFOUND);
    assert_int_equal(home_acct(home).row.gone_msgs, 2);
}

static void the_time_of_the_first_download_stays(void **state)
{
    struct home *home = *state;
    struct row_pop p;
    home_append(home, "INBOX", 100, 0);
    struct store_maildrop *drop = open_inbox(home);
    update(drop, NUMBERS(1), NULL);
    assert_ok(pop(home, "INBOX", 1, &p));
    uint32_t first = p.time;
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    clock_shift(1000);
    update(drop, NUMBERS(1), NULL);
    assert_ok(pop(home, "INBOX", 1, &p));
    assert_int_equal(p.time, first);
    assert_int_equal(home_box(home, "INBOX").row.highestmodseq, modseq); /* nothing has changed */
    store_maildrop_close(drop);
}

static void what_has_moved_is_followed_when_read_and_never_deleted(void **state)
{
    struct home *home = *state;
    struct hot_slot s;
    struct row_pop p;
    for (unsigned i = 0; i < 3; i++)
        home_append(home, "INBOX", 100, 0);
    struct store_maildrop *drop = open_inbox(home);
    home_move(home, "INBOX", 1, 2, "Archive");
    home_move(home, "Archive", 1, 1, "Junk"); /* twice */
    home_upkeep(home);
    update(drop, NUMBERS(1, 2), NUMBERS(1, 2, 3));
    store_maildrop_close(drop);
    assert_ok(slot(home, "Junk", 1, &s));
    const uint8_t known = FLAG_SEEN | SYSFLAG_POP | SYSFLAG_HIDDEN; /* by another UIDL */
    assert_int_equal(s.sysflags, known);
    assert_ok(pop(home, "Junk", 1, &p));
    assert_ok(slot(home, "Archive", 2, &s));
    assert_int_equal(s.sysflags, known);
    assert_int_equal(home_box(home, "INBOX").row.exists, 0);
    assert_int_equal(home_acct(home).row.gone_msgs, 1);
}

static void a_moved_message_keeps_the_uidl_that_a_client_has_seen(void **state)
{
    struct home *home = *state;
    const char *archive = "Archive";
    home_append(home, "Archive", 100, 0);
    home_append(home, "INBOX", 100, 0);
    struct store_maildrop *drop = open_inbox(home);
    struct store_popentry before = entry(home, drop, 1);
    update(drop, NUMBERS(1), NULL);
    store_maildrop_close(drop);
    home_move(home, "INBOX", 1, 1, "Archive");
    drop = open_folders(home, &archive, 1);
    assert_string_equal(entry(home, drop, 2).uidl, before.uidl);
    store_maildrop_close(drop);
}

static void a_mailbox_deleted_meanwhile_is_let_alone(void **state)
{
    struct home *home = *state;
    const char *name = "Old";
    struct store_body *body;
    uint32_t hdr_len;
    home_mailbox(home, "Old");
    home_append(home, "Old", 100, 0);
    struct store_maildrop *drop = open_folders(home, &name, 1);
    home_delete_mailbox(home, "Old");
    assert_ok(store_maildrop_body(drop, home->reader, 1, &body, &hdr_len));
    store_body_close(body);
    store_reader_idle(home->reader);
    update(drop, NUMBERS(1), NUMBERS(1));
    store_maildrop_close(drop);
    assert_int_equal(home_acct(home).row.gone_msgs, 1);
}

static void the_lock_is_taken_and_given_back(void **state)
{
    struct home *home = *state;
    struct store_live *live[2];
    struct store_maildrop *drop, *other;
    const struct store_live_conf conf = {.proto = PROTO_POP3, .peer_key = 1};
    struct slice inbox = SLICE("INBOX"), nowhere = SLICE("Nowhere");
    struct store_poprule rule = {.folders = &inbox, .nfolders = 1, .lock = true};
    struct store_poprule bad = {.folders = &nowhere, .nfolders = 1, .lock = true};
    for (unsigned i = 0; i < 2; i++)
        assert_ok(store_live_enter(home->account, &conf, &live[i]));
    assert_err(store_maildrop_open(home->reader, home->account, live[0], &bad, &drop),
               ERR_NOTFOUND); /* leaves no lock behind */
    assert_ok(store_maildrop_open(home->reader, home->account, live[0], &rule, &drop));
    assert_err(store_maildrop_open(home->reader, home->account, live[1], &rule, &other), ERR_BUSY);
    rule.lock = false;
    assert_ok(store_maildrop_open(home->reader, home->account, live[1], &rule, &other));
    store_maildrop_close(other);
    rule.lock = true;
    store_maildrop_close(drop);
    assert_ok(store_maildrop_open(home->reader, home->account, live[1], &rule, &other));
    store_maildrop_close(other);
    store_reader_idle(home->reader);
    store_live_leave(live[0]);
    store_live_leave(live[1]);
}

/* --- a large one -------------------------------------------------------------------------------
 */

enum { LARGE = OP_MESSAGES_MAX + 1000 };

/* LARGE messages that share one body. */
static void put_many(struct home *home)
{
    struct engine_txn *txn;
    struct turn turn = {.env = home->env, .now = clock_wall()};
    struct acct acct;
    struct hot_edit edit;
    struct key key;
    struct slice value;
    struct row_msg msg;
    struct hot_slot s;
    unsigned char octets[ROW_MAX];
    home_append(home, "INBOX", 100, 0);
    struct box box = home_box(home, "INBOX");
    assert_ok(slot(home, "INBOX", 1, &s));
    assert_ok(engine_turn_begin(home->env->engine, &txn));
    turn.txn = txn;
    assert_ok(box_load(txn, home->env, box.a, box.m, &box));
    assert_ok(acct_load(txn, box.a, &acct));
    assert_ok(engine_get(txn, DBI_MSG, key_amu(&key, box.a, box.m, 1), &value));
    assert_ok(row_msg_decode(value, &msg));
    hot_begin(&edit, &turn, &box);
    for (uint32_t uid = 2; uid <= LARGE; uid++) {
        assert_ok(hot_insert(&edit, uid, &s));
        assert_ok(engine_put(txn, DBI_MSG, key_amu(&key, box.a, box.m, uid),
                             row_msg_encode(&msg, octets)));
    }
    assert_ok(hot_end(&edit));
    assert_ok(turn_blob_ref(&turn, msg.blob, LARGE - 1));
    box.row.uidnext = LARGE + 1;
    acct.row.used_msgs += LARGE - 1;
    acct.row.used_bytes += (LARGE - 1) * 100;
    assert_ok(turn_box_save(&turn, &box));
    assert_ok(turn_acct_save(&turn, &acct));
    assert_ok(engine_turn_commit(txn));
}

static void more_than_200000_go_in_several_batches(void **state)
{
    struct home *home = *state;
    put_many(home);
    uint64_t start_ns = clock_mono_ns();
    struct store_maildrop *drop = open_inbox(home);
    print_message("# %d messages listed in %.1f ms\n", LARGE,
                  (double)(clock_mono_ns() - start_ns) / 1e6);
    assert_int_equal(store_maildrop_count(drop), LARGE);
    struct slice inbox = SLICE("INBOX");
    const struct store_poprule rule = {
        .folders = &inbox, .nfolders = 1, .hide_seen = true, .max_messages = LARGE / 2};
    struct store_maildrop *half;
    start_ns = clock_mono_ns();
    assert_ok(store_maildrop_open(home->reader, home->account, NULL, &rule, &half));
    print_message("# half of them, by rules, in %.1f ms\n",
                  (double)(clock_mono_ns() - start_ns) / 1e6);
    assert_int_equal(store_maildrop_count(half), LARGE / 2);
    store_reader_idle(home->reader);
    store_maildrop_close(half);
    uint64_t modseq = home_box(home, "INBOX").row.highestmodseq;
    unsigned char *all = malloc(LARGE / 8 + 1);
    memset(all, 0xff, LARGE / 8 + 1);
    struct store_wait *wait = store_wait_new();
    start_ns = clock_mono_ns();
    store_maildrop_update(drop, NULL, all, POP3_DELETE_EXPUNGE, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    print_message("# and deleted in %.0f ms\n", (double)(clock_mono_ns() - start_ns) / 1e6);
    free(all);
    store_maildrop_close(drop);
    struct box box = home_box(home, "INBOX");
    assert_int_equal(box.row.exists, 0);
    assert_int_equal(box.row.highestmodseq, modseq + 2);
    assert_int_equal(home_acct(home).row.gone_msgs, LARGE);
    clock_shift(15 * 86400);
    home_await_rows(home, DBI_GONE, 0);
    home_await_rows(home, DBI_REAP, 0);
    assert_int_equal(home_rows(home, DBI_MSG), 0);
    assert_int_equal(home_rows(home, DBI_BODY), 0);
}

/* --- random sessions against a model ---------------------------------------------------------- */

enum { MODEL_MAX = 400 };

/* A message by what never changes of it: its size, which no two share. */
struct model_message {
    uint32_t size;
    uint8_t where; /* 0 INBOX, 1 Archive, 2 gone */
    bool seen, popped;
};

struct model {
    struct model_message message[MODEL_MAX];
    uint32_t n;
};

static const char *const places[] = {"INBOX", "Archive"};

static void agrees(struct home *home, const struct model *model)
{
    struct engine_txn *txn;
    for (uint8_t where = 0; where < 2; where++) {
        struct box box = home_box(home, places[where]);
        uint32_t found = 0, expected = 0;
        assert_ok(reader_snap(home->reader, home->env, &txn));
        for (uint32_t i = 0; i < model->n; i++)
            expected += model->message[i].where == where;
        for (uint32_t uid = 1; uid < box.row.uidnext; uid++) {
            struct hot_slot s;
            struct key key;
            struct slice value;
            if (slot_load(txn, home->account->a, box.m, uid, &s) != ERR_OK)
                continue;
            const struct model_message *m = &model->message[s.size - 100];
            assert_int_equal(m->where, where);
            assert_int_equal(!!(s.sysflags & FLAG_SEEN), m->seen);
            assert_int_equal(!!(s.sysflags & SYSFLAG_POP), m->popped);
            assert_int_equal(
                engine_get(txn, DBI_POP, key_amu(&key, home->account->a, box.m, uid), &value),
                m->popped ? ERR_OK : ERR_NOTFOUND);
            found++;
        }
        store_reader_idle(home->reader);
        assert_int_equal(found, expected);
    }
}

/* The UID of the n-th message of a mailbox, and its size. 0: there is none. */
static uint32_t pick(struct home *home, const char *path, uint32_t nth, uint32_t *ret_size)
{
    struct box box = home_box(home, path);
    struct hot_slot s;
    if (box.row.exists == 0)
        return 0;
    nth %= box.row.exists;
    for (uint32_t uid = 1;; uid++)
        if (slot(home, path, uid, &s) == ERR_OK && nth-- == 0) {
            *ret_size = s.size;
            return uid;
        }
}

/* What other sessions do between PASS and QUIT. */
static void meanwhile(struct home *home, struct model *model)
{
    uint32_t size, from = (uint32_t)rand() % 2,
                   uid = pick(home, places[from], (uint32_t)rand(), &size);
    switch (rand() % 3) {
    case 0:
        if (model->n < MODEL_MAX) {
            model->message[model->n] = (struct model_message){.size = 100 + model->n};
            home_append(home, "INBOX", 100 + model->n++, 0);
        }
        break;
    case 1:
        if (uid) {
            home_expunge(home, places[from], uid, uid);
            model->message[size - 100].where = 2;
        }
        break;
    default:
        if (uid) {
            home_move(home, places[from], uid, uid, places[1 - from]);
            model->message[size - 100].where = (uint8_t)(1 - from);
        }
    }
}

static void random_sessions_agree_with_the_model(void **state)
{
    struct home *home = *state;
    static struct model model;
    model.n = 0;
    srand(7);
    home_close(home);
    home->undelete_s = 0;
    home_open(home);
    for (unsigned i = 0; i < 12; i++)
        meanwhile(home, &model);
    for (unsigned round = 0; round < 60; round++) {
        uint32_t retrieved[MODEL_MAX] = {0}, deleted[MODEL_MAX] = {0}, nr = 0, nd = 0;
        const char *folder[2] = {places[round % 2], places[1 - round % 2]};
        struct store_maildrop *drop = open_folders(home, folder, 1 + (size_t)(rand() % 2));
        uint32_t n = store_maildrop_count(drop), mailbox[MODEL_MAX], size[MODEL_MAX];
        for (uint32_t i = 1; i <= n; i++) {
            struct store_popentry e = entry(home, drop, i);
            size[i - 1] = e.size;
            mailbox[i - 1] = e.mailbox;
        }
        for (int i = rand() % 5; i > 0; i--)
            meanwhile(home, &model);
        uint32_t box[2] = {home_box(home, places[0]).m, home_box(home, places[1]).m};
        bool quit = rand() % 3 != 0;
        for (uint32_t i = 1; i <= n; i++) {
            struct model_message *m = &model.message[size[i - 1] - 100];
            bool deletes = rand() % 4 == 0;
            if (rand() % 3 == 0) {
                retrieved[nr++] = i;
                if (m->where < 2)
                    m->seen = m->popped = true;
            }
            if (deletes && quit) {
                deleted[nd++] = i;
                /* Moved away and back again it has another UID, and is let alone. */
                struct hot_slot s;
                if (m->where < 2 && box[m->where] == mailbox[i - 1] &&
                    slot(home, places[m->where], entry(home, drop, i).uid, &s) == ERR_OK)
                    m->where = 2;
            }
        }
        update(drop, retrieved, quit ? deleted : NULL);
        store_maildrop_close(drop);
        agrees(home, &model);
        home_check(home);
    }
    home_await_rows(home, DBI_GONE, 0);
    home_await_rows(home, DBI_REAP, 0);
    agrees(home, &model);
}

int main(void)
{
#define CASE(name) cmocka_unit_test_setup_teardown(name, home_setup, home_teardown)
    const struct CMUnitTest tests[] = {
        CASE(the_listing_is_frozen_at_login),
        CASE(what_went_meanwhile_can_still_be_read),
        CASE(no_folder_is_an_error_and_never_an_empty_drop),
        CASE(uidls_have_the_accounts_format),
        CASE(imported_uidls_and_their_order_come_first),
        CASE(quit_marks_what_was_read_and_expunges_what_was_deleted),
        CASE(the_time_of_the_first_download_stays),
        CASE(what_has_moved_is_followed_when_read_and_never_deleted),
        CASE(a_moved_message_keeps_the_uidl_that_a_client_has_seen),
        CASE(a_mailbox_deleted_meanwhile_is_let_alone),
        CASE(the_lock_is_taken_and_given_back),
        CASE(more_than_200000_go_in_several_batches),
        CASE(random_sessions_agree_with_the_model),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
