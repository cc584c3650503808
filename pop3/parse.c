#include "pop3/parse.h"

bool pop3_split(struct slice line, struct slice *ret_keyword, struct slice *ret_rest)
{
    if (memchr(line.ptr, '\0', line.len) || memchr(line.ptr, '\r', line.len))
        return false;
    size_t n = slice_find(line, ' ');
    if (n == 0)
        return false;
    *ret_keyword = slice_first(line, n);
    *ret_rest = n < line.len ? slice_from(line, n + 1) : SLICE_NONE;
    return true;
}

/* The next word of `s` up to one space, which is dropped with it. */
static struct slice next_word(struct slice *s)
{
    size_t n = slice_find(*s, ' ');
    struct slice word = slice_first(*s, n);
    *s = n < s->len ? slice_from(*s, n + 1) : SLICE_NONE;
    return word;
}

static bool number(struct slice *rest, uint32_t *ret)
{
    uint64_t v;
    if (!slice_u64(next_word(rest), UINT32_MAX, &v))
        return false;
    *ret = (uint32_t)v;
    return true;
}

bool pop3_parse(struct slice rest, const char *grammar, struct pop3_args *ret)
{
    struct pop3_args args = {0};
    struct slice words = slice_str(grammar);
    bool maybe = slice_eq(words, SLICE("?text"));
    if (maybe || slice_eq(words, SLICE("text"))) {
        args.text = rest;
        *ret = args;
        return maybe || rest.len > 0;
    }
    while (rest.len && (rest.ptr[rest.len - 1] == ' ' || rest.ptr[rest.len - 1] == '\t'))
        rest.len--;
    while (words.len) {
        struct slice word = next_word(&words);
        if (word.ptr[0] == '?' && rest.len == 0)
            continue;
        if (slice_eq(word, SLICE("lines"))) {
            if (!number(&rest, &args.lines))
                return false;
        } else {
            if (!number(&rest, &args.message))
                return false;
            args.has_message = true;
        }
    }
    *ret = args;
    return rest.len == 0;
}
