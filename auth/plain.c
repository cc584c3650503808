/* The mechanisms that carry a password, which auth_password then looks at like any other. */
#include "auth/sasl.h"

/* --- PLAIN: RFC 4616 ------------------------------------------------------------------------- */

enum auth_next mechanism_plain(struct auth_exchange *x, struct slice said,
                               struct slice *ret_challenge, enum err *ret_err)
{
    (void)ret_challenge;
    struct slice authzid = slice_first(said, slice_find(said, '\0'));
    struct slice rest = slice_from(said, authzid.len);
    *ret_err = ERR_SYNTAX;
    if (rest.len == 0)
        return AUTH_REFUSE;
    rest = slice_from(rest, 1);
    struct slice authcid = slice_first(rest, slice_find(rest, '\0'));
    if (authcid.len == 0 || authcid.len == rest.len)
        return AUTH_REFUSE;
    struct slice password = slice_from(rest, authcid.len + 1);
    if (password.len == 0 || slice_find(password, '\0') < password.len)
        return AUTH_REFUSE;
    if (!mechanism_is_own(x, authzid, authcid)) {
        *ret_err = ERR_AUTHZ;
        return AUTH_REFUSE;
    }
    auth_password(x->auth, &x->peer, authcid, password, x->mechanism->word, x->done);
    return AUTH_WAIT;
}

/* --- LOGIN: draft-murchison-sasl-login-00 ---------------------------------------------------- */

enum auth_next mechanism_login(struct auth_exchange *x, struct slice said,
                               struct slice *ret_challenge, enum err *ret_err)
{
    *ret_err = ERR_SYNTAX;
    if (said.len == 0 || slice_find(said, '\0') < said.len)
        return AUTH_REFUSE;
    if (x->step == 1) {
        x->name = said;
        *ret_challenge = SLICE("Password:");
        return AUTH_ASK;
    }
    auth_password(x->auth, &x->peer, x->name, said, x->mechanism->word, x->done);
    return AUTH_WAIT;
}
