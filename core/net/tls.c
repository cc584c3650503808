#include "core/net/tls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <gnutls/gnutls.h>
#include <gnutls/x509.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#include "core/base/budget.h"
#include "core/base/clock.h"
#include "core/base/config.h"
#include "core/base/fault.h"
#include "core/base/mem.h"
#include "core/net/tls_socket.h"

enum {
    HANDSHAKE_MESSAGE_MAX = 32768, /* client hello with many key shares, a client's chain */
    SESSION_OCTETS = 11 * 1024,    /* what GnuTLS takes for one, measured */
    WARNINGS_MAX = 8,              /* alerts that do not end a session, in a row */
    EMPTY_MAX = 64,                /* records without content, in a row, before others' turns */
};

struct tls_creds {
    atomic_uint refs;
    gnutls_certificate_credentials_t certificates;
    gnutls_priority_t priority;
    bool tickets, client_certificates;
    time_t expiry;
};

struct tls {
    gnutls_session_t session;
    struct tls_socket socket;
    struct tls_creds *creds;
    char *sni;
    size_t in_flight; /* octets that are sealed, and not sent whole */
    uint8_t warnings;
    char text[32];
};

/* One key for all listeners and the whole run, so that a ticket is good at any port and after a
 * reload. GnuTLS derives what it really uses from it and changes that every few hours. */
static gnutls_datum_t ticket_key;
static pthread_once_t ticket_key_once = PTHREAD_ONCE_INIT;

static void make_ticket_key(void)
{
    if (gnutls_session_ticket_key_generate(&ticket_key))
        ticket_key = (gnutls_datum_t){NULL, 0};
}

/* --- credentials ------------------------------------------------------------------------------ */

static enum err note_expiry(struct tls_creds *creds, unsigned index, const char *file,
                            struct fault *why)
{
    gnutls_x509_crt_t *chain;
    unsigned n;
    int rc = gnutls_certificate_get_x509_crt(creds->certificates, index, &chain, &n);
    if (rc < 0)
        return fault(why, ERR_SYNTAX, "%s: %s", file, gnutls_strerror(rc));
    for (unsigned i = 0; i < n; i++) {
        time_t expiry = gnutls_x509_crt_get_expiration_time(chain[i]);
        if (expiry != (time_t)-1 && (!creds->expiry || expiry < creds->expiry))
            creds->expiry = expiry;
        gnutls_x509_crt_deinit(chain[i]);
    }
    gnutls_free(chain);
    return ERR_OK;
}

/* GnuTLS says no more than "Error while reading file", and not which. */
static enum err readable(const char *file, struct fault *why)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return fault(why, ERR_SYNTAX, "%s cannot be read: %s%s", file, strerror(errno),
                     errno == EACCES ? ": the group of [tandem] user must be able to (chmod 640)"
                                     : "");
    close(fd);
    return ERR_OK;
}

static enum err add_pair(struct tls_creds *creds, const struct config_tls_profile *profile,
                         struct fault *why)
{
    const char *key = profile->key ? profile->key : profile->certificate;
    enum err e = readable(profile->certificate, why);
    if (!e)
        e = readable(key, why);
    if (e)
        return e;
    int index = gnutls_certificate_set_x509_key_file2(creds->certificates, profile->certificate,
                                                      key, GNUTLS_X509_FMT_PEM, NULL, 0);
    if (index < 0)
        return fault(why, ERR_SYNTAX, "%s and %s: %s", profile->certificate, key,
                     gnutls_strerror(index));
    e = note_expiry(creds, (unsigned)index, profile->certificate, why);
    if (e || !profile->ocsp)
        return e;
    int rc = gnutls_certificate_set_ocsp_status_request_file2(creds->certificates, profile->ocsp,
                                                              (unsigned)index, GNUTLS_X509_FMT_DER);
    return rc < 0 ? fault(why, ERR_SYNTAX, "%s: %s", profile->ocsp, gnutls_strerror(rc)) : ERR_OK;
}

static enum err set_priority(struct tls_creds *creds, const struct config_tls_profile *profile,
                             struct fault *why)
{
    char text[1024];
    int n = snprintf(text, sizeof text, "%s%s", profile->priority,
                     profile->min == TLS_MIN_1_3 ? ":-VERS-TLS1.2" : "");
    if (n < 0 || (size_t)n >= sizeof text)
        return fault(why, ERR_LIMIT, "[tls] priority: too long");
    const char *at = text;
    int rc = gnutls_priority_init(&creds->priority, text, &at);
    return rc < 0 ? fault(why, ERR_SYNTAX, "[tls] priority: %s at '%s'", gnutls_strerror(rc), at)
                  : ERR_OK;
}

