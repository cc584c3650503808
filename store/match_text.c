/* What a search must read messages for: headers that are not in the digest, and text.
 *
 *      part -> transfer encoding -> charset -> folding -> window with the last octets of before
 *
 * Every needle of a query is looked for in one pass. */
#include "store/match.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/mime/casemap.h"
#include "core/mime/charset.h"
#include "core/mime/decode.h"
#include "core/mime/header.h"
#include "core/mime/media.h"
#include "core/mime/mime.h"

enum {
    HEADER_CAP = 1 << 20, /* octets of a header that are looked at ([limits] header's default) */
    PART_HEADER_CAP = 64 << 10,
    PIECE = 32 << 10, /* more than the octets of a body that lie together */
    IOVS = 4
};

/* --- headers
 * ----------------------------------------------------------------------------------------- */

static bool holds(struct slice text, struct slice needle)
{
    return needle.len == 0 ||
           (text.len >= needle.len && memmem(text.ptr, text.len, needle.ptr, needle.len));
}

/* The value on one line, decoded and folded. Most have nothing to decode. */
static enum err readable(struct slice value, struct buf *utf8, struct buf *to)
{
    struct arena arena;
    struct slice line;
    arena_init(&arena, 2 * HEADER_CAP);
    enum err e = header_unfold(&arena, value, &line);
    if (!e && !(slice_is_ascii(line) && !memmem(line.ptr, line.len, "=?", 2))) {
        utf8->len = 0;
        e = charset_header(line, utf8);
        line = buf_slice(utf8);
    }
    if (!e)
        e = casemap_append(line, to);
    arena_reset(&arena);
    return e;
}

bool match_header(struct match_room *room, const struct store_test *test, struct slice header)
{
    struct header_walk walk;
    struct header_field field;
    bool found = false;
    header_walk_init(&walk, header, HEADER_CAP);
    while (!found && header_next(&walk, &field)) {
        if (!slice_ieq(field.name, test->field))
            continue;
        room->window.len = 0;
        found =
            test->text.len == 0 || (readable(field.value, &room->utf8, &room->window) == ERR_OK &&
                                    holds(buf_slice(&room->window), test->text));
    }
    room->window.len = 0;
    return found;
}

bool match_values(struct match_room *room, struct slice field, struct slice header,
                  struct slice *ret)
{
    struct header_walk walk;
    struct header_field found;
    enum err e = ERR_OK;
    size_t values = 0, ends = 0;
    room->window.len = 0;
    header_walk_init(&walk, header, HEADER_CAP);
    while (!e && header_next(&walk, &found)) {
        if (!slice_ieq(found.name, field))
            continue;
        e = readable(found.value, &room->utf8, &room->window);
        if (!e)
            e = buf_append_c(&room->window, '\n');
        values++;
    }
    *ret = buf_slice(&room->window);
    room->window.len = 0;
    for (size_t i = 0; i < ret->len; i++)
        ends += ret->ptr[i] == '\n';
    return !e && ends == values;
}

bool match_sent(const struct store_test *test, struct slice header)
{
    struct header_field field;
    int64_t time;
    int32_t zone;
    if (!header_find(header, HEADER_CAP, SLICE("Date"), &field) ||
        !header_date(field.value, &time, &zone))
        return false;
    int64_t local = time + (int64_t)zone * 60;
    int64_t day = local >= 0 ? local / 86400 : -((-local + 86399) / 86400);
    return day >= test->from && day < test->to;
}

/* --- octets
 * ------------------------------------------------------------------------------------------ */

/* Octets [at, end) of the body, piece by piece as they lie in the map. */
struct pieces {
    const struct match_body *message;
    uint64_t at, end;
    struct iovec iov[IOVS];
    int n, i;
};

static void pieces_init(struct pieces *p, const struct match_body *message, uint64_t at,
                        uint64_t len)
{
    uint64_t size = store_body_size(message->body);
    uint64_t end = at < size && len < size - at ? at + len : size;
    *p = (struct pieces){.message = message, .at = at, .end = end};
}

/* The next one; empty: all have been given. */
static enum err pieces_next(struct pieces *p, struct slice *ret)
{
    *ret = SLICE_NONE;
    if (p->at >= p->end)
        return ERR_OK;
    if (p->i == p->n) {
        p->i = 0;
        enum err e =
            store_body_map(p->message->body, p->message->reader, p->at, p->iov, IOVS, &p->n);
        if (e)
            return e;
    }
    uint64_t left = p->end - p->at;
    const struct iovec *iov = &p->iov[p->i++];
    *ret = slice_first(slice(iov->iov_base, iov->iov_len), left);
    p->at += ret->len;
    return ERR_OK;
}

