#include "imap/search_parse.h"

#include <string.h>

#include "core/base/date.h"

/* What a key takes. */
enum takes { TAKES_NOTHING, TAKES_KEYWORD, TAKES_SIZE, TAKES_DATE, TAKES_TEXT, TAKES_FIELD };
/* Of a date: before it, on it, from it on. */
enum when { BEFORE, ON, SINCE };

struct key {
    struct slice name;
    enum store_test_kind kind;
    enum takes takes;
    bool negate;
    uint8_t sysflags;   /* TEST_FLAGS */
    enum when when;     /* TAKES_DATE */
    struct slice field; /* TEST_HEADER with a name of its own */
};

#define KEY(name, ...)                                                                             \
    {                                                                                              \
        {name, sizeof name - 1}, __VA_ARGS__                                                       \
    }
#define FIELD(name, field)                                                                         \
    {                                                                                              \
        {name, sizeof name - 1}, TEST_HEADER, TAKES_TEXT, false, 0, 0,                             \
        {                                                                                          \
            field, sizeof field - 1                                                                \
        }                                                                                          \
    }
static const struct key keys[] = {
    KEY("ALL", TEST_ALL, TAKES_NOTHING, false),
    KEY("ANSWERED", TEST_FLAGS, TAKES_NOTHING, false, FLAG_ANSWERED),
    FIELD("BCC", "Bcc"),
    KEY("BEFORE", TEST_ARRIVED, TAKES_DATE, false, 0, BEFORE),
    KEY("BODY", TEST_BODY, TAKES_TEXT, false),
    FIELD("CC", "Cc"),
    KEY("DELETED", TEST_FLAGS, TAKES_NOTHING, false, FLAG_DELETED),
    KEY("DRAFT", TEST_FLAGS, TAKES_NOTHING, false, FLAG_DRAFT),
    KEY("FLAGGED", TEST_FLAGS, TAKES_NOTHING, false, FLAG_FLAGGED),
    FIELD("FROM", "From"),
    KEY("HEADER", TEST_HEADER, TAKES_FIELD, false),
    KEY("KEYWORD", TEST_KEYWORD, TAKES_KEYWORD, false),
    KEY("LARGER", TEST_LARGER, TAKES_SIZE, false),
    KEY("OLD", TEST_RECENT, TAKES_NOTHING, true),
    KEY("ON", TEST_ARRIVED, TAKES_DATE, false, 0, ON),
    KEY("RECENT", TEST_RECENT, TAKES_NOTHING, false),
    KEY("SEEN", TEST_FLAGS, TAKES_NOTHING, false, FLAG_SEEN),
    KEY("SENTBEFORE", TEST_SENT, TAKES_DATE, false, 0, BEFORE),
    KEY("SENTON", TEST_SENT, TAKES_DATE, false, 0, ON),
    KEY("SENTSINCE", TEST_SENT, TAKES_DATE, false, 0, SINCE),
    KEY("SINCE", TEST_ARRIVED, TAKES_DATE, false, 0, SINCE),
    KEY("SMALLER", TEST_SMALLER, TAKES_SIZE, false),
    FIELD("SUBJECT", "Subject"),
    KEY("TEXT", TEST_TEXT, TAKES_TEXT, false),
    FIELD("TO", "To"),
    KEY("UNANSWERED", TEST_FLAGS, TAKES_NOTHING, true, FLAG_ANSWERED),
    KEY("UNDELETED", TEST_FLAGS, TAKES_NOTHING, true, FLAG_DELETED),
    KEY("UNDRAFT", TEST_FLAGS, TAKES_NOTHING, true, FLAG_DRAFT),
    KEY("UNFLAGGED", TEST_FLAGS, TAKES_NOTHING, true, FLAG_FLAGGED),
    KEY("UNKEYWORD", TEST_KEYWORD, TAKES_KEYWORD, true),
    KEY("UNSEEN", TEST_FLAGS, TAKES_NOTHING, true, FLAG_SEEN),
};

/* --- writing tests -------------------------------------------------------------------------------
 */

/* A key may make four tests (NEW); a list or operator, which is one as well, makes one. */
enum { TESTS_MAX = 4 * SEARCH_KEYS_MAX };

struct writer {
    struct parser *p;
    struct search_args *to;
    struct search_set **sets_tail;
    unsigned keys;
};

static struct store_test *add(struct writer *w, enum store_test_kind kind)
{
    if (w->to->n == TESTS_MAX) {
        w->p->refuse = ERR_LIMIT;
        return NULL;
    }
    struct store_test *t = &w->to->tests[w->to->n++];
    *t = (struct store_test){.kind = kind};
    return t;
}

static bool combine(struct writer *w, enum store_test_kind kind, unsigned n)
{
    struct store_test *t = n > 1 || kind == TEST_NOT ? add(w, kind) : NULL;
    if (t)
        t->n = n;
    return t || (n == 1 && kind != TEST_NOT);
}

/* --- arguments of keys
 * ---------------------------------------------------------------------------- */

