#include "store/policy.h"

#include "core/base/mem.h"

enum { ARENA_OCTETS = 64 << 10 };

struct policy {
    struct store *store;
    struct engine_txn *catalog;
    struct arena arena;
};

/* Lists and texts belong to a config that may end: only numbers are kept. */
static struct settings plain(const struct settings *from)
{
    struct settings s = {.store = from->store};
    s.store.autoexpunge = (struct config_ages){0};
    return s;
}

static struct mime_limits limits_of(const struct config *config)
{
    return (struct mime_limits){.depth = config->limits.mime_depth,
                                .parts = config->limits.mime_parts,
                                .header = config->limits.header,
                                .addresses = config->limits.addresses};
}

void policy_start(struct store *store)
{
    struct config *config;
    config_default(&config);
    struct settings s = plain(&config->settings);
    store->mime_limits = limits_of(config);
    config_unref(config);
    pthread_mutex_init(&store->settings_lock, NULL);
    store->settings = mem_dup(&s, sizeof s);
}

void policy_stop(struct store *store)
{
    mem_free(store->settings);
    pthread_mutex_destroy(&store->settings_lock);
}

void store_set_config(struct store *store, const struct config *config)
{
    struct settings s = plain(&config->settings);
    struct mime_limits limits = limits_of(config);
    pthread_mutex_lock(&store->settings_lock);
    *store->settings = s;
    store->mime_limits = limits;
    pthread_mutex_unlock(&store->settings_lock);
}

struct mime_limits policy_mime_limits(struct store *store)
{
    pthread_mutex_lock(&store->settings_lock);
    struct mime_limits limits = store->mime_limits;
    pthread_mutex_unlock(&store->settings_lock);
    return limits;
}

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
    pthread_mutex_lock(&policy->store->settings_lock);
    *ret = *policy->store->settings;
    pthread_mutex_unlock(&policy->store->settings_lock);
    enum err e = engine_snap_renew(policy->catalog);
    if (!e)
        e = apply(policy, key_catalog_opt(&key, true, 0, domain, SLICE("store.")), ret);
    if (!e)
        e = apply(policy, key_catalog_opt(&key, false, acct->a, SLICE_NONE, SLICE("store.")), ret);
    engine_snap_reset(policy->catalog);
    arena_reset(&policy->arena);
    *ret = plain(ret); /* what lay in the arena is gone */
    return e;
}
