/* core/mime/envelope.h, address.h: any message. ENVELOPE, BODYSTRUCTURE and BODY read back by the
 * formal syntax of RFC 3501; a body for each row of the table; a list of addresses is walked in
 * time that its length bounds, and its groups are closed. */
#include "core/mime/envelope.h"

#include "core/base/buf.h"
#include "core/mime/address.h"
#include "tests/fuzz/fuzz.h"
#include "tests/lib/cpu.h"
#include "tests/lib/structure_check.h"

static void check_message(struct slice message, const struct mime_limits *limits)
{
    struct buf envelope, structure, cuts, body;
    struct slice piece;
    size_t bodies;
    struct mime_scan *scan = mime_scan_begin(limits);
    buf_init(&envelope, SIZE_MAX);
    buf_init(&structure, SIZE_MAX);
    buf_init(&cuts, SIZE_MAX);
    buf_init(&body, SIZE_MAX);
    mime_scan_feed(scan, message);
    const struct mime_tree *tree = mime_scan_end(scan);
    FUZZ_ASSERT(mime_envelope(tree, &envelope) == ERR_OK);
    FUZZ_ASSERT(mime_structure(tree, &structure, &cuts) == ERR_OK);
    FUZZ_ASSERT(check_envelope_syntax(buf_slice(&envelope)));
    FUZZ_ASSERT(check_body_syntax(buf_slice(&structure), true, &bodies));
    FUZZ_ASSERT(bodies == tree->n && cuts.len == tree->n * MIME_CUT);
    struct mime_body_walk walk = {buf_slice(&structure), buf_slice(&cuts), 0};
    while (mime_body_next(&walk, &piece))
        FUZZ_ASSERT(buf_append(&body, piece) == ERR_OK);
    FUZZ_ASSERT(check_body_syntax(buf_slice(&body), false, &bodies));
    FUZZ_ASSERT(bodies == tree->n);
    buf_finish(&envelope);
    buf_finish(&structure);
    buf_finish(&cuts);
    buf_finish(&body);
    mime_scan_free(scan);
}

static void check_addresses(struct slice value)
{
    struct address_walk w;
    struct address a;
    size_t n = 0;
    bool in_group = false;
    address_walk_init(&w, value);
    while (address_next(&w, &a)) {
        FUZZ_ASSERT(++n <= value.len + 1);
        FUZZ_ASSERT((a.kind == ADDRESS_GROUP_END) <= in_group);
        FUZZ_ASSERT((a.kind == ADDRESS_GROUP) <= !in_group);
        in_group = a.kind == ADDRESS_GROUP || (in_group && a.kind == ADDRESS_MAILBOX);
        FUZZ_ASSERT(a.name.len <= 2 * value.len && a.mailbox.len <= 2 * value.len);
    }
    FUZZ_ASSERT(!in_group);
    address_walk_finish(&w);
}

static void check_time(struct slice value)
{
    enum { TIMES = 32 };
    struct buf b;
    struct address_walk w;
    struct address a;
    buf_init(&b, SIZE_MAX);
    for (unsigned i = 0; i < TIMES; i++)
        FUZZ_ASSERT(buf_append(&b, value) == ERR_OK);
    uint64_t from = cpu_ns();
    address_walk_init(&w, buf_slice(&b));
    while (address_next(&w, &a))
        ;
    address_walk_finish(&w);
    FUZZ_ASSERT(cpu_ns() - from < 50000000 + (uint64_t)b.len * 5000);
    buf_finish(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size < 4)
        return 0;
    struct mime_limits limits = {2 + data[0] % 8, 1 + data[1] % 16, 64 + 16 * data[2],
                                 1 + data[3] % 32};
    struct slice rest = slice(data + 4, size - 4);
    check_message(rest, &limits);
    check_addresses(rest);
    if (data[3] % 16 == 0)
        check_time(rest);
    return 0;
}
