#include "store/gone.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/sched.h"
#include "store/snapshot.h"
#include "store/sweep.h"

enum { SLICE_ROWS = 2048, CLAIMED_RETRY_MS = 1000 };

/* The transient rows of mailbox m up to a modseq; m = 0: those of the whole account that are from
 * before the start. */
struct batch {
    uint32_t a, m;
    uint64_t modseq;
    uint64_t txn; /* whose commit made the newest of them; 0 once the gate has let it pass */
};

struct batches {
    struct batch *list;
    size_t n, cap;
};

/* A batch is `young` until the gate lets its commit pass, then `ripe`; what a view or maildrop
 * still claims of it is `held` and comes back.
 *
 *      committed --> young --gate--> ripe --no claim--> dropped
 *                                     ^ |
 *                            1 s later| | claimed
 *                                    held
 */
struct gone {
    struct age age;
    struct batches young, ripe, held;
    uint64_t retry_ms; /* when the held are looked at again */
    /* How far this slice has come in `ripe`, and how far those came that were committed. */
    struct place {
        size_t batch;
        uint32_t m, u; /* in that batch: the next row */
    } here, safe;
};

/* Joins the batch of the same mailbox if it is of the same commit; one at the head may be half
 * done, so `ripe` gives 1 for the first that may be joined. */
static void batch_add(struct batches *to, size_t first, struct batch batch)
{
    for (size_t i = to->n; i-- > first && to->list[i].txn == batch.txn;)
        if (to->list[i].a == batch.a && to->list[i].m == batch.m) {
            if (to->list[i].modseq < batch.modseq)
                to->list[i].modseq = batch.modseq;
            return;
        }
    if (to->n == to->cap) {
        to->cap = to->cap ? to->cap * 2 : 64;
        to->list = mem_resize(to->list, to->cap * sizeof *to->list);
    }
    to->list[to->n++] = batch;
}

static void batches_drop_first(struct batches *from, size_t n)
{
    from->n -= n;
    if (n && from->n)
        memmove(from->list, from->list + n, from->n * sizeof *from->list);
}

/* --- dropping one thing ------------------------------------------------------------------------
 */

/* Rows of neighbouring UIDs, and blobs of neighbouring numbers, share pages. */
static void spend(struct spent *spent, uint32_t u, uint64_t b)
{
    enum { MSG_ROWS = 16, BLOB_ROWS = 64 };
    if (spent->rows++ == 0 || u / MSG_ROWS != spent->last_u / MSG_ROWS)
        spent->pages += 2; /* msg, gone */
    if (spent->rows == 1 || b / BLOB_ROWS != spent->last_b / BLOB_ROWS)
        spent->pages += 2; /* blob, reap */
    spent->last_u = u;
    spent->last_b = b;
}

