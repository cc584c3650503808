/* Heap: abort when the machine is out of memory (small, fixed sizes), or say so (anything whose
 * size comes from outside). Secrets are wiped before their memory is used again. */
#ifndef TANDEM_BASE_MEM_H
#define TANDEM_BASE_MEM_H

#include <stddef.h>

#include "core/base/attr.h"

void *mem_new(size_t size);                 /* zeroed; aborts when there is none */
void *mem_new_array(size_t n, size_t size); /* zeroed; aborts when there is none */
void *mem_resize(void *old, size_t size);   /* aborts when there is none */
void *mem_dup(const void *from, size_t size);
MUST_CHECK void *mem_try(size_t size); /* not zeroed; NULL when there is none */
void mem_free(void *p);
void mem_wipe(void *p, size_t size); /* not optimised away */

#endif
