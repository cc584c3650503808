/* core/net/peer.h: keys, limits, delays, ageing. */
#include "core/net/peer.h"

#include <arpa/inet.h>
#include <netinet/in.h>

#include "core/base/clock.h"
#include "tests/lib/unit.h"

static struct sockaddr_storage address(const char *text)
{
    struct sockaddr_storage a = {0};
    struct sockaddr_in *in = (struct sockaddr_in *)&a;
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)&a;
    if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
        a.ss_family = AF_INET;
    } else {
        assert_int_equal(inet_pton(AF_INET6, text, &in6->sin6_addr), 1);
        a.ss_family = AF_INET6;
    }
    return a;
}

static uint64_t key(struct peers *peers, const char *text)
{
    struct sockaddr_storage a = address(text);
    return peer_key(peers, &a);
}

static void a_key_is_an_ipv4_address_or_an_ipv6_network(void **state)
{
    (void)state;
    struct peers *peers = peers_new();
    assert_int_equal(key(peers, "192.0.2.1"), key(peers, "::ffff:192.0.2.1"));
    assert_int_not_equal(key(peers, "192.0.2.1"), key(peers, "192.0.2.2"));
    assert_int_equal(key(peers, "2001:db8::1"), key(peers, "2001:db8::ffff:0:0:1"));
    assert_int_not_equal(key(peers, "2001:db8::1"), key(peers, "2001:db8:0:1::1"));
    peers_free(peers);
}

static void connections_of_an_address_have_a_limit(void **state)
{
    (void)state;
    struct peers *peers = peers_new();
    uint64_t a = key(peers, "192.0.2.1"), b = key(peers, "192.0.2.2");
    assert_true(peer_connect(peers, a, 2));
    assert_true(peer_connect(peers, a, 2));
    assert_false(peer_connect(peers, a, 2));
    assert_true(peer_connect(peers, b, 2));
    peer_disconnect(peers, a);
    assert_true(peer_connect(peers, a, 2));
    peers_free(peers);
}

static void failures_double_the_delay_and_are_forgotten(void **state)
{
    (void)state;
    struct peers *peers = peers_new();
    uint64_t a = key(peers, "192.0.2.1");
    const uint64_t want[] = {1000, 2000, 4000, 8000, 15000, 15000};
    for (unsigned i = 0; i < 6; i++)
        assert_int_equal(peer_failed(peers, a, 1000, 15000), want[i]);
    assert_int_equal(peer_failed(peers, key(peers, "192.0.2.2"), 1000, 15000), 1000);
    clock_shift(16 * 60);
    assert_int_equal(peer_failed(peers, a, 1000, 15000), 1000);
    for (unsigned i = 0; i < 200; i++)
        assert_int_equal(peer_failed(peers, a, 0, 0), 0);
    peers_free(peers);
}

static void log_lines_are_held_to_their_rate(void **state)
{
    (void)state;
    struct peers *peers = peers_new();
    uint64_t a = key(peers, "192.0.2.1");
    unsigned n = 0;
    for (unsigned i = 0; i < 200; i++)
        n += peer_may_log(peers, a, 50);
    assert_true(n >= 50 && n < 100);
    clock_shift(1);
    assert_true(peer_may_log(peers, a, 50));
    assert_false(peer_may_log(peers, a, 0));
    peers_free(peers);
}

static void the_table_is_bounded_and_keeps_those_that_are_connected(void **state)
{
    (void)state;
    struct peers *peers = peers_new();
    uint64_t a = key(peers, "192.0.2.1");
    assert_true(peer_connect(peers, a, 1));
    for (unsigned i = 0; i < 300000; i++)
        (void)peer_failed(peers, i * UINT64_C(0x9e3779b97f4a7c15), 1, 2);
    assert_false(peer_connect(peers, a, 1));
    peers_free(peers);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_is_an_ipv4_address_or_an_ipv6_network),
        cmocka_unit_test(connections_of_an_address_have_a_limit),
        cmocka_unit_test(failures_double_the_delay_and_are_forgotten),
        cmocka_unit_test(log_lines_are_held_to_their_rate),
        cmocka_unit_test(the_table_is_bounded_and_keeps_those_that_are_connected),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
