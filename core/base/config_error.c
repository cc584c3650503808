/* The list of what is wrong with a file, and guesses at what was meant. */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/config_key.h"
#include "core/base/mem.h"

enum { ERRORS_MAX = 200, ERRORS_OCTETS = 1 << 20 };

void config_errors_init(struct config_errors *errs)
{
    *errs = (struct config_errors){.file = ""};
    arena_init(&errs->arena, ERRORS_OCTETS);
}

void config_errors_finish(struct config_errors *errs)
{
    mem_free(errs->items);
    arena_reset(&errs->arena);
    config_errors_init(errs);
}

static const char *kept(struct config_errors *errs, const char *s)
{
    struct slice copy = arena_dup(&errs->arena, slice_str(s));
    return copy.ptr ? copy.ptr : "";
}

void config_error_add(struct config_errors *errs, unsigned line, const char *key, const char *why,
                      const char *mend)
{
    if (errs->n == ERRORS_MAX) {
        errs->left_out++;
        return;
    }
    if (errs->n == errs->cap) {
        errs->cap = errs->cap ? 2 * errs->cap : 8;
        errs->items = mem_resize(errs->items, errs->cap * sizeof *errs->items);
    }
    errs->items[errs->n++] = (struct config_error){
        .line = line,
        .key = kept(errs, key),
        .why = kept(errs, why),
        .mend = kept(errs, mend),
    };
}

/* By line; what was found first stays first. The list is short. */
void config_errors_sort(struct config_errors *errs)
{
    for (unsigned i = 1; i < errs->n; i++) {
        struct config_error e = errs->items[i];
        unsigned at = i;
        for (; at && errs->items[at - 1].line > e.line; at--)
            errs->items[at] = errs->items[at - 1];
        errs->items[at] = e;
    }
}

void config_error_format(const struct config_errors *errs, unsigned i, char *to, size_t cap)
{
    const struct config_error *e = &errs->items[i];
    char where[32] = "";
    if (e->line)
        snprintf(where, sizeof where, "%u: ", e->line);
    snprintf(to, cap, "%s:%s%s%s%s%s%s%s", errs->file, e->line ? "" : " ", where, e->key,
             e->key[0] ? ": " : "", e->why, e->mend[0] ? "; " : "", e->mend);
}

/* Edit distance with swaps of neighbours (Damerau, Levenshtein) of two short words. */
enum { WORD = 24 };

static unsigned distance(struct slice a, struct slice b)
{
    unsigned d[WORD + 1][WORD + 1];
    for (size_t i = 0; i <= a.len; i++)
        d[i][0] = (unsigned)i;
    for (size_t j = 0; j <= b.len; j++)
        d[0][j] = (unsigned)j;
    for (size_t i = 1; i <= a.len; i++)
        for (size_t j = 1; j <= b.len; j++) {
            unsigned best = d[i - 1][j - 1] + (a.ptr[i - 1] != b.ptr[j - 1]);
            if (d[i - 1][j] + 1 < best)
                best = d[i - 1][j] + 1;
            if (d[i][j - 1] + 1 < best)
                best = d[i][j - 1] + 1;
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1] &&
                d[i - 2][j - 2] + 1 < best)
                best = d[i - 2][j - 2] + 1;
            d[i][j] = best;
        }
    return d[a.len][b.len];
}

void config_guess_offer(struct config_guess *g, const char *candidate)
{
    struct slice a = slice_str(g->word);
    struct slice b = slice_str(candidate);
    if (a.len > WORD || b.len > WORD)
        return;
    unsigned far = distance(a, b);
    if (far > 1 + b.len / 4 || (g->best && far >= g->distance))
        return;
    g->best = candidate;
    g->distance = far;
}
