/* Our own look at the text: which key stands in which line, and everything that iniparser would
 * pass over in silence or trip over. It reads lines of at most 1024 octets, joins a line that ends
 * in a backslash with the next, takes the last of two equal keys, cuts an unquoted value at ; or #,
 * gives up at a byte order mark, and its releases differ in escapes. Lines with such trouble are
 * reported and left out of the text that iniparser is then given. */
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>

#include "core/base/config_key.h"
#include "core/base/mem.h"
#include "core/base/utf8.h"

enum { LINE_MAX_OCTETS = 1000 };

struct locator {
    struct config_located *out;
    struct config_errors *errs;
    unsigned line, sections_cap, entries_cap;
    unsigned current; /* section */
    enum { BEFORE, INSIDE, SKIPPING } state;
    char header[72]; /* a section line as iniparser shall see it */
};

PRINTF_LIKE(4, 5)
static void complain(struct locator *l, const char *key, const char *mend, const char *format, ...)
{
    char why[200];
    va_list ap;
    va_start(ap, format);
    vsnprintf(why, sizeof why, format, ap);
    va_end(ap);
    config_error_add(l->errs, l->line, key, why, mend);
}

static const char *shown(struct slice s, char to[64])
{
    snprintf(to, 64, "%.*s%s", (int)(s.len < 50 ? s.len : 50), s.ptr, s.len > 50 ? "..." : "");
    return to;
}

/* Lower-case copy that fits `to`; false when it does not. */
static bool lowered(struct slice s, char *to, size_t cap)
{
    if (s.len >= cap)
        return false;
    for (size_t i = 0; i < s.len; i++)
        to[i] = ascii_lower(s.ptr[i]);
    to[s.len] = '\0';
    return true;
}

