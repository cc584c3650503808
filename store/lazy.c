#include "store/lazy.h"

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/account.h"
#include "store/journal.h"

enum { SLOTS = 8192, WAIT_MS = 600 * 1000, SWEEP_MS = 1000, FACTS_MAX = 65536 };

/* What is known of an account (m = 0) or mailbox. 0 is nothing. */
struct known {
    uint32_t last_imap, last_pop3;
    uint32_t recent_uid;
    uint32_t first_unseen;
    uint64_t first_unseen_modseq;
};

struct fact {
    struct fact *hash_next;
    struct fact *older, *newer; /* by since_ms */
    uint32_t a, m;
    uint64_t since_ms;
    struct known known;
    bool news; /* told since the sweep has looked at it */
    /* The committer's own. */
    struct fact *swept_next;
    bool damaged; /* its row cannot be read: forgotten whatever becomes of the turn */
};

struct lazy {
    struct env *env;
    pthread_mutex_t lock;

    /* Under the lock. Only the committer's thread takes facts out. */
    struct fact *slot[SLOTS];
    struct fact *oldest, *newest;
    unsigned n;
    bool stopping;

    /* The committer's own. */
    struct fact *swept; /* by the turn under way */
    uint64_t sweep_ms;  /* when the next sweep may start */
    bool sweep_all;     /* it writes everything */
};

/* --- the table: under the lock -------------------------------------------------------------------
 */

static struct fact **slot_of(struct lazy *lazy, uint32_t a, uint32_t m)
{
    struct fact **at = &lazy->slot[(a * 0x9e3779b1u + m) % SLOTS];
    while (*at && ((*at)->a != a || (*at)->m != m))
        at = &(*at)->hash_next;
    return at;
}

static void enqueue(struct lazy *lazy, struct fact *fact)
{
    fact->since_ms = clock_mono_ms();
    fact->newer = NULL;
    fact->older = lazy->newest;
    *(lazy->newest ? &lazy->newest->newer : &lazy->oldest) = fact;
    lazy->newest = fact;
}

static void dequeue(struct lazy *lazy, struct fact *fact)
{
    *(fact->older ? &fact->older->newer : &lazy->oldest) = fact->newer;
    *(fact->newer ? &fact->newer->older : &lazy->newest) = fact->older;
}

/* Found or made; NULL when there are too many. */
static struct fact *fact_of(struct lazy *lazy, uint32_t a, uint32_t m)
{
    struct fact **at = slot_of(lazy, a, m);
    if (!*at && lazy->n < 2 * FACTS_MAX) {
        struct fact *fact = mem_new(sizeof *fact);
        fact->a = a;
        fact->m = m;
        *at = fact;
        lazy->n++;
        enqueue(lazy, fact);
    }
    if (*at)
        (*at)->news = true;
    return *at;
}

static void forget(struct lazy *lazy, struct fact *fact)
{
    *slot_of(lazy, fact->a, fact->m) = fact->hash_next;
    dequeue(lazy, fact);
    lazy->n--;
    mem_free(fact);
}

/* --- telling -------------------------------------------------------------------------------------
 */

static void raise(uint32_t *value, uint32_t to)
{
    if (*value < to)
        *value = to;
}

void lazy_login(struct env *env, uint32_t a, enum store_proto proto, uint32_t time)
{
    struct lazy *lazy = env->lazy;
    if (!lazy || (proto != PROTO_IMAP && proto != PROTO_POP3))
        return;
    pthread_mutex_lock(&lazy->lock);
    struct fact *fact = fact_of(lazy, a, 0);
    if (fact)
        raise(proto == PROTO_IMAP ? &fact->known.last_imap : &fact->known.last_pop3, time);
    pthread_mutex_unlock(&lazy->lock);
}

void lazy_recent(struct env *env, uint32_t a, uint32_t m, uint32_t uid)
{
    struct lazy *lazy = env->lazy;
    if (!lazy)
        return;
    pthread_mutex_lock(&lazy->lock);
    struct fact *fact = fact_of(lazy, a, m);
    if (fact)
        raise(&fact->known.recent_uid, uid);
    pthread_mutex_unlock(&lazy->lock);
}

void lazy_first_unseen(struct env *env, uint32_t a, uint32_t m, uint32_t uid, uint64_t modseq)
{
    struct lazy *lazy = env->lazy;
    if (!lazy)
        return;
    pthread_mutex_lock(&lazy->lock);
    struct fact *fact = fact_of(lazy, a, m);
    if (fact && fact->known.first_unseen_modseq <= modseq) {
        fact->known.first_unseen = uid;
        fact->known.first_unseen_modseq = modseq;
    }
    pthread_mutex_unlock(&lazy->lock);
}

/* --- joining -------------------------------------------------------------------------------------
 */

static struct known known_of(struct lazy *lazy, uint32_t a, uint32_t m)
{
    struct known known = {0};
    if (!lazy)
        return known;
    pthread_mutex_lock(&lazy->lock);
    const struct fact *fact = *slot_of(lazy, a, m);
    if (fact)
        known = fact->known;
    pthread_mutex_unlock(&lazy->lock);
    return known;
}

bool lazy_join_acct(struct env *env, uint32_t a, struct row_acct *row)
{
    struct known known = known_of(env->lazy, a, 0);
    bool better = known.last_imap > row->last_imap || known.last_pop3 > row->last_pop3;
    raise(&row->last_imap, known.last_imap);
    raise(&row->last_pop3, known.last_pop3);
    return better;
}

