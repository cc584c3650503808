#include "store/maildrop.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/mem.h"
#include "store/body.h"
#include "store/gone.h"
#include "store/live.h"
#include "store/uidl.h"

/* --- freezing the listing ------------------------------------------------------------------------
 */

/* A message whose place in the listing was imported with its UIDL. */
struct ordered {
    uint32_t order, folder, uid;
};

struct making {
    struct store_reader *reader;
    struct engine_txn *txn;
    const struct env *env;
    uint32_t a;
    struct listing *list;
    uint32_t cap, runs_cap;
    struct ordered *ordered; /* by folder and UID until all folders have been read */
    size_t nordered, ordered_cap;
    bool overrides;
};

static void reserve(struct making *k, uint32_t n)
{
    if (n <= k->cap)
        return;
    k->cap = n > k->cap * 2 ? n : k->cap * 2;
    k->list->messages = mem_resize(k->list->messages, k->cap * sizeof *k->list->messages);
}

static void add_message(struct making *k, uint32_t uid, uint32_t size)
{
    struct listing *list = k->list;
    reserve(k, list->n + 1);
    list->messages[list->n++] = (struct listed){uid, size};
    list->octets += size;
}

static void add_run(struct making *k, uint32_t first, uint32_t m, uint32_t uidvalidity)
{
    struct listing *list = k->list;
    if (list->nruns == k->runs_cap) {
        k->runs_cap = k->runs_cap ? k->runs_cap * 2 : 4;
        list->runs = mem_resize(list->runs, k->runs_cap * sizeof *list->runs);
    }
    list->runs[list->nruns++] = (struct run){first, m, uidvalidity};
}

static enum err add_bucket(struct making *k, struct slice key, struct slice value)
{
    struct hot_bucket now;
    uint32_t bucket;
    if (k->reader->loop && !engine_resident(value))
        return ERR_AGAIN;
    enum err e = hot_decode(value, &now);
    if (e || !key_get32(key, 8, &bucket))
        return ERR_CORRUPT;
    for (unsigned bit = 0; bit < BUCKET_UIDS; bit++)
        if (hot_bucket_has(&now, bit))
            add_message(k, (bucket << BUCKET_SHIFT) + bit, now.slot[bit].size);
    return ERR_OK;
}

