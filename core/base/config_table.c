/* Every key there is. Order: sections as in the manual page. */
#include <limits.h>

#include "core/base/config_key.h"

#define C(member) offsetof(struct config, member)
#define S(member) offsetof(struct settings, member)
#define LISTEN(member) offsetof(struct config_listen, member)
#define TLS(member) offsetof(struct config_tls_profile, member)
#define LDAP(member) offsetof(struct config_ldap, member)
#define OAUTH(member) offsetof(struct config_oauth, member)
#define HOOK(member) offsetof(struct config_hook, member)

#define SECOND 1000u
#define MINUTE (60 * SECOND)
#define HOUR (60 * MINUTE)
#define DAY_S 86400u
#define K ((uint64_t)1024)
#define M (K * K)
#define G (M * K)
#define T (G * K)
#define MANY 1000000u

#define PRIORITY                                                                                   \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-DHE-RSA:-CIPHER-ALL:+AES-128-GCM:"        \
    "+AES-256-GCM:+CHACHA20-POLY1305:-SHA1:%SERVER_PRECEDENCE:%PROFILE_MEDIUM"
/* Names that clients and other servers use for the default mailboxes. */
#define ALIASES                                                                                    \
    "Sent Items:Sent, Sent Messages:Sent, Sent Mail:Sent, Gesendet:Sent, "                         \
    "Gesendete Elemente:Sent, Gesendete Objekte:Sent, Envoyés:Sent, Enviados:Sent, "              \
    "Draft:Drafts, Entwürfe:Drafts, Brouillons:Drafts, Borradores:Drafts, "                       \
    "Deleted Items:Trash, Deleted Messages:Trash, Papierkorb:Trash, Gelöschte Elemente:Trash, "   \
    "Gelöschte Objekte:Trash, Corbeille:Trash, Papelera:Trash, Spam:Junk, Junk E-mail:Junk, "     \
    "Junk Email:Junk, Junk-E-Mail:Junk, Bulk Mail:Junk, Archives:Archive, Archiv:Archive"

#define L CONFIG_LIVE
#define N CONFIG_NEWCONN
#define R CONFIG_RESTART
enum { ZERO = KEY_ZERO, AUTO = KEY_AUTO, OVER = KEY_OVER, MUST = KEY_MUST };

