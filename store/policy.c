#include "store/policy.h"

#include "core/base/mem.h"

enum { ARENA_OCTETS = 64 << 10 };

struct policy {
    struct store *store;
    struct engine_txn *catalog;
    const struct config *config; /* what the last answer borrows from; counted */
    struct arena arena;          /* the same */
};

static struct mime_limits limits_of(const struct config *config)
{
    return (struct mime_limits){.depth = config->limits.mime_depth,
                                .parts = config->limits.mime_parts,
                                .header = config->limits.header,
                                .addresses = config->limits.addresses};
}

void policy_start(struct store *store)
{
    config_default(&store->config);
    store->mime_limits = limits_of(store->config);
    store->log_days = store->conf.log_days;
    store->log_rows = store->conf.log_rows;
    atomic_init(&store->keywords, store->config->imap.keywords);
    pthread_mutex_init(&store->settings_lock, NULL);
}

void policy_stop(struct store *store)
{
    config_unref(store->config);
    pthread_mutex_destroy(&store->settings_lock);
}

void store_set_config(struct store *store, const struct config *config)
{
    struct config *fresh = config_ref(config), *old;
    pthread_mutex_lock(&store->settings_lock);
    old = store->config;
    store->config = fresh;
    store->mime_limits = limits_of(fresh);
    store->log_days = fresh->store.log_days;
    store->log_rows = fresh->store.log_rows;
    atomic_store(&store->keywords, fresh->imap.keywords);
    pthread_mutex_unlock(&store->settings_lock);
    config_unref(old);
}

void policy_log(struct store *store, uint32_t *ret_days, uint32_t *ret_rows)
{
    pthread_mutex_lock(&store->settings_lock);
    *ret_days = store->log_days;
    *ret_rows = store->log_rows;
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
    config_unref(policy->config);
    arena_reset(&policy->arena);
    mem_free(policy);
}

/* The overrides of one scope that are named "SECTION....". */
static enum err apply(struct policy *policy, bool domain, uint32_t a, struct slice of,
                      struct slice section, struct settings *s)
{
    struct key key;
    struct slice scope = key_catalog_opt(&key, domain, a, of, section);
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(policy->catalog, DBI_COPT, scope, &cursor);
    if (!e)
        e = engine_seek(&cursor, scope);
    while (!e) {
        struct slice name = slice_from(cursor.key, scope.len - section.len), value;
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
    static const struct slice sections[] = {
        {"store.", 6},
        {"pop3.",  5}
    };
    struct slice login = acct->row.login;
    size_t at = slice_find(login, '@');
    struct slice domain = at < login.len ? slice_from(login, at + 1) : SLICE_NONE;
    arena_reset(&policy->arena);
    config_unref(policy->config);
    pthread_mutex_lock(&policy->store->settings_lock);
    policy->config = config_ref(policy->store->config);
    pthread_mutex_unlock(&policy->store->settings_lock);
    *ret = policy->config->settings;
    enum err e = engine_snap_renew(policy->catalog);
    for (size_t i = 0; !e && i < sizeof sections / sizeof *sections; i++) {
        e = apply(policy, true, 0, domain, sections[i], ret);
        if (!e)
            e = apply(policy, false, acct->a, SLICE_NONE, sections[i], ret);
    }
    engine_snap_reset(policy->catalog);
    return e;
}
