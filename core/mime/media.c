#include "core/mime/media.h"

#include <string.h>

#include "core/base/arena.h"
#include "core/mime/cfws.h"
#include "core/mime/header.h"

/* --- tokens and values ---------------------------------------------------------------------- */

/* RFC 2045 section 5.1, tspecials; octets above 0x7f are let through. */
static bool is_token_char(char c)
{
    return (unsigned char)c > ' ' && c != 0x7f && !memchr("()<>@,;:\\\"/[]?=", c, 15);
}

struct slice token_take(struct slice *s)
{
    size_t n = 0;
    *s = cfws_skip(*s);
    while (n < s->len && is_token_char(s->ptr[n]))
        n++;
    struct slice token = slice_first(*s, n);
    *s = slice_from(*s, n);
    return token;
}

/* What is between the quotes, its escapes resolved. */
static struct slice unquoted(struct slice quoted, struct arena *a)
{
    struct slice inside = slice(quoted.ptr + 1, quoted.len - 2);
    if (slice_find(inside, '\\') == inside.len)
        return inside;
    char *to = arena_try(a, inside.len);
    size_t n = 0;
    for (size_t i = 0; to && i < inside.len; i++) {
        if (inside.ptr[i] == '\\' && i + 1 < inside.len)
            i++;
        to[n++] = inside.ptr[i];
    }
    return slice(to, n);
}

/* Octets of a value without quotes: a ";" ends it, and so does a comment behind a blank. */
static size_t bare_length(struct slice s)
{
    size_t n = 0;
    while (n < s.len && s.ptr[n] != ';' && !(s.ptr[n] == '(' && (n == 0 || is_blank(s.ptr[n - 1]))))
        n++;
    return n;
}

/* The value behind "=". *no_quote: known to be no end of a quoted string in what is left. */
static struct slice value_take(struct slice *s, bool *no_quote, struct arena *a)
{
    *s = cfws_skip(*s);
    if (s->len && s->ptr[0] == '"') {
        size_t n = *no_quote ? 0 : quoted_length(*s);
        if (n) {
            struct slice quoted = slice_first(*s, n);
            *s = slice_from(*s, n);
            return unquoted(quoted, a);
        }
        *no_quote = true;
        *s = slice_from(*s, 1);
    }
    struct slice bare = slice_first(*s, bare_length(*s));
    *s = slice_from(*s, bare.len);
    return slice_trim(bare);
}

/* --- RFC 2231 ------------------------------------------------------------------------------- */

#define NO_SECTION UINT32_MAX /* an enumerator must fit an int */

static bool is_extended(struct slice name)
{
    return name.len && name.ptr[name.len - 1] == '*';
}

/* Without "*0" and "*": what the sections of one parameter have in common. */
static struct slice base_name(struct slice name)
{
    return slice_first(name, slice_find(name, '*'));
}

/* The number in "name*3" and "name*3*". */
static uint32_t section_of(struct slice name)
{
    uint64_t n;
    struct slice base = base_name(name), rest = slice_from(name, base.len);
    if (is_extended(rest))
        rest.len--;
    if (base.len == 0 || rest.len < 2 || (rest.ptr[1] == '0' && rest.len > 2) ||
        !slice_u64(slice_from(rest, 1), MIME_PARAMETERS_MAX, &n))
        return NO_SECTION;
    return (uint32_t)n;
}

/* The parameter that is section `n` of `base`, looked for from the one behind `at` on. */
static struct parameter *find_section(struct parameters *p, size_t at, struct slice base,
                                      uint32_t n)
{
    for (size_t i = 1; i < p->n; i++) {
        struct parameter *found = &p->list[(at + i) % p->n];
        if (found->section == n && slice_ieq(base_name(found->name), base))
            return found;
    }
    return NULL;
}

/* A section onto the joined value. In an extended one, sections that are not encoded become so. */
static size_t put_section(char *to, const struct parameter *section, bool extended)
{
    static const char hex[] = "0123456789ABCDEF";
    struct slice value = section->value;
    if (!extended || is_extended(section->name)) {
        if (value.len)
            memcpy(to, value.ptr, value.len);
        return value.len;
    }
    size_t n = 0;
    for (size_t i = 0; i < value.len; i++) {
        unsigned char c = (unsigned char)value.ptr[i];
        if (c < 0x80 && is_token_char((char)c) && !strchr("*'%", c)) {
            to[n++] = (char)c;
            continue;
        }
        to[n++] = '%';
        to[n++] = hex[c >> 4];
        to[n++] = hex[c & 15];
    }
    return n;
}