/* clang-format off */ /* a row stays on one line, however long */
/* section, key, kind, class, flags, field, default, least, most, words, help */
const struct config_key config_keys[] = {
    {"tandem", "version", KIND_NUMBER, R, 0, C(tandem.version), "1", 1, CONFIG_VERSION, NULL, "format of this file"},
    {"tandem", "hostname", KIND_HOST, L, 0, C(tandem.hostname), "", 0, 0, NULL, "name in greetings and Received; default: the system's"},
    {"tandem", "default_domain", KIND_HOST, L, 0, C(tandem.default_domain), "", 0, 0, NULL, "domain of bare names; default: hostname"},
    {"tandem", "user", KIND_TEXT, R, 0, C(tandem.user), "tandem", 1, 0, NULL, "system user to run as"},
    {"tandem", "loops", KIND_NUMBER, R, AUTO, C(tandem.loops), "auto", 1, 256, NULL, "threads that serve connections; auto: cores, at most 8"},
    {"tandem", "workers", KIND_NUMBER, R, AUTO, C(tandem.workers), "auto", 1, 256, NULL, "threads for long work; auto: cores, at most 8"},
    {"tandem", "drain", KIND_TIME_MS, L, 0, C(tandem.drain_ms), "15s", SECOND, HOUR, NULL, "all connections are closed this long after SIGTERM"},

    {"store", "path", KIND_PATH, R, 0, C(store.path), "/var/lib/tandem", 0, 0, NULL, "directory of the store"},
    {"store", "shards", KIND_NUMBER, R, 0, C(store.shards), "1", 1, 64, NULL, "databases the accounts are spread over"},
    {"store", "map_size", KIND_SIZE, R, AUTO, C(store.map_size), "auto", 64 * M, 64 * T, NULL, "address space of a shard's map"},
    {"store", "reserve", KIND_SHARE, L, 0, C(store.reserve), "2%", M, T, NULL, "free disk that is kept; a percentage is bounded to 64M..1G"},
    {"store", "allow_fs", KIND_LIST, R, 0, C(store.allow_fs), "", 0, 0, NULL, "further types of file system to accept"},
    {"store", "undelete", KIND_TIME_S, L, OVER | ZERO, S(store.undelete_s), "14d", 60, 3650 * DAY_S, NULL, "how long expunged messages can be brought back; 0: off"},
    {"store", "undelete_cap", KIND_SIZE, L, OVER | AUTO, S(store.undelete_cap), "auto", M, 64 * T, NULL, "most octets kept for that; auto: the quota"},
    {"store", "log_days", KIND_NUMBER, L, 0, C(store.log_days), "90", 1, 3650, NULL, "journal of an account: days"},
    {"store", "log_rows", KIND_NUMBER, L, 0, C(store.log_rows), "20000", 100, 10 * MANY, NULL, "journal of an account: rows"},
    {"store", "quota", KIND_SIZE, L, OVER | ZERO, S(store.quota), "0", 64 * K, 64 * T, NULL, "octets of an account; 0: no limit"},
    {"store", "quota_messages", KIND_NUMBER, L, OVER | ZERO, S(store.quota_messages), "0", 1, UINT32_MAX, NULL, "messages of an account; 0: no limit"},
    {"store", "mailboxes", KIND_NUMBER, L, OVER, S(store.mailboxes), "10000", 6, MANY, NULL, "mailboxes of an account"},
    {"store", "message_size", KIND_SIZE, L, OVER, S(store.message_size), "50M", 64 * K, 2 * G - 1, NULL, "octets of a message; announced as SIZE and APPENDLIMIT"},
    {"store", "autoexpunge", KIND_AGES, L, OVER, S(store.autoexpunge), "", 0, 0, NULL, "MAILBOX:AGE list, for example Trash:30d, Junk:30d"},

    {"listen", "protocol", KIND_CHOICE, L, MUST, LISTEN(protocol), "", 0, 0, "imap|pop3|lmtp", "what is spoken here"},
    {"listen", "address", KIND_ADDRESSES, L, MUST, LISTEN(address), "", 1, 16, NULL, "*:143, [::]:143, 192.0.2.1:143, unix:/path"},
    {"listen", "tls", KIND_CHOICE, L, 0, LISTEN(tls), "none", 0, 0, "none|starttls|implicit", "none, by command, or from the first octet"},
    {"listen", "tls_profile", KIND_TEXT, N, 0, LISTEN(tls_profile), "", 0, 0, NULL, "a [tls NAME]; default: [tls]"},
    {"listen", "proxy_from", KIND_NETWORKS, N, 0, LISTEN(proxy_from), "", 0, 0, NULL, "networks that must send a PROXY header"},
    {"listen", "capabilities_off", KIND_LIST, N, 0, LISTEN(capabilities_off), "", 0, 0, NULL, "capabilities that are not offered here"},
    {"listen", "mode", KIND_MODE, R, 0, LISTEN(mode), "0660", 0, 0777, NULL, "permissions of a unix socket"},

    {"tls", "certificate", KIND_PATH, L, 0, TLS(certificate), "", 0, 0, NULL, "PEM file: certificate and chain"},
    {"tls", "key", KIND_PATH, L, 0, TLS(key), "", 0, 0, NULL, "PEM file: private key"},
    {"tls", "ocsp", KIND_PATH, L, 0, TLS(ocsp), "", 0, 0, NULL, "file with an OCSP response to staple"},
    {"tls", "priority", KIND_TEXT, L, 0, TLS(priority), PRIORITY, 1, 0, NULL, "GnuTLS priority string"},
    {"tls", "min", KIND_CHOICE, L, 0, TLS(min), "1.2", 0, 0, "1.2|1.3", "oldest version of TLS"},
    {"tls", "client_ca", KIND_PATH, L, 0, TLS(client_ca), "", 0, 0, NULL, "PEM file: authorities of client certificates"},
    {"tls", "tickets", KIND_BOOL, L, 0, TLS(tickets), "yes", 0, 0, NULL, "resumption by tickets"},

    {"auth", "plaintext_auth", KIND_CHOICE, L, 0, C(auth.plaintext_auth), "local", 0, 0, "never|local|always", "who may send a password without TLS"},
    {"auth", "local_networks", KIND_NETWORKS, L, 0, C(auth.local_networks), "127.0.0.0/8, ::1", 0, 0, NULL, "what counts as local; unix sockets always do"},
    {"auth", "mechanisms", KIND_MECHANISMS, L, 0, C(auth.mechanisms), "plain, login", 1, 0, NULL, "SASL mechanisms: plain, login, scram-sha-256, scram-sha-1, and scram-sha-256-plus, scram-sha-1-plus, which are bound to the TLS session"},
    {"auth", "master_separator", KIND_CHAR, L, 0, C(auth.master_separator), "*", 0, 0, NULL, "between user and master login; empty: off"},
    {"auth", "scheme", KIND_CHOICE, L, 0, C(auth.scheme), "yescrypt", 0, 0, "yescrypt|argon2id|scram-sha-256", "of new passwords; scram-sha-256 serves SCRAM and plain ones (Cyrus SASL refuses its 100000 rounds)"},
    {"auth", "upgrade", KIND_BOOL, L, 0, C(auth.upgrade), "no", 0, 0, NULL, "rewrite older verifiers at a good login"},
    {"auth", "sources", KIND_SOURCES, L, 0, C(auth.sources), "catalog", 1, 16, NULL, "where accounts come from, in order"},
    {"auth", "cache", KIND_TIME_MS, L, ZERO, C(auth.cache_ms), "5m", SECOND, 24 * HOUR, NULL, "how long a verified password is remembered; 0: off"},
    {"auth", "failures", KIND_NUMBER, L, 0, C(auth.failures), "3", 1, 100, NULL, "failed logins that end a connection"},
    {"auth", "delay", KIND_DELAY, L, 0, C(auth.delay_min_ms), "1s..15s", 0, 5 * MINUTE, NULL, "failed logins are answered late, doubling from..to"},

    {"ldap", "uri", KIND_URL, L, MUST, LDAP(uri), "", 0, 0, "ldap|ldaps|ldapi", "server"},
    {"ldap", "base", KIND_TEXT, L, MUST, LDAP(base), "", 1, 0, NULL, "where to search"},
    {"ldap", "filter", KIND_TEXT, L, 0, LDAP(filter), "(mail=%u)", 1, 0, NULL, "what to search; %u is the login, escaped"},
    {"ldap", "bind_dn", KIND_TEXT, L, 0, LDAP(bind_dn), "", 0, 0, NULL, "name to bind as; default: anonymous"},
    {"ldap", "bind_password_file", KIND_PATH, L, 0, LDAP(bind_password_file), "", 0, 0, NULL, "file with its password"},
    {"ldap", "starttls", KIND_BOOL, L, 0, LDAP(starttls), "no", 0, 0, NULL, "TLS by StartTLS"},
    {"ldap", "timeout", KIND_TIME_MS, L, 0, LDAP(timeout_ms), "5s", SECOND, MINUTE, NULL, "for one answer"},

    {"oauth", "issuer", KIND_URL, L, MUST, OAUTH(issuer), "", 0, 0, "https|http", "iss of a token"},
    {"oauth", "audience", KIND_TEXT, L, MUST, OAUTH(audience), "", 1, 0, NULL, "aud of a token"},
    {"oauth", "jwks", KIND_PATH, L, 0, OAUTH(jwks), "", 0, 0, NULL, "file with the issuer's keys"},
    {"oauth", "introspection", KIND_URL, L, 0, OAUTH(introspection), "", 0, 0, "https|http", "endpoint of RFC 7662"},
    {"oauth", "claim", KIND_TEXT, L, 0, OAUTH(claim), "email", 1, 0, NULL, "claim that names the account"},
    {"oauth", "leeway", KIND_TIME_S, L, ZERO, OAUTH(leeway_s), "60s", 1, 3600, NULL, "how far clocks may differ"},

    {"hook", "command", KIND_PATH, L, 0, HOOK(command), "", 0, 0, NULL, "program to run"},
    {"hook", "url", KIND_URL, L, 0, HOOK(url), "", 0, 0, "https|http", "address to post to"},
    {"hook", "events", KIND_LIST, L, 0, HOOK(events), "", 0, 0, NULL, "events that are sent; empty: an account source"},
    {"hook", "timeout", KIND_TIME_MS, L, 0, HOOK(timeout_ms), "5s", SECOND, 5 * MINUTE, NULL, "for one answer"},
    {"hook", "parallel", KIND_NUMBER, L, 0, HOOK(parallel), "4", 1, 64, NULL, "requests at once"},
    {"hook", "queue", KIND_NUMBER, L, 0, HOOK(queue), "1000", 1, MANY, NULL, "events that wait; more are dropped and counted"},

    {"imap", "enabled", KIND_BOOL, N, OVER, S(imap.enabled), "yes", 0, 0, NULL, "may this account use IMAP"},
    {"imap", "idle", KIND_TIME_MS, N, 0, C(imap.idle_ms), "30m", 30 * MINUTE, 24 * HOUR, NULL, "silence that ends a session (RFC 3501 section 5.4: at least 30m)"},
    {"imap", "literal_plus", KIND_CHOICE, N, 0, C(imap.literal_plus), "plus", 0, 0, "plus|minus|no", "LITERAL+, LITERAL-, or neither (RFC 7888)"},
    {"imap", "compress", KIND_BOOL, N, 0, C(imap.compress), "yes", 0, 0, NULL, "read, not in effect yet: COMPRESS=DEFLATE (RFC 4978)"},
    {"imap", "capabilities_off", KIND_LIST, N, OVER, S(imap.capabilities_off), "", 0, 0, NULL, "capabilities that are not offered"},
    {"imap", "keywords", KIND_NUMBER, L, 0, C(imap.keywords), "64", 1, 64, NULL, "keywords of a mailbox; those that are there stay"},
    {"imap", "search_keys", KIND_NUMBER, L, 0, C(imap.search_keys), "256", 8, 256, NULL, "keys of one SEARCH"},
    {"imap", "search_time", KIND_TIME_MS, L, 0, C(imap.search_time_ms), "60s", SECOND, HOUR, NULL, "for one SEARCH"},
    {"imap", "sort_messages", KIND_NUMBER, L, 0, C(imap.sort_messages), "1000000", 1000, 100 * MANY, NULL, "read, not in effect yet: messages of one SORT or THREAD"},
    {"imap", "metadata_entries", KIND_NUMBER, L, 0, C(imap.metadata_entries), "100", 1, 10000, NULL, "read, not in effect yet: annotations of a mailbox"},
    {"imap", "metadata_size", KIND_SIZE, L, 0, C(imap.metadata_size), "64k", K, M, NULL, "read, not in effect yet: octets of an annotation"},
    {"imap", "acl_entries", KIND_NUMBER, L, 0, C(imap.acl_entries), "1000", 1, 10000, NULL, "read, not in effect yet: rights lists of a mailbox"},
    {"imap", "notify_mailboxes", KIND_NUMBER, L, 0, C(imap.notify_mailboxes), "1000", 1, 100000, NULL, "read, not in effect yet: mailboxes of one NOTIFY"},
    {"imap", "special_aliases", KIND_ALIASES, N, 0, C(imap.special_aliases), ALIASES, 0, 0, NULL, "NAME:MAILBOX list: what there is no mailbox NAME for goes to MAILBOX, and is read from it: Sent, Drafts, Trash, Junk or Archive"},
    {"imap", "undelete_tree", KIND_BOOL, N, OVER, S(imap.undelete_tree), "no", 0, 0, NULL, "show Recoverable/"},

    {"pop3", "enabled", KIND_BOOL, N, OVER, S(pop3.enabled), "yes", 0, 0, NULL, "may this account use POP3"},
    {"pop3", "idle", KIND_TIME_MS, N, 0, C(pop3.idle_ms), "10m", 10 * MINUTE, 24 * HOUR, NULL, "silence that ends a session (RFC 1939 section 3: at least 10m)"},
    {"pop3", "lock", KIND_CHOICE, N, 0, C(pop3.lock), "session", 0, 0, "session|none", "one session an account, or any number"},
    {"pop3", "capabilities_off", KIND_LIST, N, OVER, S(pop3.capabilities_off), "", 0, 0, NULL, "capabilities that are not offered"},
    {"pop3", "retr_seen", KIND_BOOL, N, OVER, S(pop3.retr_seen), "yes", 0, 0, NULL, "a complete RETR sets \\Seen"},
    {"pop3", "hide_seen", KIND_HIDE, N, OVER, S(pop3.hide_seen_days), "no", 0, 36500, NULL, "do not list messages that were seen, unless POP3 has downloaded them"},
    {"pop3", "hide_downloaded", KIND_BOOL, N, OVER, S(pop3.hide_downloaded), "no", 0, 0, NULL, "do not list messages that POP3 has downloaded"},
    {"pop3", "folders", KIND_LIST, N, OVER, S(pop3.folders), "INBOX", 1, 0, NULL, "mailboxes that make the maildrop"},
    {"pop3", "since", KIND_DATE, N, OVER, S(pop3.since), "", 0, 0, NULL, "only messages that arrived on or after this day"},
    {"pop3", "max_messages", KIND_NUMBER, N, OVER | ZERO, S(pop3.max_messages), "0", 1, UINT32_MAX, NULL, "only the newest; 0: all"},
    {"pop3", "delete", KIND_CHOICE, N, OVER, S(pop3.delete_mode), "expunge", 0, 0, "expunge|trash|hide|keep", "what DELE and QUIT do"},
    {"pop3", "expire", KIND_DAYS, L, OVER, S(pop3.expire_days), "never", 0, 36500, NULL, "expunge this many days after the first download"},
    {"pop3", "login_delay", KIND_SECONDS, L, OVER | ZERO, S(pop3.login_delay_s), "0", 1, 86400, NULL, "seconds between logins (RFC 2449 section 6.5)"},
    {"pop3", "uidl_format", KIND_CHOICE, L, OVER, S(pop3.uidl_format), "dovecot", 0, 0, "dovecot|cyrus|courier|uw|uid|guid", "of UIDL; kept by an account for life"},
    {"pop3", "brake", KIND_BRAKE, N, OVER, S(pop3.brake_messages), "off", 0, 0, NULL, "MESSAGES,PERCENT: a QUIT that deletes more than both only hides"},
    {"pop3", "apop", KIND_BOOL, N, OVER, S(pop3.apop), "no", 0, 0, NULL, "offer APOP"},
    {"pop3", "last", KIND_BOOL, N, OVER, S(pop3.last), "no", 0, 0, NULL, "offer LAST (RFC 1460)"},

    {"lmtp", "enabled", KIND_BOOL, N, OVER, S(lmtp.enabled), "yes", 0, 0, NULL, "may this account get mail"},
    {"lmtp", "idle", KIND_TIME_MS, N, 0, C(lmtp.idle_ms), "5m", 5 * MINUTE, 24 * HOUR, NULL, "silence that ends a session (RFC 5321 section 4.5.3.2.7: at least 5m)"},
    {"lmtp", "recipients", KIND_NUMBER, L, 0, C(lmtp.recipients), "1000", 100, 100000, NULL, "of one transaction (RFC 5321 section 4.5.3.1.8: at least 100)"},
    {"lmtp", "detail", KIND_CHAR, L, 0, C(lmtp.detail), "+", 0, 0, NULL, "between an account and the mailbox in the address of a recipient; empty: nothing is. In a login it is +"},
    {"lmtp", "trusted", KIND_NETWORKS, L, 0, C(lmtp.trusted), "loopback, unix", 0, 0, NULL, "who may connect and send XFORWARD"},

    {"limits", "connections", KIND_NUMBER, R, 0, C(limits.connections), "20000", 8, MANY, NULL, "in all"},
    {"limits", "memory", KIND_SHARE, R, 0, C(limits.memory), "25%", 32 * M, 64 * T, NULL, "of RAM or of the cgroup's limit"},
    {"limits", "per_address", KIND_NUMBER, L, 0, C(limits.per_address), "100", 1, MANY, NULL, "connections of an address (IPv4 /32, IPv6 /64)"},
    {"limits", "handshakes", KIND_NUMBER, L, 0, C(limits.handshakes), "200", 1, MANY, NULL, "TLS handshakes under way"},
    {"limits", "commands_per_second", KIND_NUMBER, L, 0, C(limits.commands_per_second), "200", 1, MANY, NULL, "of a connection; over it reading is delayed"},
    {"limits", "per_user", KIND_NUMBER, L, OVER, S(limits.per_user), "50", 1, MANY, NULL, "sessions of an account"},
    {"limits", "per_user_address", KIND_NUMBER, L, OVER, S(limits.per_user_address), "20", 1, MANY, NULL, "sessions of an account from one address"},
    {"limits", "login", KIND_TIME_MS, L, 0, C(limits.login_ms), "60s", 5 * SECOND, HOUR, NULL, "from accept to login"},
    {"limits", "write_stall", KIND_TIME_MS, L, 0, C(limits.write_stall_ms), "60s", 5 * SECOND, HOUR, NULL, "the client takes no octet"},
    {"limits", "upload_stall", KIND_TIME_MS, L, 0, C(limits.upload_stall_ms), "60s", 5 * SECOND, HOUR, NULL, "the client sends no octet"},
    {"limits", "line_preauth", KIND_SIZE, N, 0, C(limits.line_preauth), "16k", K, M, NULL, "IMAP line before login, with CRLF"},
    {"limits", "line", KIND_SIZE, N, 0, C(limits.line), "64k", 8 * K, 16 * M, NULL, "IMAP line (RFC 2683 section 3.2.1.5: at least 8000)"},
    {"limits", "pop3_line", KIND_SIZE, N, 0, C(limits.pop3_line), "1k", 255, 64 * K, NULL, "POP3 line (RFC 2449 section 4: at least 255)"},
    {"limits", "lmtp_line", KIND_SIZE, N, 0, C(limits.lmtp_line), "4k", K, 64 * K, NULL, "LMTP line"},
    {"limits", "sasl", KIND_SIZE, N, 0, C(limits.sasl), "12288", K, 64 * K, NULL, "line of a SASL exchange, any protocol"},
    {"limits", "literal_preauth", KIND_SIZE, N, 0, C(limits.literal_preauth), "1k", 64, M, NULL, "literal before login"},
    {"limits", "literal", KIND_SIZE, N, 0, C(limits.literal), "64k", K, 16 * M, NULL, "literal; not of APPEND"},
    {"limits", "literals", KIND_NUMBER, N, 0, C(limits.literals), "1000", 4, 100000, NULL, "of one command"},
    {"limits", "command_preauth", KIND_SIZE, N, 0, C(limits.command_preauth), "32k", 2 * K, 16 * M, NULL, "unanswered input before login"},
    {"limits", "command", KIND_SIZE, N, 0, C(limits.command), "1M", 16 * K, 64 * M, NULL, "unanswered input"},
    {"limits", "depth", KIND_NUMBER, N, 0, C(limits.depth), "32", 4, 256, NULL, "parentheses in parentheses"},
    {"limits", "output", KIND_SIZE, N, 0, C(limits.output), "256k", 16 * K, 64 * M, NULL, "high water of what waits to be sent"},
    {"limits", "bad_commands", KIND_NUMBER, N, 0, C(limits.bad_commands), "20", 1, MANY, NULL, "that end a connection"},
    {"limits", "mime_depth", KIND_NUMBER, L, 0, C(limits.mime_depth), "64", 1, 1000, NULL, "parts in parts that are looked at"},
    {"limits", "mime_parts", KIND_NUMBER, L, 0, C(limits.mime_parts), "1000", 1, 65000, NULL, "parts that are looked at"},
    {"limits", "header", KIND_SIZE, L, 0, C(limits.header), "1M", 16 * K, 64 * M, NULL, "octets of a header that are looked at"},
    {"limits", "addresses", KIND_NUMBER, L, 0, C(limits.addresses), "10000", 100, MANY, NULL, "of a message that are looked at"},

    {"log", "to", KIND_LOG_TO, L, 0, C(log), "stderr", 0, 0, NULL, "stderr, journal, or file:PATH"},
    {"log", "level", KIND_CHOICE, L, 0, C(log.level), "info", 0, 0, "error|warn|info|debug", "least important lines that are written"},
    {"log", "format", KIND_CHOICE, L, 0, C(log.format), "kv", 0, 0, "kv|json", "key=value or JSON"},
    {"log", "rate", KIND_NUMBER, L, 0, C(log.rate), "50", 1, MANY, NULL, "lines a second and address"},

    {"daemon", "control", KIND_PATH, R, 0, C(daemon.control), "", 0, CONFIG_UNIX_PATH_MAX, NULL, "socket for tandem; default: control in the store"},
    {"daemon", "metrics", KIND_LOCAL, R, 0, C(daemon.metrics), "", 0, 0, NULL, "unix:PATH or loopback ADDRESS:PORT; default: none"},
    {"daemon", "recorder", KIND_SIZE, R, ZERO, C(daemon.recorder), "8M", 64 * K, G, NULL, "read, not in effect yet: octets of recent traffic a loop keeps; 0: off"},
    {"daemon", "sandbox", KIND_BOOL, R, 0, C(daemon.sandbox), "yes", 0, 0, NULL, "Landlock and seccomp"},

    {"backup", "rate", KIND_SIZE, L, 0, C(backup.rate), "100M", 64 * K, T, NULL, "octets a second"},
};

