/* The commands of LMTP, one row each. */
#ifndef TANDEM_LMTP_COMMAND_H
#define TANDEM_LMTP_COMMAND_H

#include <stddef.h>

#include "core/base/slice.h"
#include "core/net/step.h"

struct lmtp_session;

enum lmtp_trait {
    LMTP_OCTETS = 1 /* octets follow the line: when it cannot be read, nor can what comes after */
};

struct lmtp_command {
    const char *name;
    unsigned states;  /* enum lmtp_state: where it is legal */
    const char *args; /* grammar: lmtp/parse.h */
    unsigned traits;
    enum step (*step)(struct lmtp_session *s);
};

const struct lmtp_command *lmtp_command_find(struct slice verb); /* any case; NULL */
const struct lmtp_command *lmtp_command_at(size_t i);            /* NULL past the last */

enum step lmtp_bdat(struct lmtp_session *s);
enum step lmtp_data(struct lmtp_session *s);
enum step lmtp_lhlo(struct lmtp_session *s);
enum step lmtp_mail(struct lmtp_session *s);
enum step lmtp_noop(struct lmtp_session *s);
enum step lmtp_quit(struct lmtp_session *s);
enum step lmtp_rcpt(struct lmtp_session *s);
enum step lmtp_rset(struct lmtp_session *s);
enum step lmtp_starttls(struct lmtp_session *s);
enum step lmtp_vrfy(struct lmtp_session *s);
enum step lmtp_xforward(struct lmtp_session *s);

#endif
