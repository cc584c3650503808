/* Writes an mbox for each mailbox: mboxrd, LF line ends, the From_ line with the date of arrival
 * and its zone, what Dovecot keeps in the header at its end (cmd/mail/mbox.h). Mailboxes below
 * another are in a directory "NAME.sbd". A text that does not end with a line end gets a
 * Content-Length instead of quotes. A mailbox gets its name when it is whole: a second run writes
 * all again. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cmd/mail/files.h"
#include "cmd/mail/mbox.h"
#include "cmd/mail/writer.h"
#include "cmd/setup.h"
#include "core/base/buf.h"
#include "core/base/date.h"
#include "core/base/mem.h"
#include "core/mime/header.h"
#include "store/store.h"

enum { MESSAGE_MAX = INT32_MAX, SUBSCRIPTIONS_MAX = 1 << 30, FIRST_OCTETS = 64 << 10 };
static const char part[] = ".part"; /* behind the name of a file that is not whole */

struct writing {
    int root, dir, fd; /* dir: where the mailbox's file is; -1 */
    struct arena arena;
    char name[NAME_MAX + 1], part[NAME_MAX + 8];
    struct buf subscriptions;
    uint32_t uidvalidity, uidnext;
    bool first;
    struct record_message message; /* numbers and flags alone */
    struct buf fields;             /* of this message, ours */
    struct buf octets;             /* the message with LF */
    struct line_ends ends;
};

static bool failed(const struct writing *w, enum err e)
{
    if (e)
        setup_complain("%s: %s", w->name, err_text(e));
    return e;
}

/* --- a mailbox -------------------------------------------------------------------------------- */

/* Its directory and name: "A/B" is "B" in "A.sbd". */
static bool find_place(struct writing *w, struct slice path)
{
    struct slice rest = writer_name(&w->arena, path, '/');
    w->dir = dup(w->root);
    for (;;) {
        size_t at = slice_find(rest, '/');
        if (at + sizeof ".sbd" + sizeof part > NAME_MAX) {
            setup_complain(SLICE_FMT ": too long for a file", SLICE_ARG(path));
            return false;
        }
        snprintf(w->name, sizeof w->name, SLICE_FMT, SLICE_ARG(slice_first(rest, at)));
        if (at == rest.len)
            return w->dir >= 0;
        rest = slice_from(rest, at + 1);
        strcat(w->name, ".sbd");
        int below = writer_directory(w->dir, w->name);
        close(w->dir);
        w->dir = below;
        if (below < 0)
            return false;
    }
}