/* "1-Feb-1994", with or without quotes, as a day since 1970. */
static enum parse day(struct parser *p, int32_t *ret)
{
    struct date d = {0};
    uint32_t number, year;
    bool quoted = parse_peek(p, '"');
    if (quoted)
        p->pos++;
    size_t begin = p->pos;
    struct slice text = parse_name(p);
    struct parser in = {.in = text};
    if (parse_number(&in, 1, &number) != PARSE_DONE || in.pos > 2 ||
        parse_char(&in, '-') != PARSE_DONE || in.in.len - in.pos < 4)
        return PARSE_BAD;
    struct slice month = slice_first(slice_from(text, in.pos), 3);
    for (d.month = 1; d.month <= 12 && !slice_ieq(month, slice_str(date_month_name(d.month)));)
        d.month++;
    in.pos += 3;
    size_t year_at = in.pos + 1;
    if (d.month > 12 || number > 31 || parse_char(&in, '-') != PARSE_DONE ||
        parse_number(&in, 0, &year) != PARSE_DONE || in.pos != text.len || in.pos - year_at != 4 ||
        p->pos == begin)
        return PARSE_BAD;
    d.day = (uint8_t)number;
    d.year = (int32_t)year;
    if (!date_valid(d.year, d.month, d.day))
        return PARSE_BAD;
    int64_t time = date_to_time(&d);
    *ret = (int32_t)(time >= 0 ? time / 86400 : -((-time + 86399) / 86400));
    return quoted ? parse_char(p, '"') : PARSE_DONE;
}

static enum parse date_of(struct parser *p, enum when when, struct store_test *t)
{
    int32_t at;
    if (day(p, &at) != PARSE_DONE)
        return PARSE_BAD;
    t->from = when == BEFORE ? INT32_MIN : at;
    t->to = when == BEFORE ? at : when == ON ? at + 1 : INT32_MAX;
    return PARSE_DONE;
}

static enum parse argument(struct parser *p, const struct key *key, struct store_test *t)
{
    enum parse r = key->takes == TAKES_NOTHING ? PARSE_DONE : parse_char(p, ' ');
    if (r != PARSE_DONE)
        return r;
    switch (key->takes) {
    case TAKES_NOTHING:
        break;
    case TAKES_KEYWORD:
        t->text = parse_atom(p);
        r = t->text.len ? PARSE_DONE : PARSE_BAD;
        break;
    case TAKES_SIZE:
        r = parse_number(p, 0, &t->size);
        break;
    case TAKES_DATE:
        r = date_of(p, key->when, t);
        break;
    case TAKES_FIELD:
        r = parse_astring(p, &t->field);
        if (r == PARSE_DONE)
            r = parse_char(p, ' ');
        if (r == PARSE_DONE)
            r = parse_astring(p, &t->text);
        break;
    case TAKES_TEXT:
        t->field = key->field;
        r = parse_astring(p, &t->text);
        break;
    }
    return r;
}

/* --- keys
 * ------------------------------------------------------------------------------------------ */

static enum parse set_key(struct writer *w, bool uid)
{
    struct search_set *set = parse_room(w->p, sizeof *set);
    size_t at = w->to->n;
    if (!set || !add(w, TEST_UIDS))
        return PARSE_BAD;
    set->test = at;
    set->uid = uid;
    *w->sets_tail = set;
    w->sets_tail = &set->next;
    return parse_set(w->p, &set->set);
}

static enum parse new_key(struct writer *w)
{
    struct store_test *recent = add(w, TEST_RECENT), *seen = add(w, TEST_FLAGS);
    if (!recent || !seen)
        return PARSE_BAD;
    seen->sysflags = FLAG_SEEN;
    return combine(w, TEST_NOT, 1) && combine(w, TEST_AND, 2) ? PARSE_DONE : PARSE_BAD;
}

static enum parse simple_key(struct writer *w, struct slice name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct key *key = &keys[i];
        if (!slice_ieq(name, key->name))
            continue;
        struct store_test *t = add(w, key->kind);
        if (!t)
            return PARSE_BAD;
        t->sysflags = key->sysflags;
        enum parse r = argument(w->p, key, t);
        if (r == PARSE_DONE && key->negate && !combine(w, TEST_NOT, 1))
            r = PARSE_BAD;
        return r;
    }
    return PARSE_BAD;
}

/* Groups that are open: a list that wants more keys, or an operator that wants its operands. */
enum open { OPEN_TOP, OPEN_LIST, OPEN_NOT, OPEN_OR };
struct group {
    enum open open;
    unsigned n; /* operands so far */
};

