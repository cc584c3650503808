/* One attempt to log in with a password, or with the digest of one (APOP).
 *
 *   auth_password -> [plaintext refused] ------------------------------------> answer (next turn)
 *                 -> catalog -> remembered ---------------------> admit -----> answer (next turn)
 *                            -> pool: hash -> judge --> matched -> admit ----> answer
 *                                                  `--> not -----------------> answer (late)
 *
 * The attempt owns copies of all it needs, for its session may be gone at any arrow: the outcome
 * then finds nobody. An unknown name, one that cannot be parsed and an account without a usable
 * credential make the pool hash once all the same, and every failure is answered at a time counted
 * from its beginning, so that neither words nor clock tell them apart. */
#include "auth/auth.h"

#include <assert.h>

#include "auth/apop.h"
#include "auth/cache.h"
#include "auth/state.h"
#include "auth/users.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/base/siphash.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "core/net/peer.h"
#include "core/net/worker.h"

enum {
    PASSWORD_MAX = 1024,
    NAME_KEPT = 512,            /* octets of a name that go into the log */
    ATTEMPT_MEMORY = 512 << 10, /* a user row with 64 credentials and its options */
    REMEMBERED = 16384,
    BAD_MS = 15 * 60 * 1000 /* how long peer.h counts failures */
};

struct attempt {
    struct job job;
    struct post post;   /* the answer of the next turn */
    struct timer timer; /* a late one */
    struct attempt *prev, *next;
    struct auth *auth;
    const struct config *config;
    struct auth_peer peer;
    auth_done *done;
    const char *mech;
    uint64_t start_ms;
    struct arena arena;
    struct slice text;      /* the name as it was typed */
    struct slice password;  /* or the digest; wiped as soon as it has been judged */
    struct slice timestamp; /* APOP: what the digest is of, beside the password */
    bool named;             /* `name` is filled */
    struct auth_name name;
    struct slice who;        /* whose password: the login, or its master */
    struct slice *verifiers; /* to be tried */
    size_t nverifiers;
    bool unknown;          /* no such account: for the log alone */
    struct slice matched;  /* the verifier that did */
    struct slice upgraded; /* what takes its place, by [auth] upgrade */
    enum err outcome;
};

struct session {
    struct auth_session session;
    struct arena arena; /* lists of overridden settings, detail: mostly empty */
    const struct config *config;
};

/* --- life ------------------------------------------------------------------------------------- */

enum err auth_new(const struct auth_conf *conf, struct auth **ret)
{
    struct auth *auth = mem_new(sizeof *auth);
    auth->conf = *conf;
    auth->good = auth_cache_new(REMEMBERED);
    auth->bad = auth_cache_new(REMEMBERED);
    auth->seen = auth_cache_new(REMEMBERED);
    auth->names = peers_new();
    pthread_mutex_init(&auth->lock, NULL);
    *ret = auth;
    return ERR_OK;
}

static void attempt_free(struct attempt *a)
{
    pthread_mutex_lock(&a->auth->lock);
    if (a->next)
        a->next->prev = a->prev;
    *(a->prev ? &a->prev->next : &a->auth->attempts) = a->next;
    pthread_mutex_unlock(&a->auth->lock);
    timer_cancel(&a->timer);
    arena_wipe(&a->arena);
    config_unref(a->config);
    mem_free(a);
}

void auth_free(struct auth *auth)
{
    if (!auth)
        return;
    while (auth->attempts)
        attempt_free(auth->attempts);
    pthread_mutex_destroy(&auth->lock);
    auth_cache_free(auth->good);
    auth_cache_free(auth->bad);
    auth_cache_free(auth->seen);
    peers_free(auth->names);
    mem_free(auth);
}

void auth_session_free(struct auth_session *session)
{
    if (!session)
        return;
    struct session *s = (struct session *)session; /* its first member */
    store_live_leave(session->live);
    store_account_close(session->account);
    arena_reset(&s->arena);
    config_unref(s->config);
    mem_free(s);
}

bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer)
{
    switch (server_config(auth->conf.server)->auth.plaintext_auth) {
    case PLAINTEXT_ALWAYS:
        return true;
    case PLAINTEXT_LOCAL:
        return peer->secure || peer->local;
    case PLAINTEXT_NEVER:
        break;
    }
    return peer->secure;
}

/* --- what the log hears ----------------------------------------------------------------------- */

static const char *proto_word(enum store_proto proto)
{
    return proto == PROTO_POP3 ? "pop3" : proto == PROTO_IMAP ? "imap" : "lmtp";
}

static struct slice user_shown(const struct attempt *a)
{
    return a->named ? a->name.login : a->text;
}

static bool may_log(const struct attempt *a)
{
    return peer_may_log(a->auth->conf.peers, a->peer.peer_key, a->config->log.rate);
}

/* fail2ban reads this line: the order of the fields is fixed (CONTRACTS section 11). */
static void log_failed(const struct attempt *a, const char *reason)
{
    struct log_line l;
    if (!may_log(a))
        return;
    log_begin(&l, LOG_WARN, "auth-failed");
    log_str(&l, "proto", proto_word(a->peer.proto));
    log_slice(&l, "user", user_shown(a));
    log_slice(&l, "rip", a->peer.rip);
    log_slice(&l, "lip", a->peer.lip);
    log_str(&l, "mech", a->mech);
    log_str(&l, "reason", reason);
    log_hex64(&l, "session", a->peer.connection_id);
    log_end(&l);
}

/* Not the client's failure: the catalog or the queue. */
static void log_outage(const struct attempt *a, enum err e)
{
    struct log_line l;
    if (!may_log(a))
        return;
    log_begin(&l, LOG_WARN, e == ERR_AGAIN ? "limit-hit" : "source-down");
    log_str(&l, "proto", proto_word(a->peer.proto));
    if (e == ERR_AGAIN) {
        log_slice(&l, "user", user_shown(a));
        log_slice(&l, "rip", a->peer.rip);
        log_str(&l, "limit", "hash-queue");
    } else {
        log_str(&l, "source", "catalog");
        log_str(&l, "why", err_word(e));
    }
    log_hex64(&l, "session", a->peer.connection_id);
    log_end(&l);
}

static enum metric_login metric_of(enum err e)
{
    switch (e) {
    case ERR_OK:
        return METRIC_LOGIN_OK;
    case ERR_AUTH:
        return METRIC_LOGIN_FAILED;
    case ERR_PRIVACY:
    case ERR_OFF:
    case ERR_AUTHZ:
    case ERR_LIMIT:
    case ERR_DELAY:
        return METRIC_LOGIN_REFUSED;
    default:
        return METRIC_LOGIN_DOWN;
    }
}

/* Once for each attempt whose outcome is known, though nobody may be left to hear it. */
static void tell(const struct attempt *a, enum err e)
{
    metrics_login(a->peer.proto == PROTO_POP3 ? METRIC_POP3 : METRIC_IMAP, metric_of(e));
    switch (e) {
    case ERR_OK:
    case ERR_DELAY: /* the password was good, and the client was told to wait */
        break;
    case ERR_AUTH:
        log_failed(a, a->unknown ? "unknown" : "password");
        break;
    case ERR_PRIVACY:
        log_failed(a, "plaintext");
        break;
    case ERR_OFF:
    case ERR_AUTHZ:
        log_failed(a, "off");
        break;
    case ERR_LIMIT:
        log_failed(a, "limit");
        break;
    default:
        log_outage(a, e);
    }
}

/* --- admission: the password was good --------------------------------------------------------- */

static struct store_reader *reader_of(const struct attempt *a)
{
    return store_reader_of(a->auth->conf.store, a->peer.loop);
}

static bool serves(const struct attempt *a, const struct store_cred *cred)
{
    return a->timestamp.ptr ? auth_cred_serves_digest(cred, a->peer.proto)
                            : auth_cred_serves(cred, a->peer.proto);
}

