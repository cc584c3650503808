/* Rows come in the order in which BODYSTRUCTURE names the parts: what a row begins is closed when
 * the next row lies outside of it. What is extension data, and not in BODY, is noted as a cut. */
#include "core/mime/envelope.h"

#include "core/base/arena.h"
#include "core/mime/cfws.h"
#include "core/mime/envelope_text.h"
#include "core/mime/header.h"
#include "core/mime/media.h"

struct writer {
    const struct mime_tree *tree;
    struct text text;
    size_t start; /* of BODYSTRUCTURE in the buf */
    struct buf *cuts;
    enum err cuts_err;
    struct arena scratch;
    uint32_t addresses;
};

/* --- fields --------------------------------------------------------------------------------- */

static struct slice field_value(struct writer *w, size_t i, struct slice name)
{
    struct slice fields = mime_fields(w->tree, i), value;
    struct header_field field;
    if (!header_find(fields, fields.len, name, &field) ||
        header_unfold(&w->scratch, field.value, &value))
        return SLICE_NONE;
    return value;
}

/* Absent or empty: NIL. */
static void put_field(struct writer *w, size_t i, struct slice name)
{
    struct slice value = field_value(w, i, name);
    text_nstring(&w->text, value.len ? value : SLICE_NONE);
}

static void put_parameters(struct writer *w, const struct parameters *p)
{
    for (size_t i = 0; i < p->n; i++) {
        text_add(&w->text, i ? SLICE(" ") : SLICE("("));
        text_upper(&w->text, p->list[i].name);
        text_add(&w->text, SLICE(" "));
        text_string(&w->text, p->list[i].value);
    }
    text_add(&w->text, p->n ? SLICE(")") : SLICE("NIL"));
}

/* RFC 2183. */
static void put_disposition(struct writer *w, size_t i)
{
    struct slice value = field_value(w, i, SLICE("Content-Disposition"));
    struct slice disposition = token_take(&value);
    if (!disposition.len) {
        text_add(&w->text, SLICE("NIL"));
        return;
    }
    struct parameters p;
    size_t end = slice_find(value, ';');
    parameters_read(slice_from(value, end < value.len ? end + 1 : end), &w->scratch, &p);
    text_add(&w->text, SLICE("("));
    text_upper(&w->text, disposition);
    text_add(&w->text, SLICE(" "));
    put_parameters(w, &p);
    text_add(&w->text, SLICE(")"));
}

/* RFC 3282: tags, a comma between them. */
static void put_languages(struct writer *w, size_t i)
{
    struct slice value = field_value(w, i, SLICE("Content-Language"));
    bool any = false;
    while (value.len) {
        struct slice tag = token_take(&value);
        if (tag.len) {
            text_add(&w->text, any ? SLICE(" ") : SLICE("("));
            text_string(&w->text, tag);
            any = true;
        }
        size_t comma = slice_find(value, ',');
        value = slice_from(value, comma < value.len ? comma + 1 : comma);
    }
    text_add(&w->text, any ? SLICE(")") : SLICE("NIL"));
}

static void put_encoding(struct writer *w, size_t i)
{
    static const char *const names[] = {
        [MIME_7BIT] = "\"7BIT\"",           [MIME_8BIT] = "\"8BIT\"",
        [MIME_BINARY] = "\"BINARY\"",       [MIME_BASE64] = "\"BASE64\"",
        [MIME_QP] = "\"QUOTED-PRINTABLE\"",
    };
    unsigned encoding = w->tree->nodes[i].part.encoding;
    if (encoding == MIME_ENCODING_UNKNOWN)
        text_upper(&w->text, media_token(mime_fields(w->tree, i),
                                         SLICE("Content-Transfer-Encoding"), &w->scratch));
    else
        text_add(&w->text, slice_str(names[encoding]));
}

/* --- parts ---------------------------------------------------------------------------------- */

static void put_cut_end(struct buf *to, size_t at)
{
    for (unsigned i = 0; i < 4; i++)
        to->ptr[to->len++] = (char)(at >> 8 * i);
}

/* Extension data, all of it or none (RFC 3501, body-ext-1part and body-ext-mpart): where BODY has
 * nothing. */
static void put_extension(struct writer *w, size_t i, const struct parameters *of_multipart)
{
    size_t from = w->text.to->len - w->start;
    text_add(&w->text, SLICE(" "));
    if (of_multipart)
        put_parameters(w, of_multipart);
    else
        put_field(w, i, SLICE("Content-MD5"));
    text_add(&w->text, SLICE(" "));
    put_disposition(w, i);
    text_add(&w->text, SLICE(" "));
    put_languages(w, i);
    text_add(&w->text, SLICE(" "));
    put_field(w, i, SLICE("Content-Location"));
    if (!w->cuts_err)
        w->cuts_err = buf_reserve(w->cuts, MIME_CUT);
    if (w->cuts_err)
        return;
    put_cut_end(w->cuts, from);
    put_cut_end(w->cuts, w->text.to->len - w->start);
}

