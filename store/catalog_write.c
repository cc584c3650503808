/* The catalog changed: accounts made and removed, credentials, options, aliases.
 *
 * An account lives in two environments, so making one is a chain of batches, each of which a crash
 * may be the last of (account_recover settles what is left):
 *
 *   catalog: take a number A  ->  shard: `acct` in state NEW, its mailboxes
 *                             ->  catalog: the login's row  ->  shard: state LIVE
 *
 * Removing one goes the other way, and keeps the way back to the login until the shard knows:
 *
 *   catalog: the login's row goes  ->  shard: state DELETING, which the sweep finds
 *                                  ->  catalog: A's row goes
 *
 * From the login's row on the outcome is certain: what a later batch is refused for lack of room,
 * the next start makes up for. */
#include "store/creation.h"

#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/catalog.h"
#include "store/mailbox.h"
#include "store/sweep.h"

static void release(struct op *op)
{
    mem_free(op);
}

/* --- single rows
 * ----------------------------------------------------------------------------------- */

struct row_op {
    struct op op;
    enum catalog_dbi dbi;
    bool must_exist;
    struct key key;
    size_t len;
    unsigned char row[]; /* empty: delete */
};

static enum err row_apply(struct op *base, struct turn *turn)
{
    struct row_op *op = (struct row_op *)base;
    struct slice key = key_slice(&op->key), old;
    enum err e = engine_get(turn->txn, op->dbi, key, &old);
    if (e && e != ERR_NOTFOUND)
        return e;
    if (e && op->must_exist)
        return ERR_NOTFOUND;
    if (op->len)
        return turn_put(turn, op->dbi, key, slice(op->row, op->len));
    return e ? ERR_OK : turn_del(turn, op->dbi, key);
}

static const struct op_kind row_kind = {"catalog", row_apply, release, false, NULL};

static struct row_op *row_op_new(struct store *store, enum catalog_dbi dbi, struct slice row,
                                 struct store_to to)
{
    struct row_op *op = mem_new(sizeof *op + row.len);
    op->op = (struct op){.kind = &row_kind, .env = store->catalog, .pages = 8, .to = to};
    op->dbi = dbi;
    op->len = row.len;
    if (row.len)
        memcpy(op->row, row.ptr, row.len);
    return op;
}

static void refuse(struct op *op, enum err e)
{
    op->result.err = e;
    op_complete(op);
}

void store_alias_set(struct store *store, struct slice address, const uint32_t *targets, size_t n,
                     struct store_to to)
{
    struct row_alias alias = {.n = (uint16_t)(n < ALIAS_TARGETS_MAX ? n : ALIAS_TARGETS_MAX)};
    unsigned char row[8 + 4 * ALIAS_TARGETS_MAX];
    if (alias.n)
        memcpy(alias.target, targets, alias.n * sizeof *targets);
    struct row_op *op =
        row_op_new(store, DBI_CALIAS, n ? row_alias_encode(&alias, row) : SLICE_NONE, to);
    key_text(&op->key, address);
    op->must_exist = n == 0;
    if (n > ALIAS_TARGETS_MAX)
        refuse(&op->op, ERR_LIMIT);
    else
        committer_submit(store->catalog->committer, &op->op);
}

/* --- user set
 * ---------------------------------------------------------------------------------------- */

/* The row and the options of one account, which are rows of their own: one batch of the catalog. */
struct set_op {
    struct op op;
    struct arena arena;
    struct store_user user;
};

struct store_opt *catalog_opts_copy(struct arena *arena, const struct store_opt *opts, size_t n)
{
    struct store_opt *copy = arena_new(arena, n * sizeof *copy);
    for (size_t i = 0; i < n; i++) {
        copy[i] = opts[i];
        copy[i].name = arena_dup(arena, opts[i].name);
        copy[i].value = arena_dup(arena, opts[i].value);
    }
    return copy;
}

static void copy_user(struct arena *arena, const struct store_user *from, struct store_user *to)
{
    *to = *from;
    to->login = arena_dup(arena, from->login);
    to->creds = arena_new(arena, from->ncreds * sizeof *to->creds);
    for (size_t i = 0; i < from->ncreds; i++) {
        to->creds[i] = from->creds[i];
        to->creds[i].name = arena_dup(arena, from->creds[i].name);
        to->creds[i].verifier = arena_dup(arena, from->creds[i].verifier);
    }
    to->opts = catalog_opts_copy(arena, from->opts, from->nopts);
}

