/* LIST, LSUB, NAMESPACE, STATUS. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/utf7.h"
#include "imap/alias.h"
#include "imap/list_parse.h"
#include "imap/pattern.h"
#include "imap/quote.h"
#include "imap/recover.h"
#include "imap/reply.h"
#include "imap/session.h"

/* --- the items of STATUS ---------------------------------------------------------------------- */

static void tell_item(struct reply *r, const char *name, uint64_t value, bool *any)
{
    if (*any)
        reply_str(r, " ");
    *any = true;
    reply_str(r, name);
    reply_str(r, " ");
    reply_u64(r, value);
}

/* " (MESSAGES 3)" and the line end. */
static void tell_status(const struct session *s, struct reply *r, unsigned items,
                        const struct store_status *st)
{
    const struct {
        unsigned bit;
        const char *name;
        uint64_t value;
    } values[] = {
        {STATUS_MESSAGES,    "MESSAGES",    st->messages           },
        {STATUS_RECENT,      "RECENT",      st->recent             },
        {STATUS_UIDNEXT,     "UIDNEXT",     st->uidnext            },
        {STATUS_UIDVALIDITY, "UIDVALIDITY", st->uidvalidity        },
        {STATUS_UNSEEN,      "UNSEEN",      st->unseen             },
        {STATUS_SIZE,        "SIZE",        st->octets             },
        {STATUS_APPENDLIMIT, "APPENDLIMIT", session_append_limit(s)},
    };
    bool any = false;
    reply_str(r, " (");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (items & values[i].bit)
            tell_item(r, values[i].name, values[i].value, &any);
    reply_str(r, ")\r\n");
}

/* --- LIST and LSUB: RFC 3501 sections 6.3.8, 6.3.9
 * ------------------------------------------------ The store gives all names in one snapshot. They
 * are gathered first, then matched and told as the output takes them, so that neither many names
 * nor a nasty pattern holds the loop. */

struct row {
    struct row *next;
    unsigned flags;
    enum special_use use;
    bool real;      /* not only what stands above another */
    bool selected;  /* it meets the selection options */
    bool childinfo; /* something below it meets them, */
    bool forced;    /* and is not told itself */
    const struct store_status *status;
    struct slice name; /* on the wire's form, not quoted */
};

struct list {
    struct arena *arena;
    struct pattern patterns[LIST_PATTERNS_MAX];
    size_t npatterns;
    bool lsub;
    bool extended; /* RFC 5258: options or several patterns */
    unsigned select, returns, status;
    struct row *rows, **tail;
    bool gathered; /* all of them, and in order */
    enum err err;
};

static struct row *add_row(struct list *list, struct slice wire)
{
    struct row *row = arena_try(list->arena, sizeof *row + wire.len);
    if (!row) {
        list->err = ERR_LIMIT;
        return NULL;
    }
    char *to = (char *)(row + 1);
    memcpy(to, wire.ptr, wire.len);
    *row = (struct row){.name = slice(to, wire.len)};
    *list->tail = row;
    list->tail = &row->next;
    return row;
}

/* A name is matched by any of the patterns. */
static bool matches(const struct list *list, struct slice name)
{
    for (size_t i = 0; i < list->npatterns; i++)
        if (pattern_match(&list->patterns[i], name))
            return true;
    return false;
}

/* Does the pattern end in `%`? Then LSUB tells the level above a subscribed name. */
static bool ends_in_percent(const struct pattern *p)
{
    return p->text.len && p->text.ptr[p->text.len - 1] == '%';
}

/* LSUB "" "%" with only a/b subscribed: (\Noselect) a. LIST (SUBSCRIBED RECURSIVEMATCH) "" "%": a,
 * with CHILDINFO (RFC 5258 section 3.5). */
