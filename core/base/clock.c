#include "core/base/clock.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>

static _Atomic int64_t shift;
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void read_environment(void)
{
    const char *s = secure_getenv("TANDEM_CLOCK_SHIFT");
    if (s)
        atomic_fetch_add(&shift, strtoll(s, NULL, 10));
}

static uint64_t now_ns(clockid_t id)
{
    struct timespec t;
    pthread_once(&once, read_environment);
    clock_gettime(id, &t);
    return (uint64_t)(t.tv_sec + atomic_load_explicit(&shift, memory_order_relaxed)) * 1000000000u +
           (uint64_t)t.tv_nsec;
}

uint64_t clock_mono_ns(void)
{
    return now_ns(CLOCK_MONOTONIC);
}

uint64_t clock_mono_ms(void)
{
    return now_ns(CLOCK_MONOTONIC) / 1000000u;
}

uint32_t clock_wall(void)
{
    return (uint32_t)(now_ns(CLOCK_REALTIME) / 1000000000u);
}

uint64_t clock_wall_us(void)
{
    return now_ns(CLOCK_REALTIME) / 1000u;
}

int8_t clock_zone(uint32_t wall)
{
    time_t t = (time_t)wall;
    struct tm tm;
    localtime_r(&t, &tm);
    return (int8_t)(tm.tm_gmtoff / 900);
}

void clock_shift(int64_t seconds)
{
    atomic_fetch_add(&shift, seconds);
}