static enum err del_if_there(struct turn *turn, unsigned dbi, struct slice key)
{
    enum err e = turn_del(turn, dbi, key);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err message_drop(struct turn *turn, uint32_t a, uint32_t m, uint32_t u, bool owns,
                      struct spent *spent)
{
    struct key key;
    struct slice k = key_amu(&key, a, m, u), value;
    struct row_msg msg;
    enum err e = engine_get(turn->txn, DBI_MSG, k, &value);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    e = row_msg_decode(value, &msg);
    if (!e)
        e = turn_del(turn, DBI_MSG, k);
    if (!e)
        e = del_if_there(turn, DBI_POP, k);
    if (!e)
        e = del_if_there(turn, DBI_UIDL, k);
    if (!e && owns)
        e = turn_blob_ref(turn, msg.blob, -1);
    spend(spent, u, msg.blob);
    return e;
}

static void take(uint64_t *counter, uint64_t n)
{
    *counter -= n < *counter ? n : *counter;
}

/* The mailbox goes to the sweep; what it holds is no longer counted from now on. */
static enum err drop_mailbox(struct turn *turn, struct acct *acct, uint32_t m, struct spent *spent)
{
    struct box box;
    enum err e = box_load(turn->txn, turn->env, acct->a, m, &box);
    if (e == ERR_NOTFOUND)
        return ERR_OK;
    if (e || box.row.state != MBOX_DELETED)
        return e;
    box.row.state = MBOX_SWEPT;
    take(&acct->row.gone_bytes, box.row.bytes);
    take(&acct->row.gone_msgs, box.row.exists);
    spent->rows++;
    spent->pages += 2;
    sweep_mailbox(turn->env, acct->a, m);
    return turn_box_save(turn, &box);
}

enum err gone_drop(struct turn *turn, struct acct *acct, uint32_t time, uint32_t m, uint32_t u,
                   struct spent *spent)
{
    struct key key;
    struct slice k = key_gone(&key, acct->a, time, m, u), value;
    struct row_gone row;
    enum err e = engine_get(turn->txn, DBI_GONE, k, &value);
    if (!e)
        e = row_gone_decode(value, &row);
    if (!e)
        e = turn_del(turn, DBI_GONE, k);
    if (e)
        return e;
    if (row.kind == GONE_MBOX)
        return drop_mailbox(turn, acct, m, spent);
    bool owns = !(row.why & GONE_NO_REF);
    if (owns) { /* what lives on elsewhere was never counted as gone */
        take(&acct->row.gone_bytes, row.size);
        take(&acct->row.gone_msgs, 1);
    }
    return message_drop(turn, acct->a, m, u, owns, spent);
}

/* --- transient rows ----------------------------------------------------------------------------
 */

void gone_committed(struct env *env, const struct turn *turn)
{
    struct gone *g = env->gone;
    if (!g)
        return;
    if (turn->slice_of == g) {
        batches_drop_first(&g->ripe, g->here.batch);
        g->here.batch = 0;
        g->safe = g->here;
    }
    /* Every op that makes such rows tells of the mailbox they came from. */
    for (const struct event *event = turn->transients ? turn->events : NULL; event;
         event = event->next) {
        uint64_t modseq = event->kind == ACCOUNT_NONE ? event->expunge_modseq : UINT64_MAX;
        batch_add(&g->young, 0, (struct batch){event->a, event->m, modseq, turn->id});
    }
}

void gone_leftovers(struct env *env, uint32_t a)
{
    batch_add(&env->gone->ripe, 1, (struct batch){.a = a, .modseq = UINT64_MAX});
}

/* Has this process made rows in that mailbox, past which the gate has not gone? */
static bool is_young(const struct gone *g, const struct turn *turn, uint32_t a, uint32_t m)
{
    for (size_t i = 0; i < g->young.n; i++)
        if (g->young.list[i].a == a && g->young.list[i].m == m)
            return true;
    for (const struct event *event = turn->events; event; event = event->next)
        if (event->a == a && event->m == m)
            return true;
    return false;
}

static bool is_followed(struct store *store, uint32_t a)
{
    return boxes_oldest_told(store, a, MOVED_ANYWHERE) != UINT64_MAX;
}

/* ERR_AGAIN: the slice is used up; g->here says where it goes on. */
static enum err drop_batch(struct gone *g, struct turn *turn, const struct batch *b,
                           struct acct *acct, unsigned pages, struct spent *spent)
{
    struct key prefix, from;
    struct slice of_batch, found, value;
    uint32_t m = 0;
    uint64_t told = 0;
    bool later = false; /* a batch of its own will come */
    bool followed = is_followed(turn->env->store, b->a);
    if (g->here.m == 0)
        g->here.m = b->m;
    key_gone(&prefix, b->a, GONE_TRANSIENT, b->m, 0);
    prefix.len = b->m ? 12 : 8;
    of_batch = key_slice(&prefix);
    for (unsigned looked = 0;; looked++) {
        struct slice at = key_gone(&from, b->a, GONE_TRANSIENT, g->here.m, g->here.u);
        struct row_gone row;
        uint32_t row_m, u;
        enum err e = engine_first(turn->txn, DBI_GONE, of_batch, at, &found, &value);
        if (e)
            return e == ERR_NOTFOUND ? ERR_OK : e;
        if (!key_get32(found, 8, &row_m) || !key_get32(found, 12, &u) ||
            row_gone_decode(value, &row))
            return ERR_CORRUPT;
        if (looked == SLICE_ROWS || spent->pages >= pages)
            return ERR_AGAIN;
        if (row_m != m) { /* asked after the gate: from now on claims only rise, or end */
            m = row_m;
            told = boxes_oldest_told(turn->env->store, b->a, m);
            later = b->m == 0 && is_young(g, turn, b->a, m);
        }
        if (row.expunge_modseq <= b->modseq && !later) {
            bool trace = (row.why & GONE_WHY_MASK) == GONE_MOVED;
            if (row.expunge_modseq <= told && !(trace && followed)) {
                SCHED_POINT("gone: not claimed, not yet dropped");
                e = gone_drop(turn, acct, GONE_TRANSIENT, m, u, spent);
            } else {
                batch_add(&g->held, 0, (struct batch){b->a, m, row.expunge_modseq, 0});
            }
        }
        if (e)
            return e;
        g->here.m = u == UINT32_MAX ? m + 1 : m;
        g->here.u = u + 1;
    }
}

/* Those that nobody claims any more are ripe again. */
static void retry_held(struct env *env)
{
    struct gone *g = env->gone;
    size_t kept = 0;
    for (size_t i = 0; i < g->held.n; i++) {
        struct batch b = g->held.list[i];
        if (boxes_claims(env->store, b.a, b.m, b.modseq) || is_followed(env->store, b.a))
            g->held.list[kept++] = b;
        else
            batch_add(&g->ripe, 1, b);
    }
    g->held.n = kept;
    g->retry_ms = clock_mono_ms() + CLAIMED_RETRY_MS;
}

static bool transients_due(struct env *env, uint32_t now)
{
    struct gone *g = env->gone;
    (void)now;
    g->here = g->safe; /* a slice whose turn was aborted is done again */
    size_t passed = 0;
    while (passed < g->young.n && gate_passed(env, g->young.list[passed].txn)) {
        struct batch batch = g->young.list[passed++];
        batch.txn = 0;
        batch_add(&g->ripe, 1, batch);
    }
    batches_drop_first(&g->young, passed);
    if (g->held.n && clock_mono_ms() >= g->retry_ms)
        retry_held(env);
    return g->ripe.n > 0;
}

static enum err transients_slice(struct turn *turn, unsigned pages)
{
    struct gone *g = turn->env->gone;
    struct spent spent = {0};
    enum err e = ERR_OK;
    turn->slice_of = g;
    while (!e && g->here.batch < g->ripe.n && spent.pages < pages) {
        struct batch b = g->ripe.list[g->here.batch];
        struct acct acct;
        unsigned rows = spent.rows;
        e = acct_load(turn->txn, b.a, &acct);
        if (!e)
            e = drop_batch(g, turn, &b, &acct, pages, &spent);
        if ((!e || e == ERR_AGAIN) && spent.rows > rows) {
            enum err saved = turn_acct_save(turn, &acct);
            e = saved ? saved : e;
        }
        if (e == ERR_NOTFOUND) /* the account has been swept meanwhile */
            e = ERR_OK;
        if (!e)
            g->here = (struct place){.batch = g->here.batch + 1};
    }
    if (e && e != ERR_AGAIN && e != ERR_FULL) { /* damage: let it lie, and go on with the others */
        batches_drop_first(&g->ripe, g->here.batch + 1);
        g->here = g->safe = (struct place){0};
    }
    return e == ERR_AGAIN ? ERR_OK : e;
}

bool gone_age_trusted(struct env *env)
{
    return age_trusted(&env->gone->age, env->clock);
}

void gone_register(struct env *env)
{
    static const struct upkeep transients = {"transient", transients_due, transients_slice};
    env->gone = mem_new(sizeof *env->gone);
    age_init(&env->gone->age, env->clock, env->index == 0);
    committer_add_upkeep(env->committer, &transients);
}

void gone_free(struct gone *gone)
{
    if (!gone)
        return;
    mem_free(gone->young.list);
    mem_free(gone->ripe.list);
    mem_free(gone->held.list);
    mem_free(gone);
}
