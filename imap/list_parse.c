#include "imap/list_parse.h"

struct option {
    struct slice name;
    unsigned bit;
};

static const struct option select_options[] = {
    {{"RECURSIVEMATCH", 14}, LIST_RECURSIVEMATCH},
    {{"REMOTE", 6},          LIST_REMOTE        },
    {{"SPECIAL-USE", 11},    LIST_SPECIAL_USE   },
    {{"SUBSCRIBED", 10},     LIST_SUBSCRIBED    },
};

static const struct option return_options[] = {
    {{"CHILDREN", 8},     LIST_CHILDREN   },
    {{"SPECIAL-USE", 11}, LIST_SPECIAL_USE},
    {{"SUBSCRIBED", 10},  LIST_SUBSCRIBED },
};

static unsigned option_bit(const struct option *options, size_t n, struct slice name)
{
    for (size_t i = 0; i < n; i++)
        if (slice_ieq(name, options[i].name))
            return options[i].bit;
    return 0;
}

enum parse list_select_parse(struct parser *p, struct arg *ret)
{
    ret->options = 0;
    if (parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    bool any = !parse_peek(p, ')');
    while (any) {
        unsigned bit = option_bit(select_options, sizeof select_options / sizeof *select_options,
                                  parse_name(p));
        if (!bit)
            return PARSE_BAD;
        ret->options |= bit;
        if (!parse_peek(p, ' '))
            break;
        p->pos++;
    }
    /* RFC 5258 section 3.1: it needs something to match. */
    if (ret->options & LIST_RECURSIVEMATCH &&
        !(ret->options & (LIST_SUBSCRIBED | LIST_SPECIAL_USE)))
        return PARSE_BAD;
    return parse_char(p, ')');
}

enum parse list_patterns_parse(struct parser *p, struct arg *ret)
{
    struct slice *items = parse_room(p, LIST_PATTERNS_MAX * sizeof *items), spare;
    bool several = parse_peek(p, '(');
    size_t n = 0;
    if (!items)
        return PARSE_BAD;
    p->pos += several;
    for (;;) {
        enum parse r = parse_pattern(p, n < LIST_PATTERNS_MAX ? &items[n] : &spare);
        if (r != PARSE_DONE)
            return r;
        n++;
        if (!several || !parse_peek(p, ' '))
            break;
        p->pos++;
    }
    if (n > LIST_PATTERNS_MAX) {
        n = LIST_PATTERNS_MAX;
        p->refuse = ERR_LIMIT;
    }
    ret->patterns.items = items;
    ret->patterns.n = n;
    ret->patterns.several = several;
    return several ? parse_char(p, ')') : PARSE_DONE;
}

enum parse list_return_parse(struct parser *p, struct arg *ret)
{
    ret->returns.options = ret->returns.status = 0;
    if (!slice_ieq(parse_name(p), SLICE("RETURN")) || parse_char(p, ' ') != PARSE_DONE ||
        parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    bool any = !parse_peek(p, ')');
    while (any) {
        struct slice name = parse_name(p);
        unsigned bit =
            option_bit(return_options, sizeof return_options / sizeof *return_options, name);
        ret->returns.options |= bit;
        if (!bit && (!slice_ieq(name, SLICE("STATUS")) || parse_char(p, ' ') != PARSE_DONE ||
                     parse_status(p, &ret->returns.status) != PARSE_DONE))
            return PARSE_BAD;
        if (!parse_peek(p, ' '))
            break;
        p->pos++;
    }
    return parse_char(p, ')');
}
