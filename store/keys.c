#include "store/keys.h"

#include <string.h>

#include "store/octets.h"

/* --- keys ------------------------------------------------------------------------------------ */

struct slice key_slice(const struct key *key)
{
    return slice(key->octets, key->len);
}

static struct slice done(struct key *key, size_t len)
{
    key->len = (uint16_t)len;
    return key_slice(key);
}

static struct slice and_text(struct key *key, size_t at, struct slice text)
{
    size_t n = text.len < KEY_MAX - at ? text.len : KEY_MAX - at;
    if (n)
        memcpy(key->octets + at, text.ptr, n);
    return done(key, at + n);
}

struct slice key_text(struct key *key, struct slice text)
{
    return and_text(key, 0, text);
}

struct slice key_a(struct key *key, uint32_t a)
{
    be32(key->octets, a);
    return done(key, 4);
}

struct slice key_am(struct key *key, uint32_t a, uint32_t m)
{
    be32(key->octets, a);
    be32(key->octets + 4, m);
    return done(key, 8);
}

struct slice key_amu(struct key *key, uint32_t a, uint32_t m, uint32_t u)
{
    key_am(key, a, m);
    be32(key->octets + 8, u);
    return done(key, 12);
}

struct slice key_name(struct key *key, uint32_t a, struct slice path)
{
    be32(key->octets, a);
    and_text(key, 4, path);
    for (size_t i = 4; i < key->len; i++)
        if (key->octets[i] == '/')
            key->octets[i] = 0x01;
    return key_slice(key);
}

struct slice key_tomb(struct key *key, uint32_t a, uint32_t m, uint64_t modseq, uint16_t part)
{
    key_am(key, a, m);
    be64(key->octets + 8, modseq);
    key->octets[16] = (unsigned char)(part >> 8);
    key->octets[17] = (unsigned char)part;
    return done(key, 18);
}

struct slice key_gone(struct key *key, uint32_t a, uint32_t time, uint32_t m, uint32_t u)
{
    key_am(key, a, time);
    be32(key->octets + 8, m);
    be32(key->octets + 12, u);
    return done(key, 16);
}

struct slice key_log(struct key *key, uint32_t a, uint64_t seq)
{
    be32(key->octets, a);
    be64(key->octets + 4, seq);
    return done(key, 12);
}

struct slice key_log_conn(struct key *key, uint32_t a, uint64_t conn)
{
    be32(key->octets, a);
    key->octets[4] = LOG_CONN_MARK;
    be64(key->octets + 5, conn);
    return done(key, 13);
}

struct slice key_a_text(struct key *key, uint32_t a, struct slice text)
{
    be32(key->octets, a);
    return and_text(key, 4, text);
}

struct slice key_am_text(struct key *key, uint32_t a, uint32_t m, struct slice text)
{
    key_am(key, a, m);
    return and_text(key, 8, text);
}

struct slice key_b(struct key *key, uint64_t b)
{
    be64(key->octets, b);
    return done(key, 8);
}

struct slice key_chunk(struct key *key, uint64_t b, uint32_t chunk)
{
    be64(key->octets, b);
    be32(key->octets + 8, chunk);
    return done(key, 12);
}

struct slice key_mid(struct key *key, uint32_t a, uint64_t hash, uint64_t b)
{
    be32(key->octets, a);
    be64(key->octets + 4, hash);
    be64(key->octets + 12, b);
    return done(key, 20);
}

struct slice key_catalog_opt(struct key *key, bool domain, uint32_t a, struct slice dom,
                             struct slice name)
{
    size_t at;
    if (domain) {
        key->octets[0] = 'd';
        at = and_text(key, 1, dom).len;
    } else {
        key->octets[0] = 'a';
        be32(key->octets + 1, a);
        at = 5;
    }
    key->octets[at] = 0;
    return and_text(key, at + 1, name);
}

bool key_get32(struct slice key, size_t at, uint32_t *ret)
{
    if (key.len < at + 4)
        return false;
    const unsigned char *p = octets(key) + at;
    *ret = (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
    return true;
}

bool key_get64(struct slice key, size_t at, uint64_t *ret)
{
    uint32_t high, low;
    if (!key_get32(key, at, &high) || !key_get32(key, at + 4, &low))
        return false;
    *ret = (uint64_t)high << 32 | low;
    return true;
}

struct slice key_path(struct slice key, char *to)
{
    size_t n = key.len > 4 ? key.len - 4 : 0;
    if (n > PATH_OCTETS_MAX)
        n = PATH_OCTETS_MAX;
    for (size_t i = 0; i < n; i++)
        to[i] = key.ptr[4 + i] == 0x01 ? '/' : key.ptr[4 + i];
    return slice(to, n);
}

/* --- sys ------------------------------------------------------------------------------------- */

struct slice row_format_encode(const struct row_format *from, unsigned char *to)
{
    struct slice row = start(to, 32);
    to[1] = from->min_reader;
    le(to + 4, from->features, 4);
    memcpy(to + 8, from->uuid, 16);
    le(to + 24, from->created, 8);
    return row;
}

enum err row_format_decode(struct slice value, struct row_format *ret)
{
    /* Not readable(): what a newer format says here decides whether it may be read at all. */
    if (value.len < 32)
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret =
        (struct row_format){.min_reader = p[1], .features = le32(p + 4), .created = le64(p + 24)};
    memcpy(ret->uuid, p + 8, 16);
    return ERR_OK;
}

struct slice row_state_encode(const struct row_state *from, unsigned char *to)
{
    struct slice row = start(to, 48);
    to[1] = from->clean;
    le(to + 4, from->restores, 4);
    le(to + 8, from->generation, 8);
    le(to + 16, from->next_blob, 8);
    le(to + 24, from->clock, 8);
    memcpy(to + 32, from->sip_key, 16);
    return row;
}

enum err row_state_decode(struct slice value, struct row_state *ret)
{
    if (!readable(value, 48))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_state){.clean = p[1] != 0,
                              .restores = le32(p + 4),
                              .generation = le64(p + 8),
                              .next_blob = le64(p + 16),
                              .clock = le64(p + 24)};
    memcpy(ret->sip_key, p + 32, 16);
    return ERR_OK;
}

