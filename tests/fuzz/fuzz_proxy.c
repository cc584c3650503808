/* core/net/proxy.h: every prefix of a header asks for more, what follows a header changes nothing,
 * and what is bad stays bad however much more comes. */
#include "core/net/proxy.h"

#include "tests/fuzz/fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice all = slice(data, size);
    enum proxy_state settled = PROXY_MORE;
    struct proxy_header first = {0};
    for (size_t n = 0; n <= size && n <= PROXY_HEADER_MAX + 1; n++) {
        struct proxy_header h = {0};
        enum proxy_state state = proxy_parse(slice_first(all, n), &h);
        if (settled == PROXY_MORE && state == PROXY_DONE)
            first = h;
        FUZZ_ASSERT(settled == PROXY_MORE || state == settled);
        FUZZ_ASSERT(state != PROXY_DONE ||
                    (h.len <= n && h.len == first.len && h.named == first.named));
        settled = state;
    }
    return 0;
}