static bool name_valid(struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        if (!((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return s.len <= CONFIG_NAME_MAX;
}

static bool section_known(const char *word)
{
    for (unsigned i = 0; i < config_keys_n; i++)
        if (strcmp(config_keys[i].section, word) == 0)
            return true;
    return false;
}

static void unknown_section(struct locator *l, struct slice word, struct slice name)
{
    char text[64];
    char mend[80] = "remove it with all its keys";
    char small[32];
    struct config_guess g = {.word = small};
    if (lowered(word, small, sizeof small))
        for (unsigned i = 0; i < config_keys_n; i++)
            config_guess_offer(&g, config_keys[i].section);
    if (g.best)
        snprintf(mend, sizeof mend, "did you mean [%s%s]?", g.best, name.len ? " NAME" : "");
    complain(l, "", mend, "there is no section [%s]", shown(word, text));
}

/* [listen NAME] must have a name, [tls] may, [imap] must not. */
static bool name_fits(struct locator *l, const struct config_group *group, const char *word,
                      struct slice name)
{
    bool optional = group == &config_groups[GROUP_TLS];
    char mend[80];
    if (name.len && !group) {
        snprintf(mend, sizeof mend, "write [%s]", word);
        complain(l, "", mend, "[%s] takes no name", word);
        return false;
    }
    if (!group || (name.len ? name_valid(name) : optional))
        return true;
    snprintf(mend, sizeof mend, "write [%s NAME] with 1 to %d of a-z 0-9 _ -", word,
             CONFIG_NAME_MAX);
    if (name.len)
        complain(l, "", mend, "the name of this section is not valid");
    else
        complain(l, "", mend, "[%s] needs a name", word);
    return false;
}

static void add_section(struct locator *l, const struct config_group *group, const char *title)
{
    struct config_located *out = l->out;
    if (out->n_sections == l->sections_cap) {
        l->sections_cap = l->sections_cap ? 2 * l->sections_cap : 16;
        out->sections = mem_resize(out->sections, l->sections_cap * sizeof *out->sections);
    }
    l->current = out->n_sections++;
    struct config_section *s = &out->sections[l->current];
    *s = (struct config_section){.line = l->line, .group = group};
    memcpy(s->title, title, strlen(title) + 1);
    l->state = INSIDE;
}

static void open_section(struct locator *l, const char *word, struct slice name)
{
    const struct config_group *group = config_group_find(word);
    struct config_located *out = l->out;
    char title[64];
    if (!name_fits(l, group, word, name))
        return;
    snprintf(title, sizeof title, "%s%s" SLICE_FMT, word, name.len ? " " : "", SLICE_ARG(name));
    unsigned same = 0;
    for (unsigned i = 0; i < out->n_sections; i++) {
        same += group && out->sections[i].group == group;
        if (strcmp(out->sections[i].title, title) != 0)
            continue;
        if (group) { /* two listeners of one name: surely a mistake */
            complain(l, "", "use another name, or join the two", "[%s] is in line %u already",
                     title, out->sections[i].line);
            return;
        }
        l->current = i; /* a plain section may be given in pieces */
        l->state = INSIDE;
        return;
    }
    if (group && same == group->max)
        complain(l, "", "remove some", "there are more than %u sections [%s ...]", group->max,
                 word);
    else
        add_section(l, group, title);
}

/* `[word]` or `[word name]`; `line` begins with the bracket. */
static struct slice section_line(struct locator *l, struct slice line)
{
    l->state = SKIPPING; /* unless it is a good one */
    size_t end = slice_find(line, ']');
    if (end + 1 != line.len) {
        complain(l, "", "write [SECTION] alone on its line", "not a section");
        return SLICE_NONE;
    }
    struct slice inside = slice_trim(slice(line.ptr + 1, end - 1));
    size_t n = 0;
    while (n < inside.len && inside.ptr[n] != ' ' && inside.ptr[n] != '\t')
        n++;
    struct slice word = slice_first(inside, n);
    struct slice name = slice_trim(slice_from(inside, n));
    char small[32];
    if (lowered(word, small, sizeof small) && section_known(small))
        open_section(l, small, name);
    else
        unknown_section(l, word, name);
    if (l->state != INSIDE)
        return SLICE_NONE;
    snprintf(l->header, sizeof l->header, "[%s]", l->out->sections[l->current].title);
    return slice_str(l->header);
}

static void unknown_key(struct locator *l, const char *label, const char *section, const char *key)
{
    char mend[80] = "remove it";
    struct config_guess g = {.word = key};
    const char *elsewhere = NULL;
    for (unsigned i = 0; i < config_keys_n; i++) {
        const struct config_key *k = &config_keys[i];
        if (strcmp(k->section, section) == 0)
            config_guess_offer(&g, k->key);
        else if (strcmp(k->key, key) == 0)
            elsewhere = k->section;
    }
    if (g.best)
        snprintf(mend, sizeof mend, "did you mean '%s'?", g.best);
    else if (elsewhere)
        snprintf(mend, sizeof mend, "it belongs to [%s]", elsewhere);
    complain(l, label, mend, "there is no such key in [%s]", section);
}

/* Will iniparser give back exactly what stands here? */
static bool value_sound(struct locator *l, const char *label, struct slice value)
{
    if (value.len == 0)
        return true;
    char quote = value.ptr[0];
    if (quote == '"' || quote == '\'') {
        struct slice rest = slice_from(value, 1);
        size_t end = slice_find(rest, quote);
        struct slice after = end < rest.len ? slice_trim(slice_from(rest, end + 1)) : SLICE_NONE;
        if (end == rest.len)
            complain(l, label, "close the quotes on the same line", "the quotes are not closed");
        else if (slice_find(slice_first(rest, end), '\\') < end)
            complain(l, label, "write it without quotes", "a backslash inside quotes");
        else if (after.len && after.ptr[0] != '#' && after.ptr[0] != ';')
            complain(l, label, "put the whole value in quotes", "text behind the closing quotes");
        else
            return true;
        return false;
    }
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] != ';' && value.ptr[i] != '#')
            continue;
        complain(l, label, "put the value in double quotes, a comment on a line of its own",
                 "the value would be cut at '%c'", value.ptr[i]);
        return false;
    }
    return true;
}

/* First time in its section? */
static bool first_time(struct locator *l, const char *label, const struct config_key *key)
{
    struct config_located *out = l->out;
    struct config_section *s = &out->sections[l->current];
    const struct config_key *first = key;
    while (first > config_keys && strcmp(first[-1].section, key->section) == 0)
        first--;
    uint64_t bit = (uint64_t)1 << (key - first);
    if (!(s->seen & bit)) {
        s->seen |= bit;
        return true;
    }
    unsigned at = 0;
    for (unsigned i = 0; i < out->n_entries && !at; i++)
        if (out->entries[i].key == key && out->entries[i].section == l->current)
            at = out->entries[i].line;
    if (at)
        complain(l, label, "remove one of the two", "it is given twice, before in line %u", at);
    else
        complain(l, label, "remove one of the two", "it is given twice");
    return false;
}

