#include "cmd/query.h"

#include <string.h>

#include "core/base/buf.h"
#include "core/base/date.h"
#include "core/mime/casemap.h"

enum { DEPTH_MAX = 32, TEXT_MAX = 64 << 10, DAY_S = 86400 };

enum takes { NOTHING, KEYWORD, SIZE, DATE, AGE, TEXT, FIELD_TEXT, UIDS };
enum when { BEFORE, ON, SINCE };

/* clang-format off */
static const struct key {
    const char *name;
    enum store_test_kind kind;
    enum takes takes;
    bool negate;
    uint8_t sysflags;  /* TEST_FLAGS */
    enum when when;    /* DATE, AGE */
    const char *field; /* TEST_HEADER */
} keys[] = {
    {"all",        TEST_ALL,     NOTHING},
    {"answered",   TEST_FLAGS,   NOTHING, .sysflags = FLAG_ANSWERED},
    {"bcc",        TEST_HEADER,  TEXT, .field = "Bcc"},
    {"before",     TEST_ARRIVED, DATE, .when = BEFORE},
    {"body",       TEST_BODY,    TEXT},
    {"cc",         TEST_HEADER,  TEXT, .field = "Cc"},
    {"deleted",    TEST_FLAGS,   NOTHING, .sysflags = FLAG_DELETED},
    {"draft",      TEST_FLAGS,   NOTHING, .sysflags = FLAG_DRAFT},
    {"flagged",    TEST_FLAGS,   NOTHING, .sysflags = FLAG_FLAGGED},
    {"from",       TEST_HEADER,  TEXT, .field = "From"},
    {"header",     TEST_HEADER,  FIELD_TEXT},
    {"keyword",    TEST_KEYWORD, KEYWORD},
    {"larger",     TEST_LARGER,  SIZE},
    {"older",      TEST_ARRIVED, AGE, .when = BEFORE},
    {"on",         TEST_ARRIVED, DATE, .when = ON},
    {"seen",       TEST_FLAGS,   NOTHING, .sysflags = FLAG_SEEN},
    {"sentbefore", TEST_SENT,    DATE, .when = BEFORE},
    {"senton",     TEST_SENT,    DATE, .when = ON},
    {"sentsince",  TEST_SENT,    DATE, .when = SINCE},
    {"since",      TEST_ARRIVED, DATE, .when = SINCE},
    {"smaller",    TEST_SMALLER, SIZE},
    {"subject",    TEST_HEADER,  TEXT, .field = "Subject"},
    {"text",       TEST_TEXT,    TEXT},
    {"to",         TEST_HEADER,  TEXT, .field = "To"},
    {"uid",        TEST_UIDS,    UIDS},
    {"unanswered", TEST_FLAGS,   NOTHING, .negate = true, .sysflags = FLAG_ANSWERED},
    {"undeleted",  TEST_FLAGS,   NOTHING, .negate = true, .sysflags = FLAG_DELETED},
    {"undraft",    TEST_FLAGS,   NOTHING, .negate = true, .sysflags = FLAG_DRAFT},
    {"unflagged",  TEST_FLAGS,   NOTHING, .negate = true, .sysflags = FLAG_FLAGGED},
    {"unkeyword",  TEST_KEYWORD, KEYWORD, .negate = true},
    {"unseen",     TEST_FLAGS,   NOTHING, .negate = true, .sysflags = FLAG_SEEN},
    {"younger",    TEST_ARRIVED, AGE, .when = SINCE},
};
/* clang-format on */

struct parser {
    const char *const *words;
    size_t n, at;
    uint32_t now;
    struct arena *arena;
    struct query *query;
    struct fault *why;
};

static bool next_is(const struct parser *p, const char *word)
{
    return p->at < p->n && slice_ieq(slice_str(p->words[p->at]), slice_str(word));
}

static enum err add(struct parser *p, const struct store_test *test)
{
    if (p->query->n == STORE_TESTS_MAX)
        return fault(p->why, ERR_LIMIT, "this is too much to look for at once");
    p->query->tests[p->query->n++] = *test;
    return ERR_OK;
}

