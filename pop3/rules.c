/* Which messages of an account its maildrop shows ([pop3] folders and the rest of the view rules).
 */
#include "pop3/session.h"

/* [pop3] folders, or the one folder that the login named (user+folder). */
enum err pop3_rules_find(struct pop3_session *s, struct store_poprule *ret)
{
    const struct config_list *list = &s->auth->settings.pop3.folders;
    size_t n = s->auth->detail.len ? 1 : list->n;
    struct slice *folders = arena_new(&s->arena, n * sizeof *folders);
    *ret = (struct store_poprule){.folders = folders,
                                  .nfolders = n,
                                  .retr_seen = s->auth->settings.pop3.retr_seen,
                                  .lock = conn_config(s->conn)->pop3.lock == POP3_LOCK_SESSION};
    if (s->auth->detail.len)
        return store_mailbox_match(pop3_reader(s), s->auth->account, s->auth->detail, &s->arena,
                                   folders);
    for (size_t i = 0; i < n; i++)
        folders[i] = slice_str(list->items[i]);
    return ERR_OK;
}

static void log_missing(struct pop3_session *s, const char *key, struct slice value)
{
    struct log_line l;
    pop3_log_begin(s, &l, LOG_WARN, "rule-missing");
    log_slice(&l, "user", s->auth->login);
    log_str(&l, "key", key);
    log_slice(&l, "value", value);
    pop3_log_end(s, &l);
}

void pop3_rules_log_missing(struct pop3_session *s, const struct store_poprule *rule)
{
    struct store_status status;
    for (size_t i = 0; i < rule->nfolders && rule->nfolders > 1; i++)
        if (store_mailbox_status(pop3_reader(s), s->auth->account, rule->folders[i], &status) ==
            ERR_NOTFOUND)
            log_missing(s, "pop3.folders", rule->folders[i]);
    /* Rules that the store does not apply yet. What they would hide is shown, and what they would
     * move or hide at QUIT stays: nothing is lost. */
    if (s->auth->settings.pop3.hide_seen_days >= 0)
        log_missing(s, "pop3.hide_seen", SLICE_NONE);
    if (s->auth->settings.pop3.hide_downloaded)
        log_missing(s, "pop3.hide_downloaded", SLICE_NONE);
    if (s->auth->settings.pop3.since)
        log_missing(s, "pop3.since", SLICE_NONE);
    if (s->auth->settings.pop3.max_messages)
        log_missing(s, "pop3.max_messages", SLICE_NONE);
    if (s->auth->settings.pop3.expire_days >= 0)
        log_missing(s, "pop3.expire", SLICE_NONE);
    if (s->auth->settings.pop3.utf8_wrap)
        log_missing(s, "pop3.utf8_wrap", SLICE_NONE);
    if (s->auth->settings.pop3.delete_mode == POP3_DELETE_TRASH ||
        s->auth->settings.pop3.delete_mode == POP3_DELETE_HIDE)
        log_missing(s, "pop3.delete", SLICE_NONE);
}
