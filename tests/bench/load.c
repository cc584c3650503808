/* load PLAN: the conversations of a plan (load.h), from one thread.
 *
 * Says "ready" when every connection has set up and waits for a line; then runs until the plan's
 * seconds are over or its groups have done their walks, says one line of JSON, and waits again
 * before it hangs up: whoever runs it can look at the server at rest, and count the middle alone.
 */
#include "tests/bench/load.h"

#include <err.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "tests/bench/meter.h"

enum { EVENTS = 256, TICK_MS = 1, IDLE_MS = 50, CUT_OFF_MS = 20000 };

struct load {
    struct load_plan plan;
    struct load_conn *conns;
    unsigned n_conns, paused;
    bool running, over; /* over: no walk begins any more */
};

static struct load load;
static int epoll;

void load_die(const struct load_conn *c, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "load: group %s, connection %u, step %u: ", c->group->name, c->index, c->at);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    exit(1);
}

void load_watch(struct load_conn *c, bool write)
{
    struct epoll_event ev = {.events = EPOLLIN | (write ? EPOLLOUT : 0), .data.ptr = c};
    if (c->watched && c->watched_write == write)
        return;
    if (epoll_ctl(epoll, c->watched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, c->fd, &ev))
        err(1, "epoll_ctl");
    c->watched = true;
    c->watched_write = write;
}

void load_unwatch(struct load_conn *c)
{
    epoll_ctl(epoll, EPOLL_CTL_DEL, c->fd, NULL);
    c->watched = false;
}

void load_sample(struct load_group *g, uint64_t ns)
{
    if (!load.running)
        return;
    if (g->n_samples == g->samples_room) {
        g->samples_room = g->samples_room ? 2 * g->samples_room : 1024;
        g->samples_us = mem_resize(g->samples_us, g->samples_room * sizeof *g->samples_us);
    }
    g->samples_us[g->n_samples++] = ns / 1000;
}

/* --- the course of a run ---------------------------------------------------------------------- */

static void step_on(struct load_conn *c);

/* The next walk through `each`, unless it is over or the group has had them all. */
static void begin_walk(struct load_conn *c)
{
    struct load_group *g = c->group;
    if (load.over || g->n_each == 0 || (g->limit && g->walks >= g->limit))
        return;
    g->walks++;
    g->walking++;
    c->walking = true;
    c->steps = g->each;
    c->n_steps = g->n_each;
    c->at = 0;
    c->began_ns = clock_mono_ns();
    step_on(c);
}

static void begin_setup(struct load_group *g)
{
    while (g->next_connection < g->connections && g->setting_up < g->at_once) {
        struct load_conn *c = load.conns + g->next_connection++;
        for (const struct load_group *before = load.plan.groups; before < g; before++)
            c += before->connections;
        c->steps = g->setup;
        c->n_steps = g->n_setup;
        g->setting_up++;
        step_on(c);
    }
}

static void ended(struct load_conn *c)
{
    struct load_group *g = c->group;
    if (!c->walking) {
        g->ready++;
        g->setting_up--;
        begin_setup(g);
        return;
    }
    c->walking = false;
    g->walking--;
    g->operations += g->per;
    if (!g->samples_since)
        load_sample(g, clock_mono_ns() - c->began_ns);
    begin_walk(c);
}

static void step_on(struct load_conn *c)
{
    if (load_walk(c))
        ended(c);
    else if (c->wake_ns)
        load.paused++;
}

/* Who pauses when the time is over has come to an end, and not with an operation: woken together,
 * all would be measured in a crowd that was not there before. */
static void wake_paused(void)
{
    uint64_t now = clock_mono_ns();
    for (unsigned i = 0; load.paused && i < load.n_conns; i++) {
        struct load_conn *c = &load.conns[i];
        if (!c->wake_ns || (c->wake_ns > now && !load.over))
            continue;
        load.paused--;
        if (c->wake_ns > now) {
            c->walking = false;
            c->group->walking--;
        } else {
            c->wake_ns = 0;
            step_on(c);
        }
    }
}

