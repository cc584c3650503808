/* The text of a plan, made into steps. */
#include "tests/bench/load.h"

#include <dirent.h>
#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/mem.h"

enum { LINE_ROOM = 1 << 16, NUMBER_DIGITS = 8 };

static const struct {
    const char *word;
    enum load_verb verb;
} verbs[] = {
    {"await",   STEP_AWAIT  },
    {"close",   STEP_CLOSE  },
    {"connect", STEP_CONNECT},
    {"expect",  STEP_EXPECT },
    {"lines",   STEP_LINES  },
    {"loop",    STEP_LOOP   },
    {"next",    STEP_NEXT   },
    {"pause",   STEP_PAUSE  },
    {"send",    STEP_SEND   },
    {"since",   STEP_SINCE  },
    {"stamp",   STEP_STAMP  },
    {"take",    STEP_TAKE   },
};

static struct load_file file_read(const char *path)
{
    FILE *f = fopen(path, "rb");
    struct stat st;
    if (!f || fstat(fileno(f), &st))
        err(2, "%s", path);
    char *octets = mem_new((size_t)st.st_size + 1);
    size_t n = fread(octets, 1, (size_t)st.st_size, f);
    fclose(f);
    const char *number = memmem(octets, n, "@@@@@@@@", NUMBER_DIGITS);
    return (struct load_file){slice(octets, n), number ? (size_t)(number - octets) : n};
}

static int not_hidden(const struct dirent *d)
{
    return d->d_name[0] != '.';
}

static void files_read(struct load_step *s, const char *path)
{
    struct stat st;
    if (stat(path, &st))
        err(2, "%s", path);
    if (!S_ISDIR(st.st_mode)) {
        s->files = mem_new(sizeof *s->files);
        s->files[s->n_files++] = file_read(path);
        return;
    }
    struct dirent **names;
    int n = scandir(path, &names, not_hidden, alphasort);
    if (n <= 0)
        errx(2, "%s: there is no file in it", path);
    s->files = mem_new_array((size_t)n, sizeof *s->files);
    for (int i = 0; i < n; i++) {
        char name[4096];
        snprintf(name, sizeof name, "%s/%s", path, names[i]->d_name);
        s->files[s->n_files++] = file_read(name);
        free(names[i]);
    }
    free(names);
}

static void part_add(struct load_step *s, struct load_part part)
{
    if (part.kind == PART_TEXT && part.text.len == 0)
        return;
    s->parts = mem_resize(s->parts, (s->n_parts + 1) * sizeof *s->parts);
    s->parts[s->n_parts++] = part;
}

static struct load_part part_of(const char *name)
{
    static const struct {
        const char *word;
        enum load_part_kind kind;
    } kinds[] = {
        {"user",       PART_USER      },
        {"i",          PART_LOOP      },
        {"connection", PART_CONNECTION},
        {"number",     PART_NUMBER    },
        {"size",       PART_SIZE      },
        {"octets",     PART_OCTETS    },
    };
    struct load_part part = {.kind = PART_RANDOM};
    if (sscanf(name, "random:%u:%u}", &part.low, &part.high) == 2 && part.low <= part.high)
        return part;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t n = strlen(kinds[i].word);
        if (strncmp(name, kinds[i].word, n) == 0 && name[n] == '}')
            return (struct load_part){.kind = kinds[i].kind};
    }
    errx(2, "what is ${%s", name);
}

static void text_parse(struct load_step *s, const char *from)
{
    char *text = mem_new(strlen(from) + 1);
    size_t n = 0, start = 0;
    while (*from) {
        if (from[0] == '$' && from[1] == '{') {
            part_add(s, (struct load_part){PART_TEXT, slice(text + start, n - start), 0, 0});
            start = n;
            part_add(s, part_of(from + 2));
            from = strchr(from, '}') + 1;
        } else if (from[0] == '\\' && from[1]) {
            text[n++] = (char)(from[1] == 'r' ? '\r' : from[1] == 'n' ? '\n' : from[1]);
            from += 2;
        } else {
            text[n++] = *from++;
        }
    }
    part_add(s, (struct load_part){PART_TEXT, slice(text + start, n - start), 0, 0});
}

