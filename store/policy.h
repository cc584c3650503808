/* What the settings say of one account, for timers that have no login at hand: the defaults of the
 * configuration, then the overrides of its domain, then its own. */
#ifndef TANDEM_STORE_POLICY_H
#define TANDEM_STORE_POLICY_H

#include "core/base/config.h"
#include "store/env.h"

struct policy;

/* store->config as an empty file has it; log_days and log_rows are what the store was opened with
 * until store_set_config. */
void policy_start(struct store *store);
void policy_stop(struct store *store);

/* One per thread that asks: it holds a snapshot of the catalog, live only inside policy_of (the
 * catalog has no bodies, so no gate is concerned). */
MUST_CHECK enum err policy_new(struct store *store, struct policy **ret);
void policy_free(struct policy *policy); /* NULL shrugs */
/* The keys of the sections [store] and [pop3]; the rest of `ret` is what the file says. Texts and
 * lists live until the next call with this policy. An override that cannot be read counts as none.
 */
MUST_CHECK enum err policy_of(struct policy *policy, const struct acct *acct, struct settings *ret);

/* [store] log_days, log_rows. Any thread. */
void policy_log(struct store *store, uint32_t *ret_days, uint32_t *ret_rows);
/* [limits] for messages that arrive now. Any thread. */
struct mime_limits policy_mime_limits(struct store *store);

#endif
