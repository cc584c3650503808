/* The auth core with a catalog of a few rows, a loop and a pool: what comes out, when, and what the
 * log says. The store is played by rig.c. One at a time. */
#ifndef TANDEM_TESTS_AUTH_RIG_H
#define TANDEM_TESTS_AUTH_RIG_H

#include "auth/auth.h"
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/mem.h"
#include "core/net/listen.h"
#include "core/net/loop.h"
#include "core/net/peer.h"
#include "core/net/worker.h"
#include "tests/lib/unit.h"

struct row {
    const char *login;
    const char *verifier;
    uint8_t protocols, cred_flags;
    uint32_t flags;
    bool disabled;
    const char *option, *value;
};
extern struct row rows[];

struct store_account {
    const struct row *row;
    struct store_limits limits;
};

extern enum err find_err, enter_err; /* what the store answers */
extern unsigned open_accounts, live_sessions, logins, finds, sets;
extern struct store_live_conf last_live;
extern char last_set[256]; /* the verifier that store_user_set was given */
extern struct config *config;
extern struct loop *loop;
extern struct pool *pool;
extern struct peers *peers;
extern struct auth *auth;

/* A connection, secure and not local, and the answer that it got. */
struct client {
    struct auth_peer peer;
    bool answered;
    enum err e;
    struct auth_session *session;
    uint64_t at_ms;
};
struct client client_new(enum store_proto proto);
void on_answer(void *object, enum err e, struct auth_session *session); /* stops the loop */
void on_kick(void *object);
/* The answer, and how long it took. */
enum err try(struct client *client, const char *name, const char *password);
enum err try_once(enum store_proto proto, const char *name, const char *password);

const char *logged(void); /* since the last call */
void assert_logged(const char *want);

int rig_setup(void **state);
int rig_teardown(void **state);
bool rig_begin(void); /* before the first test, and after the last */
void rig_end(void);

#endif
