/* What the service manager is told (sd_notify(3)) and wants to hear; nothing without systemd. */
#ifndef TANDEM_CMD_NOTIFY_H
#define TANDEM_CMD_NOTIFY_H

#include <stdint.h>
#if TANDEM_SYSTEMD
#include <systemd/sd-daemon.h>
#endif

static inline void notify(const char *state)
{
#if TANDEM_SYSTEMD
    (void)sd_notify(0, state);
#else
    (void)state;
#endif
}

/* How often it wants to hear WATCHDOG=1; 0: never. */
static inline uint64_t notify_watchdog_us(void)
{
    uint64_t us = 0;
#if TANDEM_SYSTEMD
    if (sd_watchdog_enabled(0, &us) <= 0)
        us = 0;
#endif
    return us;
}

#endif
