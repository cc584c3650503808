/* Who may come in, and as whom: one auth core for all protocols.
 *
 *      session --auth_password()--> name split, policy, throttle --> pool (hash) --> loop: outcome
 *
 * Nothing here blocks a loop: the catalog is read in microseconds, hashes run in the pool's HASH
 * lane, late answers are timers. Wrong name and wrong password look and cost the same. */
#ifndef TANDEM_AUTH_AUTH_H
#define TANDEM_AUTH_AUTH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/fault.h"
#include "core/base/slice.h"
#include "core/net/tls.h"
#include "store/store.h"

struct auth;
struct conn;
struct loop;
struct peers;
struct pool;
struct server;

struct auth_conf {
    struct server *server; /* newest config */
    struct store *store;
    struct pool *pool;
    struct peers *peers; /* failures by address */
};
MUST_CHECK enum err auth_new(const struct auth_conf *conf, struct auth **ret);
void auth_free(struct auth *auth);

/* What auth knows of a connection; the slices live as long as the session. */
struct auth_peer {
    enum store_proto proto;
    struct loop *loop;
    uint64_t id; /* loop id of the session: where the outcome goes, and kicks */
    void (*kick)(void *object);
    uint64_t connection_id; /* journal and log */
    uint64_t peer_key;
    bool secure, local; /* conn_is_secure, conn_is_local */
    /* conn_tls_binding and its connection, which outlives every exchange; NULL: has none */
    enum err (*binding)(const struct conn *conn, enum tls_binding_type type,
                        struct tls_binding *ret);
    const struct conn *conn;
    struct slice rip, lip; /* for the auth-failed line */
};

/* May this connection send a password now? False: LOGINDISABLED, no USER in CAPA, ERR_PRIVACY
 * before the password is looked at. [auth] plaintext_auth */
bool auth_plaintext_allowed(const struct auth *auth, const struct auth_peer *peer);

/* The same, asked when one comes: true is a refusal, and has been logged as a failed login of
 * nobody, since neither name nor password is looked at. `mech` is a literal. */
bool auth_plaintext_refused(const struct auth *auth, const struct auth_peer *peer,
                            const char *mech);

/* A login that succeeded: its account, its place among the sessions, its effective settings. The
 * session owns it and frees it with auth_session_free (which leaves `live`, closes the account). */
struct auth_session {
    struct store_account *account;
    struct store_live *live;
    struct settings settings; /* account, domain, file, default: resolved now, kept till the end */
    struct slice login;       /* local@domain, for the log */
    struct slice detail;      /* "+detail" of the name, empty without */
    bool recent;              /* "recent:" before the name (POP3) */
    unsigned cred_flags;      /* CRED_NO_DELETE, CRED_READ_ONLY */
    const char *mech;         /* "plain", "login", "user": for the login line */
};
void auth_session_free(struct auth_session *session); /* NULL shrugs */

/* e: ERR_OK, AUTH, PRIVACY, OFF, LIMIT (per_user), DELAY, DOWN, AGAIN (pool full), SYNTAX. A
 * failure arrives late (throttle). auth-failed has been logged; the session logs `login`. */
typedef void auth_done(void *object, enum err e, struct auth_session *session);

/* LOGIN, USER/PASS. Copies both; the password is wiped on every path. `mech` is a literal. Calls
 * `done` in a later turn, never before it returns; not at all if the id has gone. */
void auth_password(struct auth *auth, const struct auth_peer *peer, struct slice name,
                   struct slice password, const char *mech, auth_done *done);

/* APOP (RFC 1939 section 7): `digest` is what the client said, `timestamp` what it was greeted
 * with, in its brackets. Only a {PLAIN} credential can judge it, and serves nothing else. All the
 * rest is auth_password's; but nothing crosses the wire that would have to be hidden, so TLS is not
 * asked for. */
void auth_apop(struct auth *auth, const struct auth_peer *peer, struct slice name,
               struct slice timestamp, struct slice digest, auth_done *done);

/* --- SASL (RFC 4422): AUTHENTICATE, AUTH --------------------------------------------------------
 */

/* One exchange of one session: what the client says goes in as the line that came, what it is asked
 * comes out as base64. The last answer is auth_password's: `done`, in a later turn. */
struct auth_exchange;

/* The i-th mechanism that may be announced to this connection now; NULL past the last. */
const char *auth_mechanism_at(const struct auth *auth, const struct auth_peer *peer, size_t i);
/* Is it one of those that there are at all? [auth] mechanisms has words for more. */
bool auth_mechanism_known(enum config_mechanism mechanism);
/* ERR_CANNOT: no such mechanism here; ERR_PRIVACY: not without TLS. */
MUST_CHECK enum err auth_exchange_new(struct auth *auth, const struct auth_peer *peer,
                                      struct slice mechanism, auth_done *done,
                                      struct auth_exchange **ret);