/* A header, or so much of it as the buf takes. */
static enum err read_header(const struct match_body *message, uint64_t at, uint64_t len, size_t cap,
                            struct buf *to)
{
    struct pieces pieces;
    struct slice piece;
    enum err e;
    to->len = 0;
    pieces_init(&pieces, message, at, len < cap ? len : cap);
    do {
        e = pieces_next(&pieces, &piece);
        if (!e)
            e = buf_append(to, piece);
    } while (!e && piece.len);
    return e;
}

/* --- needles
 * ----------------------------------------------------------------------------------------- */

struct needles {
    struct match_room *room;
    const struct store_test *tests;
    size_t n;
    uint8_t *verdicts;
    bool in_header; /* what is looked at is the header: only TEST_TEXT counts */
    size_t open, longest;
};

static void needles_init(struct needles *k, struct match_room *room, const struct store_test *tests,
                         size_t n, uint8_t *verdicts)
{
    *k = (struct needles){.room = room, .tests = tests, .n = n, .verdicts = verdicts};
    for (size_t i = 0; i < n; i++)
        if ((tests[i].kind == TEST_BODY || tests[i].kind == TEST_TEXT) &&
            verdicts[i] == VERDICT_OPEN) {
            k->open++;
            if (tests[i].text.len > k->longest)
                k->longest = tests[i].text.len;
        }
}

static void look_in_window(struct needles *k)
{
    for (size_t i = 0; k->open && i < k->n; i++) {
        enum store_test_kind kind = k->tests[i].kind;
        bool counts = kind == TEST_TEXT || (kind == TEST_BODY && !k->in_header);
        if (!counts || k->verdicts[i] != VERDICT_OPEN ||
            !holds(buf_slice(&k->room->window), k->tests[i].text))
            continue;
        k->verdicts[i] = VERDICT_YES;
        k->open--;
    }
}

/* More text has come: what has been looked at goes by, but for what a needle may begin with. */
static void look_and_go_on(struct needles *k)
{
    struct buf *window = &k->room->window;
    look_in_window(k);
    if (k->longest && window->len >= k->longest)
        buf_consume(window, window->len - (k->longest - 1));
}

static void text_ends(struct needles *k)
{
    k->room->window.len = 0;
}

/* --- parts
 * ------------------------------------------------------------------------------------------- */

/* "Name: value" of every field, each a text of its own. */
static enum err see_header(struct needles *k, struct slice header)
{
    struct buf *window = &k->room->window;
    struct header_walk walk;
    struct header_field field;
    enum err e = ERR_OK;
    header_walk_init(&walk, header, HEADER_CAP);
    while (!e && k->open && header_next(&walk, &field)) {
        e = casemap_append(field.name, window);
        if (!e)
            e = buf_append(window, SLICE(": "));
        if (!e && readable(field.value, &k->room->utf8, window)) /* too long to be decoded */
            window->len = field.name.len + 2;
        look_in_window(k);
        text_ends(k);
    }
    return e;
}

static struct charset *charset_of(struct slice header)
{
    struct arena arena;
    struct media media;
    arena_init(&arena, 2 * PART_HEADER_CAP);
    media_read(header, false, &arena, &media);
    struct charset *charset = charset_open(parameters_find(&media.parameters, SLICE("charset")));
    arena_reset(&arena);
    return charset ? charset : charset_open(SLICE("us-ascii"));
}

static enum err open_charset(struct needles *k, const struct match_body *message,
                             const struct mime_part *part, struct charset **ret)
{
    enum err e = ERR_OK;
    if (part->charset == MIME_CHARSET_NAMED) {
        struct buf *header = &k->room->header;
        e = read_header(message, part->hdr_off, part->body_off - part->hdr_off, PART_HEADER_CAP,
                        header);
        if (!e)
            *ret = charset_of(buf_slice(header));
    } else {
        *ret = charset_open(part->charset == MIME_CHARSET_UTF8 ? SLICE("utf-8") : SLICE_NONE);
    }
    return e;
}

/* Nothing stands for something else in most encodings. */
static enum err decode(struct decoder *d, struct slice octets, struct buf *room, struct slice *ret)
{
    *ret = octets;
    if (d->encoding < MIME_BASE64)
        return ERR_OK;
    room->len = 0;
    enum err e = octets.len ? decoder_put(d, octets, room) : decoder_end(d, room);
    *ret = buf_slice(room);
    return e;
}

