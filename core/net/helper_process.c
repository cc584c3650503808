/* The helper's side: a child of its own for each request, which may crash, hang or flood without
 * anybody else noticing. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/net/helper_wire.h"

enum {
    CHILD_DESCRIPTORS = 256,
    CHILD_FILE_OCTETS = 64 * 1024 * 1024,
    CHILD_MEMORY_OCTETS = 1024 * 1024 * 1024,
};

struct child {
    pid_t pid; /* 0: the place is free */
    uint64_t id, due_ms;
    int data_fd;
    bool failed; /* killed, or said too much */
    size_t len;
    char *data; /* HELPER_DATA_MAX */
};

struct process {
    helper_serve *serve;
    int fd;        /* the pair */
    int signal_fd; /* SIGCHLD */
    struct child children[HELPER_CHILDREN_MAX];
    unsigned n;
    char packet[HELPER_PACKET_MAX];
};

/* --- the child -------------------------------------------------------------------------------- */

static void limit(int resource, rlim_t value)
{
    struct rlimit r = {value, value};
    (void)setrlimit(resource, &r);
}

NO_RETURN static void run_child(const struct process *p, const struct helper_request *request,
                                struct slice arguments, int data_fd)
{
    sigset_t none;
    setsid(); /* so that whatever it starts is ended with it */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int s = 1; s < NSIG; s++)
        signal(s, SIG_DFL);
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    dup2(data_fd, 3);
    (void)close_range(4, ~0u, 0);
    limit(RLIMIT_CORE, 0);
    limit(RLIMIT_CPU, request->deadline_ms / 1000 + 1);
    limit(RLIMIT_NOFILE, CHILD_DESCRIPTORS);
    limit(RLIMIT_FSIZE, CHILD_FILE_OCTETS);
    if (!TANDEM_SANITIZED) /* whose shadow memory is larger */
        limit(RLIMIT_AS, CHILD_MEMORY_OCTETS);
    _exit((int)p->serve(request->kind, arguments, 3));
}

/* --- requests and answers --------------------------------------------------------------------- */

static void answer(struct process *p, uint64_t id, enum helper_outcome outcome, struct slice data)
{
    struct helper_answer head = {.id = id, .outcome = (uint8_t)outcome};
    struct iovec iov[2] = {
        {&head,                       sizeof head},
        {(void *)(uintptr_t)data.ptr, data.len   }
    };
    struct msghdr message = {.msg_iov = iov, .msg_iovlen = data.len ? 2 : 1};
    while (sendmsg(p->fd, &message, MSG_NOSIGNAL) < 0 && errno == EINTR)
        ;
}

static void start_child(struct process *p, const struct helper_request *request,
                        struct slice arguments)
{
    struct child *child = p->children;
    while (child->pid)
        child++;
    int fds[2];
    if (pipe2(fds, O_CLOEXEC)) {
        answer(p, request->id, HELPER_UNAVAILABLE, SLICE_NONE);
        return;
    }
    pid_t pid = fork();
    if (pid == 0)
        run_child(p, request, arguments, fds[1]);
    close(fds[1]);
    if (pid < 0) {
        close(fds[0]);
        answer(p, request->id, HELPER_UNAVAILABLE, SLICE_NONE);
        return;
    }
    (void)fcntl(fds[0], F_SETFL, O_NONBLOCK);
    *child = (struct child){.pid = pid,
                            .id = request->id,
                            .due_ms = clock_mono_ms() + request->deadline_ms,
                            .data_fd = fds[0],
                            .data = mem_new(HELPER_DATA_MAX)};
    p->n++;
}

/* False: the daemon has gone. */
static bool take_request(struct process *p)
{
    struct helper_request request;
    ssize_t n = recv(p->fd, p->packet, sizeof p->packet, MSG_DONTWAIT);
    if (n < 0)
        return errno == EAGAIN || errno == EINTR;
    if ((size_t)n < sizeof request)
        return false;
    memcpy(&request, p->packet, sizeof request);
    start_child(p, &request, slice(p->packet + sizeof request, (size_t)n - sizeof request));
    mem_wipe(p->packet, (size_t)n);
    return true;
}

/* The child's session: it leads a process group of its own once it runs, before that it is alone.
 */
static void kill_child(const struct child *child)
{
    (void)kill(-child->pid, SIGKILL);
    (void)kill(child->pid, SIGKILL);
}

static void take_data(struct child *child)
{
    char surplus;
    while (child->data_fd >= 0) {
        size_t room = HELPER_DATA_MAX - child->len;
        ssize_t n = read(child->data_fd, room ? child->data + child->len : &surplus,
                         room ? room : sizeof surplus);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0 && errno == EAGAIN)
            return;
        if (n > 0 && room) {
            child->len += (size_t)n;
            continue;
        }
        if (n > 0) {
            child->failed = true;
            kill_child(child);
        }
        close(child->data_fd);
        child->data_fd = -1;
    }
}

