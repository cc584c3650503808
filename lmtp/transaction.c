/* MAIL and RCPT: who sends, and which mailboxes are to have it. Answered truthfully and without a
 * write (CONTRACTS 14), so that an MTA may ask without sending. */
#include <xxhash.h>

#include "core/base/mem.h"
#include "lmtp/command.h"
#include "lmtp/halves.h"
#include "lmtp/session.h"

enum { TRANSACTION_ARENA_MAX = 8 * 1024 * 1024 };

static void init(struct lmtp_transaction *t)
{
    *t = (struct lmtp_transaction){0};
    arena_init(&t->arena, TRANSACTION_ARENA_MAX);
}

void lmtp_transaction_end(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    for (size_t i = 0; i < t->nparts; i++)
        store_incoming_free(t->parts[i].in);
    for (size_t i = 0; i < t->nrcpts; i++)
        auth_recipient_close(t->rcpts[i].accounts, t->rcpts[i].naccounts);
    mem_free(t->rcpts);
    mem_free(t->targets);
    XXH3_freeState(t->hash);
    buf_finish(&t->head);
    arena_reset(&t->arena);
    init(t);
    s->forward = (struct lmtp_forward){0};
    if (s->state > LMTP_READY)
        lmtp_state_set(s, LMTP_READY);
}

uint64_t lmtp_size_max(const struct lmtp_session *s)
{
    struct auth_bounds bounds;
    auth_bounds(lmtp_app.auth, conn_loop(s->conn), &bounds);
    return bounds.message_octets;
}

/* RFC 5321 section 3.3; RFC 1870 section 6.1 for a SIZE that nobody here would take. */
enum step lmtp_mail(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    /* An account may have more than the file says: looked for only when it matters, as it takes a
     * walk. */
    if (s->args.size > conn_config(s->conn)->settings.store.message_size &&
        s->args.size > lmtp_size_max(s))
        return lmtp_fail(s, ERR_TOOBIG);
    init(t);
    t->sender = arena_dup(&t->arena, s->args.path);
    t->size = s->args.size;
    t->smtputf8 = s->args.smtputf8;
    s->counter++;
    lmtp_state_set(s, LMTP_MAIL);
    lmtp_say(s, "250 2.1.0 sender ok");
    return STEP_DONE;
}

/* --- RCPT
 * ------------------------------------------------------------------------------------------ */

