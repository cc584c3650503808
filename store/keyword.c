#include "store/keyword.h"

#include "store/retire.h"

enum err keyword_table(struct engine_txn *txn, uint32_t a, uint32_t m, struct row_kw *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(txn, DBI_KW, key_am(&key, a, m), &value);
    *ret = (struct row_kw){0};
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    return row_kw_decode(value, ret);
}

enum err keyword_table_save(struct turn *turn, uint32_t a, uint32_t m, const struct row_kw *row)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    return turn_put(turn, DBI_KW, key_am(&key, a, m), row_kw_encode(row, octets));
}

bool keyword_table_full(const struct store *store, const struct row_kw *row)
{
    unsigned n = 0;
    for (unsigned i = 0; i < row->n; i++)
        n += row->word[i].state != KW_FREE;
    return n >= atomic_load_explicit(&store->keywords, memory_order_relaxed);
}

static unsigned find(const struct row_kw *row, struct slice name)
{
    unsigned i = 0;
    while (i < row->n && (row->word[i].state == KW_FREE || !slice_ieq(row->word[i].name, name)))
        i++;
    return i;
}

/* Entry of a name that is new, free until it is used; row->n when it cannot be had. */
static unsigned add_name(const struct store *store, struct row_kw *row, struct slice name)
{
    unsigned i = 0;
    if (keyword_table_full(store, row) || name.len > KEYWORD_OCTETS_MAX)
        return row->n;
    while (i < row->n && row->word[i].state != KW_FREE)
        i++;
    if (i == row->n)
        row->n++;
    row->word[i].name = name;
    row->word[i].state = KW_FREE;
    return i;
}

enum err keyword_bits(struct turn *turn, const struct box *box, const struct slice *names, size_t n,
                      bool add, uint64_t *ret_bits, bool *ret_dropped, bool *ret_grew)
{
    struct row_kw row;
    *ret_bits = 0;
    if (n == 0)
        return ERR_OK;
    enum err e = keyword_table(turn->txn, box->a, box->m, &row);
    if (e)
        return e;
    bool changed = false, grew = false;
    for (size_t k = 0; k < n; k++) {
        unsigned i = find(&row, names[k]);
        if (i == row.n && add) {
            i = add_name(turn->env->store, &row, names[k]);
            *ret_dropped |= i == row.n;
        }
        if (i == row.n)
            continue; /* nobody has it: nothing to remove */
        if (add && row.word[i].state != KW_USED) {
            grew |= row.word[i].state == KW_FREE;
            row.word[i].state = KW_USED;
            changed = true;
        }
        *ret_bits |= (uint64_t)1 << i;
    }
    if ((*ret_dropped || grew) && keyword_table_full(turn->env->store, &row))
        retire_keywords(turn->env, box->a, box->m);
    if (!changed)
        return ERR_OK;
    row.gen += grew;
    *ret_grew |= grew;
    return keyword_table_save(turn, box->a, box->m, &row);
}

enum err keyword_translate(struct turn *turn, const struct box *from, const struct box *to,
                           uint64_t bits, uint64_t *ret_bits, bool *ret_dropped, bool *ret_grew)
{
    *ret_bits = 0;
    if (!bits)
        return ERR_OK;
    struct row_kw row;
    enum err e = keyword_table(turn->txn, from->a, from->m, &row);
    if (e)
        return e;
    struct slice names[KEYWORDS_MAX];
    char texts[KEYWORDS_MAX * 256];
    size_t n = 0, used = 0;
    for (unsigned i = 0; i < row.n; i++)
        if (bits >> i & 1) { /* copied: the destination's row may move the source's page */
            struct slice name = row.word[i].name;
            memcpy(texts + used, name.ptr, name.len);
            names[n++] = slice(texts + used, name.len);
            used += name.len;
        }
    return keyword_bits(turn, to, names, n, true, ret_bits, ret_dropped, ret_grew);
}