static void row_from_user(const struct store_user *user, uint64_t nonce, struct row_user *ret)
{
    ret->state = user->disabled;
    ret->shard = user->shard;
    ret->a = user->acct;
    ret->flags = user->flags;
    ret->nonce = nonce;
    ret->ncred = (uint16_t)user->ncreds;
    for (size_t i = 0; i < user->ncreds; i++)
        ret->cred[i] = (struct row_cred){.id = user->creds[i].id,
                                         .flags = user->creds[i].flags,
                                         .protocols = user->creds[i].protocols,
                                         .created = user->creds[i].created,
                                         .name = user->creds[i].name,
                                         .verifier = user->creds[i].verifier};
}

enum err catalog_opts_write(struct turn *turn, struct slice scope, bool of_domain,
                            const struct store_opt *opts, size_t n)
{
    struct key key;
    struct slice k, v;
    unsigned char octets[ROW_MAX];
    enum err e;
    while (!(e = engine_first(turn->txn, DBI_COPT, scope, scope, &k, &v)))
        if ((e = turn_del(turn, DBI_COPT, key_text(&key, k))))
            return e;
    if (e != ERR_NOTFOUND)
        return e;
    for (size_t i = 0; i < n; i++) {
        if (opts[i].of_domain != of_domain)
            continue;
        key_text(&key, scope);
        if (scope.len + opts[i].name.len > KEY_MAX)
            return ERR_LIMIT;
        memcpy(key.octets + scope.len, opts[i].name.ptr, opts[i].name.len);
        key.len += opts[i].name.len;
        e = turn_put(turn, DBI_COPT, key_slice(&key), row_value_encode(opts[i].value, octets));
        if (e)
            return e;
    }
    return ERR_OK;
}

static enum err set_opts(struct turn *turn, const struct store_user *user, uint32_t a)
{
    struct key scope;
    return catalog_opts_write(turn, key_catalog_opt(&scope, false, a, SLICE_NONE, SLICE_NONE),
                              false, user->opts, user->nopts);
}

static enum err set_apply(struct op *base, struct turn *turn)
{
    struct set_op *op = (struct set_op *)base;
    struct key key;
    struct slice value;
    static _Thread_local struct row_user row;
    unsigned char octets[ROW_MAX];
    enum err e = engine_get(turn->txn, DBI_CUSER, key_text(&key, op->user.login), &value);
    if (!e)
        e = row_user_decode(value, &row);
    if (e)
        return e;
    if (row.a != op->user.acct)
        return ERR_NOTFOUND; /* deleted and made again meanwhile */
    row_from_user(&op->user, row.nonce, &row);
    struct slice encoded = row_user_encode(&row, octets);
    if (!encoded.ptr)
        return ERR_LIMIT;
    e = turn_put(turn, DBI_CUSER, key_text(&key, op->user.login), encoded);
    return e ? e : set_opts(turn, &op->user, row.a);
}

static void set_release(struct op *base)
{
    struct set_op *op = (struct set_op *)base;
    arena_wipe(&op->arena);
    mem_free(op);
}

static const struct op_kind set_kind = {"user-set", set_apply, set_release, false, NULL};

void store_user_set(struct store *store, const struct store_user *user, struct store_to to)
{
    struct set_op *op = mem_new(sizeof *op);
    op->op = (struct op){.kind = &set_kind, .env = store->catalog, .pages = 16, .to = to};
    arena_init(&op->arena, 1 << 20);
    if (user->ncreds > USER_CREDS_MAX) {
        refuse(&op->op, ERR_LIMIT);
        return;
    }
    copy_user(&op->arena, user, &op->user);
    committer_submit(store->catalog->committer, &op->op);
}

/* --- making an account
 * --------------------------------------------------------------------------------- */

struct creation_op {
    struct op op;
    struct creation *c;
};

void creation_step(struct creation *c, struct env *env, const struct op_kind *kind,
                   struct store_to to)
{
    struct creation_op *op = mem_new(sizeof *op);
    op->op = (struct op){
        .kind = kind, .env = env, .acct = c->a, .pages = 32, .internal = true, .to = to};
    op->c = c;
    committer_submit(env->committer, &op->op);
}

static void then(struct creation *c, struct env *env, const struct op_kind *kind, store_done *done)
{
    creation_step(c, env, kind, (struct store_to){.id = (uint64_t)(uintptr_t)c, .done = done});
}