static bool add_parents(struct list *list, struct slice wire)
{
    bool told = !list->lsub && matches(list, wire);
    for (size_t n = slice_find(wire, '/'); n < wire.len;
         n += 1 + slice_find(slice_from(wire, n + 1), '/')) {
        struct slice parent = slice_first(wire, n);
        if (!matches(list, parent))
            continue;
        struct row *row = add_row(list, parent);
        if (!row)
            return false;
        row->flags = list->lsub ? MAILBOX_NOSELECT | MAILBOX_CHILDREN : MAILBOX_NONEXISTENT;
        row->selected = list->lsub;
        row->childinfo = !list->lsub;
        row->forced = !list->lsub && !told;
    }
    return true;
}

/* By name; what is there before what stands above others. */
static int by_name(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    int d = slice_cmp(x->name, y->name);
    return d ? d : y->real - x->real;
}

/* One row a name: what stands above several others was gathered for each of them. */
static bool sort_rows(struct list *list)
{
    size_t n = 0, k = 0;
    for (const struct row *row = list->rows; row; row = row->next)
        n++;
    struct row *last = NULL, **rows = arena_try(list->arena, (n + 1) * sizeof(struct row *));
    if (!rows)
        return false;
    for (struct row *row = list->rows; row; row = row->next)
        rows[k++] = row;
    qsort(rows, n, sizeof(struct row *), by_name);
    list->tail = &list->rows;
    for (k = 0; k < n; k++) {
        if (last && slice_eq(rows[k]->name, last->name)) {
            last->childinfo |= rows[k]->childinfo;
            last->forced |= rows[k]->forced;
            continue;
        }
        last = rows[k];
        *list->tail = last;
        list->tail = &last->next;
    }
    *list->tail = NULL;
    return true;
}

/* RFC 5258 section 3.1: every option must be met; without SUBSCRIBED only what exists is. */
static bool selects(const struct list *list, const struct store_mailbox *mailbox)
{
    if (list->lsub || list->select & LIST_SUBSCRIBED) {
        if (!(mailbox->flags & MAILBOX_SUBSCRIBED))
            return false;
    } else if (mailbox->flags & MAILBOX_NONEXISTENT) {
        return false;
    }
    return !(list->select & LIST_SPECIAL_USE) || mailbox->use != USE_NONE;
}

static bool add_status(struct list *list, struct row *row, const struct store_mailbox *mailbox)
{
    if (!list->status || !mailbox->has_status)
        return true;
    struct store_status *status = arena_try(list->arena, sizeof *status);
    if (!status) {
        list->err = ERR_LIMIT;
        return false;
    }
    *status = mailbox->status;
    row->status = status;
    return true;
}

static bool gather(void *arg, const struct store_mailbox *mailbox)
{
    struct list *list = arg;
    char wire[5 * 480];
    bool selected = selects(list, mailbox), recursive = list->select & LIST_RECURSIVEMATCH;
    if (!selected && !recursive)
        return true;
    size_t n = utf7_encode(slice_first(mailbox->path, 480), wire);
    struct slice name = slice(wire, n);
    bool above = recursive || (list->lsub && ends_in_percent(&list->patterns[0]));
    if (selected && above && !add_parents(list, name))
        return false;
    struct row *row = add_row(list, name);
    if (!row)
        return false;
    row->flags = mailbox->flags;
    row->use = mailbox->use;
    row->real = true;
    row->selected = selected;
    return !selected || add_status(list, row, mailbox);
}

static const struct slice use_names[] = {
    [USE_NONE] = {NULL,        0},
      [USE_SENT] = {"\\Sent",    5},
    [USE_DRAFTS] = {"\\Drafts",  7},
      [USE_TRASH] = {"\\Trash",   6},
    [USE_JUNK] = {"\\Junk",    5},
      [USE_ARCHIVE] = {"\\Archive", 8},
    [USE_ALL] = {"\\All",     4},
      [USE_FLAGGED] = {"\\Flagged", 8},
};

