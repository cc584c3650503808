/* One conn between two waits: octets in, callbacks, octets out, and what to wait for next. */
#include <assert.h>

#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/fault.h"
#include "core/base/mem.h"
#include "core/net/conn_impl.h"
#include "core/net/listen.h"
#include "core/net/tls.h"

enum {
    ROUNDS_MAX = 4,       /* callbacks of one conn in a row, then others have their turn */
    AGAIN_NS = 1000000,   /* of those who asked for another turn, then sockets are looked at */
    READ_STEP = 4 * 1024, /* first read behind octets that wait already */
};

static const struct config *live(const struct conn *conn)
{
    return server_config(conn->set->server);
}

void conn_dirty(struct conn *conn)
{
    if (conn->dirty || conn->phase == PHASE_GONE || conn->set->settling == conn)
        return;
    conn->dirty = true;
    TAILQ_INSERT_TAIL(&conn->set->dirty, conn, in_dirty);
}

static void post_again(struct conn_set *set)
{
    if (set->again_posted)
        return;
    set->again_posted = true;
    loop_post(set->loop, &set->again_post);
}

void conn_ask_again(struct conn *conn, bool offer)
{
    struct conn_set *set = conn->set;
    if (conn->phase == PHASE_GONE)
        return;
    conn->again_offer |= offer;
    if (!conn->again) {
        conn->again = true;
        TAILQ_INSERT_TAIL(&set->again, conn, in_again);
    }
    post_again(set);
}

/* --- input ------------------------------------------------------------------------------------ */

void conn_drop_input(struct conn *conn)
{
    conn->loan = SLICE_NONE;
    conn->in_off = 0;
    buf_finish(&conn->in);
    conn->offer = false;
}

/* At the end of a callback: keep what the session left, and memory only for that. */
static void keep_input(struct conn *conn)
{
    struct buf fresh;
    if (conn->phase == PHASE_PROXY)
        return; /* a header that is not whole */
    buf_init(&fresh, SIZE_MAX);
    if (!conn->loan.len) {
        size_t left = conn->in.len - conn->in_off;
        /* Moving what is left only after as much was consumed keeps the work linear. */
        if (left && conn->in_off < left)
            return;
    }
    struct slice left = conn_input(conn);
    if (left.len && buf_append(&fresh, left))
        assert(!"no limit");
    mem_wipe((char *)(uintptr_t)left.ptr, left.len); /* it may be half a password */
    buf_finish(&conn->in);
    conn->in = fresh;
    conn->in_off = 0;
    conn->loan = SLICE_NONE;
}

bool conn_may_read(const struct conn *conn)
{
    return conn->phase == PHASE_OPEN && !conn->finishing && !conn->starttls && !conn->eof &&
           !conn->broken && conn->want_input && !conn->full && !conn->held &&
           conn_input(conn).len < conn->input_max;
}

static void take_input(struct conn *conn)
{
    struct slice have = conn_input(conn);
    size_t cap = conn->input_max - have.len;
    char *to = conn->set->read_buffer;
    if (cap > CONN_READ_MAX)
        cap = CONN_READ_MAX;
    if (have.len) {
        size_t step = have.len > READ_STEP ? have.len : READ_STEP;
        if (cap > step)
            cap = step;
        if (buf_reserve(&conn->in, cap))
            assert(!"no limit");
        to = conn->in.ptr + conn->in.len;
    }
    size_t n;
    enum wire_state state = wire_read(&conn->wire, to, cap, &n, NULL);
    if (have.len)
        conn->in.len += n;
    else
        conn->loan = slice(to, n);
    conn_count_octets(conn, METRIC_IN, n);
    if (n) {
        conn->offer = true;
        if (conn->uploading)
            timer_arm(conn->set->loop, &conn->upload_stall, live(conn)->limits.upload_stall_ms);
    }
    switch (state) {
    case WIRE_OK:
    case WIRE_WAIT:
        break;
    case WIRE_CLOSED:
        conn->eof = true;
        conn->offer = true;
        break;
    case WIRE_RESET:
        conn_kill(conn, CONN_END_RESET);
        break;
    case WIRE_BROKEN:
        conn->broken = true;
        break;
    }
}

/* We do not want input now, but a peer that has gone is to be seen. */
static void look(struct conn *conn)
{
    switch (wire_peek(&conn->wire)) {
    case WIRE_OK:
        conn->mute = true;
        break;
    case WIRE_CLOSED:
        if (conn->wire.tls) { /* only reading tells whether it was a proper end */
            conn->mute = true;
        } else {
            conn->eof = true;
            conn->offer = true;
        }
        break;
    case WIRE_RESET:
        conn_kill(conn, CONN_END_RESET);
        break;
    default:
        break;
    }
}

/* --- the way to OPEN -------------------------------------------------------------------------- */

