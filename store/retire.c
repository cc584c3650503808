#include "store/retire.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/account.h"
#include "store/keyword.h"

enum { WISHES_MAX = 256, AGAIN_MS = 600 * 1000, SLICE_BUCKETS = 256, SLICE_GONE = 4096 };

/* A mailbox whose table is full. */
struct wish {
    uint32_t a, m;
    bool granted;      /* for this time */
    uint64_t again_ms; /* then it may be scanned once more */
};

struct scan {
    enum { SCAN_NONE, SCAN_MARK, SCAN_HOT, SCAN_GONE, SCAN_FREE } phase;
    uint32_t a, m;
    uint64_t found; /* keywords that messages have */
    bool freed;     /* some that they have not */
    uint32_t bucket;
    struct { /* the next `gone` row */
        uint32_t time, m, u;
    } gone;
};

struct retire {
    pthread_mutex_t lock;
    struct wish wish[WISHES_MAX]; /* under the lock */
    unsigned n;
    /* The committer's own: how far this slice has come, and how far those came that were committed:
     * what was seen in a turn that is aborted was not so. */
    struct scan here, safe;
};

/* --- wishes --------------------------------------------------------------------------------------
 */

/* Under the lock. The mailbox's, or one that may be forgotten, or a new one; NULL: too many. */
static struct wish *wish_of(struct retire *r, uint32_t a, uint32_t m, uint64_t now)
{
    struct wish *room = NULL;
    for (unsigned i = 0; i < r->n; i++) {
        struct wish *wish = &r->wish[i];
        if (wish->a == a && wish->m == m)
            return wish;
        if (wish->granted && now >= wish->again_ms)
            room = wish;
    }
    if (!room && r->n < WISHES_MAX)
        room = &r->wish[r->n++];
    if (room)
        *room = (struct wish){.a = a, .m = m};
    return room;
}

void retire_keywords(struct env *env, uint32_t a, uint32_t m)
{
    struct retire *r = env->retire;
    uint64_t now = clock_mono_ms();
    if (!r)
        return;
    pthread_mutex_lock(&r->lock);
    struct wish *wish = wish_of(r, a, m, now);
    if (wish && now >= wish->again_ms)
        wish->granted = false;
    pthread_mutex_unlock(&r->lock);
}

static bool take_wish(struct retire *r, struct scan *ret)
{
    bool found = false;
    pthread_mutex_lock(&r->lock);
    for (unsigned i = 0; !found && i < r->n; i++) {
        found = !r->wish[i].granted;
        if (found)
            *ret = (struct scan){.phase = SCAN_MARK, .a = r->wish[i].a, .m = r->wish[i].m};
    }
    pthread_mutex_unlock(&r->lock);
    return found;
}

/* What gave nothing is not worth another look soon. */
static void grant_wish(struct retire *r, const struct scan *s)
{
    uint64_t now = clock_mono_ms();
    pthread_mutex_lock(&r->lock);
    struct wish *wish = wish_of(r, s->a, s->m, now);
    if (wish) {
        wish->granted = true;
        wish->again_ms = s->freed ? now : now + AGAIN_MS;
    }
    pthread_mutex_unlock(&r->lock);
}

/* --- the table -----------------------------------------------------------------------------------
 */

static enum err mark(struct turn *turn, struct scan *s)
{
    struct row_kw row;
    enum err e = keyword_table(turn->txn, s->a, s->m, &row);
    if (e)
        return e;
    if (!keyword_table_full(turn->env->store, &row)) {
        s->phase = SCAN_NONE;
        return ERR_OK;
    }
    for (unsigned i = 0; i < row.n; i++)
        if (row.word[i].state != KW_FREE) /* there are such when the limit has become lower */
            row.word[i].state = KW_RETIRING;
    s->phase = SCAN_HOT;
    return keyword_table_save(turn, s->a, s->m, &row);
}

/* Sessions hear of it as of any change of the mailbox. */
static enum err tell(struct turn *turn, struct box *box)
{
    box->row.highestmodseq++;
    turn_event(turn, box)->keywords = true;
    return turn_box_save(turn, box);
}

static enum err free_unused(struct turn *turn, struct scan *s, struct box *box)
{
    struct row_kw row;
    bool changed = false;
    enum err e = keyword_table(turn->txn, s->a, s->m, &row);
    if (e)
        return e;
    for (unsigned i = 0; i < row.n; i++) {
        if (row.word[i].state != KW_RETIRING)
            continue;
        changed = true;
        row.word[i].state = KW_USED;
        if (s->found >> i & 1)
            continue;
        s->freed = true;
        row.word[i].state = KW_FREE;
        row.word[i].name = SLICE_NONE;
    }
    s->phase = SCAN_NONE;
    row.gen += s->freed;
    if (changed)
        e = keyword_table_save(turn, s->a, s->m, &row);
    return !e && s->freed ? tell(turn, box) : e;
}

