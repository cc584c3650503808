/* Views on real loops beside a real committer. What each client is told is checked against nothing
 * but itself while everything moves, and against the mailbox when it has come to rest. */
#include "tests/lib/unit.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/view.h"
#include "tests/store/home.h"

enum { LOOPS = 2, SESSIONS = 3, WRITES = 800, STORES = 200 };

struct entry {
    uint32_t uid;
    uint8_t sysflags;
};

struct session {
    struct site *site;
    struct store_view *view;
    uint64_t id;
    struct entry *entry;
    uint32_t n, stores;
    bool storing;
    struct uidset asked;
};

/* A loop and the sessions on it. */
struct site {
    struct post post; /* first */
    struct home *home;
    struct loop *loop;
    struct store_reader *reader;
    pthread_t thread;
    struct session session[SESSIONS];
    atomic_bool done;
};

static atomic_bool resting; /* no session begins anything new */

/* A failed check on a loop's thread cannot return to cmocka. */
#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "%s:%d: %s\n", __FILE__, __LINE__, #cond);                             \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static void learn(struct session *s, uint32_t exists)
{
    struct uidset uids = {0};
    struct store_cursor cursor;
    struct store_message m;
    s->entry = mem_resize(s->entry, (exists + 1) * sizeof *s->entry);
    uint32_t first = store_view_uid(s->view, s->n + 1);
    uidset_add(&uids, first, UINT32_MAX);
    store_cursor_init(&cursor, s->view, &uids, WANT_MSG, 0);
    while (s->n < exists) {
        enum err e = store_cursor_next(&cursor, &m);
        if (e == ERR_AGAIN)
            continue;
        CHECK(e == ERR_OK);
        CHECK(m.seqnum == s->n + 1);
        s->entry[s->n++] = (struct entry){m.uid, m.sysflags};
    }
    uidset_finish(&uids);
}

static void sync(struct session *s, unsigned what)
{
    struct store_changes c;
    do {
        CHECK(store_view_sync(s->view, what, &c) == ERR_OK);
        CHECK(what || !c.nexpunged);
        for (size_t i = 0; i < c.nexpunged; i++) {
            uint32_t at = c.expunged[i] - 1;
            CHECK(at < s->n && uidset_has(c.vanished, s->entry[at].uid));
            memmove(s->entry + at, s->entry + at + 1, (s->n - at - 1) * sizeof *s->entry);
            s->n--;
        }
        if (c.exists_changed)
            learn(s, c.exists);
        CHECK(c.exists == s->n);
        for (size_t i = 0; i < c.nflagged; i++) {
            CHECK(c.flagged[i].seqnum <= s->n);
            struct entry *entry = &s->entry[c.flagged[i].seqnum - 1];
            CHECK(entry->uid == c.flagged[i].uid);
            entry->sysflags = c.flagged[i].sysflags;
        }
    } while (c.more);
}

static void on_stored(void *object, const struct store_result *result);

static void store_some(struct session *s)
{
    static const struct store_flagop ops[] = {
        {.mode = FLAGS_ADD,     .sysflags = FLAG_FLAGGED            },
        {.mode = FLAGS_REMOVE,  .sysflags = FLAG_FLAGGED | FLAG_SEEN},
        {.mode = FLAGS_REPLACE, .sysflags = FLAG_ANSWERED           },
    };
    if (s->storing || s->n == 0 || s->stores == STORES || atomic_load(&resting))
        return;
    uint32_t at = (uint32_t)rand() % s->n, last = at + (uint32_t)rand() % 50;
    uidset_clear(&s->asked);
    for (; at < s->n && at <= last; at++)
        uidset_add(&s->asked, s->entry[at].uid, s->entry[at].uid);
    s->storing = true;
    s->stores++;
    store_flags(s->view, &s->asked, &ops[rand() % 3], UINT64_MAX,
                (struct store_to){s->site->loop, s->id, on_stored});
}

static void on_stored(void *object, const struct store_result *result)
{
    struct session *s = object;
    struct store_cursor cursor;
    struct store_message m;
    CHECK(result->err == ERR_OK);
    /* The events of the commit came first, and the reader sees it. */
    CHECK(s->view->seen >= result->modseq);
    s->storing = false;
    store_cursor_init(&cursor, s->view, &result->changed, WANT_HOT, 0);
    for (;;) {
        enum err e = store_cursor_next(&cursor, &m);
        if (e == ERR_AGAIN)
            continue;
        if (e == ERR_NOTFOUND)
            break;
        CHECK(e == ERR_OK && m.seqnum <= s->n && s->entry[m.seqnum - 1].uid == m.uid);
        if (!m.ghost)
            s->entry[m.seqnum - 1].sysflags = m.sysflags;
    }
    store_view_own(s->view, &result->changed, result->modseq);
    sync(s, rand() % 2 ? SYNC_EXPUNGE : 0);
    store_some(s);
}

static void on_changed(void *object)
{
    struct session *s = object;
    sync(s, rand() % 2 ? SYNC_EXPUNGE : 0);
    store_some(s);
}

