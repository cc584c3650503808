/* Every value of a config as text, and where it comes from. */
#include <stdio.h>

#include "core/base/config_key.h"
#include "core/base/mem.h"

enum { SHOWN_MAX = 1 << 20 }; /* no text is longer than its file */

struct showing {
    const struct config *config;
    void (*each)(void *arg, const struct config_shown *shown);
    void *arg;
    struct buf made; /* of a value that was never written */
};

/* --- values that were never written -------------------------------------------------------------
 */

static void add(struct buf *b, struct slice text)
{
    enum err e = buf_append(b, text);
    (void)e; /* of our own making, and short */
}

static void add_word(struct buf *b, const char *words, unsigned at)
{
    struct slice rest = slice_str(words);
    for (; at; at--)
        rest = slice_from(rest, slice_find(rest, '|') + 1);
    add(b, slice_first(rest, slice_find(rest, '|')));
}

/* The kinds of value that are worked out, where a file says nothing: names, paths, the listeners
 * that there are without any. Else the default. */
static const char *made(struct showing *s, const struct config_key *key, const void *base)
{
    const char *at = (const char *)base + key->offset;
    const char *text;
    struct config_list list;
    unsigned choice;
    s->made.len = 0;
    switch (key->kind) {
    case KIND_TEXT:
    case KIND_HOST:
    case KIND_PATH:
        memcpy(&text, at, sizeof text);
        add(&s->made, slice_str(text));
        break;
    case KIND_CHOICE:
        memcpy(&choice, at, sizeof choice);
        add_word(&s->made, key->words, choice);
        break;
    case KIND_ADDRESSES:
        memcpy(&list, at, sizeof list);
        for (unsigned i = 0; i < list.n; i++) {
            add(&s->made, i ? SLICE(", ") : SLICE_NONE);
            add(&s->made, slice_str(list.items[i]));
        }
        break;
    default:
        return key->fallback;
    }
    add(&s->made, slice("", 1));
    return s->made.ptr;
}

/* --- the walk -----------------------------------------------------------------------------------
 */

static void show(struct showing *s, const struct config_key *key, const char *name,
                 const struct config_text *text, const void *base)
{
    struct config_shown shown = {.section = key->section,
                                 .name = name,
                                 .key = key->key,
                                 .value = text->value,
                                 .line = text->line,
                                 .overridable = key->flags & KEY_OVER};
    if (!text->value || !text->value[0])
        shown.value = made(s, key, base);
    s->each(s->arg, &shown);
}

/* What a profile does not say itself it has from [tls]. */
static const struct config_text *text_of(const struct config *c, unsigned group, unsigned element,
                                         unsigned key)
{
    const struct config_text *own = &c->named[group][element][key];
    return group == GROUP_TLS && !own->value ? &c->text[key] : own;
}

static void show_group(struct showing *s, unsigned group)
{
    const struct config *c = s->config;
    const struct config_group *g = &config_groups[group];
    unsigned n;
    memcpy(&n, (const char *)c + g->count, sizeof n);
    for (unsigned i = 0; i < n; i++) {
        const struct config_named *named = config_element(c, g, i);
        for (unsigned k = 0; k < config_keys_n; k++)
            if (strcmp(config_keys[k].section, g->section) == 0)
                show(s, &config_keys[k], named->name, text_of(c, group, i, k), named);
    }
}

void config_show(const struct config *config,
                 void (*each)(void *arg, const struct config_shown *shown), void *arg)
{
    struct showing s = {.config = config, .each = each, .arg = arg};
    buf_init(&s.made, SHOWN_MAX);
    for (unsigned i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];
        const struct config_group *g = config_group_find(key->section);
        if (!g)
            show(&s, key, "", &config->text[i], config_plain_base(config, key));
        else if (i == 0 || strcmp(config_keys[i - 1].section, key->section) != 0)
            show_group(&s, (unsigned)(g - config_groups));
    }
    buf_finish(&s.made);
}
