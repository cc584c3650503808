/* What a message becomes on its way in, however its octets are cut. */
#include "store/incoming.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "tests/lib/unit.h"
#include "tests/store/home.h"

enum { ROUNDS = 2000, OCTETS_MAX = 400 };

/* What a message is to be, found an octet at a time. */
struct expected {
    struct buf octets;
    uint32_t lines, hdr_len;
    bool has_nul, eight_bit;
};

static void expect_of(struct slice message, struct expected *ret)
{
    size_t line_at = 0;
    *ret = (struct expected){0};
    buf_init(&ret->octets, SIZE_MAX);
    for (size_t i = 0; i < message.len; i++) {
        char c = message.ptr[i];
        ret->has_nul |= c == '\0';
        ret->eight_bit |= (unsigned char)c >= 0x80;
        if (c == '\n' && (i == 0 || message.ptr[i - 1] != '\r'))
            assert_ok(buf_append_c(&ret->octets, '\r'));
        assert_ok(buf_append_c(&ret->octets, c));
        if (c != '\n')
            continue;
        ret->lines++;
        if (!ret->hdr_len && ret->octets.len - line_at == 2)
            ret->hdr_len = (uint32_t)ret->octets.len;
        line_at = ret->octets.len;
    }
    if (!ret->hdr_len)
        ret->hdr_len = (uint32_t)ret->octets.len;
}

/* Mostly text; what matters to the way in often enough to meet itself. */
static struct slice random_message(char *to)
{
    static const char *const pieces[] = {"\r\n", "\r\n",     "\n", "\r", "\n\n", "\r\n\r\n",
                                         "a",    "a line b", "-",  "\r", ": ",   "\xc3\xa9"};
    size_t n = 0, most = (size_t)rand() % OCTETS_MAX;
    while (n < most) {
        const char *piece = pieces[(size_t)rand() % (sizeof pieces / sizeof *pieces)];
        bool nul = rand() % 200 == 0;
        size_t len = nul ? 1 : strlen(piece);
        memcpy(to + n, nul ? "" : piece, len);
        n += len;
    }
    return slice(to, n);
}

static void check(struct home *home, struct slice message, size_t cut_max)
{
    struct expected expected;
    struct store_incoming *in;
    expect_of(message, &expected);
    assert_ok(store_incoming_new(home->account, 1 << 20, &in));
    for (struct slice left = message; left.len;) {
        struct slice piece = slice_first(left, 1 + (size_t)rand() % cut_max);
        assert_ok(store_incoming_write(in, piece));
        left = slice_from(left, piece.len);
    }
    incoming_seal(in);
    assert_slice_eq(slice(in->buffer, in->len), buf_slice(&expected.octets));
    assert_int_equal(in->facts.size, expected.octets.len);
    assert_int_equal(in->facts.lines, expected.lines);
    assert_int_equal(in->facts.hdr_len, expected.hdr_len);
    assert_int_equal(in->facts.has_nul, expected.has_nul);
    assert_int_equal(in->facts.eight_bit, expected.eight_bit);
    store_incoming_free(in);
    buf_finish(&expected.octets);
}

static void every_line_gets_crlf_however_it_is_cut(void **state)
{
    char message[OCTETS_MAX + 16];
    srand(7);
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct slice octets = random_message(message);
        check(*state, octets, 1);
        check(*state, octets, 1 + (size_t)rand() % 40);
        check(*state, octets, SIZE_MAX / 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_line_gets_crlf_however_it_is_cut, home_setup,
                                        home_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
