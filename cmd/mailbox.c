/* tandem mailbox create, delete, list, rename, status, subscribe, unsubscribe. Names are UTF-8. */
#include <string.h>

#include "cmd/setup.h"
#include "cmd/verb.h"

static const char *const use_words[] = {
    [USE_NONE] = NULL,     [USE_SENT] = "sent",       [USE_DRAFTS] = "drafts",
    [USE_TRASH] = "trash", [USE_JUNK] = "junk",       [USE_ARCHIVE] = "archive",
    [USE_ALL] = "all",     [USE_FLAGGED] = "flagged",
};
enum { USES = sizeof use_words / sizeof *use_words };

/* --- list, status ----------------------------------------------------------------------------- */

/* All of an account's mailboxes: rows are printed when the snapshot has been given back. */
struct listing {
    struct arena *arena;
    struct entry {
        struct entry *next;
        struct store_mailbox mailbox;
    } * first, **tail;
};

static bool collect(void *arg, const struct store_mailbox *mailbox)
{
    struct listing *list = arg;
    struct entry *entry = arena_new(list->arena, sizeof *entry);
    entry->mailbox = *mailbox;
    entry->mailbox.path = arena_dup(list->arena, mailbox->path);
    if (!entry->mailbox.path.ptr)
        return false;
    *list->tail = entry;
    list->tail = &entry->next;
    return true;
}

static bool list_mailboxes(struct verb_call *call, const char *name, struct listing *list)
{
    struct store_account *account;
    *list = (struct listing){.arena = &call->arena};
    list->tail = &list->first;
    if (!verb_account(call, name, &account))
        return false;
    enum err e = store_mailbox_list(call->reader, account, true, collect, list);
    store_account_close(account);
    store_reader_idle(call->reader);
    if (e)
        verb_complain(call, "%s: %s", name, err_text(e));
    return !e;
}

int verb_mailbox_list(struct verb_call *call)
{
    static const struct column columns[] = {
        {"mailbox",    COLUMN_TEXT  },
        {"use",        COLUMN_TEXT  },
        {"subscribed", COLUMN_YESNO },
        {"selectable", COLUMN_YESNO },
        {"messages",   COLUMN_NUMBER},
        {"unseen",     COLUMN_NUMBER},
        {"octets",     COLUMN_OCTETS},
        {NULL,         COLUMN_TYPES }
    };
    struct listing list;
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!list_mailboxes(call, call->argv[0], &list))
        return EXIT_FAILED;
    verb_columns(call, columns);
    for (const struct entry *entry = list.first; entry; entry = entry->next) {
        const struct store_mailbox *m = &entry->mailbox;
        const struct store_status *s = m->has_status ? &m->status : NULL;
        verb_row(call, cell_text(m->path), cell_str(use_words[m->use]),
                 cell_yesno(m->flags & MAILBOX_SUBSCRIBED),
                 cell_yesno(!(m->flags & MAILBOX_NOSELECT)),
                 s ? cell_number(s->messages) : cell_none(COLUMN_NUMBER),
                 s ? cell_number(s->unseen) : cell_none(COLUMN_NUMBER),
                 s ? cell_octets(s->octets) : cell_none(COLUMN_OCTETS));
    }
    return EXIT_DONE;
}

static void status_row(struct verb_call *call, struct slice path, const struct store_status *s)
{
    verb_row(call, cell_text(path), cell_number(s->messages), cell_number(s->unseen),
             cell_number(s->deleted), cell_octets(s->octets), cell_number(s->uidvalidity),
             cell_number(s->uidnext), cell_number(s->highestmodseq),
             cell_text(verb_text(call, "%llx", (unsigned long long)s->mailboxid)));
}

static bool status_one(struct verb_call *call, struct store_account *account, const char *name)
{
    struct slice path;
    struct store_status status;
    if (!verb_path(call, name, &path))
        return false;
    enum err e = store_mailbox_status(call->reader, account, path, &status);
    store_reader_idle(call->reader);
    if (e)
        verb_complain(call, "%s: %s", name,
                      e == ERR_NOTFOUND ? "there is no such mailbox" : err_text(e));
    else
        status_row(call, path, &status);
    return !e;
}

