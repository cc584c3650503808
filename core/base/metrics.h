/* What is counted and measured, printed as OpenMetrics text. Labels are small numbers, never a user
 * or an address. Counting is a relaxed addition in memory of the calling thread's own (a few
 * threads may share a shard); reading adds the shards up. Any thread; no locks, except where a
 * function says so.
 *
 * A metric is one row of METRICS_LIST: id, name, type, scale, labels, help. `scale` is what a value
 * is divided by when it is printed: times are counted in ns and printed in seconds. */
#ifndef TANDEM_BASE_METRICS_H
#define TANDEM_BASE_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"

struct buf;

/* clang-format off */
#define METRICS_LIST(X)                                                                                             \
    X(CONNECTIONS, "connections", SUM, 1, LABELS(PROTO, TLS, STATE), "Open connections")                            \
    X(LOGINS, "logins", COUNTER, 1, LABELS(PROTO, LOGIN, ONE), "Logins")                                            \
    X(COMMANDS, "commands", COUNTER, 1, LABELS(PROTO, VERB, RESULT), "Commands")                                    \
    X(COMMAND_SECONDS, "command_seconds", TIMES, 1e9, LABELS(PROTO, VERB, ONE), "Time of a command")                \
    X(BYTES, "bytes", COUNTER, 1, LABELS(PROTO, DIR, LAYER), "Octets")                                              \
    X(DELIVERIES, "deliveries", COUNTER, 1, LABELS(DELIVERY, ONE, ONE), "Recipients of mail that came in")          \
    X(LIMIT_HITS, "limit_hits", COUNTER, 1, LABELS(LIMIT, ONE, ONE), "A limit was reached")                         \
    X(LOOP_STALL, "loop_stall_seconds", TIMES, 1e9, LABELS(LOOP, ONE, ONE), "Turns of a loop over 10 ms")           \
    X(POOL_QUEUE, "pool_queue", GAUGE, 1, LABELS(ONE, ONE, ONE), "Jobs that wait for a worker")                     \
    X(COMMIT_SECONDS, "commit_seconds", TIMES, 1e9, LABELS(ONE, ONE, ONE), "Time of a commit")                      \
    X(COMMIT_OPS, "commit_ops", SIZES, 1, LABELS(ONE, ONE, ONE), "Operations of a commit")                          \
    X(COMMIT_QUEUE, "commit_queue", GAUGE, 1, LABELS(SHARD, ONE, ONE), "Operations that wait for a commit")         \
    X(READER_AGE, "reader_age_seconds", GAUGE, 1e9, LABELS(ONE, ONE, ONE), "Age of the oldest read transaction")    \
    X(STORE_PAGES, "store_pages", GAUGE, 1, LABELS(SHARD, PAGES, ONE), "Pages of a shard")                          \
    X(REAP_BACKLOG, "reap_backlog_bytes", GAUGE, 1, LABELS(ONE, ONE, ONE), "Bodies that wait to be deleted")        \
    X(UNDELETE, "undelete_bytes", GAUGE, 1, LABELS(ONE, ONE, ONE), "Bodies kept by the undelete window")            \
    X(MEMORY, "memory_bytes", GAUGE, 1, LABELS(MEMORY, ONE, ONE), "Memory by class (budget)")                       \
    X(RECORDER_DROPPED, "recorder_dropped", COUNTER, 1, LABELS(ONE, ONE, ONE), "Records a watcher did not get")     \
    X(HOOK_DROPPED, "hook_dropped", COUNTER, 1, LABELS(ONE, ONE, ONE), "Events a hook did not get")                 \
    X(EXPIRED, "expired", COUNTER, 1, LABELS(EXPIRED, ONE, ONE), "Messages removed by age")                         \
    X(CERT_EXPIRY, "cert_expiry_seconds", GAUGE, 1, LABELS(CERT, ONE, ONE), "Time left of a certificate")           \
    X(RELOADS, "reloads", COUNTER, 1, LABELS(RELOAD, ONE, ONE), "Reloads of the configuration")                     \
    X(UP, "up", GAUGE, 1, LABELS(ONE, ONE, ONE), "1 while the daemon serves")
/* clang-format on */

enum metric {
#define X(id, name, type, scale, labels, help) METRIC_##id,
    METRICS_LIST(X)
#undef X
        METRICS
};

