/* tandem undelete: what the undelete window keeps, listed or brought back. */
#include <inttypes.h>
#include <string.h>

#include "cmd/setup.h"
#include "cmd/verb.h"
#include "cmd/when.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "core/mime/charset.h"
#include "core/mime/header.h"

enum { TEXT_MAX = 998 }; /* of a header field as it is shown */

static const char *word_of(unsigned by)
{
    switch (by) {
    case LOST_POP3:
        return "pop3";
    case LOST_EXPIRY:
        return "expiry";
    case LOST_MAILBOX:
        return "mailbox";
    default:
        return "imap";
    }
}

/* --- what is meant ------------------------------------------------------------------------------
 */

static bool read_by(const char *word, unsigned *ret)
{
    static const struct {
        const char *word;
        unsigned by;
    } words[] = {
        {"pop3",   LOST_POP3               },
        {"imap",   LOST_IMAP | LOST_MAILBOX},
        {"expiry", LOST_EXPIRY             },
    };
    *ret = 0;
    for (size_t i = 0; word && i < sizeof words / sizeof *words; i++)
        if (strcmp(word, words[i].word) == 0)
            *ret = words[i].by;
    return !word || *ret;
}

static int complain_id(struct verb_call *call)
{
    return verb_complain(call, "this is no Message-ID: write <left@right>");
}

static bool read_pick(struct verb_call *call, struct store_pick *ret)
{
    const char *since = verb_option(call, "--since"), *by = verb_option(call, "--by"),
               *mailbox = verb_option(call, "--mailbox"),
               *message_id = verb_option(call, "--message-id");
    *ret = (struct store_pick){0};
    if (!when_since(call, since, &ret->since))
        return false;
    if (!read_by(by, &ret->by)) {
        verb_complain(call, "--by '%s': write pop3, imap or expiry", by);
        return false;
    }
    if (mailbox && !verb_path(call, mailbox, &ret->mailbox))
        return false;
    ret->message_id = slice_str(message_id ? message_id : "");
    if (message_id && !*message_id) {
        complain_id(call);
        return false;
    }
    return true;
}

static int failed_read(struct verb_call *call, enum err e)
{
    return e == ERR_SYNTAX ? complain_id(call)
                           : verb_complain(call, "the window cannot be read: %s", err_text(e));
}

/* --- names of mailboxes -------------------------------------------------------------------------
 */

struct named {
    uint32_t m;
    struct slice path; /* owned */
};

struct names {
    struct named *list;
    size_t n, cap;
};

static struct slice name_of(const struct names *names, uint32_t m)
{
    for (size_t i = names->n; i-- > 0;) /* what is asked for was mostly added last */
        if (names->list[i].m == m)
            return names->list[i].path;
    return SLICE_NONE;
}

static void name_add(struct names *names, uint32_t m, struct slice path)
{
    if (names->n == names->cap) {
        names->cap = names->cap ? names->cap * 2 : 16;
        names->list = mem_resize(names->list, names->cap * sizeof *names->list);
    }
    names->list[names->n++] = (struct named){m, slice(mem_dup(path.ptr, path.len), path.len)};
}

static void names_free(struct names *names)
{
    for (size_t i = 0; i < names->n; i++)
        mem_free((char *)(uintptr_t)names->list[i].path.ptr);
    mem_free(names->list);
}

static bool add_mailbox(void *arg, const struct store_mailbox *mailbox)
{
    if (mailbox->has_status)
        name_add(arg, mailbox->status.mailbox, mailbox->path);
    return true;
}

/* --- --dry-run ----------------------------------------------------------------------------------
 */

/* A field of the header as text; empty: there is none. */
static void field(struct slice header, struct slice name, struct buf *to)
{
    struct header_walk walk;
    struct header_field found;
    header_walk_init(&walk, header, header.len);
    while (header_next(&walk, &found))
        if (slice_ieq(found.name, name)) {
            enum err e = charset_header(slice_trim(found.value), to);
            (void)e; /* as much of it as there is room for */
            return;
        }
}

