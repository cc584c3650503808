/* An account read from a stream. It comes into being step by step, unseen until the last one:
 *
 *      catalog: a number A  ->  shard: `acct` in state IMPORTING
 *                           ->  rows, then messages with their bodies, many batches
 *                           ->  every rule between its rows holds (store/verify.h)
 *                           ->  catalog: the login leads to it  ->  shard: state LIVE
 *
 * Each batch leaves an account that can be swept: its messages have their place, their reference
 * and their body. What breaks off before the login is there is swept, here or at the next start;
 * so is what the stream claims and its rows do not bear out. Mailboxes are lifted as after a
 * restore: the store that the stream is from may have given UIDs since. */
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/account_put.h"
#include "store/admin.h"
#include "store/archive.h"
#include "store/creation.h"
#include "store/verify.h"

enum { BATCH_OCTETS = 1 << 20, PAGES_PER_MESSAGE = 6, SHARED_MAX = 1 << 28 };

struct in {
    struct store *store;
    struct archive_in archive;
    const struct store_account_in *conf;
    struct fault *why;
    struct arena arena; /* of the user */
    struct store_user user;
    struct creation creation;
    struct store_account *account; /* NULL until A is there */
    uint64_t *shared;              /* bodies that several messages name, by number */
    size_t nshared, shared_cap;
    struct batch *batch;       /* being filled */
    struct store_incoming *in; /* the body under way; its message is the batch's last */
    uint32_t left;             /* octets of it to come */
    bool rows_of_user, row_of_account, end;
};

static enum err bad(struct in *in, const char *what)
{
    return fault(in->why, ERR_CORRUPT, "%s; use another copy", what);
}

/* --- ops
 * ------------------------------------------------------------------------------------------
 */

/* The next op of the account, waited for. */
static enum err run(struct op *op)
{
    struct store_wait *wait = store_wait_new();
    op->to = store_wait_to(wait);
    committer_submit(op->env->committer, op);
    return store_wait(wait, NULL);
}

static enum err step(struct in *in, struct env *env, const struct op_kind *kind)
{
    struct store_wait *wait = store_wait_new();
    creation_step(&in->creation, env, kind, store_wait_to(wait));
    return store_wait(wait, NULL);
}

static enum err take_rows(struct in *in, struct slice rows)
{
    const struct account_table *table = account_tables;
    while (table->letter && (rows.len == 0 || table->letter != rows.ptr[0]))
        table++;
    if (!table->letter)
        return bad(in, "it has rows that this version does not know");
    struct rows_op *op = mem_new(sizeof *op);
    op->op = (struct op){.kind = &account_put_rows,
                         .env = in->account->env,
                         .acct = in->account->a,
                         .pages = (uint32_t)(rows.len / 1024 + 16)};
    op->table = table;
    op->rows = slice_from(rows, 1);
    enum err e = run(&op->op);
    return e == ERR_CORRUPT ? bad(in, "a row in it cannot be read") : e;
}

/* --- messages
 * -------------------------------------------------------------------------------------
 */

static void batch_free(struct batch *batch, bool stored)
{
    for (size_t i = 0; batch && i < batch->n; i++) {
        struct coming *c = &batch->messages[i];
        if (c->in && stored)
            incoming_unref(c->in);
        else
            store_incoming_free(c->in); /* NULL shrugs */
        mem_free(c->memory);
    }
    mem_free(batch);
}

static size_t batch_octets(const struct batch *batch)
{
    size_t octets = 0;
    for (size_t i = 0; i < batch->n; i++)
        octets += batch->messages[i].in ? batch->messages[i].in->len : 0;
    return octets;
}

static enum err batch_run(struct in *in)
{
    struct batch *batch = in->batch;
    if (!batch)
        return ERR_OK;
    size_t octets = batch_octets(batch);
    struct batch_op *op = mem_new(sizeof *op);
    op->op =
        (struct op){.kind = &account_put_messages,
                    .env = in->account->env,
                    .acct = in->account->a,
                    .pages = (uint32_t)(batch->n * PAGES_PER_MESSAGE + octets / ENGINE_PAGE + 32),
                    .octets = (uint32_t)octets};
    op->batch = batch;
    batch->shared = in->shared;
    in->batch = NULL;
    enum err e = run(&op->op);
    for (size_t i = 0; !e && i < batch->n; i++)
        if (batch->messages[i].shared && batch->messages[i].in)
            in->shared[batch->messages[i].shared - 1] = batch->messages[i].blob;
    batch_free(batch, !e);
    return e == ERR_CORRUPT ? bad(in, "a message in it is not as its rows say") : e;
}

/* The body is whole. */
static enum err end_body(struct in *in)
{
    if (in->left)
        return bad(in, "the body of a message in it ends too early");
    if (in->in)
        incoming_seal(in->in);
    in->in = NULL;
    struct batch *batch = in->batch;
    return batch && (batch->n == BATCH_MESSAGES || batch_octets(batch) >= BATCH_OCTETS)
               ? batch_run(in)
               : ERR_OK;
}

