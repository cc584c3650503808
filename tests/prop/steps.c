#include "tests/prop/steps.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "store/admin.h"

enum { BODY = 3000 };

/* The store opened, if a step finds it closed. */
static enum err opened(struct life *life)
{
    return life->store ? ERR_OK : life_open(life);
}

static enum err with(struct life *life, const char *name, uint32_t undelete_s,
                     enum err (*run)(struct life *, struct store_account *))
{
    enum err e = opened(life);
    if (e)
        return e;
    struct store_account *account = life_account(life, name, undelete_s);
    e = run(life, account);
    store_account_close(account);
    return e;
}

/* A step on one account: its function's body has `life` and `account`. alice has no undelete
 * window. */
#define STEP_OF(name, who, window)                                                                 \
    static enum err name##_run(struct life *life, struct store_account *account);                  \
    enum err step_##name(struct life *life)                                                        \
    {                                                                                              \
        return with(life, who, window, name##_run);                                                \
    }                                                                                              \
    static enum err name##_run(struct life *life, struct store_account *account)
#define ALICE(name) STEP_OF(name, "alice", 0)
#define BOB(name) STEP_OF(name, "bob", WINDOW_S)

/* --- coming and going --------------------------------------------------------------------------
 */

enum err step_start(struct life *life)
{
    return opened(life);
}

enum err step_stop(struct life *life)
{
    life_close(life);
    return ERR_OK;
}

enum err step_restart(struct life *life)
{
    life_close(life);
    return life_open(life);
}

enum err step_settle(struct life *life)
{
    enum err e = opened(life);
    return e ? e : life_settle(life) ? ERR_OK : ERR_BUG;
}

/* --- arrival -----------------------------------------------------------------------------------
 */

ALICE(append)
{
    (void)life;
    return life_append(account, "INBOX", 1, BODY);
}

static enum err append_n(struct store_account *account, const char *path, unsigned number,
                         unsigned n)
{
    struct store_incoming *in[4];
    enum err e = ERR_OK;
    static const struct slice words[] = {
        {"$Forwarded", 10},
        {"urgent",     6 }
    };
    for (unsigned i = 0; i < n; i++) {
        in[i] = life_message(account, number + i, BODY + i, &e);
        if (!in[i])
            return e; /* small ones are never refused here */
        store_incoming_set(in[i], i ? FLAG_SEEN : 0, words, i % 3, 1790000000, 4);
    }
    struct store_wait *w = store_wait_new();
    struct store_dest dest = {.account = account, .path = slice_str(path)};
    store_append(in, n, &dest, 1, store_wait_to(w));
    return store_wait(w, NULL);
}

ALICE(multiappend)
{
    (void)life;
    return append_n(account, "INBOX", 10, 4);
}

BOB(append_window)
{
    (void)life;
    return append_n(account, "INBOX", 20, 4);
}

BOB(append_staged)
{
    (void)life;
    return life_append(account, "INBOX", 30, BIG);
}

BOB(stage_abandoned)
{
    enum err e;
    struct store_incoming *in = life_message(account, 31, BIG, &e);
    store_incoming_free(in);
    return e ? e : step_settle(life);
}

/* One message to `n` destinations that `name` and `path` give. */
static enum err deliver(struct life *life, size_t n, const char *(*name)(size_t i),
                        const char *path, unsigned number)
{
    enum err e = opened(life);
    if (e)
        return e;
    static size_t done; /* recipients who have it from an earlier try */
    n -= done;
    struct store_dest *dest = mem_new_array(n, sizeof *dest);
    struct store_result result;
    for (size_t i = 0; i < n; i++) {
        dest[i].rcpt = slice_str(name(done + i));
        dest[i].account = i && slice_eq(dest[i].rcpt, dest[i - 1].rcpt)
                              ? dest[i - 1].account
                              : life_account(life, dest[i].rcpt.ptr, 0);
        dest[i].path = slice_str(path);
    }
    struct store_incoming *in = life_message(dest[0].account, number, BODY, &e);
    if (in) {
        struct store_wait *w = store_wait_new();
        store_append(&in, 1, dest, n, store_wait_to(w));
        e = store_wait(w, &result);
        for (size_t i = 0; !e && i < n; i++)
            if (!(e = result.arrivals[i].err))
                done++;
        store_result_finish(&result);
    }
    for (size_t i = 0; i < n; i++)
        if (i + 1 == n || dest[i + 1].account != dest[i].account)
            store_account_close(dest[i].account);
    mem_free(dest);
    if (!e)
        done = 0;
    return e;
}

static const char *one_of_three(size_t i)
{
    static const char *const names[] = {"alice", "bob", "carol"};
    return names[i];
}

enum err step_deliver_3(struct life *life)
{
    return deliver(life, 3, one_of_three, "INBOX", 40);
}

/* 256 recipients a turn: each account's share is in one. */
static const char *one_of_300(size_t i)
{
    return i < 256 ? "carol" : "dave";
}

enum err step_deliver_300(struct life *life)
{
    return deliver(life, 300, one_of_300, "Junk", 41);
}

/* Several accounts at once, so that a turn holds ops of many. */
enum err step_crowd(struct life *life)
{
    static const char *const names[] = {"alice", "bob", "carol", "dave"};
    static bool done[4]; /* in an earlier try */
    struct store_account *account[4];
    struct store_wait *wait[4];
    enum err e = opened(life), first = ERR_OK;
    if (e)
        return e;
    for (unsigned i = 0; i < 4; i++) {
        if (done[i])
            continue;
        account[i] = life_account(life, names[i], 0);
        wait[i] = store_wait_new();
        if (i == 3) {
            store_mailbox_create(account[i], SLICE("Crowd"), USE_NONE, store_wait_to(wait[i]));
            continue;
        }
        struct store_incoming *in = life_message(account[i], 50 + i, BODY, &e);
        struct store_dest dest = {.account = account[i], .path = SLICE("INBOX")};
        store_append(&in, 1, &dest, 1, store_wait_to(wait[i]));
    }
    for (unsigned i = 0; i < 4; i++) {
        if (done[i])
            continue;
        e = store_wait(wait[i], NULL);
        done[i] = !e;
        if (e && !first)
            first = e;
        store_account_close(account[i]);
    }
    if (!first)
        memset(done, 0, sizeof done);
    return first;
}

/* --- flags, copies, removal --------------------------------------------------------------------
 */

ALICE(flags_add)
{
    return life_flags(life, account, "INBOX", 1, 3, FLAGS_ADD, FLAG_SEEN | FLAG_FLAGGED, NULL);
}

ALICE(flags_keyword)
{
    return life_flags(life, account, "INBOX", 2, 4, FLAGS_ADD, 0, "todo");
}

ALICE(flags_remove)
{
    return life_flags(life, account, "INBOX", 1, 2, FLAGS_REMOVE, FLAG_SEEN, "todo");
}

ALICE(flags_replace)
{
    return life_flags(life, account, "INBOX", 3, 3, FLAGS_REPLACE, FLAG_ANSWERED, "urgent");
}

ALICE(copy)
{
    return life_copy(life, account, "INBOX", 1, 4, "Work", false);
}

ALICE(move)
{
    return life_copy(life, account, "INBOX", 2, 2, "Work/2026", true);
}

ALICE(pop3_update)
{
    return life_pop3(life, account, POP3_DELETE_EXPUNGE, 1 | 2 | 4, 4);
}

ALICE(pop3_trash)
{
    return life_pop3(life, account, POP3_DELETE_TRASH, 1, 1 | 2);
}

ALICE(pop3_hide)
{
    return life_pop3(life, account, POP3_DELETE_HIDE, 2, 1);
}

ALICE(move_popped)
{
    return life_copy(life, account, "INBOX", 1, 3, "Archive", true);
}

ALICE(flag_deleted)
{
    return life_flags(life, account, "Work", 1, 3, FLAGS_ADD, FLAG_DELETED, NULL);
}

ALICE(expunge)
{
    return life_expunge(life, account, "Work", 1, 3);
}

BOB(flag_deleted_window)
{
    return life_flags(life, account, "INBOX", 1, 2, FLAGS_ADD, FLAG_DELETED, NULL);
}

BOB(expunge_window)
{
    return life_expunge(life, account, "INBOX", 1, 2);
}

BOB(pop3_window)
{
    return life_pop3(life, account, POP3_DELETE_EXPUNGE, 1 | 2, 2);
}

/* --- keywords ----------------------------------------------------------------------------------
 */

STEP_OF(keywords_64, "carol", 0)
{
    static char text[KEYWORDS_MAX][8];
    struct slice words[KEYWORDS_MAX];
    struct store_view *view;
    struct uidset uids = {0};
    for (unsigned i = 0; i < KEYWORDS_MAX; i++)
        words[i] = slice(text[i], (size_t)snprintf(text[i], sizeof text[i], "word%u", i));
    enum err e = store_view_open(life->reader, account, SLICE("INBOX"), 0, &view);
    store_reader_idle(life->reader);
    if (e)
        return e;
    struct store_flagop op = {.mode = FLAGS_ADD, .keywords = words, .nkeywords = KEYWORDS_MAX};
    struct store_wait *w = store_wait_new();
    uidset_add(&uids, 1, 1);
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(w));
    e = store_wait(w, NULL);
    uidset_finish(&uids);
    store_view_close(view);
    return e;
}

