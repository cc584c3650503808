/* tandem domain: which there are, and what holds for all accounts in one. */
#include <string.h>

#include "auth/auth.h"
#include "cmd/setting.h"
#include "cmd/setup.h"
#include "core/base/fault.h"

/* In its normal form, in the arena. False: complained. */
static bool domain_name(struct verb_call *call, const char *text, struct slice *ret)
{
    *ret = arena_dup(&call->arena, slice_str(text));
    for (size_t i = 0; i < ret->len; i++)
        ((char *)ret->ptr)[i] = ascii_lower(ret->ptr[i]);
    if (auth_domain_valid(*ret))
        return true;
    verb_complain(call, "'%s' is not a domain; write one such as example.org", text);
    return false;
}

static int failed(struct verb_call *call, struct slice domain, enum err e,
                  const struct store_result *result)
{
    const char *why = e == ERR_EXISTS     ? "it is there already"
                      : e == ERR_NOTFOUND ? "there is no such domain"
                      : e == ERR_BUSY     ? "it has accounts or aliases; delete them first"
                      : result && result->why.text[0] ? result->why.text
                                                      : err_text(e);
    return verb_complain(call, SLICE_FMT ": %s", SLICE_ARG(domain), why);
}

static int outcome(struct verb_call *call, struct slice domain, struct store_wait *wait)
{
    struct store_result result;
    enum err e = store_wait(wait, &result);
    int status = e ? failed(call, domain, e, &result) : EXIT_DONE;
    store_result_finish(&result);
    return status;
}

int verb_domain_add(struct verb_call *call)
{
    struct slice domain;
    if (!verb_arguments(call, 1, 1) || !domain_name(call, call->argv[0], &domain))
        return EXIT_USAGE;
    struct store_wait *wait = store_wait_new();
    store_domain_create(call->store, domain, store_wait_to(wait));
    return outcome(call, domain, wait);
}

int verb_domain_delete(struct verb_call *call)
{
    struct slice domain;
    if (!verb_arguments(call, 1, 1) || !domain_name(call, call->argv[0], &domain))
        return EXIT_USAGE;
    if (slice_eq(domain, slice_str(call->config->tandem.default_domain)))
        return verb_complain(call, SLICE_FMT ": it is [tandem] default_domain", SLICE_ARG(domain));
    struct store_wait *wait = store_wait_new();
    store_domain_delete(call->store, domain, store_wait_to(wait));
    return outcome(call, domain, wait);
}

/* --- list, show ---------------------------------------------------------------------------------
 */

struct domains {
    struct slice *items;
    size_t *accounts;
    size_t n, cap;
};

static bool collect(void *arg, struct slice domain)
{
    struct verb_call *call = ((void **)arg)[0];
    struct domains *all = ((void **)arg)[1];
    if (all->n == all->cap) {
        size_t cap = all->cap ? 2 * all->cap : 64;
        struct slice *items = arena_new(&call->arena, cap * sizeof *items);
        if (all->n)
            memcpy(items, all->items, all->n * sizeof *items);
        all->items = items;
        all->cap = cap;
    }
    all->items[all->n++] = arena_dup(&call->arena, domain);
    return true;
}

/* They are sorted. */
static bool count(void *arg, struct slice login, uint32_t acct)
{
    struct domains *all = arg;
    struct slice domain = slice_from(login, slice_find(login, '@') + 1);
    size_t from = 0, to = all->n;
    (void)acct;
    while (from < to) {
        size_t middle = from + (to - from) / 2;
        int order = slice_cmp(all->items[middle], domain);
        if (order == 0) {
            all->accounts[middle]++;
            break;
        }
        if (order < 0)
            from = middle + 1;
        else
            to = middle;
    }
    return true;
}

int verb_domain_list(struct verb_call *call)
{
    static const struct column columns[] = {
        {"domain",       COLUMN_TEXT},
        {"accounts",              COLUMN_NUMBER},
        {0}
    };
    struct domains all = {0};
    void *both[] = {call, &all};
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    enum err e = store_domain_each(call->reader, collect, both);
    all.accounts = arena_new(&call->arena, (all.n + 1) * sizeof *all.accounts);
    if (!e)
        e = store_user_each(call->reader, SLICE_NONE, count, &all);
    store_reader_idle(call->reader);
    if (e)
        return verb_complain(call, "%s", err_text(e));
    verb_columns(call, columns);
    for (size_t i = 0; i < all.n; i++)
        verb_row(call, cell_text(all.items[i]), cell_number(all.accounts[i]));
    return EXIT_DONE;
}

