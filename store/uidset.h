/* Sorted sets of UIDs as ranges: what a command names, what an expunge took, what COPYUID tells.
 * Sets of message sequence numbers are another type (imap/seqset.h); only that file converts. */
#ifndef TANDEM_STORE_UIDSET_H
#define TANDEM_STORE_UIDSET_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct uidrange {
    uint32_t first, last; /* both in the set; first <= last */
};

/* Owned; zero-initialised is empty. Ranges ascend, and never touch or overlap. */
struct uidset {
    struct uidrange *ranges;
    uint32_t n, cap;
};

void uidset_finish(struct uidset *set);
void uidset_clear(struct uidset *set); /* keeps the memory */
void uidset_copy(struct uidset *to, const struct uidset *from);
void uidset_move(struct uidset *to, struct uidset *from); /* `from` is empty after it */
/* O(1) when it ascends, which is the usual case; O(ranges) otherwise. */
void uidset_add(struct uidset *set, uint32_t first, uint32_t last);
void uidset_remove(struct uidset *set, uint32_t first, uint32_t last);
bool uidset_has(const struct uidset *set, uint32_t uid); /* O(log ranges) */
uint64_t uidset_count(const struct uidset *set);
/* The first member >= uid; 0 if there is none. */
uint32_t uidset_next(const struct uidset *set, uint32_t uid);
/* The same, and the last of the range that it is in. */
uint32_t uidset_run(const struct uidset *set, uint32_t uid, uint32_t *ret_last);
bool uidset_empty(const struct uidset *set);

#endif
