/* tandem check: every rule between the rows of the store, proved. */
#include <inttypes.h>

#include "cmd/setup.h"
#include "cmd/verb.h"
#include "store/admin.h"

static void on_finding(void *arg, const char *line)
{
    verb_row(arg, cell_str(line));
}

static void on_progress(void *arg, uint64_t done, uint64_t total)
{
    verb_progress(arg, done, total);
}

int verb_check(struct verb_call *call)
{
    static const struct column columns[] = {
        {"finding", COLUMN_TEXT },
        {NULL,      COLUMN_TYPES}
    };
    struct store_verify verify = {.bodies = verb_flag(call, "--bodies"),
                                  .finding = on_finding,
                                  .progress = on_progress,
                                  .arg = call};
    if (!verb_arguments(call, 0, 0))
        return EXIT_USAGE;
    verb_columns(call, columns);
    enum err e = store_verify(call->store, call->reader, &verify);
    if (e && e != ERR_CORRUPT)
        return verb_complain(call, "the check broke off: %s", err_text(e));
    verb_say(call,
             "%" PRIu64 " accounts, %" PRIu64 " mailboxes, %" PRIu64 " messages, %" PRIu64
             " bodies, %" PRIu64 " octets%s: %" PRIu64 " findings",
             verify.accounts, verify.mailboxes, verify.messages, verify.blobs, verify.octets,
             verify.bodies ? ", every octet read" : "", verify.findings);
    return verify.findings || e ? EXIT_FAILED : EXIT_DONE;
}
