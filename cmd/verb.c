#include "cmd/verb.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "auth/auth.h"
#include "cmd/setup.h"

const struct verb verbs[] = {
    {"alias set",    "ADDRESS [ACCOUNT...]",                          "deliver ADDRESS (@DOMAIN: all else there) to ACCOUNTs",
     VERB_NOTHING,                                                                                                                            DOWN_WRITES,  verb_alias_set  },
    {"check",        "[--bodies]",                                    "prove the rules between all rows of the store",         VERB_NOTHING,
     DOWN_READS,                                                                                                                                            verb_check      },
    {"deliver",      "--user NAME [--mailbox M] [FILE...]",           "put messages into a mailbox",                           VERB_MESSAGES,
     DOWN_WRITES,                                                                                                                                           verb_deliver    },
    {"domain add",   "DOMAIN",                                        "let accounts have this domain",                         VERB_NOTHING,  DOWN_WRITES,
     verb_domain_add                                                                                                                                                        },
    {"kick",         "NAME",                                          "end the sessions of an account",                        VERB_NOTHING,  DOWN_REFUSES, verb_kick       },
    {"stats",        "",                                              "print counters and measures (OpenMetrics)",             VERB_NOTHING,  DOWN_REFUSES,
     verb_stats                                                                                                                                                             },
    {"user add",     "NAME [--password-stdin] [--scheme S]",          "make an account",                                       VERB_PASSWORD,
     DOWN_WRITES,                                                                                                                                           verb_user_add   },
    {"user delete",  "NAME",                                          "delete an account and its mail",                        VERB_NOTHING,  DOWN_WRITES,
     verb_user_delete                                                                                                                                                       },
    {"user disable", "NAME",                                          "refuse logins and mail",                                VERB_NOTHING,  DOWN_WRITES,
     verb_user_disable                                                                                                                                                      },
    {"user enable",  "NAME",                                          "take them again",                                       VERB_NOTHING,  DOWN_WRITES,  verb_user_enable},
    {"user import",  "FILE [--scheme S]",
     "make an account of each line NAME:PASSWORD or NAME:{SCHEME}VERIFIER",                                                    VERB_FILE,     DOWN_WRITES,
     verb_user_import                                                                                                                                                       },
    {"user list",    "",                                              "print every account",                                   VERB_NOTHING,  DOWN_READS,   verb_user_list  },
    {"user passwd",  "NAME [--password-stdin] [--scheme S | --apop]", "change a password",
     VERB_PASSWORD,                                                                                                                           DOWN_WRITES,  verb_user_passwd},
    {"user set",     "NAME KEY=VALUE...",                             "override settings for an account",                      VERB_NOTHING,  DOWN_WRITES,
     verb_user_set                                                                                                                                                          },
    {"user show",    "NAME",                                          "print what is known of an account",                     VERB_NOTHING,  DOWN_READS,
     verb_user_show                                                                                                                                                         },
    {"user unset",   "NAME KEY...",                                   "take such settings back",                               VERB_NOTHING,  DOWN_WRITES,
     verb_user_unset                                                                                                                                                        },
    {NULL,           NULL,                                            NULL,                                                    VERB_NOTHING,  DOWN_REFUSES, NULL            },
};

const struct verb *verb_find(const char *name)
{
    for (const struct verb *verb = verbs; verb->name; verb++)
        if (strcmp(verb->name, name) == 0)
            return verb;
    return NULL;
}

void verb_say(struct verb_call *call, const char *format, ...)
{
    char line[4096];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    call->io->say(call->io, line);
}

int verb_complain(struct verb_call *call, const char *format, ...)
{
    char line[4096];
    va_list ap;
    va_start(ap, format);
    vsnprintf(line, sizeof line, format, ap);
    va_end(ap);
    call->io->complain(call->io, line);
    return EXIT_FAILED;
}

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
    for (int i = 0; i < call->argc && strcmp(call->argv[i], "--") != 0; i++)
        if (strcmp(call->argv[i], name) == 0) {
            take(call, i, 1);
            return true;
        }
    return false;
}

bool verb_arguments(struct verb_call *call, int min, int max)
{
    for (int i = 0; i < call->argc; i++) {
        if (strcmp(call->argv[i], "--") == 0) {
            take(call, i, 1);
            break;
        }
        if (call->argv[i][0] == '-' && call->argv[i][1]) {
            verb_complain(call, "what is '%s'? Try 'tandem --help'", call->argv[i]);
            return false;
        }
    }
    if (call->argc >= min && call->argc <= max)
        return true;
    verb_complain(call, call->argc < min ? "an argument is missing; try 'tandem --help'"
                                         : "too many arguments; try 'tandem --help'");
    return false;
}

/* --- what several verbs do -------------------------------------------------------------------- */

bool verb_login(struct verb_call *call, const char *name, struct slice *ret)
{
    struct auth_name parsed;
    enum err e = auth_address_parse(slice_str(name), slice_str(call->config->tandem.default_domain),
                                    &call->arena, &parsed);
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