bool lazy_join_mbox(struct env *env, uint32_t a, uint32_t m, struct row_mbox *row)
{
    struct known known = known_of(env->lazy, a, m);
    if (known.first_unseen_modseq != row->highestmodseq)
        known.first_unseen = 0;
    bool better = known.recent_uid > row->recent_uid || known.first_unseen > row->first_unseen;
    raise(&row->recent_uid, known.recent_uid);
    raise(&row->first_unseen, known.first_unseen);
    return better;
}

/* --- the sweep -----------------------------------------------------------------------------------
 */

static enum err write_acct(struct turn *turn, uint32_t a, unsigned *spent)
{
    struct acct acct;
    enum err e = account_for_change(turn, a, &acct);
    if (e)
        return e == ERR_NOTFOUND || e == ERR_FROZEN ? ERR_OK : e;
    if (!lazy_join_acct(turn->env, a, &acct.row))
        return ERR_OK;
    *spent += 2;
    return turn_acct_save(turn, &acct);
}

static enum err write_mbox(struct turn *turn, uint32_t a, uint32_t m, unsigned *spent)
{
    struct acct acct;
    struct box box;
    enum err e = account_for_change(turn, a, &acct);
    if (!e)
        e = box_load(turn->txn, turn->env, a, m, &box);
    if (e)
        return e == ERR_NOTFOUND || e == ERR_FROZEN ? ERR_OK : e;
    if (box.row.state != MBOX_LIVE || !lazy_join_mbox(turn->env, a, m, &box.row))
        return ERR_OK;
    *spent += 2;
    return turn_box_save(turn, &box);
}

/* Under the lock. */
static bool is_due(const struct lazy *lazy, const struct fact *fact)
{
    return fact &&
           (lazy->stopping || lazy->n > FACTS_MAX || clock_mono_ms() >= fact->since_ms + WAIT_MS);
}

/* The fact after `last` (NULL: the oldest), if it is due. */
static struct fact *take_due(struct lazy *lazy, const struct fact *last)
{
    pthread_mutex_lock(&lazy->lock);
    struct fact *fact = last ? last->newer : lazy->oldest;
    bool due = is_due(lazy, fact);
    if (due)
        fact->news = false;
    pthread_mutex_unlock(&lazy->lock);
    return due ? fact : NULL;
}

static bool sweep_due(struct env *env, uint32_t now)
{
    struct lazy *lazy = env->lazy;
    (void)now;
    pthread_mutex_lock(&lazy->lock);
    bool all = lazy->stopping, due = is_due(lazy, lazy->oldest);
    pthread_mutex_unlock(&lazy->lock);
    lazy->sweep_all = all;
    return (all || clock_mono_ms() >= lazy->sweep_ms) && (due || journal_due(env->journal, all));
}

static enum err sweep_fact(struct turn *turn, struct fact *fact, unsigned *spent)
{
    struct lazy *lazy = turn->env->lazy;
    fact->swept_next = lazy->swept;
    lazy->swept = fact;
    enum err e =
        fact->m ? write_mbox(turn, fact->a, fact->m, spent) : write_acct(turn, fact->a, spent);
    fact->damaged = e && e != ERR_FULL;
    return e;
}

static enum err sweep_slice(struct turn *turn, unsigned pages)
{
    enum { LOOK_FACTS = 8192 };
    struct env *env = turn->env;
    struct lazy *lazy = env->lazy;
    struct fact *fact = NULL;
    unsigned spent = 0, looked = 0;
    enum err e = journal_write_due(turn, lazy->sweep_all, pages, &spent);
    while (!e && spent < pages && looked++ < LOOK_FACTS && (fact = take_due(lazy, fact)))
        e = sweep_fact(turn, fact, &spent);
    if (e || (spent < pages && looked < LOOK_FACTS)) /* else there is more */
        lazy->sweep_ms = clock_mono_ms() + SWEEP_MS;
    return e;
}

/* What was swept is in its row, or has none any more; what was told meanwhile waits anew. */
void lazy_turn_over(struct env *env, bool committed)
{
    struct lazy *lazy = env->lazy;
    if (!lazy)
        return;
    journal_turn_over(env->journal, committed);
    if (!lazy->swept)
        return;
    pthread_mutex_lock(&lazy->lock);
    for (struct fact *fact; (fact = lazy->swept);) {
        lazy->swept = fact->swept_next;
        if (fact->damaged || (committed && !fact->news)) {
            forget(lazy, fact);
        } else if (committed) {
            dequeue(lazy, fact);
            enqueue(lazy, fact);
        }
    }
    pthread_mutex_unlock(&lazy->lock);
}

void lazy_register(struct env *env)
{
    static const struct upkeep sweep = {
        .name = "lazy", .due = sweep_due, .slice = sweep_slice, .at_stop = true};
    struct lazy *lazy = env->lazy = mem_new(sizeof *lazy);
    lazy->env = env;
    pthread_mutex_init(&lazy->lock, NULL);
    env->journal = journal_new();
    committer_add_upkeep(env->committer, &sweep);
}

void lazy_stop(struct env *env)
{
    struct lazy *lazy = env->lazy;
    if (!lazy)
        return;
    pthread_mutex_lock(&lazy->lock);
    lazy->stopping = true;
    pthread_mutex_unlock(&lazy->lock);
}

void lazy_free(struct lazy *lazy)
{
    if (!lazy)
        return;
    journal_free(lazy->env->journal);
    while (lazy->oldest)
        forget(lazy, lazy->oldest);
    pthread_mutex_destroy(&lazy->lock);
    mem_free(lazy);
}
