/* FETCH: RFC 3501 section 6.4.5.
 *
 *      LOOK    which messages lack \Seen, if the command sets it; their batch goes off
 *      WALK    message by message in the order of the UIDs; a full queue or 5 ms end a step, the
 *              place is a UID, and inside a body an offset
 *      SETTLE  wait for the batch, so that the untagged FLAGS come before the tagged answer
 */
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/date.h"
#include "imap/batch.h"
#include "imap/fetch_item.h"
#include "imap/reply.h"
#include "imap/section.h"
#include "imap/seqset.h"
#include "imap/session.h"

enum { SLICE_NS = 5 * 1000 * 1000, LOOK_EVERY = 64 };

enum phase { LOOK, WALK, SETTLE };

struct fetch {
    enum phase phase;
    const struct fetch_items *items;
    bool uid; /* UID is told, asked for or not */
    struct uidset uids;
    struct store_cursor cursor;
    enum err err; /* of the first message that could not be given */

    struct uidset unseen;
    struct uidset batch;
    uint32_t after; /* the last UID in a batch that sets \Seen */
    bool batch_out; /* it is with the committer */
    enum err seen_err;

    /* the message under way, if it has sections */
    bool ready;  /* message and body are at hand, nothing of it is told */
    bool inside; /* its response has begun */
    struct store_message message;
    struct section_message body;
    const struct fetch_section *section; /* the one to be told next, or under way */
    struct section_run run;
};

static void close_message(struct fetch *f)
{
    section_close(&f->run);
    store_body_close(f->body.body);
    f->body.body = NULL;
    f->ready = f->inside = false;
}

static void cleanup(struct session *s, struct command *c)
{
    struct fetch *f = c->progress;
    (void)s;
    close_message(f);
    uidset_finish(&f->uids);
    uidset_finish(&f->unseen);
    uidset_finish(&f->batch);
}

static void note(struct session *s, struct fetch *f, enum err e, uint32_t uid)
{
    if (!f->err)
        f->err = fault(&s->command.why, e, "message %u", uid);
}

/* --- the items that are one value ---------------------------------------------------------------
 */

static void put_flags(struct reply *r, const struct store_view *view, const struct store_message *m)
{
    reply_add(r, SLICE("FLAGS "));
    reply_flags(r, view, m->sysflags, m->recent, m->keywords);
}

static void put_two(struct reply *r, unsigned v, char pad)
{
    char text[2] = {v < 10 ? pad : (char)('0' + v / 10), (char)('0' + v % 10)};
    reply_add(r, slice(text, 2));
}

/* "17-Jul-1996 02:44:25 -0700" */
static void put_internaldate(struct reply *r, const struct store_view *view,
                             const struct store_message *m)
{
    int minutes = m->zone * 15;
    unsigned zone = (unsigned)(minutes < 0 ? -minutes : minutes);
    struct date d;
    (void)view;
    date_from_time((int64_t)m->internaldate + minutes * 60, &d);
    reply_str(r, "INTERNALDATE \"");
    put_two(r, d.day, ' ');
    reply_str(r, "-");
    reply_str(r, date_month_name(d.month));
    reply_str(r, "-");
    reply_u64(r, (uint64_t)d.year);
    reply_str(r, " ");
    put_two(r, d.hour, '0');
    reply_str(r, ":");
    put_two(r, d.minute, '0');
    reply_str(r, ":");
    put_two(r, d.second, '0');
    reply_str(r, minutes < 0 ? " -" : " +");
    put_two(r, zone / 60, '0');
    put_two(r, zone % 60, '0');
    reply_str(r, "\"");
}

static void put_size(struct reply *r, const struct store_view *view, const struct store_message *m)
{
    (void)view;
    reply_add(r, SLICE("RFC822.SIZE "));
    reply_u64(r, m->size);
}

static void put_uid(struct reply *r, const struct store_view *view, const struct store_message *m)
{
    (void)view;
    reply_add(r, SLICE("UID "));
    reply_u64(r, m->uid);
}

/* bit of fetch_items.simple, its writer; in the order of the response */
static const struct {
    unsigned bit;
    void (*put)(struct reply *r, const struct store_view *view, const struct store_message *m);
} simple_items[] = {
    {FETCH_UID,          put_uid         },
    {FETCH_FLAGS,        put_flags       },
    {FETCH_INTERNALDATE, put_internaldate},
    {FETCH_SIZE,         put_size        },
};