/* One operand is complete: close what it completes. PARSE_MORE: another key follows. */
static enum parse close_groups(struct writer *w, struct group *group, unsigned *depth)
{
    for (;;) {
        struct group *g = &group[*depth];
        g->n++;
        if (g->open == OPEN_NOT) {
            if (!combine(w, TEST_NOT, 1))
                return PARSE_BAD;
        } else if (g->open == OPEN_OR) {
            if (g->n < 2)
                return parse_char(w->p, ' ') == PARSE_DONE ? PARSE_MORE : PARSE_BAD;
            if (!combine(w, TEST_OR, 2))
                return PARSE_BAD;
        } else {
            if (parse_peek(w->p, ' ')) {
                w->p->pos++;
                return PARSE_MORE;
            }
            if (!combine(w, TEST_AND, g->n))
                return PARSE_BAD;
            if (g->open == OPEN_TOP)
                return PARSE_DONE;
            if (parse_char(w->p, ')') != PARSE_DONE)
                return PARSE_BAD;
        }
        (*depth)--;
    }
}

static bool open_group(struct writer *w, struct group *group, unsigned *depth, enum open open)
{
    if (*depth == SEARCH_DEPTH)
        return false;
    group[++*depth] = (struct group){.open = open};
    if (w->to->depth < *depth)
        w->to->depth = *depth;
    return true;
}

static enum parse all_keys(struct writer *w)
{
    struct parser *p = w->p;
    struct group group[SEARCH_DEPTH + 1] = {{.open = OPEN_TOP}};
    unsigned depth = 0;
    for (;;) {
        enum parse r;
        if (w->keys++ == SEARCH_KEYS_MAX) {
            p->refuse = ERR_LIMIT;
            return PARSE_BAD;
        }
        if (parse_peek(p, '(')) {
            p->pos++;
            if (!open_group(w, group, &depth, OPEN_LIST))
                return PARSE_BAD;
            continue;
        }
        if (p->pos < p->in.len &&
            (parse_peek(p, '*') || (p->in.ptr[p->pos] >= '0' && p->in.ptr[p->pos] <= '9'))) {
            r = set_key(w, false);
        } else {
            struct slice name = parse_name(p);
            bool not_ = slice_ieq(name, SLICE("NOT"));
            if (not_ || slice_ieq(name, SLICE("OR"))) {
                if (parse_char(p, ' ') != PARSE_DONE ||
                    !open_group(w, group, &depth, not_ ? OPEN_NOT : OPEN_OR))
                    return PARSE_BAD;
                continue;
            }
            if (slice_ieq(name, SLICE("UID")))
                r = parse_char(p, ' ') == PARSE_DONE ? set_key(w, true) : PARSE_BAD;
            else
                r = slice_ieq(name, SLICE("NEW")) ? new_key(w) : simple_key(w, name);
        }
        if (r == PARSE_DONE)
            r = close_groups(w, group, &depth);
        else if (r == PARSE_MORE)
            return PARSE_MORE; /* a literal of this key is still to come */
        if (r != PARSE_MORE)
            return r;
    }
}

/* --- the whole
 * --------------------------------------------------------------------------------------- */

static const struct {
    struct slice name;
    unsigned bit;
} returns[] = {
    {{"MIN", 3},   RETURN_MIN  },
    {{"MAX", 3},   RETURN_MAX  },
    {{"ALL", 3},   RETURN_ALL  },
    {{"COUNT", 5}, RETURN_COUNT},
};

/* RFC 4731 section 3.1: nothing named means ALL. */
static enum parse return_options(struct parser *p, struct search_args *to)
{
    to->esearch = true;
    if (parse_char(p, ' ') != PARSE_DONE || parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    while (!parse_peek(p, ')')) {
        struct slice name = parse_name(p);
        unsigned bit = 0;
        for (size_t i = 0; i < sizeof returns / sizeof *returns; i++)
            if (slice_ieq(name, returns[i].name))
                bit = returns[i].bit;
        if (!bit)
            return PARSE_BAD;
        to->wants |= bit;
        if (parse_peek(p, ')'))
            break;
        if (parse_char(p, ' ') != PARSE_DONE || parse_peek(p, ')'))
            return PARSE_BAD;
    }
    p->pos++;
    if (!to->wants)
        to->wants = RETURN_ALL;
    return parse_char(p, ' ');
}

/* A word at the front of the keys that is none of them. */
static bool begins_with(struct parser *p, struct slice word)
{
    struct parser before = *p;
    if (slice_ieq(parse_name(p), word))
        return true;
    *p = before;
    return false;
}

enum parse search_parse(struct parser *p, struct search_args **ret)
{
    struct search_args *to = parse_room(p, sizeof *to);
    if (!to)
        return PARSE_BAD;
    to->tests = parse_room(p, TESTS_MAX * sizeof *to->tests);
    if (!to->tests)
        return PARSE_BAD;
    struct writer w = {.p = p, .to = to, .sets_tail = &to->sets};
    enum parse r = PARSE_DONE;
    *ret = to;
    if (begins_with(p, SLICE("RETURN")))
        r = return_options(p, to);
    if (r == PARSE_DONE && begins_with(p, SLICE("CHARSET"))) {
        r = parse_char(p, ' ');
        if (r == PARSE_DONE)
            r = parse_astring(p, &to->charset);
        if (r == PARSE_DONE)
            r = parse_char(p, ' ');
    }
    if (r == PARSE_DONE)
        r = all_keys(&w);
    to->keys = w.keys;
    return r;
}