static bool same_text(const char *a, const char *b)
{
    return slice_eq(slice_str(a), slice_str(b));
}

/* [tls] serves the pairs of all sections, the client's SNI chooses; a named profile only its own.
 */
static enum err add_pairs(struct tls_creds *creds, const struct config *config,
                          const struct config_tls_profile *profile, struct fault *why)
{
    enum err e = add_pair(creds, profile, why);
    if (e || profile != &config->tls[0])
        return e;
    for (unsigned i = 1; i < config->n_tls && !e; i++)
        if (config->tls[i].certificate &&
            !same_text(config->tls[i].certificate, profile->certificate))
            e = add_pair(creds, &config->tls[i], why);
    return e;
}

static enum err load(struct tls_creds *creds, const struct config *config,
                     const struct config_tls_profile *profile, struct fault *why)
{
    int rc = gnutls_certificate_allocate_credentials(&creds->certificates);
    if (rc < 0)
        return fault(why, ERR_DOWN, "GnuTLS: %s", gnutls_strerror(rc));
    enum err e = add_pairs(creds, config, profile, why);
    if (!e)
        e = set_priority(creds, profile, why);
    if (e || !profile->client_ca)
        return e;
    rc = gnutls_certificate_set_x509_trust_file(creds->certificates, profile->client_ca,
                                                GNUTLS_X509_FMT_PEM);
    if (rc <= 0)
        return fault(why, ERR_SYNTAX, "%s: %s", profile->client_ca,
                     rc ? gnutls_strerror(rc) : "holds no certificate");
    creds->client_certificates = true;
    return ERR_OK;
}

enum err tls_creds_load(const struct config *config, const char *profile, struct tls_creds **ret,
                        struct fault *why)
{
    const struct config_tls_profile *found = NULL;
    for (unsigned i = 0; i < config->n_tls; i++)
        if (same_text(config->tls[i].name, profile))
            found = &config->tls[i];
    if (!found || !found->certificate)
        return fault(why, ERR_NOTFOUND, "[tls%s%s] names no certificate", *profile ? " " : "",
                     profile);
    pthread_once(&ticket_key_once, make_ticket_key);
    struct tls_creds *creds = mem_new(sizeof *creds);
    atomic_init(&creds->refs, 1);
    creds->tickets = found->tickets && ticket_key.size;
    enum err e = load(creds, config, found, why);
    if (e) {
        tls_creds_unref(creds);
        return e;
    }
    *ret = creds;
    return ERR_OK;
}

struct tls_creds *tls_creds_ref(struct tls_creds *creds)
{
    atomic_fetch_add_explicit(&creds->refs, 1, memory_order_relaxed);
    return creds;
}

