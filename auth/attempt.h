/* One attempt to log in, whatever proves it: a password, a digest of one, an exchange.
 *
 *   attempt_new -> attempt_look -> (the proof is judged) -> attempt_end --> admit -> answer
 *                                                                      `--> answer (late)
 *
 * The attempt owns copies of all it needs, for its session may be gone at any arrow: the outcome
 * then finds nobody. It is the loop's of its peer, except while a job of its own is under way. */
#ifndef TANDEM_AUTH_ATTEMPT_H
#define TANDEM_AUTH_ATTEMPT_H

#include "auth/auth.h"
#include "core/net/loop.h"
#include "core/net/worker.h"

enum { ATTEMPT_NAME_MAX = 512 }; /* octets of a name that are looked at, and go into the log */

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
    /* Which credentials may prove it. */
    bool (*serves)(const struct attempt *a, const struct store_cred *cred);
    uint64_t start_ms; /* what a late answer is counted from */
    struct arena arena;
    struct slice text;      /* the name as it was typed */
    struct slice password;  /* or the digest; wiped as soon as it has been judged */
    struct slice timestamp; /* APOP: what the digest is of, beside the password */
    bool named;             /* `name` is filled */
    struct auth_name name;
    struct slice who;        /* whose proof: the login, or its master */
    struct slice *verifiers; /* to be tried */
    size_t nverifiers;
    bool unknown;          /* no such account: for the log alone */
    struct slice matched;  /* the verifier that was proven */
    struct slice upgraded; /* what takes its place, by [auth] upgrade */
    enum err outcome;
};

/* Copies the name, cut at ATTEMPT_NAME_MAX. `mech` is a literal. */
struct attempt *attempt_new(struct auth *auth, const struct auth_peer *peer, struct slice name,
                            const char *mech, auth_done *done);
/* Unless attempt_end was called; wipes what it holds. NULL shrugs. */
void attempt_free(struct attempt *a);
/* Who is it? Fills `who` and the verifiers that serve. ERR_AUTH: nobody, which is not to be told
 * before the same work has been done as for somebody. Else an outage. */
MUST_CHECK enum err attempt_look(struct attempt *a);
/* The outcome is known; on ERR_OK `matched` names the verifier, and whoever has it may still be
 * refused. Wipes the password and answers in a later turn, ERR_AUTH at a time counted from
 * start_ms. Frees the attempt. */
void attempt_end(struct attempt *a, enum err e);

#endif
