#include "core/net/conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <linux/sockios.h>
#include <linux/tcp.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/net/conn_impl.h"
#include "core/net/conn_set.h"
#include "core/net/linger.h"
#include "core/net/listen.h"
#include "core/net/peer.h"
#include "core/net/tls.h"

/* --- ids: start second << 32 | counter -------------------------------------------------------- */

static atomic_uint_fast64_t next_id;
static pthread_once_t next_id_once = PTHREAD_ONCE_INIT;

static void init_next_id(void)
{
    atomic_store(&next_id, (uint64_t)clock_wall() << 32 | 1);
}

/* --- addresses -------------------------------------------------------------------------------- */

void conn_address_text(const struct sockaddr_storage *address, char to[static INET6_ADDRSTRLEN])
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    const char *text = NULL;
    if (address->ss_family == AF_INET)
        text = inet_ntop(AF_INET, &in->sin_addr, to, INET6_ADDRSTRLEN);
    else if (address->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr))
        text = inet_ntop(AF_INET, in6->sin6_addr.s6_addr + 12, to, INET6_ADDRSTRLEN);
    else if (address->ss_family == AF_INET6)
        text = inet_ntop(AF_INET6, &in6->sin6_addr, to, INET6_ADDRSTRLEN);
    if (!text)
        snprintf(to, INET6_ADDRSTRLEN, "local");
}

void conn_set_peer(struct conn *conn, const struct sockaddr_storage *peer)
{
    memcpy(&conn->peer, peer, sizeof conn->peer);
    conn->peer_key = peer_key(server_peers(conn->set->server), peer);
    conn_address_text(peer, conn->peer_text);
}

void conn_set_local(struct conn *conn, const struct sockaddr_storage *local)
{
    conn_address_text(local, conn->local_text);
}

bool conn_count_peer(struct conn *conn)
{
    struct server *server = conn->set->server;
    conn->peer_counted = peer_connect(server_peers(server), conn->peer_key,
                                      server_config(server)->limits.per_address);
    return conn->peer_counted;
}

/* --- metrics and memory ----------------------------------------------------------------------- */

void conn_count(struct conn *conn)
{
    if (conn->metric < 0)
        return;
    enum metric_proto proto = (enum metric_proto)conn->metric;
    if (conn->counted)
        metrics_connection(proto, conn->counted_secure,
                           conn->counted_authed ? METRIC_AUTHED : METRIC_PREAUTH, -1);
    conn->counted = conn->phase != PHASE_GONE;
    conn->counted_secure = conn_is_secure(conn);
    conn->counted_authed = conn->logged_in;
    if (conn->counted)
        metrics_connection(proto, conn->counted_secure,
                           conn->counted_authed ? METRIC_AUTHED : METRIC_PREAUTH, 1);
}

void conn_count_octets(const struct conn *conn, enum metric_dir dir, size_t n)
{
    if (conn->metric >= 0 && n)
        metrics_bytes((enum metric_proto)conn->metric, dir, METRIC_APP, n);
}

/* What went over the network: with TLS only the kernel knows. */
static void count_network(const struct conn *conn)
{
    struct tcp_info info = {.tcpi_bytes_received = conn->wire.received,
                            .tcpi_bytes_acked = conn->wire.sent};
    socklen_t len = sizeof info;
    if (conn->metric < 0)
        return;
    enum metric_proto proto = (enum metric_proto)conn->metric;
    if (conn->wire.tls)
        (void)getsockopt(conn->wire.fd, IPPROTO_TCP, TCP_INFO, &info, &len);
    metrics_bytes(proto, METRIC_IN, METRIC_NET, info.tcpi_bytes_received);
    metrics_bytes(proto, METRIC_OUT, METRIC_NET, info.tcpi_bytes_acked);
}

static void charge(enum budget_class class, size_t *known, size_t now)
{
    if (now > *known)
        budget_take(class, now - *known);
    else if (now < *known)
        budget_give(class, *known - now);
    *known = now;
}

