/* Sockets that accept, all on loops[0]: who is let in, on which loop, and how it ends. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stddef.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/net/conn.h"
#include "core/net/conn_set.h"
#include "core/net/listen_impl.h"
#include "core/net/peer.h"

enum {
    ACCEPT_BATCH = 64,     /* connections of one socket in one turn */
    BRIEF_MORE = 16,       /* connections that brief sessions may let loops[0] have beyond others */
    CONTROL_RESERVE = 8,   /* places for the control socket beyond [limits] connections */
    RESUME_MS = 250,       /* out of descriptors: look again */
    PRESSURE_MS = 250,     /* how often memory and descriptors are looked at */
    SHED_BATCH = 64,       /* strangers asked to leave at each such look, per loop */
    DESCRIPTORS_FULL = 90, /* per cent */
};

/* A connection on its way to its loop. */
struct handover {
    struct post post;
    struct place *place;
    struct listener *listener;
    int fd;
    struct sockaddr_storage peer;
};

static void on_accept(struct ev_loop *ev, ev_io *io, int events);

/* --- doors ------------------------------------------------------------------------------------ */

void door_open(struct door *door)
{
    struct server *server = door->server;
    if (!server->n_places || server->paused || ev_is_active(&door->io))
        return;
    ev_io_init(&door->io, on_accept, door->io.fd, EV_READ);
    door->io.data = door;
    ev_io_start(loop_ev(server->places[0].loop), &door->io);
}

static void door_shut(struct door *door)
{
    if (ev_is_active(&door->io))
        ev_io_stop(loop_ev(door->server->places[0].loop), &door->io);
}

void door_close(struct server *server, struct door *door)
{
    struct door **at = &server->doors;
    while (*at != door)
        at = &(*at)->next;
    *at = door->next;
    door_shut(door);
    const char *path = door->address + sizeof "unix:" - 1;
    struct stat st;
    /* Only while it is still our own: a successor may have taken the path over. */
    if (door->path_ino && !lstat(path, &st) && st.st_dev == door->path_dev &&
        st.st_ino == door->path_ino)
        (void)unlink(path);
    close(door->io.fd);
    listener_unref(door->listener);
    mem_free(door->address);
    mem_free(door);
}

/* --- out of descriptors ----------------------------------------------------------------------- */

