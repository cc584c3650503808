#include "imap/alias.h"

#include "core/base/config.h"

static bool is_there(const struct session *s, struct slice path)
{
    struct store_status status;
    return store_mailbox_status(session_reader(s), session_account(s), path, &status) !=
           ERR_NOTFOUND;
}

struct slice alias_meant(const struct session *s, struct slice path)
{
    const struct config_pairs *aliases = &conn_config(s->conn)->imap.special_aliases;
    for (unsigned i = 0; i < aliases->n; i++) {
        struct slice meant = slice_str(aliases->items[i].value);
        if (slice_ieq(slice_str(aliases->items[i].name), path))
            return is_there(s, path) || !is_there(s, meant) ? path : meant;
    }
    return path;
}
