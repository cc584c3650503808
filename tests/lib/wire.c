#include "tests/lib/wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <gnutls/gnutls.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"

enum { RECEIVED_MAX = 256 << 20, READ_SIZE = 1 << 16 };

struct wire {
    int fd;
    unsigned timeout_ms;
    gnutls_session_t tls;
    gnutls_certificate_credentials_t credentials;
    struct buf in;
    bool ended; /* by the peer: closed or reset */
    char why[160];
};

struct wire *wire_connect(const char *address, unsigned port, unsigned timeout_ms)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, address, &to.sin_addr) != 1)
        return NULL;
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return NULL;
    if (connect(fd, (struct sockaddr *)&to, sizeof to)) {
        close(fd);
        return NULL;
    }
    struct timeval limit = {timeout_ms / 1000, (timeout_ms % 1000) * 1000};
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    struct wire *w = mem_new(sizeof *w);
    w->fd = fd;
    w->timeout_ms = timeout_ms;
    buf_init(&w->in, RECEIVED_MAX);
    return w;
}

void wire_close(struct wire *w)
{
    if (!w)
        return;
    if (w->tls) {
        gnutls_bye(w->tls, GNUTLS_SHUT_WR);
        gnutls_deinit(w->tls);
        gnutls_certificate_free_credentials(w->credentials);
    }
    close(w->fd);
    buf_finish(&w->in);
    mem_free(w);
}

bool wire_tls(struct wire *w)
{
    gnutls_certificate_allocate_credentials(&w->credentials);
    gnutls_init(&w->tls, GNUTLS_CLIENT | GNUTLS_NO_SIGNAL);
    gnutls_set_default_priority(w->tls);
    gnutls_credentials_set(w->tls, GNUTLS_CRD_CERTIFICATE, w->credentials);
    gnutls_server_name_set(w->tls, GNUTLS_NAME_DNS, "localhost", 9);
    gnutls_transport_set_int(w->tls, w->fd);
    gnutls_handshake_set_timeout(w->tls, w->timeout_ms);
    int e;
    do
        e = gnutls_handshake(w->tls);
    while (e < 0 && !gnutls_error_is_fatal(e));
    if (e < 0)
        snprintf(w->why, sizeof w->why, "TLS handshake: %s", gnutls_strerror(e));
    return e >= 0;
}

static bool send_once(struct wire *w, struct slice s)
{
    while (s.len) {
        ssize_t n = w->tls ? gnutls_record_send(w->tls, s.ptr, s.len)
                           : send(w->fd, s.ptr, s.len, MSG_NOSIGNAL);
        if (n <= 0) {
            snprintf(w->why, sizeof w->why, "cannot send: %s",
                     w->tls ? gnutls_strerror((int)n) : strerror(errno));
            return false;
        }
        s = slice_from(s, (size_t)n);
    }
    return true;
}

bool wire_send(struct wire *w, struct slice s, bool bytewise)
{
    if (!bytewise)
        return send_once(w, s);
    for (size_t i = 0; i < s.len; i++)
        if (!send_once(w, slice(s.ptr + i, 1)))
            return false;
    return true;
}

bool wire_receive(struct wire *w)
{
    if (buf_reserve(&w->in, READ_SIZE)) {
        snprintf(w->why, sizeof w->why, "far too much was received");
        return false;
    }
    ssize_t n;
    char *to = w->in.ptr + w->in.len;
    errno = 0;
    if (w->tls) {
        /* After a session ticket it is "again" too, with nothing wrong and more to come. */
        uint64_t end_ms = clock_mono_ms() + w->timeout_ms;
        do
            n = gnutls_record_recv(w->tls, to, READ_SIZE);
        while (n == GNUTLS_E_INTERRUPTED || (n == GNUTLS_E_AGAIN && clock_mono_ms() < end_ms));
        if (n == GNUTLS_E_AGAIN)
            snprintf(w->why, sizeof w->why, "no answer within %u ms", w->timeout_ms);
        else if (n < 0)
            snprintf(w->why, sizeof w->why, "TLS: %s", gnutls_strerror((int)n));
    } else {
        n = recv(w->fd, to, READ_SIZE, 0);
        if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
            snprintf(w->why, sizeof w->why, "no answer within %u ms", w->timeout_ms);
        else if (n < 0)
            snprintf(w->why, sizeof w->why, "%s", strerror(errno));
    }
    if (n == 0)
        snprintf(w->why, sizeof w->why, "the server closed the connection");
    w->ended = n == 0 || n == GNUTLS_E_PREMATURE_TERMINATION || (n < 0 && errno == ECONNRESET);
    if (n <= 0)
        return false;
    w->in.len += (size_t)n;
    return true;
}

static bool readable(struct wire *w)
{
    struct pollfd p = {.fd = w->fd, .events = POLLIN};
    return (w->tls && gnutls_record_check_pending(w->tls)) || poll(&p, 1, 0) > 0;
}

void wire_receive_ready(struct wire *w)
{
    while (readable(w) && wire_receive(w))
        continue;
}

bool wire_at_end(struct wire *w)
{
    return w->in.len == 0 && !wire_receive(w) && w->ended;
}

struct buf *wire_in(struct wire *w)
{
    return &w->in;
}

const char *wire_why(const struct wire *w)
{
    return w->why;
}
