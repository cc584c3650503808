/* The life of the daemon, after tandemd.c has bound the sockets and dropped root:
 *
 *   open store -> loops, pool, auth, front ends -> threads -> READY
 *        -> SIGHUP: reload ... -> SIGTERM: drain -> the last connection has gone
 *        -> pool and store stop, their completions run -> loops stop -> join -> auth -> store
 *
 * Everything is taken down in the opposite order of its making. */
#include "cmd/daemon.h"

#include <assert.h>
#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "auth/auth.h"
#include "cmd/control.h"
#include "cmd/notify.h"
#include "cmd/reload.h"
#include "cmd/setup.h"
#include "cmd/watchdog.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/net/helper.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "core/net/worker.h"
#include "imap/imap.h"
#include "lmtp/lmtp.h"
#include "pop3/pop3.h"
#include "store/store.h"

enum {
    LOOPS_MAX = 64,
    JOBS_WAITING = 10000,
    HASHES_WAITING_PER_ADDRESS = 1000, /* an office or a webmail that comes back at once */
    HASHES_WAITING_PER_SUSPECT = 20,
    HASHES_WAITING_OF_SUSPECTS = 200, /* about what gets its turn before [limits] login */
    CONTROL_S = 5                     /* for requests that still run when the loops have ended */
};

struct daemon {
    const struct daemon_conf *conf;
    struct store *store;
    struct auth *auth;
    struct pool *pool;
    unsigned n;
    struct loop *loops[LOOPS_MAX];
    pthread_t threads[LOOPS_MAX]; /* [0] is main's */
    ev_io signals;
    int signal_fd;
    bool draining;
    const char *reason; /* of the end: the signal's name */
};

/* --- the end ---------------------------------------------------------------------------------- */

/* A completion that finds the turn's snapshot older than its commit comes back in the next turn:
 * a loop is stopped two turns after the last of them was posted. */
struct last_turns {
    struct post post;
    unsigned left;
};

static void on_last_turn(struct loop *loop, struct post *post)
{
    struct last_turns *last = (struct last_turns *)post; /* its first member */
    if (last->left--) {
        loop_post(loop, post);
        return;
    }
    mem_free(last);
    loop_stop(loop);
}

/* On loops[0], when the last connection has gone. */
static void on_stopped(void *arg)
{
    struct daemon *d = arg;
    pool_stop(d->pool);
    store_stop(d->store);
    for (unsigned i = 0; i < d->n; i++) {
        struct last_turns *last = mem_new(sizeof *last);
        *last = (struct last_turns){.post = {.run = on_last_turn}, .left = 2};
        loop_post(d->loops[i], &last->post);
    }
}

/* --- signals ---------------------------------------------------------------------------------- */

/* A second signal changes nothing: the drain has its own end, [tandem] drain. */
static void drain(struct daemon *d, const char *reason)
{
    if (d->draining)
        return;
    d->draining = true;
    d->reason = reason;
    notify("STOPPING=1");
    server_drain(d->conf->server, on_stopped, d);
}

static void on_signal(struct ev_loop *ev, ev_io *watcher, int events)
{
    (void)ev;
    (void)events;
    struct daemon *d = watcher->data;
    struct signalfd_siginfo info;
    while (read(d->signal_fd, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGHUP)
            reload_begin();
        else
            drain(d, info.ssi_signo == SIGINT ? "SIGINT" : "SIGTERM");
    }
}

/* Blocked everywhere, read here: no handler ever interrupts a thread. */
static bool signals_open(struct daemon *d)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGHUP);
    pthread_sigmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN); /* a peer that has gone is an error of write */
    d->signal_fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
    if (d->signal_fd < 0) {
        setup_complain("signalfd: %s", strerror(errno));
        return false;
    }
    return true;
}

static void signals_watch(struct daemon *d)
{
    ev_io_init(&d->signals, on_signal, d->signal_fd, EV_READ);
    d->signals.data = d;
    ev_io_start(loop_ev(d->loops[0]), &d->signals);
}

/* --- threads ---------------------------------------------------------------------------------- */

static void *worker_reader(void *arg)
{
    struct store_reader *reader = NULL;
    if (store_reader_new(arg, NULL, &reader))
        return NULL;
    return reader;
}

static void worker_reader_free(void *reader)
{
    if (reader)
        store_reader_free(reader);
}

static void *loop_thread(void *arg)
{
    char name[16];
    snprintf(name, sizeof name, "tandem-loop/%u", loop_index(arg));
    pthread_setname_np(pthread_self(), name);
    loop_run(arg);
    return NULL;
}

static bool loops_new(struct daemon *d)
{
    unsigned want = d->conf->config->tandem.loops;
    if (want > LOOPS_MAX)
        want = LOOPS_MAX;
    for (; d->n < want; d->n++)
        if (loop_new(d->n, &d->loops[d->n])) {
            setup_complain("cannot make event loop %u: %s", d->n, strerror(errno));
            return false;
        }
    return true;
}

