/* tandem export: an account's mail as records, for a writer of files (cmd/mail/record.h). */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/mail/record.h"
#include "cmd/message.h"
#include "cmd/setup.h"
#include "core/base/hex.h"
#include "core/base/mem.h"
#include "store/admin.h"

struct box {
    struct slice path; /* in the arena */
    struct store_status status;
    bool subscribed;
};

struct export
{
    struct verb_call *call;
    struct store_account *account;
    struct arena arena; /* paths */
    struct box *boxes;
    size_t n, cap;
    struct slice only; /* this mailbox alone; empty: all */
    struct record_out out;
    uint64_t seen, total, messages, octets, skipped;
};

/* Whoever takes it may be slow: no snapshot is held meanwhile. */
static bool write_data(void *arg, struct slice octets)
{
    struct verb_call *call = arg;
    store_reader_idle(call->reader);
    verb_data(call, octets);
    return !verb_gone(call);
}

/* --- which mailboxes -------------------------------------------------------------------------- */

static bool add_box(void *arg, const struct store_mailbox *mailbox)
{
    struct export *ex = arg;
    if (!mailbox->has_status || (ex->only.len && !slice_eq(mailbox->path, ex->only)))
        return true;
    if (ex->n == ex->cap) {
        ex->cap = ex->cap ? ex->cap * 2 : 64;
        ex->boxes = mem_resize(ex->boxes, ex->cap * sizeof *ex->boxes);
    }
    ex->boxes[ex->n++] = (struct box){.path = arena_dup(&ex->arena, mailbox->path),
                                      .status = mailbox->status,
                                      .subscribed = mailbox->flags & MAILBOX_SUBSCRIBED};
    ex->total += mailbox->status.messages;
    return true;
}

/* --- a message -------------------------------------------------------------------------------- */

static enum err put_octets(void *arg, struct slice octets)
{
    struct export *ex = arg;
    record_put_octets(&ex->out, octets);
    return ex->out.broken ? ERR_DOWN : ERR_OK;
}

/* The UIDL that Dovecot would make of the UID need not be said. */
static enum err describe(struct export *ex, const struct box *box, const struct store_view *view,
                         const struct store_message *m, struct store_uidl *uidl,
                         struct record_message *ret)
{
    char usual[32];
    enum err e = store_uidl(ex->call->reader, ex->account, box->status.mailbox,
                            box->status.uidvalidity, m, uidl);
    if (e)
        return e;
    snprintf(usual, sizeof usual, "%08x%08x", m->uid, box->status.uidvalidity);
    ret->uid = m->uid;
    ret->flags =
        m->sysflags & (FLAG_SEEN | FLAG_ANSWERED | FLAG_FLAGGED | FLAG_DELETED | FLAG_DRAFT);
    ret->date = m->internaldate;
    ret->zone = m->zone;
    ret->recent = m->recent;
    ret->order = uidl->order;
    ret->size = m->size;
    ret->uidl = strcmp(usual, uidl->text) == 0 ? SLICE_NONE : slice_str(uidl->text);
    for (unsigned i = 0; i < store_view_nkeywords(view); i++)
        if (m->keywords >> i & 1 && store_view_keyword(view, i).len)
            ret->keywords[ret->nkeywords++] = store_view_keyword(view, i);
    return ERR_OK;
}

static enum err send_message(struct export *ex, const struct box *box, struct store_view *view,
                             const struct store_message *m)
{
    struct record_message message = {0};
    struct store_uidl uidl;
    struct store_body *body = NULL;
    char id[32];
    enum err e = describe(ex, box, view, m, &uidl, &message);
    if (!e)
        e = store_body_open(view, m->uid, &body);
    store_reader_idle(ex->call->reader);
    if (e)
        return e;
    hex_encode(slice(m->emailid, 16), id);
    message.id = slice(id, sizeof id);
    record_put_message(&ex->out, &message);
    e = mail_octets(ex->call, body, store_body_size(body), put_octets, ex);
    store_body_close(body);
    record_put(&ex->out, RECORD_END, e ? slice_str(err_text(e)) : SLICE_NONE);
    return e;
}

/* --- a mailbox -------------------------------------------------------------------------------- */

