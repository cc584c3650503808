/* tandem user add, passwd, repair, delete, enable, disable, show, set, unset. */
#include "cmd/user.h"

#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "auth/users.h"
#include "cmd/setting.h"
#include "cmd/setup.h"
#include "store/admin.h"

enum { CREDS_MAX = 64 };

const char *user_scheme(struct verb_call *call)
{
    const char *scheme = verb_option(call, "--scheme");
    if (!scheme)
        return auth_scheme_word(call->config->auth.scheme);
    if (auth_scheme_known(scheme))
        return scheme;
    verb_complain(call,
                  "there is no scheme '%s'; take yescrypt, argon2id, scram-sha-256, "
                  "scram-sha-1, bcrypt, sha512-crypt, ssha512 or ssha256",
                  scheme);
    return NULL;
}

struct slice user_uidl_format(struct verb_call *call, struct slice login)
{
    static const char *const words[] = {
        [UIDL_DOVECOT] = "dovecot", [UIDL_CYRUS] = "cyrus", [UIDL_COURIER] = "courier",
        [UIDL_UW] = "uw",           [UIDL_UID] = "uid",     [UIDL_GUID] = "guid"};
    struct store_user user = {.login = login};
    struct slice domain = slice_from(login, slice_find(login, '@') + 1);
    struct settings settings;
    struct arena arena;
    arena_init(&arena, SIZE_MAX);
    enum err e = store_domain_opts(call->reader, domain, &arena, &user.opts, &user.nopts);
    (void)e; /* without its domain the account is refused */
    auth_settings(call->config, &user, &arena, &settings);
    store_reader_idle(call->reader);
    arena_reset(&arena);
    return slice_str(words[settings.pop3.uidl_format]);
}

const char *user_password_error(enum err e)
{
    switch (e) {
    case ERR_SYNTAX:
        return "the password is empty or holds a NUL";
    case ERR_TOOBIG:
        return "the password is longer than 511 octets";
    default:
        return "the password cannot be hashed: is there memory?";
    }
}

static int outcome(struct verb_call *call, const char *name, struct store_wait *wait)
{
    struct store_result result;
    enum err e = store_wait(wait, &result);
    int status = e ? verb_failed(call, name, &result) : EXIT_DONE;
    store_result_finish(&result);
    return status;
}

/* --- add, passwd ------------------------------------------------------------------------------ */

/* NAME and the new verifier of the password that comes by the input. */
static enum err make_plain(struct verb_call *call, struct slice password, struct slice *ret)
{
    const struct slice prefix = SLICE("{PLAIN}");
    if (password.len == 0 || slice_find(password, '\0') < password.len)
        return ERR_SYNTAX;
    char *text = arena_try(&call->arena, prefix.len + password.len);
    if (!text)
        return ERR_TOOBIG;
    memcpy(text, prefix.ptr, prefix.len);
    memcpy(text + prefix.len, password.ptr, password.len);
    *ret = slice(text, prefix.len + password.len);
    return ERR_OK;
}

/* `plain`: of passwd alone, for APOP; an account that has nothing else could not log in. */
static int read_new(struct verb_call *call, bool plain, struct slice *ret_verifier)
{
    struct slice password;
    (void)verb_flag(call, "--password-stdin"); /* the tool's: where the password comes from */
    const char *scheme = plain ? "plain" : user_scheme(call);
    if (!scheme || !verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_password(call, &password))
        return EXIT_FAILED;
    enum err e = plain ? make_plain(call, password, ret_verifier)
                       : auth_verifier_make(scheme, password, &call->arena, ret_verifier);
    return e ? verb_complain(call, "%s", user_password_error(e)) : EXIT_DONE;
}

int verb_user_add(struct verb_call *call)
{
    struct slice login, verifier;
    struct store_result result;
    int status = read_new(call, false, &verifier);
    if (status)
        return status;
    if (!verb_login(call, call->argv[0], &login))
        return EXIT_USAGE;
    struct store_wait *wait = store_wait_new();
    store_user_create(call->store, login, verifier, user_uidl_format(call, login),
                      store_wait_to(wait));
    enum err e = store_wait(wait, &result);
    if (e == ERR_NOTFOUND)
        status =
            verb_complain(call, SLICE_FMT ": its domain is not here; 'tandem domain add' first",
                          SLICE_ARG(login));
    else if (e == ERR_EXISTS)
        status = verb_complain(call, SLICE_FMT ": the account exists already", SLICE_ARG(login));
    else if (e)
        status = verb_failed(call, call->argv[0], &result);
    store_result_finish(&result);
    return status;
}

/* The credential that a new verifier belongs to. The account's own is the first; a {PLAIN} one
 * stands beside it, and serves APOP alone. NULL: there is no room for another. */
static struct store_cred *cred_for(struct store_cred *creds, size_t *n, bool plain)
{
    uint32_t id = 0;
    for (size_t i = 0; i < *n; i++) {
        if (plain == auth_verifier_plain(creds[i].verifier, NULL, NULL))
            return &creds[i];
        id = creds[i].id > id ? creds[i].id : id;
    }
    if (*n == CREDS_MAX)
        return NULL;
    struct store_cred *cred = &creds[(*n)++];
    *cred = (struct store_cred){.id = id + 1,
                                .protocols = plain ? CRED_POP3 : CRED_IMAP | CRED_POP3,
                                .name = plain ? SLICE("apop") : SLICE_NONE};
    return cred;
}

