/* The parts that are open lie on a stack, the message at the bottom; the last of them is the one
 * that octets belong to. What a line does:
 *
 *     in a header      kept; an empty line: the header ends (end_header) and shows whether the part
 *                      is a multipart, a message (whose header begins at once) or a leaf
 *     in a body        counted
 *     a delimiter      of part k of the stack: all above k end before the line end in front of it,
 *                      then a new part begins, or k gets no more parts (its epilogue)
 *
 * A line is a delimiter only when it is whole, so its first octets are held when it may be one. */
#include "core/mime/mime.h"

#include <assert.h>
#include <string.h>

#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/mime/cfws.h"
#include "core/mime/header.h"
#include "core/mime/media.h"

enum { HOLD = 2 + MIME_BOUNDARY_MAX + 2 + 2 };

struct level {
    uint32_t node;
    uint32_t lf_before_body; /* line ends in front of the body */
    bool digest;
    bool has_children;
    bool in_epilogue;
    uint16_t boundary_len; /* 0: no multipart */
    char *boundary;        /* owned */
};

struct mime_scan {
    struct mime_tree tree;
    size_t nodes_cap;
    struct level *stack;
    size_t depth, stack_cap;
    struct buf header; /* of the part whose header is under way; at most one octet past the limit */
    struct buf kept;
    struct arena scratch;
    bool in_header;
    bool sealed;         /* the limit of parts was reached: no delimiter counts any more */
    unsigned boundaries; /* multiparts on the stack that are not in their epilogue */

    uint32_t at, lf; /* octets and line ends so far */
    uint32_t line_at;
    unsigned line_end; /* octets of the line end in front of the line: 0, 1, 2 */
    bool last_cr;
    bool may_delimit; /* so far the line looks like a delimiter */
    size_t hold_len;
    char hold[HOLD];
    size_t header_mark; /* octets of `header` before this line */
};

/* --- parts ---------------------------------------------------------------------------------- */

static struct level *top(struct mime_scan *s)
{
    return &s->stack[s->depth - 1];
}

static struct mime_node *node_of(struct mime_scan *s, const struct level *level)
{
    return &s->tree.nodes[level->node];
}

static struct mime_node *add_node(struct mime_scan *s, uint16_t parent, uint32_t at)
{
    if (s->tree.n == s->nodes_cap) {
        s->nodes_cap = s->nodes_cap ? s->nodes_cap * 4 : 4;
        s->tree.nodes = mem_resize(s->tree.nodes, s->nodes_cap * sizeof *s->tree.nodes);
    }
    struct mime_node *node = &s->tree.nodes[s->tree.n++];
    *node = (struct mime_node){
        .part = {.parent = parent, .kind = MIME_OTHER, .hdr_off = at, .body_off = at}
    };
    return node;
}

/* A part begins with its header at `at`. */
static void open_part(struct mime_scan *s, uint32_t at)
{
    uint16_t parent = MIME_NO_PART;
    if (s->depth) {
        parent = (uint16_t)top(s)->node;
        top(s)->has_children = true;
    }
    if (s->depth == s->stack_cap) {
        s->stack_cap = s->stack_cap ? s->stack_cap * 2 : 4;
        s->stack = mem_resize(s->stack, s->stack_cap * sizeof *s->stack);
    }
    s->stack[s->depth++] = (struct level){.node = (uint32_t)s->tree.n};
    add_node(s, parent, at);
    s->in_header = true;
    s->header.len = 0;
}

/* BODYSTRUCTURE wants a part in each multipart: an empty one at its end. */
static void add_empty_part(struct mime_scan *s, uint16_t parent, uint32_t at)
{
    add_node(s, parent, at)->part.kind = MIME_TEXT;
}

static void make_opaque(struct mime_node *node)
{
    node->opaque = true;
    node->part.kind = MIME_OTHER;
    node->part.charset = MIME_CHARSET_ASCII;
}

/* --- header --------------------------------------------------------------------------------- */

