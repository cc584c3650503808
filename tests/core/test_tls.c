/* core/net/tls.h under a conn: handshakes, STARTTLS, ends. The client is GnuTLS too. */
#include "core/net/tls.h"

#include <errno.h>
#include <gnutls/gnutls.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/mem.h"
#include "core/net/outq.h"
#include "tests/core/rig.h"
#include "tests/lib/unit.h"

#define MODERN "NORMAL:-VERS-ALL:+VERS-TLS1.3"
#define OLDER "NORMAL:-VERS-ALL:+VERS-TLS1.2"

static gnutls_certificate_credentials_t anyone;

struct client {
    int fd;
    gnutls_session_t session;
    bool byte_by_byte;
    bool gathers; /* what is to be sent waits for send_gathered */
    char out[65536];
    size_t out_len;
    char in[65536];
    size_t len;
};

static ssize_t push_one(gnutls_transport_ptr_t at, const void *data, size_t n)
{
    struct client *c = at;
    if (c->gathers) {
        assert_true(c->out_len + n <= sizeof c->out);
        memcpy(c->out + c->out_len, data, n);
        c->out_len += n;
        return (ssize_t)n;
    }
    rig_turn();
    return send(c->fd, data, n && c->byte_by_byte ? 1 : n, MSG_NOSIGNAL);
}

static ssize_t pull(gnutls_transport_ptr_t at, void *data, size_t n)
{
    struct client *c = at;
    return recv(c->fd, data, c->byte_by_byte && n ? 1 : n, 0);
}

static struct client *client_new(int fd, const char *priority, const char *alpn)
{
    struct client *c = mem_new(sizeof *c);
    c->fd = fd;
    assert_int_equal(gnutls_init(&c->session, GNUTLS_CLIENT | GNUTLS_NONBLOCK | GNUTLS_NO_SIGNAL),
                     0);
    assert_int_equal(gnutls_priority_set_direct(c->session, priority, NULL), 0);
    gnutls_credentials_set(c->session, GNUTLS_CRD_CERTIFICATE, anyone);
    gnutls_server_name_set(c->session, GNUTLS_NAME_DNS, "mail.example", 12);
    gnutls_transport_set_ptr(c->session, c);
    gnutls_transport_set_push_function(c->session, push_one);
    gnutls_transport_set_pull_function(c->session, pull);
    if (alpn) {
        gnutls_datum_t name = {(unsigned char *)(uintptr_t)alpn, (unsigned)strlen(alpn)};
        gnutls_alpn_set_protocols(c->session, &name, 1, 0);
    }
    return c;
}

static void client_free(struct client *c)
{
    gnutls_deinit(c->session);
    close(c->fd);
    mem_free(c);
}

/* The first fatal code, 0 when it is done. */
static int shake(struct client *c)
{
    uint64_t end = clock_mono_ms() + 10000;
    int rc;
    do {
        rig_turn();
        rc = gnutls_handshake(c->session);
    } while (rc < 0 && !gnutls_error_is_fatal(rc) && clock_mono_ms() < end);
    return rc;
}

static void say(struct client *c, struct slice s)
{
    uint64_t end = clock_mono_ms() + 10000;
    while (s.len && clock_mono_ms() < end) {
        ssize_t n = gnutls_record_send(c->session, s.ptr, s.len);
        rig_turn();
        if (n > 0)
            s = slice_from(s, (size_t)n);
        else if (n != GNUTLS_E_AGAIN && n != GNUTLS_E_INTERRUPTED)
            fail_msg("send: %s", gnutls_strerror((int)n));
    }
    assert_int_equal(s.len, 0);
}

/* Receives n octets; the last code that was not data: 0 at close_notify, else an error. */
static ssize_t hear(struct client *c, size_t n)
{
    uint64_t end = clock_mono_ms() + 10000;
    ssize_t rc = 1;
    c->len = 0;
    while (c->len < n && clock_mono_ms() < end) {
        size_t cap = sizeof c->in - c->len;
        rc = gnutls_record_recv(c->session, c->in + c->len, n - c->len < cap ? n - c->len : cap);
        if (rc > 0)
            c->len += (size_t)rc;
        else if (rc != GNUTLS_E_AGAIN && rc != GNUTLS_E_INTERRUPTED)
            break;
        else
            rig_turn();
    }
    return rc;
}

