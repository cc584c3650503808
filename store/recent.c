#include "store/recent.h"

#include "core/base/mem.h"
#include "store/boxes.h"
#include "store/commit.h"

enum { WRITE_AFTER_S = 600, CLAIMS = 256, PAGES_PER_CLAIM = 4 };

static enum err write_claim(struct turn *turn, const struct recent_claim *claim)
{
    struct box box;
    enum err e = box_load(turn->txn, turn->env, claim->a, claim->m, &box);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e; /* swept meanwhile */
    bool behind = box.row.state == MBOX_LIVE && box.row.recent_uid < claim->uid;
    return behind ? turn_box_save(turn, &box) : ERR_OK;
}

/* `ret_more`: as many again may be waiting. */
static enum err write_claims(struct turn *turn, unsigned pages, bool *ret_more)
{
    struct recent_claim claim[CLAIMS];
    unsigned max = pages / PAGES_PER_CLAIM < CLAIMS ? pages / PAGES_PER_CLAIM + 1 : CLAIMS;
    unsigned n = boxes_take_claims(turn->env->store->boxes, turn->env, claim, max);
    enum err e = ERR_OK;
    for (unsigned i = 0; !e && i < n; i++)
        e = write_claim(turn, &claim[i]);
    *ret_more = n == max;
    return e;
}

/* --- in the course of time
 * ------------------------------------------------------------------------
 */

static bool recent_due(struct env *env, uint32_t now)
{
    uint32_t since = boxes_claimed_at(env->store->boxes, env);
    return since && now > since && now - since >= WRITE_AFTER_S;
}

static enum err recent_slice(struct turn *turn, unsigned pages)
{
    bool more;
    return write_claims(turn, pages, &more);
}

void recent_register(struct env *env)
{
    static const struct upkeep recent = {"recent", recent_due, recent_slice};
    committer_add_upkeep(env->committer, &recent);
}

/* --- at the end
 * ------------------------------------------------------------------------------------
 */

static enum err settle_apply(struct op *op, struct turn *turn)
{
    return write_claims(turn, UPKEEP_PAGES, &op->again);
}

static void settle_release(struct op *op)
{
    mem_free(op);
}

void recent_settle(struct env *env)
{
    static const struct op_kind kind = {
        .name = "recent", .apply = settle_apply, .release = settle_release};
    if (!boxes_claimed_at(env->store->boxes, env))
        return;
    struct op *op = mem_new(sizeof *op);
    *op = (struct op){.kind = &kind, .env = env, .pages = UPKEEP_PAGES, .internal = true};
    committer_submit(env->committer, op);
}
