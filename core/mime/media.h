/* Content-Type and Content-Disposition: a type and its parameters (RFC 2045 section 5.1, RFC 2183),
 * with the continuations of RFC 2231 put together. Inside core/mime. */
#ifndef TANDEM_MIME_MEDIA_H
#define TANDEM_MIME_MEDIA_H

#include <stdbool.h>

#include "core/base/slice.h"
#include "core/mime/envelope.h"

struct arena;

struct parameter {
    struct slice name, value; /* the name as it was written; the value without quotes */
    uint32_t section;         /* private to media.c */
};

struct parameters {
    size_t n;
    struct parameter list[MIME_PARAMETERS_MAX];
};

/* What can be read of `s`: ";" name "=" value, again and again. A value without quotes goes up to
 * the next ";" or comment. Texts lie in `s` or the arena; what no longer fits there is left out. */
void parameters_read(struct slice s, struct arena *a, struct parameters *ret);
/* The value of that name (any case), or an empty slice. */
struct slice parameters_find(const struct parameters *p, struct slice name);

/* The octets up to a blank, comment, ";" or what else no token may hold; taken off the front of *s.
 * Empty: there is none. */
struct slice token_take(struct slice *s);

struct media {
    struct slice type, subtype;
    struct parameters parameters;
};

/* The type that a part has: that of its Content-Type, or the default that applies to it (mime.h). A
 * multipart that is returned has a boundary that can be looked for; media_boundary gives it. */
void media_read(struct slice fields, bool in_digest, struct arena *a, struct media *ret);
struct slice media_boundary(const struct media *m);
/* The first token of that field, which may be empty; SLICE_NONE: there is no such field. */
struct slice media_token(struct slice fields, struct slice name, struct arena *a);

#endif