/* "* 7 FETCH (UID 9 FLAGS ()", true when there was an item. */
static bool begin_response(struct session *s, const struct fetch *f, struct reply *r,
                           const struct store_message *m)
{
    unsigned items = f->items->simple | (f->uid ? FETCH_UID : 0);
    bool any = false;
    reply_add(r, SLICE("* "));
    reply_u64(r, m->seqnum);
    reply_add(r, SLICE(" FETCH ("));
    for (size_t i = 0; i < sizeof simple_items / sizeof *simple_items; i++) {
        if (!(items & simple_items[i].bit))
            continue;
        if (any)
            reply_add(r, SLICE(" "));
        simple_items[i].put(r, s->view, m);
        any = true;
    }
    return any;
}

/* --- sections
 * ------------------------------------------------------------------------------------- */

static size_t header_max(const struct session *s)
{
    return session_config(s)->limits.header;
}

static enum step warm_body(struct session *s, struct fetch *f)
{
    enum { AHEAD = 256 * 1024 };
    store_warm_body(f->body.body, f->run.at, AHEAD, session_warmed(s));
    return STEP_WAIT;
}

/* Opens the body and the first section: if that fails nothing has been said of the message yet.
 * ERR_AGAIN: with f->body.body the body is cold, else the rows are. */
static enum err open_message(struct session *s, struct fetch *f)
{
    enum err e = ERR_OK;
    if (!f->body.body) {
        e = store_body_open(s->view, f->message.uid, &f->body.body);
        if (e)
            return e;
        f->body.size = store_body_size(f->body.body);
        f->body.hdr_len = f->message.hdr_len;
        f->body.has_nul = f->message.has_nul;
        f->section = f->items->sections;
    }
    return section_open(&f->run, f->section, &f->body, session_reader(s), header_max(s));
}

/* " BODY[...] {n}" CRLF; RFC 3501 section 6.4.5: beyond the end is an empty string */
static void announce(struct reply *r, const struct fetch *f)
{
    uint64_t octets = f->run.end - f->run.at;
    reply_add(r, f->section->label);
    if (!octets) {
        reply_str(r, " \"\"");
        return;
    }
    reply_str(r, " {");
    reply_u64(r, octets);
    reply_str(r, "}\r\n");
}

/* The rest of the message under way. STEP_DONE: it is told. Once a literal is announced there is no
 * way back: what cannot be read then ends the connection. */
static enum step tell_sections(struct session *s, struct fetch *f)
{
    struct reply r;
    reply_begin(&r, s->conn);
    for (;;) {
        enum err e = ERR_OK;
        if (!f->run.open) { /* the first one is, so this is not the first */
            e = section_open(&f->run, f->section, &f->body, session_reader(s), header_max(s));
            if (!e) {
                reply_str(&r, " ");
                announce(&r, f);
                reply_end(&r);
            }
        }
        if (!e)
            e = section_send(&f->run, &f->body, session_reader(s), s->conn);
        if (e == ERR_AGAIN)
            return warm_body(s, f);
        if (e) {
            note(s, f, e, f->message.uid);
            conn_close(s->conn, CONN_END_FAULT);
            return STEP_FULL;
        }
        if (f->run.at < f->run.end)
            return STEP_FULL;
        section_close(&f->run);
        f->section = f->section->next;
        if (!f->section)
            break;
        if (conn_full(s->conn))
            return STEP_FULL;
    }
    reply_str(&r, ")\r\n");
    reply_end(&r);
    close_message(f);
    return STEP_DONE;
}

/* STEP_DONE: the message is told, or passed over with f->err. */
static enum step tell_message(struct session *s, struct fetch *f)
{
    if (f->inside)
        return tell_sections(s, f);
    enum err e = open_message(s, f);
    if (e == ERR_AGAIN) {
        if (f->body.body)
            return warm_body(s, f);
        store_warm_view(s->view, f->message.uid, session_warmed(s));
        return STEP_WAIT;
    }
    if (e) {
        note(s, f, e, f->message.uid);
        close_message(f);
        return STEP_DONE;
    }
    struct reply r;
    reply_begin(&r, s->conn);
    if (begin_response(s, f, &r, &f->message))
        reply_str(&r, " ");
    announce(&r, f);
    reply_end(&r);
    f->inside = true;
    return tell_sections(s, f);
}

/* --- the walk
 * ------------------------------------------------------------------------------------- */

static enum step cold(struct session *s, const struct fetch *f)
{
    store_warm_view(s->view, f->cursor.next_uid, session_warmed(s));
    return STEP_WAIT;
}

