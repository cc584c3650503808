#include "core/net/listen.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#if TANDEM_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

#include "core/base/fault.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/net/bind.h"
#include "core/net/conn.h"
#include "core/net/conn_set.h"
#include "core/net/listen_impl.h"
#include "core/net/peer.h"
#include "core/net/tls.h"

enum {
    EXPIRY_WARN_DAYS = 14,
    EXPIRY_LOOK_MS = 12 * 3600 * 1000,
};

/* --- config and credentials ------------------------------------------------------------------- */

void server_prepared_free(struct live *live)
{
    if (!live)
        return;
    for (unsigned i = 0; i < live->n_creds; i++)
        tls_creds_unref(live->creds[i]);
    config_unref(live->config);
    mem_free(live);
}

enum err server_prepare(struct config *config, struct live **ret, struct fault *why)
{
    struct live *live = mem_new(sizeof *live + config->n_tls * sizeof live->creds[0]);
    live->config = config_ref(config);
    live->n_creds = config->n_tls;
    for (unsigned i = 0; i < config->n_tls; i++) {
        enum err e = tls_creds_load(config, config->tls[i].name, &live->creds[i], why);
        if (e && e != ERR_NOTFOUND) {
            server_prepared_free(live);
            return e;
        }
    }
    *ret = live;
    return ERR_OK;
}

/* Tell how long the certificates are good for, now and twice a day. */
static void tell_expiry(const struct live *live)
{
    for (unsigned i = 0; i < live->n_creds; i++) {
        if (!live->creds[i])
            continue;
        const char *name = live->config->tls[i].name;
        long left = tls_creds_expiry(live->creds[i]);
        metrics_cert_expiry(name, left);
        if (left > EXPIRY_WARN_DAYS * 86400L)
            continue;
        struct log_line l;
        log_begin(&l, LOG_WARN, "cert-expiry");
        log_str(&l, "name", *name ? name : "default");
        log_i64(&l, "days", left / 86400);
        log_end(&l);
    }
}

static struct live *newest(const struct server *server)
{
    return atomic_load_explicit(&server->live, memory_order_acquire);
}

static void on_certificates(struct loop *loop, struct timer *timer)
{
    const struct server *server =
        (struct server *)(void *)((char *)timer - offsetof(struct server, certificates));
    tell_expiry(newest(server));
    timer_arm(loop, timer, EXPIRY_LOOK_MS);
}

static struct tls_creds *creds_of(const struct live *live, const struct config_listen *conf)
{
    struct slice profile = conf && conf->tls_profile ? slice_str(conf->tls_profile) : SLICE("");
    for (unsigned i = 0; i < live->n_creds; i++)
        if (slice_eq(slice_str(live->config->tls[i].name), profile))
            return live->creds[i];
    return NULL;
}

/* A loop may be using the old one until it next looks into its inbox. */
struct retired {
    struct live *live;
    atomic_uint loops;
    struct retired_post {
        struct post post;
        struct retired *retired;
    } posts[];
};

static void on_retired(struct loop *loop, struct post *post)
{
    struct retired *retired = ((struct retired_post *)(void *)post)->retired;
    (void)loop;
    if (atomic_fetch_sub(&retired->loops, 1) != 1)
        return;
    server_prepared_free(retired->live);
    mem_free(retired);
}

static void retire(struct server *server, struct live *live)
{
    struct retired *retired =
        mem_new(sizeof *retired + server->n_places * sizeof retired->posts[0]);
    retired->live = live;
    atomic_init(&retired->loops, server->n_places);
    for (unsigned i = 0; i < server->n_places; i++) {
        retired->posts[i] = (struct retired_post){{.run = on_retired}, retired};
        loop_post(server->places[i].loop, &retired->posts[i].post);
    }
}

/* --- listeners -------------------------------------------------------------------------------- */

static const struct protocol *protocol_of(const struct server *server,
                                          const struct config_listen *conf)
{
    static const char *const names[] = {"imap", "pop3", "lmtp"}; /* enum config_protocol */
    for (unsigned i = 0; server->protocols[i]; i++)
        if (slice_eq(slice_str(server->protocols[i]->name), slice_str(names[conf->protocol])))
            return server->protocols[i];
    return NULL;
}

static struct listener *listener_new(struct server *server, struct config *config,
                                     const struct config_listen *conf,
                                     const struct protocol *protocol, enum listen_tls tls)
{
    struct listener *listener = mem_new(sizeof *listener);
    atomic_init(&listener->refs, 1);
    listener->server = server;
    listener->config = config_ref(config);
    listener->conf = conf;
    listener->protocol = protocol;
    listener->tls = tls;
    listener->metric = conf ? (int)conf->protocol : -1; /* both enums have the same order */
    return listener;
}

static void warn(const char *name, const char *address, const char *why)
{
    struct log_line l;
    log_begin(&l, LOG_WARN, "listen-fail");
    log_str(&l, "name", name);
    log_str(&l, "address", address);
    log_str(&l, "why", why);
    log_end(&l);
}

