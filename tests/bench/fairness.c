/* How long a small write waits beside a huge one: eight writers, each of an account of its own, set
 * flags one after the other, while one other session copies, expunges, appends or reaps.
 *
 * The disturber rests a second between two turns, as a person would: p99 is what the others feel,
 * max is the stall that one command causes.
 *
 *      fairness [messages [seconds]]      default 100000, 10 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "tests/bench/meter.h"
#include "tests/lib/account.h"

enum { WRITERS = 8, BIG = WRITERS, SAMPLES_MAX = 200000 };

/* A disk with a true cache flush: TANDEM_FLUSH_MS more for each, one at a time (this stands before
 * the C library's own, which LMDB calls). */
int fdatasync(int fd)
{
    static pthread_mutex_t one = PTHREAD_MUTEX_INITIALIZER;
    const char *ms = getenv("TANDEM_FLUSH_MS");
    pthread_mutex_lock(&one);
    if (ms)
        usleep((useconds_t)atoi(ms) * 1000);
    int rc = (int)syscall(SYS_fdatasync, fd);
    pthread_mutex_unlock(&one);
    return rc;
}

struct writer {
    pthread_t thread;
    struct test_store *s;
    struct store_account *account;
    struct store_view *view;
    uint64_t *samples;
    unsigned n;
};

static atomic_bool stop;

static uint64_t now_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *write_flags(void *arg)
{
    struct writer *w = arg;
    struct uidset one = {0};
    uidset_add(&one, 1, 1);
    for (unsigned i = 0; !atomic_load(&stop) && w->n < SAMPLES_MAX; i++) {
        struct store_flagop op = {.mode = i % 2 ? FLAGS_REMOVE : FLAGS_ADD,
                                  .sysflags = FLAG_FLAGGED};
        struct store_wait *wait = store_wait_new();
        uint64_t start = now_ns();
        store_flags(w->view, &one, &op, UINT64_MAX, store_wait_to(wait));
        if (store_wait(wait, NULL) == ERR_OK)
            w->samples[w->n++] = now_ns() - start;
    }
    uidset_finish(&one);
    return NULL;
}

struct rig {
    struct test_store s;
    struct writer writer[WRITERS];
    struct store_account *big;
    unsigned messages, seconds;
};

typedef unsigned disturb(struct rig *rig); /* how often it did it until the time was over */

static uint64_t deadline(const struct rig *rig)
{
    return now_ns() + (uint64_t)rig->seconds * 1000000000u;
}

static void rest(void)
{
    nanosleep(&(struct timespec){1, 0}, NULL);
}

static unsigned idle(struct rig *rig)
{
    nanosleep(&(struct timespec){rig->seconds, 0}, NULL);
    return 0;
}

static unsigned copy(struct rig *rig)
{
    struct store_view *view = test_view(&rig->s, rig->big, "INBOX");
    struct uidset all = {0}, there = {0};
    unsigned n = 0;
    uidset_add(&all, 1, UINT32_MAX - 1);
    store_view_select(view, &all, &there);
    for (uint64_t end = deadline(rig); now_ns() < end; n++) {
        struct store_wait *wait = store_wait_new();
        store_copy(view, &there, rig->big, SLICE("Archive"), false, store_wait_to(wait));
        if (store_wait(wait, NULL))
            abort();
        rest();
    }
    uidset_finish(&all);
    uidset_finish(&there);
    store_view_close(view);
    return n;
}

