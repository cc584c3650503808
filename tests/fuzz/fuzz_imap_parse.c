/* imap/parse.h: any octets get a verdict from every grammar; a command that is good is good so far
 * at each of its literals; and what was parsed can be printed and parsed again. */
#include <stdio.h>
#include <string.h>

#include "core/base/utf7.h"
#include "imap/fetch_item.h"
#include "imap/frame.h"
#include "imap/parse.h"
#include "imap/quote.h"
#include "tests/fuzz/fuzz.h"

enum { ARENA = 1 << 20 };

static enum parse parse(struct arena *arena, const char *grammar, struct slice text,
                        struct arg args[ARGS_MAX], enum err *ret_refuse)
{
    struct parser p = {.in = text, .arena = arena};
    enum parse r = parse_args(&p, grammar, args);
    FUZZ_ASSERT(p.pos <= text.len);
    *ret_refuse = p.refuse;
    return r;
}

/* " " text CRLF, as the grammar wants it, gives `expected` in its first argument. */
static void check_again(const char *grammar, const char *text, size_t len, struct slice expected)
{
    struct arena arena;
    struct arg args[ARGS_MAX];
    enum err refuse;
    char *line = malloc(len + 3);
    line[0] = ' ';
    memcpy(line + 1, text, len);
    memcpy(line + 1 + len, "\r\n", 2);
    arena_init(&arena, ARENA);
    FUZZ_ASSERT(parse(&arena, grammar, slice(line, len + 3), args, &refuse) == PARSE_DONE);
    FUZZ_ASSERT(refuse == ERR_OK && slice_eq(args[0].text, expected));
    arena_reset(&arena);
    free(line);
}

static void check_astring(const struct arg *arg)
{
    char *text = malloc(2 * arg->text.len + QUOTE_EXTRA);
    check_again("astring", text, quote_astring(arg->text, text), arg->text);
    check_again("astring", text, quote_string(arg->text, text), arg->text);
    free(text);
}

static void check_mailbox(const struct arg *arg)
{
    char *wire = malloc(utf7_encoded_max(arg->text.len) + 1);
    size_t n = utf7_encode(arg->text, wire);
    char *text = malloc(2 * n + QUOTE_EXTRA);
    check_again("mailbox", text, quote_string(slice(wire, n), text), arg->text);
    free(text);
    free(wire);
}

static void check_sections(const struct arg *arg)
{
    for (const struct fetch_section *s = arg->fetch->sections; s; s = s->next) {
        FUZZ_ASSERT(s->label.len > 0);
        for (size_t i = 0; i < s->nfields; i++)
            FUZZ_ASSERT(fetch_section_names(s, s->fields[i]));
    }
}

/* Every beginning that ends in an announcement was fine so far. */
static void check_beginnings(const char *grammar, struct slice text)
{
    struct slice line = text;
    size_t at = 0;
    uint64_t octets;
    bool nonsync;
    while (at < text.len) {
        line = slice_from(text, at);
        const char *end = memmem(line.ptr, line.len, "\r\n", 2);
        if (!end)
            return;
        line = slice_first(line, (size_t)(end - line.ptr) + 2);
        at += line.len;
        if (!frame_announces(line, &octets, &nonsync) || octets >= text.len - at)
            return;
        struct arena arena;
        struct arg args[ARGS_MAX];
        enum err refuse;
        arena_init(&arena, ARENA);
        FUZZ_ASSERT(parse(&arena, grammar, slice_first(text, at), args, &refuse) == PARSE_MORE);
        arena_reset(&arena);
        at += octets;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const grammars[] = {
        "",
        "astring",
        "astring astring",
        "mailbox",
        "mailbox mailbox",
        "astring pattern",
        "?select astring patterns ?return",
        "mailbox status",
        "set",
        "set fetch",
        "set mailbox",
        "set store",
        "id",
        "mailbox ?flags ?date stream",
    };
    struct slice text = slice(data, size), tag, verb;
    struct parser start = {.in = text};
    if (parse_start(&start, &tag, &verb) == PARSE_DONE)
        FUZZ_ASSERT(tag.len && verb.len && start.pos <= size);
    for (size_t i = 0; i < sizeof grammars / sizeof *grammars; i++) {
        struct arena arena;
        struct arg args[ARGS_MAX];
        enum err refuse;
        arena_init(&arena, ARENA);
        if (parse(&arena, grammars[i], text, args, &refuse) == PARSE_DONE && !refuse) {
            if (strcmp(grammars[i], "astring") == 0)
                check_astring(&args[0]);
            if (strcmp(grammars[i], "mailbox") == 0)
                check_mailbox(&args[0]);
            if (strcmp(grammars[i], "set fetch") == 0)
                check_sections(&args[1]);
            if (!strstr(grammars[i], "stream"))
                check_beginnings(grammars[i], text);
        }
        arena_reset(&arena);
    }
    return 0;
}
