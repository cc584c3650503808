#include "core/mime/code.h"

#include <errno.h>
#include <pthread.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/casemap.h"

static bool fold(const struct code *plain, struct code *ret)
{
    struct buf text;
    buf_init(&text, sizeof ret->octets);
    enum err e = casemap_append(slice(plain->octets, plain->len), &text);
    ret->len = (uint8_t)text.len;
    if (text.len)
        memcpy(ret->octets, text.ptr, text.len);
    buf_finish(&text);
    return !e;
}

bool code_read(iconv_t cd, struct slice octets, struct code *plain, struct code *folded)
{
    uint32_t point;
    char *in = (char *)(uintptr_t)octets.ptr, *out = (char *)&point;
    size_t left = octets.len, room = sizeof point;
    *plain = *folded = (struct code){0};
    if (iconv(cd, &in, &left, &out, &room) == (size_t)-1)
        return errno == EILSEQ && room == sizeof point;
    if (room || point > 0xffff)
        return false;
    plain->len = (uint8_t)utf8_encode(point, plain->octets);
    return fold(plain, folded);
}

static struct code jis[2][CODE_SET * CODE_SET];

static void fill_jis(void)
{
    iconv_t cd = iconv_open("WCHAR_T", "ISO-2022-JP");
    if (cd == (iconv_t)-1)
        return; /* no character then: a converter for this charset is not opened either */
    for (unsigned i = 0; i < CODE_SET * CODE_SET; i++) {
        const char octets[] = {'\x1b', '$', 'B', (char)(0x21 + i / CODE_SET),
                               (char)(0x21 + i % CODE_SET)};
        if (!code_read(cd, slice(octets, sizeof octets), &jis[0][i], &jis[1][i]))
            jis[0][i] = jis[1][i] = (struct code){0};
        iconv(cd, NULL, NULL, NULL, NULL);
    }
    iconv_close(cd);
}

const struct code *code_jis(bool folded)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, fill_jis);
    return jis[folded];
}
