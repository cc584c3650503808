/* The grace gate: the reaper and the drop of transient rows against readers, in every order that a
 * seed can name. Three sessions and the committer run as threads of the deterministic scheduler;
 * the store's sources are built with their stop points.
 *
 * A session opens a view (a claim, and the UIDs that it saw) or only looks, opens bodies of what it
 * found, and reads them in later snapshots; meanwhile the committer expunges, moves, delivers, and
 * lets the upkeep run, some of whose turns are rolled back. The claim: what a session has seen and
 * claimed it can read to the end, octet for octet; and once all have gone nothing is left that
 * nobody names.
 *
 * TANDEM_SCHED_RUNS=1000000 explores more. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <xxhash.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/net/loop.h"
#include "store/body.h"
#include "store/gone.h"
#include "store/hot.h"
#include "store/pins.h"
#include "store/reap.h"
#include "store/snapshot.h"
#include "store/sweep.h"
#include "tests/lib/rows.h"
#include "tests/lib/sched.h"
#include "tests/lib/unit.h"

enum { ACCOUNT = 1, INBOX = 1, ARCHIVE = 2, SESSIONS = 3, UPKEEPS = 8 };
enum { RUNS = TANDEM_SANITIZED ? 2000 : 10000 };
enum { COMMITTER_STEPS = 10, SESSION_STEPS = 4, SEEN_MAX = 32, BODY_OCTETS = 40 };

#define X(id, tree, lead, mark) {tree, lead, mark},
static const struct engine_table tables[] = {STORE_TABLES(X){0}};
#undef X

/* In place of the committer's: its turns are made by a thread of the scheduler. */
static struct {
    const struct upkeep *list[UPKEEPS];
    unsigned n, next;
} upkeeps;

void committer_add_upkeep(struct committer *committer, const struct upkeep *upkeep)
{
    (void)committer;
    upkeeps.list[upkeeps.n++] = upkeep;
}

struct world {
    char dir[64];
    struct store store;
    struct env env;
    struct store_account account;
    struct sched *sched;
    struct session {
        struct world *world;
        struct store_reader *reader;
    } session[SESSIONS];
    bool running; /* sessions are there */
};

static void must(enum err e, const char *what)
{
    if (e)
        sched_broken("%s: %s", what, err_word(e));
}
#define MUST(call) must((call), #call)

/* --- the committer
 * --------------------------------------------------------------------------------- */

static void begin(struct world *w, struct turn *turn)
{
    *turn = (struct turn){.env = &w->env, .now = clock_wall()};
    MUST(engine_turn_begin(w->env.engine, &turn->txn));
    turn->id = engine_txn_id(turn->txn);
}

static void finish(struct turn *turn)
{
    while (turn->events) {
        struct event *next = turn->events->next;
        mem_free(turn->events);
        turn->events = next;
    }
    mem_free(turn->orphans);
}

static void commit(struct world *w, struct turn *turn)
{
    sched_point("committer: about to commit");
    MUST(engine_turn_commit(turn->txn));
    sched_point("committer: committed, not yet noted");
    reap_committed(&w->env, turn);
    finish(turn);
}

/* The disk had no room: what was done in this turn was not done. */
static void roll_back(struct turn *turn)
{
    engine_turn_abort(turn->txn);
    finish(turn);
}

static void put_body(struct turn *turn, uint64_t blob)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    struct row_blob row = {.refs = 1, .size = BODY_OCTETS, .stored = BODY_OCTETS};
    struct row_bown owner = {.a = ACCOUNT, .size = BODY_OCTETS};
    memset(octets, (int)(blob & 0xff), BODY_OCTETS);
    uint64_t sum = XXH3_64bits_withSeed(octets, BODY_OCTETS, blob ^ 0);
    memcpy(octets + BODY_OCTETS, &sum, sizeof sum);
    MUST(turn_put(turn, DBI_BODY, key_chunk(&key, blob, 0), slice(octets, BODY_OCTETS + 8)));
    MUST(turn_put(turn, DBI_BLOB, key_b(&key, blob), row_blob_encode(&row, octets)));
    MUST(turn_put(turn, DBI_BOWN, key_b(&key, blob), row_bown_encode(&owner, octets)));
}

/* The next UID of the mailbox names `blob`. */
static uint32_t put_message(struct turn *turn, struct box *box, uint64_t blob)
{
    struct key key;
    struct hot_edit edit;
    unsigned char octets[ROW_MAX];
    uint32_t uid = box->row.uidnext++;
    struct hot_slot slot = {.modseq = ++box->row.highestmodseq, .size = BODY_OCTETS};
    struct row_msg msg = {.size = BODY_OCTETS, .blob = blob};
    hot_begin(&edit, turn, box);
    MUST(hot_insert(&edit, uid, &slot));
    MUST(hot_end(&edit));
    MUST(
        turn_put(turn, DBI_MSG, key_amu(&key, ACCOUNT, box->m, uid), row_msg_encode(&msg, octets)));
    return uid;
}

