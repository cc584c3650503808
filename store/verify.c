#include "store/verify.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

void verify_finding(struct verify *v, const char *format, ...)
{
    char text[512];
    int n =
        v->env->index == ENV_CATALOG
            ? snprintf(text, sizeof text, "catalog: ")
            : snprintf(text, sizeof text, "shard %u account %" PRIu32 ": ", v->env->index, v->a);
    va_list ap;
    va_start(ap, format);
    vsnprintf(text + n, sizeof text - (size_t)n, format, ap);
    va_end(ap);
    v->out->findings++;
    if (v->out->finding)
        v->out->finding(v->out->arg, text);
}

enum err verify_rows(struct verify *v, unsigned dbi, struct slice prefix, verify_row *row,
                     void *arg)
{
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(v->txn, dbi, prefix, &cursor);
    if (!e)
        e = engine_seek(&cursor, prefix.len ? prefix : SLICE("\0"));
    while (!e) {
        e = row(v, arg, cursor.key, cursor.value);
        if (!e)
            e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

/* --- accounts
 * -------------------------------------------------------------------------------------- */

static enum err see_name(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)arg;
    struct row_name name;
    struct box box;
    char room[PATH_OCTETS_MAX];
    struct slice path = key_path(key, room);
    if (row_name_decode(value, &name)) {
        verify_finding(v, "name '" SLICE_FMT "' cannot be read", SLICE_ARG(path));
        return ERR_OK;
    }
    if (!name.m)
        return ERR_OK;
    enum err e = box_load(v->txn, v->env, v->a, name.m, &box);
    if (e == ERR_NOTFOUND || e == ERR_CORRUPT)
        verify_finding(v, "name '" SLICE_FMT "' leads to mailbox %u, which is not there",
                       SLICE_ARG(path), name.m);
    else if (!e && (box.row.state != MBOX_LIVE || !slice_eq(box.row.path, path)))
        verify_finding(
            v, "name '" SLICE_FMT "' leads to mailbox %u of path '" SLICE_FMT "' in state %u",
            SLICE_ARG(path), name.m, SLICE_ARG(box.row.path), box.row.state);
    return e == ERR_NOTFOUND || e == ERR_CORRUPT ? ERR_OK : e;
}

static enum err see_box(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)value;
    struct verify_sums *sums = arg;
    struct box box, named;
    uint32_t m;
    if (!key_get32(key, 4, &m) || box_load(v->txn, v->env, v->a, m, &box)) {
        verify_finding(v, "a mailbox row cannot be read");
        return ERR_OK;
    }
    v->out->mailboxes++;
    enum err e = box_find(v->txn, v->env, v->a, box.row.path, &named);
    if (e && e != ERR_NOTFOUND && e != ERR_CORRUPT)
        return e;
    if (box.row.state == MBOX_LIVE && (e || named.m != m))
        verify_finding(v, "mailbox %u '" SLICE_FMT "' has no name", m, SLICE_ARG(box.row.path));
    if (uidset_has(&sums->uidvalidities, box.row.uidvalidity))
        verify_finding(v, "mailbox %u: UIDVALIDITY %u is not the only one of its kind", m,
                       box.row.uidvalidity);
    uidset_add(&sums->uidvalidities, box.row.uidvalidity, box.row.uidvalidity);
    return verify_mailbox(v, &box, sums);
}

static enum err see_gone(struct verify *v, void *arg, struct slice key, struct slice value)
{
    struct verify_sums *sums = arg;
    struct row_gone row;
    uint32_t m, u;
    struct key k;
    struct slice msg;
    if (row_gone_decode(value, &row) || !key_get32(key, 8, &m) || !key_get32(key, 12, &u)) {
        verify_finding(v, "a row of the undelete window cannot be read");
        return ERR_OK;
    }
    if (row.kind == GONE_MBOX) {
        struct box box;
        enum err e = box_load(v->txn, v->env, v->a, m, &box);
        if (e || box.row.state != MBOX_DELETED) {
            verify_finding(v, "the undelete window holds mailbox %u, which is not deleted", m);
        } else {
            sums->gone_bytes += box.row.bytes;
            sums->gone_messages += box.row.exists;
        }
        return ERR_OK;
    }
    if (engine_get(v->txn, DBI_MSG, key_amu(&k, v->a, m, u), &msg))
        verify_finding(v, "the undelete window holds %u/%u, which has no message row", m, u);
    if (!(row.why & GONE_NO_REF)) {
        sums->gone_bytes += row.size;
        sums->gone_messages++;
    }
    return ERR_OK;
}

