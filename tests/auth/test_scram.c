/* auth/scram.c, driven by the client of GNU SASL. */
#include <gsasl.h>

#include "core/base/base64.h"
#include "tests/auth/rig.h"

/* "pencil", as RFC 7677 section 3 and RFC 5802 section 5 have it. */
#define KEYS_256                                                                                   \
    "{SCRAM-SHA-256}4096,W22ZaJ0SNY7soEsUEjb6gQ==,WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=,"   \
    "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU="
#define KEYS_1                                                                                     \
    "{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE="

struct talk {
    struct client client;
    struct auth_exchange *exchange;
    Gsasl *gsasl;
    Gsasl_session *session;
    const char *binding;  /* what the client believes, NULL: it cannot bind */
    bool asked, proven;   /* a challenge came; the server's proof was good */
    char challenge[1024]; /* the last one, decoded */
    enum err refusal;
};

/* --- the server's end of the connection ---------------------------------------------------------
 */

static enum err binding_of_server(const struct conn *conn, enum tls_binding_type type,
                                  struct tls_binding *ret)
{
    (void)conn;
    if (type != TLS_EXPORTER)
        return ERR_DOWN;
    ret->len = 7;
    memcpy(ret->octets, "channel", 7);
    return ERR_OK;
}

/* --- the client ---------------------------------------------------------------------------------
 */

static int on_client_property(Gsasl *gsasl, Gsasl_session *session, Gsasl_property property)
{
    (void)gsasl;
    const struct talk *t = gsasl_session_hook_get(session);
    char text[64];
    if (property != GSASL_CB_TLS_EXPORTER || !t->binding)
        return GSASL_NO_CALLBACK;
    text[base64_encode(slice_str(t->binding), text)] = '\0';
    gsasl_property_set(session, property, text);
    return GSASL_OK;
}

static void begin(struct talk *t, const char *mechanism, const char *name, const char *password)
{
    t->asked = t->proven = false;
    t->refusal = ERR_OK;
    t->client.answered = false;
    t->client.session = NULL;
    t->client.peer.id = loop_id_new(loop, &t->client);
    assert_ok(
        auth_exchange_new(auth, &t->client.peer, slice_str(mechanism), on_answer, &t->exchange));
    assert_int_equal(gsasl_init(&t->gsasl), GSASL_OK);
    gsasl_callback_set(t->gsasl, on_client_property);
    assert_int_equal(gsasl_client_start(t->gsasl, mechanism, &t->session), GSASL_OK);
    gsasl_session_hook_set(t->session, t);
    gsasl_property_set(t->session, GSASL_AUTHID, name);
    gsasl_property_set(t->session, GSASL_PASSWORD, password);
}

/* Hand a line to the server. True: it asked back. */
static bool say(struct talk *t, enum auth_said said, const char *text, size_t len)
{
    char line[2048];
    struct slice challenge;
    size_t n;
    switch (auth_exchange_step(t->exchange, said,
                               slice(line, base64_encode(slice(text, len), line)), &challenge,
                               &t->refusal)) {
    case AUTH_ASK:
        t->refusal = ERR_OK;
        t->asked = true;
        assert_true(challenge.len < sizeof t->challenge);
        assert_ok(base64_decode(challenge, t->challenge, &n));
        t->challenge[n] = '\0';
        return true;
    case AUTH_WAIT:
        t->refusal = ERR_OK;
        break;
    case AUTH_REFUSE:
        break;
    }
    return false;
}

static enum err end(struct talk *t)
{
    auth_exchange_free(t->exchange);
    enum err e = t->refusal;
    if (!e) {
        assert_false(t->client.answered); /* never before the step returns */
        loop_run(loop);
        e = t->client.e;
    }
    loop_id_drop(loop, t->client.peer.id);
    gsasl_finish(t->session);
    gsasl_done(t->gsasl);
    assert_true((e == ERR_OK) == (t->client.session != NULL));
    auth_session_free(t->client.session);
    return e;
}

