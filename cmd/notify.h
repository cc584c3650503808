/* What the service manager is told (sd_notify(3)); nothing without systemd. */
#ifndef TANDEM_CMD_NOTIFY_H
#define TANDEM_CMD_NOTIFY_H

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

#endif