static const struct column columns[] = {
    {"mailbox",  COLUMN_TEXT  },
    {"messages", COLUMN_NUMBER},
    {"octets",   COLUMN_OCTETS},
    {NULL,       COLUMN_TEXT  }
};

static enum err send_messages(struct export *ex, const struct box *box, struct store_view *view)
{
    struct uidset all = {0};
    struct store_cursor cursor;
    struct store_message m;
    enum err e = ERR_OK;
    uidset_add(&all, 1, UINT32_MAX);
    store_cursor_init(&cursor, view, &all, WANT_MSG, 0);
    while (!ex->out.broken && !(e = store_cursor_next(&cursor, &m))) {
        verb_progress(ex->call, ex->seen++, ex->total);
        enum err one = m.ghost ? ERR_GONE : send_message(ex, box, view, &m);
        if (one && one != ERR_GONE && one != ERR_DOWN) { /* gone: expunged meanwhile */
            verb_complain(ex->call, SLICE_FMT ": UID %u: %s", SLICE_ARG(box->path), m.uid,
                          err_text(one));
            ex->skipped++;
        }
        ex->messages += !one;
        ex->octets += one ? 0 : m.size;
    }
    store_reader_idle(ex->call->reader);
    uidset_finish(&all);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err send_mailbox(struct export *ex, const struct box *box)
{
    struct store_view *view;
    uint64_t messages = ex->messages, octets = ex->octets;
    enum err e = store_view_open(ex->call->reader, ex->account, box->path, VIEW_READ_ONLY, &view);
    store_reader_idle(ex->call->reader);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e; /* deleted meanwhile */
    struct record_mailbox mailbox = {
        .path = box->path, .uidvalidity = box->status.uidvalidity, .uidnext = box->status.uidnext};
    record_put_mailbox(&ex->out, &mailbox);
    e = send_messages(ex, box, view);
    store_view_close(view);
    if (!e)
        verb_row(ex->call, cell_text(box->path), cell_number(ex->messages - messages),
                 cell_octets(ex->octets - octets));
    return e;
}

static int run(struct export *ex)
{
    enum err e = store_mailbox_list(ex->call->reader, ex->account, true, add_box, ex);
    store_reader_idle(ex->call->reader);
    if (!e && ex->only.len && !ex->n)
        return verb_complain(ex->call, SLICE_FMT ": there is no such mailbox", SLICE_ARG(ex->only));
    verb_columns(ex->call, columns);
    record_put_total(&ex->out, &(struct record_total){.account = store_account_login(ex->account),
                                                      .messages = ex->total});
    for (size_t i = 0; !e && i < ex->n && !ex->out.broken; i++)
        e = send_mailbox(ex, &ex->boxes[i]);
    for (size_t i = 0; !e && i < ex->n; i++)
        if (ex->boxes[i].subscribed)
            record_put(&ex->out, RECORD_SUBSCRIBED, ex->boxes[i].path);
    if (!e)
        record_put(&ex->out, RECORD_DONE, SLICE_NONE);
    record_flush(&ex->out);
    if (e || ex->out.broken)
        return e ? verb_complain(ex->call, "stopped: %s", err_text(e)) : EXIT_FAILED;
    verb_progress(ex->call, ex->total, ex->total);
    verb_say(ex->call, "%" PRIu64 " messages in %zu mailboxes", ex->messages, ex->n);
    return ex->skipped ? EXIT_PARTLY : EXIT_DONE;
}

int verb_export_mail(struct verb_call *call)
{
    struct slice only = SLICE_NONE;
    const char *mailbox = verb_option(call, "--mailbox");
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (mailbox && !verb_path(call, mailbox, &only))
        return EXIT_USAGE;
    struct export *ex = mem_new(sizeof *ex);
    int status = EXIT_FAILED;
    *ex = (struct export){.call = call, .only = only};
    arena_init(&ex->arena, SIZE_MAX);
    record_out_init(&ex->out, write_data, call);
    if (verb_account(call, call->argv[0], &ex->account)) {
        status = run(ex);
        store_account_close(ex->account);
    }
    mem_free(ex->boxes);
    arena_reset(&ex->arena);
    mem_free(ex);
    return status;
}
