#include "imap/command.h"

#include <stdlib.h>

#define ROW(name, states, grammar, traits, run)                                                    \
    {                                                                                              \
        {name, sizeof(name) - 1}, states, grammar, traits, run                                     \
    }

/* name, legal states, argument grammar, traits, first step; sorted by name */
static const struct imap_command commands[] = {
    ROW("APPEND", IN_AUTHED, "mailbox ?flags ?date stream", CMD_STREAM | CMD_TARGET | CMD_CHANGE,
        imap_append),
    ROW("AUTHENTICATE", IN_START, "atom ?initial", CMD_SECRET, imap_authenticate),
    ROW("CAPABILITY", IN_ANY, "", 0, imap_capability),
    ROW("CHECK", IN_SELECTED, "", 0, imap_noop),
    ROW("CLOSE", IN_SELECTED, "", CMD_NO_SYNC | CMD_DEAD_VIEW, imap_close),
    ROW("COPY", IN_SELECTED, "set mailbox", CMD_TARGET | CMD_CHANGE, imap_copy),
    ROW("CREATE", IN_AUTHED, "mailbox", CMD_CHANGE, imap_create),
    ROW("DELETE", IN_AUTHED, "mailbox", CMD_CHANGE | CMD_DELETE, imap_delete),
    ROW("ENABLE", IN_AUTHED, "atoms", 0, imap_enable),
    ROW("EXAMINE", IN_AUTHED, "mailbox", CMD_NO_SYNC | CMD_DEAD_VIEW, imap_examine),
    ROW("EXPUNGE", IN_SELECTED, "", CMD_CHANGE | CMD_DELETE | CMD_VIEW, imap_expunge),
    ROW("FETCH", IN_SELECTED, "set fetch", CMD_NO_EXPUNGE, imap_fetch),
    ROW("ID", IN_ANY, "id", 0, imap_id),
    ROW("IDLE", IN_AUTHED, "", CMD_DEAD_VIEW, imap_idle),
    ROW("LIST", IN_AUTHED, "?select astring patterns ?return", 0, imap_list),
    ROW("LOGIN", IN_START, "astring astring", CMD_SECRET | CMD_PASSWORD, imap_login),
    ROW("LOGOUT", IN_ANY, "", CMD_NO_SYNC | CMD_DEAD_VIEW, imap_logout),
    ROW("LSUB", IN_AUTHED, "astring pattern", 0, imap_lsub),
    ROW("MOVE", IN_SELECTED, "set mailbox", CMD_TARGET | CMD_CHANGE | CMD_DELETE | CMD_VIEW,
        imap_move),
    ROW("NAMESPACE", IN_AUTHED, "", 0, imap_namespace),
    ROW("NOOP", IN_ANY, "", 0, imap_noop),
    ROW("RENAME", IN_AUTHED, "mailbox mailbox", CMD_CHANGE, imap_rename),
    ROW("SEARCH", IN_SELECTED, "search", CMD_NO_EXPUNGE, imap_search),
    ROW("SELECT", IN_AUTHED, "mailbox", CMD_NO_SYNC | CMD_DEAD_VIEW, imap_select),
    ROW("STARTTLS", IN_START, "", CMD_NO_SYNC, imap_starttls),
    ROW("STATUS", IN_AUTHED, "mailbox status", 0, imap_status),
    ROW("STORE", IN_SELECTED, "set store", CMD_NO_EXPUNGE | CMD_CHANGE | CMD_VIEW, imap_store),
    ROW("SUBSCRIBE", IN_AUTHED, "mailbox", CMD_CHANGE, imap_subscribe),
    ROW("UID COPY", IN_SELECTED, "set mailbox", CMD_UID | CMD_TARGET | CMD_CHANGE, imap_copy),
    ROW("UID EXPUNGE", IN_SELECTED, "set", CMD_UID | CMD_CHANGE | CMD_DELETE | CMD_VIEW,
        imap_expunge),
    ROW("UID FETCH", IN_SELECTED, "set fetch", CMD_UID, imap_fetch),
    ROW("UID MOVE", IN_SELECTED, "set mailbox",
        CMD_UID | CMD_TARGET | CMD_CHANGE | CMD_DELETE | CMD_VIEW, imap_move),
    ROW("UID SEARCH", IN_SELECTED, "search", CMD_UID, imap_search),
    ROW("UID STORE", IN_SELECTED, "set store", CMD_UID | CMD_CHANGE | CMD_VIEW, imap_store),
    ROW("UNSELECT", IN_SELECTED, "", CMD_NO_SYNC | CMD_DEAD_VIEW, imap_unselect),
    ROW("UNSUBSCRIBE", IN_AUTHED, "mailbox", CMD_CHANGE, imap_unsubscribe),
};

const struct imap_command *command_table(size_t *ret_n)
{
    *ret_n = sizeof commands / sizeof *commands;
    return commands;
}

/* Names are upper case in the table. */
static int name_cmp(const void *key, const void *row)
{
    const struct slice *name = key, *of = &((const struct imap_command *)row)->name;
    for (size_t i = 0; i < name->len && i < of->len; i++) {
        int d = (unsigned char)ascii_upper(name->ptr[i]) - (unsigned char)of->ptr[i];
        if (d)
            return d;
    }
    return (name->len > of->len) - (name->len < of->len);
}

const struct imap_command *command_find(struct slice name)
{
    return bsearch(&name, commands, sizeof commands / sizeof *commands, sizeof *commands, name_cmp);
}

enum step command_ok(struct command *c, const char *text)
{
    c->err = ERR_OK;
    c->text = text;
    return STEP_DONE;
}

enum step command_fail(struct command *c, enum err e, const char *text)
{
    c->err = e;
    c->text = text;
    return STEP_DONE;
}
