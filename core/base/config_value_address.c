/* Values that name places in a network. */
#include "core/base/config_value.h"

#include <arpa/inet.h>
#include <sys/socket.h>

/* `192.0.2.1` or `2001:db8::1`, as 16 octets. */
static bool ip_of(struct slice s, uint8_t ret[16], bool *ret_v4)
{
    char text[INET6_ADDRSTRLEN];
    if (s.len >= sizeof text)
        return false;
    if (s.len)
        memcpy(text, s.ptr, s.len);
    text[s.len] = '\0';
    memcpy(ret, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    *ret_v4 = inet_pton(AF_INET, text, ret + 12) == 1;
    return *ret_v4 || inet_pton(AF_INET6, text, ret) == 1;
}

enum where { WHERE_BAD, WHERE_UNIX, WHERE_LOOPBACK, WHERE_ELSE };

static enum where address_of(struct slice s)
{
    if (slice_starts(s, SLICE("unix:"))) {
        s = slice_from(s, 5);
        return s.len && s.ptr[0] == '/' && s.len <= CONFIG_UNIX_PATH_MAX ? WHERE_UNIX : WHERE_BAD;
    }
    size_t colon = s.len;
    while (colon && s.ptr[colon - 1] != ':')
        colon--;
    uint64_t port;
    if (colon < 2 || !slice_u64(slice_from(s, colon), 65535, &port) || port == 0)
        return WHERE_BAD;
    struct slice host = slice_first(s, colon - 1);
    if (value_is(host, "*"))
        return WHERE_ELSE;
    bool bracket = host.ptr[0] == '[' && host.ptr[host.len - 1] == ']';
    if (bracket)
        host = slice(host.ptr + 1, host.len - 2);
    uint8_t ip[16];
    bool v4;
    if (!ip_of(host, ip, &v4) || v4 == bracket)
        return WHERE_BAD;
    if (v4)
        return ip[12] == 127 ? WHERE_LOOPBACK : WHERE_ELSE;
    return memcmp(ip, &in6addr_loopback, 16) == 0 ? WHERE_LOOPBACK : WHERE_ELSE;
}

bool value_read_addresses(struct config_value *v, const struct config_key *key, struct slice s,
                          void *to)
{
    for (struct slice rest = s; rest.len;) {
        struct slice item = value_next(&rest);
        if (item.len && address_of(item) == WHERE_BAD) {
            value_refuse(v, SHOWN_FMT " is not an address", SHOWN_ARG(item));
            return value_mend(
                v, "write *:PORT, IPv4:PORT, [IPv6]:PORT or unix:/PATH of at most %d octets",
                CONFIG_UNIX_PATH_MAX);
        }
    }
    return value_read_list(v, key, s, to);
}

bool value_read_local(struct config_value *v, const struct config_key *key, struct slice s,
                      void *to)
{
    enum where where = s.len ? address_of(s) : WHERE_UNIX;
    if (where != WHERE_UNIX && where != WHERE_LOOPBACK) {
        value_refuse(v, SHOWN_FMT " is not a local address", SHOWN_ARG(s));
        return value_mend(v, "write unix:/PATH, 127.0.0.1:PORT or [::1]:PORT");
    }
    return value_read_text(v, key, s, to);
}

static bool host_bits_clear(const struct config_network *net)
{
    for (unsigned i = 0; i < 128; i++)
        if (i >= net->bits && (net->address[i / 8] & (0x80 >> i % 8)))
            return false;
    return true;
}

static bool network_of(struct config_value *v, struct slice s, struct config_network *ret)
{
    size_t n = slice_find(s, '/');
    bool v4;
    if (!ip_of(slice_first(s, n), ret->address, &v4))
        return value_refuse(v, SHOWN_FMT " is not a network", SHOWN_ARG(s));
    uint64_t bits = v4 ? 32 : 128;
    if (n < s.len && !slice_u64(slice_from(s, n + 1), bits, &bits))
        return value_refuse(v, SHOWN_FMT " has no such prefix length", SHOWN_ARG(s));
    ret->bits = (uint8_t)(bits + (v4 ? 96 : 0));
    if (!host_bits_clear(ret))
        return value_refuse(v, SHOWN_FMT " has bits set behind its prefix", SHOWN_ARG(s));
    return true;
}

bool value_read_networks(struct config_value *v, const struct config_key *key, struct slice s,
                         void *to)
{
    unsigned n = value_items(s);
    if (!value_check_items(v, key, s))
        return false;
    struct config_network *items = value_keep_array(v, 2 * (size_t)n, sizeof *items);
    if (!items)
        return false;
    struct config_networks list = {.items = items};
    while (s.len) {
        struct slice item = value_next(&s);
        bool good = true;
        if (value_is(item, "unix"))
            list.unix_sockets = true;
        else if (value_is(item, "loopback")) /* two networks; hence the room for 2n */
            good = network_of(v, SLICE("127.0.0.0/8"), &items[list.n++]) &&
                   network_of(v, SLICE("::1"), &items[list.n++]);
        else
            good = network_of(v, item, &items[list.n++]);
        if (!good)
            return value_mend(v, "write 192.0.2.0/24, 2001:db8::/32, loopback or unix");
    }
    *(struct config_networks *)to = list;
    return true;
}

bool config_networks_match(const struct config_networks *list, const struct sockaddr_storage *peer)
{
    uint8_t ip[16];
    memcpy(ip, "\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);
    if (peer->ss_family == AF_UNIX)
        return list->unix_sockets;
    if (peer->ss_family == AF_INET)
        memcpy(ip + 12, &((const struct sockaddr_in *)peer)->sin_addr, 4);
    else if (peer->ss_family == AF_INET6)
        memcpy(ip, &((const struct sockaddr_in6 *)peer)->sin6_addr, 16);
    else
        return false;
    for (unsigned i = 0; i < list->n; i++) {
        const struct config_network *net = &list->items[i];
        unsigned whole = net->bits / 8;
        unsigned rest = net->bits % 8;
        if (memcmp(ip, net->address, whole) == 0 &&
            (rest == 0 || (ip[whole] ^ net->address[whole]) >> (8 - rest) == 0))
            return true;
    }
    return false;
}