static void put_gone(struct turn *turn, struct box *box, uint32_t uid, unsigned why)
{
    struct key key;
    struct hot_edit edit;
    unsigned char octets[ROW_MAX];
    box->row.expunge_modseq = ++box->row.highestmodseq;
    struct row_gone gone = {.why = (uint8_t)(why | GONE_IS_TRANSIENT),
                            .size = BODY_OCTETS,
                            .expunge_modseq = box->row.expunge_modseq};
    hot_begin(&edit, turn, box);
    MUST(hot_remove(&edit, uid));
    MUST(hot_end(&edit));
    MUST(turn_put(turn, DBI_GONE, key_gone(&key, ACCOUNT, GONE_TRANSIENT, box->m, uid),
                  row_gone_encode(&gone, octets)));
    turn->transients = true;
    turn_event(turn, box);
}

static uint64_t blob_of(struct engine_txn *txn, uint32_t m, uint32_t uid)
{
    struct key key;
    struct slice value;
    struct row_msg msg;
    MUST(engine_get(txn, DBI_MSG, key_amu(&key, ACCOUNT, m, uid), &value));
    MUST(row_msg_decode(value, &msg));
    return msg.blob;
}

/* The UIDs of a mailbox (which never passes its first bucket). */
static unsigned uids_of(struct engine_txn *txn, uint32_t m, uint32_t uids[SEEN_MAX])
{
    struct key key;
    struct slice value;
    struct hot_row row;
    unsigned n = 0;
    enum err e = engine_get(txn, DBI_HOT, key_amu(&key, ACCOUNT, m, 0), &value);
    if (e == ERR_NOTFOUND)
        return 0;
    must(e, "hot");
    MUST(hot_open(value, &row));
    for (unsigned bit = 0; bit < BUCKET_UIDS && n < SEEN_MAX; bit++)
        if (hot_has(&row, bit))
            uids[n++] = bit;
    return n;
}

static void change(struct world *w, uint32_t m, bool move)
{
    struct turn turn;
    struct box box, to;
    uint32_t uids[SEEN_MAX];
    begin(w, &turn);
    MUST(box_load(turn.txn, &w->env, ACCOUNT, m, &box));
    unsigned n = uids_of(turn.txn, m, uids);
    if (n == 0) {
        uint64_t blob = turn_new_blob(&turn);
        put_body(&turn, blob);
        put_message(&turn, &box, blob);
    } else {
        uint32_t uid = uids[sched_choose(n)];
        if (move) {
            MUST(box_load(turn.txn, &w->env, ACCOUNT, ARCHIVE, &to));
            put_message(&turn, &to, blob_of(turn.txn, m, uid));
            MUST(turn_box_save(&turn, &to));
        }
        put_gone(&turn, &box, uid, move ? GONE_MOVED | GONE_NO_REF : GONE_EXPUNGED);
    }
    MUST(turn_box_save(&turn, &box));
    commit(w, &turn);
}

static bool upkeep(struct world *w, unsigned pages, bool disk_fails)
{
    for (unsigned i = 0; i < upkeeps.n; i++) {
        const struct upkeep *u = upkeeps.list[upkeeps.next++ % upkeeps.n];
        if (strcmp(u->name, "reap") != 0 && strcmp(u->name, "transient") != 0)
            continue;
        if (!u->due(&w->env, clock_wall()))
            continue;
        struct turn turn;
        begin(w, &turn);
        MUST(u->slice(&turn, pages));
        if (disk_fails)
            roll_back(&turn);
        else
            commit(w, &turn);
        return true;
    }
    return false;
}

static void committer(void *arg)
{
    struct world *w = arg;
    for (unsigned step = 0; step < COMMITTER_STEPS; step++) {
        switch (sched_choose(6)) {
        case 0:
            change(w, INBOX, false);
            break;
        case 1:
            change(w, INBOX, true);
            break;
        case 2:
            change(w, ARCHIVE, false);
            break;
        case 3:
            clock_shift(2); /* what is claimed or pinned is looked at again */
            break;
        default:
            upkeep(w, 1 + sched_choose(6), sched_choose(4) == 0); /* mostly half done */
        }
        sched_point("committer: between turns");
    }
}

/* --- sessions
 * -------------------------------------------------------------------------------------- */

static struct engine_txn *snap(struct session *s)
{
    struct engine_txn *txn;
    MUST(reader_snap(s->reader, &s->world->env, &txn));
    return txn;
}

static void idle(struct session *s)
{
    sched_point("session: end of callback");
    store_reader_idle(s->reader);
    sched_point("session: idle");
}

