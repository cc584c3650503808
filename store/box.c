/* Rows of accounts and mailboxes with their texts, and the lift of rows from before a restore. */
#include "store/env.h"

#include <string.h>

/* Texts lie in the caller's struct: rows point there, so a box may be copied only with box_load. */
static void keep(struct slice *text, char *to, size_t room)
{
    size_t n = text->len < room ? text->len : room;
    if (n)
        memcpy(to, text->ptr, n);
    *text = slice(to, n);
}

enum err acct_load(struct engine_txn *txn, uint32_t a, struct acct *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(txn, DBI_ACCT, key_a(&key, a), &value);
    if (!e)
        e = row_acct_decode(value, &ret->row);
    if (e)
        return e;
    ret->a = a;
    keep(&ret->row.login, ret->login, sizeof ret->login);
    return ERR_OK;
}

/* store/README.md, "the lift": after an older file was put in place, no UID and no modseq that it
 * may have issued since is issued again, and clients with newer state fall back to a full look. */
void box_lift(struct row_mbox *row, uint32_t by_restores)
{
    uint64_t by = by_restores;
    uint64_t uidnext = row->uidnext + (by << 20);
    row->uidnext = uidnext < UINT32_MAX ? (uint32_t)uidnext : UINT32_MAX;
    row->highestmodseq += by << 32;
    row->expunge_modseq = row->tomb_floor = row->modseq_floor = row->highestmodseq;
}

enum err box_load(struct engine_txn *txn, const struct env *env, uint32_t a, uint32_t m,
                  struct box *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(txn, DBI_MBOX, key_am(&key, a, m), &value);
    if (!e)
        e = row_mbox_decode(value, &ret->row);
    if (e)
        return e;
    ret->a = a;
    ret->m = m;
    keep(&ret->row.path, ret->path, sizeof ret->path);
    if (ret->row.restores < env->restores) {
        box_lift(&ret->row, env->restores - ret->row.restores);
        ret->row.restores = env->restores;
    }
    return ERR_OK;
}

enum err box_find(struct engine_txn *txn, const struct env *env, uint32_t a, struct slice path,
                  struct box *ret)
{
    struct key key;
    struct slice value;
    struct row_name name;
    if (path.len > PATH_OCTETS_MAX)
        return ERR_NOTFOUND;
    enum err e = engine_get(txn, DBI_NAME, key_name(&key, a, path), &value);
    if (!e)
        e = row_name_decode(value, &name);
    if (!e && name.m == 0)
        e = ERR_NOTFOUND;
    if (!e)
        e = box_load(txn, env, a, name.m, ret);
    return e;
}

enum err slot_load(struct engine_txn *txn, uint32_t a, uint32_t m, uint32_t uid,
                   struct hot_slot *ret)
{
    struct key key;
    struct slice value;
    struct hot_row row;
    enum err e = engine_get(txn, DBI_HOT, key_amu(&key, a, m, uid >> BUCKET_SHIFT), &value);
    if (!e)
        e = hot_open(value, &row);
    if (e)
        return e;
    if (!hot_has(&row, uid & (BUCKET_UIDS - 1)))
        return ERR_NOTFOUND;
    hot_read(&row, uid & (BUCKET_UIDS - 1), ret);
    return ERR_OK;
}
