/* The PROXY protocol, versions 1 and 2: which client a trusted proxy speaks for. A pure parser;
 * conn.c reads exactly the header and nothing behind it. */
#ifndef TANDEM_NET_PROXY_H
#define TANDEM_NET_PROXY_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "core/base/slice.h"

/* Longest header that is taken, with the TLVs of version 2 (which are skipped). */
enum { PROXY_HEADER_MAX = 2048 };

enum proxy_state { PROXY_MORE, PROXY_DONE, PROXY_BAD };

struct proxy_header {
    size_t len; /* octets of the header; what follows belongs to the next layer */
    bool named; /* else LOCAL or UNKNOWN: the addresses of the socket hold */
    struct sockaddr_storage source, target;
};

/* `bytes` is the stream from its first octet, `ret` is written with PROXY_DONE. PROXY_MORE: every
 * octet so far belongs to the header. */
enum proxy_state proxy_parse(struct slice bytes, struct proxy_header *ret);

#endif
