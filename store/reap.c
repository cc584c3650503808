#include "store/reap.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/gone.h"
#include "store/pins.h"
#include "store/sched.h"

enum {
    SLICE_OCTETS = 4 << 20,
    SLICE_BODIES = 512, /* small ones: bounds the time that a slice takes */
    LEFTOVERS_AT_ONCE = 4096,
    PINNED_RETRY_MS = 1000
};

struct orphan {
    uint64_t blob;
    uint64_t txn; /* whose commit orphaned it; 0: before the start */
};

struct orphans {
    struct orphan *list;
    size_t n, cap;
};

/* Where each orphan of this process is: `waiting` in the order of commits until a slice looks at
 * it, `pinned` while somebody reads it. What is in neither but has a `reap` row is from before the
 * start, or from a slice that was rolled back; such rows are read when both lists are empty, so
 * that memory holds what is new and the table the rest. */
struct reaper {
    struct orphans waiting, pinned;
    size_t first;       /* of waiting: those before it are done */
    size_t settled;     /* done by this slice, if its turn commits */
    uint64_t retry_ms;  /* when the pinned are looked at again */
    bool table_empty;   /* no row is unknown to the lists */
    uint64_t stage_end; /* `stage` rows below are from before the start */
    bool stage_swept;
    struct orphans unstaged; /* uploads given up, whose row could not be deleted */
};

static void orphan_add(struct orphans *list, uint64_t blob, uint64_t txn)
{
    if (list->n == list->cap) {
        list->cap = list->cap ? list->cap * 2 : 64;
        list->list = mem_resize(list->list, list->cap * sizeof *list->list);
    }
    list->list[list->n++] = (struct orphan){blob, txn};
}

static bool idle(const struct reaper *r)
{
    return r->first == r->waiting.n && r->pinned.n == 0;
}

void reap_committed(struct env *env, const struct turn *turn)
{
    struct reaper *r = env->reaper;
    gone_committed(env, turn);
    if (!r)
        return; /* the catalog has no bodies */
    if (turn->slice_of == r)
        r->first += r->settled;
    r->settled = 0;
    if (r->first > r->waiting.n / 2) {
        r->waiting.n -= r->first;
        memmove(r->waiting.list, r->waiting.list + r->first,
                r->waiting.n * sizeof *r->waiting.list);
        r->first = 0;
    }
    for (size_t i = 0; i < turn->norphans; i++)
        orphan_add(&r->waiting, turn->orphans[i], turn->id);
}

/* --- deleting one body -------------------------------------------------------------------------
 */

/* ERR_AGAIN: the slice is used up, and the rest of the body waits. */
static enum err delete_chunks(struct turn *turn, uint64_t blob, size_t *octets)
{
    struct key prefix, key;
    struct slice of_blob = key_b(&prefix, blob), found, value;
    for (;;) {
        enum err e = engine_first(turn->txn, DBI_BODY, of_blob, of_blob, &found, &value);
        uint32_t chunk;
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (*octets >= SLICE_OCTETS)
            return ERR_AGAIN;
        if (!key_get32(found, 8, &chunk))
            return ERR_CORRUPT;
        *octets += value.len;
        e = turn_del(turn, DBI_BODY, key_chunk(&key, blob, chunk));
        if (e)
            return e;
    }
}

