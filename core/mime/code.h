/* What a code of a charset means, as tables have it: read once from iconv(3), which is right but
 * slow. Inside core/mime. */
#ifndef TANDEM_MIME_CODE_H
#define TANDEM_MIME_CODE_H

#include <iconv.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/slice.h"

enum { CODE_MAX = 11, CODE_SET = 94 };

/* In UTF-8. len 0: no character. Copying all octets and taking `len` of them is the quick way. */
struct code {
    uint8_t len;
    char octets[CODE_MAX];
};

/* These octets as one character, as it is and folded, by a converter to WCHAR_T. False: they are
 * not one whole character and nothing else, or it does not fit. */
bool code_read(iconv_t cd, struct slice octets, struct code *plain, struct code *folded);

/* JIS X 0208, to which ISO-2022-JP shifts (RFC 1468): by (row - 0x21) * CODE_SET + cell - 0x21.
 * Filled when it is first asked for, which takes 2 ms. Any thread. */
const struct code *code_jis(bool fold);

#endif
