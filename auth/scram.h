/* GNU SASL's part in the auth core: one context for the whole process, read by every loop. */
#ifndef TANDEM_AUTH_SCRAM_H
#define TANDEM_AUTH_SCRAM_H

#include "core/base/attr.h"
#include "core/base/err.h"

struct Gsasl;

MUST_CHECK enum err scram_setup(struct Gsasl **ret); /* ERR_DOWN */
void scram_finish(struct Gsasl *gsasl);              /* NULL shrugs */

#endif