/* Values of labels; each enum in the order of the words it is printed as. */
enum metric_proto { METRIC_IMAP, METRIC_POP3, METRIC_LMTP, METRIC_PROTOS };
enum metric_state { METRIC_PREAUTH, METRIC_AUTHED };
enum metric_login { METRIC_LOGIN_OK, METRIC_LOGIN_FAILED, METRIC_LOGIN_REFUSED, METRIC_LOGIN_DOWN };
enum metric_result { METRIC_OK, METRIC_NO, METRIC_BAD }; /* POP3: +OK, -ERR, not understood */
enum metric_dir { METRIC_IN, METRIC_OUT };
enum metric_layer { METRIC_NET, METRIC_APP }; /* with and without TLS and DEFLATE */
enum metric_delivery { METRIC_DELIVERED, METRIC_DEFERRED, METRIC_REFUSED };
enum metric_pages { METRIC_FILE, METRIC_USED, METRIC_FREE };
enum metric_expired { METRIC_EXPIRED_POP3, METRIC_EXPIRED_AUTO, METRIC_EXPIRED_UNDELETE };
enum metric_reload { METRIC_RELOAD_OK, METRIC_RELOAD_FAILED };

#define METRIC_LIMIT_LIST(X)                                                                       \
    X(CONNECTIONS, "connections")                                                                  \
    X(MEMORY, "memory")                                                                            \
    X(PER_ADDRESS, "per_address")                                                                  \
    X(HANDSHAKES, "handshakes")                                                                    \
    X(COMMANDS_PER_SECOND, "commands_per_second")                                                  \
    X(PER_USER, "per_user")                                                                        \
    X(PER_USER_ADDRESS, "per_user_address")                                                        \
    X(LOGIN, "login")                                                                              \
    X(IDLE, "idle")                                                                                \
    X(STALL, "stall")                                                                              \
    X(LINE, "line")                                                                                \
    X(LITERAL, "literal")                                                                          \
    X(COMMAND, "command")                                                                          \
    X(DEPTH, "depth")                                                                              \
    X(BAD_COMMANDS, "bad_commands")                                                                \
    X(FAILURES, "failures")                                                                        \
    X(MESSAGE_SIZE, "message_size")                                                                \
    X(RECIPIENTS, "recipients")                                                                    \
    X(OTHER, "other")

enum metric_limit {
#define X(id, word) METRIC_LIMIT_##id,
    METRIC_LIMIT_LIST(X)
#undef X
        METRIC_LIMITS
};

enum { METRIC_VERBS_MAX = 64, METRIC_CERTS_MAX = 64 };

/* The general call: labels in the order of the row, 0 for those it has not. */
void metrics_add(enum metric m, unsigned a, unsigned b, unsigned c, int64_t n); /* SUM, COUNTER */
void metrics_set(enum metric m, unsigned a, unsigned b, int64_t value);         /* GAUGE */
void metrics_observe(enum metric m, unsigned a, unsigned b, uint64_t value);    /* TIMES, SIZES */

static inline void metrics_connection(enum metric_proto p, bool tls, enum metric_state s, int by)
{
    metrics_add(METRIC_CONNECTIONS, p, tls, s, by);
}

static inline void metrics_login(enum metric_proto p, enum metric_login result)
{
    metrics_add(METRIC_LOGINS, p, result, 0, 1);
}

/* verb: index in the names given to metrics_verbs; anything beyond them counts as "other". */
void metrics_command(enum metric_proto p, unsigned verb, enum metric_result result, uint64_t ns);

static inline void metrics_bytes(enum metric_proto p, enum metric_dir d, enum metric_layer l,
                                 uint64_t octets)
{
    metrics_add(METRIC_BYTES, p, d, l, (int64_t)octets);
}

static inline void metrics_delivery(enum metric_delivery result)
{
    metrics_add(METRIC_DELIVERIES, result, 0, 0, 1);
}

static inline void metrics_limit(enum metric_limit limit)
{
    metrics_add(METRIC_LIMIT_HITS, limit, 0, 0, 1);
}

/* The names of a protocol's commands, which must stay where they are: once at start, before
 * threads. At most METRIC_VERBS_MAX - 1. */
void metrics_verbs(enum metric_proto p, const char *const *names, unsigned n);
/* Time left of the certificate `name` (of a [tls NAME]; "" is shown as "default"). Takes a lock;
 * beyond METRIC_CERTS_MAX names it does nothing. */
void metrics_cert_expiry(const char *name, int64_t seconds);

/* All of it, with the closing `# EOF`. Series of verbs and loops are left out until they count.
 * ERR_LIMIT: `b` is full. */
MUST_CHECK enum err metrics_print(struct buf *b);

#endif
