/* cmd/mail/record.h: any octets as a stream. What can be read is written again the same way. */
#include "cmd/mail/record.h"

#include <string.h>

#include "core/base/mem.h"
#include "tests/fuzz/fuzz.h"

struct input {
    struct slice rest;
};

static ssize_t read_some(void *arg, char *to, size_t cap)
{
    struct input *input = arg;
    struct slice now = slice_first(input->rest, cap < 7 ? cap : 7);
    if (now.len)
        memcpy(to, now.ptr, now.len);
    input->rest = slice_from(input->rest, now.len);
    return (ssize_t)now.len;
}

static bool compare(void *arg, struct slice octets)
{
    struct slice *expected = arg;
    FUZZ_ASSERT(slice_starts(*expected, octets));
    *expected = slice_from(*expected, octets.len);
    return true;
}

static void decode(const struct record *record, struct arena *arena)
{
    struct record_total total;
    struct record_mailbox mailbox;
    struct record_message message;
    if (record->type == RECORD_TOTAL && record_get_total(record->payload, arena, &total))
        FUZZ_ASSERT(total.messages <= INT64_MAX);
    if (record->type == RECORD_MAILBOX && record_get_mailbox(record->payload, arena, &mailbox))
        FUZZ_ASSERT(mailbox.path.len);
    if (record->type == RECORD_MESSAGE && record_get_message(record->payload, arena, &message))
        FUZZ_ASSERT(message.id.len && message.nkeywords <= RECORD_KEYWORDS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {slice(data, size)};
    struct slice expected = input.rest;
    struct record_in *in = mem_new(sizeof *in);
    struct record_out *out = mem_new(sizeof *out);
    struct record record;
    struct arena arena;
    arena_init(&arena, 1 << 20);
    record_in_init(in, read_some, &input);
    record_out_init(out, compare, &expected);
    while (record_next(in, &record)) {
        decode(&record, &arena);
        record_put(out, record.type, record.payload);
        arena_reset(&arena);
    }
    record_flush(out);
    mem_free(in);
    mem_free(out);
    return 0;
}
