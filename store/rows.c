/* The rows of accounts, mailboxes, messages and bodies (layouts: store/README.md). */
#include "store/keys.h"

#include <string.h>

#include "store/bits.h"
#include "store/octets.h"

/* --- accounts, mailboxes --------------------------------------------------------------------- */

struct slice row_acct_encode(const struct row_acct *from, unsigned char *to)
{
    start(to, 112);
    to[1] = from->state;
    le(to + 2, from->flags, 2);
    le(to + 4, from->next_mbox, 4);
    le(to + 8, from->next_uidvalidity, 4);
    le(to + 12, from->nmbox, 4);
    le(to + 16, from->nonce, 8);
    le(to + 24, from->used_bytes, 8);
    le(to + 32, from->used_msgs, 8);
    le(to + 40, from->gone_bytes, 8);
    le(to + 48, from->gone_msgs, 8);
    le(to + 56, from->epoch, 8);
    memcpy(to + 64, from->uuid, 16);
    le(to + 80, from->last_imap, 4);
    le(to + 84, from->last_pop3, 4);
    le(to + 88, from->scratch_owner, 4);
    le(to + 92, from->scratch_expiry, 4);
    le(to + 96, from->created, 8);
    le(to + 104, from->login.len, 2);
    return with_tail(to, 112, from->login);
}

enum err row_acct_decode(struct slice value, struct row_acct *ret)
{
    if (!readable(value, 112))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_acct){.state = p[1],
                             .flags = le16(p + 2),
                             .next_mbox = le32(p + 4),
                             .next_uidvalidity = le32(p + 8),
                             .nmbox = le32(p + 12),
                             .nonce = le64(p + 16),
                             .used_bytes = le64(p + 24),
                             .used_msgs = le64(p + 32),
                             .gone_bytes = le64(p + 40),
                             .gone_msgs = le64(p + 48),
                             .epoch = le64(p + 56),
                             .last_imap = le32(p + 80),
                             .last_pop3 = le32(p + 84),
                             .scratch_owner = le32(p + 88),
                             .scratch_expiry = le32(p + 92),
                             .created = le64(p + 96)};
    memcpy(ret->uuid, p + 64, 16);
    return tail(value, 112, le16(p + 104), &ret->login) ? ERR_OK : ERR_CORRUPT;
}

struct slice row_mbox_encode(const struct row_mbox *from, unsigned char *to)
{
    start(to, 112);
    to[1] = from->special_use;
    to[2] = from->state;
    to[3] = from->flags;
    le(to + 4, from->uidvalidity, 4);
    le(to + 8, from->uidnext, 4);
    le(to + 12, from->recent_uid, 4);
    le(to + 16, from->exists, 4);
    le(to + 20, from->unseen, 4);
    le(to + 24, from->deleted, 4);
    le(to + 28, from->first_unseen, 4);
    le(to + 32, from->bytes, 8);
    le(to + 40, from->highestmodseq, 8);
    le(to + 48, from->expunge_modseq, 8);
    le(to + 56, from->tomb_floor, 8);
    le(to + 64, from->modseq_floor, 8);
    le(to + 72, from->mailboxid, 8);
    le(to + 80, from->deleted_bytes, 8);
    le(to + 88, from->restores, 4);
    le(to + 92, from->nbuckets, 4);
    le(to + 96, from->created, 8);
    le(to + 104, from->path.len, 2);
    return with_tail(to, 112, from->path);
}

enum err row_mbox_decode(struct slice value, struct row_mbox *ret)
{
    if (!readable(value, 112))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_mbox){.special_use = p[1],
                             .state = p[2],
                             .flags = p[3],
                             .uidvalidity = le32(p + 4),
                             .uidnext = le32(p + 8),
                             .recent_uid = le32(p + 12),
                             .exists = le32(p + 16),
                             .unseen = le32(p + 20),
                             .deleted = le32(p + 24),
                             .first_unseen = le32(p + 28),
                             .bytes = le64(p + 32),
                             .highestmodseq = le64(p + 40),
                             .expunge_modseq = le64(p + 48),
                             .tomb_floor = le64(p + 56),
                             .modseq_floor = le64(p + 64),
                             .mailboxid = le64(p + 72),
                             .deleted_bytes = le64(p + 80),
                             .restores = le32(p + 88),
                             .nbuckets = le32(p + 92),
                             .created = le64(p + 96)};
    return tail(value, 112, le16(p + 104), &ret->path) ? ERR_OK : ERR_CORRUPT;
}

struct slice row_name_encode(const struct row_name *from, unsigned char *to)
{
    struct slice row = start(to, 8);
    to[1] = from->flags;
    le(to + 4, from->m, 4);
    return row;
}