/* In pieces of at most `most` octets. */
static void send_gathered(struct client *c, size_t most)
{
    for (size_t at = 0; at < c->out_len;) {
        size_t n = c->out_len - at < most ? c->out_len - at : most;
        assert_int_equal(send(c->fd, c->out + at, n, MSG_NOSIGNAL), n);
        at += n;
        rig_turn();
    }
    c->out_len = 0;
}

static void expect(struct client *c, const char *text)
{
    hear(c, strlen(text));
    unit_assert_slice(slice(c->in, c->len), slice_str(text), "what came", __FILE__, __LINE__);
}

static struct client *secure_client(const char *priority)
{
    struct client *c = client_new(rig_connect(rig.port + 1), priority, "imap");
    assert_int_equal(shake(c), 0);
    expect(c, "HI\r\n");
    return c;
}

static int start(void **state)
{
    (void)state;
    rig_start(NULL, true);
    return 0;
}

static int stop(void **state)
{
    (void)state;
    rig_stop();
    return 0;
}

static void ends(struct client *c, enum conn_end why)
{
    client_free(c);
    assert_true(rig_until(rig_has_none));
    assert_int_equal(rig.why, why);
}

/* --- sessions --------------------------------------------------------------------------------- */

static void both_versions_serve(void **state)
{
    (void)state;
    struct client *c = secure_client(MODERN);
    assert_true(conn_is_secure(rig.session->conn));
    assert_true(slice_starts(conn_tls_text(rig.session->conn), SLICE("TLS1.3:")));
    say(c, SLICE("one\r\ntwo\r\n"));
    expect(c, "one\r\ntwo\r\n");
    say(c, SLICE("QUIT\r\n"));
    expect(c, "BYE\r\n");
    assert_int_equal(hear(c, 1), 0); /* close_notify */
    ends(c, CONN_END_LOGOUT);
    c = secure_client(OLDER);
    assert_true(slice_starts(conn_tls_text(rig.session->conn), SLICE("TLS1.2:")));
    say(c, SLICE("QUIT\r\n"));
    expect(c, "BYE\r\n");
    assert_int_equal(hear(c, 1), 0);
    ends(c, CONN_END_LOGOUT);
}

static void octet_by_octet_serves(void **state)
{
    (void)state;
    struct client *c = client_new(rig_connect(rig.port + 1), MODERN, NULL);
    c->byte_by_byte = true;
    assert_int_equal(shake(c), 0);
    expect(c, "HI\r\n");
    say(c, SLICE("one\r\n"));
    expect(c, "one\r\n");
    ends(c, CONN_END_TLS); /* no close_notify */
}

static void much_goes_both_ways(void **state)
{
    (void)state;
    struct client *c = secure_client(MODERN);
    say(c, SLICE("BIG 3000000\r\n"));
    rig_for_ms(20);
    assert_true(rig.session->out_max < 256 * 1024 + 40000);
    for (size_t at = 0; at < 3000000; at += c->len) {
        hear(c, 3000000 - at < 50000 ? 3000000 - at : 50000);
        assert_true(c->len > 0);
        for (size_t i = 0; i < c->len; i++)
            if (c->in[i] != (char)('!' + (at + i) % 89))
                fail_msg("octet %zu is wrong", at + i);
    }
    char lines[3000];
    for (unsigned i = 0; i < sizeof lines; i += 3)
        memcpy(lines + i, "x\r\n", 3);
    for (unsigned i = 0; i < 50; i++)
        say(c, slice(lines, sizeof lines));
    for (unsigned i = 0; i < 50; i++) {
        hear(c, sizeof lines);
        assert_memory_equal(c->in, lines, sizeof lines);
    }
    ends(c, CONN_END_TLS);
}

static void octets_inside_gnutls_are_not_forgotten(void **state)
{
    (void)state;
    struct client *c = secure_client(MODERN);
    say(c, SLICE("MAX 10\r\n")); /* a record holds far more than is read at once */
    char lines[3000];
    for (unsigned i = 0; i < sizeof lines; i += 3)
        memcpy(lines + i, "y\r\n", 3);
    say(c, slice(lines, sizeof lines));
    hear(c, sizeof lines);
    assert_int_equal(c->len, sizeof lines);
    ends(c, CONN_END_TLS);
}

/* However records are spread over segments, and with changes of keys between them, which GnuTLS
 * answers with "again" although more has come. */
