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
    PIECE = 32 << 10, /* octets of a body taken at once */
    IOVS = 4
};

/* --- headers
 * ----------------------------------------------------------------------------------------- */

static bool holds(struct slice text, struct slice needle)
{
    return needle.len == 0 ||
           (text.len >= needle.len && memmem(text.ptr, text.len, needle.ptr, needle.len));
}

/* The value on one line, decoded and folded. */
static enum err readable(struct slice value, struct buf *to)
{
    struct arena arena;
    struct slice line;
    struct buf utf8;
    arena_init(&arena, 2 * HEADER_CAP);
    buf_init(&utf8, 4 * HEADER_CAP);
    enum err e = header_unfold(&arena, value, &line);
    if (!e)
        e = charset_header(line, &utf8);
    if (!e)
        e = casemap_append(buf_slice(&utf8), to);
    buf_finish(&utf8);
    arena_reset(&arena);
    return e;
}

bool match_header(const struct store_test *test, struct slice header)
{
    struct header_walk walk;
    struct header_field field;
    bool found = false;
    header_walk_init(&walk, header, HEADER_CAP);
    while (!found && header_next(&walk, &field)) {
        struct buf text;
        if (!slice_ieq(field.name, test->field))
            continue;
        buf_init(&text, 8 * HEADER_CAP);
        found = test->text.len == 0 ||
                (readable(field.value, &text) == ERR_OK && holds(buf_slice(&text), test->text));
        buf_finish(&text);
    }
    return found;
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

/* Appends octets [at, at + len) of the body, as far as they go and the buf takes. */
static enum err read_range(const struct match_body *message, uint64_t at, uint64_t len,
                           struct buf *to)
{
    uint64_t size = store_body_size(message->body);
    uint64_t end = at < size && len < size - at ? at + len : size;
    while (at < end) {
        struct iovec iov[IOVS];
        int n;
        enum err e = store_body_map(message->body, message->reader, at, iov, IOVS, &n);
        if (e)
            return e;
        for (int i = 0; i < n && at < end; i++) {
            uint64_t take = iov[i].iov_len < end - at ? iov[i].iov_len : end - at;
            if ((e = buf_append(to, slice(iov[i].iov_base, (size_t)take))))
                return e;
            at += take;
        }
    }
    return ERR_OK;
}

/* --- needles
 * ----------------------------------------------------------------------------------------- */

struct needles {
    const struct store_test *tests;
    size_t n;
    uint8_t *verdicts;
    bool in_header; /* what is looked at is the header: only TEST_TEXT counts */
    size_t open, longest;
    struct buf window; /* folded text; the end of it stays for the next piece */
};

static void needles_init(struct needles *k, const struct store_test *tests, size_t n,
                         uint8_t *verdicts)
{
    *k = (struct needles){.tests = tests, .n = n, .verdicts = verdicts};
    buf_init(&k->window, 64 * PIECE);
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
            !holds(buf_slice(&k->window), k->tests[i].text))
            continue;
        k->verdicts[i] = VERDICT_YES;
        k->open--;
    }
}

/* UTF-8 text goes by. */
static enum err see(struct needles *k, struct slice utf8)
{
    enum err e = casemap_append(utf8, &k->window);
    if (e)
        return e;
    look_in_window(k);
    if (k->longest && k->window.len >= k->longest)
        buf_consume(&k->window, k->window.len - (k->longest - 1));
    return ERR_OK;
}

static void text_ends(struct needles *k)
{
    k->window.len = 0;
}

/* --- parts
 * ------------------------------------------------------------------------------------------- */

