#include "tests/lib/life.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "store/admin.h"
#include "store/commit.h"
#include "store/verify.h"
#include "tests/lib/rows.h"

enum { SETTLE_MS = 20000 };

static void must(enum err e, const char *what)
{
    if (!e)
        return;
    fprintf(stderr, "life: %s: %s\n", what, err_word(e));
    abort();
}

enum err life_open(struct life *life)
{
    life->conf.path = life->dir;
    if (!life->conf.log_days)
        life->conf.log_days = 30;
    enum err e = store_open(&life->conf, &life->store, &life->why);
    if (e) {
        life->store = NULL;
        return e;
    }
    life->env = life->store->shard[0];
    must(store_reader_new(life->store, NULL, &life->reader), "reader");
    return ERR_OK;
}

void life_close(struct life *life)
{
    store_close(life->store); /* with its readers */
    life->store = NULL;
}

enum err life_domain(struct life *life)
{
    struct store_wait *w = store_wait_new();
    store_domain_create(life->store, SLICE("test"), store_wait_to(w));
    return store_wait(w, NULL);
}

static struct slice login_of(const char *name, char to[64])
{
    return slice(to, (size_t)snprintf(to, 64, "%s@test", name));
}

enum err life_user(struct life *life, const char *name)
{
    char text[64];
    struct store_wait *w = store_wait_new();
    store_user_create(life->store, login_of(name, text), SLICE("{PLAIN}secret"), SLICE("dovecot"),
                      store_wait_to(w));
    return store_wait(w, NULL);
}

struct store_account *life_account(struct life *life, const char *name, uint32_t undelete_s)
{
    char text[64];
    struct arena arena;
    struct store_user user;
    struct store_account *account;
    struct store_limits limits = {.undelete_s = undelete_s};
    arena_init(&arena, 1 << 16);
    must(store_user_find(life->reader, login_of(name, text), &arena, &user), name);
    must(store_account_open(life->reader, &user, &limits, &account), name);
    store_account_set_actor(account, PROTO_IMAP, 0x1000);
    arena_reset(&arena);
    store_reader_idle(life->reader);
    return account;
}

/* --- upkeep, check -----------------------------------------------------------------------------
 */

uint64_t life_rows(struct life *life, unsigned dbi)
{
    struct engine_txn *snap;
    must(reader_snap(life->reader, life->env, &snap), "snapshot");
    uint64_t n = rows_count(snap, dbi);
    store_reader_idle(life->reader);
    return n;
}

/* Nothing lies about that a start or a slice of upkeep is to clear away. */
static bool is_clear(struct life *life)
{
    struct engine_txn *snap;
    struct engine_cursor cursor;
    bool clear = !life_rows(life, DBI_REAP) && !life_rows(life, DBI_STAGE);
    must(reader_snap(life->reader, life->env, &snap), "snapshot");
    static const unsigned tables[] = {DBI_ACCT, DBI_MBOX, DBI_GONE};
    for (size_t i = 0; clear && i < 3; i++) {
        struct row_acct acct;
        struct row_mbox mbox;
        uint32_t time;
        must(engine_cursor_open(snap, tables[i], SLICE_NONE, &cursor), "cursor");
        enum err e = engine_seek(&cursor, SLICE("\0"));
        for (; !e; e = engine_next(&cursor)) {
            if (tables[i] == DBI_ACCT)
                clear &= row_acct_decode(cursor.value, &acct) || acct.state == ACCT_LIVE;
            else if (tables[i] == DBI_MBOX)
                clear &= row_mbox_decode(cursor.value, &mbox) || mbox.state != MBOX_SWEPT;
            else
                clear &= !key_get32(cursor.key, 4, &time) || time != GONE_TRANSIENT;
        }
        engine_cursor_close(&cursor);
    }
    store_reader_idle(life->reader);
    return clear;
}

/* Two looks from now on, of which the second began after this call, without a slice. */
static bool is_quiet(struct committer *committer)
{
    struct committer_stats before, now;
    committer_stats(committer, &before);
    do {
        committer_nudge(committer);
        usleep(50);
        committer_stats(committer, &now);
    } while (now.looks < before.looks + 2 && now.upkeep_slices == before.upkeep_slices);
    return now.upkeep_slices == before.upkeep_slices;
}

bool life_settle(struct life *life)
{
    uint64_t end = clock_mono_ms() + SETTLE_MS;
    while (clock_mono_ms() < end)
        if (is_quiet(life->env->committer) && is_clear(life))
            return true;
    fprintf(stderr, "life: not settled: reap %" PRIu64 " stage %" PRIu64 " gone %" PRIu64 "\n",
            life_rows(life, DBI_REAP), life_rows(life, DBI_STAGE), life_rows(life, DBI_GONE));
    return false;
}

static void print_finding(void *arg, const char *line)
{
    (void)arg;
    fprintf(stderr, "finding: %s\n", line);
}

uint64_t life_verify(struct life *life)
{
    struct store_verify verify = {.bodies = true, .finding = print_finding};
    enum err e = store_verify(life->store, life->reader, &verify);
    if (e && e != ERR_CORRUPT)
        must(e, "verify");
    return e && !verify.findings ? 1 : verify.findings;
}

/* --- messages ----------------------------------------------------------------------------------
 */

static enum err write_all(struct store_incoming *in, struct slice octets)
{
    enum err e;
    while ((e = store_incoming_write(in, octets)) == ERR_AGAIN)
        usleep(100); /* two pieces are on their way to the disk */
    return e;
}