/* A body that was opened is there to the last octet, whatever happens to its message. */
static void read_body(struct session *s, struct store_body *body)
{
    for (unsigned times = 1 + sched_choose(3); times; times--) {
        struct iovec iov;
        int n;
        idle(s);
        must(store_body_map(body, s->reader, 0, &iov, 1, &n), "a pinned body is read");
        if (n != 1 || iov.iov_len != BODY_OCTETS)
            sched_broken("a pinned body has %d pieces", n);
    }
    idle(s);
    store_body_close(body);
}

/* Opens (m, uid), of which this session knows that its row may not go: it was in `hot` in this
 * snapshot, or a claim holds it. Moved and then expunged elsewhere: ERR_GONE. */
static void open_and_read(struct session *s, uint32_t m, uint32_t uid)
{
    struct key key;
    struct slice value;
    struct store_body *body;
    struct row_gone gone = {0};
    struct engine_txn *txn = snap(s);
    enum err e = engine_get(txn, DBI_MSG, key_amu(&key, ACCOUNT, m, uid), &value);
    if (e)
        sched_broken("row %u of mailbox %u was dropped under a claim: %s", uid, m, err_word(e));
    if (engine_get(txn, DBI_GONE, key_gone(&key, ACCOUNT, GONE_TRANSIENT, m, uid), &value) ==
        ERR_OK)
        MUST(row_gone_decode(value, &gone));
    e = body_open_message(s->reader, &s->world->env, ACCOUNT, m, uid, NULL, &body);
    if (e == ERR_GONE && gone.why & GONE_NO_REF)
        return;
    must(e, "the body of a claimed message is opened");
    read_body(s, body);
}

static void look(struct session *s)
{
    uint32_t uids[SEEN_MAX], m = sched_choose(2) ? INBOX : ARCHIVE;
    unsigned n = uids_of(snap(s), m, uids);
    if (n)
        open_and_read(s, m, uids[sched_choose(n)]);
}

static void view(struct session *s)
{
    struct told_pin pin;
    struct box box;
    uint32_t uids[SEEN_MAX], m = sched_choose(2) ? INBOX : ARCHIVE;
    struct engine_txn *txn = snap(s);
    MUST(box_load(txn, &s->world->env, ACCOUNT, m, &box));
    unsigned n = uids_of(txn, m, uids);
    sched_point("session: seen, not yet claimed");
    boxes_pin_told(&s->world->store, ACCOUNT, m, box.row.highestmodseq, &pin);
    idle(s);
    for (unsigned i = 0; i < 2 && n; i++) {
        open_and_read(s, m, uids[sched_choose(n)]);
        idle(s);
    }
    boxes_unpin_told(&pin);
}

static void session(void *arg)
{
    struct session *s = arg;
    for (unsigned step = 0; step < SESSION_STEPS; step++) {
        if (sched_choose(2))
            view(s);
        else
            look(s);
        idle(s);
    }
}

/* --- the world
 * ------------------------------------------------------------------------------------- */

static void make_rows(struct world *w)
{
    struct turn turn;
    struct acct acct = {.a = ACCOUNT};
    begin(w, &turn);
    MUST(turn_acct_save(&turn, &acct));
    for (uint32_t m = INBOX; m <= ARCHIVE; m++) {
        struct box box = {.a = ACCOUNT, .m = m};
        box.row = (struct row_mbox){.uidvalidity = m, .uidnext = 1, .highestmodseq = 1};
        MUST(turn_box_save(&turn, &box));
    }
    commit(w, &turn);
}

