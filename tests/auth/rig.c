#include "tests/auth/rig.h"

#include <ev.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

/* --- the catalog ------------------------------------------------------------------------------ */

enum { BOTH = CRED_IMAP | CRED_POP3 };

struct row rows[] = {
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

struct store_live {
    int nothing;
};

enum err find_err, enter_err;
unsigned open_accounts, live_sessions, logins, finds, sets;
struct store_live_conf last_live;
char last_set[256];
struct config *config;

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

struct store_reader *store_reader_of(struct store *store, struct loop *of)
{
    (void)store;
    (void)of;
    return NULL;
}

void store_user_set(struct store *store, const struct store_user *user, struct store_to to)
{
    (void)store;
    (void)to;
    sets++;
    snprintf(last_set, sizeof last_set, SLICE_FMT, SLICE_ARG(user->creds[0].verifier));
}

void store_lasting_key(const struct store *store, unsigned char ret[16])
{
    (void)store;
    memcpy(ret, "a key of sixteen", 16);
}

const struct config *server_config(const struct server *server)
{
    (void)server;
    return config;
}

/* --- one attempt ------------------------------------------------------------------------------ */

struct loop *loop;
struct pool *pool;
struct peers *peers;
struct auth *auth;
static char log_path[] = "/tmp/test_auth_password.XXXXXX";
static off_t log_from;

void on_answer(void *object, enum err e, struct auth_session *session)
{
    struct client *client = object;
    assert_false(client->answered);
    client->answered = true;
    client->e = e;
    client->session = session;
    client->at_ms = clock_mono_ms();
    ev_break(loop_ev(loop), EVBREAK_ALL); /* loop_stop is for good */
}

void on_kick(void *object)
{
    (void)object;
}

struct client client_new(enum store_proto proto)
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
enum err try(struct client *client, const char *name, const char *password)
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

enum err try_once(enum store_proto proto, const char *name, const char *password)
{
    struct client client = client_new(proto);
    enum err e = try(&client, name, password);
    assert_true((e == ERR_OK) == (client.session != NULL));
    auth_session_free(client.session);
    return e;
}

/* What was logged since the last call. */
const char *logged(void)
{
    static char text[8192];
    int fd = open(log_path, O_RDONLY);
    ssize_t n = pread(fd, text, sizeof text - 1, log_from);
    close(fd);
    text[n > 0 ? n : 0] = '\0';
    log_from += n > 0 ? n : 0;
    return text;
}

void assert_logged(const char *want)
{
    const char *text = logged();
    if (!strstr(text, want))
        fail_msg("not logged: %s\ngot: %s", want, text);
}

int rig_setup(void **state)
{
    (void)state;
    config_default(&config);
    config_set_for_test(config, "tandem.default_domain", "example.org");
    config->auth.delay_min_ms = 20;
    config->auth.delay_max_ms = 160;
    assert_ok(loop_new(0, &loop));
    struct pool_conf pool_conf = {.workers = 2,
                                  .queue_max = 100,
                                  .queue_max_per_source = 10,
                                  .queue_max_per_suspect = 10,
                                  .queue_max_suspect = 100};
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

int rig_teardown(void **state)
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

bool rig_begin(void)
{
    return mkstemp(log_path) >= 0;
}

void rig_end(void)
{
    unlink(log_path);
}
