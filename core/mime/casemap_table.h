/* What i;unicode-casemap makes of each character; filled in by gen_casemap.c when it is built. */
#ifndef TANDEM_MIME_CASEMAP_TABLE_H
#define TANDEM_MIME_CASEMAP_TABLE_H

#include <stdint.h>

enum { CASEMAP_TEXT_MAX = 36, CASEMAP_SLACK = 8 };

extern const uint8_t casemap_page[];   /* by character / 256: a block of places; 0: none changes */
extern const uint16_t casemap_place[]; /* 256 a block: where in the pool; 0: it does not change */
extern const uint8_t casemap_pool[];   /* how many octets, at most CASEMAP_TEXT_MAX, then those, in
                                        * UTF-8; and   CASEMAP_SLACK octets more */

#endif
