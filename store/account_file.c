#include "store/account_file.h"

const struct account_table account_tables[] = {
    {'b', DBI_MBOX, true },
    {'n', DBI_NAME, true },
    {'s', DBI_SUBS, true },
    {'k', DBI_KW,   true },
    {'o', DBI_OPT,  true },
    {'a', DBI_ANNO, true },
    {'c', DBI_ACL,  true },
    {'l', DBI_LOG,  false},
    {'g', DBI_GONE, false}, /* of mailboxes */
    {0,   DBI_SYS,  false},
};

enum err field_put(struct buf *block, struct slice field)
{
    struct key len;
    enum err e = buf_append(block, key_a(&len, (uint32_t)field.len));
    return e ? e : buf_append(block, field);
}

bool field_take(struct slice *block, struct slice *ret)
{
    uint32_t len;
    if (!key_get32(*block, 0, &len) || len > block->len - 4)
        return false;
    *ret = slice_first(slice_from(*block, 4), len);
    *block = slice_from(*block, 4 + len);
    return true;
}
