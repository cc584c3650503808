#include "tests/core/rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ev.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/fault.h"
#include "core/base/mem.h"
#include "core/base/random.h"
#include "core/net/outq.h"
#include "tests/lib/unit.h"

enum { WAIT_MS = TANDEM_SANITIZED ? 60000 : 10000, PIECE = 40000 };

struct rig rig;
static struct buf got = {.max = SIZE_MAX};

/* --- the protocol ----------------------------------------------------------------------------- */

static bool leave_now(struct rig_session *s, const char *callback)
{
    if (rig.close_in && slice_eq(slice_str(rig.close_in), slice_str(callback)))
        conn_close(s->conn, CONN_END_CLIENT);
    else if (rig.finish_in && slice_eq(slice_str(rig.finish_in), slice_str(callback)))
        conn_finish(s->conn, CONN_END_LOGOUT);
    else
        return false;
    return true;
}

static char pattern(size_t at)
{
    return (char)('!' + at % 89);
}

/* STEP_FULL as a front end does it: stop at the mark, go on when drained. */
static void produce(struct rig_session *s)
{
    static char piece[PIECE];
    while (s->produce && !conn_full(s->conn)) {
        size_t n = s->produce < PIECE ? s->produce : PIECE;
        for (size_t i = 0; i < n; i++)
            piece[i] = pattern(s->made + i);
        if (s->borrow)
            outq_borrow(conn_out(s->conn), slice(piece, n));
        else
            conn_send(s->conn, slice(piece, n));
        s->made += n;
        s->produce -= n;
        if (conn_out(s->conn)->len > s->out_max)
            s->out_max = conn_out(s->conn)->len;
        if (s->borrow)
            break; /* the piece is used again at the next call */
    }
    if (s->borrow && s->produce)
        conn_again(s->conn);
}

static void run_line(struct rig_session *s, struct slice line)
{
    snprintf(s->line, sizeof s->line, SLICE_FMT, SLICE_ARG(line));
    uint64_t n = 0;
    if (slice_starts(line, SLICE("BIG ")) && slice_u64(slice_from(line, 4), SIZE_MAX, &n)) {
        s->produce = n;
    } else if (slice_starts(line, SLICE("BORROW ")) &&
               slice_u64(slice_from(line, 7), SIZE_MAX, &n)) {
        s->produce = n;
        s->borrow = true;
    } else if (slice_eq(line, SLICE("WAIT"))) {
        s->waiting = true;
        conn_want_input(s->conn, false);
    } else if (slice_eq(line, SLICE("LOGIN"))) {
        conn_logged_in(s->conn);
        conn_send(s->conn, SLICE("OK\r\n"));
    } else if (slice_eq(line, SLICE("UPLOAD"))) {
        s->swallowing = true;
        conn_upload_begin(s->conn);
    } else if (slice_eq(line, SLICE("STARTTLS"))) {
        conn_send(s->conn, SLICE("GO\r\n"));
        conn_starttls(s->conn);
    } else if (slice_starts(line, SLICE("MAX ")) && slice_u64(slice_from(line, 4), SIZE_MAX, &n)) {
        conn_set_input_max(s->conn, n);
    } else if (slice_starts(line, SLICE("IDLE ")) && slice_u64(slice_from(line, 5), SIZE_MAX, &n)) {
        conn_set_deadline(s->conn, n);
    } else if (slice_eq(line, SLICE("FLUSH"))) {
        s->flushing = true;
        conn_want_flushed(s->conn);
    } else if (slice_eq(line, SLICE("AGAIN"))) {
        conn_again(s->conn);
    } else if (slice_eq(line, SLICE("QUIT"))) {
        conn_send(s->conn, SLICE("BYE\r\n"));
        conn_finish(s->conn, CONN_END_LOGOUT);
    } else if (slice_eq(line, SLICE("LIMIT"))) {
        conn_send(s->conn, SLICE("BYE\r\n"));
        conn_finish(s->conn, CONN_END_LIMIT);
    } else if (slice_eq(line, SLICE("DIE"))) {
        conn_close(s->conn, CONN_END_FAULT);
    } else {
        conn_send(s->conn, line);
        conn_send(s->conn, SLICE("\r\n"));
    }
}

