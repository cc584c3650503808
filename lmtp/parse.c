#include "lmtp/parse.h"

#include "core/base/arena.h"
#include "core/base/utf8.h"

enum { DOMAIN_MAX = 255, PATH_MAX_OCTETS = 512 };

bool lmtp_split(struct slice line, struct slice *ret_verb, struct slice *ret_rest)
{
    for (size_t i = 0; i < line.len; i++)
        if (line.ptr[i] == '\0' || line.ptr[i] == '\r' || line.ptr[i] == '\n')
            return false;
    size_t n = slice_find(line, ' ');
    if (n == 0)
        return false;
    *ret_verb = slice_first(line, n);
    *ret_rest = n < line.len ? slice_from(line, n + 1) : SLICE_NONE;
    return true;
}

static bool is_control(char c)
{
    return (unsigned char)c < 0x20 || c == 0x7f;
}

/* A domain or an address literal as it goes into Received: anything visible that needs no quoting
 * there. Clients say many things, and none of them is believed. */
static bool domain(struct slice s)
{
    if (s.len == 0 || s.len > DOMAIN_MAX)
        return false;
    for (size_t i = 0; i < s.len; i++)
        if (is_control(s.ptr[i]) || strchr(" ()<>\\\",;@", s.ptr[i]))
            return false;
    return utf8_valid(s);
}

/* Octets of a quoted string at the front of `s`, with its quotes; 0: it does not end. */
static size_t quoted(struct slice s)
{
    for (size_t i = 1; i < s.len; i++) {
        if (s.ptr[i] == '\\')
            i++;
        else if (s.ptr[i] == '"')
            return i + 1;
    }
    return 0;
}

/* "<" [ source route ":" ] address ">" (RFC 5321 section 4.1.2); `rest` is left behind it. */
static bool path(struct slice *rest, struct slice *ret)
{
    struct slice s = *rest;
    size_t i = 1;
    if (s.len < 2 || s.ptr[0] != '<')
        return false;
    for (size_t n; i < s.len && s.ptr[i] != '>'; i += n) {
        n = s.ptr[i] == '"' ? quoted(slice_from(s, i)) : 1;
        if (n == 0 || is_control(s.ptr[i]) || s.ptr[i] == ' ' || s.ptr[i] == '<')
            return false;
    }
    if (i == s.len)
        return false;
    *rest = slice_from(s, i + 1);
    s = slice(s.ptr + 1, i - 1);
    if (s.len && s.ptr[0] == '@') { /* a source route, to be ignored */
        size_t colon = slice_find(s, ':');
        if (colon == s.len || slice_find(s, '"') < colon)
            return false;
        s = slice_from(s, colon + 1);
        if (s.len == 0 || s.ptr[0] == '@')
            return false;
    }
    for (size_t k = 0; k < s.len; k++)
        if (is_control(s.ptr[k]))
            return false; /* inside quotes */
    *ret = s;
    return s.len <= PATH_MAX_OCTETS && utf8_valid(s);
}

/* --- parameters of MAIL --------------------------------------------------------------------------
 */

/* 1*20DIGIT (RFC 1870 section 4): what 63 bits do not hold is too big for everybody. */
static bool size_param(struct slice value, struct lmtp_args *args)
{
    bool again = args->has_size;
    bool digits = value.len > 0 && value.len <= 20;
    for (size_t i = 0; i < value.len; i++)
        digits &= value.ptr[i] >= '0' && value.ptr[i] <= '9';
    args->has_size = true;
    if (digits && !slice_u64(value, INT64_MAX, &args->size))
        args->size = INT64_MAX;
    return !again && digits;
}

static bool body_param(struct slice value, struct lmtp_args *args)
{
    bool again = args->has_body;
    args->has_body = true;
    return !again && (slice_ieq(value, SLICE("7BIT")) || slice_ieq(value, SLICE("8BITMIME")));
}

static bool smtputf8_param(struct slice value, struct lmtp_args *args)
{
    bool again = args->smtputf8;
    args->smtputf8 = true;
    return !again && !value.ptr;
}

/* name, its reader: false when the value is wrong or the parameter was given before. The value's
 * ptr is NULL when there is no "=". */