static bool is_kept(struct slice name, bool of_message)
{
    static const char *const names[] = {
        "Date", "Subject", "From", "Sender",      "Reply-To",
        "To",   "Cc",      "Bcc",  "In-Reply-To", "Message-ID",
    };
    if (slice_istarts(name, SLICE("Content-")))
        return true;
    for (size_t i = 0; of_message && i < sizeof names / sizeof *names; i++)
        if (slice_ieq(name, slice_str(names[i])))
            return true;
    return false;
}

/* False: they do not fit. */
static bool keep_fields(struct mime_scan *s, struct mime_node *node, bool of_message)
{
    struct header_walk w;
    struct header_field field;
    node->fields_at = (uint32_t)s->kept.len;
    header_walk_init(&w, buf_slice(&s->header), s->tree.limits.header);
    while (header_next(&w, &field)) {
        if (!is_kept(field.name, of_message))
            continue;
        if (buf_append(&s->kept, field.lines)) {
            s->kept.len = node->fields_at;
            return false;
        }
    }
    node->fields_len = (uint32_t)(s->kept.len - node->fields_at);
    return true;
}

static enum mime_encoding encoding_of(struct slice fields, struct arena *a)
{
    static const char *const names[] = {"7bit", "8bit", "binary", "base64", "quoted-printable"};
    struct slice token = media_token(fields, SLICE("Content-Transfer-Encoding"), a);
    if (token.len == 0)
        return MIME_7BIT;
    for (unsigned i = 0; i < sizeof names / sizeof *names; i++)
        if (slice_ieq(token, slice_str(names[i])))
            return (enum mime_encoding)i;
    return MIME_ENCODING_UNKNOWN;
}

static enum mime_charset charset_of(const struct media *media)
{
    struct slice name = parameters_find(&media->parameters, SLICE("charset"));
    if (name.len == 0 || slice_ieq(name, SLICE("us-ascii")))
        return MIME_CHARSET_ASCII;
    return slice_ieq(name, SLICE("utf-8")) ? MIME_CHARSET_UTF8 : MIME_CHARSET_NAMED;
}

static bool is_encoded(const struct mime_part *part)
{
    return part->encoding >= MIME_BASE64;
}

/* What the part is, from its fields. */
static void set_kind(struct mime_scan *s, struct level *level, struct mime_node *node,
                     const struct media *media)
{
    bool too_deep = s->depth >= s->tree.limits.depth;
    if (slice_ieq(media->type, SLICE("text"))) {
        node->part.kind = MIME_TEXT;
        node->part.charset = charset_of(media);
    } else if (slice_ieq(media->type, SLICE("multipart"))) {
        if (is_encoded(&node->part))
            node->part.encoding = MIME_7BIT;
        node->opaque = too_deep;
        if (too_deep)
            return;
        struct slice boundary = media_boundary(media);
        node->part.kind = MIME_MULTIPART;
        level->digest = slice_ieq(media->subtype, SLICE("digest"));
        level->boundary_len = (uint16_t)boundary.len;
        level->boundary = mem_dup(boundary.ptr, boundary.len);
        s->boundaries++;
    } else if (slice_ieq(media->type, SLICE("message")) &&
               slice_ieq(media->subtype, SLICE("rfc822"))) {
        node->opaque = too_deep || is_encoded(&node->part) || s->tree.n == s->tree.limits.parts;
        node->part.kind = node->opaque ? MIME_OTHER : MIME_MESSAGE;
    }
}

/* The header of the top part ends at `body_off`. */
static void end_header(struct mime_scan *s, uint32_t body_off)
{
    struct level *level = top(s);
    struct mime_node *node = node_of(s, level);
    struct media media;
    const struct level *outer = s->depth > 1 ? level - 1 : NULL;
    bool of_message = !outer || node_of(s, outer)->part.kind == MIME_MESSAGE;
    s->in_header = false;
    node->part.body_off = body_off;
    level->lf_before_body = s->lf;
    if (node->opaque || !keep_fields(s, node, of_message)) {
        make_opaque(node);
        node->part.encoding = MIME_8BIT;
        return;
    }
    s->tree.kept = buf_slice(&s->kept);
    struct slice fields = mime_fields(&s->tree, level->node);
    node->in_digest = outer && outer->digest;
    media_read(fields, node->in_digest, &s->scratch, &media);
    node->part.encoding = (uint8_t)encoding_of(fields, &s->scratch);
    set_kind(s, level, node, &media);
    arena_reset(&s->scratch);
    if (node->part.kind == MIME_MESSAGE)
        open_part(s, body_off);
}

