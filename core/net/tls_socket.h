/* The socket below GnuTLS. GnuTLS asks for the five octets that a record begins with, then for the
 * record, then once more, and sends each record that it has sealed by itself: six system calls for
 * a command and its answer of 38 KB. Here what has come is read ahead, and the records of one
 * answer are sent together, so there are two.
 *
 * Between calls octets are kept on the heap, counted by the memory budget: at most TLS_AHEAD_MAX
 * that have come, and one batch that the client does not take. Private to tls.c; its loop. */
#ifndef TANDEM_NET_TLS_SOCKET_H
#define TANDEM_NET_TLS_SOCKET_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

enum {
    TLS_RECORD_MAX = 16384,
    TLS_SEALED_MAX = TLS_RECORD_MAX + 256 + 5, /* RFC 8446 section 5.2 */
    TLS_BATCH_RECORDS = 4,
    TLS_AHEAD_MAX = TLS_SEALED_MAX + 1024,
};

/* In a buffer of the thread while a call lasts, then in `kept`. */
struct tls_octets {
    struct slice left;
    char *kept;
    size_t kept_len;
};

struct tls_socket {
    gnutls_session_t session;
    int fd;
    bool drained; /* the last read took all there was: the next one need not be tried */
    bool holding; /* records are collected for tls_socket_flush */
    struct tls_octets ahead, sealed;
    uint64_t given; /* octets that GnuTLS has taken */
    uint64_t sent;  /* octets that the socket has taken */
};

/* Makes it the session's transport. */
void tls_socket_init(struct tls_socket *s, gnutls_session_t session, int fd);
void tls_socket_finish(struct tls_socket *s);
/* To be called when GnuTLS has read: another session of this thread may come next. */
void tls_socket_keep_ahead(struct tls_socket *s);
/* From here on at most TLS_BATCH_RECORDS records are sealed, then flushed. */
void tls_socket_hold(struct tls_socket *s);
/* Send what is sealed. False: errno says why; what is left is kept, and sent before anything else.
 */
bool tls_socket_flush(struct tls_socket *s);

#endif
