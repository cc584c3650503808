/* core/mime/mime.h, parts.h: any octets, in pieces of any size. The tree is that of the whole; rows
 * keep the rules of their table; each part lies in its parent; limits hold; every section that is
 * found lies in the message; what is repeated does not take the square of the time. */
#include "core/mime/mime.h"

#include "core/base/buf.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/cpu.h"

static void table_of(struct slice message, size_t piece, const struct mime_limits *limits,
                     struct buf *to)
{
    struct mime_scan *scan = mime_scan_begin(limits);
    for (size_t at = 0; at < message.len; at += piece)
        mime_scan_feed(scan, slice_first(slice_from(message, at), piece));
    FUZZ_ASSERT(mime_table(mime_scan_end(scan), to) == ERR_OK);
    mime_scan_free(scan);
}

static void check_rows(struct slice table, size_t size, const struct mime_limits *limits)
{
    struct mime_part part, parent;
    FUZZ_ASSERT(mime_rows(table) >= 1 && mime_rows(table) <= limits->parts + 1);
    FUZZ_ASSERT(mime_row(table, 0, &part) == ERR_OK);
    FUZZ_ASSERT(part.hdr_off == 0 && part.body_off + part.body_len == size);
    for (size_t i = 1; i < mime_rows(table); i++) {
        unsigned depth = 1;
        FUZZ_ASSERT(mime_row(table, i, &part) == ERR_OK);
        FUZZ_ASSERT(mime_row(table, part.parent, &parent) == ERR_OK);
        FUZZ_ASSERT(parent.kind == MIME_MULTIPART || parent.kind == MIME_MESSAGE);
        FUZZ_ASSERT(part.hdr_off >= parent.body_off);
        FUZZ_ASSERT(part.body_off + part.body_len <= parent.body_off + parent.body_len);
        FUZZ_ASSERT(part.lines <= part.body_len && part.lines <= parent.lines);
        for (size_t at = i; at; depth++) {
            FUZZ_ASSERT(mime_row(table, at, &part) == ERR_OK);
            at = part.parent;
        }
        FUZZ_ASSERT(depth <= limits->depth);
    }
}

static void check_sections(struct slice table, size_t size, const uint8_t *numbers)
{
    for (int what = MIME_WHAT_ALL; what <= MIME_WHAT_TEXT; what++)
        for (size_t n = 0; n <= 3; n++) {
            uint32_t number[3] = {numbers[0] % 4, numbers[1] % 4, numbers[2] % 4}, at, len;
            if (mime_section(table, number, n, (enum mime_what)what, &at, &len, NULL) == ERR_OK)
                FUZZ_ASSERT(at <= size && len <= size - at);
        }
}

static void check_time(struct slice message, const struct mime_limits *limits)
{
    enum { TIMES = 32 };
    uint64_t from = cpu_ns();
    struct mime_scan *scan = mime_scan_begin(limits);
    for (unsigned i = 0; i < TIMES; i++)
        mime_scan_feed(scan, message);
    mime_scan_end(scan);
    mime_scan_free(scan);
    FUZZ_ASSERT(cpu_ns() - from < 50000000 + (uint64_t)message.len * TIMES * 5000);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    struct mime_limits limits = {2 + data[0] % 8, 1 + data[1] % 16, 64 + 16 * data[2], 100};
    struct slice message = slice(data + 4, size - 4);
    struct buf whole, pieces;
    buf_init(&whole, SIZE_MAX);
    buf_init(&pieces, SIZE_MAX);
    table_of(message, message.len + 1, &limits, &whole);
    table_of(message, 1 + data[3] % 16, &limits, &pieces);
    FUZZ_ASSERT(slice_eq(buf_slice(&whole), buf_slice(&pieces)));
    check_rows(buf_slice(&whole), message.len, &limits);
    check_sections(buf_slice(&whole), message.len, data);
    if (data[3] % 16 == 0)
        check_time(message, &limits);
    buf_finish(&whole);
    buf_finish(&pieces);
    return 0;
}
