/* Mail that settings let expire: what lies in a mailbox longer than [store] autoexpunge says
 * (RFC 8514: since it was saved there), and what POP3 has downloaded more than [pop3] expire days
 * ago and still is in a folder of the POP3 view (RFC 2449 section 6.7). It goes into the undelete
 * window. A pass over all accounts each hour, in slices, while the wall clock can be believed; or
 * when the administrator asks for it (store_expire).
 *
 * The committer's thread, but for expire_register and expire_free. */
#ifndef TANDEM_STORE_EXPIRE_H
#define TANDEM_STORE_EXPIRE_H

#include "store/commit.h"

/* Before committer_start, after gone_register and when the catalog is open: makes env->expire and
 * registers its upkeep. */
void expire_register(struct env *env);
void expire_free(struct expire *expire); /* after committer_free; NULL shrugs */

#endif
