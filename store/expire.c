#include "store/expire.h"

#include <stdlib.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "store/account.h"
#include "store/admin.h"
#include "store/expunge.h"
#include "store/gone.h"
#include "store/policy.h"
#include "store/trim.h"
#include "store/window.h"

enum {
    SLICE_ACCOUNTS = 256,  /* looked at; few of them let anything expire */
    SLICE_LOOKED = 16384,  /* messages */
    SLICE_MESSAGES = 4096, /* expunged */
    FIRST_PASS_MS = 60 * 1000,
    PASS_MS = 3600 * 1000,
    DAY_S = 86400
};

/* How far a pass has come: the next message to be looked at. */
struct place {
    uint32_t a;
    unsigned item; /* of the account's autoexpunge, then of the folders of its POP3 view */
    uint32_t uid;
    bool window; /* the rest that store_expire does */
};

struct expire {
    struct policy *policy;
    bool passing;
    uint64_t pass_ms;        /* when the next one starts */
    struct place here, safe; /* of the slice under way; of those that were committed */
    struct expiry_sum {
        uint64_t messages[EXPIRIES], octets[EXPIRIES];
    } sum, safe_sum;
};

/* One slice. */
struct slice_of {
    struct turn *turn;
    struct place *place;
    struct expiry_sum *sum;
    struct settings settings; /* of the account */
    struct acct acct;
    unsigned looked, taken;
};

/* --- one mailbox --------------------------------------------------------------------------------
 */

static enum err take(struct slice_of *s, struct box *box, const struct uidset *uids,
                     unsigned expiry)
{
    static const struct actor timer = {.proto = PROTO_TIMER};
    if (uidset_empty(uids))
        return ERR_OK;
    uint64_t before = box->row.bytes, n = uidset_count(uids);
    box->row.highestmodseq++;
    struct expunge ex = {.turn = s->turn,
                         .acct = &s->acct,
                         .box = box,
                         .actor = &timer,
                         .why = GONE_EXPIRED,
                         .undelete_s = s->settings.store.undelete_s};
    struct journal_line line = {.actor = &timer,
                                .a = box->a,
                                .m = box->m,
                                .what = LOG_EXPIRED,
                                .detail = expiry,
                                .uids = uids};
    struct event *event = turn_event(s->turn, box);
    enum err e = expunge_set(&ex, uids, event);
    event->expunge_modseq = box->row.expunge_modseq;
    if (!e)
        e = turn_box_save(s->turn, box);
    if (!e)
        e = turn_acct_save(s->turn, &s->acct);
    if (!e)
        e = turn_journal(s->turn, &line);
    s->sum->messages[expiry] += n;
    s->sum->octets[expiry] += before - box->row.bytes;
    return e;
}

/* May one more message be looked at? */
static bool goes_on(struct slice_of *s, uint32_t uid)
{
    s->place->uid = uid;
    return s->looked++ < SLICE_LOOKED && s->taken < SLICE_MESSAGES;
}

/* Since when it lies there is SAVEDATE; one that is not known does not expire. ERR_AGAIN: the slice
 * is used up. */
