#include "tests/prop/ledger.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#include "store/view.h"

struct writing {
    struct life *life;
    struct page *page;
    struct store_account *account;
    bool ids;
};

#define SAY(...)                                                                                   \
    do {                                                                                           \
        if (buf_printf(__VA_ARGS__))                                                               \
            abort();                                                                               \
    } while (0)

static void must(enum err e, const char *what)
{
    if (!e)
        return;
    fprintf(stderr, "ledger: %s: %s\n", what, err_word(e));
    abort();
}

static struct page *page_new(struct ledger *ledger, struct slice name)
{
    struct page *page = &ledger->page[ledger->n++];
    if (ledger->n > PAGES_MAX)
        abort();
    snprintf(page->name, sizeof page->name, SLICE_FMT, SLICE_ARG(name));
    buf_init(&page->text, SIZE_MAX);
    return page;
}

/* --- messages ----------------------------------------------------------------------------------
 */

static uint64_t body_hash(struct writing *w, struct store_view *view, uint32_t uid)
{
    struct store_body *body;
    enum err e = store_body_open(view, uid, &body);
    must(e, "body");
    XXH3_state_t *state = XXH3_createState();
    XXH3_64bits_reset(state);
    for (uint64_t at = 0; at < store_body_size(body);) {
        struct iovec iov[8];
        int n;
        e = store_body_map(body, w->life->reader, at, iov, 8, &n);
        if (e == ERR_AGAIN)
            continue; /* asked for */
        must(e, "body map");
        for (int i = 0; i < n; i++) {
            XXH3_64bits_update(state, iov[i].iov_base, iov[i].iov_len);
            at += iov[i].iov_len;
        }
    }
    uint64_t hash = XXH3_64bits_digest(state);
    XXH3_freeState(state);
    store_body_close(body);
    return hash;
}

static void say_message(struct writing *w, struct store_view *view,
                        const struct store_message *message)
{
    struct buf *to = &w->page->text;
    SAY(to, "message %u size %u flags %02x modseq %" PRIu64 " body %016" PRIx64, message->uid,
        message->size, message->sysflags, message->modseq, body_hash(w, view, message->uid));
    for (unsigned i = 0; i < 64; i++)
        if (message->keywords >> i & 1)
            SAY(to, " " SLICE_FMT, SLICE_ARG(store_view_keyword(view, i)));
    if (w->ids) {
        uint64_t id[2];
        memcpy(id, message->emailid, sizeof id);
        SAY(to, " id %016" PRIx64 "%016" PRIx64 " thread %" PRIx64 " date %u saved %u", id[0],
            id[1], message->thread, message->internaldate, message->savedate);
    }
    SAY(to, "\n");
}

static void say_messages(struct writing *w, struct slice path)
{
    struct store_view *view;
    struct uidset all = {0};
    struct store_cursor cursor;
    struct store_message message;
    enum err e;
    while ((e = store_view_open(w->life->reader, w->account, path, VIEW_READ_ONLY, &view)) ==
           ERR_AGAIN)
        store_reader_idle(w->life->reader);
    must(e, "view");
    uidset_add(&all, 1, UINT32_MAX);
    store_cursor_init(&cursor, view, &all, WANT_MSG, 0);
    while ((e = store_cursor_next(&cursor, &message)) != ERR_NOTFOUND) {
        if (e != ERR_AGAIN) {
            must(e, "cursor");
            say_message(w, view, &message);
        }
    }
    store_view_close(view);
    uidset_finish(&all);
}

static bool say_mailbox(void *arg, const struct store_mailbox *mailbox)
{
    struct writing *w = arg;
    struct buf *to = &w->page->text;
    const struct store_status *s = &mailbox->status;
    SAY(to, "mailbox " SLICE_FMT " flags %02x use %d", SLICE_ARG(mailbox->path), mailbox->flags,
        mailbox->use);
    if (mailbox->has_status)
        SAY(to,
            " number %u uidnext %u messages %u unseen %u deleted %u octets %" PRIu64
            " modseq %" PRIu64,
            s->mailbox, s->uidnext, s->messages, s->unseen, s->deleted, s->octets,
            s->highestmodseq);
    if (mailbox->has_status && w->ids)
        SAY(to, " uidvalidity %u id %" PRIx64, s->uidvalidity, s->mailboxid);
    SAY(to, "\n");
    if (mailbox->has_status)
        say_messages(w, mailbox->path);
    return true;
}

/* --- the rest of an account --------------------------------------------------------------------
 */

