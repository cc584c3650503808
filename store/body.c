#include "store/body.h"

#include <string.h>
#include <xxhash.h>

#include "core/base/mem.h"
#include "core/net/worker.h"
#include "store/pins.h"
#include "store/sched.h"
#include "store/view.h"

/* The pin keeps the body from the reaper; the snapshot that found it may end. */
struct store_body {
    struct env *env;
    struct store_reader *reader; /* of who opened it */
    uint64_t blob, size;
    uint32_t checked; /* chunks below this one have been verified */
};

enum err body_open_blob(struct store_reader *reader, struct env *env, uint64_t blob,
                        struct store_body **ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    struct row_blob row;
    enum err e = reader_snap(reader, env, &snap);
    if (!e)
        e = engine_get(snap, DBI_BLOB, key_b(&key, blob), &value);
    if (e)
        return e == ERR_NOTFOUND ? ERR_GONE : e;
    if ((e = row_blob_decode(value, &row)))
        return e;
    if (row.codec != 0)
        return ERR_CORRUPT; /* written by a newer version */
    SCHED_POINT("body: found, not yet pinned");
    pin_add(env->pins, blob); /* while the snapshot is live: the gate holds the reaper until then */
    struct store_body *body = mem_new(sizeof *body);
    *body = (struct store_body){.env = env, .reader = reader, .blob = blob, .size = row.size};
    *ret = body;
    return ERR_OK;
}

enum err body_open_message(struct store_reader *reader, struct env *env, uint32_t a, uint32_t m,
                           uint32_t uid, struct row_msg *ret_row, struct store_body **ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    enum err e = reader_snap(reader, env, &snap);
    if (!e)
        e = engine_get(snap, DBI_MSG, key_amu(&key, a, m, uid), &value);
    if (e)
        return e == ERR_NOTFOUND ? ERR_GONE : e;
    e = row_msg_decode(value, ret_row);
    return e ? e : body_open_blob(reader, env, ret_row->blob, ret);
}

enum err store_body_open(struct store_view *view, uint32_t uid, struct store_body **ret)
{
    struct store_account *account = view_account(view);
    struct row_msg row;
    return body_open_message(view->reader, account->env, account->a, view_mailbox(view), uid, &row,
                             ret);
}

uint64_t store_body_size(const struct store_body *body)
{
    return body->size;
}

void store_body_close(struct store_body *body)
{
    if (!body)
        return;
    pin_drop(body->env->pins, body->blob);
    mem_free(body);
}

/* Octets of one chunk as they are stored, and whether they are what was written. */
static enum err chunk_get(const struct store_body *body, struct engine_txn *snap, uint32_t chunk,
                          struct slice *ret)
{
    struct key key;
    struct slice value;
    uint64_t at = (uint64_t)chunk * CHUNK_PAYLOAD;
    uint64_t want = body->size - at < CHUNK_PAYLOAD ? body->size - at : CHUNK_PAYLOAD;
    enum err e = engine_get(snap, DBI_BODY, key_chunk(&key, body->blob, chunk), &value);
    if (e)
        return e == ERR_NOTFOUND ? ERR_CORRUPT : e;
    if (value.len != want + 8)
        return ERR_CORRUPT;
    *ret = value;
    return ERR_OK;
}

static enum err chunk_check(struct store_body *body, uint32_t chunk, struct slice value)
{
    uint64_t sum;
    if (chunk < body->checked)
        return ERR_OK;
    memcpy(&sum, value.ptr + value.len - 8, sizeof sum);
    if (XXH3_64bits_withSeed(value.ptr, value.len - 8, body->blob ^ chunk) != sum)
        return ERR_CORRUPT;
    if (chunk == body->checked) /* read from the start, as nearly all are: once is enough */
        body->checked++;
    return ERR_OK;
}

enum err store_body_map(struct store_body *body, struct store_reader *reader, uint64_t offset,
                        struct iovec *iov, int n, int *ret_n)
{
    struct engine_txn *snap;
    *ret_n = 0;
    enum err e = reader_snap(reader, body->env, &snap);
    while (!e && *ret_n < n && offset < body->size) {
        uint32_t chunk = (uint32_t)(offset / CHUNK_PAYLOAD);
        size_t skip = (size_t)(offset % CHUNK_PAYLOAD);
        struct slice value;
        e = chunk_get(body, snap, chunk, &value);
        if (!e && reader->loop && !engine_resident(value)) /* a loop does not wait for the disk */
            return *ret_n ? ERR_OK : ERR_AGAIN;
        if (!e)
            e = chunk_check(body, chunk, value);
        if (e)
            break;
        iov[(*ret_n)++] = (struct iovec){.iov_base = (char *)(uintptr_t)value.ptr + skip,
                                         .iov_len = value.len - 8 - skip};
        offset += value.len - 8 - skip;
    }
    return e;
}

/* --- cold bodies
 * ----------------------------------------------------------------------------------- */

struct warm_body {
    struct job job;
    struct store_to to;
    struct store_body body; /* with a pin of its own */
    uint64_t offset;
    size_t len;
    enum err err;
};

static void warm_run(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct warm_body *warm = (struct warm_body *)job;
    struct store_body *body = &warm->body;
    struct store_reader *reader;
    struct engine_txn *snap;
    warm->err = store_reader_new(body->env->store, NULL, &reader);
    if (warm->err)
        return;
    enum err e = reader_snap(reader, body->env, &snap);
    uint64_t end = body->size;
    if (warm->offset < end && end - warm->offset > warm->len)
        end = warm->offset + warm->len;
    for (uint64_t at = warm->offset; !e && at < end; at += CHUNK_PAYLOAD) {
        struct slice value;
        e = chunk_get(body, snap, (uint32_t)(at / CHUNK_PAYLOAD), &value);
        if (!e)
            engine_populate(value);
    }
    store_reader_free(reader);
    warm->err = e;
}

static void warm_done(struct job *job)
{
    struct warm_body *warm = (struct warm_body *)job;
    struct store_to to = warm->to;
    struct store_result result = {.err = warm->err};
    pin_drop(warm->body.env->pins, warm->body.blob);
    mem_free(warm);
    void *object = loop_id_find(to.loop, to.id);
    if (object)
        to.done(object, &result);
}

static void warm_refused(struct loop *loop, struct post *post)
{
    (void)loop;
    warm_done((struct job *)((char *)post - offsetof(struct job, post)));
}

void store_warm_body(struct store_body *body, uint64_t offset, size_t len, struct store_to to)
{
    struct warm_body *warm = mem_new(sizeof *warm);
    warm->job.loop = to.loop;
    warm->job.run = warm_run;
    warm->job.done = warm_done;
    warm->to = to;
    warm->body = *body;
    warm->offset = offset;
    warm->len = len;
    pin_add(body->env->pins, body->blob);
    if (pool_submit(body->env->store->pool, &warm->job) == ERR_OK)
        return;
    warm->err = ERR_AGAIN; /* the pool is full: the session may try again */
    warm->job.post.run = warm_refused;
    loop_post(to.loop, &warm->job.post);
}
