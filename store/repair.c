/* An account that the catalog names and its shard has never heard of: the shard was put back from a
 * backup that is older than the account. It is made anew, empty, under the number and nonce that
 * the catalog has. Clients may have seen its mailboxes before, so these begin as if lifted
 * (store/README.md): a bare UID is the whole UIDL of some formats. */
#include "core/base/mem.h"
#include "store/account.h"
#include "store/admin.h"
#include "store/creation.h"

struct repair_op {
    struct op op;
    struct creation creation; /* no chain: one batch of the shard */
    char text[];              /* of its login and UIDL format */
};

static enum err lift(struct turn *turn, uint32_t a, uint32_t m)
{
    struct box box;
    enum err e = box_load(turn->txn, turn->env, a, m, &box);
    if (e)
        return e;
    box_lift(&box.row, 1);
    return turn_box_save(turn, &box);
}

static enum err repair_apply(struct op *base, struct turn *turn)
{
    const struct creation *c = &((struct repair_op *)base)->creation;
    struct acct acct;
    enum err e = creation_rows(turn, c, ACCT_LIVE, &acct);
    for (uint32_t m = 1; !e && m < acct.row.next_mbox; m++)
        e = lift(turn, c->a, m);
    return e;
}

static void repair_release(struct op *op)
{
    mem_free(op);
}

static struct slice keep(char *to, struct slice s)
{
    memcpy(to, s.ptr, s.len);
    return slice(to, s.len);
}

void store_user_repair(struct store *store, const struct store_user *user, struct slice uidl_format,
                       struct store_to to)
{
    static const struct op_kind kind = {
        .name = "account-repair", .apply = repair_apply, .release = repair_release};
    struct repair_op *op = mem_new(sizeof *op + user->login.len + uidl_format.len);
    struct env *env = user->shard < store->nshards ? store->shard[user->shard] : NULL;
    op->op = (struct op){.kind = &kind,
                         .env = env ? env : store->catalog,
                         .acct = user->acct,
                         .pages = 32,
                         .to = to};
    op->creation = (struct creation){.a = user->acct,
                                     .nonce = user->nonce,
                                     .login = keep(op->text, user->login),
                                     .uidl_format = keep(op->text + user->login.len, uidl_format)};
    if (env) {
        committer_submit(env->committer, &op->op);
    } else {
        op->op.result.err = ERR_CORRUPT;
        op_complete(&op->op);
    }
}
