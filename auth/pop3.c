/* What POP3 asks besides a login: the maildrop. */
#include "auth/state.h"

enum err auth_poprule(struct store_reader *reader, struct store_account *account,
                      const struct settings *settings, struct slice detail, bool recent,
                      struct arena *arena, struct store_poprule *ret)
{
    const struct config_list *list = &settings->pop3.folders;
    size_t n = detail.len ? 1 : list->n;
    struct slice *folders = arena_new(arena, n * sizeof *folders);
    *ret = (struct store_poprule){.folders = folders,
                                  .nfolders = n,
                                  .own = detail.len == 0,
                                  .recent = recent,
                                  .hide_downloaded = settings->pop3.hide_downloaded,
                                  .hide_seen = settings->pop3.hide_seen_days >= 0,
                                  .hide_seen_days = (uint32_t)settings->pop3.hide_seen_days,
                                  .since = settings->pop3.since,
                                  .max_messages = settings->pop3.max_messages,
                                  .retr_seen = settings->pop3.retr_seen};
    if (detail.len)
        return store_mailbox_match(reader, account, detail, arena, folders);
    for (size_t i = 0; i < n; i++)
        folders[i] = slice_str(list->items[i]);
    return ERR_OK;
}
