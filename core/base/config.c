/* From a file to a `struct config`:
 *
 *      file --> text --> config_locate (lines, traps) --> what is sound --> iniparser --> values
 *                              |                                                           |
 *                              `-> errors <-- config_check <-- struct config <-- key table <
 *
 * The text is read once; iniparser gets the sound part of it as a file in memory, since its
 * releases of Debian 12 read nothing but named files. */
#include "core/base/config.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <iniparser/iniparser.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/config_key.h"
#include "core/base/fault.h"
#include "core/base/mem.h"

enum { FILE_MAX = 1 << 20, ARENA_MAX = 64 << 20 };

/* --- birth, count, end --------------------------------------------------------------------------
 */

struct config *config_ref(const struct config *config)
{
    struct config *c = (struct config *)(uintptr_t)config; /* const to readers, not to the count */
    atomic_fetch_add_explicit(&c->refs, 1, memory_order_relaxed);
    return c;
}

void config_unref(const struct config *config)
{
    struct config *c = (struct config *)(uintptr_t)config;
    if (!c || atomic_fetch_sub_explicit(&c->refs, 1, memory_order_acq_rel) != 1)
        return;
    arena_reset(&c->arena);
    mem_free(c);
}

_Static_assert(sizeof((struct config *)0)->named / sizeof(struct config_text **) == GROUPS,
               "a list of texts for each group");

static void *group_array(const struct config *c, const struct config_group *g)
{
    void *array;
    memcpy(&array, (const char *)c + g->at, sizeof array);
    return array;
}

/* Where the field of a key outside named sections is; [tls] is the first of its group. */
void *config_plain_base(const struct config *config, const struct config_key *key)
{
    struct config *c = (struct config *)(uintptr_t)config;
    if (key->flags & KEY_OVER)
        return &c->settings;
    return config_group_find(key->section) ? (void *)c->tls : c;
}

static bool is_plain(const struct config_key *key)
{
    const struct config_group *g = config_group_find(key->section);
    return !g || g == &config_groups[GROUP_TLS];
}

static void must_read(struct config *c, const struct config_key *key, const char *text, void *base)
{
    struct config_value v = {.arena = &c->arena, .unranged = true};
    bool good = config_value_read(&v, key, slice_str(text), base);
    assert(good); /* a default of the table, or a text that was read before */
}

static void group_defaults(struct config *c, const struct config_group *g, void *element)
{
    for (unsigned i = 0; i < config_keys_n; i++)
        if (strcmp(config_keys[i].section, g->section) == 0 && !(config_keys[i].flags & KEY_MUST))
            must_read(c, &config_keys[i], config_keys[i].fallback, element);
}

void *config_element(const struct config *c, const struct config_group *g, unsigned i)
{
    return (char *)group_array(c, g) + i * g->size;
}

static void group_resize(struct config *c, const struct config_group *g, unsigned n)
{
    void *array = n ? arena_new(&c->arena, n * g->size) : NULL;
    memcpy((char *)c + g->at, &array, sizeof array);
    memcpy((char *)c + g->count, &n, sizeof n);
    struct config_text **texts = n ? arena_new(&c->arena, n * sizeof *texts) : NULL;
    c->named[g - config_groups] = texts;
    for (unsigned i = 0; i < n; i++) /* a row of the table each: few are named */
        texts[i] = arena_new(&c->arena, config_keys_n * sizeof **texts);
    for (unsigned i = 0; i < n; i++)
        group_defaults(c, g, config_element(c, g, i));
}

/* Every key with its default; `counts` elements in the groups. */
static struct config *config_new(const char *file, const unsigned counts[GROUPS])
{
    struct config *c = mem_new(sizeof *c);
    atomic_init(&c->refs, 1);
    arena_init(&c->arena, ARENA_MAX);
    c->file = arena_dup(&c->arena, slice_str(file)).ptr;
    c->text = arena_new(&c->arena, config_keys_n * sizeof *c->text);
    for (unsigned i = 0; i < GROUPS; i++)
        group_resize(c, &config_groups[i], counts[i]);
    c->tls[0].name = "";
    for (unsigned i = 0; i < config_keys_n; i++)
        if (is_plain(&config_keys[i]))
            must_read(c, &config_keys[i], config_keys[i].fallback,
                      config_plain_base(c, &config_keys[i]));
    return c;
}

