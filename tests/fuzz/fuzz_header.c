/* core/mime/header.h: any octets. Fields lie in the header in their order and do not overlap; a
 * digest walks to the same fields again; ids hold no angle bracket that was not quoted. */
#include "core/mime/header.h"

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "tests/fuzz/fuzz.h"

static void check_field(struct slice header, const struct header_field *f, const char **at)
{
    FUZZ_ASSERT(f->lines.ptr >= *at);
    *at = f->lines.ptr + f->lines.len;
    FUZZ_ASSERT(*at <= header.ptr + header.len);
    FUZZ_ASSERT(f->name.len > 0 && f->name.ptr == f->lines.ptr);
    FUZZ_ASSERT(f->value.ptr + f->value.len <= *at);
    struct arena a;
    struct slice line;
    arena_init(&a, 1 << 20);
    if (header_unfold(&a, f->value, &line) == ERR_OK)
        FUZZ_ASSERT(line.len <= f->value.len && slice_find(line, '\n') == line.len);
    arena_reset(&a);
    struct header_msgids m;
    struct slice id;
    header_msgids_init(&m, f->value);
    while (header_msgids_next(&m, &id))
        FUZZ_ASSERT(id.len > 0 && id.len <= HEADER_MSGID_MAX);
    int64_t time;
    int32_t zone;
    if (header_date(f->value, &time, &zone))
        FUZZ_ASSERT(zone > -6000 && zone < 6000);
}

static void check_digest(struct slice header)
{
    struct buf digest;
    buf_init(&digest, HEADER_DIGEST_MAX);
    if (header_digest(header, header.len, &digest) == ERR_OK) {
        struct header_walk whole;
        struct header_walk kept;
        struct header_field f;
        struct header_field g;
        header_walk_init(&whole, header, header.len);
        header_walk_init(&kept, buf_slice(&digest), digest.len);
        while (header_next(&whole, &f)) {
            if (!header_in_digest(f.name))
                continue;
            FUZZ_ASSERT(header_next(&kept, &g));
            FUZZ_ASSERT(slice_eq(f.lines, g.lines));
        }
        FUZZ_ASSERT(!header_next(&kept, &g));
    }
    buf_finish(&digest);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice message = slice(data, size);
    bool ended;
    size_t n = header_length(message, &ended);
    FUZZ_ASSERT(n <= size && (ended || n == size));
    struct slice header = slice_first(message, n);
    struct header_walk w;
    struct header_field f;
    const char *at = header.ptr;
    unsigned fields = 0;
    header_walk_init(&w, message, size); /* the same fields as in the header alone */
    while (header_next(&w, &f))
        fields++;
    header_walk_init(&w, header, n);
    while (header_next(&w, &f)) {
        check_field(header, &f, &at);
        fields--;
    }
    FUZZ_ASSERT(fields == 0 && !w.cut);
    check_digest(header);
    return 0;
}
