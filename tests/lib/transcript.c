#include "tests/lib/transcript.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/mem.h"
#include "tests/lib/daemon.h"
#include "tests/lib/script.h"
#include "tests/lib/wire.h"

enum { NAMES_MAX = 32, TIMEOUT_MS = TANDEM_SANITIZED ? 60000 : 15000, DIALOG_MAX = 8 << 20 };

struct client {
    struct wire *wire;
    enum wire_protocol protocol;
    struct buf reply; /* all that was received since the last C: line: what S! looks at */
    size_t spoke;     /* entry of that line */
};

struct bound {
    struct slice name, value;
};

struct play {
    struct script *script;
    enum transcript_way way;
    const char *mail;
    struct daemon *daemon;
    struct client clients[SCRIPT_CLIENTS];
    struct bound names[NAMES_MAX];
    size_t nnames;
    size_t sent;       /* entries below this one have been sent */
    struct buf dialog; /* for the report */
    struct buf *report;
};

const char *transcript_way_name(enum transcript_way way)
{
    static const char *const names[] = {"as written", "bytewise", "pipelined"};
    return names[way];
}

/* --- reporting -------------------------------------------------------------------------------- */

/* What does not fit is left out: a report of this size is long enough. */
static void say(struct buf *to, const char *format, ...) PRINTF_LIKE(2, 3);
static void say(struct buf *to, const char *format, ...)
{
    char text[1024];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (buf_append(to, slice_str(text)))
        return;
}

/* Line by line behind `label`; octets that are not printable as \xHH. */
static void say_lines(struct buf *to, const char *label, struct slice s)
{
    bool fresh = true;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.ptr[i];
        if (fresh)
            say(to, "%s ", label);
        fresh = c == '\n';
        if (fresh)
            say(to, "\n");
        else if ((c < 0x20 || c > 0x7e) && !(c == '\r' && i + 1 < s.len && s.ptr[i + 1] == '\n'))
            say(to, "\\x%02x", c);
        else if (c != '\r')
            say(to, "%c", c);
    }
    if (!fresh)
        say(to, "\n");
}

static bool fail(struct play *p, const struct entry *e, const char *what)
{
    say(p->report, "%s:%u (%s): %s\n", p->script->path, e->line, transcript_way_name(p->way), what);
    return false;
}

static bool fail_expected(struct play *p, const struct entry *e, const char *what, struct slice got)
{
    fail(p, e, what);
    say_lines(p->report, "  expected:", e->text);
    say_lines(p->report, "  got:     ", got);
    return false;
}

static void dialog_note(struct play *p, char who, unsigned client, struct slice s)
{
    char label[8];
    snprintf(label, sizeof label, "%c%u:", who, client + 1);
    say_lines(&p->dialog, label, s);
}

/* --- names ------------------------------------------------------------------------------------ */

static struct bound *name_find(struct play *p, struct slice name)
{
    for (size_t i = 0; i < p->nnames; i++)
        if (slice_eq(p->names[i].name, name))
            return &p->names[i];
    return NULL;
}

/* An unbound name takes a run of octets that cannot end an atom. */
static size_t name_bind(struct play *p, struct slice name, struct slice from)
{
    size_t n = 0;
    while (n < from.len && !memchr(" ()[]\"\r\n", from.ptr[n], 8))
        n++;
    if (n && p->nnames < NAMES_MAX && !slice_eq(name, SLICE("_")))
        p->names[p->nnames++] =
            (struct bound){name, arena_dup(&p->script->arena, slice_first(from, n))};
    return n;
}

/* --- receiving -------------------------------------------------------------------------------- */

static bool is_imap(const struct client *c)
{
    return c->protocol == WIRE_IMAP || c->protocol == WIRE_IMAPS;
}

