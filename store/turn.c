/* What an op may do in a turn: every change of a row goes through here, so that the committer knows
 * whether an op that failed has left something behind. */
#include "store/commit.h"

#include "core/base/mem.h"
#include "store/lazy.h"

enum err turn_put(struct turn *turn, unsigned dbi, struct slice key, struct slice value)
{
    turn->wrote = true;
    return engine_put(turn->txn, dbi, key, value);
}

enum err turn_append(struct turn *turn, unsigned dbi, struct slice key, struct slice value)
{
    turn->wrote = true;
    return engine_append(turn->txn, dbi, key, value);
}

enum err turn_append_room(struct turn *turn, unsigned dbi, struct slice key, size_t len, void **ret)
{
    turn->wrote = true;
    return engine_append_room(turn->txn, dbi, key, len, ret);
}

enum err turn_del(struct turn *turn, unsigned dbi, struct slice key)
{
    turn->wrote = true;
    return engine_del(turn->txn, dbi, key);
}

/* These rows are written anyway: a lazy row's chance. */
enum err turn_acct_save(struct turn *turn, const struct acct *acct)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    struct row_acct row = acct->row;
    lazy_join_acct(turn->env, acct->a, &row);
    return turn_put(turn, DBI_ACCT, key_a(&key, acct->a), row_acct_encode(&row, octets));
}

enum err turn_box_save(struct turn *turn, const struct box *box)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    struct row_mbox row = box->row;
    lazy_join_mbox(turn->env, box->a, box->m, &row);
    return turn_put(turn, DBI_MBOX, key_am(&key, box->a, box->m), row_mbox_encode(&row, octets));
}

/* `sys` is not written for each: what it says is taken is skipped after a crash. */
uint64_t turn_new_blob(struct turn *turn)
{
    enum { AHEAD = 1024 };
    struct env *env = turn->env;
    if (env->next_blob >= env->blobs_end) {
        env->blobs_end = env->next_blob + AHEAD;
        turn->state_dirty = true;
    }
    return env->next_blob++;
}

static void orphan(struct turn *turn, uint64_t blob)
{
    if (turn->norphans == turn->orphans_cap) {
        turn->orphans_cap = turn->orphans_cap ? turn->orphans_cap * 2 : 16;
        turn->orphans = mem_resize(turn->orphans, turn->orphans_cap * sizeof *turn->orphans);
    }
    turn->orphans[turn->norphans++] = blob;
}

enum err turn_blob_ref(struct turn *turn, uint64_t blob, int by)
{
    struct key key;
    struct slice k = key_b(&key, blob), value;
    struct row_blob row;
    unsigned char octets[64];
    enum err e = engine_get(turn->txn, DBI_BLOB, k, &value);
    if (!e)
        e = row_blob_decode(value, &row);
    if (!e && by < 0 && row.refs < (uint32_t)-by)
        e = ERR_CORRUPT;
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    if (row.refs == 0 && by > 0) { /* it was to be reaped: a later recipient of the same delivery */
        e = turn_del(turn, DBI_REAP, k);
        if (e && e != ERR_NOTFOUND)
            return e;
    }
    row.refs += (uint32_t)by;
    e = turn_put(turn, DBI_BLOB, k, row_blob_encode(&row, octets));
    if (e || row.refs > 0)
        return e;
    struct row_reap reap = {.time = turn->now};
    orphan(turn, blob);
    return turn_put(turn, DBI_REAP, k, row_reap_encode(&reap, octets));
}

/* --- events ------------------------------------------------------------------------------------
 */

static struct event *event_new(struct turn *turn, uint32_t a, uint32_t m)
{
    struct event *event = mem_new(sizeof *event);
    *event = (struct event){.next = turn->events, .txn = turn->id, .a = a, .m = m};
    turn->events = event;
    return event;
}

struct event *turn_event(struct turn *turn, const struct box *box)
{
    struct event *event = event_new(turn, box->a, box->m);
    event->modseq = box->row.highestmodseq;
    event->uidnext = box->row.uidnext;
    event->expunge_modseq = box->row.expunge_modseq;
    return event;
}

void turn_account_event(struct turn *turn, uint32_t a, uint32_t m, enum account_event kind)
{
    event_new(turn, a, m)->kind = kind;
}