static void group_attribute(struct load_group *g, const char *key, const char *value)
{
    static const char *const protocols[] = {"imap", "pop3", "lmtp"};
    const struct {
        const char *key;
        unsigned *to;
    } numbers[] = {
        {"connections", &g->connections},
        {"port",        &g->port       },
        {"first",       &g->first      },
        {"count",       &g->count      },
        {"per",         &g->per        },
        {"limit",       &g->limit      },
        {"at_once",     &g->at_once    },
    };
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (strcmp(key, numbers[i].key) == 0) {
            *numbers[i].to = (unsigned)strtoul(value, NULL, 10);
            return;
        }
    if (strcmp(key, "address") == 0)
        snprintf(g->address, sizeof g->address, "%s", value);
    else if (strcmp(key, "users") == 0)
        snprintf(g->users, sizeof g->users, "%s", value);
    else if (strcmp(key, "tls") == 0)
        g->tls = strcmp(value, "yes") == 0;
    else if (strcmp(key, "spread") == 0)
        g->spread = strcmp(value, "yes") == 0;
    else if (strcmp(key, "background") == 0)
        g->background = strcmp(value, "yes") == 0;
    else if (strcmp(key, "protocol") == 0) {
        for (unsigned i = 0; i < 3; i++)
            if (strcmp(value, protocols[i]) == 0)
                g->protocol = (enum load_protocol)i;
    } else
        errx(2, "a group has no %s", key);
}

static struct load_group *group_add(struct load_plan *plan, char *line)
{
    plan->groups = mem_resize(plan->groups, (plan->n_groups + 1) * sizeof *plan->groups);
    struct load_group *g = &plan->groups[plan->n_groups++];
    *g = (struct load_group){.connections = 1, .count = 1, .per = 1, .at_once = 8};
    char *save, *word = strtok_r(line, " ", &save);
    snprintf(g->name, sizeof g->name, "%s", word ? word : "");
    while ((word = strtok_r(NULL, " ", &save))) {
        char *is = strchr(word, '=');
        if (!is)
            errx(2, "group %s: %s has no value", g->name, word);
        *is = '\0';
        group_attribute(g, word, is + 1);
    }
    return g;
}

static void step_parse(struct load_step *s, struct load_step *steps, unsigned n, char *rest)
{
    switch (s->verb) {
    case STEP_EXPECT:
    case STEP_AWAIT:
        s->text = slice_str(mem_dup(rest, strlen(rest) + 1));
        break;
    case STEP_SEND:
        text_parse(s, rest);
        break;
    case STEP_LOOP:
    case STEP_PAUSE:
        s->count = s->most = (unsigned)strtoul(rest, &rest, 10);
        if (*rest)
            s->most = (unsigned)strtoul(rest, NULL, 10);
        break;
    case STEP_NEXT: /* loops do not nest: the newest one is meant */
        for (s->count = n; s->count > 0 && steps[s->count - 1].verb != STEP_LOOP; s->count--) {
        }
        if (s->count == 0)
            errx(2, "next without a loop");
        break;
    case STEP_TAKE:
        files_read(s, rest);
        break;
    default:
        break;
    }
}

static void step_add(struct load_step **steps, unsigned *n, char *line)
{
    char *rest = strchr(line, ' ');
    size_t word = rest ? (size_t)(rest - line) : strlen(line);
    rest = rest ? rest + 1 : line + word;
    for (unsigned i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (strlen(verbs[i].word) == word && strncmp(line, verbs[i].word, word) == 0) {
            *steps = mem_resize(*steps, (*n + 1) * sizeof **steps);
            (*steps)[*n] = (struct load_step){.verb = verbs[i].verb};
            step_parse(&(*steps)[*n], *steps, *n, rest);
            ++*n;
            return;
        }
    errx(2, "there is no step '%s'", line);
}

void load_plan_read(struct load_plan *plan, const char *path)
{
    FILE *f = fopen(path, "r");
    if (!f)
        err(2, "%s", path);
    struct load_group *g = NULL;
    bool each = false;
    static char line[LINE_ROOM];
    while (fgets(line, sizeof line, f)) {
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || line[0] == '#')
            continue;
        if (strncmp(line, "seconds ", 8) == 0)
            plan->seconds = strtod(line + 8, NULL);
        else if (strncmp(line, "group ", 6) == 0)
            g = group_add(plan, line + 6);
        else if (!g)
            errx(2, "before the first group: %s", line);
        else if (strcmp(line, "setup") == 0 || strcmp(line, "each") == 0)
            each = line[0] == 'e';
        else if (each)
            step_add(&g->each, &g->n_each, line);
        else
            step_add(&g->setup, &g->n_setup, line);
        if (g && strcmp(line, "since") == 0)
            g->samples_since = true;
    }
    fclose(f);
    if (plan->n_groups == 0)
        errx(2, "%s: there is no group", path);
}
