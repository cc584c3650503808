/* tandem backup, restore: the whole store as one stream of octets, out while it serves and in while
 * nothing does. tandem account export, import: the same for one account, at any time. */
#include <stdlib.h>

#include "cmd/setup.h"
#include "cmd/verb.h"
#include "core/base/mem.h"
#include "store/admin.h"

struct progress {
    struct verb_call *call;
    uint64_t total; /* 0: nobody knows */
};

static void on_progress(void *arg, uint64_t octets)
{
    const struct progress *progress = arg;
    verb_progress(progress->call, octets, progress->total);
}

static enum err put(void *arg, struct slice octets)
{
    struct verb_call *call = arg;
    verb_data(call, octets);
    return verb_gone(call) ? ERR_DOWN : ERR_OK;
}

int verb_backup(struct verb_call *call)
{
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    struct fault why = {0};
    struct progress progress = {call, store_backup_octets(call->store)};
    struct store_backup conf = {
        .sink = {.put = put, .arg = call},
        .rate = call->config->backup.rate,
        .progress = on_progress,
        .arg = &progress
    };
    enum err e = store_backup(call->store, &conf, &why);
    return e ? verb_complain(call, "no backup was made: %s", why.text) : EXIT_DONE;
}

static ptrdiff_t get(void *arg, char *to, size_t cap)
{
    struct verb_call *call = arg;
    return call->io->read(call->io, to, cap);
}

int verb_restore(struct verb_call *call)
{
    struct fault why = {0};
    struct store_restored done;
    struct progress progress = {.call = call};
    const char *shard = verb_option(call, "--shard");
    struct store_restore restore = {
        .source = {.get = get, .arg = call},
        .replace = verb_flag(call, "--replace"),
        .shard = -1,
        .progress = on_progress,
        .arg = &progress,
        .ret = &done
    };
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    if (shard) {
        char *end;
        long n = strtol(shard, &end, 10);
        if (*end || end == shard || n < 0 || n >= (long)call->config->store.shards) {
            verb_complain(call, "--shard: '%s' is none of 0 to %u", shard,
                          call->config->store.shards - 1);
            return EXIT_USAGE;
        }
        restore.shard = (int)n;
    }
    struct store_conf conf;
    char *allow_fs;
    setup_store_conf(call->config, &conf, &allow_fs);
    enum err e = store_restore(&conf, &restore, &why);
    mem_free(allow_fs);
    if (e)
        return verb_complain(call, "nothing was restored: %s", why.text);
    verb_say(call,
             "restored: %u files, %llu octets; the next start gives UIDs far ahead of those that "
             "clients may know",
             done.files, (unsigned long long)done.octets);
    return EXIT_DONE;
}

int verb_account_export(struct verb_call *call)
{
    struct store_user user;
    struct fault why = {0};
    struct progress progress = {.call = call};
    struct store_account_out conf = {
        .sink = {.put = put, .arg = call},
          .progress = on_progress, .arg = &progress
    };
    if (!verb_arguments(call, 1, 1))
        return EXIT_USAGE;
    if (!verb_user(call, call->argv[0], &user))
        return EXIT_FAILED;
    enum err e = store_account_out(call->reader, &user, &conf, &why);
    return e ? verb_complain(call, SLICE_FMT " was not exported: %s", SLICE_ARG(user.login),
                             why.text)
             : EXIT_DONE;
}

int verb_account_import(struct verb_call *call)
{
    struct fault why = {0};
    struct store_account_taken done;
    struct progress progress = {.call = call};
    const char *as = verb_option(call, "--as");
    struct store_account_in conf = {
        .source = {.get = get, .arg = call},
        .progress = on_progress,
        .arg = &progress,
        .ret = &done
    };
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    if (as && !verb_login(call, as, &conf.login))
        return EXIT_FAILED;
    enum err e = store_account_in(call->store, &conf, &why);
    if (e)
        return verb_complain(call, "nothing was imported: %s", why.text);
    verb_say(call, "imported %s: %llu messages", done.login, (unsigned long long)done.messages);
    return EXIT_DONE;
}