/* Octets of a literal announced at the end of `line` (without its CRLF). */
static bool literal_of(struct slice line, uint64_t *ret)
{
    if (line.len < 3 || line.ptr[line.len - 1] != '}')
        return false;
    size_t open = line.len - 1;
    while (open > 0 && line.ptr[open] != '{')
        open--;
    return slice_u64(slice(line.ptr + open + 1, line.len - open - 2), UINT32_MAX, ret);
}

/* Length of the response in front of `in`, of `lines` lines at least, each IMAP line together with
 * the literals it announces; 0: not all of it is there yet. */
static size_t response_length(const struct client *c, struct slice in, size_t lines)
{
    size_t at = 0;
    while (lines > 0) {
        size_t n = at;
        do
            n += slice_find(slice_from(in, n), '\n') + 1;
        while (n <= in.len && (n < 2 || in.ptr[n - 2] != '\r'));
        if (n > in.len)
            return 0;
        uint64_t literal = 0;
        bool more = is_imap(c) && literal_of(slice(in.ptr + at, n - at - 2), &literal);
        if (literal > in.len - n)
            return 0;
        at = n + literal;
        lines -= more ? 0 : 1;
    }
    return at;
}

/* False: it did not come; in that case *ret is what did. */
static bool response_wait(struct client *c, size_t lines, struct slice *ret)
{
    size_t n;
    while ((n = response_length(c, buf_slice(wire_in(c->wire)), lines)) == 0) {
        if (!wire_receive(c->wire)) {
            *ret = buf_slice(wire_in(c->wire));
            return false;
        }
    }
    *ret = slice_first(buf_slice(wire_in(c->wire)), n);
    return true;
}

static void response_take(struct play *p, unsigned client, struct slice response)
{
    struct client *c = &p->clients[client];
    dialog_note(p, 'S', client, response);
    if (buf_append(&c->reply, response))
        c->reply.len = 0;
    buf_consume(wire_in(c->wire), response.len);
}

/* Names are bound only when all of it matches. */
static bool matches(struct play *p, const struct piece *pieces, size_t n, struct slice got)
{
    size_t names_before = p->nnames;
    for (size_t i = 0; i < n; i++) {
        struct slice want = pieces[i].bytes;
        size_t used;
        const struct bound *bound = NULL;
        if (pieces[i].kind == PIECE_REST)
            return true;
        if (pieces[i].kind == PIECE_NAME && (bound = name_find(p, want)))
            want = bound->value;
        if (pieces[i].kind == PIECE_NAME && !bound)
            used = name_bind(p, want, got);
        else
            used = slice_starts(got, want) ? want.len : 0;
        if (used == 0) {
            p->nnames = names_before;
            return false;
        }
        got = slice_from(got, used);
    }
    if (got.len)
        p->nnames = names_before;
    return got.len == 0;
}

/* How many lines a response must have to be compared: those of the pattern. An IMAP response is
 * one, its literals included. */
static size_t lines_of(const struct client *c, const struct piece *pieces, size_t n)
{
    size_t lines = 0;
    for (size_t i = 0; i < n; i++) {
        struct slice s = pieces[i].bytes;
        if (pieces[i].kind == PIECE_REST)
            lines++;
        for (size_t j = 0; j < s.len && pieces[i].kind == PIECE_BYTES; j++)
            lines += s.ptr[j] == '\n';
    }
    return is_imap(c) || lines == 0 ? 1 : lines;
}

static bool expect(struct play *p, const struct entry *e, bool skipping)
{
    struct client *c = &p->clients[e->client];
    struct piece pieces[SCRIPT_PIECES];
    size_t n = script_expand(p->script, e, p->mail, pieces);
    for (;;) {
        struct slice got;
        bool whole = response_wait(c, lines_of(c, pieces, n), &got);
        if (whole && matches(p, pieces, n, got)) {
            response_take(p, e->client, got);
            return true;
        }
        bool may_skip = skipping && response_wait(c, 1, &got) &&
                        (!is_imap(c) || slice_starts(got, SLICE("* ")));
        if (!may_skip)
            return fail_expected(p, e, whole ? "another answer was expected" : wire_why(c->wire),
                                 got);
        response_take(p, e->client, got);
    }
}

