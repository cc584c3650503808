#include "store/window.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "store/gone.h"
#include "store/policy.h"
#include "store/sweep.h"

enum {
    SLICE_ROWS = 2048,
    SLICE_ACCOUNTS = 256, /* looked at; few of them have anything to drop */
    PASS_MS = 600 * 1000,
    PASS_LOW_MS = 5000 /* while the disk is below its reserve */
};

/* One pass after the other over all accounts. */
struct window {
    struct policy *policy;
    bool passing, trusted;
    uint64_t pass_ms; /* when the next one starts */
    uint32_t pass_a;  /* the next account */
    uint32_t oldest;  /* key time of the oldest row that this pass has seen */
    uint32_t give_up; /* while the disk is low: rows up to this time go, whatever the window */
    uint64_t dropped, dropped_octets; /* in this pass */
    uint64_t kept, kept_before;       /* octets in it: so far, and in the last pass */
};

static bool pass_due(struct env *env, uint32_t now)
{
    struct window *w = env->window;
    uint64_t mono = clock_mono_ms();
    uint64_t period = atomic_load(&env->disk_low) ? PASS_LOW_MS : PASS_MS;
    (void)now;
    gone_age_trusted(env); /* looks at the clock, so that it sees every step */
    if (w->passing || (w->pass_ms > mono && w->pass_ms - mono <= period))
        return w->passing;
    w->trusted = gone_age_trusted(env);
    w->passing = true;
    w->pass_a = 0;
    /* Oldest first over all accounts: the last pass has seen how old they are. */
    uint32_t wall = clock_wall();
    w->give_up = 0;
    if (atomic_load(&env->disk_low) && w->oldest && w->oldest < wall)
        w->give_up = w->oldest + (wall - w->oldest) / 16;
    w->oldest = 0;
    w->dropped = w->dropped_octets = w->kept = 0;
    return true;
}

static uint64_t cap_of(const struct settings *s, const struct acct *acct)
{
    uint64_t quarter = acct->row.used_bytes / 4, least = (uint64_t)1 << 30;
    if (s->store.undelete_cap)
        return s->store.undelete_cap;
    if (s->store.quota)
        return s->store.quota;
    return quarter > least ? quarter : least;
}

/* May the account's oldest row go, which is of this time? */
struct bounds {
    const struct settings *settings;
    bool trusted;
    uint32_t give_up;
};

static bool may_go(const struct bounds *b, const struct acct *acct, uint32_t time, uint32_t now)
{
    bool old = b->trusted && time + (uint64_t)b->settings->store.undelete_s <= now;
    return old || acct->row.gone_bytes > cap_of(b->settings, acct) || time <= b->give_up;
}

/* The time of the account's oldest row; ERR_NOTFOUND: there is none but transient ones. */
static enum err oldest(struct turn *turn, uint32_t a, uint32_t *time, uint32_t *m, uint32_t *u)
{
    struct key prefix, from;
    struct slice found, value;
    enum err e = engine_first(turn->txn, DBI_GONE, key_a(&prefix, a), key_gone(&from, a, 0, 0, 0),
                              &found, &value);
    if (!e && (!key_get32(found, 4, time) || !key_get32(found, 8, m) || !key_get32(found, 12, u)))
        e = ERR_CORRUPT;
    return !e && *time == GONE_TRANSIENT ? ERR_NOTFOUND : e;
}

/* The account's oldest rows, as long as there is a reason to drop them. ERR_AGAIN: the slice is
 * used up. *ret_left: time of the oldest that stays, 0 = none. */
static enum err drop_oldest(struct turn *turn, struct acct *acct, const struct bounds *b,
                            unsigned pages, struct spent *spent, uint32_t *ret_left)
{
    unsigned rows = spent->rows;
    uint32_t time, m, u;
    enum err e;
    *ret_left = 0;
    while (!(e = oldest(turn, acct->a, &time, &m, &u))) {
        if (!may_go(b, acct, time, turn->now)) {
            *ret_left = time;
            break;
        }
        if (spent->pages >= pages || spent->rows - rows >= SLICE_ROWS) {
            e = ERR_AGAIN;
            break;
        }
        if ((e = gone_drop(turn, acct, time, m, u, spent)))
            break;
    }
    if (e == ERR_NOTFOUND)
        e = ERR_OK;
    if (spent->rows > rows && (!e || e == ERR_AGAIN)) {
        enum err saved = turn_acct_save(turn, acct);
        e = saved ? saved : e;
    }
    return e;
}

