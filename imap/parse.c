#include "imap/parse.h"

#include <string.h>

#include "core/base/date.h"
#include "core/base/utf7.h"
#include "imap/fetch_item.h"
#include "imap/frame.h"
#include "imap/list_parse.h"
#include "imap/quote.h"
#include "imap/search_parse.h"

/* --- octets --------------------------------------------------------------------------------- */

bool parse_peek(const struct parser *p, char c)
{
    return p->pos < p->in.len && p->in.ptr[p->pos] == c;
}

enum parse parse_char(struct parser *p, char c)
{
    if (!parse_peek(p, c))
        return PARSE_BAD;
    p->pos++;
    return PARSE_DONE;
}

static struct slice rest(const struct parser *p)
{
    return slice_from(p->in, p->pos);
}

static struct slice take_while(struct parser *p, bool (*is)(char c))
{
    size_t from = p->pos;
    while (p->pos < p->in.len && is(p->in.ptr[p->pos]))
        p->pos++;
    return slice(p->in.ptr + from, p->pos - from);
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_name_char(char c)
{
    char u = ascii_upper(c);
    return (u >= 'A' && u <= 'Z') || is_digit(c) || c == '.' || c == '+' || c == '-';
}

struct slice parse_name(struct parser *p)
{
    return take_while(p, is_name_char);
}

void *parse_room(struct parser *p, size_t octets)
{
    void *room = arena_try(p->arena, octets ? octets : 1);
    if (!room)
        p->refuse = ERR_LIMIT;
    return room;
}

enum parse parse_number(struct parser *p, uint32_t min, uint32_t *ret)
{
    uint64_t n;
    if (!slice_u64(take_while(p, is_digit), UINT32_MAX, &n) || n < min)
        return PARSE_BAD;
    *ret = (uint32_t)n;
    return PARSE_DONE;
}

/* --- strings -------------------------------------------------------------------------------- */

/* After the opening quote. QUOTED-CHAR is 7 bits without NUL, CR and LF, but clients that know
 * UTF-8 quote it as it is (passwords, SEARCH): 8-bit octets mean what they mean in a literal. */
static enum parse quoted(struct parser *p, struct slice *ret)
{
    size_t from = p->pos, escapes = 0;
    while (p->pos < p->in.len && p->in.ptr[p->pos] != '"') {
        unsigned char c = (unsigned char)p->in.ptr[p->pos];
        if (c == '\\') {
            if (++p->pos == p->in.len || !strchr("\"\\", p->in.ptr[p->pos]))
                return PARSE_BAD;
            c = (unsigned char)p->in.ptr[p->pos];
            escapes++;
        }
        if (c == '\0' || c == '\r' || c == '\n')
            return PARSE_BAD;
        p->pos++;
    }
    struct slice raw = slice(p->in.ptr + from, p->pos - from);
    if (parse_char(p, '"') != PARSE_DONE)
        return PARSE_BAD;
    *ret = raw;
    if (!escapes)
        return PARSE_DONE;
    char *to = parse_room(p, raw.len - escapes);
    if (!to)
        return PARSE_BAD;
    size_t n = 0;
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\\')
            i++;
        to[n++] = raw.ptr[i];
    }
    *ret = slice(to, n);
    return PARSE_DONE;
}

/* `{n}` or `{n+}` and CRLF, at the opening brace. */
static enum parse announcement(struct parser *p, uint64_t *ret_octets, bool *ret_nonsync)
{
    struct slice line = rest(p);
    line = slice_first(line, slice_find(line, '\n') + 1);
    if (slice_find(line, '}') + 3 != line.len || !frame_announces(line, ret_octets, ret_nonsync) ||
        *ret_octets == FRAME_LITERAL_WILD)
        return PARSE_BAD;
    /* The announcement is all of it: nothing but digits stood between the braces. */
    if (slice_find(slice_from(line, 1), '{') != line.len - 1)
        return PARSE_BAD;
    p->pos += line.len;
    return PARSE_DONE;
}

