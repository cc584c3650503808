/* tandem expire: what the timers do by themselves, done now. */
#include "cmd/setup.h"
#include "cmd/verb.h"
#include "store/admin.h"

static bool expire(struct verb_call *call, unsigned shard, uint32_t acct, struct store_expired *sum)
{
    struct store_result result;
    struct store_wait *wait = store_wait_new();
    store_expire(call->store, shard, acct, store_wait_to(wait));
    bool good = verb_wait(call, wait, "expire", &result);
    sum->pop3 += result.expired.pop3;
    sum->autoexpunge += result.expired.autoexpunge;
    sum->undelete += result.expired.undelete;
    sum->octets += result.expired.octets;
    store_result_finish(&result);
    return good;
}

int verb_expire(struct verb_call *call)
{
    static const struct column columns[] = {
        {"pop3",        COLUMN_NUMBER},
        {"autoexpunge", COLUMN_NUMBER},
        {"octets",      COLUMN_OCTETS},
        {"undelete",    COLUMN_NUMBER},
        {NULL,          0            },
    };
    struct store_user user;
    struct store_expired sum = {0};
    bool good = true;
    if (!verb_flag(call, "--now")) {
        verb_complain(call, "mail expires by itself, once an hour; at once with --now");
        return EXIT_USAGE;
    }
    if (!verb_arguments(call, 0, 1))
        return EXIT_USAGE;
    if (call->argc) {
        if (!verb_user(call, call->argv[0], &user))
            return EXIT_FAILED;
        store_reader_idle(call->reader);
        good = expire(call, user.shard, user.acct, &sum);
    } else {
        for (unsigned i = 0; good && i < call->config->store.shards; i++)
            good = expire(call, i, 0, &sum);
    }
    if (!good)
        return EXIT_FAILED;
    verb_record(call, columns);
    verb_row(call, cell_number(sum.pop3), cell_number(sum.autoexpunge), cell_octets(sum.octets),
             cell_number(sum.undelete));
    return EXIT_DONE;
}
