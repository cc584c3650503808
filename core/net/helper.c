#include "core/net/helper.h"

#include <errno.h>
#include <ev.h>
#include <pthread.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/net/helper_wire.h"

enum {
    BUCKETS = 64,
    GRACE_MS = 1000, /* the helper's own deadline is first */
    LOOK_MS = 500,
    END_MS = 2000, /* how long it may take to go */
};

/* A request under way. */
struct pending {
    struct pending *next;
    struct post post;
    uint64_t request_id, due_ms;
    struct loop *loop;
    uint64_t id; /* of the asking object, on its loop */
    helper_done *done;
    enum helper_outcome outcome;
    size_t len;
    char *data; /* may be a secret's neighbour: wiped */
};

struct helper {
    int fd;
    pid_t pid;
    struct loop *loop; /* answers arrive here */
    ev_io io;
    struct timer look;    /* for a helper that stands still */
    pthread_mutex_t lock; /* of what follows */
    struct pending *buckets[BUCKETS];
    uint64_t next_id;
    bool lost;
};

/* --- answers ---------------------------------------------------------------------------------- */

static void deliver(struct loop *loop, struct post *post)
{
    struct pending *p = (struct pending *)(void *)((char *)post - offsetof(struct pending, post));
    void *object = loop_id_find(loop, p->id);
    if (object)
        p->done(object, p->outcome, slice(p->data, p->len));
    mem_wipe(p->data, p->len);
    mem_free(p->data);
    mem_free(p);
}

static void finish(struct pending *p, enum helper_outcome outcome, struct slice data)
{
    p->outcome = outcome;
    p->len = data.len;
    p->data = data.len ? mem_dup(data.ptr, data.len) : NULL;
    p->post.run = deliver;
    loop_post(p->loop, &p->post);
}

static struct pending *take_pending(struct helper *helper, uint64_t request_id)
{
    pthread_mutex_lock(&helper->lock);
    struct pending **at = &helper->buckets[request_id % BUCKETS];
    while (*at && (*at)->request_id != request_id)
        at = &(*at)->next;
    struct pending *p = *at;
    if (p)
        *at = p->next;
    pthread_mutex_unlock(&helper->lock);
    return p;
}

/* All that are due by `now`, as a list. */
static struct pending *take_due(struct helper *helper, uint64_t now)
{
    struct pending *list = NULL;
    pthread_mutex_lock(&helper->lock);
    for (unsigned b = 0; b < BUCKETS; b++)
        for (struct pending **at = &helper->buckets[b]; *at;) {
            struct pending *p = *at;
            if (p->due_ms > now) {
                at = &p->next;
                continue;
            }
            *at = p->next;
            p->next = list;
            list = p;
        }
    pthread_mutex_unlock(&helper->lock);
    return list;
}

static void fail_due(struct helper *helper, uint64_t now)
{
    struct pending *list = take_due(helper, now);
    while (list) {
        struct pending *p = list;
        list = p->next;
        finish(p, HELPER_UNAVAILABLE, SLICE_NONE);
    }
}

static void lose(struct helper *helper, const char *why)
{
    ev_io_stop(loop_ev(helper->loop), &helper->io);
    timer_cancel(&helper->look);
    pthread_mutex_lock(&helper->lock);
    helper->lost = true;
    pthread_mutex_unlock(&helper->lock);
    log_note(LOG_ERROR, "helper-lost", "%s; what it serves is unavailable until a restart", why);
    fail_due(helper, UINT64_MAX);
}

static void on_answer(struct ev_loop *ev, ev_io *io, int events)
{
    struct helper *helper = io->data;
    struct loop *loop = helper->loop;
    static _Thread_local char packet[sizeof(struct helper_answer) + HELPER_DATA_MAX];
    (void)ev;
    (void)events;
    for (;;) {
        struct helper_answer head;
        ssize_t n = recv(helper->fd, packet, sizeof packet, MSG_DONTWAIT);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            break;
        if (n < (ssize_t)sizeof head) {
            lose(helper, n < 0 ? strerror(errno) : "it has ended");
            break;
        }
        memcpy(&head, packet, sizeof head);
        struct pending *p = take_pending(helper, head.id);
        if (p)
            finish(p, (enum helper_outcome)head.outcome,
                   slice(packet + sizeof head, (size_t)n - sizeof head));
        mem_wipe(packet, (size_t)n);
    }
    loop_callback_ends(loop);
}

