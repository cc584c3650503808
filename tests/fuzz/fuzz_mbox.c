/* cmd/mail/mbox.h: any octets. Each step takes some off the front, messages lie in the file in
 * their order, and what comes out of one is no longer than what went in. */
#include "cmd/mail/mbox.h"

#include "tests/fuzz/fuzz.h"

static void count(void *arg, struct slice octets)
{
    *(size_t *)arg += octets.len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice rest = slice(data, size);
    const char *at = rest.ptr;
    struct mbox_message message;
    size_t before = rest.len;
    while (mbox_next(&rest, &message)) {
        FUZZ_ASSERT(rest.len < before);
        before = rest.len;
        if (!message.header.len)
            continue;
        size_t out = 0;
        FUZZ_ASSERT(message.header.ptr >= at);
        FUZZ_ASSERT(message.text.ptr == message.header.ptr + message.header.len);
        FUZZ_ASSERT(message.text.ptr + message.text.len <= (const char *)data + size);
        mbox_each(&message, count, &out);
        FUZZ_ASSERT(out <= message.header.len + message.text.len);
        FUZZ_ASSERT(message.nkeywords <= MBOX_KEYWORDS_MAX);
        at = message.text.ptr + message.text.len;
    }
    return 0;
}