static enum err play(struct talk *t, const char *mechanism, const char *name, const char *password)
{
    char *text;
    size_t len;
    begin(t, mechanism, name, password);
    enum auth_said said = AUTH_INITIAL;
    int rc = gsasl_step(t->session, "", 0, &text, &len);
    assert_int_equal(rc, GSASL_NEEDS_MORE);
    while (say(t, said, text, len)) {
        gsasl_free(text);
        rc = gsasl_step(t->session, t->challenge, strlen(t->challenge), &text, &len);
        t->proven = rc == GSASL_OK;
        assert_true(rc == GSASL_OK || rc == GSASL_NEEDS_MORE);
        said = AUTH_LINE;
    }
    gsasl_free(text);
    return end(t);
}

static struct talk talk_new(void)
{
    struct talk t = {.client = client_new(PROTO_IMAP)};
    t.client.peer.binding = binding_of_server;
    return t;
}

static enum err login(const char *mechanism, const char *name, const char *password)
{
    struct talk t = talk_new();
    t.binding = strstr(mechanism, "-PLUS") ? "channel" : NULL;
    return play(&t, mechanism, name, password);
}

static const char *before;

static int setup(void **state)
{
    before = rows[0].verifier;
    rows[0].verifier = KEYS_256;
    int rc = rig_setup(state);
    config_set_for_test(config, "auth.mechanisms",
                        "plain, scram-sha-256, scram-sha-256-plus, scram-sha-1, scram-sha-1-plus");
    return rc;
}

static int teardown(void **state)
{
    rows[0].verifier = before;
    return rig_teardown(state);
}

/* --- cases --------------------------------------------------------------------------------------
 */

static void keys_open_the_account(void **state)
{
    (void)state;
    assert_ok(login("SCRAM-SHA-256", "alice", "pencil"));
    assert_ok(login("SCRAM-SHA-256-PLUS", "Alice@Example.ORG", "pencil"));
    assert_int_equal(logins, 2);
    assert_string_equal(logged(), ""); /* the session logs `login` */
    rows[0].verifier = KEYS_1;
    assert_ok(login("SCRAM-SHA-1", "alice", "pencil"));
    assert_ok(login("SCRAM-SHA-1-PLUS", "alice", "pencil"));
}

static void the_server_proves_itself(void **state)
{
    (void)state;
    struct talk t = talk_new();
    assert_ok(play(&t, "SCRAM-SHA-256", "alice", "pencil"));
    assert_true(t.proven);
}

static void keys_serve_a_plain_password_too(void **state)
{
    (void)state;
    assert_ok(try_once(PROTO_IMAP, "alice", "pencil"));
    assert_err(try_once(PROTO_IMAP, "alice", "Pencil"), ERR_AUTH);
}

static void a_wrong_password_is_refused_late(void **state)
{
    (void)state;
    struct talk t = talk_new();
    config->auth.delay_min_ms = config->auth.delay_max_ms = 60;
    uint64_t start = clock_mono_ms();
    assert_err(play(&t, "SCRAM-SHA-256", "alice", "wrong"), ERR_AUTH);
    assert_true(t.client.at_ms - start >= 59);
    assert_logged("auth-failed: proto=imap user=alice@example.org rip=192.0.2.1 lip=192.0.2.2 "
                  "mech=scram-sha-256 reason=password session=0000000000000abc\n");
}