STEP_OF(keywords_none, "carol", 0)
{
    return life_flags(life, account, "INBOX", 1, 1, FLAGS_REPLACE, 0, NULL);
}

/* The table is full: refused, and upkeep looks for what can be given up. */
STEP_OF(keywords_retire, "carol", 0)
{
    enum err e = life_flags(life, account, "INBOX", 1, 1, FLAGS_ADD, 0, "another");
    return e == ERR_LIMIT ? step_settle(life) : e ? e : ERR_BUG;
}

STEP_OF(keyword_65, "carol", 0)
{
    return life_flags(life, account, "INBOX", 1, 1, FLAGS_ADD, 0, "another");
}

/* --- mail from another server ------------------------------------------------------------------
 */

enum { IMPORT_V = 1234567890 };

static enum err import_mailbox(struct store_account *account, uint32_t uidnext)
{
    struct store_wait *w = store_wait_new();
    store_import_mailbox(account, SLICE("Moved/Here"), IMPORT_V, uidnext, store_wait_to(w));
    return store_wait(w, NULL);
}

ALICE(import_mailbox)
{
    (void)life;
    return import_mailbox(account, 0);
}

/* UIDs with gaps, a UIDL and a place of its own. (One that arrives in pieces would be refused
 * alone.) */
ALICE(import)
{
    (void)life;
    struct store_import messages[4];
    enum err e = ERR_OK;
    for (unsigned i = 0; i < 4; i++) {
        messages[i] = (struct store_import){.uid = 100 * i + 7, .recent = i == 3};
        messages[i].emailid[0] = (unsigned char)(i + 1);
        messages[i].in = life_message(account, 600 + i, BODY, &e);
        if (!messages[i].in)
            return e; /* small ones are never refused here */
        store_incoming_set(messages[i].in, i % 2 ? FLAG_SEEN : 0, NULL, 0, 1600000000, 4);
    }
    messages[0].uidl = SLICE("UID7-77");
    messages[1].order = 1;
    struct store_wait *w = store_wait_new();
    store_import(account, SLICE("Moved/Here"), IMPORT_V, messages, 4, store_wait_to(w));
    return store_wait(w, NULL);
}