static const struct param {
    const char *name;
    bool (*read)(struct slice value, struct lmtp_args *args);
} params[] = {
    {"BODY",     body_param    },
    {"SIZE",     size_param    },
    {"SMTPUTF8", smtputf8_param},
};

static enum err param(struct slice word, struct lmtp_args *args)
{
    size_t n = slice_find(word, '=');
    struct slice name = slice_first(word, n);
    struct slice value = n < word.len ? slice_from(word, n + 1) : SLICE_NONE;
    for (size_t i = 0; i < sizeof params / sizeof *params; i++)
        if (slice_ieq(name, slice_str(params[i].name)))
            return params[i].read(value, args) ? ERR_OK : ERR_SYNTAX;
    return ERR_CANNOT;
}

static enum err params_of_mail(struct slice rest, struct lmtp_args *args)
{
    while (rest.len) {
        if (rest.ptr[0] != ' ')
            return ERR_SYNTAX;
        rest = slice_from(rest, 1);
        size_t n = slice_find(rest, ' ');
        if (n) { /* blanks at the end are harmless */
            enum err e = param(slice_first(rest, n), args);
            if (e)
                return e;
        }
        rest = slice_from(rest, n);
    }
    return ERR_OK;
}

static enum err from_or_to(struct slice rest, struct slice label, bool mail, struct lmtp_args *args)
{
    if (!slice_istarts(rest, label))
        return ERR_SYNTAX;
    rest = slice_trim(slice_from(rest, label.len)); /* a space behind the colon is common */
    if (!path(&rest, &args->path))
        return ERR_SYNTAX;
    if (!mail)
        return rest.len == 0 ? ERR_OK : rest.ptr[0] == ' ' ? ERR_CANNOT : ERR_SYNTAX;
    enum err e = params_of_mail(rest, args);
    if (e)
        return e;
    return args->smtputf8 || slice_is_ascii(args->path) ? ERR_OK : ERR_BADCHARSET;
}

/* RFC 3030 section 2: chunk-size [SP "LAST"]. */
static bool chunk(struct slice rest, struct lmtp_args *args)
{
    rest = slice_trim(rest);
    size_t n = slice_find(rest, ' ');
    struct slice digits = slice_first(rest, n);
    args->last = n < rest.len;
    return digits.len <= 20 && slice_u64(digits, INT64_MAX, &args->size) &&
           (!args->last || slice_ieq(slice_from(rest, n + 1), SLICE("LAST")));
}

enum err lmtp_parse(struct slice rest, const char *grammar, struct lmtp_args *ret)
{
    struct lmtp_args args = {0};
    struct slice word = slice_str(grammar);
    enum err e = ERR_OK;
    if (slice_eq(word, SLICE("from"))) {
        e = from_or_to(rest, SLICE("FROM:"), true, &args);
    } else if (slice_eq(word, SLICE("to"))) {
        e = from_or_to(rest, SLICE("TO:"), false, &args);
    } else if (slice_eq(word, SLICE("chunk"))) {
        e = chunk(rest, &args) ? ERR_OK : ERR_SYNTAX;
    } else {
        args.text = slice_trim(rest);
        if (slice_eq(word, SLICE("domain")))
            e = domain(args.text) ? ERR_OK : ERR_SYNTAX;
        else if (word.len == 0)
            e = args.text.len == 0 ? ERR_OK : ERR_SYNTAX;
    }
    if (!e)
        *ret = args;
    return e;
}

enum err lmtp_address(struct slice path, struct arena *arena, struct slice *ret)
{
    if (path.len == 0 || path.ptr[0] != '"') {
        *ret = path;
        return path.len ? ERR_OK : ERR_SYNTAX;
    }
    size_t end = quoted(path);
    if (end <= 2 || (end < path.len && path.ptr[end] != '@'))
        return ERR_SYNTAX; /* not a quoted string, an empty one, or one with something behind it */
    char *to = arena_try(arena, path.len);
    size_t n = 0;
    if (!to)
        return ERR_LIMIT;
    for (size_t i = 1; i < end - 1; i++) {
        if (path.ptr[i] == '\\')
            i++;
        to[n++] = path.ptr[i];
    }
    memcpy(to + n, path.ptr + end, path.len - end);
    *ret = slice(to, n + path.len - end);
    return ERR_OK;
}
