/* Octets of the client into the store, as fast as the store takes them: of DATA through the dot
 * codec, of BDAT as many as were announced.
 *
 * One incoming message for each shard that has recipients (nearly always one). What goes wrong with
 * one on the way is remembered, the rest of the data is read and dropped, and the recipients of
 * that shard hear of it after the end. */
#include "lmtp/session.h"

#include <xxhash.h>

#include "lmtp/halves.h"

enum { UPLOAD_INPUT_MAX = 128 * 1024, TRACE_MAX = 8 * 1024 };

static struct lmtp_part *part_of(struct lmtp_transaction *t, unsigned shard)
{
    for (size_t i = 0; i < t->nparts; i++)
        if (t->parts[i].shard == shard)
            return &t->parts[i];
    return NULL;
}

/* There may be room again. It may also be told when nobody waits for room any more. */
static void ready(void *object)
{
    struct lmtp_session *s = conn_session(object);
    if (!s->waiting || !s->mail.stuck)
        return;
    conn_want_input(s->conn, true);
    lmtp_wake(s);
}

/* The message may be as long as the most generous of its recipients in that shard allows; who
 * allows less is told so after the data. */
static void open_part(struct lmtp_session *s, const struct lmtp_target *first)
{
    struct lmtp_transaction *t = &s->mail;
    struct lmtp_part *part = &t->parts[t->nparts++];
    uint64_t max_octets = 0;
    part->shard = first->shard;
    for (size_t i = 0; i < t->ntargets; i++) {
        uint64_t octets = t->targets[i].message_octets ? t->targets[i].message_octets : INT32_MAX;
        if (t->targets[i].shard == first->shard && octets > max_octets)
            max_octets = octets;
    }
    part->err = store_incoming_new(first->account, max_octets + t->prefix, &part->in);
    if (!part->err)
        store_incoming_on_ready(part->in, conn_loop(s->conn), conn_loop_id(s->conn), ready);
}

/* ERR_AGAIN: nothing was taken. Any other error is kept in the part, which takes no more. */
static enum err write_part(struct lmtp_part *part, struct slice octets)
{
    if (part->err || octets.len == 0)
        return ERR_OK;
    enum err e = store_incoming_write(part->in, octets);
    if (e != ERR_AGAIN)
        part->err = e;
    return e == ERR_AGAIN ? e : ERR_OK;
}

static bool has_alias(const struct lmtp_transaction *t)
{
    for (size_t i = 0; i < t->nrcpts; i++)
        if (t->rcpts[i].ntargets > 1)
            return true;
    return false;
}

enum err lmtp_upload_begin(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    struct buf trace;
    buf_init(&trace, TRACE_MAX);
    enum err e = lmtp_trace_header(s, &trace);
    if (e)
        goto out;
    t->prefix = trace.len;
    t->parts = arena_new(&t->arena, t->ntargets * sizeof *t->parts);
    for (size_t i = 0; i < t->ntargets; i++)
        if (!part_of(t, t->targets[i].shard))
            open_part(s, &t->targets[i]);
    for (size_t i = 0; i < t->nparts && !e; i++)
        e = write_part(&t->parts[i], buf_slice(&trace));
    if (!e && has_alias(t))
        t->hash = halves_hash_new();
    if (!e)
        conn_upload_begin(s->conn);
out:
    buf_finish(&trace);
    return e;
}

/* Hand one run of content to all parts; false: one of them has no room for it yet. */
static bool pass_on(struct lmtp_transaction *t, struct slice content)
{
    for (size_t i = t->stuck_at; i < t->nparts; i++) {
        if (write_part(&t->parts[i], content) == ERR_AGAIN) {
            t->stuck_at = i;
            return false;
        }
    }
    t->stuck_at = 0;
    return true;
}

/* What all parts have taken. Without parts the octets are those of a chunk that was refused. */
static void note(struct lmtp_transaction *t, struct slice content)
{
    if (t->nparts == 0)
        return;
    lmtp_head_add(t, content);
    if (t->hash)
        XXH3_128bits_update(t->hash, content.ptr, content.len);
}

static bool ended(const struct lmtp_transaction *t)
{
    return t->chunked ? t->chunk == 0 : dot_decode_ended(&t->dots);
}

/* A run that not all parts have taken is decoded again, from the same octets, when there is room:
 * until then neither the input nor the decoder has moved. */
enum step lmtp_upload_receive(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    while (!ended(t)) {
        struct slice in = conn_input(s->conn);
        struct dot_decoder dots = t->dots;
        if (t->stuck)
            in = slice_first(in, t->stuck);
        else if (t->chunked && in.len > t->chunk)
            in.len = (size_t)t->chunk;
        if (in.len == 0)
            return STEP_MORE;
        size_t used = in.len;
        struct slice content = in;
        if (!t->chunked) {
            content = dot_decode(&dots, &in);
            used -= in.len;
        }
        if (!pass_on(t, content)) {
            t->stuck = used;
            conn_want_input(s->conn, false);
            return lmtp_wait(s);
        }
        note(t, content);
        t->dots = dots;
        if (t->chunked)
            t->chunk -= used;
        t->stuck = 0;
        conn_consume(s->conn, used);
    }
    return STEP_DONE;
}

void lmtp_upload_mark(struct lmtp_session *s, bool under_way)
{
    conn_set_input_max(s->conn,
                       under_way ? UPLOAD_INPUT_MAX : conn_config(s->conn)->limits.command_preauth);
    conn_upload(s->conn, under_way);
}
