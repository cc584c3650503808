/* GnuTLS: credentials as an immutable counted snapshot, and one session under a conn. The only
 * files that include gnutls/gnutls.h for TLS are tls.c and the socket below it, tls_socket.h. */
#ifndef TANDEM_NET_TLS_H
#define TANDEM_NET_TLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct config;
struct fault;
struct iovec;
struct tls;
struct tls_creds;

/* Read and check certificates, keys, OCSP and priority of a [tls NAME] profile ("" = [tls]).
 * Any thread but a loop's (reads files). ERR_NOTFOUND: the profile names no certificate. The
 * fault names file and reason. */
MUST_CHECK enum err tls_creds_load(const struct config *config, const char *profile,
                                   struct tls_creds **ret, struct fault *why);
struct tls_creds *tls_creds_ref(struct tls_creds *creds);
void tls_creds_unref(struct tls_creds *creds);        /* NULL shrugs; any thread */
long tls_creds_expiry(const struct tls_creds *creds); /* seconds left of the first to expire */

enum tls_want { TLS_DONE, TLS_WANT_READ, TLS_WANT_WRITE, TLS_FAILED };

MUST_CHECK enum err tls_new(struct tls_creds *creds, int fd, const char *alpn, struct tls **ret);
void tls_free(struct tls *tls);
/* TLS_FAILED: text in `why`; nothing more may be sent. */
enum tls_want tls_handshake(struct tls *tls, struct fault *why);
/* Decrypt at most `cap` octets. *ret_n 0 with TLS_DONE: the peer closed properly. */
enum tls_want tls_read(struct tls *tls, char *to, size_t cap, size_t *ret_n, struct fault *why);
bool tls_pending(const struct tls *tls);
/* Encrypt as much as the socket takes; *ret_n octets of the iovs have gone. A write that wanted
 * more is continued with the same octets in front. */
enum tls_want tls_write(struct tls *tls, const struct iovec *iov, int n, size_t *ret_n,
                        struct fault *why);
uint64_t tls_sent(const struct tls *tls);     /* sealed octets that the socket has taken */
void tls_bye(struct tls *tls);                /* close_notify, without waiting */
struct slice tls_text(const struct tls *tls); /* "TLS1.3:AES-128-GCM" */
struct slice tls_sni(const struct tls *tls);

/* What names one TLS session, for SCRAM -PLUS: tls-exporter (RFC 9266, any version) or tls-unique
 * (RFC 5929 section 3, TLS 1.2 alone). */
enum tls_binding_type { TLS_EXPORTER, TLS_UNIQUE };
struct tls_binding {
    size_t len;
    unsigned char octets[64];
};
/* ERR_DOWN when the session has none that is safe. */
MUST_CHECK enum err tls_binding(const struct tls *tls, enum tls_binding_type type,
                                struct tls_binding *ret);

#endif