static int start(void **state)
{
    char path[96];
    static struct world w;
    struct fault why;
    memset(&w, 0, sizeof w);
    snprintf(w.dir, sizeof w.dir, "%s/tandem-gate-XXXXXX",
             access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
    assert_non_null(mkdtemp(w.dir));
    snprintf(path, sizeof path, "%s/store.mdb", w.dir);
    struct engine_conf conf = {
        .path = path, .tables = tables, .map_size = (uint64_t)1 << 28, .create = true};
    assert_ok(engine_open(&conf, &w.env.engine, &why));
    pthread_mutex_init(&w.store.readers_lock, NULL);
    w.store.shard[0] = &w.env;
    w.store.catalog = &w.env; /* nobody asks it for settings here */
    w.store.nshards = 1;
    w.store.boxes = boxes_new(&w.store);
    w.env.store = &w.store;
    w.env.next_blob = 1;
    w.env.pins = pins_new();
    reap_register(&w.env);
    gone_register(&w.env);
    sweep_register(&w.env);
    for (unsigned i = 0; i < SESSIONS; i++) {
        w.session[i].world = &w;
        assert_ok(store_reader_new(&w.store, NULL, &w.session[i].reader));
    }
    w.sched = sched_new(SESSIONS + 1);
    *state = &w;
    return 0;
}

static int stop(void **state)
{
    char command[96];
    struct world *w = *state;
    sched_free(w->sched);
    for (unsigned i = 0; i < SESSIONS; i++)
        store_reader_free(w->session[i].reader);
    gone_free(w->env.gone);
    reap_free(w->env.reaper);
    sweep_free(w->env.sweep);
    boxes_free(w->store.boxes);
    pins_free(w->env.pins);
    engine_close(w->env.engine);
    upkeeps.n = 0;
    snprintf(command, sizeof command, "rm -r '%s'", w->dir);
    return system(command) == 0 ? 0 : -1;
}

static uint64_t rows(struct world *w, unsigned dbi)
{
    uint64_t n = rows_count(snap(&w->session[0]), dbi);
    store_reader_idle(w->session[0].reader);
    return n;
}

static uint64_t living(struct world *w)
{
    uint32_t uids[SEEN_MAX];
    struct engine_txn *txn = snap(&w->session[0]);
    uint64_t n = uids_of(txn, INBOX, uids) + uids_of(txn, ARCHIVE, uids);
    store_reader_idle(w->session[0].reader);
    return n;
}

/* With nobody there, upkeep ends, and what is left is what somebody names. */
static void nothing_leaks(struct world *w)
{
    for (unsigned quiet = 0; quiet < 2;) {
        quiet = upkeep(w, UPKEEP_PAGES, false) ? 0 : quiet + 1;
        clock_shift(2);
    }
    uint64_t n = living(w);
    static const unsigned by_message[] = {DBI_MSG, DBI_BLOB, DBI_BODY, DBI_BOWN};
    for (unsigned i = 0; i < 4; i++)
        if (rows(w, by_message[i]) != n)
            sched_broken("table %u has %llu rows for %llu messages", by_message[i],
                         (unsigned long long)rows(w, by_message[i]), (unsigned long long)n);
    if (rows(w, DBI_GONE) || rows(w, DBI_REAP))
        sched_broken("%llu transient rows and %llu bodies to reap are left",
                     (unsigned long long)rows(w, DBI_GONE), (unsigned long long)rows(w, DBI_REAP));
}

static void clear_out(struct world *w)
{
    uint32_t uids[SEEN_MAX];
    for (uint32_t m = INBOX; m <= ARCHIVE && living(w); m++) {
        struct turn turn;
        struct box box;
        begin(w, &turn);
        MUST(box_load(turn.txn, &w->env, ACCOUNT, m, &box));
        for (unsigned n; (n = uids_of(turn.txn, m, uids)) > 0;)
            put_gone(&turn, &box, uids[n - 1], GONE_EXPUNGED);
        MUST(turn_box_save(&turn, &box));
        commit(w, &turn);
    }
    nothing_leaks(w);
}

static void no_order_reads_what_was_destroyed_and_nothing_leaks(void **state)
{
    struct world *w = *state;
    const char *wish = getenv("TANDEM_SCHED_RUNS");
    unsigned long runs = wish ? strtoul(wish, NULL, 10) : RUNS;
    sched_thread *run[SESSIONS + 1] = {committer};
    void *arg[SESSIONS + 1] = {w};
    for (unsigned i = 0; i < SESSIONS; i++) {
        run[i + 1] = session;
        arg[i + 1] = &w->session[i];
    }
    for (unsigned long seed = 1; seed <= runs; seed++) {
        if (seed % 8 == 1) { /* UIDs start again: they are never to pass the first bucket */
            clear_out(w);
            make_rows(w);
        }
        sched_run(w->sched, seed, run, arg);
        nothing_leaks(w);
    }
    print_message("# %lu runs\n", runs);
}

/* --- the gate by itself --------------------------------------------------------------------------
 */

static void the_gate_waits_for_older_snapshots_and_for_who_is_busy(void **state)
{
    (void)state;
    struct env *env = mem_new(sizeof *env);
    assert_true(gate_passed(env, 100));
    gate_enter(env, 3);
    assert_false(gate_passed(env, 100)); /* may yet choose an old one */
    atomic_store(&env->gate[3], 99);
    assert_false(gate_passed(env, 100));
    assert_true(gate_passed(env, 99)); /* sees commit 99, and so what it did */
    atomic_store(&env->gate[3], 100);
    assert_true(gate_passed(env, 100));
    atomic_store(&env->gate[READER_SLOTS - 1], 5);
    assert_false(gate_passed(env, 100));
    atomic_store(&env->gate[READER_SLOTS - 1], 0);
    assert_true(gate_passed(env, 100));
    mem_free(env);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_gate_waits_for_older_snapshots_and_for_who_is_busy),
        cmocka_unit_test_setup_teardown(no_order_reads_what_was_destroyed_and_nothing_leaks, start,
                                        stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
