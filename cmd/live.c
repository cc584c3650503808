/* tandem kick, stats: about what only a running daemon knows. */
#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/budget.h"
#include "core/base/buf.h"
#include "core/base/metrics.h"

enum { STATS_MAX = 4 << 20 };

int verb_kick(struct verb_call *call)
{
    struct store_user user;
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    store_live_kick(call->store, user.acct);
    return EXIT_DONE;
}

int verb_stats(struct verb_call *call)
{
    struct buf text;
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    for (int i = 0; i < BUDGET_CLASSES; i++)
        metrics_set(METRIC_MEMORY, (unsigned)i, 0, (int64_t)budget_used((enum budget_class)i));
    buf_init(&text, STATS_MAX);
    enum err e = metrics_print(&text);
    struct slice rest = buf_slice(&text);
    while (!e && rest.len) {
        size_t n = slice_find(rest, '\n');
        verb_say(call, SLICE_FMT, SLICE_ARG(slice_first(rest, n)));
        rest = slice_from(rest, n < rest.len ? n + 1 : n);
    }
    buf_finish(&text);
    return e ? verb_complain(call, "%s", err_text(e)) : EXIT_DONE;
}
