/* SASL exchanges: one table of mechanisms, the same for every protocol, and what is the same for
 * all of them: who may use which, base64, empty and cancelled answers. */
#include "auth/sasl.h"

#include "auth/state.h"
#include "core/base/base64.h"
#include "core/base/mem.h"
#include "core/net/listen.h"

/* In the order in which they are announced: the strongest first. */
static const struct mechanism mechanisms[] = {
    {"SCRAM-SHA-256-PLUS", "scram-sha-256-plus", MECH_SCRAM_SHA_256_PLUS, MECHANISM_BOUND,
     mechanism_scram                                                                                                           },
    {"SCRAM-SHA-1-PLUS",   "scram-sha-1-plus",   MECH_SCRAM_SHA_1_PLUS,   MECHANISM_BOUND,
     mechanism_scram                                                                                                           },
    {"SCRAM-SHA-256",      "scram-sha-256",      MECH_SCRAM_SHA_256,      0,                                    mechanism_scram},
    {"SCRAM-SHA-1",        "scram-sha-1",        MECH_SCRAM_SHA_1,        0,                                    mechanism_scram},
    {"PLAIN",              "plain",              MECH_PLAIN,              MECHANISM_PLAINTEXT,                  mechanism_plain},
    {"LOGIN",              "login",              MECH_LOGIN,              MECHANISM_PLAINTEXT | MECHANISM_ASKS, mechanism_login},
};
enum { MECHANISMS = sizeof mechanisms / sizeof *mechanisms };

/* --- who may use which --------------------------------------------------------------------------
 */

static bool switched_on(const struct auth *auth, const struct mechanism *m)
{
    return server_config(auth->conf.server)->auth.mechanisms & m->bit;
}

static bool has_binding(const struct auth_peer *peer)
{
    struct tls_binding binding;
    return peer->secure && peer->binding && !peer->binding(peer->conn, TLS_EXPORTER, &binding);
}

static bool offered(const struct auth *auth, const struct auth_peer *peer,
                    const struct mechanism *m)
{
    return switched_on(auth, m) &&
           (!(m->traits & MECHANISM_PLAINTEXT) || auth_plaintext_allowed(auth, peer)) &&
           (!(m->traits & MECHANISM_BOUND) || has_binding(peer));
}

const char *auth_mechanism_at(const struct auth *auth, const struct auth_peer *peer, size_t i)
{
    for (size_t m = 0; m < MECHANISMS; m++)
        if (offered(auth, peer, &mechanisms[m]) && i-- == 0)
            return mechanisms[m].name;
    return NULL;
}

bool auth_mechanism_known(enum config_mechanism mechanism)
{
    for (size_t m = 0; m < MECHANISMS; m++)
        if (mechanisms[m].bit == mechanism)
            return true;
    return false;
}

bool mechanism_bound_offered(const struct auth *auth, const struct auth_peer *peer)
{
    for (size_t m = 0; m < MECHANISMS; m++)
        if ((mechanisms[m].traits & MECHANISM_BOUND) && offered(auth, peer, &mechanisms[m]))
            return true;
    return false;
}

bool mechanism_is_own(const struct auth_exchange *x, struct slice authzid, struct slice authcid)
{
    struct auth_name as, who;
    struct arena arena;
    const char *domain = server_config(x->auth->conf.server)->tandem.default_domain;
    arena_init(&arena, 4096);
    bool own =
        authzid.len == 0 || slice_eq(authzid, authcid) ||
        (auth_address_parse(authzid, slice_str(domain), AUTH_DETAIL, &arena, &as) == ERR_OK &&
         auth_address_parse(authcid, slice_str(domain), AUTH_DETAIL, &arena, &who) == ERR_OK &&
         slice_eq(as.login, who.login));
    arena_reset(&arena);
    return own;
}

/* --- an exchange --------------------------------------------------------------------------------
 */

enum err auth_exchange_new(struct auth *auth, const struct auth_peer *peer, struct slice name,
                           auth_done *done, struct auth_exchange **ret)
{
    for (size_t m = 0; m < MECHANISMS; m++) {
        if (!slice_ieq(name, slice_str(mechanisms[m].name)) || !switched_on(auth, &mechanisms[m]))
            continue;
        if ((mechanisms[m].traits & MECHANISM_PLAINTEXT) &&
            auth_plaintext_refused(auth, peer, mechanisms[m].word))
            return ERR_PRIVACY; /* before anything is looked at */
        if ((mechanisms[m].traits & MECHANISM_BOUND) && !has_binding(peer))
            return ERR_PRIVACY;
        struct auth_exchange *x = mem_new(sizeof *x);
        x->auth = auth;
        x->peer = *peer;
        x->done = done;
        x->mechanism = &mechanisms[m];
        arena_init(&x->arena, 8 * server_config(auth->conf.server)->limits.sasl);
        *ret = x;
        return ERR_OK;
    }
    return ERR_CANNOT;
}

void auth_exchange_free(struct auth_exchange *x)
{
    if (!x)
        return;
    scram_free(x->scram);
    arena_wipe(&x->arena);
    mem_free(x);
}

static enum auth_next ask(struct auth_exchange *x, struct slice question,
                          struct slice *ret_challenge, enum err *ret_err)
{
    char *text = arena_try(&x->arena, base64_encoded_len(question.len) + 1);
    *ret_err = ERR_SYNTAX;
    if (!text)
        return AUTH_REFUSE;
    *ret_challenge = slice(text, base64_encode(question, text));
    return AUTH_ASK;
}

enum auth_next auth_exchange_step(struct auth_exchange *x, enum auth_said said, struct slice line,
                                  struct slice *ret_challenge, enum err *ret_err)
{
    struct slice response = SLICE_NONE, question = SLICE_NONE;
    *ret_err = ERR_SYNTAX;
    if (said == AUTH_NOTHING) {
        bool asks = x->mechanism->traits & MECHANISM_ASKS;
        return ask(x, asks ? SLICE("Username:") : SLICE_NONE, ret_challenge, ret_err);
    }
    if (said == AUTH_LINE && slice_eq(line, SLICE("*")))
        return AUTH_REFUSE;
    bool empty = said == AUTH_INITIAL && slice_eq(line, SLICE("="));
    if (!empty && base64_decode_dup(&x->arena, line, &response))
        return AUTH_REFUSE;
    x->step++;
    enum auth_next next = x->mechanism->step(x, response, &question, ret_err);
    return next == AUTH_ASK ? ask(x, question, ret_challenge, ret_err) : next;
}
