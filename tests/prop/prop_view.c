/* Several sessions over one mailbox that changes all the time. Each has a client that knows only
 * what it was told; it must always count as the view counts, and whenever an EXPUNGE may be told it
 * must end up with exactly the mailbox. What it may remember as HIGHESTMODSEQ must never hide a
 * change from it (RFC 7162 section 3.2).
 *
 *      prop_view [seed [steps]]        the seed is printed; without one, three fixed and a new one
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/boxes.h"
#include "store/view.h"
#include "tests/store/rig.h"

enum { SESSIONS = 7, MESSAGES_MAX = 1 << 18, CROWD = 500 };

static uint64_t seed, dice;
static unsigned step;

#define CHECK(cond, ...)                                                                           \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            printf("not ok - seed %" PRIu64 " step %u, %s:%d: %s: ", seed, step, __FILE__,         \
                   __LINE__, #cond);                                                               \
            printf(__VA_ARGS__);                                                                   \
            printf("\n");                                                                          \
            exit(1);                                                                               \
        }                                                                                          \
    } while (0)

/* xorshift64*: the same run for the same seed. */
static uint32_t roll(uint32_t n)
{
    dice ^= dice >> 12;
    dice ^= dice << 25;
    dice ^= dice >> 27;
    return (uint32_t)((dice * UINT64_C(0x2545f4914f6cdd1d)) >> 33) % n;
}

/* --- the mailbox as it is ------------------------------------------------------------------------
 */

struct message {
    uint32_t uid;
    bool alive, claimed; /* claimed: some session was told that it is recent */
    uint8_t sysflags;
    uint64_t keywords, modseq, arrived, expunged;
};

static struct {
    struct rig rig;
    uint32_t m, n, alive;
    bool deleted, unpublished;
    uint64_t highestmodseq;
    struct message message[MESSAGES_MAX];
} world;

/* A commit is seen by whoever looks, before and after it is heard of. */
static void world_publish(void)
{
    if (world.unpublished)
        rig_publish(&world.rig);
    world.unpublished = false;
}

static void world_begin(void)
{
    world_publish();
    rig_begin(&world.rig, world.m, 1000 + step);
}

static void world_commit(void)
{
    rig_commit(&world.rig);
    world.highestmodseq = world.rig.box.row.highestmodseq;
    world.unpublished = true;
    if (roll(4))
        world_publish();
}

static struct message *message_of(uint32_t uid)
{
    uint32_t lo = 0, hi = world.n;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (world.message[mid].uid < uid)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < world.n && world.message[lo].uid == uid ? &world.message[lo] : NULL;
}

static void world_arrive(uint32_t n)
{
    uint32_t uid = world.rig.box.row.uidnext;
    uint8_t sysflags = roll(2) ? FLAG_SEEN : 0;
    rig_arrive(&world.rig, n, sysflags);
    for (uint32_t i = 0; i < n; i++)
        world.message[world.n++] = (struct message){.uid = uid + i,
                                                    .alive = true,
                                                    .sysflags = sysflags,
                                                    .modseq = world.rig.box.row.highestmodseq,
                                                    .arrived = world.rig.box.row.highestmodseq};
    world.alive += n;
}

/* About `n` of the living, in clumps. */
static void pick(uint32_t n, struct uidset *ret)
{
    for (uint32_t left = n, tries = 0; left && world.n && tries < 4 * n; tries++) {
        uint32_t at = roll(world.n), run = roll(4) ? 1 : roll(8) + 1;
        for (; run && left && at < world.n; run--, at++)
            if (world.message[at].alive && !uidset_has(ret, world.message[at].uid)) {
                uidset_add(ret, world.message[at].uid, world.message[at].uid);
                left--;
            }
    }
}

static void world_flags(const struct uidset *uids)
{
    uint8_t sysflags = (uint8_t)roll(32);
    uint64_t keywords = roll(4);
    rig_flags(&world.rig, uids, sysflags, keywords);
    for (uint32_t uid = uidset_next(uids, 1); uid; uid = uidset_next(uids, uid + 1)) {
        struct message *m = message_of(uid);
        if (!m || !m->alive)
            continue;
        m->sysflags = sysflags;
        m->keywords = keywords;
        m->modseq = world.rig.box.row.highestmodseq;
    }
}

static void world_expunge(const struct uidset *uids)
{
    rig_expunge(&world.rig, uids, roll(2));
    for (uint32_t uid = uidset_next(uids, 1); uid; uid = uidset_next(uids, uid + 1)) {
        struct message *m = message_of(uid);
        m->alive = false;
        m->expunged = world.rig.box.row.highestmodseq;
        world.alive--;
    }
}

