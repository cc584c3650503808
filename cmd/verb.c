#include "cmd/verb.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "auth/auth.h"
#include "auth/users.h"
#include "cmd/setup.h"

/* --- arguments -------------------------------------------------------------------------------- */

static void take(struct verb_call *call, int at, int n)
{
    for (int i = at; i + n < call->argc; i++)
        call->argv[i] = call->argv[i + n];
    call->argc -= n;
}

const char *verb_option(struct verb_call *call, const char *name)
{
    size_t len = strlen(name);
    assert(verb_find_option(call->verb, name) && verb_find_option(call->verb, name)->value);
    for (int i = 0; i < call->argc && strcmp(call->argv[i], "--") != 0; i++) {
        const char *arg = call->argv[i];
        if (strcmp(arg, name) == 0 && i + 1 < call->argc) {
            const char *value = call->argv[i + 1];
            take(call, i, 2);
            return value;
        }
        if (strncmp(arg, name, len) == 0 && arg[len] == '=') {
            take(call, i, 1);
            return arg + len + 1;
        }
    }
    return NULL;
}

bool verb_flag(struct verb_call *call, const char *name)
{
    assert(verb_find_option(call->verb, name) && !verb_find_option(call->verb, name)->value);
    for (int i = 0; i < call->argc && strcmp(call->argv[i], "--") != 0; i++)
        if (strcmp(call->argv[i], name) == 0) {
            take(call, i, 1);
            return true;
        }
    return false;
}

bool verb_arguments(struct verb_call *call, int min, int max)
{
    return verb_words(call, min, max, call->argc);
}

bool verb_words(struct verb_call *call, int min, int max, int plain)
{
    for (int i = 0; i < call->argc; i++) {
        if (strcmp(call->argv[i], "--") == 0) {
            take(call, i, 1);
            break;
        }
        if (i < plain && call->argv[i][0] == '-' && call->argv[i][1]) {
            verb_complain(call, "what is '%s'? Try 'tandem %s --help'", call->argv[i],
                          call->verb->name);
            return false;
        }
    }
    if (call->argc >= min && call->argc <= max)
        return true;
    verb_complain(call, "%s; try 'tandem %s --help'",
                  call->argc < min ? "an argument is missing" : "too many arguments",
                  call->verb->name);
    return false;
}

/* --- what several verbs do -------------------------------------------------------------------- */

struct slice verb_text(struct verb_call *call, const char *format, ...)
{
    va_list ap, again;
    va_start(ap, format);
    va_copy(again, ap);
    int len = vsnprintf(NULL, 0, format, ap);
    char *text = arena_new(&call->arena, (size_t)len + 1);
    vsnprintf(text, (size_t)len + 1, format, again);
    va_end(again);
    va_end(ap);
    return slice(text, (size_t)len);
}

bool verb_login(struct verb_call *call, const char *name, struct slice *ret)
{
    struct auth_name parsed;
    enum err e = auth_address_parse(slice_str(name), slice_str(call->config->tandem.default_domain),
                                    AUTH_DETAIL, &call->arena, &parsed);
    if (e || parsed.detail.len) {
        verb_complain(call,
                      "'%s' is not a name for an account: letters, digits and ._=-'& before "
                      "an @ and a domain",
                      name);
        return false;
    }
    *ret = parsed.login;
    return true;
}

bool verb_user(struct verb_call *call, const char *name, struct store_user *ret)
{
    struct slice login;
    if (!verb_login(call, name, &login))
        return false;
    enum err e = store_user_find(call->reader, login, &call->arena, ret);
    if (e)
        verb_complain(call, SLICE_FMT ": %s", SLICE_ARG(login),
                      e == ERR_NOTFOUND ? "there is no such account" : err_text(e));
    return !e;
}

bool verb_password(struct verb_call *call, struct slice *ret)
{
    char text[1024];
    size_t len = 0;
    ssize_t n = 0;
    while (len < sizeof text && !memchr(text, '\n', len) &&
           (n = call->io->read(call->io, text + len, sizeof text - len)) > 0)
        len += (size_t)n;
    struct slice line = slice(text, len);
    line = slice_first(line, slice_find(line, '\n'));
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    if (n < 0 || line.len == 0 || len == sizeof text) {
        verb_complain(call, "%s",
                      n < 0      ? "the password did not come"
                      : line.len ? "the password is too long"
                                 : "the password is empty");
        return false;
    }
    *ret = arena_dup(&call->arena, line);
    explicit_bzero(text, sizeof text);
    return ret->ptr;
}

int verb_failed(struct verb_call *call, const char *what, const struct store_result *result)
{
    return verb_complain(call, "%s: %s", what,
                         result->why.text[0] ? result->why.text : err_text(result->err));
}

bool verb_account(struct verb_call *call, const char *name, struct store_account **ret)
{
    struct store_user user;
    struct settings settings;
    if (!verb_user(call, name, &user))
        return false;
    auth_settings(call->config, &user, &call->arena, &settings);
    struct store_limits limits = auth_limits(&settings);
    enum err e = store_account_open(call->reader, &user, &limits, ret);
    if (e)
        verb_complain(call, SLICE_FMT ": %s", SLICE_ARG(user.login), err_text(e));
    else
        store_account_set_actor(*ret, PROTO_CONTROL, 0);
    return !e;
}

bool verb_path(struct verb_call *call, const char *name, struct slice *ret)
{
    if (store_path_check(slice_str(name), &call->arena, ret) == ERR_OK)
        return true;
    verb_complain(call, "'%s' cannot be the name of a mailbox", name);
    return false;
}

/* What the store refuses, in the words of who asked for it. */
static const char *refusal(enum err e)
{
    switch (e) {
    case ERR_NOTFOUND:
        return "there is no such mailbox";
    case ERR_EXISTS:
        return "it is there already";
    case ERR_QUOTA:
        return "the account's quota does not allow it";
    default:
        return err_text(e);
    }
}

bool verb_wait(struct verb_call *call, struct store_wait *wait, const char *what,
               struct store_result *ret)
{
    struct store_result result;
    enum err e = store_wait(wait, &result);
    if (e)
        verb_complain(call, "%s: %s", what, result.why.text[0] ? result.why.text : refusal(e));
    if (ret)
        *ret = result;
    else
        store_result_finish(&result);
    return !e;
}

int verb_tally(size_t done, size_t failed)
{
    return failed == 0 ? EXIT_DONE : done ? EXIT_PARTLY : EXIT_FAILED;
}

/* Two pieces are under way: this thread has nothing better to do than to wait for them. */
enum err verb_incoming_write(struct store_incoming *in, struct slice octets)
{
    const struct timespec nap = {.tv_nsec = 1000000};
    enum err e;
    while ((e = store_incoming_write(in, octets)) == ERR_AGAIN)
        nanosleep(&nap, NULL);
    return e;
}