/* RFC 5258 section 3.5: which options something below it has met. */
static void tell_childinfo(struct reply *r, unsigned select)
{
    bool both = select & LIST_SUBSCRIBED && select & LIST_SPECIAL_USE;
    reply_str(r, " (\"CHILDINFO\" (");
    if (select & LIST_SUBSCRIBED)
        reply_str(r, "\"SUBSCRIBED\"");
    if (both)
        reply_str(r, " ");
    if (select & LIST_SPECIAL_USE)
        reply_str(r, "\"SPECIAL-USE\"");
    reply_str(r, "))");
}

static void tell_attributes(struct reply *r, const struct list *list, const struct row *row)
{
    bool missing = row->flags & MAILBOX_NONEXISTENT;
    if (missing && list->extended)
        reply_str(r, "\\NonExistent ");
    else if (missing || row->flags & MAILBOX_NOSELECT)
        reply_str(r, "\\Noselect ");
    if (row->flags & MAILBOX_NOINFERIORS)
        reply_str(r, "\\Noinferiors ");
    reply_str(r, row->flags & MAILBOX_CHILDREN ? "\\HasChildren" : "\\HasNoChildren");
    if ((list->select | list->returns) & LIST_SUBSCRIBED && row->flags & MAILBOX_SUBSCRIBED)
        reply_str(r, " \\Subscribed");
    if (row->use != USE_NONE) {
        reply_str(r, " ");
        reply_add(r, use_names[row->use]);
    }
}

static void tell_row(struct session *s, struct reply *r, const struct list *list,
                     const struct row *row)
{
    char text[2 * 5 * 480 + QUOTE_EXTRA];
    struct slice name = slice(text, quote_string(row->name, text));
    reply_str(r, list->lsub ? "* LSUB (" : "* LIST (");
    tell_attributes(r, list, row);
    reply_str(r, ") \"/\" ");
    reply_add(r, name);
    if (row->childinfo)
        tell_childinfo(r, list->select);
    reply_str(r, "\r\n");
    if (row->status) { /* RFC 5819 section 2 */
        reply_str(r, "* STATUS ");
        reply_add(r, name);
        tell_status(s, r, list->status, row->status);
    }
}

static enum step tell(struct session *s, struct command *c, struct list *list)
{
    enum { SLICE_NS = 5 * 1000 * 1000 };
    uint64_t until = clock_mono_ns() + SLICE_NS;
    struct reply r;
    reply_begin(&r, s->conn);
    for (unsigned i = 1; list->rows; list->rows = list->rows->next, i++) {
        if (conn_full(s->conn) || (i % 16 == 0 && clock_mono_ns() > until)) {
            reply_end(&r);
            return STEP_FULL;
        }
        const struct row *row = list->rows;
        if ((row->selected || row->forced) && matches(list, row->name))
            tell_row(s, &r, list, row);
    }
    reply_end(&r);
    return command_ok(c, NULL);
}

/* RFC 5258 section 3: an empty pattern of an extended command matches nothing. */
static enum err make_patterns(struct list *list, struct slice reference, const struct slice *items,
                              size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (list->extended && !items[i].len)
            continue;
        enum err e =
            pattern_make(reference, items[i], list->arena, &list->patterns[list->npatterns]);
        if (e)
            return e;
        list->npatterns++;
    }
    return ERR_OK;
}

static enum step go_on(struct session *s, struct command *c, struct list *list)
{
    if (!list->gathered) {
        if (!list->err && (list->lsub || list->select & LIST_RECURSIVEMATCH) && !sort_rows(list))
            list->err = ERR_LIMIT;
        if (list->err)
            return command_fail(c, list->err, NULL);
        list->gathered = true;
    }
    return tell(s, c, list);
}

static void lost_read(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct list *list = s->command.progress;
    if (result->err)
        list->err = result->err;
    else
        recover_list(result->lost, gather, list);
    session_resume(s);
}

