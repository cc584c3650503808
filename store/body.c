#include "store/body.h"

#include <stdatomic.h>
#include <string.h>
#include <xxhash.h>

#include "core/base/mem.h"
#include "core/net/loop.h"
#include "core/net/worker.h"
#include "store/lately.h"
#include "store/pins.h"
#include "store/sched.h"
#include "store/view.h"

enum { CHUNK_SUM = 8 };

/* Pinned from open to the last unref: the session's, and one of each page-in under way. */
struct store_body {
    atomic_uint refs;
    struct store *store;
    struct env *env;
    uint64_t blob;
    uint64_t size;
};

static uint32_t chunks_of(uint64_t size)
{
    return (uint32_t)((size + CHUNK_PAYLOAD - 1) / CHUNK_PAYLOAD);
}

/* --- open, close ---------------------------------------------------------------------------------
 */

enum err body_open_blob(struct store_reader *reader, struct env *env, uint64_t blob,
                        struct store_body **ret)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    struct row_blob row;
    enum err e = reader_snap(reader, env, &txn);
    if (!e)
        e = engine_get(txn, DBI_BLOB, key_b(&key, blob), &value);
    if (e)
        return e == ERR_NOTFOUND ? ERR_GONE : e;
    if (row_blob_decode(value, &row) || row.codec != 0 || row.size > UINT32_MAX)
        return ERR_CORRUPT;
    /* A row that owns no reference (moved) may name a body that the reaper is about to take: the
     * gate does not wait for this snapshot (store/gate.c, 3). */
    if (row.refs == 0)
        return ERR_GONE;
    SCHED_POINT("body: found, not yet pinned");
    pin_add(env->pins, blob);
    struct store_body *body = mem_new(sizeof *body);
    atomic_init(&body->refs, 1);
    body->store = reader->store;
    body->env = env;
    body->blob = blob;
    body->size = row.size;
    *ret = body;
    return ERR_OK;
}

enum err body_open_message(struct store_reader *reader, struct env *env, uint32_t a, uint32_t m,
                           uint32_t uid, struct row_msg *ret_msg, struct store_body **ret)
{
    struct engine_txn *txn;
    struct key key;
    struct slice value;
    struct row_msg msg;
    enum err e = reader_snap(reader, env, &txn);
    if (!e)
        e = engine_get(txn, DBI_MSG, key_amu(&key, a, m, uid), &value);
    if (!e)
        e = row_msg_decode(value, &msg);
    if (!e)
        e = body_open_blob(reader, env, msg.blob, ret);
    if (!e && ret_msg)
        *ret_msg = msg;
    return e == ERR_NOTFOUND ? ERR_GONE : e;
}

enum err store_body_open(struct store_view *view, uint32_t uid, struct store_body **ret)
{
    const struct store_account *account = view_account(view);
    return body_open_message(view->reader, account->env, account->a, view_mailbox(view), uid, NULL,
                             ret);
}

uint64_t store_body_size(const struct store_body *body)
{
    return body->size;
}

void store_body_close(struct store_body *body)
{
    if (!body || atomic_fetch_sub(&body->refs, 1) > 1)
        return;
    pin_drop(body->env->pins, body->blob);
    mem_free(body);
}

/* --- reading -------------------------------------------------------------------------------------
 */

/* The chunk's row as it is; ERR_CORRUPT when it is missing or has another length than it must. */
static enum err find_chunk(const struct store_body *body, struct engine_txn *txn, uint32_t chunk,
                           struct slice *ret)
{
    struct key key;
    uint64_t left = body->size - (uint64_t)chunk * CHUNK_PAYLOAD;
    size_t len = left < CHUNK_PAYLOAD ? (size_t)left : CHUNK_PAYLOAD;
    enum err e = engine_get(txn, DBI_BODY, key_chunk(&key, body->blob, chunk), ret);
    if (e == ERR_NOTFOUND || (!e && ret->len != len + CHUNK_SUM))
        return ERR_CORRUPT;
    return e;
}

static enum err check_sum(struct slice octets, uint64_t seed)
{
    uint64_t sum;
    memcpy(&sum, octets.ptr + octets.len, sizeof sum);
    return XXH3_64bits_withSeed(octets.ptr, octets.len, seed) == sum ? ERR_OK : ERR_CORRUPT;
}

