/* The auth core's own memory: shared by password.c and recipient.c. */
#ifndef TANDEM_AUTH_STATE_H
#define TANDEM_AUTH_STATE_H

#include <pthread.h>

#include "auth/auth.h"

struct Gsasl;
struct auth_cache;
struct attempt;

struct auth {
    struct auth_conf conf;
    struct auth_cache *good; /* (login, password, verifier) that matched */
    struct auth_cache *bad;  /* (login, password) that did not */
    struct auth_cache *seen; /* POP3 logins, for [pop3] login_delay */
    struct peers *names;     /* failures by login, as conf.peers counts them by address */
    struct Gsasl *gsasl;     /* SCRAM; read-only after auth_new */
    pthread_mutex_t lock;    /* of what follows */
    struct auth_known {
        struct auth_bounds bounds;
        uint64_t until_ms;      /* clock_mono_ms; 0: never looked */
        int32_t expire_days;    /* of the file, when it was looked for */
        uint32_t login_delay_s; /* the same */
        uint64_t message_octets;
    } known;
    struct attempt *attempts;
};

#endif
