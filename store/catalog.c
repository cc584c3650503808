/* The catalog read: logins, aliases, options. (Written in catalog_write.c; domains: domain.c.) */
#include "store/catalog.h"

#include <string.h>

#include "core/base/mem.h"

enum err catalog_opts_read(struct engine_txn *snap, struct slice scope, bool of_domain,
                           struct arena *arena, struct opt_list *list)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(snap, DBI_COPT, scope, &cursor);
    if (!e)
        e = engine_seek(&cursor, scope);
    while (!e) {
        struct slice value;
        if ((e = row_value_decode(cursor.value, &value)))
            break;
        if (list->n == list->cap) {
            size_t bigger = list->cap ? list->cap * 2 : 8;
            struct store_opt *grown = arena_new(arena, bigger * sizeof *grown);
            if (list->n)
                memcpy(grown, list->opts, list->n * sizeof *grown);
            list->opts = grown;
            list->cap = bigger;
        }
        struct store_opt *opt = &list->opts[list->n++];
        opt->name = arena_dup(arena, slice_from(cursor.key, scope.len));
        opt->value = arena_dup(arena, value);
        opt->of_domain = of_domain;
        e = opt->name.ptr && opt->value.ptr ? engine_next(&cursor) : ERR_LIMIT;
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err user_from(struct engine_txn *snap, struct slice login, struct slice value,
                          struct arena *arena, struct store_user *ret)
{
    static _Thread_local struct row_user row; /* 64 credentials: too big for every stack */
    enum err e = row_user_decode(value, &row);
    if (e)
        return e;
    *ret = (struct store_user){.login = arena_dup(arena, login),
                               .acct = row.a,
                               .shard = row.shard,
                               .nonce = row.nonce,
                               .flags = row.flags,
                               .disabled = row.state != 0,
                               .ncreds = row.ncred};
    ret->creds = arena_new(arena, row.ncred * sizeof *ret->creds);
    for (unsigned i = 0; i < row.ncred; i++) {
        const struct row_cred *from = &row.cred[i];
        ret->creds[i] = (struct store_cred){.id = from->id,
                                            .flags = from->flags,
                                            .protocols = from->protocols,
                                            .created = from->created,
                                            .name = arena_dup(arena, from->name),
                                            .verifier = arena_dup(arena, from->verifier)};
        if (!ret->creds[i].name.ptr || !ret->creds[i].verifier.ptr)
            return ERR_LIMIT;
    }
    struct key key;
    struct opt_list opts = {0};
    size_t at = slice_find(login, '@');
    if (at < login.len)
        e = catalog_opts_read(snap,
                              key_catalog_opt(&key, true, 0, slice_from(login, at + 1), SLICE_NONE),
                              true, arena, &opts);
    if (!e)
        e = catalog_opts_read(snap, key_catalog_opt(&key, false, row.a, SLICE_NONE, SLICE_NONE),
                              false, arena, &opts);
    ret->opts = opts.opts;
    ret->nopts = opts.n;
    return !e && !ret->login.ptr ? ERR_LIMIT : e;
}

enum err store_user_find(struct store_reader *reader, struct slice login, struct arena *arena,
                         struct store_user *ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    if (login.len == 0 || login.len > KEY_MAX)
        return ERR_NOTFOUND;
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_get(snap, DBI_CUSER, key_text(&key, login), &value);
    return e ? e : user_from(snap, login, value, arena, ret);
}

/* The users behind one alias row. A target that has been deleted meanwhile is passed over. */
static enum err alias_users(struct engine_txn *snap, struct slice value, struct arena *arena,
                            struct store_user **ret, size_t *ret_n)
{
    static _Thread_local struct row_alias alias;
    enum err e = row_alias_decode(value, &alias);
    if (e)
        return e;
    struct store_user *users = arena_new(arena, alias.n * sizeof *users);
    size_t n = 0;
    for (unsigned i = 0; i < alias.n; i++) {
        struct key key;
        struct row_cacct acct;
        e = engine_get(snap, DBI_CACCT, key_a(&key, alias.target[i]), &value);
        if (!e)
            e = row_cacct_decode(value, &acct);
        if (!e)
            e = engine_get(snap, DBI_CUSER, key_text(&key, acct.login), &value);
        if (!e)
            e = user_from(snap, acct.login, value, arena, &users[n]);
        if (!e)
            users[n++].ncreds = 0;
        else if (e != ERR_NOTFOUND)
            return e;
    }
    *ret = users;
    *ret_n = n;
    return n ? ERR_OK : ERR_NOTFOUND;
}

enum err store_address_find(struct store_reader *reader, struct slice address, struct arena *arena,
                            struct store_user **ret, size_t *ret_n)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    if (address.len == 0 || address.len > KEY_MAX)
        return ERR_NOTFOUND;
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_get(snap, DBI_CUSER, key_text(&key, address), &value);
    if (!e) {
        *ret = arena_new(arena, sizeof **ret);
        *ret_n = 1;
        return user_from(snap, address, value, arena, *ret);
    }
    if (e == ERR_NOTFOUND)
        e = engine_get(snap, DBI_CALIAS, key_text(&key, address), &value);
    return e ? e : alias_users(snap, value, arena, ret, ret_n);
}

enum err store_user_login(struct store_reader *reader, uint32_t acct, struct arena *arena,
                          struct slice *ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    struct row_cacct row;
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_get(snap, DBI_CACCT, key_a(&key, acct), &value);
    if (!e)
        e = row_cacct_decode(value, &row);
    if (!e)
        *ret = arena_dup(arena, row.login);
    return e;
}

enum err store_alias_each(struct store_reader *reader, struct slice from,
                          bool (*each)(void *arg, struct slice address, const uint32_t *targets,
                                       size_t n),
                          void *arg)
{
    struct engine_txn *snap;
    struct engine_cursor cursor = {0};
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_cursor_open(snap, DBI_CALIAS, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, from.len ? from : SLICE("\0"));
    while (!e) {
        static _Thread_local struct row_alias row;
        e = row_alias_decode(cursor.value, &row);
        if (!e && !each(arg, cursor.key, row.target, row.n))
            break;
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

void store_lasting_key(const struct store *store, unsigned char ret[16])
{
    memcpy(ret, store->catalog->sip_key, sizeof store->catalog->sip_key);
}

enum err store_user_each(struct store_reader *reader, struct slice from,
                         bool (*each)(void *arg, struct slice login, uint32_t acct), void *arg)
{
    struct engine_txn *snap;
    struct engine_cursor cursor = {0};
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_cursor_open(snap, DBI_CUSER, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, from.len ? from : SLICE("\0"));
    while (!e) {
        static _Thread_local struct row_user row;
        e = row_user_decode(cursor.value, &row);
        if (!e && !each(arg, cursor.key, row.a))
            break;
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* A key is a scope, a NUL, and the name. */
enum err store_override_each(struct store_reader *reader, struct slice name,
                             bool (*each)(void *arg, struct slice name, struct slice value),
                             void *arg)
{
    struct engine_txn *snap;
    struct engine_cursor cursor = {0};
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_cursor_open(snap, DBI_COPT, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, SLICE("a"));
    for (; !e; e = engine_next(&cursor)) {
        struct slice value;
        size_t at = cursor.key.len - name.len;
        if (cursor.key.len <= name.len || cursor.key.ptr[at - 1] != '\0' ||
            !slice_eq(slice_from(cursor.key, at), name))
            continue;
        e = row_value_decode(cursor.value, &value);
        if (e || !each(arg, name, value))
            break;
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}
