#include "tests/lib/script.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/buf.h"
#include "core/base/mem.h"

enum { FILE_MAX = 64 << 20, NO_LIMIT = 1 << 30 };

void script_die(const char *path, unsigned line, const char *format, ...)
{
    va_list args;
    printf("Bail out! %s:%u: ", path, line);
    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    printf("\n");
    exit(1);
}

static void must(enum err e, const char *path)
{
    if (e)
        script_die(path, 0, "%s", err_text(e));
}

static struct slice file_read(struct arena *arena, const char *path)
{
    FILE *f = fopen(path, "rb");
    if (!f)
        script_die(path, 0, "cannot be read");
    struct buf b;
    buf_init(&b, FILE_MAX);
    size_t n;
    do {
        must(buf_reserve(&b, 1 << 16), path);
        n = fread(b.ptr + b.len, 1, 1 << 16, f);
        b.len += n;
    } while (n);
    fclose(f);
    struct slice s = arena_dup(arena, buf_slice(&b));
    buf_finish(&b);
    return s;
}

struct slice script_mail_read(struct arena *arena, const char *dir, struct slice name)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/" SLICE_FMT, dir, SLICE_ARG(name));
    struct slice raw = file_read(arena, path);
    struct buf b;
    buf_init(&b, FILE_MAX);
    for (size_t i = 0; i < raw.len; i++) {
        if (raw.ptr[i] == '\n' && (i == 0 || raw.ptr[i - 1] != '\r'))
            must(buf_append_c(&b, '\r'), path);
        must(buf_append_c(&b, raw.ptr[i]), path);
    }
    struct slice s = arena_dup(arena, buf_slice(&b));
    buf_finish(&b);
    return s;
}

/* --- reading ---------------------------------------------------------------------------------- */

static const char *word_dup(struct script *sc, struct slice s)
{
    return arena_dup(&sc->arena, s).ptr;
}

/* The next blank-separated word of `rest`, taken from it; empty at the end. */
static struct slice word_next(struct slice *rest)
{
    struct slice s = slice_trim(*rest);
    size_t n = 0;
    while (n < s.len && s.ptr[n] != ' ' && s.ptr[n] != '\t')
        n++;
    *rest = slice_from(s, n);
    return slice_first(s, n);
}

static struct entry *entry_add(struct script *sc, enum entry_kind kind, unsigned line)
{
    sc->entries = mem_resize(sc->entries, (sc->nentries + 1) * sizeof *sc->entries);
    struct entry *e = &sc->entries[sc->nentries++];
    *e = (struct entry){.kind = kind, .line = line};
    return e;
}

/* "C2" -> 1; nothing -> 0. */
static unsigned client_number(const struct script *sc, unsigned line, struct slice s)
{
    uint64_t n = 1;
    if (s.len && (s.ptr[0] != 'C' || !slice_u64(slice_from(s, 1), SCRIPT_CLIENTS, &n) || n == 0))
        script_die(sc->path, line, "'" SLICE_FMT "' is no client (C1 to C8)", SLICE_ARG(s));
    return (unsigned)n - 1;
}

static void account_add(struct script *sc, unsigned line, struct slice rest)
{
    struct slice name = word_next(&rest);
    if (!name.len)
        script_die(sc->path, line, "account NAME [MAILBOX FILE ...]");
    const char *account = NULL;
    for (size_t i = 0; i < sc->naccounts && !account; i++)
        if (slice_eq(slice_str(sc->accounts[i]), name))
            account = sc->accounts[i];
    if (!account) {
        sc->accounts = mem_resize(sc->accounts, (sc->naccounts + 1) * sizeof *sc->accounts);
        account = sc->accounts[sc->naccounts++] = word_dup(sc, name);
    }
    struct slice mailbox = word_next(&rest);
    for (struct slice file = word_next(&rest); file.len; file = word_next(&rest)) {
        sc->mails = mem_resize(sc->mails, (sc->nmails + 1) * sizeof *sc->mails);
        sc->mails[sc->nmails++] =
            (struct script_mail){account, word_dup(sc, mailbox), word_dup(sc, file)};
    }
}

/* config section.key = value; a section may hold blanks: config listen imap.tls = none */
static void setting_add(struct script *sc, unsigned line, struct slice rest)
{
    size_t equals = slice_find(rest, '=');
    struct slice left = slice_trim(slice_first(rest, equals));
    size_t dot = left.len;
    while (dot > 0 && left.ptr[dot - 1] != '.')
        dot--;
    if (equals == rest.len || dot < 2)
        script_die(sc->path, line, "config section.key = value");
    sc->settings = mem_resize(sc->settings, (sc->nsettings + 1) * sizeof *sc->settings);
    sc->settings[sc->nsettings++] = (struct script_setting){
        word_dup(sc, slice_first(left, dot - 1)), word_dup(sc, slice_from(left, dot)),
        word_dup(sc, slice_trim(slice_from(rest, equals + 1)))};
}

