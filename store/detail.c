/* Which mailbox a sender or a login means by user+detail. */
#include "core/base/utf7.h"
#include "store/store.h"

struct search {
    struct slice detail;
    struct arena *arena;
    struct slice found;
    unsigned n;
    enum err err;
};

static bool compare(void *arg, const struct store_mailbox *mailbox)
{
    struct search *s = arg;
    if (mailbox->flags & (MAILBOX_NOSELECT | MAILBOX_NONEXISTENT) ||
        !slice_ieq(mailbox->path, s->detail))
        return true;
    s->found = arena_dup(s->arena, mailbox->path);
    if (!s->found.ptr)
        s->err = ERR_LIMIT;
    return !s->err && ++s->n < 2;
}

static enum err match(struct store_reader *reader, struct store_account *account,
                      struct slice detail, struct arena *arena, struct slice *ret)
{
    struct store_status status;
    struct search s = {.arena = arena};
    enum err e = store_path_check(detail, arena, &s.detail);
    if (e) /* what cannot be a mailbox is none */
        return e == ERR_CANNOT ? ERR_NOTFOUND : e;
    e = store_mailbox_status(reader, account, s.detail, &status);
    if (e != ERR_NOTFOUND) {
        if (!e)
            *ret = s.detail;
        return e;
    }
    e = store_mailbox_list(reader, account, false, compare, &s);
    if (e || s.err)
        return e ? e : s.err;
    if (s.n != 1)
        return ERR_NOTFOUND;
    *ret = s.found;
    return ERR_OK;
}

/* An MTA without SMTPUTF8 can only write the name as IMAP does. */
enum err store_mailbox_match(struct store_reader *reader, struct store_account *account,
                             struct slice detail, struct arena *arena, struct slice *ret)
{
    enum err e = match(reader, account, detail, arena, ret);
    if (e != ERR_NOTFOUND || slice_find(detail, '&') == detail.len)
        return e;
    size_t len;
    char *path = arena_try(arena, utf7_decoded_max(detail.len));
    if (!path)
        return ERR_LIMIT;
    if (utf7_decode(detail, path, &len))
        return e;
    return match(reader, account, slice(path, len), arena, ret);
}