enum err row_name_decode(struct slice value, struct row_name *ret)
{
    if (!readable(value, 8))
        return ERR_CORRUPT;
    *ret = (struct row_name){.flags = octets(value)[1], .m = le32(octets(value) + 4)};
    return ERR_OK;
}

struct slice row_kw_encode(const struct row_kw *from, unsigned char *to)
{
    size_t at = 8;
    start(to, at);
    to[1] = from->n;
    le(to + 4, from->gen, 4);
    for (unsigned i = 0; i < from->n; i++) {
        to[at++] = from->word[i].state;
        to[at++] = (unsigned char)from->word[i].name.len;
        at = with_tail(to, at, from->word[i].name).len;
    }
    return slice(to, at);
}

enum err row_kw_decode(struct slice value, struct row_kw *ret)
{
    if (!readable(value, 8) || octets(value)[1] > KEYWORDS_MAX)
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    size_t at = 8;
    ret->n = p[1];
    ret->gen = le32(p + 4);
    for (unsigned i = 0; i < ret->n; i++) {
        if (value.len < at + 2 || value.len - at - 2 < p[at + 1])
            return ERR_CORRUPT;
        ret->word[i].state = p[at];
        ret->word[i].name = slice(p + at + 2, p[at + 1]);
        at += 2 + ret->word[i].name.len;
    }
    return at == value.len ? ERR_OK : ERR_CORRUPT;
}

/* --- hot ------------------------------------------------------------------------------------- */

enum { HOT_HEADER = 32, HOT_SLOT = 28 };

enum err hot_open(struct slice value, struct hot_row *ret)
{
    if (!readable(value, HOT_HEADER))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct hot_row){
        .slots = p + HOT_HEADER,
        .n = p[1],
        .unseen = p[3],
        .max_modseq = le64(p + 8),
        .present = {le64(p + 16), le64(p + 24)}
    };
    unsigned present = bits_count(ret->present[0]) + bits_count(ret->present[1]);
    if (p[2] != HOT_SLOT || present != ret->n || ret->n == 0 || ret->unseen > ret->n ||
        value.len != HOT_HEADER + (size_t)HOT_SLOT * ret->n)
        return ERR_CORRUPT;
    return ERR_OK;
}

bool hot_has(const struct hot_row *row, unsigned bit)
{
    return row->present[bit >> 6] >> (bit & 63) & 1;
}

static unsigned rank(const uint64_t present[2], unsigned bit)
{
    uint64_t below = ((uint64_t)1 << (bit & 63)) - 1;
    if (bit < 64)
        return bits_count(present[0] & below);
    return bits_count(present[0]) + bits_count(present[1] & below);
}

static void read_slot(const unsigned char *p, struct hot_slot *ret)
{
    uint64_t head = le64(p);
    *ret = (struct hot_slot){.modseq = head & SLOT_MODSEQ_MAX,
                             .sysflags = (uint8_t)(head >> 48),
                             .zone = (int8_t)(head >> 56),
                             .keywords = le64(p + 8),
                             .size = le32(p + 16),
                             .internaldate = le32(p + 20),
                             .savedate = le32(p + 24)};
}

void hot_read(const struct hot_row *row, unsigned bit, struct hot_slot *ret)
{
    read_slot(row->slots + (size_t)HOT_SLOT * rank(row->present, bit), ret);
}

enum err hot_decode(struct slice value, struct hot_bucket *ret)
{
    struct hot_row row;
    enum err e = hot_open(value, &row);
    if (e)
        return e;
    ret->n = row.n;
    ret->unseen = row.unseen;
    ret->max_modseq = row.max_modseq;
    const unsigned char *p = row.slots;
    for (unsigned half = 0; half < 2; half++) {
        uint64_t left = ret->present[half] = row.present[half];
        for (; left; left &= left - 1, p += HOT_SLOT)
            read_slot(p, &ret->slot[half * 64 + (unsigned)__builtin_ctzll(left)]);
    }
    return ERR_OK;
}

struct slice hot_encode(const struct hot_bucket *bucket, unsigned char *to)
{
    start(to, HOT_HEADER);
    to[1] = bucket->n;
    to[2] = HOT_SLOT;
    to[3] = bucket->unseen;
    le(to + 8, bucket->max_modseq, 8);
    le(to + 16, bucket->present[0], 8);
    le(to + 24, bucket->present[1], 8);
    unsigned char *p = to + HOT_HEADER;
    for (unsigned half = 0; half < 2; half++)
        for (uint64_t left = bucket->present[half]; left; left &= left - 1, p += HOT_SLOT) {
            const struct hot_slot *s = &bucket->slot[half * 64 + (unsigned)__builtin_ctzll(left)];
            le(p, s->modseq, 6);
            p[6] = s->sysflags;
            p[7] = (unsigned char)s->zone;
            le(p + 8, s->keywords, 8);
            le(p + 16, s->size, 4);
            le(p + 20, s->internaldate, 4);
            le(p + 24, s->savedate, 4);
        }
    return slice(to, (size_t)(p - to));
}

