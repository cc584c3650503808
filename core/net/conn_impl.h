/* A conn from inside: what conn.c (life, what sessions call) and conn_turn.c (what happens when
 * octets come and callbacks end) share. Nothing else includes this.
 *
 *      NEW --> PROXY --> HANDSHAKE --> OPEN ---------------> GONE --> freed at the end of the turn
 *       |        '-----------------------^   \  ^             ^
 *       '--------------------------------'    v |             |
 *                                          HANDSHAKE          |
 *              (STARTTLS: the queue is sent, input dropped)   |
 *       any phase: error, deadline, conn_close ---------------'
 */
#ifndef TANDEM_NET_CONN_IMPL_H
#define TANDEM_NET_CONN_IMPL_H

#include <ev.h>
#include <netinet/in.h>
#include <sys/queue.h>

#include "core/base/buf.h"
#include "core/base/metrics.h"
#include "core/net/conn.h"
#include "core/net/loop.h"
#include "core/net/outq.h"
#include "core/net/wire.h"

struct linger_set;
struct server;

enum conn_phase { PHASE_NEW, PHASE_PROXY, PHASE_HANDSHAKE, PHASE_OPEN, PHASE_GONE };

struct conn {
    struct conn_set *set;
    struct listener *listener;
    void *session;
    TAILQ_ENTRY(conn) in_all, in_strangers, in_dirty, in_again, in_gone;

    struct wire wire;
    ev_io io;
    struct timer login, deadline, write_stall, upload_stall;

    /* Input not consumed: what lies in the set's read buffer for the rest of the callback, else
     * in.ptr + in_off on. Never both. */
    struct slice loan;
    struct buf in;
    size_t in_off, input_max;
    struct outq out;
    size_t charged_in, charged_out; /* what the memory budget knows of these two */

    uint64_t id, loop_id, peer_key;
    enum conn_phase phase;
    enum conn_end why;

    int8_t metric;                                /* label of the protocol; -1: not counted */
    bool counted, counted_secure, counted_authed; /* in metrics, as */
    bool opened;         /* the protocol knows of this conn: `closed` is owed */
    bool logged_in;      /* not in `strangers` */
    bool finishing;      /* close when the output has gone */
    bool starttls;       /* shake hands when the output has gone */
    bool handshaking;    /* counted by the server as under way */
    bool hs_wants_write; /* in HANDSHAKE: what the socket must be ready for */
    bool peer_counted;   /* has a place in the table of addresses */
    bool want_input;     /* the session's wish */
    bool offer;          /* `input` is owed */
    bool eof;            /* the peer has said that no more comes */
    bool broken;         /* TLS ended badly behind the last octets: gone when they were offered */
    bool uploading;
    bool held;    /* the upload waits for memory; looked at by the timer upload_stall */
    bool full;    /* the output queue reached its high mark: `drained` is owed */
    bool flush;   /* `drained` is owed when it is empty */
    bool blocked; /* the socket took no more; cleared when it is writable */
    bool mute;    /* octets wait in the socket and we do not want them now */
    bool dirty;   /* in the set's list of conns to settle */
    bool again;   /* in the set's list for the next turn */
    bool again_offer;

    union {
        sa_family_t family; /* AF_UNIX: nothing more is known */
        struct sockaddr_in in;
        struct sockaddr_in6 in6;
    } peer; /* a fifth of a sockaddr_storage, of which there would be one for each idle client */
    char peer_text[INET6_ADDRSTRLEN], local_text[INET6_ADDRSTRLEN];
};

TAILQ_HEAD(conn_list, conn);

enum { CONN_READ_MAX = 64 * 1024 };

struct conn_set {
    struct loop *loop;
    struct server *server;
    struct linger_set *lingering;
    struct conn_list all, strangers; /* oldest first */
    struct conn_list dirty, again, gone;
    struct conn *settling; /* its changes need no place in `dirty` */
    struct post again_post;
    bool again_posted;
    char read_buffer[CONN_READ_MAX];
};

/* --- conn_turn.c ------------------------------------------------------------------------------ */
void conn_dirty(struct conn *conn); /* settle it when this callback ends */
void conn_ask_again(struct conn *conn, bool offer);
void conn_set_settle(struct conn_set *set);
void conn_on_io(struct ev_loop *ev, ev_io *io, int events);
void conn_on_again(struct loop *loop, struct post *post);
bool conn_may_read(const struct conn *conn);
void conn_drop_input(struct conn *conn);

/* --- conn.c ----------------------------------------------------------------------------------- */
void conn_kill(struct conn *conn, enum conn_end why); /* to GONE; shrugs when it is there */
void conn_free(struct conn *conn);  /* tells the protocol; the last thing that is done with it */
void conn_count(struct conn *conn); /* in metrics, by what it is now */
void conn_count_octets(const struct conn *conn, enum metric_dir dir, size_t n);
void conn_charge(struct conn *conn); /* tell the memory budget */
void conn_set_peer(struct conn *conn, const struct sockaddr_storage *peer);
void conn_set_local(struct conn *conn, const struct sockaddr_storage *local);
bool conn_count_peer(struct conn *conn); /* false: over per_address */
/* Log an event of this connection: `rip lip KEY=VALUE reason|limit`, held to the address's rate. */
void conn_log(struct conn *conn, const char *event, const char *key, struct slice value,
              const char *reason_key, const char *reason);

#endif
