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

enum step pop3_dele(struct pop3_session *s)
{
    uint32_t octets;
    if (s->auth->cred_flags & (CRED_NO_DELETE | CRED_READ_ONLY))
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

/* What QUIT removes: nothing where the view only keeps or hides. */
static const unsigned char *to_delete(const struct pop3_session *s)
{
    if (s->marks.ndeleted == 0 || s->auth->settings.pop3.delete_mode != POP3_DELETE_EXPUNGE)
        return NULL;
    return s->marks.deleted;
}

static void log_quit(const struct pop3_session *s)
{
    struct log_line l;
    pop3_log_begin(s, &l, LOG_INFO, "pop3-quit");
    log_slice(&l, "user", s->auth->login);
    log_u64(&l, "dele", to_delete(s) ? s->marks.ndeleted : 0);
    log_u64(&l, "retr", s->marks.nretrieved);
    pop3_log_end(s, &l);
}

/* The lock goes before the answer: a client that comes back at once must find it free. */
static enum step goodbye(struct pop3_session *s, enum err e)
{
    bool failed = e && to_delete(s);
    if (!e)
        log_quit(s);
    if (failed)
        pop3_fail_text(s, e, "some deleted messages not removed");
    marks_finish(&s->marks);
    pop3_maildrop_leave(s);
    if (!failed)
        pop3_ok(s, "bye");
    conn_finish(s->conn, CONN_END_LOGOUT);
    return STEP_DONE;
}

enum quit_phase { QUIT_ASK, QUIT_ANSWERED };

/* The UPDATE begins when everything said before has been written: of a pipeline that ends in QUIT
 * nothing may be removed, or taken as retrieved, that the client has not been sent. */
enum step pop3_quit(struct pop3_session *s)
{
    enum quit_phase *phase = pop3_progress(s, sizeof *phase);
    if (*phase == QUIT_ANSWERED)
        return goodbye(s, s->woken);
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
    if (!to_delete(s) && !s->marks.nretrieved)
        return goodbye(s, ERR_OK);
    *phase = QUIT_ANSWERED;
    store_maildrop_update(s->drop, s->marks.nretrieved ? s->marks.retrieved : NULL, to_delete(s),
                          pop3_to(s, pop3_done));
    return pop3_wait(s);
}

/* Nobody waits for that last batch: the session ends with the connection. */
void pop3_maildrop_leave(struct pop3_session *s)
{
    if (s->drop && s->marks.nretrieved)
        store_maildrop_update(s->drop, s->marks.retrieved, NULL, (struct store_to){0});
    marks_finish(&s->marks);
    store_body_close(s->body);
    s->body = NULL;
    store_maildrop_close(s->drop);
    s->drop = NULL;
}
