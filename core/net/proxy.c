#include "core/net/proxy.h"

#include <arpa/inet.h>
#include <netinet/in.h>

static const char signature[12] = "\r\n\r\n\0\r\nQUIT\n";

enum {
    V1_MAX = 107, /* with CRLF */
    V2_HEAD = 16,
};

/* --- version 1: "PROXY TCP4 source target sport tport" CRLF ----------------------------------- */

/* The next word; blanks are single. False at the end. */
static bool word(struct slice *line, struct slice *ret)
{
    if (!line->len)
        return false;
    size_t n = slice_find(*line, ' ');
    *ret = slice_first(*line, n);
    *line = slice_from(*line, n < line->len ? n + 1 : n);
    return ret->len > 0;
}

static bool v1_address(struct slice text, struct slice port_text, int family,
                       struct sockaddr_storage *ret)
{
    char host[INET6_ADDRSTRLEN];
    uint64_t port;
    if (text.len >= sizeof host || !slice_u64(port_text, 65535, &port))
        return false;
    memcpy(host, text.ptr, text.len);
    host[text.len] = '\0';
    *ret = (struct sockaddr_storage){.ss_family = (sa_family_t)family};
    if (family == AF_INET) {
        struct sockaddr_in *in = (struct sockaddr_in *)ret;
        in->sin_port = htons((uint16_t)port);
        return inet_pton(AF_INET, host, &in->sin_addr) == 1;
    }
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    in6->sin6_port = htons((uint16_t)port);
    return inet_pton(AF_INET6, host, &in6->sin6_addr) == 1;
}

static enum proxy_state parse_v1(struct slice bytes, struct proxy_header *ret)
{
    size_t lf = slice_find(slice_first(bytes, V1_MAX), '\n');
    if (lf >= V1_MAX)
        return PROXY_BAD;
    if (lf == bytes.len)
        return PROXY_MORE;
    if (bytes.ptr[lf - 1] != '\r')
        return PROXY_BAD;
    struct slice line = slice_first(bytes, lf - 1), family, source, target, sport, tport;
    *ret = (struct proxy_header){.len = lf + 1};
    line = slice_from(line, sizeof "PROXY " - 1);
    if (!word(&line, &family))
        return PROXY_BAD;
    if (slice_eq(family, SLICE("UNKNOWN")))
        return PROXY_DONE; /* whatever follows is ignored */
    int af = slice_eq(family, SLICE("TCP4"))   ? AF_INET
             : slice_eq(family, SLICE("TCP6")) ? AF_INET6
                                               : AF_UNSPEC;
    if (af == AF_UNSPEC || !word(&line, &source) || !word(&line, &target) || !word(&line, &sport) ||
        !word(&line, &tport) || line.len)
        return PROXY_BAD;
    ret->named = true;
    return v1_address(source, sport, af, &ret->source) &&
                   v1_address(target, tport, af, &ret->target)
               ? PROXY_DONE
               : PROXY_BAD;
}

/* --- version 2: signature, version and command, family, length, addresses, TLVs --------------- */

static void v2_ipv4(const char *ip, const char *port, struct sockaddr_storage *ret)
{
    struct sockaddr_in *in = (struct sockaddr_in *)ret;
    *ret = (struct sockaddr_storage){.ss_family = AF_INET};
    memcpy(&in->sin_addr, ip, 4);
    memcpy(&in->sin_port, port, 2);
}

static void v2_ipv6(const char *ip, const char *port, struct sockaddr_storage *ret)
{
    struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;
    *ret = (struct sockaddr_storage){.ss_family = AF_INET6};
    memcpy(&in6->sin6_addr, ip, 16);
    memcpy(&in6->sin6_port, port, 2);
}

static enum proxy_state parse_v2(struct slice bytes, struct proxy_header *ret)
{
    if (bytes.len < V2_HEAD)
        return PROXY_MORE;
    const unsigned char *head = (const unsigned char *)bytes.ptr;
    unsigned command = head[12], family = head[13];
    size_t len = (size_t)head[14] << 8 | head[15];
    if (command != 0x20 && command != 0x21)
        return PROXY_BAD;
    if (V2_HEAD + len > PROXY_HEADER_MAX)
        return PROXY_BAD;
    if (bytes.len < V2_HEAD + len)
        return PROXY_MORE;
    *ret = (struct proxy_header){.len = V2_HEAD + len};
    if (command == 0x20) /* LOCAL: a health check of the proxy itself */
        return PROXY_DONE;
    const char *at = bytes.ptr + V2_HEAD;
    switch (family) {
    case 0x11: /* TCP over IPv4 */
        if (len < 12)
            return PROXY_BAD;
        v2_ipv4(at, at + 8, &ret->source);
        v2_ipv4(at + 4, at + 10, &ret->target);
        break;
    case 0x21: /* TCP over IPv6 */
        if (len < 36)
            return PROXY_BAD;
        v2_ipv6(at, at + 32, &ret->source);
        v2_ipv6(at + 16, at + 34, &ret->target);
        break;
    default: /* unspecified, or a family that has no address we could use */
        return PROXY_DONE;
    }
    ret->named = true;
    return PROXY_DONE;
}

enum proxy_state proxy_parse(struct slice bytes, struct proxy_header *ret)
{
    struct slice v2 = slice(signature, sizeof signature), v1 = SLICE("PROXY ");
    if (slice_starts(bytes, v2))
        return parse_v2(bytes, ret);
    if (slice_starts(bytes, v1))
        return parse_v1(bytes, ret);
    return slice_starts(v2, bytes) || slice_starts(v1, bytes) ? PROXY_MORE : PROXY_BAD;
}
