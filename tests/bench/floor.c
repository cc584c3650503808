/* What the machine charges: a server that keeps no mail and knows no accounts, and answers each
 * command of the scenarios with as many octets as a mail server must. What it costs is accepting,
 * receiving and sending; a change costs one write of its octets and a flush that all share who wait
 * for one. Nothing that serves mail over these sockets and this disk can be cheaper.
 *
 *      floor FILE IMAP POP3 LMTP       what changes are written to, ports on 127.0.0.1 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include "core/base/buf.h"
#include "core/base/mem.h"

enum {
    BODY = 38000, /* as in scenarios.py */
    PARTIAL = 2048,
    FLAG = 64, /* octets of a change of a flag */
    INPUT_MAX = 1 << 20,
    ANSWERS = 64, /* of one turn of a connection */
    EVENTS = 64,
    FILE_MAX = 64 << 20
};

enum protocol { IMAP, POP3, LMTP, PROTOCOLS };

struct peer {
    int fd;
    enum protocol protocol;
    bool listens, in_data, closing, waits; /* waits: for the flush */
    size_t recipients;
    struct buf in;
    struct iovec answer[ANSWERS];
    int nanswers;
};

static struct {
    int epoll, file;
    off_t at;
    struct slice body, retr, partial, uidl;
    struct peer *waiting[EVENTS];
    unsigned nwaiting;
} floor_;

static void die(const char *what)
{
    perror(what);
    exit(1);
}

/* --- answers -----------------------------------------------------------------------------------
 */

/* `octets` of lines between a beginning and an end. */
static struct slice text(const char *begin, size_t octets, const char *end)
{
    static const char line[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789\r\n";
    struct buf b;
    buf_init(&b, INPUT_MAX);
    if (buf_append(&b, slice_str(begin)))
        abort();
    for (size_t left = octets; left;) {
        struct slice piece = slice_first(slice_str(line), left);
        if (buf_append(&b, piece))
            abort();
        left -= piece.len;
    }
    if (buf_append(&b, slice_str(end)))
        abort();
    return buf_slice(&b);
}

static void make_texts(void)
{
    char begin[64];
    snprintf(begin, sizeof begin, "* 1 FETCH (BODY[] {%d}\r\n", BODY);
    floor_.body = text(begin, BODY, ")\r\nb OK\r\n");
    snprintf(begin, sizeof begin, "* 1 FETCH (BODY[]<4096> {%d}\r\n", PARTIAL);
    floor_.partial = text(begin, PARTIAL, ")\r\nb OK\r\n");
    floor_.retr = text("+OK\r\n", BODY, "\r\n.\r\n");
    floor_.uidl = text("+OK\r\n", 100 * 22, "\r\n.\r\n");
}

static void say(struct peer *p, struct slice s)
{
    if (p->nanswers == ANSWERS)
        abort();
    p->answer[p->nanswers++] = (struct iovec){(void *)(uintptr_t)s.ptr, s.len};
}

static void write_down(struct peer *p, struct slice octets)
{
    if (pwrite(floor_.file, octets.ptr, octets.len, floor_.at) != (ssize_t)octets.len)
        die("write");
    floor_.at = (floor_.at + (off_t)octets.len) % FILE_MAX;
    p->waits = true;
}

/* --- conversations: each takes what it can from the front, and says how much --------------------
 */

static size_t imap(struct peer *p, struct slice line, struct slice rest)
{
    const char *brace = memrchr(line.ptr, '{', line.len);
    if (slice_starts(line, SLICE("b APPEND")) && brace) {
        size_t octets = strtoul(brace + 1, NULL, 10) + 2; /* and CRLF */
        if (rest.len < octets)
            return 0;
        write_down(p, slice_first(rest, octets));
        say(p, SLICE("b OK [APPENDUID 1 1]\r\n"));
        return line.len + octets;
    }
    if (slice_starts(line, SLICE("b SELECT"))) {
        say(p, SLICE("* FLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft)\r\n"
                     "* OK [PERMANENTFLAGS (\\Answered \\Flagged \\Deleted \\Seen \\Draft \\*)]\r\n"
                     "* 10000 EXISTS\r\n* 0 RECENT\r\n* OK [UNSEEN 1]\r\n"
                     "* OK [UIDVALIDITY 1763800000]\r\n* OK [UIDNEXT 10001]\r\n"
                     "b OK [READ-WRITE] SELECT completed\r\n"));
    } else if (slice_starts(line, SLICE("b FETCH"))) {
        say(p, memmem(line.ptr, line.len, "2048", 4) ? floor_.partial : floor_.body);
    } else if (slice_starts(line, SLICE("b STORE"))) {
        char flag[FLAG] = {0};
        write_down(p, slice(flag, sizeof flag));
        say(p, SLICE("b OK STORE completed\r\n"));
    } else if (slice_starts(line, SLICE("z LOGOUT"))) {
        say(p, SLICE("* BYE\r\nz OK\r\n"));
        p->closing = true;
    } else {
        say(p, line.ptr[0] == 'a' ? SLICE("a OK\r\n") : SLICE("b OK\r\n"));
    }
    return line.len;
}

static size_t pop3(struct peer *p, struct slice line, struct slice rest)
{
    (void)rest;
    if (slice_starts(line, SLICE("RETR"))) {
        say(p, floor_.retr);
    } else if (slice_starts(line, SLICE("UIDL"))) {
        say(p, floor_.uidl);
    } else {
        p->closing = slice_starts(line, SLICE("QUIT"));
        say(p, SLICE("+OK\r\n"));
    }
    return line.len;
}

static size_t lmtp(struct peer *p, struct slice line, struct slice rest)
{
    if (p->in_data) {
        struct slice all = slice(line.ptr, line.len + rest.len);
        const char *end = memmem(all.ptr, all.len, "\r\n.\r\n", 5);
        if (!end)
            return 0;
        p->in_data = false;
        write_down(p, slice(all.ptr, (size_t)(end - all.ptr)));
        for (; p->recipients; p->recipients--)
            say(p, SLICE("250 2.0.0 Stored\r\n"));
        return (size_t)(end - all.ptr) + 5;
    }
    p->in_data = slice_starts(line, SLICE("DATA"));
    p->recipients += slice_starts(line, SLICE("RCPT"));
    say(p, p->in_data ? SLICE("354 Go on\r\n") : SLICE("250 2.1.0 OK\r\n"));
    return line.len;
}

static const struct {
    size_t (*take)(struct peer *p, struct slice line, struct slice rest);
    struct slice greeting;
} protocols[PROTOCOLS] = {
    [IMAP] = {imap, {"* OK\r\n", 6}      },
    [POP3] = {pop3, {"+OK\r\n", 5}       },
    [LMTP] = {lmtp, {"220 floor\r\n", 11}},
};

/* --- connections -------------------------------------------------------------------------------
 */

static void watch(struct peer *p)
{
    struct epoll_event e = {.events = EPOLLIN, .data.ptr = p};
    if (epoll_ctl(floor_.epoll, EPOLL_CTL_ADD, p->fd, &e))
        die("epoll_ctl");
}

static void end(struct peer *p)
{
    close(p->fd);
    buf_finish(&p->in);
    mem_free(p);
}

/* The socket blocks a writer: a client of the bench always reads. */
static void answer(struct peer *p)
{
    struct msghdr m = {.msg_iov = p->answer, .msg_iovlen = (size_t)p->nanswers};
    bool failed = m.msg_iovlen && sendmsg(p->fd, &m, MSG_NOSIGNAL) < 0;
    p->nanswers = 0;
    p->waits = false;
    if (failed || p->closing)
        end(p);
}

static void welcome(struct peer *listener)
{
    int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC), on = 1;
    if (fd < 0)
        return;
    struct peer *p = mem_new(sizeof *p);
    *p = (struct peer){.fd = fd, .protocol = listener->protocol};
    buf_init(&p->in, INPUT_MAX);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    watch(p);
    say(p, protocols[p->protocol].greeting);
    answer(p);
}