static void records_come_in_any_pieces(void **state)
{
    (void)state;
    enum { LINES = 400, NEW_KEYS = 6 };
    static const size_t pieces[] = {65536, 17000, 1000, 27, 26, 5};
    for (unsigned i = 0; i < 2 * sizeof pieces / sizeof *pieces; i++) {
        struct client *c = secure_client(MODERN);
        if (i % 2)
            say(c, SLICE("MAX 10\r\n"));
        c->gathers = true;
        for (unsigned line = 0; line < LINES; line++) {
            if (line % (LINES / NEW_KEYS) == 1)
                assert_int_equal(gnutls_session_key_update(c->session, GNUTLS_KU_PEER), 0);
            assert_int_equal(gnutls_record_send(c->session, "x\r\n", 3), 3);
        }
        c->gathers = false;
        send_gathered(c, pieces[i / 2]);
        hear(c, 3 * LINES);
        assert_int_equal(c->len, 3 * LINES);
        ends(c, CONN_END_TLS);
    }
}

/* GnuTLS answers each of them with "again" and gives nothing. */
static void records_without_content_leave_others_their_turns(void **state)
{
    (void)state;
    enum { RECORDS = 2500 };
    int other = rig_connect(rig.port);
    char answer[64];
    size_t n = 0;
    struct client *c = secure_client(MODERN);
    unsigned inputs = rig.session->inputs;
    c->gathers = true;
    for (unsigned i = 0; i < RECORDS; i++)
        assert_int_equal(gnutls_record_send2(c->session, "", 0, 1, 0), 0);
    assert_int_equal(gnutls_record_send(c->session, "one\r\n", 5), 5);
    c->gathers = false;
    assert_int_equal(send(other, "two\r\n", 5, MSG_NOSIGNAL), 5);
    send_gathered(c, sizeof c->out);
    for (uint64_t end = clock_mono_ms() + 10000; n < 9 && clock_mono_ms() < end; rig_turn()) {
        ssize_t came = recv(other, answer + n, sizeof answer - n, 0);
        n += came > 0 ? (size_t)came : 0;
    }
    assert_slice_eq(slice(answer, n), SLICE("HI\r\ntwo\r\n"));
    assert_int_equal(rig.session->inputs, inputs);
    expect(c, "one\r\n");
    close(other);
    client_free(c);
    assert_true(rig_until(rig_has_none));
}

/* As many of them as come are not read in one turn. */
static void records_of_one_octet_leave_others_their_turns(void **state)
{
    (void)state;
    enum { LINES = 500, AT_ONCE = 64 };
    struct client *c = secure_client(MODERN);
    unsigned inputs = rig.session->inputs;
    c->gathers = true;
    for (unsigned i = 0; i < 3 * LINES; i++)
        assert_int_equal(gnutls_record_send(c->session, &"y\r\n"[i % 3], 1), 1);
    c->gathers = false;
    send_gathered(c, sizeof c->out);
    hear(c, 3 * LINES);
    assert_int_equal(c->len, 3 * LINES);
    assert_true(rig.session->inputs - inputs >= 3 * LINES / AT_ONCE);
    ends(c, CONN_END_TLS);
}

static void a_command_behind_the_handshake_in_one_segment_is_run(void **state)
{
    (void)state;
    struct client *c = client_new(rig_connect(rig.port + 1), MODERN, NULL);
    int rc;
    c->gathers = true;
    while ((rc = gnutls_handshake(c->session)) == GNUTLS_E_AGAIN) {
        send_gathered(c, sizeof c->out);
        rig_turn();
    }
    assert_int_equal(rc, 0);
    assert_true(c->out_len > 0); /* Finished */
    assert_int_equal(gnutls_record_send(c->session, "one\r\n", 5), 5);
    c->gathers = false;
    send_gathered(c, sizeof c->out);
    expect(c, "HI\r\none\r\n");
    ends(c, CONN_END_TLS);
}

/* Octets that the socket takes count, not whole batches of records. */
static void a_slow_reader_that_takes_something_is_not_dropped(void **state)
{
    (void)state;
    static char away[400000];
    rig.config->limits.write_stall_ms = 800; /* not to be missed by a machine that is busy */
    struct client *c = secure_client(MODERN);
    say(c, SLICE("LOGIN\r\n"));
    say(c, SLICE("BIG 20000000\r\n"));
    for (unsigned i = 0; i < 12; i++) {
        rig_for_ms(100);
        assert_true(recv(c->fd, away, sizeof away, 0) > 0);
    }
    assert_non_null(rig.session);
    client_free(c);
    assert_true(rig_until(rig_has_none));
}