static bool busy(const struct rig_session *s)
{
    return s->produce || s->waiting || conn_closing(s->conn);
}

static void on_open(struct conn *conn)
{
    struct rig_session *s = mem_new(sizeof *s);
    s->conn = conn;
    conn_set_session(conn, s);
    rig.session = s;
    rig.opened++;
    if (!leave_now(s, "open"))
        conn_send(conn, SLICE("HI\r\n"));
}

static void run_lines(struct rig_session *s)
{
    while (!busy(s)) {
        struct slice in = conn_input(s->conn);
        size_t lf = slice_find(in, '\n');
        if (s->swallowing) {
            s->swallowed += in.len;
            conn_consume(s->conn, in.len);
            break;
        }
        if (lf == in.len)
            break;
        conn_consume(s->conn, lf + 1);
        run_line(s, slice_first(in, lf && in.ptr[lf - 1] == '\r' ? lf - 1 : lf));
        produce(s);
    }
    if (conn_eof(s->conn) && !busy(s)) {
        conn_printf(s->conn, "EOF %zu\r\n", conn_input(s->conn).len);
        conn_finish(s->conn, CONN_END_CLIENT);
    }
}

static void on_input(struct conn *conn)
{
    struct rig_session *s = conn_session(conn);
    s->inputs++;
    if (leave_now(s, "input"))
        return;
    produce(s);
    run_lines(s);
}

static void on_drained(struct conn *conn)
{
    struct rig_session *s = conn_session(conn);
    s->drains++;
    if (leave_now(s, "drained"))
        return;
    if (s->flushing && conn_out(conn)->len == 0) {
        s->flushing = false;
        conn_send(conn, SLICE("FLUSHED\r\n"));
    }
    produce(s);
    run_lines(s);
}

static void on_secured(struct conn *conn)
{
    struct rig_session *s = conn_session(conn);
    s->secureds++;
    s->line[0] = '\0';
    (void)leave_now(s, "secured");
}

static void on_deadline(struct conn *conn)
{
    struct rig_session *s = conn_session(conn);
    s->deadlines++;
    if (leave_now(s, "deadline"))
        return;
    conn_send(conn, SLICE("LATE\r\n"));
    conn_finish(conn, CONN_END_IDLE);
}

static void on_leave(struct conn *conn, enum conn_end why)
{
    struct rig_session *s = conn_session(conn);
    s->leaves++;
    if (leave_now(s, "leave"))
        return;
    conn_send(conn, SLICE("LEAVE\r\n"));
    conn_finish(conn, why);
}

static void on_closed(struct conn *conn, enum conn_end why)
{
    struct rig_session *s = conn_session(conn);
    rig.closed++;
    rig.why = why;
    rig.last = *s;
    if (rig.session == s)
        rig.session = NULL;
    mem_free(s);
}

const struct protocol rig_protocol = {.name = "imap",
                                      .alpn = "imap",
                                      .refusal = "REFUSED\r\n",
                                      .open = on_open,
                                      .input = on_input,
                                      .drained = on_drained,
                                      .secured = on_secured,
                                      .deadline = on_deadline,
                                      .leave = on_leave,
                                      .closed = on_closed};

void rig_resume(void)
{
    struct rig_session *s = rig.session;
    s->waiting = false;
    conn_want_input(s->conn, true);
}

/* --- certificate ------------------------------------------------------------------------------ */

static void write_file(const char *dir, const char *name, gnutls_datum_t *data)
{
    char path[128];
    snprintf(path, sizeof path, "%s/%s", dir, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data->data, 1, data->size, f), data->size);
    fclose(f);
    gnutls_free(data->data);
}