static enum err see_message_extra(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)value;
    struct key k;
    struct slice msg;
    uint32_t m, u;
    if (!key_get32(key, 4, &m) || !key_get32(key, 8, &u) ||
        engine_get(v->txn, DBI_MSG, key_amu(&k, v->a, m, u), &msg))
        verify_finding(v, "a row of `%s` stands without its message", (const char *)arg);
    return ERR_OK;
}

static enum err see_log(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)arg;
    struct row_log row;
    struct row_log_conn conn;
    bool connection = key.len == 13 && (unsigned char)key.ptr[4] == LOG_CONN_MARK;
    if (connection ? row_log_conn_decode(value, &conn) : row_log_decode(value, &row))
        verify_finding(v, "a line of the journal cannot be read");
    return ERR_OK;
}

static void compare(struct verify *v, const char *what, uint64_t row, uint64_t counted)
{
    if (row != counted)
        verify_finding(v, "%s is %" PRIu64 " in its row, counted %" PRIu64, what, row, counted);
}

static enum err see_account(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)arg;
    struct acct acct;
    struct verify_sums sums = {0};
    struct key k;
    if (!key_get32(key, 0, &v->a) || row_acct_decode(value, &acct.row)) {
        verify_finding(v, "the account row cannot be read");
        return ERR_OK;
    }
    v->out->accounts++;
    if (acct.row.state == ACCT_DELETING)
        return ERR_OK; /* being swept: its rows go in any order */
    struct slice prefix = key_a(&k, v->a);
    enum err e = verify_rows(v, DBI_NAME, prefix, see_name, NULL);
    if (!e)
        e = verify_rows(v, DBI_MBOX, prefix, see_box, &sums);
    if (!e)
        e = verify_rows(v, DBI_GONE, prefix, see_gone, &sums);
    if (!e)
        e = verify_rows(v, DBI_POP, prefix, see_message_extra, (void *)(uintptr_t) "pop");
    if (!e)
        e = verify_rows(v, DBI_UIDL, prefix, see_message_extra, (void *)(uintptr_t) "uidl");
    if (!e)
        e = verify_rows(v, DBI_LOG, prefix, see_log, NULL);
    compare(v, "used octets", acct.row.used_bytes, sums.bytes);
    compare(v, "used messages", acct.row.used_msgs, sums.messages);
    compare(v, "gone octets", acct.row.gone_bytes, sums.gone_bytes);
    compare(v, "gone messages", acct.row.gone_msgs, sums.gone_messages);
    compare(v, "number of mailboxes", acct.row.nmbox, sums.mailboxes);
    uidset_finish(&sums.uidvalidities);
    return e;
}

enum err verify_account(struct verify *v, uint32_t a)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(v->txn, DBI_ACCT, key_a(&key, a), &value);
    return e ? e : see_account(v, NULL, key_slice(&key), value);
}

/* Scratch and deleted accounts' messages count as references too, though nothing else of theirs is
 * looked at. */
static enum err see_msg(struct verify *v, void *arg, struct slice key, struct slice value)
{
    (void)arg;
    struct row_msg row;
    uint32_t a = 0, m = 0, u = 0;
    if (!key_get32(key, 0, &a) || !key_get32(key, 4, &m) || !key_get32(key, 8, &u) ||
        row_msg_decode(value, &row)) {
        v->a = a;
        verify_finding(v, "message %u/%u cannot be read", m, u);
        return ERR_OK;
    }
    struct key k;
    struct slice gone;
    struct row_gone why;
    bool owns = true;
    /* Only transient rows may own no reference, so one look tells. */
    if (engine_get(v->txn, DBI_GONE, key_gone(&k, a, GONE_TRANSIENT, m, u), &gone) == ERR_OK &&
        row_gone_decode(gone, &why) == ERR_OK)
        owns = !(why.why & GONE_NO_REF);
    if (owns)
        ++*blob_map_at(&v->refs, row.blob);
    return ERR_OK;
}

