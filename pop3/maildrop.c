/* TRANSACTION: STAT LIST UIDL DELE NOOP LAST RSET, and QUIT with the UPDATE behind it. The listing
 * was frozen at login: numbers and sizes never change in a session, whatever IMAP does meanwhile.
 */
#include <inttypes.h>
#include <stdio.h>

#include "core/net/outq.h"
#include "pop3/command.h"
#include "pop3/session.h"

enum { LISTING_BLOCK = 4096, LISTING_LINE_MAX = 96 };

enum step pop3_noop(struct pop3_session *s)
{
    pop3_ok(s, "nothing done");
    return STEP_DONE;
}

/* RFC 1939 section 5: messages marked deleted are not counted. */
enum step pop3_stat(struct pop3_session *s)
{
    pop3_ok(s, "%" PRIu32 " %" PRIu64, s->marks.count - s->marks.ndeleted,
            store_maildrop_octets(s->drop) - s->marks.deleted_octets);
    return STEP_DONE;
}

static bool may_delete(const struct pop3_session *s)
{
    return !(s->auth->cred_flags & (CRED_NO_DELETE | CRED_READ_ONLY));
}

enum step pop3_dele(struct pop3_session *s)
{
    uint32_t octets;
    if (!may_delete(s))
        return pop3_fail(s, ERR_PERM);
    enum err e = store_maildrop_size(s->drop, s->args.message, &octets);
    if (e)
        return pop3_fail(s, e);
    marks_delete(&s->marks, s->args.message, octets);
    pop3_ok(s, "message deleted");
    return STEP_DONE;
}

enum step pop3_rset(struct pop3_session *s)
{
    marks_reset(&s->marks);
    s->last = 0; /* RFC 1460 section 5; \Seen stays */
    pop3_ok(s, "maildrop has %" PRIu32 " messages (%" PRIu64 " octets)", s->marks.count,
            store_maildrop_octets(s->drop));
    return STEP_DONE;
}

/* RFC 1460 section 5: for those who never learned UIDL. Of this session: what was retrieved in
 * earlier ones is not counted, so that nobody misses a message. */
enum step pop3_last(struct pop3_session *s)
{
    if (!s->auth->settings.pop3.last)
        return pop3_fail_text(s, ERR_STATE, "LAST is not available");
    pop3_ok(s, "%" PRIu32, s->last);
    return STEP_DONE;
}

/* --- LIST, UIDL --------------------------------------------------------------------------------
 */

/* One line of a listing, without its end: at most LISTING_LINE_MAX octets. */
typedef enum err listing_line(struct pop3_session *s, uint32_t message, char *to, size_t *ret_len);

static enum err scan_line(struct pop3_session *s, uint32_t message, char *to, size_t *ret_len)
{
    uint32_t octets;
    enum err e = store_maildrop_size(s->drop, message, &octets);
    if (!e)
        *ret_len = (size_t)snprintf(to, LISTING_LINE_MAX, "%" PRIu32 " %" PRIu32, message, octets);
    return e;
}

static enum err uidl_line(struct pop3_session *s, uint32_t message, char *to, size_t *ret_len)
{
    struct store_popentry entry;
    enum err e = store_maildrop_entry(s->drop, pop3_reader(s), message, &entry);
    if (!e)
        *ret_len = (size_t)snprintf(to, LISTING_LINE_MAX, "%" PRIu32 " %s", message, entry.uidl);
    return e;
}

struct listing {
    bool begun;
    uint32_t done; /* messages behind us */
};

/* As many lines as the output queue takes; the place in the listing is a number. */
static enum step list_all(struct pop3_session *s, const char *title, listing_line *line)
{
    struct listing *l = pop3_progress(s, sizeof *l);
    if (!l->begun)
        pop3_ok(s, "%s", title);
    l->begun = true;
    while (l->done < s->marks.count) {
        char block[LISTING_BLOCK];
        size_t n = 0;
        if (conn_full(s->conn))
            return STEP_FULL;
        while (l->done < s->marks.count && n + LISTING_LINE_MAX + 2 <= sizeof block) {
            size_t len = 0;
            if (!marks_deleted(&s->marks, l->done + 1)) {
                enum err e = line(s, l->done + 1, block + n, &len);
                if (e)
                    return pop3_break(s, e);
                memcpy(block + n + len, "\r\n", 2);
                n += len + 2;
            }
            l->done++;
        }
        conn_send(s->conn, slice(block, n));
    }
    conn_send(s->conn, SLICE(".\r\n"));
    return STEP_DONE;
}

static enum step list(struct pop3_session *s, const char *title, listing_line *line)
{
    char text[LISTING_LINE_MAX];
    size_t len;
    if (!s->args.has_message)
        return list_all(s, title, line);
    enum err e = line(s, s->args.message, text, &len);
    if (e)
        return pop3_fail(s, e);
    pop3_ok(s, SLICE_FMT, (int)len, text);
    return STEP_DONE;
}

enum step pop3_list(struct pop3_session *s)
{
    return list(s, "scan listing follows", scan_line);
}

