/* COPY and MOVE: one change in the destination (RFC 3501 section 6.4.7, RFC 6851). */
#include <stdio.h>

#include "imap/alias.h"
#include "imap/batch.h"
#include "imap/reply.h"
#include "imap/seqset.h"
#include "imap/session.h"

struct copy {
    struct uidset uids;
    struct slice path;
    bool over;
    enum err err;
    struct slice code; /* COPYUID */
};

static void cleanup(struct session *s, struct command *c)
{
    struct copy *copy = c->progress;
    (void)s;
    uidset_finish(&copy->uids);
}

enum { RANGE_MAX = 22 }; /* "4294967295:4294967295," */

static size_t put_set(const struct uidset *set, char *to)
{
    size_t n = 0;
    for (uint32_t i = 0; i < set->n; i++) {
        struct uidrange r = set->ranges[i];
        n += (size_t)snprintf(to + n, RANGE_MAX + 1, r.first == r.last ? "%s%u" : "%s%u:%u",
                              i ? "," : "", r.first, r.last);
    }
    return n;
}

/* RFC 4315 section 3: "COPYUID" SP uidvalidity SP source SP destination, in step. */
static struct slice copyuid(struct arena *arena, const struct store_result *result)
{
    enum { HEAD_MAX = 32 };
    if (uidset_empty(&result->dest))
        return SLICE_NONE;
    size_t ranges = (size_t)result->source.n + result->dest.n;
    char *text = arena_new(arena, HEAD_MAX + (ranges + 2) * RANGE_MAX);
    size_t n = (size_t)snprintf(text, HEAD_MAX, "COPYUID %u ", result->uidvalidity);
    n += put_set(&result->source, text + n);
    text[n++] = ' ';
    n += put_set(&result->dest, text + n);
    return slice(text, n);
}

static void log_moved(const struct session *s, const struct copy *copy, uint64_t n)
{
    struct log_line l;
    session_log_begin(s, &l, LOG_INFO, "moved");
    log_str(&l, "from", s->mailbox);
    log_slice(&l, "to", copy->path);
    log_u64(&l, "n", n);
    session_log_end(s, &l);
}

static void copied(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct copy *copy = s->command.progress;
    copy->over = true;
    copy->err = result->err;
    session_note_why(s, &result->why);
    if (!result->err)
        copy->code = copyuid(&s->arena, result);
    if (!result->err && s->lost) /* those that had left the window too */
        store_lost_restored(s->view, &copy->uids);
    if (result->keyword_dropped)
        session_log_dropped_keyword(s, copy->path);
    if (!result->err && s->command.row->run == imap_move)
        log_moved(s, copy, uidset_count(&result->source));
    session_resume(s);
}

static enum step begin(struct session *s, struct command *c, struct copy *copy, bool move)
{
    c->cleanup = cleanup;
    enum err e = seqset_uids(&c->args[0].set, c->row->traits & CMD_UID, s->view, &copy->uids);
    if (e)
        return command_fail(c, e, "No such message");
    e = store_path_check(c->args[1].text, &s->arena, &copy->path);
    if (!e)
        copy->path = alias_meant(s, copy->path);
    if (!e && uidset_count(&copy->uids) > BATCH_MAX)
        e = ERR_LIMIT;
    if (e)
        return command_fail(c, e, NULL);
    if (uidset_empty(&copy->uids))
        return command_ok(c, "No messages");
    if (s->lost)
        store_lost_restore(s->view, &copy->uids, copy->path, session_to(s, copied));
    else
        store_copy(s->view, &copy->uids, session_account(s), copy->path, move,
                   session_to(s, copied));
    return STEP_WAIT;
}

/* RFC 6851 section 4.3: COPYUID goes out before the EXPUNGEs, so not with the tagged OK. */
static void tell_moved(struct session *s, struct slice code)
{
    struct reply r;
    reply_begin(&r, s->conn);
    reply_str(&r, "* OK [");
    reply_add(&r, code);
    reply_str(&r, "] Moved\r\n");
    reply_end(&r);
}

static enum step copy_or_move(struct session *s, struct command *c, bool move)
{
    struct copy *copy = session_progress(s, sizeof *copy);
    if (!copy->over)
        return begin(s, c, copy, move);
    if (copy->err)
        return command_fail(c, copy->err, NULL);
    if (move && copy->code.len)
        tell_moved(s, copy->code);
    else
        c->code = copy->code;
    return command_ok(c, NULL);
}

enum step imap_copy(struct session *s, struct command *c)
{
    return copy_or_move(s, c, false);
}

enum step imap_move(struct session *s, struct command *c)
{
    return copy_or_move(s, c, true);
}