static enum err old_ones(struct slice_of *s, struct box *box, uint32_t age_s, struct uidset *ret)
{
    struct hot_edit edit;
    uint32_t uid = s->place->uid;
    enum err e;
    hot_begin(&edit, s->turn, box);
    while (!(e = hot_next(&edit, uid, &uid))) {
        struct hot_slot *slot;
        if (!goes_on(s, uid))
            return ERR_AGAIN;
        if ((e = hot_at(&edit, uid, &slot)))
            return e;
        if (slot->savedate && slot->savedate + (uint64_t)age_s <= s->turn->now) {
            uidset_add(ret, uid, uid);
            s->taken++;
        }
        if (uid++ == UINT32_MAX)
            return ERR_OK;
    }
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* The same by the time of the first download. `pop` has also what is in the undelete window. */
static enum err downloaded_ones(struct slice_of *s, struct box *box, uint64_t age_s,
                                struct uidset *ret)
{
    struct engine_cursor cursor;
    struct hot_edit edit;
    struct key key, prefix;
    struct slice of_box = key_am(&prefix, box->a, box->m);
    hot_begin(&edit, s->turn, box);
    enum err e = engine_cursor_open(s->turn->txn, DBI_POP, of_box, &cursor);
    if (!e)
        e = engine_seek(&cursor, key_amu(&key, box->a, box->m, s->place->uid));
    for (; !e; e = engine_next(&cursor)) {
        struct row_pop row;
        struct hot_slot *slot;
        uint32_t uid;
        if (!key_get32(cursor.key, 8, &uid) || row_pop_decode(cursor.value, &row)) {
            e = ERR_CORRUPT;
            break;
        }
        if (!goes_on(s, uid)) {
            e = ERR_AGAIN;
            break;
        }
        if (!(row.bits & POP_DOWNLOADED) || row.time + age_s > s->turn->now)
            continue;
        if ((e = hot_at(&edit, uid, &slot)))
            break;
        if (slot) {
            uidset_add(ret, uid, uid);
            s->taken++;
        }
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* A mailbox that the settings name need not be there. */
static enum err expire_mailbox(struct slice_of *s, const char *name, unsigned expiry,
                               uint64_t age_s)
{
    struct uidset uids = {0};
    struct box box;
    struct slice path = slice_str(name);
    if (slice_ieq(path, SLICE("INBOX")))
        path = SLICE("INBOX");
    enum err e = box_find(s->turn->txn, s->turn->env, s->acct.a, path, &box);
    if (e || !box.row.exists)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    e = expiry == EXPIRY_POP3 ? downloaded_ones(s, &box, age_s, &uids)
                              : old_ones(s, &box, (uint32_t)age_s, &uids);
    enum err taken = !e || e == ERR_AGAIN ? take(s, &box, &uids, expiry) : ERR_OK;
    uidset_finish(&uids);
    return taken ? taken : e;
}

/* --- one account --------------------------------------------------------------------------------
 */

static enum err expire_account(struct slice_of *s)
{
    const struct config_ages *ages = &s->settings.store.autoexpunge;
    const struct config_list *folders = &s->settings.pop3.folders;
    int32_t days = s->settings.pop3.expire_days;
    unsigned nfolders = days < 0 ? 0 : folders->n;
    if (days == 0) /* is QUIT's work (RFC 2449 section 6.7); what a lost session has read waits */
        days = 1;
    enum err e = ERR_OK;
    while (!e && s->place->item < ages->n + nfolders) {
        unsigned item = s->place->item;
        if (item < ages->n)
            e = expire_mailbox(s, ages->items[item].mailbox, EXPIRY_AUTOEXPUNGE,
                               ages->items[item].age_s);
        else
            e = expire_mailbox(s, folders->items[item - ages->n], EXPIRY_POP3,
                               (uint64_t)days * DAY_S);
        if (!e) {
            s->place->item++;
            s->place->uid = 0;
        }
    }
    return e;
}

/* ERR_NOTFOUND: there is no account at or after the place. */
static enum err load_account(struct slice_of *s)
{
    struct key from;
    struct slice found, value;
    uint32_t a;
    enum err e =
        engine_first(s->turn->txn, DBI_ACCT, SLICE_NONE, key_a(&from, s->place->a), &found, &value);
    if (!e && !key_get32(found, 0, &a))
        e = ERR_CORRUPT;
    if (e)
        return e;
    if (a != s->place->a)
        *s->place = (struct place){.a = a};
    e = acct_load(s->turn->txn, a, &s->acct);
    return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
}

static void next_account(struct place *place)
{
    *place = (struct place){.a = place->a + 1};
}

/* --- the pass ------------------------------------------------------------------------------------
 */

static void report(const struct expiry_sum *sum)
{
    static const struct {
        const char *why;
        unsigned label;
    } kinds[] = {
        [EXPIRY_AUTOEXPUNGE] = {"autoexpunge", METRIC_EXPIRED_AUTO},
        [EXPIRY_POP3] = {"pop3",        METRIC_EXPIRED_POP3},
    };
    for (unsigned i = 0; i < EXPIRIES; i++) {
        if (!sum->messages[i])
            continue;
        metrics_add(METRIC_EXPIRED, kinds[i].label, 0, 0, (int64_t)sum->messages[i]);
        struct log_line line;
        log_begin(&line, LOG_INFO, "expire");
        log_str(&line, "why", kinds[i].why);
        log_u64(&line, "n", sum->messages[i]);
        log_u64(&line, "bytes", sum->octets[i]);
        log_end(&line);
    }
}

static bool pass_due(struct env *env, uint32_t now)
{
    struct expire *x = env->expire;
    (void)now;
    x->here = x->safe; /* a slice whose turn was aborted is done again */
    x->sum = x->safe_sum;
    if (!gone_age_trusted(env))
        return false;
    if (!x->passing && clock_mono_ms() >= x->pass_ms) {
        x->passing = true;
        x->here = x->safe = (struct place){0};
    }
    return x->passing;
}

static enum err pass_slice(struct turn *turn, unsigned pages)
{
    struct expire *x = turn->env->expire;
    struct slice_of s = {.turn = turn, .place = &x->here, .sum = &x->sum};
    uint64_t until = clock_mono_ns() + UPKEEP_NS;
    (void)pages; /* SLICE_MESSAGES need fewer */
    for (unsigned n = 0; n < SLICE_ACCOUNTS && (n % 16 || clock_mono_ns() < until); n++) {
        enum err e = load_account(&s);
        if (e == ERR_NOTFOUND) {
            x->passing = false;
            x->pass_ms = clock_mono_ms() + PASS_MS;
            return ERR_OK;
        }
        if (!e && s.acct.row.state == ACCT_LIVE)
            e = policy_of(x->policy, &s.acct, &s.settings);
        if (!e && s.acct.row.state == ACCT_LIVE)
            e = expire_account(&s);
        if (e == ERR_AGAIN || e == ERR_FULL)
            return e == ERR_AGAIN ? ERR_OK : e;
        next_account(&x->here);
        if (e) { /* damage: let it lie, and go on with the others */
            x->safe = x->here;
            return e;
        }
    }
    return ERR_OK;
}

static void pass_committed(struct env *env)
{
    struct expire *x = env->expire;
    x->safe = x->here;
    x->safe_sum = x->sum;
    if (x->passing)
        return;
    report(&x->sum);
    x->sum = x->safe_sum = (struct expiry_sum){0};
}

void expire_register(struct env *env)
{
    static const struct upkeep pass = {
        .name = "expire", .due = pass_due, .slice = pass_slice, .committed = pass_committed};
    env->expire = mem_new(sizeof *env->expire);
    if (policy_new(env->store, &env->expire->policy) != ERR_OK)
        abort(); /* a read snapshot of a catalog that was opened a moment ago */
    env->expire->pass_ms = clock_mono_ms() + FIRST_PASS_MS;
    committer_add_upkeep(env->committer, &pass);
}

void expire_free(struct expire *expire)
{
    if (!expire)
        return;
    policy_free(expire->policy);
    mem_free(expire);
}

/* --- when it is asked for ------------------------------------------------------------------------
 */

struct expire_op {
    struct op op;
    bool all;
    struct place here, safe;
    struct expiry_sum sum, safe_sum;
    uint64_t dropped, safe_dropped; /* from the undelete window */
};

/* What other timers do by age. */
static enum err expire_rest(struct expire_op *op, struct slice_of *s)
{
    struct spent spent = {0};
    uint64_t messages = s->acct.row.gone_msgs;
    enum err e = window_account(s->turn, &s->acct, &s->settings, UPKEEP_PAGES, &spent);
    op->dropped += messages - s->acct.row.gone_msgs;
    return e ? e : trim_journal(s->turn, s->acct.a);
}

static enum err expire_one(struct expire_op *op, struct slice_of *s)
{
    enum err e = policy_of(s->turn->env->expire->policy, &s->acct, &s->settings);
    if (e || s->acct.row.state != ACCT_LIVE)
        return e;
    if (!op->here.window)
        e = expire_account(s);
    if (!e) {
        op->here.window = true;
        e = expire_rest(op, s);
    }
    return e;
}

static enum err expire_apply(struct op *base, struct turn *turn)
{
    struct expire_op *op = (struct expire_op *)base;
    struct slice_of s = {.turn = turn, .place = &op->here, .sum = &op->sum};
    uint32_t only = op->all ? 0 : op->safe.a;
    uint64_t until = clock_mono_ns() + UPKEEP_NS;
    enum err e = ERR_OK;
    op->here = op->safe; /* of an earlier try */
    op->sum = op->safe_sum;
    op->dropped = op->safe_dropped;
    for (unsigned n = 0; !e && n < SLICE_ACCOUNTS; n++) {
        if (n && n % 16 == 0 && clock_mono_ns() >= until)
            break;
        e = load_account(&s);
        if (!e && only && s.acct.a != only)
            e = ERR_NOTFOUND;
        if (!e)
            e = expire_one(op, &s);
        if (!e)
            next_account(&op->here);
        if (!e && only)
            break;
    }
    bool end = (!e && only) || (e == ERR_NOTFOUND && op->all);
    base->again = e == ERR_AGAIN || (!e && !end);
    base->result.expired = (struct store_expired){
        .pop3 = op->sum.messages[EXPIRY_POP3],
        .autoexpunge = op->sum.messages[EXPIRY_AUTOEXPUNGE],
        .undelete = op->dropped,
        .octets = op->sum.octets[EXPIRY_POP3] + op->sum.octets[EXPIRY_AUTOEXPUNGE]};
    return base->again || end ? ERR_OK : e;
}

static void expire_committed(struct op *base)
{
    struct expire_op *op = (struct expire_op *)base;
    op->safe = op->here;
    op->safe_sum = op->sum;
    op->safe_dropped = op->dropped;
}

static void expire_release(struct op *base)
{
    struct expire_op *op = (struct expire_op *)base;
    if (!base->result.err)
        report(&op->sum);
    mem_free(op);
}

void store_expire(struct store *store, unsigned shard, uint32_t acct, struct store_to to)
{
    static const struct op_kind kind = {.name = "expire",
                                        .apply = expire_apply,
                                        .release = expire_release,
                                        .committed = expire_committed};
    struct expire_op *op = mem_new(sizeof *op);
    op->op = (struct op){.kind = &kind,
                         .env = store->shard[shard],
                         .acct = acct,
                         .pages = expunge_pages(SLICE_MESSAGES) + UPKEEP_PAGES,
                         .to = to};
    op->all = acct == 0;
    op->here.a = op->safe.a = acct;
    committer_submit(store->shard[shard]->committer, &op->op);
}
