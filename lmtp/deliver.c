/* After the data: one batch for each shard, one answer for each recipient.
 *
 * A recipient with several targets (an alias) stands or falls as one. What can be known before is
 * asked before anything is written; a failure after that is answered 4xx, whatever it was, because
 * a part of the targets may have the message already. Which ones is remembered, and the next
 * attempt passes them over (lmtp/halves.h). */
#include "lmtp/halves.h"
#include "lmtp/session.h"

static bool had(const struct lmtp_rcpt *rcpt, uint32_t i)
{
    return rcpt->had && rcpt->had[i];
}

static bool failed(const struct lmtp_transaction *t, const struct lmtp_rcpt *rcpt)
{
    for (uint32_t i = 0; i < rcpt->ntargets; i++)
        if (!had(rcpt, i) && t->targets[rcpt->targets[i]].err)
            return true;
    return rcpt->err != ERR_OK;
}

/* A target is wanted as long as a recipient that has not failed leads to it. */
static void find_wanted(struct lmtp_transaction *t)
{
    for (size_t i = 0; i < t->ntargets; i++)
        t->targets[i].wanted = false;
    for (size_t i = 0; i < t->nrcpts; i++)
        if (!failed(t, &t->rcpts[i]))
            for (uint32_t k = 0; k < t->rcpts[i].ntargets; k++)
                if (!had(&t->rcpts[i], k))
                    t->targets[t->rcpts[i].targets[k]].wanted = true;
}

static enum err judge_target(struct lmtp_session *s, const struct lmtp_target *target)
{
    const struct lmtp_transaction *t = &s->mail;
    if (target->message_octets && t->octets - t->prefix > target->message_octets)
        return ERR_TOOBIG;
    return store_quota_check(lmtp_reader(s), target->account, t->octets, 1);
}

/* --- aliases that half fail
 * ------------------------------------------------------------------------ */

static struct half_key key_of(const struct lmtp_session *s, const struct lmtp_rcpt *rcpt)
{
    const struct lmtp_transaction *t = &s->mail;
    struct slice id = slice_str(s->forward.ident);
    return halves_key(lmtp_app.halves, rcpt->path, id.len ? id : lmtp_head_message_id(t), t->hash);
}

static void recall(struct lmtp_session *s, struct lmtp_rcpt *rcpt)
{
    struct lmtp_transaction *t = &s->mail;
    if (rcpt->ntargets < 2 || !t->hash)
        return;
    struct half_key key = key_of(s, rcpt);
    for (uint32_t i = 0; i < rcpt->ntargets; i++) {
        uint32_t account = store_account_id(t->targets[rcpt->targets[i]].account);
        if (!halves_has(lmtp_app.halves, key, account))
            continue;
        if (!rcpt->had)
            rcpt->had = arena_new(&t->arena, rcpt->ntargets * sizeof *rcpt->had);
        rcpt->had[i] = true;
    }
}

static void remember(struct lmtp_session *s, const struct lmtp_rcpt *rcpt, enum err e)
{
    struct lmtp_transaction *t = &s->mail;
    if (rcpt->ntargets < 2 || !t->hash)
        return;
    uint32_t *accounts = arena_new(&t->arena, rcpt->ntargets * sizeof *accounts);
    size_t n = 0;
    for (uint32_t i = 0; e && i < rcpt->ntargets; i++) {
        const struct lmtp_target *target = &t->targets[rcpt->targets[i]];
        if (target->stored || had(rcpt, i))
            accounts[n++] = store_account_id(target->account);
    }
    if (n || rcpt->had)
        halves_put(lmtp_app.halves, key_of(s, rcpt), accounts, n);
}

/* --- the store
 * ------------------------------------------------------------------------------------- */

static void judge(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    for (size_t p = 0; p < t->nparts; p++) {
        if (!t->parts[p].err)
            t->octets = store_incoming_size(t->parts[p].in);
        for (size_t i = 0; i < t->ntargets; i++)
            if (t->targets[i].shard == t->parts[p].shard)
                t->targets[i].err = t->parts[p].err;
    }
    for (size_t i = 0; i < t->nrcpts; i++) {
        struct lmtp_rcpt *rcpt = &t->rcpts[i];
        recall(s, rcpt);
        for (uint32_t k = 0; k < rcpt->ntargets && !failed(t, rcpt); k++)
            if (!had(rcpt, k))
                rcpt->err = judge_target(s, &t->targets[rcpt->targets[k]]);
    }
    t->judged = true;
}