static void converse(struct peer *p)
{
    enum { READ = 64 << 10 };
    ssize_t n = buf_reserve(&p->in, READ) ? 0 : recv(p->fd, p->in.ptr + p->in.len, READ, 0);
    if (n <= 0) {
        end(p);
        return;
    }
    p->in.len += (size_t)n;
    struct slice left = buf_slice(&p->in);
    while (left.len) {
        const char *newline = memchr(left.ptr, '\n', left.len);
        if (!newline)
            break;
        struct slice line = slice_first(left, (size_t)(newline - left.ptr) + 1);
        size_t took = protocols[p->protocol].take(p, line, slice_from(left, line.len));
        if (!took)
            break;
        left = slice_from(left, took);
    }
    buf_consume(&p->in, p->in.len - left.len);
    if (p->waits)
        floor_.waiting[floor_.nwaiting++] = p;
    else if (p->nanswers)
        answer(p);
}

static void flush(void)
{
    if (!floor_.nwaiting)
        return;
    if (fdatasync(floor_.file))
        die("fdatasync");
    while (floor_.nwaiting)
        answer(floor_.waiting[--floor_.nwaiting]);
}

static void listen_at(enum protocol protocol, const char *port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)atoi(port)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int on = 1;
    struct peer *p = mem_new(sizeof *p);
    *p = (struct peer){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                       .protocol = protocol,
                       .listens = true};
    setsockopt(p->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (bind(p->fd, (struct sockaddr *)&at, sizeof at) || listen(p->fd, 1024))
        die("listen");
    watch(p);
}

int main(int argc, char **argv)
{
    if (argc != 2 + PROTOCOLS) {
        fprintf(stderr, "usage: floor FILE IMAP POP3 LMTP\n");
        return 2;
    }
    make_texts();
    floor_.epoll = epoll_create1(EPOLL_CLOEXEC);
    floor_.file = open(argv[1], O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (floor_.file < 0 || posix_fallocate(floor_.file, 0, FILE_MAX + INPUT_MAX))
        die(argv[1]);
    for (int i = 0; i < PROTOCOLS; i++)
        listen_at((enum protocol)i, argv[2 + i]);
    for (;;) {
        struct epoll_event events[EVENTS];
        int n = epoll_wait(floor_.epoll, events, EVENTS, -1);
        for (int i = 0; i < n; i++) {
            struct peer *p = events[i].data.ptr;
            if (p->listens)
                welcome(p);
            else
                converse(p);
        }
        flush();
    }
}
