/* auth/sasl.h and GNU SASL behind it: the first octet chooses the mechanism, each line behind it is
 * what a client says, already without its base64. Whatever it says, the exchange ends or asks, what
 * it asks is base64, and nobody gets in: the keys are of a password that is not told. */
#include <stdlib.h>

#include "auth/auth.h"
#include "core/base/base64.h"
#include "core/base/mem.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "core/net/peer.h"
#include "tests/fuzz/fuzz.h"

static struct config *config;

/* --- a store with one account
 * --------------------------------------------------------------------- */

enum err store_user_find(struct store_reader *reader, struct slice login, struct arena *arena,
                         struct store_user *ret)
{
    static const char verifier[] =
        "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"
        "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=";
    (void)reader;
    if (!slice_starts(login, SLICE("alice@")))
        return ERR_NOTFOUND;
    *ret = (struct store_user){.login = login, .acct = 1, .ncreds = 1};
    ret->creds = arena_new(arena, sizeof *ret->creds);
    *ret->creds = (struct store_cred){
        .id = 1, .protocols = CRED_IMAP | CRED_POP3, .verifier = slice_str(verifier)};
    return ERR_OK;
}

void store_lasting_key(const struct store *store, unsigned char ret[16])
{
    (void)store;
    memset(ret, 7, 16);
}

struct store_reader *store_reader_of(struct store *store, struct loop *of)
{
    (void)store;
    (void)of;
    return NULL;
}

const struct config *server_config(const struct server *server)
{
    (void)server;
    return config;
}

/* Nobody gets as far as any of these. */
enum err store_address_find(struct store_reader *reader, struct slice address, struct arena *arena,
                            struct store_user **ret, size_t *ret_n)
{
    (void)reader;
    (void)address;
    (void)arena;
    (void)ret;
    (void)ret_n;
    abort();
}

enum err store_account_open(struct store_reader *reader, const struct store_user *user,
                            const struct store_limits *limits, struct store_account **ret)
{
    (void)reader;
    (void)user;
    (void)limits;
    (void)ret;
    abort();
}

void store_account_close(struct store_account *account)
{
    (void)account;
    abort();
}

struct slice store_account_login(const struct store_account *account)
{
    (void)account;
    abort();
}

void store_account_set_actor(struct store_account *account, enum store_proto proto, uint64_t id)
{
    (void)account;
    (void)proto;
    (void)id;
    abort();
}

void store_account_logged_in(struct store_account *account)
{
    (void)account;
    abort();
}

enum err store_quota_check(struct store_reader *reader, struct store_account *account,
                           uint64_t octets, uint64_t messages)
{
    (void)reader;
    (void)account;
    (void)octets;
    (void)messages;
    abort();
}

enum err store_live_enter(struct store_account *account, const struct store_live_conf *conf,
                          struct store_live **ret)
{
    (void)account;
    (void)conf;
    (void)ret;
    abort();
}

void store_live_leave(struct store_live *live)
{
    (void)live;
    abort();
}

void store_user_set(struct store *store, const struct store_user *user, struct store_to to)
{
    (void)store;
    (void)user;
    (void)to;
    abort();
}

/* --- the exchange
 * --------------------------------------------------------------------------------- */

static enum err binding(const struct conn *conn, enum tls_binding_type type,
                        struct tls_binding *ret)
{
    (void)conn;
    (void)type;
    ret->len = 7;
    memcpy(ret->octets, "channel", 7);
    return ERR_OK;
}

static void on_done(void *object, enum err e, struct auth_session *session)
{
    (void)object;
    (void)session;
    FUZZ_ASSERT(e != ERR_OK);
}

static void check_challenge(struct slice challenge)
{
    char *text = mem_new(challenge.len + 1);
    size_t n;
    FUZZ_ASSERT(base64_decode(challenge, text, &n) == ERR_OK);
    mem_free(text);
}

static void talk(struct auth_exchange *exchange, struct slice rest)
{
    enum auth_said said = AUTH_INITIAL;
    for (;;) {
        struct slice line = slice_first(rest, slice_find(rest, '\n')), challenge;
        char *text = mem_new(base64_encoded_len(line.len) + 1);
        enum err e = ERR_OK;
        enum auth_next next = auth_exchange_step(
            exchange, said, slice(text, base64_encode(line, text)), &challenge, &e);
        if (next == AUTH_ASK)
            check_challenge(challenge);
        FUZZ_ASSERT(next != AUTH_REFUSE || e != ERR_OK);
        mem_free(text);
        rest = slice_from(rest, line.len < rest.len ? line.len + 1 : line.len);
        if (next != AUTH_ASK || rest.len == 0)
            return;
        said = AUTH_LINE;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = {"SCRAM-SHA-256", "SCRAM-SHA-256-PLUS", "SCRAM-SHA-1",
                                        "SCRAM-SHA-1-PLUS"};
    static struct peers *peers;
    if (!config) {
        struct log_conf log = {.to = LOG_TO_FILE, .path = "/dev/null"};
        config_default(&config);
        config_set_for_test(config, "tandem.default_domain", "example.org");
        config_set_for_test(config, "auth.mechanisms",
                            "scram-sha-256, scram-sha-256-plus, scram-sha-1, scram-sha-1-plus");
        peers = peers_new();
        FUZZ_ASSERT(log_setup(&log, NULL) == ERR_OK);
    }
    if (size == 0)
        return 0;
    struct auth *auth;
    struct loop *loop;
    struct auth_conf conf = {.peers = peers};
    FUZZ_ASSERT(loop_new(0, &loop) == ERR_OK && auth_new(&conf, &auth) == ERR_OK);
    struct auth_peer peer = {.proto = PROTO_IMAP,
                             .loop = loop,
                             .id = loop_id_new(loop, &conf),
                             .peer_key = 1,
                             .secure = true,
                             .binding = binding};
    struct auth_exchange *exchange;
    FUZZ_ASSERT(auth_exchange_new(auth, &peer, slice_str(names[data[0] % 4]), on_done, &exchange) ==
                ERR_OK);
    talk(exchange, slice((const char *)data + 1, size - 1));
    auth_exchange_free(exchange);
    auth_free(auth); /* attempts under way with it */
    loop_free(loop);
    return 0;
}
