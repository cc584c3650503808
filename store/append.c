/* Arrival: APPEND, MULTIAPPEND, LMTP. Every message to every destination, one batch; a delivery
 * goes to 256 recipients a turn, one body for all. */
#include "store/incoming.h"

#include <string.h>

#include "core/base/mem.h"
#include "store/account.h"
#include "store/arrival.h"
#include "store/keyword.h"
#include "store/pins.h"

enum { RECIPIENTS_A_TURN = 256, PAGES_PER_MESSAGE = 12 };

struct append_dest {
    uint32_t a;
    uint64_t nonce;
    struct store_limits limits;
    struct actor actor;
    struct slice path, rcpt; /* owned */
};

struct append_op {
    struct op op;
    size_t n, ndest;
    struct store_incoming **in;
    struct append_dest *dest;
    size_t next; /* first destination not yet served */
    bool stored; /* the bodies are in the store, by an earlier turn */
    struct store_arrival *arrivals;
};

/* --- one recipient
 * -------------------------------------------------------------------------------- */

/* All messages of the command into one mailbox. `acct` and `box` are loaded and checked. */
static enum err deliver(struct turn *turn, struct append_op *op, const struct append_dest *dest,
                        struct acct *acct, struct box *box, struct store_arrival *arrivals)
{
    struct hot_edit edit;
    struct uidset uids = {0};
    uint64_t keywords[64];
    bool grew = false, dropped = false;
    enum err e = ERR_OK;
    hot_begin(&edit, turn, box);
    box->row.highestmodseq++;
    uint32_t first = box->row.uidnext;
    for (size_t i = 0; !e && i < op->n; i++) {
        const struct store_incoming *in = op->in[i];
        uint32_t uid = box->row.uidnext++;
        uint64_t *bits = &keywords[i % 64];
        e = keyword_bits(turn, box, in->text.keywords, in->text.nkeywords, true, bits, &dropped,
                         &grew);
        const struct arriving arriving = {.in = in,
                                          .a = dest->a,
                                          .uid = uid,
                                          .keywords = *bits,
                                          .conn = dest->actor.conn,
                                          .rcpt = op->ndest > 1 ? dest->rcpt : SLICE_NONE};
        if (!e)
            e = arrival_rows(turn, &arriving, box, &edit);
        acct->row.used_bytes += in->facts.size;
        acct->row.used_msgs++;
        arrivals[i] = (struct store_arrival){
            .mailbox = box->m, .uidvalidity = box->row.uidvalidity, .uid = uid};
        uidset_add(&uids, uid, uid);
    }
    if (!e)
        e = hot_end(&edit);
    if (!e)
        e = turn_box_save(turn, box);
    if (!e)
        e = turn_acct_save(turn, acct);
    struct journal_line line = {
        .actor = &dest->actor, .a = dest->a, .m = box->m, .what = LOG_ARRIVED, .uids = &uids};
    if (!e)
        e = turn_journal(turn, &line);
    if (!e) {
        struct event *event = turn_event(turn, box);
        event->keywords = grew;
        for (size_t i = 0; i < op->n; i++)
            event_add(event, EVENT_ARRIVED, first + (uint32_t)i, op->in[i]->text.sysflags,
                      keywords[i % 64], 0);
        struct store_result *r = &op->op.result;
        r->mailbox = box->m;
        r->uidvalidity = box->row.uidvalidity;
        r->modseq = box->row.highestmodseq;
        r->keyword_dropped |= dropped;
        if (op->ndest == 1)
            uidset_copy(&r->dest, &uids);
    }
    uidset_finish(&uids);
    return e;
}

static enum err check(struct turn *turn, const struct append_op *op, const struct append_dest *dest,
                      struct acct *acct, struct box *box)
{
    uint64_t octets = 0;
    for (size_t i = 0; i < op->n; i++)
        octets += op->in[i]->facts.size;
    enum err e = account_for_change(turn, dest->a, acct);
    if (!e && acct->row.nonce != dest->nonce)
        e = ERR_NOTFOUND;
    if (!e)
        e = box_find(turn->txn, turn->env, dest->a, dest->path, box);
    if (!e)
        e = account_fits(acct, &dest->limits, octets, op->n);
    if (!e && box->row.uidnext > UINT32_MAX - op->n)
        e = ERR_LIMIT;
    return e;
}

/* --- the op --------------------------------------------------------------------------------------
 */

static enum err store_bodies(struct turn *turn, struct append_op *op, uint32_t refs)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < op->n; i++) {
        if (op->stored) {
            e = turn_blob_ref(turn, op->in[i]->blob, (int)refs);
        } else {
            e = incoming_store(turn, op->in[i], refs);
        }
    }
    return e;
}

/* A taker fell away after all: its own earlier copy in this turn used up the quota. */
static enum err release_bodies(struct turn *turn, struct append_op *op)
{
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < op->n; i++)
        e = turn_blob_ref(turn, op->in[i]->blob, -1);
    return e;
}

/* Any error of a piece makes the whole command fail: its octets are not all there. */
static enum err pieces_failed(const struct append_op *op)
{
    for (size_t i = 0; i < op->n; i++) {
        pthread_mutex_lock(&op->in[i]->lock);
        enum err e = op->in[i]->err;
        pthread_mutex_unlock(&op->in[i]->lock);
        if (e)
            return e;
    }
    return ERR_OK;
}