/* Rows that no view claims go, as the reaper and the trims do it. */
static void world_upkeep(void)
{
    struct store *store = &world.rig.store;
    for (unsigned i = 0; i <= RIG_LOOPS; i++)
        if (world.rig.reader[i]->any_live) /* the gate: it may be about to claim */
            return;
    uint64_t told = boxes_oldest_told(store, RIG_ACCOUNT, world.m);
    if (told == UINT64_MAX || told > world.highestmodseq)
        told = world.highestmodseq;
    rig_trim_tombs(&world.rig, told);
    for (unsigned i = 0; i < 20 && world.n; i++) {
        struct message *m = &world.message[roll(world.n)];
        if (!m->alive && !boxes_claims(store, RIG_ACCOUNT, world.m, m->expunged))
            rig_drop_gone(&world.rig, m->uid);
    }
}

static uint32_t some(void)
{
    switch (roll(8)) {
    case 0:
        return 33 + roll(100); /* more than an event names */
    case 1:
        return 10 + roll(30);
    default:
        return 1 + roll(3);
    }
}

static void world_change(void)
{
    struct uidset uids = {0};
    world_begin();
    for (unsigned ops = roll(4) ? 1 : 1 + roll(4); ops; ops--) {
        uidset_clear(&uids);
        switch (roll(10)) {
        case 0:
        case 1:
        case 2:
            if (roll(50) == 0)
                rig_skip_uids(&world.rig, roll(100000));
            if (world.n + 256 < MESSAGES_MAX)
                world_arrive(some());
            break;
        case 3:
        case 4:
        case 5:
        case 6:
            pick(some(), &uids);
            if (!uidset_empty(&uids))
                world_flags(&uids);
            break;
        case 7:
        case 8:
            pick(world.alive > CROWD ? 200 : some(), &uids);
            if (!uidset_empty(&uids))
                world_expunge(&uids);
            break;
        default:
            world_upkeep();
        }
    }
    world_commit();
    uidset_finish(&uids);
}

static void world_new_mailbox(void)
{
    world.m++;
    world.n = world.alive = 0;
    world.deleted = false;
    world_begin();
    world_arrive(1 + roll(50));
    world_commit();
}

static void world_delete_mailbox(void)
{
    world_begin();
    rig_delete_mailbox(&world.rig);
    world_commit();
    world.deleted = true;
}

/* --- sessions and what their clients know
 * --------------------------------------------------------- */

struct entry {
    bool known; /* fetched once; else only counted */
    bool own;   /* as this session's own STORE has left it */
    uint32_t uid;
    uint8_t sysflags;
    uint64_t keywords, modseq;
};

static struct session {
    struct store_view *view;
    unsigned reader;
    uint64_t id;
    bool read_only, woken;
    uint32_t mailbox;
    struct entry *entry;
    uint32_t n, cap;
} sessions[SESSIONS];

static struct store_reader *reader_of(const struct session *s)
{
    return world.rig.reader[s->reader];
}

static void end_callback(struct session *s)
{
    store_reader_idle(reader_of(s));
}

static void on_changed(void *object)
{
    struct session *s = object;
    s->woken = true;
}

static void client_exists(struct session *s, uint32_t exists)
{
    CHECK(exists >= s->n, "EXISTS %u after %u", exists, s->n);
    if (exists > s->cap) {
        s->cap = exists * 2;
        s->entry = mem_resize(s->entry, s->cap * sizeof *s->entry);
    }
    while (s->n < exists)
        s->entry[s->n++] = (struct entry){0};
}

/* Every message is recent to exactly one session that may claim it: the first to be told. */
static void check_recent(struct session *s, uint32_t from, uint32_t exists)
{
    if (s->read_only || s->mailbox != world.m)
        return;
    for (uint32_t number = from; number <= exists; number++) {
        uint32_t uid = store_view_uid(s->view, number);
        struct message *m = message_of(uid);
        CHECK(m, "uid %u was never there", uid);
        CHECK(view_is_recent(s->view, uid) == !m->claimed, "uid %u", uid);
        m->claimed = true;
    }
}

static uint32_t count_recent(const struct session *s)
{
    uint32_t n = 0;
    for (uint32_t number = 1; number <= s->n; number++)
        n += view_is_recent(s->view, store_view_uid(s->view, number));
    return n;
}

/* Arrivals and expunges of which nobody was told pass the claim by. */
static void claim_unseen(const struct session *s)
{
    for (uint32_t i = 0; i < world.n && !s->read_only && s->mailbox == world.m; i++)
        if (world.message[i].uid <= s->view->told_uid)
            world.message[i].claimed = true;
}

