#include "store/incoming.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <xxhash.h>

#include "core/base/budget.h"
#include "core/base/clock.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "store/policy.h"
#include "store/reap.h"

/* --- life ----------------------------------------------------------------------------------------
 */

enum err store_incoming_new(struct store_account *account, uint64_t max_octets,
                            struct store_incoming **ret)
{
    struct store_incoming *in = mem_new(sizeof *in);
    in->store = account->store;
    in->env = account->env;
    in->a = account->a;
    in->max = max_octets;
    in->refs = 1;
    pthread_mutex_init(&in->lock, NULL);
    in->hash = XXH3_createState();
    if (!in->hash)
        abort();
    XXH3_128bits_reset(in->hash);
    struct mime_limits limits = policy_mime_limits(in->store);
    in->scan = mime_scan_begin(&limits);
    in->header_cap = limits.header;
    random_bytes(in->facts.emailid, sizeof in->facts.emailid);
    *ret = in;
    return ERR_OK;
}

void incoming_unref(struct store_incoming *in)
{
    pthread_mutex_lock(&in->lock);
    bool last = --in->refs == 0;
    pthread_mutex_unlock(&in->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&in->lock);
    XXH3_freeState(in->hash);
    for (size_t i = 0; i < in->text.nkeywords; i++)
        mem_free((char *)(uintptr_t)in->text.keywords[i].ptr);
    mem_free(in->text.keywords);
    mime_scan_free(in->scan);
    mem_free(in->facts.digest);
    mem_free(in->cache);
    budget_give(BUDGET_UPLOAD, in->cap);
    mem_free(in->buffer);
    mem_free(in);
}

static void incoming_ref(struct store_incoming *in)
{
    pthread_mutex_lock(&in->lock);
    in->refs++;
    pthread_mutex_unlock(&in->lock);
}

void store_incoming_set(struct store_incoming *in, uint8_t sysflags, const struct slice *keywords,
                        size_t nkeywords, uint32_t internaldate, int8_t zone)
{
    struct incoming_text *text = &in->text;
    text->sysflags = sysflags & SYSFLAG_MASK;
    text->internaldate = internaldate;
    text->zone = zone;
    text->keywords = mem_new_array(nkeywords, sizeof *text->keywords);
    text->nkeywords = nkeywords;
    for (size_t i = 0; i < nkeywords; i++)
        text->keywords[i] = slice(mem_dup(keywords[i].ptr, keywords[i].len), keywords[i].len);
}

uint64_t store_incoming_size(const struct store_incoming *in)
{
    return in->facts.size;
}

/* --- pieces: what does not wait in memory
 * --------------------------------------------------------- */

struct piece {
    struct op op;
    struct store_incoming *in;
    char *octets; /* owned */
    size_t cap;
    uint32_t first_chunk;
};

static enum err write_chunk(struct turn *turn, uint64_t blob, uint32_t chunk, struct slice octets)
{
    struct key key;
    void *room;
    enum err e =
        turn_append_room(turn, DBI_BODY, key_chunk(&key, blob, chunk), octets.len + 8, &room);
    if (e)
        return e;
    uint64_t sum = XXH3_64bits_withSeed(octets.ptr, octets.len, blob ^ chunk);
    memcpy(room, octets.ptr, octets.len);
    memcpy((char *)room + octets.len, &sum, sizeof sum);
    return ERR_OK;
}

static enum err write_chunks(struct turn *turn, uint64_t blob, uint32_t chunk, struct slice octets)
{
    enum err e = ERR_OK;
    for (; !e && octets.len; chunk++) {
        struct slice now = slice_first(octets, CHUNK_PAYLOAD);
        e = write_chunk(turn, blob, chunk, now);
        octets = slice_from(octets, now.len);
    }
    return e;
}

/* `facts` NULL: the message is still coming in. */
static enum err write_rows(struct turn *turn, const struct store_incoming *in,
                           const struct facts *facts, uint32_t refs)
{
    struct key key;
    unsigned char octets[64];
    struct row_blob blob = {.refs = refs};
    struct row_bown own = {.a = in->a, .arrival = turn->now};
    if (facts) {
        blob.size = blob.stored = own.size = facts->size;
        memcpy(blob.hash, facts->hash, sizeof blob.hash);
        memcpy(own.hash, facts->hash, sizeof own.hash);
    }
    struct slice k = key_b(&key, in->blob);
    enum err e = turn_append(turn, DBI_BLOB, k, row_blob_encode(&blob, octets));
    if (!e)
        e = turn_append(turn, DBI_BOWN, k, row_bown_encode(&own, octets));
    return e;
}

