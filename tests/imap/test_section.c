/* imap/section.h: ranges and picked header lines. */
#include "imap/section.h"

#include "core/net/conn.h"
#include "store/store.h"
#include "tests/lib/unit.h"

/* Sending is not what is tested here. */
enum err store_body_map(struct store_body *body, struct store_reader *reader, uint64_t offset,
                        struct iovec *iov, int n, int *ret_n)
{
    (void)body, (void)reader, (void)offset, (void)iov, (void)n, (void)ret_n;
    return ERR_DOWN;
}

static void check_range(uint32_t first, uint32_t count, uint64_t len, uint64_t at, uint64_t end)
{
    struct fetch_section section = {.partial = true, .first = first, .count = count};
    uint64_t got_at, got_end;
    section_range(&section, len, &got_at, &got_end);
    assert_int_equal(got_at, at);
    assert_int_equal(got_end, end);
}

static void partials_end_where_the_text_ends(void **state)
{
    (void)state;
    check_range(0, 10, 100, 0, 10);
    check_range(95, 10, 100, 95, 100);
    check_range(100, 10, 100, 100, 100);
    check_range(9999, 10, 100, 100, 100);
    check_range(UINT32_MAX, UINT32_MAX, 100, 100, 100);
    check_range(1, UINT32_MAX, 100, 1, 100);
    check_range(0, 1, 0, 0, 0);
}

static struct buf pick(bool named, const char *header)
{
    static struct slice fields[] = {
        {"From",    4},
        {"Subject", 7},
        {"X-Long",  6}
    };
    struct fetch_section section = {
        .kind = named ? SECTION_FIELDS : SECTION_FIELDS_NOT, .fields = fields, .nfields = 3};
    struct buf to;
    buf_init(&to, 1000);
    assert_ok(section_pick(&section, slice_str(header), &to));
    return to;
}

static void check_pick(bool named, const char *header, const char *expected)
{
    struct buf got = pick(named, header);
    assert_slice_eq(buf_slice(&got), slice_str(expected));
    buf_finish(&got);
}

static void fields_are_picked_with_their_continuations(void **state)
{
    static const char header[] = "From: a\r\nTo: b\r\n\tc\r\nsubject : x\r\n y\r\n z\r\n"
                                 "X-Longer: no\r\nSUBJECT:again\r\n\r\n";
    (void)state;
    check_pick(true, header, "From: a\r\nsubject : x\r\n y\r\n z\r\nSUBJECT:again\r\n\r\n");
    check_pick(false, header, "To: b\r\n\tc\r\nX-Longer: no\r\n\r\n");
}

static void odd_headers_lose_nothing(void **state)
{
    (void)state;
    check_pick(true, "", "");
    check_pick(true, "\r\n", "\r\n");
    check_pick(false, "no colon\r\nFrom: a\r\n\r\n", "no colon\r\n\r\n");
    check_pick(false, " first line continues nothing\r\n\r\n",
               " first line continues nothing\r\n\r\n");
    check_pick(true, "From: no end", "From: no end");
    check_pick(true, "From: a\r\n", "From: a\r\n");
    check_pick(true, "Subject: x\r\n \r\nFrom: b\r\n\r\n", "Subject: x\r\n \r\nFrom: b\r\n\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(partials_end_where_the_text_ends),
        cmocka_unit_test(fields_are_picked_with_their_continuations),
        cmocka_unit_test(odd_headers_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