static void creation_end(struct creation *c, enum err e)
{
    chain_end(&c->store->chains);
    c->last->result.err = e;
    c->last->result.acct = c->a;
    op_complete(c->last);
    mem_free((char *)(uintptr_t)c->login.ptr);
    mem_wipe((char *)(uintptr_t)c->verifier.ptr, c->verifier.len);
    mem_free((char *)(uintptr_t)c->verifier.ptr);
    mem_free((char *)(uintptr_t)c->uidl_format.ptr);
    mem_free(c);
}

static enum err number_apply(struct op *base, struct turn *turn)
{
    struct creation *c = ((struct creation_op *)base)->c;
    struct key key;
    struct slice value;
    size_t at = slice_find(c->login, '@');
    enum err e = engine_get(turn->txn, DBI_CUSER, key_text(&key, c->login), &value);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_EXISTS;
    e = engine_get(turn->txn, DBI_CALIAS, key_text(&key, c->login), &value);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_EXISTS;
    if (at >= c->login.len)
        return ERR_SYNTAX;
    e = engine_get(turn->txn, DBI_CDOM, key_text(&key, slice_from(c->login, at + 1)), &value);
    if (e)
        return e;
    c->a = turn->env->next_acct++;
    c->shard = (uint16_t)(c->a % c->store->nshards);
    turn->state_dirty = true;
    return ERR_OK;
}

enum err creation_rows(struct turn *turn, const struct creation *c, uint8_t state, struct acct *ret)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    enum err e = acct_load(turn->txn, c->a, ret);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_EXISTS;
    *ret = (struct acct){.a = c->a};
    ret->row = (struct row_acct){
        .state = state, .next_mbox = 1, .nonce = c->nonce, .created = turn->now, .login = c->login};
    random_bytes(ret->row.uuid, sizeof ret->row.uuid);
    e = mailbox_make_defaults(turn, ret);
    if (!e)
        e = turn_put(turn, DBI_OPT, key_a_text(&key, c->a, SLICE("uidl_format")),
                     row_value_encode(c->uidl_format, octets));
    return e ? e : turn_acct_save(turn, ret);
}

/* ERR_EXISTS: a shard from another time; the next number is taken. */
static enum err make_apply(struct op *base, struct turn *turn)
{
    struct acct acct;
    return creation_rows(turn, ((struct creation_op *)base)->c, ACCT_NEW, &acct);
}

static enum err name_apply(struct op *base, struct turn *turn)
{
    struct creation *c = ((struct creation_op *)base)->c;
    struct key key;
    struct slice value;
    unsigned char octets[ROW_MAX];
    enum err e = engine_get(turn->txn, DBI_CUSER, key_text(&key, c->login), &value);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_EXISTS; /* somebody else was quicker */
    static _Thread_local struct row_user row;
    row = (struct row_user){.ncred = c->verifier.len ? 1 : 0};
    row.cred[0] = (struct row_cred){.id = 1,
                                    .protocols = CRED_IMAP | CRED_POP3 | CRED_CONTROL,
                                    .created = turn->now,
                                    .name = SLICE("password"),
                                    .verifier = c->verifier};
    if (c->user)
        row_from_user(c->user, c->nonce, &row);
    row.shard = c->shard;
    row.a = c->a;
    row.nonce = c->nonce;
    struct slice encoded = row_user_encode(&row, octets);
    if (!encoded.ptr)
        return ERR_LIMIT;
    e = turn_put(turn, DBI_CUSER, key_text(&key, c->login), encoded);
    struct row_cacct cacct = {.shard = c->shard, .login = c->login};
    if (!e)
        e = turn_put(turn, DBI_CACCT, key_a(&key, c->a), row_cacct_encode(&cacct, octets));
    return e || !c->user ? e : set_opts(turn, c->user, c->a);
}

static enum err set_state(struct turn *turn, uint32_t a, uint8_t state)
{
    struct acct acct;
    enum err e = acct_load(turn->txn, a, &acct);
    acct.row.state = state;
    return e ? e : turn_acct_save(turn, &acct);
}

static enum err live_apply(struct op *base, struct turn *turn)
{
    return set_state(turn, base->acct, ACCT_LIVE);
}

static enum err dead_apply(struct op *base, struct turn *turn)
{
    sweep_account(turn->env, base->acct);
    return set_state(turn, base->acct, ACCT_DELETING);
}

const struct op_kind creation_number = {"account-number", number_apply, release, false, NULL};
static const struct op_kind make_kind = {"account-make", make_apply, release, true, NULL};
const struct op_kind creation_name = {"account-name", name_apply, release, true, NULL};
const struct op_kind creation_live = {"account-live", live_apply, release, false, NULL};
const struct op_kind creation_dead = {"account-dead", dead_apply, release, false, NULL};