static enum step run(struct session *s, struct command *c, struct list *list,
                     struct slice reference, const struct slice *items, size_t n)
{
    list->arena = &s->arena;
    list->tail = &list->rows;
    enum err e = make_patterns(list, reference, items, n);
    if (!e)
        e = store_mailbox_list(session_reader(s), session_account(s), list->status, gather, list);
    if (e == ERR_AGAIN) {
        c->progress = NULL;
        store_warm_mailbox(session_account(s), SLICE("INBOX"), session_warmed(s));
        return STEP_WAIT;
    }
    if (e)
        return command_fail(c, e, NULL);
    if (!list->lsub && recover_shown(s)) {
        store_warm_lost(session_account(s), session_to(s, lost_read));
        return STEP_WAIT;
    }
    return go_on(s, c, list);
}

enum step imap_list(struct session *s, struct command *c)
{
    const struct arg *select = &c->args[0], *patterns = &c->args[2], *returns = &c->args[3];
    if (c->progress)
        return go_on(s, c, c->progress);
    struct list *list = session_progress(s, sizeof *list);
    list->extended = select->given || returns->given || patterns->patterns.several;
    list->select = select->given ? select->options : 0;
    list->returns = returns->given ? returns->returns.options : 0;
    list->status = returns->given ? returns->returns.status : 0;
    if (!list->extended && !patterns->patterns.items[0].len) {
        /* asks for the delimiter, and the root of the reference */
        conn_send(s->conn, SLICE("* LIST (\\Noselect) \"/\" \"\"\r\n"));
        return command_ok(c, NULL);
    }
    return run(s, c, list, c->args[1].text, patterns->patterns.items, patterns->patterns.n);
}

enum step imap_lsub(struct session *s, struct command *c)
{
    if (c->progress)
        return go_on(s, c, c->progress);
    struct list *list = session_progress(s, sizeof *list);
    list->lsub = true;
    return run(s, c, list, c->args[0].text, &c->args[1].text, 1);
}

/* --- NAMESPACE: RFC 2342 section 5 ---------------------------------------------------------- */

enum step imap_namespace(struct session *s, struct command *c)
{
    conn_send(s->conn, SLICE("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"));
    return command_ok(c, NULL);
}

/* --- STATUS: RFC 3501 section 6.3.10 -------------------------------------------------------- */

struct status {
    bool over;
    enum err err;
    struct slice path, former; /* `former`: of Recoverable/ */
    struct store_status found;
};

static void status_read(void *object, const struct store_result *result)
{
    struct session *s = session_of(object);
    struct status *st = s->command.progress;
    st->over = true;
    st->err = result->err ? result->err : store_lost_status(result->lost, st->former, &st->found);
    session_resume(s);
}

enum step imap_status(struct session *s, struct command *c)
{
    struct status *st = session_progress(s, sizeof *st);
    struct slice name = c->args[0].text;
    if (!st->over && recover_path(s, name, &st->former)) {
        st->path = name;
        store_warm_lost(session_account(s), session_to(s, status_read));
        return STEP_WAIT;
    }
    if (!st->over) {
        struct slice meant = SLICE_NONE;
        st->err = store_path_check(name, &s->arena, &st->path);
        if (!st->err) {
            meant = alias_meant(s, st->path);
            st->err =
                store_mailbox_status(session_reader(s), session_account(s), meant, &st->found);
        }
        if (st->err == ERR_AGAIN) {
            store_warm_mailbox(session_account(s), meant, session_warmed(s));
            return STEP_WAIT;
        }
    }
    if (st->err)
        return command_fail(c, st->err, NULL);
    struct reply r;
    reply_begin(&r, s->conn);
    reply_str(&r, "* STATUS ");
    reply_mailbox(&r, st->path);
    tell_status(s, &r, c->args[1].status, &st->found);
    reply_end(&r);
    return command_ok(c, NULL);
}