static void open_session(struct session *s)
{
    char path[16];
    s->reader = roll(RIG_LOOPS + 1);
    s->read_only = roll(4) == 0;
    s->mailbox = world.m;
    bool fresh = roll(3) != 0;
    if (fresh)
        end_callback(s);
    enum err e = store_view_open(reader_of(s), &world.rig.account, rig_path(world.m, path),
                                 s->read_only ? VIEW_READ_ONLY : 0, &s->view);
    if (e == ERR_NOTFOUND && !fresh) /* its snapshot is from before the mailbox was made */
        return;
    CHECK(e == ERR_OK, "%s", err_word(e));
    if (s->reader < RIG_LOOPS) {
        s->id = loop_id_new(world.rig.loop[s->reader], s);
        store_view_watch(s->view, s->id, on_changed);
    }
    s->view->ghosts_max = roll(3) ? 2000 : 150;
    s->view->flagged_max = roll(3) ? FLAGGED_MAX : 8;
    s->n = 0;
    client_exists(s, store_view_exists(s->view));
    CHECK(!fresh || s->n == world.alive, "%u", s->n);
    check_recent(s, 1, s->n);
    claim_unseen(s);
    s->woken = false;
    if (roll(2))
        end_callback(s);
}

static void close_session(struct session *s)
{
    if (s->view && s->reader < RIG_LOOPS)
        loop_id_drop(world.rig.loop[s->reader], s->id);
    store_view_close(s->view);
    s->view = NULL;
    s->n = 0;
}

/* A client that comes back with what it has and `told` as its HIGHESTMODSEQ would be told of every
 * change that it does not know. */
static void check_told(const struct session *s)
{
    uint64_t told = store_view_told(s->view);
    if (s->mailbox != world.m || world.deleted || s->view->dead)
        return;
    for (uint32_t i = 0; i < s->n; i++) {
        const struct entry *entry = &s->entry[i];
        uint32_t uid = store_view_uid(s->view, i + 1);
        const struct message *m = message_of(uid);
        CHECK(m, "uid %u was never there", uid);
        CHECK(!entry->known || entry->uid == uid, "number %u: %u, not %u", i + 1, uid, entry->uid);
        CHECK(m->alive || m->expunged > told, "uid %u: expunge %" PRIu64 " is hidden", uid,
              m->expunged);
        CHECK(!m->alive || !entry->known || m->modseq > told ||
                  (m->sysflags == entry->sysflags && m->keywords == entry->keywords),
              "uid %u: flags of %" PRIu64 " are hidden by %" PRIu64, uid, m->modseq, told);
    }
    uint32_t counted = s->n;
    for (uint32_t i = 0; i < world.n; i++)
        if (world.message[i].alive && world.message[i].uid > s->view->told_uid)
            CHECK(world.message[i].arrived > told, "uid %u is hidden", world.message[i].uid);
    CHECK(store_view_exists(s->view) == counted, "%u", store_view_exists(s->view));
}

static void client_expunge(struct session *s, const struct store_changes *c)
{
    CHECK(!c->nexpunged || uidset_count(c->vanished) == c->nexpunged, "%zu", c->nexpunged);
    for (size_t i = 0; i < c->nexpunged; i++) {
        uint32_t number = c->expunged[i];
        CHECK(number >= 1 && number <= s->n, "EXPUNGE %u of %u", number, s->n);
        const struct entry *entry = &s->entry[number - 1];
        CHECK(!entry->known || uidset_has(c->vanished, entry->uid), "uid %u", entry->uid);
        memmove(s->entry + number - 1, s->entry + number, (s->n - number) * sizeof *s->entry);
        s->n--;
    }
}

static void client_flags(struct session *s, const struct store_flagged *f)
{
    CHECK(f->seqnum >= 1 && f->seqnum <= s->n, "FETCH %u of %u", f->seqnum, s->n);
    struct entry *entry = &s->entry[f->seqnum - 1];
    CHECK(!entry->known || entry->uid == f->uid, "FETCH %u: %u, not %u", f->seqnum, f->uid,
          entry->uid);
    CHECK(!entry->own || entry->modseq != f->modseq, "uid %u: its own flags", f->uid);
    CHECK(f->recent == view_is_recent(s->view, f->uid), "uid %u", f->uid);
    *entry = (struct entry){true, false, f->uid, f->sysflags, f->keywords, f->modseq};
}

