/* One connection of the load generator: its steps, its octets out, its answers in. */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"

enum { OUT_MAX = 256 << 20, READ_ROOM = 1 << 16, NUMBER_DIGITS = 8 };

static uint64_t stamp_ns; /* the newest of any group */
static unsigned numbers;

static gnutls_certificate_credentials_t credentials(void)
{
    static gnutls_certificate_credentials_t made;
    if (!made)
        gnutls_certificate_allocate_credentials(&made);
    return made;
}

/* --- steps ------------------------------------------------------------------------------------ */

/* Servers have limits for what comes from one address. */
static void bind_apart(struct load_conn *c)
{
    struct sockaddr_in from = {.sin_family = AF_INET,
                               .sin_addr.s_addr = htonl(0x7f400001u + c->index)};
    setsockopt(c->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &(int){1}, sizeof(int));
    if (bind(c->fd, (struct sockaddr *)&from, sizeof from))
        load_die(c, "bind: %s", strerror(errno));
}

static void connect_now(struct load_conn *c)
{
    const struct load_group *g = c->group;
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)g->port)};
    inet_pton(AF_INET, g->address, &to.sin_addr);
    c->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (c->fd < 0)
        load_die(c, "socket: %s", strerror(errno));
    setsockopt(c->fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
    if (g->spread)
        bind_apart(c);
    if (connect(c->fd, (struct sockaddr *)&to, sizeof to) && errno != EINPROGRESS)
        load_die(c, "connect: %s", strerror(errno));
    c->connecting = true;
    if (g->tls) {
        gnutls_init(&c->tls, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL);
        gnutls_set_default_priority(c->tls);
        gnutls_credentials_set(c->tls, GNUTLS_CRD_CERTIFICATE, credentials());
        gnutls_server_name_set(c->tls, GNUTLS_NAME_DNS, "localhost", 9);
        gnutls_transport_set_int(c->tls, c->fd);
        c->shaking = true;
    }
    c->n_head = c->n_tail = 0;
    c->literal_left = 0;
    load_watch(c, true);
}

void load_drop(struct load_conn *c)
{
    if (c->fd < 0)
        return;
    load_unwatch(c);
    if (c->tls) {
        gnutls_deinit(c->tls);
        c->tls = NULL;
    }
    close(c->fd);
    c->fd = -1;
    c->connecting = c->shaking = false;
    buf_finish(&c->out);
    c->sent = 0;
}

static void must(struct load_conn *c, enum err e)
{
    if (e)
        load_die(c, "cannot compose what to send");
}

static void compose(struct load_conn *c, const struct load_step *s)
{
    struct load_group *g = c->group;
    if (c->out.max == 0)
        buf_init(&c->out, OUT_MAX);
    for (unsigned i = 0; i < s->n_parts; i++) {
        const struct load_part *p = &s->parts[i];
        switch (p->kind) {
        case PART_TEXT:
            must(c, buf_append(&c->out, p->text));
            break;
        case PART_USER: /* the plan's own format: one %u */
            must(c, buf_append(&c->out, slice(g->users, strcspn(g->users, "%"))));
            must(c, buf_printf(&c->out, "%u", g->first + c->index % g->count));
            break;
        case PART_LOOP:
            must(c, buf_printf(&c->out, "%u", c->turn));
            break;
        case PART_CONNECTION:
            must(c, buf_printf(&c->out, "%u", c->index));
            break;
        case PART_NUMBER:
            must(c, buf_printf(&c->out, "%08u", ++numbers));
            break;
        case PART_RANDOM:
            must(c,
                 buf_printf(&c->out, "%u", p->low + (unsigned)random() % (p->high - p->low + 1)));
            break;
        case PART_SIZE:
            must(c, buf_printf(&c->out, "%zu", c->taken->octets.len));
            break;
        case PART_OCTETS:
            must(c, buf_append(&c->out, c->taken->octets));
            if (c->taken->number_at < c->taken->octets.len) {
                char digits[NUMBER_DIGITS + 4];
                snprintf(digits, sizeof digits, "%08u", ++numbers % 100000000);
                memcpy(c->out.ptr + c->out.len - c->taken->octets.len + c->taken->number_at, digits,
                       NUMBER_DIGITS);
            }
            break;
        }
    }
}