static void open_one(struct site *site, struct session *s)
{
    s->site = site;
    CHECK(store_view_open(site->reader, site->home->account, SLICE("INBOX"), 0, &s->view) ==
          ERR_OK);
    s->id = loop_id_new(site->loop, s);
    store_view_watch(s->view, s->id, on_changed);
    learn(s, store_view_exists(s->view));
}

static void on_start(struct loop *loop, struct post *post)
{
    (void)loop;
    struct site *site = (struct site *)post;
    for (unsigned i = 0; i < SESSIONS; i++)
        open_one(site, &site->session[i]);
    atomic_store(&site->done, true);
}

static void on_rest(struct loop *loop, struct post *post)
{
    struct site *site = (struct site *)post;
    bool storing = false;
    for (unsigned i = 0; i < SESSIONS; i++)
        storing |= site->session[i].storing;
    if (storing)
        loop_post(loop, post); /* a completion is under way */
    else
        atomic_store(&site->done, true);
}

/* Everything is committed: what the clients know is the mailbox. */
static void on_end(struct loop *loop, struct post *post)
{
    struct site *site = (struct site *)post;
    struct session now = {0};
    open_one(site, &now);
    for (unsigned i = 0; i < SESSIONS; i++) {
        struct session *s = &site->session[i];
        if (rand() % 2) { /* a session that comes and goes */
            store_view_close(s->view);
            loop_id_drop(loop, s->id);
            s->n = 0;
            open_one(site, s);
        }
        sync(s, SYNC_EXPUNGE);
        CHECK(s->n == now.n);
        for (uint32_t k = 0; k < now.n; k++)
            CHECK(s->entry[k].uid == now.entry[k].uid &&
                  s->entry[k].sysflags == now.entry[k].sysflags);
        CHECK(store_view_told(s->view) == store_view_told(now.view));
    }
    for (unsigned i = 0; i <= SESSIONS; i++) {
        struct session *s = i < SESSIONS ? &site->session[i] : &now;
        loop_id_drop(loop, s->id);
        store_view_close(s->view);
        mem_free(s->entry);
        uidset_finish(&s->asked);
    }
    atomic_store(&site->done, true);
}

static void *run_loop(void *arg)
{
    loop_run(arg);
    return NULL;
}

static void ask(struct site *site, void (*run)(struct loop *loop, struct post *post))
{
    atomic_store(&site->done, false);
    site->post.run = run;
    loop_post(site->loop, &site->post);
}

static void await(struct site *site)
{
    while (!atomic_load(&site->done))
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
}

static void copy_some(struct home *home, uint32_t n, const char *to, bool move)
{
    struct uidset uids = {0};
    struct store_view *view = home_view(home, "INBOX");
    uint32_t exists = store_view_exists(view), number = 1 + (uint32_t)rand() % (exists + 1);
    for (; n && number <= exists; n--, number++) {
        uint32_t uid = store_view_uid(view, number);
        uidset_add(&uids, uid, uid);
    }
    struct store_wait *wait = store_wait_new();
    store_copy(view, &uids, home->account, slice_str(to), move, store_wait_to(wait));
    assert_ok(store_wait(wait, NULL));
    store_view_close(view);
    uidset_finish(&uids);
}

static void write_something(struct home *home, uint32_t *uidnext)
{
    uint32_t first = 1 + (uint32_t)rand() % *uidnext;
    switch (rand() % 4) {
    case 0:
        home_expunge(home, "INBOX", first, first + (uint32_t)rand() % 3);
        break;
    case 1:
        copy_some(home, 5, "Trash", true);
        break;
    case 2:
        copy_some(home, 1 + (uint32_t)rand() % 40, "INBOX", false);
        break;
    default:
        *uidnext = home_append(home, "INBOX", 300, rand() % 2 ? FLAG_SEEN : 0) + 1;
    }
}

static void clients_of_two_loops_end_with_the_same_mailbox(void **state)
{
    (void)state;
    struct home home;
    struct site site[LOOPS];
    uint32_t uidnext = 1;
    memset(site, 0, sizeof site);
    home_start(&home);
    for (unsigned i = 0; i < 40; i++)
        uidnext = home_append(&home, "INBOX", 300, 0) + 1;
    for (unsigned i = 0; i < LOOPS; i++) {
        site[i].home = &home;
        assert_ok(loop_new(i, &site[i].loop));
        assert_ok(store_reader_new(home.store, site[i].loop, &site[i].reader));
        assert_int_equal(pthread_create(&site[i].thread, NULL, run_loop, site[i].loop), 0);
        ask(&site[i], on_start);
    }
    for (unsigned i = 0; i < LOOPS; i++)
        await(&site[i]);
    for (unsigned i = 0; i < WRITES; i++)
        write_something(&home, &uidnext);
    atomic_store(&resting, true);
    for (unsigned i = 0; i < 2 * LOOPS; i++) { /* all at rest before one looks */
        ask(&site[i % LOOPS], i < LOOPS ? on_rest : on_end);
        await(&site[i % LOOPS]);
    }
    for (unsigned i = 0; i < LOOPS; i++) {
        loop_stop(site[i].loop);
        pthread_join(site[i].thread, NULL);
        store_reader_free(site[i].reader);
        loop_free(site[i].loop);
    }
    home_stop(&home);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clients_of_two_loops_end_with_the_same_mailbox),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