/* --- the catalog
 * ------------------------------------------------------------------------------------- */

struct catalog_check {
    struct verify *shards; /* one per shard, with its snapshot */
};

static enum err see_user(struct verify *v, void *arg, struct slice key, struct slice value)
{
    struct catalog_check *check = arg;
    static _Thread_local struct row_user row;
    struct row_cacct back;
    struct acct acct;
    struct key k;
    struct slice found;
    if (row_user_decode(value, &row) || row.shard >= v->env->store->nshards) {
        verify_finding(v, "login '" SLICE_FMT "' cannot be read", SLICE_ARG(key));
        return ERR_OK;
    }
    enum err e = acct_load(check->shards[row.shard].txn, row.a, &acct);
    if (e == ERR_NOTFOUND)
        verify_finding(v,
                       "login '" SLICE_FMT "' leads to account %u, which shard %u does not have: "
                       "'tandem user repair " SLICE_FMT "' makes it anew, empty",
                       SLICE_ARG(key), row.a, row.shard, SLICE_ARG(key));
    else if (e || acct.row.nonce != row.nonce)
        verify_finding(v, "login '" SLICE_FMT "' leads to account %u, which is not its own",
                       SLICE_ARG(key), row.a);
    if (engine_get(v->txn, DBI_CACCT, key_a(&k, row.a), &found) || row_cacct_decode(found, &back) ||
        !slice_eq(back.login, key))
        verify_finding(v, "login '" SLICE_FMT "': account %u does not lead back", SLICE_ARG(key),
                       row.a);
    return ERR_OK;
}

static enum err see_owned(struct verify *v, void *arg, struct slice key, struct slice value)
{
    struct engine_txn *catalog = arg;
    struct row_acct row;
    struct slice found;
    if (row_acct_decode(value, &row) || row.state == ACCT_SCRATCH || row.state == ACCT_DELETING ||
        row.state == ACCT_NEW || row.state == ACCT_MOVED)
        return ERR_OK;
    if (engine_get(catalog, DBI_CACCT, key, &found)) {
        if (!key_get32(key, 0, &v->a))
            v->a = 0;
        verify_finding(v, "has no login in the catalog ('" SLICE_FMT "' when it was made)",
                       SLICE_ARG(row.login));
    }
    return ERR_OK;
}

/* --- all of it
 * --------------------------------------------------------------------------------------- */

static enum err verify_shard(struct verify *v, struct engine_txn *catalog)
{
    enum err e = verify_rows(v, DBI_MSG, SLICE_NONE, see_msg, NULL);
    if (!e)
        e = verify_rows(v, DBI_ACCT, SLICE_NONE, see_account, NULL);
    if (!e)
        e = verify_rows(v, DBI_ACCT, SLICE_NONE, see_owned, catalog);
    v->a = 0;
    return e ? e : verify_blobs(v);
}

enum err store_verify(struct store *store, struct store_reader *reader, struct store_verify *verify)
{
    struct verify shards[SHARDS_MAX] = {0};
    struct verify catalog = {.out = verify, .env = store->catalog};
    struct catalog_check check = {shards};
    verify->accounts = verify->mailboxes = verify->messages = verify->blobs = verify->octets =
        verify->findings = 0;
    /* Accounts come shard first, catalog second, and go the other way round: with the catalog's
     * snapshot taken in between, neither shows what the other cannot know yet. */
    enum err e = reader_snap(reader, store->catalog, &catalog.txn);
    for (unsigned i = 0; !e && i < store->nshards; i++) {
        shards[i] = (struct verify){.out = verify, .env = store->shard[i]};
        e = reader_snap(reader, store->shard[i], &shards[i].txn);
    }
    if (!e)
        e = verify_rows(&catalog, DBI_CUSER, SLICE_NONE, see_user, &check);
    for (unsigned i = 0; !e && i < store->nshards; i++) {
        e = verify_shard(&shards[i], catalog.txn);
        blob_map_finish(&shards[i].refs);
        if (verify->progress)
            verify->progress(verify->arg, i + 1, store->nshards);
    }
    store_reader_idle(reader);
    return e ? e : verify->findings ? ERR_CORRUPT : ERR_OK;
}
