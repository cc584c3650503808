/* Completions of a fake store: they come in a later turn of the loop, as those of the committer do,
 * and find their session by id or are dropped. */
#ifndef TANDEM_TESTS_LATER_H
#define TANDEM_TESTS_LATER_H

#include "store/store.h"

void later(struct store_to to, const struct store_result *result);
/* For calls that complete without a result. */
void later_call(struct loop *loop, uint64_t id, void (*call)(void *object));

#endif