/* NULL: stays shut, and why has been said. */
static struct listener *listener_of(struct server *server, const struct live *live,
                                    const struct config_listen *conf)
{
    const struct protocol *protocol = protocol_of(server, conf);
    enum listen_tls tls = conf->tls == CONFIG_TLS_IMPLICIT   ? LISTEN_IMPLICIT
                          : conf->tls == CONFIG_TLS_STARTTLS ? LISTEN_STARTTLS
                                                             : LISTEN_PLAIN;
    if (!protocol) {
        warn(conf->name, "", "no such protocol in this daemon");
        return NULL;
    }
    if (tls != LISTEN_PLAIN && !creds_of(live, conf)) {
        warn(conf->name, "",
             tls == LISTEN_IMPLICIT ? "no certificate: stays shut"
                                    : "no certificate: STARTTLS is not offered");
        if (tls == LISTEN_IMPLICIT)
            return NULL;
        tls = LISTEN_PLAIN;
    }
    return listener_new(server, live->config, conf, protocol, tls);
}

struct listener *listener_ref(struct listener *listener)
{
    atomic_fetch_add_explicit(&listener->refs, 1, memory_order_relaxed);
    return listener;
}

void listener_unref(struct listener *listener)
{
    if (!listener || atomic_fetch_sub_explicit(&listener->refs, 1, memory_order_acq_rel) != 1)
        return;
    config_unref(listener->config);
    mem_free(listener);
}

struct server *listener_server(const struct listener *listener)
{
    return listener->server;
}

const struct protocol *listener_protocol(const struct listener *listener)
{
    return listener->protocol;
}

const char *listener_name(const struct listener *listener)
{
    return listener->conf ? listener->conf->name : listener->protocol->name;
}

const struct config_list *listener_capabilities_off(const struct listener *listener)
{
    static const struct config_list none;
    return listener->conf ? &listener->conf->capabilities_off : &none;
}

const struct config *listener_config(const struct listener *listener)
{
    return listener->config;
}

int listener_metric(const struct listener *listener)
{
    return listener->metric;
}

enum listen_tls listener_tls(const struct listener *listener)
{
    return listener->tls;
}

bool listener_wants_proxy(const struct listener *listener, const void *sockaddr_storage)
{
    return listener->conf && config_networks_match(&listener->conf->proxy_from, sockaddr_storage);
}

struct tls_creds *listener_creds(const struct listener *listener)
{
    return creds_of(newest(listener->server), listener->conf);
}

/* --- doors ------------------------------------------------------------------------------------ */

static struct door *door_new(struct server *server, const char *address, int fd)
{
    struct door *door = mem_new(sizeof *door);
    struct stat st;
    struct slice text = slice_str(address), prefix = SLICE("unix:");
    door->server = server;
    door->address = mem_dup(text.ptr, text.len + 1);
    door->io.fd = fd;
    if (slice_starts(text, prefix) && !lstat(address + prefix.len, &st)) {
        door->path_dev = st.st_dev;
        door->path_ino = st.st_ino;
    }
    door->next = server->doors;
    server->doors = door;
    return door;
}

static void set_listener(struct door *door, struct listener *listener)
{
    listener_unref(door->listener);
    door->listener = listener_ref(listener);
    door->keep = true;
}

static struct door *door_find(struct server *server, const char *address)
{
    struct door *door = server->doors;
    while (door && (door->inherited || !slice_eq(slice_str(door->address), slice_str(address))))
        door = door->next;
    return door;
}

/* systemd's sockets are matched by FileDescriptorName = NAME of [listen NAME]; they stand in for
 * its addresses. */
static void adopt_inherited(struct server *server)
{
#if TANDEM_SYSTEMD
    char **names = NULL;
    int n = sd_listen_fds_with_names(1, &names);
    for (int i = 0; i < n; i++) {
        int fd = SD_LISTEN_FDS_START + i;
        if (sd_is_socket(fd, AF_UNSPEC, SOCK_STREAM, 1) <= 0)
            continue;
        bind_adopt(fd);
        door_new(server, names[i], fd)->inherited = true;
    }
    for (int i = 0; i < n; i++)
        free(names[i]);
    free((void *)names);
#else
    (void)server;
#endif
}

static bool use_inherited(struct server *server, struct listener *listener)
{
    bool any = false;
    for (struct door *door = server->doors; door; door = door->next)
        if (door->inherited &&
            slice_eq(slice_str(door->address), slice_str(listener->conf->name))) {
            set_listener(door, listener);
            any = true;
        }
    return any;
}

/* A socket for each address of each listener of `live`: those that are there are used on. Fails at
 * the first that cannot be bound, or warns and goes on. */
