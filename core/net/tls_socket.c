#include "core/net/tls_socket.h"

#include <assert.h>
#include <errno.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "core/base/budget.h"
#include "core/base/mem.h"

/* A batch, and a message of GnuTLS's own that waited for it. */
enum { SEALED_ROOM = (TLS_BATCH_RECORDS + 1) * TLS_SEALED_MAX };

static _Thread_local char ahead_room[TLS_AHEAD_MAX];
static _Thread_local char sealed_room[SEALED_ROOM];

static void drop(struct tls_octets *o)
{
    if (o->kept)
        budget_give(BUDGET_TLS, o->kept_len);
    mem_free(o->kept);
    *o = (struct tls_octets){0};
}

static void keep(struct tls_octets *o)
{
    if (!o->left.len) {
        drop(o);
    } else if (!o->kept) {
        o->kept = mem_dup(o->left.ptr, o->left.len);
        o->kept_len = o->left.len;
        o->left.ptr = o->kept;
        budget_take(BUDGET_TLS, o->kept_len);
    }
}

/* --- what GnuTLS calls ------------------------------------------------------------------------ */

static ssize_t again(const struct tls_socket *s)
{
    gnutls_transport_set_errno(s->session, EAGAIN);
    return -1;
}

static ssize_t pull(gnutls_transport_ptr_t from, void *to, size_t n)
{
    struct tls_socket *s = from;
    if (!s->ahead.left.len) {
        bool drained = s->drained;
        s->drained = false;
        if (drained)
            return again(s);
        drop(&s->ahead);
        ssize_t came = recv(s->fd, ahead_room, sizeof ahead_room, 0);
        if (came < 0)
            gnutls_transport_set_errno(s->session, errno);
        if (came <= 0)
            return came;
        s->drained = (size_t)came < sizeof ahead_room;
        s->ahead.left = slice(ahead_room, (size_t)came);
    }
    struct slice front = slice_first(s->ahead.left, n);
    memcpy(to, front.ptr, front.len);
    s->ahead.left = slice_from(s->ahead.left, front.len);
    s->given += front.len;
    return (ssize_t)front.len;
}

static ssize_t push(gnutls_transport_ptr_t to, const giovec_t *iov, int n)
{
    struct tls_socket *s = to;
    if (s->holding) {
        size_t before = s->sealed.left.len;
        for (int i = 0; i < n; i++) {
            assert(s->sealed.left.len + iov[i].iov_len <= sizeof sealed_room);
            memcpy(sealed_room + s->sealed.left.len, iov[i].iov_base, iov[i].iov_len);
            s->sealed.left.len += iov[i].iov_len;
        }
        return (ssize_t)(s->sealed.left.len - before);
    }
    if (s->sealed.left.len) /* records go in the order in which they were sealed */
        return again(s);
    struct msghdr message = {.msg_iov = (struct iovec *)(uintptr_t)iov, .msg_iovlen = (size_t)n};
    ssize_t sent = sendmsg(s->fd, &message, MSG_NOSIGNAL);
    if (sent < 0)
        gnutls_transport_set_errno(s->session, errno);
    else
        s->sent += (uint64_t)sent;
    return sent;
}

/* --- what tls.c calls ------------------------------------------------------------------------- */

void tls_socket_init(struct tls_socket *s, gnutls_session_t session, int fd)
{
    *s = (struct tls_socket){.session = session, .fd = fd};
    gnutls_transport_set_ptr(session, s);
    gnutls_transport_set_pull_function(session, pull);
    gnutls_transport_set_vec_push_function(session, push);
}

void tls_socket_finish(struct tls_socket *s)
{
    drop(&s->ahead);
    drop(&s->sealed);
}

void tls_socket_keep_ahead(struct tls_socket *s)
{
    keep(&s->ahead);
}

void tls_socket_hold(struct tls_socket *s)
{
    assert(!s->sealed.left.len);
    s->sealed.left = slice(sealed_room, 0);
    s->holding = true;
}

bool tls_socket_flush(struct tls_socket *s)
{
    s->holding = false;
    while (s->sealed.left.len) {
        ssize_t n = send(s->fd, s->sealed.left.ptr, s->sealed.left.len, MSG_NOSIGNAL);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            int why = errno;
            keep(&s->sealed);
            errno = why;
            return false;
        }
        s->sent += (uint64_t)n;
        s->sealed.left = slice_from(s->sealed.left, (size_t)n);
    }
    drop(&s->sealed);
    return true;
}
