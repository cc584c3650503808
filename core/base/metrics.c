/* Every shard is a `struct slots`: for each metric one array over all values of its labels. */
#include "core/base/metrics.h"

#include <assert.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "core/base/budget.h"
#include "core/base/buf.h"

/* SUM is a gauge that many threads add to and subtract from; GAUGE is set by its owner, always in
 * shard 0; TIMES and SIZES are histograms: buckets, +Inf, sum. */
enum type { COUNTER, SUM, GAUGE, TIMES, SIZES };

enum label {
    ONE, /* no label */
    PROTO,
    TLS,
    STATE,
    LOGIN,
    VERB,
    RESULT,
    DIR,
    LAYER,
    DELIVERY,
    LIMIT,
    LOOP,
    SHARD,
    PAGES,
    MEMORY,
    EXPIRED,
    CERT,
    RELOAD
};

/* How many values each label has. */
enum {
    N_ONE = 1,
    N_PROTO = METRIC_PROTOS,
    N_TLS = 2,
    N_STATE = 2,
    N_LOGIN = 4,
    N_VERB = METRIC_VERBS_MAX,
    N_RESULT = 3,
    N_DIR = 2,
    N_LAYER = 2,
    N_DELIVERY = 3,
    N_LIMIT = METRIC_LIMITS,
    N_LOOP = 256,
    N_SHARD = 64,
    N_PAGES = 3,
    N_MEMORY = BUDGET_CLASSES,
    N_EXPIRED = 3,
    N_CERT = METRIC_CERTS_MAX,
    N_RELOAD = 2
};

static const struct {
    const char *name;
    unsigned n;
    const char *words[METRIC_LIMITS]; /* NULL: a number, or words known only at run time */
} labels[] = {
    [ONE] = {"",       N_ONE,      {""}                                      },
    [PROTO] = {"proto",  N_PROTO,    {"imap", "pop3", "lmtp"}                  },
    [TLS] = {"tls",    N_TLS,      {"no", "yes"}                             },
    [STATE] = {"state",  N_STATE,    {"preauth", "authed"}                     },
    [LOGIN] = {"result", N_LOGIN,    {"ok", "failed", "refused", "unavailable"}},
    [VERB] = {"verb",   N_VERB,     {NULL}                                    },
    [RESULT] = {"result", N_RESULT,   {"ok", "no", "bad"}                       },
    [DIR] = {"dir",    N_DIR,      {"in", "out"}                             },
    [LAYER] = {"layer",  N_LAYER,    {"net", "app"}                            },
    [DELIVERY] = {"result", N_DELIVERY, {"delivered", "deferred", "refused"}      },
    [LIMIT] = {"name",
             N_LIMIT,              {
#define X(id, word) word,
                   METRIC_LIMIT_LIST(X)
#undef X
               }                                        },
    [LOOP] = {"loop",   N_LOOP,     {NULL}                                    },
    [SHARD] = {"shard",  N_SHARD,    {NULL}                                    },
    [PAGES] = {"kind",   N_PAGES,    {"file", "used", "free"}                  },
    [MEMORY] = {"class",
             N_MEMORY,             {
#define X(id, word) word,
                    BUDGET_LIST(X)
#undef X
                }                                      },
    [EXPIRED] = {"why",    N_EXPIRED,  {"pop3", "autoexpunge", "undelete"}       },
    [CERT] = {"name",   N_CERT,     {NULL}                                    },
    [RELOAD] = {"result", N_RELOAD,   {"ok", "failed"}                          },
};

/* Upper bounds; a value above the last one falls in +Inf. */
static const uint64_t time_bounds[] = {100000,    250000,    500000,     1000000,   2500000,
                                       5000000,   10000000,  25000000,   50000000,  100000000,
                                       250000000, 500000000, 1000000000, 5000000000};
static const uint64_t size_bounds[] = {1,   2,   4,   8,    16,   32,    64,
                                       128, 256, 512, 1024, 4096, 16384, 65536};
enum { BOUNDS = sizeof time_bounds / sizeof *time_bounds, INF = BOUNDS, TOTAL, HISTOGRAM };
_Static_assert(sizeof size_bounds == sizeof time_bounds, "both kinds of histogram are as wide");

enum {
    WIDTH_COUNTER = 1,
    WIDTH_SUM = 1,
    WIDTH_GAUGE = 1,
    WIDTH_TIMES = HISTOGRAM,
    WIDTH_SIZES = HISTOGRAM
};

typedef _Atomic uint64_t
    slot; /* written with relaxed additions; a SUM may be negative in one shard */

struct slots {
#define LABELS(a, b, c) (N_##a * N_##b * N_##c)
#define X(id, name, type, scale, labels, help) slot id[labels * WIDTH_##type];
    METRICS_LIST(X)
#undef X
#undef LABELS
};