/* All messages, or the next ones until somebody else has a turn. */
static enum step walk(struct session *s, struct fetch *f)
{
    uint64_t until = clock_mono_ns() + SLICE_NS;
    bool sections = f->items->sections != NULL;
    enum step step = STEP_DONE;
    struct reply r;
    reply_begin(&r, s->conn);
    for (unsigned i = 1;; i++) {
        if (!f->ready) {
            enum err e = store_cursor_next(&f->cursor, &f->message);
            if (e == ERR_AGAIN)
                step = cold(s, f);
            else if (e && e != ERR_NOTFOUND)
                note(s, f, e, f->cursor.next_uid);
            if (e)
                break;
        }
        if (sections) {
            f->ready = true;
            step = tell_message(s, f);
            if (step != STEP_DONE)
                break;
            f->ready = false;
        } else {
            begin_response(s, f, &r, &f->message);
            reply_add(&r, SLICE(")\r\n"));
        }
        if (conn_full(s->conn) || ((sections || i % LOOK_EVERY == 0) && clock_mono_ns() > until)) {
            step = STEP_FULL;
            break;
        }
    }
    reply_end(&r);
    return step;
}

/* --- \Seen
 * ---------------------------------------------------------------------------------------- */

static bool submit_seen(struct session *s, struct fetch *f);

static void seen(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct fetch *f = s->command.progress;
    f->batch_out = false;
    if (result->err) {
        f->seen_err = result->err;
        s->command.why = result->why;
    }
    if ((result->err || !submit_seen(s, f)) && f->phase == SETTLE)
        session_resume(s);
}

static bool submit_seen(struct session *s, struct fetch *f)
{
    static const struct store_flagop op = {.mode = FLAGS_ADD, .sysflags = FLAG_SEEN};
    if (!batch_next(&f->unseen, &f->after, &f->batch))
        return false;
    f->batch_out = true;
    store_flags(s->view, &f->batch, &op, UINT64_MAX, session_to(s, seen));
    return true;
}

static enum step look(struct session *s, struct fetch *f)
{
    uint64_t until = clock_mono_ns() + SLICE_NS;
    for (unsigned i = 1;; i++) {
        struct store_message m;
        enum err e = store_cursor_next(&f->cursor, &m);
        if (e == ERR_AGAIN)
            return cold(s, f);
        if (e)
            return STEP_DONE;
        if (!m.ghost && !(m.sysflags & FLAG_SEEN))
            uidset_add(&f->unseen, m.uid, m.uid);
        if (i % LOOK_EVERY == 0 && clock_mono_ns() > until)
            return STEP_FULL;
    }
}

/* --- the command
 * ---------------------------------------------------------------------------------- */

static bool sets_seen(const struct session *s, const struct fetch *f)
{
    return f->items->sets_seen && !s->read_only;
}

static void begin_walk(struct session *s, struct fetch *f)
{
    f->phase = WALK;
    store_cursor_init(&f->cursor, s->view, &f->uids, f->items->sections ? WANT_MSG : WANT_HOT, 0);
}

static enum err begin(struct session *s, struct command *c, struct fetch *f)
{
    c->cleanup = cleanup;
    f->items = c->args[1].fetch;
    f->uid = c->row->traits & CMD_UID;
    enum err e = seqset_uids(&c->args[0].set, f->uid, s->view, &f->uids);
    if (e)
        return e;
    store_cursor_init(&f->cursor, s->view, &f->uids, WANT_HOT, 0);
    if (!sets_seen(s, f))
        begin_walk(s, f);
    return ERR_OK;
}

enum step imap_fetch(struct session *s, struct command *c)
{
    struct fetch *f = c->progress;
    enum step step = STEP_DONE;
    if (!f) {
        f = session_progress(s, sizeof *f);
        enum err e = begin(s, c, f);
        if (e)
            return command_fail(c, e, "No such message");
    }
    if (f->phase == LOOK) {
        step = look(s, f);
        if (step != STEP_DONE)
            return step;
        submit_seen(s, f);
        begin_walk(s, f);
    }
    if (f->phase == WALK) {
        step = walk(s, f);
        if (step != STEP_DONE)
            return step;
        f->phase = SETTLE;
    }
    if (f->batch_out)
        return STEP_WAIT;
    if (!f->err)
        f->err = f->seen_err;
    return f->err ? command_fail(c, f->err, NULL) : command_ok(c, NULL);
}