enum step pop3_uidl(struct pop3_session *s)
{
    return list(s, "unique-id listing follows", uidl_line);
}

/* --- QUIT: RFC 1939 section 6 ------------------------------------------------------------------
 */

enum quit_phase { QUIT_ASK, QUIT_ANSWERED };

struct quit {
    enum quit_phase phase;
    enum pop3_delete mode; /* what becomes of the marked messages */
    bool braked;
};

/* [pop3] brake: more messages, and a larger part of the maildrop, than anybody deletes by hand. */
static bool brakes(const struct pop3_session *s, enum pop3_delete mode)
{
    uint32_t messages = s->auth->settings.pop3.brake_messages;
    uint64_t percent = s->auth->settings.pop3.brake_percent;
    return messages && (mode == POP3_DELETE_EXPUNGE || mode == POP3_DELETE_TRASH) &&
           s->marks.ndeleted > messages &&
           (uint64_t)s->marks.ndeleted * 100 > percent * s->marks.count;
}

static void decide(struct pop3_session *s, struct quit *quit)
{
    quit->mode = s->auth->settings.pop3.delete_mode;
    quit->braked = brakes(s, quit->mode);
    if (quit->braked)
        quit->mode = POP3_DELETE_HIDE;
    /* RFC 2449 section 6.7, EXPIRE 0: an implicit DELE for each message that RETR has downloaded.
     */
    if (s->auth->settings.pop3.expire_days == 0 && may_delete(s))
        marks_delete_retrieved(&s->marks);
}

/* The marked messages, unless nothing becomes of them. */
static const unsigned char *to_delete(const struct pop3_session *s, const struct quit *quit)
{
    return s->marks.ndeleted && quit->mode != POP3_DELETE_KEEP ? s->marks.deleted : NULL;
}

static void log_quit(const struct pop3_session *s, const struct quit *quit)
{
    struct log_line l;
    uint32_t n = to_delete(s, quit) ? s->marks.ndeleted : 0;
    bool hides = quit->mode == POP3_DELETE_HIDE;
    pop3_log_begin(s, &l, quit->braked ? LOG_WARN : LOG_INFO, "pop3-quit");
    log_slice(&l, "user", s->auth->login);
    log_u64(&l, "dele", hides ? 0 : n);
    log_u64(&l, "retr", s->marks.nretrieved);
    log_u64(&l, "hidden", hides ? n : 0);
    if (quit->braked)
        log_str(&l, "why", "brake");
    pop3_log_end(s, &l);
}

/* The lock goes before the answer: a client that comes back at once must find it free. */
static enum step goodbye(struct pop3_session *s, const struct quit *quit, enum err e)
{
    uint32_t ndeleted = s->marks.ndeleted;
    bool failed = e && to_delete(s, quit);
    if (!e)
        log_quit(s, quit);
    if (failed)
        pop3_fail_text(s, e, "some deleted messages not removed");
    marks_finish(&s->marks);
    pop3_maildrop_leave(s);
    if (!failed && quit->braked)
        pop3_ok(s, "bye; %" PRIu32 " messages were hidden, not removed: too many at once",
                ndeleted);
    else if (!failed)
        pop3_ok(s, "bye");
    conn_finish(s->conn, CONN_END_LOGOUT);
    return STEP_DONE;
}

/* The UPDATE begins when everything said before has been written: of a pipeline that ends in QUIT
 * nothing may be removed, or taken as retrieved, that the client has not been sent. */
enum step pop3_quit(struct pop3_session *s)
{
    struct quit *quit = pop3_progress(s, sizeof *quit);
    if (quit->phase == QUIT_ANSWERED)
        return goodbye(s, quit, s->woken);
    if (!s->drop) {
        pop3_ok(s, "bye");
        conn_finish(s->conn, CONN_END_LOGOUT);
        return STEP_DONE;
    }
    if (conn_out(s->conn)->len) {
        conn_want_flushed(s->conn);
        return STEP_FULL;
    }
    marks_confirm(&s->marks, conn_sent(s->conn));
    pop3_state_set(s, POP3_UPDATE);
    decide(s, quit);
    if (!to_delete(s, quit) && !s->marks.nretrieved)
        return goodbye(s, quit, ERR_OK);
    quit->phase = QUIT_ANSWERED;
    store_maildrop_update(s->drop, s->marks.nretrieved ? s->marks.retrieved : NULL,
                          to_delete(s, quit), quit->mode, pop3_to(s, pop3_done));
    return pop3_wait(s);
}

/* Nobody waits for that last batch: the session ends with the connection. */
void pop3_maildrop_leave(struct pop3_session *s)
{
    if (s->drop && s->marks.nretrieved)
        store_maildrop_update(s->drop, s->marks.retrieved, NULL, POP3_DELETE_KEEP,
                              (struct store_to){0});
    marks_finish(&s->marks);
    store_body_close(s->body);
    s->body = NULL;
    store_maildrop_close(s->drop);
    s->drop = NULL;
}
