/* SCRAM-SHA-256, SCRAM-SHA-1 (RFC 7677, RFC 5802) and their -PLUS forms, by GNU SASL: the client
 * proves that it knows the password, we that we have its keys, and neither says it.
 *
 *   client-first  -> who is it, which keys?  -> server-first   (nobody: keys of nobody)
 *   client-final  -> is the proof right?     -> server-final
 *   an empty line -> attempt_end
 *
 * All of it is a few digests over short texts, so it is done on the loop. Whoever has no keys here
 * is asked with a salt derived from the name: the same each time, after a restart too, so that
 * names cannot be told apart by asking twice. */
#include "auth/scram.h"

#include <gnutls/crypto.h>
#include <gnutls/gnutls.h>
#include <gsasl.h>
#include <stdio.h>
#include <stdlib.h>

#include "auth/attempt.h"
#include "auth/hash.h"
#include "auth/sasl.h"
#include "auth/state.h"
#include "auth/users.h"
#include "core/base/base64.h"
#include "core/base/mem.h"
#include "core/base/random.h"

struct scram {
    Gsasl_session *session;
    struct attempt *attempt; /* NULL: the name is not known yet, or it has ended */
    struct slice verifier;   /* whose keys they are; empty: nobody's */
    enum err outage;         /* the catalog could not be asked */
};

/* --- keys ---------------------------------------------------------------------------------------
 */

/* "SCRAM-SHA-256-PLUS" has the keys of "SCRAM-SHA-256". */
static struct slice scheme_of(const struct auth_exchange *x)
{
    struct slice name = slice_str(x->mechanism->name);
    return x->mechanism->traits & MECHANISM_BOUND ? slice_first(name, name.len - 5) : name;
}

static bool serves(const struct attempt *a, const struct store_cred *cred, const char *scheme)
{
    return auth_cred_serves(cred, a->peer.proto) &&
           scram_keys_read(cred->verifier, slice_str(scheme), NULL, NULL);
}

static bool serves_sha_1(const struct attempt *a, const struct store_cred *cred)
{
    return serves(a, cred, "SCRAM-SHA-1");
}

static bool serves_sha_256(const struct attempt *a, const struct store_cred *cred)
{
    return serves(a, cred, "SCRAM-SHA-256");
}

static const char *random_key64(struct arena *arena, size_t len)
{
    unsigned char octets[64];
    char *text = arena_new(arena, base64_encoded_len(sizeof octets) + 1);
    random_bytes(octets, len);
    base64_encode(slice(octets, len), text);
    return text;
}

/* Nobody can prove a random key; the salt and the rounds look like those of an account. */
static struct scram_keys keys_of_nobody(const struct auth_exchange *x, struct slice name)
{
    enum { SALT = 16 };
    static const char purpose[] = "salt of a name without keys\n";
    struct slice scheme = scheme_of(x);
    struct arena *arena = &x->scram->attempt->arena;
    unsigned char key[16], mac[32];
    gnutls_hmac_hd_t h;
    struct scram_keys keys = {0};
    store_lasting_key(x->auth->conf.store, key);
    if (gnutls_hmac_init(&h, GNUTLS_MAC_SHA256, key, sizeof key) < 0)
        abort(); /* GnuTLS without SHA-256: nothing here would be safe */
    gnutls_hmac(h, purpose, sizeof purpose);
    gnutls_hmac(h, scheme.ptr, scheme.len);
    gnutls_hmac(h, name.ptr, name.len);
    gnutls_hmac_deinit(h, mac);
    mem_wipe(key, sizeof key);

    char *salt = arena_new(arena, base64_encoded_len(SALT) + 1);
    char *rounds = arena_new(arena, 16);
    base64_encode(slice(mac, SALT), salt);
    snprintf(rounds, 16, "%u", SCRAM_ROUNDS);
    size_t len = slice_eq(scheme, SLICE("SCRAM-SHA-1")) ? 20 : 32;
    keys.rounds = rounds;
    keys.salt = salt;
    keys.stored_key = random_key64(arena, len);
    keys.server_key = random_key64(arena, len);
    return keys;
}

