#include "cmd/reload.h"

#include <stdbool.h>
#include <stdlib.h>

#include "cmd/notify.h"
#include "core/base/config.h"
#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/net/listen.h"
#include "core/net/worker.h"
#include "store/store.h"

struct reload {
    struct job job;
    struct server *server;
    struct store *store;
    struct pool *pool;
    const struct config *running;
    struct config *fresh; /* NULL: `errs` says why */
    struct config_errors errs;
};

static bool under_way, wanted_again; /* loops[0] alone looks at them */

static void tell_result(bool done, unsigned changed)
{
    struct log_line l;
    metrics_add(METRIC_RELOADS, done ? METRIC_RELOAD_OK : METRIC_RELOAD_FAILED, 0, 0, 1);
    log_begin(&l, LOG_INFO, "reload");
    log_str(&l, "result", done ? "ok" : "refused");
    log_u64(&l, "changed", changed);
    log_end(&l);
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

static void on_restart_key(void *arg, const char *key, unsigned line)
{
    log_config(arg, line, key, "takes effect at the next start");
}

/* How many keys differ as text. */
static unsigned changes(const struct config *a, const struct config *b)
{
    struct config_key_info info;
    unsigned n = 0, line;
    for (unsigned i = 0; config_key_info(i, &info); i++) {
        const char *x = config_key_text(a, i, &line), *y = config_key_text(b, i, &line);
        if (x && y && strcmp(x, y) != 0)
            n++;
    }
    return n;
}

static void read_config(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct reload *r = (struct reload *)(void *)job; /* its first member */
    if (config_load(r->running->file, &r->fresh, &r->errs))
        r->fresh = NULL;
}

static void swap(struct reload *r)
{
    unsigned changed = changes(r->fresh, r->running);
    struct fault why = {0};
    config_keep_restart(r->fresh, r->running, on_restart_key, (void *)r->running->file);
    if (log_setup(&r->fresh->log, &why))
        log_config(r->running->file, 0, "log.to", why.text);
    enum err e = server_reload(r->server, r->fresh, &why);
    if (e) {
        log_config(r->running->file, 0, "", why.text);
        config_unref(r->fresh);
        if (log_setup(&r->running->log, &why))
            log_config(r->running->file, 0, "log.to", why.text);
        tell_result(false, 0);
        return;
    }
    store_set_config(r->store, r->fresh);
    config_unref(r->fresh); /* the server has a reference of its own */
    tell_result(true, changed);
}

static void on_read(struct job *job)
{
    struct reload *r = (struct reload *)(void *)job;
    for (unsigned i = 0; i < r->errs.n; i++)
        log_config(r->errs.file, r->errs.items[i].line, r->errs.items[i].key, r->errs.items[i].why);
    if (r->fresh)
        swap(r);
    else
        tell_result(false, 0);
    notify("READY=1");

    struct server *server = r->server;
    struct store *store = r->store;
    struct pool *pool = r->pool;
    struct loop *loop = job->loop;
    config_errors_finish(&r->errs);
    config_unref(r->running);
    mem_free(r);
    under_way = false;
    if (wanted_again) {
        wanted_again = false;
        reload_begin(server, store, pool, loop);
    }
}

void reload_begin(struct server *server, struct store *store, struct pool *pool, struct loop *loop)
{
    if (under_way) {
        wanted_again = true;
        return;
    }
    struct reload *r = mem_new(sizeof *r);
    r->job = (struct job){.loop = loop, .run = read_config, .done = on_read};
    r->server = server;
    r->store = store;
    r->pool = pool;
    r->running = config_ref(server_config(server));
    config_errors_init(&r->errs);
    notify("RELOADING=1");
    under_way = true;
    if (pool_submit(pool, &r->job))
        on_read(&r->job); /* the queue is full: nothing was read */
}
