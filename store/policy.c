#include "store/policy.h"

#include "core/base/mem.h"

enum { ARENA_OCTETS = 64 << 10 };

struct policy {
    struct store *store;
    struct engine_txn *catalog;
    struct settings defaults; /* where nobody supplies a newer configuration */
    struct arena arena;
};

enum err policy_new(struct store *store, struct policy **ret)
{
    struct policy *policy = mem_new(sizeof *policy);
    enum err e = engine_snap_new(store->catalog->engine, &policy->catalog);
    if (e) {
        mem_free(policy);
        return e;
    }
    policy->store = store;
    arena_init(&policy->arena, ARENA_OCTETS);
    struct config *config;
    config_default(&config);
    policy->defaults.store = config->settings.store;
    config_unref(config);
    policy->defaults.store.autoexpunge = (struct config_ages){0};
    *ret = policy;
    return ERR_OK;
}

void policy_free(struct policy *policy)
{
    if (!policy)
        return;
    engine_snap_free(policy->catalog);
    arena_reset(&policy->arena);
    mem_free(policy);
}

/* Every row that starts with `scope`, which ends in "store.". */
static enum err apply(struct policy *policy, struct slice scope, struct settings *s)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(policy->catalog, DBI_COPT, &cursor);
    if (!e)
        e = engine_seek(&cursor, scope);
    while (!e && slice_starts(cursor.key, scope)) {
        struct slice name = slice_from(cursor.key, scope.len - SLICE("store.").len), value;
        enum err unread = row_value_decode(cursor.value, &value);
        if (!unread)
            unread = config_override(s, name, value, &policy->arena, NULL);
        (void)unread; /* whoever wrote it was told; the next wider scope holds */
        e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err policy_of(struct policy *policy, const struct acct *acct, struct settings *ret)
{
    struct key key;
    struct slice login = acct->row.login;
    size_t at = slice_find(login, '@');
    struct slice domain = at < login.len ? slice_from(login, at + 1) : SLICE_NONE;
    if (policy->store->conf.settings)
        policy->store->conf.settings(policy->store->conf.settings_arg, ret);
    else
        *ret = policy->defaults;
    enum err e = engine_snap_renew(policy->catalog);
    if (!e)
        e = apply(policy, key_catalog_opt(&key, true, 0, domain, SLICE("store.")), ret);
    if (!e)
        e = apply(policy, key_catalog_opt(&key, false, acct->a, SLICE_NONE, SLICE("store.")), ret);
    engine_snap_reset(policy->catalog);
    arena_reset(&policy->arena);
    ret->store.autoexpunge = (struct config_ages){0}; /* it lay in the arena */
    return e;
}
