/* What a piece of work cost this process: CPU, octets given to write calls, time on the clock. */
#ifndef TANDEM_BENCH_METER_H
#define TANDEM_BENCH_METER_H

#include <stdint.h>

struct meter {
    uint64_t cpu_ns, wall_ns, written;
};

struct meter meter_now(void);
struct meter meter_since(struct meter start);
/* Sorts; p in 0..1. */
uint64_t meter_percentile(uint64_t *samples, unsigned n, double p);

#endif