/* --- what follows from other keys or from the machine -------------------------------------------
 */

static const char *system_hostname(struct config *c)
{
    char text[256] = "";
    const char *name = NULL;
    struct config_value v = {.arena = &c->arena};
    const struct config_key key = {.kind = KIND_HOST};
    if (gethostname(text, sizeof text - 1) == 0 &&
        config_value_read(&v, &key, slice_str(text), &name) && name)
        return name;
    return "localhost";
}

static uint32_t cores(uint32_t most)
{
    cpu_set_t set;
    uint32_t n = 1;
    if (sched_getaffinity(0, sizeof set, &set) == 0)
        n = (uint32_t)CPU_COUNT(&set);
    return n < 1 ? 1 : n > most ? most : n;
}

/* A path in the store's directory. */
static const char *in_store(struct config *c, const char *scheme, const char *leaf)
{
    size_t cap = strlen(scheme) + strlen(c->store.path) + strlen(leaf) + 2;
    char *path = arena_new(&c->arena, cap);
    snprintf(path, cap, "%s%s/%s", scheme, c->store.path, leaf);
    return path;
}

static void default_listeners(struct config *c)
{
    static const struct {
        const char *name, *v4, *v6;
        enum config_protocol protocol;
        enum config_tls tls;
    } rows[] = {
        {"pop3",  "*:110", "[::]:110", PROTOCOL_POP3, CONFIG_TLS_STARTTLS},
        {"imap",  "*:143", "[::]:143", PROTOCOL_IMAP, CONFIG_TLS_STARTTLS},
        {"pop3s", "*:995", "[::]:995", PROTOCOL_POP3, CONFIG_TLS_IMPLICIT},
        {"imaps", "*:993", "[::]:993", PROTOCOL_IMAP, CONFIG_TLS_IMPLICIT},
        {"lmtp",  NULL,    NULL,       PROTOCOL_LMTP, CONFIG_TLS_NONE    },
    };
    enum { ROWS = sizeof rows / sizeof *rows };
    group_resize(c, &config_groups[GROUP_LISTEN], ROWS);
    for (unsigned i = 0; i < ROWS; i++) {
        const char **items = arena_new(&c->arena, 2 * sizeof *items);
        items[0] = rows[i].v4 ? rows[i].v4 : in_store(c, "unix:", "lmtp");
        items[1] = rows[i].v6;
        c->listen[i].name = rows[i].name;
        c->listen[i].protocol = rows[i].protocol;
        c->listen[i].tls = rows[i].tls;
        c->listen[i].address = (struct config_list){items, rows[i].v6 ? 2 : 1};
    }
}

static bool is_given(const struct config *c, const char *section, const char *key)
{
    const char *text = c->text[config_key_find(section, key) - config_keys].value;
    return text && text[0];
}

/* May run again after a key was changed (config_set_for_test, config_keep_restart). */
static void derive(struct config *c)
{
    if (!is_given(c, "tandem", "hostname"))
        c->tandem.hostname = system_hostname(c);
    if (!is_given(c, "tandem", "default_domain"))
        c->tandem.default_domain = c->tandem.hostname;
    if (!c->tandem.loops)
        c->tandem.loops = cores(8);
    if (!c->tandem.workers)
        c->tandem.workers = cores(8);
    if (!is_given(c, "daemon", "control"))
        c->daemon.control = in_store(c, "", "control");
    if (c->default_listen)
        default_listeners(c);
}

void config_default(struct config **ret)
{
    struct config *c = config_new("", (const unsigned[GROUPS]){[GROUP_TLS] = 1});
    c->default_listen = true;
    derive(c);
    *ret = c;
}

/* --- text to config -----------------------------------------------------------------------------
 */

static int silent(const char *format, ...)
{
    (void)format;
    return 0; /* what iniparser would say is in our errors, with its line */
}

/* NULL: no memory file, errno says why. */
static dictionary *ini_load(struct slice text)
{
    dictionary *d = NULL;
    int fd = memfd_create("tandem.ini", MFD_CLOEXEC);
    if (fd < 0)
        return NULL;
    if (write(fd, text.ptr, text.len) == (ssize_t)text.len) {
        char path[40];
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        iniparser_set_error_callback(silent);
        d = iniparser_load(path);
    }
    close(fd);
    return d;
}

