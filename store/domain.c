/* Domains of the catalog: made, listed, deleted, and their settings. */
#include <string.h>

#include "core/base/mem.h"
#include "store/catalog.h"
#include "store/commit.h"

/* --- read ---------------------------------------------------------------------------------------
 */

enum err store_domain_find(struct store_reader *reader, struct slice domain)
{
    struct engine_txn *snap;
    struct key key;
    struct slice value;
    if (domain.len == 0 || domain.len > KEY_MAX)
        return ERR_NOTFOUND;
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    return e ? e : engine_get(snap, DBI_CDOM, key_text(&key, domain), &value);
}

enum err store_domain_each(struct store_reader *reader,
                           bool (*each)(void *arg, struct slice domain), void *arg)
{
    struct engine_txn *snap;
    struct engine_cursor cursor = {0};
    enum err e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = engine_cursor_open(snap, DBI_CDOM, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, SLICE("\0"));
    while (!e && each(arg, cursor.key))
        e = engine_next(&cursor);
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err store_domain_opts(struct store_reader *reader, struct slice domain, struct arena *arena,
                           struct store_opt **ret, size_t *ret_n)
{
    struct engine_txn *snap;
    struct key key;
    struct opt_list list = {0};
    enum err e = store_domain_find(reader, domain);
    if (!e)
        e = reader_snap(reader, reader->store->catalog, &snap);
    if (!e)
        e = catalog_opts_read(snap, key_catalog_opt(&key, true, 0, domain, SLICE_NONE), true, arena,
                              &list);
    if (!e) {
        *ret = list.opts;
        *ret_n = list.n;
    }
    return e;
}

/* --- written ------------------------------------------------------------------------------------
 */

struct domain_op {
    struct op op;
    struct arena arena;
    struct slice domain;
    struct store_opt *opts;
    size_t nopts;
};

static void release(struct op *base)
{
    struct domain_op *op = (struct domain_op *)base;
    arena_reset(&op->arena);
    mem_free(op);
}

static enum err find(const struct domain_op *op, struct turn *turn)
{
    struct key key;
    struct slice value;
    return engine_get(turn->txn, DBI_CDOM, key_text(&key, op->domain), &value);
}

static enum err write_opts(const struct domain_op *op, struct turn *turn)
{
    struct key key;
    return catalog_opts_write(turn, key_catalog_opt(&key, true, 0, op->domain, SLICE_NONE), true,
                              op->opts, op->nopts);
}

static enum err create_apply(struct op *base, struct turn *turn)
{
    struct domain_op *op = (struct domain_op *)base;
    struct key key;
    unsigned char row[8];
    enum err e = find(op, turn);
    if (e != ERR_NOTFOUND)
        return e ? e : ERR_EXISTS;
    return turn_put(turn, DBI_CDOM, key_text(&key, op->domain),
                    row_dom_encode(&(struct row_dom){0}, row));
}

static enum err set_apply(struct op *base, struct turn *turn)
{
    struct domain_op *op = (struct domain_op *)base;
    enum err e = find(op, turn);
    return e ? e : write_opts(op, turn);
}

/* Does a key of this table, logins or aliases, end in "@domain"? A catch-all is "@domain" itself.
 */
static enum err is_used(struct turn *turn, unsigned dbi, struct slice domain, bool *ret)
{
    struct engine_cursor cursor = {0};
    enum err e = engine_cursor_open(turn->txn, dbi, SLICE_NONE, &cursor);
    if (!e)
        e = engine_seek(&cursor, SLICE("\0"));
    while (!e) {
        size_t at = slice_find(cursor.key, '@');
        if (at < cursor.key.len && slice_eq(slice_from(cursor.key, at + 1), domain)) {
            *ret = true;
            break;
        }
        e = engine_next(&cursor);
    }
    engine_cursor_close(&cursor);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err delete_apply(struct op *base, struct turn *turn)
{
    struct domain_op *op = (struct domain_op *)base;
    struct key key;
    bool used = false;
    enum err e = find(op, turn);
    if (!e)
        e = is_used(turn, DBI_CUSER, op->domain, &used);
    if (!e && !used)
        e = is_used(turn, DBI_CALIAS, op->domain, &used);
    if (!e && used)
        e = ERR_BUSY;
    if (!e)
        e = write_opts(op, turn); /* none */
    return e ? e : turn_del(turn, DBI_CDOM, key_text(&key, op->domain));
}

static const struct op_kind create_kind = {"domain-create", create_apply, release, false, NULL};
static const struct op_kind set_kind = {"domain-set", set_apply, release, false, NULL};
static const struct op_kind delete_kind = {"domain-delete", delete_apply, release, false, NULL};

static void submit(struct store *store, const struct op_kind *kind, struct slice domain,
                   const struct store_opt *opts, size_t n, struct store_to to)
{
    struct domain_op *op = mem_new(sizeof *op);
    op->op = (struct op){.kind = kind, .env = store->catalog, .pages = 16, .to = to};
    arena_init(&op->arena, 1 << 20);
    op->domain = arena_dup(&op->arena, domain);
    op->opts = catalog_opts_copy(&op->arena, opts, n);
    op->nopts = n;
    committer_submit(store->catalog->committer, &op->op);
}

void store_domain_create(struct store *store, struct slice domain, struct store_to to)
{
    submit(store, &create_kind, domain, NULL, 0, to);
}

void store_domain_set(struct store *store, struct slice domain, const struct store_opt *opts,
                      size_t n, struct store_to to)
{
    submit(store, &set_kind, domain, opts, n, to);
}

void store_domain_delete(struct store *store, struct slice domain, struct store_to to)
{
    submit(store, &delete_kind, domain, NULL, 0, to);
}
