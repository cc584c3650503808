/* The configuration: one INI file, read through one table of keys, published as one immutable,
 * counted `struct config`.
 *
 * Fields carry the names of their keys: `[imap] idle` is cfg->imap.idle_ms. Times say their unit
 * (_ms, _s, _days); a `size_t` always counts octets; a `uint32_t` without a unit is a number.
 * Strings end in NUL and, like lists, live as long as the config. An optional text or path that is
 * not set is NULL.
 *
 * Class of a key, as sessions must use it (config_key_class):
 *   LIVE      read from the newest config at each use (server_config)
 *   NEWCONN   read from the config a connection was accepted with (conn_config)
 *   RESTART   a changed value is a warning at reload; config_keep_restart() keeps the old one
 *
 * Keys that a domain or an account may override are in `struct settings` alone: copy
 * cfg->settings, then apply config_override for each `opt` row, the domain's before the account's.
 */
#ifndef TANDEM_BASE_CONFIG_H
#define TANDEM_BASE_CONFIG_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/log.h"
#include "core/base/slice.h"

struct fault;
struct sockaddr_storage;

enum { CONFIG_VERSION = 1, CONFIG_NAME_MAX = 32, CONFIG_UNIX_PATH_MAX = 107 };

/* --- values that are more than one number ------------------------------------------------------
 */
struct config_list {
    const char *const *items;
    unsigned n;
};

/* Is the word in it, in any case of its ASCII letters? */
bool config_list_has(const struct config_list *list, struct slice word);

struct config_network {
    uint8_t address[16]; /* IPv4 as ::ffff:a.b.c.d */
    uint8_t bits;        /* 0..128 */
};

struct config_networks {
    const struct config_network *items;
    unsigned n;
    bool unix_sockets; /* the word `unix` was in the list */
};

bool config_networks_match(const struct config_networks *list, const struct sockaddr_storage *peer);

/* "25%" or "512M": exactly one of the two is not 0. */
struct config_share {
    uint32_t percent;
    size_t octets;
};

struct config_pair { /* `Sent Items:Sent` */
    const char *name, *value;
};

struct config_pairs {
    const struct config_pair *items;
    unsigned n;
};

struct config_age { /* `Trash:30d` */
    const char *mailbox;
    uint32_t age_s;
};

struct config_ages {
    const struct config_age *items;
    unsigned n;
};

enum config_source_kind {
    SOURCE_CATALOG,
    SOURCE_PASSWD_FILE, /* name: path */
    SOURCE_PAM,         /* name: service */
    SOURCE_LDAP,        /* name: of an [ldap NAME] */
    SOURCE_OAUTH,       /* name: of an [oauth NAME] */
    SOURCE_EXEC,        /* name: of a [hook NAME] with a command */
    SOURCE_HTTP         /* name: of a [hook NAME] with a url */
};

struct config_source {
    enum config_source_kind kind;
    const char *name; /* NULL for the catalog */
};

struct config_sources {
    const struct config_source *items;
    unsigned n;
};

/* --- choices: in the order of their words in the table -----------------------------------------
 */
enum config_protocol { PROTOCOL_IMAP, PROTOCOL_POP3, PROTOCOL_LMTP };
enum config_tls { CONFIG_TLS_NONE, CONFIG_TLS_STARTTLS, CONFIG_TLS_IMPLICIT };
enum config_tls_min { TLS_MIN_1_2, TLS_MIN_1_3 };
enum plaintext_auth { PLAINTEXT_NEVER, PLAINTEXT_LOCAL, PLAINTEXT_ALWAYS };
enum auth_scheme { SCHEME_YESCRYPT, SCHEME_ARGON2ID, SCHEME_SCRAM_SHA_256 };
enum literal_plus { LITERAL_PLUS, LITERAL_MINUS, LITERAL_SYNC };
enum pop3_lock { POP3_LOCK_SESSION, POP3_LOCK_NONE };
enum pop3_delete { POP3_DELETE_EXPUNGE, POP3_DELETE_TRASH, POP3_DELETE_HIDE, POP3_DELETE_KEEP };
enum uidl_format { UIDL_DOVECOT, UIDL_CYRUS, UIDL_COURIER, UIDL_UW, UIDL_UID, UIDL_GUID };

