#include "store/message_id.h"

#include <stdio.h>

#include "core/base/mem.h"
#include "core/base/siphash.h"
#include "core/mime/header.h"

enum { BODIES_MAX = 4096 };

static bool hash_of(const struct env *env, struct slice id, uint64_t *ret)
{
    struct header_msgids ids;
    struct slice found;
    char text[HEADER_MSGID_MAX + 3];
    if (id.len > HEADER_MSGID_MAX)
        return false;
    if (slice_find(id, '<') == id.len)
        id = slice(text, (size_t)snprintf(text, sizeof text, "<" SLICE_FMT ">", SLICE_ARG(id)));
    header_msgids_init(&ids, id);
    if (!header_msgids_next(&ids, &found))
        return false;
    *ret = siphash(siphash_key_from(env->sip_key), found);
    return true;
}

enum err message_id_bodies(struct engine_txn *txn, const struct env *env, uint32_t a,
                           struct slice id, struct bodies *ret)
{
    struct engine_cursor cursor;
    struct key key;
    uint64_t hash, blob;
    size_t cap = 0;
    *ret = (struct bodies){0};
    if (!hash_of(env, id, &hash))
        return ERR_SYNTAX;
    struct slice prefix = slice_first(key_mid(&key, a, hash, 0), 12);
    enum err e = engine_cursor_open(txn, DBI_MID, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    for (; !e && ret->n < BODIES_MAX; e = engine_next(&cursor)) {
        if (!key_get64(cursor.key, 12, &blob)) {
            e = ERR_CORRUPT;
            break;
        }
        if (ret->n == cap) {
            cap = cap ? cap * 2 : 8;
            ret->list = mem_resize(ret->list, cap * sizeof *ret->list);
        }
        ret->list[ret->n++] = blob;
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

bool bodies_have(const struct bodies *bodies, uint64_t blob)
{
    for (size_t i = 0; i < bodies->n; i++)
        if (bodies->list[i] == blob)
            return true;
    return false;
}
