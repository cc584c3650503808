/* tandem kick, stats, who: about what only a running daemon knows. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/budget.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"

enum { STATS_MAX = 4 << 20 };

/* --- who, kick -------------------------------------------------------------------------------- */

static const char *const proto_names[] = {
    [PROTO_NONE] = "none", [PROTO_IMAP] = "imap",       [PROTO_POP3] = "pop3",
    [PROTO_LMTP] = "lmtp", [PROTO_CONTROL] = "control", [PROTO_TIMER] = "timer",
};

/* An account's login, and the path of what one of its sessions has selected. False: it has gone. */
static bool find_names(struct verb_call *call, struct arena *arena,
                       const struct store_live_info *info, struct slice *ret_login,
                       struct slice *ret_path)
{
    struct store_user user;
    struct store_account *account;
    const struct store_limits limits = {0};
    *ret_path = SLICE_NONE;
    if (store_user_login(call->reader, info->acct, arena, ret_login))
        return false;
    if (!info->mailbox || store_user_find(call->reader, *ret_login, arena, &user) ||
        store_account_open(call->reader, &user, &limits, &account))
        return true;
    if (store_mailbox_path(call->reader, account, info->mailbox, arena, ret_path))
        *ret_path = SLICE_NONE; /* deleted; the session has yet to hear of it */
    store_account_close(account);
    return true;
}

/* 16 octets, IPv4 mapped; zero: a local socket. */
static struct slice address_text(const unsigned char address[16], char to[INET6_ADDRSTRLEN])
{
    static const unsigned char v4[12] = {[10] = 0xff, [11] = 0xff}, none[16];
    if (memcmp(address, none, sizeof none) == 0)
        return SLICE("local");
    bool mapped = memcmp(address, v4, sizeof v4) == 0;
    return slice_str(mapped ? inet_ntop(AF_INET, address + sizeof v4, to, INET6_ADDRSTRLEN)
                            : inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN));
}

static void who_row(struct verb_call *call, const struct store_live_info *info)
{
    struct arena arena;
    struct slice login, path;
    char address[INET6_ADDRSTRLEN], session[17];
    arena_init(&arena, SIZE_MAX);
    bool there = find_names(call, &arena, info, &login, &path);
    store_reader_idle(call->reader);
    snprintf(session, sizeof session, "%016" PRIx64, info->session);
    if (there)
        verb_row(call, cell_text(login), cell_str(proto_names[info->proto]),
                 cell_text(address_text(info->address, address)), cell_time(info->since),
                 cell_seconds(info->idle_ms / 1000),
                 path.len ? cell_text(path) : cell_none(COLUMN_TEXT),
                 cell_str(info->client[0] ? info->client : NULL), cell_str(session));
    arena_reset(&arena);
}

int verb_who(struct verb_call *call)
{
    static const struct column columns[] = {
        {"login",    COLUMN_TEXT   },
        {"protocol", COLUMN_TEXT   },
        {"address",  COLUMN_TEXT   },
        {"since",    COLUMN_TIME   },
        {"idle",     COLUMN_SECONDS},
        {"mailbox",  COLUMN_TEXT   },
        {"client",   COLUMN_TEXT   },
        {"session",  COLUMN_TEXT   },
        {NULL,       COLUMN_TYPES  }
    };
    struct store_user user = {0};
    struct store_live_info *infos;
    if (!verb_arguments(call, 0, 1))
        return EXIT_USAGE;
    if (call->argc && !verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    store_reader_idle(call->reader);
    verb_columns(call, columns);
    size_t n = store_live_list(call->store, &infos);
    for (size_t i = 0; i < n && !verb_gone(call); i++)
        if (!call->argc || infos[i].acct == user.acct)
            who_row(call, &infos[i]);
    mem_free(infos);
    return EXIT_DONE;
}

static int kick_session(struct verb_call *call, const char *text)
{
    char *end;
    unsigned long long id = strtoull(text, &end, 16);
    if (*end || end == text || strlen(text) > 16) {
        verb_complain(call, "'%s' is not a session; 'tandem who' lists them", text);
        return EXIT_USAGE;
    }
    if (store_live_kick_session(call->store, id))
        return EXIT_DONE;
    return verb_complain(call, "%s: there is no such session", text);
}

int verb_kick(struct verb_call *call)
{
    struct store_user user;
    const char *session = verb_option(call, "--session");
    if (!verb_arguments(call, session ? 0 : 1, session ? 0 : 1))
        return EXIT_USAGE;
    if (session)
        return kick_session(call, session);
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    unsigned n = store_live_kick(call->store, user.acct);
    verb_say(call, SLICE_FMT ": %u session%s ended", SLICE_ARG(user.login), n, n == 1 ? "" : "s");
    return EXIT_DONE;
}

/* --- stats ------------------------------------------------------------------------------------ */

/* "name{labels} value" as a row. The buckets of histograms are left to programs. */
static void stats_row(struct verb_call *call, struct slice line)
{
    const struct slice suffix = SLICE("_bucket");
    size_t name = slice_find(line, '{'), at = slice_find(line, ' ');
    struct slice labels = SLICE_NONE;
    char value[64];
    if (line.len == 0 || line.ptr[0] == '#' || at == line.len)
        return;
    if (name < at) {
        size_t end = slice_find(line, '}');
        labels = slice(line.ptr + name + 1, end - name - 1);
        at = end + 1;
    } else {
        name = at;
    }
    if (name >= suffix.len && slice_eq(slice(line.ptr + name - suffix.len, suffix.len), suffix))
        return;
    struct slice number = slice_trim(slice_from(line, at));
    snprintf(value, sizeof value, SLICE_FMT, SLICE_ARG(number));
    verb_row(call, cell_text(slice_first(line, name)),
             labels.len ? cell_text(labels) : cell_none(COLUMN_TEXT),
             cell_real(strtod(value, NULL)));
}

int verb_reload(struct verb_call *call)
{
    return call->reload(call);
}

int verb_stats(struct verb_call *call)
{
    static const struct column columns[] = {
        {"name",   COLUMN_TEXT },
        {"labels", COLUMN_TEXT },
        {"value",  COLUMN_REAL },
        {NULL,     COLUMN_TYPES}
    };
    struct buf text;
    bool openmetrics = verb_flag(call, "--openmetrics");
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    for (int i = 0; i < BUDGET_CLASSES; i++)
        metrics_set(METRIC_MEMORY, (unsigned)i, 0, (int64_t)budget_used((enum budget_class)i));
    buf_init(&text, STATS_MAX);
    enum err e = metrics_print(&text);
    struct slice rest = buf_slice(&text);
    if (!e && openmetrics)
        verb_data(call, rest);
    else
        verb_columns(call, columns);
    while (!e && !openmetrics && rest.len) {
        size_t n = slice_find(rest, '\n');
        stats_row(call, slice_first(rest, n));
        rest = slice_from(rest, n < rest.len ? n + 1 : n);
    }
    buf_finish(&text);
    return e ? verb_complain(call, "%s", err_text(e)) : EXIT_DONE;
}
