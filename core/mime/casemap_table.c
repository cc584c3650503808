/* Built and run by the build: prints the table of i;unicode-casemap (RFC 5051 section 2.3), for
 * every character that changes: its titlecase form, decomposed until nothing is left to decompose.
 */
#include <stdint.h>
#include <stdio.h>
#include <unicase.h>
#include <uninorm.h>

enum { LAST = 0x1ffff, FORM_MAX = 32 };

/* Full decomposition of one character, as often as there is one. */
static int decompose(ucs4_t c, ucs4_t *to)
{
    ucs4_t parts[UC_DECOMPOSITION_MAX_LENGTH];
    int tag, n = uc_decomposition(c, &tag, parts), count = 0;
    if (n <= 0) {
        to[0] = c;
        return 1;
    }
    for (int i = 0; i < n; i++)
        count += decompose(parts[i], to + count);
    return count;
}

static int utf8(ucs4_t c, unsigned char *to)
{
    if (c < 0x80) {
        to[0] = (unsigned char)c;
        return 1;
    }
    int n = c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;
    for (int i = n - 1; i > 0; i--, c >>= 6)
        to[i] = (unsigned char)(0x80 | (c & 0x3f));
    to[0] = (unsigned char)(c | (n == 2 ? 0xc0 : n == 3 ? 0xe0 : 0xf0));
    return n;
}

int main(void)
{
    printf("/* Made by casemap_table.c. */\n");
    for (ucs4_t c = 0x80; c <= LAST; c++) {
        ucs4_t form[FORM_MAX];
        unsigned char octets[4 * FORM_MAX];
        if ((c >= 0xd800 && c < 0xe000) || (c >= 0xac00 && c < 0xd7a4))
            continue; /* surrogates; Hangul is computed */
        int n = decompose(uc_totitle(c), form), len = 0;
        if (n == 1 && form[0] == c)
            continue;
        for (int i = 0; i < n; i++)
            len += utf8(form[i], octets + len);
        printf("{0x%x, \"", (unsigned)c);
        for (int i = 0; i < len; i++)
            printf("\\%03o", octets[i]);
        printf("\"},\n");
    }
    return 0;
}
