/* tandem pop3 preview: what the next POP3 login would be shown, and why not the rest. The store
 * makes the listing, as it does for that login. */
#include "auth/auth.h"
#include "auth/users.h"
#include "cmd/setup.h"
#include "cmd/verb.h"

struct preview {
    struct store_account *account;
    struct store_poprule rule;
    struct store_maildrop *drop;
    uint32_t *mailboxes; /* of the rule's folders; 0: it is not there */
};

static const char *word_of(enum store_hidden why)
{
    switch (why) {
    case HIDDEN_NOT:
        break;
    case HIDDEN_FOR_GOOD:
        return "for-good";
    case HIDDEN_DOWNLOADED:
        return "hide_downloaded";
    case HIDDEN_SEEN:
        return "hide_seen";
    case HIDDEN_SINCE:
        return "since";
    case HIDDEN_OLDER:
        return "max_messages";
    }
    return NULL;
}

static struct slice name_of(const struct preview *p, uint32_t mailbox)
{
    for (size_t i = 0; i < p->rule.nfolders; i++)
        if (p->mailboxes[i] == mailbox)
            return p->rule.folders[i];
    return SLICE_NONE;
}

static void name_folders(struct verb_call *call, struct preview *p)
{
    struct store_status status;
    p->mailboxes = arena_new(&call->arena, p->rule.nfolders * sizeof *p->mailboxes);
    for (size_t i = 0; i < p->rule.nfolders; i++)
        if (store_mailbox_status(call->reader, p->account, p->rule.folders[i], &status) == ERR_OK)
            p->mailboxes[i] = status.mailbox;
}

static int tell(struct verb_call *call, const struct preview *p)
{
    static const struct column columns[] = {
        {"number",       COLUMN_NUMBER},
        {"mailbox",              COLUMN_TEXT},
        {"uid",COLUMN_NUMBER},
        {"octets",          COLUMN_OCTETS},
        {"uidl",              COLUMN_TEXT},
        {"hidden_by",COLUMN_TEXT},
        {0        }
    };
    struct store_pophidden hidden;
    verb_columns(call, columns);
    for (uint32_t n = 1; n <= store_maildrop_count(p->drop) && !verb_gone(call); n++) {
        struct store_popentry entry;
        enum err e = store_maildrop_entry(p->drop, call->reader, n, &entry);
        store_reader_idle(call->reader);
        if (e)
            return verb_complain(call, "message %u cannot be read: %s", n, err_text(e));
        verb_row(call, cell_number(n), cell_text(name_of(p, entry.mailbox)), cell_number(entry.uid),
                 cell_octets(entry.size), cell_str(entry.uidl), cell_none(COLUMN_TEXT));
    }
    for (uint32_t i = 0; store_maildrop_hidden(p->drop, i, &hidden) && !verb_gone(call); i++)
        verb_row(call, cell_none(COLUMN_NUMBER), cell_text(name_of(p, hidden.mailbox)),
                 cell_number(hidden.uid), cell_octets(hidden.size), cell_none(COLUMN_TEXT),
                 cell_str(word_of(hidden.why)));
    return EXIT_DONE;
}

static int preview(struct verb_call *call, struct preview *p, const struct settings *settings,
                   const char *folder, bool recent)
{
    enum err e = auth_poprule(call->reader, p->account, settings, slice_str(folder), recent,
                              &call->arena, &p->rule);
    p->rule.explain = true;
    if (!e) {
        name_folders(call, p);
        e = store_maildrop_open(call->reader, p->account, NULL, &p->rule, &p->drop);
    }
    store_reader_idle(call->reader);
    if (e)
        return verb_complain(call, "the login would fail: %s",
                             e == ERR_NOTFOUND ? "no mailbox of this view exists" : err_text(e));
    int status = tell(call, p);
    store_maildrop_close(p->drop);
    return status;
}

int verb_pop3_preview(struct verb_call *call)
{
    const char *folder = verb_option(call, "--folder");
    bool recent = verb_flag(call, "--recent");
    struct store_user user;
    struct settings settings;
    struct preview p = {0};
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    auth_settings(call->config, &user, &call->arena, &settings);
    if (auth_may_use(&user, &settings, PROTO_POP3))
        return verb_complain(call, SLICE_FMT ": this account may not use POP3",
                             SLICE_ARG(user.login));
    if (!verb_account(call, call->argv[0], &p.account))
        return EXIT_FAILED;
    int status = preview(call, &p, &settings, folder, recent);
    store_account_close(p.account);
    return status;
}
