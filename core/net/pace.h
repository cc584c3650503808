/* How fast one connection may give commands ([limits] commands_per_second): a bucket that holds
 * four seconds' worth, kept as one point in time. */
#ifndef TANDEM_NET_PACE_H
#define TANDEM_NET_PACE_H

#include <stdint.h>

struct pace {        /* zero-initialised: full */
    uint64_t due_us; /* when all that was taken will have been earned */
};

/* Count one command. Milliseconds for which no further one should be read; 0: go on.
 * per_second 0 = no limit. now_ms: monotonic */
static inline uint64_t pace_take(struct pace *p, unsigned per_second, uint64_t now_ms)
{
    const uint64_t burst_us = 4 * UINT64_C(1000000);
    uint64_t now_us = now_ms * 1000;
    if (per_second == 0)
        return 0;
    if (p->due_us < now_us)
        p->due_us = now_us;
    p->due_us += 1000000 / per_second;
    uint64_t ahead_us = p->due_us - now_us;
    return ahead_us > burst_us ? (ahead_us - burst_us + 999) / 1000 : 0;
}

#endif