/* --- the messages --------------------------------------------------------------------------------
 */

static enum err see_bucket(struct scan *s, struct slice key, struct slice value)
{
    struct hot_row row;
    enum err e = hot_open(value, &row);
    if (e || !key_get32(key, 8, &s->bucket))
        return ERR_CORRUPT;
    for (unsigned bit = 0; bit < BUCKET_UIDS; bit++) {
        struct hot_slot slot;
        if (!hot_has(&row, bit))
            continue;
        hot_read(&row, bit, &slot);
        s->found |= slot.keywords;
    }
    s->bucket++;
    return ERR_OK;
}

static enum err see_gone(struct scan *s, struct slice key, struct slice value)
{
    struct row_gone row;
    enum err e = row_gone_decode(value, &row);
    if (e || !key_get32(key, 4, &s->gone.time) || !key_get32(key, 8, &s->gone.m) ||
        !key_get32(key, 12, &s->gone.u))
        return ERR_CORRUPT;
    if (s->gone.m == s->m && row.kind == GONE_MESSAGE)
        s->found |= row.keywords;
    s->gone.u++; /* no message has UID 2^32 - 1 */
    return ERR_OK;
}

/* ERR_NOTFOUND: that was the last row. */
static enum err see_rows(struct turn *turn, unsigned dbi, struct slice prefix, struct slice from,
                         struct scan *s, unsigned n,
                         enum err (*see)(struct scan *s, struct slice key, struct slice value))
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(turn->txn, dbi, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, from);
    while (!e && n--) {
        e = see(s, cursor.key, cursor.value);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e;
}

static enum err see_hot(struct turn *turn, struct scan *s)
{
    struct key prefix, from;
    enum err e = see_rows(turn, DBI_HOT, key_am(&prefix, s->a, s->m),
                          key_amu(&from, s->a, s->m, s->bucket), s, SLICE_BUCKETS, see_bucket);
    if (e == ERR_NOTFOUND)
        s->phase = SCAN_GONE;
    if (s->found == UINT64_MAX)
        s->phase = SCAN_FREE; /* there is nothing to be had */
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err see_window(struct turn *turn, struct scan *s)
{
    struct key prefix, from;
    enum err e = see_rows(turn, DBI_GONE, key_a(&prefix, s->a),
                          key_gone(&from, s->a, s->gone.time, s->gone.m, s->gone.u), s, SLICE_GONE,
                          see_gone);
    if (e == ERR_NOTFOUND)
        s->phase = SCAN_FREE;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* --- slices --------------------------------------------------------------------------------------
 */

static bool due(struct env *env, uint32_t now)
{
    struct retire *r = env->retire;
    (void)now;
    if (r->safe.phase == SCAN_NONE && !take_wish(r, &r->safe))
        return false;
    r->here = r->safe;
    return true;
}

static enum err step(struct turn *turn, struct scan *s)
{
    struct acct acct;
    struct box box;
    enum err e = account_for_change(turn, s->a, &acct);
    if (!e)
        e = box_load(turn->txn, turn->env, s->a, s->m, &box);
    if (e || box.row.state != MBOX_LIVE) {
        s->phase = SCAN_NONE; /* it has no more use for keywords */
        return e == ERR_NOTFOUND || e == ERR_FROZEN ? ERR_OK : e;
    }
    switch (s->phase) {
    case SCAN_MARK:
        return mark(turn, s);
    case SCAN_HOT:
        return see_hot(turn, s);
    case SCAN_GONE:
        return see_window(turn, s);
    default:
        return free_unused(turn, s, &box);
    }
}

static enum err slice_of_scan(struct turn *turn, unsigned pages)
{
    struct retire *r = turn->env->retire;
    (void)pages; /* it dirties three at most */
    enum err e = step(turn, &r->here);
    if (e && e != ERR_FULL) { /* damage: the table stays as it is */
        grant_wish(r, &r->safe);
        r->here.phase = r->safe.phase = SCAN_NONE;
    }
    return e;
}

static void committed(struct env *env)
{
    struct retire *r = env->retire;
    bool was_on = r->safe.phase != SCAN_NONE;
    r->safe = r->here;
    if (was_on && r->safe.phase == SCAN_NONE)
        grant_wish(r, &r->safe);
}

void retire_register(struct env *env)
{
    static const struct upkeep keywords = {
        .name = "keywords", .due = due, .slice = slice_of_scan, .committed = committed};
    struct retire *r = env->retire = mem_new(sizeof *r);
    pthread_mutex_init(&r->lock, NULL);
    committer_add_upkeep(env->committer, &keywords);
}

void retire_free(struct retire *retire)
{
    if (!retire)
        return;
    pthread_mutex_destroy(&retire->lock);
    mem_free(retire);
}