struct slice row_catalog_state_encode(const struct row_catalog_state *from, unsigned char *to)
{
    struct slice row = start(to, 16);
    le(to + 4, from->next_acct, 4);
    le(to + 8, from->generation, 8);
    return row;
}

enum err row_catalog_state_decode(struct slice value, struct row_catalog_state *ret)
{
    if (!readable(value, 16))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_catalog_state){.next_acct = le32(p + 4), .generation = le64(p + 8)};
    return ERR_OK;
}

/* --- catalog ---------------------------------------------------------------------------------- */

struct slice row_user_encode(const struct row_user *from, unsigned char *to)
{
    size_t at = 24;
    start(to, at);
    to[1] = from->state;
    le(to + 2, from->shard, 2);
    le(to + 4, from->a, 4);
    le(to + 8, from->nonce, 8);
    le(to + 16, from->flags, 4);
    le(to + 20, from->ncred, 2);
    for (unsigned i = 0; i < from->ncred; i++) {
        const struct row_cred *c = &from->cred[i];
        size_t rest = 15 + c->name.len + c->verifier.len;
        if (at + 2 + rest > ROW_MAX)
            return SLICE_NONE;
        le(to + at, rest, 2);
        le(to + at + 2, c->id, 4);
        to[at + 6] = c->flags;
        to[at + 7] = c->protocols;
        le(to + at + 8, c->created, 8);
        to[at + 16] = (unsigned char)c->name.len;
        size_t end = with_tail(to, at + 17, c->name).len;
        at = with_tail(to, end, c->verifier).len;
    }
    return slice(to, at);
}

enum err row_user_decode(struct slice value, struct row_user *ret)
{
    if (!readable(value, 24) || le16(octets(value) + 20) > USER_CREDS_MAX)
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    ret->state = p[1];
    ret->shard = le16(p + 2);
    ret->a = le32(p + 4);
    ret->nonce = le64(p + 8);
    ret->flags = le32(p + 16);
    ret->ncred = le16(p + 20);
    size_t at = 24;
    for (unsigned i = 0; i < ret->ncred; i++) {
        if (value.len < at + 2)
            return ERR_CORRUPT;
        size_t rest = le16(p + at);
        if (rest < 15 || value.len - at - 2 < rest || rest - 15 < p[at + 16])
            return ERR_CORRUPT;
        ret->cred[i] =
            (struct row_cred){.id = le32(p + at + 2),
                              .flags = p[at + 6],
                              .protocols = p[at + 7],
                              .created = le64(p + at + 8),
                              .name = slice(p + at + 17, p[at + 16]),
                              .verifier = slice(p + at + 17 + p[at + 16], rest - 15 - p[at + 16])};
        at += 2 + rest;
    }
    return at == value.len ? ERR_OK : ERR_CORRUPT;
}

struct slice row_cacct_encode(const struct row_cacct *from, unsigned char *to)
{
    start(to, 4);
    le(to + 2, from->shard, 2);
    return with_tail(to, 4, from->login);
}

enum err row_cacct_decode(struct slice value, struct row_cacct *ret)
{
    if (!readable(value, 4))
        return ERR_CORRUPT;
    *ret = (struct row_cacct){.shard = le16(octets(value) + 2), .login = slice_from(value, 4)};
    return ERR_OK;
}

struct slice row_alias_encode(const struct row_alias *from, unsigned char *to)
{
    start(to, 4);
    to[1] = from->flags;
    le(to + 2, from->n, 2);
    for (unsigned i = 0; i < from->n; i++)
        le(to + 4 + 4 * (size_t)i, from->target[i], 4);
    return slice(to, 4 + 4 * (size_t)from->n);
}

enum err row_alias_decode(struct slice value, struct row_alias *ret)
{
    if (!readable(value, 4))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    ret->flags = p[1];
    ret->n = le16(p + 2);
    if (ret->n > ALIAS_TARGETS_MAX || value.len != 4 + 4 * (size_t)ret->n)
        return ERR_CORRUPT;
    for (unsigned i = 0; i < ret->n; i++)
        ret->target[i] = le32(p + 4 + 4 * (size_t)i);
    return ERR_OK;
}

struct slice row_dom_encode(const struct row_dom *from, unsigned char *to)
{
    struct slice row = start(to, 4);
    le(to + 2, from->flags, 2);
    return row;
}

enum err row_dom_decode(struct slice value, struct row_dom *ret)
{
    if (!readable(value, 4))
        return ERR_CORRUPT;
    *ret = (struct row_dom){.flags = le16(octets(value) + 2)};
    return ERR_OK;
}

struct slice row_value_encode(struct slice data, unsigned char *to)
{
    start(to, 1);
    return with_tail(to, 1, slice_first(data, ROW_MAX - 1));
}

enum err row_value_decode(struct slice value, struct slice *ret)
{
    if (!readable(value, 1))
        return ERR_CORRUPT;
    *ret = slice_from(value, 1);
    return ERR_OK;
}
