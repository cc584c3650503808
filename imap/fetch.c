/* FETCH: RFC 3501 section 6.4.5.
 *
 *      LOOK    which messages lack \Seen, if the command sets it; their batch goes off
 *      WALK    message by message in the order of the UIDs; a full queue or 5 ms end a step, the
 *              place is a UID, and inside a body an offset
 *      SETTLE  wait for the batch, so that the untagged FLAGS come before the tagged answer
 */
#include <string.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/date.h"
#include "core/base/mem.h"
#include "core/mime/envelope.h"
#include "core/mime/header.h"
#include "imap/batch.h"
#include "imap/fetch_item.h"
#include "imap/reply.h"
#include "imap/section.h"
#include "imap/seqset.h"
#include "imap/session.h"

enum { SLICE_NS = 5 * 1000 * 1000, LOOK_EVERY = 64, LOOK_AT_TEXTS = 8 };

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

    /* the message under way */
    struct store_message message;     /* slices live no longer than the callback */
    struct store_structure structure; /* the same, if it was wanted */
    char *held;                       /* unless it was parsed on the pool: what it points to */
    enum err held_err;                /* why nothing came from there */
    bool inside;                      /* its response has begun; there are sections */
    bool digestible;                  /* every section could come from a digest; */
    bool digested;                    /* of this message it does: */
    struct buf digest;                /* a copy, for the callbacks that its response takes */
    struct section_message body;
    struct section_place *places;        /* one per section */
    const struct fetch_section *section; /* the one to be told next, or under way */
    const struct section_place *place;   /* its own */
    struct section_run run;
};

static void close_message(struct fetch *f)
{
    section_close(&f->run);
    store_body_close(f->body.body);
    f->body.body = NULL;
    f->digested = false;
    mem_free(f->held);
    f->held = NULL;
    f->inside = false;
}

static void cleanup(struct session *s, struct command *c)
{
    struct fetch *f = c->progress;
    (void)s;
    close_message(f);
    buf_finish(&f->digest);
    uidset_finish(&f->uids);
    uidset_finish(&f->unseen);
    uidset_finish(&f->batch);
}

static void note(struct session *s, struct fetch *f, enum err e, uint32_t uid)
{
    if (!f->err)
        f->err = fault(session_why(s), e, "message %u", uid);
}

/* --- the items that are no sections ----------------------------------------------------------- */

static void put_flags(struct reply *r, const struct session *s, const struct fetch *f)
{
    const struct store_message *m = &f->message;
    reply_add(r, SLICE("FLAGS "));
    reply_flags(r, s->view, m->sysflags, m->recent, m->keywords);
}

static void two(char *to, unsigned v, char pad)
{
    to[0] = v < 10 ? pad : (char)('0' + v / 10);
    to[1] = (char)('0' + v % 10);
}

/* "17-Jul-1996 02:44:25 -0700" */
static void put_internaldate(struct reply *r, const struct session *s, const struct fetch *f)
{
    int minutes = f->message.zone * 15;
    unsigned zone = (unsigned)(minutes < 0 ? -minutes : minutes);
    struct date d;
    char text[] = "INTERNALDATE \"dd-Mmm-yyyy hh:mm:ss +zzzz\"";
    (void)s;
    date_from_time((int64_t)f->message.internaldate + minutes * 60, &d);
    two(text + 14, d.day, ' ');
    memcpy(text + 17, date_month_name(d.month), 3);
    two(text + 21, (unsigned)d.year / 100, '0'); /* 1969 to 2106 */
    two(text + 23, (unsigned)d.year % 100, '0');
    two(text + 26, d.hour, '0');
    two(text + 29, d.minute, '0');
    two(text + 32, d.second, '0');
    text[35] = minutes < 0 ? '-' : '+';
    two(text + 36, zone / 60, '0');
    two(text + 38, zone % 60, '0');
    reply_add(r, slice(text, sizeof text - 1));
}

static void put_size(struct reply *r, const struct session *s, const struct fetch *f)
{
    (void)s;
    reply_add(r, SLICE("RFC822.SIZE "));
    reply_u64(r, f->message.size);
}

static void put_uid(struct reply *r, const struct session *s, const struct fetch *f)
{
    (void)s;
    reply_add(r, SLICE("UID "));
    reply_u64(r, f->message.uid);
}

/* What came from the pool goes with the message. */
static void put_text(struct reply *r, const struct fetch *f, struct slice text)
{
    if (f->held)
        reply_add(r, text);
    else
        reply_borrow(r, text);
}

static void put_envelope(struct reply *r, const struct session *s, const struct fetch *f)
{
    (void)s;
    reply_add(r, SLICE("ENVELOPE "));
    put_text(r, f, f->structure.envelope);
}

static void put_bodystructure(struct reply *r, const struct session *s, const struct fetch *f)
{
    (void)s;
    reply_add(r, SLICE("BODYSTRUCTURE "));
    put_text(r, f, f->structure.bodystructure);
}