/* --- ends ----------------------------------------------------------------------------------- */

/* The top part ends at `end`, or where what it holds ends. Returns that place. */
static uint32_t close_part(struct mime_scan *s, uint32_t end)
{
    while (s->in_header) { /* a message that begins here has one too */
        uint32_t hdr_off = node_of(s, top(s))->part.hdr_off;
        end_header(s, end > hdr_off ? end : hdr_off);
    }
    struct level *level = top(s);
    struct mime_node *node = node_of(s, level);
    struct mime_part *part = &node->part;
    if (end < part->body_off)
        end = part->body_off;
    part->body_len = end - part->body_off;
    part->lines = s->lf - level->lf_before_body;
    if (end < s->line_at && part->lines)
        part->lines--; /* the line end before the delimiter */
    if (level->boundary_len) {
        if (!level->in_epilogue)
            s->boundaries--;
        if (!level->has_children && s->tree.n >= s->tree.limits.parts)
            make_opaque(node);
        else if (!level->has_children)
            add_empty_part(s, (uint16_t)level->node, end);
    }
    mem_free(level->boundary);
    s->depth--;
    return end;
}

/* The line that ends now is a delimiter of part `k` of the stack. */
static void at_delimiter(struct mime_scan *s, size_t k, bool closing)
{
    uint32_t end = s->line_at - s->line_end;
    if (s->in_header && s->header.len > s->header_mark)
        s->header.len = s->header_mark;
    while (s->depth > k + 1)
        end = close_part(s, end);
    if (closing) {
        top(s)->in_epilogue = true;
        s->boundaries--;
        return;
    }
    open_part(s, s->at);
    if (s->tree.n > s->tree.limits.parts) {
        s->tree.nodes[s->tree.n - 1].opaque = true;
        s->sealed = true;
    }
}

/* Is the line that is held, and ends now, a delimiter? */
static bool take_delimiter(struct mime_scan *s)
{
    struct slice line = slice_from(slice(s->hold, s->hold_len), 2);
    while (line.len && is_blank(line.ptr[line.len - 1]))
        line.len--;
    for (size_t k = s->depth; k-- > 0;) {
        const struct level *level = &s->stack[k];
        size_t n = level->boundary_len;
        if (n == 0 || level->in_epilogue || (line.len != n && line.len != n + 2) ||
            memcmp(line.ptr, level->boundary, n) != 0)
            continue;
        if (line.len > n && memcmp(line.ptr + n, "--", 2) != 0)
            continue;
        at_delimiter(s, k, line.len > n);
        return true;
    }
    return false;
}

/* --- lines ---------------------------------------------------------------------------------- */

/* Octets of a line that may be a delimiter. Those past HOLD must be blank, and are dropped. */
static void hold(struct mime_scan *s, struct slice piece)
{
    size_t n = HOLD - s->hold_len < piece.len ? HOLD - s->hold_len : piece.len;
    memcpy(s->hold + s->hold_len, piece.ptr, n);
    s->hold_len += n;
    for (size_t i = 0; i < 2 && i < s->hold_len; i++)
        s->may_delimit &= s->hold[i] == '-';
    for (size_t i = n; i < piece.len && s->may_delimit; i++)
        s->may_delimit = is_blank(piece.ptr[i]);
}

static void end_line(struct mime_scan *s, unsigned line_end)
{
    bool delimiter = s->may_delimit && s->hold_len >= 2 && take_delimiter(s);
    s->lf++;
    if (!delimiter && s->in_header && s->at - s->line_at == line_end)
        end_header(s, s->at);
    s->line_at = s->at;
    s->line_end = line_end;
}

