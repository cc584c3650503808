/* imap/frame.h: a stream of octets is cut into the same commands, literals and refusals whether it
 * comes whole, octet by octet, or in two pieces. */
#include "core/base/buf.h"
#include "imap/frame.h"
#include "tests/fuzz/fuzz.h"

static const struct frame_limits limits = {
    .line = 64, .literal = 48, .command = 160, .literals = 4};

/* What it is taken for, as text. A refused literal that comes all the same is passed over. */
static void read_all(struct slice stream, size_t first, size_t step, struct buf *to)
{
    struct frame f = {0};
    size_t from = 0, have = first;
    for (;;) {
        size_t before = f.pos;
        enum frame_verdict v = frame_feed(&f, &limits, slice(stream.ptr + from, have - from));
        FUZZ_ASSERT(f.pos >= before);
        if (v == FRAME_MORE) {
            if (have == stream.len)
                return;
            have = stream.len - have > step ? have + step : stream.len;
            continue;
        }
        if (v == FRAME_OVERLONG) {
            FUZZ_ASSERT(!buf_printf(to, "overlong"));
            return;
        }
        FUZZ_ASSERT(f.pos >= 2 && f.pos <= have - from);
        bool admitted = v == FRAME_LITERAL && frame_admit(&f, &limits) == ERR_OK;
        FUZZ_ASSERT(f.pos <= limits.command);
        FUZZ_ASSERT(!buf_printf(to, "%s %zu %d\n",
                                v == FRAME_DONE ? "done"
                                : admitted      ? "literal"
                                                : "refused",
                                f.pos, f.nonsync));
        if (admitted)
            continue;
        from += f.pos;
        if (v == FRAME_LITERAL && f.nonsync) {
            if (f.literal > stream.len - from)
                return;
            from += f.literal;
            have = have < from ? from : have;
        }
        f = (struct frame){0};
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice stream = slice(data, size);
    size_t cut = size ? data[0] % size : 0;
    struct buf whole, split;
    buf_init(&whole, 64 * size + 64);
    buf_init(&split, 64 * size + 64);
    read_all(stream, size, 1, &whole);
    read_all(stream, 0, 1, &split);
    FUZZ_ASSERT(slice_eq(buf_slice(&whole), buf_slice(&split)));
    buf_consume(&split, split.len);
    read_all(stream, cut, size + 1, &split);
    FUZZ_ASSERT(slice_eq(buf_slice(&whole), buf_slice(&split)));
    buf_finish(&whole);
    buf_finish(&split);
    return 0;
}
