/* What core/mime makes of messages, for tests that compare it: one message a file, line ends made
 * CRLF. Lines, octets outside of printable ASCII as \xHH:
 *
 *     message NAME
 *     part ROW PARENT KIND ENCODING CHARSET HEADER BODY OCTETS LINES
 *     envelope TEXT   structure TEXT   body TEXT
 *     subject TEXT    decoded
 *
 * mime_dump [--short] FILE...    --short: long texts and tables are cut */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/mime/charset.h"
#include "core/mime/envelope.h"
#include "core/mime/header.h"

enum { SHORT_TEXT = 1500, SHORT_ROWS = 12 };

static void must(enum err e)
{
    if (e) {
        fprintf(stderr, "mime_dump: %s\n", err_word(e));
        exit(1);
    }
}

static void read_file(const char *path, struct buf *to)
{
    FILE *f = fopen(path, "rb");
    int c, last = 0;
    if (!f) {
        perror(path);
        exit(1);
    }
    while ((c = getc(f)) != EOF) {
        if (c == '\n' && last != '\r')
            must(buf_append_c(to, '\r'));
        must(buf_append_c(to, (char)c));
        last = c;
    }
    fclose(f);
}

static void put(const char *what, struct slice s, bool is_short)
{
    printf("%s ", what);
    for (size_t i = 0; i < s.len && (!is_short || i < SHORT_TEXT); i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (c < 0x20 || c > 0x7e || c == '\\')
            printf("\\x%02x", c);
        else
            putchar(c);
    }
    if (is_short && s.len > SHORT_TEXT)
        printf("... %zu octets", s.len);
    printf("\n");
}

static void put_parts(const struct mime_tree *tree, bool is_short)
{
    for (size_t i = 0; i < tree->n; i++) {
        const struct mime_part *p = &tree->nodes[i].part;
        if (is_short && i >= SHORT_ROWS && i + 1 < tree->n)
            continue;
        printf("part %zu %d %u %u %u %u %u %u %u\n", i, i ? (int)p->parent : -1, p->kind,
               p->encoding, p->charset, p->hdr_off, p->body_off, p->body_len, p->lines);
    }
}

static void put_subject(struct slice message, bool is_short)
{
    struct header_field field;
    struct buf text;
    buf_init(&text, SIZE_MAX);
    if (header_find(message, message.len, SLICE("Subject"), &field))
        must(charset_header(slice_trim(field.value), &text));
    put("subject", buf_slice(&text), is_short);
    buf_finish(&text);
}

static void dump(struct slice message, bool is_short)
{
    static const struct mime_limits limits = {64, 1000, 1 << 20, 10000}; /* as [limits] has them */
    struct mime_scan *scan = mime_scan_begin(&limits);
    struct buf envelope, structure, cuts, body;
    struct slice piece;
    buf_init(&envelope, SIZE_MAX);
    buf_init(&structure, SIZE_MAX);
    buf_init(&cuts, SIZE_MAX);
    buf_init(&body, SIZE_MAX);
    for (size_t at = 0; at < message.len; at += 61)
        mime_scan_feed(scan, slice_first(slice_from(message, at), 61));
    const struct mime_tree *tree = mime_scan_end(scan);
    must(mime_envelope(tree, &envelope));
    must(mime_structure(tree, &structure, &cuts));
    struct mime_body_walk walk = {buf_slice(&structure), buf_slice(&cuts), 0};
    while (mime_body_next(&walk, &piece))
        must(buf_append(&body, piece));
    put_parts(tree, is_short);
    put("envelope", buf_slice(&envelope), is_short);
    put("structure", buf_slice(&structure), is_short);
    put("body", buf_slice(&body), is_short);
    put_subject(message, is_short);
    buf_finish(&envelope);
    buf_finish(&structure);
    buf_finish(&cuts);
    buf_finish(&body);
    mime_scan_free(scan);
}

int main(int argc, char **argv)
{
    bool is_short = argc > 1 && strcmp(argv[1], "--short") == 0;
    for (int i = is_short ? 2 : 1; i < argc; i++) {
        const char *slash = strrchr(argv[i], '/');
        struct buf message;
        buf_init(&message, SIZE_MAX);
        read_file(argv[i], &message);
        printf("message %s\n", slash ? slash + 1 : argv[i]);
        dump(buf_slice(&message), is_short);
        buf_finish(&message);
    }
    return 0;
}
