/* tandem kick, stats: about what only a running daemon knows. */
#include <stdio.h>
#include <stdlib.h>

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

int verb_stats(struct verb_call *call)
{
    static const struct column columns[] = {
        {"name",       COLUMN_TEXT},
        {"labels",            COLUMN_TEXT},
        {"value",COLUMN_REAL},
        {0     }
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