/* SASL mechanisms, as bits of cfg->auth.mechanisms. */
enum config_mechanism {
    MECH_PLAIN = 1 << 0,
    MECH_LOGIN = 1 << 1,
    MECH_SCRAM_SHA_256 = 1 << 2,
    MECH_SCRAM_SHA_256_PLUS = 1 << 3,
    MECH_SCRAM_SHA_1 = 1 << 4,
    MECH_SCRAM_SHA_1_PLUS = 1 << 5,
    MECH_OAUTHBEARER = 1 << 6,
    MECH_XOAUTH2 = 1 << 7,
    MECH_EXTERNAL = 1 << 8,
    MECH_CRAM_MD5 = 1 << 9
};

/* --- keys that a domain or an account may override ---------------------------------------------
 */
/* Plain: copied by assignment. Its strings and lists belong to the config or, once overridden, to
 * the arena given to config_override; a copy lives no longer than both. */
struct settings {
    struct {
        uint32_t undelete_s;     /* 0 = off */
        size_t undelete_cap;     /* 0 = auto: the quota; without one 25 % of live bytes, >= 1 GiB */
        size_t quota;            /* 0 = none */
        uint32_t quota_messages; /* 0 = none */
        uint32_t mailboxes;
        size_t message_size; /* < 2 GiB */
        struct config_ages autoexpunge;
    } store;
    struct {
        bool enabled;
        struct config_list capabilities_off;
        bool undelete_tree;
    } imap;
    struct {
        bool enabled;
        struct config_list capabilities_off;
        bool retr_seen;
        int32_t hide_seen_days; /* -1 no; 0 at once; n: n days after */
        bool hide_downloaded;
        struct config_list folders;
        int64_t since;                /* 00:00 UTC of that day in seconds since 1970; 0 = none */
        uint32_t max_messages;        /* newest n; 0 = all */
        enum pop3_delete delete_mode; /* key: delete */
        int32_t expire_days;          /* -1 never; days after the first download */
        uint32_t login_delay_s;
        enum uidl_format uidl_format;           /* copied into the account when it is made */
        uint32_t brake_messages, brake_percent; /* both passed = brake; 0, 0 = off */
        bool apop, last;
    } pop3;
    struct {
        bool enabled;
    } lmtp;
    struct {
        uint32_t per_user, per_user_address; /* sessions */
    } limits;
};

/* --- named sections ----------------------------------------------------------------------------
 */
struct config_listen { /* [listen NAME] */
    const char *name;
    unsigned line; /* of the section in the file */
    enum config_protocol protocol;
    struct config_list address; /* `*:143`, `[::]:143`, `192.0.2.1:143`, `unix:/path` */
    enum config_tls tls;
    const char *tls_profile; /* name of a [tls NAME]; NULL: [tls] with all its SNI pairs */
    struct config_networks proxy_from; /* must send a PROXY header */
    struct config_list capabilities_off;
    uint32_t mode; /* of a unix socket */
};

struct config_tls_profile { /* [tls], [tls NAME]; what a named one leaves out is [tls]'s */
    const char *name;       /* "" for [tls] */
    unsigned line;          /* of the section in the file */
    const char *certificate, *key, *ocsp;
    const char *priority; /* GnuTLS priority string */
    enum config_tls_min min;
    const char *client_ca;
    bool tickets;
};

struct config_ldap { /* [ldap NAME] */
    const char *name;
    unsigned line; /* of the section in the file */
    const char *uri, *base, *filter, *bind_dn, *bind_password_file;
    bool starttls;
    uint64_t timeout_ms;
};

struct config_oauth { /* [oauth NAME] */
    const char *name;
    unsigned line; /* of the section in the file */
    const char *issuer, *audience, *jwks, *introspection, *claim;
    uint32_t leeway_s;
};

struct config_hook { /* [hook NAME]: exactly one of command and url */
    const char *name;
    unsigned line; /* of the section in the file */
    const char *command, *url;
    struct config_list events;
    uint64_t timeout_ms;
    uint32_t parallel, queue;
};

