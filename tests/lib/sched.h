/* A deterministic scheduler: threads of which exactly one runs, and which hand over at named stop
 * points as a seed says. The same seed gives the same interleaving, so what one run of a million
 * found can be looked at again.
 *
 * Stop points are SCHED_POINT("...") in sources that are built with TANDEM_SCHED=1, and sched_point
 * in the test itself. None may be passed while a lock is held: the others would wait for it for
 * ever. A thread that is not one of the scheduler's passes through them. */
#ifndef TANDEM_TESTS_SCHED_H
#define TANDEM_TESTS_SCHED_H

#include <stdint.h>

#include "core/base/attr.h"

enum { SCHED_THREADS_MAX = 8 };

struct sched;
typedef void sched_thread(void *arg);

struct sched *sched_new(unsigned threads); /* they live until sched_free */
void sched_free(struct sched *sched);
/* Runs run[i](arg[i]) on thread i, interleaved by the seed, to the end of all. One at a time in a
 * process. */
void sched_run(struct sched *sched, uint64_t seed, sched_thread *const *run, void *const *arg);

void sched_point(const char *where);
/* 0..n-1, from the run's seed. Its threads only. */
uint32_t sched_choose(uint32_t n);
/* The claim is broken: prints it, the seed and the last stop points, and aborts. */
_Noreturn void sched_broken(const char *format, ...) PRINTF_LIKE(1, 2);

#endif