/* Put the sections that follow list[at], which is section 0, together in it. */
static void join(struct parameters *p, size_t at, struct arena *a)
{
    struct parameter *sections[MIME_PARAMETERS_MAX] = {&p->list[at]};
    struct slice base = base_name(p->list[at].name);
    bool extended = is_extended(p->list[at].name);
    size_t n = 1, octets = p->list[at].value.len, place = at;
    for (;; n++) {
        struct parameter *next = find_section(p, place, base, (uint32_t)n);
        if (!next)
            break;
        sections[n] = next;
        place = (size_t)(next - p->list);
        extended |= is_extended(next->name);
        octets += next->value.len;
    }
    char *to = arena_try(a, 3 * octets + 2);
    char *name = arena_try(a, base.len + 1);
    if (!to || !name)
        return;
    size_t len = 0;
    if (extended && !is_extended(sections[0]->name)) { /* neither charset nor language */
        memcpy(to, "''", 2);
        len = 2;
    }
    for (size_t i = 0; i < n; i++) {
        len += put_section(to + len, sections[i], extended);
        sections[i]->section = i ? 0 : NO_SECTION;
        if (i)
            sections[i]->name = SLICE_NONE; /* taken */
    }
    memcpy(name, base.ptr, base.len);
    name[base.len] = '*';
    sections[0]->name = slice(name, base.len + extended);
    sections[0]->value = slice(to, len);
}

static void join_sections(struct parameters *p, struct arena *a)
{
    for (size_t i = 0; i < p->n; i++)
        p->list[i].section = section_of(p->list[i].name);
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].section == 0 && p->list[i].name.len)
            join(p, i, a);
    size_t n = 0;
    for (size_t i = 0; i < p->n; i++)
        if (p->list[i].name.len)
            p->list[n++] = p->list[i];
    p->n = n;
}

/* --- parameters ----------------------------------------------------------------------------- */

void parameters_read(struct slice s, struct arena *a, struct parameters *ret)
{
    bool no_quote = false, sections = false;
    ret->n = 0;
    while (s.len && ret->n < MIME_PARAMETERS_MAX) {
        struct slice name = token_take(&s);
        s = cfws_skip(s);
        if (name.len && s.len && s.ptr[0] == '=') {
            s = slice_from(s, 1);
            ret->list[ret->n++] = (struct parameter){name, value_take(&s, &no_quote, a), 0};
            sections |= slice_find(name, '*') < name.len;
        }
        size_t end = slice_find(s, ';');
        s = slice_from(s, end < s.len ? end + 1 : end);
    }
    if (sections)
        join_sections(ret, a);
}

struct slice parameters_find(const struct parameters *p, struct slice name)
{
    for (size_t i = 0; i < p->n; i++)
        if (slice_ieq(p->list[i].name, name))
            return p->list[i].value;
    return SLICE_NONE;
}

/* --- types ---------------------------------------------------------------------------------- */

static void set_default(bool in_digest, struct media *ret)
{
    *ret = (struct media){.type = SLICE("MESSAGE"), .subtype = SLICE("RFC822")};
    if (in_digest)
        return;
    ret->type = SLICE("TEXT");
    ret->subtype = SLICE("PLAIN");
    ret->parameters.n = 1;
    ret->parameters.list[0] = (struct parameter){SLICE("CHARSET"), SLICE("US-ASCII"), 0};
}

struct slice media_boundary(const struct media *m)
{
    struct slice boundary = parameters_find(&m->parameters, SLICE("boundary"));
    while (boundary.len && is_blank(boundary.ptr[boundary.len - 1]))
        boundary.len--;
    return boundary;
}

static bool read_type(struct slice value, struct arena *a, struct media *ret)
{
    ret->type = token_take(&value);
    value = cfws_skip(value);
    if (!ret->type.len || !value.len || value.ptr[0] != '/')
        return false;
    value = slice_from(value, 1);
    ret->subtype = token_take(&value);
    if (!ret->subtype.len)
        return false;
    size_t end = slice_find(value, ';');
    parameters_read(slice_from(value, end < value.len ? end + 1 : end), a, &ret->parameters);
    if (!slice_ieq(ret->type, SLICE("multipart")))
        return true;
    size_t boundary = media_boundary(ret).len;
    return boundary > 0 && boundary <= MIME_BOUNDARY_MAX;
}

void media_read(struct slice fields, bool in_digest, struct arena *a, struct media *ret)
{
    struct header_field field;
    struct slice value;
    bool found = header_find(fields, fields.len, SLICE("Content-Type"), &field);
    if (!found || header_unfold(a, field.value, &value) || !read_type(value, a, ret))
        set_default(in_digest && !found, ret);
}

struct slice media_token(struct slice fields, struct slice name, struct arena *a)
{
    struct header_field field;
    struct slice value;
    if (!header_find(fields, fields.len, name, &field) || header_unfold(a, field.value, &value))
        return SLICE_NONE;
    struct slice token = token_take(&value);
    return token;
}
