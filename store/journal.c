/* The journal: what happened to a message, and by whom. */
#include "store/commit.h"

#include <string.h>

/* Rows of connections have 0xff where a sequence number has its first octet: the last line of the
 * journal lies right before them. */
static enum err next_seq(struct turn *turn, uint32_t a, uint64_t *ret)
{
    struct key key;
    struct engine_cursor cursor;
    enum err e = engine_cursor_open(turn->txn, DBI_LOG, &cursor);
    if (!e)
        e = engine_seek_before(&cursor, key_log_conn(&key, a, 0));
    uint64_t last = 0;
    if (!e && slice_starts(cursor.key, key_a(&key, a)) && !key_get64(cursor.key, 4, &last))
        e = ERR_CORRUPT;
    engine_cursor_close(&cursor);
    *ret = last + 1;
    return e == ERR_NOTFOUND ? ERR_OK : e;
}

static enum err connection_row(struct turn *turn, uint32_t a, const struct actor *actor)
{
    struct key key;
    struct slice k = key_log_conn(&key, a, actor->conn), value;
    if (actor->conn == 0)
        return ERR_OK;
    enum err e = engine_get(turn->txn, DBI_LOG, k, &value);
    if (e != ERR_NOTFOUND)
        return e;
    struct row_log_conn row = {.proto = (uint8_t)actor->proto,
                               .time = turn->now,
                               .client = slice(actor->client, actor->client_len)};
    memcpy(row.address, actor->address, sizeof row.address);
    unsigned char octets[128];
    return turn_put(turn, DBI_LOG, k, row_log_conn_encode(&row, octets));
}

enum err turn_journal(struct turn *turn, const struct journal_line *line)
{
    struct key key;
    uint64_t seq;
    enum err e = next_seq(turn, line->a, &seq);
    if (!e)
        e = connection_row(turn, line->a, line->actor);
    if (e)
        return e;
    struct row_log row = {.proto = (uint8_t)line->actor->proto,
                          .what = (uint8_t)line->what,
                          .time = turn->now,
                          .conn = line->actor->conn,
                          .m = line->m,
                          .other_m = line->other_m,
                          .count = line->count,
                          .detail = line->detail};
    unsigned char octets[32 + 8 * LOG_RANGES_MAX];
    const struct uidset *uids = line->uids;
    return turn_put(turn, DBI_LOG, key_log(&key, line->a, seq),
                    row_log_encode(&row, uids ? uids->ranges : NULL, uids ? uids->n : 0, octets));
}