static void end_child(struct process *p, struct child *child, int status)
{
    take_data(child);
    if (child->data_fd >= 0)
        close(child->data_fd);
    bool known = !child->failed && WIFEXITED(status) && WEXITSTATUS(status) < HELPER_UNAVAILABLE;
    answer(p, child->id, known ? (enum helper_outcome)WEXITSTATUS(status) : HELPER_UNAVAILABLE,
           known ? slice(child->data, child->len) : SLICE_NONE);
    mem_wipe(child->data, child->len);
    mem_free(child->data);
    *child = (struct child){0};
    p->n--;
}

static void reap_children(struct process *p)
{
    struct signalfd_siginfo info;
    while (read(p->signal_fd, &info, sizeof info) > 0)
        ;
    for (struct child *child = p->children; child < p->children + HELPER_CHILDREN_MAX; child++) {
        siginfo_t ended = {0};
        int status;
        if (!child->pid || waitid(P_PID, (id_t)child->pid, &ended, WEXITED | WNOHANG | WNOWAIT) ||
            !ended.si_pid)
            continue;
        kill_child(child); /* what it may have left running; its number is not free yet */
        if (waitpid(child->pid, &status, 0) == child->pid)
            end_child(p, child, status);
    }
}

/* Kills who is late; how long until the next one will be, -1: nobody runs. */
static int look_at_deadlines(struct process *p)
{
    uint64_t now = clock_mono_ms(), next = UINT64_MAX;
    for (struct child *child = p->children; child < p->children + HELPER_CHILDREN_MAX; child++) {
        if (!child->pid || child->failed)
            continue;
        if (child->due_ms <= now) {
            child->failed = true;
            kill_child(child);
        } else if (child->due_ms < next) {
            next = child->due_ms;
        }
    }
    return next == UINT64_MAX ? -1 : (int)(next - now < 60000 ? next - now : 60000);
}

/* --- the process ------------------------------------------------------------------------------ */

/* One wait, then all that is ready. False: the daemon has gone. */
static bool turn(struct process *p)
{
    struct pollfd fds[2 + HELPER_CHILDREN_MAX];
    struct child *whose[HELPER_CHILDREN_MAX];
    nfds_t n = 2;
    /* With all places taken requests wait in the socket; its end is still seen. */
    fds[0] = (struct pollfd){p->fd, p->n < HELPER_CHILDREN_MAX ? POLLIN : 0, 0};
    fds[1] = (struct pollfd){p->signal_fd, POLLIN, 0};
    for (struct child *child = p->children; child < p->children + HELPER_CHILDREN_MAX; child++)
        if (child->pid && child->data_fd >= 0) {
            whose[n - 2] = child;
            fds[n++] = (struct pollfd){child->data_fd, POLLIN, 0};
        }
    if (poll(fds, n, look_at_deadlines(p)) < 0)
        return errno == EINTR;
    for (nfds_t i = 2; i < n; i++)
        if (fds[i].revents)
            take_data(whose[i - 2]);
    if (fds[1].revents)
        reap_children(p);
    if (fds[0].revents & POLLIN)
        return take_request(p);
    return !(fds[0].revents & (POLLHUP | POLLERR));
}

static void close_inherited(struct process *p, int fd)
{
    int null = open("/dev/null", O_RDWR);
    for (int i = 0; i < 3 && null >= 0; i++)
        dup2(null, i);
    dup2(fd, 3);
    (void)close_range(4, ~0u, 0);
    p->fd = 3;
}

void helper_process(int fd, helper_serve *serve)
{
    struct process *p = mem_new(sizeof *p);
    sigset_t wanted;
    p->serve = serve;
    setsid();
    prctl(PR_SET_NAME, "tandemd: helper");
    prctl(PR_SET_DUMPABLE, 0); /* passwords pass through */
    close_inherited(p, fd);
    /* A stop of the whole service is the daemon's to carry out: the helper goes when it has gone.
     */
    signal(SIGTERM, SIG_IGN);
    signal(SIGINT, SIG_IGN);
    signal(SIGHUP, SIG_IGN);
    signal(SIGCHLD, SIG_DFL);
    sigemptyset(&wanted);
    sigaddset(&wanted, SIGCHLD);
    sigprocmask(SIG_SETMASK, &wanted, NULL);
    p->signal_fd = signalfd(-1, &wanted, SFD_NONBLOCK | SFD_CLOEXEC);
    while (p->signal_fd >= 0 && turn(p))
        ;
    for (struct child *child = p->children; child < p->children + HELPER_CHILDREN_MAX; child++)
        if (child->pid)
            kill_child(child);
    _exit(0);
}
