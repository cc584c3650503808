/* Run at build time: writes the table of casemap.c from the Unicode data of libunistring. For each
 * character that i;unicode-casemap changes (RFC 5051 section 2.3), what it becomes: titlecase, then
 * decomposition until nothing decomposes. Hangul syllables are left to arithmetic.
 * The arrays are those of casemap_table.h. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unicase.h>
#include <uninorm.h>
#include <unistr.h>

#include "core/mime/casemap_table.h"

enum { POINTS = 0x110000, BLOCK = 256, TEXT_MAX = 64, POOL_MAX = 65536, BLOCKS_MAX = 255 };

static uint8_t pool[POOL_MAX];
static size_t pool_len = 1; /* 0 means unchanged */
static uint16_t places[BLOCKS_MAX + 1][BLOCK];
static unsigned blocks = 1;

static void fail(const char *what)
{
    fprintf(stderr, "gen_casemap: %s\n", what);
    exit(1);
}

static size_t decompose(ucs4_t c, uint32_t *to, size_t n)
{
    ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
    int tag;
    int len = uc_decomposition(c, &tag, parts);
    if (len < 0) {
        if (n == TEXT_MAX)
            fail("a text is too long");
        to[n] = c;
        return n + 1;
    }
    for (int i = 0; i < len; i++)
        n = decompose(parts[i], to, n);
    return n;
}

static uint16_t place_of(const uint32_t *text, size_t n)
{
    uint8_t octets[CASEMAP_TEXT_MAX];
    size_t len = 0;
    for (size_t i = 0; i < n; i++) {
        int k = u8_uctomb(octets + len, text[i], (ptrdiff_t)(sizeof octets - len));
        if (k < 0)
            fail("a text is too long");
        len += (size_t)k;
    }
    for (size_t at = 1; at < pool_len; at += 1 + pool[at])
        if (pool[at] == len && memcmp(&pool[at + 1], octets, len) == 0)
            return (uint16_t)at;
    if (pool_len + 1 + len + CASEMAP_SLACK > POOL_MAX)
        fail("the pool is full");
    size_t at = pool_len;
    pool[at] = (uint8_t)len;
    memcpy(&pool[at + 1], octets, len);
    pool_len += 1 + len;
    return (uint16_t)at;
}

static void print_numbers(const char *type, const char *name, const void *from, size_t n,
                          unsigned octets)
{
    printf("const %s %s[%zu] = {", type, name, n);
    for (size_t i = 0; i < n; i++) {
        unsigned v = octets == 2 ? ((const uint16_t *)from)[i] : ((const uint8_t *)from)[i];
        printf("%s%u,", i % 16 ? " " : "\n    ", v);
    }
    printf("\n};\n");
}

int main(void)
{
    static uint8_t page[POINTS / BLOCK];
    for (uint32_t c = 0; c < POINTS; c++) {
        uint32_t text[TEXT_MAX];
        if ((c >= 0xd800 && c <= 0xdfff) || (c >= 0xac00 && c <= 0xd7a3))
            continue;
        size_t n = decompose(uc_totitle(c), text, 0);
        if (n == 1 && text[0] == c)
            continue;
        if (!page[c / BLOCK]) {
            if (blocks > BLOCKS_MAX)
                fail("too many blocks");
            page[c / BLOCK] = (uint8_t)blocks++;
        }
        places[page[c / BLOCK]][c % BLOCK] = place_of(text, n);
    }
    printf("#include \"core/mime/casemap_table.h\"\n\n");
    print_numbers("uint8_t", "casemap_page", page, POINTS / BLOCK, 1);
    print_numbers("uint16_t", "casemap_place", places, (size_t)blocks * BLOCK, 2);
    print_numbers("uint8_t", "casemap_pool", pool, pool_len + CASEMAP_SLACK, 1);
    return 0;
}
