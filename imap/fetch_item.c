#include "imap/fetch_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imap/quote.h"

/* name; what it adds to `simple`, for BODY when no [...] comes; or the section it stands for, with
 * or without its own [...] */
static const struct item {
    struct slice name;
    unsigned simple;
    bool is_section, bracket, sets_seen;
    enum section_kind kind;
} items[] = {
    {{"BODY", 4},           FETCH_BODY,          true,  true,  true,  SECTION_ALL   },
    {{"BODY.PEEK", 9},      0,                   true,  true,  false, SECTION_ALL   },
    {{"BODYSTRUCTURE", 13}, FETCH_BODYSTRUCTURE, false, false, false, SECTION_ALL   },
    {{"ENVELOPE", 8},       FETCH_ENVELOPE,      false, false, false, SECTION_ALL   },
    {{"FLAGS", 5},          FETCH_FLAGS,         false, false, false, SECTION_ALL   },
    {{"INTERNALDATE", 12},  FETCH_INTERNALDATE,  false, false, false, SECTION_ALL   },
    {{"RFC822", 6},         0,                   true,  false, true,  SECTION_ALL   },
    {{"RFC822.HEADER", 13}, 0,                   true,  false, false, SECTION_HEADER},
    {{"RFC822.PEEK", 11},   0,                   true,  false, false, SECTION_ALL   },
    {{"RFC822.SIZE", 11},   FETCH_SIZE,          false, false, false, SECTION_ALL   },
    {{"RFC822.TEXT", 11},   0,                   true,  false, true,  SECTION_TEXT  },
    {{"UID", 3},            FETCH_UID,           false, false, false, SECTION_ALL   },
};

static const struct {
    struct slice name;
    enum section_kind kind;
} specs[] = {
    {{"", 0},                   SECTION_ALL       },
    {{"HEADER", 6},             SECTION_HEADER    },
    {{"HEADER.FIELDS", 13},     SECTION_FIELDS    },
    {{"HEADER.FIELDS.NOT", 17}, SECTION_FIELDS_NOT},
    {{"MIME", 4},               SECTION_MIME      },
    {{"TEXT", 4},               SECTION_TEXT      },
};

/* RFC 3501 section 6.4.5; a macro stands alone. */
static const struct {
    struct slice name;
    unsigned simple;
} macros[] = {
    {{"ALL", 3},  FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE             },
    {{"FAST", 4}, FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE                              },
    {{"FULL", 4}, FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE | FETCH_ENVELOPE | FETCH_BODY},
};

/* --- header-list ---------------------------------------------------------------------------- */

static int field_cmp(const void *a, const void *b)
{
    const struct slice *x = a, *y = b;
    size_t n = x->len < y->len ? x->len : y->len;
    for (size_t i = 0; i < n; i++) {
        int d = (unsigned char)ascii_lower(x->ptr[i]) - (unsigned char)ascii_lower(y->ptr[i]);
        if (d)
            return d;
    }
    return (x->len > y->len) - (x->len < y->len);
}

bool fetch_section_names(const struct fetch_section *section, struct slice field)
{
    return bsearch(&field, section->fields, section->nfields, sizeof field, field_cmp) != NULL;
}

struct field_node {
    struct field_node *next;
    struct slice name;
};

/* SP "(" astring *(SP astring) ")" */
static enum parse header_list(struct parser *p, struct field_node **ret, size_t *ret_n)
{
    struct field_node **tail = ret;
    size_t n = 0;
    if (parse_char(p, ' ') != PARSE_DONE || parse_char(p, '(') != PARSE_DONE)
        return PARSE_BAD;
    for (;;) {
        struct field_node *node = parse_room(p, sizeof *node);
        if (!node)
            return PARSE_BAD;
        enum parse r = parse_astring(p, &node->name);
        if (r != PARSE_DONE)
            return r;
        *tail = node;
        tail = &node->next;
        n++;
        if (!parse_peek(p, ' '))
            break;
        p->pos++;
    }
    *ret_n = n;
    return parse_char(p, ')');
}

/* --- section -------------------------------------------------------------------------------- */

/* "BODY[" [part "."] spec [SP "(" fields ")"] "]" ["<" first ">"], the fields as they were written.
 */
static bool make_label(struct parser *p, struct fetch_section *section, struct slice spec,
                       const struct field_node *fields)
{
    enum { NUMBER = 11 }; /* octets of one, with its dot */
    size_t most = 64 + section->nnumber * NUMBER;
    for (const struct field_node *f = fields; f; f = f->next)
        most += 2 * f->name.len + QUOTE_EXTRA + 1;
    char *to = parse_room(p, most);
    if (!to)
        return false;
    size_t n = (size_t)snprintf(to, most, "BODY[");
    for (size_t i = 0; i < section->nnumber; i++)
        n += (size_t)snprintf(to + n, most - n, "%s%u", i ? "." : "", section->number[i]);
    if (spec.len)
        n += (size_t)snprintf(to + n, most - n, "%s" SLICE_FMT, section->nnumber ? "." : "",
                              SLICE_ARG(spec));
    for (const struct field_node *f = fields; f; f = f->next) {
        to[n++] = ' ';
        if (f == fields)
            to[n++] = '(';
        n += quote_astring(f->name, to + n);
    }
    if (fields)
        to[n++] = ')';
    to[n++] = ']';
    if (section->partial)
        n += (size_t)snprintf(to + n, most - n, "<%u>", section->first);
    section->label = slice(to, n);
    return true;
}

