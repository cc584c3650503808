/* An account written as a stream, as of one snapshot of the catalog and one of its shard. What only
 * serves sessions that are open now (transient rows, tombstones) stays behind. */
#include <string.h>
#include <xxhash.h>

#include "core/base/mem.h"
#include "store/account_file.h"
#include "store/admin.h"
#include "store/archive.h"
#include "store/blob_map.h"
#include "store/env.h"

enum { ROWS_BLOCK = 256 << 10 };

struct out {
    struct archive_out archive;
    struct env *env;
    struct engine_txn *snap;
    uint32_t a;
    struct buf block;
    struct blob_map bodies; /* how many messages name it; from SHARED on: its number, it was sent */
    uint32_t nshared;
    uint32_t box; /* the mailbox looked at last */
    bool swept;   /* it is being cleared away */
    const struct store_account_out *conf;
    uint64_t octets;
    struct fault *why;
};

#define SHARED ((uint32_t)1 << 31)

static enum err flush(struct out *out, char type)
{
    enum err e = archive_put(&out->archive, type, buf_slice(&out->block));
    out->octets += out->block.len;
    buf_consume(&out->block, out->block.len);
    if (out->conf->progress)
        out->conf->progress(out->conf->arg, out->octets);
    return e;
}

/* Every row of the account in a table; `row` gets the key without A. */
typedef enum err each_row(struct out *out, void *arg, struct slice key, struct slice value);

