/* May things be destroyed because of their age? Only when the wall clock can be believed: it is not
 * behind the highest time that the store has seen, was less than 3 days ahead of it at the start,
 * and made no step of more than 10 minutes within the last hour. Kept per env by one thread. */
#ifndef TANDEM_STORE_AGE_H
#define TANDEM_STORE_AGE_H

#include <stdbool.h>
#include <stdint.h>

struct age {
    uint32_t wall; /* at the last look */
    uint64_t mono_ms;
    uint64_t quiet_until_ms; /* monotonic: nothing is old before */
    bool logs;               /* says when the clock steps */
};

/* `seen`: the highest wall time on disk, 0 = none. */
void age_init(struct age *age, uint64_t seen, bool logs);
bool age_trusted(struct age *age, uint64_t seen);

#endif