static void turn(void)
{
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll, events, EVENTS, load.paused ? TICK_MS : IDLE_MS);
    for (int i = 0; i < n; i++) {
        struct load_conn *c = events[i].data.ptr;
        if (c->fd < 0)
            continue;
        bool paused = c->wake_ns != 0;
        if (load_ready(c))
            ended(c);
        else if (c->wake_ns && !paused)
            load.paused++;
    }
    if (load.paused)
        wake_paused();
}

static bool all_ready(void)
{
    for (unsigned i = 0; i < load.plan.n_groups; i++)
        if (load.plan.groups[i].ready < load.plan.groups[i].connections)
            return false;
    return true;
}

/* Is nobody walking who matters? */
static bool all_done(void)
{
    for (unsigned i = 0; i < load.plan.n_groups; i++)
        if (!load.plan.groups[i].background && load.plan.groups[i].walking)
            return false;
    return true;
}

static void run(void)
{
    uint64_t end = clock_mono_ns() + (uint64_t)(load.plan.seconds * 1e9);
    load.running = true;
    for (unsigned i = 0; i < load.n_conns; i++)
        begin_walk(&load.conns[i]);
    while (!all_done()) {
        turn();
        uint64_t now = clock_mono_ns();
        load.over = load.over || now >= end;
        if (now >= end + CUT_OFF_MS * UINT64_C(1000000))
            errx(1, "a walk does not end");
    }
    load.running = false;
}

/* --- in and out ------------------------------------------------------------------------------- */

static void report(double seconds, double cpu_us)
{
    printf("{\"seconds\": %.6f, \"client_cpu_us\": %.0f, \"groups\": {", seconds, cpu_us);
    for (unsigned i = 0; i < load.plan.n_groups; i++) {
        struct load_group *g = &load.plan.groups[i];
        uint64_t p50 = meter_percentile(g->samples_us, g->n_samples, 0.5);
        uint64_t p99 = meter_percentile(g->samples_us, g->n_samples, 0.99);
        uint64_t max = meter_percentile(g->samples_us, g->n_samples, 1);
        printf("%s\"%s\": {\"operations\": %" PRIu64 ", \"received\": %" PRIu64
               ", \"p50_us\": %" PRIu64 ", \"p99_us\": %" PRIu64 ", \"max_us\": %" PRIu64 "}",
               i ? ", " : "", g->name, g->operations, g->received, p50, p99, max);
    }
    puts("}}");
    fflush(stdout);
}

static void wait_for_line(void)
{
    char line[64];
    if (!fgets(line, sizeof line, stdin))
        exit(0);
}

int main(int argc, char **argv)
{
    if (argc != 2)
        errx(2, "usage: load PLAN");
    load_plan_read(&load.plan, argv[1]);
    epoll = epoll_create1(EPOLL_CLOEXEC);
    for (unsigned i = 0; i < load.plan.n_groups; i++)
        load.n_conns += load.plan.groups[i].connections;
    load.conns = mem_new_array(load.n_conns, sizeof *load.conns);
    for (unsigned i = 0, at = 0; i < load.plan.n_groups; i++)
        for (unsigned k = 0; k < load.plan.groups[i].connections; k++, at++) {
            load.conns[at].group = &load.plan.groups[i];
            load.conns[at].index = k;
            load.conns[at].fd = -1;
        }
    for (unsigned i = 0; i < load.plan.n_groups; i++)
        begin_setup(&load.plan.groups[i]);
    while (!all_ready())
        turn();
    puts("ready");
    fflush(stdout);
    wait_for_line();
    struct meter start = meter_now();
    run();
    struct meter spent = meter_since(start);
    report((double)spent.wall_ns / 1e9, (double)spent.cpu_ns / 1e3);
    wait_for_line();
    return 0;
}