/* Every row of `table` in (a, m), in order. */
static enum err each_row(struct making *k, unsigned table, uint32_t m,
                         enum err (*row)(struct making *k, struct slice key, struct slice value))
{
    struct engine_cursor cursor;
    struct key key;
    struct slice prefix = key_am(&key, k->a, m);
    enum err e = engine_cursor_open(k->txn, table, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix);
    while (!e && slice_starts(cursor.key, prefix)) {
        e = row(k, cursor.key, cursor.value);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err add_ordered(struct making *k, struct slice key, struct slice value)
{
    struct row_uidl row;
    uint32_t uid;
    enum err e = row_uidl_decode(value, &row);
    if (e || !key_get32(key, 8, &uid))
        return ERR_CORRUPT;
    if (row.order == 0)
        return ERR_OK;
    if (k->nordered == k->ordered_cap) {
        k->ordered_cap = k->ordered_cap ? k->ordered_cap * 2 : 64;
        k->ordered = mem_resize(k->ordered, k->ordered_cap * sizeof *k->ordered);
    }
    k->ordered[k->nordered++] = (struct ordered){row.order, k->list->nruns - 1, uid};
    return ERR_OK;
}

/* Until the listing is put in order a folder is one run, even if it is empty. */
static enum err add_folder(struct making *k, struct slice path)
{
    struct listing *list = k->list;
    struct box box;
    enum err e = box_find(k->txn, k->env, k->a, path, &box);
    if (e)
        return e;
    for (uint32_t i = 0; i < list->nruns; i++)
        if (list->runs[i].m == box.m)
            return ERR_OK; /* named twice */
    boxes_pin_told(k->reader->store, k->a, box.m, box.row.highestmodseq,
                   &list->pins[list->npins++]);
    add_run(k, list->n, box.m, box.row.uidvalidity);
    reserve(k, list->n + box.row.exists);
    e = each_row(k, DBI_HOT, box.m, add_bucket);
    if (!e && k->overrides)
        e = each_row(k, DBI_UIDL, box.m, add_ordered);
    return e;
}

/* --- imported order: those first, then the rest by folder and UID
 * --------------------------------- */

static int by_order(const void *a, const void *b)
{
    const struct ordered *x = a, *y = b;
    if (x->order != y->order)
        return x->order < y->order ? -1 : 1;
    if (x->folder != y->folder)
        return x->folder < y->folder ? -1 : 1;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static int by_uid(const void *a, const void *b)
{
    const struct listed *x = a, *y = b;
    return (x->uid > y->uid) - (x->uid < y->uid);
}

static uint32_t run_end(const struct listing *list, uint32_t run)
{
    return run + 1 < list->nruns ? list->runs[run + 1].first : list->n;
}

static void put(struct making *k, const struct run *of, struct listed message)
{
    struct listing *list = k->list;
    if (list->nruns == 0 || list->runs[list->nruns - 1].m != of->m)
        add_run(k, list->n, of->m, of->uidvalidity);
    add_message(k, message.uid, message.size);
}

static void put_in_order(struct making *k)
{
    struct listing *list = k->list, old = *list;
    if (k->nordered == 0)
        return;
    qsort(k->ordered, k->nordered, sizeof *k->ordered, by_order);
    list->messages = NULL;
    list->runs = NULL;
    list->n = list->nruns = k->cap = k->runs_cap = 0;
    list->octets = 0;
    reserve(k, old.n);
    for (size_t i = 0; i < k->nordered; i++) {
        const struct ordered *o = &k->ordered[i];
        uint32_t first = old.runs[o->folder].first;
        struct listed wanted = {.uid = o->uid};
        struct listed *message = bsearch(&wanted, old.messages + first,
                                         run_end(&old, o->folder) - first, sizeof wanted, by_uid);
        if (!message)
            continue; /* expunged: its rows stay for the undelete window */
        put(k, &old.runs[o->folder], *message);
        message->size |= 1u << 31; /* taken; sizes are below 2 GiB */
    }
    for (uint32_t run = 0; run < old.nruns; run++)
        for (uint32_t i = old.runs[run].first; i < run_end(&old, run); i++)
            if (!(old.messages[i].size >> 31))
                put(k, &old.runs[run], old.messages[i]);
    mem_free(old.messages);
    mem_free(old.runs);
}

/* --- open, close
 * ----------------------------------------------------------------------------------- */

void listing_unref(struct listing *list)
{
    if (!list || atomic_fetch_sub(&list->refs, 1) > 1)
        return;
    for (size_t i = 0; i < list->npins; i++)
        boxes_unpin_told(&list->pins[i]);
    mem_free(list->pins);
    mem_free(list->messages);
    mem_free(list->runs);
    mem_free(list);
}

const struct run *listing_run(const struct listing *list, uint32_t i)
{
    uint32_t lo = 0, hi = list->nruns;
    while (hi - lo > 1) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (list->runs[mid].first <= i)
            lo = mid;
        else
            hi = mid;
    }
    return &list->runs[lo];
}

static enum err freeze(struct store_reader *reader, struct store_account *account,
                       const struct store_poprule *rule, struct making *k)
{
    k->reader = reader;
    k->env = account->env;
    k->a = account->a;
    k->list = mem_new(sizeof *k->list);
    atomic_init(&k->list->refs, 1);
    k->list->pins = mem_new_array(rule->nfolders + 1, sizeof *k->list->pins);
    boxes_pin_told(reader->store, k->a, MOVED_ANYWHERE, 0, &k->list->pins[k->list->npins++]);
    enum err e = ERR_OK;
    for (size_t i = 0; !e && i < rule->nfolders; i++) {
        e = add_folder(k, rule->folders[i]);
        if (e == ERR_NOTFOUND)
            e = ERR_OK; /* one of several; whether it was the only one shows below */
    }
    if (!e && k->list->nruns == 0)
        e = ERR_NOTFOUND;
    if (!e)
        put_in_order(k);
    mem_free(k->ordered);
    return e;
}

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
    struct making k = {0};
    struct acct acct;
    enum err e = rule->lock ? live_maildrop_take(live) : ERR_OK;
    if (e)
        return e;
    struct store_maildrop *drop = mem_new(sizeof *drop);
    drop->account = account;
    drop->live = rule->lock ? live : NULL;
    drop->retr_seen = rule->retr_seen;
    e = reader_snap(reader, account->env, &k.txn);
    if (!e)
        e = acct_load(k.txn, account->a, &acct);
    if (!e) {
        drop->overrides = k.overrides = acct.row.flags & ACCT_HAS_UIDL;
        e = read_format(k.txn, account->a, &drop->format);
    }
    if (!e)
        e = freeze(reader, account, rule, &k);
    drop->list = k.list;
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
    uidl_make(drop->format, run->uidvalidity, uid, msg.emailid, to);
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
