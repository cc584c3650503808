/* tandem deliver: one message from the input into a mailbox. Exit statuses are those of sysexits.h,
 * which mail programs that run a command act on. */
#include <errno.h>
#include <sysexits.h>

#include "auth/users.h"
#include "cmd/verb.h"

static int status_of(enum err e)
{
    switch (e) {
    case ERR_OK:
        return EX_OK;
    case ERR_NOTFOUND:
        return EX_NOUSER;
    case ERR_OFF:
    case ERR_TOOBIG:
    case ERR_CANNOT:
    case ERR_PERM:
        return EX_NOPERM;
    default: /* quota, disk, outage: it may be better later */
        return EX_TEMPFAIL;
    }
}

static enum err open_account(struct verb_call *call, const struct store_user *user,
                             struct store_account **ret)
{
    struct settings settings;
    auth_settings(call->config, user, &call->arena, &settings);
    enum err e = auth_may_use(user, &settings, PROTO_LMTP);
    if (e)
        return e;
    struct store_limits limits = auth_limits(&settings);
    e = store_account_open(call->reader, user, &limits, ret);
    if (!e)
        store_account_set_actor(*ret, PROTO_CONTROL, 0);
    return e;
}

static enum err read_message(struct verb_call *call, struct store_incoming *in)
{
    char octets[65536];
    ssize_t n;
    enum err e = ERR_OK;
    while (!e && (n = call->io->read(call->io, octets, sizeof octets)) > 0)
        e = verb_incoming_write(in, slice(octets, (size_t)n));
    if (!e && n < 0)
        return ERR_DOWN;
    return e ? e : store_incoming_size(in) ? ERR_OK : ERR_SYNTAX;
}

static enum err append(struct verb_call *call, struct store_account *account, struct slice path)
{
    struct store_incoming *in;
    struct store_result result;
    enum err e = store_incoming_new(account, store_account_limits(account)->message_octets, &in);
    if (e)
        return e;
    e = read_message(call, in);
    if (e) {
        store_incoming_free(in);
        return e;
    }
    struct store_dest dest = {.account = account, .path = path};
    struct store_wait *wait = store_wait_new();
    store_append(&in, 1, &dest, 1, store_wait_to(wait));
    e = store_wait(wait, &result);
    store_result_finish(&result);
    return e;
}

int verb_deliver(struct verb_call *call)
{
    const char *name = verb_option(call, "--user"), *mailbox = verb_option(call, "--mailbox");
    struct store_user user;
    struct slice login, path;
    struct store_status mailbox_status;
    struct store_account *account = NULL;
    if (!verb_arguments(call, 0, 0))
        return EX_USAGE;
    if (!name) {
        verb_complain(call, "to whom? Name an account with --user");
        return EX_USAGE;
    }
    if (!verb_login(call, name, &login))
        return EX_NOUSER;
    enum err e = store_path_check(slice_str(mailbox ? mailbox : "INBOX"), &call->arena, &path);
    if (e) {
        verb_complain(call, "'%s' cannot be the name of a mailbox", mailbox);
        return EX_USAGE;
    }
    e = store_user_find(call->reader, login, &call->arena, &user);
    if (e) {
        verb_complain(call, "%s: %s", name,
                      e == ERR_NOTFOUND ? "there is no such account" : err_text(e));
        return status_of(e);
    }
    e = open_account(call, &user, &account);
    if (!e && store_mailbox_status(call->reader, account, path, &mailbox_status) == ERR_NOTFOUND) {
        verb_complain(call, "%s has no mailbox '%s'", name, mailbox);
        store_account_close(account);
        return EX_NOPERM;
    }
    store_reader_idle(call->reader);
    if (!e)
        e = append(call, account, path);
    store_account_close(account);
    if (e == ERR_SYNTAX) {
        verb_complain(call, "the message is empty");
        return EX_USAGE;
    }
    if (e)
        verb_complain(call, "%s: %s", name, err_text(e));
    return status_of(e);
}