/* The reply to the last C: line is complete: nothing of it may be what an S! line forbids. */
static bool reply_check(struct play *p, unsigned client, size_t until)
{
    struct client *c = &p->clients[client];
    for (size_t i = c->spoke; i < until; i++) {
        const struct entry *e = &p->script->entries[i];
        if (e->kind == ENTRY_FORBID && e->client == client && c->reply.len && e->text.len &&
            memmem(c->reply.ptr, c->reply.len, e->text.ptr, e->text.len))
            return fail_expected(p, e, "this must not be in the reply", buf_slice(&c->reply));
    }
    c->reply.len = 0;
    c->spoke = until;
    return true;
}

/* --- connecting ------------------------------------------------------------------------------- */

static bool greeting_is_scripted(const struct play *p, size_t at, unsigned client)
{
    for (size_t i = at; i < p->script->nentries; i++)
        if (p->script->entries[i].client == client && p->script->entries[i].kind != ENTRY_WAIT &&
            p->script->entries[i].kind != ENTRY_CONNECT)
            return p->script->entries[i].kind != ENTRY_SEND;
    return true;
}

static bool client_connect(struct play *p, size_t at, unsigned client, enum wire_protocol protocol)
{
    static const char *const greetings[] = {
        [WIRE_IMAP] = "* OK",  [WIRE_POP3] = "+OK",  [WIRE_LMTP] = "220",
        [WIRE_IMAPS] = "* OK", [WIRE_POP3S] = "+OK",
    };
    const struct entry *e = &p->script->entries[at];
    struct client *c = &p->clients[client];
    struct slice got;
    wire_close(c->wire);
    c->protocol = protocol;
    c->spoke = at;
    c->wire = wire_connect(daemon_address(p->daemon), daemon_port(protocol), TIMEOUT_MS);
    if (!c->wire)
        return fail(p, e, strerror(errno));
    if ((protocol == WIRE_IMAPS || protocol == WIRE_POP3S) && !wire_tls(c->wire))
        return fail(p, e, wire_why(c->wire));
    if (greeting_is_scripted(p, at, client))
        return true;
    if (!response_wait(c, 1, &got) || !slice_starts(got, slice_str(greetings[protocol])))
        return fail_expected(p, e, "no greeting", got);
    response_take(p, client, got);
    c->reply.len = 0;
    return true;
}

/* --- sending ---------------------------------------------------------------------------------- */

/* Where a client must read before it may write: a continuation, LMTP's 354. */
static bool is_turn(const struct entry *e)
{
    struct slice t = e->text;
    return e->kind == ENTRY_EXPECT && (slice_eq(t, SLICE("+")) || slice_starts(t, SLICE("+ ")) ||
                                       slice_eq(t, SLICE("+*")) || slice_starts(t, SLICE("354")));
}

/* Octets of a C: line up to where it must wait; *ret_from is the piece to go on with. False: it
 * names what no answer has told yet. */
static bool line_bytes(struct play *p, const struct piece *pieces, size_t n, size_t *ret_from,
                       struct buf *to)
{
    size_t i = *ret_from;
    for (; i < n && pieces[i].kind != PIECE_SYNC; i++) {
        struct slice s = pieces[i].bytes;
        if (pieces[i].kind == PIECE_NAME) {
            const struct bound *bound = name_find(p, s);
            if (!bound)
                return false;
            s = bound->value;
        }
        if (buf_append(to, s))
            return false;
    }
    *ret_from = i;
    return true;
}

