/* A login by a password, or by the digest of one (APOP).
 *
 *   auth_password -> [plaintext refused] ----------------> end
 *                 -> look -> remembered -----------------> end
 *                         -> pool: hash -> judge --------> end
 *
 * An unknown name, one that cannot be parsed and an account without a usable credential make the
 * pool hash once all the same, and every failure is answered at a time counted from its beginning,
 * so that neither words nor clock tell them apart. */
#include "auth/auth.h"

#include "auth/apop.h"
#include "auth/attempt.h"
#include "auth/cache.h"
#include "auth/state.h"
#include "auth/users.h"
#include "core/base/mem.h"
#include "core/net/peer.h"

enum {
    PASSWORD_MAX = 1024,
    SUSPECT_FAILURES = 3 /* of an address: they no longer look like slips */
};

static bool serves_password(const struct attempt *a, const struct store_cred *cred)
{
    return auth_cred_serves(cred, a->peer.proto);
}

static bool serves_digest(const struct attempt *a, const struct store_cred *cred)
{
    return auth_cred_serves_digest(cred, a->peer.proto);
}

/* --- what was verified lately -------------------------------------------------------------------
 */

/* A digest is good for one connection: there is nothing to remember. */
static bool remembers(const struct attempt *a)
{
    return a->config->auth.cache_ms && !a->timestamp.ptr;
}

static struct auth_digest good_digest(const struct attempt *a, struct slice verifier)
{
    struct slice what[] = {a->who, a->password, verifier};
    return auth_cache_digest(a->auth->good, what, 3);
}

static bool remembered(struct attempt *a)
{
    for (size_t i = 0; remembers(a) && i < a->nverifiers; i++)
        if (auth_cache_has(a->auth->good, good_digest(a, a->verifiers[i]),
                           a->config->auth.cache_ms)) {
            a->matched = a->verifiers[i];
            return true;
        }
    return false;
}

/* --- the hash -----------------------------------------------------------------------------------
 */

static void judge(struct job *job)
{
    struct attempt *a = (struct attempt *)(void *)job; /* its first member */
    if (a->matched.ptr && remembers(a))
        auth_cache_put(a->auth->good, good_digest(a, a->matched));
    attempt_end(a, a->matched.ptr ? ERR_OK : atomic_load(&job->cancelled) ? ERR_AGAIN : ERR_AUTH);
}

/* Is the matched verifier of the scheme that new ones have? Made ones are: the prefix, and for
 * {CRYPT} also the method, is the same. */
static bool outdated(struct slice verifier, enum auth_scheme scheme)
{
    static const char *const prefixes[] = {[SCHEME_YESCRYPT] = "{CRYPT}$y$",
                                           [SCHEME_ARGON2ID] = "{ARGON2ID}",
                                           [SCHEME_SCRAM_SHA_256] = "{SCRAM-SHA-256}"};
    return !slice_istarts(verifier, slice_str(prefixes[scheme]));
}

static bool matches(const struct attempt *a, struct slice verifier)
{
    return a->timestamp.ptr ? auth_apop_check(verifier, a->timestamp, a->password)
                            : auth_verifier_check(verifier, a->password);
}

/* Nothing to compare with: the same work for nothing. */
static void match_nobody(struct attempt *a)
{
    struct slice stand_in = a->password.len ? slice_first(a->password, 64) : SLICE("-"), made;
    if (a->timestamp.ptr)
        (void)auth_apop_check(SLICE("{PLAIN}nobody"), a->timestamp, a->password);
    else if (auth_verifier_make(auth_scheme_word(a->config->auth.scheme), stand_in, &a->arena,
                                &made))
        return;
}

/* On a worker. The loop does not look at the attempt before `judge`. */
static void hash(struct job *job, void *thread_ctx)
{
    (void)thread_ctx;
    struct attempt *a = (struct attempt *)(void *)job;
    if (atomic_load(&job->cancelled))
        return;
    enum auth_scheme scheme = a->config->auth.scheme;
    struct slice made;
    for (size_t i = 0; i < a->nverifiers && !a->matched.ptr; i++)
        if (matches(a, a->verifiers[i]))
            a->matched = a->verifiers[i];
    if (a->nverifiers == 0) {
        match_nobody(a);
    } else if (a->matched.ptr && a->config->auth.upgrade && !a->timestamp.ptr &&
               outdated(a->matched, scheme) &&
               !auth_verifier_make(auth_scheme_word(scheme), a->password, &a->arena, &made)) {
        a->upgraded = made;
    }
}

/* --- asking -------------------------------------------------------------------------------------
 */

/* What was cut cannot be right, but costs the same. */
static void begin(struct attempt *a, struct slice name, struct slice password)
{
    a->password = arena_dup(&a->arena, slice_first(password, PASSWORD_MAX));
    enum err e = attempt_look(a);
    if (name.len > ATTEMPT_NAME_MAX || password.len > PASSWORD_MAX)
        a->nverifiers = 0;
    if (e && e != ERR_AUTH) {
        attempt_end(a, e);
        return;
    }
    if (remembered(a)) {
        attempt_end(a, ERR_OK);
        return;
    }
    a->job = (struct job){.loop = a->peer.loop,
                          .run = hash,
                          .done = judge,
                          .lane = JOB_HASH,
                          .source = a->peer.peer_key,
                          .suspect = peer_failures(a->auth->conf.peers, a->peer.peer_key) >=
                                     SUSPECT_FAILURES};
    e = pool_submit(a->auth->conf.pool, &a->job);
    if (e)
        attempt_end(a, e);
}

void auth_password(struct auth *auth, const struct auth_peer *peer, struct slice name,
                   struct slice password, const char *mech, auth_done *done)
{
    struct attempt *a = attempt_new(auth, peer, name, mech, done);
    a->serves = serves_password;
    if (auth_plaintext_allowed(auth, peer))
        begin(a, name, password);
    else
        attempt_end(a, ERR_PRIVACY); /* before the password is looked at */
}

void auth_apop(struct auth *auth, const struct auth_peer *peer, struct slice name,
               struct slice timestamp, struct slice digest, auth_done *done)
{
    struct attempt *a = attempt_new(auth, peer, name, "apop", done);
    a->serves = serves_digest;
    a->timestamp = arena_dup(&a->arena, timestamp);
    begin(a, name, digest);
}