struct loading {
    struct config *config;
    struct config_located located;
    struct config_errors *errs;
    dictionary *ini;
    void **elements;            /* by section: where its keys go; NULL for plain ones */
    struct config_text **texts; /* and where they are noted; NULL for plain ones and [tls] */
};

static void entry_label(const struct loading *l, const struct config_entry *e, char to[112])
{
    snprintf(to, 112, "%s.%s", l->located.sections[e->section].title, e->key->key);
}

static void read_entry(struct loading *l, const struct config_entry *e)
{
    const struct config_section *s = &l->located.sections[e->section];
    struct config *c = l->config;
    char name[112];
    char label[112];
    snprintf(name, sizeof name, "%s:%s", s->title, e->key->key);
    entry_label(l, e, label);
    const char *text = iniparser_getstring(l->ini, name, NULL);
    if (!text) {
        config_error_add(l->errs, e->line, label, "it cannot be read",
                         "put the value in double quotes");
        return;
    }
    void *base = l->elements[e->section] ? l->elements[e->section] : config_plain_base(c, e->key);
    struct config_value v = {.arena = &c->arena};
    if (!config_value_read(&v, e->key, slice_str(text), base)) {
        config_error_add(l->errs, e->line, label, v.why, v.mend);
        return;
    }
    struct config_text *texts = l->texts[e->section] ? l->texts[e->section] : c->text;
    texts[e->key - config_keys] = (struct config_text){
        .value = arena_dup(&c->arena, slice_str(text)).ptr,
        .line = e->line,
    };
}

/* Give each named section its element; [tls] is tls[0] wherever it stands. */
static void place_sections(struct loading *l)
{
    unsigned next[GROUPS] = {[GROUP_TLS] = 1};
    for (unsigned i = 0; i < l->located.n_sections; i++) {
        const struct config_section *s = &l->located.sections[i];
        if (!s->group)
            continue;
        const char *name = strchr(s->title, ' ');
        unsigned g = (unsigned)(s->group - config_groups);
        unsigned at = g == GROUP_TLS && !name ? 0 : next[g]++;
        struct config_named *named = config_element(l->config, s->group, at);
        if (name)
            l->texts[i] = l->config->named[g][at];
        if (name)
            named->name = arena_dup(&l->config->arena, slice_str(name + 1)).ptr;
        named->line = s->line;
        l->elements[i] = named;
    }
}

static void count_sections(const struct config_located *located, unsigned counts[GROUPS])
{
    counts[GROUP_TLS] = 1;
    for (unsigned i = 0; i < located->n_sections; i++) {
        const struct config_section *s = &located->sections[i];
        if (s->group && (s->group != &config_groups[GROUP_TLS] || strchr(s->title, ' ')))
            counts[s->group - config_groups]++;
    }
}

/* A profile has from [tls] what it does not say itself. */
static void inherit_tls(struct config *c)
{
    for (unsigned i = 1; i < c->n_tls; i++) {
        struct config_tls_profile own = c->tls[i];
        c->tls[i] = c->tls[0];
        c->tls[i].name = own.name;
        c->tls[i].line = own.line;
    }
}

static void read_entries(struct loading *l)
{
    struct config *c = l->config;
    for (unsigned i = 0; i < l->located.n_entries; i++) {
        void *element = l->elements[l->located.entries[i].section];
        if (!element || element == c->tls)
            read_entry(l, &l->located.entries[i]);
    }
    inherit_tls(c);
    for (unsigned i = 0; i < l->located.n_entries; i++) {
        void *element = l->elements[l->located.entries[i].section];
        if (element && element != c->tls)
            read_entry(l, &l->located.entries[i]);
    }
}

static void report_missing(struct loading *l)
{
    for (unsigned i = 0; i < l->located.n_sections; i++) {
        const struct config_section *s = &l->located.sections[i];
        unsigned row = 0;
        for (unsigned k = 0; s->group && k < config_keys_n; k++) {
            if (strcmp(config_keys[k].section, s->group->section) != 0)
                continue;
            if ((config_keys[k].flags & KEY_MUST) && !(s->seen >> row & 1)) {
                char label[112];
                entry_label(l, &(struct config_entry){.section = i, .key = &config_keys[k]}, label);
                config_error_add(l->errs, s->line, label, "it is missing", config_keys[k].help);
            }
            row++;
        }
    }
}

