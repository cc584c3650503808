/* One client: its descriptor, watchers, layers, input, output, limits and the one way to close.
 *
 *      socket -> PROXY -> TLS -> DEFLATE -> protocol        (a layer that is not used is not there)
 *
 * Nothing but conn.c starts or stops a watcher: after every callback conn_rearm() looks at the
 * state (handshake wants, input room, output queued, closing) and sets interest from it, and the
 * loop never waits while a layer still holds bytes. conn_close() only marks; the conn is freed at
 * the end of the loop's turn, after its watchers and timers have stopped, so no handler outlives
 * its own connection. A full output queue stops reading from that client.
 *
 * Life:   accept -> [PROXY header] -> [TLS handshake] -> open -> input/drained/deadline ... ->
 * closed
 *
 * All calls: on the conn's own loop. */
#ifndef TANDEM_NET_CONN_H
#define TANDEM_NET_CONN_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/socket.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"
#include "core/net/tls.h"

struct config;
struct conn;
struct listener;
struct loop;
struct outq;

/* Why a connection ended; the word goes into the logout line. */
#define CONN_END_LIST(X)                                                                           \
    X(CLIENT, "client")     /* the client closed, or the session ended at its wish */              \
    X(LOGOUT, "logout")     /* LOGOUT, QUIT */                                                     \
    X(RESET, "reset")       /* connection reset or another socket error */                         \
    X(TLS, "tls")           /* handshake or record failure */                                      \
    X(IDLE, "idle")         /* protocol or login deadline */                                       \
    X(STALL, "stall")       /* write_stall, upload_stall */                                        \
    X(LIMIT, "limit")       /* a limit of ours */                                                  \
    X(KICKED, "kicked")     /* administrator */                                                    \
    X(SHUTDOWN, "shutdown") /* the daemon stops */                                                 \
    X(SHED, "shed")         /* memory or descriptors */                                            \
    X(PROXY, "proxy")       /* bad or missing PROXY header */                                      \
    X(FAULT, "fault")       /* our own trouble */

enum conn_end {
#define X(code, word) CONN_END_##code,
    CONN_END_LIST(X)
#undef X
};

static inline const char *conn_end_word(enum conn_end why)
{
    static const char *const words[] = {
#define X(code, word) word,
        CONN_END_LIST(X)
#undef X
    };
    return words[why];
}

/* What a protocol gives for its listeners: one constant table per protocol. */
struct protocol {
    const char *name; /* "imap", "pop3", "lmtp": log field proto=, metric label */
    const char *alpn; /* offered in TLS; NULL = none */
    /* Over the connection limits, or shed: the line to leave behind, without waiting for anything.
     */
    const char *refusal; /* "* BYE [UNAVAILABLE] ..." CRLF */
    /* The client may speak (TLS is up if it is implicit): make the session, greet. */
    void (*open)(struct conn *conn);
    /* More input, or input that could not be taken before: look at conn_input(), conn_eof(). */
    void (*input)(struct conn *conn);
    /* The output queue was full and fell below the low mark (half of [limits] output), or is
     * empty and that was asked for (conn_want_flushed). */
    void (*drained)(struct conn *conn);
    /* conn_starttls has finished: forget what was learned in plaintext. */
    void (*secured)(struct conn *conn);
    /* conn_set_deadline has passed: say goodbye (or not) and conn_finish. */
    void (*deadline)(struct conn *conn);
    /* The server asks the session to end (SHUTDOWN, KICKED, SHED): say so as soon as the protocol
     * allows and conn_finish; it is closed without asking when the drain time is over. */
    void (*leave)(struct conn *conn, enum conn_end why);
    /* The last call: free the session. Output has gone or is lost; nothing can be sent. */
    void (*closed)(struct conn *conn, enum conn_end why);
};

/* --- made by listen.c ------------------------------------------------------------------------- */
/* Takes over `fd` (already non-blocking). The listener and its config are counted. Frees fd on
 * error. */
MUST_CHECK enum err conn_new(struct loop *loop, int fd, struct listener *listener,
                             const struct sockaddr_storage *peer, struct conn **ret);

/* --- identity --------------------------------------------------------------------------------- */
uint64_t conn_id(const struct conn *conn); /* start second << 32 | counter: log session=, journal */
uint64_t conn_loop_id(const struct conn *conn); /* loop_id of this conn, for completions */
struct loop *conn_loop(const struct conn *conn);
const struct protocol *conn_protocol(const struct conn *conn);
struct listener *conn_listener(const struct conn *conn);
const struct config *conn_config(const struct conn *conn); /* as accepted: keys of class N */
void *conn_session(const struct conn *conn);
void conn_set_session(struct conn *conn, void *session);
/* The client's address after PROXY; unix sockets: AF_UNIX. Text is "192.0.2.1", "2001:db8::1",
 * "local". */
