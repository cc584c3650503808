/* RETR and TOP: a message straight from the store's map through dot-stuffing into the output queue,
 * as much at a time as the client takes. */
#include <inttypes.h>

#include "core/net/dot.h"
#include "core/net/outq.h"
#include "pop3/command.h"
#include "pop3/session.h"

enum { PIECES = 8, WARM_OCTETS = 512 * 1024 };

struct retrieval {
    bool open, begun;
    uint64_t at, end;   /* octets sent and to be sent of the message */
    uint64_t body_from; /* TOP: where lines begin to count */
    uint32_t lines;     /* TOP: lines of the body still wanted */
    bool top;
    struct dot_encoder dots;
};

/* TOP: where the part that is wanted ends, if that is in `piece`; else behind it. */
static size_t wanted(struct retrieval *r, struct slice piece)
{
    if (!r->top || r->at + piece.len <= r->body_from)
        return piece.len;
    size_t i = r->at < r->body_from ? (size_t)(r->body_from - r->at) : 0;
    while (r->lines) {
        const char *lf = memchr(piece.ptr + i, '\n', piece.len - i);
        if (!lf)
            return piece.len;
        i = (size_t)(lf - piece.ptr) + 1;
        r->lines--;
    }
    r->end = r->at + i;
    return i;
}

static void send_piece(struct pop3_session *s, struct retrieval *r, struct slice piece)
{
    piece = slice_first(piece, wanted(r, piece));
    r->at += piece.len;
    while (piece.len)
        outq_borrow(conn_out(s->conn), dot_encode(&r->dots, &piece));
}

static enum err open_message(struct pop3_session *s, struct retrieval *r)
{
    uint32_t header;
    enum err e = store_maildrop_body(s->drop, pop3_reader(s), s->args.message, &s->body, &header);
    if (e)
        return e;
    r->open = true;
    r->end = store_body_size(s->body);
    r->body_from = header;
    r->lines = s->args.lines;
    return ERR_OK;
}

static void begin(struct pop3_session *s, struct retrieval *r)
{
    if (!r->begun && r->top)
        pop3_ok(s, "top of message follows");
    else if (!r->begun) /* some clients take the size from here */
        pop3_ok(s, "message follows, %" PRIu64 " octets", r->end);
    r->begun = true;
}

static void close_body(struct pop3_session *s)
{
    store_body_close(s->body);
    s->body = NULL;
}

/* Before the first line of the answer an error is an -ERR; after it the connection must break, or
 * the client would take what it has for the whole message. */
static enum step failed(struct pop3_session *s, const struct retrieval *r, enum err e)
{
    close_body(s);
    return r->begun ? pop3_break(s, e) : pop3_fail(s, e);
}

static enum step retrieve(struct pop3_session *s, struct retrieval *r)
{
    enum err e = s->woken;
    s->woken = ERR_OK;
    if (!e && !r->open)
        e = open_message(s, r);
    if (e)
        return failed(s, r, e);
    while (r->at < r->end) {
        struct iovec pieces[PIECES];
        int n = 0;
        if (conn_full(s->conn))
            return STEP_FULL;
        e = store_body_map(s->body, pop3_reader(s), r->at, pieces, PIECES, &n);
        if (e == ERR_AGAIN) {
            store_warm_body(s->body, r->at, WARM_OCTETS, pop3_to(s, pop3_done));
            return pop3_wait(s);
        }
        if (e || n == 0)
            return failed(s, r, e ? e : ERR_CORRUPT);
        begin(s, r);
        for (int i = 0; i < n && r->at < r->end; i++)
            send_piece(s, r, slice(pieces[i].iov_base, pieces[i].iov_len));
    }
    begin(s, r); /* an empty message has an answer too */
    conn_send(s->conn, dot_encode_end(&r->dots));
    close_body(s);
    return STEP_DONE;
}

enum step pop3_retr(struct pop3_session *s)
{
    struct retrieval *r = pop3_progress(s, sizeof *r);
    enum step step = retrieve(s, r);
    if (step == STEP_DONE && r->begun && r->at == r->end) {
        marks_sent(&s->marks, s->args.message, pop3_queued(s));
        store_maildrop_peeked(s->drop, s->args.message, false);
        if (s->args.message > s->last)
            s->last = s->args.message;
    }
    return step;
}

/* Nobody previews so many lines: it is fetchmail's way to download without marking as read. */
enum { TOP_ALL = 1000000 };

/* RFC 1939 section 7: the header, the blank line, then so many lines of the body. TOP is a look at
 * a message: it never sets \Seen, and unless all lines were asked for it retrieves nothing. */
enum step pop3_top(struct pop3_session *s)
{
    struct retrieval *r = pop3_progress(s, sizeof *r);
    r->top = true;
    enum step step = retrieve(s, r);
    bool whole = r->begun && r->at == r->end && r->lines; /* it had fewer than were asked for */
    if (step == STEP_DONE && whole && s->args.lines >= TOP_ALL) {
        if (!marks_has_sent(&s->marks, s->args.message))
            store_maildrop_peeked(s->drop, s->args.message, true);
        marks_sent(&s->marks, s->args.message, pop3_queued(s));
    }
    return step;
}
