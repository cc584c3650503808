/* A set of ids of 16 octets, as good as random already. */
#ifndef TANDEM_CMD_MAIL_IDSET_H
#define TANDEM_CMD_MAIL_IDSET_H

#include <stdbool.h>
#include <stddef.h>

struct idset {
    unsigned char (*slots)[16]; /* all zero: free */
    size_t n, cap;              /* cap: a power of two, or 0 */
};

void idset_init(struct idset *set);
void idset_finish(struct idset *set);
void idset_add(struct idset *set, const unsigned char id[16]);
void idset_remove(struct idset *set, const unsigned char id[16]);
bool idset_has(const struct idset *set, const unsigned char id[16]);

#endif
