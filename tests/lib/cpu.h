/* How long this thread has worked: for promises about time that a busy machine must not break. */
#ifndef TANDEM_TESTS_CPU_H
#define TANDEM_TESTS_CPU_H

#include <stdint.h>
#include <time.h>

static inline uint64_t cpu_ns(void)
{
    struct timespec t;
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
    return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

#endif
