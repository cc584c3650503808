/* What a small durable write costs with every table in use and many accounts: CPU and octets
 * written per operation, one at a time (a commit each) and 64 at a time (group commit).
 *
 *      small_writes [accounts [operations]]        default 10000, 2000 */
#include <stdio.h>
#include <stdlib.h>

#include "core/base/mem.h"
#include "tests/bench/meter.h"
#include "tests/lib/account.h"

enum { RECIPIENTS = 10, MAIL_PER_ACCOUNT = 20, IN_USE = 1000 };

struct rig {
    struct test_store s;
    unsigned accounts, operations, used;
    struct store_account **account;
    struct store_view **view;
};

typedef void operation(struct rig *rig, unsigned i, struct store_to to);

static void flag(struct rig *rig, unsigned i, struct store_to to)
{
    struct uidset one = {0};
    struct store_flagop op = {.mode = i / rig->used % 2 ? FLAGS_REMOVE : FLAGS_ADD,
                              .sysflags = FLAG_FLAGGED};
    uint32_t uid = 1 + i % rig->used % 7;
    uidset_add(&one, uid, uid);
    store_flags(rig->view[i % rig->used], &one, &op, UINT64_MAX, to);
    uidset_finish(&one);
}

static void append(struct rig *rig, unsigned i, struct store_to to)
{
    struct store_account *account = rig->account[i % rig->used];
    struct store_incoming *in = test_message(account, 4096, i);
    struct store_dest dest = {.account = account, .path = SLICE("INBOX")};
    store_append(&in, 1, &dest, 1, to);
}

static void deliver(struct rig *rig, unsigned i, struct store_to to)
{
    struct store_dest dest[RECIPIENTS];
    for (unsigned r = 0; r < RECIPIENTS; r++)
        dest[r] = (struct store_dest){.account = rig->account[(i * 37 + r * 101) % rig->used],
                                      .path = SLICE("INBOX"),
                                      .rcpt = SLICE("somebody@test")};
    struct store_incoming *in = test_message(dest[0].account, 10240, i);
    store_append(&in, 1, dest, RECIPIENTS, to);
}

static void measure(struct rig *rig, const char *name, operation *op, unsigned at_once,
                    unsigned per_op)
{
    struct test_flight *f = test_flight_new();
    struct meter start = meter_now();
    for (unsigned i = 0; i < rig->operations; i++) {
        op(rig, i, test_flight_to(f));
        test_flight_wait(f, at_once - 1);
    }
    test_flight_wait(f, 0);
    struct meter cost = meter_since(start);
    double n = (double)rig->operations * per_op;
    printf("%-22s %3u at once  %7.1f us CPU  %7.1f KB written  %8.0f /s  errors %u\n", name,
           at_once, (double)cost.cpu_ns / 1000 / n, (double)cost.written / 1024 / n,
           n * 1e9 / (double)cost.wall_ns, test_flight_errors(f));
    test_flight_free(f);
}

int main(int argc, char **argv)
{
    struct rig rig = {.accounts = argc > 1 ? (unsigned)atoi(argv[1]) : 10000,
                      .operations = argc > 2 ? (unsigned)atoi(argv[2]) : 2000};
    test_store_open(&rig.s, NULL);
    struct meter start = meter_now();
    test_accounts_make(&rig.s, 0, rig.accounts);
    printf("%u accounts made in %.1f s\n", rig.accounts, (double)meter_since(start).wall_ns / 1e9);
    rig.used = rig.accounts < IN_USE ? rig.accounts : IN_USE;
    rig.account = mem_new_array(rig.used, sizeof *rig.account);
    rig.view = mem_new_array(rig.used, sizeof *rig.view);
    struct test_flight *f = test_flight_new();
    for (unsigned i = 0; i < rig.used; i++) {
        /* Spread over all of them, so that leaves are as far apart as they are in life. */
        rig.account[i] = test_account(&rig.s, i * (rig.accounts / rig.used), 14 * 86400);
        for (unsigned m = 0; m < MAIL_PER_ACCOUNT; m++) {
            struct store_incoming *in = test_message(rig.account[i], 2000, i * 100 + m);
            struct store_dest dest = {.account = rig.account[i], .path = SLICE("INBOX")};
            store_append(&in, 1, &dest, 1, test_flight_to(f));
        }
        test_flight_wait(f, 256);
    }
    test_flight_free(f);
    for (unsigned i = 0; i < rig.used; i++)
        rig.view[i] = test_view(&rig.s, rig.account[i], "INBOX");
    for (unsigned at_once = 1; at_once <= 64; at_once *= 8) {
        measure(&rig, "flag", flag, at_once, 1);
        measure(&rig, "append 4 KB", append, at_once, 1);
        measure(&rig, "deliver 10 KB, per rcpt", deliver, at_once, RECIPIENTS);
    }
    for (unsigned i = 0; i < rig.used; i++) {
        store_view_close(rig.view[i]);
        store_account_close(rig.account[i]);
    }
    mem_free(rig.view);
    mem_free(rig.account);
    test_store_close(&rig.s);
    return 0;
}
