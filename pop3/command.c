#include "pop3/command.h"

#include <stdlib.h>

#include "pop3/session.h"

#define IN_AUTH POP3_AUTHORIZATION
#define IN_TRANS POP3_TRANSACTION
#define IN_ANY (POP3_AUTHORIZATION | POP3_TRANSACTION)

/* name, legal states, argument grammar, traits, first step; sorted by name */
static const struct pop3_command commands[] = {
    {"APOP", IN_AUTH,  "text",          0,           pop3_apop},
    {"AUTH", IN_AUTH,  "?text",         0,           pop3_auth},
    {"CAPA", IN_ANY,   "",              0,           pop3_capa},
    {"DELE", IN_TRANS, "message",       POP3_LISTED, pop3_dele},
    {"LANG", IN_ANY,   "?text",         0,           pop3_lang},
    {"LAST", IN_TRANS, "",              0,           pop3_last},
    {"LIST", IN_TRANS, "?message",      POP3_LISTED, pop3_list},
    {"NOOP", IN_TRANS, "",              0,           pop3_noop},
    {"PASS", IN_AUTH,  "text",          0,           pop3_pass},
    {"QUIT", IN_ANY,   "",              0,           pop3_quit},
    {"RETR", IN_TRANS, "message",       POP3_LISTED, pop3_retr},
    {"RSET", IN_TRANS, "",              0,           pop3_rset},
    {"STAT", IN_TRANS, "",              0,           pop3_stat},
    {"STLS", IN_AUTH,  "",              0,           pop3_stls},
    {"TOP",  IN_TRANS, "message lines", POP3_LISTED, pop3_top },
    {"UIDL", IN_TRANS, "?message",      POP3_LISTED, pop3_uidl},
    {"USER", IN_AUTH,  "text",          0,           pop3_user},
    {"UTF8", IN_AUTH,  "",              0,           pop3_utf8},
};

const struct pop3_command *pop3_command_at(size_t i)
{
    return i < sizeof commands / sizeof *commands ? &commands[i] : NULL;
}

const struct pop3_command *pop3_command_find(struct slice keyword)
{
    for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
        if (slice_ieq(keyword, slice_str(commands[i].name)))
            return &commands[i];
    return NULL;
}