static void say_maildrop(struct writing *w)
{
    struct slice inbox = SLICE("INBOX");
    struct store_poprule rule = {.folders = &inbox, .nfolders = 1};
    struct store_maildrop *drop;
    enum err e;
    while ((e = store_maildrop_open(w->life->reader, w->account, NULL, &rule, &drop)) == ERR_AGAIN)
        store_reader_idle(w->life->reader);
    must(e, "maildrop");
    for (uint32_t n = 1; n <= store_maildrop_count(drop); n++) {
        struct store_popentry entry;
        must(store_maildrop_entry(drop, w->life->reader, n, &entry), "maildrop entry");
        SAY(&w->page->text, "drop %u uid %u size %u", n, entry.uid, entry.size);
        if (w->ids)
            SAY(&w->page->text, " uidl %s", entry.uidl);
        SAY(&w->page->text, "\n");
    }
    store_maildrop_close(drop);
}

/* Rows that no call of store.h shows: what can be brought back, what POP3 knows, the journal. */
static void say_rows(struct writing *w)
{
    struct engine_txn *snap;
    struct key k, from;
    uint32_t a = store_account_id(w->account), m, u, time;
    uint64_t seq = 0;
    must(reader_snap(w->life->reader, w->life->env, &snap), "snapshot");
    struct engine_cursor cursor;
    static const struct {
        unsigned dbi;
        const char *name;
    } tables[] = {
        {DBI_POP,  "pop" },
        {DBI_UIDL, "uidl"},
        {DBI_GONE, "gone"}
    };
    for (size_t i = 0; i < 3; i++) {
        must(engine_cursor_open(snap, tables[i].dbi, key_a(&k, a), &cursor), "cursor");
        enum err e = engine_seek(&cursor, key_a(&from, a));
        for (; !e; e = engine_next(&cursor)) {
            bool gone = tables[i].dbi == DBI_GONE;
            if (!key_get32(cursor.key, gone ? 8 : 4, &m) ||
                !key_get32(cursor.key, gone ? 12 : 8, &u) || !key_get32(cursor.key, 4, &time))
                abort();
            struct hot_slot slot; /* of an expunged message they go when it is dropped */
            struct box box;       /* of a deleted mailbox when it is swept */
            bool lives = box_load(snap, w->life->env, a, m, &box) == ERR_OK &&
                         box.row.state == MBOX_LIVE && slot_load(snap, a, m, u, &slot) == ERR_OK;
            if (gone ? time != GONE_TRANSIENT : lives)
                SAY(&w->page->text, "%s%s %u/%u\n", gone ? "~" : "", tables[i].name, m, u);
        }
        engine_cursor_close(&cursor);
    }
    must(engine_cursor_open(snap, DBI_LOG, key_a(&from, a), &cursor), "cursor");
    enum err e = engine_seek_before(&cursor, key_log_conn(&k, a, 0));
    if (!e && !key_get64(cursor.key, 4, &seq))
        abort();
    engine_cursor_close(&cursor);
    if (w->ids) /* a stop that finds no room loses the lines that waited (store/journal.h) */
        SAY(&w->page->text, "journal up to %" PRIu64 "\n", seq);
}

/* --- the catalog -------------------------------------------------------------------------------
 */

struct logins {
    char login[PAGES_MAX][64];
    size_t n;
};

static bool see_login(void *arg, struct slice login, uint32_t acct)
{
    struct logins *logins = arg;
    (void)acct;
    if (logins->n == PAGES_MAX)
        abort();
    snprintf(logins->login[logins->n++], 64, SLICE_FMT, SLICE_ARG(login));
    return true;
}

static void say_user(struct writing *w, struct store_user *user)
{
    struct buf *to = &w->page->text;
    SAY(to, "login " SLICE_FMT " flags %u disabled %d", SLICE_ARG(user->login), user->flags,
        user->disabled);
    for (size_t i = 0; i < user->ncreds; i++)
        SAY(to, " " SLICE_FMT ":" SLICE_FMT, SLICE_ARG(user->creds[i].name),
            SLICE_ARG(user->creds[i].verifier));
    for (size_t i = 0; i < user->nopts; i++)
        SAY(to, " " SLICE_FMT "=" SLICE_FMT, SLICE_ARG(user->opts[i].name),
            SLICE_ARG(user->opts[i].value));
    SAY(to, "\n");
}

static void say_catalog_rows(struct writing *w)
{
    struct engine_txn *snap;
    struct engine_cursor cursor;
    static const unsigned tables[] = {DBI_CALIAS, DBI_CDOM};
    must(reader_snap(w->life->reader, w->life->store->catalog, &snap), "catalog snapshot");
    for (size_t i = 0; i < 2; i++) {
        must(engine_cursor_open(snap, tables[i], SLICE_NONE, &cursor), "cursor");
        enum err e = engine_seek(&cursor, SLICE("\0"));
        for (; !e; e = engine_next(&cursor))
            SAY(&w->page->text, "row " SLICE_FMT " of %zu octets\n", SLICE_ARG(cursor.key),
                cursor.value.len);
        engine_cursor_close(&cursor);
    }
}

