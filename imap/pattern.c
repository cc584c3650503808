#include "imap/pattern.h"

#include <string.h>

static bool is_wildcard(char c)
{
    return c == '*' || c == '%';
}

enum err pattern_make(struct slice reference, struct slice text, struct arena *arena,
                      struct pattern *ret)
{
    if (reference.len > PATTERN_MAX || text.len > PATTERN_MAX - reference.len)
        return ERR_LIMIT;
    char *to = arena_new(arena, PATTERN_MAX);
    size_t n = 0;
    bool wild = false;
    for (size_t i = 0; i < reference.len + text.len; i++) {
        char c = i < reference.len ? reference.ptr[i] : text.ptr[i - reference.len];
        if (!is_wildcard(c)) {
            to[n++] = c;
            continue;
        }
        wild = true;
        if (n && is_wildcard(to[n - 1])) {
            if (c == '*')
                to[n - 1] = '*';
        } else {
            to[n++] = c;
        }
    }
    *ret = (struct pattern){.text = slice(to, n), .wild = wild};
    return ERR_OK;
}

static size_t inbox_len(struct slice name)
{
    bool is_inbox = slice_starts(name, SLICE("INBOX")) && (name.len == 5 || name.ptr[5] == '/');
    return is_inbox ? 5 : 0;
}

/* `at[j]`: the first j octets of the pattern match what has been read of the name. */
bool pattern_match(const struct pattern *p, struct slice name)
{
    size_t folded = inbox_len(name), m = p->text.len;
    const char *pat = p->text.ptr;
    if (!p->wild && m != name.len)
        return false;
    bool at[PATTERN_MAX + 1] = {true};
    for (size_t j = 0; j < m && is_wildcard(pat[j]); j++)
        at[j + 1] = true;
    size_t alive = 0; /* nothing below it is true: plain prefixes cost one step an octet */
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool before = false, any = false; /* before: at[j] as it was for the octet before */
        size_t from = alive;
        for (size_t j = from; j <= m; j++) {
            bool was = at[j];
            char q = j ? pat[j - 1] : '\0';
            if (j && is_wildcard(q))
                at[j] = (j > from && at[j - 1]) || (was && (q == '*' || c != '/'));
            else
                at[j] = j > from && before && (q == c || (i < folded && ascii_upper(q) == c));
            before = was;
            if (at[j] && !any) {
                any = true;
                alive = j;
            }
        }
        if (!any)
            return false;
    }
    return at[m];
}