static enum wire_protocol protocol_of(const struct script *sc, unsigned line, struct slice s)
{
    static const char *const names[] = {"imap", "pop3", "lmtp", "imaps", "pop3s"};
    for (size_t i = 0; i < WIRE_PROTOCOLS; i++)
        if (slice_eq(s, slice_str(names[i])))
            return (enum wire_protocol)i;
    script_die(sc->path, line, "'" SLICE_FMT "' is none of imap pop3 lmtp imaps pop3s",
               SLICE_ARG(s));
}

static bool directive(struct script *sc, unsigned line, struct slice text)
{
    struct slice rest = text;
    struct slice verb = word_next(&rest);
    if (slice_eq(verb, SLICE("account"))) {
        account_add(sc, line, rest);
    } else if (slice_eq(verb, SLICE("config"))) {
        setting_add(sc, line, rest);
    } else if (slice_eq(verb, SLICE("connect"))) {
        struct slice protocol = word_next(&rest);
        struct entry *e = entry_add(sc, ENTRY_CONNECT, line);
        e->protocol = protocol_of(sc, line, protocol);
        e->client = client_number(sc, line, word_next(&rest));
    } else if (slice_eq(verb, SLICE("wait"))) {
        struct entry *e = entry_add(sc, ENTRY_WAIT, line);
        struct slice s = word_next(&rest);
        uint64_t ms;
        if (s.len < 3 || !slice_eq(slice_from(s, s.len - 2), SLICE("ms")) ||
            !slice_u64(slice_first(s, s.len - 2), 60000, &ms))
            script_die(sc->path, line, "wait 50ms");
        e->wait_ms = (unsigned)ms;
    } else if (slice_eq(verb, SLICE("close"))) {
        entry_add(sc, ENTRY_CLOSE, line)->client = client_number(sc, line, word_next(&rest));
    } else if (slice_eq(verb, SLICE("eof"))) {
        entry_add(sc, ENTRY_EOF, line)->client = client_number(sc, line, word_next(&rest));
    } else if (slice_eq(verb, SLICE("starttls"))) {
        entry_add(sc, ENTRY_STARTTLS, line)->client = client_number(sc, line, word_next(&rest));
    } else if (slice_starts(text, SLICE("pipelined no: "))) {
        sc->not_pipelined = true;
    } else if (slice_starts(text, SLICE("bytewise no: "))) {
        sc->not_bytewise = true;
    } else {
        return false;
    }
    return true;
}

/* "C: ", "C2~: ", "S: ", "S2! " and what follows. */
static bool spoken(struct script *sc, unsigned line, struct slice s)
{
    if (s.len < 2 || (s.ptr[0] != 'C' && s.ptr[0] != 'S'))
        return false;
    size_t at = 1;
    unsigned client = 0;
    if (isdigit((unsigned char)s.ptr[1])) {
        client = client_number(sc, line, slice((const char[]){'C', s.ptr[1]}, 2));
        at = 2;
    }
    struct slice mark = slice_from(s, at);
    enum entry_kind kind = s.ptr[0] == 'C' ? ENTRY_SEND : ENTRY_EXPECT;
    bool no_eol = false;
    size_t skip = 1;
    if (slice_starts(mark, SLICE("~:")) && kind == ENTRY_SEND) {
        no_eol = true;
        skip = 2;
    } else if (slice_starts(mark, SLICE("!")) && kind == ENTRY_EXPECT) {
        kind = ENTRY_FORBID;
    } else if (!slice_starts(mark, SLICE(":"))) {
        return false;
    }
    struct slice text = slice_from(mark, skip);
    if (text.len && text.ptr[0] != ' ')
        return false;
    text = text.len ? slice_from(text, 1) : text;
    if (kind == ENTRY_EXPECT && slice_eq(text, SLICE("*...")))
        kind = ENTRY_SKIP;
    struct entry *e = entry_add(sc, kind, line);
    e->client = client;
    e->no_eol = no_eol;
    e->text = text;
    return true;
}

/* The octets that an S: line announces with a final {n}; false: it announces none. */
static bool literal_announced(struct slice s, uint64_t *ret)
{
    if (s.len < 3 || s.ptr[s.len - 1] != '}')
        return false;
    size_t open = s.len - 1;
    while (open > 0 && s.ptr[open] != '{')
        open--;
    return s.ptr[open] == '{' &&
           slice_u64(slice(s.ptr + open + 1, s.len - open - 2), NO_LIMIT, ret);
}

