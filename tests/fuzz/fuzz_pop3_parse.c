/* core/net/line.h and pop3/parse.h: any octets, whole and octet by octet, give the same lines; and
 * what a line parses to can be printed and parsed again. */
#include <inttypes.h>

#include "core/base/buf.h"
#include "core/net/line.h"
#include "pop3/parse.h"
#include "tests/fuzz/fuzz.h"

enum { LINE_MAX_OCTETS = 64 };

static void check_grammar(struct slice rest, const char *grammar)
{
    struct pop3_args args, again;
    char text[64];
    if (!pop3_parse(rest, grammar, &args))
        return;
    if (args.text.len) {
        FUZZ_ASSERT(slice_eq(args.text, rest));
        return;
    }
    int n = 0;
    if (args.has_message)
        n = snprintf(text, sizeof text, "%" PRIu32, args.message);
    if (strstr(grammar, "lines"))
        n += snprintf(text + n, sizeof text - (size_t)n, " %" PRIu32, args.lines);
    FUZZ_ASSERT(pop3_parse(slice(text, (size_t)n), grammar, &again));
    FUZZ_ASSERT(again.has_message == args.has_message && again.message == args.message &&
                again.lines == args.lines);
}

static void check_line(struct slice line)
{
    static const char *const grammars[] = {"", "text", "message", "?message", "message lines"};
    struct slice keyword, rest;
    if (!pop3_split(line, &keyword, &rest))
        return;
    FUZZ_ASSERT(keyword.len > 0 && slice_find(keyword, ' ') == keyword.len);
    for (size_t i = 0; i < sizeof grammars / sizeof *grammars; i++)
        check_grammar(rest, grammars[i]);
}

/* Lines in angle brackets, "!" for one that is too long. */
static void lines(struct slice text, size_t piece, bool crlf_only, struct buf *to)
{
    struct line_reader r = {.crlf_only = crlf_only};
    size_t have = 0, from = 0;
    while (have < text.len) {
        have = text.len - have > piece ? have + piece : text.len;
        for (;;) {
            struct slice line;
            size_t used;
            enum line_got got =
                line_next(&r, slice(text.ptr + from, have - from), LINE_MAX_OCTETS, &line, &used);
            FUZZ_ASSERT(used <= have - from);
            from += used;
            if (got == LINE_MORE)
                break;
            if (got == LINE_FLOOD)
                return;
            if (got == LINE_WHOLE) {
                FUZZ_ASSERT(used <= LINE_MAX_OCTETS && line.len < used);
                check_line(line);
            }
            if (buf_printf(to, got == LINE_WHOLE ? "<" : "!") ||
                (got == LINE_WHOLE && (buf_append(to, line) || buf_append_c(to, '>'))))
                abort();
        }
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct slice text = slice((const char *)data, size);
    for (int crlf_only = 0; crlf_only < 2; crlf_only++) {
        struct buf whole, split;
        buf_init(&whole, 8 * size + 8);
        buf_init(&split, 8 * size + 8);
        lines(text, size, crlf_only, &whole);
        lines(text, 1, crlf_only, &split);
        FUZZ_ASSERT(slice_eq(buf_slice(&whole), buf_slice(&split)));
        buf_finish(&whole);
        buf_finish(&split);
    }
    return 0;
}
