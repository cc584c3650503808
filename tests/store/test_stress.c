/* Sessions on real loops against the real committer, for the thread sanitizer: views, ghosts,
 * bodies, maildrops, appends, moves and expunges at once, with the undelete window off so that
 * everything is destroyed as soon as it may be. What a session holds it can read; at the end
 * nothing is left that nobody names. */
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/net/worker.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { LOOPS = 2, SESSIONS = 6, STEPS = TANDEM_SANITIZED ? 1500 : 6000, OCTETS = 40000 };

struct session {
    struct timer timer;
    struct home *home;
    struct store_reader *reader;
    struct loop *loop;
    uint64_t id;
    unsigned seed;
    unsigned steps, changes, octets_read;
    bool waiting; /* for a completion */
    struct store_view *view;
    struct store_body *body;
    uint64_t at;
    struct store_maildrop *drop;
    unsigned *live; /* sessions of this loop that go on */
};

static const char *const places[] = {"INBOX", "Archive"};

static uint32_t any(struct session *s, uint32_t n)
{
    return (uint32_t)rand_r(&s->seed) % n;
}

#define EXPECT(condition)                                                                          \
    do {                                                                                           \
        if (!(condition)) {                                                                        \
            fprintf(stderr, "# %s:%d: %s\n", __FILE__, __LINE__, #condition);                      \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void step_done(void *object, const struct store_result *result)
{
    struct session *s = object;
    EXPECT(result->err == ERR_OK || result->err == ERR_AGAIN || result->err == ERR_GONE);
    s->waiting = false;
    s->changes++;
}

static struct store_to to(struct session *s)
{
    s->waiting = true;
    return (struct store_to){.loop = s->loop, .id = s->id, .done = step_done};
}

/* --- reading
 * --------------------------------------------------------------------------------------- */

static void read_on(struct session *s)
{
    struct iovec iov[2];
    int n = 0;
    enum err e = store_body_map(s->body, s->reader, s->at, iov, 2, &n);
    if (e == ERR_AGAIN) {
        store_warm_body(s->body, s->at, 65536, to(s));
        return;
    }
    EXPECT(e == ERR_OK);
    for (int i = 0; i < n; i++) {
        s->at += iov[i].iov_len;
        s->octets_read += (unsigned)iov[i].iov_len;
    }
    if (s->at == store_body_size(s->body) || any(s, 8) == 0) {
        EXPECT(s->at <= OCTETS);
        store_body_close(s->body);
        s->body = NULL;
    }
}

static void open_body(struct session *s)
{
    uint32_t hdr_len, n = s->drop ? store_maildrop_count(s->drop) : store_view_exists(s->view);
    if (n == 0)
        return;
    n = 1 + any(s, n);
    enum err e = s->drop ? store_maildrop_body(s->drop, s->reader, n, &s->body, &hdr_len)
                         : store_body_open(s->view, store_view_uid(s->view, n), &s->body);
    /* What was moved reads its body only as long as the message lives somewhere. */
    EXPECT(e == ERR_OK || e == ERR_GONE);
    s->at = 0;
}

static void sync_view(struct session *s)
{
    struct store_changes changes;
    do {
        enum err e = store_view_sync(s->view, any(s, 3) ? 0 : SYNC_EXPUNGE, &changes);
        EXPECT(e == ERR_OK || e == ERR_AGAIN);
        if (e)
            return;
    } while (changes.more);
}

/* --- changes
 * --------------------------------------------------------------------------------------- */

static void append(struct session *s)
{
    static char octets[OCTETS];
    struct store_incoming *in;
    struct store_dest dest = {.account = s->home->account, .path = slice_str(places[any(s, 2)])};
    struct slice text = slice(octets, 100 + any(s, OCTETS - 100));
    EXPECT(store_incoming_new(s->home->account, OCTETS, &in) == ERR_OK);
    EXPECT(store_incoming_write(in, SLICE("Subject: x\r\n\r\n")) == ERR_OK);
    EXPECT(store_incoming_write(in, slice_first(text, text.len - 20)) == ERR_OK);
    store_append(&in, 1, &dest, 1, to(s));
}

static void change(struct session *s)
{
    struct uidset uids = {0};
    uint32_t n = store_view_exists(s->view);
    const struct store_flagop delete = {.mode = FLAGS_ADD, .sysflags = FLAG_DELETED};
    if (n == 0 || n < any(s, 12)) {
        append(s);
        return;
    }
    uint32_t uid = store_view_uid(s->view, 1 + any(s, n));
    uidset_add(&uids, uid, uid);
    switch (any(s, 3)) {
    case 0:
        store_flags(s->view, &uids, &delete, UINT64_MAX, to(s));
        break;
    case 1:
        store_expunge(s->view, NULL, to(s));
        break;
    default:
        store_copy(s->view, &uids, s->home->account, slice_str(places[any(s, 2)]), any(s, 2),
                   to(s));
    }
    uidset_finish(&uids);
}

static void end_maildrop(struct session *s)
{
    unsigned char retrieved[512] = {0}, deleted[512] = {0};
    uint32_t n = store_maildrop_count(s->drop);
    EXPECT(n <= 8 * sizeof retrieved);
    for (uint32_t i = 0; i < n; i++) {
        retrieved[i / 8] |= (unsigned char)(any(s, 2) << i % 8);
        deleted[i / 8] |= (unsigned char)((any(s, 4) == 0) << i % 8);
    }
    store_maildrop_update(s->drop, retrieved, deleted, POP3_DELETE_EXPUNGE, to(s));
    store_maildrop_close(s->drop);
    s->drop = NULL;
}

/* --- a session
 * ------------------------------------------------------------------------------------- */

static void open_something(struct session *s)
{
    struct slice folders[] = {slice_str(places[0]), slice_str(places[1])};
    const struct store_poprule rule = {.folders = folders, .nfolders = 2, .retr_seen = true};
    struct store_account *account = s->home->account;
    enum err e = any(s, 3) ? store_view_open(s->reader, account, folders[any(s, 2)], 0, &s->view)
                           : store_maildrop_open(s->reader, account, NULL, &rule, &s->drop);
    EXPECT(e == ERR_OK || e == ERR_AGAIN);
}

static void close_all(struct session *s)
{
    store_body_close(s->body);
    store_view_close(s->view);
    store_maildrop_close(s->drop);
    s->body = NULL;
    s->view = NULL;
    s->drop = NULL;
}

static void step(struct loop *loop, struct timer *timer)
{
    struct session *s = (struct session *)timer; /* its first member */
    if (!s->waiting && ++s->steps > STEPS) {
        close_all(s);
        loop_id_drop(loop, s->id);
        if (--*s->live == 0)
            loop_stop(loop);
        return;
    }
    if (s->waiting)
        ;
    else if (!s->view && !s->drop)
        open_something(s);
    else if (s->body)
        read_on(s);
    else if (any(s, 12) == 0)
        s->drop ? end_maildrop(s) : close_all(s);
    else if (s->drop || any(s, 2))
        open_body(s);
    else if (any(s, 2))
        sync_view(s);
    else
        change(s);
    timer_arm(loop, timer, s->waiting ? 1 : 0);
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void sessions_read_what_they_hold_while_all_else_is_destroyed(void **state)
{
    struct home *home = *state;
    struct loop *loop[LOOPS];
    pthread_t thread[LOOPS];
    unsigned live[LOOPS] = {0}, changes = 0, octets = 0;
    static struct session session[SESSIONS];
    struct pool *pool;
    const struct pool_conf conf = {.workers = 1, .queue_max = 100};
    assert_ok(pool_new(&conf, &pool));
    store_start(home->store, pool);
    for (unsigned i = 0; i < 8; i++)
        home_append(home, "INBOX", 3000, 0);
    for (unsigned i = 0; i < LOOPS; i++) {
        struct store_reader *reader;
        assert_ok(loop_new(i, &loop[i]));
        assert_ok(store_reader_new(home->store, loop[i], &reader));
    }
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct session *s = &session[i];
        *s = (struct session){.timer = {.run = step}, .home = home, .seed = i + 1};
        s->loop = loop[i % LOOPS];
        s->reader = store_reader_of(home->store, s->loop);
        s->live = &live[i % LOOPS];
        ++*s->live;
        s->id = loop_id_new(s->loop, s);
        timer_arm(s->loop, &s->timer, 1);
    }
    for (unsigned i = 0; i < LOOPS; i++)
        assert_int_equal(pthread_create(&thread[i], NULL, run_loop, loop[i]), 0);
    for (unsigned i = 0; i < LOOPS; i++)
        pthread_join(thread[i], NULL);
    for (unsigned i = 0; i < LOOPS; i++)
        store_reader_free(store_reader_of(home->store, loop[i]));
    pool_free(pool);
    for (unsigned i = 0; i < SESSIONS; i++) {
        changes += session[i].changes;
        octets += session[i].octets_read;
    }
    print_message("# %u changes, %u octets read\n", changes, octets);
    assert_true(changes > 100 && octets > 100000);
    home_await_rows(home, DBI_GONE, 0);
    home_await_rows(home, DBI_REAP, 0);
    assert_int_equal(home_rows(home, DBI_MSG),
                     home_box(home, "INBOX").row.exists + home_box(home, "Archive").row.exists);
    assert_int_equal(home_rows(home, DBI_BLOB), home_rows(home, DBI_BOWN));
    for (unsigned i = 0; i < LOOPS; i++)
        loop_free(loop[i]);
}

static int start(void **state)
{
    static struct home home;
    home_start(&home);
    home_close(&home);
    home.undelete_s = 0;
    home_open(&home);
    *state = &home;
    return 0;
}

static int stop(void **state)
{
    home_stop(*state);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(sessions_read_what_they_hold_while_all_else_is_destroyed,
                                        start, stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