void conn_charge(struct conn *conn)
{
    charge(BUDGET_INPUT, &conn->charged_in, conn->in.cap);
    charge(BUDGET_OUTPUT, &conn->charged_out, conn->out.len);
}

/* --- deadlines -------------------------------------------------------------------------------- */

static struct conn *of_timer(struct timer *timer, size_t offset)
{
    return (struct conn *)((char *)timer - offset);
}

static void on_login_deadline(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct conn *conn = of_timer(timer, offsetof(struct conn, login));
    if (conn->opened && conn->phase == PHASE_OPEN && !conn->finishing)
        conn_protocol(conn)->deadline(conn);
    metrics_limit(METRIC_LIMIT_LOGIN);
    conn_finish(conn, CONN_END_IDLE);
}

static void on_deadline(struct loop *loop, struct timer *timer)
{
    (void)loop;
    struct conn *conn = of_timer(timer, offsetof(struct conn, deadline));
    conn_protocol(conn)->deadline(conn);
    conn_dirty(conn);
}

static void on_write_stall(struct loop *loop, struct timer *timer)
{
    (void)loop;
    metrics_limit(METRIC_LIMIT_STALL);
    conn_kill(of_timer(timer, offsetof(struct conn, write_stall)), CONN_END_STALL);
}

static void hold_upload(struct conn *conn)
{
    enum { LOOK_AGAIN_MS = 100 };
    uint64_t stall_ms = server_config(conn->set->server)->limits.upload_stall_ms;
    conn->held = budget_level() != BUDGET_EASY;
    timer_arm(conn->set->loop, &conn->upload_stall, conn->held ? LOOK_AGAIN_MS : stall_ms);
    conn_dirty(conn);
}

static void on_upload_stall(struct loop *loop, struct timer *timer)
{
    struct conn *conn = of_timer(timer, offsetof(struct conn, upload_stall));
    if (conn->held) {
        hold_upload(conn);
        return;
    }
    if (!conn_may_read(conn)) { /* it is we who do not read */
        timer_arm(loop, timer, server_config(conn->set->server)->limits.upload_stall_ms);
        return;
    }
    metrics_limit(METRIC_LIMIT_STALL);
    conn_kill(conn, CONN_END_STALL);
}

void conn_set_deadline(struct conn *conn, uint64_t delay_ms)
{
    if (conn->finishing || conn->phase == PHASE_GONE)
        return;
    if (delay_ms)
        timer_arm(conn->set->loop, &conn->deadline, delay_ms);
    else
        timer_cancel(&conn->deadline);
}

void conn_logged_in(struct conn *conn)
{
    if (conn->logged_in || conn->phase == PHASE_GONE)
        return;
    conn->logged_in = true;
    timer_cancel(&conn->login);
    TAILQ_REMOVE(&conn->set->strangers, conn, in_strangers);
    conn_count(conn);
}

void conn_upload(struct conn *conn, bool under_way)
{
    conn->uploading = under_way;
    if (!under_way) {
        conn->held = false;
        timer_cancel(&conn->upload_stall);
    } else if (!conn->held && !conn->finishing && conn->phase != PHASE_GONE) {
        timer_arm(conn->set->loop, &conn->upload_stall,
                  server_config(conn->set->server)->limits.upload_stall_ms);
    }
}

void conn_upload_begin(struct conn *conn)
{
    conn_upload(conn, true);
    if (!conn->finishing && conn->phase != PHASE_GONE)
        hold_upload(conn);
}

/* --- birth and end ---------------------------------------------------------------------------- */

