/* auth/hash.c: verifiers made elsewhere are checked, those made here have the right form. */
#include "auth/auth.h"

#include "core/base/mem.h"
#include "tests/lib/unit.h"

/* Of Dovecot 2.3.19 `doveadm pw`, password "pä$s w0rd". */
#define P "p\xc3\xa4$s w0rd"
/* And of RFC 5802 section 5, of the specification of SHA-crypt, of libargon2 (checked with
 * Dovecot's libsodium: `doveadm pw` makes none below 1 GiB). */
static const struct {
    const char *verifier, *password;
} good[] = {
    {"{SHA512-CRYPT}$6$rounds=1000$VsHWuYMPxka/i9wC$QKXVAkhb1yaiMwWhVIPUAg80g."
     "x0PJJIcMD2YBSDHIrhjbSEfBFubGOuS3UuAlwffTnsskQWx8I/CItYklr7f.",                            P             },
    {"{SHA256-CRYPT}$5$rounds=1000$q3kDOKdpbTsMhVpY$uOY4F9NeHQ4xd7iegCm5HuRZ2I6RT7B2JmpFc42hxz8",
     P                                                                                                             },
    {"{BLF-CRYPT}$2y$05$m7M/FUKnO3r.k22RUYWcA.L5CSzHRbcLJdMtZGlDktFqLjw.LHoly",                      P             },
    {"{MD5-CRYPT}$1$AzYHmd2V$93gJO5fC4B4uaTgXxSgq7.",                                                P             },
    {"{CRYPT}$2y$05$.Kq9Fy9CV7HXx.8de0RZ0.5uSSgNZ5z0.tQceY/1ndnZgA3rgfJjG",                          P             },
    {"{ARGON2I}$argon2i$v=19$m=32768,t=5,p=1$TTdB0jZ05AXCE3zqUJ3VFA$3EadR0R6rOxrMo29vharhXLKvFw5E+"
     "KTCsYUBfkDXKQ",                                                                           P             },
    {"{SSHA}IDmZkk75Se4y9kv9GH4SKOghqtjB+XKc",                                                       P             },
    {"{SSHA256}UbSjYt2GMZEcfnZMKkTImXZQ3ZQNMCFcJ6CucHqI6I16+1n1",                                    P             },
    {"{SSHA512}2XD249zeYV1RFys+FdPAXn6B7j+qFc19v3+ac0tUGjzcVgHMpooDf62b0gplyadW/"
     "ThLmiwHs3t+2d8BYIfCtXuhw1A=",                                                             P             },
    {"{SHA}uhTasAQiioDUJGs8FXdl601N/Jc=",                                                            P             },
    {"{SHA1}uhTasAQiioDUJGs8FXdl601N/Jc=",                                                           P             },
    {"{SHA256}1K4oi7TxBcay9/iB1odEt4IOjes4b+2OmFG4qo0JJCI=",                                         P             },
    {"{SHA512}dy9NUtc+k2mXGx0kX27+uKUj+8iPpTunq5BNOD+P3d8gwt9vf8Izsohtla11MHj2wjn07RVT0UA2+"
     "XWK5yKGkA==",                                                                             P             },
    {"{SMD5}i/UR4ItNCFqyZA/XmwD5x+pqhaA=",                                                           P             },
    {"{PLAIN-MD5}3625885b3309410568c95c086501ed95",                                                  P             },
    {"{LDAP-MD5}NiWIWzMJQQVoyVwIZQHtlQ==",                                                           P             },
    {"{PBKDF2}$1$bAyvfoqBCgz5LS2R$5$a88e853a667b2f7ffdf641c81be6a6de1f2bda5f",                       P             },
    {"{SCRAM-SHA-1}4096,C/67h68b9pKvQB0hBKZeKA==,i/z38/6xrnKVfJ0iz7gMtJZPdvE=,ZIriG/"
     "XpWYV3ksirm54sBIvrne4=",                                                                  P             },
    {"{SCRAM-SHA-256}4096,1+7fuyXSvjw1x0GYgNF+Xg==,HhnYPz9b1VrOHqSrEbkAy9Fs7OPHfdlpM0abnCo3ql0=,"
     "JXaLB0AFJe1N2W+VcB/MstXMV/6uNffyHhzBkul9vyg=",                                            P             },
    {"{PLAIN}" P,                                                                                    P             },
    {"{PLAIN.B64}cMOkJHMgdzByZA==",                                                                  P             },
    {"{SSHA256.HEX}ade2ebf177eaf63db052fe3ac12bf9157a4e3ee8fe11a033b96f40181bcfedd80c4b4547",        P             },
    {"{SHA256.HEX}d4ae288bb4f105c6b2f7f881d68744b7820e8deb386fed8e9851b8aa8d092422",                 P             },
    {"{SHA256}d4ae288bb4f105c6b2f7f881d68744b7820e8deb386fed8e9851b8aa8d092422",                     P             },
    {"{MD5}$1$aZjOrH1U$myJLNDqqvLqgGV5lhvlue1",                                                      P             },
    {"{DES-CRYPT}jtZwlpX/6Moro",                                                                     P             },
    {"{ssha}IDmZkk75Se4y9kv9GH4SKOghqtjB+XKc",                                                       P             },
    {"{ARGON2ID}$argon2id$v=19$m=256,t=2,p=1$c29tZXNhbHQxMjM0NTY3OA$uQNoPM+AlM64dVLKto4L+"
     "SAdtf7QY9zqvfQAmYhdcCk",                                                                  P             },
    {"{SCRAM-SHA-1}4096,QSXCR+Q6sek8bf92,6dlGYMOdZcOPutkcNY8U2g7vK9Y=,D+CSWLOshSulAsxiupA+qs2/fTE=",
     "pencil"                                                                                                      },
    {"{CRYPT}$6$saltstring$svn8UoSVapNtMuq1ukKS4tPQd8iKwSMHWjl/"
     "O817G3uBnIFNjnQJuesI68u4OTLiBFdcbYEdFCoEOfaS35inz1",                                      "Hello world!"},
    {"{CLEARTEXT}x",                                                                                 "x"           },
    {"{PLAIN}",                                                                                      ""            },
};

