/* An element of a list is known by what ends its words:
 *
 *     words "<" ... ">"      a display name; words with "@" too: joe@example.com <joe@example.com>
 *     words ":"              the name of a group
 *     words "," ";" end      an address, or without "@" a mailbox without host
 *
 * so an address is read twice: as words, and again in its parts. When the end of a quote or comment
 * is not found, that is remembered and no later one of its kind is looked for: the walk stays
 * linear. */
#include "core/mime/address.h"

#include <string.h>

#include "core/mime/cfws.h"

/* A text in w->text; the buf may move while it grows, so it is known by its place. */
struct piece {
    size_t at, len;
};

struct element {
    struct piece name, route, mailbox, host;
    struct slice comment; /* the first one, where it stands */
};

void address_walk_init(struct address_walk *w, struct slice value)
{
    *w = (struct address_walk){.rest = value};
    buf_init(&w->text, 4 * value.len + 16);
}

void address_walk_finish(struct address_walk *w)
{
    buf_finish(&w->text);
}

static void skip(struct address_walk *w, size_t n)
{
    w->rest = slice_from(w->rest, n);
}

static bool next_is(const struct address_walk *w, char c)
{
    return w->rest.len && w->rest.ptr[0] == c;
}

static bool next_in(const struct address_walk *w, const char *set)
{
    return w->rest.len && w->rest.ptr[0] && strchr(set, w->rest.ptr[0]);
}

/* --- texts ---------------------------------------------------------------------------------- */

static struct piece begin(const struct address_walk *w)
{
    return (struct piece){w->text.len, 0};
}

static void put(struct address_walk *w, struct piece *to, char c)
{
    if (buf_append_c(&w->text, c) == ERR_OK)
        to->len++;
}

/* What is inside a quote or comment: escapes and line ends resolved. */
static void put_inside(struct address_walk *w, struct piece *to, struct slice enclosed)
{
    for (size_t i = 1; i + 1 < enclosed.len; i++) {
        char c = enclosed.ptr[i];
        if (c == '\r' || c == '\n')
            continue;
        if (c == '\\' && i + 2 < enclosed.len)
            c = enclosed.ptr[++i];
        put(w, to, c);
    }
}

static void put_as_it_is(struct address_walk *w, struct piece *to, struct slice s)
{
    for (size_t i = 0; i < s.len; i++)
        if (s.ptr[i] != '\r' && s.ptr[i] != '\n')
            put(w, to, s.ptr[i]);
}

static struct slice text_of(const struct address_walk *w, struct piece piece)
{
    return piece.len ? slice(w->text.ptr + piece.at, piece.len) : SLICE_NONE;
}

/* --- words ---------------------------------------------------------------------------------- */

static size_t literal_length(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == ']')
            return i + 1;
    }
    return 0;
}

/* Octets of the quote, comment or domain literal at the start of the rest; 0: there is none. */
static size_t enclosed_length(struct address_walk *w)
{
    static const struct {
        char open;
        size_t (*length)(struct slice s);
    } kinds[] = {
        {'"', quoted_length },
        {'(', comment_length},
        {'[', literal_length},
    };
    bool *none[] = {&w->no_quote, &w->no_comment, &w->no_literal};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        if (!next_is(w, kinds[i].open) || *none[i])
            continue;
        size_t n = kinds[i].length(w->rest);
        *none[i] = n == 0;
        return n;
    }
    return 0;
}

/* All words up to an octet of `stops`. `spaced`: one space between words that were apart, so that
 * "J. Doe" stays as it is; without, "joe . doe" is joe.doe (RFC 5322 section 4.4). */