void ledger_write(struct ledger *ledger, struct life *life, bool ids)
{
    struct logins logins = {0};
    struct writing w = {.life = life, .ids = ids};
    *ledger = (struct ledger){0};
    must(store_user_each(life->reader, SLICE_NONE, see_login, &logins), "logins");
    struct page *catalog = page_new(ledger, SLICE("catalog"));
    for (size_t i = 0; i < logins.n; i++) {
        struct arena arena;
        struct store_user user;
        struct store_limits limits = {0};
        arena_init(&arena, 1 << 20);
        must(store_user_find(life->reader, slice_str(logins.login[i]), &arena, &user), "user");
        w.page = catalog;
        say_user(&w, &user);
        must(store_account_open(life->reader, &user, &limits, &w.account), logins.login[i]);
        w.page = page_new(ledger, user.login);
        must(store_mailbox_list(life->reader, w.account, true, say_mailbox, &w), "list");
        say_maildrop(&w);
        say_rows(&w);
        store_account_close(w.account);
        arena_reset(&arena);
        store_reader_idle(life->reader);
    }
    w.page = catalog;
    say_catalog_rows(&w);
    store_reader_idle(life->reader);
}

void ledger_finish(struct ledger *ledger)
{
    for (size_t i = 0; i < ledger->n; i++)
        buf_finish(&ledger->page[i].text);
    ledger->n = 0;
}

/* --- comparing ---------------------------------------------------------------------------------
 */

static struct slice page_text(const struct ledger *ledger, const char *name)
{
    for (size_t i = 0; i < ledger->n; i++)
        if (strcmp(ledger->page[i].name, name) == 0)
            return buf_slice(&ledger->page[i].text);
    return SLICE_NONE;
}

static struct slice next_line(struct slice *text)
{
    size_t end = slice_find(*text, '\n');
    struct slice line = slice_first(*text, end < text->len ? end + 1 : end);
    *text = slice_from(*text, line.len);
    return line;
}

static bool passes(struct slice line)
{
    return line.len && line.ptr[0] == '~';
}

/* Equal, but for lines with a `~`: `now` may lack them, or have more of them if they may linger. */
static bool same(struct slice now, struct slice then, bool linger)
{
    while (now.len || then.len) {
        struct slice now_rest = now, line = next_line(&now_rest);
        struct slice then_rest = then, expected = next_line(&then_rest);
        bool equal = slice_eq(line, expected);
        if (!equal && !passes(expected) && !(linger && passes(line)))
            return false;
        if (equal || !passes(expected))
            now = now_rest;
        if (equal || passes(expected))
            then = then_rest;
    }
    return true;
}

static bool has_line(struct slice text, struct slice line)
{
    while (text.len)
        if (slice_eq(next_line(&text), line))
            return true;
    return false;
}

static void print_missing(const char *label, struct slice text, struct slice from)
{
    for (unsigned lines = 0; text.len && lines < 6;) {
        struct slice line = next_line(&text);
        if (has_line(from, line))
            continue;
        fprintf(stderr, "    %s: " SLICE_FMT, label, SLICE_ARG(line));
        lines++;
    }
}

static void print_difference(const char *label, struct slice now, struct slice expected)
{
    fprintf(stderr, "  against %s:\n", label);
    print_missing("is", now, expected);
    print_missing("is not", expected, now);
}

static bool page_between(const char *name, const struct ledger *now, const struct ledger *before,
                         const struct ledger *after, bool linger)
{
    struct slice text = page_text(now, name);
    if (same(text, page_text(before, name), linger) || same(text, page_text(after, name), linger))
        return true;
    fprintf(stderr, "page of %s is that of no moment:\n", name);
    print_difference("before", text, page_text(before, name));
    if (before != after)
        print_difference("after", text, page_text(after, name));
    return false;
}

bool ledger_between(const struct ledger *now, const struct ledger *before,
                    const struct ledger *after, bool linger)
{
    bool good = true;
    for (size_t i = 0; i < before->n; i++)
        good &= page_between(before->page[i].name, now, before, after, linger);
    for (size_t i = 0; i < after->n; i++)
        if (!page_text(before, after->page[i].name).ptr)
            good &= page_between(after->page[i].name, now, before, after, linger);
    for (size_t i = 0; i < now->n; i++)
        if (!page_text(before, now->page[i].name).ptr && !page_text(after, now->page[i].name).ptr)
            good &= page_between(now->page[i].name, now, before, after, linger);
    return good;
}
