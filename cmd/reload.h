/* SIGHUP, `tandem reload`: read and check everything, then swap it in, or change nothing. */
#ifndef TANDEM_CMD_RELOAD_H
#define TANDEM_CMD_RELOAD_H

struct loop;
struct pool;
struct server;
struct store;

/* Reads on the pool, swaps on loops[0], logs `reload` and one `config` line for each error or key
 * that needs a restart. On loops[0]. One at a time: a wish while one is under way is kept, so that
 * what was written before it is read. */
void reload_begin(struct server *server, struct store *store, struct pool *pool, struct loop *loop);

#endif