static void verifiers_of_other_servers_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct slice verifier = slice_str(good[i].verifier);
        struct slice password = slice_str(good[i].password);
        assert_true(auth_verifier_known(verifier));
        if (!auth_verifier_check(verifier, password))
            fail_msg("%s does not match", good[i].verifier);
        if (auth_verifier_check(verifier, SLICE("wrong")))
            fail_msg("%s matches anything", good[i].verifier);
        if (auth_verifier_check(verifier, slice(P "x", sizeof P)) &&
            !slice_istarts(verifier, SLICE("{DES-CRYPT}"))) /* looks at 8 octets */
            fail_msg("%s matches a longer one", good[i].verifier);
        if (password.len && auth_verifier_check(verifier, SLICE("")))
            fail_msg("%s matches nothing", good[i].verifier);
    }
}

static void unreadable_verifiers_match_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "x",
        "{",
        "{}",
        "{PLAIN",
        "PLAIN}x",
        "{NOPE}x",
        "{PLAIN.NOPE}x",
        "$6$salt$x",
        "{CRYPT}",
        "{CRYPT}*0",
        "{CRYPT}*1",
        "{CRYPT}x",
        "{CRYPT}!",
        "{CRYPT}!!",
        "{CRYPT}$y$",
        "{CRYPT}$6$",
        "{SHA}",
        "{SHA}=",
        "{SHA}uhTas",
        "{SHA}uhTasAQiioDUJGs8FXdl601N/Jc",
        "{SSHA}",
        "{SSHA}uhTasAQiioDUJGs8FXdl601N/Jc=", /* no salt */
        "{SHA256.HEX}zz",
        "{PLAIN-MD5}36",
        "{PBKDF2}",
        "{PBKDF2}$1$",
        "{PBKDF2}$1$s$0$aa",
        "{PBKDF2}$1$s$5$",
        "{PBKDF2}$2$bAyvfoqBCgz5LS2R$5$a88e853a667b2f7ffdf641c81be6a6de1f2bda5f",
        "{PBKDF2}$1$s$99999999999$a88e853a667b2f7ffdf641c81be6a6de1f2bda5f",
        "{ARGON2ID}",
        "{ARGON2ID}$argon2i$v=19$m=256,t=2,p=1$c29tc2FsdA$",
        "{SCRAM-SHA-256}",
        "{SCRAM-SHA-256},,,",
        "{SCRAM-SHA-256}0,QQ==,QQ==,QQ==",
        "{SCRAM-SHA-256}4096,QQ==,,",
        "{SCRAM-SHA-256}99999999999,QQ==,QQ==,QQ==",
        "{SCRAM-SHA-1}4096,!,QQ==,QQ=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (auth_verifier_check(slice_str(bad[i]), SLICE("x")) ||
            auth_verifier_check(slice_str(bad[i]), SLICE("")))
            fail_msg("%s matches", bad[i]);
    }
    static char big[5000] = "{SHA}";
    memset(big + 5, 'A', sizeof big - 5);
    assert_false(auth_verifier_check(slice(big, sizeof big), SLICE("x")));
    memcpy(big, "{CRYPT}", 7);
    assert_false(auth_verifier_check(slice(big, sizeof big), SLICE("x")));
    assert_false(auth_verifier_known(SLICE("secret")));
    assert_false(auth_verifier_known(SLICE("{secret}")));
}

