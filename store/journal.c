#include "store/journal.h"

#include <string.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/account.h"

enum { SLOTS = 4096, WAIT_MS = 60 * 1000, LINES_MAX = 64, OCTETS_MAX = 8 << 20 };

struct line {
    struct line *next;
    struct row_log row; /* without its ranges */
    struct actor actor;
    struct uidset uids; /* at most LOG_RANGES_MAX ranges */
};

struct lines {
    struct line *first, *last;
    unsigned n;
};

/* What waits of one account. */
struct waiting {
    struct waiting *hash_next;
    struct waiting *older, *newer; /* by `since_ms`, while there are old lines */
    struct waiting *touched_next;
    uint32_t a;
    uint64_t since_ms; /* when the first of the old lines came */
    struct lines old;
    struct lines fresh; /* of the turn under way, not written by it */
    bool touched;       /* the turn has to do with it */
    bool written;       /* the turn has written the old lines */
    bool damaged;       /* they cannot be written: forgotten whatever becomes of the turn */
};

struct journal {
    struct waiting *slot[SLOTS];
    struct waiting *oldest, *newest;
    struct waiting *touched;
    size_t octets;
};

/* --- lists ---------------------------------------------------------------------------------------
 */

static size_t line_octets(const struct line *line)
{
    return sizeof *line + line->uids.cap * sizeof line->uids.ranges[0];
}

static void push(struct lines *lines, struct line *line)
{
    line->next = NULL;
    *(lines->first ? &lines->last->next : &lines->first) = line;
    lines->last = line;
    lines->n++;
}

static struct line *pop(struct lines *lines)
{
    struct line *line = lines->first;
    if (line) {
        lines->first = line->next;
        lines->n--;
    }
    return line;
}

static void line_free(struct journal *j, struct line *line)
{
    j->octets -= line_octets(line);
    uidset_finish(&line->uids);
    mem_free(line);
}

static void lines_free(struct journal *j, struct lines *lines)
{
    for (struct line *line; (line = pop(lines));)
        line_free(j, line);
}

static struct waiting **slot_of(struct journal *j, uint32_t a)
{
    struct waiting **at = &j->slot[a % SLOTS];
    while (*at && (*at)->a != a)
        at = &(*at)->hash_next;
    return at;
}

static void enqueue(struct journal *j, struct waiting *w)
{
    w->since_ms = clock_mono_ms();
    w->newer = NULL;
    w->older = j->newest;
    *(j->newest ? &j->newest->newer : &j->oldest) = w;
    j->newest = w;
}

static void dequeue(struct journal *j, struct waiting *w)
{
    *(w->older ? &w->older->newer : &j->oldest) = w->newer;
    *(w->newer ? &w->newer->older : &j->newest) = w->older;
}

static void touch(struct journal *j, struct waiting *w)
{
    if (w->touched)
        return;
    w->touched = true;
    w->touched_next = j->touched;
    j->touched = w;
}

/* --- rows ----------------------------------------------------------------------------------------
 */

/* Rows of connections have 0xff where a sequence number has its first octet: the last line of the
 * journal lies right before them. */
