/* An account as the catalog has it, with the settings that hold for it. */
#ifndef TANDEM_AUTH_USERS_H
#define TANDEM_AUTH_USERS_H

#include <stdint.h>

#include "core/base/attr.h"
#include "core/base/config.h"
#include "core/base/err.h"
#include "store/store.h"

/* What holds for this account: its own rows, its domain's, the file, the defaults. A row that the
 * key table no longer takes is passed over with a warning. Lists that a row overrides go to the
 * arena; everything else is the config's. */
void auth_settings(const struct config *config, const struct store_user *user, struct arena *arena,
                   struct settings *ret);
struct store_limits auth_limits(const struct settings *settings);
/* ERR_OFF: the account, or this protocol for it, is switched off. */
MUST_CHECK enum err auth_may_use(const struct store_user *user, const struct settings *settings,
                                 enum store_proto proto);
/* Does this credential open this protocol to a plain password? Those that are {PLAIN} serve
 * CRAM-MD5 and APOP alone: whoever copies one would else have every door. */
bool auth_cred_serves(const struct store_cred *cred, enum store_proto proto);
/* The others: is it {PLAIN}, and opens this protocol to a digest of it? */
bool auth_cred_serves_digest(const struct store_cred *cred, enum store_proto proto);

#endif
