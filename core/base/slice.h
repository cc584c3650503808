/* Borrowed bytes: where they start and how many. Whoever lends them says how long they live. A
 * slice is never NUL-terminated and may hold any octet. */
#ifndef TANDEM_BASE_SLICE_H
#define TANDEM_BASE_SLICE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct slice {
    const char *ptr;
    size_t len;
};

#define SLICE(literal) ((struct slice){(literal), sizeof(literal) - 1})
#define SLICE_NONE ((struct slice){NULL, 0})
#define SLICE_FMT "%.*s"
#define SLICE_ARG(s) (int)(s).len, (s).ptr

static inline struct slice slice(const void *ptr, size_t len)
{
    return (struct slice){ptr, len};
}

static inline struct slice slice_str(const char *s)
{
    return (struct slice){s, s ? strlen(s) : 0};
}

static inline bool slice_eq(struct slice a, struct slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

/* The rest from `n` on; all of it must be there. (NULL + 0 is undefined in C17.) */
static inline struct slice slice_from(struct slice s, size_t n)
{
    return n ? (struct slice){s.ptr + n, s.len - n} : s;
}

static inline struct slice slice_first(struct slice s, size_t n)
{
    return (struct slice){s.ptr, n < s.len ? n : s.len};
}

/* ASCII only, as mail's grammars want it: no locale. */
static inline char ascii_lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : c;
}

static inline char ascii_upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 32) : c;
}

bool slice_ieq(struct slice a, struct slice b);
bool slice_starts(struct slice s, struct slice prefix);
bool slice_istarts(struct slice s, struct slice prefix);
int slice_cmp(struct slice a, struct slice b); /* octet order; a prefix sorts first */

size_t slice_ascii(struct slice s);  /* how many octets in front are below 0x80 */
bool slice_is_ascii(struct slice s); /* all are */

/* Position of `c`, or s.len. */
size_t slice_find(struct slice s, char c);

/* Without blanks (SP, HTAB) at either end. */
struct slice slice_trim(struct slice s);

/* Digits only, no sign, no blank; false on anything else or above `max` (RFC 3501 number). */
bool slice_u64(struct slice s, uint64_t max, uint64_t *ret);

#endif
