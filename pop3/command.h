/* The commands of POP3, one row each. */
#ifndef TANDEM_POP3_COMMAND_H
#define TANDEM_POP3_COMMAND_H

#include <stddef.h>

#include "core/base/slice.h"
#include "core/net/step.h"

struct pop3_session;

enum pop3_trait {
    POP3_LISTED = 1 /* its message must be in the maildrop and not marked deleted */
};

struct pop3_command {
    const char *name;
    unsigned states;  /* enum pop3_state: where it is legal */
    const char *args; /* grammar: pop3/parse.h */
    unsigned traits;
    enum step (*step)(struct pop3_session *s);
};

const struct pop3_command *pop3_command_find(struct slice keyword); /* any case; NULL */
const struct pop3_command *pop3_command_at(size_t i);               /* NULL past the last */

enum step pop3_apop(struct pop3_session *s);
enum step pop3_auth(struct pop3_session *s);
enum step pop3_capa(struct pop3_session *s);
enum step pop3_dele(struct pop3_session *s);
enum step pop3_lang(struct pop3_session *s);
enum step pop3_last(struct pop3_session *s);
enum step pop3_list(struct pop3_session *s);
enum step pop3_noop(struct pop3_session *s);
enum step pop3_pass(struct pop3_session *s);
enum step pop3_quit(struct pop3_session *s);
enum step pop3_retr(struct pop3_session *s);
enum step pop3_rset(struct pop3_session *s);
enum step pop3_stat(struct pop3_session *s);
enum step pop3_stls(struct pop3_session *s);
enum step pop3_top(struct pop3_session *s);
enum step pop3_uidl(struct pop3_session *s);
enum step pop3_user(struct pop3_session *s);
enum step pop3_utf8(struct pop3_session *s);

#endif