ALICE(import_end)
{
    (void)life;
    return import_mailbox(account, 5000);
}

/* --- mailboxes ---------------------------------------------------------------------------------
 */

ALICE(create)
{
    (void)life;
    return life_create(account, "Work");
}

ALICE(create_child)
{
    (void)life;
    return life_create(account, "Work/2026");
}

static enum err subscribe(struct store_account *account, bool on)
{
    struct store_wait *w = store_wait_new();
    store_mailbox_subscribe(account, SLICE("Work/2026"), on, store_wait_to(w));
    return store_wait(w, NULL);
}

ALICE(subscribe_on)
{
    (void)life;
    return subscribe(account, true);
}

ALICE(subscribe_off)
{
    (void)life;
    return subscribe(account, false);
}

ALICE(rename_tree)
{
    (void)life;
    return life_rename(account, "Work", "Done/Work");
}

ALICE(rename_inbox)
{
    (void)life;
    return life_rename(account, "INBOX", "Inbox-2026");
}

ALICE(delete_child)
{
    (void)life;
    return life_delete(account, "Done/Work/2026");
}

ALICE(delete_full)
{
    (void)life;
    return life_delete(account, "Inbox-2026");
}

ALICE(move_to_work)
{
    return life_copy(life, account, "INBOX", 1, 5, "Work", true);
}

ALICE(delete_work)
{
    (void)life;
    return life_delete(account, "Work");
}

BOB(create_old)
{
    (void)life;
    return life_create(account, "Old");
}

BOB(fill_old)
{
    (void)life;
    return append_n(account, "Old", 60, 3);
}

BOB(delete_old)
{
    (void)life;
    return life_delete(account, "Old");
}

/* Whatever is in the window: messages that IMAP and POP3 took, a mailbox. */
BOB(undelete)
{
    enum { MOST = 32 };
    struct store_lost lost[MOST];
    struct store_window *window = NULL;
    size_t n = 0;
    enum err e = store_window_open(life->reader, account, &(struct store_pick){0}, &window);
    while (!e && n < MOST && !(e = store_window_next(window, &lost[n])))
        n++;
    store_window_close(window);
    store_reader_idle(life->reader);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_BUG;
    struct store_wait *w = store_wait_new();
    store_undelete(account, lost, n, SLICE_NONE, store_wait_to(w));
    return store_wait(w, NULL);
}