static const struct store_cred *matched_cred(const struct attempt *a, const struct store_user *user)
{
    for (size_t i = 0; i < user->ncreds; i++)
        if (serves(a, &user->creds[i]) && slice_eq(user->creds[i].verifier, a->matched))
            return &user->creds[i];
    return NULL;
}

static void on_upgraded(void *object, const struct store_result *result)
{
    (void)object;
    (void)result;
}

/* [auth] upgrade: a verifier of an old scheme is replaced while the password is at hand. Nobody
 * waits for it, and if it fails the next login tries again. */
static void upgrade(const struct attempt *a, const struct store_user *user)
{
    struct store_cred creds[64];
    struct store_user fresh = *user;
    assert(user->ncreds <= sizeof creds / sizeof *creds); /* CONTRACTS section 12 */
    memcpy(creds, user->creds, user->ncreds * sizeof *creds);
    for (size_t i = 0; i < user->ncreds; i++)
        if (slice_eq(creds[i].verifier, a->matched))
            creds[i].verifier = a->upgraded;
    fresh.creds = creds;
    struct store_to to = {.loop = a->peer.loop, .done = on_upgraded};
    store_user_set(a->auth->conf.store, &fresh, to);
}

/* RFC 2449 section 6.5 (LOGIN-DELAY): seconds between logins of one account. */
static enum err check_delay(const struct attempt *a, const struct settings *settings)
{
    uint32_t delay_s = settings->pop3.login_delay_s;
    if (a->peer.proto != PROTO_POP3 || delay_s == 0)
        return ERR_OK;
    struct auth_digest digest = auth_cache_digest(a->auth->seen, &a->name.login, 1);
    if (auth_cache_has(a->auth->seen, digest, (uint64_t)delay_s * 1000))
        return ERR_DELAY;
    auth_cache_put(a->auth->seen, digest);
    return ERR_OK;
}

static enum err enter(const struct attempt *a, const struct store_user *user, struct session *s)
{
    struct auth_session *session = &s->session;
    auth_settings(a->config, user, &s->arena, &session->settings);
    enum err e = auth_may_use(user, &session->settings, a->peer.proto);
    if (!e && a->timestamp.ptr && !session->settings.pop3.apop)
        e = ERR_OFF;
    if (!e)
        e = check_delay(a, &session->settings);
    if (e)
        return e;
    struct store_limits limits = auth_limits(&session->settings);
    e = store_account_open(reader_of(a), user, &limits, &session->account);
    if (e)
        return e;
    store_account_set_actor(session->account, a->peer.proto, a->peer.connection_id);
    struct store_live_conf conf = {.proto = a->peer.proto,
                                   .peer_key = a->peer.peer_key,
                                   .per_user = session->settings.limits.per_user,
                                   .per_user_address = session->settings.limits.per_user_address,
                                   .loop = a->peer.loop,
                                   .id = a->peer.id,
                                   .kick = a->peer.kick};
    e = store_live_enter(session->account, &conf, &session->live);
    if (!e)
        store_account_logged_in(session->account);
    return e;
}

/* The catalog is read anew: the hash took its time, and what was good when it began may have been
 * changed or switched off meanwhile. */
static enum err admit(struct attempt *a, struct auth_session **ret)
{
    struct store_user user;
    enum err e = store_user_find(reader_of(a), a->who, &a->arena, &user);
    if (e)
        return e == ERR_NOTFOUND ? ERR_AUTH : e;
    const struct store_cred *cred = matched_cred(a, &user);
    if (!cred)
        return ERR_AUTH;
    if (a->upgraded.len)
        upgrade(a, &user);
    unsigned cred_flags = cred->flags;
    if (a->name.master.len) {
        if (user.disabled)
            return ERR_OFF;
        if (!(user.flags & USER_MASTER))
            return ERR_AUTHZ;
        e = store_user_find(reader_of(a), a->name.login, &a->arena, &user);
        if (e)
            return e == ERR_NOTFOUND ? ERR_AUTHZ : e;
    }

