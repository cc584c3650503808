/* Settings of an account or a domain, as `set` and `unset` change them. */
#ifndef TANDEM_CMD_SETTING_H
#define TANDEM_CMD_SETTING_H

#include "cmd/verb.h"

enum { SETTINGS_MAX = 256 };

struct setting_list {
    struct store_opt opts[SETTINGS_MAX];
    size_t n;
};

/* The switch of a protocol ("imap.enabled") is a flag of the account's own row: USER_NO_IMAP and so
 * on. 0: no such key. */
uint32_t setting_switch(struct slice name);

/* "KEY=VALUE", lent from `text`. False: complained. */
MUST_CHECK bool setting_parse(struct verb_call *call, const char *text, struct store_opt *ret);
/* Into the list, in place of one of that name. False: complained of too many. */
MUST_CHECK bool setting_put(struct verb_call *call, struct setting_list *list,
                            struct store_opt opt);
/* False: it was not there. */
bool setting_drop(struct setting_list *list, struct slice name);

#endif
