/* SASL exchanges: one table of mechanisms, the same for every protocol. The mechanisms here carry a
 * password, which auth_password then looks at like any other. */
#include "auth/auth.h"

#include "auth/state.h"
#include "core/base/base64.h"
#include "core/base/mem.h"
#include "core/net/listen.h"

enum { CHALLENGE_MAX = 64 };

struct auth_exchange {
    struct auth *auth;
    struct auth_peer peer;
    auth_done *done;
    const struct mechanism *mechanism;
    unsigned step;
    struct slice name; /* LOGIN: the answer to the first question; in the arena */
    struct arena arena;
    char challenge[CHALLENGE_MAX];
};

struct mechanism {
    const char *name; /* as it is announced */
    const char *word; /* log field mech= */
    unsigned bit;     /* of [auth] mechanisms */
    bool plaintext;   /* the password itself crosses the wire */
    bool asks_first;  /* begins with a question of the server (RFC 4422 section 3) */
    enum auth_next (*step)(struct auth_exchange *x, struct slice said, struct slice *ret_challenge,
                           enum err *ret_err);
};

/* --- PLAIN: RFC 4616
 * ------------------------------------------------------------------------------
 */

/* One who asks to act as somebody else is refused; to say one's own name twice is allowed. */
static bool is_own(const struct auth_exchange *x, struct slice authzid, struct slice authcid)
{
    struct auth_name as, who;
    struct arena arena;
    const char *domain = server_config(x->auth->conf.server)->tandem.default_domain;
    arena_init(&arena, 4096);
    bool own = authzid.len == 0 || slice_eq(authzid, authcid) ||
               (auth_address_parse(authzid, slice_str(domain), &arena, &as) == ERR_OK &&
                auth_address_parse(authcid, slice_str(domain), &arena, &who) == ERR_OK &&
                slice_eq(as.login, who.login));
    arena_reset(&arena);
    return own;
}

static enum auth_next plain(struct auth_exchange *x, struct slice said, struct slice *ret_challenge,
                            enum err *ret_err)
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
    if (!is_own(x, authzid, authcid)) {
        *ret_err = ERR_AUTHZ;
        return AUTH_REFUSE;
    }
    auth_password(x->auth, &x->peer, authcid, password, x->mechanism->word, x->done);
    return AUTH_WAIT;
}

/* --- LOGIN: draft-murchison-sasl-login-00
 * -----------------------------------------------------------
 */

static enum auth_next login(struct auth_exchange *x, struct slice said, struct slice *ret_challenge,
                            enum err *ret_err)
{
    *ret_err = ERR_SYNTAX;
    if (said.len == 0 || slice_find(said, '\0') < said.len)
        return AUTH_REFUSE;
    if (x->step++ == 0) {
        x->name = said;
        *ret_challenge = SLICE("Password:");
        return AUTH_ASK;
    }
    auth_password(x->auth, &x->peer, x->name, said, x->mechanism->word, x->done);
    return AUTH_WAIT;
}

/* --- the table
 * ------------------------------------------------------------------------------------
 */

static const struct mechanism mechanisms[] = {
    {"PLAIN", "plain", MECH_PLAIN, true, false, plain},
    {"LOGIN", "login", MECH_LOGIN, true, true,  login},
};

static bool switched_on(const struct auth *auth, const struct mechanism *m)
{
    return server_config(auth->conf.server)->auth.mechanisms & m->bit;
}

const char *auth_mechanism_at(const struct auth *auth, const struct auth_peer *peer, size_t i)
{
    for (size_t m = 0; m < sizeof mechanisms / sizeof *mechanisms; m++)
        if (switched_on(auth, &mechanisms[m]) &&
            (!mechanisms[m].plaintext || auth_plaintext_allowed(auth, peer)) && i-- == 0)
            return mechanisms[m].name;
    return NULL;
}

enum err auth_exchange_new(struct auth *auth, const struct auth_peer *peer, struct slice name,
                           auth_done *done, struct auth_exchange **ret)
{
    for (size_t m = 0; m < sizeof mechanisms / sizeof *mechanisms; m++) {
        if (!slice_ieq(name, slice_str(mechanisms[m].name)) || !switched_on(auth, &mechanisms[m]))
            continue;
        if (mechanisms[m].plaintext && !auth_plaintext_allowed(auth, peer))
            return ERR_PRIVACY; /* before anything is looked at */
        struct auth_exchange *x = mem_new(sizeof *x);
        x->auth = auth;
        x->peer = *peer;
        x->done = done;
        x->mechanism = &mechanisms[m];
        arena_init(&x->arena, 4 * server_config(auth->conf.server)->limits.sasl);
        *ret = x;
        return ERR_OK;
    }
    return ERR_CANNOT;
}

void auth_exchange_free(struct auth_exchange *x)
{
    if (!x)
        return;
    arena_wipe(&x->arena);
    mem_free(x);
}

static enum auth_next ask(struct auth_exchange *x, struct slice question,
                          struct slice *ret_challenge)
{
    *ret_challenge = slice(x->challenge, base64_encode(question, x->challenge));
    return AUTH_ASK;
}

enum auth_next auth_exchange_step(struct auth_exchange *x, enum auth_said said, struct slice line,
                                  struct slice *ret_challenge, enum err *ret_err)
{
    struct slice response = SLICE_NONE, question = SLICE_NONE;
    *ret_err = ERR_SYNTAX;
    if (said == AUTH_NOTHING)
        return ask(x, x->mechanism->asks_first ? SLICE("Username:") : SLICE_NONE, ret_challenge);
    if (said == AUTH_LINE && slice_eq(line, SLICE("*")))
        return AUTH_REFUSE;
    bool empty = said == AUTH_INITIAL && slice_eq(line, SLICE("="));
    if (!empty && base64_decode_dup(&x->arena, line, &response))
        return AUTH_REFUSE;
    enum auth_next next = x->mechanism->step(x, response, &question, ret_err);
    return next == AUTH_ASK ? ask(x, question, ret_challenge) : next;
}
