/* auth/password.c and recipient.c over a catalog of a few rows: what comes out, when, and what the
 * log says. The store is played by this file. */
#include "auth/auth.h"

#include <ev.h>
#include <fcntl.h>
#include <semaphore.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "core/net/peer.h"
#include "core/net/worker.h"
#include "tests/lib/unit.h"

/* --- the catalog ------------------------------------------------------------------------------ */

struct row {
    const char *login;
    const char *verifier;
    uint8_t protocols, cred_flags;
    uint32_t flags;
    bool disabled;
    const char *option, *value;
};

enum { BOTH = CRED_IMAP | CRED_POP3 };

static struct row rows[] = {
    {"alice@example.org", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              0,            false, NULL,           NULL },
    {"bob@example.org",   "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              0,            true,  NULL,           NULL },
    {"carol@example.org", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              USER_NO_IMAP, false, NULL,
     NULL                                                                                                                           },
    {"dave@example.org",  "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", CRED_POP3, CRED_NO_DELETE, 0,            false,
     NULL,                                                                                                                     NULL },
    {"erin@example.org",  "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              0,            false, "imap.enabled",
     "no"                                                                                                                           },
    {"frank@example.org", "{PLAIN}secret",                     BOTH,      0,              0,            false, NULL,           NULL },
    {"grace@example.org", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              0,            false,
     "pop3.login_delay",                                                                                                       "60s"},
    {"heidi@example.org", "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      CRED_DISABLED,  0,            false, NULL,
     NULL                                                                                                                           },
    {"root@example.org",  "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              USER_MASTER,  false, NULL,
     NULL                                                                                                                           },
    {"ivan@example.org",  "{SHA}5en6G6MezRroT3XKqkdPOmY/BfQ=", BOTH,      0,              USER_NO_LMTP, false, NULL,
     NULL                                                                                                                           },
    {"mrose@example.org", "{PLAIN}tanstaaf",                   BOTH,      0,              0,            false, NULL,           NULL },
};

struct store_account {
    const struct row *row;
    struct store_limits limits;
};

struct store_live {
    int nothing;
};

static enum err find_err, enter_err;
static unsigned open_accounts, live_sessions, logins, finds, sets;
static struct store_live_conf last_live;
static char last_set[256];
static struct config *config;

static void fill(const struct row *row, struct arena *arena, struct store_user *ret)
{
    *ret = (struct store_user){.login = slice_str(row->login),
                               .acct = (uint32_t)(row - rows) + 1,
                               .flags = row->flags,
                               .disabled = row->disabled,
                               .ncreds = 1,
                               .nopts = row->option ? 1 : 0};
    ret->creds = arena_new(arena, sizeof *ret->creds);
    *ret->creds = (struct store_cred){.id = 1,
                                      .flags = row->cred_flags,
                                      .protocols = row->protocols,
                                      .verifier = slice_str(row->verifier)};
    ret->opts = arena_new(arena, sizeof *ret->opts);
    *ret->opts = (struct store_opt){.name = slice_str(row->option), .value = slice_str(row->value)};
}

enum err store_user_find(struct store_reader *reader, struct slice login, struct arena *arena,
                         struct store_user *ret)
{
    (void)reader;
    finds++;
    if (find_err)
        return find_err;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (slice_eq(login, slice_str(rows[i].login))) {
            fill(&rows[i], arena, ret);
            return ERR_OK;
        }
    return ERR_NOTFOUND;
}

static const struct {
    const char *address;
    size_t from, n; /* rows */
} aliases[] = {
    {"team@example.org",        0, 2}, /* alice, bob (disabled) */
    {"off@example.org",         1, 1},
    {"alice+sales@example.org", 3, 1}, /* dave */
    {"@catch.example",          0, 1},
};

enum err store_address_find(struct store_reader *reader, struct slice address, struct arena *arena,
                            struct store_user **ret, size_t *ret_n)
{
    struct store_user user;
    if (store_user_find(reader, address, arena, &user) == ERR_OK) {
        *ret = arena_new(arena, sizeof **ret);
        **ret = user;
        *ret_n = 1;
        return ERR_OK;
    }
    for (size_t i = 0; i < sizeof aliases / sizeof *aliases; i++) {
        if (!slice_eq(address, slice_str(aliases[i].address)))
            continue;
        *ret = arena_new(arena, aliases[i].n * sizeof **ret);
        for (size_t k = 0; k < aliases[i].n; k++)
            fill(&rows[aliases[i].from + k], arena, &(*ret)[k]);
        *ret_n = aliases[i].n;
        return ERR_OK;
    }
    return ERR_NOTFOUND;
}

enum err store_account_open(struct store_reader *reader, const struct store_user *user,
                            const struct store_limits *limits, struct store_account **ret)
{
    (void)reader;
    *ret = mem_new(sizeof **ret);
    (*ret)->row = &rows[user->acct - 1];
    (*ret)->limits = *limits;
    open_accounts++;
    return ERR_OK;
}

void store_account_close(struct store_account *account)
{
    open_accounts -= account != NULL;
    mem_free(account);
}

struct slice store_account_login(const struct store_account *account)
{
    return slice_str(account->row->login);
}

void store_account_set_actor(struct store_account *account, enum store_proto proto, uint64_t id)
{
    (void)account;
    (void)proto;
    (void)id;
}

void store_account_logged_in(struct store_account *account)
{
    (void)account;
    logins++;
}

enum err store_quota_check(struct store_reader *reader, struct store_account *account,
                           uint64_t octets, uint64_t messages)
{
    (void)reader;
    (void)octets;
    assert_int_equal(messages, 1);
    return account->row == &rows[6] ? ERR_QUOTA : ERR_OK;
}

enum err store_live_enter(struct store_account *account, const struct store_live_conf *conf,
                          struct store_live **ret)
{
    (void)account;
    if (enter_err)
        return enter_err;
    last_live = *conf;
    *ret = mem_new(sizeof **ret);
    live_sessions++;
    return ERR_OK;
}

void store_live_leave(struct store_live *live)
{
    live_sessions -= live != NULL;
    mem_free(live);
}

struct store_reader *store_reader_of(struct store *store, struct loop *loop)
{
    (void)store;
    (void)loop;
    return NULL;
}

void store_user_set(struct store *store, const struct store_user *user, struct store_to to)
{
    (void)store;
    (void)to;
    sets++;
    snprintf(last_set, sizeof last_set, SLICE_FMT, SLICE_ARG(user->creds[0].verifier));
}

const struct config *server_config(const struct server *server)
{
    (void)server;
    return config;
}

/* --- one attempt ------------------------------------------------------------------------------ */

static struct loop *loop;
static struct pool *pool;
static struct peers *peers;
static struct auth *auth;
static char log_path[] = "/tmp/test_auth_password.XXXXXX";
static off_t log_from;

struct client {
    struct auth_peer peer;
    bool answered;
    enum err e;
    struct auth_session *session;
    uint64_t at_ms;
};

static void on_answer(void *object, enum err e, struct auth_session *session)
{
    struct client *client = object;
    assert_false(client->answered);
    client->answered = true;
    client->e = e;
    client->session = session;
    client->at_ms = clock_mono_ms();
    ev_break(loop_ev(loop), EVBREAK_ALL); /* loop_stop is for good */
}

static void on_kick(void *object)
{
    (void)object;
}

static struct client client_new(enum store_proto proto)
{
    return (struct client){
        .peer = {.proto = proto,
                 .loop = loop,
                 .kick = on_kick,
                 .connection_id = 0xabc,
                 .peer_key = 42,
                 .secure = true,
                 .rip = SLICE("192.0.2.1"),
                 .lip = SLICE("192.0.2.2")}
    };
}

/* The answer, and how long it took. */
static enum err try(struct client *client, const char *name, const char *password)
{
    uint64_t start = clock_mono_ms();
    client->answered = false;
    client->session = NULL;
    client->peer.id = loop_id_new(loop, client);
    auth_password(auth, &client->peer, slice_str(name), slice_str(password), "plain", on_answer);
    assert_false(client->answered); /* never before it returns */
    loop_run(loop);
    loop_id_drop(loop, client->peer.id);
    client->at_ms -= start;
    return client->e;
}

static enum err try_once(enum store_proto proto, const char *name, const char *password)
{
    struct client client = client_new(proto);
    enum err e = try(&client, name, password);
    assert_true((e == ERR_OK) == (client.session != NULL));
    auth_session_free(client.session);
    return e;
}

/* What was logged since the last call. */
static const char *logged(void)
{
    static char text[8192];
    int fd = open(log_path, O_RDONLY);
    ssize_t n = pread(fd, text, sizeof text - 1, log_from);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    log_from += n > 0 ? n : 0;
    return text;
}

static void assert_logged(const char *want)
{
    const char *text = logged();
    if (!strstr(text, want))
        fail_msg("not logged: %s\ngot: %s", want, text);
}

static int setup(void **state)
{
    (void)state;
    config_default(&config);
    config_set_for_test(config, "tandem.default_domain", "example.org");
    config->auth.delay_min_ms = 20;
    config->auth.delay_max_ms = 160;
    assert_ok(loop_new(0, &loop));
    struct pool_conf pool_conf = {.workers = 2, .queue_max = 100, .queue_max_per_source = 10};
    assert_ok(pool_new(&pool_conf, &pool));
    peers = peers_new();
    struct auth_conf conf = {.pool = pool, .peers = peers};
    assert_ok(auth_new(&conf, &auth));
    find_err = enter_err = ERR_OK;
    logins = finds = sets = 0;
    struct log_conf log = {.to = LOG_TO_FILE, .level = LOG_INFO, .path = log_path};
    assert_ok(log_setup(&log, NULL));
    (void)logged();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    pool_free(pool);
    auth_free(auth);
    peers_free(peers);
    loop_free(loop);
    config_unref(config);
    assert_int_equal(open_accounts, 0);
    assert_int_equal(live_sessions, 0);
    return 0;
}

static void a_good_password_opens_the_account(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    assert_ok(try(&client, "ALICE+x", "secret"));
    assert_non_null(client.session->account);
    assert_slice(client.session->login, "alice@example.org");
    assert_slice(client.session->detail, "x");
    assert_string_equal(client.session->mech, "plain");
    assert_int_equal(client.session->cred_flags, 0);
    assert_int_equal(last_live.id, client.peer.id);
    assert_int_equal(last_live.per_user, config->settings.limits.per_user);
    assert_ptr_equal(last_live.kick, on_kick);
    assert_int_equal(logins, 1);
    assert_string_equal(logged(), ""); /* the session logs `login` */
    auth_session_free(client.session);
}

static void every_failure_is_the_same_outside(void **state)
{
    (void)state;
    assert_err(try_once(PROTO_IMAP, "alice", "wrong"), ERR_AUTH);
    assert_logged("auth-failed: proto=imap user=alice@example.org rip=192.0.2.1 lip=192.0.2.2 "
                  "mech=plain reason=password session=0000000000000abc\n");
    assert_err(try_once(PROTO_POP3, "nobody", "secret"), ERR_AUTH);
    assert_logged("auth-failed: proto=pop3 user=nobody@example.org rip=192.0.2.1 lip=192.0.2.2 "
                  "mech=plain reason=unknown session=0000000000000abc\n");
    assert_err(try_once(PROTO_IMAP, "not a name", "secret"), ERR_AUTH);
    assert_logged("user=not\\x20a\\x20name rip=192.0.2.1 lip=192.0.2.2 mech=plain reason=unknown");
    assert_err(try_once(PROTO_IMAP, "alice", ""), ERR_AUTH);
    assert_err(try_once(PROTO_IMAP, "", ""), ERR_AUTH);
    assert_err(try_once(PROTO_IMAP, "alice%token", "secret"), ERR_AUTH);
}

static void credentials_open_only_their_doors(void **state)
{
    (void)state;
    assert_err(try_once(PROTO_IMAP, "dave", "secret"), ERR_AUTH);  /* POP3 only */
    assert_err(try_once(PROTO_IMAP, "heidi", "secret"), ERR_AUTH); /* credential is off */
    assert_err(try_once(PROTO_IMAP, "frank", "secret"), ERR_AUTH); /* CRAM-MD5 and APOP only */
    struct client client = client_new(PROTO_POP3);
    assert_ok(try(&client, "dave", "secret"));
    assert_int_equal(client.session->cred_flags, CRED_NO_DELETE);
    auth_session_free(client.session);
}

static enum err try_apop(const char *name, const char *digest)
{
    struct client client = client_new(PROTO_POP3);
    client.peer.secure = false;
    client.peer.id = loop_id_new(loop, &client);
    auth_apop(auth, &client.peer, slice_str(name), SLICE("<1896.697170952@dbc.mtview.ca.us>"),
              slice_str(digest), on_answer);
    loop_run(loop);
    loop_id_drop(loop, client.peer.id);
    if (client.session)
        assert_string_equal(client.session->mech, "apop");
    auth_session_free(client.session);
    return client.e;
}

/* The example of RFC 1939 section 7. */
static void a_digest_opens_what_is_plain_and_nothing_else(void **state)
{
    (void)state;
    const char *digest = "c4c9334bac560ecc979e58001b3e22fb";
    assert_err(try_apop("mrose", digest), ERR_OFF); /* [pop3] apop */
    config_set_for_test(config, "pop3.apop", "yes");
    assert_ok(try_apop("mrose", digest));
    assert_ok(try_apop("mrose", "C4C9334BAC560ECC979E58001B3E22FB"));
    assert_err(try_once(PROTO_POP3, "mrose", "tanstaaf"), ERR_AUTH);
    (void)logged();
    assert_err(try_apop("mrose", "c4c9334bac560ecc979e58001b3e22fa"), ERR_AUTH);
    assert_logged("user=mrose@example.org rip=192.0.2.1 lip=192.0.2.2 mech=apop reason=password");
    assert_err(try_apop("mrose", ""), ERR_AUTH);
    assert_err(try_apop("mrose", "c4c9334bac560ecc979e58001b3e22"), ERR_AUTH);
    assert_err(try_apop("mrose", "tanstaaf"), ERR_AUTH);
    assert_err(try_apop("frank", digest), ERR_AUTH);
    assert_err(try_apop("alice", digest), ERR_AUTH);
    assert_logged("reason=password");
    assert_err(try_apop("nobody", digest), ERR_AUTH);
    assert_logged("reason=unknown");
}

static void what_is_off_is_told_after_the_password(void **state)
{
    (void)state;
    assert_err(try_once(PROTO_IMAP, "bob", "wrong"), ERR_AUTH);
    assert_err(try_once(PROTO_IMAP, "bob", "secret"), ERR_OFF);
    assert_logged("reason=off");
    assert_err(try_once(PROTO_IMAP, "carol", "secret"), ERR_OFF);
    assert_ok(try_once(PROTO_POP3, "carol", "secret"));
    assert_err(try_once(PROTO_IMAP, "erin", "secret"), ERR_OFF);
    assert_ok(try_once(PROTO_POP3, "erin", "secret"));
}

static void a_plaintext_password_is_refused_unread(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    client.peer.secure = false;
    assert_false(auth_plaintext_allowed(auth, &client.peer));
    assert_err(try(&client, "alice", "secret"), ERR_PRIVACY);
    assert_logged("reason=plaintext");
    assert_int_equal(finds, 0);
    client.peer.local = true;
    assert_ok(try(&client, "alice", "secret"));
    auth_session_free(client.session);
    config_set_for_test(config, "auth.plaintext_auth", "never");
    assert_err(try(&client, "alice", "secret"), ERR_PRIVACY);
    config_set_for_test(config, "auth.plaintext_auth", "always");
    client.peer.local = false;
    assert_ok(try(&client, "alice", "secret"));
    auth_session_free(client.session);
}

static void limits_and_outages_are_no_wrong_passwords(void **state)
{
    (void)state;
    enter_err = ERR_LIMIT;
    assert_err(try_once(PROTO_IMAP, "alice", "secret"), ERR_LIMIT);
    assert_logged("reason=limit");
    assert_int_equal(logins, 0);
    enter_err = ERR_OK;
    find_err = ERR_DOWN;
    assert_err(try_once(PROTO_IMAP, "alice", "secret"), ERR_DOWN);
    assert_logged("source-down: proto=imap source=catalog why=down session=");
}

static void failures_are_answered_later_and_later(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    uint64_t took[6];
    for (unsigned i = 0; i < 6; i++) {
        char password[8];
        snprintf(password, sizeof password, "wrong%u", i);
        assert_err(try(&client, "alice", password), ERR_AUTH);
        took[i] = client.at_ms;
    }
    assert_in_range(took[0], 19, 60);
    assert_in_range(took[2], 79, 140);
    assert_in_range(took[5], 159, 400); /* the longest */
    /* one that was wrong before is not counted again */
    assert_err(try(&client, "alice", "wrong0"), ERR_AUTH);
    assert_in_range(client.at_ms, 19, 60);
    /* the account is not locked */
    assert_ok(try(&client, "alice", "secret"));
    assert_in_range(client.at_ms, 0, 50);
    auth_session_free(client.session);
    /* another address meets the name's count */
    client.peer.peer_key = 43;
    assert_err(try(&client, "alice", "other"), ERR_AUTH);
    assert_in_range(client.at_ms, 159, 400);
}

static void a_verified_password_is_remembered(void **state)
{
    (void)state;
    /* yescrypt of "secret" takes tens of milliseconds: what is remembered takes none */
    struct arena arena;
    struct slice verifier;
    arena_init(&arena, 4096);
    assert_ok(auth_verifier_make("yescrypt", SLICE("secret"), &arena, &verifier));
    char *text = mem_new(verifier.len + 1);
    memcpy(text, verifier.ptr, verifier.len);
    const char *before = rows[0].verifier;
    rows[0].verifier = text;

    struct client client = client_new(PROTO_IMAP);
    assert_ok(try(&client, "alice", "secret"));
    auth_session_free(client.session);
    uint64_t hashed = client.at_ms;
    assert_ok(try(&client, "alice", "secret"));
    auth_session_free(client.session);
    assert_true(client.at_ms * 2 < hashed);
    assert_err(try(&client, "alice", "Secret"), ERR_AUTH);
    assert_err(try(&client, "dave", "secret"), ERR_AUTH);

    rows[0].verifier = before; /* changed: forgotten, though the password is the same */
    text[verifier.len - 1] ^= 1;
    assert_ok(try(&client, "alice", "secret"));
    auth_session_free(client.session);
    mem_free(text);
    arena_reset(&arena);
}

static void an_unknown_name_costs_a_hash(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    config->auth.delay_min_ms = config->auth.delay_max_ms = 1;
    assert_err(try(&client, "nobody", "secret"), ERR_AUTH);
    assert_true(client.at_ms >= 5); /* yescrypt; a look-up takes microseconds */
    uint64_t unknown = client.at_ms;
    assert_err(try(&client, "not a name", "secret"), ERR_AUTH);
    assert_true(client.at_ms * 4 > unknown);
    assert_err(try(&client, "frank", "secret"), ERR_AUTH); /* has no usable credential */
    assert_true(client.at_ms * 4 > unknown);
}

static void masters_open_other_accounts(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    assert_ok(try(&client, "alice*root", "secret"));
    assert_slice(client.session->login, "alice@example.org");
    auth_session_free(client.session);
    assert_err(try_once(PROTO_IMAP, "alice*root", "wrong"), ERR_AUTH);
    assert_err(try_once(PROTO_IMAP, "alice*carol", "secret"), ERR_AUTHZ);
    assert_err(try_once(PROTO_IMAP, "nobody*root", "secret"), ERR_AUTHZ);
    assert_err(try_once(PROTO_IMAP, "alice*bob", "secret"), ERR_OFF);
}

static void pop3_logins_keep_their_distance(void **state)
{
    (void)state;
    assert_ok(try_once(PROTO_POP3, "grace", "secret"));
    assert_err(try_once(PROTO_POP3, "grace", "secret"), ERR_DELAY);
    assert_ok(try_once(PROTO_IMAP, "grace", "secret"));
    assert_err(try_once(PROTO_POP3, "grace", "wrong"), ERR_AUTH);
}

static void old_schemes_are_upgraded_when_asked(void **state)
{
    (void)state;
    assert_ok(try_once(PROTO_IMAP, "alice", "secret"));
    assert_int_equal(sets, 0);
    config_set_for_test(config, "auth.upgrade", "yes");
    config_set_for_test(config, "auth.cache", "0");
    assert_ok(try_once(PROTO_IMAP, "alice", "secret"));
    assert_int_equal(sets, 1);
    assert_true(slice_starts(slice_str(last_set), SLICE("{CRYPT}$y$")));
    assert_true(auth_verifier_check(slice_str(last_set), SLICE("secret")));
}

static void long_secrets_are_refused_not_cut(void **state)
{
    (void)state;
    static char name[3000], password[3000];
    memset(name, 'a', sizeof name - 1);
    memset(password, 'a', sizeof password - 1);
    assert_err(try_once(PROTO_IMAP, name, "secret"), ERR_AUTH);
    assert_err(try_once(PROTO_IMAP, "alice", password), ERR_AUTH);
}

static void nobody_is_answered_after_the_session_has_gone(void **state)
{
    (void)state;
    struct client gone = client_new(PROTO_IMAP), last = client_new(PROTO_IMAP);
    uint64_t id = loop_id_new(loop, &gone);
    gone.peer.id = id;
    auth_password(auth, &gone.peer, SLICE("alice"), SLICE("secret"), "plain", on_answer);
    auth_password(auth, &gone.peer, SLICE("alice"), SLICE("wrong"), "plain", on_answer);
    loop_id_drop(loop, id);
    assert_err(try(&last, "alice", "wrong too"), ERR_AUTH);
    assert_false(gone.answered);
}

static void attempts_under_way_end_with_auth(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    client.peer.id = loop_id_new(loop, &client);
    for (unsigned i = 0; i < 5; i++)
        auth_password(auth, &client.peer, SLICE("nobody"), SLICE("secret"), "plain", on_answer);
    client.peer.secure = false;
    auth_password(auth, &client.peer, SLICE("nobody"), SLICE("secret"), "plain", on_answer);
} /* teardown frees them */

static sem_t gate;

static void hold(struct job *job, void *thread_ctx)
{
    (void)job;
    (void)thread_ctx;
    sem_wait(&gate);
}

static void a_full_queue_is_told_at_once(void **state)
{
    (void)state;
    static struct job holder = {.run = hold, .lane = JOB_HASH}; /* nothing is hashed meanwhile */
    struct client client = client_new(PROTO_IMAP), last = client_new(PROTO_IMAP);
    client.peer.id = loop_id_new(loop, &client);
    client.answered = false;
    sem_init(&gate, 0, 0);
    assert_ok(pool_submit(pool, &holder));
    for (unsigned i = 0; i < 20; i++) /* the queue of an address holds 10 */
        auth_password(auth, &last.peer, SLICE("nobody"), SLICE("secret"), "plain", on_answer);
    enum err e = try(&client, "alice", "secret");
    sem_post(&gate);
    assert_err(e, ERR_AGAIN);
    assert_logged("limit-hit: proto=imap user=alice@example.org rip=192.0.2.1 limit=hash-queue");
}

/* --- recipients ------------------------------------------------------------------------------- */

static enum err rcpt(const char *address, const char **ret_first, size_t *ret_n, char *ret_detail)
{
    struct arena arena;
    struct auth_recipient *recipients;
    size_t n = 0;
    arena_init(&arena, 1 << 20);
    enum err e = auth_recipient_find(auth, NULL, slice_str(address), &arena, &recipients, &n);
    *ret_n = n;
    *ret_first = "";
    ret_detail[0] = '\0';
    if (!e) {
        *ret_first = recipients[0].account->row->login;
        snprintf(ret_detail, 64, SLICE_FMT, SLICE_ARG(recipients[0].detail));
        assert_int_equal(recipients[0].message_octets, config->settings.store.message_size);
        auth_recipient_close(recipients, n);
    }
    assert_int_equal(open_accounts, 0);
    arena_reset(&arena);
    return e;
}

static void recipients_are_found_in_the_order_of_the_contract(void **state)
{
    (void)state;
    static const struct {
        const char *address;
        enum err e;
        const char *first;
        size_t n;
        const char *detail;
    } cases[] = {
        {"alice@example.org",       ERR_OK,       "alice@example.org", 1, ""     },
        {"Alice",                   ERR_OK,       "alice@example.org", 1, ""     },
        {"alice+Lists@example.org", ERR_OK,       "alice@example.org", 1, "Lists"},
        {"alice+sales@example.org", ERR_OK,       "dave@example.org",  1, ""     },
        {"Alice+SALES@example.org", ERR_OK,       "dave@example.org",  1, ""     },
        {"team@example.org",        ERR_OK,       "alice@example.org", 1, ""     }, /* bob is off */
        {"team+x@example.org",      ERR_OK,       "alice@example.org", 1, "x"    },
        {"off@example.org",         ERR_OFF,      "",                  0, ""     },
        {"bob@example.org",         ERR_OFF,      "",                  0, ""     },
        {"ivan@example.org",        ERR_OFF,      "",                  0, ""     },
        {"grace@example.org",       ERR_QUOTA,    "",                  0, ""     },
        {"anybody@catch.example",   ERR_OK,       "alice@example.org", 1, ""     },
        {"anybody+x@catch.example", ERR_OK,       "alice@example.org", 1, ""     },
        {"nobody@example.org",      ERR_NOTFOUND, "",                  0, ""     },
        {"nobody@example.com",      ERR_NOTFOUND, "",                  0, ""     },
        {"@catch.example",          ERR_SYNTAX,   "",                  0, ""     },
        {"",                        ERR_SYNTAX,   "",                  0, ""     },
        {"recent:alice",            ERR_SYNTAX,   "",                  0, ""     },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *first;
        char detail[64];
        size_t n;
        enum err e = rcpt(cases[i].address, &first, &n, detail);
        if (e != cases[i].e || n != cases[i].n || strcmp(first, cases[i].first) != 0 ||
            strcmp(detail, cases[i].detail) != 0)
            fail_msg("%s: %s %s %zu '%s'", cases[i].address, err_word(e), first, n, detail);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_password_opens_the_account, setup, teardown),
        cmocka_unit_test_setup_teardown(every_failure_is_the_same_outside, setup, teardown),
        cmocka_unit_test_setup_teardown(credentials_open_only_their_doors, setup, teardown),
        cmocka_unit_test_setup_teardown(a_digest_opens_what_is_plain_and_nothing_else, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_off_is_told_after_the_password, setup, teardown),
        cmocka_unit_test_setup_teardown(a_plaintext_password_is_refused_unread, setup, teardown),
        cmocka_unit_test_setup_teardown(limits_and_outages_are_no_wrong_passwords, setup, teardown),
        cmocka_unit_test_setup_teardown(failures_are_answered_later_and_later, setup, teardown),
        cmocka_unit_test_setup_teardown(a_verified_password_is_remembered, setup, teardown),
        cmocka_unit_test_setup_teardown(an_unknown_name_costs_a_hash, setup, teardown),
        cmocka_unit_test_setup_teardown(masters_open_other_accounts, setup, teardown),
        cmocka_unit_test_setup_teardown(pop3_logins_keep_their_distance, setup, teardown),
        cmocka_unit_test_setup_teardown(old_schemes_are_upgraded_when_asked, setup, teardown),
        cmocka_unit_test_setup_teardown(long_secrets_are_refused_not_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_answered_after_the_session_has_gone, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(attempts_under_way_end_with_auth, setup, teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_is_told_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(recipients_are_found_in_the_order_of_the_contract, setup,
                                        teardown),
    };
    int fd = mkstemp(log_path);
    int failed = fd < 0 ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
    unlink(log_path);
    return failed;
}