static enum err piece_apply(struct op *op, struct turn *turn)
{
    struct piece *piece = (struct piece *)op;
    struct store_incoming *in = piece->in;
    pthread_mutex_lock(&in->lock);
    enum err e = in->err;
    pthread_mutex_unlock(&in->lock);
    if (e)
        return e;
    if (piece->first_chunk == 0) {
        struct key key;
        unsigned char octets[16];
        struct row_stage stage = {.time = turn->now, .a = in->a};
        in->blob = turn_new_blob(turn);
        e = turn_append(turn, DBI_STAGE, key_b(&key, in->blob), row_stage_encode(&stage, octets));
        if (!e)
            e = write_rows(turn, in, NULL, 0);
    }
    return e ? e
             : write_chunks(turn, in->blob, piece->first_chunk, slice(piece->octets, PIECE_OCTETS));
}

static void run_ready(struct loop *loop, struct post *post)
{
    struct store_incoming *in =
        (struct store_incoming *)((char *)post - offsetof(struct store_incoming, post));
    pthread_mutex_lock(&in->lock);
    in->posted = false;
    void (*ready)(void *) = in->ready;
    uint64_t id = in->ready_id;
    pthread_mutex_unlock(&in->lock);
    void *object = loop_id_find(loop, id);
    if (object && ready)
        ready(object);
    incoming_unref(in);
}

/* On the committer's thread, after the commit. */
static void piece_done(void *arg, const struct store_result *result)
{
    struct store_incoming *in = ((struct piece *)arg)->in;
    pthread_mutex_lock(&in->lock);
    in->under_way--;
    if (result->err && !in->err)
        in->err = result->err;
    if (result->err && ((struct piece *)arg)->first_chunk == 0)
        in->blob = 0; /* the number was given back with the turn */
    bool tell = in->ready && !in->posted;
    if (tell) {
        in->posted = true;
        in->refs++;
    }
    pthread_mutex_unlock(&in->lock);
    if (tell) {
        in->post.run = run_ready;
        loop_post(in->loop, &in->post);
    }
}

static void piece_release(struct op *op)
{
    struct piece *piece = (struct piece *)op;
    incoming_unref(piece->in);
    budget_give(BUDGET_UPLOAD, piece->cap);
    mem_free(piece->octets);
    mem_free(piece);
}

static const struct op_kind piece_kind = {"stage", piece_apply, piece_release, true};

/* The parts are looked for in what has come since the last time. */
static void scan_parts(struct store_incoming *in)
{
    mime_scan_feed(in->scan, slice_from(slice(in->buffer, in->len), in->scanned));
    in->scanned = in->len;
}

static void submit_piece(struct store_incoming *in)
{
    scan_parts(in);
    struct piece *piece = mem_new(sizeof *piece);
    piece->op = (struct op){
        .kind = &piece_kind,
        .env = in->env,
        .acct = in->a,
        .pages = PIECE_CHUNKS * 4 + 8,
        .octets = PIECE_OCTETS,
        .internal = true,
        .to = {.id = (uint64_t)(uintptr_t)piece, .done = piece_done}
    };
    piece->in = in;
    piece->octets = in->buffer;
    piece->cap = in->cap;
    piece->first_chunk = in->chunks;
    in->chunks += PIECE_CHUNKS;
    in->staged = true;
    in->buffer = NULL;
    in->len = in->cap = in->scanned = 0;
    incoming_ref(in);
    pthread_mutex_lock(&in->lock);
    in->under_way++;
    pthread_mutex_unlock(&in->lock);
    committer_submit(in->env->committer, &piece->op);
}

