#include "auth/attempt.h"

#include <assert.h>

#include "auth/cache.h"
#include "auth/scram.h"
#include "auth/state.h"
#include "auth/users.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/base/metrics.h"
#include "core/net/listen.h"
#include "core/net/peer.h"

enum {
    ATTEMPT_MEMORY = 512 << 10, /* a user row with 64 credentials and its options */
    REMEMBERED = 16384,
    BAD_MS = 15 * 60 * 1000 /* how long peer.h counts failures */
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
    if (scram_setup(&auth->gsasl)) {
        mem_free(auth);
        return ERR_DOWN;
    }
    auth->conf = *conf;
    auth->good = auth_cache_new(REMEMBERED);
    auth->bad = auth_cache_new(REMEMBERED);
    auth->seen = auth_cache_new(REMEMBERED);
    auth->names = peers_new();
    pthread_mutex_init(&auth->lock, NULL);
    *ret = auth;
    return ERR_OK;
}

void attempt_free(struct attempt *a)
{
    if (!a)
        return;
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
    scram_finish(auth->gsasl);
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

bool auth_plaintext_refused(const struct auth *auth, const struct auth_peer *peer, const char *mech)
{
    if (auth_plaintext_allowed(auth, peer))
        return false;
    struct attempt nobody = {.auth = (struct auth *)(uintptr_t)auth,
                             .config = server_config(auth->conf.server),
                             .peer = *peer,
                             .mech = mech};
    tell(&nobody, ERR_PRIVACY);
    return true;
}

/* --- who is it? ------------------------------------------------------------------------------- */

static struct store_reader *reader_of(const struct attempt *a)
{
    return store_reader_of(a->auth->conf.store, a->peer.loop);
}

enum err attempt_look(struct attempt *a)
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
    a->verifiers = arena_new(&a->arena, user.ncreds * sizeof *a->verifiers);
    for (size_t i = 0; i < user.ncreds; i++)
        if (a->serves(a, &user.creds[i]))
            a->verifiers[a->nverifiers++] = user.creds[i].verifier;
    return ERR_OK;
}

/* --- admission: the password was good --------------------------------------------------------- */

static const struct store_cred *matched_cred(const struct attempt *a, const struct store_user *user)
{
    for (size_t i = 0; i < user->ncreds; i++)
        if (a->serves(a, &user->creds[i]) && slice_eq(user->creds[i].verifier, a->matched))
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

/* RFC 2449 section 6.5 (LOGIN-DELAY): seconds since the last +OK of the account. */
static enum err check_delay(const struct attempt *a, const struct settings *settings)
{
    uint32_t delay_s = settings->pop3.login_delay_s;
    if (a->peer.proto != PROTO_POP3 || delay_s == 0)
        return ERR_OK;
    struct auth_digest digest = auth_cache_digest(a->auth->seen, &a->name.login, 1);
    if (auth_cache_has(a->auth->seen, digest, (uint64_t)delay_s * 1000))
        return ERR_DELAY;
    return ERR_OK;
}

void auth_pop3_entered(struct auth *auth, const struct auth_session *session)
{
    if (session->settings.pop3.login_delay_s)
        auth_cache_put(auth->seen, auth_cache_digest(auth->seen, &session->login, 1));
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
                                   .kick = a->peer.kick,
                                   .session = a->peer.connection_id};
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
 * password is not guessing, and is not counted again; what an exchange proves is always new. */
static uint64_t failure_delay(const struct attempt *a)
{
    struct auth *auth = a->auth;
    uint64_t min = a->config->auth.delay_min_ms, max = a->config->auth.delay_max_ms;
    struct slice what[] = {user_shown(a), a->password};
    struct auth_digest digest = auth_cache_digest(auth->bad, what, 2), name;
    if (a->password.len) {
        if (auth_cache_has(auth->bad, digest, BAD_MS))
            return min;
        auth_cache_put(auth->bad, digest);
    }
    name = auth_cache_digest(auth->bad, what, 1);
    uint64_t key;
    memcpy(&key, name.octets, sizeof key);
    uint64_t by_name = peer_failed(auth->names, key, min, max);
    uint64_t by_address = peer_failed(auth->conf.peers, a->peer.peer_key, min, max);
    return by_name > by_address ? by_name : by_address;
}

void attempt_end(struct attempt *a, enum err e)
{
    uint64_t delay = e == ERR_AUTH ? failure_delay(a) : 0;
    if (a->password.len)
        mem_wipe((char *)a->password.ptr, a->password.len);
    a->outcome = e;
    if (e)
        tell(a, e);
    answer_at(a, a->start_ms + delay);
}

/* --- birth ------------------------------------------------------------------------------------ */

struct attempt *attempt_new(struct auth *auth, const struct auth_peer *peer, struct slice name,
                            const char *mech, auth_done *done)
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
    a->text = arena_dup(&a->arena, slice_first(name, ATTEMPT_NAME_MAX));
    a->timer.run = on_timer;
    a->post.run = on_post;
    pthread_mutex_lock(&auth->lock);
    a->next = auth->attempts;
    if (a->next)
        a->next->prev = a;
    auth->attempts = a;
    pthread_mutex_unlock(&auth->lock);
    return a;
}