int verb_user_passwd(struct verb_call *call)
{
    struct store_user user;
    struct slice verifier;
    struct store_cred creds[CREDS_MAX];
    bool plain = verb_flag(call, "--apop");
    int status = read_new(call, plain, &verifier);
    if (status)
        return status;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    memcpy(creds, user.creds, user.ncreds * sizeof *creds);
    struct store_cred *cred = cred_for(creds, &user.ncreds, plain); /* the others stay */
    if (!cred)
        return verb_complain(call, "the account has %d credentials, and no room for more",
                             CREDS_MAX);
    cred->verifier = verifier;
    user.creds = creds;
    struct store_wait *wait = store_wait_new();
    store_user_set(call->store, &user, store_wait_to(wait));
    return outcome(call, call->argv[0], wait);
}

/* --- repair ------------------------------------------------------------------------------------
 */

static bool repair(struct verb_call *call, const char *name)
{
    struct store_user user;
    struct store_usage usage;
    struct store_limits limits;
    struct store_result result;
    if (!verb_user(call, name, &user))
        return false;
    if (user_usage(call, &call->arena, &user, &usage, &limits) == ERR_OK) {
        verb_say(call, SLICE_FMT ": nothing is missing", SLICE_ARG(user.login));
        return true;
    }
    struct store_wait *wait = store_wait_new();
    store_user_repair(call->store, &user, user_uidl_format(call, user.login), store_wait_to(wait));
    enum err e = store_wait(wait, &result);
    if (e == ERR_EXISTS)
        verb_complain(call, SLICE_FMT ": shard %u has another account under its number %u",
                      SLICE_ARG(user.login), user.shard, user.acct);
    else if (e)
        (void)verb_failed(call, name, &result);
    else
        verb_say(call, SLICE_FMT ": made anew, empty", SLICE_ARG(user.login));
    store_result_finish(&result);
    return !e;
}

int verb_user_repair(struct verb_call *call)
{
    size_t done = 0, failed = 0;
    if (!verb_arguments(call, 1, ARGUMENTS_MAX))
        return EXIT_USAGE;
    for (int i = 0; i < call->argc; i++)
        *(repair(call, call->argv[i]) ? &done : &failed) += 1;
    return verb_tally(done, failed);
}

/* --- delete, enable, disable ------------------------------------------------------------------ */

int verb_user_delete(struct verb_call *call)
{
    struct store_user user;
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    struct store_wait *wait = store_wait_new();
    store_user_delete(call->store, user.login, store_wait_to(wait));
    int status = outcome(call, call->argv[0], wait);
    if (status)
        return status;
    store_live_kick(call->store, user.acct);
    verb_say(call, SLICE_FMT ": deleted", SLICE_ARG(user.login));
    return EXIT_DONE;
}

static int switch_to(struct verb_call *call, bool disabled)
{
    struct store_user user;
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    user.disabled = disabled;
    struct store_wait *wait = store_wait_new();
    store_user_set(call->store, &user, store_wait_to(wait));
    int status = outcome(call, call->argv[0], wait);
    if (status == EXIT_DONE && disabled)
        store_live_kick(call->store, user.acct);
    return status;
}

int verb_user_disable(struct verb_call *call)
{
    return switch_to(call, true);
}

int verb_user_enable(struct verb_call *call)
{
    return switch_to(call, false);
}

/* --- show ------------------------------------------------------------------------------------ */

/* "pop3.hide_seen=yes" of the account itself or of its domain. */
static struct slice *settings_list(struct verb_call *call, const struct store_user *user,
                                   bool of_domain, size_t *ret_n)
{
    static const struct {
        uint32_t flag;
        const char *text;
    } flags[] = {
        {USER_MASTER,  "master=yes"     },
        {USER_NO_IMAP, "imap.enabled=no"},
        {USER_NO_POP3, "pop3.enabled=no"},
        {USER_NO_LMTP, "lmtp.enabled=no"}
    };
    enum { NFLAGS = sizeof flags / sizeof *flags };
    struct slice *list = arena_new(&call->arena, (user->nopts + NFLAGS) * sizeof *list);
    size_t n = 0;
    for (size_t i = 0; i < NFLAGS && !of_domain; i++)
        if (user->flags & flags[i].flag)
            list[n++] = slice_str(flags[i].text);
    for (size_t i = 0; i < user->nopts; i++) {
        const struct store_opt *opt = &user->opts[i];
        if (opt->of_domain == of_domain)
            list[n++] = verb_text(call, SLICE_FMT "=" SLICE_FMT, SLICE_ARG(opt->name),
                                  SLICE_ARG(opt->value));
    }
    *ret_n = n;
    return list;
}

