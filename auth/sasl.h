/* What the exchange and its mechanisms share: sasl.c, plain.c, scram.c. */
#ifndef TANDEM_AUTH_SASL_H
#define TANDEM_AUTH_SASL_H

#include "auth/auth.h"

struct scram;

struct auth_exchange {
    struct auth *auth;
    struct auth_peer peer;
    auth_done *done;
    const struct mechanism *mechanism;
    unsigned step;       /* how many times the client was heard */
    struct slice name;   /* LOGIN: the answer to the first question; in the arena */
    struct scram *scram; /* SCRAM-*: NULL before the client's first message */
    struct arena arena;
};

enum {
    MECHANISM_PLAINTEXT = 1, /* the password itself crosses the wire */
    MECHANISM_ASKS = 2,      /* begins with a question (RFC 4422 section 3) */
    MECHANISM_BOUND = 4      /* names the TLS session it runs in (RFC 5056) */
};

struct mechanism {
    const char *name; /* as it is announced */
    const char *word; /* log field mech= */
    unsigned bit;     /* of [auth] mechanisms */
    unsigned traits;
    /* `said` is decoded, in the exchange's arena; a challenge lives there too, or is a literal. */
    enum auth_next (*step)(struct auth_exchange *x, struct slice said, struct slice *ret_challenge,
                           enum err *ret_err);
};

enum auth_next mechanism_plain(struct auth_exchange *x, struct slice said,
                               struct slice *ret_challenge, enum err *ret_err);
enum auth_next mechanism_login(struct auth_exchange *x, struct slice said,
                               struct slice *ret_challenge, enum err *ret_err);
enum auth_next mechanism_scram(struct auth_exchange *x, struct slice said,
                               struct slice *ret_challenge, enum err *ret_err);
void scram_free(struct scram *scram); /* NULL shrugs */

/* Has this connection been offered a mechanism that is bound to its TLS session? */
bool mechanism_bound_offered(const struct auth *auth, const struct auth_peer *peer);
/* May `authcid` act as `authzid`? Only as itself: nobody, or its own name in any spelling. */
bool mechanism_is_own(const struct auth_exchange *x, struct slice authzid, struct slice authcid);

#endif
