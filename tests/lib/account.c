#include "tests/lib/account.h"

#include <ftw.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/config.h"
#include "core/base/mem.h"

static void must(enum err e, const char *what, const struct fault *why)
{
    if (!e)
        return;
    fprintf(stderr, "%s: %s %s\n", what, err_word(e), why ? why->text : "");
    abort();
}

void test_store_reopen(struct test_store *s)
{
    struct fault why = {0};
    if (s->store)
        store_close(s->store);
    struct store_conf conf = {.path = s->dir};
    must(store_open(&conf, &s->store, &why), "store_open", &why);
    must(store_reader_new(s->store, NULL, &s->reader), "store_reader_new", NULL);
}

void test_store_window(struct test_store *s, uint32_t undelete_s)
{
    struct config *config;
    config_default(&config);
    config->settings.store.undelete_s = undelete_s;
    store_set_config(s->store, config);
    config_unref(config);
}

void test_store_open(struct test_store *s, const char *dir)
{
    *s = (struct test_store){0};
    const char *tmp = getenv("TMPDIR");
    if (dir)
        snprintf(s->dir, sizeof s->dir, "%s", dir);
    else
        snprintf(s->dir, sizeof s->dir, "%s/tandem-XXXXXX", tmp ? tmp : "/tmp");
    if (!dir && !mkdtemp(s->dir))
        must(ERR_DOWN, s->dir, NULL);
    s->keep = dir != NULL;
    test_store_reopen(s);
    struct store_wait *w = store_wait_new();
    store_domain_create(s->store, SLICE("test"), store_wait_to(w));
    enum err e = store_wait(w, NULL);
    must(e == ERR_EXISTS ? ERR_OK : e, "store_domain_create", NULL);
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

void test_store_close(struct test_store *s)
{
    store_close(s->store);
    s->store = NULL;
    if (!s->keep)
        nftw(s->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* --- many at once
 * ---------------------------------------------------------------------------------- */

struct test_flight {
    pthread_mutex_t lock;
    pthread_cond_t wake;
    unsigned under_way, errors;
};

struct test_flight *test_flight_new(void)
{
    struct test_flight *f = mem_new(sizeof *f);
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->wake, NULL);
    return f;
}

static void landed(void *arg, const struct store_result *result)
{
    struct test_flight *f = arg;
    pthread_mutex_lock(&f->lock);
    f->under_way--;
    f->errors += result->err != ERR_OK;
    pthread_cond_signal(&f->wake);
    pthread_mutex_unlock(&f->lock);
}

struct store_to test_flight_to(struct test_flight *f)
{
    pthread_mutex_lock(&f->lock);
    f->under_way++;
    pthread_mutex_unlock(&f->lock);
    return (struct store_to){.id = (uint64_t)(uintptr_t)f, .done = landed};
}

void test_flight_wait(struct test_flight *f, unsigned most)
{
    pthread_mutex_lock(&f->lock);
    while (f->under_way > most)
        pthread_cond_wait(&f->wake, &f->lock);
    pthread_mutex_unlock(&f->lock);
}

unsigned test_flight_errors(const struct test_flight *f)
{
    return f->errors;
}

void test_flight_free(struct test_flight *f)
{
    test_flight_wait(f, 0);
    pthread_mutex_destroy(&f->lock);
    pthread_cond_destroy(&f->wake);
    mem_free(f);
}

/* --- accounts, mail
 * -------------------------------------------------------------------------------- */

static struct slice login(unsigned number, char *to, size_t room)
{
    int n = snprintf(to, room, "user-%u@test", number);
    return slice(to, (size_t)n);
}

void test_accounts_make(struct test_store *s, unsigned from, unsigned to)
{
    struct test_flight *f = test_flight_new();
    for (unsigned i = from; i < to; i++) {
        char name[64];
        store_user_create(s->store, login(i, name, sizeof name), SLICE("{PLAIN}secret"),
                          SLICE("dovecot"), test_flight_to(f));
        test_flight_wait(f, 512);
    }
    test_flight_wait(f, 0);
    must(test_flight_errors(f) ? ERR_BUG : ERR_OK, "store_user_create", NULL);
    test_flight_free(f);
}

struct store_account *test_account(struct test_store *s, unsigned number, uint32_t undelete_s)
{
    char name[64];
    struct arena arena;
    struct store_user user;
    struct store_account *account;
    struct store_limits limits = {.undelete_s = undelete_s};
    arena_init(&arena, 1 << 16);
    must(store_user_find(s->reader, login(number, name, sizeof name), &arena, &user),
         "store_user_find", NULL);
    must(store_account_open(s->reader, &user, &limits, &account), "store_account_open", NULL);
    store_account_set_actor(account, PROTO_IMAP, 0x1000u + number);
    arena_reset(&arena);
    store_reader_idle(s->reader);
    return account;
}

struct store_incoming *test_message(struct store_account *account, size_t octets, unsigned number)
{
    struct store_incoming *in;
    char text[1024];
    must(store_incoming_new(account, 64 << 20, &in), "store_incoming_new", NULL);
    int n =
        snprintf(text, sizeof text,
                 "Return-Path: <sender-%u@example.org>\r\n"
                 "Received: from relay.example.org (relay.example.org [192.0.2.1])\r\n"
                 "\tby mail.test with LMTP id %08x; Sun, 22 Nov 2026 07:00:00 +0000\r\n"
                 "From: \"Sender %u\" <sender-%u@example.org>\r\n"
                 "To: Somebody <somebody@test>\r\n"
                 "Subject: message number %u about nothing in particular\r\n"
                 "Date: Sun, 22 Nov 2026 06:59:58 +0000\r\n"
                 "Message-ID: <%u.%08x@example.org>\r\n"
                 "References: <%u.parent@example.org>\r\n"
                 "MIME-Version: 1.0\r\n"
                 "Content-Type: text/plain; charset=utf-8\r\n"
                 "\r\n",
                 number, number, number, number, number, number, number * 2654435761u, number / 4);
    enum err e = store_incoming_write(in, slice(text, (size_t)n));
    memset(text, 'x', 76);
    memcpy(text + 76, "\r\n", 2);
    while (!e && store_incoming_size(in) < octets) {
        e = store_incoming_write(in, slice(text, 78));
        while (e == ERR_AGAIN) { /* two pieces are on their way to the disk */
            usleep(200);
            e = store_incoming_write(in, slice(text, 78));
        }
    }
    must(e, "store_incoming_write", NULL);
    return in;
}

void test_append(struct store_account *account, const char *path, size_t octets, unsigned number)
{
    struct store_wait *w = store_wait_new();
    struct store_incoming *in = test_message(account, octets, number);
    struct store_dest dest = {.account = account, .path = slice_str(path)};
    store_append(&in, 1, &dest, 1, store_wait_to(w));
    must(store_wait(w, NULL), "store_append", NULL);
}

struct store_view *test_view(struct test_store *s, struct store_account *account, const char *path)
{
    struct store_view *view;
    must(store_view_open(s->reader, account, slice_str(path), 0, &view), "store_view_open", NULL);
    store_reader_idle(s->reader);
    return view;
}