enum err window_account(struct turn *turn, struct acct *acct, const struct settings *settings,
                        unsigned pages, struct spent *spent)
{
    const struct bounds b = {.settings = settings, .trusted = true};
    uint32_t left;
    return drop_oldest(turn, acct, &b, pages, spent, &left);
}

static enum err pass_account(struct window *w, struct turn *turn, struct acct *acct, unsigned pages,
                             struct spent *spent)
{
    struct settings settings;
    const struct bounds b = {&settings, w->trusted, w->give_up};
    uint64_t messages = acct->row.gone_msgs, octets = acct->row.gone_bytes;
    uint32_t time, m, u, left = 0;
    enum err e = oldest(turn, acct->a, &time, &m, &u);
    if (!e)
        e = policy_of(w->policy, acct, &settings);
    if (!e)
        e = drop_oldest(turn, acct, &b, pages, spent, &left);
    if (left && (!w->oldest || left < w->oldest))
        w->oldest = left;
    w->dropped += messages - acct->row.gone_msgs;
    w->dropped_octets += octets - acct->row.gone_bytes;
    if (e != ERR_AGAIN)
        w->kept += acct->row.gone_bytes;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static void pass_end(struct window *w, struct env *env)
{
    w->passing = false;
    w->pass_ms = clock_mono_ms() + (atomic_load(&env->disk_low) ? PASS_LOW_MS : PASS_MS);
    uint64_t more = w->kept - w->kept_before; /* may wrap, and so may the sum: it comes out right */
    w->kept_before = w->kept;
    uint64_t all = atomic_fetch_add(&env->store->undelete_octets, more) + more;
    metrics_set(METRIC_UNDELETE, 0, 0, (int64_t)all);
    if (w->dropped == 0)
        return;
    metrics_add(METRIC_EXPIRED, METRIC_EXPIRED_UNDELETE, 0, 0, (int64_t)w->dropped);
    struct log_line line;
    log_begin(&line, LOG_INFO, "expire");
    log_str(&line, "why", w->give_up ? "disk" : "undelete");
    log_u64(&line, "n", w->dropped);
    log_u64(&line, "bytes", w->dropped_octets);
    log_end(&line);
}

static enum err pass_slice(struct turn *turn, unsigned pages)
{
    struct window *w = turn->env->window;
    struct spent spent = {0};
    uint64_t until = clock_mono_ns() + UPKEEP_NS;
    for (unsigned n = 0; n < SLICE_ACCOUNTS && (n % 16 || clock_mono_ns() < until); n++) {
        struct key from;
        struct slice found, value;
        struct acct acct;
        uint32_t a;
        enum err e =
            engine_first(turn->txn, DBI_ACCT, SLICE_NONE, key_a(&from, w->pass_a), &found, &value);
        if (e == ERR_NOTFOUND || (!e && !key_get32(found, 0, &a))) {
            pass_end(w, turn->env);
            return ERR_OK;
        }
        if (!e)
            e = acct_load(turn->txn, a, &acct);
        if (e)
            return e;
        if (sweep_wants(turn->env, &acct))
            sweep_account(turn->env, a);
        else
            e = pass_account(w, turn, &acct, pages, &spent);
        if (e == ERR_AGAIN)
            return ERR_OK;
        w->pass_a = a + 1;
        if (e)
            return e;
    }
    return ERR_OK;
}

void window_register(struct env *env)
{
    static const struct upkeep pass = {"undelete", pass_due, pass_slice};
    env->window = mem_new(sizeof *env->window);
    if (policy_new(env->store, &env->window->policy) != ERR_OK)
        abort(); /* a read snapshot of a catalog that was opened a moment ago */
    committer_add_upkeep(env->committer, &pass);
}

void window_free(struct window *window)
{
    if (!window)
        return;
    policy_free(window->policy);
    mem_free(window);
}
