/* What the verbs about accounts share. */
#ifndef TANDEM_CMD_USER_H
#define TANDEM_CMD_USER_H

#include "cmd/verb.h"
#include "core/base/slice.h"

/* The scheme of new verifiers: --scheme, else [auth] scheme. NULL: complained of an unknown one. */
const char *user_scheme(struct verb_call *call);
/* [pop3] uidl_format of its domain or the file, as an account is given it for life. Idles the
 * reader. */
struct slice user_uidl_format(struct verb_call *call, struct slice login);
const char *user_state(const struct store_user *user); /* "enabled" */
/* What the account holds, and its limits. Not ERR_OK: it has just been deleted, or its shard is in
 * trouble. Idles the reader. */
MUST_CHECK enum err user_usage(struct verb_call *call, struct arena *arena,
                               const struct store_user *user, struct store_usage *ret,
                               struct store_limits *ret_limits);
/* Why a password makes no verifier. */
const char *user_password_error(enum err e);

#endif