/* --- the whole ---------------------------------------------------------------------------------
 */
struct config {
    atomic_uint refs;
    const char *file; /* where it was read from */

    struct {
        uint32_t version;
        const char *hostname, *default_domain, *user;
        uint32_t loops, workers; /* `auto` is resolved: >= 1 */
        uint64_t drain_ms;
    } tandem;
    struct {
        const char *path;
        uint32_t shards;
        size_t map_size; /* 0 = auto */
        struct config_share
            reserve; /* as written; percent is bounded to 64 MiB..1 GiB by its user */
        struct config_list allow_fs;
        uint32_t log_days, log_rows;
    } store;
    struct {
        enum plaintext_auth plaintext_auth;
        struct config_networks local_networks;
        uint32_t mechanisms;   /* enum config_mechanism */
        char master_separator; /* '\0' = off */
        enum auth_scheme scheme;
        bool upgrade;
        struct config_sources sources;
        uint64_t cache_ms; /* 0 = off */
        uint32_t failures;
        uint64_t delay_min_ms, delay_max_ms;
    } auth;
    struct {
        uint64_t idle_ms;
        enum literal_plus literal_plus;
        bool compress;
        uint32_t keywords, search_keys;
        uint64_t search_time_ms;
        uint32_t sort_messages, metadata_entries;
        size_t metadata_size;
        uint32_t acl_entries, notify_mailboxes;
        struct config_pairs special_aliases; /* name -> default mailbox */
    } imap;
    struct {
        uint64_t idle_ms;
        enum pop3_lock lock;
    } pop3;
    struct {
        uint64_t idle_ms;
        uint32_t recipients;
        char detail; /* separator; '\0' = off */
        struct config_networks trusted;
    } lmtp;
    struct {
        uint32_t connections;
        struct config_share memory; /* of RAM or of the cgroup; budget_setup resolves it */
        uint32_t per_address, handshakes, commands_per_second;
        uint64_t login_ms, write_stall_ms, upload_stall_ms;
        size_t line_preauth, line, pop3_line, lmtp_line, sasl;
        size_t literal_preauth, literal;
        uint32_t literals;
        size_t command_preauth, command;
        uint32_t depth;
        size_t output;
        uint32_t bad_commands;
        uint32_t mime_depth, mime_parts;
        size_t header;
        uint32_t addresses;
    } limits;
    struct log_conf log;
    struct {
        const char *control; /* path of the socket */
        const char *metrics; /* unix:PATH or ADDRESS:PORT; NULL = none */
        size_t recorder;     /* octets a loop; 0 = off */
        bool sandbox;
    } daemon;
    struct {
        size_t rate; /* octets a second */
    } backup;

    struct settings settings; /* defaults of every domain and account */

    struct config_listen *listen;   /* never empty */
    struct config_tls_profile *tls; /* tls[0] is [tls], there even when the file has none */
    struct config_ldap *ldap;
    struct config_oauth *oauth;
    struct config_hook *hook;
    unsigned n_listen, n_tls, n_ldap, n_oauth, n_hook;
    bool default_listen; /* the file has no [listen] */

    struct arena arena;            /* all of the above; private */
    struct config_text *text;      /* by key: the value as written and its line; private */
    struct config_text **named[5]; /* the same of named sections: by group and element; private */
};

/* --- reading -----------------------------------------------------------------------------------
 */
struct config_error {
    unsigned line;    /* 0: the file as a whole */
    const char *key;  /* "imap.idle", "listen imaps.address"; "" for the file */
    const char *why;  /* what is wrong */
    const char *mend; /* what to write instead */
};

struct config;

/* Every error of a file at once, in the order of its lines. */
struct config_errors {
    const char *file;
    /* What the caller looks at besides (certificates, say), on a config whose wrong keys have their
     * defaults, so that all is told at once; NULL: nothing. Set after config_errors_init. */
    void (*also)(const struct config *config, struct config_errors *errs);
    struct config_error *items;
    unsigned n, cap;
    unsigned left_out; /* beyond 200 */
    struct arena arena;
};