static struct scram_keys keys_of(struct auth_exchange *x)
{
    struct scram *scram = x->scram;
    struct attempt *a = scram->attempt;
    struct scram_keys keys;
    enum err e = attempt_look(a);
    scram->outage = e == ERR_AUTH ? ERR_OK : e;
    if (!e && a->nverifiers && scram_keys_read(a->verifiers[0], scheme_of(x), &a->arena, &keys)) {
        scram->verifier = a->verifiers[0];
        return keys;
    }
    return keys_of_nobody(x, a->who.len ? a->who : a->text);
}

/* --- what GNU SASL asks -------------------------------------------------------------------------
 */

/* The name has just been read. */
static int give_keys(struct auth_exchange *x, Gsasl_session *session)
{
    struct scram *scram = x->scram;
    const char *name = gsasl_property_fast(session, GSASL_AUTHID);
    if (scram->attempt || !name)
        return GSASL_NO_CALLBACK;
    scram->attempt = attempt_new(x->auth, &x->peer, slice_str(name), x->mechanism->word, x->done);
    scram->attempt->serves =
        slice_eq(scheme_of(x), SLICE("SCRAM-SHA-1")) ? serves_sha_1 : serves_sha_256;
    struct scram_keys keys = keys_of(x);
    gsasl_property_set(session, GSASL_SCRAM_ITER, keys.rounds);
    gsasl_property_set(session, GSASL_SCRAM_SALT, keys.salt);
    gsasl_property_set(session, GSASL_SCRAM_STOREDKEY, keys.stored_key);
    gsasl_property_set(session, GSASL_SCRAM_SERVERKEY, keys.server_key);
    return GSASL_OK;
}

/* Known to GNU SASL only where -PLUS was offered: then it refuses a client that says it could do
 * that, but was not offered it (flag "y"): somebody took it out of the list on the way. RFC 5802
 * section 6. */
static int give_binding(const struct auth_exchange *x, Gsasl_session *session,
                        Gsasl_property property)
{
    struct tls_binding binding;
    char text[96]; /* 64 octets in base64 */
    enum tls_binding_type type = property == GSASL_CB_TLS_UNIQUE ? TLS_UNIQUE : TLS_EXPORTER;
    if (!mechanism_bound_offered(x->auth, &x->peer) ||
        x->peer.binding(x->peer.conn, type, &binding))
        return GSASL_NO_CALLBACK;
    text[base64_encode(slice(binding.octets, binding.len), text)] = '\0';
    gsasl_property_set(session, property, text);
    return GSASL_OK;
}

static int on_property(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
    (void)gsasl;
    struct auth_exchange *x = gsasl_session_hook_get(session);
    switch ((int)property) {
    case GSASL_SCRAM_ITER:
        return give_keys(x, session);
    case GSASL_CB_TLS_EXPORTER:
    case GSASL_CB_TLS_UNIQUE:
        return give_binding(x, session, property);
    default:
        return GSASL_NO_CALLBACK;
    }
}

/* --- the exchange -------------------------------------------------------------------------------
 */

/* The attempt goes its own way now. */
static enum auth_next end(struct auth_exchange *x, enum err e)
{
    struct attempt *a = x->scram->attempt;
    if (!a) /* failed before there was a name */
        a = attempt_new(x->auth, &x->peer, SLICE_NONE, x->mechanism->word, x->done);
    x->scram->attempt = NULL;
    a->start_ms = loop_now_ms(x->peer.loop); /* what the client took does not count */
    a->matched = x->scram->verifier;
    attempt_end(a, e);
    return AUTH_WAIT;
}

static enum auth_next refuse(enum err e, enum err *ret_err)
{
    *ret_err = e;
    return AUTH_REFUSE;
}