/* Marks and expunges what `copy` has left in Archive; the reaper follows. */
static unsigned expunge(struct rig *rig)
{
    struct store_view *view = test_view(&rig->s, rig->big, "Archive");
    struct uidset all = {0}, there = {0};
    uidset_add(&all, 1, UINT32_MAX - 1);
    store_view_select(view, &all, &there);
    unsigned n = 0;
    uint32_t next = uidset_next(&there, 1);
    for (uint64_t end = deadline(rig); now_ns() < end && next; n++) {
        struct uidset part = {0};
        struct store_flagop op = {.mode = FLAGS_ADD, .sysflags = FLAG_DELETED};
        uidset_add(&part, next, next + rig->messages - 1);
        struct store_wait *wait = store_wait_new();
        store_flags(view, &part, &op, UINT64_MAX, store_wait_to(wait));
        if (store_wait(wait, NULL))
            abort();
        wait = store_wait_new();
        store_expunge(view, &part, store_wait_to(wait));
        if (store_wait(wait, NULL))
            abort();
        next = uidset_next(&there, next + rig->messages);
        uidset_finish(&part);
        rest();
    }
    uidset_finish(&all);
    uidset_finish(&there);
    store_view_close(view);
    return n;
}

static unsigned append(struct rig *rig)
{
    unsigned n = 0;
    for (uint64_t end = deadline(rig); now_ns() < end; n++)
        test_append(rig->big, "Drafts", 48u << 20, n);
    return n;
}

static void measure(struct rig *rig, const char *name, disturb *what)
{
    atomic_store(&stop, false);
    for (unsigned i = 0; i < WRITERS; i++) {
        rig->writer[i].n = 0;
        pthread_create(&rig->writer[i].thread, NULL, write_flags, &rig->writer[i]);
    }
    unsigned times = what(rig);
    atomic_store(&stop, true);
    uint64_t *all = mem_new_array((size_t)WRITERS * SAMPLES_MAX, sizeof *all);
    unsigned n = 0;
    for (unsigned i = 0; i < WRITERS; i++) {
        pthread_join(rig->writer[i].thread, NULL);
        for (unsigned k = 0; k < rig->writer[i].n; k++)
            all[n++] = rig->writer[i].samples[k];
    }
    printf("%-24s x%-4u small writes %7u  p50 %7.1f ms  p99 %7.1f ms  max %7.1f ms\n", name, times,
           n, (double)meter_percentile(all, n, 0.5) / 1e6,
           (double)meter_percentile(all, n, 0.99) / 1e6,
           (double)meter_percentile(all, n, 1.0) / 1e6);
    mem_free(all);
}

int main(int argc, char **argv)
{
    struct rig rig = {.messages = argc > 1 ? (unsigned)atoi(argv[1]) : 100000,
                      .seconds = argc > 2 ? (unsigned)atoi(argv[2]) : 10};
    test_store_open(&rig.s, NULL);
    test_accounts_make(&rig.s, 0, WRITERS + 1);
    for (unsigned i = 0; i < WRITERS; i++) {
        struct writer *w = &rig.writer[i];
        w->s = &rig.s;
        w->account = test_account(&rig.s, i, 14 * 86400);
        test_append(w->account, "INBOX", 2000, i);
        w->view = test_view(&rig.s, w->account, "INBOX");
        w->samples = mem_new_array(SAMPLES_MAX, sizeof *w->samples);
    }
    rig.big = test_account(&rig.s, BIG, 14 * 86400);
    struct test_flight *f = test_flight_new();
    for (unsigned i = 0; i < rig.messages; i++) {
        struct store_incoming *in = test_message(rig.big, 600, i);
        struct store_dest dest = {.account = rig.big, .path = SLICE("INBOX")};
        store_append(&in, 1, &dest, 1, test_flight_to(f));
        test_flight_wait(f, 1000);
    }
    test_flight_free(f);
    measure(&rig, "alone", idle);
    measure(&rig, "COPY of all", copy);
    measure(&rig, "STORE, EXPUNGE of all", expunge);
    measure(&rig, "APPEND of 48 MB", append);
    for (unsigned i = 0; i < WRITERS; i++) {
        store_view_close(rig.writer[i].view);
        store_account_close(rig.writer[i].account);
        mem_free(rig.writer[i].samples);
    }
    store_account_close(rig.big);
    test_store_close(&rig.s);
    return 0;
}