void config_errors_init(struct config_errors *errs);
void config_errors_finish(struct config_errors *errs);
/* All but `errs` is copied; `mend` may be "". */
void config_error_add(struct config_errors *errs, unsigned line, const char *key, const char *why,
                      const char *mend);
/* "FILE:LINE: key: what is wrong; mend" without a line end. */
void config_error_format(const struct config_errors *errs, unsigned i, char *to, size_t cap);

/* Read and check a file of at most 1 MiB. ERR_SYNTAX: `errs` has all that is wrong with it.
 * ERR_NOTFOUND, ERR_PERM, ERR_DOWN, ERR_TOOBIG: the file cannot be read (one error that says so).
 * The caller owns one reference of *ret. Thread: any, not a loop's (reads files). */
MUST_CHECK enum err config_load(const char *path, struct config **ret, struct config_errors *errs);
/* The same from text; `file` is the name used in errors. */
MUST_CHECK enum err config_parse(struct slice text, const char *file, struct config **ret,
                                 struct config_errors *errs);
void config_default(struct config **ret); /* every key as if the file were empty */

struct config *config_ref(const struct config *config);
void config_unref(const struct config *config); /* NULL shrugs; any thread */

/* Before `fresh` is published in place of `running`: give every RESTART key the value that runs,
 * and call `changed` for each that the file would have changed. */
void config_keep_restart(struct config *fresh, const struct config *running,
                         void (*changed)(void *arg, const char *key, unsigned line), void *arg);

/* --- overriding --------------------------------------------------------------------------------
 */
/* Apply the text of one `opt` row, named "pop3.hide_seen". Strings and lists go to the arena.
 * ERR_NOTFOUND: no such key (the fault suggests one); ERR_PERM: not a key that can be overridden;
 * ERR_SYNTAX: the value; ERR_LIMIT: the arena is full. On error `s` is as before. */
MUST_CHECK enum err config_override(struct settings *s, struct slice name, struct slice value,
                                    struct arena *a, struct fault *why);
/* Do the keys of `s` agree with each other? ERR_CANNOT and the reason, else ERR_OK. */
MUST_CHECK enum err config_settings_check(const struct settings *s, struct fault *why);

/* --- the table
 * ------------------------------------------------------------------------------------ */
enum config_key_class { CONFIG_LIVE, CONFIG_NEWCONN, CONFIG_RESTART };

struct config_key_info {
    const char *section; /* "imap", "listen" */
    const char *key;
    const char *type;     /* "size", "time", "yes|no", "session|none", ... */
    const char *fallback; /* default as text; "" = not set */
    const char *help;
    enum config_key_class class;
    bool overridable;
    bool named; /* the section carries a name: [listen NAME] */
};

/* The i-th key in the order of the manual page; false past the last. */
bool config_key_info(unsigned i, struct config_key_info *ret);
/* The value of the i-th key as text and where it comes from; *ret_line is 0 for a default. NULL for
 * keys of named sections. */
const char *config_key_text(const struct config *config, unsigned i, unsigned *ret_line);

/* The least and the most of the i-th key as text, "30m" and "1d"; false: it has none. */
enum { CONFIG_RANGE_TEXT = 32 };
bool config_key_range(unsigned i, char ret_least[CONFIG_RANGE_TEXT],
                      char ret_most[CONFIG_RANGE_TEXT]);

/* One value as it holds. */
struct config_shown {
    const char *section, *name, *key; /* name: of a named section, else "" */
    const char *value;                /* as it was written, or as it came to be */
    unsigned line;                    /* 0: the file does not say it */
    bool overridable;
};
/* Every value there is, in the order of the manual page; named sections in the order of the file.
 * The strings live as long as the config, `value` until `each` returns. */
void config_show(const struct config *config,
                 void (*each)(void *arg, const struct config_shown *shown), void *arg);

/* Tests only, on a config that nothing else sees yet: set one key outside named sections from text.
 * Not held to the key's range (an idle time of one second is useful in a test). Aborts when the
 * name or the text is wrong. */
void config_set_for_test(struct config *config, const char *name, const char *value);

#endif
