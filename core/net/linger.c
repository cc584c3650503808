#include "core/net/linger.h"

#include <ev.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "core/net/loop.h"

enum {
    LINGER_MS = 2000,
    LINGER_MAX = 256,            /* sockets at once, per loop */
    LINGER_OCTETS = 1024 * 1024, /* who still sends after that has not listened */
};

struct lingering {
    struct timer timer; /* first: a timer is its linger */
    ev_io io;
    struct linger_set *set;
    struct lingering *prev, *next;
    size_t taken;
};

struct linger_set {
    struct loop *loop;
    struct lingering *first;
    unsigned n;
};

struct linger_set *linger_set_new(struct loop *loop)
{
    struct linger_set *set = mem_new(sizeof *set);
    set->loop = loop;
    return set;
}

static void end(struct lingering *l)
{
    ev_io_stop(loop_ev(l->set->loop), &l->io);
    timer_cancel(&l->timer);
    close(l->io.fd);
    *(l->prev ? &l->prev->next : &l->set->first) = l->next;
    if (l->next)
        l->next->prev = l->prev;
    l->set->n--;
    mem_free(l);
}

static void on_time(struct loop *loop, struct timer *timer)
{
    (void)loop;
    end((struct lingering *)(void *)timer);
}

static void on_io(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev;
    (void)events;
    struct lingering *l = io->data;
    char sink[4096];
    ssize_t n = recv(io->fd, sink, sizeof sink, MSG_DONTWAIT);
    if (n > 0)
        l->taken += (size_t)n;
    if (n <= 0 || l->taken > LINGER_OCTETS)
        end(l);
}

void linger_close(struct linger_set *set, int fd)
{
    if (set->n == LINGER_MAX || shutdown(fd, SHUT_WR)) {
        close(fd);
        return;
    }
    struct lingering *l = mem_new(sizeof *l);
    l->set = set;
    l->next = set->first;
    if (l->next)
        l->next->prev = l;
    set->first = l;
    set->n++;
    ev_io_init(&l->io, on_io, fd, EV_READ);
    l->io.data = l;
    ev_io_start(loop_ev(set->loop), &l->io);
    l->timer.run = on_time;
    timer_arm(set->loop, &l->timer, LINGER_MS);
}

void linger_set_free(struct linger_set *set)
{
    if (!set)
        return;
    while (set->first)
        end(set->first);
    mem_free(set);
}