static enum err each(struct out *out, unsigned dbi, struct slice prefix, each_row *row, void *arg)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(out->snap, dbi, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    while (!e) {
        e = row(out, arg, slice_from(cursor.key, 4), cursor.value);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* --- rows as they are
 * -----------------------------------------------------------------------------
 */

static enum err put_row(struct out *out, void *arg, struct slice key, struct slice value)
{
    const struct account_table *table = arg;
    struct row_gone gone;
    struct row_mbox mbox;
    enum err e = ERR_OK;
    if (table->dbi == DBI_GONE)
        e = row_gone_decode(value, &gone);
    if (!e && table->dbi == DBI_GONE && gone.kind != GONE_MBOX)
        return ERR_OK;
    if (!e && table->dbi == DBI_MBOX)
        e = row_mbox_decode(value, &mbox);
    if (!e && table->dbi == DBI_MBOX && mbox.state == MBOX_SWEPT)
        return ERR_OK;
    if (!e && out->block.len == 0)
        e = buf_append_c(&out->block, table->letter);
    if (!e)
        e = field_put(&out->block, key);
    if (!e)
        e = field_put(&out->block, value);
    return e || out->block.len < ROWS_BLOCK ? e : flush(out, ACCOUNT_ROWS);
}

static enum err put_tables(struct out *out, bool before)
{
    struct key prefix;
    enum err e = ERR_OK;
    for (const struct account_table *t = account_tables; !e && t->letter; t++) {
        if (t->before != before)
            continue;
        e = each(out, t->dbi, key_a(&prefix, out->a), put_row, (void *)(uintptr_t)t);
        if (!e && out->block.len)
            e = flush(out, ACCOUNT_ROWS);
    }
    return e;
}

/* --- messages
 * -------------------------------------------------------------------------------------
 */

struct message {
    uint32_t m, u;
    struct slice msg, hot, gone_key, gone;
};

/* `of`: names what is damaged. */
static enum err damaged(struct out *out, const struct message *of)
{
    return fault(out->why, ERR_CORRUPT,
                 "message %u of mailbox %u is damaged: see 'tandem check --bodies'", of->u, of->m);
}

static enum err put_body(struct out *out, const struct message *message, const struct row_msg *row)
{
    for (uint32_t at = 0, chunk = 0; at < row->size; at += CHUNK_PAYLOAD, chunk++) {
        struct key key;
        struct slice value;
        uint64_t sum = 0;
        size_t want = row->size - at < CHUNK_PAYLOAD ? row->size - at : CHUNK_PAYLOAD;
        enum err e = engine_get(out->snap, DBI_BODY, key_chunk(&key, row->blob, chunk), &value);
        if (e && e != ERR_NOTFOUND)
            return e;
        if (!e && value.len == want + sizeof sum)
            memcpy(&sum, value.ptr + want, sizeof sum);
        else
            return damaged(out, message);
        if (XXH3_64bits_withSeed(value.ptr, want, row->blob ^ chunk) != sum)
            return damaged(out, message);
        e = archive_put(&out->archive, ACCOUNT_BODY, slice_first(value, want));
        if (e)
            return e;
        out->octets += want;
    }
    return ERR_OK;
}

static enum err optional_row(struct out *out, unsigned dbi, const struct message *message)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(out->snap, dbi, key_amu(&key, out->a, message->m, message->u), &value);
    if (e && e != ERR_NOTFOUND)
        return e;
    return field_put(&out->block, e ? SLICE_NONE : value);
}

static enum err put_message(struct out *out, const struct message *message)
{
    struct row_msg row;
    struct key key;
    struct key number;
    struct slice shared = SLICE_NONE;
    if (row_msg_decode(message->msg, &row))
        return damaged(out, message);
    uint32_t *named = blob_map_at(&out->bodies, row.blob);
    bool first = *named < SHARED;
    if (first && *named > 1)
        *named = SHARED + ++out->nshared;
    if (*named > SHARED)
        shared = key_a(&number, *named - SHARED);
    enum err e =
        field_put(&out->block, slice_from(key_amu(&key, out->a, message->m, message->u), 4));
    if (!e)
        e = field_put(&out->block, message->msg);
    if (!e)
        e = field_put(&out->block, message->hot);
    if (!e)
        e = field_put(&out->block, message->gone_key);
    if (!e)
        e = field_put(&out->block, message->gone);
    if (!e)
        e = optional_row(out, DBI_POP, message);
    if (!e)
        e = optional_row(out, DBI_UIDL, message);
    if (!e)
        e = field_put(&out->block, shared);
    if (!e)
        e = flush(out, ACCOUNT_MESSAGE);
    return e || !first ? e : put_body(out, message, &row);
}

static enum err look_at_box(struct out *out, uint32_t m)
{
    struct box box;
    enum err e = m == out->box ? ERR_OK : box_load(out->snap, out->env, out->a, m, &box);
    if (!e && m != out->box)
        out->swept = box.row.state == MBOX_SWEPT;
    out->box = m;
    return e;
}

/* The messages of a bucket of `hot`, written, or only counted by body. */
static enum err see_bucket(struct out *out, void *arg, struct slice key, struct slice value)
{
    const bool *write = arg;
    struct hot_row row;
    struct hot_bucket *one = NULL;
    uint32_t m, bucket;
    unsigned char encoded[ROW_MAX];
    if (hot_open(value, &row) || !key_get32(key, 0, &m) || !key_get32(key, 4, &bucket))
        return ERR_CORRUPT;
    enum err e = look_at_box(out, m);
    if (*write)
        one = mem_new(sizeof *one);
    for (unsigned bit = 0; !e && !out->swept && bit < BUCKET_UIDS; bit++) {
        struct message message = {.m = m, .u = bucket << BUCKET_SHIFT | bit};
        struct row_msg msg;
        struct key k;
        if (!hot_has(&row, bit))
            continue;
        e = engine_get(out->snap, DBI_MSG, key_amu(&k, out->a, m, message.u), &message.msg);
        if (!e && !*write) {
            e = row_msg_decode(message.msg, &msg);
            if (!e)
                ++*blob_map_at(&out->bodies, msg.blob);
        } else if (!e) {
            memset(one, 0, sizeof *one);
            one->n = 1;
            one->present[bit >> 6] = (uint64_t)1 << (bit & 63);
            hot_read(&row, bit, &one->slot[bit]);
            message.hot = hot_encode(one, encoded);
            e = put_message(out, &message);
        }
        if (e == ERR_NOTFOUND || (e == ERR_CORRUPT && !out->why->text[0]))
            e = damaged(out, &message);
    }
    mem_free(one);
    return e;
}

static enum err see_gone(struct out *out, void *arg, struct slice key, struct slice value)
{
    const bool *write = arg;
    struct row_gone gone;
    struct row_msg msg;
    struct message message = {.gone_key = key, .gone = value};
    struct key k;
    uint32_t time;
    if (row_gone_decode(value, &gone) || !key_get32(key, 0, &time) ||
        !key_get32(key, 4, &message.m) || !key_get32(key, 8, &message.u))
        return ERR_CORRUPT;
    if (gone.kind != GONE_MESSAGE || time == GONE_TRANSIENT)
        return ERR_OK;
    enum err e =
        engine_get(out->snap, DBI_MSG, key_amu(&k, out->a, message.m, message.u), &message.msg);
    if (!e && *write)
        return put_message(out, &message);
    if (!e)
        e = row_msg_decode(message.msg, &msg);
    if (e)
        return e == ERR_DOWN ? e : damaged(out, &message);
    ++*blob_map_at(&out->bodies, msg.blob);
    return ERR_OK;
}

static enum err put_messages(struct out *out)
{
    struct key prefix;
    enum err e = ERR_OK;
    for (int write = 0; !e && write < 2; write++) {
        bool writing = write;
        e = each(out, DBI_HOT, key_a(&prefix, out->a), see_bucket, &writing);
        if (!e)
            e = each(out, DBI_GONE, key_a(&prefix, out->a), see_gone, &writing);
    }
    return e;
}

/* --- all of it
 * ------------------------------------------------------------------------------------
 */

static enum err put_user(struct out *out, struct engine_txn *catalog, struct slice login,
                         const struct store_user *user)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(catalog, DBI_CUSER, key_text(&key, login), &value);
    if (!e)
        e = field_put(&out->block, login);
    if (!e)
        e = field_put(&out->block, value);
    for (size_t i = 0; !e && i < user->nopts; i++) {
        if (user->opts[i].of_domain)
            continue;
        e = field_put(&out->block, user->opts[i].name);
        if (!e)
            e = field_put(&out->block, user->opts[i].value);
    }
    if (!e)
        e = flush(out, ACCOUNT_USER);
    if (!e)
        e = engine_get(out->snap, DBI_ACCT, key_a(&key, out->a), &value);
    if (!e)
        e = field_put(&out->block, value);
    return e ? e : flush(out, ACCOUNT_ROW);
}