/* One C: line, waiting for "+" where it holds {literals}. */
static bool send_line(struct play *p, const struct entry *e)
{
    struct client *c = &p->clients[e->client];
    struct piece pieces[SCRIPT_PIECES];
    size_t n = script_expand(p->script, e, p->mail, pieces), at = 0;
    struct buf out;
    bool good = true;
    buf_init(&out, DIALOG_MAX);
    while (good) {
        out.len = 0;
        if (!line_bytes(p, pieces, n, &at, &out)) {
            good = fail(p, e, "a $(name) that nothing has bound");
            break;
        }
        dialog_note(p, 'C', e->client, buf_slice(&out));
        if (!wire_send(c->wire, buf_slice(&out), p->way == TRANSCRIPT_BYTEWISE))
            good = fail(p, e, wire_why(c->wire));
        if (!good || at++ >= n)
            break;
        struct slice got;
        if (!response_wait(c, 1, &got) || !slice_starts(got, SLICE("+")))
            good = fail_expected(p, e, "no '+' for the literal", got);
        else
            response_take(p, e->client, got);
    }
    buf_finish(&out);
    return good;
}

/* Pipelined: from entry `at` on, all C: lines of this client that need not wait, in one write. */
static bool send_ahead(struct play *p, size_t at)
{
    const struct entry *all = p->script->entries;
    unsigned client = all[at].client;
    struct buf out;
    size_t i = at;
    buf_init(&out, DIALOG_MAX);
    for (; i < p->script->nentries && all[i].client == client && !is_turn(&all[i]); i++) {
        struct piece pieces[SCRIPT_PIECES];
        size_t n, from = 0, before = out.len;
        if (all[i].kind == ENTRY_EXPECT || all[i].kind == ENTRY_SKIP || all[i].kind == ENTRY_FORBID)
            continue;
        if (all[i].kind != ENTRY_SEND)
            break;
        n = script_expand(p->script, &all[i], p->mail, pieces);
        if (!line_bytes(p, pieces, n, &from, &out) || from < n) {
            out.len = before;
            break;
        }
    }
    p->sent = i;
    bool good = true;
    if (out.len == 0) {
        p->sent = at + 1;
        good = send_line(p, &all[at]);
    } else {
        dialog_note(p, 'C', client, buf_slice(&out));
        if (!wire_send(p->clients[client].wire, buf_slice(&out), false))
            good = fail(p, &all[at], wire_why(p->clients[client].wire));
    }
    buf_finish(&out);
    return good;
}

/* --- the conversation ------------------------------------------------------------------------- */

static bool play_entry(struct play *p, size_t at)
{
    const struct entry *e = &p->script->entries[at];
    struct client *c = &p->clients[e->client];
    if (e->kind == ENTRY_CONNECT)
        return client_connect(p, at, e->client, e->protocol);
    if (e->kind == ENTRY_WAIT) {
        usleep(e->wait_ms * 1000);
        return true;
    }
    if (!c->wire && !client_connect(p, at, e->client, p->script->protocol))
        return false;
    switch (e->kind) {
    case ENTRY_SEND:
        if (!reply_check(p, e->client, at))
            return false;
        if (at < p->sent)
            return true;
        return p->way == TRANSCRIPT_PIPELINED ? send_ahead(p, at) : send_line(p, e);
    case ENTRY_EXPECT:
        return expect(p, e, at > 0 && e[-1].kind == ENTRY_SKIP && e[-1].client == e->client);
    case ENTRY_SKIP:
        if (at + 1 == p->script->nentries || e[1].kind != ENTRY_EXPECT || e[1].client != e->client)
            script_die(p->script->path, e->line, "S: *... must be followed by an S: line");
        return true;
    case ENTRY_STARTTLS:
        if (wire_in(c->wire)->len)
            return fail_expected(p, e, "said before TLS", buf_slice(wire_in(c->wire)));
        return wire_tls(c->wire) || fail(p, e, wire_why(c->wire));
    case ENTRY_EOF:
        return wire_at_end(c->wire) ||
               fail_expected(p, e, "the server should have closed", buf_slice(wire_in(c->wire)));
    case ENTRY_CLOSE:
        wire_close(c->wire);
        c->wire = NULL;
        return true;
    default:
        return true;
    }
}