/* RFC 5802 section 9: what is asked must not tell whether there is such an account. */
static void nobody_is_asked_like_somebody(void **state)
{
    (void)state;
    struct talk t = talk_new();
    char *text, salts[2][1024];
    size_t len;
    for (unsigned i = 0; i < 2; i++) {
        begin(&t, "SCRAM-SHA-256", "nobody", "pencil");
        gsasl_step(t.session, "", 0, &text, &len);
        assert_true(say(&t, AUTH_INITIAL, text, len));
        const char *salt = strstr(t.challenge, ",s=");
        assert_non_null(salt);
        strcpy(salts[i], salt);
        assert_non_null(strstr(salt, ",i=100000"));
        assert_int_equal(strcspn(salt + 3, ","), 24); /* 16 octets, as new ones have */
        gsasl_free(text);
        auth_exchange_free(t.exchange);
        gsasl_finish(t.session);
        gsasl_done(t.gsasl);
        loop_id_drop(loop, t.client.peer.id);
    }
    assert_string_equal(salts[0], salts[1]);
    assert_err(login("SCRAM-SHA-256", "nobody", "pencil"), ERR_AUTH);
    assert_logged("user=nobody@example.org rip=192.0.2.1 lip=192.0.2.2 mech=scram-sha-256 "
                  "reason=unknown");
    assert_err(login("SCRAM-SHA-256", "not a name", "pencil"), ERR_AUTH);
    assert_err(login("SCRAM-SHA-256", "dave", "secret"), ERR_AUTH);  /* {SHA}: has no keys */
    assert_err(login("SCRAM-SHA-256", "frank", "secret"), ERR_AUTH); /* {PLAIN}: APOP's alone */
    assert_err(login("SCRAM-SHA-1", "alice", "pencil"), ERR_AUTH);
    assert_logged("reason=password");
}

static void a_foreign_binding_is_refused(void **state)
{
    (void)state;
    struct talk t = talk_new();
    t.binding = "another";
    assert_err(play(&t, "SCRAM-SHA-256-PLUS", "alice", "pencil"), ERR_AUTH);
    assert_logged("mech=scram-sha-256-plus reason=password");
}

static enum err say_first(const char *mechanism, const char *text)
{
    struct talk t = talk_new();
    begin(&t, mechanism, "alice", "pencil");
    bool asked = say(&t, AUTH_INITIAL, text, strlen(text));
    if (!asked)
        return end(&t);
    t.refusal = ERR_EXISTS; /* asked back: not refused yet */
    t.client.session = NULL;
    return end(&t);
}

/* RFC 5802 section 6: somebody on the way has taken -PLUS out of the list. */
static void a_client_that_could_bind_is_refused_without(void **state)
{
    (void)state;
    assert_err(say_first("SCRAM-SHA-256", "y,,n=alice,r=abcdef"), ERR_AUTH);
    assert_logged("auth-failed: proto=imap");
    assert_err(say_first("SCRAM-SHA-256", "n,,n=alice,r=abcdef"), ERR_EXISTS);
    config_set_for_test(config, "auth.mechanisms", "scram-sha-256");
    assert_err(say_first("SCRAM-SHA-256", "y,,n=alice,r=abcdef"), ERR_EXISTS);
}

