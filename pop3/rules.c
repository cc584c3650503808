/* The view of the account that is the maildrop: [pop3] folders and the rules beside it. */
#include <stdatomic.h>

#include "core/base/siphash.h"
#include "pop3/session.h"

enum err pop3_rules_find(struct pop3_session *s, struct store_poprule *ret)
{
    enum err e = auth_poprule(pop3_reader(s), s->auth->account, &s->auth->settings, s->auth->detail,
                              s->auth->recent, &s->arena, ret);
    ret->lock = conn_config(s->conn)->pop3.lock == POP3_LOCK_SESSION;
    return e;
}

/* --- rules without effect ------------------------------------------------------------------------
 */

/* What has been told, by hash: a client polls all day, and one line is enough. A collision makes a
 * line come again. */
enum { TOLD = 4096 };
static _Atomic uint64_t told[TOLD];

static uint64_t hash_of(const struct pop3_session *s, struct slice folder)
{
    static const struct siphash_key key = {0, 0}; /* nobody chooses what is hashed */
    uint64_t of_login = siphash(key, s->auth->login), of_folder = siphash(key, folder);
    return (of_login ^ (of_folder << 1)) | 1;
}

static void missing(struct pop3_session *s, struct slice folder)
{
    uint64_t hash = hash_of(s, folder);
    struct log_line l;
    if (atomic_exchange(&told[hash / 2 % TOLD], hash) == hash)
        return;
    pop3_log_begin(s, &l, LOG_WARN, "rule-missing");
    log_slice(&l, "user", s->auth->login);
    log_str(&l, "key", "pop3.folders");
    log_slice(&l, "value", folder);
    pop3_log_end(s, &l);
}

/* It is there: should it go once more, that is news. */
static void present(struct pop3_session *s, struct slice value)
{
    uint64_t hash = hash_of(s, value);
    (void)atomic_compare_exchange_strong(&told[hash / 2 % TOLD], &hash, 0);
}

void pop3_rules_log_missing(struct pop3_session *s, const struct store_poprule *rule)
{
    struct store_status status;
    for (size_t i = 0; i < rule->nfolders && rule->nfolders > 1; i++)
        if (store_mailbox_status(pop3_reader(s), s->auth->account, rule->folders[i], &status) ==
            ERR_NOTFOUND)
            missing(s, rule->folders[i]);
        else
            present(s, rule->folders[i]);
}
