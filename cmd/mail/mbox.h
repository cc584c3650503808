/* An mbox in memory, taken apart. Between messages stands a From_ line. What servers know of a
 * message stands in fields of its header, which are no part of it:
 *
 *      Status: R (seen) O (not recent)      X-Status: A F D T      X-Keywords: words
 *      X-UID: UID      X-IMAPbase: UIDVALIDITY LAST-UID, in the first message
 *      X-IMAP: the same, in a first message that is none      Content-Length: octets of the text
 *
 * Lines of text that begin with "From " are written with a '>' in front (mboxrd: one more '>' where
 * there were some), or, where Content-Length says how far the text goes, as they are. So a
 * Content-Length is believed where it is right, and then nothing is unquoted. */
#ifndef TANDEM_CMD_MAIL_MBOX_H
#define TANDEM_CMD_MAIL_MBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/slice.h"

enum { MBOX_KEYWORDS_MAX = 64, MBOX_KEYWORD_OCTETS = 255 }; /* longer ones are passed over */

struct mbox_message {
    struct slice header, text; /* of the file; the blank line is in the header */
    bool counted;              /* Content-Length is right: the text is as it was */
    bool cut;                  /* the file ends before the text does */
    uint64_t announced;        /* Content-Length, when cut */
    uint32_t date;
    int8_t zone;
    uint32_t uid; /* 0: none */
    uint8_t flags;
    bool recent;
    struct slice keywords[MBOX_KEYWORDS_MAX];
    size_t nkeywords;
    bool internal;                 /* not a message: what some servers put first */
    uint32_t uidvalidity, uidlast; /* of the mailbox; the first message alone says so */
};

/* Take one message off the front of *rest. False: the end. ret->header empty: what stands there is
 * no From_ line, and *rest is at the next one. */
bool mbox_next(struct slice *rest, struct mbox_message *ret);
/* The octets of the message, piece by piece. */
void mbox_each(const struct mbox_message *message, void (*piece)(void *arg, struct slice octets),
               void *arg);
/* Is it one of the fields above? */
bool mbox_field_is_ours(struct slice name);

#endif