static void read_media(struct writer *w, size_t i, struct media *ret)
{
    const struct mime_node *node = &w->tree->nodes[i];
    if (node->opaque)
        *ret = (struct media){.type = SLICE("APPLICATION"), .subtype = SLICE("OCTET-STREAM")};
    else
        media_read(mime_fields(w->tree, i), node->in_digest, &w->scratch, ret);
}

/* media-basic SP body-fields, of anything but a multipart. */
static void put_body_fields(struct writer *w, size_t i)
{
    struct media media;
    read_media(w, i, &media);
    text_upper(&w->text, media.type);
    text_add(&w->text, SLICE(" "));
    text_upper(&w->text, media.subtype);
    text_add(&w->text, SLICE(" "));
    put_parameters(w, &media.parameters);
    text_add(&w->text, SLICE(" "));
    put_field(w, i, SLICE("Content-ID"));
    text_add(&w->text, SLICE(" "));
    put_field(w, i, SLICE("Content-Description"));
    text_add(&w->text, SLICE(" "));
    put_encoding(w, i);
    text_add(&w->text, SLICE(" "));
    text_number(&w->text, w->tree->nodes[i].part.body_len);
}

static void put_lines(struct writer *w, size_t i)
{
    text_add(&w->text, SLICE(" "));
    text_number(&w->text, w->tree->nodes[i].part.lines);
}

static void begin_part(struct writer *w, size_t i)
{
    enum mime_kind kind = w->tree->nodes[i].part.kind;
    text_add(&w->text, SLICE("("));
    if (kind == MIME_MULTIPART)
        return;
    put_body_fields(w, i);
    if (kind == MIME_TEXT)
        put_lines(w, i);
    if (kind == MIME_MESSAGE) { /* its message is the row behind it */
        text_add(&w->text, SLICE(" "));
        envelope_text(&w->text, mime_fields(w->tree, i + 1), &w->scratch, &w->addresses);
        text_add(&w->text, SLICE(" "));
    }
}

static void end_part(struct writer *w, size_t i)
{
    enum mime_kind kind = w->tree->nodes[i].part.kind;
    struct media media;
    if (kind == MIME_MESSAGE)
        put_lines(w, i);
    if (kind == MIME_MULTIPART) {
        read_media(w, i, &media);
        text_add(&w->text, SLICE(" "));
        text_upper(&w->text, media.subtype);
    }
    put_extension(w, i, kind == MIME_MULTIPART ? &media.parameters : NULL);
    text_add(&w->text, SLICE(")"));
    arena_reset(&w->scratch);
}

enum err mime_structure(const struct mime_tree *tree, struct buf *to, struct buf *cuts)
{
    struct writer w = {.tree = tree,
                       .text = {.to = to},
                       .start = to->len,
                       .cuts = cuts,
                       .addresses = tree->limits.addresses};
    size_t cuts_before = cuts->len;
    arena_init(&w.scratch, 8 * tree->limits.header);
    for (size_t i = 0; i < tree->n; i++) {
        uint16_t outer = i + 1 < tree->n ? tree->nodes[i + 1].part.parent : MIME_NO_PART;
        begin_part(&w, i);
        for (uint32_t open = (uint32_t)i; open != outer; open = tree->nodes[open].part.parent)
            end_part(&w, open);
    }
    enum err e = w.text.err ? w.text.err : w.cuts_err;
    if (e) {
        to->len = w.start;
        cuts->len = cuts_before;
    }
    return e;
}

/* --- BODY ----------------------------------------------------------------------------------- */

static size_t cut_end(struct slice cuts, size_t at)
{
    const unsigned char *p = (const unsigned char *)cuts.ptr + at;
    return p[0] | (size_t)p[1] << 8 | (size_t)p[2] << 16 | (size_t)p[3] << 24;
}

bool mime_body_next(struct mime_body_walk *w, struct slice *ret)
{
    while (w->at < w->structure.len) {
        size_t from = w->structure.len, to = from;
        if (w->cuts.len >= MIME_CUT) {
            from = cut_end(w->cuts, 0);
            to = cut_end(w->cuts, 4);
            w->cuts = slice_from(w->cuts, MIME_CUT);
        }
        if (from < w->at || to < from || to > w->structure.len)
            from = to = w->structure.len;
        *ret = slice(w->structure.ptr + w->at, from - w->at);
        w->at = to;
        if (ret->len)
            return true;
    }
    return false;
}