enum err store_account_out(struct store_reader *reader, const struct store_user *user,
                           const struct store_account_out *conf, struct fault *why)
{
    struct store *store = reader->store;
    struct out out = {.env = user->shard < store->nshards ? store->shard[user->shard] : NULL,
                      .a = user->acct,
                      .conf = conf,
                      .why = why};
    struct engine_txn *catalog;
    *why = (struct fault){0};
    if (!out.env)
        return fault(why, ERR_CORRUPT, "it is in a shard that is not there");
    buf_init(&out.block, ARCHIVE_BLOCK_MAX);
    store_reader_idle(reader);
    enum err e = reader_snap(reader, store->catalog, &catalog);
    if (!e)
        e = reader_snap(reader, out.env, &out.snap);
    if (!e)
        e = archive_begin(&out.archive, &conf->sink, "account");
    if (!e)
        e = put_user(&out, catalog, user->login, user);
    if (!e)
        e = put_tables(&out, true);
    if (!e)
        e = put_messages(&out);
    if (!e)
        e = put_tables(&out, false);
    if (!e)
        e = archive_put(&out.archive, ACCOUNT_END, SLICE_NONE);
    store_reader_idle(reader);
    blob_map_finish(&out.bodies);
    buf_finish(&out.block);
    return e && !why->text[0] ? fault(why, e, "%s", err_text(e)) : e;
}
