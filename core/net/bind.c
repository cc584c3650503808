#include "core/net/bind.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "core/base/fault.h"
#include "core/base/slice.h"

enum {
    KEEPALIVE_IDLE_S = 30,
    KEEPALIVE_INTERVAL_S = 10,
    KEEPALIVE_PROBES = 3,
};

static enum err from_errno(struct fault *why)
{
    enum err e = errno == EADDRINUSE                 ? ERR_BUSY
                 : errno == EACCES || errno == EPERM ? ERR_PERM
                                                     : ERR_DOWN;
    return fault(why, e, "%s", strerror(errno));
}

static void set(int fd, int level, int option, int value)
{
    /* A unix socket knows none of these, and none of them is worth a failure. */
    (void)setsockopt(fd, level, option, &value, sizeof value);
}

void bind_adopt(int fd)
{
    (void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    (void)fcntl(fd, F_SETFD, FD_CLOEXEC);
    set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    set(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
    set(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE_S);
    set(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL_S);
    set(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_PROBES);
}

/* --- addresses -------------------------------------------------------------------------------- */

static bool parse_inet(struct slice text, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    char host[INET6_ADDRSTRLEN];
    size_t colon = text.len;
    while (colon && text.ptr[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (!colon || !slice_u64(slice_from(text, colon), 65535, &port))
        return false;
    struct slice name = slice_first(text, colon - 1);
    bool six = name.len >= 2 && name.ptr[0] == '[' && name.ptr[name.len - 1] == ']';
    if (six)
        name = slice_first(slice_from(name, 1), name.len - 2);
    if (name.len >= sizeof host)
        return false;
    memcpy(host, name.ptr, name.len);
    host[name.len] = '\0';
    *ret = (struct sockaddr_storage){.ss_family = six ? AF_INET6 : AF_INET};
    if (six) {
        struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
        *ret_len = sizeof *in6;
        in6->sin6_port = htons((uint16_t)port);
        return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    *ret_len = sizeof *in;
    in->sin_port = htons((uint16_t)port);
    if (slice_eq(name, SLICE("*")))
        return true; /* INADDR_ANY */
    return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

static bool parse_unix(const char *path, struct sockaddr_storage *ret, socklen_t *ret_len)
{
    struct sockaddr_un *un = (struct sockaddr_un *)ret;
    size_t len = strlen(path);
    if (!len || len >= sizeof un->sun_path)
        return false;
    *ret = (struct sockaddr_storage){.ss_family = AF_UNIX};
    memcpy(un->sun_path, path, len + 1);
    *ret_len = sizeof *un;
    return true;
}

/* --- unix sockets ----------------------------------------------------------------------------- */

/* A path left behind by a daemon that ended without unlinking it. */
static enum err remove_stale(const char *path, const struct sockaddr_storage *address,
                             socklen_t len, struct fault *why)
{
    struct stat st;
    if (lstat(path, &st))
        return errno == ENOENT ? ERR_OK : from_errno(why);
    if (!S_ISSOCK(st.st_mode))
        return fault(why, ERR_BUSY, "something that is not a socket is in the way");
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return from_errno(why);
    bool refused = connect(fd, (const struct sockaddr *)address, len) != 0 && errno == ECONNREFUSED;
    close(fd);
    if (!refused)
        return fault(why, ERR_BUSY, "another process answers there");
    return unlink(path) && errno != ENOENT ? from_errno(why) : ERR_OK;
}

static enum err bind_unix(int fd, const char *path, unsigned mode,
                          const struct sockaddr_storage *address, socklen_t len, struct fault *why)
{
    enum err e = remove_stale(path, address, len, why);
    if (e)
        return e;
    /* The mode of the socket's own inode, less the umask, is what bind gives the path: it is never
     * open wider than wanted, and chmod then makes it exact. */
    if (fchmod(fd, mode) || bind(fd, (const struct sockaddr *)address, len) || chmod(path, mode))
        return from_errno(why);
    return ERR_OK;
}

/* ---------------------------------------------------------------------------------------------- */

enum err bind_listen(const char *text, unsigned mode, int *ret_fd, struct fault *why)
{
    struct sockaddr_storage address;
    socklen_t len = 0;
    struct slice all = slice_str(text), prefix = SLICE("unix:");
    const char *path = slice_starts(all, prefix) ? text + prefix.len : NULL;
    if (path ? !parse_unix(path, &address, &len) : !parse_inet(all, &address, &len))
        return fault(why, ERR_SYNTAX, "not an address");
    int fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return from_errno(why);
    enum err e = ERR_OK;
    bind_adopt(fd);
    if (path) {
        e = bind_unix(fd, path, mode, &address, len, why);
    } else {
        set(fd, SOL_SOCKET, SO_REUSEADDR, 1);
        if (address.ss_family == AF_INET6)
            set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        if (bind(fd, (const struct sockaddr *)&address, len))
            e = from_errno(why);
    }
    if (!e && listen(fd, SOMAXCONN))
        e = from_errno(why);
    if (e) {
        close(fd);
        return e;
    }
    *ret_fd = fd;
    return ERR_OK;
}