enum err conn_new(struct loop *loop, int fd, struct listener *listener,
                  const struct sockaddr_storage *peer, struct conn **ret)
{
    struct server *server = listener_server(listener);
    struct conn_set *set = server_conns(server, loop);
    struct sockaddr_storage local = {0};
    socklen_t local_len = sizeof local;
    if (getsockname(fd, (struct sockaddr *)&local, &local_len)) {
        close(fd);
        return ERR_DOWN;
    }
    pthread_once(&next_id_once, init_next_id);
    struct conn *conn = mem_new(sizeof *conn);
    conn->set = set;
    conn->listener = listener_ref(listener);
    conn->id = atomic_fetch_add(&next_id, 1);
    conn->loop_id = loop_id_new(loop, conn);
    conn->wire.fd = fd;
    conn->metric = (int8_t)listener_metric(listener);
    conn->want_input = true;
    conn->input_max = conn_config(conn)->limits.command_preauth;
    buf_init(&conn->in, SIZE_MAX);
    outq_init(&conn->out);
    conn_set_peer(conn, peer);
    conn_set_local(conn, &local);
    /* listen.c has counted the address, unless the client's own is still to come. */
    conn->peer_counted = peer->ss_family != AF_UNIX && !listener_wants_proxy(listener, peer);

    ev_io_init(&conn->io, conn_on_io, fd, 0);
    conn->io.data = conn;
    conn->login.run = on_login_deadline;
    conn->deadline.run = on_deadline;
    conn->write_stall.run = on_write_stall;
    conn->upload_stall.run = on_upload_stall;
    timer_arm(loop, &conn->login, server_config(server)->limits.login_ms);
    TAILQ_INSERT_TAIL(&set->all, conn, in_all);
    TAILQ_INSERT_TAIL(&set->strangers, conn, in_strangers);
    conn_dirty(conn);
    *ret = conn;
    return ERR_OK;
}

void conn_kill(struct conn *conn, enum conn_end why)
{
    if (conn->phase == PHASE_GONE)
        return;
    if (!conn->finishing)
        conn->why = why;
    conn->phase = PHASE_GONE;
    ev_io_stop(loop_ev(conn->set->loop), &conn->io);
    timer_cancel(&conn->login);
    timer_cancel(&conn->deadline);
    timer_cancel(&conn->write_stall);
    timer_cancel(&conn->upload_stall);
    TAILQ_INSERT_TAIL(&conn->set->gone, conn, in_gone);
}

void conn_close(struct conn *conn, enum conn_end why)
{
    conn_kill(conn, why);
}

void conn_finish(struct conn *conn, enum conn_end why)
{
    if (conn->finishing || conn->phase == PHASE_GONE)
        return;
    if (conn->phase != PHASE_OPEN) {
        conn_kill(conn, why);
        return;
    }
    conn->finishing = true;
    conn->why = why;
    conn_consume(conn, conn_input(conn).len); /* what was not run never will be */
    timer_cancel(&conn->login);
    timer_cancel(&conn->deadline);
    timer_cancel(&conn->upload_stall);
    conn_dirty(conn);
}

bool conn_closing(const struct conn *conn)
{
    return conn->finishing || conn->phase == PHASE_GONE;
}

/* All was said and the client can still hear it: then closing must not turn into a reset. */
static void close_socket(struct conn *conn)
{
    bool said_all = conn->finishing && !conn->out.len;
    int unread = 0;
    if (said_all && conn->wire.tls && !conn->broken)
        tls_bye(conn->wire.tls);
    if (ioctl(conn->wire.fd, FIONREAD, &unread))
        unread = 0;
    if (said_all && !conn->eof && (unread || conn->why != CONN_END_LOGOUT))
        linger_close(conn->set->lingering, conn->wire.fd);
    else
        close(conn->wire.fd);
}