/* The client is at a legal moment and the rows are fresh: it has all of it, and nothing else. */
static void check_equal(const struct session *s)
{
    CHECK(s->n == world.alive, "%u, not %u", s->n, world.alive);
    CHECK(store_view_told(s->view) == world.highestmodseq, "told %" PRIu64,
          store_view_told(s->view));
    uint32_t number = 0;
    for (uint32_t i = 0; i < world.n; i++) {
        const struct message *m = &world.message[i];
        if (!m->alive)
            continue;
        const struct entry *entry = &s->entry[number++];
        CHECK(store_view_uid(s->view, number) == m->uid, "number %u", number);
        CHECK(store_view_seqnum(s->view, m->uid) == number, "uid %u", m->uid);
        CHECK(!entry->known || (entry->uid == m->uid && entry->sysflags == m->sysflags &&
                                entry->keywords == m->keywords && entry->modseq == m->modseq),
              "uid %u: what the client knows", m->uid);
    }
}

static void sync_session(struct session *s)
{
    unsigned what = roll(2) ? SYNC_EXPUNGE : 0;
    struct store_changes c;
    bool fresh = roll(3) != 0;
    if (fresh)
        end_callback(s);
    do {
        uint64_t told = store_view_told(s->view);
        enum err e = store_view_sync(s->view, what, &c);
        if (e == ERR_LIMIT || e == ERR_NOTFOUND) {
            CHECK(e == ERR_LIMIT ? what == 0 : s->view->dead_told, "%s", err_word(e));
            close_session(s);
            return;
        }
        CHECK(e == ERR_OK, "%s", err_word(e));
        CHECK(what || !c.nexpunged, "%zu EXPUNGE where none is legal", c.nexpunged);
        CHECK(store_view_told(s->view) >= told, "told fell");
        client_expunge(s, &c);
        if (c.deleted) {
            CHECK(s->n == 0 && store_view_exists(s->view) == 0, "%u are left", s->n);
            return;
        }
        uint32_t before = s->n;
        if (c.exists_changed) {
            client_exists(s, c.exists);
            check_recent(s, before + 1, c.exists);
            CHECK(c.recent == count_recent(s), "RECENT %u", c.recent);
        }
        if (!s->view->dead)
            claim_unseen(s);
        for (size_t i = 0; i < c.nflagged; i++)
            client_flags(s, &c.flagged[i]);
        s->woken = c.more; /* the session knows that it must ask again */
        check_told(s);
    } while (c.more && roll(8));
    if (fresh && what && !c.more && !s->view->dead && s->mailbox == world.m)
        check_equal(s);
}

static void turn_loop(unsigned loop)
{
    world_publish();
    rig_turn_loop(&world.rig, loop);
    for (unsigned i = 0; i < SESSIONS; i++) {
        const struct session *s = &sessions[i];
        if (s->view && s->reader == loop && s->mailbox == world.m)
            CHECK(s->woken || s->view->flags_told >= world.highestmodseq || s->view->dead,
                  "session %u sleeps over a commit", i);
    }
}

/* What may come between two messages of a walk. False: their numbers have changed, or it must end.
 */
static bool pause_walk(struct session *s, bool *fresh)
{
    *fresh = false;
    if (roll(2) && !world.deleted)
        world_change();
    if (roll(2))
        turn_loop(roll(RIG_LOOPS));
    end_callback(s);
    if (roll(4))
        return true;
    sync_session(s);
    return false;
}