static enum parse literal(struct parser *p, struct slice *ret)
{
    uint64_t octets;
    bool nonsync;
    if (announcement(p, &octets, &nonsync) != PARSE_DONE)
        return PARSE_BAD;
    if (p->pos == p->in.len || octets > p->in.len - p->pos)
        return PARSE_MORE;
    struct slice s = slice_first(rest(p), octets);
    if (slice_find(s, '\0') != s.len) /* CHAR8 has no NUL */
        return PARSE_BAD;
    p->pos += s.len;
    *ret = s;
    return PARSE_DONE;
}

static enum parse string(struct parser *p, struct slice *ret)
{
    if (parse_peek(p, '{'))
        return literal(p, ret);
    if (parse_char(p, '"') != PARSE_DONE)
        return PARSE_BAD;
    return quoted(p, ret);
}

static enum parse string_or(struct parser *p, bool (*is)(char c), struct slice *ret)
{
    if (parse_peek(p, '{') || parse_peek(p, '"'))
        return string(p, ret);
    *ret = take_while(p, is);
    return ret->len ? PARSE_DONE : PARSE_BAD;
}

enum parse parse_astring(struct parser *p, struct slice *ret)
{
    return string_or(p, is_astring_char, ret);
}

static bool is_list_char(char c)
{
    return is_astring_char(c) || c == '%' || c == '*';
}

/* --- words of the grammar ------------------------------------------------------------------- */

static enum parse word_astring(struct parser *p, struct arg *ret)
{
    return parse_astring(p, &ret->text);
}

static enum parse word_atom(struct parser *p, struct arg *ret)
{
    ret->text = take_while(p, is_atom_char);
    return ret->text.len ? PARSE_DONE : PARSE_BAD;
}

static enum parse word_atoms(struct parser *p, struct arg *ret)
{
    size_t from = p->pos;
    while (take_while(p, is_atom_char).len) {
        if (!parse_peek(p, ' ')) {
            ret->text = slice(p->in.ptr + from, p->pos - from);
            return PARSE_DONE;
        }
        p->pos++;
    }
    return PARSE_BAD;
}

static bool is_base64_char(char c)
{
    return is_digit(c) || (ascii_upper(c) >= 'A' && ascii_upper(c) <= 'Z') || c == '+' ||
           c == '/' || c == '=';
}

/* Whether it is good base64 is for the mechanism to say. */
static enum parse word_initial(struct parser *p, struct arg *ret)
{
    ret->text = take_while(p, is_base64_char);
    return ret->text.len ? PARSE_DONE : PARSE_BAD;
}

enum parse parse_pattern(struct parser *p, struct slice *ret)
{
    return string_or(p, is_list_char, ret);
}

static enum parse word_pattern(struct parser *p, struct arg *ret)
{
    return parse_pattern(p, &ret->text);
}

static enum parse word_mailbox(struct parser *p, struct arg *ret)
{
    struct slice wire;
    enum parse r = parse_astring(p, &wire);
    if (r != PARSE_DONE)
        return r;
    char *to = parse_room(p, utf7_decoded_max(wire.len));
    if (!to)
        return PARSE_BAD;
    size_t n = 0;
    if (utf7_decode(wire, to, &n) != ERR_OK)
        p->refuse = ERR_CANNOT;
    ret->text = slice(to, n);
    return PARSE_DONE;
}

/* nz-number or "*", which is 0 here */
static enum parse seq_number(struct parser *p, uint32_t *ret)
{
    *ret = 0;
    return parse_peek(p, '*') ? parse_char(p, '*') : parse_number(p, 1, ret);
}

enum parse parse_set(struct parser *p, struct seqset *ret)
{
    size_t most = 1;
    for (size_t i = p->pos; i < p->in.len && strchr("0123456789:*,", p->in.ptr[i]); i++) {
        if (p->in.ptr[i] == '\0')
            return PARSE_BAD;
        most += p->in.ptr[i] == ',';
    }
    struct seqset set = {.ranges = parse_room(p, most * sizeof *set.ranges)};
    if (!set.ranges)
        return PARSE_BAD;
    for (;;) {
        struct seqrange *r = &set.ranges[set.n++];
        if (seq_number(p, &r->first) != PARSE_DONE)
            return PARSE_BAD;
        r->last = r->first;
        if (parse_peek(p, ':') &&
            (parse_char(p, ':') != PARSE_DONE || seq_number(p, &r->last) != PARSE_DONE))
            return PARSE_BAD;
        if (!parse_peek(p, ','))
            break;
        p->pos++;
    }
    *ret = set;
    return PARSE_DONE;
}

