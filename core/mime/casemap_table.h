/* What i;unicode-casemap makes of each character; filled in by gen_casemap.c when it is built. */
#ifndef TANDEM_MIME_CASEMAP_TABLE_H
#define TANDEM_MIME_CASEMAP_TABLE_H

#include <stdint.h>

extern const uint8_t casemap_page[];   /* by character / 256: a block of places; 0: none changes */
extern const uint16_t casemap_place[]; /* 256 a block: where in the pool; 0: it does not change */
extern const uint8_t casemap_pool[];   /* how many octets, then those, in UTF-8 */

#endif