static void open_session(struct conn *conn)
{
    const struct protocol *protocol = conn_protocol(conn);
    bool first = !conn->opened;
    conn->phase = PHASE_OPEN;
    conn->opened = true;
    conn_count(conn);
    (first ? protocol->open : protocol->secured)(conn);
}

static void begin_handshake(struct conn *conn)
{
    conn->starttls = false;
    conn_drop_input(conn);
    if (!server_handshake_begin(conn->set->server)) {
        metrics_limit(METRIC_LIMIT_HANDSHAKES);
        conn_log(conn, "limit-hit", "user", SLICE_NONE, "limit", "handshakes");
        conn_kill(conn, CONN_END_LIMIT);
        return;
    }
    conn->handshaking = true;
    conn->phase = PHASE_HANDSHAKE;
    conn->hs_wants_write = false;
    struct tls_creds *creds = listener_creds(conn->listener);
    if (!creds || tls_new(creds, conn->wire.fd, conn_protocol(conn)->alpn, &conn->wire.tls))
        conn_kill(conn, CONN_END_FAULT);
}

static void shake_hands(struct conn *conn)
{
    struct fault why;
    wire_quickack(&conn->wire);
    switch (tls_handshake(conn->wire.tls, &why)) {
    case TLS_WANT_READ:
        conn->hs_wants_write = false;
        break;
    case TLS_WANT_WRITE:
        conn->hs_wants_write = true;
        break;
    case TLS_FAILED:
        conn_log(conn, "tls-fail", "sni", tls_sni(conn->wire.tls), "reason", why.text);
        conn_kill(conn, CONN_END_TLS);
        break;
    case TLS_DONE:
        conn->handshaking = false;
        server_handshake_end(conn->set->server);
        conn->wire.pending = tls_pending(conn->wire.tls);
        open_session(conn);
        break;
    }
}

static void begin_protocol(struct conn *conn)
{
    if (listener_tls(conn->listener) == LISTEN_IMPLICIT)
        begin_handshake(conn);
    else
        open_session(conn);
}

static void read_proxy(struct conn *conn)
{
    struct proxy_header header;
    switch (wire_read_proxy(&conn->wire, &conn->in, &header)) {
    case WIRE_OK:
        break;
    case WIRE_WAIT:
        return;
    default:
        conn_log(conn, "accept-refused", NULL, SLICE_NONE, "reason", "proxy");
        conn_kill(conn, CONN_END_PROXY);
        return;
    }
    conn_drop_input(conn);
    buf_init(&conn->in, SIZE_MAX);
    if (header.named) {
        conn_set_peer(conn, &header.source);
        conn_set_local(conn, &header.target);
        if (!conn_count_peer(conn)) {
            metrics_limit(METRIC_LIMIT_PER_ADDRESS);
            conn_log(conn, "accept-refused", NULL, SLICE_NONE, "reason", "per_address");
            if (listener_tls(conn->listener) != LISTEN_IMPLICIT)
                outq_add(&conn->out, slice_str(conn_protocol(conn)->refusal));
            conn->phase = PHASE_OPEN;
            conn_finish(conn, CONN_END_LIMIT);
            return;
        }
    }
    begin_protocol(conn);
}

static void begin(struct conn *conn)
{
    struct sockaddr_storage peer = conn_peer(conn);
    if (!listener_wants_proxy(conn->listener, &peer)) {
        begin_protocol(conn);
        return;
    }
    conn->phase = PHASE_PROXY;
    conn->in.max = PROXY_HEADER_MAX;
}

/* --- output ----------------------------------------------------------------------------------- */

static size_t high_mark(const struct conn *conn)
{
    return conn_config(conn)->limits.output;
}

static void write_out(struct conn *conn)
{
    if (conn->out.len >= high_mark(conn))
        conn->full = true;
    if (conn->phase == PHASE_OPEN && conn->out.len && !conn->blocked) {
        size_t before = conn->out.len;
        uint64_t taken = wire_taken(&conn->wire);
        enum wire_state state = wire_write(&conn->wire, &conn->out, conn->finishing, NULL);
        conn_count_octets(conn, METRIC_OUT, before - conn->out.len);
        switch (state) {
        case WIRE_OK:
            timer_cancel(&conn->write_stall);
            break;
        case WIRE_WAIT:
            conn->blocked = true;
            if (!conn->write_stall.due_ms || wire_taken(&conn->wire) != taken)
                timer_arm(conn->set->loop, &conn->write_stall, live(conn)->limits.write_stall_ms);
            break;
        case WIRE_BROKEN:
            conn_kill(conn, CONN_END_TLS);
            break;
        default:
            conn_kill(conn, CONN_END_RESET);
            break;
        }
    }
    outq_settle(&conn->out);
}

/* --- the end of a callback -------------------------------------------------------------------- */

/* One callback that is owed; false: none. A conn that fills its output as often as it drains would
 * keep all others waiting: each time it comes behind them. */