enum err config_parse(struct slice text, const char *file, struct config **ret,
                      struct config_errors *errs)
{
    struct loading l = {.errs = errs};
    unsigned counts[GROUPS] = {0};
    errs->file = arena_dup(&errs->arena, slice_str(file)).ptr;
    config_locate(text, &l.located, errs);
    count_sections(&l.located, counts);
    l.ini = ini_load(buf_slice(&l.located.clean));
    l.config = config_new(file, counts);
    l.elements = mem_new_array(l.located.n_sections, sizeof *l.elements);
    l.texts = mem_new_array(l.located.n_sections, sizeof *l.texts);
    enum err e = ERR_OK;
    if (l.ini) {
        place_sections(&l);
        read_entries(&l);
        report_missing(&l);
        l.config->default_listen = counts[GROUP_LISTEN] == 0;
        derive(l.config);
        config_check(l.config, errs);
        if (errs->also)
            errs->also(l.config, errs);
    } else {
        config_error_add(errs, 0, "", "there is no way to give it to iniparser",
                         "is /proc mounted?");
        e = ERR_DOWN;
    }
    config_errors_sort(errs);
    if (!e && errs->n)
        e = ERR_SYNTAX;
    if (!e)
        *ret = config_ref(l.config);
    config_unref(l.config);
    mem_free(l.elements);
    mem_free(l.texts);
    iniparser_freedict(l.ini);
    config_located_finish(&l.located);
    return e;
}

static enum err unreadable(struct config_errors *errs, enum err e, const char *why,
                           const char *mend)
{
    config_error_add(errs, 0, "", why, mend);
    return e;
}

static enum err read_all(int fd, struct buf *text, struct config_errors *errs)
{
    struct stat st;
    if (fstat(fd, &st) == 0 && !S_ISREG(st.st_mode))
        return unreadable(errs, ERR_DOWN, "it is not a file", "name the configuration file");
    for (;;) {
        if (buf_reserve(text, 4096))
            return unreadable(errs, ERR_TOOBIG, "it has more than 1 MiB", "shorten it");
        ssize_t n = read(fd, text->ptr + text->len, text->cap - text->len);
        if (n == 0)
            return ERR_OK;
        if (n < 0)
            return unreadable(errs, ERR_DOWN, strerror(errno), "");
        text->len += (size_t)n;
    }
}

enum err config_load(const char *path, struct config **ret, struct config_errors *errs)
{
    errs->file = arena_dup(&errs->arena, slice_str(path)).ptr;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return unreadable(errs, ERR_NOTFOUND, "there is no such file", "name it with -c FILE");
    if (fd < 0)
        return unreadable(errs, errno == EACCES ? ERR_PERM : ERR_DOWN, strerror(errno),
                          "make it readable");
    struct buf text;
    buf_init(&text, FILE_MAX + 4096);
    enum err e = read_all(fd, &text, errs);
    if (!e)
        e = config_parse(buf_slice(&text), path, ret, errs);
    buf_finish(&text);
    close(fd);
    return e;
}

/* --- one key at a time --------------------------------------------------------------------------
 */

const char *config_key_text(const struct config *config, unsigned i, unsigned *ret_line)
{
    *ret_line = 0;
    if (!is_plain(&config_keys[i]))
        return NULL;
    *ret_line = config->text[i].line;
    return config->text[i].value ? config->text[i].value : config_keys[i].fallback;
}

/* "pop3.hide_seen" */
static const struct config_key *key_named(struct slice name)
{
    for (unsigned i = 0; i < config_keys_n; i++) {
        size_t n = strlen(config_keys[i].section);
        if (name.len > n && name.ptr[n] == '.' &&
            slice_starts(name, slice_str(config_keys[i].section)) &&
            slice_eq(slice_from(name, n + 1), slice_str(config_keys[i].key)))
            return &config_keys[i];
    }
    return NULL;
}

