/* Mail that another server kept: it comes with UIDs, UIDVALIDITY and UIDLs that clients remember.
 *
 *      mailbox never used, its UIDVALIDITY free in the account:  takes over UIDVALIDITY and UIDs
 *      mailbox took that UIDVALIDITY over before:                UIDs from its UIDNEXT on
 *      any other, and UIDs below UIDNEXT:                        new UIDs, the old UIDL as override
 *
 * So POP3 clients find what they know in each case, and IMAP clients in the first two. */
#include <string.h>

#include "core/base/mem.h"
#include "store/account.h"
#include "store/admin.h"
#include "store/arrival.h"
#include "store/keyword.h"
#include "store/mailbox.h"
#include "store/uidl.h"

enum { PAGES_PER_MESSAGE = 6, UIDS_LEFT = 1 << 24, KNOWN_A_SLICE = 20000 };

/* --- a mailbox takes over its identity ---------------------------------------------------------
 */

struct import_box_op {
    struct op op;
    struct store_limits limits;
    struct actor actor;
    uint64_t nonce;
    uint32_t uidvalidity, uidnext;
    size_t path_len;
    char path[PATH_OCTETS_MAX];
};

/* The account's mailbox of this UIDVALIDITY, deleted ones included. ERR_NOTFOUND. */
static enum err owner_of(struct turn *turn, uint32_t a, uint32_t uidvalidity, uint32_t *ret_m,
                         bool *ret_live)
{
    struct engine_cursor cursor;
    struct key key;
    struct slice prefix = key_a(&key, a);
    bool found = false;
    enum err e = engine_cursor_open(turn->txn, DBI_MBOX, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    while (!e && !found) {
        struct row_mbox row;
        e = row_mbox_decode(cursor.value, &row);
        if (!e && row.uidvalidity == uidvalidity) {
            found = key_get32(cursor.key, 4, ret_m);
            *ret_live = row.state == MBOX_LIVE;
        }
        if (!e && !found)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e ? e : found ? ERR_OK : ERR_NOTFOUND;
}

static enum err acct_of(struct turn *turn, uint32_t a, uint64_t nonce, struct acct *ret)
{
    enum err e = account_for_change(turn, a, ret);
    return !e && ret->row.nonce != nonce ? ERR_NOTFOUND : e;
}

/* A mailbox that never held a message leaves its UIDVALIDITY to one that did. */
static enum err give_up(struct turn *turn, struct acct *acct, uint32_t m)
{
    struct box box;
    enum err e = box_load(turn->txn, turn->env, acct->a, m, &box);
    if (e || box.row.uidnext != 1)
        return e;
    box.row.uidvalidity = account_uidvalidity(acct, turn->now);
    return turn_box_save(turn, &box);
}

/* Nobody has been told of a message in it: another UIDVALIDITY takes nothing from anybody. Later
 * mailboxes must not get it again. */
static enum err take_uidvalidity(struct turn *turn, struct acct *acct, struct box *box,
                                 uint32_t uidvalidity)
{
    uint32_t m;
    bool live;
    enum err e = owner_of(turn, acct->a, uidvalidity, &m, &live);
    if (acct->row.next_uidvalidity <= uidvalidity)
        acct->row.next_uidvalidity = uidvalidity + 1;
    if (!e && live)
        e = give_up(turn, acct, m);
    if (!e)
        e = owner_of(turn, acct->a, uidvalidity, &m, &live);
    if (e != ERR_NOTFOUND)
        return e;
    box->row.uidvalidity = uidvalidity;
    return ERR_OK;
}

static enum err import_box_apply(struct op *base, struct turn *turn)
{
    struct import_box_op *op = (struct import_box_op *)base;
    struct slice path = slice(op->path, op->path_len);
    struct acct acct;
    struct box box;
    enum err e = acct_of(turn, base->acct, op->nonce, &acct);
    if (e)
        return e;
    e = box_find(turn->txn, turn->env, acct.a, path, &box);
    bool made = e == ERR_NOTFOUND;
    if (made && op->limits.mailboxes && acct.row.nmbox >= op->limits.mailboxes)
        return ERR_LIMIT;
    if (made)
        e = mailbox_make_path(turn, &acct, path, USE_NONE, op->limits.mailboxes, &box);
    uint32_t before = box.row.uidvalidity, next = box.row.uidnext;
    if (!e && op->uidvalidity && op->uidvalidity != before && next == 1)
        e = take_uidvalidity(turn, &acct, &box, op->uidvalidity);
    if (e)
        return e;
    if (box.row.uidvalidity == op->uidvalidity && op->uidnext > next)
        box.row.uidnext = op->uidnext;
    base->result.mailbox = box.m;
    base->result.uidvalidity = box.row.uidvalidity;
    if (!made && box.row.uidvalidity == before && box.row.uidnext == next)
        return ERR_OK;
    e = turn_box_save(turn, &box);
    if (!e)
        e = turn_acct_save(turn, &acct);
    if (e || !made)
        return e;
    struct journal_line line = {
        .actor = &op->actor, .a = acct.a, .m = box.m, .what = LOG_MBOX_CREATED};
    return turn_journal(turn, &line);
}

static void import_box_release(struct op *op)
{
    mem_free(op);
}

static const struct op_kind import_box_kind = {
    .name = "import-mailbox", .apply = import_box_apply, .release = import_box_release};

void store_import_mailbox(struct store_account *account, struct slice path, uint32_t uidvalidity,
                          uint32_t uidnext, struct store_to to)
{
    struct import_box_op *op = mem_new(sizeof *op);
    op->op = (struct op){
        .kind = &import_box_kind, .env = account->env, .acct = account->a, .pages = 24, .to = to};
    op->limits = account->limits;
    op->actor = account->actor;
    op->nonce = account->nonce;
    op->uidvalidity = uidvalidity < UINT32_MAX - UIDS_LEFT ? uidvalidity : 0;
    op->uidnext = uidnext < UINT32_MAX - UIDS_LEFT ? uidnext : 0;
    op->path_len = path.len;
    memcpy(op->path, path.ptr, path.len);
    committer_submit(account->env->committer, &op->op);
}

/* --- messages ----------------------------------------------------------------------------------
 */

struct importing {
    struct store_incoming *in;
    uint32_t uid, order;
    bool recent;
    struct slice uidl, guid; /* owned; may be empty */
};

struct import_op {
    struct op op;
    struct store_limits limits;
    struct actor actor;
    uint64_t nonce;
    uint32_t uidvalidity; /* of the source */
    struct slice path;    /* owned */
    size_t n;
    struct importing *messages;
    struct store_arrival *arrivals;
};

/* What is the same for all messages of a batch. */
struct batch {
    struct turn *turn;
    struct import_op *op;
    struct acct acct;
    struct box box;
    struct hot_edit edit;
    struct event *event;
    struct uidset uids;
    enum uidl_format format;
    uint32_t owner; /* the mailbox whose messages have UIDLs of the source's UIDVALIDITY; 0: none */
    bool dropped, grew;
};

static enum err find_format(struct engine_txn *txn, uint32_t a, enum uidl_format *ret)
{
    struct key key;
    struct slice value, name = SLICE_NONE;
    enum err e = engine_get(txn, DBI_OPT, key_a_text(&key, a, SLICE("uidl_format")), &value);
    if (!e)
        e = row_value_decode(value, &name);
    *ret = uidl_format(name);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err find_owner(struct batch *b)
{
    bool live = true;
    enum err e = ERR_OK;
    b->owner = b->box.m;
    if (b->op->uidvalidity && b->op->uidvalidity != b->box.row.uidvalidity)
        e = owner_of(b->turn, b->acct.a, b->op->uidvalidity, &b->owner, &live);
    if (e == ERR_NOTFOUND || !live)
        b->owner = 0;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* The UIDL that the source's UID and UIDVALIDITY gave, unless another message here has it. */
static enum err old_uidl(struct batch *b, const struct importing *message, char *to,
                         struct slice *ret)
{
    struct key key;
    struct slice value;
    *ret = SLICE_NONE;
    if (!message->uid || !b->op->uidvalidity || b->format == UIDL_GUID || b->format == UIDL_UID)
        return ERR_OK;
    enum err e = b->owner ? engine_get(b->turn->txn, DBI_MSG,
                                       key_amu(&key, b->acct.a, b->owner, message->uid), &value)
                          : ERR_NOTFOUND;
    if (e != ERR_NOTFOUND)
        return e;
    *ret = slice(
        to, uidl_make(b->format, b->op->uidvalidity, message->uid, message->in->facts.emailid, to));
    return ERR_OK;
}

/* The message's `uidl` row, if it needs one: its UIDL is not what the format makes of its UID now,
 * or it has a place in the maildrop. */
static enum err write_uidl(struct batch *b, const struct importing *message, uint32_t uid,
                           bool *ret_has)
{
    char text[UIDL_MAX + 1], natural_text[UIDL_MAX + 1];
    bool by_guid = b->format == UIDL_GUID && !message->uidl.len;
    struct slice uidl = by_guid ? message->guid : message->uidl;
    bool kept = uid == message->uid && b->box.row.uidvalidity == b->op->uidvalidity;
    enum err e = uidl.len || kept ? ERR_OK : old_uidl(b, message, text, &uidl);
    struct slice natural = slice(natural_text, uidl_make(b->format, b->box.row.uidvalidity, uid,
                                                         message->in->facts.emailid, natural_text));
    if (!uidl.len)
        uidl = natural;
    *ret_has = message->order || !slice_eq(uidl, natural);
    if (e || !*ret_has)
        return e;
    struct key key;
    unsigned char octets[96];
    struct row_uidl row = {.order = message->order, .text = uidl};
    b->acct.row.flags |= ACCT_HAS_UIDL;
    return turn_put(b->turn, DBI_UIDL, key_amu(&key, b->acct.a, b->box.m, uid),
                    row_uidl_encode(&row, octets));
}

static enum err place(struct batch *b, const struct importing *message, struct store_arrival *ret)
{
    const struct incoming_text *text = &message->in->text;
    struct row_mbox *row = &b->box.row;
    bool keeps = message->uid >= row->uidnext && row->uidvalidity == b->op->uidvalidity &&
                 message->uid < UINT32_MAX - UIDS_LEFT;
    struct arriving arriving = {.in = message->in,
                                .a = b->acct.a,
                                .uid = keeps ? message->uid : row->uidnext,
                                .conn = b->op->actor.conn};
    enum err e = keyword_bits(b->turn, &b->box, text->keywords, text->nkeywords, true,
                              &arriving.keywords, &b->dropped, &b->grew);
    if (!e)
        e = write_uidl(b, message, arriving.uid, &arriving.has_uidl);
    if (!e)
        e = arrival_rows(b->turn, &arriving, &b->box, &b->edit);
    if (e)
        return e;
    row->uidnext = arriving.uid + 1;
    if (!message->recent && row->recent_uid < arriving.uid)
        row->recent_uid = arriving.uid;
    b->acct.row.used_bytes += message->in->facts.size;
    b->acct.row.used_msgs++;
    uidset_add(&b->uids, arriving.uid, arriving.uid);
    *ret = (struct store_arrival){
        .mailbox = b->box.m, .uidvalidity = row->uidvalidity, .uid = arriving.uid};
    return ERR_OK;
}

/* Which of them fit? Nothing is written yet. */
static size_t check_each(struct import_op *op, const struct acct *acct)
{
    uint64_t octets = 0, n = 0;
    for (size_t i = 0; i < op->n; i++) {
        struct store_incoming *in = op->messages[i].in;
        pthread_mutex_lock(&in->lock);
        enum err e = in->err; /* of a piece: its octets are not all there */
        pthread_mutex_unlock(&in->lock);
        if (!e)
            e = account_fits(acct, &op->limits, octets + in->facts.size, n + 1);
        op->arrivals[i] = (struct store_arrival){.err = e};
        octets += e ? 0 : in->facts.size;
        n += !e;
    }
    return (size_t)n;
}

static enum err write_batch(struct batch *b)
{
    struct import_op *op = b->op;
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < op->n; i++)
        if (!op->arrivals[i].err)
            e = incoming_store(b->turn, op->messages[i].in, 1);
    hot_begin(&b->edit, b->turn, &b->box);
    b->box.row.highestmodseq++;
    for (size_t i = 0; !e && i < op->n; i++)
        if (!op->arrivals[i].err)
            e = place(b, &op->messages[i], &op->arrivals[i]);
    if (!e)
        e = hot_end(&b->edit);
    if (!e)
        e = turn_box_save(b->turn, &b->box);
    if (!e)
        e = turn_acct_save(b->turn, &b->acct);
    struct journal_line line = {
        .actor = &op->actor, .a = b->acct.a, .m = b->box.m, .what = LOG_ARRIVED, .uids = &b->uids};
    if (!e)
        e = turn_journal(b->turn, &line);
    if (e)
        return e;
    b->event = turn_event(b->turn, &b->box);
    b->event->keywords = b->grew;
    b->event->many = true; /* more than an event names, as a rule */
    b->event->ops |= 1u << EVENT_ARRIVED;
    struct store_result *r = &op->op.result;
    r->mailbox = b->box.m;
    r->uidvalidity = b->box.row.uidvalidity;
    r->modseq = b->box.row.highestmodseq;
    r->keyword_dropped = b->dropped;
    return ERR_OK;
}

static enum err import_apply(struct op *base, struct turn *turn)
{
    struct import_op *op = (struct import_op *)base;
    struct batch b = {.turn = turn, .op = op};
    enum err e = acct_of(turn, base->acct, op->nonce, &b.acct);
    if (!e)
        e = box_find(turn->txn, turn->env, base->acct, op->path, &b.box);
    if (!e && b.box.row.uidnext > UINT32_MAX - UIDS_LEFT)
        e = ERR_LIMIT;
    if (!e)
        e = find_format(turn->txn, base->acct, &b.format);
    if (!e)
        e = find_owner(&b);
    if (!e && check_each(op, &b.acct))
        e = write_batch(&b);
    uidset_finish(&b.uids);
    if (e)
        return e;
    mem_free(base->result.arrivals); /* of an earlier try */
    base->result.arrivals = mem_dup(op->arrivals, op->n * sizeof *op->arrivals);
    base->result.narrivals = op->n;
    return ERR_OK;
}

static void import_release(struct op *base)
{
    struct import_op *op = (struct import_op *)base;
    for (size_t i = 0; i < op->n; i++) {
        if (base->result.err || op->arrivals[i].err)
            store_incoming_free(op->messages[i].in); /* a staged body is swept */
        else
            incoming_unref(op->messages[i].in);
        mem_free((char *)(uintptr_t)op->messages[i].uidl.ptr);
        mem_free((char *)(uintptr_t)op->messages[i].guid.ptr);
    }
    mem_free((char *)(uintptr_t)op->path.ptr);
    mem_free(op->messages);
    mem_free(op->arrivals);
    mem_free(op);
}

static const struct op_kind import_kind = {
    .name = "import", .apply = import_apply, .release = import_release, .grows = true};

/* A copy; empty if it is no UIDL (RFC 1939 section 7). */
static struct slice kept_uidl(struct slice uidl)
{
    for (size_t i = 0; i < uidl.len; i++)
        if (uidl.ptr[i] < 0x21 || uidl.ptr[i] > 0x7e)
            return SLICE_NONE;
    return uidl.len && uidl.len <= UIDL_MAX ? slice(mem_dup(uidl.ptr, uidl.len), uidl.len)
                                            : SLICE_NONE;
}

void store_import(struct store_account *account, struct slice path, uint32_t uidvalidity,
                  const struct store_import *messages, size_t n, struct store_to to)
{
    struct import_op *op = mem_new(sizeof *op);
    uint64_t octets = 0;
    bool staged = false;
    op->limits = account->limits;
    op->actor = account->actor;
    op->nonce = account->nonce;
    op->uidvalidity = uidvalidity;
    op->path = slice(mem_dup(path.ptr, path.len), path.len);
    op->n = n;
    op->messages = mem_new_array(n, sizeof *op->messages);
    op->arrivals = mem_new_array(n, sizeof *op->arrivals);
    for (size_t i = 0; i < n; i++) {
        const struct store_import *from = &messages[i];
        memcpy(from->in->facts.emailid, from->emailid, sizeof from->emailid);
        incoming_seal(from->in);
        octets += from->in->len;
        staged |= from->in->staged;
        op->messages[i] = (struct importing){.in = from->in,
                                             .uid = from->uid,
                                             .order = from->order,
                                             .recent = from->recent,
                                             .uidl = kept_uidl(from->uidl),
                                             .guid = kept_uidl(from->guid)};
    }
    op->op = (struct op){.kind = &import_kind,
                         .env = account->env,
                         .acct = account->a,
                         .pages = (uint32_t)(n * PAGES_PER_MESSAGE + 24 + octets / ENGINE_PAGE),
                         .octets = (uint32_t)octets,
                         .internal = staged,
                         .to = to};
    committer_submit(account->env->committer, &op->op);
}

/* --- what is there already ---------------------------------------------------------------------
 */

enum err store_import_known(struct store_reader *reader, struct store_account *account,
                            void (*each)(void *arg, const unsigned char emailid[16]), void *arg)
{
    struct key prefix, from;
    struct slice of_account = key_a(&prefix, account->a);
    enum err e = ERR_OK;
    key_text(&from, of_account);
    while (!e) { /* a slice each: an old snapshot keeps every freed page alive */
        struct engine_txn *snap;
        struct engine_cursor cursor = {0};
        e = reader_snap(reader, account->env, &snap);
        if (!e)
            e = engine_cursor_open(snap, DBI_MSG, of_account, &cursor);
        if (!e)
            e = engine_seek(&cursor, key_slice(&from));
        for (unsigned n = 0; !e && n < KNOWN_A_SLICE; n++) {
            struct row_msg row;
            e = row_msg_decode(cursor.value, &row);
            if (!e)
                each(arg, row.emailid);
            if (!e)
                e = engine_next(&cursor);
        }
        if (!e)
            key_text(&from, cursor.key);
        engine_cursor_close(&cursor);
        store_reader_idle(reader);
    }
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err store_uidl(struct store_reader *reader, struct store_account *account, uint32_t mailbox,
                    uint32_t uidvalidity, const struct store_message *message,
                    struct store_uidl *ret)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    struct row_uidl row;
    enum uidl_format format;
    *ret = (struct store_uidl){0};
    enum err e = reader_snap(reader, account->env, &snap);
    if (!e)
        e = engine_get(snap, DBI_UIDL, key_amu(&key, account->a, mailbox, message->uid), &value);
    if (!e)
        e = row_uidl_decode(value, &row);
    if (!e) {
        ret->order = row.order;
        memcpy(ret->text, row.text.ptr, row.text.len);
        return ERR_OK;
    }
    if (e == ERR_NOTFOUND)
        e = find_format(snap, account->a, &format);
    if (!e)
        uidl_make(format, uidvalidity, message->uid, message->emailid, ret->text);
    return e;
}