    struct session *s = mem_new(sizeof *s);
    arena_init(&s->arena, ATTEMPT_MEMORY);
    s->config = config_ref(a->config);
    s->session.recent = a->name.recent;
    s->session.cred_flags = cred_flags;
    s->session.mech = a->mech;
    e = enter(a, &user, s);
    if (e) {
        auth_session_free(&s->session);
        return e;
    }
    s->session.login = store_account_login(s->session.account);
    if (a->name.detail.len)
        s->session.detail = arena_dup(&s->arena, a->name.detail);
    *ret = &s->session;
    return ERR_OK;
}

/* --- the answer ------------------------------------------------------------------------------- */

static void answer(struct attempt *a)
{
    struct auth_session *session = NULL;
    enum err e = a->outcome;
    void *object = loop_id_find(a->peer.loop, a->peer.id);
    if (object && !e) {
        e = admit(a, &session);
        tell(a, e);
    }
    auth_done *done = a->done;
    attempt_free(a);
    if (object)
        done(object, e, session);
}

static void on_timer(struct loop *loop, struct timer *timer)
{
    (void)loop;
    answer((struct attempt *)((char *)timer - offsetof(struct attempt, timer)));
}

static void on_post(struct loop *loop, struct post *post)
{
    (void)loop;
    answer((struct attempt *)((char *)post - offsetof(struct attempt, post)));
}

static void answer_at(struct attempt *a, uint64_t due_ms)
{
    uint64_t now = loop_now_ms(a->peer.loop);
    if (due_ms > now)
        timer_arm(a->peer.loop, &a->timer, due_ms - now);
    else
        loop_post(a->peer.loop, &a->post);
}

/* Counted by address and by name; the longer delay holds. A client that keeps sending the same old
 * password is not guessing, and is not counted again. */
static uint64_t failure_delay(const struct attempt *a)
{
    struct auth *auth = a->auth;
    uint64_t min = a->config->auth.delay_min_ms, max = a->config->auth.delay_max_ms;
    struct slice what[] = {user_shown(a), a->password};
    struct auth_digest digest = auth_cache_digest(auth->bad, what, 2), name;
    if (auth_cache_has(auth->bad, digest, BAD_MS))
        return min;
    auth_cache_put(auth->bad, digest);
    name = auth_cache_digest(auth->bad, what, 1);
    uint64_t key;
    memcpy(&key, name.octets, sizeof key);
    uint64_t by_name = peer_failed(auth->names, key, min, max);
    uint64_t by_address = peer_failed(auth->conf.peers, a->peer.peer_key, min, max);
    return by_name > by_address ? by_name : by_address;
}

/* A digest is good for one connection: there is nothing to remember. */
static bool remembers(const struct attempt *a)
{
    return a->config->auth.cache_ms && !a->timestamp.ptr;
}

/* --- the password ----------------------------------------------------------------------------- */

static struct auth_digest good_digest(const struct attempt *a, struct slice verifier)
{
    struct slice what[] = {a->who, a->password, verifier};
    return auth_cache_digest(a->auth->good, what, 3);
}