struct store_incoming *life_message(struct store_account *account, unsigned number, size_t octets,
                                    enum err *ret)
{
    char text[4096];
    struct store_incoming *in;
    must(store_incoming_new(account, 64 << 20, &in), "incoming");
    int n = snprintf(text, sizeof text,
                     "From: sender-%u@example.org\r\nTo: somebody@test\r\n"
                     "Subject: number %u\r\nDate: Sun, 22 Nov 2026 06:59:58 +0000\r\n"
                     "Message-ID: <%u@example.org>\r\nReferences: <%u@example.org>\r\n\r\n",
                     number, number, number, number / 4);
    *ret = write_all(in, slice(text, (size_t)n));
    while (!*ret && store_incoming_size(in) < octets) {
        for (size_t at = 0; at + 64 <= sizeof text; at += 64)
            snprintf(text + at, sizeof text - at, "%08x %052zu\r\n", number * 2654435761u,
                     (size_t)store_incoming_size(in) + at);
        text[sizeof text - 1] = '\n'; /* over the NUL of the last */
        size_t left = octets - (size_t)store_incoming_size(in);
        *ret = write_all(in, slice(text, left < sizeof text ? left : sizeof text));
    }
    if (*ret) {
        store_incoming_free(in);
        return NULL;
    }
    return in;
}

enum err life_append(struct store_account *account, const char *path, unsigned number,
                     size_t octets)
{
    enum err e;
    struct store_incoming *in = life_message(account, number, octets, &e);
    if (!in)
        return e;
    struct store_wait *w = store_wait_new();
    struct store_dest dest = {.account = account, .path = slice_str(path)};
    store_append(&in, 1, &dest, 1, store_wait_to(w));
    return store_wait(w, NULL);
}

/* --- mailboxes ---------------------------------------------------------------------------------
 */

enum err life_create(struct store_account *account, const char *path)
{
    struct store_wait *w = store_wait_new();
    store_mailbox_create(account, slice_str(path), USE_NONE, store_wait_to(w));
    return store_wait(w, NULL);
}

enum err life_delete(struct store_account *account, const char *path)
{
    struct store_wait *w = store_wait_new();
    store_mailbox_delete(account, slice_str(path), store_wait_to(w));
    return store_wait(w, NULL);
}

enum err life_rename(struct store_account *account, const char *from, const char *to)
{
    struct store_wait *w = store_wait_new();
    store_mailbox_rename(account, slice_str(from), slice_str(to), store_wait_to(w));
    return store_wait(w, NULL);
}

/* --- views -------------------------------------------------------------------------------------
 */

static struct store_view *view_of(struct life *life, struct store_account *account,
                                  const char *path)
{
    struct store_view *view;
    enum err e;
    while ((e = store_view_open(life->reader, account, slice_str(path), 0, &view)) == ERR_AGAIN)
        store_reader_idle(life->reader); /* its pages have been asked for */
    must(e, path);
    store_reader_idle(life->reader);
    return view;
}

enum err life_flags(struct life *life, struct store_account *account, const char *path,
                    uint32_t first, uint32_t last, enum flag_mode mode, uint8_t sysflags,
                    const char *keyword)
{
    struct store_view *view = view_of(life, account, path);
    struct slice word = slice_str(keyword);
    struct store_flagop op = {
        .mode = mode, .sysflags = sysflags, .keywords = &word, .nkeywords = keyword ? 1 : 0};
    struct uidset wish = {0}, uids = {0};
    struct store_wait *w = store_wait_new();
    uidset_add(&wish, first, last);
    store_view_select(view, &wish, &uids);
    store_flags(view, &uids, &op, UINT64_MAX, store_wait_to(w));
    enum err e = store_wait(w, NULL);
    uidset_finish(&wish);
    uidset_finish(&uids);
    store_view_close(view);
    return e;
}

enum err life_copy(struct life *life, struct store_account *account, const char *from,
                   uint32_t first, uint32_t last, const char *to, bool move)
{
    struct store_view *view = view_of(life, account, from);
    struct uidset wish = {0}, uids = {0};
    struct store_wait *w = store_wait_new();
    uidset_add(&wish, first, last);
    store_view_select(view, &wish, &uids);
    store_copy(view, &uids, account, slice_str(to), move, store_wait_to(w));
    enum err e = store_wait(w, NULL);
    uidset_finish(&wish);
    uidset_finish(&uids);
    store_view_close(view);
    return e;
}

enum err life_expunge(struct life *life, struct store_account *account, const char *path,
                      uint32_t first, uint32_t last)
{
    enum err e = life_flags(life, account, path, first, last, FLAGS_ADD, FLAG_DELETED, NULL);
    if (e)
        return e;
    struct store_view *view = view_of(life, account, path);
    struct store_wait *w = store_wait_new();
    store_expunge(view, NULL, store_wait_to(w));
    e = store_wait(w, NULL);
    store_view_close(view);
    return e;
}

enum err life_pop3(struct life *life, struct store_account *account, enum pop3_delete mode,
                   unsigned read, unsigned deleted)
{
    struct slice inbox = SLICE("INBOX");
    struct store_poprule rule = {.folders = &inbox, .nfolders = 1, .retr_seen = true};
    struct store_maildrop *drop;
    unsigned char bits[2][512] = {0};
    enum err e;
    while ((e = store_maildrop_open(life->reader, account, NULL, &rule, &drop)) == ERR_AGAIN)
        store_reader_idle(life->reader);
    must(e, "maildrop");
    store_reader_idle(life->reader);
    for (unsigned i = 0; i < 4; i++) {
        bits[0][i] = (unsigned char)(read >> (8 * i));
        bits[1][i] = (unsigned char)(deleted >> (8 * i));
    }
    struct store_wait *w = store_wait_new();
    store_maildrop_update(drop, bits[0], bits[1], mode, store_wait_to(w));
    e = store_wait(w, NULL);
    store_maildrop_close(drop);
    return e;
}