static enum err combine(struct parser *p, enum store_test_kind kind, unsigned n)
{
    return n == 1 && kind != TEST_NOT ? ERR_OK : add(p, &(struct store_test){.kind = kind, .n = n});
}

/* --- what keys take --------------------------------------------------------------------------- */

/* "30k" */
static bool size_of(struct slice text, uint32_t *ret)
{
    static const char units[] = "kmg";
    uint64_t n;
    unsigned shift = 0;
    const char *unit = text.len ? strchr(units, ascii_lower(text.ptr[text.len - 1])) : NULL;
    if (unit && *unit) {
        shift = 10 * (unsigned)(unit - units + 1);
        text.len--;
    }
    if (!slice_u64(text, UINT32_MAX >> shift, &n))
        return false;
    *ret = (uint32_t)(n << shift);
    return true;
}

/* "3d": in days; hours count as the day they began on. */
static bool age_of(struct slice text, uint32_t now, int32_t *ret_day)
{
    static const struct {
        char unit;
        uint32_t seconds;
    } units[] = {
        {'h', 3600     },
        {'d', DAY_S    },
        {'w', 7 * DAY_S}
    };
    uint64_t n;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (text.len > 1 && ascii_lower(text.ptr[text.len - 1]) == units[i].unit &&
            slice_u64(slice_first(text, text.len - 1), now / units[i].seconds, &n)) {
            *ret_day = (int32_t)((now - n * units[i].seconds) / DAY_S);
            return true;
        }
    return false;
}

static bool month_of(struct slice text, uint8_t *ret)
{
    uint64_t n;
    for (uint8_t month = 1; month <= 12; month++)
        if (slice_ieq(text, slice_str(date_month_name(month)))) {
            *ret = month;
            return true;
        }
    if (text.len != 2 || !slice_u64(text, 12, &n))
        return false;
    *ret = (uint8_t)n;
    return true;
}

/* "2025-02-28" or "28-Feb-2025" */
static bool day_of(struct slice text, int32_t *ret)
{
    struct date d = {0};
    uint64_t year, day;
    size_t first = slice_find(text, '-');
    if (first == text.len)
        return false;
    struct slice rest = slice_from(text, first + 1);
    size_t second = slice_find(rest, '-');
    if (second == rest.len || !month_of(slice_first(rest, second), &d.month))
        return false;
    struct slice head = slice_first(text, first), tail = slice_from(rest, second + 1);
    bool iso = head.len == 4;
    if (!slice_u64(iso ? head : tail, 9999, &year) || !slice_u64(iso ? tail : head, 31, &day) ||
        (iso ? head : tail).len != 4 || (iso ? tail : head).len > 2 ||
        !date_valid((int32_t)year, d.month, (unsigned)day))
        return false;
    d.year = (int32_t)year;
    d.day = (uint8_t)day;
    int64_t time = date_to_time(&d);
    *ret = (int32_t)(time >= 0 ? time / DAY_S : -((-time + DAY_S - 1) / DAY_S));
    return true;
}

static void days(enum when when, int32_t day, struct store_test *t)
{
    t->from = when == BEFORE ? INT32_MIN : day;
    t->to = when == BEFORE ? day : when == ON ? day + 1 : INT32_MAX;
}

/* As it is compared. */
static enum err folded(struct parser *p, const char *word, struct slice *ret)
{
    struct buf text;
    buf_init(&text, TEXT_MAX);
    enum err e = casemap_append(slice_str(word), &text);
    if (!e)
        *ret = arena_dup(p->arena, buf_slice(&text));
    buf_finish(&text);
    return e || !ret->ptr ? fault(p->why, ERR_LIMIT, "this text is too long to look for") : ERR_OK;
}

static enum err uids(struct parser *p, const char *text)
{
    struct query_uids *uids = arena_new(p->arena, sizeof *uids);
    *uids = (struct query_uids){.next = p->query->uids, .test = p->query->n, .text = text};
    p->query->uids = uids;
    return ERR_OK;
}

/* The word behind a key. */
static const char *word(struct parser *p)
{
    return p->at < p->n ? p->words[p->at++] : NULL;
}

