/* tandem alias: addresses that are not accounts themselves. */
#include <string.h>

#include "auth/auth.h"
#include "cmd/setup.h"
#include "cmd/verb.h"

enum { ALIAS_TARGETS_MAX = 256, ADDRESS_MAX = 511 };

/* An alias of an alias is resolved here, so that a delivery finds accounts alone (no chains, no
 * cycles). */
static bool add_target(struct verb_call *call, const char *name, uint32_t *targets, size_t *n)
{
    struct slice login;
    struct store_user *users;
    size_t found;
    if (!verb_login(call, name, &login))
        return false;
    enum err e = store_address_find(call->reader, login, &call->arena, &users, &found);
    if (e) {
        verb_complain(call, "%s: %s", name,
                      e == ERR_NOTFOUND ? "there is no such account or alias" : err_text(e));
        return false;
    }
    for (size_t i = 0; i < found; i++) {
        bool there = false;
        for (size_t k = 0; k < *n; k++)
            there = there || targets[k] == users[i].acct;
        if (there)
            continue;
        if (*n == ALIAS_TARGETS_MAX) {
            verb_complain(call, "an alias has at most %d accounts", ALIAS_TARGETS_MAX);
            return false;
        }
        targets[(*n)++] = users[i].acct;
    }
    return true;
}

/* "local[+detail]@domain" or "@domain" in their normal form; [lmtp] detail for "+". */
static bool alias_address(struct verb_call *call, const char *text, struct slice *ret)
{
    struct auth_name name;
    bool catch_all = text[0] == '@';
    char *whole = arena_new(&call->arena, strlen(text) + 2);
    strcpy(whole, catch_all ? "x" : "");
    strcat(whole, text);
    if (auth_address_parse(slice_str(whole), slice_str(call->config->tandem.default_domain),
                           call->config->lmtp.detail, &call->arena, &name)) {
        verb_complain(call, "'%s' is not an address", text);
        return false;
    }
    if (catch_all)
        name.login = slice_from(name.login, 1);
    if (auth_address_whole(&name, call->config->lmtp.detail, &call->arena, ret)) {
        verb_complain(call, "'%s' is not an address", text);
        return false;
    }
    return true;
}

int verb_alias_set(struct verb_call *call)
{
    struct slice address;
    uint32_t targets[ALIAS_TARGETS_MAX];
    size_t n = 0;
    struct store_result result;
    if (!verb_arguments(call, 1, 1 + ALIAS_TARGETS_MAX))
        return EXIT_USAGE;
    if (!alias_address(call, call->argv[0], &address))
        return EXIT_USAGE;
    for (int i = 1; i < call->argc; i++)
        if (!add_target(call, call->argv[i], targets, &n))
            return EXIT_FAILED;
    struct store_wait *wait = store_wait_new();
    store_alias_set(call->store, address, targets, n, store_wait_to(wait));
    enum err e = store_wait(wait, &result);
    int status = e ? verb_failed(call, call->argv[0], &result) : EXIT_DONE;
    store_result_finish(&result);
    return status;
}

/* Targets are told by their logins; an account that was deleted meanwhile is left out. */
enum { ALIASES_A_PIECE = 64 };

struct alias_piece {
    struct arena arena;
    struct alias {
        struct slice address;
        uint32_t *targets;
        size_t n;
    } aliases[ALIASES_A_PIECE];
    size_t n;
};

static bool collect_alias(void *arg, struct slice address, const uint32_t *targets, size_t n)
{
    struct alias_piece *piece = arg;
    struct alias *alias = &piece->aliases[piece->n++];
    alias->address = arena_dup(&piece->arena, address);
    alias->targets = arena_new(&piece->arena, n * sizeof *targets);
    alias->n = n;
    memcpy(alias->targets, targets, n * sizeof *targets);
    return piece->n < ALIASES_A_PIECE;
}

static void alias_row(struct verb_call *call, struct arena *arena, const struct alias *alias)
{
    struct slice *logins = arena_new(arena, alias->n * sizeof *logins);
    size_t n = 0;
    for (size_t i = 0; i < alias->n; i++)
        if (store_user_login(call->reader, alias->targets[i], arena, &logins[n]) == ERR_OK)
            n++;
    store_reader_idle(call->reader);
    verb_row(call, cell_text(alias->address), cell_list(logins, n));
}

int verb_alias_list(struct verb_call *call)
{
    static const struct column columns[] = {
        {"address",  COLUMN_TEXT },
        {"accounts", COLUMN_LIST },
        {NULL,       COLUMN_TYPES}
    };
    struct alias_piece piece;
    char from[ADDRESS_MAX + 1];
    struct slice next = SLICE_NONE;
    enum err e;
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    verb_columns(call, columns);
    do {
        arena_init(&piece.arena, SIZE_MAX);
        piece.n = 0;
        e = store_alias_each(call->reader, next, collect_alias, &piece);
        store_reader_idle(call->reader);
        for (size_t i = 0; i < piece.n; i++)
            alias_row(call, &piece.arena, &piece.aliases[i]);
        if (piece.n) { /* the next one sorts at or behind this with a NUL */
            struct slice last = slice_first(piece.aliases[piece.n - 1].address, ADDRESS_MAX);
            memcpy(from, last.ptr, last.len);
            from[last.len] = '\0';
            next = slice(from, last.len + 1);
        }
        arena_reset(&piece.arena);
    } while (!e && piece.n == ALIASES_A_PIECE && !verb_gone(call));
    return e ? verb_complain(call, "%s", err_text(e)) : EXIT_DONE;
}

static bool is_alias(void *arg, struct slice address, const uint32_t *targets, size_t n)
{
    struct slice *sought = arg;
    (void)targets;
    (void)n;
    if (slice_eq(address, *sought))
        *sought = SLICE_NONE; /* found */
    return false;
}

int verb_alias_delete(struct verb_call *call)
{
    struct slice address;
    if (!verb_arguments(call, 1, 1) || !alias_address(call, call->argv[0], &address))
        return EXIT_USAGE;
    struct slice sought = address;
    enum err e = store_alias_each(call->reader, address, is_alias, &sought);
    store_reader_idle(call->reader);
    if (e || sought.len)
        return verb_complain(call, "%s: %s", call->argv[0],
                             e ? err_text(e) : "there is no such alias");
    struct store_wait *wait = store_wait_new();
    store_alias_set(call->store, address, NULL, 0, store_wait_to(wait));
    if (!verb_wait(call, wait, call->argv[0], NULL))
        return EXIT_FAILED;
    verb_say(call, SLICE_FMT ": deleted", SLICE_ARG(address));
    return EXIT_DONE;
}
