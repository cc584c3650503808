#include "core/net/wire.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/buf.h"
#include "core/base/fault.h"
#include "core/net/outq.h"
#include "core/net/tls.h"

enum {
    IOV_MAX_WRITE = 64,
    RECORDS_MAX = 64, /* of TLS, read at once */
    BYTES_MAX_WRITE = 1 << 20,
};

static enum wire_state from_errno(struct fault *why)
{
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return WIRE_WAIT;
    (void)fault(why, ERR_DOWN, "%s", strerror(errno));
    return WIRE_RESET;
}

/* --- socket ----------------------------------------------------------------------------------- */

static enum wire_state socket_read(struct wire *wire, char *to, size_t cap, size_t *ret_n,
                                   struct fault *why)
{
    ssize_t n;
    do
        n = recv(wire->fd, to, cap, 0);
    while (n < 0 && errno == EINTR);
    *ret_n = n > 0 ? (size_t)n : 0;
    if (n < 0)
        return from_errno(why);
    return n > 0 ? WIRE_OK : WIRE_CLOSED;
}

static enum wire_state socket_write(struct wire *wire, struct iovec *iov, int n, bool last,
                                    size_t *ret_n, struct fault *why)
{
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = (size_t)n};
    ssize_t sent;
    do
        sent = sendmsg(wire->fd, &message, MSG_NOSIGNAL | (last ? MSG_MORE : 0));
    while (sent < 0 && errno == EINTR);
    *ret_n = sent > 0 ? (size_t)sent : 0;
    return sent < 0 ? from_errno(why) : WIRE_OK;
}

/* --- TLS -------------------------------------------------------------------------------------- */

/* Reads until the session has nothing more or `to` is full, or records with little or no content
 * were too many: octets that are read ahead or inside GnuTLS wake nobody. */
static enum wire_state secure_read(struct wire *wire, char *to, size_t cap, size_t *ret_n,
                                   struct fault *why)
{
    size_t total = 0, n = 0;
    enum wire_state state = WIRE_OK;
    wire->read_wants_write = false;
    for (unsigned records = 0; state == WIRE_OK && total < cap && records < RECORDS_MAX;
         records++) {
        switch (tls_read(wire->tls, to + total, cap - total, &n, why)) {
        case TLS_DONE:
            total += n;
            if (!n)
                state = WIRE_CLOSED;
            break;
        case TLS_WANT_READ:
            state = WIRE_WAIT;
            break;
        case TLS_WANT_WRITE:
            wire->read_wants_write = true;
            state = WIRE_WAIT;
            break;
        case TLS_FAILED:
            state = WIRE_BROKEN;
            break;
        }
    }
    wire->pending = state == WIRE_OK ||
                    (state == WIRE_WAIT && !wire->read_wants_write && tls_pending(wire->tls));
    *ret_n = total;
    return state;
}

static enum wire_state secure_write(struct wire *wire, const struct iovec *iov, int n,
                                    size_t *ret_n, struct fault *why)
{
    *ret_n = 0;
    switch (tls_write(wire->tls, iov, n, ret_n, why)) {
    case TLS_DONE:
        return WIRE_OK;
    case TLS_FAILED:
        return WIRE_BROKEN;
    default:
        return WIRE_WAIT;
    }
}

/* --- the stream ------------------------------------------------------------------------------- */

static enum wire_state lower_read(struct wire *wire, char *to, size_t cap, size_t *ret_n,
                                  struct fault *why)
{
    return wire->tls ? secure_read(wire, to, cap, ret_n, why)
                     : socket_read(wire, to, cap, ret_n, why);
}

static enum wire_state lower_write(struct wire *wire, struct iovec *iov, int n, bool last,
                                   size_t *ret_n, struct fault *why)
{
    return wire->tls ? secure_write(wire, iov, n, ret_n, why)
                     : socket_write(wire, iov, n, last, ret_n, why);
}

enum wire_state wire_read(struct wire *wire, char *to, size_t cap, size_t *ret_n, struct fault *why)
{
    enum wire_state state = lower_read(wire, to, cap, ret_n, why);
    wire->received += *ret_n;
    return state;
}

enum wire_state wire_write(struct wire *wire, struct outq *out, bool last, struct fault *why)
{
    while (out->len) {
        struct iovec iov[IOV_MAX_WRITE];
        int n = outq_iov(out, iov, IOV_MAX_WRITE, BYTES_MAX_WRITE);
        size_t sent;
        enum wire_state state = lower_write(wire, iov, n, last, &sent, why);
        outq_sent(out, sent);
        wire->sent += sent;
        if (state != WIRE_OK)
            return state;
    }
    return WIRE_OK;
}

uint64_t wire_taken(const struct wire *wire)
{
    return wire->tls ? tls_sent(wire->tls) : wire->sent;
}

enum wire_state wire_peek(const struct wire *wire)
{
    char c;
    ssize_t n = recv(wire->fd, &c, 1, MSG_PEEK | MSG_DONTWAIT);
    if (n < 0)
        return errno == EINTR ? WIRE_WAIT : from_errno(NULL);
    return n > 0 ? WIRE_OK : WIRE_CLOSED;
}

enum wire_state wire_read_proxy(struct wire *wire, struct buf *head, struct proxy_header *ret)
{
    for (;;) {
        /* Look first, then take only what belongs to the header: the octets behind it are TLS's or
         * the protocol's. */
        size_t before = head->len, taken;
        if (buf_reserve(head, head->max - before))
            return WIRE_BROKEN;
        ssize_t n;
        do
            n = recv(wire->fd, head->ptr + before, head->max - before, MSG_PEEK);
        while (n < 0 && errno == EINTR);
        if (n <= 0)
            return n ? from_errno(NULL) : WIRE_CLOSED;
        enum proxy_state parsed = proxy_parse(slice(head->ptr, before + (size_t)n), ret);
        if (parsed == PROXY_BAD || (parsed == PROXY_MORE && before + (size_t)n == head->max))
            return WIRE_BROKEN;
        size_t want = parsed == PROXY_DONE ? ret->len - before : (size_t)n;
        enum wire_state state = socket_read(wire, head->ptr + before, want, &taken, NULL);
        head->len += taken;
        if (state != WIRE_OK || (parsed == PROXY_DONE && taken == want))
            return state;
    }
}

void wire_quickack(const struct wire *wire)
{
    int on = 1;
    (void)setsockopt(wire->fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof on);
}
