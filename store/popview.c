#include "store/popview.h"

#include <stdio.h>

#include "core/base/buf.h"

enum { RECENT_DAYS = 30, DAY_S = 86400, NUMBER_MAX = 12 };

/* --- rules ---------------------------------------------------------------------------------------
 */

/* Had it arrived `days` ago, or before? */
static bool is_older(const struct hot_slot *slot, uint32_t now, int64_t days)
{
    return (int64_t)slot->internaldate + days * DAY_S <= (int64_t)now;
}

bool popview_is_exempt(const struct store_poprule *rule, uint32_t now, const struct hot_slot *slot)
{
    return rule->recent && !is_older(slot, now, RECENT_DAYS);
}

enum store_hidden popview_judge(const struct store_poprule *rule, uint32_t now,
                                const struct hot_slot *slot)
{
    bool downloaded = slot->sysflags & SYSFLAG_POP; /* or hidden, which comes first */
    if (popview_is_exempt(rule, now, slot))
        return HIDDEN_NOT;
    if (slot->sysflags & SYSFLAG_HIDDEN)
        return HIDDEN_FOR_GOOD;
    if (rule->hide_downloaded && downloaded)
        return HIDDEN_DOWNLOADED;
    /* RETR sets \Seen: that must not hide mail that is left on the server for a second client. */
    if (rule->hide_seen && (slot->sysflags & FLAG_SEEN) && !downloaded &&
        is_older(slot, now, rule->hide_seen_days))
        return HIDDEN_SEEN;
    if (slot->internaldate < rule->since)
        return HIDDEN_SINCE;
    return HIDDEN_NOT;
}

/* --- `opt` rows: decimal numbers with a blank between --------------------------------------------
 */

static bool next_number(struct slice *text, uint32_t *ret)
{
    uint64_t n = 0;
    size_t i = 0;
    for (; i < text->len && text->ptr[i] >= '0' && text->ptr[i] <= '9' && n <= UINT32_MAX; i++)
        n = n * 10 + (uint64_t)(text->ptr[i] - '0');
    if (i == 0 || n > UINT32_MAX)
        return false;
    *text = slice_from(*text, i < text->len ? i + 1 : i);
    *ret = (uint32_t)n;
    return true;
}

static enum err opt_get(struct engine_txn *txn, uint32_t a, struct slice name, struct slice *ret)
{
    struct key key;
    struct slice value;
    enum err e = engine_get(txn, DBI_OPT, key_a_text(&key, a, name), &value);
    return e ? e : row_value_decode(value, ret);
}

static enum err opt_put(struct turn *turn, uint32_t a, struct slice name, struct slice text)
{
    struct key key;
    unsigned char octets[ROW_MAX];
    return turn_put(turn, DBI_OPT, key_a_text(&key, a, name), row_value_encode(text, octets));
}

enum err popview_load(struct engine_txn *txn, const struct env *env, uint32_t a, struct uidset *ret)
{
    struct slice text;
    struct box inbox;
    uint32_t m;
    enum err e = opt_get(txn, a, SLICE("pop3.view"), &text);
    if (!e) {
        while (next_number(&text, &m))
            uidset_add(ret, m, m);
        return text.len ? ERR_CORRUPT : ERR_OK;
    }
    if (e == ERR_NOTFOUND)
        e = box_find(txn, env, a, SLICE("INBOX"), &inbox);
    if (!e)
        uidset_add(ret, inbox.m, inbox.m);
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

enum err popview_save(struct turn *turn, uint32_t a, const struct uidset *view)
{
    struct buf text;
    enum err e = ERR_OK;
    buf_init(&text, ROW_MAX - NUMBER_MAX);
    for (uint32_t m = uidset_next(view, 0); !e && m; m = uidset_next(view, m + 1))
        e = buf_printf(&text, "%s%u", text.len ? " " : "", m);
    if (!e)
        e = opt_put(turn, a, SLICE("pop3.view"), buf_slice(&text));
    buf_finish(&text);
    return e;
}

static struct slice mark_name(uint32_t m, char to[32])
{
    return slice(to, (size_t)snprintf(to, 32, "pop3.mark.%u", m));
}

enum err popview_mark_load(struct engine_txn *txn, uint32_t a, uint32_t m, uint32_t max_messages,
                           uint32_t *ret_uid)
{
    char name[32];
    struct slice text;
    uint32_t made_by, uid;
    *ret_uid = 0;
    enum err e = opt_get(txn, a, mark_name(m, name), &text);
    if (e)
        return e == ERR_NOTFOUND ? ERR_OK : e;
    if (!next_number(&text, &made_by) || !next_number(&text, &uid))
        return ERR_CORRUPT;
    if (made_by == max_messages)
        *ret_uid = uid;
    return ERR_OK;
}

enum err popview_mark_save(struct turn *turn, uint32_t a, uint32_t m, uint32_t max_messages,
                           uint32_t uid)
{
    char name[32], text[2 * NUMBER_MAX];
    int n = snprintf(text, sizeof text, "%u %u", max_messages, uid);
    return opt_put(turn, a, mark_name(m, name), slice(text, (size_t)n));
}

enum err popview_mark_drop(struct turn *turn, uint32_t a, uint32_t m)
{
    struct key key;
    char name[32];
    enum err e = turn_del(turn, DBI_OPT, key_a_text(&key, a, mark_name(m, name)));
    return e == ERR_NOTFOUND ? ERR_OK : e;
}
