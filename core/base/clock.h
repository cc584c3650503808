/* Time. Deadlines use the monotonic clock; what is written down uses the wall clock (UTC). Tests
 * move both with clock_shift. */
#ifndef TANDEM_BASE_CLOCK_H
#define TANDEM_BASE_CLOCK_H

#include <stdint.h>

uint64_t clock_mono_ms(void);
uint64_t clock_mono_ns(void);
uint32_t clock_wall(void);    /* seconds since 1970, UTC */
uint64_t clock_wall_us(void); /* microseconds since 1970, UTC */
/* How far the server's own zone is ahead of UTC at that time, in 15 minutes. */
int8_t clock_zone(uint32_t wall);
/* Tests only: add to both clocks. The environment variable TANDEM_CLOCK_SHIFT (seconds) is read at
 * the first use, so that a daemon under test can be started in another day. */
void clock_shift(int64_t seconds);

#endif
