/* The journal, read: who did what to the mail of an account, and what became of one message. For
 * the admin tool; worker or tool thread. */
#ifndef TANDEM_STORE_HISTORY_H
#define TANDEM_STORE_HISTORY_H

#include "store/keys.h"
#include "store/store.h"

struct history_line {
    uint64_t seq;
    struct row_log row;       /* its ranges are lent until the reader idles */
    struct row_log_conn conn; /* address and client; lent too. Zero: nothing is known of them */
};

/* Lines about flags and downloads wait up to a minute in memory: write them now, so that what is
 * read is all. */
void history_flush(struct store_account *account, struct store_to to);
/* The first line at or after `seq`. ERR_NOTFOUND: there is none. */
MUST_CHECK enum err history_at(struct store_reader *reader, struct store_account *account,
                               uint64_t seq, struct history_line *ret);
/* The last line before `seq`; UINT64_MAX: the newest. ERR_NOTFOUND. */
MUST_CHECK enum err history_before(struct store_reader *reader, struct store_account *account,
                                   uint64_t seq, struct history_line *ret);

/* Where a message is or was: its UID never belongs to another. */
struct place {
    uint32_t m, uid;
};

/* Does the line name this message, where it is after that? *ret_then: where it was before, {0} if
 * the line does not say that it came from elsewhere. A line about the whole mailbox names all of
 * its messages. */
bool history_names(const struct history_line *line, struct place place, struct place *ret_then);
/* Does it say that the message went from this place, and where to? LOG_COPIED: it stays there too.
 */
bool history_takes(const struct history_line *line, struct place place, struct place *ret_now);

/* Path of a mailbox, also of a deleted one; lent until the reader idles. ERR_NOTFOUND. */
MUST_CHECK enum err history_path(struct store_reader *reader, struct store_account *account,
                                 uint32_t m, struct slice *ret);
/* The mailbox of a path: the one that is there, else the newest of the deleted ones. */
MUST_CHECK enum err history_mailbox(struct store_reader *reader, struct store_account *account,
                                    struct slice path, uint32_t *ret_m);
/* The envelope recipient kept with the message, if any; lent. ERR_NOTFOUND: no such message, not in
 * the undelete window either. */
MUST_CHECK enum err history_rcpt(struct store_reader *reader, struct store_account *account,
                                 struct place place, struct slice *ret);
/* The messages that came with this Message-ID and have a row still: at most `max`. ERR_SYNTAX. */
MUST_CHECK enum err history_find(struct store_reader *reader, struct store_account *account,
                                 struct slice message_id, struct place *ret, size_t max,
                                 size_t *ret_n);

#endif
