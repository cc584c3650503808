#include "store/age.h"

#include "core/base/clock.h"
#include "core/base/log.h"

enum { AHEAD_MAX_S = 3 * 86400, STEP_MAX_S = 600, QUIET_MS = 3600 * 1000 };

void age_init(struct age *age, uint64_t seen, bool logs)
{
    uint32_t wall = clock_wall();
    uint64_t now = clock_mono_ms();
    bool far_ahead = seen && wall > seen + AHEAD_MAX_S;
    *age = (struct age){.wall = wall,
                        .mono_ms = now,
                        .quiet_until_ms = far_ahead ? now + QUIET_MS : 0,
                        .logs = logs};
}

/* The wall clock against the monotonic one: whether somebody has set it. */
static void look(struct age *age, uint32_t wall, uint64_t now)
{
    int64_t expected = (int64_t)age->wall + (int64_t)((now - age->mono_ms) / 1000);
    int64_t step = (int64_t)wall - expected;
    if (step > STEP_MAX_S || step < -STEP_MAX_S) {
        age->quiet_until_ms = now + QUIET_MS;
        if (age->logs) {
            struct log_line line;
            log_begin(&line, LOG_WARN, "clock-step");
            log_i64(&line, "from", expected);
            log_u64(&line, "to", wall);
            log_end(&line);
        }
    }
    age->wall = wall;
    age->mono_ms = now;
}

bool age_trusted(struct age *age, uint64_t seen)
{
    uint32_t wall = clock_wall();
    uint64_t now = clock_mono_ms();
    look(age, wall, now);
    return now >= age->quiet_until_ms && wall >= seen;
}