void rig_make_certificate(const char *dir)
{
    gnutls_x509_privkey_t key;
    gnutls_x509_crt_t crt;
    gnutls_datum_t pem;
    assert_int_equal(gnutls_x509_privkey_init(&key), 0);
    assert_int_equal(gnutls_x509_privkey_generate(
                         key, GNUTLS_PK_ECDSA, GNUTLS_CURVE_TO_BITS(GNUTLS_ECC_CURVE_SECP256R1), 0),
                     0);
    assert_int_equal(gnutls_x509_crt_init(&crt), 0);
    gnutls_x509_crt_set_version(crt, 3);
    gnutls_x509_crt_set_serial(crt, "\1", 1);
    gnutls_x509_crt_set_activation_time(crt, time(NULL) - 60);
    gnutls_x509_crt_set_expiration_time(crt, time(NULL) + 86400);
    gnutls_x509_crt_set_dn(crt, "CN=mail.example", NULL);
    gnutls_x509_crt_set_subject_alt_name(crt, GNUTLS_SAN_DNSNAME, "mail.example", 12,
                                         GNUTLS_FSAN_SET);
    gnutls_x509_crt_set_key(crt, key);
    assert_int_equal(gnutls_x509_crt_sign2(crt, crt, key, GNUTLS_DIG_SHA256, 0), 0);
    assert_int_equal(gnutls_x509_crt_export2(crt, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(dir, "cert.pem", &pem);
    assert_int_equal(gnutls_x509_privkey_export2(key, GNUTLS_X509_FMT_PEM, &pem), 0);
    write_file(dir, "key.pem", &pem);
    gnutls_x509_crt_deinit(crt);
    gnutls_x509_privkey_deinit(key);
}

/* --- the server ------------------------------------------------------------------------------- */

/* Below the range from which clients get theirs, so that none sits on one that is bound later. */
static unsigned some_port(void)
{
    return 10000 + (unsigned)(random_u64() % 22000);
}

struct config *rig_config(const char *protocol, const char *extra, bool tls)
{
    char text[4096];
    int n = snprintf(text, sizeof text,
                     "[listen plain]\nprotocol = %s\naddress = 127.0.0.1:%u\ntls = %s\n"
                     "[listen secure]\nprotocol = %s\naddress = 127.0.0.1:%u\ntls = implicit\n"
                     "[listen proxied]\nprotocol = %s\naddress = 127.0.0.1:%u\n"
                     "proxy_from = 127.0.0.0/8\n"
                     "[listen local]\nprotocol = %s\naddress = unix:%s\n",
                     protocol, rig.port, tls ? "starttls" : "none", protocol, rig.port + 1,
                     protocol, rig.port + 2, protocol, rig.unix_path);
    if (tls)
        n += snprintf(text + n, sizeof text - (size_t)n,
                      "[tls]\ncertificate = %s/cert.pem\nkey = %s/key.pem\n", rig.dir, rig.dir);
    n += snprintf(text + n, sizeof text - (size_t)n, "%s", extra ? extra : "");
    struct config_errors errs;
    struct config *config = NULL;
    config_errors_init(&errs);
    if (config_parse(slice(text, (size_t)n), "rig.ini", &config, &errs)) {
        for (unsigned i = 0; i < errs.n; i++) {
            char line[512];
            config_error_format(&errs, i, line, sizeof line);
            print_error("%s\n", line);
        }
        fail();
    }
    config_errors_finish(&errs);
    return config;
}

static void start(const struct protocol *protocol, const char *name, const char *extra, bool tls)
{
    static const struct protocol *protocols[2];
    protocols[0] = protocol;
    rig = (struct rig){0};
    snprintf(rig.dir, sizeof rig.dir, "/tmp/tandem-rig-XXXXXX");
    assert_non_null(mkdtemp(rig.dir));
    snprintf(rig.unix_path, sizeof rig.unix_path, "%s/socket", rig.dir);
    if (tls)
        rig_make_certificate(rig.dir);
    assert_ok(loop_new(0, &rig.loop));
    for (unsigned attempt = 0;; attempt++) {
        struct fault why;
        rig.port = some_port();
        rig.config = rig_config(name, extra, tls);
        struct server_conf conf = {.config = rig.config, .protocols = protocols, .app = &rig};
        enum err e = server_new(&conf, &rig.server, &why);
        if (!e)
            break;
        config_unref(rig.config);
        if (attempt == 20)
            fail_msg("%s", why.text);
    }
    server_start(rig.server, &rig.loop, 1);
}

void rig_start(const char *extra, bool tls)
{
    start(&rig_protocol, rig_protocol.name, extra, tls);
}

void rig_start_protocol(const struct protocol *protocol, const char *name, const char *extra)
{
    start(protocol, name, extra, false);
}

void rig_stop(void)
{
    char path[128];
    server_free(rig.server);
    loop_free(rig.loop);
    config_unref(rig.config);
    assert_int_equal(rig.opened, rig.closed);
    buf_finish(&got);
    static const char *const files[] = {"cert.pem", "key.pem", "socket"};
    for (unsigned i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s", rig.dir, files[i]);
        unlink(path);
    }
    rmdir(rig.dir);
}

void rig_turn(void)
{
    ev_run(loop_ev(rig.loop), EVRUN_NOWAIT);
}

bool rig_until(bool (*holds)(void))
{
    uint64_t end = clock_mono_ms() + WAIT_MS;
    while (clock_mono_ms() < end) {
        if (holds())
            return true;
        rig_turn();
        usleep(200);
    }
    return holds();
}

void rig_for_ms(unsigned ms)
{
    uint64_t end = clock_mono_ms() + ms;
    do {
        rig_turn();
        usleep(200);
    } while (clock_mono_ms() < end);
}

bool rig_has_session(void)
{
    return rig.session;
}

bool rig_has_none(void)
{
    return !rig.session;
}

/* --- client ----------------------------------------------------------------------------------- */

int rig_connect(unsigned port)
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
    struct sockaddr_in in = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr = {htonl(INADDR_LOOPBACK)}};
    assert_int_equal(connect(fd, (struct sockaddr *)&in, sizeof in), 0);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
    return fd;
}

