#include "cmd/reload.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "cmd/notify.h"
#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/buf.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "core/net/worker.h"

enum { REPORT_MAX = 1 << 20 };

/* Somebody waits for the outcome: shared by the thread that does and loops[0]. */
struct wish {
    struct post post;
    struct wish *next;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    unsigned refs;
    bool over, done;
    struct buf report;
};

struct reload {
    struct job job;
    struct config *running, *fresh;
    struct live *live;   /* fresh, ready to be put in place; NULL: refused */
    struct wish *wishes; /* came before it began */
    struct buf report;   /* lines: what happened to a key, its text */
    unsigned changed;
};

/* How a line of the report begins. */
enum { WRONG = 'w', CHANGED = 'c', RESTART = 'r' };

static struct {
    struct server *server;
    struct store *store;
    struct pool *pool;
    struct loop *loop;
    struct reload *under_way; /* loops[0] alone looks at these */
    bool wanted_again;
    struct wish *wishes; /* for the next one */
} the;

void reload_setup(struct server *server, struct store *store, struct pool *pool, struct loop *loop)
{
    the.server = server;
    the.store = store;
    the.pool = pool;
    the.loop = loop;
}

/* --- wishes -------------------------------------------------------------------------------------
 */

static struct wish *wish_new(void)
{
    struct wish *w = mem_new(sizeof *w);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &attr);
    pthread_condattr_destroy(&attr);
    buf_init(&w->report, REPORT_MAX);
    w->refs = 2;
    return w;
}

static void wish_unref(struct wish *w)
{
    pthread_mutex_lock(&w->lock);
    bool last = --w->refs == 0;
    pthread_mutex_unlock(&w->lock);
    if (!last)
        return;
    buf_finish(&w->report);
    pthread_mutex_destroy(&w->lock);
    pthread_cond_destroy(&w->changed);
    mem_free(w);
}

static void wishes_answer(struct reload *r)
{
    while (r->wishes) {
        struct wish *w = r->wishes;
        r->wishes = w->next;
        pthread_mutex_lock(&w->lock);
        w->over = true;
        w->done = r->live;
        (void)!buf_append(&w->report, buf_slice(&r->report)); /* of the same maximum */
        pthread_cond_signal(&w->changed);
        pthread_mutex_unlock(&w->lock);
        wish_unref(w);
    }
}

/* --- the report ---------------------------------------------------------------------------------
 */

static void note(struct reload *r, char kind, const char *text)
{
    char head[2] = {kind, '\0'};
    if (!buf_append(&r->report, slice(head, 1)) && !buf_append(&r->report, slice_str(text)) &&
        !buf_append(&r->report, SLICE("\n")))
        return; /* else it is cut: a report of a megabyte has said enough */
}

static void log_config(const char *file, unsigned line, const char *key, const char *why)
{
    struct log_line l;
    log_begin(&l, LOG_WARN, "config");
    log_str(&l, "file", file);
    log_u64(&l, "line", line);
    log_str(&l, "key", key);
    log_str(&l, "why", why);
    log_end(&l);
}

static void note_wrong(struct reload *r, const struct config_errors *errs)
{
    char text[1024];
    for (unsigned i = 0; i < errs->n; i++) {
        const struct config_error *e = &errs->items[i];
        config_error_format(errs, i, text, sizeof text);
        note(r, WRONG, text);
        log_config(errs->file, e->line, e->key, e->why);
    }
    if (errs->left_out) {
        snprintf(text, sizeof text, "%s: and %u more", errs->file, errs->left_out);
        note(r, WRONG, text);
    }
}

static void on_restart_key(void *arg, const char *key, unsigned line)
{
    struct reload *r = arg;
    char text[256];
    log_config(r->running->file, line, key, "takes effect at the next start");
    snprintf(text, sizeof text, "%s takes effect at the next start", key);
    note(r, RESTART, text);
    r->changed++;
}

/* --- what has changed ---------------------------------------------------------------------------
 */

/* Names and values of a config, one behind the other. */
struct values {
    struct arena arena;
    struct value {
        const char *name, *text;
    } * items;
    size_t n, cap;
};

static void collect(void *arg, const struct config_shown *shown)
{
    struct values *v = arg;
    char name[112];
    snprintf(name, sizeof name, "%s%s%s.%s", shown->section, shown->name[0] ? " " : "", shown->name,
             shown->key);
    if (v->n == v->cap) {
        v->cap = v->cap ? 2 * v->cap : 256;
        v->items = mem_resize(v->items, v->cap * sizeof *v->items);
    }
    v->items[v->n++] = (struct value){arena_dup(&v->arena, slice_str(name)).ptr,
                                      arena_dup(&v->arena, slice_str(shown->value)).ptr};
}

static void values_init(struct values *v, const struct config *config)
{
    *v = (struct values){0};
    arena_init(&v->arena, SIZE_MAX);
    config_show(config, collect, v);
}

static void values_finish(struct values *v)
{
    arena_reset(&v->arena);
    mem_free(v->items);
}

static const char *value_of(const struct values *v, const char *name)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->items[i].name, name) == 0)
            return v->items[i].text;
    return NULL;
}

static void note_change(struct reload *r, const char *name, const char *before, const char *after)
{
    char text[1024];
    if (after && before)
        snprintf(text, sizeof text, "%s = %.400s (was %.400s)", name, after, before);
    else
        snprintf(text, sizeof text, "%s %s%.800s", name, after ? "= " : "has gone",
                 after ? after : "");
    note(r, CHANGED, text);
    r->changed++;
}