static void hold_reserve(struct server *server)
{
    if (server->reserve_fd < 0)
        server->reserve_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void resume(struct server *server)
{
    hold_reserve(server);
    timer_cancel(&server->resume);
    server->paused = false;
    for (struct door *door = server->doors; door; door = door->next)
        door_open(door);
}

static void on_resume(struct loop *loop, struct timer *timer)
{
    (void)loop;
    resume((struct server *)(void *)((char *)timer - offsetof(struct server, resume)));
}

/* A waiting connection would wake us again and again: the reserve turns one away, so that its
 * client hears why, and all doors rest. */
static void out_of_descriptors(struct door *door)
{
    struct server *server = door->server;
    if (server->reserve_fd >= 0) {
        close(server->reserve_fd);
        server->reserve_fd = -1;
        int fd = accept4(door->io.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            const char *line = door->listener->protocol->refusal;
            if (door->listener->tls != LISTEN_IMPLICIT)
                (void)send(fd, line, strlen(line), MSG_NOSIGNAL);
            close(fd);
        }
        hold_reserve(server);
    }
    struct log_line l;
    log_begin(&l, LOG_WARN, "limit-hit");
    log_str(&l, "limit", "descriptors");
    log_end(&l);
    server->paused = true;
    for (struct door *d = server->doors; d; d = d->next)
        door_shut(d);
    timer_arm(server->places[0].loop, &server->resume, RESUME_MS);
}

/* --- who is let in ---------------------------------------------------------------------------- */

static void log_refused(struct door *door, uint64_t key, const struct sockaddr_storage *peer,
                        const char *reason)
{
    struct server *server = door->server;
    if (!peer_may_log(server->peers, key, server_config(server)->log.rate))
        return;
    char text[INET6_ADDRSTRLEN];
    struct log_line l;
    conn_address_text(peer, text);
    log_begin(&l, LOG_INFO, "accept-refused");
    log_str(&l, "proto", door->listener->protocol->name);
    log_str(&l, "rip", text);
    log_str(&l, "reason", reason);
    log_end(&l);
}

static const char *over(enum metric_limit limit, const char *name)
{
    metrics_limit(limit);
    return name;
}

/* NULL: let in (and counted for its address), else the limit that is in the way. */
static const char *refused_by(struct door *door, const struct sockaddr_storage *peer, uint64_t key)
{
    struct server *server = door->server;
    const struct config *config = server_config(server);
    unsigned reserve = door->listener->conf ? 0 : CONTROL_RESERVE;
    if (atomic_load(&server->connections) >= config->limits.connections + reserve)
        return over(METRIC_LIMIT_CONNECTIONS, "connections");
    if (door->listener->conf && budget_level() == BUDGET_FULL)
        return over(METRIC_LIMIT_MEMORY, "memory");
    if (peer->ss_family == AF_UNIX || listener_wants_proxy(door->listener, peer))
        return NULL;
    return peer_connect(server->peers, key, config->limits.per_address)
               ? NULL
               : over(METRIC_LIMIT_PER_ADDRESS, "per_address");
}

/* The loop with the fewest connections. Handing one over wakes another thread, and again for each
 * of its commands, which costs as much as a fifth of a login: while sessions are brief they stay
 * where they came in, as long as that loop has nothing else to do. For one that stays all day, and
 * for one that begins with a handshake of 400 us, the few microseconds are well spent. */
static struct place *place_for(struct server *server, const struct listener *listener)
{
    struct place *first = &server->places[0], *best = first;
    for (unsigned i = 1; listener->conf && i < server->n_places; i++)
        if (atomic_load(&server->places[i].load) < atomic_load(&best->load))
            best = &server->places[i];
    bool stays = server->brief && listener->tls != LISTEN_IMPLICIT && loop_has_time(first->loop) &&
                 atomic_load(&first->load) < atomic_load(&best->load) + BRIEF_MORE;
    return stays ? first : best;
}

static void count_out(struct server *server, struct place *place)
{
    atomic_fetch_add_explicit(&server->gone, 1, memory_order_relaxed);
    atomic_fetch_sub(&place->load, 1);
    if (atomic_fetch_sub(&server->connections, 1) == 1 && atomic_load(&server->drain_begun) &&
        !atomic_exchange(&server->gone_told, true))
        loop_post(server->places[0].loop, &server->all_gone);
}

static void receive(struct loop *loop, struct post *post)
{
    struct handover *h = (struct handover *)(void *)post;
    struct server *server = h->place->server;
    struct conn *conn;
    bool draining = atomic_load(&server->drain_begun);
    if (draining)
        close(h->fd);
    if (draining || conn_new(loop, h->fd, h->listener, &h->peer, &conn)) {
        if (h->peer.ss_family != AF_UNIX && !listener_wants_proxy(h->listener, &h->peer))
            peer_disconnect(server->peers, peer_key(server->peers, &h->peer));
        count_out(server, h->place);
    }
    listener_unref(h->listener);
    mem_free(h);
}

static void let_in(struct door *door, int fd, const struct sockaddr_storage *peer)
{
    struct server *server = door->server;
    struct place *place = place_for(server, door->listener);
    atomic_fetch_add(&place->load, 1);
    atomic_fetch_add(&server->connections, 1);
    struct handover *h = mem_new(sizeof *h);
    *h = (struct handover){.post = {.run = receive},
                           .place = place,
                           .listener = listener_ref(door->listener),
                           .fd = fd,
                           .peer = *peer};
    if (place == &server->places[0])
        receive(place->loop, &h->post);
    else
        loop_post(place->loop, &h->post);
}

static void decide(struct door *door, int fd, const struct sockaddr_storage *peer)
{
    uint64_t key = peer_key(door->server->peers, peer);
    const char *limit = refused_by(door, peer, key);
    if (!limit) {
        let_in(door, fd, peer);
        return;
    }
    const char *line = door->listener->protocol->refusal;
    if (door->listener->tls != LISTEN_IMPLICIT) /* there only TLS would be understood */
        (void)send(fd, line, strlen(line), MSG_NOSIGNAL);
    close(fd);
    log_refused(door, key, peer, limit);
}

/* accept makes a socket before it looks for a connection: in vain it costs 3.6 us, to look first
 * 0.3. */
static bool another_waits(int fd)
{
    struct pollfd door = {.fd = fd, .events = POLLIN};
    return poll(&door, 1, 0) == 1;
}

static void on_accept(struct ev_loop *ev, ev_io *io, int events)
{
    struct door *door = io->data;
    struct loop *loop = door->server->places[0].loop;
    (void)ev;
    (void)events;
    for (unsigned i = 0; i == 0 || (i < ACCEPT_BATCH && another_waits(io->fd)); i++) {
        struct sockaddr_storage peer = {0};
        socklen_t len = sizeof peer;
        int fd = accept4(io->fd, (struct sockaddr *)&peer, &len, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            decide(door, fd, &peer);
            continue;
        }
        if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
            out_of_descriptors(door);
        /* EAGAIN, or a connection that is gone before we took it: whatever else waits wakes us
         * again. */
        break;
    }
    loop_callback_ends(loop);
}

void server_conn_gone(struct server *server, struct loop *loop, struct conn *conn)
{
    (void)conn;
    count_out(server, &server->places[loop_index(loop)]);
}

/* --- pressure --------------------------------------------------------------------------------- */

static void on_shed(struct loop *loop, struct post *post)
{
    struct place *place = (struct place *)(void *)((char *)post - offsetof(struct place, shed));
    (void)loop;
    (void)conn_set_shed(place->conns, SHED_BATCH);
    atomic_store(&place->shedding, false);
}

static bool under_pressure(const struct server *server)
{
    return budget_level() != BUDGET_EASY ||
           (uint64_t)atomic_load(&server->connections) * 100 >=
               (uint64_t)server->descriptors_max * DESCRIPTORS_FULL;
}

/* As many are open as end in the time that one is open on average (Little's law): brief are
 * sessions that are over within a second. */
static void look_at_turnover(struct server *server)
{
    uint64_t gone = atomic_exchange(&server->gone, 0);
    server->brief = gone && gone * (1000 / PRESSURE_MS) >= atomic_load(&server->connections);
}

static void on_pressure(struct loop *loop, struct timer *timer)
{
    struct server *server =
        (struct server *)(void *)((char *)timer - offsetof(struct server, pressure));
    timer_arm(loop, timer, PRESSURE_MS);
    look_at_turnover(server);
    if (!under_pressure(server))
        return;
    for (unsigned i = 0; i < server->n_places; i++)
        if (!atomic_exchange(&server->places[i].shedding, true))
            loop_post(server->places[i].loop, &server->places[i].shed);
}

/* --- drain ------------------------------------------------------------------------------------ */

static void on_leave(struct loop *loop, struct post *post)
{
    struct place *place = (struct place *)(void *)((char *)post - offsetof(struct place, order));
    (void)loop;
    conn_set_leave(place->conns, CONN_END_SHUTDOWN);
}

static void on_close(struct loop *loop, struct post *post)
{
    struct place *place = (struct place *)(void *)((char *)post - offsetof(struct place, order));
    (void)loop;
    conn_set_close(place->conns, CONN_END_SHUTDOWN);
}

static void order_all(struct server *server, void (*run)(struct loop *, struct post *))
{
    for (unsigned i = 0; i < server->n_places; i++) {
        server->places[i].order.run = run;
        loop_post(server->places[i].loop, &server->places[i].order);
    }
}

static void on_drain_time(struct loop *loop, struct timer *timer)
{
    (void)loop;
    order_all((struct server *)(void *)((char *)timer - offsetof(struct server, drain)), on_close);
}

static void on_all_gone(struct loop *loop, struct post *post)
{
    struct server *server =
        (struct server *)(void *)((char *)post - offsetof(struct server, all_gone));
    (void)loop;
    timer_cancel(&server->drain);
    server->stopped(server->stopped_arg);
}

static void on_begin_drain(struct loop *loop, struct post *post)
{
    struct server *server =
        (struct server *)(void *)((char *)post - offsetof(struct server, begin_drain));
    server->draining = true;
    timer_cancel(&server->resume);
    timer_cancel(&server->pressure);
    while (server->doors)
        door_close(server, server->doors);
    /* Counted like a connection until every loop has its order: `all_gone` is told once. */
    atomic_fetch_add(&server->connections, 1);
    atomic_fetch_add(&server->places[0].load, 1);
    atomic_store(&server->drain_begun, true);
    order_all(server, on_leave);
    timer_arm(loop, &server->drain, server_config(server)->tandem.drain_ms);
    count_out(server, &server->places[0]);
}

void server_drain(struct server *server, void (*stopped)(void *arg), void *arg)
{
    server->stopped = stopped;
    server->stopped_arg = arg;
    loop_post(server->places[0].loop, &server->begin_drain);
}

/* --- the server's part ------------------------------------------------------------------------ */

void accept_init(struct server *server)
{
    server->reserve_fd = -1;
    hold_reserve(server);
    server->resume.run = on_resume;
    server->pressure.run = on_pressure;
    server->drain.run = on_drain_time;
    server->begin_drain.run = on_begin_drain;
    server->all_gone.run = on_all_gone;
}

void accept_start(struct server *server)
{
    struct rlimit limit;
    server->descriptors_max = getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > UINT32_MAX
                                  ? UINT32_MAX
                                  : (unsigned)limit.rlim_cur;
    for (unsigned i = 0; i < server->n_places; i++)
        server->places[i].shed.run = on_shed;
    for (struct door *door = server->doors; door; door = door->next)
        door_open(door);
    timer_arm(server->places[0].loop, &server->pressure, PRESSURE_MS);
}

void accept_finish(struct server *server)
{
    timer_cancel(&server->resume);
    timer_cancel(&server->pressure);
    timer_cancel(&server->drain);
    if (server->reserve_fd >= 0)
        close(server->reserve_fd);
}
