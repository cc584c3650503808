/* tandem fetch: rows about messages, or the octets of them. */
#include <string.h>

#include "cmd/message.h"
#include "cmd/setup.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/mime/charset.h"
#include "core/mime/header.h"

enum {
    ROW_MEMORY = 4 << 20,
    HEADER_MAX = 1 << 20, /* of a header looked at for fields */
    TEXT_MAX = 16 << 10   /* of a field shown: a row stays below what a frame may have */
};

enum what {
    WHAT_UID,
    WHAT_FLAGS,
    WHAT_SIZE,
    WHAT_DATE, /* INTERNALDATE */
    WHAT_SAVED,
    WHAT_MODSEQ,
    WHAT_SENT,  /* these are of the header: its date, */
    WHAT_FIELD, /* or a field of it */
    WHAT_HEADER,
    WHAT_BODY
};

static const struct field {
    struct column column;
    enum what what;
    const char *header;
} fields[] = {
    {{"uid", COLUMN_NUMBER},       WHAT_UID,    NULL         },
    {{"flags", COLUMN_LIST},       WHAT_FLAGS,  NULL         },
    {{"size", COLUMN_OCTETS},      WHAT_SIZE,   NULL         },
    {{"date", COLUMN_TIME},        WHAT_DATE,   NULL         },
    {{"saved", COLUMN_TIME},       WHAT_SAVED,  NULL         },
    {{"modseq", COLUMN_NUMBER},    WHAT_MODSEQ, NULL         },
    {{"sent", COLUMN_TIME},        WHAT_SENT,   "Date"       },
    {{"from", COLUMN_TEXT},        WHAT_FIELD,  "From"       },
    {{"to", COLUMN_TEXT},          WHAT_FIELD,  "To"         },
    {{"cc", COLUMN_TEXT},          WHAT_FIELD,  "Cc"         },
    {{"reply_to", COLUMN_TEXT},    WHAT_FIELD,  "Reply-To"   },
    {{"subject", COLUMN_TEXT},     WHAT_FIELD,  "Subject"    },
    {{"message_id", COLUMN_TEXT},  WHAT_FIELD,  "Message-ID" },
    {{"in_reply_to", COLUMN_TEXT}, WHAT_FIELD,  "In-Reply-To"},
    {{"header", COLUMN_TEXT},      WHAT_HEADER, NULL         },
    {{"body", COLUMN_TEXT},        WHAT_BODY,   NULL         },
};
enum { FIELDS = sizeof fields / sizeof *fields };
static const char *const usual[] = {"uid", "flags", "size", "date", "from", "subject"};

struct fetch {
    struct verb_call *call;
    struct mail mail;
    const struct field *fields[FIELDS];
    struct column columns[FIELDS + 1];
    size_t n;
    bool header;        /* one of them is of the header */
    struct arena arena; /* of a row */
};

/* --- octets ----------------------------------------------------------------------------------- */

static enum err to_buf(void *arg, struct slice octets)
{
    return buf_append(arg, octets);
}

static enum err to_output(void *arg, struct slice octets)
{
    verb_data(arg, octets);
    return verb_gone(arg) ? ERR_DOWN : ERR_OK;
}

/* The header, or all of the message, as it is. */
static enum err print_octets(struct fetch *f, const struct store_message *m)
{
    struct store_body *body;
    enum err e = store_body_open(f->mail.view, m->uid, &body);
    store_reader_idle(f->call->reader);
    if (e)
        return e;
    uint64_t end = f->fields[0]->what == WHAT_HEADER ? m->hdr_len : store_body_size(body);
    e = mail_octets(f->call, body, end, to_output, f->call);
    store_body_close(body);
    return e;
}

static enum err read_header(struct fetch *f, const struct store_message *m, struct buf *to)
{
    struct store_body *body;
    enum err e = store_body_open(f->mail.view, m->uid, &body);
    store_reader_idle(f->call->reader);
    if (e)
        return e;
    e = mail_octets(f->call, body, m->hdr_len < HEADER_MAX ? m->hdr_len : HEADER_MAX, to_buf, to);
    store_body_close(body);
    return e;
}

/* --- rows ------------------------------------------------------------------------------------- */

/* Each run of blanks, which folding leaves, becomes one. */
static struct slice squeeze(struct slice text)
{
    char *to = (char *)(uintptr_t)text.ptr;
    size_t n = 0;
    for (size_t i = 0; i < text.len; i++) {
        bool blank = text.ptr[i] == ' ' || text.ptr[i] == '\t';
        if (!blank || (n && to[n - 1] != ' '))
            to[n++] = blank ? ' ' : text.ptr[i];
    }
    return slice_trim(slice(text.ptr, n));
}

/* Decoded to UTF-8; cut at TEXT_MAX. */
static struct cell field_cell(struct fetch *f, struct slice value)
{
    struct buf text;
    buf_init(&text, 4 * TEXT_MAX);
    enum err e = charset_header(slice_first(value, TEXT_MAX), &text);
    struct slice copy = e ? SLICE_NONE : arena_dup(&f->arena, buf_slice(&text));
    buf_finish(&text);
    return copy.ptr ? cell_text(squeeze(copy)) : cell_none(COLUMN_TEXT);
}