static void put_body(struct reply *r, const struct session *s, const struct fetch *f)
{
    struct mime_body_walk walk = {f->structure.bodystructure, f->structure.cuts, 0};
    struct slice piece;
    (void)s;
    reply_add(r, SLICE("BODY "));
    while (mime_body_next(&walk, &piece))
        put_text(r, f, piece);
}

/* bit of fetch_items.simple, its writer; in the order of the response */
static const struct {
    unsigned bit;
    void (*put)(struct reply *r, const struct session *s, const struct fetch *f);
} simple_items[] = {
    {FETCH_UID,           put_uid          },
    {FETCH_FLAGS,         put_flags        },
    {FETCH_INTERNALDATE,  put_internaldate },
    {FETCH_SIZE,          put_size         },
    {FETCH_ENVELOPE,      put_envelope     },
    {FETCH_BODYSTRUCTURE, put_bodystructure},
    {FETCH_BODY,          put_body         },
};

/* "* 7 FETCH (UID 9 FLAGS ()", true when there was an item. */
static bool begin_response(const struct session *s, const struct fetch *f, struct reply *r)
{
    unsigned items = f->items->simple | (f->uid ? FETCH_UID : 0);
    bool any = false;
    reply_add(r, SLICE("* "));
    reply_u64(r, f->message.seqnum);
    reply_add(r, SLICE(" FETCH ("));
    for (size_t i = 0; i < sizeof simple_items / sizeof *simple_items; i++) {
        if (!(items & simple_items[i].bit))
            continue;
        if (any)
            reply_add(r, SLICE(" "));
        simple_items[i].put(r, s, f);
        any = true;
    }
    return any;
}

/* --- what the message consists of ------------------------------------------------------------- */

static bool wants_structure(const struct fetch *f)
{
    return f->items->parts ||
           f->items->simple & (FETCH_ENVELOPE | FETCH_BODYSTRUCTURE | FETCH_BODY);
}

static struct slice hold(char **to, struct slice s)
{
    char *at = *to;
    if (s.len)
        memcpy(at, s.ptr, s.len);
    *to += s.len;
    return slice(at, s.len);
}

/* Parsed on the pool: lent for the call, kept until the message is told. When the pool was full the
 * command asks again. */
static void parsed(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct fetch *f = s->command.progress;
    const struct store_structure *of = result->structure;
    if (of) {
        char *to = f->held =
            mem_new(of->envelope.len + of->bodystructure.len + of->cuts.len + of->parts.len);
        f->structure.envelope = hold(&to, of->envelope);
        f->structure.bodystructure = hold(&to, of->bodystructure);
        f->structure.cuts = hold(&to, of->cuts);
        f->structure.parts = hold(&to, of->parts);
    } else if (result->err != ERR_AGAIN) {
        f->held_err = result->err;
    }
    session_resume(s);
}

/* ERR_NOTFOUND: the pool has to make it. */
static enum err find_structure(struct fetch *f)
{
    enum err e = f->held_err;
    f->held_err = ERR_OK;
    if (e || f->held || !wants_structure(f))
        return e;
    return store_structure(&f->message, &f->structure);
}

/* --- sections --------------------------------------------------------------------------------- */

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

static enum err open_section(struct session *s, struct fetch *f)
{
    if (f->digested)
        return section_open_digest(&f->run, f->section, buf_slice(&f->digest));
    return section_open(&f->run, f->section, f->place, &f->body, session_reader(s), header_max(s));
}

/* HEADER.FIELDS of the message itself, of fields that every digest has: no body is opened. */
static bool is_digestible(const struct fetch_section *section)
{
    for (const struct fetch_section *at = section; at; at = at->next) {
        if (at->kind != SECTION_FIELDS || at->nnumber)
            return false;
        for (size_t i = 0; i < at->nfields; i++)
            if (!header_in_digest(at->fields[i]))
                return false;
    }
    return section;
}

/* A header that the message ends with may lack its empty line. */
static bool find_digest(struct fetch *f)
{
    struct slice digest;
    if (!f->digestible || f->message.hdr_len >= f->message.size ||
        store_digest(&f->message, &digest))
        return false;
    f->digest.len = 0;
    return buf_append(&f->digest, digest) == ERR_OK;
}

/* Opens the body and the first section: if that fails nothing has been said of the message yet.
 * The structure does not outlive the callback, the places of the sections do. ERR_AGAIN: with
 * f->body.body the body is cold, else the rows are. */
static enum err open_message(struct session *s, struct fetch *f)
{
    enum err e = ERR_OK;
    f->section = f->items->sections;
    f->place = f->places;
    f->digested = find_digest(f);
    if (f->digested)
        return open_section(s, f);
    if (!f->body.body) {
        e = store_body_open(s->view, f->message.uid, &f->body.body);
        if (e)
            return e;
        f->body.has_nul = f->message.has_nul;
    }
    struct section_place *place = f->places;
    for (const struct fetch_section *at = f->items->sections; at && !e; at = at->next)
        e = section_locate(at, store_body_size(f->body.body), f->message.hdr_len,
                           f->structure.parts, place++);
    if (e)
        return e;
    return open_section(s, f);
}