static enum err take_octets(struct in *in, struct slice octets)
{
    enum err e;
    if (!in->in || octets.len > in->left)
        return bad(in, "it has octets of no message");
    in->left -= (uint32_t)octets.len;
    while ((e = store_incoming_write(in->in, octets)) == ERR_AGAIN)
        poll(NULL, 0, 1); /* two pieces are under way */
    return e;
}

/* Whose body is it? A number is the next new one, or one that was there. */
static enum err take_shared(struct in *in, struct coming *c, struct slice number, bool *ret_first)
{
    *ret_first = true;
    if (number.len == 0)
        return ERR_OK;
    if (number.len != 4 || !key_get32(number, 0, &c->shared) || c->shared == 0 ||
        c->shared > in->nshared + 1 || c->shared > SHARED_MAX)
        return bad(in, "a message in it has a body that is not there");
    *ret_first = c->shared == in->nshared + 1;
    if (!*ret_first)
        return ERR_OK;
    if (in->nshared == in->shared_cap) {
        in->shared_cap = in->shared_cap ? in->shared_cap * 2 : 256;
        in->shared = mem_resize(in->shared, in->shared_cap * sizeof *in->shared);
    }
    in->shared[in->nshared++] = 0;
    return ERR_OK;
}

/* The fields of the block, in memory of their own. */
static enum err keep_fields(struct coming *c, struct slice block)
{
    c->memory = mem_dup(block.ptr, block.len);
    struct slice rest = slice(c->memory, block.len);
    for (unsigned i = 0; i < MESSAGE_FIELDS; i++)
        if (!field_take(&rest, &c->field[i]))
            return ERR_CORRUPT;
    return ERR_OK;
}

static enum err take_message(struct in *in, struct slice block)
{
    enum err e = end_body(in);
    if (e)
        return e;
    if (!in->batch)
        in->batch = mem_new(sizeof *in->batch);
    struct coming *c = &in->batch->messages[in->batch->n++];
    struct row_msg msg;
    bool first;
    if (block.len == 0 || keep_fields(c, block) || row_msg_decode(c->field[MESSAGE_ROW], &msg))
        return bad(in, "a message in it cannot be read");
    in->conf->ret->messages++;
    e = take_shared(in, c, c->field[MESSAGE_SHARED], &first);
    if (e || !first)
        return e;
    e = store_incoming_new(in->account, UINT32_MAX, &c->in);
    in->in = e ? NULL : c->in;
    in->left = e ? 0 : msg.size;
    return e;
}

/* --- the account
 * ----------------------------------------------------------------------------------
 */

static enum err take_user(struct in *in, struct slice block)
{
    static _Thread_local struct row_user row;
    struct store_user *user = &in->user;
    struct slice login, value, name;
    size_t cap = block.len / 8;
    if (in->rows_of_user || !field_take(&block, &login) || !field_take(&block, &value) ||
        row_user_decode(value, &row))
        return bad(in, "its user cannot be read");
    in->rows_of_user = true;
    user->login = arena_dup(&in->arena, in->conf->login.len ? in->conf->login : login);
    user->flags = row.flags;
    user->disabled = row.state != 0;
    user->ncreds = row.ncred;
    user->creds = arena_new(&in->arena, row.ncred * sizeof *user->creds);
    for (unsigned i = 0; i < row.ncred; i++)
        user->creds[i] =
            (struct store_cred){.id = row.cred[i].id,
                                .flags = row.cred[i].flags,
                                .protocols = row.cred[i].protocols,
                                .created = row.cred[i].created,
                                .name = arena_dup(&in->arena, row.cred[i].name),
                                .verifier = arena_dup(&in->arena, row.cred[i].verifier)};
    user->opts = arena_new(&in->arena, cap * sizeof *user->opts);
    while (field_take(&block, &name) && field_take(&block, &value))
        user->opts[user->nopts++] = (struct store_opt){.name = arena_dup(&in->arena, name),
                                                       .value = arena_dup(&in->arena, value)};
    return block.len ? bad(in, "its user cannot be read") : ERR_OK;
}

