/* SIGHUP, `tandem reload`: read and check everything, then put it in place, or change nothing.
 *
 *   wish (loops[0]) -> pool: file, certificates, log -> loops[0]: swap, log, answer the wishes
 *
 * One at a time: a wish while one is under way is kept, so that what was written before it is read.
 * The log gets `reload`, and one `config` line for each error or key that needs a restart. */
#ifndef TANDEM_CMD_RELOAD_H
#define TANDEM_CMD_RELOAD_H

struct loop;
struct pool;
struct server;
struct store;
struct verb_call;

/* Once, before the loops run; `loop` is loops[0]. */
void reload_setup(struct server *server, struct store *store, struct pool *pool, struct loop *loop);
void reload_begin(void); /* on loops[0] */
/* Wishes it from a thread of the control socket, waits, and says what came of it: all errors, or
 * each value that has changed. The verb's exit status. */
int reload_verb(struct verb_call *call);

#endif