void conn_free(struct conn *conn)
{
    struct conn_set *set = conn->set;
    struct server *server = set->server;
    if (conn->opened)
        conn_protocol(conn)->closed(conn, conn->why);
    if (conn->handshaking)
        server_handshake_end(server);
    conn_count(conn);
    count_network(conn);
    close_socket(conn);
    tls_free(conn->wire.tls);
    outq_finish(&conn->out);
    conn_drop_input(conn);
    conn_charge(conn);
    if (conn->peer_counted)
        peer_disconnect(server_peers(server), conn->peer_key);
    loop_id_drop(set->loop, conn->loop_id);
    if (conn->dirty)
        TAILQ_REMOVE(&set->dirty, conn, in_dirty);
    if (conn->again)
        TAILQ_REMOVE(&set->again, conn, in_again);
    if (!conn->logged_in)
        TAILQ_REMOVE(&set->strangers, conn, in_strangers);
    TAILQ_REMOVE(&set->all, conn, in_all);
    server_conn_gone(server, set->loop, conn);
    listener_unref(conn->listener);
    mem_free(conn);
}

/* --- identity --------------------------------------------------------------------------------- */

uint64_t conn_id(const struct conn *conn)
{
    return conn->id;
}

uint64_t conn_loop_id(const struct conn *conn)
{
    return conn->loop_id;
}

struct loop *conn_loop(const struct conn *conn)
{
    return conn->set->loop;
}

const struct protocol *conn_protocol(const struct conn *conn)
{
    return listener_protocol(conn->listener);
}

struct listener *conn_listener(const struct conn *conn)
{
    return conn->listener;
}

const struct config *conn_config(const struct conn *conn)
{
    return listener_config(conn->listener);
}

void *conn_session(const struct conn *conn)
{
    return conn->session;
}

void conn_set_session(struct conn *conn, void *session)
{
    conn->session = session;
}

struct sockaddr_storage conn_peer(const struct conn *conn)
{
    struct sockaddr_storage peer = {0};
    memcpy(&peer, &conn->peer, sizeof conn->peer);
    return peer;
}

void conn_peer_octets(const struct conn *conn, unsigned char ret[16])
{
    memset(ret, 0, 16);
    if (conn->peer.family == AF_INET) {
        memset(ret + 10, 0xff, 2);
        memcpy(ret + 12, &conn->peer.in.sin_addr, 4);
    } else if (conn->peer.family == AF_INET6) {
        memcpy(ret, &conn->peer.in6.sin6_addr, 16);
    }
}

struct slice conn_peer_text(const struct conn *conn)
{
    return slice_str(conn->peer_text);
}

struct slice conn_local_text(const struct conn *conn)
{
    return slice_str(conn->local_text);
}

uint64_t conn_peer_key(const struct conn *conn)
{
    return conn->peer_key;
}

bool conn_is_unix(const struct conn *conn)
{
    return conn->peer.family == AF_UNIX;
}

bool conn_peer_user(const struct conn *conn, uid_t *ret_uid, gid_t *ret_gid)
{
    struct ucred cred;
    socklen_t len = sizeof cred;
    if (!conn_is_unix(conn) || getsockopt(conn->wire.fd, SOL_SOCKET, SO_PEERCRED, &cred, &len) ||
        len != sizeof cred)
        return false;
    *ret_uid = cred.uid;
    *ret_gid = cred.gid;
    return true;
}

bool conn_is_local(const struct conn *conn)
{
    struct sockaddr_storage peer = conn_peer(conn);
    return conn_is_unix(conn) ||
           config_networks_match(&server_config(conn->set->server)->auth.local_networks, &peer);
}

bool conn_is_secure(const struct conn *conn)
{
    return conn->wire.tls && !conn->handshaking;
}

struct slice conn_tls_text(const struct conn *conn)
{
    return conn_is_secure(conn) ? tls_text(conn->wire.tls) : SLICE_NONE;
}

enum err conn_tls_binding(const struct conn *conn, enum tls_binding_type type,
                          struct tls_binding *ret)
{
    return conn_is_secure(conn) ? tls_binding(conn->wire.tls, type, ret) : ERR_DOWN;
}