/* An S: line that ends in {n} goes on in the S: lines behind it: join them into one response. */
static void literals_join(struct script *sc)
{
    size_t out = 0;
    for (size_t i = 0; i < sc->nentries; i++) {
        struct entry e = sc->entries[i];
        uint64_t left;
        struct slice last = e.text;
        while (e.kind == ENTRY_EXPECT && literal_announced(last, &left)) {
            bool inside = true;
            while (inside) {
                if (i + 1 == sc->nentries || sc->entries[i + 1].kind != ENTRY_EXPECT ||
                    sc->entries[i + 1].client != e.client)
                    script_die(sc->path, e.line, "the literal is cut short");
                last = sc->entries[++i].text;
                char *joined = arena_new(&sc->arena, e.text.len + 2 + last.len);
                memcpy(joined, e.text.ptr, e.text.len);
                memcpy(joined + e.text.len, "\r\n", 2);
                if (last.len)
                    memcpy(joined + e.text.len + 2, last.ptr, last.len);
                e.text = slice(joined, e.text.len + 2 + last.len);
                inside = left >= last.len + 2;
                left -= inside ? last.len + 2 : 0;
            }
        }
        sc->entries[out++] = e;
    }
    sc->nentries = out;
}

static enum wire_protocol folder_protocol(const char *path)
{
    if (strstr(path, "/pop3/"))
        return WIRE_POP3;
    if (strstr(path, "/lmtp/"))
        return WIRE_LMTP;
    return WIRE_IMAP;
}

struct script *script_read(const char *path)
{
    struct script *sc = mem_new(sizeof *sc);
    arena_init(&sc->arena, (size_t)NO_LIMIT);
    sc->path = word_dup(sc, slice_str(path));
    sc->protocol = folder_protocol(path);
    struct slice rest = file_read(&sc->arena, path);
    for (unsigned line = 1; rest.len; line++) {
        size_t n = slice_find(rest, '\n');
        struct slice s = slice_first(rest, n);
        rest = slice_from(rest, n < rest.len ? n + 1 : n);
        if (slice_trim(s).len == 0 || s.ptr[0] == '#')
            continue;
        if (!spoken(sc, line, s) && !directive(sc, line, s))
            script_die(path, line, "not understood: " SLICE_FMT, SLICE_ARG(s));
    }
    literals_join(sc);
    if (sc->nentries == 0)
        script_die(path, 1, "nothing is said");
    return sc;
}

void script_free(struct script *sc)
{
    if (!sc)
        return;
    mem_free(sc->entries);
    mem_free(sc->accounts);
    mem_free(sc->mails);
    mem_free(sc->settings);
    arena_reset(&sc->arena);
    mem_free(sc);
}

/* --- expanding -------------------------------------------------------------------------------- */

struct expansion {
    struct script *script;
    const struct entry *entry;
    struct piece *pieces;
    size_t n;
    struct buf bytes; /* of the piece being gathered */
};

static void piece_end(struct expansion *x)
{
    if (x->bytes.len) {
        if (x->n == SCRIPT_PIECES)
            script_die(x->script->path, x->entry->line, "too many pieces");
        x->pieces[x->n++] =
            (struct piece){PIECE_BYTES, arena_dup(&x->script->arena, buf_slice(&x->bytes))};
        x->bytes.len = 0;
    }
}

static void piece_add(struct expansion *x, enum piece_kind kind, struct slice bytes)
{
    piece_end(x);
    if (x->n == SCRIPT_PIECES)
        script_die(x->script->path, x->entry->line, "too many pieces");
    x->pieces[x->n++] = (struct piece){kind, bytes};
}

static void put(struct expansion *x, struct slice s)
{
    must(buf_append(&x->bytes, s), x->script->path);
}

/* \xHH -> octet; returns how much of `s` was used, 0 if it is no escape. */
static size_t escape(struct slice s, char *ret)
{
    if (s.len < 4 || s.ptr[0] != '\\' || s.ptr[1] != 'x' || !isxdigit((unsigned char)s.ptr[2]) ||
        !isxdigit((unsigned char)s.ptr[3]))
        return 0;
    *ret = (char)strtol((char[]){s.ptr[2], s.ptr[3], '\0'}, NULL, 16);
    return 4;
}