/* "Name: value" of every field, each a text of its own. */
static enum err see_header(struct needles *k, struct slice header)
{
    struct header_walk walk;
    struct header_field field;
    enum err e = ERR_OK;
    header_walk_init(&walk, header, HEADER_CAP);
    while (!e && k->open && header_next(&walk, &field)) {
        e = see(k, field.name);
        if (!e)
            e = see(k, SLICE(": "));
        struct buf text;
        buf_init(&text, 8 * HEADER_CAP);
        if (!e && readable(field.value, &text) == ERR_OK) {
            e = buf_append(&k->window, buf_slice(&text));
            if (!e)
                look_in_window(k);
        }
        buf_finish(&text);
        text_ends(k);
    }
    return e == ERR_LIMIT ? ERR_OK : e;
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

static enum err see_text_part(struct needles *k, const struct match_body *message,
                              const struct mime_part *part)
{
    struct buf header, raw, plain, utf8;
    struct decoder decoder;
    struct charset *charset = NULL;
    buf_init(&header, PART_HEADER_CAP);
    buf_init(&raw, PIECE);
    buf_init(&plain, 2 * PIECE);
    buf_init(&utf8, 16 * PIECE);
    uint64_t hdr_len = part->body_off - part->hdr_off;
    enum err e = read_range(message, part->hdr_off,
                            hdr_len < PART_HEADER_CAP ? hdr_len : PART_HEADER_CAP, &header);
    if (!e)
        charset = charset_of(buf_slice(&header));
    decoder_init(&decoder, part->encoding == MIME_ENCODING_UNKNOWN ? MIME_8BIT : part->encoding);
    for (uint64_t at = 0; !e && k->open && at < part->body_len && !atomic_load(message->cancelled);
         at += PIECE) {
        uint64_t left = part->body_len - at;
        raw.len = plain.len = utf8.len = 0;
        e = read_range(message, part->body_off + at, left < PIECE ? left : PIECE, &raw);
        if (!e)
            e = decoder_put(&decoder, buf_slice(&raw), &plain);
        if (!e && left <= PIECE)
            e = decoder_end(&decoder, &plain);
        if (!e)
            e = charset_put(charset, buf_slice(&plain), &utf8);
        if (!e && left <= PIECE)
            e = charset_end(charset, &utf8);
        if (!e)
            e = see(k, buf_slice(&utf8));
    }
    text_ends(k);
    charset_close(charset);
    buf_finish(&header);
    buf_finish(&raw);
    buf_finish(&plain);
    buf_finish(&utf8);
    return e;
}

/* The header of a message that a part holds. */
static enum err see_inner_header(struct needles *k, const struct match_body *message,
                                 const struct mime_part *part)
{
    struct buf header;
    buf_init(&header, PART_HEADER_CAP);
    uint64_t len = part->body_off - part->hdr_off;
    enum err e =
        read_range(message, part->hdr_off, len < PART_HEADER_CAP ? len : PART_HEADER_CAP, &header);
    if (!e)
        e = see_header(k, buf_slice(&header));
    buf_finish(&header);
    return e;
}

static enum err scan(const struct match_body *message, struct mime_scan *scan)
{
    uint64_t size = store_body_size(message->body);
    for (uint64_t at = 0; at < size;) {
        struct iovec iov[IOVS];
        int n;
        enum err e = store_body_map(message->body, message->reader, at, iov, IOVS, &n);
        if (e)
            return e;
        for (int i = 0; i < n; i++) {
            mime_scan_feed(scan, slice(iov[i].iov_base, iov[i].iov_len));
            at += iov[i].iov_len;
        }
    }
    return ERR_OK;
}

static enum err see_body(struct needles *k, const struct match_body *message)
{
    const struct mime_limits limits = {64, 1000, HEADER_CAP, 10000};
    struct mime_scan *parts = mime_scan_begin(&limits);
    enum err e = scan(message, parts);
    const struct mime_tree *tree = e ? NULL : mime_scan_end(parts);
    for (size_t i = 0; !e && k->open && i < tree->n; i++) {
        const struct mime_part *part = &tree->nodes[i].part;
        bool inner = i > 0 && part->parent != MIME_NO_PART &&
                     tree->nodes[part->parent].part.kind == MIME_MESSAGE;
        if (inner)
            e = see_inner_header(k, message, part);
        if (!e && part->kind == MIME_TEXT)
            e = see_text_part(k, message, part);
    }
    mime_scan_free(parts);
    return e;
}

enum err match_text(const struct match_body *message, const struct store_test *tests, size_t n,
                    uint8_t *verdicts)
{
    struct needles needles;
    struct buf header;
    buf_init(&header, HEADER_CAP);
    needles_init(&needles, tests, n, verdicts);
    enum err e = read_range(message, 0,
                            message->hdr_len < HEADER_CAP ? message->hdr_len : HEADER_CAP, &header);
    for (size_t i = 0; !e && i < n; i++) {
        if (verdicts[i] != VERDICT_OPEN)
            continue;
        if (tests[i].kind == TEST_HEADER)
            verdicts[i] = match_header(&tests[i], buf_slice(&header));
        else if (tests[i].kind == TEST_SENT)
            verdicts[i] = match_sent(&tests[i], buf_slice(&header));
    }
    bool open = match_answer(tests, n, verdicts) == VERDICT_OPEN;
    if (!e && open && needles.open) {
        needles.in_header = true;
        e = see_header(&needles, buf_slice(&header));
        needles.in_header = false;
    }
    if (!e && needles.open && match_answer(tests, n, verdicts) == VERDICT_OPEN)
        e = see_body(&needles, message);
    for (size_t i = 0; i < n; i++)
        if (verdicts[i] == VERDICT_OPEN)
            verdicts[i] = VERDICT_NO;
    buf_finish(&needles.window);
    buf_finish(&header);
    return e;
}
