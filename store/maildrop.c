#include "store/maildrop.h"

#include <string.h>

#include "core/base/mem.h"
#include "store/body.h"
#include "store/gone.h"
#include "store/live.h"
#include "store/uidl.h"

/* --- open, close
 * ----------------------------------------------------------------------------------- */

static enum err read_format(struct engine_txn *txn, uint32_t a, uint8_t *ret)
{
    struct key key;
    struct slice value, name = SLICE_NONE;
    enum err e = engine_get(txn, DBI_OPT, key_a_text(&key, a, SLICE("uidl_format")), &value);
    if (!e)
        e = row_value_decode(value, &name);
    *ret = (uint8_t)uidl_format(name);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err store_maildrop_open(struct store_reader *reader, struct store_account *account,
                             struct store_live *live, const struct store_poprule *rule,
                             struct store_maildrop **ret)
{
    struct engine_txn *txn;
    struct acct acct;
    enum err e = rule->lock ? live_maildrop_take(live) : ERR_OK;
    if (e)
        return e;
    struct store_maildrop *drop = mem_new(sizeof *drop);
    drop->account = account;
    drop->live = rule->lock ? live : NULL;
    drop->retr_seen = rule->retr_seen;
    e = reader_snap(reader, account->env, &txn);
    if (!e)
        e = acct_load(txn, account->a, &acct);
    if (!e) {
        drop->overrides = acct.row.flags & ACCT_HAS_UIDL;
        e = read_format(txn, account->a, &drop->format);
    }
    if (!e)
        e = maildrop_freeze(drop, reader, txn, rule);
    if (e)
        store_maildrop_close(drop);
    else
        *ret = drop;
    return e;
}

void store_maildrop_close(struct store_maildrop *drop)
{
    if (!drop)
        return;
    if (drop->live)
        live_maildrop_release(drop->live);
    listing_unref(drop->list);
    shown_finish(&drop->shown);
    mem_free(drop->hidden);
    mem_free(drop->peeked);
    mem_free(drop);
}

/* --- asking
 * ---------------------------------------------------------------------------------------- */

uint32_t store_maildrop_count(const struct store_maildrop *drop)
{
    return drop->list->n;
}

uint64_t store_maildrop_octets(const struct store_maildrop *drop)
{
    return drop->list->octets;
}

static bool is_listed(const struct store_maildrop *drop, uint32_t n)
{
    return n >= 1 && n <= drop->list->n;
}

enum err store_maildrop_size(const struct store_maildrop *drop, uint32_t n, uint32_t *ret)
{
    if (!is_listed(drop, n))
        return ERR_NOTFOUND;
    *ret = drop->list->messages[n - 1].size;
    return ERR_OK;
}

void store_maildrop_peeked(struct store_maildrop *drop, uint32_t n, bool peeked)
{
    unsigned char mask = (unsigned char)(1u << ((n - 1) % 8));
    if (!is_listed(drop, n) || (!peeked && !drop->peeked))
        return;
    if (!drop->peeked)
        drop->peeked = mem_new(((size_t)drop->list->n + 7) / 8);
    unsigned char *octet = &drop->peeked[(n - 1) / 8];
    *octet = (unsigned char)(peeked ? *octet | mask : *octet & ~mask);
}

bool store_maildrop_hidden(const struct store_maildrop *drop, uint32_t i,
                           struct store_pophidden *ret)
{
    if (i >= drop->nhidden)
        return false;
    *ret = drop->hidden[i];
    return true;
}

enum err maildrop_follow(struct engine_txn *txn, uint32_t a, uint32_t *m, uint32_t *uid)
{
    struct key key;
    struct slice value;
    struct row_gone row;
    enum err e = engine_get(txn, DBI_GONE, key_gone(&key, a, GONE_TRANSIENT, *m, *uid), &value);
    if (!e)
        e = row_gone_decode(value, &row);
    if (!e && (row.why & GONE_WHY_MASK) != GONE_MOVED)
        e = ERR_NOTFOUND;
    if (e)
        return e;
    *m = row.to_m;
    *uid = row.to_u;
    return ERR_OK;
}

/* RFC 1939 section 7: 1 to 70 octets in 0x21..0x7e, never the same for two messages of a maildrop.
 */
static enum err find_uidl(const struct store_maildrop *drop, struct engine_txn *txn,
                          const struct run *run, uint32_t uid, char *to)
{
    struct key key;
    struct slice k = key_amu(&key, drop->account->a, run->m, uid), value;
    struct row_uidl row;
    struct row_msg msg = {0};
    enum err e = drop->overrides ? engine_get(txn, DBI_UIDL, k, &value) : ERR_NOTFOUND;
    if (!e)
        e = row_uidl_decode(value, &row);
    if (!e) {
        memcpy(to, row.text.ptr, row.text.len);
        to[row.text.len] = '\0';
        return ERR_OK;
    }
    if (e != ERR_NOTFOUND)
        return e;
    if (drop->format == UIDL_GUID) {
        e = engine_get(txn, DBI_MSG, k, &value);
        if (!e)
            e = row_msg_decode(value, &msg);
        if (e)
            return e == ERR_NOTFOUND ? ERR_GONE : e;
    }
    /* The account may be older than a view of several folders. */
    bool clashes = drop->format == UIDL_UID && drop->first_m && run->m != drop->first_m;
    uidl_make(clashes ? UIDL_DOVECOT : drop->format, run->uidvalidity, uid, msg.emailid, to);
    return ERR_OK;
}

enum err store_maildrop_entry(struct store_maildrop *drop, struct store_reader *reader, uint32_t n,
                              struct store_popentry *ret)
{
    struct engine_txn *txn = NULL;
    if (!is_listed(drop, n))
        return ERR_NOTFOUND;
    const struct listed *message = &drop->list->messages[n - 1];
    const struct run *run = listing_run(drop->list, n - 1);
    *ret = (struct store_popentry){.size = message->size, .uid = message->uid, .mailbox = run->m};
    bool reads = drop->overrides || drop->format == UIDL_GUID;
    enum err e = reads ? reader_snap(reader, drop->account->env, &txn) : ERR_OK;
    return e ? e : find_uidl(drop, txn, run, message->uid, ret->uidl);
}

enum err store_maildrop_body(struct store_maildrop *drop, struct store_reader *reader, uint32_t n,
                             struct store_body **ret, uint32_t *ret_hdr_len)
{
    struct row_msg msg;
    if (!is_listed(drop, n))
        return ERR_NOTFOUND;
    enum err e = body_open_message(reader, drop->account->env, drop->account->a,
                                   listing_run(drop->list, n - 1)->m,
                                   drop->list->messages[n - 1].uid, &msg, ret);
    if (!e)
        *ret_hdr_len = msg.hdr_len;
    return e;
}