/* Text between quotes: \xHH, \r, \n, \" */
static struct slice unquote(struct expansion *x, struct slice s)
{
    char *out = arena_new(&x->script->arena, s.len + 1);
    size_t n = 0;
    for (size_t i = 0; i < s.len;) {
        size_t used = escape(slice_from(s, i), &out[n]);
        if (!used && s.ptr[i] == '\\' && i + 1 < s.len && strchr("rn\"", s.ptr[i + 1])) {
            out[n] = s.ptr[i + 1] == 'r' ? '\r' : s.ptr[i + 1] == 'n' ? '\n' : '"';
            used = 2;
        } else if (!used) {
            out[n] = s.ptr[i];
            used = 1;
        }
        i += used;
        n++;
    }
    return slice(out, n);
}

static void put_stuffed(struct expansion *x, struct slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        if (s.ptr[i] == '.' && (i == 0 || s.ptr[i - 1] == '\n'))
            put(x, SLICE("."));
        put(x, slice(s.ptr + i, 1));
    }
}

/* {file.eml} {file.eml+} {"text"} {"text"+}: announcement and octets of a literal. */
static size_t literal(struct expansion *x, struct slice s, const char *mail)
{
    if (s.len < 4 || s.ptr[0] != '{')
        return 0;
    bool quoted = s.ptr[1] == '"';
    size_t close = 2;
    if (quoted)
        while (close < s.len && !(s.ptr[close] == '"' && s.ptr[close - 1] != '\\'))
            close++;
    size_t end = close + slice_find(slice_from(s, close), '}');
    if (end >= s.len || (!quoted && !memchr(s.ptr, '.', end)))
        return 0;
    bool plus = s.ptr[end - 1] == '+';
    struct slice body;
    if (quoted)
        body = unquote(x, slice(s.ptr + 2, close - 2));
    else
        body = script_mail_read(&x->script->arena, mail, slice(s.ptr + 1, end - 1 - plus));
    must(buf_printf(&x->bytes, "{%zu%s}\r\n", body.len, plus ? "+" : ""), x->script->path);
    if (x->entry->kind == ENTRY_SEND && !plus)
        piece_add(x, PIECE_SYNC, SLICE_NONE);
    put(x, body);
    return end + 1;
}

/* <<file.eml>>, <<.file.eml>>: its octets, dot-stuffed in the second form. */
static size_t octets(struct expansion *x, struct slice s, const char *mail)
{
    if (!slice_starts(s, SLICE("<<")))
        return 0;
    size_t close = slice_find(s, '>');
    if (close + 1 >= s.len || s.ptr[close + 1] != '>')
        return 0;
    bool stuffed = s.ptr[2] == '.';
    struct slice name = slice(s.ptr + 2 + stuffed, close - 2 - stuffed);
    struct slice body = script_mail_read(&x->script->arena, mail, name);
    if (stuffed)
        put_stuffed(x, body);
    else
        put(x, body);
    return close + 2;
}

static size_t name(struct expansion *x, struct slice s)
{
    size_t close = slice_find(s, ')');
    if (!slice_starts(s, SLICE("$(")) || close == s.len || close < 3)
        return 0;
    piece_add(x, PIECE_NAME, slice(s.ptr + 2, close - 2));
    return close + 1;
}

/* <<file.eml>> at the end of a line brings the line end with it. */
static bool ends_a_line(const struct expansion *x)
{
    struct slice text = x->entry->text, got = buf_slice(&x->bytes);
    return text.len > 2 && got.len > 2 && slice_eq(slice_from(text, text.len - 2), SLICE(">>")) &&
           slice_eq(slice_from(got, got.len - 2), SLICE("\r\n"));
}

size_t script_expand(struct script *script, const struct entry *entry, const char *mail,
                     struct piece ret[SCRIPT_PIECES])
{
    struct expansion x = {.script = script, .entry = entry, .pieces = ret};
    buf_init(&x.bytes, FILE_MAX);
    struct slice s = entry->text;
    bool rest = entry->kind == ENTRY_EXPECT && s.len && s.ptr[s.len - 1] == '*';
    s.len -= rest;
    while (s.len) {
        char c = s.ptr[0];
        size_t used = name(&x, s);
        if (!used)
            used = literal(&x, s, mail);
        if (!used)
            used = octets(&x, s, mail);
        if (!used) {
            used = escape(s, &c);
            used += !used;
            put(&x, slice(&c, 1));
        }
        s = slice_from(s, used);
    }
    if (rest)
        piece_add(&x, PIECE_REST, SLICE_NONE);
    else if (!entry->no_eol && !ends_a_line(&x))
        put(&x, SLICE("\r\n"));
    piece_end(&x);
    buf_finish(&x.bytes);
    return x.n;
}