enum auth_said {
    AUTH_NOTHING, /* the command came without an initial response */
    AUTH_INITIAL, /* with this one; "=" is an empty one */
    AUTH_LINE     /* the answer to a challenge; "*" cancels */
};
enum auth_next {
    AUTH_ASK,   /* send ret_challenge behind "+ "; it lives until the next step */
    AUTH_WAIT,  /* `done` will be called, if the id is still there; free the exchange now */
    AUTH_REFUSE /* ret_err: ERR_SYNTAX (no base64, cancelled, malformed), ERR_AUTHZ */
};
enum auth_next auth_exchange_step(struct auth_exchange *exchange, enum auth_said said,
                                  struct slice line, struct slice *ret_challenge,
                                  enum err *ret_err);
void auth_exchange_free(struct auth_exchange *exchange); /* NULL shrugs; wipes what it has heard */

/* RCPT: the accounts behind an address (an alias may have several), opened, with their settings.
 * Synchronous and without a write. ERR_NOTFOUND, OFF, QUOTA, FROZEN, SYNTAX. */
struct auth_recipient {
    struct store_account *account;
    struct slice detail; /* of user+detail: a mailbox name as the sender wrote it */
    uint64_t message_octets;
};
MUST_CHECK enum err auth_recipient_find(struct auth *auth, struct store_reader *reader,
                                        struct slice address, struct arena *arena,
                                        struct auth_recipient **ret, size_t *ret_n);
void auth_recipient_close(struct auth_recipient *recipients, size_t n);

/* The maildrop that these settings describe: [pop3] folders and rules, or with a `detail` that one
 * folder. Folders are in the arena or the settings'. ERR_NOTFOUND: no mailbox has that name. */
MUST_CHECK enum err auth_poprule(struct store_reader *reader, struct store_account *account,
                                 const struct settings *settings, struct slice detail, bool recent,
                                 struct arena *arena, struct store_poprule *ret);

/* POP3 has said +OK: [pop3] login_delay counts from now. */
void auth_pop3_entered(struct auth *auth, const struct auth_session *session);

/* What holds for every account, for CAPA before the login (RFC 2449 sections 6.5, 6.7): the
 * shortest retention and the longest delay, and whether that of an account may be another. And what
 * holds for some: the largest message (RFC 1870). As of a second ago at most. */
struct auth_bounds {
    int32_t expire_days; /* -1: never */
    uint32_t login_delay_s;
    bool expire_differs, delay_differs;
    uint64_t message_octets;
};
void auth_bounds(struct auth *auth, struct loop *loop, struct auth_bounds *ret);

/* A new verifier of a password, in the arena: "{SCHEME}...". `scheme` is one of yescrypt, argon2id,
 * scram-sha-256, scram-sha-1, bcrypt, sha512-crypt, ssha512, ssha256; auth_scheme_word gives that
 * of [auth] scheme. Slow: a worker or tool, never a loop. ERR_NOTFOUND: no such scheme; ERR_SYNTAX:
 * a password that is empty or holds NUL; ERR_TOOBIG: over 511 octets. */
const char *auth_scheme_word(enum auth_scheme scheme);
bool auth_scheme_known(const char *scheme); /* can auth_verifier_make make it? */
MUST_CHECK enum err auth_verifier_make(const char *scheme, struct slice password,
                                       struct arena *arena, struct slice *ret);
/* Does the password match? Slow likewise. Constant time in the secret; unknown schemes are false.
 * Schemes are spelled and encoded as Dovecot does, .HEX and .B64 too. */
bool auth_verifier_check(struct slice verifier, struct slice password);
/* Has it a scheme that auth_verifier_check knows? Says nothing of what follows the scheme. */
bool auth_verifier_known(struct slice verifier);
/* Is it the password itself: {PLAIN}, {CLEAR}, {CLEARTEXT}? Then that goes to ret (in the arena) if
 * ret is not NULL. */
bool auth_verifier_plain(struct slice verifier, struct arena *arena, struct slice *ret);

/* Split and normalise names (CONTRACTS section 3): NFC, lower case, default domain. The results are
 * in the arena. ERR_SYNTAX, ERR_LIMIT (the arena). */
struct auth_name {
    struct slice login; /* local@domain */
    struct slice detail, master, token;
    bool recent;
};
/* What is typed at a login. master_separator '\0': there are no masters. */
MUST_CHECK enum err auth_name_parse(struct slice name, struct slice default_domain,
                                    char master_separator, struct arena *arena,
                                    struct auth_name *ret);
/* A RCPT, or an account as the administrator names it: only login and detail. `separator` is what
 * stands between them: in a login AUTH_DETAIL, in a RCPT [lmtp] detail; '\0': nothing does. */
enum { AUTH_DETAIL = '+' };
MUST_CHECK enum err auth_address_parse(struct slice address, struct slice default_domain,
                                       char separator, struct arena *arena, struct auth_name *ret);
/* Such an address as it stood, with its detail, in the normal form of names: an account or an alias
 * may have that name. ERR_LIMIT: the arena is full. */
MUST_CHECK enum err auth_address_whole(const struct auth_name *name, char separator,
                                       struct arena *arena, struct slice *ret);
/* Is it a domain as accounts may have it: LDH labels, at most 253 octets? */
bool auth_domain_valid(struct slice domain);

#endif
