/* core/net/outq.h: order, borrowing, settling, partial sends. */
#include "core/net/outq.h"

#include <stdlib.h>

#include "core/base/mem.h"
#include "tests/lib/unit.h"

static size_t take(struct outq *q, char *to, size_t n)
{
    size_t total = 0;
    while (total < n && q->len) {
        struct iovec iov[3];
        int parts = outq_iov(q, iov, 3, n - total);
        size_t got = 0;
        for (int i = 0; i < parts; i++) {
            memcpy(to + total + got, iov[i].iov_base, iov[i].iov_len);
            got += iov[i].iov_len;
        }
        assert_true(got > 0 && got <= n - total);
        outq_sent(q, got);
        total += got;
    }
    return total;
}

static void octets_leave_in_their_order(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    char all[4096], borrowed[2000];
    memset(borrowed, 'b', sizeof borrowed);
    outq_add(&q, SLICE("one "));
    outq_borrow(&q, slice(borrowed, sizeof borrowed));
    outq_add(&q, SLICE(" two"));
    assert_int_equal(q.len, 2008);
    assert_int_equal(q.borrowed, 2000);
    assert_int_equal(take(&q, all, sizeof all), 2008);
    assert_memory_equal(all, "one b", 5);
    assert_memory_equal(all + 2003, "b two", 5);
    assert_int_equal(q.len, 0);
    assert_int_equal(q.borrowed, 0);
    assert_null(q.head);
    outq_finish(&q);
}

static void short_borrows_are_copied(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    char text[8] = "abcdefg", all[8];
    outq_borrow(&q, slice(text, 8));
    assert_int_equal(q.borrowed, 0);
    memset(text, 'x', 8);
    take(&q, all, 8);
    assert_memory_equal(all, "abcdefg", 8);
    outq_finish(&q);
}

static void settle_copies_what_is_left_of_a_borrow(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    char *text = mem_new(5000), all[5000];
    for (unsigned i = 0; i < 5000; i++)
        text[i] = (char)('a' + i % 23);
    outq_add(&q, SLICE("<"));
    outq_borrow(&q, slice(text, 5000));
    outq_add(&q, SLICE(">"));
    assert_int_equal(take(&q, all, 1001), 1001);
    assert_int_equal(q.borrowed, 4000);
    outq_settle(&q);
    assert_int_equal(q.borrowed, 0);
    assert_int_equal(q.len, 4001);
    mem_free(text);
    assert_int_equal(take(&q, all, 5000), 4001);
    for (unsigned i = 0; i < 4000; i++)
        assert_int_equal(all[i], 'a' + (i + 1000) % 23);
    assert_int_equal(all[4000], '>');
    outq_finish(&q);
}

static void iov_respects_both_bounds(void **state)
{
    (void)state;
    struct outq q;
    outq_init(&q);
    char text[1000] = {0};
    for (unsigned i = 0; i < 5; i++)
        outq_borrow(&q, slice(text, sizeof text));
    struct iovec iov[8];
    assert_int_equal(outq_iov(&q, iov, 8, SIZE_MAX), 5);
    assert_int_equal(outq_iov(&q, iov, 2, SIZE_MAX), 2);
    assert_int_equal(outq_iov(&q, iov, 8, 1500), 2);
    assert_int_equal(iov[1].iov_len, 500);
    assert_int_equal(outq_iov(&q, iov, 8, 0), 0);
    outq_finish(&q);
    assert_int_equal(outq_iov(&q, iov, 8, SIZE_MAX), 0);
}

/* Any mixture equals a plain string. */
static void random_operations_equal_a_string(void **state)
{
    (void)state;
    enum { TOTAL = 300000 };
    char *source = mem_new(TOTAL), *sent = mem_new(TOTAL);
    srand(7);
    for (unsigned i = 0; i < TOTAL; i++)
        source[i] = (char)rand();
    struct outq q;
    outq_init(&q);
    size_t in = 0, out = 0;
    while (out < TOTAL) {
        size_t n = (size_t)(rand() % (rand() % 8 ? 60 : 20000));
        if (n > TOTAL - in)
            n = TOTAL - in;
        switch (rand() % 4) {
        case 0:
            outq_add(&q, slice(source + in, n));
            in += n;
            break;
        case 1:
            outq_borrow(&q, slice(source + in, n));
            in += n;
            break;
        case 2:
            outq_settle(&q);
            break;
        default:
            out += take(&q, sent + out, (size_t)(rand() % 9000));
            break;
        }
        assert_int_equal(q.len, in - out);
    }
    assert_memory_equal(source, sent, TOTAL);
    outq_finish(&q);
    mem_free(source);
    mem_free(sent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(octets_leave_in_their_order),
        cmocka_unit_test(short_borrows_are_copied),
        cmocka_unit_test(settle_copies_what_is_left_of_a_borrow),
        cmocka_unit_test(iov_respects_both_bounds),
        cmocka_unit_test(random_operations_equal_a_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