static bool goes_with(const struct lmtp_target *target, const struct lmtp_part *part)
{
    return target->wanted && target->shard == part->shard;
}

static void appended(void *object, const struct store_result *result)
{
    struct lmtp_session *s = conn_session(object);
    struct lmtp_transaction *t = &s->mail;
    const struct lmtp_part *part = &t->parts[t->delivered];
    size_t n = 0;
    for (size_t i = 0; i < t->ntargets; i++) {
        struct lmtp_target *target = &t->targets[i];
        if (!goes_with(target, part))
            continue;
        target->err = result->err;
        if (n < result->narrivals) {
            if (!target->err)
                target->err = result->arrivals[n].err;
            target->uid = result->arrivals[n].uid;
        }
        target->stored = !target->err;
        n++;
    }
    t->delivered++;
    lmtp_wake(s);
}

/* False: nobody wants this part any more. */
static bool append(struct lmtp_session *s, struct lmtp_part *part)
{
    struct lmtp_transaction *t = &s->mail;
    struct store_dest *dests = arena_new(&t->arena, t->ntargets * sizeof *dests);
    size_t n = 0;
    for (size_t i = 0; i < t->ntargets; i++)
        if (goes_with(&t->targets[i], part))
            dests[n++] =
                (struct store_dest){.account = t->targets[i].account,
                                    .path = t->targets[i].path,
                                    .rcpt = t->nrcpts > 1 ? t->targets[i].rcpt : SLICE_NONE};
    if (n) {
        store_append(&part->in, 1, dests, n, lmtp_to(s, appended));
        part->in = NULL;
    }
    return n > 0;
}

/* --- answers
 * --------------------------------------------------------------------------------------- */

static enum err outcome(const struct lmtp_transaction *t, const struct lmtp_rcpt *rcpt)
{
    bool stored = false;
    enum err e = rcpt->err;
    for (uint32_t i = 0; i < rcpt->ntargets; i++) {
        const struct lmtp_target *target = &t->targets[rcpt->targets[i]];
        stored |= target->stored || had(rcpt, i);
        if (!e && !had(rcpt, i))
            e = target->err;
    }
    return e && stored && rcpt->ntargets > 1 && !lmtp_is_temporary(e) ? ERR_DOWN : e;
}

static void log_delivered(struct lmtp_session *s, const struct lmtp_rcpt *rcpt)
{
    const struct lmtp_transaction *t = &s->mail;
    for (uint32_t i = 0; i < rcpt->ntargets; i++) {
        const struct lmtp_target *target = &t->targets[rcpt->targets[i]];
        struct log_line l;
        if (had(rcpt, i))
            continue;
        lmtp_log_begin(s, &l, LOG_INFO, "delivered");
        log_slice(&l, "rcpt", rcpt->path);
        log_slice(&l, "user", store_account_login(target->account));
        log_slice(&l, "mbox", target->path);
        log_u64(&l, "uid", target->uid);
        log_u64(&l, "size", t->octets);
        log_str(&l, "qid", s->forward.ident);
        log_slice(&l, "mid", lmtp_head_message_id(t));
        lmtp_log_end(s, &l);
    }
}

enum step lmtp_deliver(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    if (!t->judged)
        judge(s);
    while (t->delivered < t->nparts) {
        struct lmtp_part *part = &t->parts[t->delivered];
        find_wanted(t);
        if (!part->err && append(s, part))
            return lmtp_wait(s);
        t->delivered++;
    }
    for (size_t i = 0; i < t->nrcpts; i++) {
        enum err e = outcome(t, &t->rcpts[i]);
        remember(s, &t->rcpts[i], e);
        if (e)
            lmtp_log_refused(s, t->rcpts[i].path, e);
        else
            log_delivered(s, &t->rcpts[i]);
        lmtp_answer_rcpt(s, &t->rcpts[i], e);
    }
    return STEP_DONE;
}