/* What is there must be of an earlier run: its first message says which mailbox it is. */
static bool is_ours(const struct writing *w)
{
    char *text = mem_new(FIRST_OCTETS);
    int fd = openat(w->dir, w->name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    ssize_t n = fd < 0 ? 0 : read(fd, text, FIRST_OCTETS);
    bool gone = fd < 0 && errno == ENOENT;
    struct slice rest = slice(text, n > 0 ? (size_t)n : 0);
    struct mbox_message first = {0};
    bool ours = gone || (fd >= 0 && n == 0) ||
                (rest.len && mbox_next(&rest, &first) && first.uidvalidity == w->uidvalidity);
    if (fd >= 0)
        close(fd);
    mem_free(text);
    if (!ours)
        setup_complain("%s: is there and holds something else; export into an empty folder",
                       w->name);
    return ours;
}

static bool mailbox(void *arg, const struct record_mailbox *mailbox)
{
    struct writing *w = arg;
    w->uidvalidity = mailbox->uidvalidity;
    w->uidnext = mailbox->uidnext;
    w->first = true;
    if (!find_place(w, mailbox->path) || !is_ours(w))
        return false;
    arena_reset(&w->arena);
    snprintf(w->part, sizeof w->part, "%s%s", w->name, part);
    w->fd = openat(w->dir, w->part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (w->fd < 0)
        setup_complain("%s: %s", w->part, strerror(errno));
    return w->fd >= 0;
}

static bool mailbox_end(void *arg)
{
    struct writing *w = arg;
    bool good = fsync(w->fd) == 0 && renameat(w->dir, w->part, w->dir, w->name) == 0;
    if (!good)
        setup_complain("%s: %s", w->name, strerror(errno));
    close(w->fd);
    close(w->dir);
    w->fd = w->dir = -1;
    return good;
}

/* --- a message -------------------------------------------------------------------------------- */

static enum err write_fields(struct writing *w, const struct record_message *m)
{
    struct buf *b = &w->fields;
    enum err e = ERR_OK;
    if (w->first)
        e = buf_printf(b, "X-IMAPbase: %u %010u\n", w->uidvalidity, w->uidnext - 1);
    w->first = false;
    if (!e)
        e = buf_printf(b, "X-UID: %u\nStatus: %s%s\n", m->uid, m->flags & FLAG_SEEN ? "R" : "",
                       m->recent ? "" : "O");
    if (!e && m->flags & ~FLAG_SEEN)
        e = buf_printf(b, "X-Status: %s%s%s%s\n", m->flags & FLAG_ANSWERED ? "A" : "",
                       m->flags & FLAG_FLAGGED ? "F" : "", m->flags & FLAG_DELETED ? "D" : "",
                       m->flags & FLAG_DRAFT ? "T" : "");
    if (!e && m->nkeywords)
        e = buf_append(b, SLICE("X-Keywords:"));
    for (size_t i = 0; !e && i < m->nkeywords; i++)
        e = buf_printf(b, " " SLICE_FMT, SLICE_ARG(m->keywords[i]));
    return !e && m->nkeywords ? buf_append_c(b, '\n') : e;
}

static bool message(void *arg, const struct record_message *m)
{
    struct writing *w = arg;
    w->message = *m;
    w->ends = (struct line_ends){0};
    w->octets.len = w->fields.len = 0;
    return !failed(w, write_fields(w, m));
}

static bool octets(void *arg, struct slice in)
{
    struct writing *w = arg;
    enum err e = buf_reserve(&w->octets, in.len + 1);
    if (!e)
        w->octets.len += line_ends_to_lf(&w->ends, in, w->octets.ptr + w->octets.len);
    return !failed(w, e);
}

static enum err put_from(const struct writing *w, struct buf *b)
{
    struct date d;
    int zone = w->message.zone * 15, minutes = zone < 0 ? -zone : zone;
    date_from_time((int64_t)w->message.date + zone * 60, &d);
    return buf_printf(b, "From MAILER-DAEMON %s %s %2u %02u:%02u:%02u %04d %c%02d%02d\n",
                      date_weekday_name(d.weekday), date_month_name(d.month), d.day, d.hour,
                      d.minute, d.second, d.year, zone < 0 ? '-' : '+', minutes / 60, minutes % 60);
}

/* Fields of the message that readers will take for those of its mailbox. */
static void say_foreign(const struct writing *w, struct slice header)
{
    struct header_walk walk;
    struct header_field field;
    header_walk_init(&walk, header, SIZE_MAX);
    while (header_next(&walk, &field))
        if (mbox_field_is_ours(field.name)) {
            setup_complain("%s: UID %u has a field " SLICE_FMT
                           " of its own; whoever reads the mbox takes it away",
                           w->name, w->message.uid, SLICE_ARG(field.name));
            return;
        }
}

static bool needs_quote(struct slice s)
{
    size_t at = 0;
    while (at < s.len && s.ptr[at] == '>')
        at++;
    return slice_starts(slice_from(s, at), SLICE("From "));
}

static bool put(const struct writing *w, struct slice octets)
{
    return writer_write(w->fd, octets, w->part);
}

static bool put_quoted(const struct writing *w, struct slice text)
{
    bool good = true;
    while (good && text.len) {
        if (needs_quote(text))
            good = put(w, SLICE(">"));
        /* Up to the next line that may need one. */
        size_t n = 0;
        do {
            const char *end = memchr(text.ptr + n, '\n', text.len - n);
            n = end ? (size_t)(end - text.ptr) + 1 : text.len;
        } while (n < text.len && !needs_quote(slice_from(text, n)));
        good = good && put(w, slice_first(text, n));
        text = slice_from(text, n);
    }
    return good;
}

static bool end(void *arg, bool whole)
{
    struct writing *w = arg;
    struct buf head;
    bool ended;
    if (!octets(w, SLICE_NONE))
        return false;
    if (!whole)
        return true; /* the complaint is the export's */
    struct slice all = buf_slice(&w->octets);
    size_t len = header_length(all, &ended);
    struct slice header = slice_first(all, len), text = slice_from(all, len);
    bool counted = text.len && text.ptr[text.len - 1] != '\n';
    if (ended)
        header.len -= header.len > 1 && header.ptr[header.len - 2] == '\r' ? 2 : 1;
    say_foreign(w, header);
    buf_init(&head, MESSAGE_MAX);
    enum err e = put_from(w, &head);
    if (!e)
        e = buf_append(&head, header);
    if (!e && header.len && header.ptr[header.len - 1] != '\n')
        e = buf_append_c(&head, '\n');
    if (!e)
        e = buf_append(&head, buf_slice(&w->fields));
    if (!e && counted)
        e = buf_printf(&head, "Content-Length: %zu\n", text.len);
    if (!e)
        e = buf_append_c(&head, '\n');
    bool good = !failed(w, e) && put(w, buf_slice(&head)) &&
                (counted ? put(w, text) : put_quoted(w, text)) &&
                put(w, counted ? SLICE("\n\n") : SLICE("\n"));
    buf_finish(&head);
    return good;
}

/* --- all of it -------------------------------------------------------------------------------- */

static bool subscribed(void *arg, struct slice path)
{
    struct writing *w = arg;
    struct slice name = writer_name(&w->arena, path, '/');
    enum err e = buf_printf(&w->subscriptions, SLICE_FMT "\n", SLICE_ARG(name));
    arena_reset(&w->arena);
    return !failed(w, e);
}

static bool begin(void *arg, const struct record_total *total)
{
    return writer_claim(((struct writing *)arg)->root, total->account);
}

static bool done(void *arg)
{
    struct writing *w = arg;
    return !w->subscriptions.len ||
           writer_file(w->root, ".subscriptions", buf_slice(&w->subscriptions));
}

bool mbox_write(const char *path, int fd)
{
    static const struct writer writer = {.begin = begin,
                                         .mailbox = mailbox,
                                         .message = message,
                                         .octets = octets,
                                         .end = end,
                                         .mailbox_end = mailbox_end,
                                         .subscribed = subscribed,
                                         .done = done};
    struct writing *w = mem_new(sizeof *w);
    w->dir = w->fd = -1;
    arena_init(&w->arena, SIZE_MAX);
    buf_init(&w->octets, MESSAGE_MAX);
    buf_init(&w->fields, MESSAGE_MAX);
    buf_init(&w->subscriptions, SUBSCRIPTIONS_MAX);
    w->root = writer_directory(AT_FDCWD, path);
    bool good = w->root >= 0 && writer_run(&writer, w, fd);
    buf_finish(&w->octets);
    buf_finish(&w->fields);
    buf_finish(&w->subscriptions);
    arena_reset(&w->arena);
    mem_free(w);
    return good;
}
