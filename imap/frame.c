#include "imap/frame.h"

#include <string.h>

bool frame_announces(struct slice line, uint64_t *ret_octets, bool *ret_nonsync)
{
    size_t at = line.len;
    if (at < 5 || memcmp(line.ptr + at - 3, "}\r\n", 3) != 0)
        return false;
    at -= 3;
    bool nonsync = line.ptr[at - 1] == '+';
    if (nonsync)
        at--;
    size_t end = at;
    while (at > 0 && line.ptr[at - 1] >= '0' && line.ptr[at - 1] <= '9')
        at--;
    if (at == end || at == 0 || line.ptr[at - 1] != '{')
        return false;
    if (!slice_u64(slice(line.ptr + at, end - at), UINT32_MAX, ret_octets))
        *ret_octets = FRAME_LITERAL_WILD;
    *ret_nonsync = nonsync;
    return true;
}

/* One past the LF of the first CRLF at or after `from`; 0: there is none. */
static size_t line_end(struct slice input, size_t line, size_t from)
{
    while (from < input.len) {
        const char *lf = memchr(input.ptr + from, '\n', input.len - from);
        if (!lf)
            return 0;
        from = (size_t)(lf - input.ptr) + 1;
        if (from - line >= 2 && lf[-1] == '\r')
            return from;
    }
    return 0;
}

enum frame_verdict frame_feed(struct frame *f, const struct frame_limits *limits,
                              struct slice input)
{
    if (f->pos > input.len) /* a literal is still coming */
        return FRAME_MORE;
    size_t end = line_end(input, f->line, f->line + f->seen);
    size_t have = end ? end : input.len;
    if (have - f->line > limits->line || have > limits->command)
        return FRAME_OVERLONG;
    if (!end) {
        f->seen = input.len - f->line;
        /* Nothing more would be read: the input buffer is as large as this limit. */
        bool stuck = f->seen == limits->line || input.len == limits->command;
        return stuck ? FRAME_OVERLONG : FRAME_MORE;
    }
    f->pos = end;
    f->seen = end - f->line;
    struct slice line = slice(input.ptr + f->line, end - f->line);
    return frame_announces(line, &f->literal, &f->nonsync) ? FRAME_LITERAL : FRAME_DONE;
}

enum err frame_admit(struct frame *f, const struct frame_limits *limits)
{
    if (f->literal == FRAME_LITERAL_WILD)
        return ERR_SYNTAX;
    if (f->literals >= limits->literals || f->literal > limits->literal ||
        f->pos + f->literal + 2 > limits->command)
        return ERR_TOOBIG;
    f->literals++;
    f->pos += f->literal;
    f->line = f->pos;
    f->seen = 0;
    return ERR_OK;
}
