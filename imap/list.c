/* LIST, LSUB, NAMESPACE, STATUS. */
#include <stdlib.h>
#include <string.h>

#include "core/base/clock.h"
#include "core/base/utf7.h"
#include "imap/pattern.h"
#include "imap/quote.h"
#include "imap/reply.h"
#include "imap/session.h"

/* --- LIST and LSUB: RFC 3501 sections 6.3.8, 6.3.9
 * ------------------------------------------------ The store gives all names in one snapshot. They
 * are gathered first, then matched and told as the output takes them, so that neither many names
 * nor a nasty pattern holds the loop. */

struct row {
    struct row *next;
    unsigned flags;
    enum special_use use;
    struct slice name; /* on the wire's form, not quoted */
};

struct list {
    struct arena *arena;
    struct pattern pattern;
    bool lsub;
    struct row *rows, **tail;
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
    row->name = slice(to, wire.len);
    *list->tail = row;
    list->tail = &row->next;
    return row;
}

/* Does the pattern end in `%`? Then LSUB tells the level above a subscribed name. */
static bool ends_in_percent(const struct pattern *p)
{
    return p->text.len && p->text.ptr[p->text.len - 1] == '%';
}

/* LSUB "" "%" with only a/b subscribed: (\Noselect) a. */
static bool add_parents(struct list *list, struct slice wire)
{
    for (size_t n = slice_find(wire, '/'); n < wire.len;
         n += 1 + slice_find(slice_from(wire, n + 1), '/')) {
        struct slice parent = slice_first(wire, n);
        if (!pattern_match(&list->pattern, parent))
            continue;
        struct row *row = add_row(list, parent);
        if (!row)
            return false;
        row->flags = MAILBOX_NOSELECT | MAILBOX_CHILDREN;
    }
    return true;
}

/* By name; a subscription before the parents of others that have its name. */
static int by_name(const void *a, const void *b)
{
    const struct row *x = *(struct row *const *)a, *y = *(struct row *const *)b;
    int d = slice_cmp(x->name, y->name);
    return d ? d : !!(y->flags & MAILBOX_SUBSCRIBED) - !!(x->flags & MAILBOX_SUBSCRIBED);
}

/* One row a name: what stands above several subscriptions was gathered for each of them. */
static bool sort_rows(struct list *list)
{
    size_t n = 0, k = 0;
    for (const struct row *row = list->rows; row; row = row->next)
        n++;
    struct row **rows = arena_try(list->arena, (n + 1) * sizeof(struct row *));
    if (!rows)
        return false;
    for (struct row *row = list->rows; row; row = row->next)
        rows[k++] = row;
    qsort(rows, n, sizeof(struct row *), by_name);
    list->tail = &list->rows;
    for (k = 0; k < n; k++) {
        if (k && slice_eq(rows[k]->name, rows[k - 1]->name))
            continue;
        *list->tail = rows[k];
        list->tail = &rows[k]->next;
    }
    *list->tail = NULL;
    return true;
}

static bool gather(void *arg, const struct store_mailbox *mailbox)
{
    struct list *list = arg;
    char wire[5 * 480];
    if (list->lsub ? !(mailbox->flags & MAILBOX_SUBSCRIBED) : mailbox->flags & MAILBOX_NONEXISTENT)
        return true;
    size_t n = utf7_encode(slice_first(mailbox->path, 480), wire);
    struct slice name = slice(wire, n);
    if (list->lsub && ends_in_percent(&list->pattern) && !add_parents(list, name))
        return false;
    struct row *row = add_row(list, name);
    if (!row)
        return false;
    row->flags = mailbox->flags;
    row->use = mailbox->use;
    return true;
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

static void tell_row(struct reply *r, const struct list *list, const struct row *row)
{
    char text[2 * 5 * 480 + QUOTE_EXTRA];
    reply_str(r, list->lsub ? "* LSUB (" : "* LIST (");
    if (row->flags & (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT))
        reply_str(r, "\\Noselect ");
    if (row->flags & MAILBOX_NOINFERIORS)
        reply_str(r, "\\Noinferiors ");
    reply_str(r, row->flags & MAILBOX_CHILDREN ? "\\HasChildren" : "\\HasNoChildren");
    if (row->use != USE_NONE) {
        reply_str(r, " ");
        reply_add(r, use_names[row->use]);
    }
    reply_str(r, ") \"/\" ");
    reply_add(r, slice(text, quote_string(row->name, text)));
    reply_str(r, "\r\n");
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
        if (pattern_match(&list->pattern, list->rows->name))
            tell_row(&r, list, list->rows);
    }
    reply_end(&r);
    return command_ok(c, NULL);
}

