/* One LMTP session, from greeting to the end of its connection.
 *
 *      GREETED --LHLO--> READY --MAIL--> MAIL --RCPT--> RCPT --DATA--> receive, deliver --> READY
 *                          ^               |              |---BDAT--> CHUNKS --LAST--> deliver --^
 *                          '-------RSET, LHLO, end--------'--------------'
 *      any --STARTTLS--> GREETED
 *
 * Commands run one at a time, in order; steps run only inside the conn's own callbacks. A message
 * is written into the store while it comes and belongs to nobody before its last octet: a
 * connection that ends inside DATA leaves nothing. */
#ifndef TANDEM_LMTP_SESSION_H
#define TANDEM_LMTP_SESSION_H

#include "auth/auth.h"
#include "core/base/arena.h"
#include "core/base/buf.h"
#include "core/base/config.h"
#include "core/base/err.h"
#include "core/base/log.h"
#include "core/net/conn.h"
#include "core/net/dot.h"
#include "core/net/line.h"
#include "core/net/step.h"
#include "lmtp/parse.h"
#include "store/store.h"

struct lmtp_command;

enum lmtp_state {
    LMTP_GREETED = 1, /* no LHLO yet */
    LMTP_READY = 2,
    LMTP_MAIL = 4,   /* a sender, no recipient yet */
    LMTP_RCPT = 8,   /* at least one recipient was accepted */
    LMTP_CHUNKS = 16 /* the message has begun to come by BDAT */
};

/* One mailbox that is to have the message, however many recipients lead to it. */
struct lmtp_target {
    struct store_account *account;
    struct slice path;
    uint64_t message_octets; /* limit of the account */
    unsigned shard;
    struct slice rcpt; /* the first recipient that led here; kept beside the message when there are
                          several (CONTRACTS 14) */
    bool wanted;       /* by a recipient that is still to be answered well */
    bool stored;
    enum err err;
    uint32_t uid; /* when stored */
};

/* One accepted RCPT. */
struct lmtp_rcpt {
    struct slice path; /* as it came */
    uint32_t *targets; /* indexes; several for an alias, which stands or falls as one */
    uint32_t ntargets;
    struct auth_recipient *accounts; /* to be closed */
    size_t naccounts;
    bool *had;    /* by target: it has the message from an attempt before; NULL: none has */
    enum err err; /* known before the store was asked */
};

/* The message on its way into one shard. */
struct lmtp_part {
    unsigned shard;
    struct store_incoming *in; /* NULL: refused, or given to the store */
    enum err err;
};

/* Everything between MAIL and the end of its data. Strings and small arrays are in `arena`. */
struct lmtp_transaction {
    struct arena arena;
    struct slice sender; /* path of MAIL; empty: <> */
    uint64_t size;       /* as announced; 0: not */
    bool smtputf8;
    struct lmtp_rcpt *rcpts;
    size_t nrcpts, rcpts_cap;
    struct lmtp_target *targets;
    size_t ntargets, targets_cap;

    /* DATA, BDAT */
    struct lmtp_part *parts;
    size_t nparts;
    struct dot_decoder dots;   /* DATA */
    bool chunked;              /* BDAT */
    uint64_t chunk;            /* octets of the chunk that are still to come */
    struct XXH3_state_s *hash; /* of the message as received; NULL: nobody will ask */
    size_t stuck;              /* octets of input whose content not all parts have taken; 0: none */
    size_t stuck_at;           /* the part that has not */
    size_t prefix;             /* octets put in front of the message */
    bool judged;               /* all data have come, and who is to have them is known */
    size_t delivered;          /* parts that the store has answered for */
    uint64_t octets;           /* of the message as stored, with the prefix */
    struct buf head;           /* the first octets of the message, for its Message-ID */
    bool head_done;
};