/* Put the script's messages into their mailboxes, octet by octet as they are, by APPEND. */
static bool mails_put(struct play *p)
{
    struct script *sc = p->script;
    const struct entry *first = &sc->entries[0];
    for (size_t i = 0; i < sc->nmails; i++) {
        char lines[3][600];
        const struct script_mail *m = &sc->mails[i];
        snprintf(lines[0], sizeof *lines, "a LOGIN %s secret", m->account);
        snprintf(lines[1], sizeof *lines, "b CREATE %s", m->mailbox);
        snprintf(lines[2], sizeof *lines, "c APPEND %s {%s}", m->mailbox, m->file);
        struct client *c = &p->clients[0];
        if (!client_connect(p, 0, 0, WIRE_IMAP))
            return false;
        struct slice got;
        if (greeting_is_scripted(p, 0, 0)) {
            if (!response_wait(c, 1, &got))
                return fail_expected(p, first, "no greeting", got);
            response_take(p, 0, got);
        }
        for (size_t j = 0; j < 3; j++) {
            struct entry say_it = {ENTRY_SEND, .line = first->line, .text = slice_str(lines[j])};
            char ok[] = {lines[j][0], ' ', 'O', 'K', ' ', '*', '\0'};
            struct entry ok_entry = {ENTRY_EXPECT, .line = first->line, .text = slice_str(ok)};
            bool create = j == 1;
            if (create && strcmp(m->mailbox, "INBOX") == 0)
                continue;
            if (create)
                ok_entry.text = SLICE("b *"); /* it may be there */
            if (!send_line(p, &say_it) || !expect(p, &ok_entry, true))
                return false;
        }
        wire_close(c->wire);
        c->wire = NULL;
        c->reply.len = 0;
    }
    p->dialog.len = 0;
    return true;
}

static bool play_all(struct play *p)
{
    const struct script *sc = p->script;
    const struct entry *last = &sc->entries[sc->nentries - 1];
    for (size_t i = 0; i < sc->nentries; i++)
        if (!play_entry(p, i))
            return false;
    for (unsigned i = 0; i < SCRIPT_CLIENTS; i++) {
        struct client *c = &p->clients[i];
        if (!reply_check(p, i, sc->nentries))
            return false;
        if (!c->wire)
            continue;
        wire_receive_ready(c->wire);
        if (wire_in(c->wire)->len) {
            fail(p, last, "more was said than expected");
            say_lines(p->report, "  got:     ", buf_slice(wire_in(c->wire)));
            return false;
        }
    }
    return true;
}

bool transcript_play(struct script *script, enum transcript_way way, const struct daemon_conf *conf,
                     const char *mail, struct buf *report)
{
    struct play p = {.script = script, .way = way, .mail = mail, .report = report};
    struct daemon_conf own = *conf;
    own.accounts = script->accounts;
    own.naccounts = script->naccounts;
    own.settings = script->settings;
    own.nsettings = script->nsettings;
    p.daemon = daemon_start(&own, report);
    if (!p.daemon)
        return false;
    buf_init(&p.dialog, DIALOG_MAX);
    for (size_t i = 0; i < SCRIPT_CLIENTS; i++)
        buf_init(&p.clients[i].reply, DIALOG_MAX);
    bool good = mails_put(&p) && play_all(&p);
    for (size_t i = 0; i < SCRIPT_CLIENTS; i++) {
        wire_close(p.clients[i].wire);
        buf_finish(&p.clients[i].reply);
    }
    if (!good) {
        say(report, "the dialog:\n");
        say_lines(report, " ", buf_slice(&p.dialog));
    }
    good &= daemon_stop(p.daemon, report);
    buf_finish(&p.dialog);
    return good;
}