static void fetch_session(struct session *s)
{
    struct uidset wish = {0}, there = {0};
    struct store_cursor cursor;
    struct store_message m;
    const unsigned wants[] = {WANT_HOT, WANT_MSG, WANT_MSG | WANT_CACHE};
    unsigned want = wants[roll(3)];
    bool fresh = roll(3) != 0, same = true; /* up to date; as numbered when the walk began */
    if (fresh)
        end_callback(s);
    uint32_t first = roll(3) ? store_view_uid(s->view, 1 + roll(s->n + 1)) : 1;
    uidset_add(&wish, first ? first : 1, roll(2) ? UINT32_MAX : (first ? first : 1) + roll(1000));
    store_view_select(s->view, &wish, &there);
    uint64_t left = uidset_count(&there);
    store_cursor_init(&cursor, s->view, &wish, want, 0);
    while (s->view && !s->view->dead_told) {
        enum err e = store_cursor_next(&cursor, &m);
        if (e == ERR_AGAIN)
            continue;
        CHECK(e != ERR_NOTFOUND || !same || left == 0, "%" PRIu64 " are missing", left);
        if (e == ERR_NOTFOUND || e == ERR_LIMIT)
            break;
        CHECK(e == ERR_OK, "%s", err_word(e));
        CHECK(!same || uidset_has(&there, m.uid), "uid %u", m.uid);
        CHECK(want == WANT_HOT || m.hdr_len == m.uid || (m.ghost && m.size == 0),
              "uid %u: row of %u", m.uid, m.hdr_len);
        CHECK(m.seqnum >= 1 && m.seqnum <= s->n, "number %u of %u", m.seqnum, s->n);
        left--;
        struct entry *entry = &s->entry[m.seqnum - 1];
        const struct message *is = message_of(m.uid);
        CHECK(!entry->known || entry->uid == m.uid, "number %u: %u, not %u", m.seqnum, m.uid,
              entry->uid);
        if (fresh && s->mailbox == world.m && !world.deleted) {
            CHECK(m.ghost == !is->alive, "uid %u", m.uid);
            CHECK((m.sysflags | (m.ghost ? FLAG_DELETED : 0)) ==
                      (is->sysflags | (m.ghost ? FLAG_DELETED : 0)),
                  "uid %u: flags", m.uid);
            CHECK(m.size == m.uid * 10, "uid %u: size %u", m.uid, m.size);
            CHECK(m.ghost || m.modseq == is->modseq, "uid %u: modseq", m.uid);
        }
        if (!m.ghost && !(entry->known && entry->modseq >= m.modseq))
            *entry = (struct entry){true, false, m.uid, m.sysflags, m.keywords, m.modseq};
        if (roll(40) == 0)
            break;
        if (roll(100) == 0)
            same &= pause_walk(s, &fresh);
    }
    uidset_finish(&wish);
    uidset_finish(&there);
}

/* STORE: the client is told by its own command, and never again of the same. */
static void store_session(struct session *s)
{
    struct uidset uids = {0}, changed = {0};
    for (uint32_t n = some(); n && s->n; n--) {
        uint32_t uid = store_view_uid(s->view, 1 + roll(s->n));
        uidset_add(&uids, uid, uid);
    }
    world_begin();
    world_flags(&uids);
    world_commit();
    for (uint32_t uid = uidset_next(&uids, 1); uid; uid = uidset_next(&uids, uid + 1)) {
        const struct message *m = message_of(uid);
        if (!m->alive)
            continue;
        s->entry[store_view_seqnum(s->view, uid) - 1] =
            (struct entry){true, true, uid, m->sysflags, m->keywords, m->modseq};
        uidset_add(&changed, uid, uid);
    }
    end_callback(s); /* a completion waits for a reader that sees its commit */
    store_view_own(s->view, &changed, world.highestmodseq);
    uidset_finish(&uids);
    uidset_finish(&changed);
}

static void act(struct session *s)
{
    if (!s->view) {
        if (world.deleted)
            world_new_mailbox();
        open_session(s);
        return;
    }
    switch (roll(10)) {
    case 0:
        if (roll(10) == 0)
            close_session(s);
        break;
    case 1:
    case 2:
        if (!s->view->dead_told)
            fetch_session(s);
        break;
    case 3:
        if (s->mailbox == world.m && !world.deleted && !s->view->dead)
            store_session(s);
        break;
    case 4:
        end_callback(s);
        break;
    default:
        sync_session(s);
    }
}

static void run(uint64_t with, unsigned steps)
{
    seed = dice = with ? with : 1;
    memset(&world, 0, sizeof world);
    memset(sessions, 0, sizeof sessions);
    rig_start(&world.rig);
    world_new_mailbox();
    for (step = 0; step < steps; step++) {
        uint32_t r = roll(100);
        if (r < 25 && !world.deleted)
            world_change();
        else if (r < 40)
            turn_loop(roll(RIG_LOOPS));
        else if (r == 40 && roll(40) == 0 && !world.deleted)
            world_delete_mailbox();
        else
            act(&sessions[roll(SESSIONS)]);
    }
    for (unsigned i = 0; i < SESSIONS; i++) {
        close_session(&sessions[i]);
        mem_free(sessions[i].entry);
    }
    world_publish();
    rig_stop(&world.rig);
    printf("ok - seed %" PRIu64 ", %u steps\n", seed, steps);
}

int main(int argc, char **argv)
{
    unsigned steps = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 15000;
    setvbuf(stdout, NULL, _IOLBF, 0);
    if (argc > 1) {
        printf("1..1\n");
        run(strtoull(argv[1], NULL, 10), steps);
        return 0;
    }
    printf("1..4\n");
    for (uint64_t s = 1; s <= 3; s++)
        run(s, steps);
    run(random_u64() >> 1, steps);
    return 0;
}
