#include "imap/section.h"

#include <string.h>

#include "core/mime/header.h"
#include "core/mime/parts.h"
#include "core/net/conn.h"
#include "core/net/outq.h"
#include "store/store.h"

/* --- what a section means --------------------------------------------------------------------- */

void section_range(const struct fetch_section *section, uint64_t len, uint64_t *ret_at,
                   uint64_t *ret_end)
{
    *ret_at = 0;
    *ret_end = len;
    if (!section->partial)
        return;
    *ret_at = section->first < len ? section->first : len;
    if (section->count < len - *ret_at)
        *ret_end = *ret_at + section->count;
}

static bool is_header(enum section_kind kind)
{
    return kind == SECTION_HEADER || kind == SECTION_FIELDS || kind == SECTION_FIELDS_NOT;
}

/* A message needs no table of its parts to be cut in two. */
static void locate_in_message(enum section_kind kind, uint64_t size, uint32_t hdr_len,
                              struct section_place *ret)
{
    *ret = (struct section_place){.at = kind == SECTION_TEXT ? hdr_len : 0,
                                  .end = is_header(kind) ? hdr_len : size};
}

enum err section_locate(const struct fetch_section *section, uint64_t size, uint32_t hdr_len,
                        struct slice parts, struct section_place *ret)
{
    enum mime_what what = is_header(section->kind)        ? MIME_WHAT_HEADER
                          : section->kind == SECTION_MIME ? MIME_WHAT_MIME
                          : section->kind == SECTION_TEXT ? MIME_WHAT_TEXT
                                                          : MIME_WHAT_ALL;
    uint32_t at, len;
    if (!section->nnumber) {
        locate_in_message(section->kind, size, hdr_len, ret);
        return ret->at <= ret->end && ret->end <= size ? ERR_OK : ERR_CORRUPT;
    }
    enum err e = mime_section(parts, section->number, section->nnumber, what, &at, &len, NULL);
    if (e == ERR_NOTFOUND) {
        *ret = (struct section_place){.missing = true};
        return ERR_OK;
    }
    if (e)
        return e;
    *ret = (struct section_place){.at = at, .end = (uint64_t)at + len};
    return ret->end <= size ? ERR_OK : ERR_CORRUPT;
}

static enum err pick_named(const struct fetch_section *section, struct slice header, struct buf *to)
{
    struct header_walk walk;
    struct header_field field;
    bool ended;
    enum err e = ERR_OK;
    header_walk_init(&walk, header, header.len);
    while (!e && header_next(&walk, &field))
        if (fetch_section_names(section, field.name))
            e = buf_append(to, field.lines);
    (void)header_length(header, &ended);
    return e || !ended ? e : buf_append(to, SLICE("\r\n"));
}

/* Lines that are no field stay. */
static enum err pick_others(const struct fetch_section *section, struct slice header,
                            struct buf *to)
{
    struct header_walk walk;
    struct header_field field;
    enum err e = ERR_OK;
    const char *from = header.ptr;
    header_walk_init(&walk, header, header.len);
    while (!e && header_next(&walk, &field)) {
        if (!fetch_section_names(section, field.name))
            continue;
        e = buf_append(to, slice(from, (size_t)(field.lines.ptr - from)));
        from = field.lines.ptr + field.lines.len;
    }
    return e ? e : buf_append(to, slice(from, (size_t)(header.ptr + header.len - from)));
}

enum err section_pick(const struct fetch_section *section, struct slice header, struct buf *to)
{
    return section->kind == SECTION_FIELDS ? pick_named(section, header, to)
                                           : pick_others(section, header, to);
}

/* --- gathering header lines ------------------------------------------------------------------- */

/* The header as one piece: straight from the map when it lies in one, else copied into `copy`. */
static enum err whole_header(const struct section_message *m, struct store_reader *reader,
                             uint64_t at, size_t len, struct buf *copy, struct slice *ret)
{
    size_t have = 0;
    while (have < len) {
        struct iovec iov[8];
        int n;
        enum err e = store_body_map(m->body, reader, at + have, iov, 8, &n);
        if (e)
            return e;
        if (have == 0 && iov[0].iov_len >= len) {
            *ret = slice(iov[0].iov_base, len);
            return ERR_OK;
        }
        for (int i = 0; i < n && have < len; i++) {
            struct slice piece = slice_first(slice(iov[i].iov_base, iov[i].iov_len), len - have);
            e = buf_append(copy, piece);
            if (e)
                return e;
            have += piece.len;
        }
        if (n == 0)
            return ERR_CORRUPT;
    }
    *ret = buf_slice(copy);
    return ERR_OK;
}