/* A number, and its row in the shard. */
static enum err make(struct in *in, struct row_acct *row)
{
    struct creation *c = &in->creation;
    enum err e;
    *c = (struct creation){
        .store = in->store, .login = in->user.login, .user = &in->user, .nonce = random_u64()};
    do {
        e = step(in, in->store->catalog, &creation_number);
        if (e == ERR_EXISTS)
            return fault(in->why, e, "there is an account or alias " SLICE_FMT " already",
                         SLICE_ARG(c->login));
        if (e == ERR_NOTFOUND || e == ERR_SYNTAX)
            return fault(in->why, e, SLICE_FMT ": there is no such domain here; add it first",
                         SLICE_ARG(c->login));
        if (e)
            return e;
        struct acct_op *op = mem_new(sizeof *op);
        op->op = (struct op){
            .kind = &account_put_acct, .env = in->store->shard[c->shard], .acct = c->a, .pages = 8};
        op->row = (struct row_acct){.state = ACCT_IMPORTING,
                                    .flags = row->flags,
                                    .next_mbox = row->next_mbox,
                                    .next_uidvalidity = row->next_uidvalidity,
                                    .nonce = c->nonce,
                                    .epoch = row->epoch,
                                    .created = row->created,
                                    .last_imap = row->last_imap,
                                    .last_pop3 = row->last_pop3,
                                    .login = c->login};
        memcpy(op->row.uuid, row->uuid, sizeof op->row.uuid);
        e = run(&op->op);
    } while (e == ERR_EXISTS && c->tries++ < 1000);
    return e;
}

static enum err take_account(struct in *in, struct slice block)
{
    struct slice value;
    struct row_acct row;
    if (!in->rows_of_user || in->row_of_account || !field_take(&block, &value) ||
        row_acct_decode(value, &row))
        return bad(in, "its account cannot be read");
    enum err e = make(in, &row);
    if (e)
        return e;
    in->row_of_account = true;
    in->account = mem_new(sizeof *in->account);
    *in->account = (struct store_account){
        .store = in->store,
        .env = in->store->shard[in->creation.shard],
        .a = in->creation.a,
        .nonce = in->creation.nonce,
        .login = slice(mem_dup(in->user.login.ptr, in->user.login.len), in->user.login.len)};
    return ERR_OK;
}

/* Do its rows hold together? Then it is there. */
static enum err prove(struct in *in)
{
    struct store_verify said = {0};
    struct verify verify = {.out = &said, .env = in->account->env};
    struct store_reader *reader;
    enum err e = store_reader_new(in->store, NULL, &reader);
    if (e)
        return e;
    e = reader_snap(reader, verify.env, &verify.txn);
    if (!e)
        e = verify_account(&verify, in->account->a);
    store_reader_free(reader);
    return !e && said.findings ? bad(in, "its rows contradict each other") : e;
}

static enum err finish(struct in *in)
{
    enum err e = end_body(in);
    if (!e)
        e = batch_run(in);
    if (!e)
        e = prove(in);
    if (e)
        return e;
    chain_begin(&in->store->chains);
    e = step(in, in->store->catalog, &creation_name);
    if (!e)
        (void)step(in, in->account->env, &creation_live); /* or the next start makes up for it */
    chain_end(&in->store->chains);
    return e == ERR_EXISTS ? fault(in->why, e, "there is an account " SLICE_FMT " already",
                                   SLICE_ARG(in->user.login))
                           : e;
}

static enum err take_block(struct in *in, char type, struct slice payload)
{
    if (type == ACCOUNT_USER)
        return take_user(in, payload);
    if (type == ACCOUNT_ROW)
        return take_account(in, payload);
    if (!in->account)
        return bad(in, "it does not begin with whose it is");
    enum err e = ERR_OK;
    switch (type) {
    case ACCOUNT_ROWS:
        e = end_body(in);
        if (!e)
            e = batch_run(in);
        return e ? e : take_rows(in, payload);
    case ACCOUNT_MESSAGE:
        return take_message(in, payload);
    case ACCOUNT_BODY:
        return take_octets(in, payload);
    case ACCOUNT_END:
        in->end = true;
        return finish(in);
    default:
        return bad(in, "it has a block that this version does not know");
    }
}

enum err store_account_in(struct store *store, const struct store_account_in *conf,
                          struct fault *why)
{
    struct in in = {.store = store, .conf = conf, .why = why};
    char type;
    struct slice payload;
    uint64_t octets = 0;
    *why = (struct fault){0};
    *conf->ret = (struct store_account_taken){0};
    arena_init(&in.arena, 4 << 20);
    enum err e = archive_open(&in.archive, &conf->source, "account", why);
    while (!e && !in.end && !(e = archive_next(&in.archive, &type, &payload, why))) {
        octets += payload.len;
        e = take_block(&in, type, payload);
        if (conf->progress)
            conf->progress(conf->arg, octets);
    }
    if (e && !why->text[0])
        fault(why, e, "%s", err_text(e));
    batch_free(in.batch, false);
    if (e && in.account)
        (void)step(&in, in.account->env, &creation_dead);
    if (!e)
        snprintf(conf->ret->login, sizeof conf->ret->login, SLICE_FMT, SLICE_ARG(in.user.login));
    conf->ret->octets = octets;
    store_account_close(in.account);
    mem_free(in.shared);
    archive_close(&in.archive);
    arena_wipe(&in.arena);
    return e;
}
