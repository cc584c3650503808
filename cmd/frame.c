#include "cmd/frame.h"

#include <arpa/inet.h>
#include <string.h>

#include "core/base/mem.h"
#include "core/base/utf8.h"

void frame_head(enum frame_type type, size_t len, unsigned char to[FRAME_HEAD])
{
    uint32_t n = htonl((uint32_t)len);
    memcpy(to, &n, sizeof n);
    to[4] = (unsigned char)type;
}

bool frame_head_read(const unsigned char head[FRAME_HEAD], enum frame_type *ret_type,
                     size_t *ret_len)
{
    uint32_t n;
    memcpy(&n, head, sizeof n);
    *ret_len = ntohl(n);
    *ret_type = (enum frame_type)head[4];
    switch (head[4]) {
    case FRAME_JSON:
    case FRAME_END:
        return *ret_len <= FRAME_JSON_MAX;
    case FRAME_DATA:
        return *ret_len <= FRAME_DATA_MAX;
    default:
        return false;
    }
}

json_t *frame_slice(struct slice text)
{
    if (utf8_valid(text))
        return json_stringn(text.len ? text.ptr : "", text.len);
    char *clean = mem_dup(text.ptr, text.len);
    for (size_t i = 0; i < text.len;) {
        unsigned n = utf8_first(slice(clean + i, text.len - i), NULL);
        if (n == 0)
            clean[i] = '?';
        i += n ? n : 1;
    }
    json_t *string = json_stringn(clean, text.len);
    mem_free(clean);
    return string;
}

json_t *frame_string(const char *text)
{
    return frame_slice(slice_str(text));
}
