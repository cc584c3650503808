/* What a message consists of: from its `cache` row, or parsed anew on the pool. */
#include "store/store.h"

#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/mime/envelope.h"
#include "core/net/worker.h"
#include "store/body.h"
#include "store/commit.h"
#include "store/incoming.h"
#include "store/policy.h"
#include "store/view.h"

enum err store_structure(const struct store_message *message, struct store_structure *ret)
{
    uint16_t parser;
    struct slice tags[CACHE_TAGS];
    if (!message->cache.len || cache_open(message->cache, &parser, tags) ||
        parser != PARSER_VERSION)
        return ERR_NOTFOUND;
    for (unsigned tag = CACHE_ENVELOPE; tag <= CACHE_PARTS; tag++)
        if (!tags[tag].ptr)
            return ERR_NOTFOUND;
    *ret = (struct store_structure){.envelope = tags[CACHE_ENVELOPE],
                                    .bodystructure = tags[CACHE_BODYSTRUCTURE],
                                    .cuts = tags[CACHE_CUTS],
                                    .parts = tags[CACHE_PARTS]};
    return ERR_OK;
}

enum err store_digest(const struct store_message *message, struct slice *ret)
{
    uint16_t parser;
    struct slice tags[CACHE_TAGS];
    if (!message->cache.len || cache_open(message->cache, &parser, tags) ||
        parser != PARSER_VERSION || !tags[CACHE_HEADER].ptr)
        return ERR_NOTFOUND;
    *ret = tags[CACHE_HEADER];
    return ERR_OK;
}

/* --- cache fill: a row that was missing or old ------------------------------------------------ */

struct fill {
    struct op op;
    uint64_t blob;
    unsigned char *row; /* owned */
    size_t len;
};

/* Once the body has gone, or waits for the reaper, its row is not wanted. */
static enum err fill_apply(struct op *op, struct turn *turn)
{
    struct fill *fill = (struct fill *)op;
    struct key key;
    struct slice value;
    struct row_blob blob;
    enum err e = engine_get(turn->txn, DBI_BLOB, key_b(&key, fill->blob), &value);
    if (!e)
        e = row_blob_decode(value, &blob);
    if (e || blob.refs == 0)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    return turn_put(turn, DBI_CACHE, key_b(&key, fill->blob), slice(fill->row, fill->len));
}

static void fill_release(struct op *op)
{
    mem_free(((struct fill *)op)->row);
    mem_free(op);
}

static const struct op_kind fill_kind = {"cache", fill_apply, fill_release, false};

/* Takes `row` over. */
static void fill_submit(struct env *env, uint32_t a, uint64_t blob, unsigned char *row, size_t len)
{
    struct fill *fill = mem_new(sizeof *fill);
    fill->op = (struct op){.kind = &fill_kind, .env = env, .acct = a, .pages = 8, .internal = true};
    fill->blob = blob;
    fill->row = row;
    fill->len = len;
    committer_submit(env->committer, &fill->op);
}

/* --- on the worker ---------------------------------------------------------------------------- */

struct parse {
    struct job job;
    struct store_to to;
    struct store *store;
    struct env *env;
    uint32_t a, m, uid;
    enum err err;
    struct buf header; /* what [limits] header allows of it */
    struct buf envelope, bodystructure, cuts, parts;
};

static struct parse *parse_of_job(struct job *job)
{
    return (struct parse *)((char *)job - offsetof(struct parse, job));
}

/* In slices: no snapshot is held for longer than one, and the job ends soon when the store does. */
static enum err scan_body(struct parse *p, struct store_reader *reader, struct store_body *body,
                          size_t header_len, struct mime_scan *scan)
{
    enum { PIECES = 16 };
    uint64_t at = 0;
    while (at < store_body_size(body)) {
        struct iovec iov[PIECES];
        int n;
        enum err e = store_body_map(body, reader, at, iov, PIECES, &n);
        for (int i = 0; !e && i < n; i++) {
            struct slice piece = slice(iov[i].iov_base, iov[i].iov_len);
            if (p->header.len < header_len)
                e = buf_append(&p->header, slice_first(piece, header_len - p->header.len));
            mime_scan_feed(scan, piece);
            at += piece.len;
        }
        store_reader_idle(reader);
        if (!e && atomic_load(&p->job.cancelled))
            e = ERR_AGAIN;
        if (e)
            return e;
    }
    return ERR_OK;
}