static enum err delete_row(struct turn *turn, unsigned dbi, struct slice key)
{
    enum err e = turn_del(turn, dbi, key);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err delete_body(struct turn *turn, uint64_t blob, size_t *octets)
{
    struct key key;
    struct slice k = key_b(&key, blob), value;
    struct row_blob row;
    enum err e = engine_get(turn->txn, DBI_BLOB, k, &value);
    if (e && e != ERR_NOTFOUND) /* a stage row's body may have none yet */
        return e;
    if (!e && (row_blob_decode(value, &row) || row.refs > 0))
        return delete_row(turn, DBI_REAP, k); /* not an orphan, or not known to be one */
    e = delete_chunks(turn, blob, octets);
    static const unsigned tables[] = {DBI_BOWN, DBI_CACHE, DBI_SIG, DBI_BLOB, DBI_REAP};
    for (size_t i = 0; !e && i < sizeof tables / sizeof *tables; i++)
        e = delete_row(turn, tables[i], k);
    return e;
}

/* --- the slices --------------------------------------------------------------------------------
 */

/* Rows that no list knows. */
static enum err load_leftovers(struct reaper *r, struct turn *turn)
{
    struct engine_cursor cursor;
    struct key key;
    enum err e = engine_cursor_open(turn->txn, DBI_REAP, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, key_b(&key, 0));
    for (unsigned n = 0; !e && n < LEFTOVERS_AT_ONCE; n++) {
        uint64_t blob;
        if (!key_get64(cursor.key, 0, &blob))
            e = ERR_CORRUPT;
        else
            orphan_add(&r->waiting, blob, 0);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    if (e == ERR_NOTFOUND && idle(r))
        r->table_empty = true;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* The pinned ones wait again, in front of nobody: their commits are old. */
static void retry_pinned(struct reaper *r)
{
    for (size_t i = 0; i < r->pinned.n; i++)
        orphan_add(&r->waiting, r->pinned.list[i].blob, 0);
    r->pinned.n = 0;
}

static bool bodies_due(struct env *env, uint32_t now)
{
    struct reaper *r = env->reaper;
    (void)now;
    r->settled = 0; /* of a slice whose turn was aborted: it is done again */
    if (r->pinned.n && clock_mono_ms() >= r->retry_ms)
        retry_pinned(r);
    if (r->first < r->waiting.n)
        return gate_passed(env, r->waiting.list[r->first].txn);
    return idle(r) && !r->table_empty;
}

/* Nothing is destroyed but what the gate has let pass and, asked after it, nobody has pinned. */
static enum err bodies_slice(struct turn *turn, unsigned pages)
{
    struct env *env = turn->env;
    struct reaper *r = env->reaper;
    (void)pages; /* 4 MB of chunks are 1,024 pages given back, and far fewer dirtied */
    size_t octets = 0;
    enum err e = ERR_OK;
    if (idle(r) && turn->norphans == 0)
        e = load_leftovers(r, turn);
    uint64_t passed = 0;
    turn->slice_of = r;
    for (unsigned n = 0; !e && n < SLICE_BODIES && r->first + r->settled < r->waiting.n; n++) {
        struct orphan *o = &r->waiting.list[r->first + r->settled];
        if (o->txn > passed) {
            if (!gate_passed(env, o->txn))
                break;
            passed = o->txn;
        }
        if (pin_has(env->pins, o->blob)) {
            if (r->pinned.n == 0)
                r->retry_ms = clock_mono_ms() + PINNED_RETRY_MS;
            orphan_add(&r->pinned, o->blob, o->txn);
        } else {
            SCHED_POINT("reap: not pinned, not yet deleted");
            e = delete_body(turn, o->blob, &octets);
        }
        if (!e)
            r->settled++;
    }
    if (e && e != ERR_AGAIN && e != ERR_FULL)
        r->first += r->settled + 1; /* damage: let it lie, and go on with the others */
    return e == ERR_AGAIN ? ERR_OK : e;
}

/* Bodies on their way in when the last daemon ended become orphans, and so do those given up. */
static bool stage_due(struct env *env, uint32_t now)
{
    (void)now;
    return !env->reaper->stage_swept || env->reaper->unstaged.n > 0;
}

void reap_unstage(struct env *env, uint64_t blob)
{
    orphan_add(&env->reaper->unstaged, blob, 0);
}

static enum err unstage(struct reaper *r, struct turn *turn, uint64_t blob)
{
    struct row_reap reap = {.time = turn->now};
    struct key key;
    unsigned char octets[16];
    enum err e = turn_del(turn, DBI_STAGE, key_b(&key, blob));
    r->table_empty = false;
    return e ? e : turn_put(turn, DBI_REAP, key_b(&key, blob), row_reap_encode(&reap, octets));
}

/* Those whose row has gone have been committed. */
static enum err unstage_known(struct reaper *r, struct turn *turn, unsigned *left)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < r->unstaged.n && *left; (*left)--) {
        struct key key;
        struct slice value;
        uint64_t blob = r->unstaged.list[i].blob;
        e = engine_get(turn->txn, DBI_STAGE, key_b(&key, blob), &value);
        if (e == ERR_NOTFOUND) {
            r->unstaged.list[i] = r->unstaged.list[--r->unstaged.n];
            e = ERR_OK;
        } else if (!e) {
            e = unstage(r, turn, blob);
            i++;
        }
    }
    return e;
}

static enum err stage_slice(struct turn *turn, unsigned pages)
{
    struct reaper *r = turn->env->reaper;
    struct key from;
    struct slice found, value;
    unsigned left = pages / 4;
    enum err e = unstage_known(r, turn, &left);
    for (bool first = true; !e && !r->stage_swept && left; left--, first = false) {
        uint64_t blob;
        e = engine_first(turn->txn, DBI_STAGE, SLICE_NONE, key_b(&from, 0), &found, &value);
        if (e == ERR_NOTFOUND || (!e && key_get64(found, 0, &blob) && blob >= r->stage_end)) {
            r->stage_swept = first; /* else when that has been committed */
            return ERR_OK;
        }
        if (!e)
            e = unstage(r, turn, blob);
    }
    return e;
}

void reap_register(struct env *env)
{
    static const struct upkeep bodies = {"reap", bodies_due, bodies_slice};
    static const struct upkeep stage = {"stage", stage_due, stage_slice};
    env->reaper = mem_new(sizeof *env->reaper);
    env->reaper->stage_end = env->next_blob;
    committer_add_upkeep(env->committer, &bodies);
    committer_add_upkeep(env->committer, &stage);
}

void reap_free(struct reaper *reaper)
{
    if (!reaper)
        return;
    mem_free(reaper->waiting.list);
    mem_free(reaper->pinned.list);
    mem_free(reaper->unstaged.list);
    mem_free(reaper);
}