static void tickets_resume_a_session(void **state)
{
    (void)state;
    const char *priorities[] = {MODERN, OLDER};
    for (unsigned i = 0; i < 2; i++) {
        gnutls_datum_t data;
        struct client *c = secure_client(priorities[i]);
        assert_int_equal(gnutls_session_get_data2(c->session, &data), 0);
        ends(c, CONN_END_TLS);
        c = client_new(rig_connect(rig.port + 1), priorities[i], "imap");
        gnutls_session_set_data(c->session, data.data, data.size);
        gnutls_free(data.data);
        assert_int_equal(shake(c), 0);
        assert_true(gnutls_session_is_resumed(c->session));
        expect(c, "HI\r\n");
        ends(c, CONN_END_TLS);
    }
}

static void both_ends_have_the_same_binding(void **state)
{
    (void)state;
    static const struct {
        const char *priority;
        enum tls_binding_type type;
        gnutls_channel_binding_t as;
    } cases[] = {
        {MODERN,                          TLS_EXPORTER, GNUTLS_CB_TLS_EXPORTER},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", TLS_EXPORTER, GNUTLS_CB_TLS_EXPORTER},
        {"NORMAL:-VERS-ALL:+VERS-TLS1.2", TLS_UNIQUE,   GNUTLS_CB_TLS_UNIQUE  },
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct client *c = secure_client(cases[i].priority);
        struct tls_binding ours;
        gnutls_datum_t theirs;
        assert_ok(conn_tls_binding(rig.session->conn, cases[i].type, &ours));
        assert_int_equal(gnutls_session_channel_binding(c->session, cases[i].as, &theirs), 0);
        assert_int_equal(ours.len, theirs.size);
        assert_memory_equal(ours.octets, theirs.data, theirs.size);
        gnutls_free(theirs.data);
        ends(c, CONN_END_TLS);
    }
}

/* tls-unique names no session of TLS 1.3, and nothing does of TLS 1.2 without the extended master
 * secret (RFC 9266 section 4.2). */
static void what_names_no_session_is_no_binding(void **state)
{
    (void)state;
    struct tls_binding ours;
    struct client *c = secure_client(MODERN);
    assert_err(conn_tls_binding(rig.session->conn, TLS_UNIQUE, &ours), ERR_DOWN);
    ends(c, CONN_END_TLS);
    c = secure_client("NORMAL:-VERS-ALL:+VERS-TLS1.2:%NO_SESSION_HASH");
    assert_err(conn_tls_binding(rig.session->conn, TLS_EXPORTER, &ours), ERR_DOWN);
    assert_err(conn_tls_binding(rig.session->conn, TLS_UNIQUE, &ours), ERR_DOWN);
    ends(c, CONN_END_TLS);
}

/* --- what is refused -------------------------------------------------------------------------- */

static void refused(const char *priority, const char *alpn)
{
    struct client *c = client_new(rig_connect(rig.port + 1), priority, alpn);
    assert_int_not_equal(shake(c), 0);
    client_free(c);
    rig_for_ms(5);
    assert_int_equal(rig.opened, 0);
}

static void old_versions_and_ciphers_are_refused(void **state)
{
    (void)state;
    refused("NORMAL:-VERS-ALL:+VERS-TLS1.1:+VERS-TLS1.0", NULL);
    refused("NORMAL:-VERS-ALL:+VERS-TLS1.2:-CIPHER-ALL:+AES-128-CBC:+AES-256-CBC", NULL);
    refused("NORMAL:-VERS-ALL:+VERS-TLS1.2:-KX-ALL:+RSA", NULL);
}

static void a_foreign_alpn_ends_the_handshake_and_none_does_not(void **state)
{
    (void)state;
    refused(MODERN, "http/1.1");
    refused(OLDER, "h2");
    struct client *c = client_new(rig_connect(rig.port + 1), MODERN, NULL);
    assert_int_equal(shake(c), 0);
    expect(c, "HI\r\n");
    ends(c, CONN_END_TLS);
    c = secure_client(OLDER);
    gnutls_datum_t name;
    assert_int_equal(gnutls_alpn_get_selected_protocol(c->session, &name), 0);
    assert_slice(slice(name.data, name.size), "imap");
    ends(c, CONN_END_TLS);
}

