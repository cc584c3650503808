/* The store's directories and files: what may be opened, who owns it, and whether what lies there
 * is what this daemon left (store/README.md, "restored or rolled-back files"). */
#ifndef TANDEM_STORE_FILES_H
#define TANDEM_STORE_FILES_H

#include "store/commit.h"

/* The root directory: made if missing, its file system looked at. ERR_CANNOT: a network file system
 * that allow_fs does not name. */
MUST_CHECK enum err files_root(const struct store_conf *conf, struct fault *why);
/* Open one env under the root: lock OWNER, create or open the data file, check its format, compare
 * generations, raise them. ERR_BUSY, ERR_CORRUPT. */
MUST_CHECK enum err env_open(struct store *store, unsigned index, struct env **ret,
                             struct fault *why);
/* `clean`: the daemon stops and everything is written; generation raised once more. */
void env_close(struct env *env, bool clean);
/* sys.state as the committer has it now. */
MUST_CHECK enum err env_state_save(struct turn *turn, bool clean);
/* What an errno of a file call means to the store. */
enum err files_error(int error);
/* The directory of an env (to be freed), its data file's name in it, and its tables. */
char *files_env_dir(const struct store_conf *conf, unsigned index);
const char *files_env_data(unsigned index);
const struct engine_table *files_env_tables(unsigned index);
/* engine_conf.accept of an env's data file, `arg` its path: is it of this build's format?
 * ERR_CORRUPT. */
MUST_CHECK enum err files_accept(void *arg, struct engine_txn *snap, struct fault *why);
/* fsync of a directory. */
MUST_CHECK enum err files_sync_dir(const char *dir);
/* Is there data of a shard with this number? */
bool files_shard_exists(const struct store_conf *conf, unsigned shard);

#endif