/* The body will never be named: give it to the reaper. */
static enum err unstage_apply(struct op *op, struct turn *turn)
{
    struct store_incoming *in = ((struct piece *)op)->in;
    if (!in->blob)
        return ERR_OK; /* the first piece was refused */
    struct key key;
    struct slice k = key_b(&key, in->blob), value;
    enum err e = engine_get(turn->txn, DBI_STAGE, k, &value);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    e = turn_del(turn, DBI_STAGE, k);
    if (!e)
        e = turn_blob_ref(turn, in->blob, 0);
    return e;
}

/* A full disk may refuse even this; then upkeep does it when there is room. */
static void unstage_release(struct op *op)
{
    struct store_incoming *in = ((struct piece *)op)->in;
    if (op->result.err && in->blob)
        reap_unstage(op->env, in->blob);
    piece_release(op);
}

static const struct op_kind unstage_kind = {"unstage", unstage_apply, unstage_release, false};

void store_incoming_free(struct store_incoming *in)
{
    if (!in)
        return;
    pthread_mutex_lock(&in->lock);
    in->ready = NULL;
    pthread_mutex_unlock(&in->lock);
    if (in->staged) {
        struct piece *piece = mem_new(sizeof *piece);
        piece->op = (struct op){
            .kind = &unstage_kind, .env = in->env, .acct = in->a, .pages = 8, .internal = true};
        piece->in = in;
        committer_submit(in->env->committer, &piece->op); /* takes the loop's reference */
        return;
    }
    incoming_unref(in);
}

/* --- octets --------------------------------------------------------------------------------------
 */

/* Room for n more octets of one buffer; the caller never asks past PIECE_OCTETS. */
static void make_room(struct store_incoming *in, size_t n)
{
    if (in->cap - in->len >= n)
        return;
    size_t cap = in->cap ? in->cap * 2 : 8192;
    while (cap < in->len + n)
        cap *= 2;
    if (cap > PIECE_OCTETS)
        cap = PIECE_OCTETS;
    in->buffer = mem_resize(in->buffer, cap);
    budget_take(BUDGET_UPLOAD, cap - in->cap);
    in->cap = cap;
}

/* The header is looked at while it is in memory: when it ends, or when its buffer goes away. */
static void header_ends(struct store_incoming *in)
{
    if (in->facts.header_done || in->chunks)
        return;
    in->facts.header_done = true;
    if (!in->facts.hdr_len) /* no blank line: all of it is header */
        in->facts.hdr_len = (uint32_t)in->len;
    facts_from_header(&in->facts, siphash_key_from(in->env->sip_key),
                      slice(in->buffer, in->facts.hdr_len), in->header_cap);
}

static void add(struct store_incoming *in, struct slice octets)
{
    while (octets.len) {
        size_t n = PIECE_OCTETS - in->len;
        if (n == 0) {
            header_ends(in);
            submit_piece(in);
            continue;
        }
        if (n > octets.len)
            n = octets.len;
        make_room(in, n);
        memcpy(in->buffer + in->len, octets.ptr, n);
        XXH3_128bits_update(in->hash, octets.ptr, n);
        in->len += n;
        in->facts.size += n;
        octets = slice_from(octets, n);
    }
}

/* A line of the header, or a part of one; its LF, if it is there, is the last octet. */
static void add_header_line(struct store_incoming *in, struct slice part)
{
    struct facts *facts = &in->facts;
    bool ends = part.ptr[part.len - 1] == '\n';
    bool has_cr = part.len > 1 ? part.ptr[part.len - 2] == '\r' : in->last_cr;
    bool blank = ends && in->line_octets + part.len == (has_cr ? 2 : 1);
    if (ends && !has_cr) {
        add(in, slice_first(part, part.len - 1));
        add(in, SLICE("\r\n"));
    } else {
        add(in, part);
    }
    in->last_cr = part.ptr[part.len - 1] == '\r';
    in->line_octets = ends ? 0 : in->line_octets + part.len;
    facts->lines += ends;
    if (blank && !facts->header_done) {
        facts->hdr_len = (uint32_t)facts->size;
        header_ends(in);
    }
}

/* Lines of the body from the start of `s` on, up to a line end that lacks its CR: they can be kept
 * as they are. `after_cr`: the octet before `s` was one. */
