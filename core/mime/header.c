#include "core/mime/header.h"

#include "core/base/arena.h"
#include "core/base/buf.h"

static bool is_empty_line(struct slice s)
{
    return (s.len >= 1 && s.ptr[0] == '\n') || (s.len >= 2 && s.ptr[0] == '\r' && s.ptr[1] == '\n');
}

/* Octets of the first line with its end. */
static size_t line_length(struct slice s)
{
    size_t n = slice_find(s, '\n');
    return n < s.len ? n + 1 : n;
}

size_t header_length(struct slice message, bool *ret_ended)
{
    size_t at = 0;
    bool ended = false;
    while (at < message.len && !ended) {
        struct slice rest = slice_from(message, at);
        ended = is_empty_line(rest);
        at += line_length(rest);
    }
    if (ret_ended)
        *ret_ended = ended;
    return at;
}

void header_walk_init(struct header_walk *w, struct slice header, size_t cap)
{
    w->cut = header.len > cap;
    w->rest = slice_first(header, cap);
}

/* Octets of a line and of those that continue it. */
static size_t field_length(struct slice s)
{
    size_t n = line_length(s);
    while (n < s.len && (s.ptr[n] == ' ' || s.ptr[n] == '\t'))
        n += line_length(slice_from(s, n));
    return n;
}

/* Octets of the name in front of the colon; 0: this is no field. */
static size_t name_length(struct slice line, size_t *ret_colon)
{
    size_t n = 0;
    while (n < line.len && line.ptr[n] > ' ' && line.ptr[n] < 0x7f && line.ptr[n] != ':')
        n++;
    size_t colon = n;
    while (colon < line.len && (line.ptr[colon] == ' ' || line.ptr[colon] == '\t'))
        colon++;
    *ret_colon = colon;
    return colon < line.len && line.ptr[colon] == ':' ? n : 0;
}

static struct slice without_line_end(struct slice s)
{
    if (s.len && s.ptr[s.len - 1] == '\n')
        s.len--;
    if (s.len && s.ptr[s.len - 1] == '\r')
        s.len--;
    return s;
}

bool header_next(struct header_walk *w, struct header_field *ret)
{
    while (w->rest.len) {
        if (is_empty_line(w->rest)) {
            w->cut = false; /* the header ended before the cap */
            break;
        }
        struct slice lines = slice_first(w->rest, field_length(w->rest));
        if (w->cut && lines.len == w->rest.len)
            break; /* whether it goes on cannot be seen */
        w->rest = slice_from(w->rest, lines.len);
        size_t colon;
        size_t n = name_length(lines, &colon);
        if (n == 0)
            continue;
        ret->name = slice_first(lines, n);
        ret->value = without_line_end(slice_from(lines, colon + 1));
        ret->lines = lines;
        return true;
    }
    w->rest = SLICE_NONE;
    return false;
}

bool header_find(struct slice header, size_t cap, struct slice name, struct header_field *ret)
{
    struct header_walk w;
    header_walk_init(&w, header, cap);
    while (header_next(&w, ret))
        if (slice_ieq(ret->name, name))
            return true;
    return false;
}

enum err header_unfold(struct arena *a, struct slice value, struct slice *ret)
{
    value = slice_trim(value);
    if (slice_find(value, '\n') == value.len) {
        *ret = value;
        return ERR_OK;
    }
    char *to = arena_try(a, value.len);
    if (!to)
        return ERR_LIMIT;
    size_t n = 0;
    while (value.len) {
        struct slice line = slice_first(value, line_length(value));
        value = slice_from(value, line.len);
        line = without_line_end(line);
        memcpy(to + n, line.ptr, line.len);
        n += line.len;
    }
    *ret = slice_trim(slice(to, n));
    return ERR_OK;
}

bool header_in_digest(struct slice name)
{
    static const char *const names[] = {
        "From", "To",         "Cc",          "Bcc",        "Reply-To",     "Subject",
        "Date", "Message-ID", "In-Reply-To", "References", "Content-Type", "X-Priority",
    };
    if (slice_istarts(name, SLICE("List-")))
        return true;
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_ieq(name, slice_str(names[i])))
            return true;
    return false;
}

enum err header_digest(struct slice header, size_t cap, struct buf *b)
{
    size_t before = b->len;
    struct header_walk w;
    struct header_field f;
    enum err e = ERR_OK;
    header_walk_init(&w, header, cap);
    while (!e && header_next(&w, &f)) {
        if (!header_in_digest(f.name))
            continue;
        e = b->len - before + f.lines.len > HEADER_DIGEST_MAX ? ERR_LIMIT : buf_append(b, f.lines);
    }
    if (!e && w.cut)
        e = ERR_LIMIT;
    if (e)
        b->len = before;
    return e;
}
