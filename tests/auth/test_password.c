/* auth/password.c, attempt.c and recipient.c over a catalog of a few rows. */
#include <semaphore.h>

#include "tests/auth/rig.h"

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
    assert_true(auth_plaintext_refused(auth, &client.peer, "login"));
    assert_logged("auth-failed: proto=imap user= rip=192.0.2.1 lip=192.0.2.2 mech=login "
                  "reason=plaintext session=");
    assert_int_equal(finds, 0);
    client.peer.local = true;
    assert_false(auth_plaintext_refused(auth, &client.peer, "login"));
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
    assert_true(took[0] >= 19); /* how late the machine is besides is not looked at */
    assert_true(took[2] >= 79);
    assert_true(took[5] >= 159); /* the longest */
    /* one that was wrong before is not counted again, and the account is not locked */
    config->auth.delay_max_ms = 60000;
    assert_err(try(&client, "alice", "wrong0"), ERR_AUTH);
    assert_true(client.at_ms < 10000);
    assert_ok(try(&client, "alice", "secret"));
    assert_true(client.at_ms < 10000);
    config->auth.delay_max_ms = 160;
    auth_session_free(client.session);
    /* another address meets the name's count */
    client.peer.peer_key = 43;
    assert_err(try(&client, "alice", "other"), ERR_AUTH);
    assert_true(client.at_ms >= 159);
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
    struct client client = client_new(PROTO_POP3);
    assert_ok(try(&client, "grace", "secret"));
    auth_session_free(client.session);
    assert_ok(try(&client, "grace", "secret")); /* the first one found no maildrop */
    auth_pop3_entered(auth, client.session);
    auth_session_free(client.session);
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
        cmocka_unit_test_setup_teardown(a_good_password_opens_the_account, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(every_failure_is_the_same_outside, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(credentials_open_only_their_doors, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_digest_opens_what_is_plain_and_nothing_else, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(what_is_off_is_told_after_the_password, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_plaintext_password_is_refused_unread, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(limits_and_outages_are_no_wrong_passwords, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(failures_are_answered_later_and_later, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(a_verified_password_is_remembered, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(an_unknown_name_costs_a_hash, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(masters_open_other_accounts, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(pop3_logins_keep_their_distance, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(old_schemes_are_upgraded_when_asked, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(long_secrets_are_refused_not_cut, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(nobody_is_answered_after_the_session_has_gone, rig_setup,
                                        rig_teardown),
        cmocka_unit_test_setup_teardown(attempts_under_way_end_with_auth, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(a_full_queue_is_told_at_once, rig_setup, rig_teardown),
        cmocka_unit_test_setup_teardown(recipients_are_found_in_the_order_of_the_contract,
                                        rig_setup, rig_teardown),
    };
    int failed = rig_begin() ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    rig_end();
    return failed;
}