/* False: complained. */
static bool settings_of(struct verb_call *call, struct slice domain, struct setting_list *ret)
{
    struct store_opt *opts;
    size_t n;
    enum err e = store_domain_opts(call->reader, domain, &call->arena, &opts, &n);
    store_reader_idle(call->reader);
    if (e) {
        failed(call, domain, e, NULL);
        return false;
    }
    ret->n = n < SETTINGS_MAX ? n : SETTINGS_MAX;
    if (ret->n)
        memcpy(ret->opts, opts, ret->n * sizeof *opts);
    return true;
}

int verb_domain_show(struct verb_call *call)
{
    static const struct column columns[] = {
        {"domain",     COLUMN_TEXT},
        {"settings",            COLUMN_LIST},
        {0}
    };
    struct slice domain;
    struct setting_list list;
    if (!verb_arguments(call, 1, 1) || !domain_name(call, call->argv[0], &domain))
        return EXIT_USAGE;
    if (!settings_of(call, domain, &list))
        return EXIT_FAILED;
    struct slice *texts = arena_new(&call->arena, (list.n + 1) * sizeof *texts);
    for (size_t i = 0; i < list.n; i++)
        texts[i] = verb_text(call, SLICE_FMT "=" SLICE_FMT, SLICE_ARG(list.opts[i].name),
                             SLICE_ARG(list.opts[i].value));
    verb_record(call, columns);
    verb_row(call, cell_text(domain), cell_list(texts, list.n));
    return EXIT_DONE;
}

/* --- set, unset ---------------------------------------------------------------------------------
 */

static int store_settings(struct verb_call *call, struct slice domain, struct setting_list *list)
{
    for (size_t i = 0; i < list->n; i++)
        list->opts[i].of_domain = true;
    struct store_wait *wait = store_wait_new();
    store_domain_set(call->store, domain, list->opts, list->n, store_wait_to(wait));
    return outcome(call, domain, wait);
}

/* Do they hold together? An account may have others of its own: its login says so then. */
static bool agree(struct verb_call *call, const struct setting_list *list)
{
    struct settings settings = call->config->settings;
    struct fault why = {0};
    for (size_t i = 0; i < list->n; i++)
        if (config_override(&settings, list->opts[i].name, list->opts[i].value, &call->arena,
                            &why)) {
            verb_complain(call, SLICE_FMT "=" SLICE_FMT ": %s", SLICE_ARG(list->opts[i].name),
                          SLICE_ARG(list->opts[i].value), why.text);
            return false;
        }
    if (!config_settings_check(&settings, &why))
        return true;
    verb_complain(call, "%s", why.text);
    return false;
}

int verb_domain_set(struct verb_call *call)
{
    struct slice domain;
    struct setting_list list;
    struct store_opt opt;
    if (!verb_arguments(call, 2, 1 + SETTINGS_MAX) || !domain_name(call, call->argv[0], &domain))
        return EXIT_USAGE;
    if (!settings_of(call, domain, &list))
        return EXIT_FAILED;
    for (int i = 1; i < call->argc; i++)
        if (!setting_parse(call, call->argv[i], &opt) || !setting_put(call, &list, opt))
            return EXIT_USAGE;
    return agree(call, &list) ? store_settings(call, domain, &list) : EXIT_USAGE;
}

int verb_domain_unset(struct verb_call *call)
{
    struct slice domain;
    struct setting_list list;
    if (!verb_arguments(call, 2, 1 + SETTINGS_MAX) || !domain_name(call, call->argv[0], &domain))
        return EXIT_USAGE;
    if (!settings_of(call, domain, &list))
        return EXIT_FAILED;
    for (int i = 1; i < call->argc; i++)
        if (!setting_drop(&list, slice_str(call->argv[i])))
            return verb_complain(call, "%s: not set for this domain", call->argv[i]);
    return store_settings(call, domain, &list);
}
