/* tandem journal, why: what happened to the mail of an account, or to one message, and by whom. */
#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "cmd/setup.h"
#include "cmd/verb.h"
#include "cmd/when.h"
#include "core/base/buf.h"
#include "core/base/mem.h"
#include "store/history.h"

enum { IDLE_EVERY = 256, UIDS_MAX = 1024, MESSAGES_MAX = 256 };

/* --- words --------------------------------------------------------------------------------------
 */

static const char *word_of(const struct row_log *row)
{
    switch ((enum log_what)row->what) {
    case LOG_ARRIVED:
        return "arrived";
    case LOG_COPIED:
        return "copied";
    case LOG_MOVED:
        return "moved";
    case LOG_EXPUNGED:
        return "expunged";
    case LOG_RESTORED:
        return row->nranges ? "restored" : "mailbox-restored";
    case LOG_EXPIRED:
        return "expired";
    case LOG_FLAGS:
        return "flags";
    case LOG_DOWNLOADED:
        return "downloaded";
    case LOG_HIDDEN:
        return "hidden-from-pop3";
    case LOG_MBOX_CREATED:
        return "mailbox-created";
    case LOG_MBOX_DELETED:
        return "mailbox-deleted";
    case LOG_MBOX_RENAMED:
        return "mailbox-renamed";
    }
    return "unknown";
}

static const char *protocol_of(const struct row_log *row)
{
    static const char *const words[] = {
        [PROTO_NONE] = NULL,   [PROTO_IMAP] = "imap",      [PROTO_POP3] = "pop3",
        [PROTO_LMTP] = "lmtp", [PROTO_CONTROL] = "tandem", [PROTO_TIMER] = "timer"};
    return row->proto < sizeof words / sizeof *words ? words[row->proto] : NULL;
}

/* "+\Seen -\Flagged" */
static void flags_text(uint32_t detail, struct buf *to)
{
    static const struct {
        uint8_t flag;
        const char *word;
    } names[] = {
        {FLAG_SEEN,     "\\Seen"    },
        {FLAG_ANSWERED, "\\Answered"},
        {FLAG_FLAGGED,  "\\Flagged" },
        {FLAG_DELETED,  "\\Deleted" },
        {FLAG_DRAFT,    "\\Draft"   },
        {LOG_KEYWORDS,  "keywords"  },
    };
    enum err e = ERR_OK;
    for (unsigned sign = 0; sign < 2; sign++)
        for (size_t i = 0; !e && i < sizeof names / sizeof *names; i++)
            if (detail >> 8 * sign & names[i].flag)
                e = buf_printf(to, "%s%c%s", to->len ? " " : "", "+-"[sign], names[i].word);
}

/* The setting that let it expire. */
static void expiry_text(uint32_t detail, struct buf *to)
{
    const char *text = detail == EXPIRY_POP3 ? "pop3.expire" : "store.autoexpunge";
    enum err e = buf_append(to, slice_str(text));
    (void)e; /* it has room */
}

/* As IMAP writes a set; "..." stands for what has no room. */
static void uids_text(const struct row_log *row, uint32_t from, uint32_t end, struct buf *to)
{
    for (uint32_t i = from; i < end; i++) {
        uint32_t first, last;
        log_range(row, i, &first, &last);
        enum err e = first == last ? buf_printf(to, "%s%u", i > from ? "," : "", first)
                                   : buf_printf(to, "%s%u:%u", i > from ? "," : "", first, last);
        if (e || to->len > UIDS_MAX - 32) {
            e = buf_printf(to, ",...");
            (void)e; /* it is only to be read */
            return;
        }
    }
}

/* --- a line in words of its own, so that nothing is lent while it is printed ---------------------
 */

struct told {
    uint64_t seq, count;
    uint32_t time;
    const char *what, *protocol;
    char address[INET6_ADDRSTRLEN], session[17];
    struct slice client, mailbox, from;
    char texts[64 + 2 * 480];
    struct buf detail, uids, from_uids;
};

static struct slice keep(struct told *told, size_t *used, struct slice text)
{
    size_t room = sizeof told->texts - *used, n = text.len < room ? text.len : room;
    if (n)
        memcpy(told->texts + *used, text.ptr, n);
    *used += n;
    return slice(told->texts + *used - n, n);
}

static void address_text(const unsigned char address[16], char to[static INET6_ADDRSTRLEN])
{
    static const unsigned char nobody[16], mapped[12] = {[10] = 0xff, 0xff};
    to[0] = '\0';
    if (memcmp(address, nobody, sizeof nobody) == 0)
        return; /* local: a tool, a timer, a unix socket */
    if (memcmp(address, mapped, sizeof mapped) == 0)
        (void)inet_ntop(AF_INET, address + sizeof mapped, to, INET6_ADDRSTRLEN);
    else
        (void)inet_ntop(AF_INET6, address, to, INET6_ADDRSTRLEN);
}

