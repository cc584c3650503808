/* Mail on its way between the store and another program's files: what a reader of a Maildir or mbox
 * writes and `tandem import` takes, what `tandem export` gives and a writer of files takes. Reader
 * and writer run as whoever called the tool, in a process of their own; import and export run
 * beside the store. Between them flows a stream of records, as control frames are made: u32 length
 * of the payload in network order, u8 type, payload.
 *
 *      stream  = TOTAL *( MAILBOX *( MESSAGE *OCTETS END ) / SUBSCRIBED ) DONE
 *
 *      T  JSON {account, messages, octets}
 *      B  JSON {path, shown, uidvalidity, uidnext}: the mailbox of the messages that follow
 *      M  JSON {name, id, uid, flags, keywords, date, zone, recent, order, uidl, guid, size}
 *      O  octets of the message, at most 64 KiB
 *      E  the message is whole; or the text that says why it cannot be had
 *      S  a path that the user has subscribed to
 *      C  a line about a message or folder that was left out (C and N: anywhere between records)
 *      N  a line about something of which not all could be kept
 *      X  a line about why there is nothing (more); ends the stream
 *      Z  the end
 *
 * A stream without its end was cut off. What is not set is not in a JSON object. */
#ifndef TANDEM_CMD_MAIL_RECORD_H
#define TANDEM_CMD_MAIL_RECORD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "core/base/arena.h"
#include "core/base/attr.h"
#include "core/base/buf.h"
#include "core/base/slice.h"

enum record_type {
    RECORD_TOTAL = 'T',
    RECORD_MAILBOX = 'B',
    RECORD_MESSAGE = 'M',
    RECORD_OCTETS = 'O',
    RECORD_END = 'E',
    RECORD_SUBSCRIBED = 'S',
    RECORD_COMPLAINT = 'C',
    RECORD_NOTE = 'N',
    RECORD_FAILED = 'X',
    RECORD_DONE = 'Z'
};
enum { RECORD_HEAD = 5, RECORD_MAX = 64 << 10, RECORD_KEYWORDS_MAX = 64 };

struct record_total {
    struct slice account; /* whose mail it is, of an export */
    uint64_t messages, octets;
};

struct record_mailbox {
    struct slice path;             /* UTF-8, '/' between components */
    struct slice shown;            /* how the source spells it, where that differs; for people */
    uint32_t uidvalidity, uidnext; /* 0: the source has none */
};

struct record_message {
    struct slice name; /* of the file, or number: for people */
    struct slice id;   /* what tells it from all others of its mailbox in the source */
    uint32_t uid, order;
    uint8_t flags; /* FLAG_ of store.h */
    int8_t zone;   /* of the date, in 15 minutes */
    bool recent;
    uint32_t date; /* INTERNALDATE */
    uint64_t size; /* octets to come, if that is known */
    struct slice keywords[RECORD_KEYWORDS_MAX];
    size_t nkeywords;
    struct slice uidl; /* that POP3 gave it for certain */
    struct slice guid; /* UIDL of an account whose uidl_format is guid */
};

/* --- writing, buffered. Once a write has failed nothing more is written. */
typedef bool record_sink(void *arg, struct slice octets); /* false: it takes no more */
struct record_out {
    record_sink *write;
    void *arg;
    bool broken;
    size_t len;
    char octets[RECORD_HEAD + RECORD_MAX];
};

void record_out_init(struct record_out *out, record_sink *write, void *arg);
void record_flush(struct record_out *out);
void record_put(struct record_out *out, enum record_type type, struct slice payload);
void record_put_text(struct record_out *out, enum record_type type, const char *format, ...)
    PRINTF_LIKE(3, 4);
void record_put_octets(struct record_out *out, struct slice octets); /* in pieces */
void record_put_total(struct record_out *out, const struct record_total *total);
void record_put_mailbox(struct record_out *out, const struct record_mailbox *mailbox);
void record_put_message(struct record_out *out, const struct record_message *message);

/* --- reading. The payload is lent until the next record; decoded texts live in the arena. */
typedef ssize_t record_source(void *arg, char *to, size_t cap); /* 0: the end; -1: it broke off */
struct record_in {
    record_source *read;
    void *arg;
    size_t at, len;
    char octets[2 * (RECORD_HEAD + RECORD_MAX)];
};
struct record {
    enum record_type type;
    struct slice payload;
};

void record_in_init(struct record_in *in, record_source *read, void *arg);
/* False: the stream ended or broke off, or is none of ours. */
MUST_CHECK bool record_next(struct record_in *in, struct record *ret);
MUST_CHECK bool record_get_total(struct slice payload, struct arena *arena,
                                 struct record_total *ret);
MUST_CHECK bool record_get_mailbox(struct slice payload, struct arena *arena,
                                   struct record_mailbox *ret);
MUST_CHECK bool record_get_message(struct slice payload, struct arena *arena,
                                   struct record_message *ret);
/* Both over a descriptor: arg points to it. */
ssize_t record_read_fd(void *arg, char *to, size_t cap);
bool record_write_fd(void *arg, struct slice octets);

#endif