static void a_nul_in_a_password_is_an_octet_like_any(void **state)
{
    (void)state;
    struct arena arena;
    struct slice verifier;
    arena_init(&arena, 4096);
    assert_ok(auth_verifier_make("sha512-crypt", SLICE("abc"), &arena, &verifier));
    assert_false(auth_verifier_check(verifier, SLICE("abc\0def")));
    assert_ok(auth_verifier_make("ssha512", SLICE("abc"), &arena, &verifier));
    assert_false(auth_verifier_check(verifier, SLICE("abc\0")));
    assert_true(auth_verifier_check(SLICE("{PLAIN}a\0b"), SLICE("a\0b")));
    assert_false(auth_verifier_check(SLICE("{PLAIN}a\0b"), SLICE("a\0c")));
    arena_reset(&arena);
}

static const struct {
    const char *scheme, *prefix;
} made[] = {
    {"yescrypt",      "{CRYPT}$y$"                          },
    {"argon2id",      "{ARGON2ID}$argon2id$v=19$m=65536,t=3"},
    {"scram-sha-256", "{SCRAM-SHA-256}100000,"              },
    {"scram-sha-1",   "{SCRAM-SHA-1}100000,"                },
    {"bcrypt",        "{BLF-CRYPT}$2y$10$"                  },
    {"sha512-crypt",  "{SHA512-CRYPT}$6$"                   },
    {"ssha512",       "{SSHA512}"                           },
    {"ssha256",       "{SSHA256}"                           },
};

static void what_is_made_is_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof made / sizeof *made; i++) {
        struct arena arena;
        struct slice first, second;
        arena_init(&arena, 4096);
        assert_ok(auth_verifier_make(made[i].scheme, SLICE(P), &arena, &first));
        assert_ok(auth_verifier_make(made[i].scheme, SLICE(P), &arena, &second));
        assert_true(slice_starts(first, slice_str(made[i].prefix)));
        assert_false(slice_eq(first, second)); /* salted */
        assert_true(auth_verifier_check(first, SLICE(P)));
        assert_false(auth_verifier_check(first, SLICE("p")));
        arena_reset(&arena);
    }
}

static void scram_keys_are_of_the_prepared_password(void **state)
{
    (void)state;
    struct arena arena;
    struct slice verifier;
    arena_init(&arena, 4096);
    /* RFC 4013 section 3: a soft hyphen is mapped to nothing, IX as one character to "IX" */
    assert_ok(auth_verifier_make("scram-sha-256", SLICE("I\xc2\xadX"), &arena, &verifier));
    assert_true(auth_verifier_check(verifier, SLICE("IX")));
    assert_true(auth_verifier_check(verifier, SLICE("\xe2\x85\xa8")));
    assert_false(auth_verifier_check(verifier, SLICE("ix")));
    arena_reset(&arena);
}

static void bad_wishes_are_refused(void **state)
{
    (void)state;
    struct arena arena;
    struct slice verifier;
    char big[512];
    memset(big, 'a', sizeof big);
    arena_init(&arena, 4096);
    assert_err(auth_verifier_make("rot13", SLICE("x"), &arena, &verifier), ERR_NOTFOUND);
    assert_err(auth_verifier_make("plain", SLICE("x"), &arena, &verifier), ERR_NOTFOUND);
    assert_err(auth_verifier_make("ssha512", SLICE(""), &arena, &verifier), ERR_SYNTAX);
    assert_err(auth_verifier_make("ssha512", SLICE("a\0b"), &arena, &verifier), ERR_SYNTAX);
    assert_err(auth_verifier_make("ssha512", slice(big, sizeof big), &arena, &verifier),
               ERR_TOOBIG);
    assert_ok(auth_verifier_make("yescrypt", slice(big, sizeof big - 1), &arena, &verifier));
    assert_true(auth_verifier_check(verifier, slice(big, sizeof big - 1)));
    arena_reset(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(verifiers_of_other_servers_are_checked),
        cmocka_unit_test(unreadable_verifiers_match_nothing),
        cmocka_unit_test(a_nul_in_a_password_is_an_octet_like_any),
        cmocka_unit_test(what_is_made_is_checked),
        cmocka_unit_test(scram_keys_are_of_the_prepared_password),
        cmocka_unit_test(bad_wishes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
