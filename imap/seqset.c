#include "imap/seqset.h"

#include <stdlib.h>

#include "store/store.h"

static int by_first(const void *a, const void *b)
{
    const struct seqrange *x = a, *y = b;
    return (x->first > y->first) - (x->first < y->first);
}

/* `*` becomes `star`, and the smaller end comes first: "5:*" with 3 messages is 3:5. */
static void settle(struct seqset *set, uint32_t star)
{
    for (size_t i = 0; i < set->n; i++) {
        struct seqrange *r = &set->ranges[i];
        r->first = r->first ? r->first : star;
        r->last = r->last ? r->last : star;
        if (r->first > r->last) {
            uint32_t first = r->last;
            r->last = r->first;
            r->first = first;
        }
    }
    qsort(set->ranges, set->n, sizeof *set->ranges, by_first);
}

enum err seqset_uids(struct seqset *set, bool uid, const struct store_view *view,
                     struct uidset *ret)
{
    uint32_t exists = store_view_exists(view);
    struct uidset wish = {0};
    uidset_clear(ret);
    if (!exists)
        return uid ? ERR_OK : ERR_SYNTAX;
    settle(set, uid ? store_view_max_uid(view) : exists);
    for (size_t i = 0; i < set->n; i++) {
        struct seqrange r = set->ranges[i];
        if (!uid) {
            if (r.last > exists) {
                uidset_finish(&wish);
                return ERR_SYNTAX;
            }
            /* Messages stand in the order of their UIDs, so the ends say it all. */
            r.first = store_view_uid(view, r.first);
            r.last = store_view_uid(view, r.last);
        }
        uidset_add(&wish, r.first, r.last);
    }
    store_view_select(view, &wish, ret);
    uidset_finish(&wish);
    return ERR_OK;
}