void tls_creds_unref(struct tls_creds *creds)
{
    if (!creds || atomic_fetch_sub_explicit(&creds->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (creds->priority)
        gnutls_priority_deinit(creds->priority);
    if (creds->certificates)
        gnutls_certificate_free_credentials(creds->certificates);
    mem_free(creds);
}

long tls_creds_expiry(const struct tls_creds *creds)
{
    return (long)(creds->expiry - (time_t)clock_wall());
}

/* --- one session ------------------------------------------------------------------------------ */

static int set_up(struct tls *tls, int fd, const char *alpn)
{
    struct tls_creds *creds = tls->creds;
    unsigned flags = GNUTLS_SERVER | GNUTLS_NONBLOCK;
    int rc = gnutls_init(&tls->session, flags | (creds->tickets ? 0 : GNUTLS_NO_TICKETS));
    if (rc < 0)
        return rc;
    tls_socket_init(&tls->socket, tls->session, fd);
    gnutls_handshake_set_timeout(tls->session, GNUTLS_INDEFINITE_TIMEOUT); /* the loop's matter */
    gnutls_handshake_set_max_packet_length(tls->session, HANDSHAKE_MESSAGE_MAX);
    rc = gnutls_priority_set(tls->session, creds->priority);
    if (rc < 0)
        return rc;
    rc = gnutls_credentials_set(tls->session, GNUTLS_CRD_CERTIFICATE, creds->certificates);
    if (rc < 0)
        return rc;
    gnutls_certificate_server_set_request(
        tls->session, creds->client_certificates ? GNUTLS_CERT_REQUEST : GNUTLS_CERT_IGNORE);
    if (creds->client_certificates)
        gnutls_session_set_verify_cert(tls->session, NULL, 0);
    if (creds->tickets) {
        rc = gnutls_session_ticket_enable_server(tls->session, &ticket_key);
        if (rc < 0)
            return rc;
    }
    if (!alpn)
        return 0;
    /* "Mandatory" holds for a client that sends the extension at all: one that names only foreign
     * protocols (a browser lured here) is turned away, one that does not know ALPN is served. */
    gnutls_datum_t name = {(unsigned char *)(uintptr_t)alpn, (unsigned)strlen(alpn)};
    return gnutls_alpn_set_protocols(tls->session, &name, 1, GNUTLS_ALPN_MANDATORY);
}

enum err tls_new(struct tls_creds *creds, int fd, const char *alpn, struct tls **ret)
{
    struct tls *tls = mem_new(sizeof *tls);
    budget_take(BUDGET_TLS, SESSION_OCTETS);
    tls->creds = tls_creds_ref(creds);
    if (set_up(tls, fd, alpn) < 0) {
        tls_free(tls);
        return ERR_DOWN;
    }
    *ret = tls;
    return ERR_OK;
}

void tls_free(struct tls *tls)
{
    if (!tls)
        return;
    if (tls->session)
        gnutls_deinit(tls->session);
    tls_socket_finish(&tls->socket);
    budget_give(BUDGET_TLS, SESSION_OCTETS);
    tls_creds_unref(tls->creds);
    mem_free(tls->sni);
    mem_free(tls);
}

static void note_sni(struct tls *tls)
{
    char name[256];
    size_t len = sizeof name;
    unsigned type;
    if (tls->sni || gnutls_server_name_get(tls->session, name, &len, &type, 0) ||
        type != GNUTLS_NAME_DNS)
        return;
    name[sizeof name - 1] = '\0';
    tls->sni = mem_dup(name, strlen(name) + 1);
}

/* Why a handshake or a record failed, in words that also name the alert that came. */
static enum tls_want failed(struct tls *tls, int rc, struct fault *why)
{
    if (rc == GNUTLS_E_FATAL_ALERT_RECEIVED)
        (void)fault(why, ERR_DOWN, "alert: %s",
                    gnutls_alert_get_name(gnutls_alert_get(tls->session)));
    else
        (void)fault(why, ERR_DOWN, "%s", gnutls_strerror(rc));
    return TLS_FAILED;
}

static enum tls_want direction(const struct tls *tls)
{
    return gnutls_record_get_direction(tls->session) ? TLS_WANT_WRITE : TLS_WANT_READ;
}

static bool is_warning(struct tls *tls, int rc)
{
    return rc == GNUTLS_E_WARNING_ALERT_RECEIVED && ++tls->warnings <= WARNINGS_MAX;
}

/* GnuTLS may want to be called again although more has come: no readiness will announce that. */
static bool goes_on(struct tls *tls, int rc, uint64_t given_before)
{
    return rc == GNUTLS_E_INTERRUPTED || is_warning(tls, rc) ||
           (rc == GNUTLS_E_AGAIN && tls->socket.ahead.left.len &&
            tls->socket.given != given_before);
}

enum tls_want tls_handshake(struct tls *tls, struct fault *why)
{
    uint64_t before;
    int rc;
    do {
        before = tls->socket.given;
        rc = gnutls_handshake(tls->session);
    } while (goes_on(tls, rc, before));
    tls_socket_keep_ahead(&tls->socket);
    if (rc == GNUTLS_E_AGAIN)
        return direction(tls);
    note_sni(tls);
    if (rc == GNUTLS_E_SUCCESS) {
        snprintf(tls->text, sizeof tls->text, "%s:%s",
                 gnutls_protocol_get_name(gnutls_protocol_get_version(tls->session)),
                 gnutls_cipher_get_name(gnutls_cipher_get(tls->session)));
        return TLS_DONE;
    }
    gnutls_alert_send_appropriate(tls->session, rc);
    return failed(tls, rc, why);
}

enum tls_want tls_read(struct tls *tls, char *to, size_t cap, size_t *ret_n, struct fault *why)
{
    uint64_t before;
    unsigned empty = 0;
    ssize_t n;
    do {
        before = tls->socket.given;
        n = gnutls_record_recv(tls->session, to, cap);
    } while (goes_on(tls, (int)n, before) && (n != GNUTLS_E_AGAIN || ++empty < EMPTY_MAX));
    tls_socket_keep_ahead(&tls->socket);
    if (n >= 0) {
        tls->warnings = 0;
        *ret_n = (size_t)n;
        return TLS_DONE;
    }
    if (n == GNUTLS_E_AGAIN)
        return direction(tls);
    /* A wish to negotiate anew is refused like any other fault (RFC 9325 section 3.5). */
    return failed(tls, (int)n, why);
}

bool tls_pending(const struct tls *tls)
{
    return gnutls_record_check_pending(tls->session) > 0 || tls->socket.ahead.left.len;
}

/* The octets of one record: where they lie when they lie together, else gathered. */
static struct slice gather(const struct iovec *iov, int n, size_t skip, char *scratch)
{
    while (n && skip >= iov->iov_len) {
        skip -= iov->iov_len;
        iov++;
        n--;
    }
    if (!n)
        return SLICE_NONE;
    struct slice first = slice_from(slice(iov->iov_base, iov->iov_len), skip);
    if (first.len >= TLS_RECORD_MAX || n == 1)
        return slice_first(first, TLS_RECORD_MAX);
    memcpy(scratch, first.ptr, first.len);
    size_t len = first.len;
    for (int i = 1; i < n && len < TLS_RECORD_MAX; i++) {
        struct slice part =
            slice_first(slice(iov[i].iov_base, iov[i].iov_len), TLS_RECORD_MAX - len);
        memcpy(scratch + len, part.ptr, part.len);
        len += part.len;
    }
    return slice(scratch, len);
}

/* Octets of the iovs behind `skip` that are sealed now, or GnuTLS's error. */
static ssize_t seal_batch(struct tls *tls, const struct iovec *iov, int n, size_t skip)
{
    static _Thread_local char scratch[TLS_RECORD_MAX];
    size_t batch = 0;
    for (unsigned i = 0; i < TLS_BATCH_RECORDS; i++) {
        struct slice record = gather(iov, n, skip + batch, scratch);
        if (!record.len)
            break;
        ssize_t sealed = gnutls_record_send(tls->session, record.ptr, record.len);
        if (sealed < 0)
            return sealed;
        batch += (size_t)sealed;
    }
    return (ssize_t)batch;
}

enum tls_want tls_write(struct tls *tls, const struct iovec *iov, int n, size_t *ret_n,
                        struct fault *why)
{
    size_t total = 0;
    for (;;) {
        if (!tls->in_flight) {
            tls_socket_hold(&tls->socket);
            ssize_t batch = seal_batch(tls, iov, n, total);
            tls->in_flight = batch > 0 ? (size_t)batch : 0;
            if (batch < 0) {
                (void)tls_socket_flush(&tls->socket);
                return failed(tls, (int)batch, why);
            }
        }
        if (!tls_socket_flush(&tls->socket))
            break;
        if (!tls->in_flight) { /* nothing was left to be sealed */
            *ret_n = total;
            return TLS_DONE;
        }
        total += tls->in_flight;
        tls->in_flight = 0;
    }
    *ret_n = total;
    if (errno == EAGAIN || errno == EWOULDBLOCK)
        return TLS_WANT_WRITE;
    (void)fault(why, ERR_DOWN, "%s", strerror(errno));
    return TLS_FAILED;
}

uint64_t tls_sent(const struct tls *tls)
{
    return tls->socket.sent;
}

void tls_bye(struct tls *tls)
{
    gnutls_bye(tls->session, GNUTLS_SHUT_WR);
}

struct slice tls_text(const struct tls *tls)
{
    return slice_str(tls->text);
}

struct slice tls_sni(const struct tls *tls)
{
    return slice_str(tls->sni);
}

enum err tls_binding(const struct tls *tls, enum tls_binding_type type, struct tls_binding *ret)
{
    /* Without the extended master secret neither of them names one session of TLS 1.2 (RFC 9266
     * section 4.2, RFC 7627 section 1). */
    bool tls13 = gnutls_protocol_get_version(tls->session) == GNUTLS_TLS1_3;
    if (tls13 ? type == TLS_UNIQUE : !gnutls_session_ext_master_secret_status(tls->session))
        return ERR_DOWN;
    gnutls_datum_t binding;
    if (gnutls_session_channel_binding(
            tls->session, type == TLS_UNIQUE ? GNUTLS_CB_TLS_UNIQUE : GNUTLS_CB_TLS_EXPORTER,
            &binding))
        return ERR_DOWN;
    enum err e = binding.size && binding.size <= sizeof ret->octets ? ERR_OK : ERR_DOWN;
    if (!e) {
        ret->len = binding.size;
        memcpy(ret->octets, binding.data, binding.size);
    }
    gnutls_free(binding.data);
    return e;
}