static struct slice kept_lines(struct slice s, bool after_cr, uint32_t *lines)
{
    const char *from = s.ptr, *end = from + s.len, *lf;
    while (from < end && (lf = memchr(from, '\n', (size_t)(end - from)))) {
        if (lf == s.ptr ? !after_cr : lf[-1] != '\r')
            return slice_first(s, (size_t)(lf - s.ptr));
        from = lf + 1;
        ++*lines;
    }
    return s;
}

static void add_body(struct store_incoming *in, struct slice octets)
{
    while (octets.len) {
        struct slice kept = kept_lines(octets, in->last_cr, &in->facts.lines);
        add(in, kept);
        octets = slice_from(octets, kept.len);
        if (octets.len) {
            add(in, SLICE("\r\n"));
            octets = slice_from(octets, 1);
            in->facts.lines++;
            in->last_cr = false;
        } else {
            in->last_cr = kept.ptr[kept.len - 1] == '\r';
        }
    }
}

static void scan(struct facts *facts, struct slice octets)
{
    facts->has_nul = facts->has_nul || memchr(octets.ptr, 0, octets.len);
    facts->eight_bit = facts->eight_bit || !slice_is_ascii(octets);
}

enum err store_incoming_write(struct store_incoming *in, struct slice octets)
{
    pthread_mutex_lock(&in->lock);
    enum err e = in->err;
    bool busy = in->under_way >= PIECES_UNDER_WAY;
    pthread_mutex_unlock(&in->lock);
    if (e)
        return e;
    if (in->too_big)
        return ERR_TOOBIG;
    /* A write of at most one piece fills at most one buffer more (each LF may grow to two). */
    if (busy && in->len + 2 * octets.len > PIECE_OCTETS)
        return ERR_AGAIN;
    if (octets.len > in->max || in->facts.size > in->max - octets.len) {
        in->too_big = true;
        return ERR_TOOBIG;
    }
    scan(&in->facts, octets);
    while (octets.len && !in->facts.header_done) {
        size_t at = slice_find(octets, '\n');
        struct slice part = slice_first(octets, at < octets.len ? at + 1 : at);
        add_header_line(in, part);
        octets = slice_from(octets, part.len);
    }
    add_body(in, octets);
    if (in->len)
        scan_parts(in);
    if (in->facts.size > in->max)
        in->too_big = true;
    return in->too_big ? ERR_TOOBIG : ERR_OK;
}

void store_incoming_on_ready(struct store_incoming *in, struct loop *loop, uint64_t id,
                             void (*ready)(void *object))
{
    pthread_mutex_lock(&in->lock);
    in->loop = loop;
    in->ready_id = id;
    in->ready = ready;
    pthread_mutex_unlock(&in->lock);
}

/* --- the end -------------------------------------------------------------------------------------
 */

void incoming_seal(struct store_incoming *in)
{
    header_ends(in);
    const struct mime_tree *tree = mime_scan_end(in->scan);
    in->facts.nparts = (uint32_t)tree->n;
    in->facts.hdr_len = tree->nodes[0].part.body_off; /* also of a header that fills a piece */
    in->cache = facts_cache_row(&in->facts, tree, &in->cache_len);
    mime_scan_free(in->scan);
    in->scan = NULL;
    XXH128_hash_t hash = XXH3_128bits_digest(in->hash);
    memcpy(in->facts.hash, &hash, sizeof in->facts.hash);
    if (!in->text.internaldate) {
        in->text.internaldate = clock_wall();
        in->text.zone = clock_zone(in->text.internaldate);
    }
}

enum err incoming_store(struct turn *turn, struct store_incoming *in, uint32_t refs)
{
    struct key key;
    enum err e;
    if (in->staged) {
        /* The rows were written with the first piece, before size and hash were known. */
        struct slice k = key_b(&key, in->blob);
        e = turn_del(turn, DBI_STAGE, k);
    } else {
        in->blob = turn_new_blob(turn);
        e = ERR_OK;
    }
    if (!e)
        e = write_rows(turn, in, &in->facts, refs);
    if (!e)
        e = write_chunks(turn, in->blob, in->chunks, slice(in->buffer, in->len));
    if (!e)
        e = turn_append(turn, DBI_CACHE, key_b(&key, in->blob), slice(in->cache, in->cache_len));
    return e;
}
