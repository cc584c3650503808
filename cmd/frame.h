/* Frames of the control socket (CONTRACTS section 8): u32 length of the payload in network order,
 * u8 type, payload. */
#ifndef TANDEM_CMD_FRAME_H
#define TANDEM_CMD_FRAME_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

enum { FRAME_HEAD = 5, FRAME_JSON_MAX = 1 << 20, FRAME_DATA_MAX = 64 << 10, CONTROL_VERSION = 1 };
enum frame_type { FRAME_JSON = 'J', FRAME_DATA = 'D', FRAME_END = 'E' };

void frame_head(enum frame_type type, size_t len, unsigned char to[FRAME_HEAD]);
/* False: no such type, or longer than the type may be. */
bool frame_head_read(const unsigned char head[FRAME_HEAD], enum frame_type *ret_type,
                     size_t *ret_len);
/* A JSON string of any octets: what is not UTF-8 becomes '?', for jansson takes nothing else. */
json_t *frame_slice(struct slice text);
json_t *frame_string(const char *text);

#endif
