#include "auth/auth.h"

#include "auth/state.h"
#include "auth/users.h"
#include "core/net/listen.h"

/* Exact account or alias, of the address as it stands and then without its detail; at last the
 * catch-all of the domain. *ret_detail is what is left to name a mailbox. */
static enum err find(struct store_reader *reader, const struct auth_name *name, char separator,
                     struct arena *arena, struct store_user **ret, size_t *ret_n,
                     struct slice *ret_detail)
{
    size_t at = slice_find(name->login, '@');
    struct slice domain = slice_from(name->login, at);
    *ret_detail = SLICE_NONE;
    if (name->detail.len) {
        struct slice whole;
        enum err e = auth_address_whole(name, separator, arena, &whole);
        if (!e)
            e = store_address_find(reader, whole, arena, ret, ret_n);
        if (e != ERR_NOTFOUND)
            return e;
    }
    enum err e = store_address_find(reader, name->login, arena, ret, ret_n);
    if (!e)
        *ret_detail = name->detail;
    return e == ERR_NOTFOUND ? store_address_find(reader, domain, arena, ret, ret_n) : e;
}

static enum err open_one(struct auth *auth, struct store_reader *reader,
                         const struct store_user *user, struct arena *arena,
                         struct auth_recipient *ret)
{
    struct settings settings;
    auth_settings(server_config(auth->conf.server), user, arena, &settings);
    enum err e = auth_may_use(user, &settings, PROTO_LMTP);
    if (e)
        return e;
    struct store_limits limits = auth_limits(&settings);
    e = store_account_open(reader, user, &limits, &ret->account);
    if (e)
        return e;
    store_account_set_actor(ret->account, PROTO_LMTP, 0);
    ret->message_octets = limits.message_octets;
    return store_quota_check(reader, ret->account, 0, 1);
}

/* Of an alias, targets that are switched off are passed over as long as one is left: mail to a list
 * does not fail for a member who has gone. Any other trouble is everybody's, for the targets of an
 * alias stand or fall together (CONTRACTS section 3). */
enum err auth_recipient_find(struct auth *auth, struct store_reader *reader, struct slice address,
                             struct arena *arena, struct auth_recipient **ret, size_t *ret_n)
{
    const struct config *config = server_config(auth->conf.server);
    struct auth_name name;
    struct store_user *users;
    struct slice detail;
    size_t n, opened = 0;
    char separator = config->lmtp.detail;
    enum err e = auth_address_parse(address, slice_str(config->tandem.default_domain), separator,
                                    arena, &name);
    if (!e)
        e = find(reader, &name, separator, arena, &users, &n, &detail);
    if (e)
        return e;

    struct auth_recipient *recipients = arena_try(arena, n * sizeof *recipients);
    if (!recipients)
        return ERR_LIMIT;
    enum err off = ERR_NOTFOUND;
    for (size_t i = 0; i < n; i++) {
        struct auth_recipient *to = &recipients[opened];
        e = open_one(auth, reader, &users[i], arena, to);
        if (e == ERR_OFF) {
            off = e;
            continue;
        }
        opened++; /* the account may be open even so */
        if (e) {
            auth_recipient_close(recipients, opened);
            return e;
        }
        to->detail = detail;
    }
    if (opened == 0)
        return off;
    *ret = recipients;
    *ret_n = opened;
    return ERR_OK;
}

void auth_recipient_close(struct auth_recipient *recipients, size_t n)
{
    for (size_t i = 0; i < n; i++)
        store_account_close(recipients[i].account);
}
