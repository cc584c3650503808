#include "tests/bench/meter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static uint64_t clock_ns(clockid_t id)
{
    struct timespec t;
    clock_gettime(id, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

struct meter meter_now(void)
{
    struct meter m = {.cpu_ns = clock_ns(CLOCK_PROCESS_CPUTIME_ID),
                      .wall_ns = clock_ns(CLOCK_MONOTONIC)};
    FILE *io = fopen("/proc/self/io", "r");
    char line[128];
    while (io && fgets(line, sizeof line, io))
        if (strncmp(line, "wchar: ", 7) == 0)
            m.written = strtoull(line + 7, NULL, 10);
    if (io)
        fclose(io);
    return m;
}

struct meter meter_since(struct meter start)
{
    struct meter now = meter_now();
    return (struct meter){now.cpu_ns - start.cpu_ns, now.wall_ns - start.wall_ns,
                          now.written - start.written};
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

uint64_t meter_percentile(uint64_t *samples, unsigned n, double p)
{
    if (!n)
        return 0;
    qsort(samples, n, sizeof *samples, by_value);
    return samples[(unsigned)(p * (n - 1))];
}
