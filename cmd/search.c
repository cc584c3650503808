/* tandem search: messages of an account, in one mailbox or in all. */
#include "cmd/message.h"
#include "cmd/query.h"
#include "cmd/setup.h"
#include "core/base/clock.h"

struct searching {
    struct verb_call *call;
    struct query query;
    bool uids; /* one row a mailbox */
    const char *name;
};

/* The tests' UID sets, as this mailbox has them. False: complained. */
static bool bind_uids(struct searching *s, const struct mail *mail, struct uidset *sets)
{
    size_t i = 0;
    for (const struct query_uids *u = s->query.uids; u; u = u->next, i++) {
        if (!mail_uids(s->call, mail, u->text, &sets[i]))
            return false;
        s->query.tests[u->test].uids = &sets[i];
    }
    return true;
}

static size_t count_sets(const struct query *query)
{
    size_t n = 0;
    for (const struct query_uids *u = query->uids; u; u = u->next)
        n++;
    return n;
}

static enum err run(struct searching *s, const struct mail *mail, struct uidset *ret)
{
    struct store_search *search;
    enum err e =
        store_search_new(mail->view, s->query.tests, s->query.n, (struct store_to){0}, &search);
    if (e)
        return e;
    do {
        e = store_search_step(search);
        store_reader_idle(s->call->reader);
    } while (e == ERR_AGAIN && !verb_gone(s->call));
    if (!e)
        uidset_copy(ret, store_search_found(search));
    store_search_free(search);
    return e;
}

static enum err print_messages(struct searching *s, const struct mail *mail,
                               const struct uidset *found)
{
    struct store_cursor cursor;
    struct store_message m;
    enum err e;
    store_cursor_init(&cursor, mail->view, found, WANT_HOT, 0);
    while ((e = store_cursor_next(&cursor, &m)) == ERR_OK && !verb_gone(s->call)) {
        struct arena arena;
        store_reader_idle(s->call->reader);
        if (m.ghost)
            continue;
        arena_init(&arena, SIZE_MAX);
        verb_row(s->call, cell_text(mail->path), cell_number(m.uid), cell_time(m.internaldate),
                 cell_octets(m.size), mail_flags_cell(&arena, mail->view, &m));
        arena_reset(&arena);
    }
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static int search_mailbox(struct searching *s, const char *mailbox)
{
    struct mail mail;
    struct uidset found = {0};
    size_t n = count_sets(&s->query);
    struct uidset *sets = arena_new(&s->call->arena, (n + 1) * sizeof *sets);
    if (!mail_open(s->call, s->name, mailbox, &mail))
        return EXIT_FAILED;
    int status = bind_uids(s, &mail, sets) ? EXIT_DONE : EXIT_USAGE;
    enum err e = status ? ERR_OK : run(s, &mail, &found);
    if (!e && !status && s->uids && !uidset_empty(&found))
        verb_row(s->call, cell_text(mail.path), cell_number(uidset_count(&found)),
                 mail_set_cell(s->call, &found));
    else if (!e && !status && !s->uids)
        e = print_messages(s, &mail, &found);
    if (e)
        status = verb_complain(s->call, "%s: %s", mailbox, err_text(e));
    uidset_finish(&found);
    for (size_t i = 0; i < n; i++)
        uidset_finish(&sets[i]);
    mail_close(&mail);
    return status;
}

/* --- every mailbox ---------------------------------------------------------------------------- */

struct names {
    struct arena *arena;
    struct name {
        struct name *next;
        const char *path;
    } * first, **tail;
};

static bool collect(void *arg, const struct store_mailbox *mailbox)
{
    struct names *names = arg;
    if (mailbox->flags & MAILBOX_NOSELECT)
        return true;
    struct name *name = arena_new(names->arena, sizeof *name);
    name->path = arena_dup(names->arena, mailbox->path).ptr;
    if (!name->path)
        return false;
    *names->tail = name;
    names->tail = &name->next;
    return true;
}

static int search_all(struct searching *s)
{
    struct store_account *account;
    struct names names = {.arena = &s->call->arena};
    int status = EXIT_DONE;
    names.tail = &names.first;
    if (!verb_account(s->call, s->name, &account))
        return EXIT_FAILED;
    enum err e = store_mailbox_list(s->call->reader, account, false, collect, &names);
    store_reader_idle(s->call->reader);
    store_account_close(account);
    if (e)
        return verb_complain(s->call, "%s: %s", s->name, err_text(e));
    for (const struct name *name = names.first; !status && name; name = name->next)
        status = search_mailbox(s, name->path);
    return status;
}

int verb_search(struct verb_call *call)
{
    static const struct column messages[] = {
        {"mailbox", COLUMN_TEXT  },
        {"uid",     COLUMN_NUMBER},
        {"date",    COLUMN_TIME  },
        {"size",    COLUMN_OCTETS},
        {"flags",   COLUMN_LIST  },
        {NULL,      COLUMN_TYPES }
    };
    static const struct column sets[] = {
        {"mailbox",  COLUMN_TEXT  },
        {"messages", COLUMN_NUMBER},
        {"uids",     COLUMN_TEXT  },
        {NULL,       COLUMN_TYPES }
    };
    struct searching s = {.call = call, .uids = verb_flag(call, "--uids")};
    const char *mailbox = verb_option(call, "--mailbox");
    struct fault why = {0};
    if (!verb_words(call, 2, ARGUMENTS_MAX, 1))
        return EXIT_USAGE;
    s.name = call->argv[0];
    if (query_parse(call->argv + 1, (size_t)call->argc - 1, clock_wall(), &call->arena, &s.query,
                    &why)) {
        verb_complain(call, "%s", why.text);
        return EXIT_USAGE;
    }
    verb_columns(call, s.uids ? sets : messages);
    return mailbox ? search_mailbox(&s, mailbox) : search_all(&s);
}
