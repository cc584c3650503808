/* The log: one line per event, `2026-11-22T07:00:00.123456Z info login: proto=imap user=... `.
 *
 * A line is built on the stack and handed over whole. In a value every octet below 0x21 or above
 * 0x7e and each of = " \ is written \xHH, so that nothing foreign can forge a field or a line; JSON
 * has the same keys. A value that is too long is cut and ends in "..."; the line stays whole.
 * A line of a connection begins with proto= and ends with session= (log_hex64).
 *
 *      struct log_line l;
 *      log_begin(&l, LOG_INFO, "login");
 *      log_str(&l, "proto", "imap");
 *      log_slice(&l, "user", name);
 *      log_u64(&l, "cmds", n);
 *      log_hex64(&l, "session", id);
 *      log_end(&l);
 *
 * No caller ever waits for the log: between log_start_thread and log_stop lines go through a
 * bounded ring that one thread writes out; when it is full lines are dropped, counted and told as
 * `log-dropped: n=...`. Outside that time log_end writes by itself. Secrets are the caller's
 * business: what is given is written. Thread: any, unless a function says otherwise. */
#ifndef TANDEM_BASE_LOG_H
#define TANDEM_BASE_LOG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/err.h"
#include "core/base/slice.h"

struct fault;

enum log_level { LOG_ERROR, LOG_WARN, LOG_INFO, LOG_DEBUG };
enum log_to { LOG_TO_STDERR, LOG_TO_JOURNAL, LOG_TO_FILE };
enum log_format { LOG_KV, LOG_JSON };

/* [log] of the configuration. */
struct log_conf {
    enum log_to to;
    enum log_level level;
    enum log_format format;
    const char *path; /* of LOG_TO_FILE */
    uint32_t rate;    /* lines a second and address; for peer_may_log, not used here */
};

/* Where lines go from now on (copied; before the first call: stderr, info, kv). On error nothing
 * has changed. ERR_DOWN: file or journal socket cannot be opened; the fault says which and why. */
MUST_CHECK enum err log_setup(const struct log_conf *conf, struct fault *why);
/* Open a log file again under its name (after it was rotated away). ERR_DOWN as in log_setup. */
MUST_CHECK enum err log_reopen(struct fault *why);
void log_start_thread(void); /* after the last fork */
/* Write what is in the ring (waiting at most two seconds for a reader that stands still), end the
 * thread. */
void log_stop(void);

enum { LOG_LINE_MAX = 4096 };

struct log_line {
    uint16_t len;
    uint8_t level, format;
    bool on; /* passes the level; else the calls below do nothing */
    char text[LOG_LINE_MAX];
};

bool log_wants(enum log_level level); /* one relaxed load */
enum log_format log_format(void);     /* as set up */
/* event and keys: literals of ours, written as they are. */
void log_begin(struct log_line *l, enum log_level level, const char *event);
void log_slice(struct log_line *l, const char *key, struct slice value);
void log_str(struct log_line *l, const char *key, const char *value); /* NULL: empty */
void log_u64(struct log_line *l, const char *key, uint64_t value);
void log_i64(struct log_line *l, const char *key, int64_t value);
void log_bool(struct log_line *l, const char *key, bool value);      /* yes, no */
void log_hex64(struct log_line *l, const char *key, uint64_t value); /* 16 digits */
void log_fault(struct log_line *l, const struct fault *why);         /* code=word why=text */
void log_end(struct log_line *l);

/* For events without a connection and without foreign bytes worth a field of their own:
 * `EVENT: why=...`. */
void log_note(enum log_level level, const char *event, const char *format, ...) PRINTF_LIKE(3, 4);

uint64_t log_dropped(void); /* lines lost so far */

#endif