/* --- msg, cache, mid -------------------------------------------------------------------------- */

struct slice row_msg_encode(const struct row_msg *from, unsigned char *to)
{
    start(to, 112);
    to[1] = from->flags;
    to[2] = (unsigned char)from->rcpt.len;
    le(to + 4, from->size, 4);
    le(to + 8, from->blob, 8);
    le(to + 16, from->thread, 8);
    memcpy(to + 24, from->emailid, 16);
    le(to + 40, (uint64_t)from->date, 8);
    le(to + 48, from->hdr_len, 4);
    le(to + 52, from->lines, 4);
    le(to + 56, from->arrival, 4);
    le(to + 60, from->nparts, 4);
    le(to + 64, from->create_modseq, 8);
    le(to + 72, from->conn, 8);
    le(to + 80, from->internaldate, 4);
    return with_tail(to, 112, slice_first(from->rcpt, 255));
}

enum err row_msg_decode(struct slice value, struct row_msg *ret)
{
    if (!readable(value, 112))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_msg){.flags = p[1],
                            .size = le32(p + 4),
                            .blob = le64(p + 8),
                            .thread = le64(p + 16),
                            .date = (int64_t)le64(p + 40),
                            .hdr_len = le32(p + 48),
                            .lines = le32(p + 52),
                            .arrival = le32(p + 56),
                            .nparts = le32(p + 60),
                            .create_modseq = le64(p + 64),
                            .conn = le64(p + 72),
                            .internaldate = le32(p + 80)};
    memcpy(ret->emailid, p + 24, 16);
    return tail(value, 112, p[2], &ret->rcpt) ? ERR_OK : ERR_CORRUPT;
}

bool cache_add(unsigned char *row, size_t *used, uint16_t parser, uint16_t tag, struct slice data)
{
    if (*used == 0) {
        *used = start(row, 4).len;
        le(row + 2, parser, 2);
    }
    bool fits = data.len <= ROW_MAX - 6 && *used <= ROW_MAX - 6 - data.len;
    if (*used > ROW_MAX - 6 || row[1] == 255)
        return false;
    le(row + *used, tag, 2);
    le(row + *used + 2, fits ? data.len : CACHE_UNFIT, 4);
    *used += 6;
    row[1]++;
    if (fits)
        *used = with_tail(row, *used, data).len;
    return fits;
}

enum err cache_open(struct slice row, uint16_t *ret_parser, struct slice ret[CACHE_TAGS])
{
    if (!readable(row, 4))
        return ERR_CORRUPT;
    const unsigned char *p = octets(row);
    size_t at = 4;
    memset(ret, 0, CACHE_TAGS * sizeof *ret);
    for (unsigned i = 0; i < p[1]; i++) {
        if (row.len < at + 6)
            return ERR_CORRUPT;
        unsigned tag = le16(p + at);
        uint32_t len = le32(p + at + 2);
        at += 6;
        if (len == CACHE_UNFIT)
            continue;
        if (row.len - at < len)
            return ERR_CORRUPT;
        if (tag < CACHE_TAGS)
            ret[tag] = slice(p + at, len);
        at += len;
    }
    *ret_parser = le16(p + 2);
    return at == row.len ? ERR_OK : ERR_CORRUPT;
}

enum err cache_find(struct slice row, enum cache_tag tag, struct slice *ret)
{
    uint16_t parser;
    struct slice tags[CACHE_TAGS];
    enum err e = cache_open(row, &parser, tags);
    if (e || !tags[tag].ptr)
        return e ? e : ERR_NOTFOUND;
    *ret = tags[tag];
    return ERR_OK;
}

enum err cache_check(struct slice row, uint16_t *ret_parser)
{
    struct slice tags[CACHE_TAGS];
    return cache_open(row, ret_parser, tags);
}

struct slice row_mid_encode(const struct row_mid *from, unsigned char *to)
{
    struct slice row = start(to, 16);
    le(to + 4, from->time, 4);
    le(to + 8, from->thread, 8);
    return row;
}

enum err row_mid_decode(struct slice value, struct row_mid *ret)
{
    if (!readable(value, 16))
        return ERR_CORRUPT;
    *ret = (struct row_mid){.time = le32(octets(value) + 4), .thread = le64(octets(value) + 8)};
    return ERR_OK;
}
