/* lmtp/parse.h: what a line parses to can be printed and parsed again, and no path can break out of
 * a header or a reply. The first octet chooses the grammar. */
#include <inttypes.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "lmtp/parse.h"
#include "tests/fuzz/fuzz.h"

static void check_visible(struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        FUZZ_ASSERT((unsigned char)s.ptr[i] >= 0x20 && s.ptr[i] != 0x7f);
}

static void check_address(struct slice path)
{
    struct arena a;
    struct slice address;
    arena_init(&a, 4096);
    if (lmtp_address(path, &a, &address) == ERR_OK) {
        FUZZ_ASSERT(address.len > 0 && address.len <= path.len);
        check_visible(address);
    }
    arena_reset(&a);
}

static void print(const struct lmtp_args *args, bool mail, struct buf *to)
{
    enum err e = buf_append(to, mail ? SLICE("FROM:<") : SLICE("TO:<"));
    if (!e)
        e = buf_append(to, args->path);
    if (!e)
        e = buf_append_c(to, '>');
    if (!e && args->has_size)
        e = buf_printf(to, " SIZE=%" PRIu64, args->size);
    if (!e && args->has_body)
        e = buf_append(to, SLICE(" BODY=8BITMIME"));
    if (!e && args->smtputf8)
        e = buf_append(to, SLICE(" SMTPUTF8"));
    FUZZ_ASSERT(!e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const grammars[] = {"from", "to", "domain", "?text", "", "chunk"};
    struct slice verb, rest;
    struct lmtp_args args, again;
    if (size == 0 || !lmtp_split(slice((const char *)data + 1, size - 1), &verb, &rest))
        return 0;
    unsigned which = data[0] % 6;
    if (lmtp_parse(rest, grammars[which], &args))
        return 0;
    if (which == 2)
        check_visible(args.text);
    if (which > 1)
        return 0;
    check_visible(args.path);
    check_address(args.path);
    struct buf text;
    buf_init(&text, 4096);
    print(&args, which == 0, &text);
    FUZZ_ASSERT(lmtp_parse(buf_slice(&text), grammars[which], &again) == ERR_OK);
    FUZZ_ASSERT(slice_eq(args.path, again.path) && args.size == again.size &&
                args.has_size == again.has_size && args.smtputf8 == again.smtputf8);
    buf_finish(&text);
    return 0;
}
