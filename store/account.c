/* Accounts in their shard, and as a session has them open. */
#include "store/account.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/lazy.h"

/* --- open ----------------------------------------------------------------------------------------
 */

enum err store_account_open(struct store_reader *reader, const struct store_user *user,
                            const struct store_limits *limits, struct store_account **ret)
{
    struct store *store = reader->store;
    if (user->shard >= store->nshards)
        return ERR_CORRUPT;
    struct env *env = store->shard[user->shard];
    struct engine_txn *snap;
    struct acct acct;
    enum err e = reader_snap(reader, env, &snap);
    if (!e)
        e = acct_load(snap, user->acct, &acct);
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    if (acct.row.nonce != user->nonce)
        return ERR_CORRUPT; /* the catalog speaks of another account that had this number */
    switch (acct.row.state) {
    case ACCT_LIVE:
    case ACCT_SCRATCH:
    case ACCT_NEW: /* the catalog names it, so it is made; the last batch was refused */
        break;
    case ACCT_DELETING:
        return ERR_NOTFOUND;
    default:
        return ERR_FROZEN;
    }
    struct store_account *account = mem_new(sizeof *account);
    *account = (struct store_account){
        .store = store, .env = env, .a = user->acct, .nonce = user->nonce, .limits = *limits};
    account->login = slice(mem_dup(user->login.ptr, user->login.len), user->login.len);
    *ret = account;
    return ERR_OK;
}

void store_account_close(struct store_account *account)
{
    if (!account)
        return;
    mem_free((char *)(uintptr_t)account->login.ptr);
    mem_free(account);
}

uint32_t store_account_id(const struct store_account *account)
{
    return account->a;
}

unsigned store_account_shard(const struct store_account *account)
{
    return account->env->index;
}

struct slice store_account_login(const struct store_account *account)
{
    return account->login;
}

const struct store_limits *store_account_limits(const struct store_account *account)
{
    return &account->limits;
}

void store_account_set_actor(struct store_account *account, enum store_proto proto,
                             uint64_t connection_id)
{
    account->actor.proto = proto;
    account->actor.conn = connection_id;
}

void store_account_set_origin(struct store_account *account, const unsigned char address[16],
                              struct slice client)
{
    struct actor *actor = &account->actor;
    memcpy(actor->address, address, sizeof actor->address);
    client = slice_first(client, sizeof actor->client);
    actor->client_len = (uint8_t)client.len;
    if (client.len)
        memcpy(actor->client, client.ptr, client.len);
}

void store_account_logged_in(struct store_account *account)
{
    lazy_login(account->env, account->a, account->actor.proto, clock_wall());
}

/* --- usage ---------------------------------------------------------------------------------------
 */

enum err store_usage(struct store_reader *reader, struct store_account *account,
                     struct store_usage *ret)
{
    struct engine_txn *snap;
    struct acct acct;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = acct_load(snap, account->a, &acct);
    if (e)
        return e;
    *ret = (struct store_usage){.octets = acct.row.used_bytes,
                                .messages = acct.row.used_msgs,
                                .gone_octets = acct.row.gone_bytes,
                                .gone_messages = acct.row.gone_msgs,
                                .created = (uint32_t)acct.row.created,
                                .last_imap = acct.row.last_imap,
                                .last_pop3 = acct.row.last_pop3};
    return ERR_OK;
}

enum err account_fits(const struct acct *acct, const struct store_limits *limits, uint64_t octets,
                      uint64_t messages)
{
    const struct row_acct *row = &acct->row;
    bool fits = (!limits->quota_octets || (octets <= limits->quota_octets &&
                                           row->used_bytes <= limits->quota_octets - octets)) &&
                (!limits->quota_messages || (messages <= limits->quota_messages &&
                                             row->used_msgs <= limits->quota_messages - messages));
    return fits ? ERR_OK : ERR_QUOTA;
}

enum err store_quota_check(struct store_reader *reader, struct store_account *account,
                           uint64_t octets, uint64_t messages)
{
    struct engine_txn *snap;
    struct acct acct;
    if (!account->limits.quota_octets && !account->limits.quota_messages)
        return ERR_OK;
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = acct_load(snap, account->a, &acct);
    return e ? e : account_fits(&acct, &account->limits, octets, messages);
}

/* --- in a turn -----------------------------------------------------------------------------------
 */

enum err account_for_change(struct turn *turn, uint32_t a, struct acct *ret)
{
    enum err e = acct_load(turn->txn, a, ret);
    if (e)
        return e;
    switch (ret->row.state) {
    case ACCT_LIVE:
    case ACCT_SCRATCH:
    case ACCT_IMPORTING:
    case ACCT_NEW:
        return ERR_OK;
    case ACCT_DELETING:
        return ERR_NOTFOUND;
    default:
        return ERR_FROZEN;
    }
}

uint32_t account_uidvalidity(struct acct *acct, uint32_t now)
{
    uint32_t v = now > acct->row.next_uidvalidity ? now : acct->row.next_uidvalidity;
    acct->row.next_uidvalidity = v + 1;
    return v;
}

/* --- recovery ------------------------------------------------------------------------------------
 */

