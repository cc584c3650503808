/* What was, and what POP3 and the journal remember of it (store/keys.h). */
#include "store/keys.h"

#include <string.h>

#include "store/octets.h"
#include "store/uidset.h"

/* --- tomb, gone, pop, uidl ---------------------------------------------------------------------
 */

static size_t put_ranges(unsigned char *to, const struct uidrange *ranges, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++) {
        le(to + 8 * (size_t)i, ranges[i].first, 4);
        le(to + 8 * (size_t)i + 4, ranges[i].last, 4);
    }
    return 8 * (size_t)n;
}

struct slice row_tomb_encode(uint32_t time, const struct uidrange *ranges, uint32_t n,
                             unsigned char *to)
{
    start(to, 8);
    le(to + 4, time, 4);
    return slice(to, 8 + put_ranges(to + 8, ranges, n));
}

enum err row_tomb_decode(struct slice value, struct row_tomb *ret)
{
    if (!readable(value, 8) || (value.len - 8) % 8 != 0)
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_tomb){
        .time = le32(p + 4), .n = (uint32_t)((value.len - 8) / 8), .ranges = p + 8};
    return ERR_OK;
}

void tomb_range(const struct row_tomb *row, uint32_t i, uint32_t *first, uint32_t *last)
{
    *first = le32(row->ranges + 8 * (size_t)i);
    *last = le32(row->ranges + 8 * (size_t)i + 4);
}

struct slice row_gone_encode(const struct row_gone *from, unsigned char *to)
{
    start(to, 56);
    to[1] = from->kind;
    to[2] = from->why;
    to[3] = from->sysflags;
    le(to + 4, from->size, 4);
    le(to + 8, from->keywords, 8);
    le(to + 16, from->expunge_modseq, 8);
    le(to + 24, from->internaldate, 4);
    le(to + 28, from->savedate, 4);
    le(to + 32, from->conn, 8);
    to[40] = (unsigned char)from->zone;
    le(to + 44, from->to_m, 4);
    le(to + 48, from->to_u, 4);
    return with_tail(to, 56, from->path);
}

enum err row_gone_decode(struct slice value, struct row_gone *ret)
{
    if (!readable(value, 56))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_gone){.kind = p[1],
                             .why = p[2],
                             .sysflags = p[3],
                             .zone = (int8_t)p[40],
                             .size = le32(p + 4),
                             .internaldate = le32(p + 24),
                             .savedate = le32(p + 28),
                             .to_m = le32(p + 44),
                             .to_u = le32(p + 48),
                             .keywords = le64(p + 8),
                             .expunge_modseq = le64(p + 16),
                             .conn = le64(p + 32),
                             .path = slice_from(value, 56)};
    return ERR_OK;
}

struct slice row_pop_encode(const struct row_pop *from, unsigned char *to)
{
    struct slice row = start(to, 8);
    to[1] = from->bits;
    le(to + 4, from->time, 4);
    return row;
}

enum err row_pop_decode(struct slice value, struct row_pop *ret)
{
    if (!readable(value, 8))
        return ERR_CORRUPT;
    *ret = (struct row_pop){.bits = octets(value)[1], .time = le32(octets(value) + 4)};
    return ERR_OK;
}

struct slice row_uidl_encode(const struct row_uidl *from, unsigned char *to)
{
    start(to, 8);
    to[1] = (unsigned char)from->text.len;
    le(to + 4, from->order, 4);
    return with_tail(to, 8, from->text);
}

enum err row_uidl_decode(struct slice value, struct row_uidl *ret)
{
    if (!readable(value, 8))
        return ERR_CORRUPT;
    ret->order = le32(octets(value) + 4);
    return tail(value, 8, octets(value)[1], &ret->text) && ret->text.len >= 1 && ret->text.len <= 70
               ? ERR_OK
               : ERR_CORRUPT;
}

/* --- journal ---------------------------------------------------------------------------------- */

struct slice row_log_encode(const struct row_log *from, const struct uidrange *ranges, uint32_t n,
                            unsigned char *to)
{
    start(to, 32);
    to[1] = from->proto;
    to[2] = from->what;
    le(to + 4, from->time, 4);
    le(to + 8, from->conn, 8);
    le(to + 16, from->m, 4);
    le(to + 20, from->other_m, 4);
    le(to + 24, from->count, 4);
    le(to + 28, from->detail, 4);
    return slice(to, 32 + put_ranges(to + 32, ranges, n < LOG_RANGES_MAX ? n : LOG_RANGES_MAX));
}

enum err row_log_decode(struct slice value, struct row_log *ret)
{
    if (!readable(value, 32) || (value.len - 32) % 8 != 0)
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_log){.proto = p[1],
                            .what = p[2],
                            .time = le32(p + 4),
                            .conn = le64(p + 8),
                            .m = le32(p + 16),
                            .other_m = le32(p + 20),
                            .count = le32(p + 24),
                            .detail = le32(p + 28),
                            .nranges = (uint32_t)((value.len - 32) / 8),
                            .ranges = p + 32};
    return ERR_OK;
}

void log_range(const struct row_log *row, uint32_t i, uint32_t *first, uint32_t *last)
{
    *first = le32(row->ranges + 8 * (size_t)i);
    *last = le32(row->ranges + 8 * (size_t)i + 4);
}

struct slice row_log_conn_encode(const struct row_log_conn *from, unsigned char *to)
{
    start(to, 32);
    to[1] = from->proto;
    le(to + 2, from->client.len, 2);
    le(to + 4, from->time, 4);
    memcpy(to + 8, from->address, 16);
    return with_tail(to, 32, from->client);
}

enum err row_log_conn_decode(struct slice value, struct row_log_conn *ret)
{
    if (!readable(value, 32))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_log_conn){.proto = p[1], .time = le32(p + 4)};
    memcpy(ret->address, p + 8, 16);
    return tail(value, 32, le16(p + 2), &ret->client) ? ERR_OK : ERR_CORRUPT;
}
