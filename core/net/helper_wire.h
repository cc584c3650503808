/* What goes over the pair between the daemon (helper.c) and the helper (helper_process.c): one
 * packet a request, one an answer, in the machine's own order. Nothing else includes this. */
#ifndef TANDEM_NET_HELPER_WIRE_H
#define TANDEM_NET_HELPER_WIRE_H

#include <stdint.h>

#include "core/base/attr.h"
#include "core/net/helper.h"

enum {
    HELPER_PACKET_MAX = 64 * 1024,
    HELPER_DATA_MAX = 16 * 1024,
    HELPER_CHILDREN_MAX = 64,
};

struct helper_request {
    uint64_t id;
    uint32_t deadline_ms;
    uint8_t kind;
    /* arguments follow */
};

struct helper_answer {
    uint64_t id;
    uint8_t outcome;
    /* data follows */
};

/* The helper's life; `fd` is its end of the pair. */
NO_RETURN void helper_process(int fd, helper_serve *serve);

#endif