static void add_entry(struct locator *l, const struct config_key *key)
{
    struct config_located *out = l->out;
    if (out->n_entries == l->entries_cap) {
        l->entries_cap = l->entries_cap ? 2 * l->entries_cap : 64;
        out->entries = mem_resize(out->entries, l->entries_cap * sizeof *out->entries);
    }
    out->entries[out->n_entries++] =
        (struct config_entry){.line = l->line, .section = l->current, .key = key};
}

static bool key_line(struct locator *l, struct slice line)
{
    size_t eq = slice_find(line, '=');
    struct slice name = slice_trim(slice_first(line, eq));
    char text[64];
    char small[40];
    char label[136];
    if (l->state == SKIPPING)
        return false;
    if (eq == line.len || name.len == 0) {
        complain(l, "", "write KEY = VALUE, or begin a comment with #", "'%s' is not understood",
                 shown(line, text));
        return false;
    }
    if (l->state == BEFORE) {
        complain(l, shown(name, text), "put it below a line [SECTION]",
                 "it stands before the first section");
        return false;
    }
    const struct config_section *s = &l->out->sections[l->current];
    char section[32];
    snprintf(section, sizeof section, "%.*s", (int)strcspn(s->title, " "), s->title);
    snprintf(label, sizeof label, "%s.%s", s->title, shown(name, text));
    const struct config_key *key =
        lowered(name, small, sizeof small) ? config_key_find(section, small) : NULL;
    if (!key) {
        unknown_key(l, label, section, name.len < sizeof small ? small : "");
        return false;
    }
    /* no short cut: all that is wrong with a line is said */
    bool sound = value_sound(l, label, slice_trim(slice_from(line, eq + 1)));
    if (!first_time(l, label, key) || !sound)
        return false;
    add_entry(l, key);
    return true;
}

static bool octets_sound(struct locator *l, struct slice line)
{
    bool control = false;
    for (size_t i = 0; i < line.len; i++)
        control = control || ((unsigned char)line.ptr[i] < ' ' && line.ptr[i] != '\t');
    if (control)
        complain(l, "", "remove it", "a control character");
    else if (line.len > LINE_MAX_OCTETS)
        complain(l, "", "shorten it; long lists belong in files of their own",
                 "a line of %zu octets; at most %d are read", line.len, LINE_MAX_OCTETS);
    else if (!utf8_valid(line))
        complain(l, "", "save the file as UTF-8", "an octet that is not UTF-8");
    else
        return true;
    return false;
}

/* What iniparser shall see of this line: nothing when it is not to be trusted. */
static struct slice look(struct locator *l, struct slice line)
{
    if (line.len && line.ptr[line.len - 1] == '\r')
        line.len--;
    struct slice text = slice_trim(line);
    if (text.len == 0 || text.ptr[0] == '#' || text.ptr[0] == ';')
        return SLICE_NONE;
    if (!octets_sound(l, line))
        return SLICE_NONE;
    if (text.ptr[text.len - 1] == '\\') {
        complain(l, "", "write the whole value on one line", "a backslash at the end of the line");
        return SLICE_NONE;
    }
    if (text.ptr[0] == '[')
        return section_line(l, text);
    return key_line(l, text) ? text : SLICE_NONE;
}

void config_locate(struct slice text, struct config_located *ret, struct config_errors *errs)
{
    *ret = (struct config_located){0};
    buf_init(&ret->clean, text.len + 1);
    struct locator l = {.out = ret, .errs = errs};
    if (slice_starts(text, SLICE("\xef\xbb\xbf"))) {
        config_error_add(errs, 1, "", "a byte order mark", "save the file as UTF-8 without one");
        text = slice_from(text, 3);
    }
    while (text.len) {
        size_t n = slice_find(text, '\n');
        struct slice line = slice_first(text, n);
        l.line++;
        enum err e = buf_append(&ret->clean, look(&l, line));
        if (!e)
            e = buf_append_c(&ret->clean, '\n');
        assert(!e); /* no longer than the text */
        text = slice_from(text, n < text.len ? n + 1 : n);
    }
}

void config_located_finish(struct config_located *l)
{
    mem_free(l->sections);
    mem_free(l->entries);
    buf_finish(&l->clean);
}
