/* Random octets that nobody can guess, from GnuTLS (seeded by the kernel, reseeded after a fork).
 * Any thread. Aborts when there are none: nothing may go on with a token that could be guessed. */
#ifndef TANDEM_BASE_RANDOM_H
#define TANDEM_BASE_RANDOM_H

#include <stddef.h>
#include <stdint.h>

void random_bytes(void *to, size_t n); /* nonces, tokens, ids that must not be guessed */
void random_key(void *to, size_t n);   /* long-lived keys: the slower, stronger level */
uint64_t random_u64(void);

#endif
