/* The server from inside: what listen.c (listeners, config, credentials, reload) and accept.c
 * (sockets that accept, limits, drain) share. Nothing else includes this. */
#ifndef TANDEM_NET_LISTEN_IMPL_H
#define TANDEM_NET_LISTEN_IMPL_H

#include <ev.h>
#include <stdatomic.h>
#include <sys/stat.h>

#include "core/base/config.h"
#include "core/net/listen.h"
#include "core/net/loop.h"

/* What sessions of one [listen] see; immutable and counted, made anew with each config. */
struct listener {
    atomic_uint refs;
    struct server *server;
    struct config *config;
    const struct config_listen *conf; /* in config; NULL: the control socket */
    const struct protocol *protocol;
    enum listen_tls tls;
    int metric; /* -1: the control socket */
};

/* One socket that accepts. Outlives reloads, which give it another listener. */
struct door {
    struct door *next;
    struct server *server;
    struct listener *listener;
    char *address; /* as configured; what a reload compares by */
    ev_io io;      /* its fd; started on loops[0] */
    dev_t path_dev;
    ino_t path_ino; /* of a unix socket we made: unlinked while it is still this one; 0: none */
    bool inherited; /* from systemd */
    bool keep;      /* reload: the new config has it too */
};

/* The newest config with its credentials, swapped as a whole. */
struct live {
    struct config *config;
    unsigned n_creds;
    struct tls_creds *creds[]; /* like config->tls; NULL: names no certificate */
};

/* One loop, as the server sees it. */
struct place {
    struct server *server;
    struct loop *loop;
    struct conn_set *conns;
    atomic_uint load;  /* connections, those on their way included */
    struct post order; /* leave or close, of drain */
    struct post shed;
    atomic_bool shedding; /* `shed` is on its way */
};

struct server {
    _Atomic(struct live *) live;
    _Atomic(void *) app;
    const struct protocol *const *protocols;
    struct peers *peers;
    struct door *doors;
    struct place *places;
    unsigned n_places;
    atomic_uint connections, handshakes;
    atomic_uint gone; /* connections that have ended since `pressure` looked */

    /* loops[0] only */
    int reserve_fd; /* given up to turn somebody away when descriptors run out */
    bool paused;    /* not accepting for want of descriptors */
    bool draining;
    bool brief; /* most connections end within a second, lately */
    struct timer resume, pressure, drain, certificates;
    struct post begin_drain, all_gone;

    unsigned descriptors_max;
    atomic_bool drain_begun, gone_told;
    void (*stopped)(void *arg);
    void *stopped_arg;
};

/* --- accept.c --------------------------------------------------------------------------------- */
void accept_init(struct server *server);
void accept_start(struct server *server);
void accept_finish(struct server *server);
void door_open(struct door *door); /* start to accept; on loops[0] or before it runs */
/* Out of the list, closed and freed. */
void door_close(struct server *server, struct door *door);

#endif