static enum err gather(struct section_run *run, const struct fetch_section *section,
                       const struct section_place *place, const struct section_message *m,
                       struct store_reader *reader, size_t header_max)
{
    struct buf copy;
    struct slice header = SLICE_NONE;
    uint64_t all = place->end - place->at;
    size_t len = all < header_max ? (size_t)all : header_max;
    buf_init(&copy, header_max);
    buf_init(&run->text, header_max);
    enum err e = whole_header(m, reader, place->at, len, &copy, &header);
    if (!e)
        e = section_pick(section, header, &run->text);
    run->at = place->at + copy.len; /* where it is cold */
    buf_finish(&copy);
    if (e) {
        buf_finish(&run->text);
        return e;
    }
    run->gathered = true;
    section_range(section, run->text.len, &run->at, &run->end);
    return ERR_OK;
}

enum err section_open_digest(struct section_run *run, const struct fetch_section *section,
                             struct slice digest)
{
    *run = (struct section_run){.gathered = true};
    buf_init(&run->text, digest.len + 2);
    enum err e = pick_named(section, digest, &run->text);
    if (!e)
        e = buf_append(&run->text, SLICE("\r\n"));
    if (e) {
        buf_finish(&run->text);
        *run = (struct section_run){0};
        return e;
    }
    run->open = true;
    section_range(section, run->text.len, &run->at, &run->end);
    return ERR_OK;
}

/* --- sending ---------------------------------------------------------------------------------- */

static void send_octets(struct conn *conn, struct slice s, bool has_nul)
{
    enum { ROOM = 4096 };
    if (!has_nul || slice_find(s, '\0') == s.len) {
        outq_borrow(conn_out(conn), s);
        return;
    }
    while (s.len) {
        char text[ROOM];
        struct slice piece = slice_first(s, ROOM);
        for (size_t i = 0; i < piece.len; i++)
            text[i] = piece.ptr[i] ? piece.ptr[i] : '\x80';
        conn_send(conn, slice(text, piece.len));
        s = slice_from(s, piece.len);
    }
}

enum err section_open(struct section_run *run, const struct fetch_section *section,
                      const struct section_place *place, const struct section_message *m,
                      struct store_reader *reader, size_t header_max)
{
    *run = (struct section_run){.open = true, .missing = place->missing};
    enum err e = ERR_OK;
    if (place->missing)
        return ERR_OK;
    if (section->kind == SECTION_FIELDS || section->kind == SECTION_FIELDS_NOT) {
        e = gather(run, section, place, m, reader, header_max);
    } else {
        section_range(section, place->end - place->at, &run->at, &run->end);
        run->at += place->at;
        run->end += place->at;
        struct iovec iov;
        int n;
        if (run->at < run->end)
            e = store_body_map(m->body, reader, run->at, &iov, 1, &n);
    }
    run->open = e == ERR_OK;
    return e;
}

enum err section_send(struct section_run *run, const struct section_message *m,
                      struct store_reader *reader, struct conn *conn)
{
    if (run->gathered) { /* no longer than a header may be: one piece */
        struct slice text = slice_from(buf_slice(&run->text), run->at);
        text = slice_first(text, run->end - run->at);
        while (text.len && slice_find(text, '\0') < text.len) {
            size_t n = slice_find(text, '\0');
            conn_send(conn, slice_first(text, n));
            conn_send(conn, SLICE("\x80"));
            text = slice_from(text, n + 1);
        }
        conn_send(conn, text);
        run->at = run->end;
        return ERR_OK;
    }
    while (run->at < run->end && !conn_full(conn)) {
        enum { PIECES = 8, SMALL = 4096 };
        struct iovec iov[PIECES];
        int n;
        /* Each piece is looked up, checked for being in memory, and summed: for a small part only
         * the one that it lies in, and mostly it lies in one. */
        int most = run->end - run->at > SMALL ? PIECES : 1;
        enum err e = store_body_map(m->body, reader, run->at, iov, most, &n);
        if (e)
            return e;
        if (n == 0)
            return ERR_CORRUPT;
        for (int i = 0; i < n && run->at < run->end && !conn_full(conn); i++) {
            struct slice piece =
                slice_first(slice(iov[i].iov_base, iov[i].iov_len), run->end - run->at);
            send_octets(conn, piece, m->has_nul);
            run->at += piece.len;
        }
    }
    return ERR_OK;
}

void section_close(struct section_run *run)
{
    if (run->gathered)
        buf_finish(&run->text);
    *run = (struct section_run){0};
}