static void on_look(struct loop *loop, struct timer *timer)
{
    struct helper *helper =
        (struct helper *)(void *)((char *)timer - offsetof(struct helper, look));
    timer_arm(loop, timer, LOOK_MS);
    fail_due(helper, loop_now_ms(loop));
}

/* --- asking ----------------------------------------------------------------------------------- */

static bool send_request(const struct helper *helper, const struct helper_request *head,
                         struct slice arguments)
{
    struct iovec iov[2] = {
        {(void *)(uintptr_t)head,          sizeof *head },
        {(void *)(uintptr_t)arguments.ptr, arguments.len}
    };
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = arguments.len ? 2 : 1};
    ssize_t n;
    do
        n = sendmsg(helper->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    while (n < 0 && errno == EINTR);
    return n >= 0;
}

void helper_ask(struct helper *helper, uint8_t kind, struct slice arguments, uint32_t deadline_ms,
                struct loop *loop, uint64_t id, helper_done *done)
{
    struct pending *p = mem_new(sizeof *p);
    p->loop = loop;
    p->id = id;
    p->done = done;
    p->due_ms = loop_now_ms(loop) + deadline_ms + GRACE_MS;
    struct helper_request head = {.deadline_ms = deadline_ms, .kind = kind};
    bool fits = sizeof head + arguments.len <= HELPER_PACKET_MAX;

    pthread_mutex_lock(&helper->lock);
    bool taken = fits && !helper->lost;
    if (taken) {
        head.id = p->request_id = ++helper->next_id;
        p->next = helper->buckets[head.id % BUCKETS];
        helper->buckets[head.id % BUCKETS] = p;
    }
    pthread_mutex_unlock(&helper->lock);

    /* A full socket means 64 children at work and hundreds of requests behind them. */
    if (taken && !send_request(helper, &head, arguments))
        taken = !(p = take_pending(helper, head.id));
    if (!taken)
        finish(p, HELPER_UNAVAILABLE, SLICE_NONE);
}

/* --- life ------------------------------------------------------------------------------------- */

enum err helper_start(helper_serve *serve, struct helper **ret)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair))
        return ERR_DOWN;
    pid_t pid = fork();
    if (pid == 0)
        helper_process(pair[1], serve);
    close(pair[1]);
    if (pid < 0) {
        close(pair[0]);
        return ERR_DOWN;
    }
    struct helper *helper = mem_new(sizeof *helper);
    helper->fd = pair[0];
    helper->pid = pid;
    pthread_mutex_init(&helper->lock, NULL);
    *ret = helper;
    return ERR_OK;
}

void helper_attach(struct helper *helper, struct loop *loop)
{
    helper->loop = loop;
    ev_io_init(&helper->io, on_answer, helper->fd, EV_READ);
    helper->io.data = helper;
    ev_io_start(loop_ev(loop), &helper->io);
    helper->look.run = on_look;
    timer_arm(loop, &helper->look, LOOK_MS);
}

/* It goes by itself when the pair is closed. */
static void wait_for_end(pid_t pid)
{
    for (unsigned ms = 0; ms < END_MS; ms += 10) {
        if (waitpid(pid, NULL, WNOHANG) != 0)
            return;
        usleep(10000);
    }
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

void helper_free(struct helper *helper)
{
    if (!helper)
        return;
    if (helper->loop && !helper->lost) {
        ev_io_stop(loop_ev(helper->loop), &helper->io);
        timer_cancel(&helper->look);
    }
    close(helper->fd);
    wait_for_end(helper->pid);
    for (struct pending *p = take_due(helper, UINT64_MAX), *next; p; p = next) {
        next = p->next;
        mem_free(p);
    }
    pthread_mutex_destroy(&helper->lock);
    mem_free(helper);
}