static enum err next_seq(struct turn *turn, uint32_t a, uint64_t *ret)
{
    struct key key, prefix;
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(turn->txn, DBI_LOG, key_a(&prefix, a), &cursor);
    if (!e)
        e = engine_seek_before(&cursor, key_log_conn(&key, a, 0));
    uint64_t last = 0;
    if (!e && !key_get64(cursor.key, 4, &last))
        e = ERR_CORRUPT;
    engine_cursor_close(&cursor);
    *ret = last + 1;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err connection_row(struct turn *turn, uint32_t a, const struct actor *actor)
{
    struct key key;
    struct slice k = key_log_conn(&key, a, actor->conn), value;
    if (actor->conn == 0)
        return ERR_OK;
    struct slice client = slice(actor->client, actor->client_len);
    struct row_log_conn known;
    enum err e = engine_get(turn->txn, DBI_LOG, k, &value);
    if (!e)
        e = row_log_conn_decode(value, &known);
    bool named = !e && client.len && !slice_eq(known.client, client); /* ID came after login */
    if (e != ERR_NOTFOUND && !named)
        return e;
    struct row_log_conn row = {.proto = (uint8_t)actor->proto, .time = turn->now, .client = client};
    memcpy(row.address, actor->address, sizeof row.address);
    unsigned char octets[128];
    return turn_put(turn, DBI_LOG, k, row_log_conn_encode(&row, octets));
}

static struct row_log row_of(const struct turn *turn, const struct journal_line *line)
{
    return (struct row_log){.proto = (uint8_t)line->actor->proto,
                            .what = (uint8_t)line->what,
                            .time = turn->now,
                            .conn = line->actor->conn,
                            .m = line->m,
                            .other_m = line->other_m,
                            .detail = line->detail};
}

/* As much of a line as fits one row. Where messages went from one place to another, the first range
 * is where they are now, and the others, in step with it, where they were. */
struct part {
    struct uidrange ranges[LOG_RANGES_MAX];
    uint32_t n, count;
};

/* `at`: ranges of the line that earlier parts hold; `done`: messages in them. */
static void next_part(const struct journal_line *line, uint32_t at, uint32_t done, struct part *ret)
{
    const struct uidset *from = line->from ? line->from : line->uids;
    uint32_t room = line->from ? LOG_RANGES_MAX - 1 : LOG_RANGES_MAX, left = from->n - at;
    uint32_t n = left < room ? left : room, skip = line->from ? 1 : 0;
    *ret = (struct part){.n = n + skip};
    memcpy(ret->ranges + skip, from->ranges + at, n * sizeof *ret->ranges);
    for (uint32_t i = skip; i < ret->n; i++)
        ret->count += ret->ranges[i].last - ret->ranges[i].first + 1;
    if (line->from) {
        uint32_t first = line->uids->ranges[0].first + done;
        ret->ranges[0] = (struct uidrange){first, first + ret->count - 1};
    }
}

static uint32_t parts_of(const struct journal_line *line)
{
    uint32_t room = line->from ? LOG_RANGES_MAX - 1 : LOG_RANGES_MAX;
    uint32_t n = line->from ? line->from->n : line->uids->n;
    return (n + room - 1) / room;
}

static enum err put(struct turn *turn, uint32_t a, uint64_t seq, const struct row_log *row,
                    const struct actor *actor, const struct uidrange *ranges, uint32_t n)
{
    struct key key;
    unsigned char octets[32 + 8 * LOG_RANGES_MAX];
    enum err e = connection_row(turn, a, actor);
    return e ? e
             : turn_put(turn, DBI_LOG, key_log(&key, a, seq),
                        row_log_encode(row, ranges, n, octets));
}

static enum err put_line(struct turn *turn, const struct journal_line *line, uint64_t seq)
{
    struct row_log row = row_of(turn, line);
    struct part part;
    enum err e = ERR_OK;
    if (!line->uids)
        return put(turn, line->a, seq, &row, line->actor, NULL, 0);
    for (uint32_t i = 0, at = 0, done = 0, n = parts_of(line); !e && i < n; i++) {
        next_part(line, at, done, &part);
        row.count = part.count;
        e = put(turn, line->a, seq++, &row, line->actor, part.ranges, part.n);
        at += part.n - (line->from ? 1 : 0);
        done += part.count;
    }
    return e;
}

static enum err put_late(struct turn *turn, uint32_t a, uint64_t seq, const struct line *line)
{
    return put(turn, a, seq, &line->row, &line->actor, line->uids.ranges, line->uids.n);
}

/* What waits of the account, from *seq on. The old lines are kept until the commit; the fresh ones
 * need not be: when the turn is replayed they come again. */
static enum err put_waiting(struct turn *turn, struct waiting *w, uint64_t *seq)
{
    struct journal *j = turn->env->journal;
    enum err e = ERR_OK;
    touch(j, w);
    for (const struct line *line = w->written ? NULL : w->old.first; !e && line; line = line->next)
        e = put_late(turn, w->a, (*seq)++, line);
    w->written |= !e;
    while (!e && w->fresh.n) {
        const struct line *line = w->fresh.first;
        e = put_late(turn, w->a, (*seq)++, line);
        if (!e)
            line_free(j, pop(&w->fresh));
    }
    return e;
}

enum err turn_journal(struct turn *turn, const struct journal_line *line)
{
    struct waiting *w = turn->env->journal ? *slot_of(turn->env->journal, line->a) : NULL;
    uint64_t seq;
    enum err e = next_seq(turn, line->a, &seq);
    if (!e && w)
        e = put_waiting(turn, w, &seq);
    return e ? e : put_line(turn, line, seq);
}

/* --- later ---------------------------------------------------------------------------------------
 */

static struct waiting *waiting_of(struct journal *j, uint32_t a)
{
    struct waiting **at = slot_of(j, a);
    if (!*at) {
        *at = mem_new(sizeof **at);
        (*at)->a = a;
    }
    touch(j, *at);
    return *at;
}

enum err turn_journal_later(struct turn *turn, const struct journal_line *line)
{
    struct journal *j = turn->env->journal;
    uint32_t n = parts_of(line);
    if (!j || j->octets >= OCTETS_MAX)
        return turn_journal(turn, line);
    struct waiting *w = waiting_of(j, line->a);
    if (w->old.n + w->fresh.n + n > LINES_MAX)
        return turn_journal(turn, line);
    for (uint32_t i = 0; i < n; i++) {
        struct line *late = mem_new(sizeof *late);
        struct part part;
        next_part(line, i * LOG_RANGES_MAX, 0, &part);
        late->row = row_of(turn, line);
        late->row.count = part.count;
        late->actor = *line->actor;
        uidset_copy(&late->uids, &(struct uidset){.ranges = part.ranges, .n = part.n});
        j->octets += line_octets(late);
        push(&w->fresh, late);
    }
    return ERR_OK;
}

/* Does `to` say all that `line` says once it has its UIDs too? */
static bool takes_up(struct journal *j, struct line *to, const struct line *line)
{
    if (to->row.conn != line->row.conn || to->row.proto != line->row.proto ||
        to->row.m != line->row.m || to->row.what != line->row.what ||
        to->row.detail != line->row.detail || to->uids.n + line->uids.n > LOG_RANGES_MAX)
        return false;
    j->octets -= line_octets(to);
    for (uint32_t i = 0; i < line->uids.n; i++)
        uidset_add(&to->uids, line->uids.ranges[i].first, line->uids.ranges[i].last);
    j->octets += line_octets(to);
    to->row.count = (uint32_t)uidset_count(&to->uids);
    return true;
}

static void settle(struct journal *j, struct waiting *w, bool committed)
{
    bool queued = w->old.n > 0;
    if (w->damaged || (committed && w->written))
        lines_free(j, &w->old);
    if (queued && !w->old.n)
        dequeue(j, w);
    queued = w->old.n > 0;
    if (!committed)
        lines_free(j, &w->fresh);
    for (struct line *line; (line = pop(&w->fresh));) {
        if (w->old.n && takes_up(j, w->old.last, line))
            line_free(j, line);
        else
            push(&w->old, line);
    }
    if (!queued && w->old.n)
        enqueue(j, w);
    w->touched = w->written = w->damaged = false;
    if (w->old.n)
        return;
    *slot_of(j, w->a) = w->hash_next;
    mem_free(w);
}

void journal_turn_over(struct journal *j, bool committed)
{
    while (j && j->touched) {
        struct waiting *w = j->touched;
        j->touched = w->touched_next;
        settle(j, w, committed);
    }
}

/* --- when the time has come ----------------------------------------------------------------------
 */

static bool is_due(const struct journal *j, const struct waiting *w, bool all)
{
    return w && (all || j->octets > OCTETS_MAX / 2 || clock_mono_ms() >= w->since_ms + WAIT_MS);
}

bool journal_due(const struct journal *j, bool all)
{
    return is_due(j, j->oldest, all);
}

/* An account that may no longer be changed has no more use for its lines. */
static enum err write_account(struct turn *turn, struct waiting *w)
{
    struct acct acct;
    uint64_t seq;
    enum err e = account_for_change(turn, w->a, &acct);
    if (e == ERR_NOTFOUND || e == ERR_FROZEN) {
        touch(turn->env->journal, w);
        w->written = true;
        return ERR_OK;
    }
    if (!e)
        e = next_seq(turn, w->a, &seq);
    return e ? e : put_waiting(turn, w, &seq);
}

enum err journal_flush(struct turn *turn, uint32_t a)
{
    struct waiting *w = turn->env->journal ? *slot_of(turn->env->journal, a) : NULL;
    return w ? write_account(turn, w) : ERR_OK;
}

enum err journal_write_due(struct turn *turn, bool all, unsigned pages, unsigned *spent)
{
    enum { ACCOUNT_PAGES = 3, PAGE_LINES = 8 };
    struct journal *j = turn->env->journal;
    for (struct waiting *w = j->oldest; *spent < pages && is_due(j, w, all); w = w->newer) {
        if (w->written)
            continue; /* by an op of this turn */
        *spent += ACCOUNT_PAGES + w->old.n / PAGE_LINES;
        enum err e = write_account(turn, w);
        if (e && e != ERR_FULL) {
            touch(j, w);
            w->damaged = true;
        }
        if (e)
            return e;
    }
    return ERR_OK;
}

struct journal *journal_new(void)
{
    return mem_new(sizeof(struct journal));
}

void journal_free(struct journal *j)
{
    if (!j)
        return;
    journal_turn_over(j, false);
    while (j->oldest) {
        struct waiting *w = j->oldest;
        dequeue(j, w);
        lines_free(j, &w->old);
        mem_free(w);
    }
    mem_free(j);
}