enum err config_override(struct settings *s, struct slice name, struct slice value, struct arena *a,
                         struct fault *why)
{
    const struct config_key *key = key_named(name);
    if (!key) {
        char word[32];
        size_t dot = slice_find(name, '.');
        struct slice rest = slice_from(name, dot < name.len ? dot + 1 : 0);
        snprintf(word, sizeof word, SLICE_FMT, SLICE_ARG(slice_first(rest, sizeof word - 1)));
        struct config_guess g = {.word = word};
        const char *section = NULL;
        for (unsigned i = 0; i < config_keys_n; i++) {
            const char *before = g.best;
            if (config_keys[i].flags & KEY_OVER)
                config_guess_offer(&g, config_keys[i].key);
            section = g.best != before ? config_keys[i].section : section;
        }
        return fault(why, ERR_NOTFOUND, "there is no setting '" SLICE_FMT "'%s%s%s%s%s",
                     SLICE_ARG(slice_first(name, 64)), g.best ? "; did you mean '" : "",
                     g.best ? section : "", g.best ? "." : "", g.best ? g.best : "",
                     g.best ? "'?" : "");
    }
    if (!(key->flags & KEY_OVER))
        return fault(why, ERR_PERM, "%s.%s can only be set in the configuration file", key->section,
                     key->key);
    struct settings changed = *s;
    struct config_value v = {.arena = a};
    if (!config_value_read(&v, key, value, &changed))
        return fault(why, v.full ? ERR_LIMIT : ERR_SYNTAX, "%s.%s: %s; %s", key->section, key->key,
                     v.why, v.mend);
    *s = changed;
    return ERR_OK;
}

/* The running value, into `fresh`. */
static void keep(struct config *fresh, const struct config *running, const struct config_key *key)
{
    size_t i = (size_t)(key - config_keys);
    struct slice text = slice_str(running->text[i].value);
    fresh->text[i].value = text.ptr ? arena_dup(&fresh->arena, text).ptr : NULL;
    must_read(fresh, key, text.ptr ? fresh->text[i].value : key->fallback,
              config_plain_base(fresh, key));
}

/* The helper opened its PAM services when it was forked. */
static bool pam_differs(const struct config *a, const struct config *b)
{
    unsigned i = 0;
    unsigned k = 0;
    for (;; i++, k++) {
        while (i < a->auth.sources.n && a->auth.sources.items[i].kind != SOURCE_PAM)
            i++;
        while (k < b->auth.sources.n && b->auth.sources.items[k].kind != SOURCE_PAM)
            k++;
        if (i == a->auth.sources.n || k == b->auth.sources.n)
            return i < a->auth.sources.n || k < b->auth.sources.n;
        if (strcmp(a->auth.sources.items[i].name, b->auth.sources.items[k].name) != 0)
            return true;
    }
}

void config_keep_restart(struct config *fresh, const struct config *running,
                         void (*changed)(void *arg, const char *key, unsigned line), void *arg)
{
    for (unsigned i = 0; i < config_keys_n; i++) {
        const struct config_key *key = &config_keys[i];
        bool sources = strcmp(key->key, "sources") == 0;
        if (!is_plain(key) || (key->class != CONFIG_RESTART && !sources))
            continue;
        unsigned line;
        unsigned unused;
        if (sources ? !pam_differs(fresh, running)
                    : strcmp(config_key_text(fresh, i, &line),
                             config_key_text(running, i, &unused)) == 0)
            continue;
        char label[72];
        snprintf(label, sizeof label, "%s.%s", key->section, key->key);
        config_key_text(fresh, i, &line);
        keep(fresh, running, key);
        changed(arg, label, line);
    }
    derive(fresh);
}

void config_set_for_test(struct config *config, const char *name, const char *value)
{
    const struct config_key *key = key_named(slice_str(name));
    if (!key || !is_plain(key)) {
        fprintf(stderr, "config_set_for_test: there is no key '%s'\n", name);
        abort();
    }
    struct config_value v = {.arena = &config->arena, .unranged = true};
    if (!config_value_read(&v, key, slice_str(value), config_plain_base(config, key))) {
        fprintf(stderr, "config_set_for_test: %s %s; %s\n", name, v.why, v.mend);
        abort();
    }
    config->text[key - config_keys].value = arena_dup(&config->arena, slice_str(value)).ptr;
    derive(config);
}