static void begin_line(struct mime_scan *s, char first)
{
    s->may_delimit = s->boundaries && !s->sealed && first == '-';
    s->hold_len = 0;
    s->header_mark = s->header.len;
}

static void add_to_header(struct mime_scan *s, struct slice piece)
{
    enum err e = buf_append(&s->header, slice_first(piece, s->header.max - s->header.len));
    assert(!e);
}

/* Whole lines of a body, from the start of one, that cannot be delimiters: nothing but their ends
 * is looked for. What is left begins with a line that may be one, or has no end yet. */
static struct slice pass_lines(struct mime_scan *s, struct slice octets)
{
    const char *from = octets.ptr, *end = from + octets.len, *lf;
    bool delimited = s->boundaries && !s->sealed;
    while (from < end && !(delimited && *from == '-') &&
           (lf = memchr(from, '\n', (size_t)(end - from)))) {
        from = lf + 1;
        s->lf++;
    }
    size_t n = (size_t)(from - octets.ptr);
    if (n) {
        s->at += (uint32_t)n;
        s->line_at = s->at;
        s->line_end = n > 1 && from[-2] == '\r' ? 2 : 1;
        s->last_cr = false;
    }
    return slice_from(octets, n);
}

void mime_scan_feed(struct mime_scan *s, struct slice octets)
{
    while (octets.len) {
        if (!s->in_header && s->at == s->line_at) {
            octets = pass_lines(s, octets);
            if (!octets.len)
                break;
        }
        size_t n = slice_find(octets, '\n');
        bool ends = n < octets.len;
        struct slice piece = slice_first(octets, n + ends);
        if (s->at == s->line_at)
            begin_line(s, piece.ptr[0]);
        if (s->may_delimit)
            hold(s, piece);
        if (s->in_header)
            add_to_header(s, piece);
        s->at += (uint32_t)piece.len;
        bool cr = piece.len > 1 ? piece.ptr[piece.len - 2] == '\r' : s->last_cr;
        s->last_cr = piece.ptr[piece.len - 1] == '\r';
        if (ends)
            end_line(s, cr ? 2 : 1);
        octets = slice_from(octets, piece.len);
    }
}

/* --- the whole ------------------------------------------------------------------------------ */

struct mime_scan *mime_scan_begin(const struct mime_limits *limits)
{
    struct mime_scan *s = mem_new(sizeof *s);
    s->tree.limits = *limits;
    if (s->tree.limits.parts > MIME_PARTS_MAX)
        s->tree.limits.parts = MIME_PARTS_MAX;
    buf_init(&s->header, limits->header + 1);
    buf_init(&s->kept, limits->header);
    arena_init(&s->scratch, 8 * limits->header);
    open_part(s, 0);
    return s;
}

const struct mime_tree *mime_scan_end(struct mime_scan *s)
{
    if (s->at > s->line_at && s->may_delimit && s->hold_len >= 2)
        (void)take_delimiter(s);
    while (s->depth)
        close_part(s, s->at);
    buf_finish(&s->header);
    s->tree.kept = buf_slice(&s->kept);
    return &s->tree;
}

void mime_scan_free(struct mime_scan *s)
{
    if (!s)
        return;
    for (size_t i = 0; i < s->depth; i++)
        mem_free(s->stack[i].boundary);
    mem_free(s->stack);
    mem_free(s->tree.nodes);
    buf_finish(&s->header);
    buf_finish(&s->kept);
    arena_reset(&s->scratch);
    mem_free(s);
}

enum err mime_table(const struct mime_tree *tree, struct buf *to)
{
    enum err e = buf_reserve(to, tree->n * MIME_ROW);
    for (size_t i = 0; !e && i < tree->n; i++) {
        mime_row_encode(&tree->nodes[i].part, (unsigned char *)to->ptr + to->len);
        to->len += MIME_ROW;
    }
    return e;
}