/* What XFORWARD has told of the message to come; empty strings: nothing. */
struct lmtp_forward {
    char helo[256];
    char ident[256]; /* queue id */
    bool has_address;
    unsigned char address[16]; /* IPv4 mapped */
};

struct lmtp_session {
    struct conn *conn;
    enum lmtp_state state;
    struct line_reader lines;
    struct buf helo;
    struct lmtp_forward forward;
    unsigned bad;     /* commands that were no commands */
    uint64_t counter; /* of transactions: the id in Received */
    bool leaving;
    enum conn_end leave_why;

    /* The command under way; NULL: none. */
    const struct lmtp_command *command;
    struct lmtp_args args; /* in the arena */
    struct arena arena;
    void *progress;
    bool waiting; /* STEP_WAIT */

    struct lmtp_transaction mail;
};

/* What lmtp_setup was given. */
struct lmtp_app {
    struct store *store;
    struct auth *auth;
    struct halves *halves;
};
extern struct lmtp_app lmtp_app;

void lmtp_state_set(struct lmtp_session *s, enum lmtp_state state);
void *lmtp_progress(struct lmtp_session *s, size_t size);
enum step lmtp_wait(struct lmtp_session *s);
void lmtp_wake(struct lmtp_session *s); /* for completions, which are given the conn */
struct store_to lmtp_to(struct lmtp_session *s, store_done *done);
struct store_reader *lmtp_reader(struct lmtp_session *s);
const struct config *lmtp_config(const struct lmtp_session *s); /* newest: keys of class LIVE */

void lmtp_log_begin(const struct lmtp_session *s, struct log_line *l, enum log_level level,
                    const char *event);
void lmtp_log_end(const struct lmtp_session *s, struct log_line *l);

/* --- reply.c: the only file that knows words and codes for errors -------------------------------
 */
void lmtp_say(struct lmtp_session *s, const char *line); /* our own good answers */
/* The code and words of `e`. STEP_DONE, so that failing is one line. */
enum step lmtp_fail(struct lmtp_session *s, enum err e);
enum step lmtp_unknown(struct lmtp_session *s);     /* not a command of LMTP, or not a line */
enum step lmtp_unsupported(struct lmtp_session *s); /* a parameter of MAIL or RCPT */
/* Will the client try again? */
bool lmtp_is_temporary(enum err e);
/* The answer for one recipient after the data. */
void lmtp_answer_rcpt(struct lmtp_session *s, const struct lmtp_rcpt *rcpt, enum err e);
void lmtp_log_refused(struct lmtp_session *s, struct slice rcpt, enum err e);

/* --- transaction.c
 * -------------------------------------------------------------------------------- */
/* Forget sender, recipients and what has come of a message; back to READY. */
void lmtp_transaction_end(struct lmtp_session *s);
/* Octets of the largest message that any account here takes (RFC 1870 section 4). */
uint64_t lmtp_size_max(const struct lmtp_session *s);

/* --- upload.c: octets of the client into the store -------------------------------------------- */
/* Open what the message is written into, and put the trace fields in front. */
MUST_CHECK enum err lmtp_upload_begin(struct lmtp_session *s);
/* STEP_DONE: the data, or the chunk, have come; STEP_MORE, STEP_WAIT. */
enum step lmtp_upload_receive(struct lmtp_session *s);
/* The conn's limits while octets are expected. */
void lmtp_upload_mark(struct lmtp_session *s, bool under_way);

/* --- trace.c: what is put in front of a message, and what is read in it
 * --------------------------- */
MUST_CHECK enum err lmtp_trace_header(struct lmtp_session *s, struct buf *to);
void lmtp_head_add(struct lmtp_transaction *t, struct slice content);
struct slice lmtp_head_message_id(const struct lmtp_transaction *t);

/* --- deliver.c
 * ------------------------------------------------------------------------------------ */
/* All data have come: hand them to the store and answer each recipient. Called until STEP_DONE. */
enum step lmtp_deliver(struct lmtp_session *s);

#endif
