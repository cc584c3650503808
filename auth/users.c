#include "auth/users.h"

#include "auth/auth.h"
#include "core/base/log.h"

void auth_settings(const struct config *config, const struct store_user *user, struct arena *arena,
                   struct settings *ret)
{
    *ret = config->settings;
    for (size_t i = 0; i < user->nopts; i++) {
        const struct store_opt *opt = &user->opts[i];
        struct fault why = {0};
        if (!config_override(ret, opt->name, opt->value, arena, &why))
            continue;
        struct log_line l;
        log_begin(&l, LOG_WARN, "config");
        log_slice(&l, "user", user->login);
        log_slice(&l, "key", opt->name);
        log_slice(&l, "value", opt->value);
        log_fault(&l, &why);
        log_end(&l);
    }
}

struct store_limits auth_limits(const struct settings *settings)
{
    return (struct store_limits){.quota_octets = settings->store.quota,
                                 .quota_messages = settings->store.quota_messages,
                                 .mailboxes = settings->store.mailboxes,
                                 .message_octets = settings->store.message_size,
                                 .undelete_s = settings->store.undelete_s};
}

enum err auth_may_use(const struct store_user *user, const struct settings *settings,
                      enum store_proto proto)
{
    const struct {
        enum store_proto proto;
        uint32_t no;
        bool enabled;
    } doors[] = {
        {PROTO_IMAP, USER_NO_IMAP, settings->imap.enabled},
        {PROTO_POP3, USER_NO_POP3, settings->pop3.enabled},
        {PROTO_LMTP, USER_NO_LMTP, settings->lmtp.enabled},
    };
    if (user->disabled)
        return ERR_OFF;
    for (size_t i = 0; i < sizeof doors / sizeof *doors; i++)
        if (doors[i].proto == proto && (!doors[i].enabled || (user->flags & doors[i].no)))
            return ERR_OFF;
    return ERR_OK;
}

static bool opens(const struct store_cred *cred, enum store_proto proto)
{
    unsigned door = proto == PROTO_IMAP ? CRED_IMAP : proto == PROTO_POP3 ? CRED_POP3 : 0;
    return (cred->protocols & door) && !(cred->flags & CRED_DISABLED);
}

bool auth_cred_serves(const struct store_cred *cred, enum store_proto proto)
{
    return opens(cred, proto) && !auth_verifier_plain(cred->verifier, NULL, NULL);
}

bool auth_cred_serves_digest(const struct store_cred *cred, enum store_proto proto)
{
    return opens(cred, proto) && auth_verifier_plain(cred->verifier, NULL, NULL);
}