/* " BODY[...] {n}" CRLF; RFC 3501 section 6.4.5: beyond the end is an empty string; formal syntax,
 * nstring: what is not there is NIL. */
static void announce(struct reply *r, const struct fetch *f)
{
    uint64_t octets = f->run.end - f->run.at;
    reply_add(r, f->section->label);
    if (!octets) {
        reply_str(r, f->run.missing ? " NIL" : " \"\"");
        return;
    }
    reply_str(r, " {");
    reply_u64(r, octets);
    reply_str(r, "}\r\n");
}

/* The rest of the message under way. STEP_DONE: it is told. Once a literal is announced there is no
 * way back: what cannot be read then ends the connection. */
static enum step tell_sections(struct session *s, struct fetch *f, struct reply *r)
{
    for (;;) {
        enum err e = ERR_OK;
        if (!f->run.open) { /* the first one is, so this is not the first */
            e = open_section(s, f);
            if (!e) {
                reply_str(r, " ");
                announce(r, f);
            }
        }
        reply_end(r);
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
        f->place++;
        if (!f->section)
            break;
        if (conn_full(s->conn))
            return STEP_FULL;
    }
    reply_str(r, ")\r\n");
    close_message(f);
    return STEP_DONE;
}

/* --- the walk --------------------------------------------------------------------------------- */

static enum step cold(struct session *s, const struct fetch *f)
{
    store_warm_view(s->view, f->cursor.next_uid, session_warmed(s));
    return STEP_WAIT;
}

/* What the message needs is not there yet. Then it is read again: its slices do not live that long.
 */
static enum step wait_for(struct session *s, struct fetch *f, enum err e)
{
    f->cursor.next_uid = f->message.uid;
    if (e == ERR_NOTFOUND)
        store_warm_structure(s->view, f->message.uid, session_to(s, parsed));
    else if (f->body.body)
        return warm_body(s, f);
    else
        return cold(s, f);
    return STEP_WAIT;
}

/* STEP_DONE: the message is told, or passed over with f->err. */
static enum step tell_message(struct session *s, struct fetch *f, struct reply *r)
{
    enum err e = find_structure(f);
    if (e == ERR_NOTFOUND)
        return wait_for(s, f, e);
    if (!e && f->items->sections)
        e = open_message(s, f);
    if (e == ERR_AGAIN)
        return wait_for(s, f, e);
    if (e) {
        note(s, f, e, f->message.uid);
        close_message(f);
        return STEP_DONE;
    }
    bool any = begin_response(s, f, r);
    if (!f->items->sections) {
        reply_add(r, SLICE(")\r\n"));
        if (f->held) /* nothing else can be open */
            close_message(f);
        return STEP_DONE;
    }
    if (any)
        reply_str(r, " ");
    announce(r, f);
    f->inside = true;
    return tell_sections(s, f, r);
}

/* All messages, or the next ones until somebody else has a turn. */
static enum step walk(struct session *s, struct fetch *f)
{
    uint64_t until = clock_mono_ns() + SLICE_NS;
    unsigned look_every = f->items->sections ? 1 : wants_structure(f) ? LOOK_AT_TEXTS : LOOK_EVERY;
    enum step step = STEP_DONE;
    struct reply r;
    reply_begin(&r, s->conn);
    for (unsigned i = 1;; i++) {
        if (f->inside) {
            step = tell_sections(s, f, &r);
        } else {
            enum err e = store_cursor_next(&f->cursor, &f->message);
            if (e == ERR_AGAIN)
                step = cold(s, f);
            else if (e && e != ERR_NOTFOUND)
                note(s, f, e, f->cursor.next_uid);
            if (e)
                break;
            step = tell_message(s, f, &r);
        }
        if (step != STEP_DONE)
            break;
        if (reply_full(&r) || (i % look_every == 0 && clock_mono_ns() > until)) {
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
    enum err e = result->err;
    bool gone =
        e == ERR_NOTFOUND; /* the mailbox was deleted: what was ghosts is told all the same */
    f->batch_out = false;
    if (e && !gone) {
        f->seen_err = e;
        session_note_why(s, &result->why);
    }
    if ((e || !submit_seen(s, f)) && f->phase == SETTLE)
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
    unsigned want = f->digestible || wants_structure(f) ? WANT_MSG | WANT_CACHE
                    : f->items->sections                ? WANT_MSG
                                                        : WANT_HOT;
    store_cursor_init(&f->cursor, s->view, &f->uids, want, 0);
}

static enum err begin(struct session *s, struct command *c, struct fetch *f)
{
    c->cleanup = cleanup;
    f->items = c->args[1].fetch;
    f->uid = c->row->traits & CMD_UID;
    f->digestible = is_digestible(f->items->sections);
    buf_init(&f->digest, HEADER_DIGEST_MAX);
    size_t n = 1;
    for (const struct fetch_section *at = f->items->sections; at; at = at->next)
        n++;
    f->places = arena_try(&s->arena, n * sizeof *f->places);
    if (!f->places)
        return ERR_LIMIT;
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
