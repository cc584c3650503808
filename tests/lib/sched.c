#include "tests/lib/sched.h"

#include <inttypes.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"

enum { TRACE = 256 };

struct member {
    struct sched *sched;
    unsigned index;
    pthread_t thread;
    sem_t turn;
    bool alive;
    unsigned weight; /* how often it is its turn: one is slow where another is quick */
    sched_thread *run;
    void *arg;
};

struct sched {
    unsigned n, alive;
    bool ending;
    sem_t over; /* all have returned */
    uint64_t seed, state;
    struct {
        unsigned member;
        const char *where;
    } trace[TRACE];
    unsigned passed;
    struct member member[SCHED_THREADS_MAX];
};

static _Thread_local struct member *self;
static struct sched *running; /* whose failure it is, for sched_broken on any thread */

/* splitmix64 (Steele, Lea, Flood 2014). */
static uint64_t next_random(struct sched *sched)
{
    uint64_t z = sched->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

static void wait_for(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        ;
}

static struct member *choose(struct sched *sched)
{
    unsigned sum = 0;
    for (unsigned i = 0; i < sched->n; i++)
        sum += sched->member[i].alive ? sched->member[i].weight : 0;
    unsigned nth = (unsigned)(next_random(sched) % sum);
    for (struct member *member = sched->member;; member++) {
        if (!member->alive)
            continue;
        if (nth < member->weight)
            return member;
        nth -= member->weight;
    }
}

static void *member_run(void *arg)
{
    struct member *member = self = arg;
    struct sched *sched = member->sched;
    for (;;) {
        wait_for(&member->turn);
        if (sched->ending)
            return NULL;
        member->run(member->arg);
        member->alive = false;
        sem_post(--sched->alive ? &choose(sched)->turn : &sched->over);
    }
}

struct sched *sched_new(unsigned threads)
{
    struct sched *sched = mem_new(sizeof *sched);
    sched->n = threads;
    sem_init(&sched->over, 0, 0);
    for (unsigned i = 0; i < threads; i++) {
        struct member *member = &sched->member[i];
        member->sched = sched;
        member->index = i;
        sem_init(&member->turn, 0, 0);
        if (pthread_create(&member->thread, NULL, member_run, member) != 0)
            abort();
    }
    return sched;
}

void sched_free(struct sched *sched)
{
    sched->ending = true;
    for (unsigned i = 0; i < sched->n; i++) {
        sem_post(&sched->member[i].turn);
        pthread_join(sched->member[i].thread, NULL);
        sem_destroy(&sched->member[i].turn);
    }
    sem_destroy(&sched->over);
    mem_free(sched);
}

void sched_run(struct sched *sched, uint64_t seed, sched_thread *const *run, void *const *arg)
{
    running = sched;
    sched->seed = sched->state = seed;
    sched->passed = 0;
    sched->alive = sched->n;
    for (unsigned i = 0; i < sched->n; i++) {
        sched->member[i].alive = true;
        sched->member[i].weight = 1u << next_random(sched) % 5;
        sched->member[i].run = run[i];
        sched->member[i].arg = arg[i];
    }
    sem_post(&choose(sched)->turn);
    wait_for(&sched->over);
}

void sched_point(const char *where)
{
    struct member *from = self;
    if (!from)
        return;
    struct sched *sched = from->sched;
    unsigned at = sched->passed++ % TRACE;
    sched->trace[at].member = from->index;
    sched->trace[at].where = where;
    struct member *to = choose(sched);
    if (to == from)
        return;
    sem_post(&to->turn);
    wait_for(&from->turn);
}

uint32_t sched_choose(uint32_t n)
{
    return (uint32_t)(next_random(self->sched) % n);
}

void sched_broken(const char *format, ...)
{
    va_list ap;
    va_start(ap, format);
    fprintf(stderr, "# broken: ");
    vfprintf(stderr, format, ap);
    va_end(ap);
    if (running) {
        fprintf(stderr, "\n# seed %" PRIu64 "; the last stop points:\n", running->seed);
        unsigned first = running->passed > TRACE ? running->passed - TRACE : 0;
        for (unsigned i = first; i < running->passed; i++)
            fprintf(stderr, "#   %u  %s\n", running->trace[i % TRACE].member,
                    running->trace[i % TRACE].where);
    }
    abort();
}