/* clang-format on */

const unsigned config_keys_n = sizeof config_keys / sizeof *config_keys;

#define GROUP(word, type)                                                                          \
    {                                                                                              \
#word, sizeof(struct type), C(word), C(n_##word), 64                                       \
    }

const struct config_group config_groups[GROUPS] = {
    GROUP(listen, config_listen), GROUP(tls, config_tls_profile), GROUP(ldap, config_ldap),
    GROUP(oauth, config_oauth),   GROUP(hook, config_hook),
};

const struct config_group *config_group_find(const char *section)
{
    for (unsigned i = 0; i < GROUPS; i++)
        if (strcmp(config_groups[i].section, section) == 0)
            return &config_groups[i];
    return NULL;
}

const struct config_key *config_key_find(const char *section, const char *key)
{
    for (unsigned i = 0; i < config_keys_n; i++)
        if (strcmp(config_keys[i].key, key) == 0 && strcmp(config_keys[i].section, section) == 0)
            return &config_keys[i];
    return NULL;
}

static const char *const type_words[] = {
    [KIND_NUMBER] = "number",
    [KIND_SIZE] = "size",
    [KIND_SHARE] = "percentage or size",
    [KIND_TIME_MS] = "time",
    [KIND_TIME_S] = "time",
    [KIND_SECONDS] = "seconds",
    [KIND_BOOL] = "yes|no",
    [KIND_TEXT] = "text",
    [KIND_PATH] = "path",
    [KIND_URL] = "URL",
    [KIND_HOST] = "domain",
    [KIND_CHAR] = "character",
    [KIND_MODE] = "octal",
    [KIND_LIST] = "list",
    [KIND_ADDRESSES] = "list of addresses",
    [KIND_LOCAL] = "address",
    [KIND_NETWORKS] = "list of networks",
    [KIND_ALIASES] = "list of NAME:MAILBOX",
    [KIND_AGES] = "list of MAILBOX:TIME",
    [KIND_SOURCES] = "list of sources",
    [KIND_MECHANISMS] = "list of mechanisms",
    [KIND_DELAY] = "TIME..TIME",
    [KIND_DAYS] = "never|DAYS",
    [KIND_HIDE] = "yes|no|after:DAYS",
    [KIND_DATE] = "YYYY-MM-DD",
    [KIND_BRAKE] = "off|MESSAGES,PERCENT",
    [KIND_LOG_TO] = "stderr|journal|file:PATH",
};

bool config_key_info(unsigned i, struct config_key_info *ret)
{
    if (i >= config_keys_n)
        return false;
    const struct config_key *k = &config_keys[i];
    *ret = (struct config_key_info){
        .section = k->section,
        .key = k->key,
        .type = k->kind == KIND_CHOICE ? k->words : type_words[k->kind],
        .fallback = k->fallback,
        .help = k->help,
        .class = k->class,
        .overridable = k->flags & KEY_OVER,
        .named = config_group_find(k->section) != NULL,
    };
    return true;
}