/* False: the socket takes no more now. */
static bool push(struct load_conn *c)
{
    while (c->sent < c->out.len) {
        struct slice left = slice_from(buf_slice(&c->out), c->sent);
        ssize_t n = c->tls ? gnutls_record_send(c->tls, left.ptr, left.len)
                           : send(c->fd, left.ptr, left.len, MSG_NOSIGNAL);
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ||
            (n < 0 && !c->tls && errno == EAGAIN)) {
            load_watch(c, true);
            return false;
        }
        if (n <= 0)
            load_die(c, "cannot send: %s", c->tls ? gnutls_strerror((int)n) : strerror(errno));
        c->sent += (size_t)n;
    }
    c->sent = c->out.len = 0;
    load_watch(c, false);
    return true;
}

bool load_walk(struct load_conn *c)
{
    while (c->at < c->n_steps) {
        struct load_step *s = &c->steps[c->at];
        switch (s->verb) {
        case STEP_CONNECT:
            load_drop(c);
            c->at++;
            connect_now(c);
            return false;
        case STEP_CLOSE:
            load_drop(c);
            break;
        case STEP_SEND:
            compose(c, s);
            c->at++;
            if (!push(c))
                return false;
            continue;
        case STEP_EXPECT:
        case STEP_AWAIT:
        case STEP_LINES:
            return false; /* load_ready() goes on when the answer is there */
        case STEP_LOOP:
            c->turn = 1;
            break;
        case STEP_NEXT:
            if (c->turn++ < c->steps[s->count - 1].count) {
                c->at = s->count;
                continue;
            }
            break;
        case STEP_TAKE:
            c->taken = &s->files[s->next_file++ % s->n_files];
            break;
        case STEP_PAUSE:
            c->wake_ns =
                clock_mono_ns() +
                (s->count + (unsigned)random() % (s->most - s->count + 1)) * UINT64_C(1000000);
            c->at++;
            return false;
        case STEP_STAMP:
            c->stamp_ns = stamp_ns = clock_mono_ns();
            break;
        case STEP_SINCE:
            load_sample(c->group, clock_mono_ns() - (c->stamp_ns ? c->stamp_ns : stamp_ns));
            break;
        }
        c->at++;
    }
    return true;
}

/* --- answers ---------------------------------------------------------------------------------- */

static bool goes_on(const struct load_conn *c)
{
    return c->n_head >= 4 && c->head[3] == '-';
}

/* A line is whole. True when it is what the present step waits for. */
static bool line_done(struct load_conn *c)
{
    const struct load_step *s = &c->steps[c->at];
    struct slice line = slice(c->head, c->n_head);
    if (c->at >= c->n_steps || c->wake_ns)
        return false; /* nothing is awaited now */
    switch (s->verb) {
    case STEP_AWAIT:
        return memmem(line.ptr, line.len, s->text.ptr, s->text.len) != NULL;
    case STEP_LINES:
        return line.len >= 1 && line.len <= 3 && line.ptr[0] == '.' && c->n_tail <= 3;
    case STEP_EXPECT:
        if (slice_starts(line, s->text))
            return !(c->group->protocol == LOAD_LMTP && goes_on(c));
        /* Another tagged answer, or any other at all where there is one line only. */
        if (c->group->protocol != LOAD_IMAP ||
            slice_starts(line, slice_first(s->text, slice_find(s->text, ' ') + 1)))
            if (!slice_starts(line, SLICE("* ")))
                load_die(c, "wanted '" SLICE_FMT "', got '" SLICE_FMT "'", SLICE_ARG(s->text),
                         SLICE_ARG(line));
        return false;
    default:
        return false;
    }
}

