/* tandem config show: every value that holds, and who says so. */
#include <stdio.h>
#include <string.h>

#include "cmd/setting.h"
#include "cmd/setup.h"
#include "cmd/verb.h"

struct showing {
    struct verb_call *call;
    const struct store_user *user; /* NULL: of nobody */
    const char *only;              /* a section or a key; NULL: all */
};

/* Who overrides this key for the account: its own row wins over its domain's. */
static const struct store_opt *override_of(const struct store_user *user, const char *key)
{
    const struct store_opt *found = NULL;
    for (size_t i = 0; user && i < user->nopts; i++)
        if (slice_eq(user->opts[i].name, slice_str(key)))
            found = &user->opts[i];
    return found;
}

/* The switch of a protocol is a flag of the account's own row. */
static bool switched_off(const struct store_user *user, const char *key)
{
    return user && (user->flags & setting_switch(slice_str(key)));
}

static bool wanted(const char *only, const struct config_shown *shown, const char *key)
{
    return !only || strcmp(only, shown->section) == 0 || strcmp(only, key) == 0;
}

static void show(void *arg, const struct config_shown *shown)
{
    const struct showing *s = arg;
    struct verb_call *call = s->call;
    char key[112];
    snprintf(key, sizeof key, "%s%s%s.%s", shown->section, shown->name[0] ? " " : "", shown->name,
             shown->key);
    if (!wanted(s->only, shown, key))
        return;
    struct slice value = slice_str(shown->value), from = SLICE("default");
    if (shown->line)
        from = verb_text(call, "%s:%u", call->config->file, shown->line);
    const struct store_opt *opt = shown->overridable ? override_of(s->user, key) : NULL;
    if (opt) {
        struct slice login = s->user->login;
        value = opt->value;
        from = opt->of_domain ? verb_text(call, "domain " SLICE_FMT,
                                          SLICE_ARG(slice_from(login, slice_find(login, '@') + 1)))
                              : verb_text(call, "account " SLICE_FMT, SLICE_ARG(login));
    }
    if (switched_off(s->user, key)) {
        value = SLICE("no");
        from = verb_text(call, "account " SLICE_FMT, SLICE_ARG(s->user->login));
    }
    verb_row(call, cell_str(key), cell_text(value), cell_text(from));
}

int verb_config_show(struct verb_call *call)
{
    static const struct column columns[] = {
        {"key",        COLUMN_TEXT},
        {"value",            COLUMN_TEXT},
        {"from",COLUMN_TEXT},
        {0      }
    };
    struct store_user user;
    const char *name = verb_option(call, "--user");
    if (!verb_arguments(call, 0, 1))
        return EXIT_USAGE;
    if (name && !call->reader)
        return verb_complain(call, "%s: there is no store yet", call->config->store.path);
    if (name && !verb_user(call, name, &user))
        return EXIT_FAILED;
    if (call->reader)
        store_reader_idle(call->reader);
    struct showing s = {
        .call = call, .user = name ? &user : NULL, .only = call->argc ? call->argv[0] : NULL};
    verb_columns(call, columns);
    config_show(call->config, show, &s);
    return EXIT_DONE;
}
