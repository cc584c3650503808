/* What goes in front of a message (RFC 5321 section 4.4), once for all its recipients, so that they
 * share one body: a recipient is named only when it is the only one, for Bcc stays private. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "core/base/clock.h"
#include "core/base/date.h"
#include "lmtp/session.h"

enum { HEAD_MAX = 16 * 1024, MESSAGE_ID_MAX = 256 };

/* RFC 5322 section 3.3, in the server's zone. */
static void format_date(char *to, size_t cap)
{
    time_t now = (time_t)clock_wall();
    struct tm tm;
    localtime_r(&now, &tm);
    long minutes = labs(tm.tm_gmtoff) / 60;
    snprintf(to, cap, "%s, %d %s %d %02d:%02d:%02d %c%02ld%02ld",
             date_weekday_name((unsigned)tm.tm_wday), tm.tm_mday,
             date_month_name((unsigned)tm.tm_mon + 1), tm.tm_year + 1900, tm.tm_hour, tm.tm_min,
             tm.tm_sec, tm.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

static enum err received(struct lmtp_session *s, struct slice only, struct buf *to)
{
    struct slice rip = conn_peer_text(s->conn);
    char date[64];
    format_date(date, sizeof date);
    enum err e = buf_printf(to, "Received: from " SLICE_FMT, SLICE_ARG(buf_slice(&s->helo)));
    if (!e && conn_is_unix(s->conn))
        e = buf_append(to, SLICE(" (local)"));
    else if (!e)
        e = buf_printf(to, " ([%s" SLICE_FMT "])", slice_find(rip, ':') < rip.len ? "IPv6:" : "",
                       SLICE_ARG(rip));
    if (!e) /* RFC 3848, RFC 6531 section 4.3 */
        e = buf_printf(to, "\r\n by %s with %s%s id %016" PRIx64 "-%" PRIu64,
                       lmtp_config(s)->tandem.hostname, s->mail.smtputf8 ? "UTF8LMTP" : "LMTP",
                       conn_is_secure(s->conn) ? "S" : "", conn_id(s->conn), s->counter);
    if (!e && only.ptr)
        e = buf_printf(to, "\r\n for <" SLICE_FMT ">", SLICE_ARG(only));
    return e ? e : buf_printf(to, "; %s\r\n", date);
}

enum err lmtp_trace_header(struct lmtp_session *s, struct buf *to)
{
    const struct lmtp_transaction *t = &s->mail;
    struct slice only = t->nrcpts == 1 ? t->rcpts[0].path : SLICE_NONE;
    enum err e = buf_printf(to, "Return-Path: <" SLICE_FMT ">\r\n", SLICE_ARG(t->sender));
    if (!e && only.ptr)
        e = buf_printf(to, "Delivered-To: " SLICE_FMT "\r\n", SLICE_ARG(only));
    return e ? e : received(s, only, to);
}

/* --- Message-ID, for the log
 * ----------------------------------------------------------------------- */

void lmtp_head_add(struct lmtp_transaction *t, struct slice content)
{
    if (t->head_done || content.len == 0)
        return;
    if (t->head.max == 0)
        buf_init(&t->head, HEAD_MAX);
    size_t from = t->head.len > 3 ? t->head.len - 3 : 0;
    t->head_done = content.len >= HEAD_MAX - t->head.len;
    if (buf_append(&t->head, slice_first(content, HEAD_MAX - t->head.len)))
        t->head_done = true;
    if (memmem(t->head.ptr + from, t->head.len - from, "\r\n\r\n", 4))
        t->head_done = true;
}

/* Up to the end of the line that begins at `s`. */
static struct slice line_of(struct slice s)
{
    struct slice line = slice_first(s, slice_find(s, '\n'));
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    return line;
}

/* The identifier may stand on a folded line of its own. Empty when there is none. */
struct slice lmtp_head_message_id(const struct lmtp_transaction *t)
{
    const struct slice name = SLICE("Message-ID:");
    struct slice rest = buf_slice(&t->head);
    while (rest.len && rest.ptr[0] != '\r') {
        struct slice line = line_of(rest);
        size_t next = slice_find(rest, '\n') + 1;
        rest = next < rest.len ? slice_from(rest, next) : SLICE_NONE;
        if (!slice_istarts(line, name))
            continue;
        struct slice id = slice_trim(slice_from(line, name.len));
        if (id.len == 0 && rest.len && (rest.ptr[0] == ' ' || rest.ptr[0] == '\t'))
            id = slice_trim(line_of(rest));
        return slice_first(id, MESSAGE_ID_MAX);
    }
    return SLICE_NONE;
}
