/* DATA and BDAT: the message, and then what becomes of it.
 *
 *      DATA   BEGIN --354--> RECEIVE --CRLF.CRLF--> DELIVER --one answer a recipient--> done
 *      BDAT   BEGIN -------> RECEIVE --size-------> 250, more chunks may follow
 *                                    --size, LAST-> DELIVER --one answer a recipient--> done
 *
 * Nothing can be said while the octets come (RFC 5321 section 3.3). */
#include <inttypes.h>

#include "lmtp/command.h"
#include "lmtp/session.h"

enum phase { UPLOAD_BEGIN, UPLOAD_RECEIVE, UPLOAD_DELIVER };

struct upload {
    enum phase phase;
    enum err refused; /* BDAT: the chunk is read and dropped, and then this is said */
};

static enum step deliver(struct lmtp_session *s)
{
    enum step step = lmtp_deliver(s);
    if (step == STEP_DONE)
        lmtp_transaction_end(s);
    return step;
}

enum step lmtp_data(struct lmtp_session *s)
{
    struct upload *u = lmtp_progress(s, sizeof *u);
    if (u->phase == UPLOAD_BEGIN) {
        enum err e = lmtp_upload_begin(s);
        if (e) {
            lmtp_transaction_end(s);
            return lmtp_fail(s, e);
        }
        lmtp_say(s, "354 send the message, end with CRLF.CRLF");
        lmtp_upload_mark(s, true);
        u->phase = UPLOAD_RECEIVE;
    }
    if (u->phase == UPLOAD_RECEIVE) {
        enum step step = lmtp_upload_receive(s);
        if (step != STEP_DONE)
            return step;
        lmtp_upload_mark(s, false);
        u->phase = UPLOAD_DELIVER;
    }
    return deliver(s);
}

/* --- BDAT: RFC 3030 ------------------------------------------------------------------------------
 */

/* The octets of a chunk come whatever we think of it (RFC 3030 section 2). */
static void chunk_begin(struct lmtp_session *s, struct upload *u)
{
    struct lmtp_transaction *t = &s->mail;
    if (s->state == LMTP_RCPT) {
        u->refused = lmtp_upload_begin(s);
        if (u->refused)
            lmtp_transaction_end(s);
        else
            lmtp_state_set(s, LMTP_CHUNKS);
    } else if (s->state != LMTP_CHUNKS) {
        u->refused = ERR_STATE;
    }
    t->chunked = true;
    t->chunk = s->args.size;
    lmtp_upload_mark(s, true);
    u->phase = UPLOAD_RECEIVE;
}

/* No recipient can have the message any more: the client should not send the rest. */
static enum err all_failed(const struct lmtp_transaction *t)
{
    for (size_t i = 0; i < t->nparts; i++)
        if (!t->parts[i].err)
            return ERR_OK;
    return t->parts[0].err;
}

static enum step chunk_end(struct lmtp_session *s, enum err refused)
{
    if (refused) { /* the message, if there will be one, may come by DATA */
        s->mail.chunked = false;
        return lmtp_fail(s, refused);
    }
    enum err e = all_failed(&s->mail);
    if (e) {
        lmtp_transaction_end(s);
        return lmtp_fail(s, e);
    }
    conn_printf(s->conn, "250 2.0.0 %" PRIu64 " octets\r\n", s->args.size);
    return STEP_DONE;
}

enum step lmtp_bdat(struct lmtp_session *s)
{
    struct upload *u = lmtp_progress(s, sizeof *u);
    if (u->phase == UPLOAD_BEGIN)
        chunk_begin(s, u);
    if (u->phase == UPLOAD_RECEIVE) {
        enum step step = lmtp_upload_receive(s);
        if (step != STEP_DONE)
            return step;
        lmtp_upload_mark(s, false);
        if (u->refused || !s->args.last)
            return chunk_end(s, u->refused);
        u->phase = UPLOAD_DELIVER;
    }
    return deliver(s);
}
