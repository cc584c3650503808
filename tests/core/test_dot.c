/* core/net/dot.h: every text over {CR, LF, '.', 'a'} up to 7 octets, in every split in two. */
#include "core/net/dot.h"

#include "core/base/buf.h"
#include "tests/lib/unit.h"

enum { TEXT_MAX = 7 };

static void put(struct buf *to, struct slice s)
{
    assert_ok(buf_append(to, s));
}

static void encode_piece(struct dot_encoder *e, struct slice in, struct buf *to)
{
    while (in.len)
        put(to, dot_encode(e, &in));
}

/* Returns what was left behind the end. */
static struct slice decode_piece(struct dot_decoder *d, struct slice in, struct buf *to)
{
    while (in.len && !dot_decode_ended(d))
        put(to, dot_decode(d, &in));
    return in;
}

/* The definition, octet by octet: no state but what has been written. */
static void encode_plainly(struct slice s, struct buf *to)
{
    for (size_t i = 0; i < s.len; i++) {
        bool line = i == 0 || (i >= 2 && s.ptr[i - 2] == '\r' && s.ptr[i - 1] == '\n');
        if (line && s.ptr[i] == '.')
            put(to, SLICE("."));
        put(to, slice(s.ptr + i, 1));
    }
    bool line = s.len == 0 || (s.len >= 2 && memcmp(s.ptr + s.len - 2, "\r\n", 2) == 0);
    if (!line)
        put(to, SLICE("\r\n"));
    put(to, SLICE(".\r\n"));
}

/* Where the data end in `s`: behind the first CRLF.CRLF, or a leading .CRLF; 0: they do not. */
static size_t plain_end(struct slice s)
{
    if (s.len >= 3 && memcmp(s.ptr, ".\r\n", 3) == 0)
        return 3;
    const char *at = s.len >= 5 ? memmem(s.ptr, s.len, "\r\n.\r\n", 5) : NULL;
    return at ? (size_t)(at - s.ptr) + 5 : 0;
}

static bool next_text(char *text, size_t *len)
{
    static const char order[] = "\r\n.a";
    for (size_t i = 0; i < *len; i++) {
        const char *at = strchr(order, text[i]);
        if (at[1]) {
            text[i] = at[1];
            return true;
        }
        text[i] = order[0];
    }
    text[(*len)++] = order[0];
    return *len <= TEXT_MAX;
}

static void encoding_is_the_definition_in_any_split(void **state)
{
    (void)state;
    char text[TEXT_MAX + 1];
    size_t len = 0;
    struct buf want, got;
    buf_init(&want, 256);
    buf_init(&got, 256);
    do {
        struct slice s = slice(text, len);
        want.len = 0;
        encode_plainly(s, &want);
        for (size_t cut = 0; cut <= len; cut++) {
            struct dot_encoder e = {0};
            got.len = 0;
            encode_piece(&e, slice(text, cut), &got);
            encode_piece(&e, slice_from(s, cut), &got);
            put(&got, dot_encode_end(&e));
            assert_slice_eq(buf_slice(&got), buf_slice(&want));
        }
    } while (next_text(text, &len));
    buf_finish(&want);
    buf_finish(&got);
}

static void decoding_undoes_encoding_in_any_split(void **state)
{
    (void)state;
    char text[TEXT_MAX + 1];
    size_t len = 0;
    struct buf wire, want, got;
    buf_init(&wire, 256);
    buf_init(&want, 256);
    buf_init(&got, 256);
    do {
        wire.len = 0;
        encode_plainly(slice(text, len), &wire);
        want.len = 0;
        put(&want, slice(text, len));
        if (len && (len < 2 || memcmp(text + len - 2, "\r\n", 2) != 0))
            put(&want, SLICE("\r\n")); /* the last line was completed */
        for (size_t cut = 0; cut <= wire.len; cut++) {
            struct dot_decoder d = {0};
            got.len = 0;
            struct slice left = decode_piece(&d, slice(wire.ptr, cut), &got);
            assert_true(cut == wire.len ? dot_decode_ended(&d) : !dot_decode_ended(&d));
            if (cut < wire.len)
                left = decode_piece(&d, slice_from(buf_slice(&wire), cut), &got);
            assert_true(dot_decode_ended(&d));
            assert_int_equal(left.len, 0);
            assert_slice_eq(buf_slice(&got), buf_slice(&want));
        }
    } while (next_text(text, &len));
    buf_finish(&wire);
    buf_finish(&want);
    buf_finish(&got);
}

static void only_crlf_dot_crlf_ends(void **state)
{
    (void)state;
    char text[TEXT_MAX + 1];
    size_t len = 0;
    struct buf got;
    buf_init(&got, 256);
    do {
        struct slice s = slice(text, len);
        size_t end = plain_end(s);
        for (size_t cut = 0; cut <= len; cut++) {
            struct dot_decoder d = {0};
            got.len = 0;
            struct slice left = decode_piece(&d, slice(text, cut), &got);
            size_t used = cut - left.len;
            if (!dot_decode_ended(&d)) {
                left = decode_piece(&d, slice_from(s, cut), &got);
                used = len - left.len;
            }
            assert_int_equal(dot_decode_ended(&d), end != 0);
            assert_int_equal(used, end ? end : len);
        }
    } while (next_text(text, &len));
    buf_finish(&got);
}

static void smuggled_ends_are_content(void **state)
{
    (void)state;
    static const char *const not_ends[] = {"a\n.\n",     "a\n.\r\n",     "a\r.\r",
                                           "a\r\n.\n",   "a\r\n.\r",     "a\r\n.\r\r\n",
                                           "a\n\r.\r\n", "a\r\n\0.\r\n", "a\r\n.\0\r\n"};
    static const size_t lens[] = {4, 5, 4, 5, 5, 7, 6, 7, 7};
    struct buf got;
    buf_init(&got, 64);
    for (size_t i = 0; i < sizeof not_ends / sizeof *not_ends; i++) {
        struct dot_decoder d = {0};
        decode_piece(&d, slice(not_ends[i], lens[i]), &got);
        assert_false(dot_decode_ended(&d));
    }
    buf_finish(&got);
}

static void what_follows_the_end_is_left(void **state)
{
    (void)state;
    struct dot_decoder d = {0};
    struct buf got;
    buf_init(&got, 64);
    struct slice left = decode_piece(&d, SLICE("..a\r\n.\r\nQUIT\r\n"), &got);
    assert_slice(buf_slice(&got), ".a\r\n");
    assert_slice(left, "QUIT\r\n");
    buf_finish(&got);
}

static void a_message_without_dots_is_one_run(void **state)
{
    (void)state;
    struct dot_encoder e = {0};
    struct slice in = SLICE("one\r\ntwo\nthree\rfour.\r\n\r\nend\r\n");
    struct slice all = in;
    assert_slice_eq(dot_encode(&e, &in), all);
    assert_int_equal(in.len, 0);
    assert_slice(dot_encode_end(&e), ".\r\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(encoding_is_the_definition_in_any_split),
        cmocka_unit_test(decoding_undoes_encoding_in_any_split),
        cmocka_unit_test(only_crlf_dot_crlf_ends),
        cmocka_unit_test(smuggled_ends_are_content),
        cmocka_unit_test(what_follows_the_end_is_left),
        cmocka_unit_test(a_message_without_dots_is_one_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
