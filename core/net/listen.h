/* Listening sockets, accept on loop 0, hand-over to the loop with the fewest connections (or,
 * while most are brief, none as long as loop 0 has time), and the limits that hold before there is
 * a session (CONTRACTS: accept, per_address, handshakes). */
#ifndef TANDEM_NET_LISTEN_H
#define TANDEM_NET_LISTEN_H

#include <stdbool.h>

#include "core/base/attr.h"
#include "core/base/err.h"

struct config;
struct config_list;
struct conn;
struct fault;
struct loop;
struct listener;
struct protocol;
struct server;
struct tls_creds;

enum listen_tls { LISTEN_PLAIN, LISTEN_STARTTLS, LISTEN_IMPLICIT };

/* All listeners, loops and what they share. One per process. */
struct server_conf {
    struct config *config;                   /* the server takes a reference of its own */
    const struct protocol *const *protocols; /* NULL-terminated */
    void *app; /* server_app(): what sessions need (store, auth, pool) */
};

/* Bind every [listen] of the config (or take systemd's descriptors by name) and read the TLS
 * credentials: as root if it must be, before threads. The fault names listener, address, reason. */
MUST_CHECK enum err server_new(const struct server_conf *conf, struct server **ret,
                               struct fault *why);
/* One more listener that no [listen] names: the control socket, on loops[0], with a few places of
 * its own beyond [limits] connections. Before server_start. */
MUST_CHECK enum err server_listen_control(struct server *server, const struct protocol *protocol,
                                          const char *path, unsigned mode, struct fault *why);
/* Accept from now on; the loops do not run yet. loops[0] accepts. */
void server_start(struct server *server, struct loop *const *loops, unsigned n);
void *server_app(const struct server *server);
void server_set_app(struct server *server, void *app);
/* The newest config, for keys of class L. Lock-free. On a loop it is good until the callback ends;
 * other threads use what a loop gave them with config_ref. */
const struct config *server_config(const struct server *server);
struct peers *server_peers(const struct server *server); /* the table of addresses */
/* Stop accepting; ask every session to leave; after `[tandem] drain` close the rest. `stopped` is
 * called on loops[0] when the last connection has gone. Any thread, once. */
void server_drain(struct server *server, void (*stopped)(void *arg), void *arg);
void server_free(struct server *server); /* after the loops have ended, before loop_free */
/* A config with the credentials that it names, read and checked (CONTRACTS: reload); takes a
 * reference of its own. Any thread but a loop's (reads files). */
struct live;
MUST_CHECK enum err server_prepare(struct config *config, struct live **ret, struct fault *why);
void server_prepared_free(struct live *live); /* NULL shrugs */
/* Put it in place of what holds; takes it over. Sockets that cannot be bound are a warning each. On
 * loops[0]. */
void server_reload(struct server *server, struct live *fresh);

/* --- seen from a conn ------------------------------------------------------------------------- */
struct server *listener_server(const struct listener *listener);
const struct protocol *listener_protocol(const struct listener *listener);
const char *listener_name(const struct listener *listener); /* of [listen NAME] */
const struct config_list *listener_capabilities_off(const struct listener *listener);
const struct config *listener_config(const struct listener *listener); /* as it was bound with */
/* Label of its protocol in metrics (enum metric_proto); -1: not counted. */
int listener_metric(const struct listener *listener);
enum listen_tls
listener_tls(const struct listener *listener); /* LISTEN_PLAIN without certificate */
bool listener_wants_proxy(const struct listener *listener, const void *sockaddr_storage);
struct listener *listener_ref(struct listener *listener);
void listener_unref(struct listener *listener);

/* Newest credentials of its profile; NULL: none. Borrowed until the callback ends. On a loop. */
struct tls_creds *listener_creds(const struct listener *listener);
struct conn_set *server_conns(const struct server *server, const struct loop *loop);

/* Bookkeeping by conn.c: a handshake begins / ends (false: too many under way), a conn has gone. */
bool server_handshake_begin(struct server *server);
void server_handshake_end(struct server *server);
void server_conn_gone(struct server *server, struct loop *loop, struct conn *conn);

#endif