static enum parse word_set(struct parser *p, struct arg *ret)
{
    return parse_set(p, &ret->set);
}

static const struct {
    struct slice name;
    uint8_t bit;
} system_flags[] = {
    {{"Answered", 8}, FLAG_ANSWERED},
    {{"Deleted", 7},  FLAG_DELETED },
    {{"Draft", 5},    FLAG_DRAFT   },
    {{"Flagged", 7},  FLAG_FLAGGED },
    {{"Seen", 4},     FLAG_SEEN    },
};

/* flag; \Recent and system flags that RFC 3501 does not define cannot be set. */
static enum parse flag(struct parser *p, struct flag_list *to)
{
    bool system = parse_peek(p, '\\');
    if (system)
        p->pos++;
    struct slice name = take_while(p, is_atom_char);
    if (!name.len)
        return PARSE_BAD;
    if (!system) {
        to->keywords[to->n++] = name;
        return PARSE_DONE;
    }
    for (size_t i = 0; i < sizeof system_flags / sizeof *system_flags; i++)
        if (slice_ieq(name, system_flags[i].name)) {
            to->sysflags |= system_flags[i].bit;
            return PARSE_DONE;
        }
    return PARSE_BAD;
}

struct slice parse_atom(struct parser *p)
{
    return take_while(p, is_atom_char);
}

/* flag *(SP flag): each takes two octets at least, its SP or the end included. */
static enum parse flags(struct parser *p, struct flag_list *to)
{
    size_t line = slice_find(rest(p), '\r');
    to->keywords = parse_room(p, (line / 2 + 1) * sizeof *to->keywords);
    if (!to->keywords)
        return PARSE_BAD;
    for (;;) {
        if (flag(p, to) != PARSE_DONE)
            return PARSE_BAD;
        if (!parse_peek(p, ' '))
            return PARSE_DONE;
        p->pos++;
    }
}