/* Of a verifier nothing but its scheme is shown. */
static struct slice credential(struct verb_call *call, const struct store_cred *cred)
{
    size_t scheme = slice_find(cred->verifier, '}');
    return verb_text(call, "%u " SLICE_FMT "%s%s%s" SLICE_FMT, cred->id,
                     SLICE_ARG(slice_first(cred->verifier, scheme + 1)),
                     cred->protocols & CRED_IMAP ? " imap" : "",
                     cred->protocols & CRED_POP3 ? " pop3" : "", cred->name.len ? " " : "",
                     SLICE_ARG(cred->name));
}

int verb_user_show(struct verb_call *call)
{
    static const struct column columns[] = {
        {"login",           COLUMN_TEXT  },
        {"account",         COLUMN_NUMBER},
        {"shard",           COLUMN_NUMBER},
        {"state",           COLUMN_TEXT  },
        {"messages",        COLUMN_NUMBER},
        {"octets",          COLUMN_OCTETS},
        {"quota",           COLUMN_OCTETS},
        {"created",         COLUMN_TIME  },
        {"last_imap",       COLUMN_TIME  },
        {"last_pop3",       COLUMN_TIME  },
        {"credentials",     COLUMN_LIST  },
        {"settings",        COLUMN_LIST  },
        {"domain_settings", COLUMN_LIST  },
        {NULL,              COLUMN_TYPES }
    };
    struct store_user user;
    struct store_usage usage;
    struct store_limits limits;
    size_t nown, nof_domain;
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    struct slice *creds = arena_new(&call->arena, (user.ncreds + 1) * sizeof *creds);
    for (size_t i = 0; i < user.ncreds; i++)
        creds[i] = credential(call, &user.creds[i]);
    const struct slice *own = settings_list(call, &user, false, &nown);
    const struct slice *of_domain = settings_list(call, &user, true, &nof_domain);
    enum err e = user_usage(call, &call->arena, &user, &usage, &limits);
    verb_record(call, columns);
    verb_row(
        call, cell_text(user.login), cell_number(user.acct), cell_number(user.shard),
        cell_str(user_state(&user)), e ? cell_none(COLUMN_NUMBER) : cell_number(usage.messages),
        e ? cell_none(COLUMN_OCTETS) : cell_octets(usage.octets),
        e || !limits.quota_octets ? cell_none(COLUMN_OCTETS) : cell_octets(limits.quota_octets),
        cell_time(e ? 0 : usage.created), cell_time(e ? 0 : usage.last_imap),
        cell_time(e ? 0 : usage.last_pop3), cell_list(creds, user.ncreds), cell_list(own, nown),
        cell_list(of_domain, nof_domain));
    return EXIT_DONE;
}

/* --- set, unset ------------------------------------------------------------------------------- */

/* The account's own options, apart from its domain's. */
static void own_opts(const struct store_user *user, struct setting_list *to)
{
    to->n = 0;
    for (size_t i = 0; i < user->nopts && to->n < SETTINGS_MAX; i++)
        if (!user->opts[i].of_domain)
            to->opts[to->n++] = user->opts[i];
}

static bool set_one(struct verb_call *call, struct store_user *user, struct settings *settings,
                    struct setting_list *own, const char *text)
{
    struct store_opt opt;
    struct fault why = {0};
    if (!setting_parse(call, text, &opt))
        return false;
    if (config_override(settings, opt.name, opt.value, &call->arena, &why)) {
        verb_complain(call, "%s: %s", text, why.text);
        return false;
    }
    uint32_t flag = setting_switch(opt.name);
    if (!flag)
        return setting_put(call, own, opt);
    user->flags = slice_eq(opt.value, SLICE("no")) ? user->flags | flag : user->flags & ~flag;
    return true;
}

static int store_own(struct verb_call *call, struct store_user *user, struct setting_list *own)
{
    user->opts = own->opts;
    user->nopts = own->n;
    struct store_wait *wait = store_wait_new();
    store_user_set(call->store, user, store_wait_to(wait));
    return outcome(call, call->argv[0], wait);
}

int verb_user_set(struct verb_call *call)
{
    struct store_user user;
    struct setting_list own;
    struct settings settings;
    struct fault why = {0};
    if (!verb_arguments(call, 2, 1 + SETTINGS_MAX))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    auth_settings(call->config, &user, &call->arena, &settings);
    own_opts(&user, &own);
    for (int i = 1; i < call->argc; i++)
        if (!set_one(call, &user, &settings, &own, call->argv[i]))
            return EXIT_USAGE;
    if (config_settings_check(&settings, &why)) {
        verb_complain(call, "%s", why.text);
        return EXIT_USAGE;
    }
    return store_own(call, &user, &own);
}

int verb_user_unset(struct verb_call *call)
{
    struct store_user user;
    struct setting_list own;
    if (!verb_arguments(call, 2, 1 + SETTINGS_MAX))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    own_opts(&user, &own);
    for (int i = 1; i < call->argc; i++) {
        struct slice name = slice_str(call->argv[i]);
        uint32_t flag = setting_switch(name);
        if (flag)
            user.flags &= ~flag;
        else if (!setting_drop(&own, name))
            return verb_complain(call, "%s: not set for this account", call->argv[i]);
    }
    return store_own(call, &user, &own);
}