static bool comes_digit(const struct parser *p)
{
    return p->pos < p->in.len && p->in.ptr[p->pos] >= '0' && p->in.ptr[p->pos] <= '9';
}

/* nz-number *("." nz-number) ["."], the last dot before the text that follows. */
static enum parse part_number(struct parser *p, struct fetch_section *section, bool *ret_text)
{
    size_t most = 1;
    for (size_t i = p->pos; i < p->in.len && p->in.ptr[i] != ']'; i++)
        most += p->in.ptr[i] == '.';
    section->number = parse_room(p, most * sizeof *section->number);
    if (!section->number)
        return PARSE_BAD;
    do {
        if (parse_number(p, 1, &section->number[section->nnumber++]) != PARSE_DONE)
            return PARSE_BAD;
        *ret_text = parse_peek(p, '.');
        p->pos += *ret_text;
    } while (*ret_text && comes_digit(p));
    return PARSE_DONE;
}

/* "[" section-spec "]" ["<" number "." nz-number ">"] */
static enum parse bracket(struct parser *p, struct fetch_section *section)
{
    struct field_node *fields = NULL;
    struct slice spec = SLICE_NONE;
    bool text = true; /* a name, which may be empty where no dot announces it */
    if (parse_char(p, '[') != PARSE_DONE ||
        (comes_digit(p) && part_number(p, section, &text) != PARSE_DONE))
        return PARSE_BAD;
    struct slice name = text ? parse_name(p) : SLICE_NONE;
    size_t i = 0, n = sizeof specs / sizeof *specs;
    while (i < n && !slice_ieq(name, specs[i].name))
        i++;
    if (i == n || (text && section->nnumber && !name.len) ||
        (specs[i].kind == SECTION_MIME && !section->nnumber))
        return PARSE_BAD;
    spec = specs[i].name;
    section->kind = specs[i].kind;
    if (section->kind == SECTION_FIELDS || section->kind == SECTION_FIELDS_NOT) {
        enum parse r = header_list(p, &fields, &section->nfields);
        if (r != PARSE_DONE)
            return r;
        section->fields = parse_room(p, section->nfields * sizeof *section->fields);
        if (!section->fields)
            return PARSE_BAD;
        size_t k = 0;
        for (const struct field_node *f = fields; f; f = f->next)
            section->fields[k++] = f->name;
        qsort(section->fields, section->nfields, sizeof *section->fields, field_cmp);
    }
    if (parse_char(p, ']') != PARSE_DONE)
        return PARSE_BAD;
    if (parse_peek(p, '<')) {
        p->pos++;
        section->partial = true;
        if (parse_number(p, 0, &section->first) != PARSE_DONE || parse_char(p, '.') != PARSE_DONE ||
            parse_number(p, 1, &section->count) != PARSE_DONE || parse_char(p, '>') != PARSE_DONE)
            return PARSE_BAD;
    }
    return make_label(p, section, spec, fields) ? PARSE_DONE : PARSE_BAD;
}

/* --- items ---------------------------------------------------------------------------------- */

/* RFC822.PEEK is of RFC 1730 and still said by Outlook; its answer is called RFC822. */
static struct slice answer_name(const struct item *item)
{
    return slice_eq(item->name, SLICE("RFC822.PEEK")) ? SLICE("RFC822") : item->name;
}

static enum parse item(struct parser *p, struct fetch_items *to, struct fetch_section ***tail)
{
    struct slice name = parse_name(p);
    const struct item *found = NULL;
    for (size_t i = 0; i < sizeof items / sizeof *items && !found; i++)
        if (slice_ieq(name, items[i].name))
            found = &items[i];
    if (!found)
        return PARSE_BAD;
    bool section_comes = found->is_section && !(found->simple && !parse_peek(p, '['));
    if (!section_comes) {
        to->simple |= found->simple;
        return PARSE_DONE;
    }
    to->sets_seen |= found->sets_seen;
    struct fetch_section *section = parse_room(p, sizeof *section);
    if (!section)
        return PARSE_BAD;
    section->kind = found->kind;
    section->label = answer_name(found);
    **tail = section;
    *tail = &section->next;
    enum parse r = found->bracket ? bracket(p, section) : PARSE_DONE;
    to->parts |= section->nnumber > 0;
    return r;
}

enum parse fetch_items_parse(struct parser *p, struct fetch_items **ret)
{
    struct fetch_items *to = parse_room(p, sizeof *to);
    if (!to)
        return PARSE_BAD;
    struct fetch_section **tail = &to->sections;
    *ret = to;
    if (!parse_peek(p, '(')) {
        struct parser before = *p;
        struct slice name = parse_name(p);
        for (size_t i = 0; i < sizeof macros / sizeof *macros; i++)
            if (slice_ieq(name, macros[i].name)) {
                to->simple = macros[i].simple;
                return PARSE_DONE;
            }
        *p = before;
        return item(p, to, &tail);
    }
    p->pos++;
    for (;;) {
        enum parse r = item(p, to, &tail);
        if (r != PARSE_DONE)
            return r;
        if (!parse_peek(p, ' '))
            return parse_char(p, ')');
        p->pos++;
    }
}
