#include "imap/fetch_item.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "imap/quote.h"

/* name; what it adds to `simple`; or the section it stands for, with or without its own [...] */
static const struct item {
    struct slice name;
    unsigned simple;
    bool is_section, bracket, sets_seen;
    enum section_kind kind;
} items[] = {
    {{"BODY", 4},           0,                  true,  true,  true,  SECTION_ALL   },
    {{"BODY.PEEK", 9},      0,                  true,  true,  false, SECTION_ALL   },
    {{"FLAGS", 5},          FETCH_FLAGS,        false, false, false, SECTION_ALL   },
    {{"INTERNALDATE", 12},  FETCH_INTERNALDATE, false, false, false, SECTION_ALL   },
    {{"RFC822", 6},         0,                  true,  false, true,  SECTION_ALL   },
    {{"RFC822.HEADER", 13}, 0,                  true,  false, false, SECTION_HEADER},
    {{"RFC822.SIZE", 11},   FETCH_SIZE,         false, false, false, SECTION_ALL   },
    {{"RFC822.TEXT", 11},   0,                  true,  false, true,  SECTION_TEXT  },
    {{"UID", 3},            FETCH_UID,          false, false, false, SECTION_ALL   },
};

static const struct {
    struct slice name;
    enum section_kind kind;
} specs[] = {
    {{"", 0},                   SECTION_ALL       },
    {{"HEADER", 6},             SECTION_HEADER    },
    {{"HEADER.FIELDS", 13},     SECTION_FIELDS    },
    {{"HEADER.FIELDS.NOT", 17}, SECTION_FIELDS_NOT},
    {{"TEXT", 4},               SECTION_TEXT      },
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

/* "BODY[" spec [SP "(" fields ")"] "]" ["<" first ">"], the fields as they were written. */
static bool make_label(struct parser *p, struct fetch_section *section, struct slice spec,
                       const struct field_node *fields)
{
    size_t most = 64;
    for (const struct field_node *f = fields; f; f = f->next)
        most += 2 * f->name.len + QUOTE_EXTRA + 1;
    char *to = parse_room(p, most);
    if (!to)
        return false;
    size_t n = (size_t)snprintf(to, most, "BODY[" SLICE_FMT, SLICE_ARG(spec));
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

/* "[" section-spec "]" ["<" number "." nz-number ">"] */
static enum parse bracket(struct parser *p, struct fetch_section *section)
{
    struct field_node *fields = NULL;
    struct slice spec = SLICE_NONE;
    if (parse_char(p, '[') != PARSE_DONE)
        return PARSE_BAD;
    struct slice name = parse_name(p);
    size_t i = 0, n = sizeof specs / sizeof *specs;
    while (i < n && !slice_ieq(name, specs[i].name))
        i++;
    if (i == n)
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

static enum parse item(struct parser *p, struct fetch_items *to, struct fetch_section ***tail)
{
    struct slice name = parse_name(p);
    const struct item *found = NULL;
    for (size_t i = 0; i < sizeof items / sizeof *items && !found; i++)
        if (slice_ieq(name, items[i].name))
            found = &items[i];
    if (!found)
        return PARSE_BAD;
    to->simple |= found->simple;
    to->sets_seen |= found->sets_seen;
    if (!found->is_section)
        return PARSE_DONE;
    struct fetch_section *section = parse_room(p, sizeof *section);
    if (!section)
        return PARSE_BAD;
    section->kind = found->kind;
    section->label = found->name;
    **tail = section;
    *tail = &section->next;
    return found->bracket ? bracket(p, section) : PARSE_DONE;
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
        if (slice_ieq(parse_name(p), SLICE("FAST"))) {
            to->simple = FETCH_FLAGS | FETCH_INTERNALDATE | FETCH_SIZE;
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