static struct cell header_cell(struct fetch *f, const struct field *field, struct slice header)
{
    struct header_field found;
    int64_t sent;
    if (!header_find(header, HEADER_MAX, slice_str(field->header), &found))
        return cell_none(field->column.type);
    if (field->what == WHAT_FIELD)
        return field_cell(f, found.value);
    return header_date(found.value, &sent, NULL) && sent > 0 ? cell_time((uint64_t)sent)
                                                             : cell_none(COLUMN_TIME);
}

static struct cell cell_of(struct fetch *f, const struct field *field,
                           const struct store_message *m, struct slice header)
{
    switch (field->what) {
    case WHAT_UID:
        return cell_number(m->uid);
    case WHAT_FLAGS:
        return mail_flags_cell(&f->arena, f->mail.view, m);
    case WHAT_SIZE:
        return cell_octets(m->size);
    case WHAT_DATE:
        return cell_time(m->internaldate);
    case WHAT_SAVED:
        return cell_time(m->savedate);
    case WHAT_MODSEQ:
        return cell_number(m->modseq);
    case WHAT_SENT:
    case WHAT_FIELD:
        return header_cell(f, field, header);
    case WHAT_HEADER:
    case WHAT_BODY:
        break;
    }
    return cell_none(field->column.type);
}

static enum err print_row(struct fetch *f, const struct store_message *m)
{
    struct cell cells[FIELDS];
    struct buf header;
    buf_init(&header, HEADER_MAX);
    arena_init(&f->arena, ROW_MEMORY);
    enum err e = f->header ? read_header(f, m, &header) : ERR_OK;
    for (size_t i = 0; !e && i < f->n; i++)
        cells[i] = cell_of(f, f->fields[i], m, buf_slice(&header));
    if (!e)
        verb_cells(f->call, cells, f->n);
    arena_reset(&f->arena);
    buf_finish(&header);
    return e;
}

static int print_all(struct fetch *f, const struct uidset *uids)
{
    struct store_cursor cursor;
    struct store_message m;
    enum err e;
    bool octets = f->fields[0]->what >= WHAT_HEADER;
    if (!octets)
        verb_columns(f->call, f->columns);
    store_cursor_init(&cursor, f->mail.view, uids, WANT_MSG, 0);
    while ((e = store_cursor_next(&cursor, &m)) == ERR_OK && !verb_gone(f->call)) {
        store_reader_idle(f->call->reader);
        if (m.ghost)
            continue;
        e = octets ? print_octets(f, &m) : print_row(f, &m);
        if (e && e != ERR_GONE) /* expunged a moment ago */
            return verb_complain(f->call, "UID %u: %s", m.uid, err_text(e));
    }
    return !e || e == ERR_NOTFOUND ? EXIT_DONE : verb_complain(f->call, "%s", err_text(e));
}

/* --- the verb --------------------------------------------------------------------------------- */

/* "message-id" and "message_id" */
static bool is_called(const struct field *field, const char *word)
{
    const char *name = field->column.name;
    while (*name && (*name == *word || (*name == '_' && *word == '-')))
        name++, word++;
    return !*name && !*word;
}

static bool take_field(struct fetch *f, const char *word)
{
    for (size_t i = 0; i < FIELDS; i++) {
        if (!is_called(&fields[i], word))
            continue;
        bool there = false;
        for (size_t k = 0; k < f->n; k++)
            there = there || f->fields[k] == &fields[i];
        if (there)
            return true;
        f->header = f->header || fields[i].header;
        f->columns[f->n] = fields[i].column;
        f->fields[f->n++] = &fields[i];
        return true;
    }
    verb_complain(f->call, "there is no field '%s'; try 'tandem fetch --help'", word);
    return false;
}

static bool take_fields(struct fetch *f)
{
    struct verb_call *call = f->call;
    if (call->argc == 3)
        for (size_t i = 0; i < sizeof usual / sizeof *usual; i++)
            if (!take_field(f, usual[i]))
                return false;
    for (int i = 3; i < call->argc; i++)
        if (!take_field(f, call->argv[i]))
            return false;
    for (size_t i = 0; f->n > 1 && i < f->n; i++)
        if (f->fields[i]->what >= WHAT_HEADER) {
            verb_complain(call, "%s stands alone: it is printed as it is",
                          f->fields[i]->column.name);
            return false;
        }
    return true;
}

int verb_fetch(struct verb_call *call)
{
    struct fetch f = {.call = call};
    struct uidset uids;
    if (!verb_arguments(call, 3, 3 + FIELDS) || !take_fields(&f))
        return EXIT_USAGE;
    if (!mail_open(call, call->argv[0], call->argv[1], &f.mail))
        return EXIT_FAILED;
    int status = mail_uids(call, &f.mail, call->argv[2], &uids) ? print_all(&f, &uids) : EXIT_USAGE;
    uidset_finish(&uids);
    mail_close(&f.mail);
    return status;
}
