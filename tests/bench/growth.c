/* Does the file stay in proportion to what lies in it? A fortnight of a small site, an hour at a
 * time: mail arrives, is read, is expunged; the undelete window, the journal and the reaper clear
 * away; and for an hour a day somebody holds a snapshot (a backup, a stuck reader).
 *
 *      growth [accounts [mail a day and account [days]]]      default 50, 40, 28 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "core/base/clock.h"
#include "core/base/mem.h"
#include "store/commit.h"
#include "tests/lib/account.h"

enum { WINDOW_DAYS = 3, KEEP_DAYS = 7, HOURS = 24 };

static unsigned random_state = 12345;

static unsigned random_below(unsigned n)
{
    random_state = random_state * 1664525u + 1013904223u;
    return (random_state >> 8) % n;
}

/* Most mail is small, some is large. */
static size_t mail_octets(void)
{
    unsigned r = random_below(100);
    return r < 60   ? 1500 + random_below(8000)
           : r < 95 ? 10000 + random_below(60000)
                    : 200000 + random_below(1500000);
}

struct rig {
    struct test_store s;
    struct store_account **account;
    unsigned accounts, per_day, number;
};

static void arrive(struct rig *rig)
{
    struct test_flight *f = test_flight_new();
    for (unsigned a = 0; a < rig->accounts; a++)
        for (unsigned left = rig->per_day; left >= HOURS || random_below(HOURS) < left;
             left -= left < HOURS ? left : HOURS) {
            struct store_incoming *in = test_message(rig->account[a], mail_octets(), rig->number++);
            struct store_dest dest = {.account = rig->account[a], .path = SLICE("INBOX")};
            store_append(&in, 1, &dest, 1, test_flight_to(f));
            test_flight_wait(f, 32);
        }
    test_flight_free(f);
}

/* Each hour every user reads and throws away about as much as an hour brings, once the mailbox
 * holds a week of mail. */
static void tidy(struct rig *rig)
{
    struct test_flight *f = test_flight_new();
    for (unsigned a = 0; a < rig->accounts; a++) {
        struct store_view *view = test_view(&rig->s, rig->account[a], "INBOX");
        unsigned exists = store_view_exists(view), keep = KEEP_DAYS * rig->per_day;
        struct uidset uids = {0};
        for (unsigned n = exists; n > keep; n--) {
            uint32_t uid = store_view_uid(view, 1 + random_below(exists));
            uidset_add(&uids, uid, uid);
        }
        if (!uidset_empty(&uids)) {
            struct store_flagop op = {.mode = FLAGS_ADD, .sysflags = FLAG_SEEN | FLAG_DELETED};
            store_flags(view, &uids, &op, UINT64_MAX, test_flight_to(f));
            store_expunge(view, &uids, test_flight_to(f));
        }
        test_flight_wait(f, 16);
        uidset_finish(&uids);
        store_view_close(view);
    }
    test_flight_free(f);
    store_reader_idle(rig->s.reader);
}

static uint64_t live_octets(struct rig *rig)
{
    uint64_t sum = 0;
    for (unsigned a = 0; a < rig->accounts; a++) {
        struct store_usage usage;
        if (store_usage(rig->s.reader, rig->account[a], &usage))
            abort();
        sum += usage.octets + usage.gone_octets;
    }
    store_reader_idle(rig->s.reader);
    return sum;
}

/* Upkeep runs by itself; give it the time that an hour would. */
static void settle(struct rig *rig)
{
    struct committer *c = rig->s.store->shard[0]->committer;
    struct committer_stats before, after;
    do {
        committer_stats(c, &before);
        committer_nudge(c);
        usleep(30000);
        committer_stats(c, &after);
    } while (after.upkeep_slices != before.upkeep_slices);
}

int main(int argc, char **argv)
{
    struct rig rig = {.accounts = argc > 1 ? (unsigned)atoi(argv[1]) : 50,
                      .per_day = argc > 2 ? (unsigned)atoi(argv[2]) : 40};
    unsigned days = argc > 3 ? (unsigned)atoi(argv[3]) : 28;
    test_store_open(&rig.s, NULL);
    test_store_window(&rig.s, WINDOW_DAYS * 86400);
    test_accounts_make(&rig.s, 0, rig.accounts);
    rig.account = mem_new_array(rig.accounts, sizeof *rig.account);
    for (unsigned a = 0; a < rig.accounts; a++)
        rig.account[a] = test_account(&rig.s, a, WINDOW_DAYS * 86400);
    struct store_reader *stuck;
    struct engine_txn *snap;
    if (store_reader_new(rig.s.store, NULL, &stuck))
        abort();
    for (unsigned day = 1; day <= days; day++) {
        for (unsigned hour = 0; hour < HOURS; hour++) {
            if (hour == 2 && reader_snap(stuck, rig.s.store->shard[0], &snap))
                abort();
            arrive(&rig);
            tidy(&rig);
            if (hour == 2)
                store_reader_idle(stuck);
            clock_shift(3600);
            settle(&rig);
        }
        struct engine_space space;
        if (engine_space(rig.s.store->shard[0]->engine, true, &space))
            abort();
        uint64_t live = live_octets(&rig);
        printf("day %2u  live %8.1f MB  file %8.1f MB  free inside %7.1f MB  file/live %.2f\n", day,
               (double)live / 1e6, (double)space.file_octets / 1e6, (double)space.free_octets / 1e6,
               (double)space.file_octets / (double)live);
        fflush(stdout);
    }
    store_reader_free(stuck);
    for (unsigned a = 0; a < rig.accounts; a++)
        store_account_close(rig.account[a]);
    mem_free(rig.account);
    test_store_close(&rig.s);
    return 0;
}