static struct slice path_of(struct verb_call *call, struct store_account *account, uint32_t m)
{
    struct slice path = SLICE_NONE;
    if (!m || history_path(call->reader, account, m, &path))
        return SLICE_NONE; /* cleared away */
    return path;
}

static void told_init(struct verb_call *call, struct store_account *account,
                      const struct history_line *line, struct told *told)
{
    const struct row_log *row = &line->row;
    size_t used = 0;
    *told = (struct told){.seq = line->seq,
                          .count = row->count,
                          .time = row->time,
                          .what = word_of(row),
                          .protocol = protocol_of(row)};
    address_text(line->conn.address, told->address);
    if (row->conn)
        snprintf(told->session, sizeof told->session, "%016" PRIx64, row->conn);
    told->client = keep(told, &used, slice_first(line->conn.client, 64));
    told->mailbox = keep(told, &used, path_of(call, account, row->m));
    told->from = keep(told, &used, path_of(call, account, row->other_m));
    buf_init(&told->detail, UIDS_MAX);
    buf_init(&told->uids, UIDS_MAX);
    buf_init(&told->from_uids, UIDS_MAX);
    if (row->what == LOG_FLAGS)
        flags_text(row->detail, &told->detail);
    else if (row->what == LOG_EXPIRED)
        expiry_text(row->detail, &told->detail);
    uids_text(row, 0, row->other_m && row->nranges ? 1 : row->nranges, &told->uids);
    if (row->other_m)
        uids_text(row, 1, row->nranges, &told->from_uids);
}

static void told_finish(struct told *told)
{
    buf_finish(&told->detail);
    buf_finish(&told->uids);
    buf_finish(&told->from_uids);
}

static struct cell text_or_none(struct slice text)
{
    return text.len ? cell_text(text) : cell_none(COLUMN_TEXT);
}

static bool open_account(struct verb_call *call, struct store_account **ret)
{
    if (!verb_account(call, call->argv[0], ret))
        return false;
    struct store_wait *wait = store_wait_new();
    history_flush(*ret, store_wait_to(wait));
    enum err e = store_wait(wait, NULL);
    if (e)
        verb_complain(call, "what was read or flagged in the last minute is missing: %s",
                      err_text(e));
    return true;
}

static int failed_read(struct verb_call *call, enum err e)
{
    store_reader_idle(call->reader);
    return verb_complain(call, "the journal cannot be read: %s", err_text(e));
}

/* --- journal ------------------------------------------------------------------------------------
 */

static const struct column journal_columns[] = {
    {"seq",          COLUMN_NUMBER},
    {"time",         COLUMN_TIME  },
    {"what",         COLUMN_TEXT  },
    {"mailbox",      COLUMN_TEXT  },
    {"uids",         COLUMN_TEXT  },
    {"messages",     COLUMN_NUMBER},
    {"from_mailbox", COLUMN_TEXT  },
    {"from_uids",    COLUMN_TEXT  },
    {"detail",       COLUMN_TEXT  },
    {"protocol",     COLUMN_TEXT  },
    {"address",      COLUMN_TEXT  },
    {"client",       COLUMN_TEXT  },
    {"session",      COLUMN_TEXT  },
    {NULL,           0            },
};

static void tell_line(struct verb_call *call, struct store_account *account,
                      const struct history_line *line)
{
    struct told t;
    told_init(call, account, line, &t);
    store_reader_idle(call->reader);
    verb_row(call, cell_number(t.seq), cell_time(t.time), cell_str(t.what), text_or_none(t.mailbox),
             text_or_none(buf_slice(&t.uids)), cell_number(t.count), text_or_none(t.from),
             text_or_none(buf_slice(&t.from_uids)), text_or_none(buf_slice(&t.detail)),
             cell_str(t.protocol), text_or_none(slice_str(t.address)), text_or_none(t.client),
             text_or_none(slice_str(t.session)));
    told_finish(&t);
}

