/* tandem quota, user list: what goes over many accounts. */
#include <string.h>

#include "auth/users.h"
#include "cmd/setup.h"
#include "cmd/user.h"

enum {
    PIECE = 256, /* accounts whose logins are read in one snapshot */
    LOGIN_MAX = 511
};

const char *user_state(const struct store_user *user)
{
    return user->disabled ? "disabled" : "enabled";
}

enum err user_usage(struct verb_call *call, struct arena *arena, const struct store_user *user,
                    struct store_usage *ret, struct store_limits *ret_limits)
{
    struct settings settings;
    struct store_account *account;
    auth_settings(call->config, user, arena, &settings);
    *ret_limits = auth_limits(&settings);
    enum err e = store_account_open(call->reader, user, ret_limits, &account);
    if (!e) {
        e = store_usage(call->reader, account, ret);
        store_account_close(account);
    }
    store_reader_idle(call->reader);
    return e;
}

/* --- all accounts, in order ------------------------------------------------------------------- */

/* False: complained. */
typedef bool row(struct verb_call *call, struct arena *arena, const struct store_user *user);

struct piece {
    struct arena arena;
    struct slice logins[PIECE];
    size_t n;
};

static bool collect(void *arg, struct slice login, uint32_t acct)
{
    struct piece *piece = arg;
    (void)acct;
    piece->logins[piece->n] = arena_dup(&piece->arena, login);
    return ++piece->n < PIECE;
}

static int each_account(struct verb_call *call, row *run)
{
    struct piece piece;
    char from[LOGIN_MAX + 1];
    struct slice next = SLICE_NONE;
    size_t done = 0, failed = 0;
    enum err e;
    do {
        arena_init(&piece.arena, SIZE_MAX);
        piece.n = 0;
        e = store_user_each(call->reader, next, collect, &piece);
        store_reader_idle(call->reader);
        for (size_t i = 0; i < piece.n; i++) {
            struct store_user user;
            struct arena arena;
            arena_init(&arena, SIZE_MAX);
            /* Not found: deleted a moment ago. */
            if (store_user_find(call->reader, piece.logins[i], &arena, &user) == ERR_OK)
                *(run(call, &arena, &user) ? &done : &failed) += 1;
            arena_reset(&arena);
        }
        if (piece.n) { /* the next one sorts at or behind this with a NUL */
            struct slice last = slice_first(piece.logins[piece.n - 1], LOGIN_MAX);
            memcpy(from, last.ptr, last.len);
            from[last.len] = '\0';
            next = slice(from, last.len + 1);
        }
        arena_reset(&piece.arena);
    } while (!e && piece.n == PIECE && !verb_gone(call));
    return e ? verb_complain(call, "%s", err_text(e)) : verb_tally(done, failed);
}

/* --- user list -------------------------------------------------------------------------------- */

static struct cell limit_cell(enum column_type type, uint64_t limit)
{
    return (struct cell){.type = type, .none = !limit, .as.number = limit};
}

static bool list_row(struct verb_call *call, struct arena *arena, const struct store_user *user)
{
    struct store_usage usage;
    struct store_limits limits;
    enum err e = user_usage(call, arena, user, &usage, &limits);
    verb_row(call, cell_text(user->login), cell_str(user_state(user)),
             e ? cell_none(COLUMN_NUMBER) : cell_number(usage.messages),
             e ? cell_none(COLUMN_OCTETS) : cell_octets(usage.octets),
             limit_cell(COLUMN_OCTETS, limits.quota_octets),
             e ? cell_none(COLUMN_TIME)
               : cell_time(usage.last_imap > usage.last_pop3 ? usage.last_imap : usage.last_pop3));
    return true;
}

int verb_user_list(struct verb_call *call)
{
    static const struct column columns[] = {
        {"login",      COLUMN_TEXT  },
        {"state",      COLUMN_TEXT  },
        {"messages",   COLUMN_NUMBER},
        {"octets",     COLUMN_OCTETS},
        {"quota",      COLUMN_OCTETS},
        {"last_login", COLUMN_TIME  },
        {NULL,         COLUMN_TYPES }
    };
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    verb_columns(call, columns);
    return each_account(call, list_row);
}

/* --- quota ------------------------------------------------------------------------------------ */

static bool quota_row(struct verb_call *call, struct arena *arena, const struct store_user *user)
{
    struct store_usage usage;
    struct store_limits limits;
    enum err e = user_usage(call, arena, user, &usage, &limits);
    if (e) {
        verb_complain(call, SLICE_FMT ": %s", SLICE_ARG(user->login), err_text(e));
        return false;
    }
    bool limited = limits.quota_octets != 0;
    verb_row(call, cell_text(user->login), cell_octets(usage.octets),
             limit_cell(COLUMN_OCTETS, limits.quota_octets),
             limited ? cell_number(usage.octets * 100 / limits.quota_octets)
                     : cell_none(COLUMN_NUMBER),
             cell_number(usage.messages), limit_cell(COLUMN_NUMBER, limits.quota_messages),
             cell_octets(usage.gone_octets), cell_number(usage.gone_messages));
    return true;
}

static const struct column quota_columns[] = {
    {"login",             COLUMN_TEXT  },
    {"octets",            COLUMN_OCTETS},
    {"quota",             COLUMN_OCTETS},
    {"percent",           COLUMN_NUMBER},
    {"messages",          COLUMN_NUMBER},
    {"quota_messages",    COLUMN_NUMBER},
    {"undelete_octets",   COLUMN_OCTETS},
    {"undelete_messages", COLUMN_NUMBER},
    {NULL,                COLUMN_TYPES }
};

int verb_quota(struct verb_call *call)
{
    size_t done = 0, failed = 0;
    if (!verb_arguments(call, 0, ARGUMENTS_MAX))
        return EXIT_USAGE;
    verb_columns(call, quota_columns);
    if (!call->argc)
        return each_account(call, quota_row);
    for (int i = 0; i < call->argc; i++) {
        struct store_user user;
        bool good = verb_user(call, call->argv[i], &user) && quota_row(call, &call->arena, &user);
        *(good ? &done : &failed) += 1;
    }
    return verb_tally(done, failed);
}

static bool recalc(struct verb_call *call, const char *name)
{
    struct store_account *account;
    bool right;
    if (!verb_account(call, name, &account))
        return false;
    enum err e = store_recount_check(call->reader, account, &right);
    store_reader_idle(call->reader);
    bool good = !e;
    if (e) {
        verb_complain(call, "%s: %s", name, err_text(e));
    } else if (!right) {
        struct store_wait *wait = store_wait_new();
        store_recount(account, store_wait_to(wait));
        good = verb_wait(call, wait, name, NULL);
        if (good)
            verb_say(call, "%s: was wrong, and is right now", name);
    }
    store_account_close(account);
    return good;
}

int verb_quota_recalc(struct verb_call *call)
{
    size_t done = 0, failed = 0;
    if (!verb_arguments(call, 1, ARGUMENTS_MAX))
        return EXIT_USAGE;
    verb_columns(call, quota_columns);
    for (int i = 0; i < call->argc; i++) {
        struct store_user user;
        bool good = recalc(call, call->argv[i]) && verb_user(call, call->argv[i], &user) &&
                    quota_row(call, &call->arena, &user);
        *(good ? &done : &failed) += 1;
    }
    return verb_tally(done, failed);
}