/* The octets of a chunk that is in memory and right. Workers and tools may wait for the disk. */
static enum err map_chunk(const struct store_body *body, const struct store_reader *reader,
                          struct engine_txn *txn, uint32_t chunk, struct slice *ret)
{
    struct chunk_place place = {body->blob, body->env->index, chunk};
    struct slice row;
    enum err e = find_chunk(body, txn, chunk, &row);
    if (e)
        return e;
    *ret = slice_first(row, row.len - CHUNK_SUM);
    if (!reader->loop)
        return check_sum(*ret, body->blob ^ chunk);
    uint64_t now = loop_now_ms(reader->loop);
    if (lately_has(reader->lately, &place, now))
        return ERR_OK;
    if (!engine_resident(row))
        return ERR_AGAIN;
    e = check_sum(*ret, body->blob ^ chunk);
    if (!e)
        lately_note(reader->lately, &place, now);
    return e;
}

/* One reading of the disk for all that was asked for, not one for each chunk. */
static void prefetch(const struct store_body *body, struct engine_txn *txn, uint32_t chunk, int n)
{
    struct slice row;
    for (; n > 0 && chunk < chunks_of(body->size); chunk++, n--)
        if (find_chunk(body, txn, chunk, &row) == ERR_OK)
            engine_prefetch(row);
}

enum err store_body_map(struct store_body *body, struct store_reader *reader, uint64_t offset,
                        struct iovec *iov, int n, int *ret_n)
{
    struct engine_txn *txn;
    int got = 0;
    enum err e = reader_snap(reader, body->env, &txn);
    while (!e && got < n && offset < body->size) {
        uint32_t chunk = (uint32_t)(offset / CHUNK_PAYLOAD);
        struct slice payload;
        e = map_chunk(body, reader, txn, chunk, &payload);
        if (e == ERR_AGAIN)
            prefetch(body, txn, chunk + 1, n - got - 1);
        if (e)
            break;
        struct slice rest = slice_from(payload, offset % CHUNK_PAYLOAD);
        iov[got++] = (struct iovec){.iov_base = (void *)(uintptr_t)rest.ptr, .iov_len = rest.len};
        offset += rest.len;
    }
    if (e && got == 0)
        return e;
    *ret_n = got; /* what is right and warm; the next call says what is not */
    return ERR_OK;
}

/* --- page-in -------------------------------------------------------------------------------------
 */

struct warm_body {
    struct job job;
    struct store_to to;
    struct store_body *body;
    uint64_t offset, end;
    enum err err;
};

static struct warm_body *warm_of_job(struct job *job)
{
    return (struct warm_body *)((char *)job - offsetof(struct warm_body, job));
}

static void warm_run(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct warm_body *warm = warm_of_job(job);
    struct store_body *body = warm->body;
    struct store_reader *reader;
    struct engine_txn *txn;
    warm->err = store_reader_new(body->store, NULL, &reader);
    if (warm->err)
        return;
    warm->err = reader_snap(reader, body->env, &txn);
    for (uint64_t at = warm->offset; !warm->err && at < warm->end; at += CHUNK_PAYLOAD) {
        struct slice row;
        warm->err = find_chunk(body, txn, (uint32_t)(at / CHUNK_PAYLOAD), &row);
        if (!warm->err)
            engine_populate(row);
    }
    store_reader_free(reader);
}

static void warm_done(struct job *job)
{
    struct warm_body *warm = warm_of_job(job);
    struct store_to to = warm->to;
    struct store_result result = {.err = warm->err};
    store_body_close(warm->body);
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
    uint64_t end = len < body->size && offset < body->size - len ? offset + len : body->size;
    offset -= offset % CHUNK_PAYLOAD; /* from chunk to chunk */
    *warm = (struct warm_body){
        .job = {.loop = to.loop, .run = warm_run, .done = warm_done},
        .to = to,
        .body = body,
        .offset = offset,
        .end = end
    };
    atomic_fetch_add(&body->refs, 1);
    if (pool_submit(body->store->pool, &warm->job) == ERR_OK)
        return;
    warm->err = ERR_AGAIN; /* the pool is full: the session may try again */
    warm->job.post.run = warm_refused;
    loop_post(to.loop, &warm->job.post);
}