static enum err see_text_part(struct needles *k, const struct match_body *message,
                              const struct mime_part *part)
{
    struct buf *window = &k->room->window;
    struct charset *charset = NULL;
    struct decoder decoder;
    struct pieces pieces;
    bool at_end = false;
    decoder_init(&decoder, part->encoding == MIME_ENCODING_UNKNOWN ? MIME_8BIT : part->encoding);
    pieces_init(&pieces, message, part->body_off, part->body_len);
    enum err e = open_charset(k, message, part, &charset);
    if (!e)
        charset_fold(charset);
    while (!e && k->open && !at_end && !atomic_load(message->cancelled)) {
        struct slice octets, plain;
        e = pieces_next(&pieces, &octets);
        at_end = octets.len == 0;
        if (!e)
            e = decode(&decoder, octets, &k->room->plain, &plain);
        if (!e)
            e = charset_put(charset, plain, window);
        if (!e && at_end)
            e = charset_end(charset, window);
        if (!e)
            look_and_go_on(k);
    }
    text_ends(k);
    charset_close(charset);
    return e;
}

/* The header of a message that a part holds. */
static enum err see_inner_header(struct needles *k, const struct match_body *message,
                                 const struct mime_part *part)
{
    struct buf *header = &k->room->header;
    enum err e = read_header(message, part->hdr_off, part->body_off - part->hdr_off,
                             PART_HEADER_CAP, header);
    return e ? e : see_header(k, buf_slice(header));
}

static bool is_inner(struct slice table, const struct mime_part *part)
{
    struct mime_part parent;
    return part->parent != MIME_NO_PART && mime_row(table, part->parent, &parent) == ERR_OK &&
           parent.kind == MIME_MESSAGE;
}

static enum err see_parts(struct needles *k, const struct match_body *message, struct slice table)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && k->open && i < mime_rows(table); i++) {
        struct mime_part part;
        e = mime_row(table, i, &part);
        if (!e && is_inner(table, &part))
            e = see_inner_header(k, message, &part);
        if (!e && part.kind == MIME_TEXT)
            e = see_text_part(k, message, &part);
    }
    return e;
}

/* Where the parts are has not been stored. */
static enum err find_parts(const struct match_body *message, struct buf *table)
{
    const struct mime_limits limits = {64, 1000, HEADER_CAP, 10000};
    struct mime_scan *scan = mime_scan_begin(&limits);
    struct pieces pieces;
    struct slice piece;
    enum err e;
    pieces_init(&pieces, message, 0, UINT64_MAX);
    do {
        e = pieces_next(&pieces, &piece);
        if (!e)
            mime_scan_feed(scan, piece);
    } while (!e && piece.len);
    if (!e)
        e = mime_table(mime_scan_end(scan), table);
    mime_scan_free(scan);
    return e;
}

static enum err see_body(struct needles *k, const struct match_body *message)
{
    struct buf table;
    buf_init(&table, (size_t)MIME_PARTS_MAX * MIME_ROW);
    enum err e = message->parts.len ? ERR_OK : find_parts(message, &table);
    if (!e)
        e = see_parts(k, message, message->parts.len ? message->parts : buf_slice(&table));
    buf_finish(&table);
    return e;
}

/* --- a message
 * --------------------------------------------------------------------------------------- */

void match_room_init(struct match_room *room)
{
    buf_init(&room->header, HEADER_CAP);
    buf_init(&room->plain, 2 * PIECE);
    buf_init(&room->utf8, 4 * HEADER_CAP);
    buf_init(&room->window, 8 * HEADER_CAP);
}

void match_room_finish(struct match_room *room)
{
    buf_finish(&room->header);
    buf_finish(&room->plain);
    buf_finish(&room->utf8);
    buf_finish(&room->window);
}

enum err match_text(struct match_room *room, const struct match_body *message,
                    const struct store_test *tests, size_t n, uint8_t *verdicts)
{
    struct needles needles;
    struct slice header;
    needles_init(&needles, room, tests, n, verdicts);
    enum err e = read_header(message, 0, message->hdr_len, HEADER_CAP, &room->header);
    header = buf_slice(&room->header);
    for (size_t i = 0; !e && i < n; i++) {
        if (verdicts[i] != VERDICT_OPEN)
            continue;
        if (tests[i].kind == TEST_HEADER)
            verdicts[i] = match_header(room, &tests[i], header);
        else if (tests[i].kind == TEST_SENT)
            verdicts[i] = match_sent(&tests[i], header);
    }
    bool open = match_answer(tests, n, verdicts) == VERDICT_OPEN;
    if (!e && open && needles.open) {
        needles.in_header = true;
        e = see_header(&needles, header);
        needles.in_header = false;
    }
    if (!e && needles.open && match_answer(tests, n, verdicts) == VERDICT_OPEN)
        e = see_body(&needles, message);
    for (size_t i = 0; i < n; i++)
        if (verdicts[i] == VERDICT_OPEN)
            verdicts[i] = VERDICT_NO;
    return e;
}