static void note_changes(struct reload *r)
{
    struct values before, after;
    values_init(&before, r->running);
    values_init(&after, r->fresh);
    for (size_t i = 0; i < after.n; i++) {
        const char *was = value_of(&before, after.items[i].name);
        if (!was || strcmp(was, after.items[i].text) != 0)
            note_change(r, after.items[i].name, was, after.items[i].text);
    }
    for (size_t i = 0; i < before.n; i++)
        if (!value_of(&after, before.items[i].name))
            note_change(r, before.items[i].name, before.items[i].text, NULL);
    values_finish(&before);
    values_finish(&after);
}

/* --- on the pool --------------------------------------------------------------------------------
 */

static void prepare(struct reload *r)
{
    struct fault why = {0};
    char text[512];
    config_keep_restart(r->fresh, r->running, on_restart_key, r);
    note_changes(r);
    enum err e = server_prepare(r->fresh, &r->live, &why);
    if (!e && log_setup(&r->fresh->log, &why)) {
        server_prepared_free(r->live);
        r->live = NULL;
        e = ERR_DOWN;
    }
    if (!e)
        return;
    snprintf(text, sizeof text, "%s: %s", r->running->file, why.text);
    note(r, WRONG, text);
    log_config(r->running->file, 0, "", why.text);
}

static void read_config(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct reload *r = (struct reload *)(void *)job; /* its first member */
    struct config_errors errs;
    config_errors_init(&errs);
    errs.also = setup_check;
    enum err e = config_load(r->running->file, &r->fresh, &errs);
    note_wrong(r, &errs);
    config_errors_finish(&errs);
    if (!e)
        prepare(r);
}

/* --- on loops[0] --------------------------------------------------------------------------------
 */

static void log_result(bool done, unsigned changed)
{
    struct log_line l;
    metrics_add(METRIC_RELOADS, done ? METRIC_RELOAD_OK : METRIC_RELOAD_FAILED, 0, 0, 1);
    log_begin(&l, LOG_INFO, "reload");
    log_str(&l, "result", done ? "ok" : "refused");
    log_u64(&l, "changed", changed);
    log_end(&l);
}

static void on_read(struct job *job)
{
    struct reload *r = (struct reload *)(void *)job;
    if (r->live) {
        server_reload(the.server, r->live);
        store_set_config(the.store, r->fresh);
    }
    log_result(r->live, r->live ? r->changed : 0);
    notify("READY=1");
    wishes_answer(r);
    config_unref(r->fresh); /* the server has a reference of its own */
    config_unref(r->running);
    buf_finish(&r->report);
    mem_free(r);
    the.under_way = NULL;
    if (the.wanted_again)
        reload_begin();
}

void reload_begin(void)
{
    the.wanted_again = the.under_way;
    if (the.under_way)
        return;
    struct reload *r = mem_new(sizeof *r);
    r->job = (struct job){.loop = the.loop, .run = read_config, .done = on_read};
    r->running = config_ref(server_config(the.server));
    r->wishes = the.wishes;
    the.wishes = NULL;
    buf_init(&r->report, REPORT_MAX);
    notify("RELOADING=1");
    the.under_way = r;
    if (pool_submit(the.pool, &r->job)) {
        note(r, WRONG, "too much to do; try again");
        on_read(&r->job); /* the queue is full: nothing was read */
    }
}

/* --- the verb -----------------------------------------------------------------------------------
 */

static void on_wish(struct loop *loop, struct post *post)
{
    (void)loop;
    struct wish *w = (struct wish *)(void *)post; /* its first member */
    w->next = the.wishes;
    the.wishes = w;
    reload_begin();
}

/* False: nobody listens any more. */
static bool wait_for(struct verb_call *call, struct wish *w)
{
    struct timespec until;
    pthread_mutex_lock(&w->lock);
    while (!w->over && !verb_gone(call)) {
        clock_gettime(CLOCK_MONOTONIC, &until);
        until.tv_sec++; /* look again whether somebody listens */
        pthread_cond_timedwait(&w->changed, &w->lock, &until);
    }
    bool over = w->over;
    pthread_mutex_unlock(&w->lock);
    return over;
}

static void say(struct verb_call *call, char kind, struct slice text)
{
    if (kind == WRONG)
        verb_complain(call, SLICE_FMT, SLICE_ARG(text));
    else
        verb_say(call, SLICE_FMT, SLICE_ARG(text));
}

/* A refused reload has changed nothing: only what is wrong is said. */
static int say_all(struct verb_call *call, const struct wish *w)
{
    struct slice rest = buf_slice(&w->report);
    if (w->done && rest.len == 0)
        verb_say(call, "no key has changed; certificates were read anew");
    while (rest.len) {
        struct slice line = slice_first(rest, slice_find(rest, '\n'));
        if (line.len && (w->done || line.ptr[0] == WRONG))
            say(call, line.ptr[0], slice_from(line, 1));
        rest = slice_from(rest, line.len < rest.len ? line.len + 1 : line.len);
    }
    return w->done ? EXIT_DONE : EXIT_USAGE;
}

int reload_verb(struct verb_call *call)
{
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    struct wish *w = wish_new();
    w->post.run = on_wish;
    loop_post(the.loop, &w->post);
    int status = wait_for(call, w) ? say_all(call, w) : EXIT_FAILED;
    wish_unref(w);
    return status;
}