static enum err append_apply(struct op *base, struct turn *turn)
{
    struct append_op *op = (struct append_op *)base;
    size_t end =
        op->next + RECIPIENTS_A_TURN < op->ndest ? op->next + RECIPIENTS_A_TURN : op->ndest;
    enum err e = pieces_failed(op);
    if (e)
        return e;

    /* Who can have it? The body is written once, with as many references as there are takers. */
    uint32_t takers = 0;
    for (size_t d = op->next; d < end; d++) {
        struct acct acct;
        struct box box;
        e = check(turn, op, &op->dest[d], &acct, &box);
        if (e && (op->ndest == 1 || e == ERR_CORRUPT || e == ERR_DOWN))
            return e;
        for (size_t i = 0; i < op->n; i++)
            op->arrivals[d * op->n + i] = (struct store_arrival){.err = e};
        takers += !e;
    }
    if (takers && (e = store_bodies(turn, op, takers)))
        return e;
    for (size_t d = op->next; d < end; d++) {
        struct acct acct;
        struct box box;
        if (op->arrivals[d * op->n].err)
            continue;
        /* Loaded anew: the same account may be there twice, through an alias. */
        e = check(turn, op, &op->dest[d], &acct, &box);
        if (e) {
            for (size_t i = 0; i < op->n; i++)
                op->arrivals[d * op->n + i].err = e;
            e = release_bodies(turn, op);
        } else {
            e = deliver(turn, op, &op->dest[d], &acct, &box, &op->arrivals[d * op->n]);
        }
        if (e)
            return e;
    }
    base->result.arrivals = mem_dup(op->arrivals, op->n * op->ndest * sizeof *op->arrivals);
    base->result.narrivals = op->n * op->ndest;
    base->again = end < op->ndest;
    return ERR_OK;
}

/* After the commit of a turn that leaves recipients for the next one: they start from here, and the
 * body must not be reaped should all takers so far expunge it at once. */
static void append_committed(struct op *base)
{
    struct append_op *op = (struct append_op *)base;
    op->next += RECIPIENTS_A_TURN;
    for (size_t d = 0; !op->stored && d < op->next; d++)
        if (!op->arrivals[d * op->n].err) {
            op->stored = true;
            for (size_t i = 0; i < op->n; i++)
                pin_add(base->env->pins, op->in[i]->blob);
        }
}

/* The recipients of earlier turns have it, whatever came of the others. */
static void append_refused(struct op *base)
{
    struct append_op *op = (struct append_op *)base;
    struct store_result *r = &base->result;
    if (op->next == 0)
        return;
    for (size_t i = op->next * op->n; i < op->ndest * op->n; i++)
        op->arrivals[i] = (struct store_arrival){.err = r->err};
    r->arrivals = mem_dup(op->arrivals, op->n * op->ndest * sizeof *op->arrivals);
    r->narrivals = op->n * op->ndest;
    r->err = ERR_OK;
}

static void append_release(struct op *base)
{
    struct append_op *op = (struct append_op *)base;
    bool lost = true; /* no recipient took it */
    for (size_t i = 0; i < op->n * op->ndest; i++)
        lost &= base->result.err || op->arrivals[i].err;
    for (size_t i = 0; i < op->n; i++) {
        if (op->stored)
            pin_drop(base->env->pins, op->in[i]->blob);
        if (lost)
            store_incoming_free(op->in[i]); /* a staged body is swept */
        else
            incoming_unref(op->in[i]);
    }
    for (size_t d = 0; d < op->ndest; d++) {
        mem_free((char *)(uintptr_t)op->dest[d].path.ptr);
        mem_free((char *)(uintptr_t)op->dest[d].rcpt.ptr);
    }
    mem_free(op->dest);
    mem_free(op->in);
    mem_free(op->arrivals);
    mem_free(op);
}

static const struct op_kind append_kind = {"append", append_apply,     append_release,
                                           true,     append_committed, append_refused};

static struct slice owned(struct slice s)
{
    return slice(mem_dup(s.ptr, s.len), s.len);
}

void store_append(struct store_incoming *const *in, size_t n, const struct store_dest *dest,
                  size_t ndest, struct store_to to)
{
    struct append_op *op = mem_new(sizeof *op);
    uint64_t octets = 0;
    op->n = n;
    op->ndest = ndest;
    op->in = mem_dup(in, n * sizeof *op->in);
    op->dest = mem_new_array(ndest, sizeof *op->dest);
    op->arrivals = mem_new_array(n * ndest, sizeof *op->arrivals);
    for (size_t i = 0; i < n; i++) {
        incoming_seal(in[i]);
        octets += in[i]->len;
    }
    for (size_t d = 0; d < ndest; d++)
        op->dest[d] = (struct append_dest){.a = dest[d].account->a,
                                           .nonce = dest[d].account->nonce,
                                           .limits = dest[d].account->limits,
                                           .actor = dest[d].account->actor,
                                           .path = owned(dest[d].path),
                                           .rcpt = owned(dest[d].rcpt)};
    size_t turn_dest = ndest < RECIPIENTS_A_TURN ? ndest : RECIPIENTS_A_TURN;
    op->op = (struct op){.kind = &append_kind,
                         .env = in[0]->env,
                         .acct = in[0]->a,
                         .pages = (uint32_t)(turn_dest * (n + 4) * 2 + PAGES_PER_MESSAGE +
                                             octets / ENGINE_PAGE + n * 2),
                         .octets = (uint32_t)octets,
                         .internal = in[0]->staged,
                         .to = to};
    committer_submit(in[0]->env->committer, &op->op);
}