/* The first line of the newest `limit`. */
static enum err first_of(struct verb_call *call, struct store_account *account, uint64_t limit,
                         uint64_t *ret)
{
    struct history_line last;
    enum err e = history_before(call->reader, account, UINT64_MAX, &last);
    *ret = !e && last.seq > limit ? last.seq - limit + 1 : 0;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

int verb_journal(struct verb_call *call)
{
    const char *since_text = verb_option(call, "--since"),
               *limit_text = verb_option(call, "--limit");
    struct store_account *account;
    uint64_t limit = UINT64_MAX, seq;
    uint32_t since;
    if (!when_since(call, since_text, &since))
        return EXIT_USAGE;
    if (limit_text && !slice_u64(slice_str(limit_text), UINT32_MAX, &limit)) {
        verb_complain(call, "--limit '%s': write a number", limit_text);
        return EXIT_USAGE;
    }
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!open_account(call, &account))
        return EXIT_FAILED;
    verb_columns(call, journal_columns);
    enum err e = first_of(call, account, limit, &seq);
    for (unsigned n = 1; !e && limit && !verb_gone(call); n++) {
        struct history_line line;
        e = history_at(call->reader, account, seq, &line);
        if (!e && line.row.time >= since)
            tell_line(call, account, &line);
        else if (n % IDLE_EVERY == 0)
            store_reader_idle(call->reader);
        seq = line.seq + 1;
    }
    store_reader_idle(call->reader);
    store_account_close(account);
    return e && e != ERR_NOTFOUND ? failed_read(call, e) : EXIT_DONE;
}

/* --- why ----------------------------------------------------------------------------------------
 */
/* Backwards from where the message is known to be to where it came from, noting each move; then
 * forwards, through these moves and any that came later, telling what is met. */

static const struct column why_columns[] = {
    {"message",      COLUMN_NUMBER},
    {"time",         COLUMN_TIME  },
    {"what",         COLUMN_TEXT  },
    {"mailbox",      COLUMN_TEXT  },
    {"uid",          COLUMN_NUMBER},
    {"from_mailbox", COLUMN_TEXT  },
    {"from_uid",     COLUMN_NUMBER},
    {"detail",       COLUMN_TEXT  },
    {"recipient",    COLUMN_TEXT  },
    {"protocol",     COLUMN_TEXT  },
    {"address",      COLUMN_TEXT  },
    {"client",       COLUMN_TEXT  },
    {"session",      COLUMN_TEXT  },
    {NULL,           0            },
};

struct hop {
    uint64_t seq;
    struct place now;
};

struct trail {
    struct verb_call *call;
    struct store_account *account;
    struct hop *hops; /* the last one first */
    size_t n, cap;
    uint64_t origin; /* the line that it begins with */
    struct place place;
    unsigned number; /* among those that are told of */
    char rcpt[330];
    size_t rcpt_len, told;
};

static void hop_add(struct trail *trail, uint64_t seq, struct place now)
{
    if (trail->n == trail->cap) {
        trail->cap = trail->cap ? trail->cap * 2 : 8;
        trail->hops = mem_resize(trail->hops, trail->cap * sizeof *trail->hops);
    }
    trail->hops[trail->n++] = (struct hop){seq, now};
}