static bool tell(struct conn *conn, unsigned round)
{
    const struct protocol *protocol = conn_protocol(conn);
    bool drained =
        (conn->full && conn->out.len <= high_mark(conn) / 2) || (conn->flush && conn->out.len == 0);
    bool offer = conn->offer && conn->want_input && !conn->full;
    if (!drained && !offer)
        return false;
    if (round >= ROUNDS_MAX || (drained && round > 0)) {
        conn_ask_again(conn, false);
        return false;
    }
    if (drained) {
        conn->full = false;
        conn->flush &= conn->out.len > 0;
        protocol->drained(conn);
    } else {
        conn->offer = false;
        protocol->input(conn);
    }
    return true;
}

/* What can be done without waiting for the socket; true: look once more. */
static bool step(struct conn *conn, unsigned round)
{
    write_out(conn);
    if (conn->phase == PHASE_NEW) {
        begin(conn);
        return true;
    }
    if (conn->phase != PHASE_OPEN)
        return false;
    if (conn->starttls) {
        if (!conn->out.len)
            begin_handshake(conn);
        return false;
    }
    if (conn->finishing) {
        if (!conn->out.len)
            conn_kill(conn, conn->why);
        return false;
    }
    if (tell(conn, round))
        return true;
    if (conn->broken && !conn->again)
        conn_kill(conn, CONN_END_TLS);
    return false;
}

/* Interest is set here and nowhere else. */
static void rearm(struct conn *conn)
{
    int events = 0;
    bool may_read = conn_may_read(conn);
    if (may_read)
        conn->mute = false;
    switch (conn->phase) {
    case PHASE_PROXY:
        events = EV_READ;
        break;
    case PHASE_HANDSHAKE:
        events = conn->hs_wants_write ? EV_WRITE : EV_READ;
        break;
    case PHASE_OPEN:
        if (may_read ||
            (!conn->mute && !conn->eof && !conn->broken && !conn->finishing && !conn->starttls))
            events |= EV_READ;
        if ((conn->blocked && conn->out.len) || conn->wire.read_wants_write)
            events |= EV_WRITE;
        break;
    default:
        break;
    }
    if (may_read && conn->wire.pending)
        conn_ask_again(conn, false);
    if (events == (ev_is_active(&conn->io) ? conn->io.events & (EV_READ | EV_WRITE) : 0))
        return;
    ev_io_stop(loop_ev(conn->set->loop), &conn->io);
    ev_io_modify(&conn->io, events);
    if (events)
        ev_io_start(loop_ev(conn->set->loop), &conn->io);
}

static void settle(struct conn *conn, unsigned round)
{
    conn->set->settling = conn;
    while (step(conn, round))
        round++;
    keep_input(conn);
    conn->set->settling = NULL;
    if (conn->phase == PHASE_GONE)
        return;
    conn_charge(conn);
    rearm(conn);
}

void conn_set_settle(struct conn_set *set)
{
    struct conn *conn;
    while ((conn = TAILQ_FIRST(&set->dirty))) {
        TAILQ_REMOVE(&set->dirty, conn, in_dirty);
        conn->dirty = false;
        settle(conn, 0);
    }
}

/* --- what wakes a conn ------------------------------------------------------------------------ */

static void readable(struct conn *conn)
{
    switch (conn->phase) {
    case PHASE_PROXY:
        read_proxy(conn);
        break;
    case PHASE_OPEN:
        if (conn_may_read(conn))
            take_input(conn);
        else if (!conn->eof && !conn->broken)
            look(conn);
        break;
    default:
        break;
    }
}

void conn_on_io(struct ev_loop *ev, ev_io *io, int events)
{
    (void)ev;
    struct conn *conn = io->data;
    struct loop *loop = conn->set->loop;
    conn->set->settling = conn;
    if (events & EV_WRITE)
        conn->blocked = false;
    if (conn->phase == PHASE_HANDSHAKE)
        shake_hands(conn);
    else if (events & EV_READ || conn->wire.read_wants_write)
        readable(conn);
    settle(conn, events == EV_WRITE);
    loop_callback_ends(loop);
}

void conn_on_again(struct loop *loop, struct post *post)
{
    struct conn_set *set =
        (struct conn_set *)((char *)post - offsetof(struct conn_set, again_post));
    struct conn *conn = NULL, *last = TAILQ_LAST(&set->again, conn_list);
    uint64_t until = clock_mono_ns() + AGAIN_NS;
    (void)loop;
    set->again_posted = false;
    /* Who asks again meanwhile comes behind the last. None is freed before the turn ends. */
    while (conn != last && clock_mono_ns() < until) {
        conn = TAILQ_FIRST(&set->again);
        TAILQ_REMOVE(&set->again, conn, in_again);
        conn->again = false;
        conn->offer |= conn->again_offer;
        conn->again_offer = false;
        if (conn->wire.pending && conn_may_read(conn))
            take_input(conn);
        settle(conn, 0);
        conn_set_settle(set);
    }
    if (!TAILQ_EMPTY(&set->again))
        post_again(set);
}