static void judge(struct job *job)
{
    struct attempt *a = (struct attempt *)(void *)job; /* its first member */
    if (a->matched.ptr) {
        if (remembers(a))
            auth_cache_put(a->auth->good, good_digest(a, a->matched));
        mem_wipe((char *)a->password.ptr, a->password.len);
        answer(a);
        return;
    }
    a->outcome = atomic_load(&job->cancelled) ? ERR_AGAIN : ERR_AUTH;
    uint64_t delay = a->outcome == ERR_AUTH ? failure_delay(a) : 0;
    mem_wipe((char *)a->password.ptr, a->password.len);
    tell(a, a->outcome);
    answer_at(a, a->start_ms + delay);
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

/* Who is it, and has this password been verified lately? ERR_OK: yes, `matched` is filled.
 * ERR_AUTH: it must be hashed. */
static enum err look(struct attempt *a)
{
    const struct config *config = a->config;
    a->unknown = true;
    if (auth_name_parse(a->text, slice_str(config->tandem.default_domain),
                        config->auth.master_separator, &a->arena, &a->name))
        return ERR_AUTH;
    a->named = true;
    if (a->name.token.len) /* no tokens have been given out */
        return ERR_AUTH;
    a->who = a->name.master.len ? a->name.master : a->name.login;
    struct store_user user;
    enum err e = store_user_find(reader_of(a), a->who, &a->arena, &user);
    if (e)
        return e == ERR_NOTFOUND ? ERR_AUTH : e;
    a->unknown = false;

    struct slice *verifiers = arena_new(&a->arena, user.ncreds * sizeof *verifiers);
    size_t n = 0;
    for (size_t i = 0; i < user.ncreds; i++) {
        if (!serves(a, &user.creds[i]))
            continue;
        verifiers[n++] = user.creds[i].verifier;
        if (remembers(a) && auth_cache_has(a->auth->good, good_digest(a, verifiers[n - 1]),
                                           config->auth.cache_ms)) {
            a->matched = verifiers[n - 1];
            return ERR_OK;
        }
    }
    a->verifiers = verifiers;
    a->nverifiers = n;
    return ERR_AUTH;
}

static struct attempt *attempt_new(struct auth *auth, const struct auth_peer *peer,
                                   struct slice name, const char *mech, auth_done *done)
{
    struct attempt *a = mem_new(sizeof *a);
    arena_init(&a->arena, ATTEMPT_MEMORY);
    a->auth = auth;
    a->config = config_ref(server_config(auth->conf.server));
    a->peer = *peer;
    a->peer.rip = arena_dup(&a->arena, peer->rip);
    a->peer.lip = arena_dup(&a->arena, peer->lip);
    a->done = done;
    a->mech = mech;
    a->start_ms = loop_now_ms(peer->loop);
    a->text = arena_dup(&a->arena, slice_first(name, NAME_KEPT));
    a->timer.run = on_timer;
    a->post.run = on_post;
    a->job = (struct job){
        .loop = peer->loop, .run = hash, .done = judge, .lane = JOB_HASH, .source = peer->peer_key};
    pthread_mutex_lock(&auth->lock);
    a->next = auth->attempts;
    if (a->next)
        a->next->prev = a;
    auth->attempts = a;
    pthread_mutex_unlock(&auth->lock);
    return a;
}

static void end(struct attempt *a, enum err e)
{
    if (a->password.len)
        mem_wipe((char *)a->password.ptr, a->password.len);
    a->outcome = e;
    if (e)
        tell(a, e);
    answer_at(a, a->start_ms);
}

/* What was cut cannot be right, but costs the same. */
static void begin(struct attempt *a, struct slice name, struct slice password)
{
    a->password = arena_dup(&a->arena, slice_first(password, PASSWORD_MAX));
    enum err e = look(a);
    if (name.len > NAME_KEPT || password.len > PASSWORD_MAX) {
        a->nverifiers = 0;
        a->matched = SLICE_NONE;
        e = e == ERR_OK ? ERR_AUTH : e;
    }
    bool hashed = e == ERR_AUTH;
    if (hashed)
        e = pool_submit(a->auth->conf.pool, &a->job);
    if (e || !hashed)
        end(a, e);
}

void auth_password(struct auth *auth, const struct auth_peer *peer, struct slice name,
                   struct slice password, const char *mech, auth_done *done)
{
    struct attempt *a = attempt_new(auth, peer, name, mech, done);
    if (auth_plaintext_allowed(auth, peer))
        begin(a, name, password);
    else
        end(a, ERR_PRIVACY); /* before the password is looked at */
}

void auth_apop(struct auth *auth, const struct auth_peer *peer, struct slice name,
               struct slice timestamp, struct slice digest, auth_done *done)
{
    struct attempt *a = attempt_new(auth, peer, name, "apop", done);
    a->timestamp = arena_dup(&a->arena, timestamp);
    begin(a, name, digest);
}