/* The steps run on the committers' threads, each in the completion of the one before. */

static void ended(void *arg, const struct store_result *r)
{
    (void)r; /* the login's row has decided */
    creation_end(arg, ERR_OK);
}

static void undone(void *arg, const struct store_result *r)
{
    (void)r; /* whatever came of it: the next start sweeps what the catalog does not name */
    creation_end(arg, ERR_EXISTS);
}

static void named(void *arg, const struct store_result *r)
{
    struct creation *c = arg;
    struct env *shard = c->store->shard[c->shard];
    if (!r->err)
        then(c, shard, &creation_live, ended);
    else if (r->err == ERR_EXISTS)
        then(c, shard, &creation_dead, undone);
    else
        creation_end(c, r->err);
}

static void numbered(void *arg, const struct store_result *r);

static void made(void *arg, const struct store_result *r)
{
    struct creation *c = arg;
    if (!r->err)
        then(c, c->store->catalog, &creation_name, named);
    else if (r->err == ERR_EXISTS && c->tries++ < 1000)
        then(c, c->store->catalog, &creation_number, numbered);
    else
        creation_end(c, r->err);
}

static void numbered(void *arg, const struct store_result *r)
{
    struct creation *c = arg;
    if (r->err)
        creation_end(c, r->err);
    else
        then(c, c->store->shard[c->shard], &make_kind, made);
}

static struct slice owned(struct slice s)
{
    return slice(mem_dup(s.ptr, s.len), s.len);
}

/* An op that only carries a completion. */
static const struct op_kind carrier_kind = {"carrier", NULL, release, false, NULL};

static struct op *carrier_new(struct store *store, struct store_to to)
{
    struct op *op = mem_new(sizeof *op);
    *op = (struct op){.kind = &carrier_kind, .env = store->catalog, .to = to};
    return op;
}

void store_user_create(struct store *store, struct slice login, struct slice verifier,
                       struct slice uidl_format, struct store_to to)
{
    struct creation *c = mem_new(sizeof *c);
    c->store = store;
    c->last = carrier_new(store, to);
    c->login = owned(login);
    c->verifier = owned(verifier);
    c->uidl_format = owned(uidl_format);
    c->nonce = random_u64();
    chain_begin(&store->chains);
    then(c, store->catalog, &creation_number, numbered);
}

/* --- removing one
 * ---------------------------------------------------------------------------------------- */

static enum err unname_apply(struct op *base, struct turn *turn)
{
    struct creation *c = ((struct creation_op *)base)->c;
    struct key key;
    struct slice value;
    static _Thread_local struct row_user row;
    enum err e = engine_get(turn->txn, DBI_CUSER, key_text(&key, c->login), &value);
    if (!e)
        e = row_user_decode(value, &row);
    if (e)
        return e;
    c->a = row.a;
    c->shard = row.shard;
    e = turn_del(turn, DBI_CUSER, key_text(&key, c->login));
    const struct store_user nobody = {0};
    return e ? e : set_opts(turn, &nobody, c->a);
}

static enum err unown_apply(struct op *base, struct turn *turn)
{
    struct key key;
    enum err e = turn_del(turn, DBI_CACCT, key_a(&key, base->acct));
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static const struct op_kind unown_kind = {"account-unown", unown_apply, release, false, NULL};
static const struct op_kind unname_kind = {"account-unname", unname_apply, release, false, NULL};

static void died(void *arg, const struct store_result *r)
{
    struct creation *c = arg;
    if (r->err)
        creation_end(c, ERR_OK);
    else
        then(c, c->store->catalog, &unown_kind, ended);
}

static void unnamed(void *arg, const struct store_result *r)
{
    struct creation *c = arg;
    if (r->err || c->shard >= c->store->nshards) {
        creation_end(c, r->err ? r->err : ERR_CORRUPT);
        return;
    }
    store_live_kick(c->store, c->a);
    then(c, c->store->shard[c->shard], &creation_dead, died);
}

void store_user_delete(struct store *store, struct slice login, struct store_to to)
{
    struct creation *c = mem_new(sizeof *c);
    c->store = store;
    c->last = carrier_new(store, to);
    c->login = owned(login);
    c->verifier = owned(SLICE_NONE);
    c->uidl_format = owned(SLICE_NONE);
    chain_begin(&store->chains);
    then(c, store->catalog, &unname_kind, unnamed);
}
