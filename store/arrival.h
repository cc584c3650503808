/* What the header of an arriving message gives to its rows. */
#ifndef TANDEM_STORE_ARRIVAL_H
#define TANDEM_STORE_ARRIVAL_H

#include "store/incoming.h"

/* The thread of a message arriving in account `a`: of the first of its references that the account
 * knows, else new; and its own `mid` row. It never changes later. */
MUST_CHECK enum err arrival_thread(struct turn *turn, uint32_t a, const struct facts *facts,
                                   uint64_t blob, uint64_t *ret_thread);

#endif