static enum auth_next failed(struct auth_exchange *x, int rc, enum err *ret_err)
{
    switch (rc) {
    case GSASL_MECHANISM_PARSE_ERROR:
    case GSASL_BASE64_ERROR:
        return refuse(ERR_SYNTAX, ret_err);
    case GSASL_MALLOC_ERROR:
    case GSASL_CRYPTO_ERROR:
        return end(x, ERR_DOWN);
    default: /* wrong proof, foreign binding, a binding that we have not */
        return end(x, ERR_AUTH);
    }
}

static enum auth_next challenge(struct auth_exchange *x, char *text, size_t len,
                                struct slice *ret_challenge, enum err *ret_err)
{
    *ret_challenge = arena_dup(&x->arena, slice(text, len));
    gsasl_free(text);
    return ret_challenge->ptr ? AUTH_ASK : refuse(ERR_SYNTAX, ret_err);
}

/* Its flag: "n" binds nothing, "y" would like to, "p" does (RFC 5802 section 7, gs2-cbind-flag). */
static bool flag_fits(const struct auth_exchange *x, struct slice said)
{
    return (x->mechanism->traits & MECHANISM_BOUND) || !slice_istarts(said, SLICE("p"));
}

static enum auth_next first(struct auth_exchange *x, struct slice said, struct slice *ret_challenge,
                            enum err *ret_err)
{
    char *text = NULL;
    size_t len = 0;
    x->scram = mem_new(sizeof *x->scram);
    if (gsasl_server_start(x->auth->gsasl, x->mechanism->name, &x->scram->session))
        return end(x, ERR_DOWN);
    gsasl_session_hook_set(x->scram->session, x);
    if (said.len == 0 || slice_find(said, '\0') < said.len || !flag_fits(x, said))
        return refuse(ERR_SYNTAX, ret_err);
    int rc = gsasl_step(x->scram->session, said.ptr, said.len, &text, &len);
    if (rc != GSASL_NEEDS_MORE)
        return failed(x, rc, ret_err);
    const char *as = gsasl_property_fast(x->scram->session, GSASL_AUTHZID);
    const char *who = gsasl_property_fast(x->scram->session, GSASL_AUTHID);
    enum auth_next next = challenge(x, text, len, ret_challenge, ret_err);
    if (!mechanism_is_own(x, slice_str(as), slice_str(who)))
        return refuse(ERR_AUTHZ, ret_err);
    return x->scram->outage ? end(x, x->scram->outage) : next;
}

static enum auth_next proof(struct auth_exchange *x, struct slice said, struct slice *ret_challenge,
                            enum err *ret_err)
{
    char *text = NULL;
    size_t len = 0;
    if (slice_find(said, '\0') < said.len)
        return refuse(ERR_SYNTAX, ret_err);
    int rc = gsasl_step(x->scram->session, said.ptr, said.len, &text, &len);
    if (rc == GSASL_OK && !x->scram->verifier.len)
        rc = GSASL_AUTHENTICATION_ERROR;
    return rc == GSASL_OK ? challenge(x, text, len, ret_challenge, ret_err)
                          : failed(x, rc, ret_err);
}

enum auth_next mechanism_scram(struct auth_exchange *x, struct slice said,
                               struct slice *ret_challenge, enum err *ret_err)
{
    switch (x->step) {
    case 1:
        return first(x, said, ret_challenge, ret_err);
    case 2:
        return proof(x, said, ret_challenge, ret_err);
    default: /* RFC 4422 section 5: what the server said last is answered with nothing */
        return said.len ? refuse(ERR_SYNTAX, ret_err) : end(x, ERR_OK);
    }
}

void scram_free(struct scram *scram)
{
    if (!scram)
        return;
    if (scram->session)
        gsasl_finish(scram->session);
    attempt_free(scram->attempt);
    mem_free(scram);
}

/* --- once ---------------------------------------------------------------------------------------
 */

enum err scram_setup(struct Gsasl **ret)
{
    if (gsasl_init(ret))
        return ERR_DOWN;
    gsasl_callback_set(*ret, on_property);
    return ERR_OK;
}

void scram_finish(struct Gsasl *gsasl)
{
    if (gsasl)
        gsasl_done(gsasl);
}