struct sockaddr_storage conn_peer(const struct conn *conn);
void conn_peer_octets(const struct conn *conn, unsigned char ret[16]); /* IPv4 mapped; unix: 0 */
struct slice conn_peer_text(const struct conn *conn);
struct slice conn_local_text(const struct conn *conn);
uint64_t
conn_peer_key(const struct conn *conn); /* /32 or /64 as SipHash, for tables and fairness */
bool conn_is_unix(const struct conn *conn);
/* Who is at the other end of a unix socket (SO_PEERCRED). False: not a unix socket. */
bool conn_peer_user(const struct conn *conn, uid_t *ret_uid, gid_t *ret_gid);
bool conn_is_local(const struct conn *conn);         /* unix, or in [auth] local_networks */
bool conn_is_secure(const struct conn *conn);        /* TLS is up */
struct slice conn_tls_text(const struct conn *conn); /* "TLS1.3:AES-128-GCM", empty without TLS */

/* tls_binding of its session; ERR_DOWN when there is none. */
MUST_CHECK enum err conn_tls_binding(const struct conn *conn, enum tls_binding_type type,
                                     struct tls_binding *ret);

/* --- input ------------------------------------------------------------------------------------ */
/* What has come and is not consumed. The octets stay where they are until the callback ends, even
 * when they are consumed before; what is not consumed is kept. */
struct slice conn_input(const struct conn *conn);
void conn_consume(struct conn *conn, size_t n);
void conn_consume_secret(struct conn *conn, size_t n); /* and overwrites them where they lie */
/* Most octets of unconsumed input; reading stops there. The session sets it from [limits]
 * (line_preauth, command, ...). Buffers are freed while nothing is in them. */
void conn_set_input_max(struct conn *conn, size_t max);
/* While false nothing new is read (a command waits for its job); closing by the peer is still seen.
 */
void conn_want_input(struct conn *conn, bool want);
/* No more will come; conn_input() is the rest. `input` is called once for it; the session ends when
 * it has run what is whole. A TLS stream that breaks off is no such end: the conn just goes. */
bool conn_eof(const struct conn *conn);
/* An upload is under way: `input` must be called within [limits] upload_stall, else CONN_END_STALL.
 */
void conn_upload(struct conn *conn, bool under_way);
/* The same for an upload that begins only now: nothing of it is read while memory is tight
 * (core/base/budget.h). Uploads that are under way go on, so that their memory is given back. */
void conn_upload_begin(struct conn *conn);
/* Call `input` again in a later turn although nothing came: a step that yielded for fairness. */
void conn_again(struct conn *conn);

/* --- output ----------------------------------------------------------------------------------- */
/* Append here; it is written when the callback ends, in as few records and system calls as it
 * allows. What was borrowed and could not be written is copied then. */
struct outq *conn_out(struct conn *conn);
void conn_send(struct conn *conn, struct slice s);                              /* outq_add */
void conn_printf(struct conn *conn, const char *format, ...) PRINTF_LIKE(2, 3); /* short lines */
bool conn_full(const struct conn *conn); /* [limits] output reached: return STEP_FULL */
/* Call `drained` once when the queue is empty, also if it was never full: for what must not happen
 * before all that was said has been written. */
void conn_want_flushed(struct conn *conn);
/* Octets written to the socket so far and octets the kernel holds unacknowledged (SIOCOUTQ). */
uint64_t conn_sent(const struct conn *conn);
uint64_t conn_received(const struct conn *conn);
uint32_t conn_unacked(const struct conn *conn);

/* --- TLS, deadlines, end ---------------------------------------------------------------------- */
bool conn_can_starttls(const struct conn *conn); /* offered here, and not secure yet */
/* Send what is queued, drop every octet that is already read, shake hands, then `secured`.
 * HARDENING class 1: the one place where this is done. */
void conn_starttls(struct conn *conn);
/* One protocol deadline; 0 cancels. Logging in is held to [limits] login by conn itself until
 * conn_logged_in. */
void conn_set_deadline(struct conn *conn, uint64_t delay_ms);
void conn_logged_in(struct conn *conn);
void conn_finish(struct conn *conn, enum conn_end why); /* close when the output has gone */
void conn_close(struct conn *conn, enum conn_end why);  /* close at the end of this turn */
bool conn_closing(const struct conn *conn);             /* finish or close was called */

#endif