static enum err bind_all(struct server *server, const struct live *live, bool only_warn,
                         struct fault *why)
{
    const struct config *config = live->config;
    enum err e = ERR_OK;
    for (unsigned i = 0; i < config->n_listen && !e; i++) {
        const struct config_listen *conf = &config->listen[i];
        struct listener *listener = listener_of(server, live, conf);
        if (!listener)
            continue;
        unsigned n = use_inherited(server, listener) ? 0 : conf->address.n;
        for (unsigned a = 0; a < n && !e; a++) {
            const char *address = conf->address.items[a];
            struct door *door = door_find(server, address);
            struct fault bind_why;
            int fd;
            if (!door) {
                e = bind_listen(address, conf->mode, &fd, &bind_why);
                if (e && only_warn) {
                    warn(conf->name, address, bind_why.text);
                    e = ERR_OK;
                    continue;
                }
                if (e) {
                    e = fault(why, e, "[listen %s] %s: %s", conf->name, address, bind_why.text);
                    break;
                }
                door = door_new(server, address, fd);
            }
            set_listener(door, listener);
        }
        listener_unref(listener);
    }
    return e;
}

static void close_others(struct server *server)
{
    for (struct door *door = server->doors, *next; door; door = next) {
        next = door->next;
        if (!door->keep)
            door_close(server, door);
        else
            door->keep = false;
    }
}

/* --- the server ------------------------------------------------------------------------------- */

enum err server_new(const struct server_conf *conf, struct server **ret, struct fault *why)
{
    struct live *live;
    enum err e = server_prepare(conf->config, &live, why);
    if (e)
        return e;
    struct server *server = mem_new(sizeof *server);
    atomic_init(&server->live, live);
    atomic_init(&server->app, conf->app);
    server->protocols = conf->protocols;
    server->peers = peers_new();
    accept_init(server);
    adopt_inherited(server);
    e = bind_all(server, live, false, why);
    if (e) {
        server_free(server);
        return e;
    }
    close_others(server);
    *ret = server;
    return ERR_OK;
}

enum err server_listen_control(struct server *server, const struct protocol *protocol,
                               const char *path, unsigned mode, struct fault *why)
{
    struct fault bind_why;
    char address[256];
    int fd;
    snprintf(address, sizeof address, "unix:%s", path);
    enum err e = bind_listen(address, mode, &fd, &bind_why);
    if (e)
        return fault(why, e, "control socket %s: %s", path, bind_why.text);
    struct listener *listener =
        listener_new(server, newest(server)->config, NULL, protocol, LISTEN_PLAIN);
    set_listener(door_new(server, address, fd), listener);
    listener_unref(listener);
    return ERR_OK;
}

void server_start(struct server *server, struct loop *const *loops, unsigned n)
{
    assert(n && !server->places);
    server->places = mem_new_array(n, sizeof *server->places);
    server->n_places = n;
    for (unsigned i = 0; i < n; i++) {
        struct place *place = &server->places[i];
        place->server = server;
        place->loop = loops[i];
        place->conns = conn_set_new(loops[i], server);
    }
    accept_start(server);
    tell_expiry(newest(server));
    server->certificates.run = on_certificates;
    timer_arm(loops[0], &server->certificates, EXPIRY_LOOK_MS);
}

void server_reload(struct server *server, struct live *fresh)
{
    struct fault why = {0};
    struct live *old = atomic_exchange_explicit(&server->live, fresh, memory_order_acq_rel);
    retire(server, old);
    if (server->draining)
        return;
    tell_expiry(fresh);
    enum err e = bind_all(server, fresh, true, &why);
    assert(!e);
    for (struct door *door = server->doors; door; door = door->next)
        if (!door->listener->conf)
            door->keep = true; /* the control socket is no [listen]'s */
    close_others(server);
    for (struct door *door = server->doors; door; door = door->next)
        door_open(door);
}

void server_free(struct server *server)
{
    if (!server)
        return;
    for (unsigned i = 0; i < server->n_places; i++)
        conn_set_free(server->places[i].conns);
    while (server->doors)
        door_close(server, server->doors);
    accept_finish(server);
    timer_cancel(&server->certificates);
    server_prepared_free(newest(server));
    peers_free(server->peers);
    mem_free(server->places);
    mem_free(server);
}

void *server_app(const struct server *server)
{
    return atomic_load(&server->app);
}

void server_set_app(struct server *server, void *app)
{
    atomic_store(&server->app, app);
}

const struct config *server_config(const struct server *server)
{
    return newest(server)->config;
}

struct peers *server_peers(const struct server *server)
{
    return server->peers;
}

struct conn_set *server_conns(const struct server *server, const struct loop *loop)
{
    return server->places[loop_index(loop)].conns;
}

bool server_handshake_begin(struct server *server)
{
    if (atomic_fetch_add(&server->handshakes, 1) < server_config(server)->limits.handshakes)
        return true;
    atomic_fetch_sub(&server->handshakes, 1);
    return false;
}

void server_handshake_end(struct server *server)
{
    atomic_fetch_sub(&server->handshakes, 1);
}