static enum parse word_flags(struct parser *p, struct arg *ret)
{
    ret->flags = (struct flag_list){0};
    if (parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    if (!parse_peek(p, ')') && flags(p, &ret->flags) != PARSE_DONE)
        return PARSE_BAD;
    return parse_char(p, ')');
}

static enum parse word_store(struct parser *p, struct arg *ret)
{
    enum flag_mode mode = parse_peek(p, '+')   ? FLAGS_ADD
                          : parse_peek(p, '-') ? FLAGS_REMOVE
                                               : FLAGS_REPLACE;
    if (mode != FLAGS_REPLACE)
        p->pos++;
    struct slice name = parse_name(p);
    bool silent = slice_ieq(name, SLICE("FLAGS.SILENT"));
    if ((!silent && !slice_ieq(name, SLICE("FLAGS"))) || parse_char(p, ' ') != PARSE_DONE)
        return PARSE_BAD;
    struct arg list = {0};
    enum parse r = parse_peek(p, '(') ? word_flags(p, &list) : flags(p, &list.flags);
    ret->store.flags = list.flags;
    ret->store.mode = mode;
    ret->store.silent = silent;
    return r;
}

/* Exactly `n` digits with a value of at most `max`. */
static bool digits(struct parser *p, size_t n, unsigned max, unsigned *ret)
{
    uint64_t v;
    if (rest(p).len < n || !slice_u64(slice_first(rest(p), n), max, &v))
        return false;
    p->pos += n;
    *ret = (unsigned)v;
    return true;
}

static bool month(struct parser *p, uint8_t *ret)
{
    for (unsigned m = 1; m <= 12; m++)
        if (slice_istarts(rest(p), slice_str(date_month_name(m)))) {
            p->pos += 3;
            *ret = (uint8_t)m;
            return true;
        }
    return false;
}

static bool octet(struct parser *p, char c)
{
    return parse_char(p, c) == PARSE_DONE;
}

/* DQUOTE date-day-fixed "-" date-month "-" date-year SP time SP zone DQUOTE */
static enum parse word_date(struct parser *p, struct arg *ret)
{
    struct date d = {0};
    unsigned day, year, hour, minute, second, zh, zm;
    if (!octet(p, '"'))
        return PARSE_BAD;
    bool short_day = parse_peek(p, ' ');
    if (short_day)
        p->pos++;
    if (!digits(p, short_day ? 1 : 2, 31, &day) || !octet(p, '-') || !month(p, &d.month) ||
        !octet(p, '-') || !digits(p, 4, 9999, &year) || !octet(p, ' ') ||
        !digits(p, 2, 23, &hour) || !octet(p, ':') || !digits(p, 2, 59, &minute) ||
        !octet(p, ':') || !digits(p, 2, 60, &second) || !octet(p, ' '))
        return PARSE_BAD;
    bool west = parse_peek(p, '-');
    if (!octet(p, west ? '-' : '+') || !digits(p, 2, 23, &zh) || !digits(p, 2, 59, &zm) ||
        !octet(p, '"') || !date_valid((int32_t)year, d.month, day))
        return PARSE_BAD;
    d.year = (int32_t)year;
    d.day = (uint8_t)day;
    d.hour = (uint8_t)hour;
    d.minute = (uint8_t)minute;
    d.second = (uint8_t)second;
    int offset = (int)(zh * 60 + zm) * (west ? -1 : 1);
    int64_t t = date_to_time(&d) - offset * 60;
    ret->date.time = t < 0 ? 0 : t > UINT32_MAX ? UINT32_MAX : (uint32_t)t;
    ret->date.zone = (int8_t)(offset / 15);
    return PARSE_DONE;
}

static const struct {
    struct slice name;
    unsigned bit;
} status_items[] = {
    {{"APPENDLIMIT", 11}, STATUS_APPENDLIMIT},
    {{"MESSAGES", 8},     STATUS_MESSAGES   },
    {{"RECENT", 6},       STATUS_RECENT     },
    {{"SIZE", 4},         STATUS_SIZE       },
    {{"UIDNEXT", 7},      STATUS_UIDNEXT    },
    {{"UIDVALIDITY", 11}, STATUS_UIDVALIDITY},
    {{"UNSEEN", 6},       STATUS_UNSEEN     },
};

static unsigned status_bit(struct slice name)
{
    for (size_t i = 0; i < sizeof status_items / sizeof *status_items; i++)
        if (slice_ieq(name, status_items[i].name))
            return status_items[i].bit;
    return 0;
}

enum parse parse_status(struct parser *p, unsigned *ret)
{
    *ret = 0;
    if (parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    for (;;) {
        unsigned bit = status_bit(parse_name(p));
        if (!bit)
            return PARSE_BAD;
        *ret |= bit;
        if (!parse_peek(p, ' '))
            return parse_char(p, ')');
        p->pos++;
    }
}

static enum parse word_status(struct parser *p, struct arg *ret)
{
    return parse_status(p, &ret->status);
}

/* RFC 2971 section 3.3: at most 30 pairs. */
enum { ID_PAIRS_MAX = 30 };

static enum parse word_id(struct parser *p, struct arg *ret)
{
    ret->id.n = 0;
    if (slice_istarts(rest(p), SLICE("NIL"))) {
        p->pos += 3;
        return PARSE_DONE;
    }
    ret->id.items = parse_room(p, 2 * ID_PAIRS_MAX * sizeof *ret->id.items);
    if (!ret->id.items || parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    while (!parse_peek(p, ')')) {
        if (ret->id.n == 2 * ID_PAIRS_MAX || (ret->id.n && parse_char(p, ' ') != PARSE_DONE))
            return PARSE_BAD;
        struct slice *pair = ret->id.items + ret->id.n;
        enum parse r = string(p, &pair[0]);
        if (r != PARSE_DONE)
            return r;
        if (parse_char(p, ' ') != PARSE_DONE)
            return PARSE_BAD;
        if (slice_istarts(rest(p), SLICE("NIL"))) {
            p->pos += 3;
            pair[1] = SLICE_NONE;
        } else if ((r = string(p, &pair[1])) != PARSE_DONE) {
            return r;
        }
        ret->id.n += 2;
    }
    return parse_char(p, ')');
}

static enum parse word_stream(struct parser *p, struct arg *ret)
{
    uint64_t octets;
    if (announcement(p, &octets, &ret->stream.nonsync) != PARSE_DONE || p->pos != p->in.len)
        return PARSE_BAD;
    ret->stream.octets = (uint32_t)octets;
    return PARSE_DONE;
}

static enum parse word_fetch(struct parser *p, struct arg *ret)
{
    return fetch_items_parse(p, &ret->fetch);
}

static enum parse word_search(struct parser *p, struct arg *ret)
{
    return search_parse(p, &ret->search);
}

static const struct word {
    struct slice name;
    enum parse (*parse)(struct parser *p, struct arg *ret);
    char first; /* the octet that tells an optional one; '\0': any, it is the last word */
} words[] = {
    {{"atom", 4},     word_atom,           '\0'},
    {{"atoms", 5},    word_atoms,          '\0'},
    {{"astring", 7},  word_astring,        '\0'},
    {{"date", 4},     word_date,           '"' },
    {{"fetch", 5},    word_fetch,          '\0'},
    {{"flags", 5},    word_flags,          '(' },
    {{"id", 2},       word_id,             '\0'},
    {{"initial", 7},  word_initial,        '\0'},
    {{"mailbox", 7},  word_mailbox,        '\0'},
    {{"pattern", 7},  word_pattern,        '\0'},
    {{"patterns", 8}, list_patterns_parse, '\0'},
    {{"return", 6},   list_return_parse,   '\0'},
    {{"search", 6},   word_search,         '\0'},
    {{"select", 6},   list_select_parse,   '(' },
    {{"set", 3},      word_set,            '\0'},
    {{"status", 6},   word_status,         '\0'},
    {{"store", 5},    word_store,          '\0'},
    {{"stream", 6},   word_stream,         '\0'},
};

static const struct word *word_find(struct slice name)
{
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (slice_eq(name, words[i].name))
            return &words[i];
    return NULL;
}

/* --- the whole ------------------------------------------------------------------------------ */

static bool is_tag_char(char c)
{
    return is_astring_char(c) && c != '+';
}

enum parse parse_start(struct parser *p, struct slice *ret_tag, struct slice *ret_verb)
{
    *ret_tag = SLICE_NONE;
    struct slice tag = take_while(p, is_tag_char);
    if (!tag.len || (!parse_peek(p, ' ') && !parse_peek(p, '\r')))
        return PARSE_BAD;
    *ret_tag = tag;
    if (parse_char(p, ' ') != PARSE_DONE)
        return PARSE_BAD;
    size_t from = p->pos;
    if (!take_while(p, is_atom_char).len)
        return PARSE_BAD;
    if (slice_ieq(slice(p->in.ptr + from, p->pos - from), SLICE("UID"))) {
        if (parse_char(p, ' ') != PARSE_DONE || !take_while(p, is_atom_char).len)
            return PARSE_BAD;
    }
    *ret_verb = slice(p->in.ptr + from, p->pos - from);
    return PARSE_DONE;
}

/* SP and the octet that an optional word begins with. */
static bool comes(const struct parser *p, const struct word *word)
{
    return parse_peek(p, ' ') && p->pos + 1 < p->in.len &&
           (!word->first || p->in.ptr[p->pos + 1] == word->first);
}

enum parse parse_args(struct parser *p, const char *grammar, struct arg args[ARGS_MAX])
{
    struct slice left = slice_str(grammar);
    for (unsigned i = 0; left.len; i++) {
        struct slice name = slice_first(left, slice_find(left, ' '));
        left = slice_from(left, name.len);
        if (left.len)
            left = slice_from(left, 1);
        bool optional = name.ptr[0] == '?';
        const struct word *word = word_find(slice_from(name, optional));
        args[i] = (struct arg){0};
        if (optional && !comes(p, word))
            continue;
        if (parse_char(p, ' ') != PARSE_DONE)
            return PARSE_BAD;
        enum parse r = word->parse(p, &args[i]);
        if (r != PARSE_DONE)
            return r;
        args[i].given = true;
        if (word->parse == word_stream)
            return PARSE_DONE;
    }
    return p->pos + 2 == p->in.len && memcmp(p->in.ptr + p->pos, "\r\n", 2) == 0 ? PARSE_DONE
                                                                                 : PARSE_BAD;
}
