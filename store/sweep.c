#include "store/sweep.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/gone.h"
#include "store/popview.h"

enum { SLICE_ROWS = 2048, CENSUS_ROWS = 4096 };

struct job {
    uint32_t a, m; /* m = 0: the whole account */
};

struct sweep {
    struct job *jobs;
    size_t n, cap;
    /* Once after the start: what does an earlier daemon's life ask for? */
    enum { CENSUS_ACCOUNTS, CENSUS_MAILBOXES, CENSUS_OVER } census;
    uint32_t census_a, census_m; /* the next row */
    uint32_t born;               /* time of the start */
};

static void job_add(struct sweep *s, struct job job)
{
    for (size_t i = 0; i < s->n; i++)
        if (s->jobs[i].a == job.a && s->jobs[i].m == job.m)
            return;
    if (s->n == s->cap) {
        s->cap = s->cap ? s->cap * 2 : 16;
        s->jobs = mem_resize(s->jobs, s->cap * sizeof *s->jobs);
    }
    s->jobs[s->n++] = job;
}

void sweep_mailbox(struct env *env, uint32_t a, uint32_t m)
{
    job_add(env->sweep, (struct job){a, m});
}

void sweep_account(struct env *env, uint32_t a)
{
    job_add(env->sweep, (struct job){a, 0});
}

bool sweep_wants(const struct env *env, const struct acct *acct)
{
    const struct row_acct *row = &acct->row;
    return row->state == ACCT_DELETING ||
           (row->state == ACCT_SCRATCH &&
            (row->created < env->sweep->born || row->scratch_expiry <= clock_wall()));
}

/* --- rows by prefix ------------------------------------------------------------------------------
 */

static bool used_up(const struct spent *spent, unsigned pages)
{
    return spent->pages >= pages || spent->rows >= SLICE_ROWS;
}

/* Deletes every row whose key starts so. ERR_AGAIN: the slice is used up. */
static enum err clear(struct turn *turn, unsigned dbi, struct slice prefix, unsigned pages,
                      struct spent *spent)
{
    enum { ROWS_A_PAGE = 32 };
    for (;;) {
        struct slice found, value;
        enum err e = engine_first(turn->txn, dbi, prefix, prefix, &found, &value);
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (used_up(spent, pages))
            return ERR_AGAIN;
        struct key key = {.len = (uint16_t)found.len};
        memcpy(key.octets, found.ptr, found.len);
        if ((e = turn_del(turn, dbi, key_slice(&key))))
            return e;
        if (spent->rows++ % ROWS_A_PAGE == 0)
            spent->pages++;
    }
}

static enum err clear_all(struct turn *turn, const unsigned *tables, size_t n, struct slice prefix,
                          unsigned pages, struct spent *spent)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < n; i++)
        e = clear(turn, tables[i], prefix, pages, spent);
    return e;
}

/* --- one mailbox ---------------------------------------------------------------------------------
 */

/* The messages of the last bucket, and the bucket with them: whole, or not at all. */
static enum err drop_bucket(struct turn *turn, uint32_t a, uint32_t m, struct slice found,
                            struct slice value, struct spent *spent)
{
    struct hot_row row;
    struct key key;
    uint32_t bucket;
    enum err e = hot_open(value, &row);
    if (e || !key_get32(found, 8, &bucket))
        return ERR_CORRUPT;
    for (unsigned bit = 0; !e && bit < BUCKET_UIDS; bit++)
        if (hot_has(&row, bit)) /* `present` was copied: the row itself may move */
            e = message_drop(turn, a, m, (bucket << BUCKET_SHIFT) + bit, true, spent);
    spent->pages++;
    return e ? e : turn_del(turn, DBI_HOT, key_amu(&key, a, m, bucket));
}

static enum err sweep_rows_of(struct turn *turn, uint32_t a, uint32_t m, unsigned pages,
                              struct spent *spent)
{
    static const unsigned tables[] = {DBI_KW, DBI_TOMB, DBI_ANNO, DBI_ACL, DBI_SEEN, DBI_MBOX};
    struct key key;
    struct slice prefix = key_am(&key, a, m), found, value;
    for (;;) {
        enum err e = engine_last(turn->txn, DBI_HOT, prefix, &found, &value);
        if (e == ERR_NOTFOUND)
            break;
        if (!e && used_up(spent, pages))
            return ERR_AGAIN;
        if (!e)
            e = drop_bucket(turn, a, m, found, value, spent);
        if (e)
            return e;
    }
    enum err e = popview_mark_drop(turn, a, m);
    return e ? e : clear_all(turn, tables, sizeof tables / sizeof *tables, prefix, pages, spent);
}

static enum err sweep_box(struct turn *turn, uint32_t a, uint32_t m, unsigned pages,
                          struct spent *spent)
{
    struct box box;
    enum err e = box_load(turn->txn, turn->env, a, m, &box);
    if (e || box.row.state != MBOX_SWEPT)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    return sweep_rows_of(turn, a, m, pages, spent);
}

/* --- one account ---------------------------------------------------------------------------------
 */

static enum err drop_gone(struct turn *turn, struct acct *acct, unsigned pages, struct spent *spent)
{
    struct key prefix;
    struct slice of_acct = key_a(&prefix, acct->a), found, value;
    for (;;) {
        uint32_t time, m, u;
        enum err e = engine_first(turn->txn, DBI_GONE, of_acct, of_acct, &found, &value);
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (used_up(spent, pages))
            return ERR_AGAIN;
        if (!key_get32(found, 4, &time) || !key_get32(found, 8, &m) || !key_get32(found, 12, &u))
            return ERR_CORRUPT;
        if ((e = gone_drop(turn, acct, time, m, u, spent)))
            return e;
    }
}