static void tell_lost(struct verb_call *call, const struct store_lost *lost)
{
    struct buf from, subject, id;
    char path[480];
    struct slice was = slice(path, lost->path.len);
    memcpy(path, lost->path.ptr, lost->path.len);
    buf_init(&from, TEXT_MAX);
    buf_init(&subject, TEXT_MAX);
    buf_init(&id, TEXT_MAX);
    field(lost->header, SLICE("From"), &from);
    field(lost->header, SLICE("Subject"), &subject);
    field(lost->header, SLICE("Message-ID"), &id);
    store_reader_idle(call->reader);
    verb_row(call, cell_time(lost->time), cell_str(word_of(lost->by)), cell_text(was),
             lost->uid ? cell_number(lost->uid) : cell_none(COLUMN_NUMBER),
             cell_number(lost->messages), cell_octets(lost->octets), cell_time(lost->internaldate),
             cell_text(buf_slice(&from)), cell_text(buf_slice(&subject)),
             cell_text(buf_slice(&id)));
    buf_finish(&from);
    buf_finish(&subject);
    buf_finish(&id);
}

static int list(struct verb_call *call, struct store_window *window)
{
    static const struct column columns[] = {
        {"lost",       COLUMN_TIME  },
        {"by",         COLUMN_TEXT  },
        {"mailbox",    COLUMN_TEXT  },
        {"uid",        COLUMN_NUMBER},
        {"messages",   COLUMN_NUMBER},
        {"octets",     COLUMN_OCTETS},
        {"date",       COLUMN_TIME  },
        {"from",       COLUMN_TEXT  },
        {"subject",    COLUMN_TEXT  },
        {"message_id", COLUMN_TEXT  },
        {NULL,         0            },
    };
    struct store_lost lost;
    enum err e = ERR_OK;
    verb_columns(call, columns);
    while (!verb_gone(call) && !(e = store_window_next(window, &lost)))
        tell_lost(call, &lost);
    return e && e != ERR_NOTFOUND ? failed_read(call, e) : EXIT_DONE;
}

/* --- bringing it back ---------------------------------------------------------------------------
 */

struct found {
    struct store_lost *list;
    size_t n, cap;
    uint64_t octets;
    struct names names; /* of the mailboxes, as they were */
};