/* What the catalog says of account `a`. */
enum named {
    NAMED_NOT,   /* nothing: what is there in the shard is another's, or from another time */
    NAMED_OURS,  /* a login leads here */
    NAMED_UNMADE /* it was deleted: the login has gone, the way back to it has not */
};

static enum err named_in(struct engine_txn *catalog, uint32_t a, struct row_user *user,
                         enum named *ret)
{
    struct key key;
    struct slice value;
    struct row_cacct owner;
    *ret = NAMED_NOT;
    enum err e = engine_get(catalog, DBI_CACCT, key_a(&key, a), &value);
    if (!e)
        e = row_cacct_decode(value, &owner);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    *ret = NAMED_UNMADE;
    e = engine_get(catalog, DBI_CUSER, key_text(&key, owner.login), &value);
    if (!e)
        e = row_user_decode(value, user);
    if (!e && user->a == a)
        *ret = NAMED_OURS;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* Accounts of one shard that were being made, moved in or deleted, by what the catalog says. */
static enum err recover_shard(struct store *store, struct env *env)
{
    struct engine_txn *turn, *catalog = NULL;
    struct engine_cursor cursor = {0};
    struct uidset live = {0}, dead = {0};
    enum err e = engine_turn_begin(env->engine, &turn);
    if (e)
        return e;
    e = engine_snap_new(store->catalog->engine, &catalog);
    if (!e)
        e = engine_snap_renew(catalog);
    if (!e)
        e = engine_cursor_open(turn, DBI_ACCT, SLICE_NONE, &cursor);
    while (!e) {
        e = cursor.key.len ? engine_next(&cursor) : engine_seek(&cursor, SLICE("\0"));
        struct row_acct row;
        static _Thread_local struct row_user user;
        enum named named;
        uint32_t a;
        if (e || (e = row_acct_decode(cursor.value, &row)))
            break;
        bool unfinished = row.state == ACCT_NEW || row.state == ACCT_IMPORTING;
        if ((!unfinished && row.state != ACCT_LIVE) || !key_get32(cursor.key, 0, &a))
            continue;
        if ((e = named_in(catalog, a, &user, &named)))
            break;
        bool ours = named == NAMED_OURS && user.shard == env->index && user.nonce == row.nonce;
        if (unfinished)
            uidset_add(ours ? &live : &dead, a, a);
        else if (named == NAMED_UNMADE)
            uidset_add(&dead, a, a);
    }
    engine_cursor_close(&cursor);
    engine_snap_free(catalog);
    if (e == ERR_NOTFOUND)
        e = ERR_OK;
    const struct {
        const struct uidset *set;
        uint8_t state;
    } todo[] = {
        {&live, ACCT_LIVE    },
        {&dead, ACCT_DELETING}
    };
    for (size_t i = 0; i < 2; i++)
        for (uint32_t a = uidset_next(todo[i].set, 0); !e && a;
             a = uidset_next(todo[i].set, a + 1)) {
            struct acct acct;
            struct key key;
            unsigned char octets[ROW_MAX];
            e = acct_load(turn, a, &acct);
            acct.row.state = todo[i].state;
            if (!e)
                e = engine_put(turn, DBI_ACCT, key_a(&key, a), row_acct_encode(&acct.row, octets));
        }
    bool wrote = !uidset_empty(&live) || !uidset_empty(&dead);
    uidset_finish(&live);
    uidset_finish(&dead);
    if (!e && wrote)
        return engine_turn_commit(turn);
    engine_turn_abort(turn);
    return e;
}

/* Every shard has marked its part of the deleted accounts: nothing needs to lead to them. */
static enum err recover_catalog(struct env *env)
{
    struct engine_txn *turn;
    struct engine_cursor cursor;
    struct uidset dead = {0};
    static _Thread_local struct row_user user;
    enum err e = engine_turn_begin(env->engine, &turn);
    if (e)
        return e;
    e = engine_cursor_open(turn, DBI_CACCT, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, SLICE("\0"));
    for (; !e; e = engine_next(&cursor)) {
        enum named named = NAMED_OURS;
        uint32_t a = 0;
        if (!key_get32(cursor.key, 0, &a) || named_in(turn, a, &user, &named))
            continue;
        if (named == NAMED_UNMADE)
            uidset_add(&dead, a, a);
    }
    engine_cursor_close(&cursor);
    if (e == ERR_NOTFOUND)
        e = ERR_OK;
    for (uint32_t a = uidset_next(&dead, 0); !e && a; a = uidset_next(&dead, a + 1)) {
        struct key key;
        e = engine_del(turn, DBI_CACCT, key_a(&key, a));
    }
    bool wrote = !uidset_empty(&dead);
    uidset_finish(&dead);
    if (!e && wrote)
        return engine_turn_commit(turn);
    engine_turn_abort(turn);
    return e;
}

enum err account_recover(struct store *store, struct fault *why)
{
    for (unsigned i = 0; i < store->nshards; i++) {
        enum err e = recover_shard(store, store->shard[i]);
        if (e)
            return fault(why, e, "%s: unfinished accounts could not be settled",
                         store->shard[i]->dir);
    }
    enum err e = recover_catalog(store->catalog);
    return e ? fault(why, e, "%s: deleted accounts could not be settled", store->catalog->dir)
             : ERR_OK;
}