static enum err drop_mailboxes(struct turn *turn, uint32_t a, unsigned pages, struct spent *spent)
{
    struct key prefix;
    struct slice of_acct = key_a(&prefix, a), found, value;
    for (;;) {
        uint32_t m;
        enum err e = engine_first(turn->txn, DBI_MBOX, of_acct, of_acct, &found, &value);
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (!key_get32(found, 4, &m))
            return ERR_CORRUPT;
        if ((e = sweep_rows_of(turn, a, m, pages, spent)))
            return e;
    }
}

static enum err sweep_acct(struct turn *turn, uint32_t a, unsigned pages, struct spent *spent)
{
    static const unsigned tables[] = {DBI_NAME, DBI_SUBS, DBI_MID,  DBI_POP, DBI_UIDL,
                                      DBI_LOG,  DBI_OPT,  DBI_ANNO, DBI_ACL, DBI_ACCT};
    struct acct acct;
    struct key prefix;
    enum err e = acct_load(turn->txn, a, &acct);
    if (e || !sweep_wants(turn->env, &acct))
        return e == ERR_NOTFOUND ? ERR_OK : e;
    e = drop_gone(turn, &acct, pages, spent);
    if (!e)
        e = drop_mailboxes(turn, a, pages, spent);
    if (e == ERR_AGAIN && spent->rows) {
        enum err saved = turn_acct_save(turn, &acct);
        return saved ? saved : e;
    }
    return e ? e
             : clear_all(turn, tables, sizeof tables / sizeof *tables, key_a(&prefix, a), pages,
                         spent);
}

static bool jobs_due(struct env *env, uint32_t now)
{
    (void)now;
    return env->sweep->n > 0;
}

/* A job is done when a slice finds nothing left of it: what was deleted may yet be rolled back. */
static enum err jobs_slice(struct turn *turn, unsigned pages)
{
    struct sweep *s = turn->env->sweep;
    struct spent spent = {0};
    struct job job = s->jobs[0];
    enum err e = job.m ? sweep_box(turn, job.a, job.m, pages, &spent)
                       : sweep_acct(turn, job.a, pages, &spent);
    bool damaged = e && e != ERR_AGAIN && e != ERR_FULL;
    if (damaged || (!e && spent.rows == 0)) {
        s->n--;
        memmove(s->jobs, s->jobs + 1, s->n * sizeof *s->jobs);
    } else if (s->n > 1) { /* in turn: a large account holds up nobody */
        memmove(s->jobs, s->jobs + 1, (s->n - 1) * sizeof *s->jobs);
        s->jobs[s->n - 1] = job;
    }
    return e == ERR_AGAIN ? ERR_OK : e;
}

/* --- the census ----------------------------------------------------------------------------------
 */

static bool census_due(struct env *env, uint32_t now)
{
    (void)now;
    return env->sweep->census != CENSUS_OVER;
}

static enum err look_at_account(struct turn *turn, uint32_t a)
{
    struct key prefix;
    struct slice transient = key_gone(&prefix, a, GONE_TRANSIENT, 0, 0), found, value;
    struct acct acct;
    enum err e = acct_load(turn->txn, a, &acct);
    if (e)
        return e;
    if (sweep_wants(turn->env, &acct))
        sweep_account(turn->env, a);
    e = engine_first(turn->txn, DBI_GONE, slice_first(transient, 8), transient, &found, &value);
    if (!e)
        gone_leftovers(turn->env, a);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err look_at_mailbox(struct turn *turn, uint32_t a, uint32_t m, struct slice value)
{
    struct row_mbox row;
    enum err e = row_mbox_decode(value, &row);
    if (!e && row.state == MBOX_SWEPT)
        sweep_mailbox(turn->env, a, m);
    return e;
}

/* Reads only, so the turn writes nothing; but a row of each account is a page of each account, and
 * writes wait for as long as the slice takes. */
static enum err census_slice(struct turn *turn, unsigned pages)
{
    struct sweep *s = turn->env->sweep;
    struct engine_cursor cursor;
    struct key key;
    uint64_t until = clock_mono_ns() + UPKEEP_NS;
    bool accounts = s->census == CENSUS_ACCOUNTS;
    (void)pages;
    enum err e = engine_cursor_open(turn->txn, accounts ? DBI_ACCT : DBI_MBOX, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, accounts ? key_a(&key, s->census_a)
                                          : key_am(&key, s->census_a, s->census_m));
    for (unsigned n = 0; !e && n < CENSUS_ROWS && (n % 16 || clock_mono_ns() < until); n++) {
        uint32_t a = 0, m = 0;
        if (!key_get32(cursor.key, 0, &a) || (!accounts && !key_get32(cursor.key, 4, &m)))
            e = ERR_CORRUPT;
        else
            e = accounts ? look_at_account(turn, a) : look_at_mailbox(turn, a, m, cursor.value);
        s->census_a = accounts || m == UINT32_MAX ? a + 1 : a;
        s->census_m = m + 1;
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    if (e != ERR_NOTFOUND)
        return e;
    s->census++;
    s->census_a = s->census_m = 0;
    return ERR_OK;
}

void sweep_register(struct env *env)
{
    static const struct upkeep census = {"census", census_due, census_slice};
    static const struct upkeep jobs = {"sweep", jobs_due, jobs_slice};
    env->sweep = mem_new(sizeof *env->sweep);
    env->sweep->born = clock_wall();
    committer_add_upkeep(env->committer, &census);
    committer_add_upkeep(env->committer, &jobs);
}

void sweep_free(struct sweep *sweep)
{
    if (!sweep)
        return;
    mem_free(sweep->jobs);
    mem_free(sweep);
}