static void what_is_malformed_is_no_guess(void **state)
{
    (void)state;
    static const char *const bad[] = {"",
                                      "n",
                                      "n,,",
                                      "n,,n=alice",
                                      "n,,n=,r=abc",
                                      "n,,r=abc,n=alice",
                                      "x,,n=alice,r=abc",
                                      "n,b=alice,n=alice,r=abc",
                                      "n,,m=must,n=alice,r=abc",
                                      "p=tls-exporter,,n=alice,r=abc"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (say_first("SCRAM-SHA-256", bad[i]) != ERR_SYNTAX)
            fail_msg("taken: %s", bad[i]);
    assert_string_equal(logged(), "");
    assert_err(say_first("SCRAM-SHA-256-PLUS", "p=tls-unique,,n=alice,r=abc"), ERR_AUTH);
    assert_err(say_first("SCRAM-SHA-256-PLUS", "n,,n=alice,r=abc"), ERR_AUTH);
}

static void another_name_to_act_as_is_refused(void **state)
{
    (void)state;
    assert_err(say_first("SCRAM-SHA-256", "n,a=bob,n=alice,r=abc"), ERR_AUTHZ);
    assert_err(say_first("SCRAM-SHA-256", "n,a=ALICE@example.org,n=alice,r=abc"), ERR_EXISTS);
}

static void bound_ones_are_offered_where_there_is_something_to_bind(void **state)
{
    (void)state;
    struct client client = client_new(PROTO_IMAP);
    struct auth_exchange *exchange;
    const char *with[] = {"SCRAM-SHA-256-PLUS", "SCRAM-SHA-1-PLUS", "SCRAM-SHA-256", "SCRAM-SHA-1",
                          "PLAIN"};
    client.peer.binding = binding_of_server;
    for (size_t i = 0; i < 5; i++)
        assert_string_equal(auth_mechanism_at(auth, &client.peer, i), with[i]);
    assert_null(auth_mechanism_at(auth, &client.peer, 5));
    client.peer.secure = false;
    assert_string_equal(auth_mechanism_at(auth, &client.peer, 0), "SCRAM-SHA-256");
    assert_string_equal(auth_mechanism_at(auth, &client.peer, 1), "SCRAM-SHA-1");
    assert_null(auth_mechanism_at(auth, &client.peer, 2));
    assert_err(
        auth_exchange_new(auth, &client.peer, SLICE("SCRAM-SHA-256-PLUS"), on_answer, &exchange),
        ERR_PRIVACY);
    config_set_for_test(config, "auth.mechanisms", "plain");
    assert_err(auth_exchange_new(auth, &client.peer, SLICE("SCRAM-SHA-256"), on_answer, &exchange),
               ERR_CANNOT);
}

static void policy_holds_after_the_proof(void **state)
{
    (void)state;
    rows[1].verifier = rows[8].verifier = KEYS_256; /* bob is off, root is a master */
    assert_err(login("SCRAM-SHA-256", "bob", "pencil"), ERR_OFF);
    assert_err(login("SCRAM-SHA-256", "bob", "wrong"), ERR_AUTH);
    assert_ok(login("SCRAM-SHA-256", "alice*root", "pencil"));
    rows[1].verifier = rows[8].verifier = before;
    find_err = ERR_DOWN;
    assert_err(login("SCRAM-SHA-256", "alice", "pencil"), ERR_DOWN);
    assert_logged("source-down");
}

static void the_end_wants_nothing_more(void **state)
{
    (void)state;
    struct talk t = talk_new();
    char *text;
    size_t len;
    begin(&t, "SCRAM-SHA-256", "alice", "pencil");
    gsasl_step(t.session, "", 0, &text, &len);
    assert_true(say(&t, AUTH_INITIAL, text, len));
    gsasl_free(text);
    gsasl_step(t.session, t.challenge, strlen(t.challenge), &text, &len);
    assert_true(say(&t, AUTH_LINE, text, len));
    gsasl_free(text);
    assert_false(say(&t, AUTH_LINE, "more", 4));
    assert_err(end(&t), ERR_SYNTAX);
    assert_int_equal(logins, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(keys_open_the_account, setup, teardown),
        cmocka_unit_test_setup_teardown(the_server_proves_itself, setup, teardown),
        cmocka_unit_test_setup_teardown(keys_serve_a_plain_password_too, setup, teardown),
        cmocka_unit_test_setup_teardown(a_wrong_password_is_refused_late, setup, teardown),
        cmocka_unit_test_setup_teardown(nobody_is_asked_like_somebody, setup, teardown),
        cmocka_unit_test_setup_teardown(a_foreign_binding_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(a_client_that_could_bind_is_refused_without, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(what_is_malformed_is_no_guess, setup, teardown),
        cmocka_unit_test_setup_teardown(another_name_to_act_as_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(bound_ones_are_offered_where_there_is_something_to_bind,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(policy_holds_after_the_proof, setup, teardown),
        cmocka_unit_test_setup_teardown(the_end_wants_nothing_more, setup, teardown),
    };
    int failed = rig_begin() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    rig_end();
    return failed;
}
