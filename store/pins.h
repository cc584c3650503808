/* Pinned bodies: who reads a body past its snapshot, or brings one in, keeps it by its blob id. The
 * reaper asks pin_has after the gate has passed (store/gate.c), so a pin is added while the
 * snapshot that found the body is still live.
 *
 * Any thread. The locks are leaves: nothing is called under them. */
#ifndef TANDEM_STORE_PINS_H
#define TANDEM_STORE_PINS_H

#include <stdbool.h>
#include <stdint.h>

struct pins;

struct pins *pins_new(void);
void pins_free(struct pins *pins);              /* NULL shrugs; asserts that nothing is pinned */
void pin_add(struct pins *pins, uint64_t blob); /* counts */
void pin_drop(struct pins *pins, uint64_t blob);
bool pin_has(struct pins *pins, uint64_t blob);

#endif
