/* core/net/proxy.h: PROXY protocol, versions 1 and 2. */
#include "core/net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "tests/lib/unit.h"

#define V2 "\r\n\r\n\0\r\nQUIT\n"

/* Every prefix asks for more; with something behind it the header is the same. */
static struct proxy_header whole(struct slice text)
{
    struct proxy_header h = {0}, again = {0};
    char buffer[512];
    assert_true(text.len + 4 < sizeof buffer);
    for (size_t n = 0; n < text.len; n++)
        if (proxy_parse(slice_first(text, n), &h) != PROXY_MORE)
            fail_msg("not MORE after %zu of %zu octets", n, text.len);
    assert_int_equal(proxy_parse(text, &h), PROXY_DONE);
    assert_int_equal(h.len, text.len);
    memcpy(buffer, text.ptr, text.len);
    memcpy(buffer + text.len, "TLS!", 4);
    assert_int_equal(proxy_parse(slice(buffer, text.len + 4), &again), PROXY_DONE);
    assert_int_equal(again.len, text.len);
    return h;
}

static void bad(struct slice text)
{
    struct proxy_header h;
    if (proxy_parse(text, &h) != PROXY_BAD) {
        unit_print_slice("not BAD", text);
        fail();
    }
}

static void assert_ipv4(const struct sockaddr_storage *address, const char *text, unsigned port)
{
    const struct sockaddr_in *in = (const struct sockaddr_in *)address;
    char host[INET_ADDRSTRLEN];
    assert_int_equal(in->sin_family, AF_INET);
    assert_string_equal(inet_ntop(AF_INET, &in->sin_addr, host, sizeof host), text);
    assert_int_equal(ntohs(in->sin_port), port);
}

static void assert_ipv6(const struct sockaddr_storage *address, const char *text, unsigned port)
{
    const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
    char host[INET6_ADDRSTRLEN];
    assert_int_equal(in6->sin6_family, AF_INET6);
    assert_string_equal(inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof host), text);
    assert_int_equal(ntohs(in6->sin6_port), port);
}

static void version_1_names_both_ends(void **state)
{
    (void)state;
    struct proxy_header h = whole(SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 50123 143\r\n"));
    assert_true(h.named);
    assert_ipv4(&h.source, "192.0.2.1", 50123);
    assert_ipv4(&h.target, "198.51.100.7", 143);
    h = whole(SLICE("PROXY TCP6 2001:db8::1 2001:db8::2 1 65535\r\n"));
    assert_ipv6(&h.source, "2001:db8::1", 1);
    assert_ipv6(&h.target, "2001:db8::2", 65535);
}

static void version_1_unknown_keeps_the_socket_s_addresses(void **state)
{
    (void)state;
    assert_false(whole(SLICE("PROXY UNKNOWN\r\n")).named);
    assert_false(whole(SLICE("PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n")).named);
}

static void version_1_refuses_what_is_not_exact(void **state)
{
    (void)state;
    bad(SLICE("* OK hello\r\n"));
    bad(SLICE("PROXX"));
    bad(SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 50123\r\n"));
    bad(SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 50123 143 1\r\n"));
    bad(SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 50123 65536\r\n"));
    bad(SLICE("PROXY TCP4 192.0.2.1 198.51.100.7 50123 143\n"));
    bad(SLICE("PROXY TCP4 2001:db8::1 198.51.100.7 50123 143\r\n"));
    bad(SLICE("PROXY TCP4  192.0.2.1 198.51.100.7 50123 143\r\n"));
    bad(SLICE("PROXY TCP5 192.0.2.1 198.51.100.7 50123 143\r\n"));
    bad(SLICE("PROXY \r\n"));
    char longest[200];
    memset(longest, 'x', sizeof longest);
    memcpy(longest, "PROXY UNKNOWN ", 14);
    bad(slice(longest, 107));
    memcpy(longest + 105, "\r\n", 2);
    struct proxy_header h;
    assert_int_equal(proxy_parse(slice(longest, 107), &h), PROXY_DONE);
}

static void version_2_names_both_ends(void **state)
{
    (void)state;
    struct proxy_header h = whole(SLICE(V2 "\x21\x11\x00\x0c"
                                           "\xc0\x00\x02\x01\xc6\x33\x64\x07\xc3\xcb\x00\x8f"));
    assert_true(h.named);
    assert_ipv4(&h.source, "192.0.2.1", 50123);
    assert_ipv4(&h.target, "198.51.100.7", 143);
    h = whole(SLICE(V2 "\x21\x21\x00\x24"
                       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01"
                       "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x02"
                       "\x00\x01\xff\xff"));
    assert_ipv6(&h.source, "2001:db8::1", 1);
    assert_ipv6(&h.target, "2001:db8::2", 65535);
}

static void version_2_skips_tlvs_and_takes_local(void **state)
{
    (void)state;
    struct proxy_header h = whole(SLICE(V2 "\x21\x11\x00\x10"
                                           "\xc0\x00\x02\x01\xc6\x33\x64\x07\xc3\xcb\x00\x8f"
                                           "\x04\x00\x01\x00"));
    assert_ipv4(&h.source, "192.0.2.1", 50123);
    assert_false(whole(SLICE(V2 "\x20\x00\x00\x00")).named);
    assert_false(whole(SLICE(V2 "\x21\x00\x00\x02zz")).named);
}

static void version_2_refuses_what_is_not_exact(void **state)
{
    (void)state;
    bad(SLICE(V2 "\x11\x11\x00\x0c"));
    bad(SLICE(V2 "\x22\x11\x00\x0c"));
    bad(SLICE(V2 "\x21\x11\x00\x08"
                 "\xc0\x00\x02\x01\xc6\x33\x64\x07"));
    bad(SLICE(V2 "\x21\x21\x00\x0c"
                 "\xc0\x00\x02\x01\xc6\x33\x64\x07\xc3\xcb\x00\x8f"));
    bad(SLICE(V2 "\x21\x11\xff\xff"));
    bad(SLICE("\r\n\r\n\r\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(version_1_names_both_ends),
        cmocka_unit_test(version_1_unknown_keeps_the_socket_s_addresses),
        cmocka_unit_test(version_1_refuses_what_is_not_exact),
        cmocka_unit_test(version_2_names_both_ends),
        cmocka_unit_test(version_2_skips_tlvs_and_takes_local),
        cmocka_unit_test(version_2_refuses_what_is_not_exact),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