static struct piece take_words(struct address_walk *w, const char *stops, bool spaced,
                               struct element *e)
{
    struct piece words = begin(w);
    bool apart = false;
    while (w->rest.len && !next_in(w, stops)) {
        char c = w->rest.ptr[0];
        size_t n = enclosed_length(w);
        struct slice word = slice_first(w->rest, n ? n : 1);
        skip(w, word.len);
        if (is_blank(c) || (c == '(' && n)) {
            if (n > 2 && !e->comment.len)
                e->comment = word;
            apart = true;
            continue;
        }
        if (c == '>' || (n == 0 && (c == '"' || c == '(' || c == '['))) /* not closed, not open */
            continue;
        if (apart && spaced && words.len)
            put(w, &words, ' ');
        apart = false;
        if (c == '"')
            put_inside(w, &words, word);
        else
            put_as_it_is(w, &words, word);
    }
    return words;
}

/* --- elements ------------------------------------------------------------------------------- */

/* local "@" host, both without blanks. A second "@" belongs to the host. */
static void take_address(struct address_walk *w, bool in_angle, struct element *e)
{
    e->mailbox = take_words(w, in_angle ? "@,;<>" : "@,;<", false, e);
    if (!next_is(w, '@'))
        return;
    skip(w, 1);
    e->host = take_words(w, in_angle ? ",;<>" : ",;<", false, e);
}

/* "@a,@b:" in front of an address (RFC 5322 section 4.4, obs-route). When no ":" comes it was none.
 */
static void take_route(struct address_walk *w, struct element *e)
{
    struct slice before = w->rest;
    struct piece route = begin(w);
    while (next_in(w, "@,")) {
        if (next_is(w, '@') || route.len)
            put(w, &route, w->rest.ptr[0]);
        skip(w, 1);
        route.len += take_words(w, "@,:;<>", false, e).len;
    }
    if (next_is(w, ':')) {
        skip(w, 1);
        e->route = route;
    } else {
        w->rest = before;
    }
}

/* Behind "<". Whatever stands between ">" and the end of the element is passed over. */
static void take_angle(struct address_walk *w, struct element *e)
{
    while (next_in(w, " \t\r\n"))
        skip(w, 1);
    if (next_in(w, "@,"))
        take_route(w, e);
    take_address(w, true, e);
    while (w->rest.len && !next_in(w, ",;")) {
        skip(w, 1);
        (void)take_words(w, ",;<", false, e);
    }
}

/* One element up to "," ";" or the end. False: it is empty, or the head of a group. */
static bool take_element(struct address_walk *w, struct element *e, bool *ret_group)
{
    struct slice before = w->rest;
    const char *stops = w->in_group ? ",;<" : ",;:<@";
    struct piece words = take_words(w, stops, true, e);
    if (next_is(w, '@')) { /* from here on ":" is no group's */
        put(w, &words, '@');
        skip(w, 1);
        words.len += take_words(w, ",;<", true, e).len;
    }
    if (next_is(w, '<')) {
        skip(w, 1);
        e->name = words;
        take_angle(w, e);
        return true;
    }
    if (next_is(w, ':')) {
        skip(w, 1);
        e->name = words;
        *ret_group = true;
        return false;
    }
    struct slice text = text_of(w, words);
    if (slice_find(text, '@') == text.len) {
        e->mailbox = words;
        return words.len > 0;
    }
    w->rest = before;
    w->text.len = words.at;
    take_address(w, false, e);
    return true;
}

bool address_next(struct address_walk *w, struct address *ret)
{
    while (w->rest.len) {
        struct element e = {0};
        bool group = false;
        w->text.len = 0;
        if (take_element(w, &e, &group)) {
            if (!e.name.len && e.comment.len) {
                e.name = begin(w);
                put_inside(w, &e.name, e.comment);
            }
            *ret = (struct address){.name = text_of(w, e.name),
                                    .route = text_of(w, e.route),
                                    .mailbox = text_of(w, e.mailbox),
                                    .host = text_of(w, e.host)};
            return true;
        }
        if (group) {
            w->in_group = true;
            *ret = (struct address){.kind = ADDRESS_GROUP, .name = text_of(w, e.name)};
            return true;
        }
        bool ends = next_is(w, ';') && w->in_group;
        if (w->rest.len)
            skip(w, 1);
        if (ends)
            break;
    }
    bool ends = w->in_group;
    w->in_group = false;
    *ret = (struct address){.kind = ADDRESS_GROUP_END};
    return ends;
}