static enum err collect(struct verb_call *call, struct store_window *window, struct found *found)
{
    enum { IDLE_EVERY = 256 };
    enum err e;
    for (;;) {
        if (found->n == found->cap) {
            found->cap = found->cap ? found->cap * 2 : 64;
            found->list = mem_resize(found->list, found->cap * sizeof *found->list);
        }
        struct store_lost *lost = &found->list[found->n];
        if ((e = store_window_next(window, lost)))
            break;
        if (!name_of(&found->names, lost->mailbox).ptr)
            name_add(&found->names, lost->mailbox, lost->path);
        lost->path = lost->header = SLICE_NONE; /* they were lent */
        found->octets += lost->octets;
        if (++found->n % IDLE_EVERY == 0)
            store_reader_idle(call->reader);
    }
    store_reader_idle(call->reader);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static const char *failure(enum err e)
{
    switch (e) {
    case ERR_OK:
        return NULL;
    case ERR_NOTFOUND:
        return "it has left the window";
    case ERR_LIMIT:
        return "the account has as many mailboxes as it may";
    default:
        return err_text(e);
    }
}

static int tell_result(struct verb_call *call, struct store_account *account,
                       const struct found *found, const struct store_result *result)
{
    static const struct column columns[] = {
        {"lost",        COLUMN_TIME  },
        {"by",          COLUMN_TEXT  },
        {"mailbox",     COLUMN_TEXT  },
        {"uid",         COLUMN_NUMBER},
        {"messages",    COLUMN_NUMBER},
        {"octets",      COLUMN_OCTETS},
        {"restored_to", COLUMN_TEXT  },
        {"new_uid",     COLUMN_NUMBER},
        {"error",       COLUMN_TEXT  },
        {NULL,          0            },
    };
    struct names now = {0};
    uint64_t messages = 0, mailboxes = 0, failed = 0;
    enum err e = store_mailbox_list(call->reader, account, true, add_mailbox, &now);
    store_reader_idle(call->reader);
    (void)e; /* then the new names are not told */
    verb_columns(call, columns);
    for (size_t i = 0; i < found->n; i++) {
        const struct store_lost *lost = &found->list[i];
        const struct store_arrival *a = &result->arrivals[i];
        struct slice to = a->err ? SLICE_NONE : name_of(&now, a->mailbox);
        verb_row(call, cell_time(lost->time), cell_str(word_of(lost->by)),
                 cell_text(name_of(&found->names, lost->mailbox)),
                 lost->uid ? cell_number(lost->uid) : cell_none(COLUMN_NUMBER),
                 cell_number(lost->messages), cell_octets(lost->octets),
                 to.ptr ? cell_text(to) : cell_none(COLUMN_TEXT),
                 a->uid ? cell_number(a->uid) : cell_none(COLUMN_NUMBER),
                 cell_str(failure(a->err)));
        failed += a->err != ERR_OK;
        messages += a->err ? 0 : lost->messages;
        mailboxes += !a->err && !lost->uid;
    }
    names_free(&now);
    verb_say(call, "%" PRIu64 " messages and %" PRIu64 " mailboxes brought back, %" PRIu64 " not",
             messages, mailboxes, failed);
    return failed == 0 ? EXIT_DONE : failed < found->n ? EXIT_PARTLY : EXIT_FAILED;
}

static int complain_quota(struct verb_call *call, struct store_account *account,
                          const struct found *found)
{
    struct store_usage usage = {0};
    const struct store_limits *limits = store_account_limits(account);
    enum err e = store_usage(call->reader, account, &usage);
    store_reader_idle(call->reader);
    if (e || !limits->quota_octets)
        return verb_complain(call, "the quota has no room for all of it; nothing was done");
    return verb_complain(call,
                         "the quota has no room for %" PRIu64 " octets more: %" PRIu64
                         " of %" PRIu64 " are used; nothing was done",
                         found->octets, usage.octets, limits->quota_octets);
}

static int restore(struct verb_call *call, struct store_account *account,
                   struct store_window *window)
{
    struct found found = {0};
    struct store_result result;
    int status;
    enum err e = collect(call, window, &found);
    if (e) {
        status = failed_read(call, e);
    } else if (found.n == 0) {
        status = verb_complain(call, "the undelete window holds nothing of the kind");
    } else {
        struct store_wait *wait = store_wait_new();
        store_undelete(account, found.list, found.n, SLICE_NONE, store_wait_to(wait));
        e = store_wait(wait, &result);
        status = e == ERR_QUOTA     ? complain_quota(call, account, &found)
                 : result.narrivals ? tell_result(call, account, &found, &result)
                                    : verb_failed(call, "undelete", &result);
        store_result_finish(&result);
    }
    names_free(&found.names);
    mem_free(found.list);
    return status;
}

int verb_undelete(struct verb_call *call)
{
    struct store_pick pick;
    struct store_account *account;
    struct store_window *window;
    bool dry = verb_flag(call, "--dry-run");
    if (!read_pick(call, &pick) || !verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_account(call, call->argv[0], &account))
        return EXIT_FAILED;
    enum err e = store_window_open(call->reader, account, &pick, &window);
    int status = e     ? failed_read(call, e)
                 : dry ? list(call, window)
                       : restore(call, account, window);
    if (!e)
        store_window_close(window);
    store_reader_idle(call->reader);
    store_account_close(account);
    return status;
}