static enum err argument(struct parser *p, const struct key *key, struct store_test *t)
{
    int32_t day;
    if (key->takes == NOTHING)
        return ERR_OK;
    const char *text = word(p);
    if (text && key->takes == FIELD_TEXT) {
        t->field = slice_str(text);
        text = word(p);
    }
    if (!text)
        return fault(p->why, ERR_SYNTAX, "'%s' wants a word behind it", key->name);
    struct slice s = slice_str(text);
    switch (key->takes) {
    case KEYWORD:
        t->text = s;
        return ERR_OK;
    case SIZE:
        return size_of(s, &t->size)
                   ? ERR_OK
                   : fault(p->why, ERR_SYNTAX, "'%s' is not a size; write one such as 500k", text);
    case DATE:
        if (!day_of(s, &day))
            return fault(p->why, ERR_SYNTAX, "'%s' is not a date; write one such as 2025-02-28",
                         text);
        days(key->when, day, t);
        return ERR_OK;
    case AGE:
        if (!age_of(s, p->now, &day))
            return fault(p->why, ERR_SYNTAX, "'%s' is not an age; write one such as 30d or 2w",
                         text);
        days(key->when, day, t);
        return ERR_OK;
    case UIDS:
        return uids(p, text);
    case TEXT:
    case FIELD_TEXT:
        if (key->field)
            t->field = slice_str(key->field);
        return folded(p, text, &t->text);
    case NOTHING:
        break;
    }
    return ERR_OK;
}

/* --- terms ------------------------------------------------------------------------------------ */

static enum err one_key(struct parser *p)
{
    const char *name = word(p);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const struct key *key = &keys[i];
        if (!slice_ieq(slice_str(name), slice_str(key->name)))
            continue;
        struct store_test t = {.kind = key->kind, .sysflags = key->sysflags};
        enum err e = argument(p, key, &t);
        if (!e)
            e = add(p, &t);
        return !e && key->negate ? combine(p, TEST_NOT, 1) : e;
    }
    return fault(p->why, ERR_SYNTAX, "what is '%s'? Try 'tandem search --help'", name);
}

static enum err any_of(struct parser *p, unsigned depth);

static enum err term(struct parser *p, unsigned depth)
{
    if (p->at == p->n || next_is(p, "or") || next_is(p, ")"))
        return fault(p->why, ERR_SYNTAX, "something to look for is missing %s%s%s",
                     p->at == p->n ? "at the end" : "before '",
                     p->at == p->n ? "" : p->words[p->at], p->at == p->n ? "" : "'");
    if (depth == DEPTH_MAX)
        return fault(p->why, ERR_LIMIT, "this is nested too deep");
    if (next_is(p, "not")) {
        p->at++;
        enum err e = term(p, depth + 1);
        return e ? e : combine(p, TEST_NOT, 1);
    }
    if (!next_is(p, "("))
        return one_key(p);
    p->at++;
    enum err e = any_of(p, depth + 1);
    if (!e && !next_is(p, ")"))
        e = fault(p->why, ERR_SYNTAX, "a ')' is missing");
    p->at++;
    return e;
}

static enum err all_of(struct parser *p, unsigned depth)
{
    unsigned n = 0;
    enum err e;
    do {
        e = term(p, depth);
        n++;
    } while (!e && p->at < p->n && !next_is(p, "or") && !next_is(p, ")"));
    return e ? e : combine(p, TEST_AND, n);
}

static enum err any_of(struct parser *p, unsigned depth)
{
    unsigned n = 1;
    enum err e = all_of(p, depth);
    while (!e && next_is(p, "or")) {
        p->at++;
        n++;
        e = all_of(p, depth);
    }
    return e ? e : combine(p, TEST_OR, n);
}

enum err query_parse(const char *const *words, size_t n, uint32_t now, struct arena *arena,
                     struct query *ret, struct fault *why)
{
    struct parser p = {
        .words = words, .n = n, .now = now, .arena = arena, .query = ret, .why = why};
    *ret = (struct query){.tests = arena_new(arena, STORE_TESTS_MAX * sizeof *ret->tests)};
    enum err e = any_of(&p, 0);
    if (!e && p.at < n)
        e = fault(why, ERR_SYNTAX, "a '(' is missing before '%s'", words[p.at]);
    return e;
}