static enum err go_back(struct trail *trail)
{
    struct store_reader *reader = trail->call->reader;
    struct history_line line = {.seq = UINT64_MAX};
    enum err e;
    for (unsigned n = 1; !(e = history_before(reader, trail->account, line.seq, &line)); n++) {
        struct place then;
        if (history_names(&line, trail->place, &then) && line.row.nranges) {
            trail->origin = line.seq;
            if (then.m) {
                hop_add(trail, line.seq, trail->place);
                trail->place = then;
            } else if (line.row.what == LOG_ARRIVED) {
                break;
            }
        }
        if (n % IDLE_EVERY == 0)
            store_reader_idle(reader);
    }
    store_reader_idle(reader);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static void tell_step(struct trail *trail, const struct history_line *line, struct place now,
                      struct place then)
{
    struct verb_call *call = trail->call;
    struct told t;
    bool arrived = line->row.what == LOG_ARRIVED;
    told_init(call, trail->account, line, &t);
    store_reader_idle(call->reader);
    verb_row(call, cell_number(trail->number), cell_time(t.time), cell_str(t.what),
             text_or_none(t.mailbox),
             line->row.nranges ? cell_number(now.uid) : cell_none(COLUMN_NUMBER),
             then.m ? text_or_none(t.from) : cell_none(COLUMN_TEXT),
             then.m ? cell_number(then.uid) : cell_none(COLUMN_NUMBER),
             text_or_none(buf_slice(&t.detail)),
             text_or_none(slice(trail->rcpt, arrived ? trail->rcpt_len : 0)), cell_str(t.protocol),
             text_or_none(slice_str(t.address)), text_or_none(t.client),
             text_or_none(slice_str(t.session)));
    told_finish(&t);
    trail->told++;
}

/* One line of the way forward. */
static void step(struct trail *trail, const struct history_line *line)
{
    struct place now, then;
    if (trail->n && trail->hops[trail->n - 1].seq == line->seq) {
        struct place before = trail->place;
        trail->place = trail->hops[--trail->n].now;
        tell_step(trail, line, trail->place, before);
    } else if (history_takes(line, trail->place, &now)) {
        tell_step(trail, line, now, trail->place);
        if (!trail->n && line->row.what != LOG_COPIED)
            trail->place = now;
    } else if (history_names(line, trail->place, &then)) {
        tell_step(trail, line, trail->place, then);
    }
}

static enum err go_forth(struct trail *trail)
{
    struct store_reader *reader = trail->call->reader;
    struct history_line line;
    uint64_t seq = trail->origin;
    enum err e = trail->origin ? ERR_OK : ERR_NOTFOUND; /* no line names it */
    for (unsigned n = 1; !e && !verb_gone(trail->call); n++) {
        e = history_at(reader, trail->account, seq, &line);
        if (!e)
            step(trail, &line);
        seq = line.seq + 1;
        if (n % IDLE_EVERY == 0)
            store_reader_idle(reader);
    }
    store_reader_idle(reader);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* Where the message is after all moves that followed. */
static enum err go_on(struct verb_call *call, struct store_account *account, struct place *place)
{
    struct history_line line;
    enum err e = ERR_OK;
    uint64_t seq = 0;
    for (unsigned n = 1; !e; n++) {
        struct place now;
        e = history_at(call->reader, account, seq, &line);
        if (!e && line.row.what != LOG_COPIED && history_takes(&line, *place, &now))
            *place = now;
        seq = line.seq + 1;
        if (n % IDLE_EVERY == 0)
            store_reader_idle(call->reader);
    }
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* The recipient is with the message: where it is, or was last. *ret_known: it has a row. */
static enum err read_rcpt(struct trail *trail, bool *ret_known)
{
    struct place last = trail->place;
    struct slice rcpt;
    enum err e = go_on(trail->call, trail->account, &last);
    if (!e)
        e = history_rcpt(trail->call->reader, trail->account, last, &rcpt);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    *ret_known = true;
    if (rcpt.len && rcpt.len <= sizeof trail->rcpt)
        memcpy(trail->rcpt, rcpt.ptr, trail->rcpt_len = rcpt.len);
    return ERR_OK;
}

/* *ret_known: the message, or a line about it, was there. */
static enum err tell_message(struct verb_call *call, struct store_account *account,
                             struct place place, unsigned number, bool *ret_known)
{
    struct trail trail = {.call = call, .account = account, .place = place, .number = number};
    enum err e = read_rcpt(&trail, ret_known);
    if (!e)
        e = go_back(&trail);
    if (!e)
        e = go_forth(&trail);
    *ret_known |= trail.told > 0;
    mem_free(trail.hops);
    return e;
}

/* False: complained. */
static bool find_messages(struct verb_call *call, struct store_account *account,
                          const char *message_id, const char *mailbox, struct place *places,
                          size_t *ret_n)
{
    struct slice path;
    uint64_t uid;
    enum err e;
    if (message_id) {
        e = history_find(call->reader, account, slice_str(message_id), places, MESSAGES_MAX, ret_n);
        if (e == ERR_SYNTAX)
            verb_complain(call, "this is no Message-ID: write <left@right>");
        else if (e)
            failed_read(call, e);
        return !e;
    }
    if (!slice_u64(slice_str(call->argv[1]), UINT32_MAX, &uid) || uid == 0) {
        verb_complain(call, "'%s' is no UID", call->argv[1]);
        return false;
    }
    if (!verb_path(call, mailbox ? mailbox : "INBOX", &path))
        return false;
    e = history_mailbox(call->reader, account, path, &places->m);
    if (e) {
        verb_complain(call, "%s has no mailbox '%s', and had none", call->argv[0], mailbox);
        return false;
    }
    places->uid = (uint32_t)uid;
    *ret_n = 1;
    return true;
}

int verb_why(struct verb_call *call)
{
    const char *message_id = verb_option(call, "--message-id"),
               *mailbox = verb_option(call, "--mailbox");
    struct place places[MESSAGES_MAX];
    struct store_account *account;
    size_t n = 0;
    bool known = false;
    if (!verb_arguments(call, message_id ? 1 : 2, message_id ? 1 : 2))
        return EXIT_USAGE;
    if (!open_account(call, &account))
        return EXIT_FAILED;
    bool found = find_messages(call, account, message_id, mailbox, places, &n);
    enum err e = ERR_OK;
    store_reader_idle(call->reader);
    if (found)
        verb_columns(call, why_columns);
    for (size_t i = 0; !e && i < n; i++)
        e = tell_message(call, account, places[i], (unsigned)i + 1, &known);
    store_account_close(account);
    if (e)
        return failed_read(call, e);
    if (found && !known)
        return verb_complain(call, "nothing is known of such a message");
    return found ? EXIT_DONE : EXIT_FAILED;
}