static bool readers_new(struct daemon *d)
{
    for (unsigned i = 0; i < d->n; i++) {
        struct store_reader *reader; /* the store finds it by its loop, and frees it with itself */
        enum err e = store_reader_new(d->store, d->loops[i], &reader);
        if (e) {
            setup_complain("cannot read the store: %s", err_text(e));
            return false;
        }
    }
    return true;
}

static bool threads_start(struct daemon *d)
{
    for (unsigned i = 1; i < d->n; i++)
        if (pthread_create(&d->threads[i], NULL, loop_thread, d->loops[i])) {
            setup_complain("cannot start thread %u: %s", i, strerror(errno));
            for (unsigned k = 1; k < i; k++) {
                loop_stop(d->loops[k]);
                pthread_join(d->threads[k], NULL);
            }
            return false;
        }
    return true;
}

/* --- making it ----------------------------------------------------------------------------------
 */

static bool services_new(struct daemon *d)
{
    const struct config *config = d->conf->config;
    /* What a connection asked for waits on when it is gone, so that closing buys nothing. */
    unsigned per_address = config->limits.per_address;
    if (per_address > HASHES_WAITING_PER_ADDRESS)
        per_address = HASHES_WAITING_PER_ADDRESS;
    struct pool_conf pool_conf = {.workers = config->tandem.workers,
                                  .queue_max = JOBS_WAITING,
                                  .queue_max_per_source = per_address,
                                  .queue_max_per_suspect = HASHES_WAITING_PER_SUSPECT,
                                  .queue_max_suspect = HASHES_WAITING_OF_SUSPECTS,
                                  .thread_start = worker_reader,
                                  .thread_stop = worker_reader_free,
                                  .arg = d->store};
    enum err e = pool_new(&pool_conf, &d->pool);
    if (e) {
        setup_complain("cannot start %u workers: %s", config->tandem.workers, strerror(errno));
        return false;
    }
    store_start(d->store, d->pool);
    struct auth_conf auth_conf = {.server = d->conf->server,
                                  .store = d->store,
                                  .pool = d->pool,
                                  .peers = server_peers(d->conf->server)};
    e = auth_new(&auth_conf, &d->auth);
    if (e) {
        setup_complain("cannot start authentication: %s", err_text(e));
        return false;
    }
    imap_setup(d->store, d->auth, d->pool);
    pop3_setup(d->store, d->auth, d->pool);
    lmtp_setup(d->store, d->auth, d->pool);
    reload_setup(d->conf->server, d->store, d->pool, d->loops[0]);
    control_setup(d->conf->server, d->store);
    return true;
}

static void free_all(struct daemon *d)
{
    pool_free(d->pool);
    auth_free(d->auth);
    store_close(d->store);
    server_free(d->conf->server);
    helper_free(d->conf->helper);
    for (unsigned i = 0; i < d->n; i++)
        loop_free(d->loops[i]);
    if (d->signal_fd >= 0)
        close(d->signal_fd);
}

static void log_start_of(const struct daemon *d)
{
    struct log_line l;
    log_begin(&l, LOG_INFO, "start");
    log_str(&l, "version", TANDEM_VERSION);
    log_u64(&l, "loops", d->n);
    log_end(&l);
}

static void tell_ready(const struct daemon *d)
{
    struct log_line l;
    log_begin(&l, LOG_INFO, "ready");
    log_u64(&l, "listeners", d->conf->config->n_listen);
    log_end(&l);
    metrics_set(METRIC_UP, 0, 0, 1);
    notify("READY=1");
    fwrite(d->conf->banner.ptr, 1, d->conf->banner.len, stdout);
    fflush(stdout);
}

int daemon_run(const struct daemon_conf *conf)
{
    struct daemon d = {.conf = conf, .signal_fd = -1};
    int status = EXIT_FAILED;
    if (!signals_open(&d) || !setup_store_open(conf->config, false, &d.store) || !loops_new(&d) ||
        !readers_new(&d) || !services_new(&d))
        goto out;
    log_start_of(&d);
    signals_watch(&d);
    helper_attach(conf->helper, d.loops[0]);
    server_start(conf->server, d.loops, d.n);
    watchdog_start(d.loops, d.n, d.pool);
    if (!threads_start(&d))
        goto out;
    log_start_thread();
    tell_ready(&d);

    loop_run(d.loops[0]);

    for (unsigned i = 1; i < d.n; i++)
        pthread_join(d.threads[i], NULL);
    ev_io_stop(loop_ev(d.loops[0]), &d.signals);
    struct log_line l;
    log_begin(&l, LOG_INFO, "stop");
    log_str(&l, "reason", d.reason);
    log_end(&l);
    status = EXIT_DONE;
    if (!control_finish(CONTROL_S)) {
        /* A check of a big store, say. What is on disk is whole at any moment. */
        log_note(LOG_WARN, "store-warn", "not closed: a request of the control socket still runs");
        log_stop();
        _exit(status);
    }
out:
    free_all(&d);
    log_stop();
    return status;
}