void rig_send(int fd, struct slice s)
{
    uint64_t end = clock_mono_ms() + WAIT_MS;
    while (s.len && clock_mono_ms() < end) {
        ssize_t n = send(fd, s.ptr, s.len, MSG_NOSIGNAL);
        if (n > 0)
            s = slice_from(s, (size_t)n);
        else if (errno != EAGAIN)
            fail_msg("send: %s", strerror(errno));
        rig_turn();
    }
    assert_int_equal(s.len, 0);
}

static ssize_t receive_some(int fd, size_t n)
{
    char bytes[16384];
    ssize_t r = recv(fd, bytes, n < sizeof bytes ? n : sizeof bytes, 0);
    if (r > 0)
        assert_ok(buf_append(&got, slice(bytes, (size_t)r)));
    else if (r < 0 && errno != EAGAIN)
        return -2;
    return r;
}

size_t rig_receive(int fd, size_t n)
{
    uint64_t end = clock_mono_ms() + WAIT_MS;
    got.len = 0;
    while (got.len < n && clock_mono_ms() < end) {
        ssize_t r = receive_some(fd, n - got.len);
        if (r == 0 || r == -2)
            break;
        if (r < 0) {
            rig_turn();
            usleep(100);
        }
    }
    return got.len;
}

bool rig_at_end(int fd)
{
    uint64_t end = clock_mono_ms() + WAIT_MS;
    got.len = 0;
    while (clock_mono_ms() < end) {
        ssize_t r = receive_some(fd, 1);
        if (r != -1)
            return r == 0;
        rig_turn();
        usleep(100);
    }
    return false;
}

void rig_expect(int fd, const char *text)
{
    rig_receive(fd, strlen(text));
    unit_assert_slice(buf_slice(&got), slice_str(text), "what came", __FILE__, __LINE__);
}

struct slice rig_got(void)
{
    return buf_slice(&got);
}