static const struct row {
    const char *name;
    enum type type;
    double scale;
    enum label labels[3];
    unsigned width;
    size_t at; /* of its array in struct slots */
    const char *help;
} rows[] = {
/* clang-format off */
#define LABELS(a, b, c) {a, b, c}
#define X(id, name, type, scale, labels, help) \
    {name, type, scale, labels, WIDTH_##type, offsetof(struct slots, id), help},
    METRICS_LIST(X)
#undef X
#undef LABELS
    /* clang-format on */
};

/* Threads take shards in turn, so that loops do not fight for cache lines. */
enum { SHARDS = 8 };
static struct {
    alignas(64) struct slots slots;
} shards[SHARDS];

static struct slots *own_shard(void)
{
    static atomic_uint next;
    static _Thread_local struct slots *own;
    if (!own)
        own = &shards[atomic_fetch_add_explicit(&next, 1, memory_order_relaxed) % SHARDS].slots;
    return own;
}

static slot *find(struct slots *shard, const struct row *r, unsigned a, unsigned b, unsigned c)
{
    assert(a < labels[r->labels[0]].n && b < labels[r->labels[1]].n && c < labels[r->labels[2]].n);
    unsigned at = (a * labels[r->labels[1]].n + b) * labels[r->labels[2]].n + c;
    return (slot *)((char *)shard + r->at) + at * r->width;
}

static uint64_t read_slot(const struct row *r, unsigned a, unsigned b, unsigned c, unsigned offset)
{
    uint64_t sum = 0;
    for (unsigned i = 0; i < SHARDS; i++)
        sum +=
            atomic_load_explicit(find(&shards[i].slots, r, a, b, c) + offset, memory_order_relaxed);
    return sum;
}

void metrics_add(enum metric m, unsigned a, unsigned b, unsigned c, int64_t n)
{
    const struct row *r = &rows[m];
    assert(r->type == COUNTER || r->type == SUM);
    atomic_fetch_add_explicit(find(own_shard(), r, a, b, c), (uint64_t)n, memory_order_relaxed);
}

/* Gauges that were never set are not printed, so 0 stands for "not set" and n + 1 for n >= 0. */
void metrics_set(enum metric m, unsigned a, unsigned b, int64_t value)
{
    const struct row *r = &rows[m];
    assert(r->type == GAUGE);
    uint64_t coded = (uint64_t)value + (value >= 0);
    atomic_store_explicit(find(&shards[0].slots, r, a, b, 0), coded, memory_order_relaxed);
}

void metrics_observe(enum metric m, unsigned a, unsigned b, uint64_t value)
{
    const struct row *r = &rows[m];
    assert(r->width == HISTOGRAM);
    const uint64_t *bounds = r->type == TIMES ? time_bounds : size_bounds;
    unsigned at = 0;
    while (at < BOUNDS && value > bounds[at])
        at++;
    slot *slots = find(own_shard(), r, a, b, 0);
    atomic_fetch_add_explicit(&slots[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&slots[TOTAL], value, memory_order_relaxed);
}

static struct {
    const char *const *names;
    unsigned n;
} verbs[METRIC_PROTOS];

void metrics_verbs(enum metric_proto p, const char *const *names, unsigned n)
{
    assert(n < METRIC_VERBS_MAX);
    verbs[p].names = names;
    verbs[p].n = n;
}

void metrics_command(enum metric_proto p, unsigned verb, enum metric_result result, uint64_t ns)
{
    if (verb > verbs[p].n)
        verb = verbs[p].n; /* "other" */
    metrics_add(METRIC_COMMANDS, p, verb, result, 1);
    metrics_observe(METRIC_COMMAND_SECONDS, p, verb, ns);
}

static pthread_mutex_t certs_lock = PTHREAD_MUTEX_INITIALIZER;
static char certs[METRIC_CERTS_MAX][40];
static unsigned certs_n;

void metrics_cert_expiry(const char *name, int64_t seconds)
{
    if (!name[0])
        name = "default";
    pthread_mutex_lock(&certs_lock);
    unsigned i = 0;
    while (i < certs_n && strcmp(certs[i], name) != 0)
        i++;
    if (i == certs_n && i < METRIC_CERTS_MAX)
        snprintf(certs[certs_n++], sizeof certs[0], "%s", name);
    pthread_mutex_unlock(&certs_lock);
    if (i < METRIC_CERTS_MAX)
        metrics_set(METRIC_CERT_EXPIRY, i, 0, seconds);
}

/* --- printing ------------------------------------------------------------------------------- */

/* The word of value `at` of a label. `first` is the first label's value: verbs depend on it. */
static const char *word_of(enum label label, unsigned at, unsigned first, char number[12])
{
    if (labels[label].words[0])
        return labels[label].words[at];
    if (label == VERB)
        return at < verbs[first].n ? verbs[first].names[at] : "other";
    if (label == CERT)
        return certs[at];
    snprintf(number, 12, "%u", at);
    return number;
}

/* `{proto="imap",verb="FETCH",le="0.1"}`; nothing without labels. */
static enum err print_labels(struct buf *b, const struct row *r, const unsigned at[3],
                             const char *le)
{
    const char *before = "{";
    for (unsigned i = 0; i < 3; i++) {
        char number[12];
        if (r->labels[i] == ONE)
            continue;
        enum err e = buf_printf(b, "%s%s=\"%s\"", before, labels[r->labels[i]].name,
                                word_of(r->labels[i], at[i], at[0], number));
        if (e)
            return e;
        before = ",";
    }
    if (le)
        return buf_printf(b, "%sle=\"%s\"}", before, le);
    return before[0] == ',' ? buf_append_c(b, '}') : ERR_OK;
}

static enum err print_series(struct buf *b, const struct row *r, const char *suffix,
                             const unsigned at[3], const char *le, const char *value)
{
    enum err e = buf_printf(b, "tandem_%s%s", r->name, suffix);
    if (!e)
        e = print_labels(b, r, at, le);
    return e ? e : buf_printf(b, " %s\n", value);
}

static enum err print_histogram(struct buf *b, const struct row *r, const unsigned at[3])
{
    const uint64_t *bounds = r->type == TIMES ? time_bounds : size_bounds;
    char value[32];
    char le[32];
    uint64_t sofar = 0;
    for (unsigned i = 0; i <= INF; i++)
        sofar += read_slot(r, at[0], at[1], at[2], i);
    if (sofar == 0 && r->labels[0] != ONE)
        return ERR_OK;
    sofar = 0;
    for (unsigned i = 0; i <= INF; i++) {
        sofar += read_slot(r, at[0], at[1], at[2], i);
        snprintf(value, sizeof value, "%llu", (unsigned long long)sofar);
        if (i < INF)
            snprintf(le, sizeof le, "%g", (double)bounds[i] / r->scale);
        enum err e = print_series(b, r, "_bucket", at, i < INF ? le : "+Inf", value);
        if (e)
            return e;
    }
    enum err e = print_series(b, r, "_count", at, NULL, value);
    snprintf(value, sizeof value, "%.15g",
             (double)read_slot(r, at[0], at[1], at[2], TOTAL) / r->scale);
    return e ? e : print_series(b, r, "_sum", at, NULL, value);
}

static enum err print_value(struct buf *b, const struct row *r, const unsigned at[3])
{
    char value[32];
    uint64_t n = read_slot(r, at[0], at[1], at[2], 0);
    bool sparse = r->labels[1] == VERB || r->type == GAUGE;
    if (r == &rows[METRIC_MEMORY])
        n = budget_used((enum budget_class)at[0]) + 1;
    if (n == 0 && sparse)
        return ERR_OK;
    int64_t signed_n = (int64_t)n;
    if (r->type == GAUGE && signed_n > 0)
        signed_n--;
    if (r->scale > 1)
        snprintf(value, sizeof value, "%.15g", (double)signed_n / r->scale);
    else
        snprintf(value, sizeof value, "%lld", (long long)signed_n);
    return print_series(b, r, r->type == COUNTER ? "_total" : "", at, NULL, value);
}

static enum err print_row(struct buf *b, const struct row *r)
{
    static const char *const types[] = {
        [COUNTER] = "counter", [SUM] = "gauge",       [GAUGE] = "gauge",
        [TIMES] = "histogram", [SIZES] = "histogram",
    };
    enum err e = buf_printf(b, "# TYPE tandem_%s %s\n# HELP tandem_%s %s.\n", r->name,
                            types[r->type], r->name, r->help);
    unsigned at[3];
    for (at[0] = 0; !e && at[0] < labels[r->labels[0]].n; at[0]++)
        for (at[1] = 0; !e && at[1] < labels[r->labels[1]].n; at[1]++)
            for (at[2] = 0; !e && at[2] < labels[r->labels[2]].n; at[2]++)
                e = r->width == HISTOGRAM ? print_histogram(b, r, at) : print_value(b, r, at);
    return e;
}

enum err metrics_print(struct buf *b)
{
    enum err e = ERR_OK;
    pthread_mutex_lock(&certs_lock);
    for (unsigned i = 0; i < METRICS && !e; i++)
        e = print_row(b, &rows[i]);
    pthread_mutex_unlock(&certs_lock);
    return e ? e : buf_append(b, SLICE("# EOF\n"));
}