static void garbage_ends_the_handshake(void **state)
{
    (void)state;
    int fd = rig_connect(rig.port + 1);
    rig_send(fd, SLICE("GET / HTTP/1.1\r\nHost: mail.example\r\n\r\n"));
    rig_for_ms(20);
    close(fd);
    rig_for_ms(20);
    assert_int_equal(rig.opened, 0);
}

static void negotiating_anew_ends_the_session(void **state)
{
    (void)state;
    struct client *c = secure_client(OLDER);
    assert_int_not_equal(shake(c), 0);
    ends(c, CONN_END_TLS);
}

static void handshakes_under_way_have_a_limit(void **state)
{
    (void)state;
    rig.config->limits.handshakes = 2;
    int a = rig_connect(rig.port + 1), b = rig_connect(rig.port + 1);
    rig_for_ms(5);
    int c = rig_connect(rig.port + 1);
    assert_true(rig_at_end(c));
    close(a);
    rig_for_ms(5);
    struct client *d = secure_client(MODERN);
    close(b);
    close(c);
    ends(d, CONN_END_TLS);
}

/* --- STARTTLS --------------------------------------------------------------------------------- */

static struct client *starttls(struct slice command)
{
    int fd = rig_connect(rig.port);
    rig_expect(fd, "HI\r\n");
    rig_send(fd, command);
    rig_expect(fd, "GO\r\n");
    return client_new(fd, MODERN, "imap");
}

static void starttls_secures_a_session(void **state)
{
    (void)state;
    struct client *c = starttls(SLICE("STARTTLS\r\n"));
    assert_false(conn_is_secure(rig.session->conn));
    assert_int_equal(shake(c), 0);
    rig_for_ms(5);
    assert_int_equal(rig.session->secureds, 1);
    assert_true(conn_is_secure(rig.session->conn));
    assert_false(conn_can_starttls(rig.session->conn));
    say(c, SLICE("safe\r\n"));
    expect(c, "safe\r\n");
    assert_int_equal(rig.opened, 1);
    ends(c, CONN_END_TLS);
}

/* HARDENING class 1: what came in plaintext behind the command is not run inside TLS. */
static void plaintext_behind_starttls_is_dropped(void **state)
{
    (void)state;
    struct client *c = starttls(SLICE("STARTTLS\r\nINJECTED\r\nQUIT\r\npart"));
    assert_int_equal(shake(c), 0);
    say(c, SLICE("safe\r\n"));
    expect(c, "safe\r\n");
    assert_string_equal(rig.session->line, "safe");
    ends(c, CONN_END_TLS);
}

static void plaintext_after_starttls_ends_the_connection(void **state)
{
    (void)state;
    int fd = rig_connect(rig.port);
    rig_expect(fd, "HI\r\n");
    rig_send(fd, SLICE("STARTTLS\r\n"));
    rig_expect(fd, "GO\r\n");
    rig_send(fd, SLICE("INJECTED\r\n"));
    assert_true(rig_until(rig_has_none));
    assert_int_equal(rig.why, CONN_END_TLS);
    assert_int_equal(rig.last.secureds, 0);
    close(fd);
}

static void starttls_waits_for_its_answer_to_leave(void **state)
{
    (void)state;
    int fd = rig_connect(rig.port);
    rig_expect(fd, "HI\r\n");
    rig_send(fd, SLICE("BIG 8000000\r\nSTARTTLS\r\nINJECTED\r\n"));
    rig_for_ms(10);
    rig_receive(fd, 8000000);
    rig_expect(fd, "GO\r\n");
    struct client *c = client_new(fd, MODERN, NULL);
    assert_int_equal(shake(c), 0);
    say(c, SLICE("safe\r\n"));
    expect(c, "safe\r\n");
    ends(c, CONN_END_TLS);
}

static void a_connection_may_end_in_secured(void **state)
{
    (void)state;
    rig.close_in = "secured";
    struct client *c = starttls(SLICE("STARTTLS\r\n"));
    (void)shake(c);
    ends(c, CONN_END_CLIENT);
}

/* --- ends ------------------------------------------------------------------------------------- */

static void close_notify_is_an_end(void **state)
{
    (void)state;
    struct client *c = secure_client(MODERN);
    say(c, SLICE("whole\r\npart"));
    expect(c, "whole\r\n");
    gnutls_bye(c->session, GNUTLS_SHUT_WR);
    expect(c, "EOF 4\r\n");
    assert_int_equal(hear(c, 1), 0);
    ends(c, CONN_END_CLIENT);
}

