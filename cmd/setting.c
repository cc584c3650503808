#include "cmd/setting.h"

#include "cmd/setup.h"

uint32_t setting_switch(struct slice name)
{
    return slice_eq(name, SLICE("imap.enabled"))   ? USER_NO_IMAP
           : slice_eq(name, SLICE("pop3.enabled")) ? USER_NO_POP3
           : slice_eq(name, SLICE("lmtp.enabled")) ? USER_NO_LMTP
                                                   : 0;
}

bool setting_parse(struct verb_call *call, const char *text, struct store_opt *ret)
{
    struct slice pair = slice_str(text);
    size_t at = slice_find(pair, '=');
    if (at == pair.len) {
        verb_complain(call, "'%s': write KEY=VALUE", text);
        return false;
    }
    *ret = (struct store_opt){.name = slice_first(pair, at), .value = slice_from(pair, at + 1)};
    return true;
}

static size_t find(const struct setting_list *list, struct slice name)
{
    size_t i = 0;
    while (i < list->n && !slice_eq(list->opts[i].name, name))
        i++;
    return i;
}

bool setting_put(struct verb_call *call, struct setting_list *list, struct store_opt opt)
{
    size_t i = find(list, opt.name);
    if (i == SETTINGS_MAX) {
        verb_complain(call, SLICE_FMT ": there are %d settings already", SLICE_ARG(opt.name),
                      SETTINGS_MAX);
        return false;
    }
    list->opts[i] = opt;
    list->n += i == list->n;
    return true;
}

bool setting_drop(struct setting_list *list, struct slice name)
{
    size_t i = find(list, name);
    if (i == list->n)
        return false;
    list->opts[i] = list->opts[--list->n];
    return true;
}
