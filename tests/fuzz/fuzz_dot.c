/* core/net/dot.h: what is encoded decodes to itself, however both are cut into pieces; and any
 * octets can be decoded. The first octet of the input is the size of the pieces. */
#include "core/net/dot.h"

#include <stdlib.h>

#include "tests/fuzz/fuzz.h"

struct bytes {
    char *ptr;
    size_t len;
};

static void add(struct bytes *to, struct slice s)
{
    if (s.len)
        memcpy(to->ptr + to->len, s.ptr, s.len);
    to->len += s.len;
}

static void decode_in_pieces(struct slice wire, size_t piece, struct bytes *to)
{
    struct dot_decoder d = {0};
    while (wire.len && !dot_decode_ended(&d)) {
        struct slice in = slice_first(wire, piece);
        size_t before = in.len;
        while (in.len && !dot_decode_ended(&d))
            add(to, dot_decode(&d, &in));
        wire = slice_from(wire, before - in.len);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    size_t piece = 1u + data[0] % 16;
    struct slice content = slice((const char *)data + 1, size - 1), left = content;
    struct bytes wire = {malloc(2 * size + 8), 0}, back = {malloc(2 * size + 8), 0};
    struct dot_encoder e = {0};
    while (left.len) {
        struct slice in = slice_first(left, piece);
        left = slice_from(left, in.len);
        while (in.len)
            add(&wire, dot_encode(&e, &in));
    }
    add(&wire, dot_encode_end(&e));
    decode_in_pieces(slice(wire.ptr, wire.len), piece, &back);
    FUZZ_ASSERT(back.len >= content.len && memcmp(back.ptr, content.ptr, content.len) == 0);
    FUZZ_ASSERT(back.len - content.len <= 2); /* a CRLF, if the last line had none */
    back.len = 0;
    decode_in_pieces(content, piece, &back);
    free(wire.ptr);
    free(back.ptr);
    return 0;
}