/* HARDENING 18: an end of TCP without close_notify runs no unfinished command. */
static void a_stream_that_breaks_off_runs_only_what_is_whole(void **state)
{
    (void)state;
    struct client *c = secure_client(MODERN);
    say(c, SLICE("whole\r\nQUI"));
    ends(c, CONN_END_TLS);
    assert_string_equal(rig.last.line, "whole");
    c = secure_client(MODERN);
    gnutls_record_send(c->session, "QUIT\r\n", 6);
    ends(c, CONN_END_LOGOUT);
}

/* --- credentials ------------------------------------------------------------------------------ */

static enum err load(const char *text, struct fault *why)
{
    struct config_errors errs;
    struct config *config;
    struct tls_creds *creds = NULL;
    config_errors_init(&errs);
    assert_ok(config_parse(slice_str(text), "test.ini", &config, &errs));
    config_errors_finish(&errs);
    enum err e = tls_creds_load(config, "", &creds, why);
    if (!e)
        assert_true(tls_creds_expiry(creds) > 80000);
    tls_creds_unref(creds);
    config_unref(config);
    return e;
}

static void credentials_are_checked_when_they_are_loaded(void **state)
{
    (void)state;
    struct fault why;
    char dir[] = "/tmp/tandem-tls-XXXXXX", text[1024];
    assert_non_null(mkdtemp(dir));
    rig_make_certificate(dir);
    assert_err(load("", &why), ERR_NOTFOUND);
    snprintf(text, sizeof text, "[tls]\ncertificate = %s/cert.pem\nkey = %s/key.pem\n", dir, dir);
    assert_ok(load(text, &why));
    snprintf(text, sizeof text, "[tls]\ncertificate = %s/cert.pem\nkey = %s/cert.pem\n", dir, dir);
    assert_err(load(text, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "cert.pem"));
    snprintf(text, sizeof text,
             "[tls]\ncertificate = %s/cert.pem\nkey = %s/key.pem\n"
             "client_ca = %s/cert.pem\nmin = 1.3\n",
             dir, dir, dir);
    assert_ok(load(text, &why));
    snprintf(text, sizeof text,
             "[tls]\ncertificate = %s/cert.pem\nkey = %s/key.pem\n"
             "priority = NORMAL:+NONSENSE\n",
             dir, dir);
    assert_err(load(text, &why), ERR_SYNTAX);
    assert_non_null(strstr(why.text, "priority"));
    char path[128];
    snprintf(path, sizeof path, "%s/cert.pem", dir);
    unlink(path);
    snprintf(path, sizeof path, "%s/key.pem", dir);
    unlink(path);
    rmdir(dir);
}

#define CASE(name) cmocka_unit_test_setup_teardown(name, start, stop)

int main(void)
{
    gnutls_certificate_allocate_credentials(&anyone);
    const struct CMUnitTest tests[] = {
        CASE(both_versions_serve),
        CASE(octet_by_octet_serves),
        CASE(much_goes_both_ways),
        CASE(octets_inside_gnutls_are_not_forgotten),
        CASE(records_come_in_any_pieces),
        CASE(records_without_content_leave_others_their_turns),
        CASE(records_of_one_octet_leave_others_their_turns),
        CASE(a_command_behind_the_handshake_in_one_segment_is_run),
        CASE(a_slow_reader_that_takes_something_is_not_dropped),
        CASE(tickets_resume_a_session),
        CASE(both_ends_have_the_same_binding),
        CASE(what_names_no_session_is_no_binding),
        CASE(old_versions_and_ciphers_are_refused),
        CASE(a_foreign_alpn_ends_the_handshake_and_none_does_not),
        CASE(garbage_ends_the_handshake),
        CASE(negotiating_anew_ends_the_session),
        CASE(handshakes_under_way_have_a_limit),
        CASE(starttls_secures_a_session),
        CASE(plaintext_behind_starttls_is_dropped),
        CASE(plaintext_after_starttls_ends_the_connection),
        CASE(starttls_waits_for_its_answer_to_leave),
        CASE(a_connection_may_end_in_secured),
        CASE(close_notify_is_an_end),
        CASE(a_stream_that_breaks_off_runs_only_what_is_whole),
        cmocka_unit_test(credentials_are_checked_when_they_are_loaded),
    };
    int rc = cmocka_run_group_tests(tests, NULL, NULL);
    gnutls_certificate_free_credentials(anyone);
    return rc;
}