static enum step list(struct session *s, struct command *c, bool lsub)
{
    struct list *list = c->progress;
    if (list)
        return tell(s, c, list);
    list = session_progress(s, sizeof *list);
    *list = (struct list){.arena = &s->arena, .lsub = lsub, .tail = &list->rows};
    struct slice reference = c->args[0].text, pattern = c->args[1].text;
    if (!pattern.len && !lsub) { /* asks for the delimiter, and the root of the reference */
        conn_send(s->conn, SLICE("* LIST (\\Noselect) \"/\" \"\"\r\n"));
        return command_ok(c, NULL);
    }
    enum err e = pattern_make(reference, pattern, &s->arena, &list->pattern);
    if (!e)
        e = store_mailbox_list(session_reader(s), session_account(s), false, gather, list);
    if (e == ERR_AGAIN) {
        c->progress = NULL;
        store_warm_mailbox(session_account(s), SLICE("INBOX"), session_warmed(s));
        return STEP_WAIT;
    }
    if (!e)
        e = list->err;
    if (!e && lsub && !sort_rows(list))
        e = ERR_LIMIT;
    return e ? command_fail(c, e, NULL) : tell(s, c, list);
}

enum step imap_list(struct session *s, struct command *c)
{
    return list(s, c, false);
}

enum step imap_lsub(struct session *s, struct command *c)
{
    return list(s, c, true);
}

/* --- NAMESPACE: RFC 2342 section 5 ---------------------------------------------------------- */

enum step imap_namespace(struct session *s, struct command *c)
{
    conn_send(s->conn, SLICE("* NAMESPACE ((\"\" \"/\")) NIL NIL\r\n"));
    return command_ok(c, NULL);
}

/* --- STATUS: RFC 3501 section 6.3.10 -------------------------------------------------------- */

static void tell_item(struct reply *r, const char *name, uint64_t value, bool *any)
{
    if (*any)
        reply_str(r, " ");
    *any = true;
    reply_str(r, name);
    reply_str(r, " ");
    reply_u64(r, value);
}

enum step imap_status(struct session *s, struct command *c)
{
    unsigned items = c->args[1].status;
    struct slice path;
    struct store_status st;
    enum err e = store_path_check(c->args[0].text, &s->arena, &path);
    if (!e)
        e = store_mailbox_status(session_reader(s), session_account(s), path, &st);
    if (e == ERR_AGAIN) {
        store_warm_mailbox(session_account(s), path, session_warmed(s));
        return STEP_WAIT;
    }
    if (e)
        return command_fail(c, e, NULL);
    const struct {
        unsigned bit;
        const char *name;
        uint64_t value;
    } values[] = {
        {STATUS_MESSAGES,    "MESSAGES",    st.messages            },
        {STATUS_RECENT,      "RECENT",      st.recent              },
        {STATUS_UIDNEXT,     "UIDNEXT",     st.uidnext             },
        {STATUS_UIDVALIDITY, "UIDVALIDITY", st.uidvalidity         },
        {STATUS_UNSEEN,      "UNSEEN",      st.unseen              },
        {STATUS_SIZE,        "SIZE",        st.octets              },
        {STATUS_APPENDLIMIT, "APPENDLIMIT", session_append_limit(s)},
    };
    bool any = false;
    struct reply r;
    reply_begin(&r, s->conn);
    reply_str(&r, "* STATUS ");
    reply_mailbox(&r, path);
    reply_str(&r, " (");
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        if (items & values[i].bit)
            tell_item(&r, values[i].name, values[i].value, &any);
    reply_str(&r, ")\r\n");
    reply_end(&r);
    return command_ok(c, NULL);
}