static void remember(struct load_conn *c, const char *ptr, size_t n)
{
    size_t head = n < LINE_HEAD - c->n_head ? n : LINE_HEAD - c->n_head;
    memcpy(c->head + c->n_head, ptr, head);
    c->n_head += (unsigned)head;
    if (n >= LINE_TAIL) {
        memcpy(c->tail, ptr + n - LINE_TAIL, LINE_TAIL);
        c->n_tail = LINE_TAIL;
        return;
    }
    size_t keep = c->n_tail + n > LINE_TAIL ? LINE_TAIL - n : c->n_tail;
    memmove(c->tail, c->tail + c->n_tail - keep, keep);
    memcpy(c->tail + keep, ptr, n);
    c->n_tail = (unsigned)(keep + n);
}

/* The {123} at the end of a line of IMAP, or 0. */
static uint64_t literal_announced(const struct load_conn *c)
{
    unsigned n = c->n_tail;
    if (c->group->protocol != LOAD_IMAP || n < 5 || memcmp(c->tail + n - 3, "}\r\n", 3) != 0)
        return 0;
    unsigned from = n - 3;
    while (from > 0 && c->tail[from - 1] >= '0' && c->tail[from - 1] <= '9')
        from--;
    if (from == 0 || c->tail[from - 1] != '{')
        return 0;
    return strtoull(c->tail + from, NULL, 10);
}

/* Octets of an answer. True when the connection came to the end of its steps. */
static bool take_in(struct load_conn *c, const char *ptr, size_t n)
{
    bool ended = false;
    c->group->received += n;
    while (n) {
        if (c->literal_left) {
            size_t skip = n < c->literal_left ? n : (size_t)c->literal_left;
            c->literal_left -= skip;
            ptr += skip;
            n -= skip;
            continue;
        }
        const char *end = memchr(ptr, '\n', n);
        size_t piece = end ? (size_t)(end - ptr) + 1 : n;
        remember(c, ptr, piece);
        ptr += piece;
        n -= piece;
        if (!end)
            break;
        c->literal_left = literal_announced(c);
        if (c->literal_left) {
            c->n_tail = 0; /* the line goes on behind it; its start says what it is */
            continue;
        }
        bool found = line_done(c);
        c->n_head = c->n_tail = 0;
        if (found) {
            c->at++;
            ended = load_walk(c);
        }
    }
    return ended;
}

static bool shake(struct load_conn *c)
{
    int e = gnutls_handshake(c->tls);
    if (e == GNUTLS_E_AGAIN || e == GNUTLS_E_INTERRUPTED) {
        load_watch(c, gnutls_record_get_direction(c->tls) == 1);
        return false;
    }
    if (e < 0 && gnutls_error_is_fatal(e))
        load_die(c, "TLS handshake: %s", gnutls_strerror(e));
    if (e < 0)
        return false;
    c->shaking = false;
    load_watch(c, false);
    return true;
}

bool load_ready(struct load_conn *c)
{
    if (c->connecting) {
        int e = 0;
        socklen_t n = sizeof e;
        getsockopt(c->fd, SOL_SOCKET, SO_ERROR, &e, &n);
        if (e)
            load_die(c, "connect: %s", strerror(e));
        c->connecting = false;
        load_watch(c, false);
        if (!c->tls)
            return load_walk(c);
    }
    if (c->shaking) {
        if (!shake(c))
            return false;
        if (load_walk(c))
            return true;
    }
    if (c->sent < c->out.len && push(c) && load_walk(c))
        return true;
    static char room[READ_ROOM];
    for (int fd = c->fd; c->fd == fd && fd >= 0;) {
        ssize_t n = c->tls ? gnutls_record_recv(c->tls, room, sizeof room)
                           : recv(c->fd, room, sizeof room, 0);
        if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED ||
            (n < 0 && !c->tls && errno == EAGAIN))
            return false;
        if (n <= 0)
            load_die(c, "the server hung up: %s",
                     n == 0   ? "end"
                     : c->tls ? gnutls_strerror((int)n)
                              : strerror(errno));
        if (take_in(c, room, (size_t)n))
            return true;
        if (!c->tls || gnutls_record_check_pending(c->tls) == 0)
            return false; /* epoll tells of the rest: others have their turn */
    }
    return false;
}