/* user+detail goes into that mailbox if there is one, else into INBOX. */
static enum err find_path(struct lmtp_session *s, const struct auth_recipient *to,
                          struct slice *ret)
{
    *ret = SLICE("INBOX");
    if (to->detail.len == 0)
        return ERR_OK;
    enum err e = store_mailbox_match(lmtp_reader(s), to->account, to->detail, &s->mail.arena, ret);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* The index of the target for that mailbox: one that is there already, or a new one. */
static uint32_t target_of(struct lmtp_transaction *t, const struct auth_recipient *to,
                          struct slice path, struct slice rcpt)
{
    for (size_t i = 0; i < t->ntargets; i++)
        if (store_account_id(t->targets[i].account) == store_account_id(to->account) &&
            slice_eq(t->targets[i].path, path))
            return (uint32_t)i;
    if (t->ntargets == t->targets_cap) {
        t->targets_cap = t->targets_cap ? 2 * t->targets_cap : 4;
        t->targets = mem_resize(t->targets, t->targets_cap * sizeof *t->targets);
    }
    t->targets[t->ntargets] = (struct lmtp_target){.account = to->account,
                                                   .path = path,
                                                   .rcpt = rcpt,
                                                   .message_octets = to->message_octets,
                                                   .shard = store_account_shard(to->account)};
    return (uint32_t)t->ntargets++;
}

/* The quota of an alias's target may be full with the very message that is coming again for the
 * others: then it is looked at after the data, when it is known which message that is. */
static enum err check(struct lmtp_session *s, const struct lmtp_rcpt *rcpt,
                      const struct auth_recipient *to)
{
    uint64_t octets = s->mail.size;
    if (to->message_octets && octets > to->message_octets)
        return ERR_TOOBIG;
    enum err e = store_quota_check(lmtp_reader(s), to->account, octets, 1);
    if (e == ERR_QUOTA && rcpt->naccounts > 1 &&
        halves_may_have(lmtp_app.halves, rcpt->path, store_account_id(to->account)))
        return ERR_OK;
    return e;
}

/* All targets are good, or none is taken. */
static enum err add_recipient(struct lmtp_session *s, struct lmtp_rcpt *rcpt)
{
    struct lmtp_transaction *t = &s->mail;
    struct slice *paths = arena_try(&s->arena, rcpt->naccounts * sizeof *paths);
    rcpt->targets = arena_try(&t->arena, rcpt->naccounts * sizeof *rcpt->targets);
    if (!rcpt->path.ptr || !paths || !rcpt->targets)
        return ERR_LIMIT;
    const struct lmtp_forward *f = &s->forward;
    unsigned char address[16];
    conn_peer_octets(s->conn, address);
    for (size_t i = 0; i < rcpt->naccounts; i++) {
        struct store_account *account = rcpt->accounts[i].account;
        enum err e = find_path(s, &rcpt->accounts[i], &paths[i]);
        if (!e)
            e = check(s, rcpt, &rcpt->accounts[i]);
        if (e)
            return e;
        store_account_set_actor(account, PROTO_LMTP, conn_id(s->conn));
        store_account_set_origin(account, f->has_address ? f->address : address,
                                 *f->helo ? slice_str(f->helo) : buf_slice(&s->helo));
    }
    for (size_t i = 0; i < rcpt->naccounts; i++)
        rcpt->targets[i] = target_of(t, &rcpt->accounts[i], paths[i], rcpt->path);
    rcpt->ntargets = (uint32_t)rcpt->naccounts;
    return ERR_OK;
}

static void keep_recipient(struct lmtp_transaction *t, const struct lmtp_rcpt *rcpt)
{
    if (t->nrcpts == t->rcpts_cap) {
        t->rcpts_cap = t->rcpts_cap ? 2 * t->rcpts_cap : 4;
        t->rcpts = mem_resize(t->rcpts, t->rcpts_cap * sizeof *t->rcpts);
    }
    t->rcpts[t->nrcpts++] = *rcpt;
}

static enum err recipient(struct lmtp_session *s)
{
    struct lmtp_transaction *t = &s->mail;
    struct slice address;
    struct lmtp_rcpt rcpt = {0};
    if (!t->smtputf8 && !slice_is_ascii(s->args.path))
        return ERR_BADCHARSET;
    if (t->nrcpts >= lmtp_config(s)->lmtp.recipients)
        return ERR_LIMIT;
    enum err e = lmtp_address(s->args.path, &s->arena, &address);
    if (!e)
        e = auth_recipient_find(lmtp_app.auth, lmtp_reader(s), address, &t->arena, &rcpt.accounts,
                                &rcpt.naccounts);
    if (e)
        return e == ERR_SYNTAX ? ERR_NOTFOUND : e; /* no name that an account here could have */
    rcpt.path = arena_dup(&t->arena, s->args.path);
    e = add_recipient(s, &rcpt);
    if (e)
        auth_recipient_close(rcpt.accounts, rcpt.naccounts);
    else
        keep_recipient(t, &rcpt);
    return e;
}

enum step lmtp_rcpt(struct lmtp_session *s)
{
    enum err e = recipient(s);
    if (e) {
        lmtp_log_refused(s, s->args.path, e);
        return lmtp_fail(s, e);
    }
    lmtp_state_set(s, LMTP_RCPT);
    lmtp_say(s, "250 2.1.5 recipient ok");
    return STEP_DONE;
}
