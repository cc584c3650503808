/* The service manager's watchdog (systemd WatchdogSec=): told twice in its time that all threads
 * that serve clients move. */
#ifndef TANDEM_CMD_WATCHDOG_H
#define TANDEM_CMD_WATCHDOG_H

struct loop;
struct pool;

/* Nothing when there is no watchdog. Before the loops run; until they end. */
void watchdog_start(struct loop *const *loops, unsigned n, struct pool *pool);

#endif
