#include "tests/lib/structure_check.h"

struct text {
    struct slice rest;
    bool bad;
    bool extended;
    size_t bodies;
};

static bool is(struct text *t, const char *s)
{
    return slice_starts(t->rest, slice_str(s));
}

static bool take(struct text *t, const char *s)
{
    if (!is(t, s))
        return false;
    t->rest = slice_from(t->rest, strlen(s));
    return true;
}

static void want(struct text *t, const char *s)
{
    t->bad |= !take(t, s);
}

static uint64_t number(struct text *t)
{
    uint64_t n = 0;
    size_t len = 0;
    while (len < t->rest.len && t->rest.ptr[len] >= '0' && t->rest.ptr[len] <= '9')
        len++;
    t->bad |= !slice_u64(slice_first(t->rest, len), UINT32_MAX, &n);
    t->rest = slice_from(t->rest, len);
    return n;
}

/* Octets that no string may hold: NUL; in a quoted one also CR, LF and 8-bit ones. */
static struct slice string(struct text *t)
{
    struct slice s = SLICE_NONE;
    if (take(t, "{")) {
        uint64_t n = number(t);
        want(t, "}\r\n");
        if (n > t->rest.len) {
            t->bad = true;
            return s;
        }
        s = slice_first(t->rest, n);
        t->rest = slice_from(t->rest, n);
        t->bad |= slice_find(s, '\0') < s.len;
        return s;
    }
    want(t, "\"");
    size_t n = 0;
    for (; !t->bad && n < t->rest.len && t->rest.ptr[n] != '"'; n++) {
        unsigned char c = (unsigned char)t->rest.ptr[n];
        t->bad |= c == 0 || c == '\r' || c == '\n' || c >= 0x80;
        if (c == '\\') {
            n++;
            t->bad |= n >= t->rest.len || (t->rest.ptr[n] != '"' && t->rest.ptr[n] != '\\');
        }
    }
    s = slice_first(t->rest, n);
    t->bad |= n >= t->rest.len;
    if (!t->bad)
        t->rest = slice_from(t->rest, n + 1);
    return s;
}

/* SLICE_NONE for NIL. */
static struct slice nstring(struct text *t)
{
    return take(t, "NIL") ? SLICE_NONE : string(t);
}

/* "(" name SP route SP mailbox SP host ")" */
static void address(struct text *t, bool *in_group)
{
    want(t, "(");
    struct slice name = nstring(t);
    want(t, " ");
    struct slice route = nstring(t);
    want(t, " ");
    struct slice mailbox = nstring(t);
    want(t, " ");
    struct slice host = nstring(t);
    want(t, ")");
    if (host.ptr) {
        t->bad |= !mailbox.ptr;
    } else { /* a group begins or ends */
        t->bad |= name.ptr || route.ptr || *in_group != !mailbox.ptr;
        *in_group = mailbox.ptr != NULL;
    }
}

static void addresses(struct text *t)
{
    bool in_group = false;
    if (take(t, "NIL"))
        return;
    want(t, "(");
    do
        address(t, &in_group);
    while (!t->bad && !is(t, ")"));
    want(t, ")");
    t->bad |= in_group;
}

static void envelope(struct text *t)
{
    want(t, "(");
    (void)nstring(t); /* date */
    want(t, " ");
    (void)nstring(t); /* subject */
    for (int i = 0; i < 6; i++) {
        want(t, " ");
        addresses(t);
    }
    want(t, " ");
    (void)nstring(t); /* in-reply-to */
    want(t, " ");
    (void)nstring(t); /* message-id */
    want(t, ")");
}

static void parameters(struct text *t)
{
    if (take(t, "NIL"))
        return;
    want(t, "(");
    do {
        (void)string(t);
        want(t, " ");
        (void)string(t);
    } while (!t->bad && take(t, " "));
    want(t, ")");
}

static void disposition(struct text *t)
{
    if (take(t, "NIL"))
        return;
    want(t, "(");
    (void)string(t);
    want(t, " ");
    parameters(t);
    want(t, ")");
}

static void languages(struct text *t)
{
    if (!take(t, "(")) {
        (void)nstring(t);
        return;
    }
    do
        (void)string(t);
    while (!t->bad && take(t, " "));
    want(t, ")");
}

static void extension(struct text *t)
{
    want(t, " ");
    disposition(t);
    want(t, " ");
    languages(t);
    want(t, " ");
    (void)nstring(t); /* location */
}

static void body(struct text *t, unsigned depth);

static void multipart(struct text *t, unsigned depth)
{
    do
        body(t, depth + 1);
    while (!t->bad && is(t, "("));
    want(t, " ");
    (void)string(t); /* subtype */
    if (!t->extended)
        return;
    want(t, " ");
    parameters(t);
    extension(t);
}

static void body(struct text *t, unsigned depth)
{
    t->bad |= depth > 1000;
    t->bodies++;
    want(t, "(");
    if (!t->bad && is(t, "(")) {
        multipart(t, depth);
        want(t, ")");
        return;
    }
    struct slice type = string(t);
    want(t, " ");
    struct slice subtype = string(t);
    want(t, " ");
    parameters(t);
    want(t, " ");
    (void)nstring(t); /* id */
    want(t, " ");
    (void)nstring(t); /* description */
    want(t, " ");
    (void)string(t); /* encoding */
    want(t, " ");
    (void)number(t); /* octets */
    if (t->bad)
        return;
    if (slice_ieq(type, SLICE("text"))) {
        want(t, " ");
        (void)number(t); /* lines */
    } else if (slice_ieq(type, SLICE("message")) && slice_ieq(subtype, SLICE("rfc822"))) {
        want(t, " ");
        envelope(t);
        want(t, " ");
        body(t, depth + 1);
        want(t, " ");
        (void)number(t);
    }
    t->bad |= slice_ieq(type, SLICE("multipart"));
    if (t->extended) {
        want(t, " ");
        (void)nstring(t); /* MD5 */
        extension(t);
    }
    want(t, ")");
}

bool check_envelope_syntax(struct slice s)
{
    struct text t = {.rest = s};
    envelope(&t);
    return !t.bad && t.rest.len == 0;
}

bool check_body_syntax(struct slice s, bool extended, size_t *ret_bodies)
{
    struct text t = {.rest = s, .extended = extended};
    body(&t, 0);
    *ret_bodies = t.bodies;
    return !t.bad && t.rest.len == 0;
}