BOB(fill_archive)
{
    (void)life;
    return append_n(account, "Archive", 70, 4);
}

/* Archive:1d is bob's setting by then; the timer may do it first. */
BOB(expire)
{
    struct store_wait *w = store_wait_new();
    store_expire(life->store, 0, account->a, store_wait_to(w));
    return store_wait(w, NULL);
}

/* --- catalog -----------------------------------------------------------------------------------
 */

static enum err create_user(struct life *life, const char *name)
{
    enum err e = opened(life);
    if (!e)
        e = life_user(life, name);
    return e;
}

enum err step_create_erin(struct life *life)
{
    return create_user(life, "erin");
}

enum err step_create_alice(struct life *life)
{
    return create_user(life, "alice");
}

enum err step_append_erin(struct life *life)
{
    struct store_account *account = life_account(life, "erin", WINDOW_S);
    enum err e = life_append(account, "INBOX", 70, BODY);
    store_account_close(account);
    return e;
}

static enum err delete_user(struct life *life, struct slice login)
{
    enum err e = opened(life);
    if (e)
        return e;
    struct store_wait *w = store_wait_new();
    store_user_delete(life->store, login, store_wait_to(w));
    return store_wait(w, NULL);
}

enum err step_delete_dave(struct life *life)
{
    return delete_user(life, SLICE("dave@test"));
}

enum err step_set_bob(struct life *life)
{
    enum err e = opened(life);
    if (e)
        return e;
    struct store_cred creds[] = {
        {.id = 2, .name = SLICE("phone"), .verifier = SLICE("{PLAIN}one")  },
        {.id = 3, .name = SLICE("desk"),  .verifier = SLICE("{PLAIN}three")}
    };
    struct store_opt opts[] = {
        {SLICE("pop3.hide_seen"),    SLICE("no"),         false},
        {SLICE("imap.idle"),         SLICE("5m"),         false},
        {SLICE("store.autoexpunge"), SLICE("Archive:1d"), false}
    };
    struct arena arena;
    struct store_user user;
    arena_init(&arena, 1 << 16);
    e = store_user_find(life->reader, SLICE("bob@test"), &arena, &user);
    store_reader_idle(life->reader);
    user.flags = USER_NO_LMTP;
    user.creds = creds;
    user.ncreds = 2;
    user.opts = opts;
    user.nopts = sizeof opts / sizeof *opts;
    if (!e) {
        struct store_wait *w = store_wait_new();
        store_user_set(life->store, &user, store_wait_to(w));
        e = store_wait(w, NULL);
    }
    arena_reset(&arena);
    return e;
}

static enum err set_alias(struct life *life, size_t n)
{
    enum err e = opened(life);
    if (e)
        return e;
    const uint32_t targets[] = {1, 2, 3};
    struct store_wait *w = store_wait_new();
    store_alias_set(life->store, SLICE("all@test"), targets, n, store_wait_to(w));
    return store_wait(w, NULL);
}

enum err step_alias_on(struct life *life)
{
    return set_alias(life, 3);
}

enum err step_alias_off(struct life *life)
{
    return set_alias(life, 0);
}

enum err step_domain(struct life *life)
{
    enum err e = opened(life);
    return e ? e : life_domain(life);
}

/* --- out and in as a stream --------------------------------------------------------------------
 */

static enum err drop(void *arg, struct slice octets)
{
    (void)arg;
    (void)octets;
    return ERR_OK;
}

enum err step_backup(struct life *life)
{
    const struct store_backup conf = {.sink = {.put = drop}};
    struct fault why;
    enum err e = opened(life);
    return e ? e : store_backup(life->store, &conf, &why);
}

static enum err keep(void *arg, struct slice octets)
{
    return buf_append(arg, octets);
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

/* frank gets what bob has. */
enum err step_account_in(struct life *life)
{
    struct buf stream;
    struct arena arena;
    struct store_user bob;
    struct fault why;
    struct store_account_taken taken;
    buf_init(&stream, 64 << 20);
    arena_init(&arena, 1 << 20);
    const struct store_account_out out = {
        .sink = {.put = keep, .arg = &stream}
    };
    enum err e = opened(life);
    if (!e)
        e = store_user_find(life->reader, SLICE("bob@test"), &arena, &bob);
    if (!e)
        e = store_account_out(life->reader, &bob, &out, &why);
    struct slice octets = buf_slice(&stream);
    const struct store_account_in in = {
        .source = {.get = give, .arg = &octets},
          .login = SLICE("frank@test"), .ret = &taken
    };
    if (!e)
        e = store_account_in(life->store, &in, &why);
    arena_wipe(&arena);
    buf_finish(&stream);
    return e;
}
