/* The load generator: many connections that each walk the same short conversation, from one thread
 * on one epoll. It is cheap beside a server because it looks at answers only as far as a client
 * must to know that they are whole: the first and last octets of each line, and the size of
 * literals.
 *
 * A plan (load_plan.c) is text:
 *
 *     seconds 3
 *     group clients connections=8 protocol=imap address=127.0.0.1 port=10143 users=u%u count=50
 *     setup
 *     connect
 *     expect * OK
 *     send a LOGIN ${user} secret\r\n
 *     expect a OK
 *     each
 *     send b NOOP\r\n
 *     expect b OK
 *
 * Group attributes besides these: tls=yes; first=N (number of the first user); per=N (operations of
 * one walk through `each`); limit=N (walks of the group in all); at_once=N (connections that set up
 * at the same time); spread=yes (each connection comes from an address of its own, as people do);
 * background=yes (does not keep the run going, and is cut off at its end).
 *
 * Steps: connect (with the TLS handshake, the whole of it), close, send TEXT, expect START (a final
 * answer: IMAP skips other lines and literals, LMTP the lines that go on, POP3 nothing), await TEXT
 * (a line that has it), lines (up to the dot of POP3), loop N ... next, take PATH (a file, or the
 * next one of a folder), pause MS (or LOW HIGH: any time between), stamp and since (time from this
 * connection's stamp to here, or from the newest one of all where it has made none).
 *
 * In a TEXT: \r \n \\, ${user}, ${i} (count of the loop, from 1), ${connection} (from 0),
 * ${number} (8 digits, never the same twice), ${random:LOW:HIGH}, and of what was taken ${size} and
 * ${octets}, in which the first @@@@@@@@ becomes a ${number}. */
#ifndef TANDEM_BENCH_LOAD_H
#define TANDEM_BENCH_LOAD_H

#include <gnutls/gnutls.h>
#include <stdbool.h>
#include <stdint.h>

#include "core/base/buf.h"
#include "core/base/slice.h"

enum load_protocol { LOAD_IMAP, LOAD_POP3, LOAD_LMTP };

enum load_verb {
    STEP_CONNECT,
    STEP_CLOSE,
    STEP_SEND,
    STEP_EXPECT,
    STEP_AWAIT,
    STEP_LINES,
    STEP_LOOP,
    STEP_NEXT,
    STEP_TAKE,
    STEP_PAUSE,
    STEP_STAMP,
    STEP_SINCE
};

enum load_part_kind {
    PART_TEXT,
    PART_USER,
    PART_LOOP,
    PART_CONNECTION,
    PART_NUMBER,
    PART_RANDOM,
    PART_SIZE,
    PART_OCTETS
};

/* A piece of what is sent. */
struct load_part {
    enum load_part_kind kind;
    struct slice text;
    unsigned low, high;
};

struct load_file {
    struct slice octets;
    size_t number_at; /* of the @@@@@@@@; octets.len: there is none */
};

struct load_step {
    enum load_verb verb;
    struct slice text;       /* expect, await */
    struct load_part *parts; /* send */
    unsigned n_parts;
    unsigned count; /* loop: how often, pause: milliseconds, next: the step behind its loop */
    unsigned most;  /* pause */
    struct load_file *files;
    unsigned n_files, next_file;
};

struct load_group {
    char name[32], address[64], users[32];
    enum load_protocol protocol;
    unsigned connections, port, first, count, per, limit, at_once;
    bool tls, background, spread;
    struct load_step *setup, *each;
    unsigned n_setup, n_each;
    /* while it runs */
    unsigned setting_up, ready, walks, walking, next_connection;
    uint64_t operations, received;
    bool samples_since; /* latency is what `since` says, not the time of a walk */
    uint64_t *samples_us;
    unsigned n_samples, samples_room;
};

struct load_plan {
    double seconds;
    struct load_group *groups;
    unsigned n_groups;
};

enum { LINE_HEAD = 160, LINE_TAIL = 24 };

struct load_conn {
    struct load_group *group;
    unsigned index;
    int fd;
    bool watched, watched_write, connecting, shaking, walking;
    gnutls_session_t tls;
    struct load_step *steps;
    unsigned n_steps, at, turn; /* of the innermost loop */
    const struct load_file *taken;
    uint64_t began_ns, wake_ns, stamp_ns;
    struct buf out;
    size_t sent;
    /* the line that is being read */
    char head[LINE_HEAD], tail[LINE_TAIL];
    unsigned n_head, n_tail;
    uint64_t literal_left;
};

/* Ends the program with a message when the plan is wrong. */
void load_plan_read(struct load_plan *plan, const char *path);

/* What the loop of load.c does for a connection. */
void load_watch(struct load_conn *c, bool write);
void load_unwatch(struct load_conn *c);
_Noreturn void load_die(const struct load_conn *c, const char *format, ...) PRINTF_LIKE(2, 3);

/* Walk on as far as the connection's answers allow. True when it came to the end of its steps. */
bool load_walk(struct load_conn *c);
/* The descriptor is ready: read, write, shake hands, and walk on. The same answer. */
bool load_ready(struct load_conn *c);
void load_drop(struct load_conn *c);

void load_sample(struct load_group *g, uint64_t ns);

#endif