void conn_log(struct conn *conn, const char *event, const char *key, struct slice value,
              const char *reason_key, const char *reason)
{
    struct server *server = conn->set->server;
    if (!peer_may_log(server_peers(server), conn->peer_key, server_config(server)->log.rate))
        return;
    bool user = key && slice_eq(slice_str(key), SLICE("user")); /* stands before rip */
    struct log_line l;
    log_begin(&l, LOG_INFO, event);
    log_str(&l, "proto", conn_protocol(conn)->name);
    if (user)
        log_slice(&l, key, value);
    log_slice(&l, "rip", conn_peer_text(conn));
    if (!user)
        log_slice(&l, "lip", conn_local_text(conn));
    if (key && !user)
        log_slice(&l, key, value);
    log_str(&l, reason_key, reason);
    log_hex64(&l, "session", conn->id);
    log_end(&l);
}

/* --- input and output ------------------------------------------------------------------------- */

struct slice conn_input(const struct conn *conn)
{
    if (conn->loan.len)
        return conn->loan;
    return slice(conn->in.ptr ? conn->in.ptr + conn->in_off : NULL, conn->in.len - conn->in_off);
}

void conn_consume(struct conn *conn, size_t n)
{
    assert(n <= conn_input(conn).len);
    if (conn->loan.len)
        conn->loan = slice_from(conn->loan, n);
    else
        conn->in_off += n;
    conn_dirty(conn);
}

void conn_consume_secret(struct conn *conn, size_t n)
{
    mem_wipe((char *)conn_input(conn).ptr, n); /* lent as const, but it is our own buffer */
    conn_consume(conn, n);
}

void conn_set_input_max(struct conn *conn, size_t max)
{
    conn->input_max = max;
    conn_dirty(conn);
}

void conn_want_input(struct conn *conn, bool want)
{
    if (want && !conn->want_input && (conn_input(conn).len || conn->eof))
        conn->offer = true;
    conn->want_input = want;
    conn_dirty(conn);
}

bool conn_eof(const struct conn *conn)
{
    return conn->eof;
}

void conn_again(struct conn *conn)
{
    conn_ask_again(conn, true);
}

struct outq *conn_out(struct conn *conn)
{
    conn_dirty(conn);
    return &conn->out;
}

void conn_send(struct conn *conn, struct slice s)
{
    outq_add(conn_out(conn), s);
}

void conn_printf(struct conn *conn, const char *format, ...)
{
    char text[1024];
    va_list ap;
    va_start(ap, format);
    int n = vsnprintf(text, sizeof text, format, ap);
    va_end(ap);
    assert(n >= 0);
    if ((size_t)n < sizeof text) {
        conn_send(conn, slice(text, (size_t)n));
        return;
    }
    char *whole = mem_new((size_t)n + 1);
    va_start(ap, format);
    vsnprintf(whole, (size_t)n + 1, format, ap);
    va_end(ap);
    conn_send(conn, slice(whole, (size_t)n));
    mem_free(whole);
}

bool conn_full(const struct conn *conn)
{
    return conn->out.len >= conn_config(conn)->limits.output;
}

void conn_want_flushed(struct conn *conn)
{
    conn->flush = true;
    conn_dirty(conn);
}

uint64_t conn_sent(const struct conn *conn)
{
    return conn->wire.sent;
}

uint64_t conn_received(const struct conn *conn)
{
    return conn->wire.received;
}

uint32_t conn_unacked(const struct conn *conn)
{
    int n = 0;
    return ioctl(conn->wire.fd, SIOCOUTQ, &n) || n < 0 ? 0 : (uint32_t)n;
}

bool conn_can_starttls(const struct conn *conn)
{
    return listener_tls(conn->listener) == LISTEN_STARTTLS && !conn->wire.tls;
}

void conn_starttls(struct conn *conn)
{
    assert(conn_can_starttls(conn));
    if (conn_closing(conn))
        return;
    conn->starttls = true;
    conn_consume(conn, conn_input(conn).len); /* what came in plaintext is never run */
    conn->offer = false;
    conn_dirty(conn);
}
