#include "core/mime/parts.h"

#include "core/base/buf.h"

static void put_u32(unsigned char *to, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        to[i] = (unsigned char)(v >> 8 * i);
}

static uint32_t get_u32(const unsigned char *p)
{
    return p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

void mime_row_encode(const struct mime_part *from, unsigned char to[MIME_ROW])
{
    to[0] = (unsigned char)from->parent;
    to[1] = (unsigned char)(from->parent >> 8);
    to[2] = (unsigned char)(from->encoding | from->kind << 4);
    to[3] = from->charset;
    put_u32(to + 4, from->hdr_off);
    put_u32(to + 8, from->body_off);
    put_u32(to + 12, from->body_len);
    put_u32(to + 16, from->lines);
}

enum err mime_row(struct slice table, size_t i, struct mime_part *ret)
{
    if (i >= mime_rows(table) || table.len % MIME_ROW)
        return ERR_CORRUPT;
    const unsigned char *p = (const unsigned char *)table.ptr + i * MIME_ROW;
    struct mime_part part = {.parent = (uint16_t)(p[0] | p[1] << 8),
                             .kind = p[2] >> 4,
                             .encoding = p[2] & 15,
                             .charset = p[3],
                             .hdr_off = get_u32(p + 4),
                             .body_off = get_u32(p + 8),
                             .body_len = get_u32(p + 12),
                             .lines = get_u32(p + 16)};
    bool first = part.parent == MIME_NO_PART;
    if (first != (i == 0) || (!first && part.parent >= i) || part.kind > MIME_MESSAGE ||
        part.encoding > MIME_ENCODING_UNKNOWN || part.charset > MIME_CHARSET_NAMED ||
        part.hdr_off > part.body_off || part.body_len > UINT32_MAX - part.body_off)
        return ERR_CORRUPT;
    *ret = part;
    return ERR_OK;
}

/* Child number n (from 1) of row `parent`. */
static enum err find_child(struct slice table, size_t parent, uint32_t n, size_t *ret)
{
    struct mime_part part;
    for (size_t i = parent + 1; i < mime_rows(table); i++) {
        enum err e = mime_row(table, i, &part);
        if (e)
            return e;
        if (part.parent != parent || --n > 0)
            continue;
        *ret = i;
        return ERR_OK;
    }
    return ERR_NOTFOUND;
}

/* The row of part n of what row `at` is: of a multipart its n-th child; of a message/rfc822 part
 * that of the message in it; a message that is no multipart has itself as part 1. `at_message`: row
 * `at` was reached as a message, not as a numbered part. */
static enum err step_down(struct slice table, size_t at, bool at_message, uint32_t n, size_t *ret)
{
    struct mime_part part;
    enum err e = mime_row(table, at, &part);
    if (!e && !at_message && part.kind == MIME_MESSAGE) {
        e = find_child(table, at, 1, &at);
        if (!e)
            e = mime_row(table, at, &part);
        at_message = true;
    }
    if (e)
        return e;
    if (n && part.kind == MIME_MULTIPART)
        return find_child(table, at, n, ret);
    if (n != 1 || !at_message)
        return ERR_NOTFOUND;
    *ret = at;
    return ERR_OK;
}

enum err mime_find(struct slice table, const uint32_t *number, size_t n, size_t *ret)
{
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        enum err e = step_down(table, at, i == 0, number[i], &at);
        if (e)
            return e;
    }
    *ret = at;
    return ERR_OK;
}

enum err mime_section(struct slice table, const uint32_t *number, size_t n, enum mime_what what,
                      uint32_t *ret_at, uint32_t *ret_len, size_t *ret_part)
{
    size_t at;
    struct mime_part part;
    enum err e = mime_find(table, number, n, &at);
    if (!e)
        e = mime_row(table, at, &part);
    if (!e && n && (what == MIME_WHAT_HEADER || what == MIME_WHAT_TEXT)) {
        e = part.kind == MIME_MESSAGE ? find_child(table, at, 1, &at) : ERR_NOTFOUND;
        if (!e)
            e = mime_row(table, at, &part);
    }
    if (!e && n == 0 && what == MIME_WHAT_MIME)
        e = ERR_NOTFOUND;
    if (e)
        return e;
    bool header = what == MIME_WHAT_HEADER || what == MIME_WHAT_MIME;
    bool whole = what == MIME_WHAT_ALL && n == 0;
    *ret_at = header || whole ? part.hdr_off : part.body_off;
    *ret_len = header ? part.body_off - part.hdr_off : part.body_off + part.body_len - *ret_at;
    if (ret_part)
        *ret_part = at;
    return ERR_OK;
}
