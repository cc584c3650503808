/* What user.c and import.c share. */
#ifndef TANDEM_CMD_USER_H
#define TANDEM_CMD_USER_H

#include "cmd/verb.h"
#include "core/base/slice.h"

/* The scheme of new verifiers: --scheme, else [auth] scheme. NULL: complained of an unknown one. */
const char *user_scheme(struct verb_call *call);
/* [pop3] uidl_format as an account is given it for life. */
struct slice user_uidl_format(const struct config *config);
/* Why a password makes no verifier. */
const char *user_password_error(enum err e);

#endif
