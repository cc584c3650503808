/* Bodies: their references, owners, and where they are on the way in and out (store/keys.h). */
#include "store/keys.h"

#include <string.h>

#include "store/octets.h"

struct slice row_blob_encode(const struct row_blob *from, unsigned char *to)
{
    struct slice row = start(to, 40);
    to[1] = from->codec;
    le(to + 4, from->refs, 4);
    le(to + 8, from->size, 8);
    le(to + 16, from->stored, 8);
    memcpy(to + 24, from->hash, 16);
    return row;
}

enum err row_blob_decode(struct slice value, struct row_blob *ret)
{
    if (!readable(value, 40))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_blob){
        .codec = p[1], .refs = le32(p + 4), .size = le64(p + 8), .stored = le64(p + 16)};
    memcpy(ret->hash, p + 24, 16);
    return ERR_OK;
}

struct slice row_bown_encode(const struct row_bown *from, unsigned char *to)
{
    struct slice row = start(to, 40);
    to[1] = from->codec;
    le(to + 4, from->a, 4);
    le(to + 8, from->size, 8);
    le(to + 16, from->arrival, 8);
    memcpy(to + 24, from->hash, 16);
    return row;
}

enum err row_bown_decode(struct slice value, struct row_bown *ret)
{
    if (!readable(value, 40))
        return ERR_CORRUPT;
    const unsigned char *p = octets(value);
    *ret = (struct row_bown){
        .codec = p[1], .a = le32(p + 4), .size = le64(p + 8), .arrival = le64(p + 16)};
    memcpy(ret->hash, p + 24, 16);
    return ERR_OK;
}

struct slice row_stage_encode(const struct row_stage *from, unsigned char *to)
{
    struct slice row = start(to, 12);
    le(to + 4, from->time, 4);
    le(to + 8, from->a, 4);
    return row;
}

enum err row_stage_decode(struct slice value, struct row_stage *ret)
{
    if (!readable(value, 12))
        return ERR_CORRUPT;
    *ret = (struct row_stage){.time = le32(octets(value) + 4), .a = le32(octets(value) + 8)};
    return ERR_OK;
}

struct slice row_reap_encode(const struct row_reap *from, unsigned char *to)
{
    struct slice row = start(to, 8);
    le(to + 4, from->time, 4);
    return row;
}

enum err row_reap_decode(struct slice value, struct row_reap *ret)
{
    if (!readable(value, 8))
        return ERR_CORRUPT;
    *ret = (struct row_reap){.time = le32(octets(value) + 4)};
    return ERR_OK;
}