int verb_mailbox_status(struct verb_call *call)
{
    static const struct column columns[] = {
        {"mailbox",       COLUMN_TEXT  },
        {"messages",      COLUMN_NUMBER},
        {"unseen",        COLUMN_NUMBER},
        {"deleted",       COLUMN_NUMBER},
        {"octets",        COLUMN_OCTETS},
        {"uidvalidity",   COLUMN_NUMBER},
        {"uidnext",       COLUMN_NUMBER},
        {"highestmodseq", COLUMN_NUMBER},
        {"mailboxid",     COLUMN_TEXT  },
        {NULL,            COLUMN_TYPES }
    };
    struct store_account *account;
    struct listing list;
    size_t done = 0, failed = 0;
    if (!verb_arguments(call, 1, ARGUMENTS_MAX))
        return EXIT_USAGE;
    if (call->argc == 1) {
        if (!list_mailboxes(call, call->argv[0], &list))
            return EXIT_FAILED;
        verb_columns(call, columns);
        for (const struct entry *entry = list.first; entry; entry = entry->next)
            if (entry->mailbox.has_status)
                status_row(call, entry->mailbox.path, &entry->mailbox.status);
        return EXIT_DONE;
    }
    if (!verb_account(call, call->argv[0], &account))
        return EXIT_FAILED;
    verb_columns(call, columns);
    for (int i = 1; i < call->argc; i++)
        *(status_one(call, account, call->argv[i]) ? &done : &failed) += 1;
    store_account_close(account);
    return verb_tally(done, failed);
}

/* --- changes ---------------------------------------------------------------------------------- */

typedef void change(struct store_account *account, struct slice path, const void *arg,
                    struct store_to to);

/* The same change to each of the mailboxes named behind the account. `said` NULL: says nothing. */
static int change_each(struct verb_call *call, change *run, const void *arg, const char *said)
{
    struct store_account *account;
    struct slice path;
    size_t done = 0, failed = 0;
    if (!verb_arguments(call, 2, ARGUMENTS_MAX))
        return EXIT_USAGE;
    if (!verb_account(call, call->argv[0], &account))
        return EXIT_FAILED;
    store_reader_idle(call->reader);
    for (int i = 1; i < call->argc; i++) {
        bool good = verb_path(call, call->argv[i], &path);
        if (good) {
            struct store_wait *wait = store_wait_new();
            run(account, path, arg, store_wait_to(wait));
            good = verb_wait(call, wait, call->argv[i], NULL);
        }
        if (good && said)
            verb_say(call, SLICE_FMT ": %s", SLICE_ARG(path), said);
        *(good ? &done : &failed) += 1;
    }
    store_account_close(account);
    return verb_tally(done, failed);
}

static void create(struct store_account *account, struct slice path, const void *arg,
                   struct store_to to)
{
    store_mailbox_create(account, path, *(const enum special_use *)arg, to);
}

int verb_mailbox_create(struct verb_call *call)
{
    const char *word = verb_option(call, "--use");
    enum special_use use = USE_NONE;
    for (int i = USE_SENT; word && i < USES; i++)
        if (strcmp(use_words[i], word) == 0)
            use = (enum special_use)i;
    if (word && use == USE_NONE) {
        verb_complain(call, "--use %s: it is sent, drafts, trash, junk, archive, all or flagged",
                      word);
        return EXIT_USAGE;
    }
    return change_each(call, create, &use, NULL);
}

static void delete (struct store_account *account, struct slice path, const void *arg,
                    struct store_to to)
{
    (void)arg;
    store_mailbox_delete(account, path, to);
}

int verb_mailbox_delete(struct verb_call *call)
{
    return change_each(call, delete, NULL, "deleted");
}

static void subscribe(struct store_account *account, struct slice path, const void *arg,
                      struct store_to to)
{
    store_mailbox_subscribe(account, path, *(const bool *)arg, to);
}

int verb_mailbox_subscribe(struct verb_call *call)
{
    return change_each(call, subscribe, &(bool){true}, NULL);
}

int verb_mailbox_unsubscribe(struct verb_call *call)
{
    return change_each(call, subscribe, &(bool){false}, NULL);
}

int verb_mailbox_rename(struct verb_call *call)
{
    struct store_account *account;
    struct slice from, to;
    if (!verb_arguments(call, 3, 3))
        return EXIT_USAGE;
    if (!verb_path(call, call->argv[1], &from) || !verb_path(call, call->argv[2], &to) ||
        !verb_account(call, call->argv[0], &account))
        return EXIT_FAILED;
    store_reader_idle(call->reader);
    struct store_wait *wait = store_wait_new();
    store_mailbox_rename(account, from, to, store_wait_to(wait));
    const char *what = verb_text(call, "'%s' to '%s'", call->argv[1], call->argv[2]).ptr;
    bool good = verb_wait(call, wait, what, NULL);
    store_account_close(account);
    return good ? EXIT_DONE : EXIT_FAILED;
}