static enum err write_texts(struct parse *p, const struct mime_tree *tree)
{
    enum err e = mime_envelope(tree, &p->envelope);
    if (!e)
        e = mime_structure(tree, &p->bodystructure, &p->cuts);
    if (!e)
        e = mime_table(tree, &p->parts);
    return e;
}

/* Is the row that the snapshot shows what this parser would write? */
static bool row_is_fresh(struct engine_txn *txn, uint64_t blob)
{
    struct key key;
    struct slice row;
    uint16_t parser;
    return engine_get(txn, DBI_CACHE, key_b(&key, blob), &row) == ERR_OK &&
           cache_check(row, &parser) == ERR_OK && parser == PARSER_VERSION;
}

static void refill(struct parse *p, uint64_t blob, const struct mime_tree *tree)
{
    struct facts facts = {0};
    size_t len;
    facts_from_header(&facts, siphash_key_from(p->env->sip_key), buf_slice(&p->header),
                      p->header.max);
    unsigned char *row = facts_cache_row(&facts, tree, &len);
    mem_free(facts.digest);
    fill_submit(p->env, p->a, blob, row, len);
}

static enum err parse_message(struct parse *p, struct store_reader *reader)
{
    struct engine_txn *txn;
    struct row_msg msg;
    struct store_body *body;
    struct mime_limits limits = policy_mime_limits(p->store);
    enum err e = reader_snap(reader, p->env, &txn);
    if (!e)
        e = body_open_message(reader, p->env, p->a, p->m, p->uid, &msg, &body);
    if (e)
        return e;
    bool fresh = row_is_fresh(txn, msg.blob);
    struct mime_scan *scan = mime_scan_begin(&limits);
    buf_init(&p->header, limits.header);
    e = scan_body(p, reader, body, msg.hdr_len < limits.header ? msg.hdr_len : limits.header, scan);
    if (!e) {
        const struct mime_tree *tree = mime_scan_end(scan);
        e = write_texts(p, tree);
        if (!e && !fresh)
            refill(p, msg.blob, tree);
    }
    mime_scan_free(scan);
    store_body_close(body);
    return e;
}

static void parse_run(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct parse *p = parse_of_job(job);
    struct store_reader *reader;
    p->err = store_reader_new(p->store, NULL, &reader);
    if (p->err)
        return;
    p->err = parse_message(p, reader);
    store_reader_free(reader);
}

/* --- back on the loop ------------------------------------------------------------------------- */

static void parse_done(struct job *job)
{
    struct parse *p = parse_of_job(job);
    struct store_structure structure = {.envelope = buf_slice(&p->envelope),
                                        .bodystructure = buf_slice(&p->bodystructure),
                                        .cuts = buf_slice(&p->cuts),
                                        .parts = buf_slice(&p->parts)};
    struct store_result result = {.err = p->err, .mailbox = p->m};
    if (!p->err)
        result.structure = &structure;
    void *object = loop_id_find(p->to.loop, p->to.id);
    if (object)
        p->to.done(object, &result);
    buf_finish(&p->header);
    buf_finish(&p->envelope);
    buf_finish(&p->bodystructure);
    buf_finish(&p->cuts);
    buf_finish(&p->parts);
    mem_free(p);
}

static void parse_refused(struct loop *loop, struct post *post)
{
    (void)loop;
    parse_done((struct job *)((char *)post - offsetof(struct job, post)));
}

void store_warm_structure(struct store_view *view, uint32_t uid, struct store_to to)
{
    const struct store_account *account = view_account(view);
    struct parse *p = mem_new(sizeof *p);
    p->job.loop = to.loop;
    p->job.run = parse_run;
    p->job.done = parse_done;
    p->to = to;
    p->store = account->store;
    p->env = account->env;
    p->a = account->a;
    p->m = view_mailbox(view);
    p->uid = uid;
    /* What the limits of a scan allow is bounded; it is not bounded again. */
    buf_init(&p->envelope, SIZE_MAX);
    buf_init(&p->bodystructure, SIZE_MAX);
    buf_init(&p->cuts, SIZE_MAX);
    buf_init(&p->parts, SIZE_MAX);
    if (pool_submit(account->store->pool, &p->job) == ERR_OK)
        return;
    p->err = ERR_AGAIN; /* the pool is full: the session may try again */
    p->job.post.run = parse_refused;
    loop_post(to.loop, &p->job.post);
}
