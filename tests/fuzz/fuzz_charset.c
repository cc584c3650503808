/* core/mime/charset.h, decode.h, casemap.h: any octets, in pieces of any size. What comes out is
 * the same as from the whole, valid UTF-8 where that is promised, and folding it twice changes
 * nothing more than case of what was decomposed; no decoder gives more than it got. */
#include "core/mime/charset.h"

#include "core/base/buf.h"
#include "core/base/utf8.h"
#include "core/mime/casemap.h"
#include "core/mime/decode.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/cpu.h"

static const struct {
    const char *name;
    bool states; /* iconv reads what is broken differently when it is cut elsewhere */
} charsets[] = {
    {"",             false},
    {"utf-8",        false},
    {"us-ascii",     false},
    {"iso-8859-1",   false},
    {"gb2312",       false},
    {"big5",         false},
    {"x-sjis",       false},
    {"iso-2022-jp",  true },
    {"utf-7",        true },
    {"koi8-r",       false},
    {"euc-kr",       false},
    {"windows-1255", false},
    {"utf-16",       true },
    {"iso-8859-8-i", false},
};

static void convert(const char *name, bool fold, struct slice octets, size_t piece, struct buf *to)
{
    struct charset *c = charset_open(slice_str(name));
    if (!c)
        return; /* this C library does not have it */
    if (fold)
        charset_fold(c);
    for (size_t at = 0; at < octets.len; at += piece)
        FUZZ_ASSERT(charset_put(c, slice_first(slice_from(octets, at), piece), to) == ERR_OK);
    FUZZ_ASSERT(charset_end(c, to) == ERR_OK);
    charset_close(c);
}

/* Folded on the way is folded behind. */
static void check_fold(const char *name, struct slice octets, size_t piece, struct slice utf8)
{
    struct buf on_the_way, behind;
    buf_init(&on_the_way, SIZE_MAX);
    buf_init(&behind, SIZE_MAX);
    convert(name, true, octets, piece, &on_the_way);
    FUZZ_ASSERT(casemap_append(utf8, &behind) == ERR_OK);
    FUZZ_ASSERT(slice_eq(buf_slice(&on_the_way), buf_slice(&behind)));
    buf_finish(&on_the_way);
    buf_finish(&behind);
}

static void decode(enum mime_encoding encoding, struct slice octets, size_t piece, struct buf *to)
{
    struct decoder d;
    decoder_init(&d, encoding);
    for (size_t at = 0; at < octets.len; at += piece) {
        FUZZ_ASSERT(decoder_put(&d, slice_first(slice_from(octets, at), piece), to) == ERR_OK);
        FUZZ_ASSERT(to->len <= at + piece);
    }
    FUZZ_ASSERT(decoder_end(&d, to) == ERR_OK);
    FUZZ_ASSERT(to->len <= octets.len);
}

static void check_header(struct slice value)
{
    struct buf out, folded;
    buf_init(&out, SIZE_MAX);
    buf_init(&folded, SIZE_MAX);
    FUZZ_ASSERT(charset_header(value, &out) == ERR_OK);
    FUZZ_ASSERT(utf8_valid(buf_slice(&out)));
    FUZZ_ASSERT(casemap_append(buf_slice(&out), &folded) == ERR_OK);
    FUZZ_ASSERT(utf8_valid(buf_slice(&folded)));
    out.len = 0;
    FUZZ_ASSERT(charset_parameter(value, &out) == ERR_OK);
    FUZZ_ASSERT(utf8_valid(buf_slice(&out)));
    folded.len = 0;
    FUZZ_ASSERT(casemap_append(value, &folded) == ERR_OK);
    buf_finish(&out);
    buf_finish(&folded);
}

static void check_time(struct slice value)
{
    enum { TIMES = 32 };
    struct buf b, out;
    buf_init(&b, SIZE_MAX);
    buf_init(&out, SIZE_MAX);
    for (unsigned i = 0; i < TIMES; i++)
        FUZZ_ASSERT(buf_append(&b, value) == ERR_OK);
    uint64_t from = cpu_ns();
    FUZZ_ASSERT(charset_header(buf_slice(&b), &out) == ERR_OK);
    FUZZ_ASSERT(cpu_ns() - from < 100000000 + (uint64_t)b.len * 10000);
    buf_finish(&b);
    buf_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 2)
        return 0;
    struct slice rest = slice(data + 2, size - 2);
    size_t which = data[0] % (sizeof charsets / sizeof *charsets);
    size_t piece = 1 + data[1] % 16;
    struct buf whole, pieces;
    buf_init(&whole, SIZE_MAX);
    buf_init(&pieces, SIZE_MAX);
    convert(charsets[which].name, false, rest, rest.len + 1, &whole);
    convert(charsets[which].name, false, rest, piece, &pieces);
    check_fold(charsets[which].name, rest, piece, buf_slice(&pieces));
    FUZZ_ASSERT(charsets[which].states || slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    FUZZ_ASSERT(utf8_valid(buf_slice(&whole)) && utf8_valid(buf_slice(&pieces)));
    for (int encoding = MIME_BASE64; encoding <= MIME_QP; encoding++) {
        whole.len = pieces.len = 0;
        decode((enum mime_encoding)encoding, rest, rest.len + 1, &whole);
        decode((enum mime_encoding)encoding, rest, piece, &pieces);
        FUZZ_ASSERT(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    }
    buf_finish(&whole);
    buf_finish(&pieces);
    check_header(rest);
    if (data[1] % 16 == 0)
        check_time(rest);
    return 0;
}
